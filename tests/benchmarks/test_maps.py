"""Maps and factors against what a user would pick instead, in the same run: ``lsa bench maps``."""

import shutil
import subprocess

import numpy as np
import pandas as pd
import pyflwdir
import pytest
import torch
import xarray as xr
import xgboost as xgb
from scipy.ndimage import gaussian_filter
from scipy.special import expit
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier

from lsa_helpers.cnn import dense_logits, pad_reflect, window_network
from lsa_helpers.factors import terrain
from lsa_helpers.models import predict_map
from lsa_helpers.raster import empty_grid, on_grid, read_raster, write_raster
from lsa_helpers.samples import factor_coder

CELL = 12.5
SIDES = {15: 384, 31: 192}  # raster edge for each window: the loop at 31 × 31 is slow


@pytest.fixture(scope="module", params=[(15, 15), (35, 15), (35, 31)], ids=str)
def network(request):
    """(window network with random weights, coded raster (rows, columns, channels) with half a
    window more on every side, window); 35 columns are what fifteen factors become.
    """
    torch.manual_seed(0)
    channels, window = request.param
    shape = (channels, SIDES[window], SIDES[window])
    raster = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    coded = np.ascontiguousarray(pad_reflect(raster, window // 2).transpose(1, 2, 0))
    return window_network(channels, window).eval(), coded, window


def loop(network, coded, window, batch=1024) -> np.ndarray:
    """The rival: every window cut out by a strided view and sent through in batches, without
    gradients, channels last.
    """
    view = np.lib.stride_tricks.sliding_window_view(coded, (window, window), axis=(0, 1))
    side = len(view)
    rows, cols = np.divmod(np.arange(side * side), side)
    network, out = network.to(memory_format=torch.channels_last), []
    with torch.inference_mode():
        for start in range(0, side * side, batch):
            part = view[rows[start : start + batch], cols[start : start + batch]]
            part = torch.from_numpy(np.ascontiguousarray(part))
            out.append(network(part.contiguous(memory_format=torch.channels_last))[:, 0])
    return torch.cat(out).numpy().reshape(side, side)


@pytest.mark.benchmark
def test_dense(timed, benchmark, network):
    net, coded, window = network
    benchmark.group = f"CNN map, {coded.shape[2]} columns, window {window}"
    dense = dense_logits(net, coded, window)
    assert np.abs(expit(dense) - expit(loop(net, coded, window))).max() < 1e-6
    timed(lambda: dense_logits(net, coded, window), rounds=7, work=(dense.size / 1e6, "M cells"))


@pytest.mark.benchmark
def test_window_loop(timed, benchmark, network):
    net, coded, window = network
    benchmark.group = f"CNN map, {coded.shape[2]} columns, window {window}"
    cells = (len(coded) - window + 1) ** 2
    timed(lambda: loop(net, coded, window), rounds=2, work=(cells / 1e6, "M cells"))


@pytest.fixture(scope="module")
def dem(tmp_path_factory):
    """(array, file) of a hilly surface of 2.0 million cells."""
    rng = np.random.default_rng(0)
    hills = sum(
        gaussian_filter(rng.normal(size=(1000, 2000)), scale) * scale**1.9 for scale in (3, 12, 48)
    )
    values = (1000 + 40 * hills + 500 * np.linspace(0, 1, 2000)).astype(np.float32)
    path = tmp_path_factory.mktemp("dem") / "dem.tif"
    grid = empty_grid((0, 0, 2000 * CELL, 1000 * CELL), 32648, CELL)
    return values, write_raster(path, on_grid(values, grid, "altitude", "m")), grid


@pytest.mark.benchmark(group="slope, aspect and ruggedness of 2 M cells")
def test_terrain_file_to_file(timed, dem, tmp_path):
    """Ours as gdaldem is used: from a file to three files."""
    _, path, grid = dem

    def run():
        altitude = read_raster(path)["altitude"].values
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

    height, width = grid.shape
    frame = {"height": height, "width": width, "crs": grid.rio.crs}
    frame["transform"] = grid.rio.transform()
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
    """(factors of 0.5 million cells, forest, XGBoost) trained on 1,500 rows of fifteen factors."""
    rng, names = np.random.default_rng(0), [f"f{i}" for i in range(15)]
    grid = empty_grid((0, 0, 1000 * CELL, 500 * CELL), 32648, CELL)
    bands = rng.normal(size=(15, *grid.shape)).astype(np.float32)
    factors = xr.Dataset(
        {
            name: on_grid(band, grid, name, kind="continuous")
            for name, band in zip(names, bands, strict=True)
        }
    )
    table = pd.DataFrame(rng.normal(size=(1500, 15)), columns=names)
    label = table["f0"] + table["f1"] * table["f2"] + rng.normal(size=1500) > 0
    coder = factor_coder(factors)
    classifiers = RandomForestClassifier(500), XGBClassifier(n_estimators=400, n_jobs=1)
    pipelines = [Pipeline([("coder", clone(coder)), ("model", each)]) for each in classifiers]
    return factors, *(pipeline.fit(table, label.astype(int)) for pipeline in pipelines)


def all_rows(factors, pipeline) -> np.ndarray:
    """The rival's input: every cell a row of one coded table."""
    table = pd.DataFrame({name: factor.values.ravel() for name, factor in factors.items()})
    return pipeline[0].transform(table)


@pytest.mark.benchmark(group="random forest map of 0.5 M cells")
def test_forest_map(timed, trained):
    factors, forest, _ = trained
    timed(lambda: predict_map(forest, factors, n_jobs=2), rounds=3, work=(0.5, "M cells"))


@pytest.mark.benchmark(group="random forest map of 0.5 M cells")
def test_scikit_learn_on_all_rows(timed, trained):
    factors, forest, _ = trained
    model = forest[1].set_params(n_jobs=2)
    timed(lambda: model.predict_proba(all_rows(factors, forest)), rounds=3, work=(0.5, "M cells"))


@pytest.mark.benchmark(group="XGBoost map of 0.5 M cells")
def test_xgboost_map(timed, trained):
    factors, _, trees = trained
    timed(lambda: predict_map(trees, factors, n_jobs=2), rounds=3, work=(0.5, "M cells"))


@pytest.mark.benchmark(group="XGBoost map of 0.5 M cells")
def test_xgboost_on_all_rows(timed, trained):
    factors, _, trees = trained
    booster = trees[1].get_booster()
    timed(
        lambda: booster.predict(xgb.DMatrix(all_rows(factors, trees), nthread=2)),
        rounds=3,
        work=(0.5, "M cells"),
    )
