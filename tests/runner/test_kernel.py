"""The processes of a chapter: their memory together, what they share only once, their end."""

import signal
import subprocess
import sys
import time

import nbformat
import psutil
import pytest

# Each child says when it holds its memory and ends when its input closes.
HOLD = "import sys; held = b'x' * 120_000_000; print(flush=True); sys.stdin.read()"
NOTEBOOK = f"""
import subprocess, sys, time
how = {{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}}
children = [subprocess.Popen([sys.executable, "-c", {HOLD!r}], **how) for _ in range(2)]
for child in children: child.stdout.readline()
time.sleep(2)
for child in children: child.communicate()
"""
SHARE = """
import os, sys
held = b"x" * 200_000_000
child = os.fork()
if child:
    print(flush=True)
    sys.stdin.read()
    os.waitpid(child, 0)
else:
    sys.stdin.read()
"""


def start(folder, source: str) -> subprocess.Popen:
    """A process that executes a notebook of one cell and prints its peak memory."""
    cells = [
        nbformat.v4.new_code_cell("n_jobs = 1", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(source),
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / "01_x.ipynb")
    code = f"""
from pathlib import Path
from lsa_helpers.runner.kernel import execute_notebook
folder = Path({str(folder)!r})
print(execute_notebook(folder / "01_x.ipynb", folder / "run", {{"n_jobs": 1}}))
"""
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_workers_count_together(tmp_path):
    """Two children hold 120 MB each: the peak is their sum and the kernel's own, not the largest of
    the three.
    """
    assert 240 < float(start(tmp_path, NOTEBOOK).communicate()[0]) < 800


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interruption_leaves_nothing_behind(tmp_path, how):
    """Ctrl-C ends papermill and the kernel, and so does a kill that nobody can answer; the chapter
    does not count as executed.
    """
    begun = tmp_path / "begun"
    code = f"open({str(begun)!r}, 'w').close(); import time; time.sleep(1000)"
    process = start(tmp_path, code)
    while not begun.exists():
        assert process.poll() is None
        time.sleep(0.1)
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(how)
    process.communicate()
    assert process.returncode != 0
    assert len(children) == 2 and psutil.wait_procs(children, timeout=60)[1] == []
    assert not (tmp_path / "run/notebooks/01_x.ipynb").exists()


@pytest.mark.skipif(
    not hasattr(psutil.Process().memory_full_info(), "pss"),
    reason="the system does not say who shares a page",
)
def test_shared_memory_counts_once():
    """A process of 200 MB and its fork, which shares all of it, hold 200 MB and not 400.

    Measured from a process of its own: this one has children that other tests left.
    """
    code = f"""
import os, subprocess, sys
from lsa_helpers.runner.kernel import children_memory
pipes = {{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}}
child = subprocess.Popen([sys.executable, "-c", {SHARE!r}], **pipes)
child.stdout.readline()
print(children_memory(os.getpid()))
child.communicate()
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert 200 < float(done.stdout) < 300
