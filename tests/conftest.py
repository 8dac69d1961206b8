"""Fixtures shared by all tests."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

from lsa_helpers.run import Run
from lsa_helpers.runner.execute import execute
from lsa_helpers.runner.inputs import find_params, load_run_params
from lsa_helpers.runner.params import CHAPTERS

ROOT = Path(__file__).resolve().parent.parent

settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
settings.load_profile("untimed")


def pytest_collection_modifyitems(items):
    """The file that makes the smallest run begins, files that need none of it go on beside it, and
    the others follow, so that no worker waits for it. Of these the book comes first, which is long.
    """

    def turn(item) -> int:
        needs = getattr(item, "fixturenames", ())
        if item.path.name == "test_chain.py":
            return 0
        return 1 if "tiny" not in needs else 2 if "site" in needs else 3

    turns = {}
    for item in items:
        turns[item.path] = max(turns.get(item.path, 0), turn(item))
    items.sort(key=lambda item: turns[item.path])


@pytest.fixture(scope="session")
def root() -> Path:
    """Root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real data beside the project; skips where it is absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("real data not present: ../shared/data is missing")
    return folder


@pytest.fixture(autouse=True)
def closed_figures():
    """No test leaves figures to the next one: matplotlib warns of many."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")


@dataclass(frozen=True)
class TinyRun:
    """The smallest whole chain, begun as a user would who opens chapter 06 alone."""

    run: Run
    alone: subprocess.CompletedProcess
    executed: list[str]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> TinyRun:
    """Chapter 06 by plain papermill in an empty folder, then the rest of the chain in the run it
    made: once for all workers of the tests, of which each gets a copy of its own.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    made = shared / "tiny"
    with FileLock(shared / "tiny.lock"):
        if not (made / "made.json").exists():
            (made / "made.json").write_text(json.dumps(_make_tiny(made)), encoding="utf-8")
    folder = tmp_path_factory.mktemp("empty") / "tiny"
    shutil.copytree(made, folder)
    done = json.loads((folder / "made.json").read_text(encoding="utf-8"))
    alone = subprocess.CompletedProcess([], 0, done["stdout"], done["stderr"])
    return TinyRun(Run(folder / "runs" / "alone"), alone, done["executed"])


def _make_tiny(folder: Path) -> dict:
    """What papermill said, and the chapters that were executed after it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    chapter = ROOT / "notebooks/06_frequency_ratio.ipynb"
    command = [sys.executable, "-m", "papermill", chapter, "out.ipynb", "--no-progress-bar"]
    alone = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert alone.returncode == 0, alone.stderr[-3000:]
    run = Run(folder / "runs" / "alone")
    values = load_run_params(find_params("tiny"), {}, None, run.path)
    executed = execute(run, values, list(CHAPTERS))
    return {"stdout": alone.stdout, "stderr": alone.stderr, "executed": executed}


pytest_plugins = ["tests.browser", "tests.data_folder", "tests.hillside"]
