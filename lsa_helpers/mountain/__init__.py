"""The simulated mountain: a seeded landscape with known landslides, written in the formats of the
paper's data.
"""

from lsa_helpers.mountain.simulation import Mountain, make_mountain
from lsa_helpers.mountain.write import write_layers, write_world

__all__ = ["Mountain", "make_mountain", "write_layers", "write_world"]
