"""Trained models in files: equal predictions, no pickles, no use where numbers mean otherwise."""

import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import xarray as xr
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import RandomizedSearchCV
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC

from lsa_helpers.errors import InputError
from lsa_helpers.models import can_load, fitted_coder, load, predict_map, save, saved_window
from lsa_helpers.raster import empty_grid, on_grid
from lsa_helpers.samples import coded_groups, factor_coder
from lsa_helpers.validation.splitter import SpatialBlockKFold
from tests.models.conftest import NAMES, make_estimators


@pytest.mark.parametrize("name", NAMES)
def test_save_and_load_give_equal_predictions(name, trained, sampled, tmp_path):
    factors, table = sampled
    save(trained[name], tmp_path, factors)
    loaded = load(tmp_path, factors)
    before, after = (each.predict_proba(table) for each in (trained[name], loaded))
    np.testing.assert_array_equal(after, before)
    assert coded_groups(fitted_coder(loaded)) == coded_groups(fitted_coder(trained[name]))
    endings = {path.suffix for path in tmp_path.iterdir()}
    assert endings <= {".json", ".skops", ".safetensors"} and can_load(tmp_path)


TRAIN_AND_SAVE = """
import sys
from pathlib import Path
import pandas as pd
from sklearn.base import clone
from lsa_helpers.models import save
from tests.hillside import make_hillside
from tests.models.conftest import make_estimators
folder, (factors, _) = Path(sys.argv[1]), make_hillside()
table = pd.read_parquet(folder / "samples.parquet")
for name, estimator in make_estimators(factors).items():
    save(clone(estimator).fit(table, table["label"]), folder / "second" / name, factors)
"""


def test_two_saves_are_the_same_bytes(trained, sampled, tmp_path, root):
    """At another time and in another process, where every object lies elsewhere in memory."""
    factors, table = sampled
    table.to_parquet(tmp_path / "samples.parquet")
    for name, estimator in trained.items():
        save(estimator, tmp_path / "first" / name, factors)
        (file,) = (tmp_path / "first" / name).glob("*.skops")
        with zipfile.ZipFile(file) as archive:
            assert {item.date_time for item in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    command = [sys.executable, "-c", TRAIN_AND_SAVE, tmp_path]
    subprocess.run(command, check=True, cwd=root)
    files = [file.relative_to(tmp_path / "first") for file in tmp_path.glob("first/*/*")]
    assert len(files) == 9
    for file in files:
        one, other = ((tmp_path / folder / file).read_bytes() for folder in ("first", "second"))
        assert one == other, file


@pytest.mark.parametrize("name", NAMES)
def test_a_clone_of_a_loaded_model_learns_the_same(name, trained, sampled, tmp_path):
    factors, table = sampled
    save(trained[name], tmp_path, factors)
    again = clone(load(tmp_path, factors)).fit(table, table["label"])
    np.testing.assert_array_equal(again.predict_proba(table), trained[name].predict_proba(table))


def test_a_search_is_saved_as_a_search(sampled, tmp_path):
    """Cloned it searches anew, so whoever trains it without some rows searches without them."""
    factors, table = sampled
    machine = CalibratedClassifierCV(SVC(), ensemble=False)
    search = RandomizedSearchCV(
        Pipeline([("coder", factor_coder(factors)), ("machine", machine)]),
        {"machine__estimator__C": loguniform(0.1, 10)},
        n_iter=2,
        scoring="roc_auc",
        cv=SpatialBlockKFold(2, block_m=200),
        random_state=0,
    ).fit(table, table["label"])
    save(search, tmp_path, factors)
    loaded = load(tmp_path, factors)
    assert loaded.best_params_ == search.best_params_
    np.testing.assert_array_equal(loaded.predict_proba(table), search.predict_proba(table))
    assert not hasattr(clone(loaded), "best_params_") and clone(loaded).n_iter == 2


def test_what_a_file_may_hold_is_listed(sampled, tmp_path):
    """A pipeline with anything else in it is refused when it is read, not run."""
    factors, table = sampled
    forest = RandomForestClassifier(2, random_state=np.random.RandomState(0))
    stranger = Pipeline([("coder", factor_coder(factors)), ("forest", forest)])
    stranger.fit(table, table["label"]).note = Stranger()
    save(stranger, tmp_path, factors)
    with pytest.raises(Exception, match="Stranger"):
        load(tmp_path)


class Stranger:
    """Something no model needs."""


def test_without_a_model_the_way_out_is_named(tmp_path):
    with pytest.raises(InputError, match="no trained model.*Run chapter 05"):
        load(tmp_path)
    assert not can_load(tmp_path / "nowhere")


def test_without_torch_a_network_is_no_model_and_its_window_is_known(tmp_path, monkeypatch):
    """Its file is there and cannot be loaded; a pipeline beside it can, and sees one cell."""
    for name, config in {
        "cnn": {"estimator": "WindowCNN", "params": {"window": 15}},
        "rf": {"estimator": "Pipeline"},
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert can_load(tmp_path / "cnn")
    monkeypatch.setitem(sys.modules, "torch", None)
    assert not can_load(tmp_path / "cnn") and can_load(tmp_path / "rf")
    with pytest.raises(InputError, match="cnn: this model needs torch.*requirements.lock"):
        load(tmp_path / "cnn")
    windows = [saved_window(tmp_path / name) for name in ("cnn", "rf", "nowhere")]
    assert windows == [15, 1, 1]


def changed(factors, name="slope", crs=32648, cell=12.5, **attrs):
    """The factors with another meaning: a factor's attributes, the CRS or the size of a cell."""
    height, width = factors["slope"].shape
    left, top = (10, 50) if crs == 4326 else (500_000, 3_300_000)
    grid = empty_grid((left, top - height * cell, left + width * cell, top), crs, cell)
    moved = {
        key: on_grid(factor.values, grid, **factor.attrs | (attrs if key == name else {}))
        for key, factor in factors.items()
    }
    return xr.Dataset(moved)


@pytest.fixture(scope="module")
def saved(trained, sampled, tmp_path_factory):
    """Folder of a CNN that learned lulc 20 as forest."""
    folder = tmp_path_factory.mktemp("cnn")
    area = changed(sampled[0], name="lulc", classes={10: "10", 20: "forest"})
    save(trained["cnn"], folder, area)
    return folder


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"crs": 4326, "cell": 0.001}, ("metres", "EPSG:4326", "UTM")),
        ({"crs": 2263}, ("metres", "EPSG:2263")),  # US feet
        ({"units": "%"}, ('"slope"', "unit", "% instead of 1")),
        ({"kind": "circular"}, ('"slope"', "kind", "circular instead of continuous")),
        ({"name": "lulc", "classes": {20: "water"}}, ('"lulc"', "20 is water", "forest")),
        ({"cell": 12.7}, ("12.7", "12.5", "window of 7")),
    ],
    ids=lambda value: "-".join(map(str, value)) if isinstance(value, dict) else "",
)
def test_another_area_must_mean_the_same(saved, sampled, change, words):
    """Degrees, feet, other units, kinds, classes and, where it has a window, other cells."""
    area = changed(sampled[0], **change)
    for other in (area, area.chunk(y=25, x=25)):
        with pytest.raises(InputError) as caught:
            load(saved, other)
        assert all(word in str(caught.value) for word in words)


def test_cells_may_differ_a_little_and_without_a_window_at_will(saved, trained, sampled, tmp_path):
    area = changed(sampled[0], cell=12.6)
    assert np.isfinite(predict_map(load(saved, area), area)).any()
    save(trained["logistic"], tmp_path, sampled[0])
    load(tmp_path, changed(sampled[0], cell=30.0, name="lulc", classes={10: "a"}))


def test_the_config_says_what_it_learned_on(saved, sampled):
    config = json.loads((saved / "config.json").read_text())
    assert config["factors"] == list(sampled[0]) and config["learned_on"]["cell_size_m"] == 12.5
    assert config["learned_on"]["factors"]["aspect"]["kind"] == "circular"
    with pytest.raises(InputError, match='no factor "ndvi"'):
        load(saved, sampled[0].drop_vars("ndvi"))


def test_estimators_are_made_of_their_factors(sampled):
    factors, table = sampled
    logistic = make_estimators(factors, names=["slope"])["logistic"].fit(table, table["label"])
    holes = factors.assign(ndvi=factors["ndvi"].where(factors["ndvi"].y > 1e9))
    assert np.isfinite(predict_map(logistic, holes).values[40:50]).all()
