"""Cost of a cell as areas grow, through Dask: ``lsa bench scale``. The largest is 100 million
cells; it takes a quarter of an hour.
"""

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier

from lsa_helpers.cnn import WindowCNN
from lsa_helpers.factors import terrain
from lsa_helpers.models import compute_on, predict_map
from lsa_helpers.raster import (
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
    terrain.wetness(read_raster(folder / "dem.tif")["altitude"].values, CELL)


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
    dem = altitude.data
    plan, profile = terrain.curvatures(dem, CELL)
    bands = [dem, terrain.slope(dem, CELL), terrain.aspect(dem, CELL), plan, profile]
    bands = dict(zip(NAMES, [*bands, terrain.ruggedness(dem, CELL)], strict=True))
    kinds = dict.fromkeys(NAMES, "continuous") | {"aspect": "circular"}
    return xr.Dataset(
        {
            name: on_grid(band.astype(np.float32), altitude, name, kind=kinds[name])
            for name, band in bands.items()
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
    altitude = read_raster(folder / "dem.tif")["altitude"].values
    timed(lambda: terrain.wetness(altitude, CELL), rounds=1, work=(millions, "M cells"))


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
