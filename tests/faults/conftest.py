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


def command(out: Path, data: Path, until: str) -> list:
    """``lsa run tiny`` of a data folder."""
    words = [sys.executable, "-c", "from lsa_helpers.runner.cli import main; main()"]
    words += ["run", "tiny", "--data", data, "--out", out, "--until", until]
    return words + [f"-p{key}={value}" for key, value in SMALL.items()]


def start(out: Path, data: Path, until: str) -> subprocess.Popen:
    """The command by itself in a session of its own."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command(out, data, until), text=True, start_new_session=True, **pipes)


_SMALL_DISK = """
mount -t tmpfs -o size="$1" small "$2" && "${@:4}"
code=$?
test -d "$2/run" && cp -a "$2/run" "$3"
exit $code
"""


def run_on_small_disk(size: str, out: Path, data: Path, until: str) -> subprocess.CompletedProcess:
    """The command on a disk of so many bytes, which only its processes see; what is left there is
    copied to `out`. Skips where no disk may be mounted.
    """
    disk = out.parent / "disk"
    disk.mkdir(exist_ok=True)
    mount = ["unshare", "-m", "bash", "-c", _SMALL_DISK, "bash"]
    try:
        tried = subprocess.run([*mount, size, disk, out.parent / "none", "true"])
    except FileNotFoundError:
        pytest.skip("unshare is not installed")
    if tried.returncode:
        pytest.skip("this process may not mount a disk")
    words = [*mount, size, disk, out, *command(disk / "run", data, until)]
    return subprocess.run(words, capture_output=True, text=True)
