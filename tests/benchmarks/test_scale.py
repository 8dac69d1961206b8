"""Cost of a cell as areas grow, through Dask: ``lsa bench scale``. The largest is 100 million
cells; it takes a quarter of an hour.
"""

import dask.array as da
import numpy as np
import pandas as pd
import pytest

from lsa_helpers import models
from lsa_helpers.factors import FactorStack, open_stack, terrain
from lsa_helpers.grid import Grid, open_raster, read_raster, write_raster
from lsa_helpers.models.lazy import compute_on
from lsa_helpers.run import whole_file
from lsa_helpers.sources.distance import distance_to_cells

MILLIONS = [2, 8, 32, 100]
CELL = 12.5
NAMES = ("altitude", "slope", "aspect", "plan_curvature", "profile_curvature", "tri")
INFO = {
    name: {"label": name, "unit": "1", "kind": "circular" if name == "aspect" else "continuous"}
    for name in NAMES
}


def _relief(block_info=None) -> np.ndarray:
    """Waves of three lengths and some roughness, metres: the same for a cell whatever the blocks."""
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
    grid = write_relief(
        folder, 1500
    )  # more than one block, so that the code for halos is compiled too
    make_factors(folder, grid)
    terrain.wetness(read_raster(folder / "dem.tif")[0][0], CELL)


def write_relief(folder, side: int) -> Grid:
    """``dem.tif`` of a synthetic relief of `side` × `side` cells."""
    grid = Grid.from_bounds((0, 0, side * CELL, side * CELL), "EPSG:32648", CELL)
    relief = da.map_blocks(
        _relief, chunks=da.core.normalize_chunks(1024, grid.shape), dtype=np.float32
    )
    with compute_on(n_jobs=2):
        write_raster(folder / "dem.tif", relief, grid, ["altitude"], ["m"])
    return grid


def make_factors(folder, grid) -> None:
    """Six terrain factors of the DEM, file to file."""
    altitude = open_raster(folder / "dem.tif")[0][0]
    plan, profile = terrain.curvatures(altitude, CELL)
    bands = [
        altitude,
        terrain.slope(altitude, CELL),
        terrain.aspect(altitude, CELL),
        plan,
        profile,
        terrain.ruggedness(altitude, CELL),
    ]
    with compute_on(n_jobs=2):
        write_raster(
            folder / "factors.tif",
            da.stack([band.astype(np.float32) for band in bands]),
            grid,
            NAMES,
        )
    with whole_file(folder / "factors.json") as part:
        part.write_text(pd.Series(INFO).to_json(), encoding="utf-8")


@pytest.mark.benchmark(group="terrain factors")
def test_terrain(timed, dem):
    folder, grid, millions = dem
    timed(lambda: make_factors(folder, grid), rounds=1, work=(millions, "M cells"))


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
            write_raster(
                folder / "distance.tif",
                distance_to_cells(rivers, CELL)[None],
                grid,
                ["distance_to_river"],
                ["m"],
            )

    timed(run, rounds=1, work=(millions, "M cells"))


@pytest.mark.benchmark(group="wetness index, in memory")
def test_wetness(timed, dem):
    """Water crosses any block, so this one needs the whole DEM: what it takes is what the table
    should say.
    """
    folder, _, millions = dem
    altitude = read_raster(folder / "dem.tif")[0][0]
    timed(lambda: terrain.wetness(altitude, CELL), rounds=1, work=(millions, "M cells"))


@pytest.fixture(scope="session")
def samples():
    """A small stack and a sample table of it, to train on."""
    grid = Grid.from_bounds((0, 0, 200 * CELL, 200 * CELL), "EPSG:32648", CELL)
    altitude = da.map_blocks(_relief, chunks=((200,), (200,)), dtype=np.float32).compute()
    plan, profile = terrain.curvatures(altitude, CELL)
    bands = [
        altitude,
        terrain.slope(altitude, CELL),
        terrain.aspect(altitude, CELL),
        plan,
        profile,
        terrain.ruggedness(altitude, CELL),
    ]
    stack = FactorStack(np.stack(bands), grid, NAMES, INFO)
    rng = np.random.default_rng(0)
    row, col = rng.integers(0, 200, (2, 1500))
    xs, ys = grid.centres()
    table = pd.DataFrame(
        {"x": xs[col], "y": ys[row], **{name: stack.band(name)[row, col] for name in NAMES}}
    )
    steep = table["slope"] + rng.normal(0, 3, len(table))
    return stack, table.assign(
        label=(steep > steep.median()).astype(int), landslide_id=-1, fold=np.arange(len(table)) % 5
    )


@pytest.mark.benchmark(group="XGBoost map")
def test_xgboost(timed, dem, samples):
    _map(timed, dem, models.make("xgboost").fit(*samples, 0))


@pytest.mark.benchmark(group="CNN map, one network")
def test_cnn(timed, dem, samples):
    _map(timed, dem, models.make("cnn", seeds=1, epochs=2, patience=2).fit(*samples, 0))


def _map(timed, dem, model) -> None:
    folder, grid, millions = dem
    if not (folder / "factors.tif").exists():
        make_factors(folder, grid)

    def run():
        with compute_on(n_jobs=2):
            write_raster(
                folder / f"{model.name}.tif",
                model.predict_map(open_stack(folder / "factors.tif")),
                grid,
                ["susceptibility"],
            )

    timed(run, rounds=1, work=(millions, "M cells"))
    values = read_raster(folder / f"{model.name}.tif")[0]
    assert np.isfinite(values).all()
