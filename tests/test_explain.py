"""Shapley values: closed forms, exact enumeration, and the refusal of values that do not add up."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lsa_helpers import explain
from lsa_helpers.dense import window_network


def _windows(n: int, channels: int, size: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, channels, size, size)).astype(np.float32)


def test_deep_shap_of_a_linear_net_is_weight_times_difference():
    """φ_c = Σ w (x − mean background) over the window."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 1, 5), nn.Flatten())
    background, windows = _windows(8, 3, 5), _windows(6, 3, 5, seed=1)
    values, base = explain.deep_shap(net, background, windows, tolerance=1e-5)
    weight = net[0].weight.detach().numpy()[0]
    assert np.allclose(
        values, (weight * (windows - background.mean(0))).sum(axis=(2, 3)), atol=1e-5
    )
    assert base == pytest.approx(
        float((weight * background.mean(0)).sum() + net[0].bias.item()), abs=1e-5
    )


def test_deep_shap_equals_exact_shapley_where_every_unit_sees_one_factor():
    """A sum of non-linear functions of one channel each: the exact values, over all orders, are the
    rescale rule's.
    """
    torch.manual_seed(1)
    net = nn.Sequential(nn.Conv2d(3, 6, 1, groups=3), nn.ReLU(), nn.Conv2d(6, 1, 1), nn.Flatten())
    background, windows = _windows(1, 3, 1), _windows(4, 3, 1, seed=2)
    values, _ = explain.deep_shap(net, background, windows, tolerance=1e-5)
    for window, found in zip(windows, values, strict=True):
        assert np.allclose(found, _exact_shapley(net, background[0], window), atol=1e-5)


def _exact_shapley(net, background, window) -> np.ndarray:
    """Enumeration of all coalitions of channels."""
    n = len(window)

    def value(coalition):
        mixed = background.copy()
        mixed[list(coalition)] = window[list(coalition)]
        with torch.no_grad():
            return net(torch.from_numpy(mixed[None]))[0, 0].item()

    found = np.zeros(n)
    for player in range(n):
        others = [other for other in range(n) if other != player]
        for size in range(n):
            weight = math.factorial(size) * math.factorial(n - size - 1) / math.factorial(n)
            for coalition in itertools.combinations(others, size):
                found[player] += weight * (value((*coalition, player)) - value(coalition))
    return found


def test_deep_shap_adds_up_for_the_networks_of_chapter_4():
    """Every window size the book offers, batch norm with its own statistics included; the network
    itself is not touched.
    """
    for size in (1, 7, 15):
        torch.manual_seed(0)
        net = window_network(4, size)
        net(torch.from_numpy(_windows(64, 4, size) * 2))
        net.eval()
        before = {key: value.clone() for key, value in net.state_dict().items()}
        values, base = explain.deep_shap(
            net,
            _windows(16, 4, size, seed=1),
            windows := _windows(5, 4, size, seed=2),
            tolerance=1e-4,
        )
        with torch.no_grad():
            assert np.allclose(
                values.sum(1) + base, net(torch.from_numpy(windows))[:, 0].numpy(), atol=1e-4
            )
        assert all(torch.equal(before[key], value) for key, value in net.state_dict().items())
        assert not any(module._forward_hooks for module in net.modules())


class _FunctionalRelu(nn.Module):
    """A network whose activation is a plain function, which Deep SHAP does not see."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 16, 3), nn.Conv2d(16, 1, 1)

    def forward(self, x):
        return self.last(nn.functional.relu(self.first(x))).flatten(1)


def test_values_that_do_not_add_up_are_refused():
    torch.manual_seed(0)
    with pytest.raises(explain.AdditivityError):
        explain.deep_shap(
            _FunctionalRelu(), _windows(8, 3, 3), _windows(5, 3, 3, seed=1) * 3, tolerance=1e-3
        )


def test_a_module_used_twice_is_refused():
    relu = nn.ReLU()
    net = nn.Sequential(
        nn.Conv2d(3, 8, 1), relu, nn.Conv2d(8, 8, 1), relu, nn.Conv2d(8, 1, 3), nn.Flatten()
    )
    with pytest.raises(explain.AdditivityError):
        explain.deep_shap(net, _windows(8, 3, 3), _windows(5, 3, 3, seed=1) * 3, tolerance=1e-3)


def test_check_sum_names_the_gap():
    explain.check_sum(np.array([[1.0, 2.0]]), 0.5, np.array([3.5]), 1e-9)
    with pytest.raises(explain.AdditivityError, match="0.25"):
        explain.check_sum(np.array([[1.0, 2.0]]), 0.5, np.array([3.75]), 1e-3)
    with pytest.raises(explain.AdditivityError):
        explain.check_sum(np.array([[np.nan, 2.0]]), 0.5, np.array([3.75]), 1e-3)


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4)).astype(np.float32)
    return X, (X[:, 0] + X[:, 1] * X[:, 2] > 0).astype(int)


def test_tree_shap_of_a_forest_adds_up_to_its_probability(rows):
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(20, random_state=0).fit(*rows)
    values, base = explain.tree_shap(forest, rows[0][:20], tolerance=1e-6)
    assert np.allclose(values.sum(1) + base, forest.predict_proba(rows[0][:20])[:, 1], atol=1e-6)


def test_tree_shap_of_xgboost_equals_its_own_contributions(rows):
    import xgboost as xgb

    booster = xgb.train(
        {"objective": "binary:logistic", "max_depth": 3, "nthread": 1}, xgb.DMatrix(*rows), 20
    )
    values, base = explain.tree_shap(booster, rows[0][:20], tolerance=1e-4)
    own = booster.predict(xgb.DMatrix(rows[0][:20]), pred_contribs=True)
    assert np.allclose(values, own[:, :-1], atol=1e-4)
    assert base == pytest.approx(own[0, -1], abs=1e-4)


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=8))
def test_grouping_keeps_the_sum(groups):
    values = np.random.default_rng(0).normal(size=(3, len(groups)))
    grouped, factors = explain.group_columns(values, groups)
    assert grouped.shape == (3, len(set(groups))) and set(factors) == set(groups)
    assert np.allclose(grouped.sum(1), values.sum(1))
    for i, factor in enumerate(factors):
        assert np.allclose(grouped[:, i], values[:, [group == factor for group in groups]].sum(1))


def test_importance_ranks_by_mean_absolute_value():
    item = explain.Shap(
        "rf", ("a", "b"), np.array([[1.0, -3.0], [-1.0, 1.0]]), 0.5, np.zeros((2, 2)), "probability"
    )
    table = explain.importance([item])
    assert table.values.tolist() == [["rf", "b", 2.0, 1], ["rf", "a", 1.0, 2]]


def test_against_truth_is_one_for_the_true_order():
    table = pd.DataFrame(
        {
            "model": "cnn",
            "factor": list("abcd"),
            "mean_abs_shap": [4.0, 3.0, 2.0, 1.0],
            "rank": [1, 2, 3, 4],
        }
    )
    found = explain.against_truth(table, {"a": 0.5, "b": 0.3, "c": 0.1, "ceiling_auc": 0.9})
    assert found.values.tolist() == [["cnn", 1.0, 3]]


def test_picked_samples_are_balanced_disjoint_and_seeded():
    samples = pd.DataFrame({"label": [1] * 30 + [0] * 170, "x": range(200)})
    chosen, background = explain.pick_samples(samples, n_explain=50, n_background=64, seed=3)
    assert chosen["label"].sum() == 25 and len(chosen) == 50 and len(background) == 64
    assert not set(chosen.index) & set(background.index)
    assert chosen.equals(explain.pick_samples(samples, n_explain=50, n_background=64, seed=3)[0])
    few, rest = explain.pick_samples(samples, n_explain=100, n_background=64, seed=0)
    assert few["label"].sum() == 30 and len(few) == 100 and len(rest) == 64
