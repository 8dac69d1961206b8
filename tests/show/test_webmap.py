"""The interactive map: it lies where the rasters lie, shows their classes, and carries everything
with it.
"""

import base64
import io

import geopandas as gpd
import numpy as np
import pytest
from ipyleaflet import GeoJSON, ImageOverlay, TileLayer
from PIL import Image
from pyproj import Transformer
from shapely.geometry import Point, box

from lsa_helpers.classes import MODELS
from lsa_helpers.raster import empty_grid, on_grid
from lsa_helpers.show import style, webmap

GRID = empty_grid((600_000, 3_290_000, 602_000, 3_291_500), "EPSG:32648", 25)


def _class_maps() -> dict:
    """Class 1 in the west, class 2 in the east, nodata in the south."""
    classes = np.ones(GRID.shape, np.uint8)
    classes[:, 40:] = 2
    classes[50:] = 0
    return dict.fromkeys(MODELS, on_grid(classes, GRID))


def _relief():
    """A plane that rises to the north."""
    rows, columns = GRID.shape
    altitude = np.repeat(np.arange(rows, 0, -1.0)[:, None] * 5, columns, axis=1)
    return style.hillshade(on_grid(altitude, GRID))


def _web(**values):
    """The map of both, with two classes."""
    return webmap.susceptibility_map(_class_maps(), _relief(), POLYGONS, n_classes=2, **values)


def _landslides(geometries) -> gpd.GeoDataFrame:
    frame = gpd.GeoDataFrame(geometry=geometries, crs=GRID.rio.crs)
    frame.attrs["layer"] = "reference"
    return frame


POLYGONS = _landslides([box(600_100, 3_290_900, 600_300, 3_291_300)])


def _pixels(layer: ImageOverlay) -> np.ndarray:
    """RGBA of a layer's image."""
    assert layer.url.startswith("data:image/png;base64,")
    return np.asarray(
        Image.open(io.BytesIO(base64.b64decode(layer.url.split(",")[1]))).convert("RGBA")
    )


def test_layers_lie_where_the_grid_lies():
    web = _web()
    left, bottom, right, top = GRID.rio.bounds()
    lon, lat = Transformer.from_crs(GRID.rio.crs, 4326, always_xy=True).transform(
        [left, right, right, left], [bottom, bottom, top, top]
    )
    for layer in web.layers:
        if isinstance(layer, ImageOverlay):
            (south, west), (north, east) = layer.bounds
            cell = 25 / 96_000
            assert (west, east) == pytest.approx((min(lon), max(lon)), abs=2 * cell)
            assert (south, north) == pytest.approx((min(lat), max(lat)), abs=2 * cell)


def test_classes_have_their_colours_and_nodata_is_transparent():
    layers = _web().layers
    assert [layer.name for layer in layers] == [
        "Relief only",
        "XGBoost",
        "Random forest",
        "CNN",
        "Landslides (reference)",
    ]
    pixels = _pixels(layers[3]).astype(int)
    height, width, _ = pixels.shape
    west, east = pixels[height // 3, width // 4], pixels[height // 3, 3 * width // 4]
    assert west[3] == east[3] == 255 and pixels[int(0.95 * height), width // 2, 3] == 0
    assert (west[:3] > east[:3]).all(), "the higher class is the darker"


def test_map_needs_no_network():
    layers = _web().layers
    assert not any(isinstance(layer, TileLayer) for layer in layers)
    assert any(isinstance(layer, TileLayer) for layer in _web(tiles=True).layers)


def test_points_and_polygons_keep_their_place():
    for frame, expected in ((_landslides([Point(600_100, 3_290_900)]), 1), (POLYGONS, 1)):
        layer = webmap.landslide_layer(frame)
        assert isinstance(layer, GeoJSON) and len(layer.data["features"]) == expected
    back = gpd.GeoDataFrame.from_features(layer.data["features"], crs=4326).to_crs(GRID.rio.crs)
    assert back.area.sum() == pytest.approx(POLYGONS.area.sum(), rel=1e-2)


def test_only_the_largest_landslides_are_kept():
    frame = _landslides(
        [box(600_000, 3_290_000, 600_000 + size, 3_290_000 + size) for size in (50, 200, 100)]
    )
    layer = webmap.landslide_layer(frame, max_shapes=2)
    kept = gpd.GeoDataFrame.from_features(layer.data["features"], crs=4326).to_crs(GRID.rio.crs)
    assert sorted(kept.area.round(-3)) == [10_000, 40_000]


def test_images_are_no_larger_than_asked():
    for layer in _web(max_pixels=30).layers[:4]:
        assert max(_pixels(layer).shape) <= 31


def test_a_heavy_map_is_drawn_with_fewer_pixels(monkeypatch):
    full = _web()
    monkeypatch.setattr(webmap, "MAX_STATE_BYTES", 100)
    light = _web()
    assert max(_pixels(light.layers[3]).shape) < max(_pixels(full.layers[3]).shape)
