"""Shapley values of whole maps against what a user would pick instead: ``lsa bench explain``."""

import numpy as np
import pandas as pd
import pytest
import shap
import torch
import xgboost as xgb
from woodelf import WoodelfExplainer
from xgboost import XGBClassifier

from lsa_helpers.cnn import WindowCNN, window_network
from lsa_helpers.explain import factor_shapley
from lsa_helpers.explain.dense import factor_shapley_map
from lsa_helpers.raster import empty_grid, on_grid
from lsa_helpers.samples import coded_groups, factor_coder

FACTORS, SIDE = 15, 96
TREES = "XGBoost, {:,} cells of 19 columns, 64 background cells"


@pytest.fixture(scope="module")
def boosted():
    """400 trees of depth 6 on 19 columns, a background, and many cells."""
    rng = np.random.default_rng(0)
    names = [f"c{number}" for number in range(19)]
    cells = pd.DataFrame(rng.normal(size=(300_000, 19)).astype(np.float32), columns=names)
    odds = cells["c0"] + cells["c1"] * cells["c2"] - cells["c3"].abs() + rng.normal(size=len(cells))
    trees = XGBClassifier(n_estimators=400, max_depth=6, learning_rate=0.05, n_jobs=2)
    trees.fit(cells[:4000].to_numpy(), (odds[:4000] > 0).astype(int))
    return trees, cells[-64:], cells


@pytest.mark.benchmark
@pytest.mark.parametrize("count", [10_000, 300_000])
def test_woodelf(timed, benchmark, boosted, count):
    trees, background, cells = boosted
    benchmark.group = TREES.format(count)
    explainer = WoodelfExplainer(trees, background)
    run = lambda: explainer.shap_values(cells[:count], verbose=False)  # noqa: E731
    theirs = shap.TreeExplainer(trees, background.to_numpy()).shap_values(cells[:50].to_numpy())
    assert np.abs(run()[:50] - theirs).max() < 1e-5
    timed(run, rounds=1, work=(count / 1e6, "M cells"))


@pytest.mark.benchmark
def test_shap(timed, benchmark, boosted):
    trees, background, cells = boosted
    benchmark.group = TREES.format(10_000)
    explainer = shap.TreeExplainer(trees, background.to_numpy())
    rows = cells[:10_000].to_numpy()
    timed(
        lambda: explainer.shap_values(rows, check_additivity=False),
        rounds=1,
        work=(0.01, "M cells"),
    )


@pytest.mark.benchmark
def test_pred_contribs(timed, benchmark, boosted):
    """XGBoost's own way, by its two threads; it knows no background (path-dependent)."""
    trees, _, cells = boosted
    benchmark.group = TREES.format(10_000)
    rows = xgb.DMatrix(cells[:10_000].to_numpy())
    timed(
        lambda: trees.get_booster().predict(rows, pred_contribs=True),
        rounds=1,
        work=(0.01, "M cells"),
    )


@pytest.fixture(scope="module")
def network():
    """(CNN of 15 × 15 cells with random weights, its raster of fifteen factors)."""
    rng = np.random.default_rng(0)
    grid = empty_grid((0, 0, 12.5 * SIDE, 12.5 * SIDE), 32648, 12.5)
    bands = {f"f{number}": rng.normal(size=(SIDE, SIDE)) for number in range(FACTORS)}
    factors = on_grid(bands.pop("f0"), grid, "f0", kind="continuous").to_dataset()
    for name, band in bands.items():
        factors[name] = on_grid(band, grid, name, kind="continuous")
    rows = factors.to_dataframe().reset_index()[["x", "y", *factors]]
    cnn = WindowCNN(factors, window=15, n_networks=1)
    cnn.coder_ = factor_coder(factors).fit(rows[:500], np.arange(500) % 2)
    torch.manual_seed(0)
    cnn.networks_, cnn.classes_ = [window_network(FACTORS, 15).eval()], np.array([0, 1])
    return cnn, factors, rows


GAME = f"factor game of a CNN, 4 orders, {SIDE} × {SIDE} cells"


@pytest.mark.benchmark(group=GAME)
def test_dense_game(timed, network):
    cnn, factors, _ = network
    timed(
        lambda: factor_shapley_map(cnn, factors, n_orders=4, seed=0, n_jobs=1),
        rounds=3,
        work=(SIDE**2 * 4 * (FACTORS - 0.5) / 1e6, "M coalitions of a cell"),
    )


@pytest.mark.benchmark(group=GAME)
def test_game_by_windows(timed, network):
    """The same number of coalitions, each cell's windows one by one, on one core as the other."""
    cnn, _, rows = network
    windows = cnn.windows(rows)
    absent = windows[[100, 5000]]

    def log_odds(part):
        with torch.inference_mode():
            return cnn.networks_[0](torch.from_numpy(part))[:, 0].numpy()

    def game():
        torch.set_num_threads(1)
        for part in np.array_split(windows, 36):
            factor_shapley(log_odds, part, absent, coded_groups(cnn.coder_), seed=0)

    timed(game, rounds=1, work=(SIDE**2 * 4 * (FACTORS - 0.5) / 1e6, "M coalitions of a cell"))
