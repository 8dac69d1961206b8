"""Notebook pairs: the ``.py`` (py:percent) is the source, its ``.ipynb`` twin without outputs is
derived from it.
"""

from pathlib import Path

import jupytext
import nbformat


def twin_text(source: Path) -> str:
    """The ``.ipynb`` text of a ``.py`` chapter: no outputs, cell ids that depend only on name and
    position.
    """
    notebook = jupytext.read(source, fmt="py:percent")
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"{source.stem[:50]}-{number:03d}".replace("_", "-")
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return nbformat.writes(notebook, indent=1) + "\n"


def sources(folder: Path) -> list[Path]:
    """The chapters' sources in a folder."""
    return sorted(folder.glob("[0-9][0-9]_*.py"))


def sync(folder: Path) -> list[Path]:
    """Write every twin that is not in step with its source; returns those written."""
    stale = out_of_step(folder)
    for source in stale:
        source.with_suffix(".ipynb").write_text(twin_text(source), encoding="utf-8")
    return [source.with_suffix(".ipynb") for source in stale]


def out_of_step(folder: Path) -> list[Path]:
    """Sources whose twin is missing or differs."""
    twins = ((source, source.with_suffix(".ipynb")) for source in sources(folder))
    return [
        source
        for source, twin in twins
        if not twin.exists() or twin.read_text(encoding="utf-8") != twin_text(source)
    ]
