"""The CNN's factor game over whole rasters: equal to its definition, and nothing of tiles, threads
or unknown cells shows.
"""

from copy import deepcopy
from itertools import combinations
from math import comb

import numpy as np
import pytest
import torch

from lsa_helpers.cnn import WindowCNN, dense_logits
from lsa_helpers.explain import dense
from lsa_helpers.explain.dense import factor_shapley_map
from lsa_helpers.models import predict_map
from lsa_helpers.samples import coded_groups
from tests.hillside import make_hillside


@pytest.fixture(scope="module")
def cnn(sampled):
    """Two networks of 7 × 7 cells, hardly trained."""
    factors, samples = sampled
    model = WindowCNN(factors, window=7, n_networks=2, epochs=3, patience=3)
    return model.fit(samples, samples["label"])


@pytest.fixture(scope="module")
def patch(sampled):
    """12 × 12 known cells, so few that all shifts can be tried."""
    return sampled[0].isel(y=slice(20, 32), x=slice(30, 42))


def _exact(cnn, patch) -> np.ndarray:
    """Shapley values (factors, rows, columns) by all coalitions, met with all cells of the raster,
    from the definition.
    """
    names, groups = cnn.coder_.factors, np.array(coded_groups(cnn.coder_))
    raw = patch[names].to_dataarray("band").values
    coded = cnn.code(raw)
    own = np.pad(coded, ((3, 3), (3, 3), (0, 0)), mode="reflect")
    players = range(len(names))
    sets = [set(some) for size in range(len(names) + 1) for some in combinations(players, size)]
    total = np.zeros(raw.shape)
    shifts = [(down, right) for down in range(12) for right in range(12)]
    for down, right in shifts:
        met = np.pad(np.roll(coded, (-down, -right), (0, 1)), ((3, 3), (3, 3), (0, 0)), mode="wrap")
        worth = {}
        for some in sets:
            of_own = np.isin(groups, [names[player] for player in some])
            mixed = np.where(of_own, own, met).astype(np.float32)
            logits = [dense_logits(network, mixed, 7) for network in cnn.networks_]
            worth[frozenset(some)] = np.mean(logits, axis=0)
        for player in players:
            for some in sets:
                if player not in some:
                    weight = 1 / (len(names) * comb(len(names) - 1, len(some)))
                    gain = worth[frozenset(some | {player})] - worth[frozenset(some)]
                    total[player] += weight * gain
    return total / len(shifts)


@pytest.mark.slow
@pytest.mark.known_by("enumeration", "Shapley values of every cell of a CNN's map")
def test_every_cell_is_within_its_error_of_the_enumeration(cnn, patch):
    """Of 576 values few may be farther off than three standard errors, and the mean square of
    what they miss, in standard errors, may not be far above one: places drawn evenly miss less
    than the errors say.
    """
    torch.set_num_threads(1)
    exact = _exact(cnn, patch)
    maps = factor_shapley_map(cnn, patch, n_orders=128, seed=3, standard_error=True)
    names = cnn.coder_.factors
    missed = np.stack([maps[name].values for name in names]) - exact
    error = np.stack([maps[f"{name}_se"].values for name in names])
    assert np.mean(np.abs(missed) > 3 * error) < 0.01
    assert np.mean((missed / error) ** 2) < 1.5
    assert np.abs(missed).mean() < 0.25 * np.abs(exact).mean()
    few = factor_shapley_map(cnn, patch, n_orders=4, seed=3)
    worse = np.stack([few[name].values for name in names]) - exact
    assert np.abs(worse).mean() > 2 * np.abs(missed).mean()


def test_bands_and_base_are_the_models_output(cnn, sampled):
    """NaN where a factor is unknown, and there alone; unknown cells stand for nobody."""
    factors, _ = sampled
    maps = factor_shapley_map(cnn, factors, n_orders=4, seed=0)
    probability = predict_map(cnn, factors)
    known = probability.notnull().values
    assert list(maps) == [*cnn.coder_.factors, "base", "residual"] and not known.all()
    assert all((band.notnull().values == known).all() for band in maps.values())
    total = sum(band.values.astype(float) for band in maps.values())
    gap = 1 / (1 + np.exp(-total)) - probability.values
    assert np.abs(gap[known]).max() < 1e-6
    assert np.abs(maps["residual"].values[known]).max() < 1e-5
    assert maps["slope"].attrs["units"] == "log-odds"


def test_what_is_unknown_stands_for_nobody(cnn, sampled):
    """With half of the raster unknown the base of the other half is a mean over its own cells."""
    factors = sampled[0].isel(y=slice(10, 42), x=slice(30, 62)).copy(deep=True)
    for band in factors.values():
        band[:, :16] = np.nan
    maps = factor_shapley_map(cnn, factors, n_orders=64, seed=1)
    base = maps["base"].values[:, 20:]
    logits = np.log(1 / (1 / predict_map(cnn, factors).values[:, 20:].astype(float) - 1))
    assert np.isfinite(base).mean() > 0.9
    assert np.nanmean(base) == pytest.approx(logits.mean(), abs=2 * logits.std() / 4)


def test_neither_tiles_nor_threads_nor_chunks_show(cnn, sampled, monkeypatch):
    factors = sampled[0].isel(y=slice(5, 35), x=slice(8, 48))
    whole = factor_shapley_map(cnn, factors, n_orders=4, seed=2, standard_error=True)
    monkeypatch.setattr(dense, "TILE", 24)
    tiles = factor_shapley_map(cnn, factors, n_orders=4, seed=2, standard_error=True)
    threads = factor_shapley_map(cnn, factors, n_orders=4, seed=2, standard_error=True, n_jobs=2)
    lazy = factor_shapley_map(
        cnn, factors.chunk(y=16, x=25), n_orders=4, seed=2, standard_error=True
    )
    assert lazy["slope"].chunks
    for name in whole:
        np.testing.assert_allclose(whole[name], tiles[name], atol=1e-5)
        assert tiles[name].identical(threads[name])
        assert (tiles[name].values == lazy[name].values).all()


def test_a_factor_that_the_network_does_not_read_is_worth_nothing(cnn, patch):
    """The first layer's weights of its columns are zero."""
    columns = np.array(coded_groups(cnn.coder_)) == "aspect"
    blind = WindowCNN(**cnn.get_params(deep=False))
    blind.coder_, blind.classes_ = cnn.coder_, cnn.classes_
    blind.networks_ = deepcopy(cnn.networks_)
    for network in blind.networks_:
        network[0].weight.data[:, torch.from_numpy(columns)] = 0
    maps = factor_shapley_map(blind, patch, n_orders=8, seed=0)
    assert np.abs(maps["aspect"]).max() < 1e-6 < np.abs(maps["slope"]).max()


def test_orders_are_rounded_up_to_pairs_for_every_network(cnn, patch):
    one = factor_shapley_map(cnn, patch, n_orders=1, seed=0)
    assert one.identical(factor_shapley_map(cnn, patch, n_orders=4, seed=0))
    assert not one.identical(factor_shapley_map(cnn, patch, n_orders=5, seed=0))


def test_another_hillside_is_explained_too(cnn):
    """A model is explained on any area that has its factors."""
    factors, _ = make_hillside(40, 30, seed=5)
    maps = factor_shapley_map(cnn, factors, n_orders=4, seed=0)
    assert maps.sizes == {"y": 40, "x": 30} and np.isfinite(maps["base"].values[5:]).all()
