"""What another number of threads, and another processor, change: nothing, and how little."""

import os
import subprocess
import sys

import numpy as np
import pytest

# A CNN of two factors is trained, or read as it was trained before, and maps its raster.
_SCRIPT = """
import sys
from pathlib import Path
import numpy as np, pandas as pd, torch, xarray as xr
from lsa_helpers import models
from lsa_helpers.cnn import WindowCNN
from lsa_helpers.raster import empty_grid, on_grid

model_folder, out, threads = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
torch.set_num_threads(threads)
rng = np.random.default_rng(0)
grid = empty_grid((0, 0, 600, 600), 32648, 10)
bands = {name: rng.normal(size=(60, 60)).cumsum(axis=0).astype(np.float32) for name in "ab"}
factors = xr.Dataset(
    {name: on_grid(band, grid, name, kind="continuous") for name, band in bands.items()}
)
if not models.can_load(model_folder):
    row, col = rng.integers(0, 60, (2, 400))
    rows = pd.DataFrame({name: band[row, col] for name, band in bands.items()})
    label = (rows["a"] + rng.normal(size=400) > rows["a"].median()).astype(int)
    rows = rows.assign(x=grid.x.values[col], y=grid.y.values[row], fold=np.arange(400) % 5)
    cnn = WindowCNN(factors, window=7, n_networks=1, epochs=20)
    models.save(cnn.fit(rows, label), model_folder, factors)
cnn = models.load(model_folder, factors)
np.save(out, models.predict_map(cnn, factors, n_jobs=threads).values)
"""
# A processor of ten years ago: vectors of 256 bits, no bfloat16.
_OLD = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}


def _map(model, out, threads: int = 1, **environment) -> np.ndarray:
    """The map of the network in a folder, which is trained first where there is none."""
    command = [sys.executable, "-c", _SCRIPT, model, out, str(threads)]
    subprocess.run(command, check=True, env=os.environ | environment)
    return np.load(out)


@pytest.mark.slow
def test_threads_change_no_byte_and_another_processor_hardly_anything(tmp_path):
    """Trained and mapped by one and by two threads: the same bytes. Mapped with narrower vectors:
    alike to 1e-5. Trained with them: alike to 0.001.
    """
    first = _map(tmp_path / "one", tmp_path / "one.npy")
    again = _map(tmp_path / "two", tmp_path / "two.npy", threads=2)
    np.testing.assert_array_equal(first, again)
    mapped = _map(tmp_path / "one", tmp_path / "mapped.npy", **_OLD)
    assert np.abs(mapped - first).max() < 1e-5
    trained = _map(tmp_path / "old", tmp_path / "old.npy", **_OLD)
    assert np.abs(trained - first).max() < 1e-3
    assert first.std() > 0.05
