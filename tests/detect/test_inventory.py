"""Inventories: pieces to polygons, sizes, errors by size, the sweep over scores."""

import geopandas as gpd
import numpy as np
import pytest
from scipy import stats
from shapely.geometry import Polygon, box

from lsa_helpers.detect.inventory import (
    count_touching,
    errors_by_size,
    inventory_statistics,
    merge_pieces,
    rollover,
    scene_sweep,
    size_frequency,
)

CRS = "EPSG:32648"
SEEN = box(0, 0, 1000, 1000)


def _piece(shape, score=0.9, window=SEEN):
    return {"score": score, "geometry": shape, "window": window}


def _layer(*shapes):
    return gpd.GeoDataFrame({"id": range(1, len(shapes) + 1)}, geometry=list(shapes), crs=CRS)


def test_small_holes_are_filled_and_large_ones_stay():
    """A hole of 25 m² closes, one of 400 m² stays; the polygon is valid and its area is counted."""
    shape = box(0, 0, 100, 100) - box(10, 10, 15, 15) - box(40, 40, 60, 60)
    table = merge_pieces([_piece(shape)], CRS, min_area_m2=100)
    assert table.area_m2.tolist() == [10_000 - 400] and table.is_valid.all() and len(table.geometry[0].interiors) == 1


def test_cracks_close_and_crumbs_go():
    """Two windows that disagree by a crack of 2 m give one landslide without a crack; a crumb of 9 m² is dropped."""
    left, right = box(0, 0, 600, 1000), box(400, 0, 1000, 1000)
    one = box(300, 100, 600, 200)
    other = (box(400, 100, 800, 200) - box(599, 120, 603, 180)).union(box(900, 900, 903, 903))
    table = merge_pieces([_piece(one, 0.7, left), _piece(other, 0.8, right)], CRS, min_area_m2=20, close_m=5)
    assert len(table) == 1 and table.score[0] == 0.8 and table.windows[0] == 2
    assert table.area_m2[0] == pytest.approx(500 * 100)


def test_an_outline_of_one_pixel_corners_survives_closing():
    """Closing with a pixel neither rounds nor moves a blocky outline."""
    shape = Polygon([(0, 0), (40, 0), (40, 10), (20, 10), (20, 30), (0, 30)])
    assert merge_pieces([_piece(shape)], CRS, close_m=2.5).geometry[0].equals(shape)


def test_no_pieces_give_an_empty_table():
    table = merge_pieces([], CRS)
    assert len(table) == 0 and list(table.columns) == ["id", "score", "area_m2", "windows", "geometry"] and table.crs == CRS


def test_scene_sweep_by_hand():
    """At 0.5 and below 100 of 200 m² said are true of 400; above 0.5 only the right one is left; above 0.9 nothing."""
    pieces = [_piece(box(0, 0, 10, 10), 0.9), _piece(box(500, 500, 510, 510), 0.5)]
    table = scene_sweep(pieces, _layer(box(0, 0, 20, 20)), CRS).set_index("score")
    assert table.loc[0.5, ["precision", "recall", "iou"]].tolist() == pytest.approx([0.5, 0.25, 100 / 500])
    assert table.loc[0.55, "precision"] == 1 and table.loc[0.55, "f1"] == pytest.approx(2 * 100 / 500)
    assert np.isnan(table.loc[0.95, "precision"]) and table.loc[0.95, "recall"] == 0


def test_errors_by_size_by_hand():
    """Of two small known landslides one is missed; the large detection is false, the small one true."""
    known = _layer(box(0, 0, 20, 20), box(100, 0, 120, 20), box(200, 0, 300, 100))
    detected = _layer(box(0, 0, 20, 20), box(200, 0, 300, 60), box(500, 500, 600, 600))
    table = errors_by_size(detected, known, (0, 500, np.inf))
    assert table["known"].tolist() == [2, 1] and table["omission"].tolist() == [0.5, 0]
    assert table["detected"].tolist() == [1, 2] and table["commission"].tolist() == [0, 0.5]


def test_rollover_of_a_known_law():
    """The peak of 5,000 areas drawn from an inverse-gamma law is found within a tenth; few areas give none."""
    areas = stats.invgamma(1.4, scale=3000).rvs(5000, random_state=0)
    assert rollover(areas) == pytest.approx(3000 / 2.4, rel=0.1)
    assert np.isnan(rollover(areas[:5]))


def test_size_frequency_is_a_density():
    """Densities times bin widths add up to 1, and a uniform law has a flat curve."""
    areas = np.random.default_rng(0).uniform(100, 10_000, 20_000)
    table = size_frequency(areas)
    assert table["count"].sum() == 20_000
    inner = table[(table["area_m2"] > 130) & (table["area_m2"] < 9000)]
    assert inner["density"].to_numpy() == pytest.approx(1 / 9900, rel=0.3)
    assert len(size_frequency(np.zeros(0))) == 0


def test_statistics_by_hand():
    table = inventory_statistics({"a": _layer(box(0, 0, 10, 10), box(0, 50, 10, 80)), "none": _layer()}, 2.5)
    assert table.loc[0, ["count", "total_km2", "mean_m2", "largest_m2"]].tolist() == [2, 400e-6, 200, 300]
    assert table.loc[1, "count"] == 0 and np.isnan(table.loc[1, "mean_m2"])


def test_touching_landslides_by_hand():
    """Of four squares two are 2 m apart and one is 8 m from them: a mask of 2.5 m merges one, a mask of 10 m two, the far one none."""
    squares = _layer(box(0, 0, 10, 10), box(12, 0, 22, 10), box(30, 0, 40, 10), box(500, 0, 510, 10))
    assert [count_touching(squares, pixel) for pixel in (1.0, 2.5, 10.0)] == [0, 1, 2]
    assert count_touching(squares.iloc[:0], 1.0) == 0
