"""Maps and samples against a known truth."""

import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from shapely.geometry import box
from sklearn import metrics
from sklearn.linear_model import LogisticRegression

from lsa_helpers import validation
from lsa_helpers.errors import StageError
from lsa_helpers.raster import empty_grid, on_grid, write_raster
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


def test_the_truth_is_read_on_the_cells_of_the_grid(tmp_path):
    """Truth of 2 × 2 cells of 20 m, a grid of 10 m that reaches one cell beyond it to the west and
    to the north: the nearest value, and none outside. A landslide holds the centres of two cells.
    """
    coarse = empty_grid((500_000, 3_300_000, 500_040, 3_300_040), 32648, 20)
    grid = empty_grid((499_990, 3_300_000, 500_040, 3_300_050), 32648, 10)
    values = on_grid(np.float32([[0.1, 0.2], [0.3, 0.4]]), coarse, "probability")
    write_raster(tmp_path / "probability.tif", values)
    slide = gpd.GeoSeries([box(499_992, 3_300_002, 500_008, 3_300_008)], crs=32648)
    slide.to_file(tmp_path / "landslides.gpkg")
    truth = validation.read_truth(tmp_path, xr.Dataset({"slope": grid}))
    west = [[np.nan] * 5] + 2 * [[np.nan, 0.1, 0.1, 0.2, 0.2]] + 2 * [[np.nan, 0.3, 0.3, 0.4, 0.4]]
    np.testing.assert_allclose(truth["probability"], west, rtol=1e-6)
    assert list(truth) == ["probability", "landslide"] and truth["landslide"].dtype == bool
    assert np.argwhere(truth["landslide"].values).tolist() == [[4, 0], [4, 1]]
    assert [truth[name].name for name in truth] == ["probability", "landslide"]
    write_raster(tmp_path / "reachable.tif", on_grid(1 - values.values, coarse, "reachable"))
    both = validation.read_truth(tmp_path, grid)
    np.testing.assert_allclose(both["reachable"], 1 - np.array(west), rtol=1e-6)
    samples = pd.DataFrame({"x": [500_025, 499_991], "y": [3_300_039, 3_300_001]})
    assert validation.at_samples(both["reachable"], samples)[0] == pytest.approx(0.8)
    assert validation.at_samples(both["landslide"], samples).tolist() == [False, True]


def test_only_cells_that_all_maps_and_the_truth_know_are_scored():
    """Of six cells three are known to both maps and the truth; the rest would turn every order."""
    grid = empty_grid((500_000, 3_300_000, 500_060, 3_300_010), 32648, 10)
    bands = {
        "probability": [0.1, 0.2, 0.9, np.nan, 0.5, 0.5],
        "a": [0.2, 0.6, 0.4, 0.0, 0.9, np.nan],
        "b": [0.1, 0.2, 0.3, 0.1, np.nan, 0.9],
    }
    truth, *maps = (on_grid(np.array([values]), grid, name) for name, values in bands.items())
    landslide = on_grid(np.array([[0, 0, 1, 1, 0, 0]]) == 1, grid, "landslide")
    table = validation.truth_scores(
        dict(zip("ab", maps, strict=True)),
        xr.Dataset({"probability": truth, "landslide": landslide}),
    )
    assert list(table) == ["model", "auc_map", "spearman"]
    assert table["model"].tolist() == ["a", "b", "oracle"]
    assert table["auc_map"].tolist() == [0.5, 1, 1]
    assert table["spearman"].tolist() == pytest.approx([0.5, 1, 1])
    everywhere = xr.Dataset({"probability": truth, "landslide": landslide | True})
    with pytest.raises(StageError, match="one class only"):
        validation.truth_scores({"a": maps[0]}, everywhere)
    samples = pd.DataFrame({"x": grid.x.values, "y": grid.y.values[0], "fold": [0, 1, 0, 0, 1, 1]})
    bounds = validation.bound_scores(
        samples, xr.Dataset({"probability": truth, "landslide": landslide})
    )
    assert bounds.to_dict() == {"oracle": 1} and bounds.name == "auc"


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
