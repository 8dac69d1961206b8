"""Scores by hand and by scikit-learn, folds that keep their distance, the truth, and the published
Ecuador numbers.
"""

import warnings
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from affine import Affine
from rasterio.crs import CRS
from sklearn import metrics

from lsa_helpers import models, validation
from lsa_helpers.errors import StageError
from lsa_helpers.factors import FactorStack
from lsa_helpers.grid import Grid, write_raster
from lsa_helpers.run import Run
from lsa_helpers.samples import block_ids


def test_scores_match_scikit_learn():
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 300)
    guess = np.clip(0.3 * label + rng.random(300) * 0.7, 0, 1)
    hard = guess >= 0.5
    found = validation.scores(label, guess, np.arange(300) // 10)
    expected = {
        "auc": metrics.roc_auc_score(label, guess),
        "accuracy": metrics.accuracy_score(label, hard),
        "precision": metrics.precision_score(label, hard),
        "recall": metrics.recall_score(label, hard),
        "f1": metrics.f1_score(label, hard),
        "kappa": metrics.cohen_kappa_score(label, hard),
        "pr_auc": metrics.average_precision_score(label, guess),
        "mcc": metrics.matthews_corrcoef(label, hard),
        "brier": metrics.brier_score_loss(label, guess),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert tuple(found) == validation.SCORES
    contract = "auc,auc_low,auc_high,accuracy,precision,recall,f1,kappa,pr_auc,mcc,brier,ece"
    assert validation.SCORES[:12] == tuple(contract.split(","))
    assert found["auc_low"] < found["auc"] < found["auc_high"]


def test_youden_scores_match_scikit_learn():
    """The threshold is the best of all by scikit-learn's balanced accuracy (1 + J) / 2, and what is
    cut there is what it says.
    """
    rng = np.random.default_rng(2)
    label = (rng.random(200) < 0.3).astype(int)
    guess = np.round(np.clip(0.25 * label + rng.random(200) * 0.6, 0, 1), 2)
    found = validation.scores(label, guess, np.arange(200) // 10)
    tried = {
        value: metrics.balanced_accuracy_score(label, guess >= value) for value in np.unique(guess)
    }
    best = max(tried.values())
    assert found["threshold_youden"] == max(
        value for value, score in tried.items() if score == pytest.approx(best, abs=1e-12)
    )
    hard = guess >= found["threshold_youden"]
    expected = {
        "accuracy_youden": metrics.accuracy_score(label, hard),
        "precision_youden": metrics.precision_score(label, hard),
        "recall_youden": metrics.recall_score(label, hard),
        "f1_youden": metrics.f1_score(label, hard),
        "kappa_youden": metrics.cohen_kappa_score(label, hard),
        "prevalence": label.mean(),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    constant = np.full(200, 0.4)
    assert metrics.average_precision_score(label, constant) == pytest.approx(found["prevalence"])
    assert np.isfinite(validation.youden_threshold(label, -guess))


def test_intervals_hold_their_score_and_one_block_has_none(sampled):
    """AUC, average precision and Brier score lie in their intervals; a single block drawn again
    says nothing.
    """
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 300)
    guess = np.clip(0.3 * label + rng.random(300) * 0.7, 0, 1)
    found = validation.scores(label, guess, np.arange(300) // 10)
    none = validation.scores(label, guess, np.zeros(300))
    for name in ("auc", "pr_auc", "brier"):
        assert found[f"{name}_low"] < found[name] < found[f"{name}_high"]
        assert (
            found[name] == none[name]
            and np.isnan([none[f"{name}_low"], none[f"{name}_high"]]).all()
        )
    n = len(sampled[1])
    parts = [
        pd.DataFrame(
            {"scheme": "spatial", "model": name, "sample": range(n), "probability": rng.random(n)}
        )
        for name in "ab"
    ]
    pair = validation.paired_differences(pd.concat(parts), sampled[1], "spatial", block_m=1e7)
    assert pair[["low", "high", "p"]].isna().all(axis=None) and pair["difference"].notna().all()
    curve = validation.rate_curve(guess, label == 1, np.zeros(300))
    assert curve[["low", "high"]].isna().all(axis=None)


def test_brier_and_calibration_error_by_hand():
    label, guess = np.array([0, 0, 1, 1]), np.array([0.1, 0.6, 0.65, 1.0])
    found = validation.scores(label, guess, np.arange(4))
    assert found["brier"] == pytest.approx((0.01 + 0.36 + 0.1225 + 0) / 4)
    # Bins: {0.1}: |0 - 0.1|, {0.6, 0.65}: |1 - 1.25|, {1.0}: 0.
    assert found["ece"] == pytest.approx((0.1 + 0.25) / 4)


def test_interval_widens_when_neighbours_repeat_each_other():
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 40)
    guess = 0.3 * label + rng.random(40) * 0.7
    blocks = np.repeat(np.arange(40), 25)
    clumped = validation.scores(np.repeat(label, 25), np.repeat(guess, 25), blocks)
    naive = validation.scores(np.repeat(label, 25), np.repeat(guess, 25), np.arange(1000))
    assert clumped["auc_high"] - clumped["auc_low"] > 2 * (naive["auc_high"] - naive["auc_low"])


def test_one_class_is_explained():
    with pytest.raises(StageError, match="one class only"):
        validation.scores(np.ones(5, int), np.ones(5), np.arange(5))
    table = pd.DataFrame({"x": np.arange(4.0), "y": 0.0, "label": [1, 1, 0, 0]})
    with pytest.raises(StageError, match="fold 0: its 2 training rows hold one class"):
        list(validation.splits(table, np.array([0, 0, 1, 1])))
    with pytest.raises(StageError, match="there are 2"):
        validation.random_folds(table.assign(landslide_id=[0, 1, -1, -1]), n_folds=3, seed=0)


def test_no_window_of_training_touches_one_of_testing(sampled):
    _, table = sampled
    place = table[["x", "y"]].to_numpy()
    buffer_m = 7 * 12.5
    seen = []
    for train, test in validation.splits(table, table["fold"].to_numpy(), buffer_m):
        gap = np.abs(place[train][:, None] - place[test][None]).max(axis=2)
        assert gap.min() >= buffer_m
        seen.extend(test)
    assert sorted(seen) == list(range(len(table)))


def test_random_folds_keep_a_landslide_whole(sampled):
    _, table = sampled
    folds = pd.Series(validation.random_folds(table, n_folds=5, seed=0))
    slides = table["landslide_id"] >= 0
    assert folds[slides].groupby(table["landslide_id"][slides]).nunique().max() == 1
    share = table["label"].groupby(folds).mean()
    assert share.between(0.4, 0.6).all() and len(share) == 5


def _split_landslides(table, folds):
    """Landslides with rows in more than one fold."""
    slides = table["landslide_id"] >= 0
    return (
        pd.Series(np.asarray(folds))[slides].groupby(table["landslide_id"][slides]).nunique() > 1
    ).sum()


def test_no_repetition_and_no_cluster_splits_a_landslide(sampled):
    """Clusters go by the mean place of a landslide, shuffled folds deal landslides; points that
    stand for themselves are dealt as rows.
    """
    from sklearn.cluster import KMeans
    from sklearn.model_selection import KFold

    stack, table = sampled
    seeds = range(10)
    assert any(
        _split_landslides(
            table, KMeans(5, n_init=1, random_state=seed).fit_predict(table[["x", "y"]])
        )
        for seed in seeds
    )
    assert not any(
        _split_landslides(table, validation.kmeans_folds(table, n_folds=5, seed=seed))
        for seed in seeds
    )
    assert len(np.unique(validation.kmeans_folds(table[:3], n_folds=5, seed=0))) <= 3
    tests = []

    class Spy:
        """A model that notes which rows it is tested on."""

        def fit(self, stack, rows, seed):
            return self

        def predict(self, stack, rows):
            tests.append(rows.index)
            return rows["label"].to_numpy() * 0.5

    for own, whole in ((table, True), (table.drop(columns="landslide_id"), False)):
        for scheme in ("random", "spatial"):
            tests.clear()
            found = validation.repeated_scores(
                Spy, stack, own, scheme, repeats=2, n_folds=4, seed=3
            )
            assert len(found) == len(tests) == 8
            for repeat in (tests[:4], tests[4:]):
                folds = pd.Series(
                    np.repeat(np.arange(4), [len(part) for part in repeat]), np.concatenate(repeat)
                ).sort_index()
                assert folds.index.equals(table.index) and (
                    not whole or _split_landslides(table, folds) == 0
                )
            if scheme == "random" and not whole:
                expected = [test for _, test in KFold(4, shuffle=True, random_state=3).split(table)]
                assert all(
                    np.array_equal(one, other) for one, other in zip(tests, expected, strict=False)
                )


def test_tuning_keeps_a_landslide_whole(sampled):
    """No inner fold is trained with one part of a landslide and tested on another."""
    stack, table = sampled
    inner = []

    class Spy:
        """A model that notes the landslides of its training rows and of those it is tested on."""

        def fit(self, stack, rows, seed):
            self.known = set(rows["landslide_id"]) - {-1}
            return self

        def predict(self, stack, rows):
            inner.append(self.known & set(rows["landslide_id"]))
            return rows["label"].to_numpy() * 0.5

    validation.tune(lambda c: Spy(), {"c": [1.0, 2.0]}, stack, table, draws=2, seed=0)
    assert len(inner) == 10 and not any(inner)


def test_out_of_fold_rows_never_see_their_own_label(sampled):
    """A forest that may memorise is perfect on its own rows and not on those left out."""
    stack, table = sampled
    shuffled = table.assign(label=np.random.default_rng(0).permutation(table["label"]))
    make = lambda: models.make("rf", n_trees=30)  # noqa: E731
    guess = validation.out_of_fold(make, stack, shuffled, np.arange(len(table)) % 5, seed=0)
    assert (
        metrics.roc_auc_score(
            shuffled["label"], make().fit(stack, shuffled, 0).predict(stack, shuffled)
        )
        > 0.99
    )
    assert 0.3 < metrics.roc_auc_score(shuffled["label"], guess) < 0.7


def test_predictions_and_tables_are_complete(sampled):
    stack, table = sampled
    make = {"logistic": lambda: models.make("logistic")}
    fitted = {"logistic": make["logistic"]().fit(stack, table, 0)}
    guesses = validation.predictions(make, fitted, stack, table, n_folds=5, seed=0, window_m=50)
    assert guesses.groupby("scheme").size().to_dict() == dict.fromkeys(
        ["apparent", "random", "spatial"], len(table)
    )
    assert guesses["probability"].between(0, 1).all()
    scored = validation.score_table(guesses, table, "spatial", block_m=200, seed=0)
    assert list(scored.columns) == ["model", *validation.SCORES] and scored["model"].tolist() == [
        "logistic"
    ]
    own = guesses[guesses["scheme"] == "spatial"]
    assert scored["auc"][0] == pytest.approx(
        metrics.roc_auc_score(own["label"], own["probability"])
    )
    repeated = validation.replace_by_repeats(
        scored, make["logistic"], stack, table, "random", repeats=2, n_folds=5, seed=0
    )
    assert list(repeated.columns) == list(scored.columns) and repeated["auc"][0] != scored["auc"][0]


def test_truth_scores_by_hand(sampled, tmp_path):
    stack, table = sampled
    run = Run(tmp_path)
    probability = np.where(
        stack.valid, 1 / (1 + np.exp(-(stack.band("slope") - 35) / 5)), np.nan
    ).astype(np.float32)
    write_raster(run.product("truth/probability.tif"), probability, stack.grid, ["probability"])
    x, y = table.loc[table["label"] == 1, ["x", "y"]].to_numpy().T
    gpd.GeoDataFrame(geometry=gpd.points_from_xy(x, y).buffer(8), crs=stack.grid.crs).to_file(
        run.product("truth/landslides.gpkg")
    )
    assert validation.read_truth(Run(tmp_path / "other"), stack.grid) is None
    truth = validation.read_truth(run, stack.grid)
    np.testing.assert_array_equal(truth.probability, probability)
    found = validation.truth_scores(
        {"rf": probability**2, "cnn": 1 - probability}, truth
    ).set_index("model")
    assert found["spearman"].to_dict() == pytest.approx({"rf": 1, "cnn": -1})
    known = stack.valid
    ceiling = metrics.roc_auc_score(truth.landslide[known], probability[known])
    assert found.loc["rf", "auc_map"] == pytest.approx(ceiling) == found.loc["cnn", "ceiling_auc"]
    assert found.loc["cnn", "auc_map"] == pytest.approx(1 - ceiling)
    tops = validation.ceilings(table, truth).set_index("labels")["ceiling_auc"]
    row, col = stack.grid.rowcol(table["x"], table["y"])
    assert tops["inventory"] == pytest.approx(
        metrics.roc_auc_score(table["label"], probability[row, col])
    )
    with warnings.catch_warnings(
        action="error"
    ):  # not one sample on a true landslide: the labels hold, the ceiling does not exist
        bare = validation.ceilings(
            table, replace(truth, landslide=np.zeros_like(truth.landslide))
        ).set_index("labels")["ceiling_auc"]
    assert bare["inventory"] == tops["inventory"] and np.isnan(bare["truth"])
    assert validation.truth_scores({}, None).empty and validation.ceilings(table, None).empty


def test_block_ids_are_squares():
    x, y = np.array([0.0, 99.0, 100.0, 0.0]), np.array([0.0, 99.0, 0.0, -1.0])
    ids = block_ids(x, y, 100)
    assert ids[0] == ids[1] and len(set(ids[[0, 2, 3]])) == 3


@pytest.mark.real_data
def test_ecuador_reproduces_the_published_logistic_regression(shared_data):
    """Geocomputation with R, chapter 12: apparent 0.8216, random 0.8097, k-means 0.7726 (means of
    500 folds).
    """
    table = pd.read_csv(shared_data / "ecuador_lsl" / "lsl.csv").rename(columns={"lslpts": "label"})
    names = ("slope", "cplan", "cprof", "elev", "log10_carea")
    grid = Grid(CRS.from_epsg(32717), Affine(10, 0, 0, 0, -10, 0), 1, 1)
    stack = FactorStack(
        np.zeros((5, 1, 1), np.float32),
        grid,
        names,
        {name: {"kind": "continuous"} for name in names},
    )
    make = lambda: models.make("logistic")  # noqa: E731
    apparent = metrics.roc_auc_score(
        table["label"], make().fit(stack, table, 0).predict(stack, table)
    )
    assert apparent == pytest.approx(0.8216, abs=0.0005)
    published = {"random": 0.8097, "spatial": 0.7726}
    for scheme, mean in published.items():
        folds = validation.repeated_scores(
            make, stack, table, scheme, repeats=100, n_folds=5, seed=0
        )
        assert len(folds) == 500
        assert folds["auc"].mean() == pytest.approx(mean, abs=0.01)


@pytest.mark.real_data
def test_ecuador_reproduces_the_published_support_vector_machine(shared_data):
    """The same chapter's tuned machine: 0.739 in spatial folds, 0.799 in random ones (50 draws, 100
    repetitions there; 15 and 4 here).
    """
    table = pd.read_csv(shared_data / "ecuador_lsl" / "lsl.csv").rename(columns={"lslpts": "label"})
    names = ("slope", "cplan", "cprof", "elev", "log10_carea")
    grid = Grid(CRS.from_epsg(32717), Affine(10, 0, 0, 0, -10, 0), 1, 1)
    stack = FactorStack(
        np.zeros((5, 1, 1), np.float32),
        grid,
        names,
        {name: {"kind": "continuous"} for name in names},
    )
    make = lambda: validation.Nested(lambda **settings: models.make("svm", **settings), draws=15)  # noqa: E731
    for scheme, mean in {"random": 0.7986, "spatial": 0.7389}.items():
        folds = validation.repeated_scores(make, stack, table, scheme, repeats=4, n_folds=5, seed=0)
        assert folds["auc"].mean() == pytest.approx(mean, abs=0.03)
