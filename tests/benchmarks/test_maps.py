"""Speed as ratios against a rival in the same run: ``lsa bench maps``; skipped by ``make test``."""

import shutil
import subprocess

import numpy as np
import pytest
import torch

from lsa_helpers import dense
from lsa_helpers.factors import terrain
from lsa_helpers.grid import Grid, write_raster

SIDE = 200


@pytest.fixture(scope="module")
def network() -> torch.nn.Sequential:
    """The default window network with random weights."""
    torch.manual_seed(0)
    return dense.window_network(20, 15).eval()


@pytest.fixture(scope="module")
def raster() -> np.ndarray:
    """Twenty coded channels of 200 × 200 cells."""
    return np.random.default_rng(0).normal(size=(20, SIDE, SIDE)).astype(np.float32)


@pytest.mark.benchmark(group="cnn map")
def test_dense(benchmark, network, raster):
    benchmark.pedantic(dense.dense_logits, args=(network, raster, 15), rounds=5, warmup_rounds=1)


@pytest.mark.benchmark(group="cnn map")
def test_window_loop(benchmark, network, raster):
    """The rival: every window cut out, in batches of 1,024."""
    padded = np.pad(raster, ((0, 0), (7, 7), (7, 7)), mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (15, 15), axis=(1, 2)).transpose(1, 2, 0, 3, 4).reshape(-1, 20, 15, 15)

    def loop():
        with torch.inference_mode():
            return torch.cat([network(torch.from_numpy(windows[start : start + 1024].copy())) for start in range(0, SIDE * SIDE, 1024)])

    benchmark.pedantic(loop, rounds=3, warmup_rounds=0)


@pytest.fixture(scope="module")
def dem() -> np.ndarray:
    """A rough surface of 1.0 million cells."""
    return np.cumsum(np.random.default_rng(0).normal(size=(1000, 1000)), axis=0).astype(np.float32)


@pytest.mark.benchmark(group="slope, aspect, ruggedness")
def test_terrain(benchmark, dem):
    benchmark.pedantic(lambda: [make(dem, 12.5) for make in (terrain.slope, terrain.aspect, terrain.ruggedness)], rounds=5, warmup_rounds=1)


@pytest.mark.benchmark(group="slope, aspect, ruggedness")
def test_gdaldem(benchmark, dem, tmp_path):
    """The rival: gdaldem with files in and out."""
    if shutil.which("gdaldem") is None:
        pytest.skip("gdaldem is not installed")
    grid = Grid.from_bounds((0, 0, 12_500, 12_500), "EPSG:32648", 12.5)
    write_raster(tmp_path / "dem.tif", dem, grid, ["altitude"])

    def run():
        for mode in ("slope", "aspect", "TRI"):
            subprocess.run(["gdaldem", mode, tmp_path / "dem.tif", tmp_path / f"{mode}.tif"], check=True, capture_output=True)

    benchmark.pedantic(run, rounds=5, warmup_rounds=1)
