"""Execute one notebook through papermill, in a process of its own so that its memory can be
measured.
"""

import json
import logging
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

# What the process of a chapter and its kernel find in their environment.
ENVIRONMENT = {
    # GeoPackages carry the time they were written; a fixed one keeps their bytes the same from run
    # to run.
    "OGR_CURRENT_DATE": "2000-01-01T00:00:00Z",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    # Threads that wait by spinning slow each other down many times when the machine is busy; a
    # short spin does not, and makes a training step of the detector on two cores a sixth
    # faster: most of what it computes is shorter than waking up.
    "OMP_WAIT_POLICY": "PASSIVE",
    "GOMP_SPINCOUNT": "20000",
}


def work(messages, *arguments) -> None:
    """The whole life of a chapter's process.

    Parameters
    ----------
    messages : multiprocessing queue
        Gets ("line", text) while the notebook runs and ("result", …) of `execute_notebook` at its
        end.
    *arguments
        Those of `execute_notebook`.
    """
    result = execute_notebook(*arguments, tell=lambda line: messages.put(("line", line)))
    messages.put(("result", result))


def execute_notebook(
    notebook: Path, folder: Path, values: dict, tell: Callable[[str], None] | None = None
) -> tuple[str, float]:
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
    tell : callable, optional
        Called with a line for each cell that begins and each line that a cell prints.

    Returns
    -------
    failure : str
        What went wrong and in which cell; empty when all is well.
    memory : float
        Peak memory of the kernel and every process below it, together, in MB.
    """
    # jsonschema, which papermill loads, builds a grammar of web addresses at import: 1.5 s for a
    # check that no notebook needs. A module that cannot be imported is left out there.
    sys.modules.setdefault("rfc3987_syntax", None)
    import papermill

    out = folder / "notebooks" / notebook.name
    part = out.with_name(f".{out.stem}.part.ipynb")
    failed = out.with_suffix(".failed.ipynb")
    log = out.with_name(f".{out.stem}.log")
    out.parent.mkdir(exist_ok=True)
    _quiet(log)
    if tell is not None:
        _report_cells(tell, len(json.loads(notebook.read_text(encoding="utf-8"))["cells"]))
    os.environ |= ENVIRONMENT | {"OMP_NUM_THREADS": str(values["n_jobs"])}
    try:
        with children_memory() as peak:
            papermill.execute_notebook(
                str(notebook),
                str(part),
                values,
                cwd=str(folder),
                kernel_name="python3",
                progress_bar=False,
                log_output=True,
            )
    except papermill.PapermillExecutionError as error:
        os.replace(part, failed)
        cell = f"cell [{error.exec_count}]:\n{error.source}\n\n{error.ename}: {error.evalue}"
        return f"{out.stem} failed in {cell}\n\nThe notebook as far as it came: {failed}", 0.0
    except Exception as error:  # a kernel that died (out of memory) has no failing cell to show
        last_words = log.read_text(encoding="utf-8")[-2000:]
        return f"{out.stem} stopped: {error!r}\n\nThe kernel's last words: {last_words}", 0.0
    os.replace(part, out)
    failed.unlink(missing_ok=True)
    return "", max(peak[0], _largest_child_mb())


def _report_cells(tell: Callable[[str], None], count: int) -> None:
    """Tell what papermill logs: the cell that begins, and what cells print."""
    count += 1  # papermill adds a cell with the values

    class Reporter(logging.Handler):
        cell = "starting"

        def emit(self, record: logging.LogRecord) -> None:
            text = record.getMessage().strip()
            if begins := re.match(r"Executing Cell (\d+)", text):
                self.cell = f"cell {begins[1]} of {count}"
                tell(self.cell)
            elif text and not text.startswith("Ending Cell"):
                tell(f"{self.cell}, {text.splitlines()[-1][:80]}")

    logger = logging.getLogger("papermill")
    logger.setLevel(logging.INFO)
    logger.addHandler(Reporter())


def _quiet(log: Path) -> None:
    """Send what the kernel writes to its terminal into a file: noise, unless the kernel dies."""
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(target, 1)
    os.dup2(target, 2)


@contextmanager
def children_memory(every: float = 0.5) -> Iterator[list[float]]:
    """Watch the memory of all processes below this one while the ``with`` block runs.

    A page that several processes share counts once, its parts dealt to those that hold it (Linux:
    proportional set size). Where the system does not say who shares what, resident memory is
    summed, in which shared libraries count once per process.

    Parameters
    ----------
    every : float
        Seconds between two looks, more where looking would take over a hundredth of the time; what
        comes and goes in between is not seen.

    Yields
    ------
    list of float
        One number, the largest sum seen so far, MB (10⁶ bytes).
    """
    done, peak = threading.Event(), [0.0]

    def watch():
        pause = every
        while not done.wait(pause):
            begun = time.thread_time()
            peak[0] = max(peak[0], sum(map(_memory_mb, psutil.Process().children(recursive=True))))
            # A look at a large process takes long, and two busy cores have nothing left for it.
            pause = max(every, 100 * (time.thread_time() - begun))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()


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


def _largest_child_mb() -> float:
    """Peak resident memory of the largest process waited for: the system's own count, which misses
    no spike but knows no sum.
    """
    try:
        import resource
    except ImportError:
        return 0.0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit / 1e6
