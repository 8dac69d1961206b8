"""The memory of a chapter: all its processes together, and what they share only once."""

import subprocess
import sys

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


@pytest.mark.slow
def test_workers_count_together(tmp_path):
    """Two children hold 120 MB each: the peak is their sum and the kernel's own, not the largest of
    the three.
    """
    cells = [
        nbformat.v4.new_code_cell("n_jobs = 1", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(NOTEBOOK),
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), tmp_path / "01_x.ipynb")
    code = f"""
from pathlib import Path
from lsa_helpers.runner.kernel import execute_notebook
folder = Path({str(tmp_path)!r})
print(execute_notebook(folder / "01_x.ipynb", folder / "run", {{"n_jobs": 1}}))
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert 240 < float(done.stdout) < 800


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
