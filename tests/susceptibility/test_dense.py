"""The dense network gives what the window network gives at every cell."""

import numpy as np
import pytest
import torch

from lsa_helpers.dense import dense_logits, to_dense, window_network
from lsa_helpers.samples import extract_windows


def trained_like(channels, window):
    """A network whose BatchNorm has seen data, so that folding it is not trivial."""
    with torch.random.fork_rng():
        torch.manual_seed(window)
        network = window_network(channels, window)
        network.train()(3 * torch.randn(32, channels, window, window) + 1)
    return network.eval()


@pytest.mark.parametrize("window", [1, 7, 11, 15, 23, 31])
def test_dense_equals_window_by_window(window):
    network = trained_like(5, window)
    raster = np.random.default_rng(0).standard_normal((5, 37, 41)).astype(np.float32)
    rows, cols = np.divmod(np.arange(37 * 41), 41)
    with torch.inference_mode():
        one_by_one = network(torch.from_numpy(extract_windows(raster, rows, cols, window)))[
            :, 0
        ].numpy()
    dense = dense_logits(network, raster, window, block_cells=400)
    assert np.abs(dense.ravel() - one_by_one).max() < 1e-6
    assert dense.std() > 1e-3


def test_blocks_do_not_show():
    network = trained_like(3, 15)
    raster = np.random.default_rng(1).standard_normal((3, 50, 30)).astype(np.float32)
    whole, rows = (dense_logits(network, raster, 15, block_cells=cells) for cells in (10**9, 30))
    np.testing.assert_allclose(whole, rows, atol=1e-6)


def test_the_default_network_is_the_one_of_the_register():
    shapes = [
        tuple(layer.weight.shape)
        for layer in window_network(35, 15)
        if isinstance(layer, torch.nn.Conv2d)
    ]
    assert shapes == [
        (32, 35, 3, 3),
        (64, 32, 3, 3),
        (128, 64, 2, 2),
        (64, 128, 1, 1),
        (1, 64, 1, 1),
    ]
    relus = [layer for layer in window_network(35, 15) if isinstance(layer, torch.nn.ReLU)]
    assert len(relus) == len(set(map(id, relus))) == 4
    assert not any(layer.inplace for layer in relus)


def test_to_dense_leaves_the_network_alone():
    network = trained_like(3, 15)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    to_dense(network)
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
