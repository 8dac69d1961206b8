"""Maps and factors against what a user would pick instead, in the same run: ``lsa bench maps``."""

import shutil
import subprocess

import numpy as np
import pandas as pd
import pyflwdir
import pytest
import torch
import xgboost as xgb
from scipy.ndimage import gaussian_filter
from scipy.special import expit

from lsa_helpers import dense, models
from lsa_helpers.factors import FactorStack, terrain
from lsa_helpers.grid import Grid, read_raster, write_raster

CHANNELS, CELL = 35, 12.5
SIDES = {15: 200, 31: 120}  # raster edge for each window: the loop at 31 × 31 is slow


@pytest.fixture(scope="module", params=[15, 31], ids=["window 15", "window 31"])
def network(request):
    """(window network with random weights, coded raster, window); 35 columns are what fifteen
    factors become.
    """
    torch.manual_seed(0)
    side = SIDES[request.param]
    raster = np.random.default_rng(0).normal(size=(CHANNELS, side, side)).astype(np.float32)
    return dense.window_network(CHANNELS, request.param).eval(), raster, request.param


def loop(network, raster, window, batch=1024) -> np.ndarray:
    """The rival: every window cut out by a strided view and sent through in batches, without
    gradients, channels last.
    """
    side, half = raster.shape[1], window // 2
    padded = np.pad(raster, ((0, 0), (half, half), (half, half)), mode="reflect")
    view = np.lib.stride_tricks.sliding_window_view(padded, (window, window), axis=(1, 2))
    rows, cols = np.divmod(np.arange(side * side), side)
    network, out = network.to(memory_format=torch.channels_last), []
    with torch.inference_mode():
        for start in range(0, side * side, batch):
            part = view[:, rows[start : start + batch], cols[start : start + batch]].transpose(
                1, 0, 2, 3
            )
            out.append(
                network(
                    torch.from_numpy(np.ascontiguousarray(part)).contiguous(
                        memory_format=torch.channels_last
                    )
                )[:, 0]
            )
    return torch.cat(out).numpy().reshape(side, side)


@pytest.mark.benchmark
def test_dense(timed, benchmark, network):
    net, raster, window = network
    benchmark.group = f"CNN map, window {window}"
    found = dense.dense_logits(net, raster, window)
    assert np.abs(expit(found) - expit(loop(net, raster, window))).max() < 1e-6
    timed(
        lambda: dense.dense_logits(net, raster, window),
        rounds=7,
        work=(raster[0].size / 1e6, "M cells"),
    )


@pytest.mark.benchmark
@pytest.mark.parametrize(
    "batch", [256, 1024, 4096], ids=lambda count: f"loop in batches of {count}"
)
def test_window_loop(timed, benchmark, network, batch):
    net, raster, window = network
    benchmark.group = f"CNN map, window {window}"
    timed(
        lambda: loop(net, raster, window, batch), rounds=2, work=(raster[0].size / 1e6, "M cells")
    )


@pytest.fixture(scope="module")
def dem(tmp_path_factory):
    """(array, file) of a hilly surface of 2.0 million cells."""
    rng = np.random.default_rng(0)
    hills = sum(
        gaussian_filter(rng.normal(size=(1000, 2000)), scale) * scale**1.9 for scale in (3, 12, 48)
    )
    values = (1000 + 40 * hills + 500 * np.linspace(0, 1, 2000)).astype(np.float32)
    path = tmp_path_factory.mktemp("dem") / "dem.tif"
    grid = Grid.from_bounds((0, 0, 2000 * CELL, 1000 * CELL), "EPSG:32648", CELL)
    return values, write_raster(path, values, grid, ["altitude"]), grid


@pytest.mark.benchmark(group="slope, aspect and ruggedness of 2 M cells")
def test_terrain_file_to_file(timed, dem, tmp_path):
    """Ours as gdaldem is used: from a file to three files."""
    _, path, grid = dem

    def run():
        altitude = read_raster(path)[0][0]
        for make in (terrain.slope, terrain.aspect, terrain.ruggedness):
            write_plain(tmp_path / f"{make.__name__}.tif", make(altitude, CELL), grid)

    timed(run, rounds=5, work=(2, "M cells"))


@pytest.mark.benchmark(group="slope, aspect and ruggedness of 2 M cells")
def test_gdaldem(timed, dem, tmp_path):
    if shutil.which("gdaldem") is None:
        pytest.skip("gdaldem is not installed")

    def run():
        for mode in ("slope", "aspect", "TRI"):
            more = ["-alg", "Riley"] if mode == "TRI" else []
            subprocess.run(
                ["gdaldem", mode, dem[1], tmp_path / f"{mode}.tif", "-compute_edges", *more],
                check=True,
                capture_output=True,
            )

    timed(run, rounds=5, work=(2, "M cells"))


@pytest.mark.benchmark(group="slope, aspect and ruggedness of 2 M cells")
def test_terrain_in_memory(timed, dem):
    timed(
        lambda: [
            make(dem[0], CELL) for make in (terrain.slope, terrain.aspect, terrain.ruggedness)
        ],
        rounds=5,
        work=(2, "M cells"),
    )


def write_plain(path, band, grid) -> None:
    """An uncompressed GeoTIFF, as gdaldem writes."""
    import rasterio

    frame = {
        "height": grid.height,
        "width": grid.width,
        "crs": grid.crs,
        "transform": grid.transform,
    }
    with rasterio.open(path, "w", driver="GTiff", count=1, dtype="float32", **frame) as file:
        file.write(band, 1)


@pytest.mark.benchmark(group="flow and wetness index of 2 M cells")
def test_wetness(timed, dem):
    found = terrain.wetness(dem[0], CELL)
    assert np.isfinite(found).all()
    timed(lambda: terrain.wetness(dem[0], CELL), rounds=5, work=(2, "M cells"))


@pytest.mark.benchmark(group="flow and wetness index of 2 M cells")
@pytest.mark.parametrize("pits", ["breach_depressions_least_cost", "fill_depressions"])
def test_whitebox(timed, dem, pits):
    """WhiteboxTools in memory: pits removed, D8 accumulation, slope, wetness index."""
    whitebox = pytest.importorskip("whitebox_workflows")
    environment = whitebox.WbEnvironment()
    water, raster = environment.hydrology, environment.read_raster(str(dem[1]))

    def run():
        drained = getattr(water.depressions_storage, pits)(dem=raster)
        area = water.flow_routing.d8_flow_accum(input=drained, out_type="sca")
        return water.hydrologic_indices.wetness_index(
            sca=area, slope=environment.terrain.derivatives.slope(input=drained)
        )

    timed(run, rounds=5, work=(2, "M cells"))


@pytest.mark.benchmark(group="flow and wetness index of 2 M cells")
def test_pyflwdir_alone(timed, dem):
    """The library below ours, with its own directions."""

    def run():
        _, d8 = pyflwdir.dem.fill_depressions(dem[0].astype(np.float64), nodata=-9999.0)
        return pyflwdir.from_array(d8, ftype="d8", check_ftype=False).upstream_area(unit="cell")

    timed(run, rounds=5, work=(2, "M cells"))


@pytest.fixture(scope="module")
def trained():
    """(stack of 0.5 million cells and fifteen factors, forest, XGBoost) trained on 1,500 rows."""
    rng, names = np.random.default_rng(0), tuple(f"f{i}" for i in range(15))
    values = rng.normal(size=(15, 500, 1000)).astype(np.float32)
    grid = Grid.from_bounds((0, 0, 1000 * CELL, 500 * CELL), "EPSG:32648", CELL)
    stack = FactorStack(values, grid, names, {name: {"kind": "continuous"} for name in names})
    table = pd.DataFrame(rng.normal(size=(1500, 15)), columns=names)
    table["label"] = (table["f0"] + table["f1"] * table["f2"] + rng.normal(size=1500) > 0).astype(
        int
    )
    table["fold"] = 0
    return stack, *(models.make(name, n_jobs=2).fit(stack, table, 0) for name in ("rf", "xgboost"))


def _rows(stack, model) -> np.ndarray:
    table = pd.DataFrame(
        {name: band.ravel() for name, band in zip(stack.names, stack.values, strict=True)}
    )
    return model.encoder.table(table)


@pytest.mark.benchmark(group="random forest map of 0.5 M cells")
def test_forest_map(timed, trained):
    stack, forest, _ = trained
    timed(lambda: forest.predict_map(stack), rounds=3, work=(0.5, "M cells"))


@pytest.mark.benchmark(group="random forest map of 0.5 M cells")
def test_scikit_learn_on_all_rows(timed, trained):
    stack, forest, _ = trained
    timed(
        lambda: forest.forest.predict_proba(_rows(stack, forest)), rounds=3, work=(0.5, "M cells")
    )


@pytest.mark.benchmark(group="XGBoost map of 0.5 M cells")
def test_xgboost_map(timed, trained):
    stack, _, boost = trained
    timed(lambda: boost.predict_map(stack), rounds=3, work=(0.5, "M cells"))


@pytest.mark.benchmark(group="XGBoost map of 0.5 M cells")
def test_xgboost_on_all_rows(timed, trained):
    stack, _, boost = trained
    timed(
        lambda: boost.booster.predict(xgb.DMatrix(_rows(stack, boost), nthread=2)),
        rounds=3,
        work=(0.5, "M cells"),
    )
