"""How good a susceptibility model is: scores, honest folds, and the truth of the simulated mountain."""

from lsa_helpers.validate.folds import (
    kmeans_folds,
    out_of_fold,
    predictions,
    random_folds,
    repeated_scores,
    replace_by_repeats,
    splits,
)
from lsa_helpers.validate.scores import SCORES, calibration_error, score_table, scores, summarise_repeats
from lsa_helpers.validate.truth import Truth, ceilings, read_truth, truth_scores

__all__ = [
    "SCORES", "Truth", "calibration_error", "ceilings", "kmeans_folds", "out_of_fold", "predictions", "random_folds", "read_truth",
    "repeated_scores", "replace_by_repeats", "score_table", "scores", "splits", "summarise_repeats", "truth_scores",
]  # fmt: skip
