"""Maps: they hold the predictions, in memory and in chunks alike, and `lsa map` writes them."""

import sys

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from statsmodels.discrete.discrete_model import Logit
from statsmodels.tools import add_constant

from lsa_helpers.errors import InputError
from lsa_helpers.models import (
    bf16_error,
    cross_validated_cells,
    cross_validated_map,
    fitted_coder,
    maps,
    predict_map,
    save,
)
from lsa_helpers.raster import known_cells, read_raster, rowcol, write_factors
from lsa_helpers.runner import cli
from lsa_helpers.validation import at_samples, fold_map
from tests.models.conftest import NAMES, make_estimators


@pytest.mark.parametrize("name", NAMES)
def test_map_holds_the_predictions_and_nan_where_factors_are_unknown(name, trained, sampled):
    factors, table = sampled
    susceptibility = predict_map(trained[name], factors)
    assert susceptibility.dtype == np.float32 and susceptibility.rio.crs == factors.rio.crs
    np.testing.assert_array_equal(susceptibility.notnull(), known_cells(factors))
    assert susceptibility.min() >= 0 and susceptibility.max() <= 1
    rows = trained[name].predict_proba(table)
    np.testing.assert_allclose(rows.sum(axis=1), 1)
    cells = susceptibility.values[rowcol(factors, table["x"], table["y"])]
    np.testing.assert_allclose(cells, rows[:, 1], atol=2e-6)
    assert roc_auc_score(table["label"], rows[:, 1]) > 0.8  # it learned the slope


@pytest.mark.parametrize("name", NAMES)
# 13 leaves strips of 2 and 5 cells, narrower than or as wide as a halo
@pytest.mark.parametrize("chunk", [13, 25, 96])
@pytest.mark.known_by("an identity", "Maps in chunks")
def test_maps_in_chunks_are_the_maps(trained, sampled, name, chunk, monkeypatch):
    """Whatever the blocks, cells and NaN are those of the map made at once, to the last bit where
    only the factors are in chunks; nothing is computed before it is asked for.
    """
    factors, _ = sampled
    at_once = predict_map(trained[name], factors)
    chunked = factors.chunk(y=chunk, x=chunk)
    np.testing.assert_array_equal(predict_map(trained[name], chunked), at_once)
    monkeypatch.setattr(maps, "BLOCK", chunk)
    lazy = predict_map(trained[name], chunked)
    assert lazy.chunks and lazy.shape == factors["slope"].shape
    np.testing.assert_allclose(lazy, at_once, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_bytes(name, trained, sampled):
    factors, table = sampled
    again = make_estimators(factors)[name].fit(table, table["label"])
    maps = (predict_map(each, factors, n_jobs=n) for n, each in ((1, again), (2, trained[name])))
    assert len({each.values.tobytes() for each in maps}) == 1


@pytest.mark.parametrize("name", NAMES)
def test_only_the_cells_wanted_are_mapped(trained, sampled, name):
    """And the CNN sees their neighbours all the same."""
    factors, _ = sampled
    where = known_cells(factors).copy()
    where[:, 40:] = False
    whole, part = predict_map(trained[name], factors), predict_map(trained[name], factors, where)
    np.testing.assert_array_equal(part, whole.where(where))


def test_cells_wanted_of_factors_in_chunks(trained, sampled):
    """Lazy as the factors are, and the same cells."""
    factors, _ = sampled
    where = known_cells(factors).copy()
    where[:, 40:] = False
    lazy = predict_map(trained["xgboost"], factors.chunk(y=30, x=25), where)
    assert lazy.chunks
    np.testing.assert_array_equal(lazy, predict_map(trained["xgboost"], factors, where))


def test_blocks_of_nodata_are_not_predicted(trained, sampled, monkeypatch):
    """A block without a known cell is NaN and never reaches the model."""
    factors, _ = sampled
    monkeypatch.setattr(maps, "BLOCK", 40)
    half = factors.assign(slope=factors["slope"].where(factors.y < factors.y[39]))
    asked, logistic = [], trained["logistic"]
    real = type(logistic).predict_proba
    monkeypatch.setattr(
        type(logistic), "predict_proba", lambda self, X: (asked.append(len(X)), real(self, X))[1]
    )
    susceptibility = predict_map(logistic, half.chunk(y=40, x=40)).values
    assert np.isnan(susceptibility[:40]).all() and np.isfinite(susceptibility[40:]).all()
    assert sorted(asked) == [16 * 40, 40 * 40, 40 * 40]


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (7, 7), (3, 50)])
@pytest.mark.parametrize("name", NAMES)
def test_maps_of_any_extent(trained, sampled, name, shape):
    """One cell, one row, one column, an extent as large as the window: a finite value for every
    known cell, NaN for the others.
    """
    small = sampled[0].isel(y=slice(20, 20 + shape[0]), x=slice(20, 20 + shape[1])).copy(deep=True)
    small["slope"].values[-1, -1] = np.nan
    for area in (small, small.chunk(y=20, x=20)):
        susceptibility = predict_map(trained[name], area).values
        assert susceptibility.shape == shape and np.isnan(susceptibility[-1, -1])
        assert np.isfinite(susceptibility).sum() == shape[0] * shape[1] - 1


@pytest.mark.parametrize("name", NAMES)
def test_constant_unknown_and_unseen_factors(sampled, name):
    """A constant factor and a class never seen break nothing; one that is unknown everywhere leaves
    no cell to map.
    """
    factors, table = sampled
    flat = factors.assign(ndvi=factors["ndvi"].where(factors["ndvi"].isnull(), 5))
    flat["lulc"] = flat["lulc"].where(flat["lulc"] != 30, 99)
    rows = table.assign(ndvi=np.float32(5))
    estimator = make_estimators(flat)[name].fit(rows, rows["label"])
    assert predict_map(estimator, flat).notnull().equals(known_cells(flat))
    assert predict_map(estimator, flat.assign(ndvi=flat["ndvi"] * np.nan)).isnull().all()
    with pytest.raises(InputError, match='no factor "ndvi"'):
        predict_map(estimator, factors.drop_vars("ndvi"))


@pytest.mark.known_by("theory", "Logistic regression")
def test_logistic_is_maximum_likelihood(sampled):
    """The coefficients are those of statsmodels' Logit."""
    factors, table = sampled
    logistic = make_estimators(factors, names=["slope", "ndvi"])["logistic"]
    logistic.fit(table, table["label"])
    coded = add_constant(fitted_coder(logistic).transform(table))
    reference = Logit(table["label"], coded).fit(disp=0).params
    classifier = logistic[-1]
    parameters = [classifier.intercept_[0], *classifier.coef_[0]]
    np.testing.assert_allclose(parameters, reference, rtol=1e-3)


def test_the_error_of_bfloat16_is_measured(trained, sampled):
    """Small but not nothing, the same from chunks, and refused for models without a network."""
    factors, cnn = sampled[0], trained["cnn"]
    largest, mean = bf16_error(cnn, factors)
    assert 0 < mean < largest < 0.05 and not cnn.bf16
    assert bf16_error(cnn, factors.chunk(y=25, x=25)) == pytest.approx((largest, mean), rel=1e-3)
    with pytest.raises(InputError, match="networks"):
        bf16_error(trained["rf"], factors)
    with pytest.raises(InputError, match="no cell with all factors"):
        bf16_error(cnn, factors * np.nan)


@pytest.fixture()
def lsa_map(trained, sampled, tmp_path, monkeypatch):
    """(function that runs ``lsa map`` with more arguments, the forest's map): a saved forest and
    factors on disk.
    """
    factors, _ = sampled
    save(trained["rf"], tmp_path / "rf", factors)
    write_factors(tmp_path / "factors.tif", factors)

    def run(*more: str) -> int:
        command = ["lsa", "map", str(tmp_path / "rf"), str(tmp_path / "factors.tif"), *more]
        monkeypatch.setattr(sys, "argv", command)
        try:
            cli.main()
        except SystemExit as stop:
            return stop.code or 0
        return 0

    return run, predict_map(trained["rf"], factors)


def test_lsa_map_maps_any_area(lsa_map, tmp_path, capsys):
    """The command writes what the model gives; a file is not overwritten by its own map, and a
    wrong model or scheduler is named.
    """
    run, expected = lsa_map
    assert run(str(tmp_path / "map.tif"), "--chunk", "64") == 0
    (written,) = read_raster(tmp_path / "map.tif").values()
    np.testing.assert_allclose(written, expected, atol=1e-6)
    assert "80 × 96 cells, by rf" in capsys.readouterr().out
    assert run(str(tmp_path / "factors.tif")) == 2 and "overwrite" in capsys.readouterr().err
    assert run(str(tmp_path / "b.tif"), "--bf16") == 2 and "networks" in capsys.readouterr().err
    assert run(str(tmp_path / "b.tif"), "--scheduler", "tcp://127.0.0.1:9") == 2
    assert "does not answer" in capsys.readouterr().err
    assert not (tmp_path / "b.tif").exists()


def test_a_dask_cluster_gives_the_same_map(lsa_map, tmp_path):
    """A scheduler's address is used: a worker process computes the blocks."""
    from distributed import LocalCluster

    run, expected = lsa_map
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        more = ("--scheduler", cluster.scheduler_address, "--chunk", "64")
        assert run(str(tmp_path / "map.tif"), *more) == 0
    (written,) = read_raster(tmp_path / "map.tif").values()
    np.testing.assert_allclose(written, expected, atol=1e-6)


def test_processes_of_this_machine_give_the_same_map(lsa_map, tmp_path):
    run, expected = lsa_map
    more = ("--scheduler", "local", "--chunk", "64", "--jobs", "2")
    assert run(str(tmp_path / "map.tif"), *more) == 0
    (written,) = read_raster(tmp_path / "map.tif").values()
    np.testing.assert_allclose(written, expected, atol=1e-6)


def test_cells_get_what_the_cross_validated_map_holds(sampled):
    factors, table = sampled
    estimator = make_estimators(factors)["logistic"]
    folds = fold_map(table, factors, block_m=200, seed=1)
    whole = cross_validated_map(estimator, table, factors, folds)
    some = table.iloc[::3]
    values = cross_validated_cells(estimator, table, some, folds)
    np.testing.assert_allclose(values, at_samples(whole, some), atol=1e-6)
