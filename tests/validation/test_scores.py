"""Scores by hand and by scikit-learn, and the published Ecuador numbers."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.stats import loguniform
from sklearn import metrics
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GroupKFold,
    RandomizedSearchCV,
    RepeatedKFold,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from lsa_helpers.errors import StageError
from lsa_helpers.validation import (
    SCORES,
    KMeansFold,
    calibration_error,
    repeated_scores,
    score_table,
    scores,
    summarise_repeats,
    youden_threshold,
)


def _guesses(seed=0, n=300):
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, n)
    return label, np.clip(0.3 * label + rng.random(n) * 0.7, 0, 1)


@pytest.mark.known_by("scikit-learn", "Scores of predictions")
def test_scores_match_scikit_learn():
    label, guess = _guesses()
    hard = guess >= 0.5
    table = scores(label, guess, np.arange(300) // 10)
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
    assert {name: table[name] for name in expected} == pytest.approx(expected)
    assert tuple(table) == SCORES
    contract = "auc,auc_low,auc_high,accuracy,precision,recall,f1,kappa,pr_auc,mcc,brier,ece"
    assert SCORES[:12] == tuple(contract.split(","))


def test_the_class_scores_by_hand():
    """Of ten cells: 3 hits, 1 miss, 2 false alarms, 4 right rejections."""
    label = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0])
    guess = np.array([0.9, 0.8, 0.7, 0.2, 0.6, 0.5, 0.1, 0.1, 0.1, 0.1])
    table = scores(label, guess, np.zeros(10))
    assert table["accuracy"] == pytest.approx(0.7)
    assert table["precision"] == pytest.approx(3 / 5)
    assert table["recall"] == pytest.approx(3 / 4)
    assert table["f1"] == pytest.approx(2 / 3)
    # Chance agreement: (5 · 4 + 5 · 6) / 100.
    assert table["kappa"] == pytest.approx((0.7 - 0.5) / (1 - 0.5))
    assert table["mcc"] == pytest.approx((3 * 4 - 2 * 1) / np.sqrt(5 * 4 * 6 * 5))
    assert table["prevalence"] == pytest.approx(0.4)
    assert table["threshold_youden"] == 0.7
    assert table["precision_youden"] == 1


@pytest.mark.known_by("scikit-learn", "Youden's threshold")
def test_youdens_threshold_is_the_best_of_all():
    """By scikit-learn's balanced accuracy (1 + J) / 2, and what is cut there is what it says."""
    label, guess = _guesses(2, 200)
    guess = np.round(guess, 2)
    table = scores(label, guess, np.arange(200) // 10)
    balanced = {
        value: metrics.balanced_accuracy_score(label, guess >= value) for value in np.unique(guess)
    }
    best = [value for value, score in balanced.items() if score == max(balanced.values())]
    assert table["threshold_youden"] == max(best)
    hard = guess >= table["threshold_youden"]
    assert table["f1_youden"] == pytest.approx(metrics.f1_score(label, hard))
    assert table["kappa_youden"] == pytest.approx(metrics.cohen_kappa_score(label, hard))
    assert np.isfinite(youden_threshold(label, -guess))
    # Both thresholds part as well as nothing does: the higher one.
    assert youden_threshold(np.array([1, 0, 1, 0]), np.array([0.9, 0.9, 0.1, 0.1])) == 0.9


def test_brier_and_calibration_error_by_hand():
    label, guess = np.array([0, 0, 1, 1]), np.array([0.1, 0.6, 0.65, 1.0])
    table = scores(label, guess, np.arange(4))
    assert table["brier"] == pytest.approx((0.01 + 0.36 + 0.1225 + 0) / 4)
    # Bins: {0.1}: |0 - 0.1|, {0.6, 0.65}: |1 - 1.25|, {1.0}: 0.
    assert table["ece"] == pytest.approx((0.1 + 0.25) / 4)


def test_intervals_hold_their_score_and_one_block_has_none():
    """AUC, average precision and Brier score lie in their intervals; a single block drawn again
    says nothing.
    """
    label, guess = _guesses()
    table = scores(label, guess, np.arange(300) // 10)
    alone = scores(label, guess, np.zeros(300))
    for name in ("auc", "pr_auc", "brier"):
        assert table[f"{name}_low"] < table[name] < table[f"{name}_high"]
        assert table[name] == alone[name]
        assert np.isnan([alone[f"{name}_low"], alone[f"{name}_high"]]).all()


def test_the_interval_widens_when_neighbours_repeat_each_other():
    label, guess = _guesses(n=40)
    label, guess = np.repeat(label, 25), np.repeat(guess, 25)
    clumped = scores(label, guess, np.repeat(np.arange(40), 25))
    naive = scores(label, guess, np.arange(1000))
    width, naive_width = (table["auc_high"] - table["auc_low"] for table in (clumped, naive))
    assert width > 2 * naive_width


def test_one_class_is_explained():
    with pytest.raises(StageError, match="these 5 rows hold one class only"):
        scores(np.ones(5, int), np.ones(5), np.arange(5))


def test_a_score_table_has_a_row_per_model_of_the_scheme():
    label, guess = _guesses(n=60)
    samples = pd.DataFrame({"x": np.arange(60) * 10.0, "y": 0.0})
    fold = np.arange(60) // 30
    rows = {"sample": np.arange(60), "fold": fold, "label": label}
    parts = [
        pd.DataFrame({"scheme": scheme, "model": model, "probability": values, **rows})
        for scheme, model, values in (
            ("spatial", "rf", guess),
            ("random", "rf", label),
            ("spatial", "cnn", 1 - guess),
        )
    ]
    table = score_table(pd.concat(parts), samples, "spatial", block_m=100, seed=0)
    within = ["auc_within", "auc_within_low", "auc_within_high"]
    assert list(table) == ["model", *SCORES, *within]
    assert table["model"].tolist() == ["rf", "cnn"]
    nothing = score_table(pd.concat(parts), samples, "apparent", block_m=100, seed=0)
    assert len(nothing) == 0 and list(nothing) == list(table)
    pairs = [label[fold == k].sum() * (1 - label[fold == k]).sum() for k in (0, 1)]
    by_fold = [metrics.roc_auc_score(label[fold == k], guess[fold == k]) for k in (0, 1)]
    assert table["auc_within"][0] == pytest.approx(np.average(by_fold, weights=pairs))
    auc = metrics.roc_auc_score(label, guess)
    assert table["auc"].tolist() == pytest.approx([auc, 1 - auc])


def test_repeats_keep_landslides_whole_and_are_summarised(sampled):
    _, table = sampled
    slope = FunctionTransformer(lambda X: X[["slope"]])
    model = make_pipeline(slope, StandardScaler(), LogisticRegression())
    splitters = [GroupKFold(4), KMeansFold(4, random_state=1)]
    folds = repeated_scores(model, table, splitters)
    assert folds.groupby("repeat").size().tolist() == [4, 4]
    row = summarise_repeats(folds, "logistic")
    assert list(row) == ["model", *SCORES]
    assert row.loc[0, "auc"] == pytest.approx(folds["auc"].mean())
    assert row.loc[0, "auc_low"] < row.loc[0, "auc"] < row.loc[0, "auc_high"]
    with pytest.raises(StageError, match="none of the folds holds both classes"):
        repeated_scores(model, table[table["label"] == 1], [GroupKFold(2)])


def test_nothing_called_a_landslide_scores_zero():
    """Guesses below 0.5: no precision, no recall and no agreement beyond chance; blocks of two
    equal rows leave the AUC as it is.
    """
    label = np.array([0, 1, 0, 1])
    table = scores(label, np.array([0.1, 0.2, 0.3, 0.4]), np.arange(4), n_draws=9)
    names = ["accuracy", "precision", "recall", "f1", "kappa", "mcc"]
    assert [table[name] for name in names] == [0.5, 0, 0, 0, 0, 0]
    assert table["auc"] == 0.75
    # At 0.2 both landslides are called and one of two others; at 0.4 one and none: the higher.
    assert table["threshold_youden"] == 0.4
    youden = [table[f"{name}_youden"] for name in names[:5]]
    assert youden == pytest.approx([0.75, 1, 0.5, 2 / 3, 0.5])


@pytest.mark.parametrize(
    ("probability", "bins", "expected"),
    [
        ([0.05, 0.15, 0.25, 0.95], 10, (0.05 + 0.15 + 0.75 + 0.05) / 4),
        ([0.1, 0.1, 0.9, 1.0], 10, (0.2 + 0 + 0.1) / 4),  # 1 lies in the last class
        ([0.1, 0.4, 0.6, 1.0], 2, (0.5 + 0.4) / 4),
        ([0.1, 0.4, 0.6, 1.0], 1, 0.1 / 4),
    ],
)
def test_the_calibration_error_by_hand(probability, bins, expected):
    """Labels 0, 0, 1, 1 in classes of equal width."""
    label, guess = np.array([0, 0, 1, 1]), np.array(probability)
    assert calibration_error(label, guess, bins) == pytest.approx(expected)
    if bins == 10:
        assert calibration_error(label, guess) == pytest.approx(expected)


@pytest.fixture(scope="module")
def ecuador(shared_data):
    table = pd.read_csv(shared_data / "ecuador_lsl" / "lsl.csv").rename(columns={"lslpts": "label"})
    names = ["slope", "cplan", "cprof", "elev", "log10_carea"]
    return table.astype({"label": int}), FunctionTransformer(lambda X: X[names])


@pytest.mark.real_data
@pytest.mark.known_by("published numbers", "Spatial cross-validation")
def test_ecuador_reproduces_the_published_logistic_regression(ecuador):
    """Geocomputation with R, chapter 12: apparent 0.8216, random 0.8097, k-means 0.7726 (means of
    500 folds).
    """
    table, columns = ecuador
    model = make_pipeline(columns, StandardScaler(), LogisticRegression(C=np.inf))
    fitted = model.fit(table, table["label"]).predict_proba(table)[:, 1]
    assert metrics.roc_auc_score(table["label"], fitted) == pytest.approx(0.8216, abs=0.0005)
    shuffled = [GroupKFold(5, shuffle=True, random_state=repeat) for repeat in range(100)]
    clusters = [KMeansFold(5, random_state=repeat) for repeat in range(100)]
    for splitters, published in ((shuffled, 0.8097), (clusters, 0.7726)):
        folds = repeated_scores(model, table, splitters)
        assert len(folds) == 500
        assert folds["auc"].mean() == pytest.approx(published, abs=0.01)


@pytest.mark.real_data
@pytest.mark.known_by("published numbers", "Nested tuning")
def test_ecuador_reproduces_the_published_support_vector_machine(ecuador):
    """The same chapter's tuned machine: 0.739 in spatial folds, 0.799 in random ones (50 draws, 100
    repetitions there; 15 and 4 here).
    """
    table, columns = ecuador
    machine = make_pipeline(columns, StandardScaler(), SVC(max_iter=200_000))
    space = {"svc__C": loguniform(2**-12, 2**15), "svc__gamma": loguniform(2**-15, 2**6)}
    search = RandomizedSearchCV(
        machine, space, n_iter=15, cv=KMeansFold(5), scoring="roc_auc", random_state=0
    )
    for splitter, published in (
        (RepeatedKFold(n_splits=5, n_repeats=4, random_state=0), 0.7986),
        (
            [fold for r in range(4) for fold in KMeansFold(5, r).split(table, table["label"])],
            0.7389,
        ),
    ):
        with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
            auc = cross_val_score(search, table, table["label"], cv=splitter, scoring="roc_auc")
        assert auc.mean() == pytest.approx(published, abs=0.03)
