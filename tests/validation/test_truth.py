"""Maps and samples against a known truth."""

import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from sklearn.linear_model import LogisticRegression

from lsa_helpers import validation
from lsa_helpers.errors import StageError
from lsa_helpers.raster import on_grid, write_raster
from tests.hillside import make_hillside


@pytest.fixture(scope="module")
def truth(sampled, tmp_path_factory):
    """A truth as chapter 01 leaves it: probability by slope, landslides where the samples are."""
    factors, table = sampled
    folder = tmp_path_factory.mktemp("truth")
    assert validation.read_truth(folder, factors) is None
    probability = 1 / (1 + np.exp(-(factors["slope"] - 35) / 5))
    write_raster(folder / "probability.tif", on_grid(probability.values, factors, "probability"))
    slides = table[table["label"] == 1]
    circles = gpd.GeoSeries(gpd.points_from_xy(slides["x"], slides["y"]).buffer(8), crs=32648)
    circles.to_crs(4326).to_file(folder / "landslides.gpkg")
    truth = validation.read_truth(folder, factors)
    np.testing.assert_array_equal(truth["probability"], probability.astype(np.float32))
    return truth


def test_the_landslides_cover_the_cells_whose_centre_they_hold(truth, sampled):
    _, table = sampled
    slides = table[table["label"] == 1]
    assert validation.at_samples(truth["landslide"], slides).all()
    assert truth["landslide"].sum() == len(slides[["x", "y"]].drop_duplicates())


def test_maps_against_the_truth_by_hand(truth):
    """The truth squared ranks as the truth, its complement the other way round."""
    probability = truth["probability"]
    known = probability.notnull().values
    maps = {"rf": probability**2, "cnn": 1 - probability}
    table = validation.truth_scores(maps, truth).set_index("model")
    assert table["spearman"].to_dict() == pytest.approx({"rf": 1, "cnn": -1})
    oracle = metrics.roc_auc_score(truth["landslide"].values[known], probability.values[known])
    assert table.loc["rf", "auc_map"] == pytest.approx(oracle)
    assert table.loc["cnn", "auc_map"] == pytest.approx(1 - oracle)
    assert table["ceiling_auc"].tolist() == pytest.approx([oracle, oracle])
    with pytest.raises(StageError, match="one class only in the cells the maps know"):
        validation.truth_scores({"rf": probability.where(~truth["landslide"])}, truth)


def test_ceilings_are_of_the_samples(truth, sampled):
    """Their own labels and the true ones in the same cells; labels that are all alike have none."""
    _, table = sampled
    auc = validation.ceilings(table, truth).set_index("labels")["ceiling_auc"]
    probability = validation.at_samples(truth["probability"], table)
    assert auc["inventory"] == pytest.approx(metrics.roc_auc_score(table["label"], probability))
    bare = truth.assign(landslide=truth["landslide"] & False)
    with warnings.catch_warnings(action="error", category=UserWarning):
        none = validation.ceilings(table, bare).set_index("labels")["ceiling_auc"]
    assert none["inventory"] == auc["inventory"]
    assert np.isnan(none["truth"])


def test_the_ceiling_stands_beside_the_auc(truth, sampled):
    _, table = sampled
    scores = pd.DataFrame({"model": ["rf"], "auc": [0.8], "brier": [0.1]})
    beside = validation.with_ceiling(scores, table, truth)
    assert list(beside) == ["model", "auc", "ceiling_auc", "brier"]
    last = validation.with_ceiling(scores.drop(columns="auc"), table, truth)
    assert list(last) == ["model", "brier", "ceiling_auc"]
    assert validation.with_ceiling(scores, table, None) is scores


def test_a_model_told_the_truth_reaches_the_oracle():
    """Landslides drawn from a known probability: a model given its logit as the only factor has the
    AUC of the probability itself.
    """
    rng = np.random.default_rng(0)
    factors, _ = make_hillside(200, 240)
    slope = factors["slope"].values[np.isfinite(factors["slope"].values)]
    logit = (slope - 40) / 4
    landslide = rng.random(logit.shape) < 1 / (1 + np.exp(-logit))
    rows = rng.choice(len(logit), 3000, replace=False)
    model = LogisticRegression().fit(logit[rows, None], landslide[rows])
    reached = metrics.roc_auc_score(landslide, model.predict_proba(logit[:, None])[:, 1])
    assert reached == pytest.approx(metrics.roc_auc_score(landslide, logit), abs=1e-6)
