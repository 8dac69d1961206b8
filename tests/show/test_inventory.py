"""The figures of chapter 03 sort landslides by what became of them, and say how many they are."""

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin
from shapely.geometry import box

from lsa_helpers.detect.inventory import errors_by_size
from lsa_helpers.detect.scene import open_scene
from lsa_helpers.show import inventory as show
from lsa_helpers.show.network import diagram

CRS = "EPSG:32648"


@pytest.fixture()
def frame(tmp_path):
    """A grey scene of 2 km by 1 km."""
    size = {"count": 3, "height": 100, "width": 200, "dtype": "uint8"}
    place = {"crs": CRS, "transform": from_origin(0, 1000, 10, 10)}
    with rasterio.open(tmp_path / "scene.tif", "w", driver="GTiff", **size, **place) as file:
        file.write(np.full((3, 100, 200), 90, np.uint8))
    return open_scene(tmp_path / "scene.tif")


def layer(corners, **columns) -> gpd.GeoDataFrame:
    """Squares of 100 m at these left lower corners."""
    squares = [box(x, y, x + 100, y + 100) for x, y in corners]
    table = gpd.GeoDataFrame(columns, geometry=squares, crs=CRS)
    return table.assign(area_m2=table.area)


def legend(figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_the_map_counts_hits_false_alarms_and_misses(frame):
    """Exactly half of the area is a hit, as everywhere in the chapter."""
    detected = layer([(0, 0), (300, 0), (600, 0)], true_share=[1.0, 0.5, 0.4])
    known = layer([(0, 0), (300, 50), (900, 0)], found_share=[1.0, 0.5, 0.0])
    figure = show.scene_map(frame, detected, known)
    assert legend(figure) == ["hit (2)", "false alarm (1)", "missed (1)"]
    zoom = [patch for patch in figure.axes[0].patches if patch.get_edgecolor()[:3] == (1, 1, 1)]
    assert len(zoom) == 1 and zoom[0].get_width() == 1000  # the scene is not higher


def test_where_nothing_is_known_detections_are_only_detected(frame):
    detected = layer([(0, 0), (300, 0)], true_share=[np.nan, np.nan])
    figure = show.scene_map(frame, detected, layer([], found_share=[]))
    assert legend(figure) == ["detected (2)"]


def test_bars_say_of_how_many(frame):
    """One of two known landslides missed, no detection false; empty classes say nothing."""
    detected = layer([(0, 0)], true_share=[1.0])
    known = layer([(0, 0), (500, 0)], found_share=[1.0, 0.0])
    errors = errors_by_size(detected, known, (0, 5000, 20_000))
    bars = show.sizes({"detected": detected, "known": known}, {}, errors).axes[1]
    said = [text.get_text() for text in bars.texts]
    assert said == ["", "1 of 2", "", "0 of 1"]


def test_the_worst_errors_of_a_row_have_one_scale(frame):
    alarms = layer([(0, 0), (500, 500)], score=[0.9, 0.8], cause=["road", "field"])
    figure = show.worst(frame, alarms, layer([(900, 100)], found_share=[0.25]))
    widths = [np.ptp(ax.get_xlim()) for ax in figure.axes if ax.has_data()]
    assert widths[0] == pytest.approx(widths[1]) and len(widths) == 3
    titles = [ax.get_title() for ax in figure.axes]
    assert titles[0] == "road, score 0.90" and titles[4] == "10,000 m², found 25%"


def test_the_diagram_names_the_parts_the_text_explains():
    words = {text.get_text() for text in diagram().axes[0].texts}
    assert {"backbone", "feature pyramid", "anchors", "regions", "mask"} <= words


def test_an_inventory_of_nothing_has_a_figure(frame):
    """No alarm and no miss: empty panels, no error."""
    nothing = layer([], score=[], cause=[])
    figure = show.worst(frame, nothing, layer([], found_share=[]))
    assert not any(ax.axison for ax in figure.axes)
