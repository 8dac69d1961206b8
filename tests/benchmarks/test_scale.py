"""Cost of a cell as areas grow, part by part through Dask and as a whole run of ``lsa run``:
``lsa bench scale``. The largest is 100 million cells.
"""

import json
import subprocess
import sys

import dask.array as da
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import xarray as xr
import xrspatial
import yaml
from shapely.geometry import LineString, box
from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier

from lsa_helpers.cnn import WindowCNN
from lsa_helpers.factors.terrain import curvatures, wetness_index
from lsa_helpers.models import compute_on, predict_map
from lsa_helpers.raster import (
    at_cells,
    empty_grid,
    on_grid,
    read_factors,
    read_raster,
    rowcol,
    write_factors,
    write_raster,
)
from lsa_helpers.samples import factor_coder
from lsa_helpers.sources.distance import distance_to_cells

MILLIONS = [2, 8, 32, 100]
CELL = 12.5
NAMES = ("altitude", "slope", "aspect", "plan_curvature", "profile_curvature", "tri")
CHUNK = 1024


def _relief(block_info=None) -> np.ndarray:
    """Waves of three lengths and some roughness, m: the same for a cell whatever the blocks."""
    rows, cols = (
        np.arange(*ends, dtype=np.float32) * CELL for ends in block_info[None]["array-location"]
    )
    y, x = rows[:, None], cols[None]
    waves = (
        900 * np.sin(x / 7000) * np.cos(y / 5000)
        + 200 * np.sin(x / 900 + y / 1300)
        + 30 * np.sin(x / 140) * np.sin(y / 170)
    )
    return (2500 + waves + np.sin(x * 12.9898 + y * 78.233)).astype(np.float32)


@pytest.fixture(scope="session", params=MILLIONS, ids=lambda count: f"{count} M cells")
def dem(request, tmp_path_factory, warm):
    """(folder, grid, million cells): ``dem.tif`` of a synthetic relief."""
    folder = tmp_path_factory.mktemp("scale")
    return folder, write_relief(folder, round((request.param * 1e6) ** 0.5)), request.param


@pytest.fixture(scope="session")
def warm(tmp_path_factory):
    """Everything is compiled on a small relief first: a cell's cost is not the compiler's, and 2
    and 100 million can be compared.
    """
    folder = tmp_path_factory.mktemp("warm")
    write_relief(folder, 1500)  # more than one block, so that the code for halos is compiled too
    make_factors(folder)
    wetness_index(read_raster(folder / "dem.tif")["altitude"])


def write_relief(folder, side: int) -> xr.DataArray:
    """``dem.tif`` of a synthetic relief of `side` × `side` cells; its grid, of unknown values."""
    edge = CELL / 2 + CELL * np.arange(side)
    chunks = da.core.normalize_chunks(CHUNK, (side, side))
    relief = da.map_blocks(_relief, chunks=chunks, dtype=np.float32)
    grid = xr.DataArray(relief, {"y": edge[::-1], "x": edge}, ("y", "x")).rio.write_crs(32648)
    with compute_on(n_jobs=2):
        write_raster(folder / "dem.tif", on_grid(relief, grid, "altitude", "m"))
    return grid


def terrain_factors(altitude: xr.DataArray) -> xr.Dataset:
    """Six terrain factors of a DEM, in memory or in chunks."""
    slope, aspect, ruggedness = (
        make(altitude, boundary="nearest")
        for make in (xrspatial.slope, xrspatial.aspect, xrspatial.tri)
    )
    bands = [altitude, slope, aspect, *curvatures(altitude), ruggedness]
    kinds = dict.fromkeys(NAMES, "continuous") | {"aspect": "circular"}
    return xr.Dataset(
        {
            name: on_grid(band.data.astype(np.float32), altitude, name, kind=kinds[name])
            for name, band in zip(NAMES, bands, strict=True)
        }
    )


def make_factors(folder) -> None:
    """Six terrain factors of the DEM, file to file."""
    factors = terrain_factors(read_raster(folder / "dem.tif", chunk=CHUNK)["altitude"])
    with compute_on(n_jobs=2):
        write_factors(folder / "factors.tif", factors)


@pytest.mark.benchmark(group="terrain factors")
def test_terrain(timed, dem):
    folder, _, millions = dem
    timed(lambda: make_factors(folder), rounds=1, work=(millions, "M cells"))


def _lines(block_info=None) -> np.ndarray:
    """Crossing rivers some kilometres apart: the cells of two families of curves."""
    rows, cols = (np.arange(*ends) for ends in block_info[None]["array-location"])
    y, x = rows[:, None], cols[None]
    return ((x + np.round(40 * np.sin(y / 300)).astype(int)) % 400 == 0) | (
        (y + np.round(30 * np.sin(x / 200)).astype(int)) % 700 == 0
    )


@pytest.mark.benchmark(group="distance to a river")
def test_distance(timed, dem):
    folder, grid, millions = dem
    rivers = da.map_blocks(_lines, chunks=da.core.normalize_chunks(1024, grid.shape), dtype=bool)

    def run():
        with compute_on(n_jobs=2):
            distance = distance_to_cells(rivers, CELL)
            write_raster(folder / "distance.tif", on_grid(distance, grid, "distance_to_river", "m"))

    timed(run, rounds=1, work=(millions, "M cells"))


@pytest.mark.benchmark(group="wetness index, in memory")
def test_wetness(timed, dem):
    """Water crosses any block, so this one needs the whole DEM: what it takes is what the table
    should say.
    """
    folder, _, millions = dem
    altitude = read_raster(folder / "dem.tif")["altitude"]
    timed(lambda: wetness_index(altitude), rounds=1, work=(millions, "M cells"))


@pytest.fixture(scope="session")
def samples():
    """Factors of a small area and samples of it, to train on."""
    grid = empty_grid((0, 0, 200 * CELL, 200 * CELL), 32648, CELL)
    altitude = da.map_blocks(_relief, chunks=((200,), (200,)), dtype=np.float32).compute()
    factors = terrain_factors(on_grid(altitude, grid, "altitude", "m"))
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, 200 * CELL, (2, 1500))
    cells = rowcol(factors, x, y)
    values = {name: factor.values[cells] for name, factor in factors.items()}
    table = pd.DataFrame({"x": x, "y": y, "fold": np.arange(len(x)) % 5, **values})
    steep = table["slope"] + rng.normal(0, 3, len(table))
    return factors, table, (steep > steep.median()).astype(int)


@pytest.mark.benchmark(group="XGBoost map")
def test_xgboost(timed, dem, samples):
    factors, table, label = samples
    trees = XGBClassifier(n_estimators=400, learning_rate=0.05, n_jobs=1)
    pipeline = Pipeline([("coder", factor_coder(factors)), ("trees", trees)])
    _map(timed, dem, pipeline.fit(table, label))


@pytest.mark.benchmark(group="CNN map, one network")
def test_cnn(timed, dem, samples):
    factors, table, label = samples
    _map(timed, dem, WindowCNN(factors, n_networks=1, epochs=2).fit(table, label))


def _map(timed, dem, estimator) -> None:
    folder, _, millions = dem
    if not (folder / "factors.tif").exists():
        make_factors(folder)

    def run():
        factors = read_factors(folder / "factors.tif", chunk=CHUNK)
        with compute_on(n_jobs=2):
            write_raster(folder / "map.tif", predict_map(estimator, factors))

    timed(run, rounds=1, work=(millions, "M cells"))
    (susceptibility,) = read_raster(folder / "map.tif").values()
    assert np.isfinite(susceptibility).all()


PARAMETERS = {
    "shared": {"profile": "scale", "chunk": 512},
    "04_factor_selection": {"importance_trees": 30, "importance_repeats": 1},
    "05_susceptibility": {"models": ["xgboost", "logistic"], "xgb_rounds": 100, "rf_trees": 50},
}


def write_data(folder, grid) -> None:
    """Beside ``dem.tif``: rivers every five kilometres, 400 landslides on steep ground, and the
    catalog and parameters of a run.
    """
    left, bottom, right, top = grid.rio.bounds()
    rivers = [LineString([(x, bottom), (x, top)]) for x in np.arange(left + 2500, right, 5000)]
    gpd.GeoDataFrame(geometry=rivers, crs=grid.rio.crs).to_file(folder / "rivers.gpkg")
    row, col = np.random.default_rng(0).integers(5, grid.shape[0] - 5, (2, 4000))
    dem = read_raster(folder / "dem.tif", chunk=CHUNK)
    west, east, north, south = (
        at_cells(dem, row + down, col + across)["altitude"].values
        for down, across in ((0, -2), (0, 2), (-2, 0), (2, 0))
    )
    steepest = np.argsort(np.hypot(east - west, north - south))[-400:]
    x, y = grid.x.values[col[steepest]], grid.y.values[row[steepest]]
    slides = [box(*ends) for ends in zip(x - 30, y - 30, x + 30, y + 30, strict=True)]
    gpd.GeoDataFrame(geometry=slides, crs=grid.rio.crs).to_file(folder / "landslides.gpkg")
    files = {"dem": "dem.tif", "rivers": "rivers.gpkg", "inventory": "landslides.gpkg"}
    catalog = {name: {"path": file} for name, file in files.items()}
    (folder / "catalog.yml").write_text(yaml.safe_dump(catalog))
    (folder / "scale.yml").write_text(yaml.safe_dump(PARAMETERS))


@pytest.mark.benchmark(group="lsa run, from the DEM to the class map")
def test_run(benchmark, dem, costs):
    """Time and peak memory of every chapter, as the manifest tells them."""
    folder, grid, millions = dem
    write_data(folder, grid)
    command = [sys.executable, "-c", "from lsa_helpers.runner.cli import main; main()", "run"]
    command += ["scale.yml", "--data", ".", "--until", "06", "--out", "run"]
    how = {"args": (command,), "rounds": 1}
    benchmark.pedantic(subprocess.run, **how, kwargs={"cwd": folder, "check": True})
    stages = json.loads((folder / "run/manifest.json").read_text())["stages"]
    done = [stage for stage in stages if stage["status"] == "done"]
    for stage in done:
        seconds, memory = stage["seconds"] / millions, stage["peak_memory_mb"] / 1000
        costs(f"{millions} M cells, {stage['name']}: {seconds:.2f} s/M cells, {memory:.1f} GB")
    total = sum(stage["seconds"] for stage in done) / millions
    costs(f"{millions} M cells, all: {total:.2f} s/M cells")
    assert max(stage["peak_memory_mb"] for stage in done) <= 8000
    assert (folder / "run/products/classes_xgboost.tif").exists()
