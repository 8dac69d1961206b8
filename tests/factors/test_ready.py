"""Ready-made factors held against the DEM's: where the doubt begins, by hand."""

import warnings

import numpy as np
import pytest

from lsa_helpers.errors import InputDoubt
from lsa_helpers.factors.ready import doubt_ready


def is_doubted(name, values, own, cell=10.0) -> bool:
    """Whether a factor is doubted; the doubt has to name the file and what was found."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        doubt_ready(name, values, lambda: np.asarray(own, float), cell, "ready.tif")
    doubts = [str(warning.message) for warning in caught]
    assert all(warning.category is InputDoubt for warning in caught) and len(doubts) < 2
    assert all(text.startswith(f"ready.tif: the ready-made {name} does") for text in doubts)
    assert all("Found: " in text and "None" not in text for text in doubts)
    return bool(doubts)


@pytest.mark.parametrize(("farthest", "doubted"), [(9.9, True), (10, False), (300, False)])
def test_a_distance_reaches_farther_than_a_cell(farthest, doubted):
    """Kilometres called metres do not, in cells of 10 m."""
    assert is_doubted("distance_to_road", [[0, np.nan, farthest]], None) == doubted
    assert not is_doubted("depth", [[0, np.nan, farthest]], None)


@pytest.mark.parametrize(
    ("values", "own", "doubted"),
    [
        ([[350, 10, 180]], [[30, 330, 180]], False),  # turned by 40°, 40° and 0°, across north
        ([[350, 10, 180]], [[40, 320, 180]], True),  # by 50°, 50° and 0°
        ([[10, 20]], [[325, 335]], False),  # 45° across north
        ([[0, 0, 90]], [[90, 90, 90]], True),  # 0 is north, not flat
        ([[90, 90, 90]], [[0, 0, 90]], True),
        ([[45, 90]], [[0, 45]], False),  # by 45°, the most that is believed
        ([[0, 90, 180]], [[180, 270, 0]], True),  # the slope upwards instead of downwards
        ([[-1, -1, 90]], [[270, 270, 90]], False),  # flat ground is not turned
        ([[270, 270, 90]], [[-1, -1, 90]], False),
        ([[-1, np.nan]], [[90, 90]], False),  # nothing to compare
    ],
)
def test_half_of_the_slopes_face_where_the_dem_has_them(values, own, doubted):
    assert is_doubted("aspect", values, own) == doubted


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("altitude", 1.5),
        ("slope", 1.7),
        ("tri", 8),
        ("plan_curvature", 20),
        ("profile_curvature", 20),
    ],
)
def test_the_median_is_not_many_times_that_of_the_dem(name, most):
    """Up to `most` times larger or smaller is believed; signs and gaps do not count, and flat
    ground has nothing to compare with.
    """
    own = [[0.5, -2.0, 7.0, np.nan]]
    for times, doubted in (
        (most, False),
        (1 / most, False),
        (1.1 * most, True),
        (0.9 / most, True),
    ):
        assert is_doubted(name, [[-2 * times, 0, np.nan, 99 * times]], own) == doubted
    assert not is_doubted(name, [[5, 5]], [[0, 0]])
    assert not is_doubted("ndvi", [[500, 500]], [[1, 1]])
