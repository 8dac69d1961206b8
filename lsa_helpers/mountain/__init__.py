"""The simulated mountain: a seeded landscape with known landslides, written in the formats of the
paper's data.
"""

from pathlib import Path


def write_world(folder: Path, **settings) -> Path:
    """Simulate a mountain and write its files; see `lsa_helpers.mountain.write.write_world`
    (imported only when called).
    """
    from lsa_helpers.mountain import write

    return write.write_world(folder, **settings)
