"""Score tables: which rows count where, by hand."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import PredefinedSplit

from lsa_helpers.validation import (
    N_DRAWS,
    SCORES,
    block_weights,
    fold_scores,
    interval,
    repeated_scores,
    score_table,
    scores,
    summarise_repeats,
    within_groups_auc,
)


def test_each_prediction_counts_in_the_block_of_its_sample():
    """Rows in another order than their samples, blocks of 100 m of four samples: the intervals are
    those of `scores` and of the pairs within folds, under the seed's draws.
    """
    rng = np.random.default_rng(3)
    samples = pd.DataFrame({"x": np.arange(80) * 25.0, "y": np.repeat([0.0, 500.0], 40)})
    order, label, guess = rng.permutation(80), rng.integers(0, 2, 80), rng.random(80)
    block, fold = order // 4, order % 2
    predictions = pd.DataFrame({"scheme": "spatial", "model": "rf", "sample": order, "fold": fold})
    predictions = predictions.assign(label=label, probability=guess)
    row = score_table(predictions, samples, "spatial", block_m=100, seed=5).iloc[0]
    expected = scores(label, guess, block, seed=5)
    assert {name: row[name] for name in SCORES} == pytest.approx(expected)
    draws = within_groups_auc(label, guess, fold, block_weights(block, N_DRAWS, 5))
    within = ["auc_within", "auc_within_low", "auc_within_high"]
    assert row[within].tolist() == pytest.approx(interval(draws))
    assert scores(label, guess, block)["auc_low"] != expected["auc_low"]


class Told(ClassifierMixin, BaseEstimator):
    """A classifier that says what the column ``told`` does, and remembers nothing but its fit."""

    def fit(self, X, y):
        assert not hasattr(self, "rows_"), "the same estimator was fitted twice"
        self.rows_, self.classes_ = list(X.index), np.unique(y)
        return self

    def predict_proba(self, X):
        assert not set(X.index) & set(self.rows_)
        return np.column_stack([1 - X["told"], X["told"]])


def test_every_fold_of_every_repetition_is_scored():
    """Folds of two rows; of the second repetition's three the first and last hold one class."""
    table = pd.DataFrame({"told": [0.1, 0.9, 0.8, 0.3, 0.4, 0.6], "label": [0, 1, 0, 1, 0, 1]})
    splitters = [PredefinedSplit([0, 0, 1, 1, 2, 2]), PredefinedSplit([0, 1, 0, 1, 1, 2])]
    with pytest.warns(UserWarning, match="groups parameter is ignored"):
        folds = repeated_scores(Told(), table, splitters)
    assert folds[["repeat", "fold"]].values.tolist() == [[0, 0], [0, 1], [0, 2], [1, 1]]
    assert folds["auc"].tolist() == [1, 0, 1, 0.5]
    assert folds["brier"].tolist() == pytest.approx([0.01, 0.565, 0.16, 0.22])
    assert folds["auc_low"].isna().all()


def test_repetitions_are_summarised_by_hand():
    """Of 0, 1/40, …, 1 the mean is 1/2, and 95 % lie between the second and the second to last."""
    folds = pd.DataFrame(dict.fromkeys(SCORES, np.linspace(0, 1, 41)))
    row = summarise_repeats(folds, "rf").iloc[0]
    assert row["model"] == "rf" and row["f1"] == row["auc"] == pytest.approx(0.5)
    for name in ("auc", "pr_auc", "brier"):
        assert row[[f"{name}_low", f"{name}_high"]].tolist() == pytest.approx([0.025, 0.975])


def test_scores_fold_by_fold_and_without_some_rows():
    """Two folds of one pair each: right in the first, wrong in the second, which is left out."""
    rows = {"sample": [0, 1, 2, 3], "fold": [0, 0, 1, 1], "label": [1, 0, 1, 0]}
    predictions = pd.DataFrame(rows | {"model": "rf", "probability": [0.9, 0.1, 0.2, 0.3]})
    table = fold_scores(predictions, [False, False, True, True])
    assert table.loc["rf"].to_dict() == {
        "fold 1": 1.0,
        "fold 2": 0.0,
        "all": 0.5,
        "outside the frame": 1.0,
    }
