"""Small hand-made collections."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def write_image(path: Path, array: np.ndarray) -> Path:
    """Write an array as an image, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)
    return path


def bright_square(
    size: int = 64, at: tuple[int, int] = (20, 24), edge: int = 16, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """A dark noisy image with one bright square, and its mask (0/1)."""
    rng = np.random.default_rng(seed)
    image = rng.integers(20, 60, (size, size, 3), dtype=np.uint8)
    mask = np.zeros((size, size), np.uint8)
    mask[at[0] : at[0] + edge, at[1] : at[1] + edge] = 1
    image[mask > 0] += 150
    return image, mask


@pytest.fixture()
def cas_folder(tmp_path) -> Path:
    """Two platforms in the CAS layout, full-width brackets, twelve chips each, the last one of each
    without landslide.
    """
    for name in ("Moxi town（UAV-1m）", "Longxi river（GF-1）"):
        for i in range(12):
            image, mask = bright_square(seed=i)
            write_image(tmp_path / name / "img" / f"chip_{i:03}.tif", image)
            write_image(tmp_path / name / "mask" / f"chip_{i:03}.tif", mask * (i < 11))
    return tmp_path


@pytest.fixture()
def masks_folder(tmp_path) -> Path:
    """A collection with ``index.csv``: four training, one validation and one test chip."""
    rows = ["id,split"]
    for i, split in enumerate(["train"] * 4 + ["val", "test"]):
        image, mask = bright_square(at=(8 + 4 * i, 20), seed=i)
        write_image(tmp_path / "images" / f"a{i}.png", image)
        write_image(tmp_path / "masks" / f"a{i}.png", mask * 255)
        rows.append(f"a{i},{split}")
    (tmp_path / "index.csv").write_text("\n".join(rows) + "\n")
    return tmp_path
