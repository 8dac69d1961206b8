"""The fifteen conditioning factors on one grid."""

from lsa_helpers.factors.build import FACTORS, build_factors
from lsa_helpers.factors.stack import FactorStack, describe, open_stack, read_stack, write_stack

__all__ = ["FACTORS", "FactorStack", "build_factors", "describe", "open_stack", "read_stack", "write_stack"]
