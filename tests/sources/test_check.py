"""Wrong data folders: one message that names the file and the way out."""

import numpy as np
import pytest
import rasterio
import yaml

from lsa_helpers.errors import InputError
from lsa_helpers.sources import check_catalog, load_catalog, source_table
from tests.data_folder import CONTENT


def test_a_complete_folder_passes(catalog):
    rows = check_catalog(catalog, need_dem=True, cell_size=10.0)
    assert set(rows["entry"]) == set(CONTENT) - {"name"}
    assert rows.set_index("entry").loc["lulc", "files"] == 2
    assert rows.set_index("entry").loc["roads", "crs"] == "EPSG:4490"
    assert source_table(catalog)["entry"].tolist() == rows["entry"].tolist()


def broken(folder, **changes):
    (folder / "catalog.yml").write_text(yaml.safe_dump(CONTENT | changes), encoding="utf-8")
    return load_catalog(folder)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"roads": {"path": "streets.shp"}}, r"streets\.shp: .*missing.*In .* there is"),
        ({"roads": {"path": "roads.shp", "colour": 1}}, r"unknown key .*colour"),
        ({"raods": {"path": "roads.shp"}}, r'Did you mean "roads"'),
        (
            {"lithology": {"path": "lithology.gpkg", "attribute": "stone"}},
            r"lithology\.gpkg: .*\"stone\".*rock.*catalog",
        ),
        (
            {"roads": {"path": "roads.shp", "crs": "EPSG:32617"}},
            r"roads\.shp: .*does not overlap",
        ),
        ({"dem": None}, r"names no DEM"),
        ({"roads": {"path": []}}, r'key "roads\.path".*at least 1 item'),
        ({"roads": {"path": ""}}, r'key "roads\.path".*at least 1 item'),
    ],
)
def test_a_broken_catalog_is_explained(folder, changes, words):
    with pytest.raises(InputError, match=words):
        check_catalog(broken(folder, **changes), need_dem=True, cell_size=10.0)


def test_a_truncated_raster_is_found_before_anything_runs(catalog, folder):
    file = folder / "lulc_b.tif"
    content = file.read_bytes()
    file.write_bytes(content[: len(content) - 200])
    with pytest.raises(InputError, match=r"lulc_b\.tif: .*(read to its end|cannot be opened)"):
        check_catalog(catalog, need_dem=True, cell_size=10.0)


def test_a_folder_without_a_catalog_says_what_to_write(tmp_path):
    with pytest.raises(InputError, match=r"catalog\.yml: .*has no catalog"):
        load_catalog(tmp_path)


def test_a_date_needs_no_quotes(folder):
    file = folder / "catalog.yml"
    file.write_text(file.read_text() + "scene: {path: scene.tif, acquired: 2022-10-01}\n")
    assert load_catalog(folder).scene.acquired == "2022-10-01"


def test_a_date_that_does_not_exist_is_an_error_of_the_file(folder):
    file = folder / "catalog.yml"
    file.write_text(file.read_text() + "scene: {path: scene.tif, acquired: 2022-13-01}\n")
    with pytest.raises(InputError, match=r"catalog\.yml: .*not a readable YAML"):
        load_catalog(folder)


def test_images_alone_need_no_dem(tmp_path):
    """Chips and a scene are seen as they are; what lies on a grid needs the DEM that makes one."""
    (tmp_path / "images").mkdir()
    (tmp_path / "catalog.yml").write_text(
        "images: {path: images, format: masks}\nscene: {path: scene.tif}\n"
    )
    place = {"crs": "EPSG:32648", "transform": rasterio.Affine(2, 0, 0, 0, -2, 0)}
    with rasterio.open(
        tmp_path / "scene.tif", "w", "GTiff", 8, 8, 3, dtype="uint8", **place
    ) as file:
        file.write(np.ones((3, 8, 8), np.uint8))
    only = load_catalog(tmp_path)
    assert not only.on_grid
    assert check_catalog(only, need_dem=False)["entry"].tolist() == ["images", "scene"]
    with pytest.raises(InputError, match="or stop with --until 03"):
        check_catalog(only, need_dem=True)
    (tmp_path / "catalog.yml").write_text(
        "images: {path: images, format: masks}\nroads: {path: roads.gpkg}\n"
    )
    with pytest.raises(InputError, match="take out roads and stop with --until 03"):
        check_catalog(load_catalog(tmp_path), need_dem=True)
