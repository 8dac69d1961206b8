"""The fifteen conditioning factors on one grid."""

from lsa_helpers.factors.build import FACTORS, build_factors, factors_to_make, known_factors
from lsa_helpers.factors.stack import FactorStack, describe, open_stack, read_stack, write_stack

__all__ = [
    "FACTORS", "FactorStack", "build_factors", "describe", "factors_to_make", "known_factors", "open_stack", "read_stack", "write_stack",
]  # fmt: skip
