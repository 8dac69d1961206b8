"""Real ``lsa`` processes that can be disturbed."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

# Few landslides on a small hill: the smallest chapters that still make rasters, tables and figures.
SMALL = {
    "cell_size_m": "10",
    "04.block_m": "100",
    "04.negative_buffer_m": "10",
    "04.importance_trees": "10",
    "04.importance_repeats": "1",
    "04.n_folds": "2",
}


@pytest.fixture
def slides(folder) -> Path:
    """A data folder with forty points of landslides and no images."""
    rng = np.random.default_rng(0)
    places = {"x": 300_000 + rng.uniform(20, 580, 40), "y": 3_300_000 - rng.uniform(20, 380, 40)}
    pd.DataFrame(places).to_csv(folder / "slides.csv", index=False)
    catalog = folder / "catalog.yml"
    words = "inventory: {path: slides.csv, crs: EPSG:32648}\n"
    catalog.write_text(catalog.read_text(encoding="utf-8") + words, encoding="utf-8")
    return folder


def start(out: Path, data: Path, until: str) -> subprocess.Popen:
    """``lsa run tiny`` of a data folder, by itself in a session of its own."""
    command = [sys.executable, "-c", "from lsa_helpers.runner.cli import main; main()"]
    command += ["run", "tiny", "--data", data, "--out", out, "--until", until]
    command += [f"-p{key}={value}" for key, value in SMALL.items()]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, text=True, start_new_session=True, **pipes)
