"""Which factors to keep: collinearity, and importance against a random probe."""

from lsa_helpers.selection.collinear import design_columns, generalised_vif, stepwise_vif
from lsa_helpers.selection.decide import PROBE, choose, gain_ratio, selected_factors

__all__ = [
    "PROBE",
    "choose",
    "design_columns",
    "gain_ratio",
    "generalised_vif",
    "selected_factors",
    "stepwise_vif",
]
