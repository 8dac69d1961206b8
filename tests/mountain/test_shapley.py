"""Shapley values of the true log-odds: by hand, by their axioms, by shap, and as files."""

import json

import numpy as np
import pytest
import shap
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lsa_helpers.mountain import shapley, stability
from lsa_helpers.mountain.simulation import make_mountain
from lsa_helpers.raster import read_raster

# What the raw features of a mountain lie between.
RANGES = {
    "altitude": {"stand": (-3, 3)},
    "slope": {"slope": (0, 70), "around": (0, 60)},
    "aspect": {"south": (-1, 1)},
    "plan_curvature": {"curve": (-3, 3)},
    "twi": {"twi": (2, 15)},
    "distance_to_road": {"road": (0, 3000)},
    "distance_to_river": {"river": (0, 3000)},
    "distance_to_fault": {"fault": (0, 5000)},
    "lulc": {"roots": (0, 8), "no_soil": (0, 1)},
    "ndvi": {"ndvi": (0, 0.95)},
    "rainfall": {"rain": (500, 1300)},
    "lithology": {"cohesion": (8, 24), "friction": (33, 39)},
    "pga": {"pga": (0.1, 0.6)},
    "hidden": {"hidden": (-2, 2)},
}


def draw_features(unit: np.ndarray) -> stability.Features:
    """Features of cells from numbers between 0 and 1, shape (17, cells)."""
    rows = iter(unit)
    return {
        factor: {name: low + (high - low) * next(rows) for name, (low, high) in group.items()}
        for factor, group in RANGES.items()
    }


def test_two_players_by_hand():
    """Cut 2 and steepness 0.5 against cells (1, 0.2) and (3, 0.6): worth of nobody 1, of the cut
    alone 2 · 0.4 = 0.8, of the steepness alone 2 · 0.5 = 1, of both 1.
    """
    there = np.array([1.0, 3.0]), np.array([0.2, 0.6])
    cut, steep = shapley.two_player_values(np.array([2.0]), np.array([0.5]), *there)
    assert cut[0] == pytest.approx(((0.8 - 1) + (1 - 1)) / 2)
    assert steep[0] == pytest.approx(((1 - 1) + (1 - 0.8)) / 2)


def test_weights_of_three_players_by_hand():
    """1/3 for a player's own worth, 1/6 for each pair's, 1/3 for all."""
    members = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 1, 1], [1, 1, 1]], bool)
    first = shapley._coalition_weights(members)[0]
    np.testing.assert_allclose(first, [-1 / 3, 1 / 3, -1 / 6, 1 / 6, -1 / 3, 1 / 3])


@settings(max_examples=25, deadline=None)
@given(arrays(float, (17, 5), elements=st.floats(0, 1)))
def test_values_sum_to_the_log_odds_less_their_mean(unit):
    """Efficiency, for two cells against three; a factor that is the same everywhere is worth 0."""
    unit[11] = unit[11, 0]  # NDVI
    features = draw_features(unit)
    odds = stability.log_odds(features).astype(float)
    terms = stability.stability_terms(features)
    cells, background = (shapley.at_cells(terms, np.arange(*ends)) for ends in ((2,), (2, 5)))
    values = shapley.shapley_values(cells, background)
    expected = odds[:2] - odds[2:].mean()
    np.testing.assert_allclose(values.sum(axis="columns"), expected, atol=1e-4)
    assert list(values) == [*shapley.FACTORS, "hidden"]
    assert (values[["profile_curvature", "tri"]] == 0).all(axis=None)
    np.testing.assert_allclose(values["ndvi"], 0, atol=1e-9)


@pytest.mark.known_by("shap", "True Shapley values")
def test_values_are_those_of_shaps_exact_explainer():
    """All 2¹⁴ coalitions of the factors the truth uses and the hidden field; a column holds the
    number of the cell that a factor is taken from.
    """
    rng = np.random.default_rng(0)
    features = draw_features(rng.random((17, 6)))
    terms = stability.stability_terms(features)
    players = list(terms)

    def odds(numbers):
        mixed = {
            factor: {name: values[column.astype(int)] for name, values in features[factor].items()}
            for factor, column in zip(players, numbers.T, strict=True)
        }
        return stability.log_odds(mixed).astype(float)

    numbers = np.tile(np.arange(6.0)[:, None], len(players))
    explainer = shap.explainers.Exact(odds, shap.maskers.Independent(numbers[2:]))
    cells, background = (shapley.at_cells(terms, np.arange(*ends)) for ends in ((2,), (2, 6)))
    values = shapley.shapley_values(cells, background)
    np.testing.assert_allclose(values[players], explainer(numbers[:2]).values, atol=1e-4)


@pytest.fixture(scope="module")
def terms():
    """Of the world's mountain."""
    layers = make_mountain(3.0, 2.0, 3).layers
    return stability.stability_terms(stability.stability_features(layers, 3))


@pytest.mark.known_by("an identity", "Map of true Shapley values")
def test_the_map_holds_the_exact_values(world, terms):
    """At 20 cells, within what 100 pairs of orders leave open."""
    written = read_raster(world / "truth" / "shapley.tif")
    assert list(written) == [*shapley.FACTORS, "hidden"]
    assert {band.attrs["units"] for band in written.values()} == {"log-odds"}
    cells = json.loads((world / "truth" / "background.json").read_text())
    shape = written["slope"].shape
    background = np.ravel_multi_index((cells["row"], cells["col"]), shape)
    np.testing.assert_array_equal(background, shapley.draw_background(shape, 3))
    np.testing.assert_array_equal(written.x.values[cells["col"]], cells["x"])
    some = np.random.default_rng(0).choice(written["slope"].size, 20, replace=False)
    exact = shapley.shapley_values(*(shapley.at_cells(terms, flat) for flat in (some, background)))
    error = exact - np.column_stack([band.values.flat[some] for band in written.values()])
    assert np.sqrt((error[list(shapley.CORE)] ** 2).mean(axis=None)) < 0.004
    np.testing.assert_allclose(error.sum(axis="columns"), 0, atol=1e-4)
    exact_games = ["distance_to_road", "distance_to_river", "hidden", "tri", "profile_curvature"]
    np.testing.assert_allclose(error[exact_games], 0, atol=1e-5)


def test_effects_are_recomputed_from_the_raster(world):
    """Mean absolute values, and shares of the variance, which add up to 1."""
    bands = (
        read_raster(world / "truth" / "shapley.tif").to_dataarray("factor").values.reshape(16, -1)
    )
    effects = json.loads((world / "truth" / "effects.json").read_text())
    names = [*shapley.FACTORS, "hidden"]
    mean_abs, shares = effects["mean_abs_shapley"], effects["covariance_share"]
    assert list(mean_abs) == list(shares) == names
    np.testing.assert_allclose(list(mean_abs.values()), np.abs(bands).mean(axis=1), atol=1e-4)
    covariance = np.cov(np.vstack([bands, bands.sum(axis=0)]))[-1]
    np.testing.assert_allclose(list(shares.values()), covariance[:-1] / covariance[-1], atol=1e-3)
    assert sum(shares.values()) == pytest.approx(1, abs=1e-3)
    assert mean_abs["tri"] == 0 and shares["hidden"] > 0.02
