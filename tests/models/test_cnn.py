"""The window CNN: dense equals window by window, it learns from its rows only, and clones share."""

import numpy as np
import pytest
import torch
from scipy.special import expit
from sklearn.base import clone
from sklearn.model_selection import cross_val_predict

from lsa_helpers.cnn import WindowCNN, dense_logits, pad_reflect, to_dense, window_network
from lsa_helpers.cnn.window import _stopping_split
from lsa_helpers.errors import InputError, StageError
from lsa_helpers.models import predict_map
from lsa_helpers.raster import rowcol
from lsa_helpers.validation import at_samples
from lsa_helpers.validation.splitter import SpatialBlockKFold


def trained_like(channels, window):
    """A network whose BatchNorm has seen data, so that folding it is not trivial."""
    with torch.random.fork_rng():
        torch.manual_seed(window)
        network = window_network(channels, window)
        network.train()(3 * torch.randn(32, channels, window, window) + 1)
    return network.eval()


def coded_raster(channels, height, width, window, seed=0):
    raster = np.random.default_rng(seed).standard_normal((channels, height, width))
    padded = pad_reflect(raster.astype(np.float32), window // 2)
    return np.ascontiguousarray(padded.transpose(1, 2, 0))


@pytest.mark.parametrize("window", [1, 7, 11, 15, 23, 31])
@pytest.mark.known_by("an identity", "CNN over a whole raster")
def test_dense_equals_window_by_window(window):
    network, coded = trained_like(5, window), coded_raster(5, 37, 41, window)
    view = np.lib.stride_tricks.sliding_window_view(coded, (window, window), axis=(0, 1))
    windows = torch.from_numpy(view.reshape(-1, 5, window, window).copy())
    with torch.inference_mode():
        one_by_one = network(windows)[:, 0].numpy()
    dense = dense_logits(network, coded, window, tile=20)
    assert np.abs(dense.ravel() - one_by_one).max() < 1e-6
    assert dense.std() > 1e-3


def test_tiles_and_added_channels_do_not_show():
    for channels in (3, 8, 15):
        network, coded = trained_like(channels, 15), coded_raster(channels, 50, 30, 15)
        whole, tiles = (dense_logits(network, coded, 15, tile=tile) for tile in (1000, 13))
        np.testing.assert_allclose(whole, tiles, atol=1e-6)
        assert to_dense(network)[0].in_channels % 8 == 0


def test_the_default_network_is_the_one_of_the_register():
    network = window_network(35, 15)
    convolutions = [layer for layer in network if isinstance(layer, torch.nn.Conv2d)]
    assert [tuple(layer.weight.shape) for layer in convolutions] == [
        (32, 35, 3, 3),
        (64, 32, 3, 3),
        (128, 64, 2, 2),
        (64, 128, 1, 1),
        (1, 64, 1, 1),
    ]
    relus = [layer for layer in network if isinstance(layer, torch.nn.ReLU)]
    assert len(relus) == len(set(map(id, relus))) == 4
    assert not any(layer.inplace for layer in relus)


def test_to_dense_leaves_the_network_alone():
    network = trained_like(3, 15)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    to_dense(network)
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())


def test_windows_are_centred_and_mirrored(trained, sampled):
    """The middle of a window is the coded cell; in a corner the window is its own mirror."""
    factors, table = sampled
    cnn = trained["cnn"]
    rows = table.iloc[:5]
    coded = cnn.coder_.transform(rows).astype(np.float32)
    np.testing.assert_allclose(cnn.windows(rows)[:, :, 3, 3], np.clip(coded, -5, 5), atol=1e-6)
    corner = rows.assign(x=factors.x.values[-1], y=factors.y.values[-1])
    window = cnn.windows(corner)[0]
    np.testing.assert_array_equal(window, window[:, ::-1, ::-1])


def test_windows_are_those_cut_from_the_coded_raster(trained, sampled):
    """Also from factors in chunks: the plain way, which codes every cell of the raster."""
    factors, table = sampled
    cnn = trained["cnn"]
    raster = np.stack([factors[name].values for name in cnn.coder_.factors])
    coded = cnn.code(pad_reflect(raster, cnn.halo))
    view = np.lib.stride_tricks.sliding_window_view(coded, (cnn.window,) * 2, axis=(0, 1))
    plain = view[rowcol(factors, table["x"], table["y"])]
    np.testing.assert_array_equal(cnn.windows(table), plain)
    lazy = clone(cnn).set_params(factors=factors.chunk(y=30, x=25))
    lazy.coder_ = cnn.coder_
    np.testing.assert_array_equal(lazy.windows(table), plain)


def test_input_has_no_spikes_and_no_holes(trained, sampled):
    factors, table = sampled
    spiked = factors.copy(deep=True)
    spiked["slope"].values[40, 40] = 1e5
    cnn = clone(trained["cnn"]).set_params(factors=spiked)
    cnn.coder_ = trained["cnn"].coder_
    places = {"x": factors.x.values[[40, 4]], "y": factors.y.values[[40, 2]]}
    windows = cnn.windows(table.iloc[:2].assign(**places))
    assert windows[0, 0, 3, 3] == 5 and np.isfinite(windows).all()
    assert (windows[1, :, 3, 3] == 0).all()


def test_it_stops_early_on_another_fold_for_each_network(sampled):
    """With a strip between the rows that train and those that stop."""
    _, table = sampled
    for number, fold in ((0, 0), (1, 1), (5, 0)):
        train, stop = _stopping_split(table, table["label"], number, 50.0)
        assert (table["fold"].to_numpy()[stop] == fold).all()
        assert len(stop) == (table["fold"] == fold).sum()
        place = table[["x", "y"]].to_numpy()
        gaps = np.abs(place[train][:, None] - place[stop]).max(axis=2)
        assert gaps.min() >= 50 and len(train) + len(stop) < len(table)
    train, stop = _stopping_split(table.assign(fold=0), table["label"], 0, 50.0)
    assert len(train) == len(table) and len(stop) == 0


@pytest.mark.known_by("an identity", "Ensemble of networks")
def test_the_ensemble_is_the_sigmoid_of_the_mean_logit(trained, sampled):
    """Of several networks, in rows and in maps; the mean of probabilities is another model."""
    factors, table = sampled
    cnn = clone(trained["cnn"]).set_params(n_networks=2, epochs=2)
    cnn.fit(table, table["label"])
    windows = torch.from_numpy(cnn.windows(table))
    with torch.inference_mode():
        logits = np.array([net(windows)[:, 0].double().numpy() for net in cnn.networks_])
    expected = expit(logits.mean(axis=0))
    np.testing.assert_allclose(cnn.decision_function(table), logits.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(cnn.predict_proba(table)[:, 1], expected, atol=1e-6)
    np.testing.assert_allclose(at_samples(predict_map(cnn, factors), table), expected, atol=1e-5)
    assert np.abs(expit(logits).mean(axis=0) - expected).max() > 1e-4


@pytest.mark.known_by("an identity", "CNN embedding")
def test_the_last_layer_makes_the_answer_out_of_the_embedding(trained, sampled):
    """And batches do not show."""
    cnn, (_, table) = trained["cnn"], sampled
    rows = table.iloc[:37]
    seen = cnn.embedding(rows, batch=10).reshape(37, 2, 64)
    with torch.inference_mode():
        logits = [
            network[-3:](torch.from_numpy(seen[:, number, :, None, None])).numpy()[:, 0]
            for number, network in enumerate(cnn.networks_)
        ]
    np.testing.assert_allclose(np.mean(logits, axis=0), cnn.decision_function(rows), atol=1e-5)
    assert seen.std() > 0


def test_nothing_is_learned_from_rows_left_out(sampled):
    """A leak planted in the held-out cells changes neither the coding nor a CNN of single cells."""
    factors, table = sampled
    train, rest = table[table["fold"] != 0], table[table["fold"] == 0]
    spoilt = factors.copy(deep=True)
    for x, y in rest[["x", "y"]].to_numpy():
        spoilt["slope"].loc[{"x": x, "y": y}] = 1e6
    honest, planted = (
        WindowCNN(area, window=1, n_networks=1, epochs=2).fit(train, train["label"])
        for area in (factors, spoilt)
    )
    np.testing.assert_array_equal(planted.predict_proba(train), honest.predict_proba(train))


def test_clones_share_the_raster_and_validate_in_processes(trained, sampled):
    """`clone` copies no raster, and folds in two processes give what one process gives."""
    factors, table = sampled
    cnn = clone(trained["cnn"]).set_params(n_networks=1, epochs=1)
    assert cnn.factors is factors and not hasattr(cnn, "networks_")
    folds = SpatialBlockKFold(2, block_m=200, buffer_m=7 * 12.5)
    one, two = (
        cross_val_predict(
            cnn, table, table["label"], cv=folds, method="predict_proba", n_jobs=n_jobs
        )
        for n_jobs in (1, 2)
    )
    np.testing.assert_array_equal(one, two)


def test_it_refuses_what_the_pipelines_refuse(sampled):
    factors, table = sampled
    slides = table[table["label"] == 1]
    with pytest.raises(StageError, match="one class only"):
        WindowCNN(factors).fit(slides, slides["label"])
    holed = table.assign(ndvi=table["ndvi"].where(table.index != 7))
    with pytest.raises(InputError, match='factor "ndvi".*unknown'):
        WindowCNN(factors).fit(holed, table["label"])
