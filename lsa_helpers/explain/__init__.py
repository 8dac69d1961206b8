"""Shapley values of factors: at chosen cells, as maps of every cell, and one cell in words. The
network's, `lsa_helpers.explain.dense`, need torch and are imported by their own name.
"""

from lsa_helpers.explain.cell import explain_cell, in_words
from lsa_helpers.explain.maps import shapley_map
from lsa_helpers.explain.values import (
    AdditivityError,
    check_sum,
    factor_shapley,
    pick_background,
    pick_samples,
    round_thresholds,
)

__all__ = [
    "AdditivityError",
    "check_sum",
    "explain_cell",
    "factor_shapley",
    "in_words",
    "pick_background",
    "pick_samples",
    "round_thresholds",
    "shapley_map",
]
