"""Inventories: pieces to polygons, sizes, errors by size, the sweep over scores."""

import geopandas as gpd
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from shapely import union_all
from shapely.geometry import Polygon, box

from lsa_helpers.detect.inventory import (
    count_touching,
    errors_by_size,
    inventory_statistics,
    merge_pieces,
    rollover,
    scene_sweep,
    size_frequency,
    together,
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
    assert (
        table.area_m2.tolist() == [10_000 - 400]
        and table.is_valid.all()
        and len(table.geometry[0].interiors) == 1
    )


def test_cracks_close_and_crumbs_go():
    """Two windows that disagree by a crack of 2 m give one landslide without a crack; a crumb of 9
    m² is dropped.
    """
    left, right = box(0, 0, 600, 1000), box(400, 0, 1000, 1000)
    one = box(300, 100, 600, 200)
    other = (box(400, 100, 800, 200) - box(599, 120, 603, 180)).union(box(900, 900, 903, 903))
    table = merge_pieces(
        [_piece(one, 0.7, left), _piece(other, 0.8, right)], CRS, min_area_m2=20, close_m=5
    )
    assert len(table) == 1 and table.score[0] == 0.8 and table.windows[0] == 2
    assert table.area_m2[0] == pytest.approx(500 * 100)


def test_an_outline_of_one_pixel_corners_survives_closing():
    """Closing with a pixel neither rounds nor moves a blocky outline."""
    shape = Polygon([(0, 0), (40, 0), (40, 10), (20, 10), (20, 30), (0, 30)])
    assert merge_pieces([_piece(shape)], CRS, close_m=2.5).geometry[0].equals(shape)


LEFT, RIGHT, LAST = box(0, 0, 600, 1000), box(400, 0, 1000, 1000), box(800, 0, 1400, 1000)


def test_a_landslide_goes_on_where_the_next_window_is_less_sure():
    """Three windows see a band of 100 m; only the first is sure, but each agrees with its neighbour
    on the ground both saw.
    """
    pieces = [
        _piece(box(300, 0, 600, 100), 0.9, LEFT),
        _piece(box(400, 0, 1000, 100), 0.2, RIGHT),
        _piece(box(800, 0, 1100, 100), 0.1, LAST),
    ]
    table = merge_pieces(pieces, CRS, min_score=0.7)
    assert table.area_m2.tolist() == [800 * 100] and table.windows[0] == 3 and table.score[0] == 0.9
    assert scene_sweep(pieces, _layer(SEEN), CRS).set_index("score").loc[
        0.7, "detected_km2"
    ] == pytest.approx(0.08)


def test_landslides_that_share_half_are_one_though_their_pieces_are_not():
    """A doubtful piece takes the first landslide onto ground where a second look is sure of
    another: pair by pair they share too little.
    """
    pieces = [
        _piece(box(300, 0, 600, 100), 0.9, LEFT),
        _piece(box(400, 0, 1000, 100), 0.2, RIGHT),
        _piece(box(700, 0, 1000, 50), 0.8, box(350, -300, 1350, 700)),
    ]
    assert together(pieces, 0.7).tolist() == [0, 0, 1]
    table = merge_pieces(pieces, CRS, min_score=0.7)
    assert table.area_m2.tolist() == [700 * 100] and table.windows[0] == 3 and table.score[0] == 0.9
    apart = merge_pieces(
        [*pieces[:2], _piece(box(900, 0, 1150, 100), 0.8, box(350, -300, 1350, 700))],
        CRS,
        min_score=0.7,
    )
    # Two fifths of the smaller are shared: they stay two, and the ground is the surer one's.
    assert (
        apart.area_m2.tolist() == [700 * 100, 150 * 100]
        and apart.geometry[0].intersection(apart.geometry[1]).area == 0
    )


@pytest.mark.parametrize(
    ("doubtful", "window", "why"),
    [
        (box(250, 0, 600, 200), LEFT, "it is another look of the same window"),
        (box(400, 0, 600, 110), RIGHT, "it does not go on beyond the sure one's window"),
        (box(400, 0, 900, 300), RIGHT, "on common ground it covers three times as much"),
        (box(700, 0, 900, 100), RIGHT, "it does not touch it"),
    ],
)
def test_what_is_doubtful_does_not_join(doubtful, window, why):
    sure = _piece(box(300, 0, 600, 100), 0.9, LEFT)
    assert together([sure, _piece(doubtful, 0.2, window)], 0.7).tolist() == [0, -1], why
    assert len(merge_pieces([_piece(doubtful, 0.2, window)], CRS, min_score=0.7)) == 0


@st.composite
def _pieces(draw):
    """Up to nine rectangles seen in one of two windows, scores in tenths."""
    corner = st.tuples(
        *[st.integers(0, 9)] * 2,
        st.integers(1, 6),
        st.integers(1, 4),
        st.integers(1, 9),
        st.sampled_from([0, 4]),
    )
    pieces = []
    for x, y, width, height, tenths, left in draw(st.lists(corner, max_size=9)):
        window = box(left, 0, left + 8, 12)
        if (shape := box(x, y, x + width, y + height).intersection(window)).area:
            pieces.append(_piece(shape, tenths / 10, window))
    return pieces


@given(_pieces(), st.sampled_from([0.0, 0.3, 0.6]))
def test_no_ground_counts_twice_and_none_is_lost(pieces, threshold):
    """The areas of the landslides add up to the ground that their pieces cover."""
    table = merge_pieces(pieces, CRS, min_score=threshold)
    covered = union_all(
        [
            piece["geometry"]
            for piece, own in zip(pieces, together(pieces, threshold), strict=True)
            if own >= 0
        ]
    )
    assert (
        table.area_m2.sum() == pytest.approx(covered.area)
        and table.union_all().symmetric_difference(covered).area < 1e-6
    )
    assert (
        table.is_valid.all() and (table.area_m2 > 0).all() and table.score.is_monotonic_decreasing
    )


@given(_pieces())
def test_the_map_shrinks_as_the_threshold_rises(pieces):
    """At any threshold the map holds what scores so much, and nothing that a lower threshold leaves
    out.
    """
    kept = [together(pieces, threshold) >= 0 for threshold in (0.0, 0.3, 0.6, 0.9)]
    for threshold, low, high in zip((0.3, 0.6, 0.9), kept, kept[1:], strict=False):
        assert (low | ~high).all() and all(
            kept or piece["score"] < threshold for kept, piece in zip(high, pieces, strict=True)
        )
    assert kept[0].all()


def test_no_pieces_give_an_empty_table():
    table = merge_pieces([], CRS)
    assert (
        len(table) == 0
        and list(table.columns) == ["id", "score", "area_m2", "windows", "geometry"]
        and table.crs == CRS
    )


def test_scene_sweep_by_hand():
    """At 0.5 and below 100 of 200 m² said are true of 400; above 0.5 only the right one is left;
    above 0.9 nothing.
    """
    pieces = [_piece(box(0, 0, 10, 10), 0.9), _piece(box(500, 500, 510, 510), 0.5)]
    table = scene_sweep(pieces, _layer(box(0, 0, 20, 20)), CRS).set_index("score")
    assert table.loc[0.5, ["precision", "recall", "iou"]].tolist() == pytest.approx(
        [0.5, 0.25, 100 / 500]
    )
    assert table.loc[0.55, "precision"] == 1 and table.loc[0.55, "f1"] == pytest.approx(
        2 * 100 / 500
    )
    assert np.isnan(table.loc[0.95, "precision"]) and table.loc[0.95, "recall"] == 0


def test_errors_by_size_by_hand():
    """Of two small known landslides one is missed; the large detection is false, the small one
    true.
    """
    known = _layer(box(0, 0, 20, 20), box(100, 0, 120, 20), box(200, 0, 300, 100))
    detected = _layer(box(0, 0, 20, 20), box(200, 0, 300, 60), box(500, 500, 600, 600))
    table = errors_by_size(detected, known, (0, 500, np.inf))
    assert table["known"].tolist() == [2, 1] and table["omission"].tolist() == [0.5, 0]
    assert table["detected"].tolist() == [1, 2] and table["commission"].tolist() == [0, 0.5]


def test_rollover_of_a_known_law():
    """The peak of 5,000 areas drawn from an inverse-gamma law is found within a tenth; few areas
    give none.
    """
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
    table = inventory_statistics(
        {"a": _layer(box(0, 0, 10, 10), box(0, 50, 10, 80)), "none": _layer()}, 2.5
    )
    assert table.loc[0, ["count", "total_km2", "mean_m2", "largest_m2"]].tolist() == [
        2,
        400e-6,
        200,
        300,
    ]
    assert table.loc[1, "count"] == 0 and np.isnan(table.loc[1, "mean_m2"])


def test_touching_landslides_by_hand():
    """Of four squares two are 2 m apart and one is 8 m from them: a mask of 2.5 m merges one, a
    mask of 10 m two, the far one none.
    """
    squares = _layer(
        box(0, 0, 10, 10), box(12, 0, 22, 10), box(30, 0, 40, 10), box(500, 0, 510, 10)
    )
    assert [count_touching(squares, pixel) for pixel in (1.0, 2.5, 10.0)] == [0, 1, 2]
    assert count_touching(squares.iloc[:0], 1.0) == 0
