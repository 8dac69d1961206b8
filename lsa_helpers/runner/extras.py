"""Notebooks of a book that are no stage of a run: `lsa book` executes them when what they are made
from changed.
"""

import json
from pathlib import Path

import yaml

from lsa_helpers.run import Run, whole_file
from lsa_helpers.runner import manifest
from lsa_helpers.runner.cells import notebooks_dir
from lsa_helpers.runner.kernel import execute_notebook
from lsa_helpers.runner.modules import uses
from lsa_helpers.runner.params import MOUNTAIN, PUBLISHED, Parameters

_MADE_FROM = "lsa_made_from"  # in the metadata of the executed notebook


def is_simulated(run: Run) -> bool:
    """Whether a run is about a mountain that it made itself, so that it can be made again."""
    file = run.path / "params.yml"
    if not (file.is_file() and run.has("truth/source.tif")):
        return False
    return not yaml.safe_load(file.read_text(encoding="utf-8"))["shared"]["data"]


#: Notebooks that no later chapter needs and that take seconds: name, values, and for which runs.
MADE_BY_THE_BOOK = (
    (MOUNTAIN, {"run_dir": "."}, is_simulated),
    (PUBLISHED, {"run_dir": ".", "table": ""}, lambda run: True),
)


def add_extras(run: Run) -> None:
    """Execute those of `MADE_BY_THE_BOOK` that are not up to date in the run's folder; one that is
    not for this run is removed, which may be there from a run of other data.

    Parameters
    ----------
    run : Run

    Raises
    ------
    StageError
        When a cell fails.
    """
    for name, values, is_for in MADE_BY_THE_BOOK:
        executed = run.path / "notebooks" / f"{name}.ipynb"
        if not is_for(run):
            executed.unlink(missing_ok=True)
        elif _made_from(executed) != (now := _now(run, name, values)):
            execute_notebook(notebooks_dir() / f"{name}.ipynb", run.path.resolve(), values)
            _sign(executed, now)


def _now(run: Run, name: str, values: dict) -> str:
    """Digest of what a notebook would be made from: its values, its code, the package's code and
    data it uses, the run's parameters, and the products of the first chapter.
    """
    stages = manifest.read_manifest(run)["stages"]
    first = [stage["outputs"] for stage in stages if stage["name"] == "01_data"]
    products = [file for outputs in first for file in outputs if file.startswith("products/")]
    files = manifest.hashes(run.path, ["params.yml", *products])
    return manifest.digest(values, files, uses(notebooks_dir() / f"{name}.ipynb", Parameters))


def _made_from(executed: Path) -> str:
    """The digest that an executed notebook was signed with; empty without one, or when the file is
    no notebook.
    """
    try:
        notebook = json.loads(executed.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return ""
    return notebook["metadata"].get(_MADE_FROM, "")


def _sign(executed: Path, digest: str) -> None:
    """Keep the digest in the notebook."""
    notebook = json.loads(executed.read_text(encoding="utf-8"))
    notebook["metadata"][_MADE_FROM] = digest
    with whole_file(executed) as part:
        part.write_text(json.dumps(notebook, ensure_ascii=False, indent=1), encoding="utf-8")
