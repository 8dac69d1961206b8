"""The fifteen conditioning factors on one grid.

`lsa_helpers.factors.build` makes them. It is imported only where factors are made: hydrology and
compilers take seconds to load, and most chapters only read the stack.
"""

from lsa_helpers.factors.stack import FactorStack, describe, open_stack, read_stack, write_stack

__all__ = ["FactorStack", "describe", "open_stack", "read_stack", "write_stack"]
