"""The simulated mountain: a seeded landscape with known landslides, written in the formats of the paper's data."""

from pathlib import Path


def write_world(folder: Path, *, width_km: float = 8.0, height_km: float = 6.0, seed: int = 0, chips_per_platform: int = 60) -> Path:
    """Simulate a mountain and write its files; see `lsa_helpers.world.write.write_world` (imported only when called)."""
    from lsa_helpers.world import write

    return write.write_world(folder, width_km=width_km, height_km=height_km, seed=seed, chips_per_platform=chips_per_platform)
