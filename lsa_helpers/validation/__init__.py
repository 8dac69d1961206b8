"""What a score and a map are worth: spatial folds, block bootstrap, scores, rates, held-out maps,
the truth.
"""

from lsa_helpers.validation.applicability import dissimilarity_index
from lsa_helpers.validation.bootstrap import (
    N_DRAWS,
    block_weights,
    draw_blocks,
    interval,
    paired_differences,
    weighted_auc,
    weighted_precision,
    within_groups_auc,
)
from lsa_helpers.validation.by_fold import fold_scores
from lsa_helpers.validation.change import map_change
from lsa_helpers.validation.conformal import conformal_sets
from lsa_helpers.validation.heldout import block_map, fold_map, moved_folds, training_samples
from lsa_helpers.validation.probability import (
    brier_parts,
    expected_landslides,
    reliability,
    shift_odds,
)
from lsa_helpers.validation.quality import (
    boyce_index,
    densest_window,
    highest_ratio,
    map_quality,
    ratio_descents,
    texture,
)
from lsa_helpers.validation.rates import capture, rate_areas, rate_curve, roc_band
from lsa_helpers.validation.residuals import correlogram, residual_range
from lsa_helpers.validation.scores import (
    SCORES,
    calibration_error,
    drawn_scores,
    repeated_scores,
    score_table,
    scores,
    summarise_repeats,
    youden_threshold,
)
from lsa_helpers.validation.sensitivity import summarise_sampling
from lsa_helpers.validation.splitter import (
    KMeansFold,
    SpatialBlockKFold,
    beyond_buffer,
    block_numbers,
    landslide_groups,
    landslide_places,
)
from lsa_helpers.validation.spread import sums_of_squares
from lsa_helpers.validation.truth import BOUNDS, at_samples, bound_scores, read_truth, truth_scores

__all__ = [
    "brier_parts",
    "conformal_sets",
    "dissimilarity_index",
    "expected_landslides",
    "shift_odds",
    "sums_of_squares",
    "residual_range",
    "roc_band",
    "reliability",
    "correlogram",
    "BOUNDS",
    "N_DRAWS",
    "SCORES",
    "KMeansFold",
    "SpatialBlockKFold",
    "at_samples",
    "beyond_buffer",
    "block_map",
    "block_numbers",
    "block_weights",
    "bound_scores",
    "boyce_index",
    "calibration_error",
    "capture",
    "densest_window",
    "draw_blocks",
    "drawn_scores",
    "fold_map",
    "fold_scores",
    "highest_ratio",
    "interval",
    "landslide_groups",
    "landslide_places",
    "map_change",
    "map_quality",
    "moved_folds",
    "paired_differences",
    "rate_areas",
    "rate_curve",
    "ratio_descents",
    "read_truth",
    "repeated_scores",
    "score_table",
    "scores",
    "summarise_repeats",
    "summarise_sampling",
    "texture",
    "training_samples",
    "truth_scores",
    "weighted_auc",
    "weighted_precision",
    "within_groups_auc",
    "youden_threshold",
]
