"""What is looked at before anything is written, and what a data folder without inputs means."""

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import yaml
from rasterio.transform import from_origin
from shapely.geometry import Point

from lsa_helpers.errors import InputError
from lsa_helpers.runner import checks
from lsa_helpers.runner.checks import check_inputs, missing_inputs
from lsa_helpers.runner.inputs import find_params, load_run_params, resolve
from lsa_helpers.runner.params import CHAPTERS
from lsa_helpers.sources import Catalog, Entry
from tests.data_folder import CONTENT, CRS, NORTH, WEST


@pytest.mark.parametrize(
    ("entries", "chapters", "section"),
    [
        ({}, ["01_data", "02_detector"], {}),  # nothing is learned yet
        ({"inventory": {"path": "slides.gpkg"}}, list(CHAPTERS), {}),
        ({"inventory": {"path": "points.gpkg", "label": "is"}}, list(CHAPTERS), {}),
        # Chapters 06 and 07 count landslides, but draw no samples.
        ({"inventory": {"path": "places.gpkg"}}, ["06_frequency_ratio", "07_shap"], {}),
        ({"inventory": {"path": "places.gpkg"}}, list(CHAPTERS), {}),
    ],
)
def test_data_that_can_be_learned_from_pass(folder, entries, chapters, section):
    """Every way to landslides that the chapters support."""
    kind = {"driver": "GTiff", "dtype": "uint8", "count": 3, "width": 32, "height": 32, "crs": CRS}
    with rasterio.open(
        folder / "scene.tif", "w", transform=from_origin(WEST, NORTH, 10, 10), **kind
    ) as file:
        file.write(np.ones((3, 32, 32), np.uint8))
    places = [Point(WEST + 55 + 40 * i, NORTH - 45 - 80 * j) for i in range(12) for j in range(4)]
    points = gpd.GeoDataFrame({"is": [1, 0] * 24}, geometry=places, crs=CRS)
    points.to_file(folder / "points.gpkg")
    points[["geometry"]].to_file(folder / "places.gpkg")
    points.buffer(9).to_file(folder / "slides.gpkg")
    (folder / "catalog.yml").write_text(yaml.safe_dump(CONTENT | entries), encoding="utf-8")
    small = {"block_m": 100.0, "n_folds": 2, "negative_buffer_m": 10.0}
    shared = {"data": str(folder), "catalog": str(folder / "catalog.yml")}
    values = resolve(
        {
            "shared": shared,
            "01_data": {"cell_size_m": 10},
            "02_detector": section,
            "04_factor_selection": small,
            "05_susceptibility": small | {"cnn_window": 1},
        },
        "test",
    )
    check_inputs(values, chapters, folder)


def test_models_that_later_chapters_need_must_be_made(tmp_path, monkeypatch):
    """Chapters 06 and 07 take the maps there are of three models: none is refused before chapter 05
    runs.
    """

    def check(models: str, *chapters: str) -> None:
        file = find_params("tiny")
        values = load_run_params(file, {"models": models}, None, tmp_path)
        check_inputs(values, ["05_susceptibility", *chapters], tmp_path)

    check("[rf, svm]", "06_frequency_ratio", "07_shap")
    with pytest.raises(InputError, match="chapter 06: there will be none of the maps of cnn, rf"):
        check("[svm]", "06_frequency_ratio")
    with pytest.raises(InputError, match="chapter 07: there will be none of the maps of cnn, rf"):
        check("[svm]", "07_shap")
    check("[svm]")
    monkeypatch.setattr(checks, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="the CNN needs torch, which is not installed"):
        check("[cnn]")


LATER = [name for name in CHAPTERS if name > "03_inventory"]


@pytest.mark.parametrize(
    ("entries", "missing"),
    [
        ({"dem", "images", "scene"}, set()),
        ({"dem", "inventory"}, {"02_detector", "03_inventory"}),
        ({"dem", "images", "inventory"}, {"03_inventory"}),
        ({"dem", "scene", "inventory"}, {"02_detector", "03_inventory"}),
        ({"dem", "images"}, {"03_inventory", *LATER}),
        ({"images"}, {"01_data", "03_inventory", *LATER}),
        ({"images", "scene"}, {"01_data", *LATER}),
    ],
)
def test_what_a_folder_lacks_decides_what_is_skipped(tmp_path, entries, missing):
    catalog = Catalog(folder=tmp_path, **{name: Entry(path="x") for name in entries})
    assert set(missing_inputs(catalog)) == missing
