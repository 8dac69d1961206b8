"""Shapley values: they add up for every model of the book, and are refused when they do not."""

from itertools import combinations
from math import comb
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import shap
import torch
import xarray as xr
import xgboost
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from torch import nn

from lsa_helpers.cnn import window_network
from lsa_helpers.explain import (
    AdditivityError,
    check_sum,
    factor_shapley,
    pick_background,
    pick_samples,
    round_thresholds,
)
from lsa_helpers.samples import coded_groups, factor_coder
from lsa_helpers.show import explain as show


def _windows(n: int, channels: int, size: int, seed: int = 0) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.normal(size=(n, channels, size, size)).astype(np.float32))


def _deep_shap(network, background, windows) -> tuple[np.ndarray, float, np.ndarray]:
    """Values summed over the window, base and logits, as chapter 07 takes them."""
    explainer = shap.DeepExplainer(network, background)
    values = explainer.shap_values(windows, check_additivity=False)[..., 0].sum(axis=(2, 3))
    with torch.inference_mode():
        return values, float(explainer.expected_value[0]), network(windows)[:, 0].numpy()


@pytest.mark.parametrize("size", [1, 7, 15])
@pytest.mark.known_by("an identity", "Deep SHAP")
def test_deep_shap_adds_up_for_the_networks_of_chapter_5(size):
    """Batch norm with its own statistics included; the network itself is not touched."""
    torch.manual_seed(0)
    network = window_network(4, size)
    network(2 * _windows(64, 4, size))
    network.eval()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    explained = _deep_shap(network, _windows(16, 4, size, seed=1), _windows(5, 4, size, seed=2))
    check_sum(*explained, tolerance=1e-4)
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())


@pytest.mark.known_by("an identity", "TreeSHAP")
def test_a_threshold_between_neighbouring_numbers_sends_no_cell_the_other_way():
    """1000.0001 and the next number of 32 bits: their middle rounds up to the larger one."""
    lower = np.nextafter(np.float32(1000), np.float32(np.inf))
    upper = np.nextafter(lower, np.float32(np.inf))
    rows, labels = np.array([[lower], [upper]] * 10), [0, 1] * 10
    forest = RandomForestClassifier(5, bootstrap=False, random_state=0).fit(rows, labels)
    output = forest.predict_proba(rows)[:, 1]
    assert output.tolist() == labels

    explainer = shap.TreeExplainer(forest, rows[:7])
    plain = explainer.shap_values(rows, check_additivity=False)[..., 1]
    with pytest.raises(AdditivityError):  # when shap mends it, round_thresholds can go
        check_sum(plain, explainer.expected_value[1], output, tolerance=1e-5)
    round_thresholds(explainer)
    values = explainer.shap_values(rows, check_additivity=False)[..., 1]
    check_sum(values, explainer.expected_value[1], output, tolerance=1e-5)


def test_thresholds_are_the_largest_numbers_of_32_bits_that_are_not_above():
    """1/2 is such a number; the nearest one to 0.1 lies above it, that to 0.3 below."""
    exact = np.array([0.5, 0.1, 0.3, -0.1, 2.0**24 + 1])
    explainer = SimpleNamespace(model=SimpleNamespace(thresholds=exact))
    round_thresholds(explainer)
    rounded = explainer.model.thresholds
    assert rounded.dtype == np.float64 and (rounded.astype(np.float32) == rounded).all()
    above = np.nextafter(rounded.astype(np.float32), np.float32(np.inf))
    assert (rounded <= exact).all() and (above > exact).all()
    assert rounded[0] == 0.5 and rounded[4] == 2**24


class _FunctionalRelu(nn.Module):
    """A network whose activation is a plain function, which Deep SHAP does not see."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 16, 3), nn.Conv2d(16, 1, 1)

    def forward(self, x):
        return self.last(nn.functional.relu(self.first(x))).flatten(1)


def test_values_that_do_not_add_up_are_refused():
    torch.manual_seed(0)
    windows = 3 * _windows(5, 3, 3, seed=1)
    explained = _deep_shap(_FunctionalRelu().eval(), _windows(8, 3, 3), windows)
    with pytest.raises(AdditivityError):
        check_sum(*explained, tolerance=1e-3)


def test_check_sum_names_the_gap():
    check_sum(np.array([[1.0, 2.0]]), 0.5, np.array([3.5]), 1e-9)
    with pytest.raises(AdditivityError, match=r"by up to 0.25 \(allowed: 0.001\)"):
        check_sum(np.array([[1.0, 2.0]]), 0.5, np.array([3.75]), 1e-3)
    with pytest.raises(AdditivityError):
        check_sum(np.array([[3.0]] * 99 + [[4.0]]), 0.0, np.full(100, 3.0), 0.1)  # one in a hundred
    with pytest.raises(AdditivityError):
        check_sum(np.array([[np.nan, 2.0]]), 0.5, np.array([3.75]), 1e-3)


def _enumerated(output, rows, background, groups):
    """Shapley values by all coalitions, from the definition."""
    names = list(dict.fromkeys(groups))
    columns = np.array(groups)
    worth = {}
    for size in range(len(names) + 1):
        for inside in combinations(names, size):
            present = np.isin(columns, inside)
            mixed = np.repeat(background[None], len(rows), axis=0)
            mixed[:, :, present] = rows[:, None, present]
            flat = output(mixed.reshape(-1, *rows.shape[1:]))
            worth[frozenset(inside)] = flat.reshape(len(rows), -1).mean(axis=1)
    values = np.zeros((len(rows), len(names)))
    for place, name in enumerate(names):
        for inside, before in worth.items():
            if name not in inside:
                share = 1 / (len(names) * comb(len(names) - 1, len(inside)))
                values[:, place] += share * (worth[inside | {name}] - before)
    return values


def _network_output(network):
    def output(windows):
        with torch.inference_mode():
            return network(torch.from_numpy(windows))[:, 0].double().numpy()

    return output


@pytest.mark.known_by("all coalitions", "Shapley values of factors")
def test_factor_values_of_a_network_are_those_of_all_coalitions():
    """Five factors of eight columns: within three standard errors, and no slope of its own."""
    torch.manual_seed(1)
    network = window_network(8, 7)
    network(2 * _windows(64, 8, 7))
    output = _network_output(network.eval())
    rows, background = _windows(20, 8, 7, 2).numpy(), _windows(48, 8, 7, 3).numpy()
    groups = ["a", "a", "b", "c", "c", "c", "d", "e"]
    exact = _enumerated(output, rows, background, groups)
    values, base, error = factor_shapley(output, rows, background, groups, seed=0)
    assert list(values) == ["a", "b", "c", "d", "e"]
    check_sum(values.to_numpy(), base, output(rows), 1e-6)
    gap = np.abs(values.to_numpy() - exact)
    assert (gap < 3 * error.to_numpy()).mean() > 0.99
    assert np.sqrt((gap**2).mean()) < 0.15 * exact.std()
    assert abs(np.polyfit(exact.ravel(), values.to_numpy().ravel(), 1)[0] - 1) < 0.05


@pytest.mark.known_by("shap", "Shapley values of factors")
def test_factor_values_equal_those_of_shap():
    """shap's exact explainer over single columns, on the same background."""
    rng = np.random.default_rng(0)
    rows, background = rng.normal(size=(6, 4)), rng.normal(size=(200, 4))

    def output(x):
        return x[:, 0] * x[:, 1] + np.maximum(x[:, 2], x[:, 0]) - x[:, 3] ** 2

    exact = shap.explainers.Exact(output, shap.maskers.Independent(background, max_samples=200))
    exact = exact(rows)
    values, base, error = factor_shapley(output, rows, background, list("abcd"), seed=1)
    assert base == pytest.approx(exact.base_values[0])
    assert (np.abs(values.to_numpy() - exact.values) < 3 * error.to_numpy() + 1e-12).all()
    np.testing.assert_allclose(values.to_numpy(), exact.values, atol=0.1)
    np.testing.assert_allclose(values["d"], exact.values[:, 3])  # alone: no order matters


@pytest.fixture(scope="module")
def samples() -> pd.DataFrame:
    """Rows whose label depends on slope and aspect."""
    rng = np.random.default_rng(0)
    slope, aspect = rng.uniform(0, 60, 300), rng.uniform(0, 360, 300)
    label = (slope + 20 * np.cos(np.deg2rad(aspect)) > 30).astype(int)
    return pd.DataFrame({"slope": slope, "aspect": aspect, "label": label})


@pytest.fixture(scope="module")
def coder():
    """Codes them: a z-score, a sine and a cosine."""
    factors = xr.Dataset({"slope": ("x", [0.0]), "aspect": ("x", [0.0])})
    factors["slope"].attrs["kind"], factors["aspect"].attrs["kind"] = "continuous", "circular"
    return factor_coder(factors)


def test_tree_shap_of_a_pipelines_forest_adds_up_to_its_probability(samples, coder):
    forest = RandomForestClassifier(20, random_state=0)
    pipeline = make_pipeline(coder, forest).fit(samples, samples["label"])
    rows = pipeline[0].transform(samples[:20]).astype(np.float32)
    explainer = shap.TreeExplainer(pipeline[-1])
    values, base = explainer.shap_values(rows)[..., 1], explainer.expected_value[1]
    check_sum(values, base, pipeline.predict_proba(samples[:20])[:, 1], 1e-6)
    to_factor = pd.get_dummies(coded_groups(pipeline[0]), dtype=float)[pipeline[0].factors]
    assert to_factor.to_numpy().tolist() == [[1, 0], [0, 1], [0, 1]]
    check_sum(values @ to_factor.to_numpy(), base, forest.predict_proba(rows)[:, 1], 1e-6)


@pytest.mark.known_by("xgboost", "TreeSHAP")
def test_tree_shap_of_xgboost_equals_its_own_contributions(samples, coder):
    trees = xgboost.XGBClassifier(n_estimators=20, max_depth=3, n_jobs=1)
    pipeline = make_pipeline(coder, trees).fit(samples, samples["label"])
    rows = pipeline[0].transform(samples[:20]).astype(np.float32)
    explainer = shap.TreeExplainer(pipeline[-1])
    values, base = explainer.shap_values(rows), float(explainer.expected_value)
    outside = trees.get_booster().predict(xgboost.DMatrix(rows), pred_contribs=True)
    assert np.allclose(values, outside[:, :-1], atol=1e-4)
    assert base == pytest.approx(outside[0, -1], abs=1e-4)
    check_sum(values, base, trees.predict(rows, output_margin=True), 1e-4)


def test_picked_samples_are_balanced_and_seeded():
    samples = pd.DataFrame({"label": [1] * 30 + [0] * 170, "x": range(200)})
    chosen = pick_samples(samples, n_explain=50, seed=3)
    assert chosen["label"].sum() == 25 and len(chosen) == 50 and chosen.index.is_unique
    assert chosen.equals(pick_samples(samples, n_explain=50, seed=3))
    few = pick_samples(samples, n_explain=100, seed=0)
    assert few["label"].sum() == 30 and len(few) == 100


def test_the_background_is_of_known_cells_or_of_the_places_given(sampled):
    factors, table = sampled
    drawn = pick_background(factors, n=50, seed=1)
    assert len(drawn) == 50 and drawn.notna().all().all()
    assert drawn.equals(pick_background(factors, n=50, seed=1))
    corner = {"x": factors.x.values[[0, 50]], "y": factors.y.values[[0, 40]]}  # the first: unknown
    given = pick_background(factors, n=5, seed=0, places=corner)
    assert given[["x", "y"]].values.tolist() == [[corner["x"][1], corner["y"][1]]]
    assert given["slope"][0] == factors["slope"].values[40, 50]


def test_labels_of_factors():
    attrs = {"long_name": "Slope angle", "units": "degree"}
    factors = xr.Dataset({"slope": ("x", [1.0], attrs), "my_index": ("x", [1.0])})
    assert show.label(factors["slope"]) == "Slope angle"
    assert show.label(factors["slope"], unit=True) == "Slope angle (degree)"
    assert show.label(factors["my_index"], unit=True) == "My index"


def test_the_true_share_is_of_the_same_factors_as_the_bars():
    """Half and half among the two factors of the models, whatever else acts in the truth."""
    names = ["slope", "twi"]
    factors = xr.Dataset({name: ("x", [1.0]) for name in names})
    table = pd.DataFrame({"model": "rf", "factor": names, "mean_abs_shap": [3.0, 1.0]})
    truth = pd.Series({"twi": 1.0, "hidden": 2.0, "slope": 1.0})
    (ax,) = show.importance_bars(table, factors, truth).axes
    assert [bar.get_width() for bar in ax.patches] == [25, 75]
    (marks,) = ax.lines
    assert marks.get_xdata().tolist() == [50, 50]
