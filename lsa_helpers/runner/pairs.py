"""Files derived from others: the ``.ipynb`` twins of the ``.py`` chapters (py:percent), without
outputs, the schema of parameter files, and three pages of the book: *How we know* from the tests,
the keys of the catalog, and the register of assumptions.
"""

from pathlib import Path

import jupytext
import nbformat

from lsa_helpers.runner.assumptions import assumptions_page
from lsa_helpers.runner.cells import read_cell
from lsa_helpers.runner.known import page_text
from lsa_helpers.runner.pages import catalog_keys_page
from lsa_helpers.runner.params import CHAPTERS
from lsa_helpers.runner.schema import schema_text


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
    """The sources of the chapters and pages in a folder."""
    return sorted(folder.glob("*.py"))


def out_of_step(folder: Path) -> dict[Path, str]:
    """The derived files that are missing or differ from their sources, with the text they should
    have; `folder` is that of the chapters. Pages are derived in a checkout only.
    """
    twins = {source.stem: twin_text(source) for source in sources(folder)}
    texts = {folder / f"{name}.ipynb": text for name, text in twins.items()}
    # From the twins as they will be, so that one `lsa sync` is enough.
    cells = {name: read_cell(twins[name]) for name in CHAPTERS}
    texts[folder / "params" / "schema.json"] = schema_text(cells)
    if (folder.parent / "tests").is_dir():
        book = folder.parent / "book"
        texts[book / "how_we_know.md"] = page_text(folder.parent / "tests")
        texts[book / "assumptions.md"] = assumptions_page(book / "assumptions.yml")
        texts[book / "catalog_keys.md"] = catalog_keys_page()
    return {
        file: text
        for file, text in texts.items()
        if not file.exists() or file.read_text(encoding="utf-8") != text
    }
