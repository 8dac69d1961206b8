"""The simulated mountain: a seeded landscape with known landslides, written in the formats of the
paper's data.
"""

from lsa_helpers.mountain.write import write_world

__all__ = ["write_world"]
