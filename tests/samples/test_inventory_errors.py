"""Errors made on purpose in inventories of squares, whose areas are known by hand."""

import geopandas as gpd
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Point, box

from lsa_helpers.samples.inventory_errors import (
    add_lookalikes,
    merge_near,
    omit_by_size,
    shift_boundaries,
    shift_positions,
    wrong_areas,
)


def squares(*places) -> gpd.GeoDataFrame:
    """Squares from (left, bottom, edge), m."""
    shapes = [box(x, y, x + edge, y + edge) for x, y, edge in places]
    return gpd.GeoDataFrame({"id": range(len(shapes))}, geometry=shapes, crs=32648)


THREE = squares((0, 0, 300), (1000, 0, 100), (2000, 0, 200))


@pytest.mark.parametrize(
    ("share", "largest_first", "left"),
    [
        (0, False, [0, 1, 2]),
        (0.05, False, [0, 1, 2]),
        (1 / 14, False, [0, 2]),
        (5 / 14, False, [0]),
        (1, False, [0]),
        (0.6, True, [0, 1, 2]),
        (9 / 14, True, [1, 2]),
        (13 / 14, True, [1]),
        (1, True, [1]),
    ],
)
def test_landslides_are_left_out_by_size(share, largest_first, left):
    """Of 9, 1 and 4 parts of the area, from the small end or from the large one."""
    assert omit_by_size(THREE, share, largest_first)["id"].tolist() == left


def test_lookalikes_are_added_until_their_area_suffices():
    """A tenth of 140,000 m² is more than one of 10,000 m², so there are two; what touches a
    landslide is none of them.
    """
    others = squares((250, 0, 100), *((x, 5000, 100) for x in range(0, 4000, 1000)))
    wrong = add_lookalikes(THREE, others, 0.1, np.random.default_rng(0))
    assert len(wrong) == 5
    assert wrong_areas(wrong, THREE) == pytest.approx((0, 0.02))
    everything = add_lookalikes(THREE, others, 9, np.random.default_rng(0))
    assert wrong_areas(everything, THREE) == pytest.approx((0, 0.04))
    assert len(add_lookalikes(THREE, others, 0, np.random.default_rng(0))) == 3


def test_outlines_grow_and_shrink():
    """Inwards a square loses a frame; outwards it gains one with round corners."""
    missed, false = wrong_areas(shift_boundaries(THREE, -50), THREE)
    kept = 200**2 + 0 + 100**2  # the smallest vanishes
    assert len(shift_boundaries(THREE, -50)) == 2
    assert (missed, false) == pytest.approx(((140_000 - kept) / 1e6, 0), abs=1e-9)
    missed, false = wrong_areas(shift_boundaries(THREE, 10), THREE)
    grown = sum(4 * edge * 10 + np.pi * 100 for edge in (300, 100, 200))
    assert (missed, false) == pytest.approx((0, grown / 1e6), rel=1e-3)


def test_neighbours_become_one_hull():
    """Two squares 100 m apart fill the gap; a chain is one group; the far one stays."""
    row = squares((0, 0, 100), (200, 0, 100), (400, 0, 100), (2000, 0, 100))
    merged = merge_near(row, 100)
    assert sorted(merged.area) == [10_000, 50_000]
    assert wrong_areas(merged, row) == pytest.approx((0, 0.02))
    assert len(merge_near(row, 99)) == 4
    assert merge_near(row, 99).union_all().equals(row.union_all())


def test_touching_landslides_are_near():
    assert merge_near(squares((0, 0, 100), (100, 0, 100)), 0).area.tolist() == [20_000]


@given(distance=st.floats(0, 500), seed=st.integers(0, 99))
def test_positions_are_off_by_the_distance(distance, seed):
    """Each keeps its shape; each goes its own way, and the seed says which."""
    moved = shift_positions(THREE, distance, np.random.default_rng(seed))
    gaps = moved.centroid.distance(THREE.centroid)
    np.testing.assert_allclose(gaps, distance, atol=1e-6)
    np.testing.assert_allclose(moved.area, THREE.area)
    assert moved["id"].tolist() == THREE["id"].tolist()
    again = shift_positions(THREE, distance, np.random.default_rng(seed))
    assert again.geometry.equals(moved.geometry)
    if distance > 1:
        steps = moved.centroid.x - THREE.centroid.x
        assert steps.nunique() == 3


def test_points_can_be_moved_too():
    points = gpd.GeoDataFrame(geometry=[Point(0, 0), Point(50, 0)], crs=32648)
    moved = shift_positions(points, 100, np.random.default_rng(1))
    np.testing.assert_allclose(moved.distance(points), 100)


def test_wrong_areas_count_overlapping_landslides_once():
    """Two squares on the same ground are one square of land; half of it is true."""
    truth = squares((0, 0, 1000))
    twice = squares((500, 0, 1000), (500, 0, 1000))
    assert wrong_areas(twice, truth) == pytest.approx((0.5, 0.5))
    assert wrong_areas(truth, truth) == (0, 0)
