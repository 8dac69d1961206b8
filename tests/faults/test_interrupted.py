"""Ctrl-C, kills at any moment, a copied folder: what was finished is kept, and the end is the
same.
"""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import time

import psutil
import pytest

from lsa_helpers.run import Run
from lsa_helpers.runner import manifest
from tests.faults.conftest import run_on_small_disk, start

pytestmark = [pytest.mark.slow, pytest.mark.notebooks]
KILLS = int(os.environ.get("LSA_KILLS", "1"))


def finish(out, data, until: str) -> str:
    """Run to the end and give what was said."""
    said, wrong = start(out, data, until).communicate()
    assert not wrong, wrong
    return said


def results(run: Run) -> dict[str, str]:
    """Hash of every product, table and figure."""
    return manifest.hashes(run.path, manifest.snapshot(run))


def test_ctrl_c_is_one_line_and_leaves_no_process(slides, tmp_path):
    """Exit code 130; the folder is free again."""
    run = tmp_path / "run"
    process = start(run, slides, "01")
    while not list(run.glob("notebooks/.*.log")):
        assert process.poll() is None
        time.sleep(0.1)
    time.sleep(2)
    children = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of the group
    said = process.communicate()[1]
    assert process.returncode == 130
    assert said == "Interrupted. What was finished is kept; the same command goes on there.\n"
    assert children and psutil.wait_procs(children, timeout=60)[1] == []
    assert not (run / ".holder.json").exists()


@pytest.mark.parametrize("size", ["200k", "700k"])
def test_a_disk_that_fills_in_the_middle_is_one_sentence(slides, tmp_path, size):
    """Too small for the executed notebook, and for the factors; what is left is no half of a run:
    with more room the same command goes on there.
    """
    left = Run(tmp_path / "left")
    full = run_on_small_disk(size, left.path, slides, "01")
    assert full.returncode == 1
    assert "the disk is full. Free some space" in full.stderr and full.stderr.count("\n") == 1
    assert not (left.path / "products/factors.tif").exists()
    if size == "700k":
        assert finish(left.path, slides, "01").count("done in") == 1
        assert (left.path / "products/factors.tif").exists()


def test_killed_at_any_moment_it_ends_as_if_undisturbed(slides, tmp_path):
    """And the folder, copied to a place with spaces and letters of another language, is still
    valid there.
    """
    whole, often = Run(tmp_path / "whole"), Run(tmp_path / "often")
    begun = time.monotonic()
    finish(whole.path, slides, "04")
    seconds = time.monotonic() - begun
    expected = results(whole)
    assert any(name.endswith(".tif") for name in expected) and len(expected) > 10

    moments, codes = random.Random(0), []
    for _ in range(KILLS):
        process = start(often.path, slides, "04")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(moments.uniform(0.2, 0.9) * seconds)
        process.kill()  # alone: what it started has to notice
        process.communicate()
        codes.append(process.returncode)
    assert -signal.SIGKILL in codes, "every kill came too late"
    finish(often.path, slides, "04")
    assert results(often) == expected

    moved = tmp_path / "Kopie mit Leerzeichen 滑坡" / "run"
    shutil.copytree(often.path, moved)
    said = finish(moved, slides, "04")
    assert said.count("unchanged, skipped") == 2 and "0 chapter(s) executed" in said
