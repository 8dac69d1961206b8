"""Execute one notebook by papermill's own command, and watch what it does and how much memory it
needs.
"""

import errno
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import yaml

from lsa_helpers.errors import StageError
from lsa_helpers.run import is_full

# What the process of a chapter and its kernel find in their environment.
ENVIRONMENT = {
    # GeoPackages carry the time they were written; a fixed one keeps their bytes the same from run
    # to run.
    "OGR_CURRENT_DATE": "2000-01-01T00:00:00Z",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    # MB of rasters' blocks that GDAL keeps; a twentieth of the machine's memory if not told.
    "GDAL_CACHEMAX": "256",
    # Threads that wait by spinning slow each other down many times when the machine is busy; a
    # short spin does not, and makes a training step of the detector on two cores a sixth
    # faster: most of what it computes is shorter than waking up.
    "OMP_WAIT_POLICY": "PASSIVE",
    "GOMP_SPINCOUNT": "20000",
}
# jsonschema, which papermill loads, builds a grammar of web addresses at import: over a second for
# a check that no notebook needs. A module that cannot be imported is left out there.
# A run that is killed (kill -9, no memory) cannot end what it started: papermill ends itself then,
# and its kernel looks for papermill in the same way.
_PAPERMILL = """
import os, sys, threading, time
def end_with(parent):
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
threading.Thread(target=end_with, args=[{parent}], daemon=True).start()
sys.modules["rfc3987_syntax"] = None
from papermill.cli import papermill
papermill()
"""


def execute_notebook(
    notebook: Path, folder: Path, values: dict, tell: Callable[[str], None] = lambda line: None
) -> float:
    """Execute a notebook in a run's folder.

    The executed copy appears in ``notebooks/`` only when every cell ran; otherwise a
    ``.failed.ipynb`` shows how far it came.

    Parameters
    ----------
    notebook : Path
        The chapter.
    folder : Path
        The run's folder, which becomes the kernel's working directory.
    values : dict
        Parameters to inject.
    tell : callable
        Called every second with the cell that runs and what it printed last.

    Returns
    -------
    float
        Peak memory of the kernel and every process below it, together, MB (10⁶ bytes). What comes
        and goes within a second is not seen.

    Raises
    ------
    StageError
        When a cell failed, which is shown, or a process died.
    OSError
        When the disk is full.
    """
    out = folder / "notebooks" / notebook.name
    part, log = (out.with_name(f".{out.stem}{ending}") for ending in (".part.ipynb", ".log"))
    failed = out.with_suffix(".failed.ipynb")
    out.parent.mkdir(parents=True, exist_ok=True)
    # -P: a file of the user that is called like a module of papermill's does not take its place
    code = _PAPERMILL.format(parent=os.getpid())
    command = [sys.executable, "-P", "-c", code, notebook, part]
    command += ["-y", yaml.safe_dump(values)]
    command += ["--cwd", folder, "--kernel=python3", "--log-output", "--no-progress-bar"]
    environment = os.environ | ENVIRONMENT | {"OMP_NUM_THREADS": str(values.get("n_jobs", 1))}
    with log.open("w") as words:
        told = {"stdin": subprocess.DEVNULL, "stdout": words, "stderr": words}
        process = subprocess.Popen(command, env=environment, **told)
        try:
            peak = _follow(process, log, len(_cells(notebook)) + 1, tell)
        finally:
            process.terminate()  # after an interruption nothing goes on behind it
            process.wait()
    if process.returncode:
        why = _failure(part, log, process.returncode)
        if os.strerror(errno.ENOSPC) in why or is_full(folder):
            part.unlink(missing_ok=True)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
        if part.exists():
            os.replace(part, failed)
            why += f"\n\nThe notebook as far as it came: {failed}"
        raise StageError(f"{out.stem} {why}")
    os.replace(part, out)
    failed.unlink(missing_ok=True)
    return peak


def _cells(notebook: Path) -> list[dict]:
    """The cells of a notebook."""
    return json.loads(notebook.read_text(encoding="utf-8"))["cells"]


def _follow(process: subprocess.Popen, log: Path, count: int, tell: Callable[[str], None]) -> float:
    """Read papermill's log until it ends, one of so many cells after the other; the peak memory."""
    peak, cell = 0.0, "starting"
    latest = cell
    with log.open(encoding="utf-8", errors="replace") as lines:
        while process.poll() is None:
            time.sleep(1)
            peak = max(peak, children_memory(process.pid))
            for line in lines:
                if begins := re.match(r"Executing Cell (\d+)", line):
                    cell = latest = f"cell {begins[1]} of {count}"
                elif line.strip() and not line.startswith(("Ending Cell", "[IPKernelApp]")):
                    latest = f"{cell}, {line.strip()[:80]}"
            tell(latest)
    return peak


def _failure(part: Path, log: Path, code: int) -> str:
    """The cell that failed and its error, else the last words of a process that died (a kernel
    without memory has no failing cell to show).
    """
    try:
        cells = _cells(part) if code == 1 and part.exists() else []
    except ValueError:  # a notebook that could not be written whole
        cells = []
    failed = [cell for cell in cells if cell["metadata"].get("papermill", {}).get("exception")]
    outputs = [output for cell in failed for output in cell["outputs"]]
    if errors := [output for output in outputs if output["output_type"] == "error"]:
        number, source = failed[0]["execution_count"], "".join(failed[0]["source"])
        error = f"{errors[0]['ename']}: {errors[0]['evalue']}"
        return f"failed in cell [{number}]:\n{source}\n\n{error}"
    text = log.read_text(encoding="utf-8", errors="replace")
    words, _, trace = text.partition("Traceback (most recent call last)")
    reason = f"exit code {code} {trace.rstrip().rpartition('\n')[2]}".strip()
    return f"stopped: its process ended ({reason}). Its last words (all: {log}):\n\n{words[-2000:]}"


def children_memory(pid: int) -> float:
    """Memory that all processes below one hold together now, MB (10⁶ bytes).

    A page that several processes share counts once, its parts dealt to those that hold it (Linux:
    proportional set size). Where the system does not say who shares what, resident memory is
    summed, in which shared libraries count once per process.
    """
    try:
        return sum(map(_memory_mb, psutil.Process(pid).children(recursive=True)))
    except psutil.NoSuchProcess:
        return 0.0


def _memory_mb(process: psutil.Process) -> float:
    """Memory of one process: proportional where the system tells, else resident; 0 when it has
    ended.
    """
    try:
        try:
            full = process.memory_full_info()
            return getattr(full, "pss", full.rss) / 1e6
        except psutil.AccessDenied:
            return process.memory_info().rss / 1e6
    except psutil.Error:
        return 0.0
