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
    assert table["spearman"].to_dict() == pytest.approx({"rf": 1, "cnn": -1, "oracle": 1})
    oracle = metrics.roc_auc_score(truth["landslide"].values[known], probability.values[known])
    assert table.loc["rf", "auc_map"] == pytest.approx(oracle)
    assert table.loc["cnn", "auc_map"] == pytest.approx(1 - oracle)
    assert table.loc["oracle"].tolist() == pytest.approx([oracle, 1])
    assert "reachable" not in table.index  # this truth has no such raster
    with_reachable = truth.assign(reachable=np.sqrt(probability))
    again = validation.truth_scores(maps, with_reachable).set_index("model")
    assert again.loc["reachable"].tolist() == pytest.approx([oracle, 1])
    with pytest.raises(StageError, match="one class only in the cells the maps know"):
        validation.truth_scores({"rf": probability.where(~truth["landslide"])}, truth)


def test_bounds_are_of_the_true_labels_in_the_cells_of_the_samples(truth, sampled):
    """Not of the labels the samples carry; where no sample lies in a true landslide, none."""
    _, table = sampled
    wrong = table.assign(label=1 - table["label"])
    expected = validation.within_groups_auc(
        table["label"], validation.at_samples(truth["probability"], table), table["fold"]
    )
    assert validation.bound_scores(wrong, truth).to_dict() == pytest.approx({"oracle": expected})
    reachable = validation.bound_scores(table, truth.assign(reachable=-truth["probability"]))
    assert reachable["reachable"] == pytest.approx(1 - expected)
    bare = truth.assign(landslide=truth["landslide"] & False)
    with warnings.catch_warnings(action="error", category=UserWarning):
        assert np.isnan(validation.bound_scores(table, bare)["oracle"])


def test_predictions_are_scored_on_true_labels_beside_the_detected(truth, sampled):
    """A model of half wrong labels: its AUC on them, and on the truth in the same cells."""
    _, table = sampled
    rng = np.random.default_rng(0)
    label = np.where(rng.random(len(table)) < 0.3, 1 - table["label"], table["label"])
    guess = rng.random(len(table)) / 2 + table["label"] / 3
    rows = {"sample": table.index, "fold": 0, "label": label, "probability": guess}
    predictions = pd.DataFrame({"scheme": "spatial", "model": "rf", **rows})
    how = {"block_m": 200, "seed": 0}
    scored = validation.score_table(predictions, table, "spatial", truth=truth, **how).iloc[0]
    true_label = validation.at_samples(truth["landslide"], table)
    assert scored["auc"] == pytest.approx(metrics.roc_auc_score(label, guess))
    assert scored["auc_true"] == pytest.approx(metrics.roc_auc_score(true_label, guess))
    assert scored["auc_true_low"] < scored["auc_true"] < scored["auc_true_high"]
    assert "auc_true" not in validation.score_table(predictions, table, "spatial", **how)


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
