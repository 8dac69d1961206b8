"""A small mountain, written once for all tests of this room."""

from pathlib import Path

import pytest

from lsa_helpers.mountain import write_world


@pytest.fixture(scope="session")
def world(tmp_path_factory) -> Path:
    """Folder of a 3 × 2 km world."""
    folder = tmp_path_factory.mktemp("world") / "native"
    return write_world(folder, width_km=3.0, height_km=2.0, seed=3, chips_per_platform=5)
