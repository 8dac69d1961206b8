"""Odds, reliability and the likeness of errors, by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsa_helpers import validation

SHARES = st.floats(0.01, 0.99)


@pytest.mark.parametrize(
    ("probability", "sample_share", "prevalence", "expected"),
    [
        (0.8, 0.5, 0.01, 4 / 103),  # odds of 4 become 4 / 99
        (0.2, 0.2, 0.5, 0.5),  # the odds of the sample itself become even
        (0.5, 0.75, 0.25, 0.1),  # odds of 1 become 1 / 9
        (0.3, 0.4, 0.4, 0.3),  # as rare on the land as among the samples: nothing to correct
    ],
)
def test_odds_are_shifted_by_hand(probability, sample_share, prevalence, expected):
    shifted = validation.shift_odds(np.float32([0, probability, 1]), sample_share, prevalence)
    assert shifted.tolist() == pytest.approx([0, expected, 1], rel=1e-6)
    assert shifted.dtype == np.float64


@given(st.floats(0.001, 0.999), SHARES, SHARES)
def test_shifted_odds_come_back(probability, sample_share, prevalence):
    there = validation.shift_odds(probability, sample_share, prevalence)
    assert validation.shift_odds(there, prevalence, sample_share) == pytest.approx(probability)


def test_reliability_by_hand():
    """A value on an edge belongs to the class above; the class from 0.4 to 0.6 is empty; the truth
    may be a probability.
    """
    predicted = [[0.1, 0.2, 0.3], [0.6, 0.9, 0.3]]
    observed = [[0, 1, 0], [1, 1, 0.5]]
    table = validation.reliability(predicted, observed, [0, 0.2, 0.4, 0.6, 1])
    expected = pd.DataFrame(
        {"predicted": [0.1, 0.8 / 3, 0.75], "observed": [0, 0.5, 1], "n": [1, 3, 2]}
    )
    pd.testing.assert_frame_equal(table, expected, check_dtype=False)


# Three places in a triangle with sides 3, 4 and 5 m. Their residuals have mean 10 and variance 2,
# so that the pairs' products are 1/2 (5 m apart), -1 (3 m) and -1 (4 m).
TRIANGLE = np.array([[0.0, 0.0], [3.0, 4.0], [3.0, 0.0]])
RESIDUAL = [11, 11, 8]


def test_the_correlation_of_residuals_by_hand():
    """Classes of 2.5 m: none under 2.5, two pairs under 5, one at 5."""
    table = validation.correlogram(TRIANGLE, RESIDUAL, step_m=2.5)
    expected = pd.DataFrame({"distance": [3.5, 5], "correlation": [-1, 0.5], "pairs": [2, 1]})
    pd.testing.assert_frame_equal(table, expected, check_dtype=False)


def test_pairs_beyond_the_last_class_are_left_out():
    """The end of the last class is not in it: 5 m after two classes of 2.5 m, 20 m after the twenty
    of 1 m that are the default.
    """
    near = validation.correlogram(TRIANGLE, RESIDUAL, step_m=2.5, n_steps=2)
    assert near[["distance", "pairs"]].to_numpy().tolist() == [[3.5, 2]]
    line = np.array([[0, 0], [19.5, 0], [39.5, 0]])
    assert validation.correlogram(line, RESIDUAL, step_m=1)["distance"].tolist() == [19.5]


def falling(farthest: float, scale: float = 200.0) -> pd.DataFrame:
    """Correlations that fall exponentially, every 100 m."""
    distance = np.arange(50.0, farthest + 1, 100)
    correlation = 0.4 * np.exp(-distance / scale)
    return pd.DataFrame({"distance": distance, "correlation": correlation, "pairs": 10})


def test_the_range_is_three_times_the_scale():
    assert validation.residual_range(falling(2050)) == pytest.approx(600, rel=1e-3)
    assert validation.residual_range(falling(650)) == pytest.approx(600, rel=1e-3)
    assert validation.residual_range(falling(550)) == np.inf


def test_the_range_is_that_of_most_pairs():
    table = falling(2050)
    table.loc[3, "correlation"] = 0.9
    table["pairs"] = np.where(table.index == 3, 1, 1_000_000)
    assert validation.residual_range(table) == pytest.approx(600, rel=1e-3)


def test_errors_that_are_not_alike_at_the_shortest_distance_have_no_range():
    table = falling(2050)
    table.loc[0, "correlation"] = 0
    assert validation.residual_range(table) == 0
    table.loc[:, "correlation"] = [0.4] + [-0.01] * (len(table) - 1)
    assert 0 < validation.residual_range(table) < 300


@pytest.mark.known_by("values by hand", "Parts of the Brier score")
def test_brier_parts_by_hand():
    """Two classes of two: 0.2 and 0.4 where one of two fails, 0.7 and 0.9 where both do. Mean of
    (0.04 + 0.36 + 0.09 + 0.01) is 0.125; classes miss by 0.2 each; 0.5 and 1 about 0.75.
    """
    parts = validation.brier_parts([0.2, 0.4, 0.7, 0.9], [0, 1, 1, 1], [0, 0.5])
    assert parts["brier"] == pytest.approx(0.125)
    assert parts["reliability"] == pytest.approx(0.04)
    assert parts["resolution"] == pytest.approx(0.0625)
    assert parts["uncertainty"] == pytest.approx(0.1875)
    assert parts["within"] == pytest.approx(-0.04)


@pytest.mark.known_by("values by hand", "Expected landslides")
def test_expected_landslides_by_hand():
    """Cells of 100 m (0.01 km²). Landslide 3 has three cells, one of them in the low class, and
    landslide 8 one: two cells a landslide. The sums of the classes are 0.3 and 2.4 cells.
    """
    probability = [0.1, 0.1, 0.1, 0.6, 0.6, 0.6, 0.6]
    number = [3, -1, -1, 3, 3, 8, -1]
    table = validation.expected_landslides(probability, number, [0, 0.5, 0.9], 100.0)
    assert table[["low", "high"]].to_numpy().tolist() == [[0, 0.5], [0.5, 0.9]]
    assert table["area_km2"].tolist() == pytest.approx([0.03, 0.04])
    assert table["expected_km2"].tolist() == pytest.approx([0.003, 0.024])
    assert table["true_km2"].tolist() == pytest.approx([0.01, 0.03])
    assert table["expected_n"].tolist() == pytest.approx([0.15, 1.2])
    assert table["true_n"].tolist() == pytest.approx([1 / 3, 5 / 3])
    # A Poisson law of mean 1.2: P(0) = 0.301 > 0.025; P(up to 3) = 0.966 < 0.975 < P(up to 4).
    assert table[["n_low", "n_high"]].iloc[1].tolist() == [0, 4]


def test_without_a_landslide_none_is_counted():
    table = validation.expected_landslides([0.1, 0.2], [-1, -1], [0], 10.0)
    assert table[["true_n", "expected_n"]].to_numpy().tolist() == [[0, 0]]
