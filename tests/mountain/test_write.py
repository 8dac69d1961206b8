"""The files: names, formats, CRSs, units, and the same bytes from the same seed."""

import hashlib
import re

import geopandas as gpd
import netCDF4
import numpy as np
import pandas as pd
import pytest
import rasterio
import yaml

from lsa_helpers.mountain import chips, make_mountain, write_layers, write_world
from lsa_helpers.mountain.landscape import LAND_COVER
from lsa_helpers.mountain.platforms import PLATFORMS

TINY = dict(width_km=2.0, height_km=2.0, chips_per_platform=1)


def hashes(folder):
    """Relative path → SHA-256 of all files."""
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


@pytest.fixture(scope="module")
def area(world):
    with rasterio.open(world / "truth" / "probability.tif") as file:
        return file.bounds


def test_same_seed_same_bytes_other_seed_other_world(tmp_path):
    first, again, other = (
        hashes(write_world(tmp_path / name, seed=seed, **TINY))
        for name, seed in (("a", 5), ("b", 5), ("c", 6))
    )
    assert first == again
    names = [name for name in first if name.endswith((".tif", ".gpkg", ".nc", ".xls"))]
    assert set(names) <= set(other)
    images = [name for name in names if "/mask/" not in name and "/label/" not in name]
    assert all(first[name] != other[name] for name in images)


def test_map_layers_alone_are_those_of_the_whole_world(tmp_path):
    """Same bytes but for the catalog, which names nothing that is not there."""
    whole = hashes(write_world(tmp_path / "whole", seed=5, **TINY))
    folder = write_layers(tmp_path / "layers", make_mountain(2.0, 2.0, 5), 5)
    catalog = yaml.safe_load((folder / "catalog.yml").read_text(encoding="utf-8"))
    assert not {"images", "scene", "truth"} & set(catalog)
    layers = hashes(folder)
    del layers["catalog.yml"]
    assert layers == {
        name: value
        for name, value in whole.items()
        if not name.startswith(("images", "scene", "truth", "catalog"))
    }


def test_two_processes_write_the_same_chips(tmp_path, monkeypatch):
    monkeypatch.setattr(chips, "MOUNTAINS", 2)
    for jobs in (1, 2):
        chips.write_chips(tmp_path / str(jobs), per_platform=2, seed=5, size=64, n_jobs=jobs)
    one, two = (hashes(tmp_path / str(jobs)) for jobs in (1, 2))
    assert one == two and sum(name.endswith(".tif") for name in one) == 2 * 6 * 3


def test_dem(world, area):
    with rasterio.open(next((world / "dem").glob("AP_*_RT1.dem.tif"))) as file:
        assert file.crs.to_epsg() == 32648 and file.res == (12.5, 12.5)
        assert file.bounds == area and file.shape == (160, 240)


def test_land_cover_has_globeland30_codes_and_covers_the_area(world, area):
    with rasterio.open(world / "lulc" / "n48_30_2020lc030.tif") as file:
        values, bounds = file.read(1), file.bounds
        assert file.dtypes == ("uint8",) and file.res == (30, 30) and file.crs.to_epsg() == 32648
    assert set(np.unique(values)) <= set(LAND_COVER.index) and len(np.unique(values)) >= 3
    assert bounds.left <= area.left and bounds.right >= area.right
    assert bounds.bottom <= area.bottom and bounds.top >= area.top


def test_ndvi_tiles_join(world, area):
    files = sorted((world / "ndvi").glob("*.tif"))
    with rasterio.open(files[0]) as east, rasterio.open(files[1]) as west:
        assert west.bounds.right == east.bounds.left
        assert west.bounds.left <= area.left and east.bounds.right >= area.right
        values = np.hstack([west.read(1), east.read(1)])
    assert values.dtype == np.int16 and 3000 < np.median(values) < 9500


VECTORS = ["vector_50k/LRDL", "vector_50k/HYDL", "geology_200k/faults", "geology_200k/lithology"]


@pytest.mark.parametrize("name", VECTORS)
def test_vectors_are_geographic_and_reach_the_area(world, area, name):
    table = gpd.read_file(world / f"{name}.shp")
    assert table.crs.to_epsg() == 4490 and table.is_valid.all() and len(table)
    left, bottom, right, top = table.to_crs(32648).total_bounds
    assert left < area.right and right > area.left and bottom < area.top and top > area.bottom


def test_lithology_covers_the_area_without_overlap(world, area):
    table = gpd.read_file(world / "geology_200k" / "lithology.shp").to_crs(32648)
    whole = (area.right - area.left) * (area.top - area.bottom)
    assert table.area.sum() == pytest.approx(whole, rel=0.01)
    assert table.union_all().area == pytest.approx(table.area.sum(), rel=1e-3)
    assert table.groupby("code")["name"].nunique().eq(1).all()


def test_rainfall_is_packed_in_tenths_of_a_millimetre(world, area):
    """The raw integers are 0.1 mm a month; a year is some hundred to two thousand millimetres."""
    with netCDF4.Dataset(world / "rainfall" / "pre_2022.nc") as file:
        pre = file["pre"]
        assert pre.dtype == np.int16 and pre._FillValue == -32768
        assert pre.units == "0.1mm" and pre.dimensions == ("time", "lat", "lon")
        year = np.asarray(pre[:]).sum(axis=0) * 0.1
        lon, lat = file["lon"][:], file["lat"][:]
    assert year.shape == (len(lat), len(lon)) and year.min() > 400 and year.max() < 2000
    west, south, east, north = rasterio.warp.transform_bounds("EPSG:32648", "EPSG:4326", *area)
    assert lon.min() < west and lon.max() > east and lat.min() < south and lat.max() > north
    np.testing.assert_allclose(np.diff(lon), 1 / 120)


def test_stations(world, area):
    table = pd.read_excel(next((world / "strong_motion").glob("*.xls")), engine="calamine")
    assert list(table) == ["station", "lon", "lat", "pga"] and table["station"].is_unique
    points = gpd.GeoSeries.from_xy(table["lon"], table["lat"], crs=4326).to_crs(32648)
    inside = points.x.between(area.left, area.right) & points.y.between(area.bottom, area.top)
    assert inside.sum() >= 3 and (~inside).sum() >= 5
    assert table["pga"].between(1, 1500).all()
    # Shaking fades with distance.
    assert table["pga"][inside].median() > table["pga"][~inside].median()


def test_chips_lie_in_the_cas_folders(world):
    """Six folders with full-width brackets; image, mask 0/1, label 0/255 of one size and name."""
    folders = sorted(path for path in (world / "images").iterdir() if path.is_dir())
    assert {path.name for path in folders} == {platform.folder for platform in PLATFORMS}
    assert all("（" in path.name for path in folders)
    shown = []
    for folder in folders:
        names, masks, labels = (
            sorted(path.name for path in (folder / kind).iterdir())
            for kind in ("img", "mask", "label")
        )
        assert len(names) == 5 and names == masks == labels
        for name in names:
            image, mask, label = (
                rasterio.open(folder / kind / name).read() for kind in ("img", "mask", "label")
            )
            assert image.shape == (3, 256, 256) and image.dtype == np.uint8
            assert mask.shape == label.shape == (1, 256, 256)
            assert set(np.unique(mask)) <= {0, 1} and np.array_equal(label, mask * 255)
            assert image.std() > 5
            shown.append(mask.any())
    assert 0.5 < np.mean(shown) < 1


def test_scene_shows_the_area(world, area):
    with rasterio.open(world / "scene" / "scene.tif") as file:
        assert file.count == 3 and file.dtypes[0] == "uint8"
        assert file.crs.to_epsg() == 32648 and file.res == (2.5, 2.5)
        assert file.bounds == area and file.profile["tiled"]
        image = file.read()
    assert image.min() > 0 and image.std() > 15


def test_landslides_are_brighter_than_their_surroundings_but_not_alone(world):
    """A detector has something to see, and bright pixels alone do not give landslides away."""
    table = gpd.read_file(world / "truth" / "landslides.gpkg")
    with rasterio.open(world / "scene" / "scene.tif") as file:
        red, shape, transform = file.read(1).astype(float), file.shape, file.transform
    inside = rasterio.features.rasterize(table.geometry, shape, transform=transform) > 0
    assert red[inside].mean() > red[~inside].mean() + 15
    bright = red > np.median(red[inside])
    assert inside[bright].mean() < 0.9


def test_catalog_names_files_that_exist(world):
    catalog = yaml.safe_load((world / "catalog.yml").read_text(encoding="utf-8"))
    assert catalog["crs"] == "EPSG:32648"
    for name, entry in catalog.items():
        if isinstance(entry, dict):
            assert not entry["path"].startswith("/") and list(world.glob(entry["path"])), name
    assert catalog["lulc"]["names"][20] == "forest" and catalog["rainfall"]["variable"] == "pre"


def test_the_mountain_knows_only_the_raster_writer(root):
    """It may make data for any method, so it uses none: nothing of the package but three files."""
    files = (root / "lsa_helpers" / "mountain").glob("*.py")
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    rooms = set(re.findall(r"(?:from|import) lsa_helpers\.(\w+)", text))
    assert {"raster", "run"} <= rooms <= {"mountain", "errors", "run", "raster"}
