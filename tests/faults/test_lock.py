"""Two processes never work in one run's folder, and a lock outlives nobody."""

import json
import os
import platform
import signal
import subprocess
import sys

import pytest

from lsa_helpers.errors import InputError
from lsa_helpers.run import Run
from lsa_helpers.runner.execute import execute
from lsa_helpers.runner.inputs import resolve
from lsa_helpers.runner.lock import held

HOLD = """
import sys
from pathlib import Path
from lsa_helpers.runner.lock import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def hold(folder) -> subprocess.Popen:
    """Another process that holds a run's folder until its input closes."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen([sys.executable, "-c", HOLD, folder], text=True, **pipes)
    assert process.stdout.readline() == "held\n"
    return process


def test_the_second_is_told_who_holds_the_folder(tmp_path):
    """One sentence with process, machine and time; nothing is written."""
    process = hold(tmp_path / "run")
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "run").iterdir()}
    with pytest.raises(InputError) as caught:
        execute(Run(tmp_path / "run"), resolve({}, "test"), [])
    words = str(caught.value)
    assert f"process {process.pid} on {platform.node()} since 20" in words
    assert str(tmp_path / "run") in words and "--out" in words and "\n" not in words
    assert caught.value.exit_code == 2
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "run").iterdir()} == before
    process.communicate("")
    execute(Run(tmp_path / "run"), resolve({}, "test"), [])


def test_the_lock_of_a_killed_process_is_taken_over(tmp_path):
    """Also when its number belongs to another process by now: here to this very one."""
    process = hold(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    note = tmp_path / ".holder.json"
    left = json.loads(note.read_text())
    assert left["pid"] == process.pid
    note.write_text(json.dumps(left | {"pid": os.getpid()}))
    with held(tmp_path):
        assert json.loads(note.read_text())["pid"] == os.getpid()
    assert not note.exists()


def test_a_lock_of_another_machine_is_removed_by_hand(tmp_path):
    note = tmp_path / ".holder.json"
    note.write_text(json.dumps({"pid": 7, "host": "elsewhere", "since": "2026-01-01 10:00"}))
    refused = pytest.raises(InputError, match="process 7 on elsewhere since 2026-01-01")
    with refused as caught, held(tmp_path):
        pass
    assert f"delete {note}" in str(caught.value)
    assert note.exists()
    note.unlink()
    with held(tmp_path):
        pass


def test_a_failure_gives_the_lock_back(tmp_path):
    with pytest.raises(ZeroDivisionError), held(tmp_path):
        raise ZeroDivisionError
    with held(tmp_path):
        pass


def test_what_a_killed_process_left_half_written_is_cleared(tmp_path):
    """But not a file of the user, hidden or not."""
    run = Run(tmp_path)
    for name in ("products/.0a1b2c3d.part.tif", ".0a1b2c3d.part.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("ha")
    for name in ("products/mine.part.tif", "products/.mine"):
        (tmp_path / name).write_text("mine")
    execute(run, resolve({}, "test"), [])
    assert sorted(file.name for file in run.product(".").iterdir()) == [".mine", "mine.part.tif"]
    assert not list(tmp_path.glob(".*.part*"))
