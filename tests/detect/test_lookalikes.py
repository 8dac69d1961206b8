"""False alarms and what they were taken from."""

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import xarray as xr
from shapely.geometry import box

from lsa_helpers.detect.lookalikes import attribute_causes, count_causes, lookalike_ground
from lsa_helpers.detect.scene import open_scene
from lsa_helpers.raster import empty_grid, on_grid

CRS = "EPSG:32648"
GRID = empty_grid((0, 0, 1000, 1000), CRS, 10)


@pytest.fixture()
def frame(tmp_path):
    """A scene over the grid, dark in its lowest fifth."""
    pixels = np.full((3, 100, 100), 120, np.uint8)
    pixels[:, 80:] = 20
    size = {"count": 3, "height": 100, "width": 100, "dtype": "uint8"}
    place = {"crs": CRS, "transform": GRID.rio.transform()}
    with rasterio.open(tmp_path / "scene.tif", "w", driver="GTiff", **size, **place) as file:
        file.write(pixels)
    return open_scene(tmp_path / "scene.tif")


@pytest.fixture()
def factors():
    """A road along the left edge, bare rock in the upper half, fields below."""
    road = np.broadcast_to(GRID.x.values - 5, GRID.shape)
    lulc = np.broadcast_to(np.where(GRID.y.values > 500, 90, 10)[:, None], GRID.shape)
    names = {"distance_to_road": road, "lulc": lulc}
    return xr.Dataset({name: on_grid(values, GRID, name) for name, values in names.items()})


def test_each_false_alarm_gets_its_cause(factors, frame, tmp_path):
    """On the road, on rock, on fields, on an old scar (asked before the rock under it)."""
    scars = gpd.GeoDataFrame(geometry=[box(700, 700, 740, 745)], crs=CRS)
    scars.to_crs("EPSG:4326").to_file(tmp_path / "scars.gpkg")
    ground = lookalike_ground(factors, frame, tmp_path / "scars.gpkg")
    shapes = (
        box(0, 300, 20, 340),
        box(500, 700, 540, 740),
        box(500, 200, 540, 240),
        box(700, 700, 740, 740),
    )
    scores = {"score": [0.9, 0.8, 0.7, 0.6]}
    alarms = gpd.GeoDataFrame(scores, geometry=list(shapes), crs=CRS)
    alarms["cause"] = attribute_causes(alarms.geometry.to_crs("EPSG:32649"), ground)
    assert alarms["cause"].tolist() == ["road", "bare rock", "field", "old scar"]
    table = count_causes(alarms)
    assert table["cause"].tolist() == ["old scar", "road", "bare rock", "field"]
    assert table["area_m2"].tolist() == pytest.approx([1600, 800, 1600, 1600])


def test_without_maps_only_shadow_is_known(frame, tmp_path):
    """The darkest ground is shadow; what no map explains is other ground; no alarm, no row."""
    factors = xr.Dataset({"slope": on_grid(np.zeros(GRID.shape), GRID, "slope")})
    ground = lookalike_ground(factors, frame, tmp_path / "no scars.gpkg")
    assert list(ground) == ["shadow"]
    shapes = gpd.GeoSeries([box(0, 0, 50, 50), box(0, 500, 50, 550)], crs=CRS)
    assert attribute_causes(shapes, ground) == ["shadow", "other ground"]
    none = gpd.GeoDataFrame({"score": [], "cause": []}, geometry=[], crs=CRS)
    assert len(count_causes(none)) == 0
