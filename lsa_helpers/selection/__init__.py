"""Which factors to keep: collinearity (VIF, tolerance, correlation) and importance against a random
probe.
"""

from lsa_helpers.selection.collinear import correlation, design_columns, stepwise_vif, vif
from lsa_helpers.selection.decide import choose, dropping_cost, selected_factors
from lsa_helpers.selection.rank import PROBE, agreement, gain_ratio, importance

__all__ = [
    "PROBE",
    "agreement",
    "choose",
    "correlation",
    "design_columns",
    "dropping_cost",
    "gain_ratio",
    "importance",
    "selected_factors",
    "stepwise_vif",
    "vif",
]
