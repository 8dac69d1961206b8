"""Slope units: two sides of a valley known by hand, a partition of the land, circular variance."""

import numpy as np
import pyflwdir
import pytest
import xrspatial
from scipy.ndimage import gaussian_filter, label

from lsa_helpers.factors.slope_units import (
    aspect_variance,
    border_pairs,
    half_basins,
    segmentation_scores,
    slope_units,
)
from lsa_helpers.factors.terrain import flow_directions, one_ring_wider
from lsa_helpers.raster import empty_grid, on_grid

CELL = 10.0


def on_cells(values: np.ndarray):
    """A raster of 10 m cells."""
    height, width = values.shape
    return on_grid(values, empty_grid((0, 0, width * CELL, height * CELL), 32648, CELL))


def aspect_of(dem):
    return on_grid(xrspatial.aspect(one_ring_wider(dem)).values[1:-1, 1:-1], dem)


def valley(height=20, width=21) -> np.ndarray:
    """Two planes that meet in a stream along the middle column, which falls to the south."""
    across = np.abs(np.arange(width) - width // 2)
    return 100.0 + 1.0 * across[None] + 0.1 * np.arange(height)[::-1, None]


def halves(altitude, threshold):
    flow = pyflwdir.from_array(flow_directions(altitude), ftype="d8", check_ftype=False)
    units = half_basins(flow, flow.upstream_area(unit="cell"), threshold)
    return units.reshape(altitude.shape)


def test_a_valley_has_two_sides():
    """Looking south, down the stream, its left side is the east; the stream itself counts to its
    right. The top row is left out: the stream goes on along one half of it, and both are as good.
    """
    found = halves(valley(), 60)[1:]
    assert len(np.unique(found)) == 2
    west, east = found[:, :10], found[:, 11:]
    assert len(np.unique(west)) == len(np.unique(east)) == 1
    assert (found[:, 10] == west[0, 0]).all()
    assert west[0, 0] < east[0, 0]  # of one reach, 2 · reach and 2 · reach + 1


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_sides_turn_with_the_land(turns):
    """Whatever way the stream runs, the same cells are one half basin."""
    turned = halves(np.rot90(valley(), turns), 60)
    np.testing.assert_array_equal(np.rot90(turned, -turns)[1:], halves(valley(), 60)[1:])


def test_a_stream_is_continued_to_the_divide():
    """The head of the valley, where no catchment reaches the threshold, has two sides too."""
    assert len(np.unique(halves(valley(), 300))) == 2


def test_a_roof_is_two_units():
    """A ridge down the middle: one unit looks west, one east, and no variance is left. Water that
    runs along the border of the data makes no unit of its own.
    """
    fall = 0.1 * np.arange(20)[:, None] - np.abs(np.arange(20) - 9.5)
    dem = on_cells(200 + fall)
    aspect = aspect_of(dem)
    units = slope_units(dem, aspect, threshold_m2=1e6, min_area_m2=5e3, max_variance=0.1).values
    assert units.max() == 2
    assert len(np.unique(units[:, :10])) == len(np.unique(units[:, 10:])) == 1
    assert units[0, 0] != units[0, -1]
    size, variance, mean = aspect_variance(units, aspect.values)
    assert size[1:].tolist() == [200, 200]
    assert variance[1:].max() < 0.001
    # the planes fall by 1 across and 0.1 to the north: 360° − atan(10) and atan(10)
    np.testing.assert_allclose(sorted(mean[1:]), [84.3, 275.7], atol=0.6)


@pytest.fixture(scope="module")
def rough():
    """Hills of 100 × 120 cells with a corner that is unknown, and their aspect."""
    noise = gaussian_filter(np.random.default_rng(1).standard_normal((100, 120)), 8)
    altitude = 1000 + 4000 * noise
    altitude[:30, :20] = np.nan
    return on_cells(altitude), aspect_of(on_cells(altitude))


SIZES = {"threshold_m2": 2e5, "min_area_m2": 1e4}


@pytest.mark.known_by("an identity", "Slope units part the land")
def test_units_part_the_land(rough):
    """Every known cell in exactly one unit, numbered without a hole; each hangs together and is at
    least half of the smallest area.
    """
    dem, aspect = rough
    units = slope_units(dem, aspect, **SIZES, max_variance=0.2).values
    np.testing.assert_array_equal(units > 0, np.isfinite(dem.values))
    numbers = np.unique(units[units > 0])
    np.testing.assert_array_equal(numbers, np.arange(1, len(numbers) + 1))
    for number in numbers:
        assert label(units == number, np.ones((3, 3)))[1] == 1
    assert np.bincount(units.ravel())[1:].min() * CELL**2 >= SIZES["min_area_m2"] / 2
    assert len(numbers) > 10


def test_half_basins_of_a_lower_threshold_lie_inside(rough):
    dem, _ = rough
    coarse, fine = (halves(dem.values, threshold)[np.isfinite(dem)] for threshold in (800, 200))
    pairs = np.unique(np.stack([coarse, fine]), axis=1)
    assert pairs.shape[1] == len(np.unique(fine)) > len(np.unique(coarse))


def test_less_variance_is_more_units(rough):
    """What is parted looks one way more than before."""
    dem, aspect = rough
    found = [slope_units(dem, aspect, **SIZES, max_variance=most).values for most in (1, 0.3, 0)]
    counts = [units.max() for units in found]
    within = [segmentation_scores(units, aspect.values)[0] for units in found]
    assert counts == sorted(set(counts))
    assert within == sorted(set(within), reverse=True)


def test_aspect_variance_by_hand():
    """Four ways cancel, three leave a third of a vector; flat and unknown do not count."""
    units = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 2])
    aspect = [0.0, 90, 180, 270, 0, 90, 180, 350, 10, -1]
    size, variance, mean = aspect_variance(units, np.array(aspect))
    assert size.tolist() == [4, 3, 3]
    np.testing.assert_allclose(variance, [1, 2 / 3, 1 - np.cos(np.deg2rad(10))], atol=1e-12)
    assert mean[1] == pytest.approx(90)
    assert np.cos(np.deg2rad(mean[2])) == pytest.approx(1)
    assert aspect_variance([0], [np.nan])[1].tolist() == [0]


def test_segmentation_scores_by_hand():
    """Three strips that look north, east and south: right angles between neighbours."""
    units = np.repeat([[1, 1, 2, 2, 3, 3]], 4, axis=0)
    aspect = np.repeat([[0.0, 0, 90, 90, 180, 180]], 4, axis=0)
    within, between = segmentation_scores(units, aspect)
    assert (within, between) == (pytest.approx(0), pytest.approx(0))
    opposite = np.where(units == 2, 180, 0.0)
    assert segmentation_scores(units, opposite)[1] == pytest.approx(-1)
    # one unit of eight cells with two ways (1 − √½), two of eight with one
    mixed = np.where(np.arange(4)[:, None] < 2, aspect, np.where(units == 1, 90, aspect))
    assert segmentation_scores(units, mixed)[0] == pytest.approx((1 - np.sqrt(0.5)) / 3)


def test_borders_by_hand():
    """Two rows of two cells: six pairs, two along rows, two along columns and two corners."""
    pairs = border_pairs(np.array([[1, 2], [3, 4]]))
    assert sorted(map(tuple, np.sort(pairs, axis=1))) == [
        *[(1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4)]
    ]
