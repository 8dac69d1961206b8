"""A copy of a real folder, damaged file by file: every damage is named."""

import shutil

import geopandas as gpd
import numpy as np
import pytest
import rasterio

from lsa_helpers.runner.data_check import examine
from lsa_helpers.runner.inputs import find_params
from lsa_helpers.sources import load_catalog

pytestmark = pytest.mark.real_data


@pytest.fixture
def ecuador(shared_data, tmp_path):
    """Southern Ecuador with the catalog that comes with the book."""
    for file in (shared_data / "ecuador_lsl").iterdir():
        shutil.copyfile(file, tmp_path / file.name)
    shutil.copyfile(
        find_params("ecuador").with_name("ecuador.catalog.yml"), tmp_path / "catalog.yml"
    )
    return tmp_path


def states(folder) -> tuple[dict, str]:
    rows = examine(load_catalog(folder))
    return dict(zip(rows["entry"], rows["state"], strict=True)), "\n".join(rows["remarks"].sum())


def cut(file):
    file.write_bytes(file.read_bytes()[:-20_000])


def empty(file):
    file.write_bytes(b"")


def elsewhere(file):
    gpd.read_file(file).set_crs("EPSG:32647", allow_override=True).to_file(file)


def unnamed(file):
    file.write_text(file.read_text().replace("lslpts", "y1"))


def high(file):
    with rasterio.open(file, "r+") as raster:
        raster.write(raster.read(4) * np.float32(100), 4)


def no_crs(file):
    with rasterio.open(file) as raster:
        profile, bands = raster.profile | {"crs": None}, raster.read()
    with rasterio.open(file, "w", **profile) as raster:
        raster.write(bands)


def test_the_folder_itself_is_whole(ecuador):
    found, said = states(ecuador)
    assert set(found.values()) == {"found"}, said


@pytest.mark.parametrize(
    ("name", "damage", "entry", "words"),
    [
        ("ta.tif", cut, "dem", "ta.tif"),
        ("ta.tif", empty, "dem", "ta.tif"),
        ("ta.tif", no_crs, "dem", "states no CRS"),
        ("ta.tif", high, "dem", "ta.tif"),
        ("lsl.csv", empty, "inventory", "lsl.csv"),
        ("lsl.csv", unnamed, "inventory", '"lslpts"'),
        ("study_mask.gpkg", cut, "mask", "study_mask.gpkg"),
        ("study_mask.gpkg", empty, "mask", "study_mask.gpkg"),
        ("study_mask.gpkg", elsewhere, "mask", "study_mask.gpkg"),
    ],
)
def test_every_damage_is_named(ecuador, name, damage, entry, words):
    damage(ecuador / name)
    found, said = states(ecuador)
    assert found[entry] == "wrong" and words in said
    (ecuador / name).unlink()
    found, said = states(ecuador)
    assert found[entry] == "wrong" and f"{name}: the file named in the catalog is missing" in said
