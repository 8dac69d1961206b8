"""The chapter that compares runs: of which runs, and where it is made."""

import json
import os
from collections.abc import Callable
from pathlib import Path

from lsa_helpers.errors import InputError
from lsa_helpers.run import Run, whole_file
from lsa_helpers.runner.cells import notebooks_dir
from lsa_helpers.runner.kernel import execute_notebook
from lsa_helpers.runner.params import COMPARISON
from lsa_helpers.runner.registry import find_run
from lsa_helpers.runner.sweep import read_sweep, run_name


def sweep_folder(name: str) -> Path | None:
    """A sweep's folder by its name in runs/, or by itself; None where there is none."""
    folders = (Path(name), Path("runs") / name)
    return next((folder for folder in folders if (folder / "sweep.yml").is_file()), None)


def find_compared(names: list[str]) -> tuple[list[Path], Path]:
    """The runs to compare, and the folder of their comparison.

    Parameters
    ----------
    names : list of str
        One sweep, or runs, by name or folder.

    Returns
    -------
    runs : list of Path
        Of a sweep those that have scores of chapter 05, in its order.
    folder : Path
        The sweep's folder, or ``runs/comparison``.

    Raises
    ------
    InputError
        When there are fewer than two runs, a named one has no scores, or two have one name.
    """
    if len(names) == 1 and (folder := sweep_folder(names[0])):
        changes = read_sweep(folder / "sweep.yml").changes()
        runs = [folder / run_name(change) for change in changes]
        runs = [run for run in runs if _has_scores(run)]
    else:
        runs, folder = [find_run(name) for name in names], Path("runs/comparison")
        for run in runs:
            if not _has_scores(run):
                fix = "Make it to chapter 05 at least: lsa run NAME --until 05"
                raise InputError("the run has no scores to compare", where=run, fix=fix)
    if len(runs) < 2:
        raise InputError(
            "there is nothing to compare",
            found=f"{len(runs)} run(s) with scores of chapter 05",
            fix="Name two runs or more, or the folder of a sweep",
        )
    called = [run.resolve().name for run in runs]
    if twice := [name for name in called if called.count(name) > 1]:
        fix = "Rename one of the folders"
        raise InputError("two of the runs have one name", found=twice[0], fix=fix)
    return runs, folder


def _has_scores(run: Path) -> bool:
    """Whether a run has come to the scores of chapter 05."""
    return (run / "manifest.json").is_file() and Run(run).table("scores_spatial").is_file()


def make_comparison(
    runs: list[Path], folder: Path, tell: Callable[[str], None] = lambda line: None
) -> Path:
    """Execute the chapter that compares runs.

    Parameters
    ----------
    runs : list of Path
        The runs' folders; the first is the one that the others are held against.
    folder : Path
        Folder of the comparison, which gets ``notebooks/``, ``tables/`` and ``figures/``.
    tell : callable
        Called with the cell that runs.

    Returns
    -------
    Path
        The executed notebook.

    Raises
    ------
    StageError
        When a cell fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    seen = [Path(os.path.relpath(run.resolve(), folder.resolve())).as_posix() for run in runs]
    values = {"run_dir": ".", "runs": seen}
    with whole_file(folder / "comparison.json") as part:
        part.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    execute_notebook(notebooks_dir() / f"{COMPARISON}.ipynb", folder.resolve(), values, tell)
    return folder / "notebooks" / f"{COMPARISON}.ipynb"
