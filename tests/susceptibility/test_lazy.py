"""Rasters larger than memory: every call gives block by block what it gives for the whole array."""

import json
import sys
from types import SimpleNamespace

import dask.array as da
import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS

from lsa_helpers import models
from lsa_helpers.errors import InputError, StageError
from lsa_helpers.factors import FactorStack, open_stack, terrain, write_stack
from lsa_helpers.models.lazy import bf16_error
from lsa_helpers.grid import Grid, open_raster, read_raster, write_raster
from lsa_helpers.runner import cli

SMALL = {
    "rf": {"n_trees": 10},
    "xgboost": {"rounds": 10},
    "logistic": {},
    "cnn": {"window": 7, "seeds": 1, "epochs": 2, "patience": 2},
}


def _lazy(stack, chunk):
    return FactorStack(
        da.from_array(stack.values, chunks=(-1, chunk, chunk)), stack.grid, stack.names, stack.info
    )


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize(
    "chunk", [13, 25, 96]
)  # 13 leaves strips of 2 and 5 cells, narrower than or as wide as a halo
def test_lazy_maps_are_the_maps(sampled, name, chunk):
    """Whatever the blocks, cells and NaN are those of the map made at once; nothing is computed
    before it is asked for.
    """
    stack, table = sampled
    model = models.make(name, **SMALL[name]).fit(stack, table, 0)
    whole, lazy = model.predict_map(stack), model.predict_map(_lazy(stack, chunk))
    assert isinstance(lazy, da.Array) and lazy.shape == whole.shape
    np.testing.assert_allclose(lazy.compute(), whole, atol=1e-6)


@pytest.mark.parametrize("name", ["rf", "xgboost"])
def test_one_core_for_the_copy_alone(sampled, name):
    """Blocks run side by side, so the model inside a block has one core; the user's own keeps what
    it was given.
    """
    stack, table = sampled
    model = models.make(name, n_jobs=2, **SMALL[name]).fit(stack, table, 0)
    one = model.on_one_core()
    rows = model.encoder.table(table)
    np.testing.assert_array_equal(one.predict_rows(rows), model.predict_rows(rows))
    threads = {
        "rf": lambda it: it.forest.n_jobs,
        "xgboost": lambda it: int(
            json.loads(it.booster.save_config())["learner"]["generic_param"]["nthread"]
        ),
    }
    assert [(it.n_jobs, threads[name](it)) for it in (one, model)] == [(1, 1), (2, 2)]


def test_water_needs_the_whole_dem():
    """Flow crosses every block, so a DEM in blocks is refused with the way out."""
    with pytest.raises(InputError, match="water flows across"):
        terrain.wetness(da.zeros((50, 60), chunks=25), 12.5)


def test_blocks_of_nodata_are_not_predicted(sampled):
    """A block without a known cell is NaN and never reaches the model."""
    stack, table = sampled
    values = stack.values.copy()
    values[0, :40] = np.nan
    model = models.make("logistic").fit(stack, table, 0)
    asked = []
    real = type(model).map_values
    type(model).map_values = lambda self, part, valid, **rest: (
        asked.append(valid.shape),
        real(self, part, valid, **rest),
    )[1]
    try:
        half = model.predict_map(
            _lazy(FactorStack(values, stack.grid, stack.names, stack.info), 40)
        ).compute()
    finally:
        type(model).map_values = real
    assert np.isnan(half[:40]).all() and np.isfinite(half[40:]).any()
    assert sorted(asked) == [(40, 16), (40, 40), (40, 40)]


@pytest.mark.parametrize("factor", ["slope", "aspect", "ruggedness"])
def test_lazy_terrain_is_the_terrain(factor):
    dem = np.cumsum(np.random.default_rng(0).normal(size=(70, 90)), axis=0).astype(np.float32)
    dem[10:14, 20:23] = np.nan
    make = getattr(terrain, factor)
    np.testing.assert_allclose(
        make(da.from_array(dem, chunks=32), 12.5).compute(), make(dem, 12.5), rtol=1e-5, atol=1e-4
    )


def test_lazy_curvatures_are_the_curvatures():
    dem = np.cumsum(np.random.default_rng(0).normal(size=(70, 90)), axis=0).astype(np.float32)
    dem[0, 5] = np.nan
    for lazy, whole in zip(
        terrain.curvatures(da.from_array(dem, chunks=32), 12.5),
        terrain.curvatures(dem, 12.5),
        strict=True,
    ):
        np.testing.assert_allclose(lazy.compute(), whole, atol=1e-7)


def test_lazy_rasters_are_written_and_opened(tmp_path):
    """The file is the one an array in memory gives, a valid COG, with nothing left beside it;
    opened lazily it has the same values.
    """
    values = np.random.default_rng(0).normal(size=(2, 300, 400)).astype(np.float32)
    values[0, :20] = np.nan
    grid = Grid.from_bounds((0, 0, 4000, 3000), "EPSG:32648", 10)
    write_raster(
        tmp_path / "lazy.tif",
        da.from_array(values, chunks=(2, 128, 128)),
        grid,
        ["a", "b"],
        ["m", "1"],
    )
    write_raster(tmp_path / "whole.tif", values, grid, ["a", "b"], ["m", "1"])
    for file in ("lazy.tif", "whole.tif"):
        found, own, names = read_raster(tmp_path / file)
        np.testing.assert_array_equal(found, values)
        assert own == grid and names == ["a", "b"]
    with rasterio.open(tmp_path / "lazy.tif") as file:
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG" and file.units == ("m", "1")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lazy.tif", "whole.tif"]
    opened, own, names = open_raster(tmp_path / "lazy.tif", chunk=128)
    assert own == grid and names == ["a", "b"] and opened.chunksize == (2, 128, 128)
    np.testing.assert_array_equal(opened.compute(), values)


def test_a_stack_without_description_is_named(tmp_path):
    grid = Grid.from_bounds((0, 0, 40, 30), "EPSG:32648", 10)
    write_raster(tmp_path / "factors.tif", np.zeros((1, 3, 4), np.float32), grid, ["slope"])
    with pytest.raises(InputError, match=r"factors\.json"):
        open_stack(tmp_path / "factors.tif")
    with pytest.raises(InputError, match=r"none\.tif"):
        open_stack(tmp_path / "none.tif")


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (7, 7), (3, 50)])
@pytest.mark.parametrize("name", SMALL)
def test_maps_of_any_extent(sampled, name, shape):
    """One cell, one row, one column, an extent as large as the window: a finite value for every
    known cell, NaN for the others.
    """
    stack, table = sampled
    model = models.make(name, **SMALL[name]).fit(stack, table, 0)
    values = stack.values[:, 20 : 20 + shape[0], 20 : 20 + shape[1]].copy()
    values[0, -1, -1] = np.nan
    small = FactorStack(
        values, Grid(stack.grid.crs, stack.grid.transform, *shape), stack.names, stack.info
    )
    for found in (model.predict_map(small), model.predict_map(_lazy(small, 20)).compute()):
        assert found.shape == shape and np.isnan(found[-1, -1])
        assert np.isfinite(found).sum() == shape[0] * shape[1] - 1


@pytest.mark.parametrize("name", SMALL)
def test_constant_and_unknown_factors(sampled, name):
    """A constant factor changes nothing and breaks nothing; one that is unknown everywhere leaves
    no cell to map.
    """
    stack, table = sampled
    flat = FactorStack(stack.values.copy(), stack.grid, stack.names, stack.info)
    flat.values[1] = np.where(np.isfinite(flat.values[1]), 5, np.nan)
    model = models.make(name, **SMALL[name]).fit(flat, table.assign(ndvi=5.0), 0)
    found = model.predict_map(flat)
    assert np.isfinite(found[stack.valid]).all()
    flat.values[1] = np.nan
    assert np.isnan(model.predict_map(flat)).all()


@pytest.fixture()
def mapped(sampled, tmp_path, monkeypatch):
    """(function that runs ``lsa map`` with more arguments, model's own map): a saved forest and a
    factor stack on disk.
    """
    stack, table = sampled
    model = models.make("rf", **SMALL["rf"]).fit(stack, table, 0)
    model.save(tmp_path / "rf")
    write_stack(
        stack,
        SimpleNamespace(product=lambda name: tmp_path / name, write_json=_write_json(tmp_path)),
    )

    def run(*more: str) -> int:
        monkeypatch.setattr(
            sys, "argv", ["lsa", "map", str(tmp_path / "rf"), str(tmp_path / "factors.tif"), *more]
        )
        try:
            cli.main()
        except SystemExit as stop:
            return stop.code or 0
        return 0

    return run, model.predict_map(stack)


def _write_json(folder):
    return lambda content, name: (folder / name).write_text(json.dumps(content))


def test_lsa_map_maps_any_area(mapped, tmp_path, capsys):
    """The command writes what the model gives; a file is not overwritten by its own map, and a
    wrong model or scheduler is named.
    """
    run, expected = mapped
    assert run(str(tmp_path / "map.tif"), "--chunk", "64") == 0
    np.testing.assert_allclose(read_raster(tmp_path / "map.tif")[0][0], expected, atol=1e-6)
    assert run(str(tmp_path / "factors.tif")) == 2 and "overwrite" in capsys.readouterr().err
    assert (
        run(str(tmp_path / "b.tif"), "--scheduler", "tcp://127.0.0.1:9") == 2
        and "does not answer" in capsys.readouterr().err
    )
    assert not (tmp_path / "b.tif").exists()


def test_a_dask_cluster_gives_the_same_map(mapped, tmp_path):
    """A scheduler's address is used: a worker process computes the blocks."""
    from distributed import LocalCluster

    run, expected = mapped
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        assert (
            run(
                str(tmp_path / "map.tif"), "--scheduler", cluster.scheduler_address, "--chunk", "64"
            )
            == 0
        )
    np.testing.assert_allclose(read_raster(tmp_path / "map.tif")[0][0], expected, atol=1e-6)


def test_processes_of_this_machine_give_the_same_map(mapped, tmp_path):
    run, expected = mapped
    assert (
        run(str(tmp_path / "map.tif"), "--scheduler", "local", "--chunk", "64", "--jobs", "2") == 0
    )
    np.testing.assert_allclose(read_raster(tmp_path / "map.tif")[0][0], expected, atol=1e-6)


def test_xgboost_trained_by_workers_is_xgboost(sampled):
    """Two workers, each with half of the rows, grow the trees one process grows, up to the rounding
    of their sums.
    """
    stack, table = sampled
    how = {"rounds": 5, "subsample": 1.0, "depth": 3}
    here = models.make("xgboost", **how).fit(stack, table, 0).predict(stack, table)
    there = (
        models.make("xgboost", n_jobs=2, scheduler="local", **how)
        .fit(stack, table, 0)
        .predict(stack, table)
    )
    assert np.abs(here - there).mean() < 0.01 and np.corrcoef(here, there)[0, 1] > 0.98


def test_xgboost_takes_a_table_in_parts(sampled, tmp_path, monkeypatch):
    """From a Parquet folder of four files: the coding is the one of the whole table, the workers
    get four parts, the trees are the same.
    """
    import dask.dataframe as dd
    from xgboost import dask as xgb_dask

    stack, table = sampled
    dd.from_pandas(table, npartitions=4).to_parquet(tmp_path / "samples")
    parts, real = [], xgb_dask.DaskDMatrix.__init__
    spy = lambda self, client, X, y: (
        parts.append((type(X), X.npartitions)),
        real(self, client, X, y),
    )[1]
    monkeypatch.setattr(xgb_dask.DaskDMatrix, "__init__", spy)
    how = {"rounds": 5, "subsample": 1.0, "depth": 3}
    here = models.make("xgboost", **how).fit(stack, table, 0)
    there = models.make("xgboost", n_jobs=2, **how).fit(stack, tmp_path / "samples", 0)
    assert parts == [(dd.DataFrame, 4)]
    assert there.encoder.columns == here.encoder.columns and there.learned_on == here.learned_on
    assert there.encoder.factors["slope"]["mean"] == pytest.approx(
        here.encoder.factors["slope"]["mean"]
    )
    assert there.encoder.factors["slope"]["std"] == pytest.approx(
        here.encoder.factors["slope"]["std"]
    )
    first, second = here.predict(stack, table), there.predict(stack, table)
    assert np.abs(first - second).mean() < 0.01 and np.corrcoef(first, second)[0, 1] > 0.98
    again = models.load(there.save(tmp_path / "model"))
    np.testing.assert_array_equal(again.predict(stack, table), second)


def test_a_table_in_parts_has_the_same_errors(sampled):
    """One class, a gap in a factor and a misspelt coding are named as for a table in memory."""
    import dask.dataframe as dd
    from distributed import LocalCluster

    stack, table = sampled
    holed = table.assign(ndvi=table["ndvi"].where(table.index != 7))
    cases = [
        (table.assign(label=1), {}, StageError, "one class only"),
        (holed, {}, InputError, f'factor "ndvi".*unknown.*1 of {len(table)} rows'),
        (table, {"coding": {"slop": "circular"}}, InputError, "parameter coding.*slop"),
    ]
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        for rows, how, error, words in cases:
            with pytest.raises(error, match=words):
                models.make("xgboost", scheduler=cluster.scheduler_address, **how).fit(
                    stack, dd.from_pandas(rows, npartitions=3), 0
                )


def test_the_error_of_bfloat16_is_measured(sampled, mapped, tmp_path, capsys):
    """Small but not nothing, the same from a Dask array, and refused for models without a network."""
    stack, table = sampled
    model = models.make("cnn", **SMALL["cnn"]).fit(stack, table, 0)
    largest, mean = bf16_error(model, stack)
    assert 0 < mean < largest < 0.05
    assert bf16_error(model, _lazy(stack, 25)) == pytest.approx((largest, mean), rel=1e-3)
    model.bf16 = True
    rough = model.predict_map(stack)
    model.bf16 = False
    assert np.nanmax(np.abs(rough - model.predict_map(stack))) >= largest
    run, _ = mapped
    assert run(str(tmp_path / "map.tif"), "--bf16") == 2 and "networks" in capsys.readouterr().err


def _changed(stack, name="slope", crs=None, cell=None, **info):
    """The stack with another meaning: a factor's info, the CRS or the size of a cell."""
    transform = (
        stack.grid.transform
        if cell is None
        else stack.grid.transform @ Affine.scale(cell / stack.grid.cell_size)
    )
    grid = Grid(CRS.from_epsg(crs) if crs else stack.grid.crs, transform, *stack.grid.shape)
    return FactorStack(
        stack.values, grid, stack.names, stack.info | {name: stack.info[name] | info}
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"crs": 4326, "cell": 0.001}, ("metres", "EPSG:4326", "UTM")),
        ({"crs": 2263}, ("metres", "EPSG:2263")),  # US feet
        ({"unit": "%"}, ('"slope"', "unit", "% instead of 1")),
        ({"kind": "circular"}, ('"slope"', "kind", "circular instead of continuous")),
        ({"name": "lulc", "classes": {20: "water"}}, ('"lulc"', "20 is water", "forest")),
        ({"cell": 12.7}, ("12.7", "12.5", "window of 7")),
    ],
    ids=lambda value: "-".join(map(str, value)) if isinstance(value, dict) else "",
)
def test_another_area_must_mean_the_same(sampled, tmp_path, change, words):
    """Saved and loaded, a model refuses degrees, feet, other units, kinds, classes and, where it
    has a window, other cells.
    """
    stack, table = sampled
    stack = _changed(stack, name="lulc", classes={10: "10", 20: "forest"})
    model = models.load(
        models.make("cnn", **SMALL["cnn"]).fit(stack, table, 0).save(tmp_path / "cnn")
    )
    assert np.isfinite(model.predict_map(stack)[20, 20])
    other = _changed(stack, **change)
    for area in (other, _lazy(other, 25)):
        with pytest.raises(InputError) as caught:
            model.predict_map(area)
        assert all(word in str(caught.value) for word in words)


def test_cells_may_differ_a_little_and_without_a_window_at_will(sampled):
    stack, table = sampled
    models.make("cnn", **SMALL["cnn"]).fit(stack, table, 0).predict_map(_changed(stack, cell=12.6))
    models.make("logistic").fit(stack, table, 0).predict_map(
        _changed(stack, cell=30.0, name="lulc", classes={10: "a"})
    )


def test_models_saved_before_areas_were_kept_still_map(sampled, tmp_path):
    """Without the keys everything but degrees is let through, as it was."""
    stack, table = sampled
    model = models.make("cnn", **SMALL["cnn"]).fit(stack, table, 0)
    config = json.loads((model.save(tmp_path / "cnn") / "config.json").read_text())
    assert (
        config["learned_on"]["cell_size_m"] == 12.5
        and config["learned_on"]["factors"]["aspect"]["kind"] == "circular"
    )
    del config["learned_on"]
    (tmp_path / "cnn" / "config.json").write_text(json.dumps(config))
    old = models.load(tmp_path / "cnn")
    np.testing.assert_array_equal(
        old.predict_map(_changed(stack, cell=30.0, unit="%")), model.predict_map(stack)
    )
    with pytest.raises(InputError, match="metres"):
        old.predict_map(_changed(stack, crs=4326, cell=0.001))


def test_lsa_map_refuses_degrees(mapped, sampled, tmp_path, capsys):
    run, _ = mapped
    stack = _changed(sampled[0], crs=4326, cell=0.001)
    write_raster(tmp_path / "factors.tif", stack.values, stack.grid, stack.names)
    assert run(str(tmp_path / "map.tif")) == 2 and "EPSG:4326" in capsys.readouterr().err
    assert not (tmp_path / "map.tif").exists()
