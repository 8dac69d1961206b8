"""How good a susceptibility model is: scores, honest folds, and the truth of the simulated
mountain.
"""

from lsa_helpers.validation.compare import optimism, paired_differences
from lsa_helpers.validation.curves import boyce_index, capture, paired_gains, rate_curve, texture
from lsa_helpers.validation.folds import (
    kmeans_folds,
    out_of_fold,
    predictions,
    random_folds,
    repeated_scores,
    replace_by_repeats,
    splits,
    strip_m,
)
from lsa_helpers.validation.heldout import fold_map, heldout_maps, training_rows
from lsa_helpers.validation.laboratory import sampling_laboratory
from lsa_helpers.validation.nested import Nested, nested_makers, remade, tune
from lsa_helpers.validation.scores import (
    SCORES,
    calibration_error,
    score_table,
    scores,
    summarise_repeats,
    youden_threshold,
)
from lsa_helpers.validation.truth import Truth, ceilings, read_truth, truth_scores, with_ceiling

__all__ = [
    "boyce_index",
    "calibration_error",
    "capture",
    "ceilings",
    "fold_map",
    "heldout_maps",
    "kmeans_folds",
    "Nested",
    "nested_makers",
    "optimism",
    "out_of_fold",
    "paired_differences",
    "paired_gains",
    "predictions",
    "random_folds",
    "rate_curve",
    "read_truth",
    "remade",
    "repeated_scores",
    "replace_by_repeats",
    "sampling_laboratory",
    "score_table",
    "scores",
    "SCORES",
    "splits",
    "strip_m",
    "summarise_repeats",
    "texture",
    "training_rows",
    "Truth",
    "truth_scores",
    "tune",
    "with_ceiling",
    "youden_threshold",
]
