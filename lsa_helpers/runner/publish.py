"""From a run to a Jupyter Book: stage, copy the scripts, build with warnings as errors, put the
site in place whole.
"""

import importlib.metadata
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

import lsa_helpers
from lsa_helpers.errors import InputError, StageError
from lsa_helpers.run import Run
from lsa_helpers.runner import pages
from lsa_helpers.runner.assumptions import assumptions_page
from lsa_helpers.runner.cards import data_cards
from lsa_helpers.runner.extras import add_extras
from lsa_helpers.runner.front import front_page
from lsa_helpers.runner.params import COMPARISON, MOUNTAIN
from lsa_helpers.runner.site import mend_site

# Sphinx' own notes, and what the theme brings and no page loads.
_LEFT_BEHIND = (".buildinfo", ".doctrees", "objects.inv", "*webpack-macros.html")
_LEFT_BEHIND += ("fontawesome.js*", "*.map", "*.ttf", "fa-*.woff2", "locales")
# Jupyter Book without what takes a tenth of its time: a grammar of web addresses that jsonschema
# compiles where it finds it, and a search of all installed packages at every citation.
_JUPYTER_BOOK = """
import functools, importlib.metadata, sys
sys.modules["rfc3987_syntax"] = None
importlib.metadata.entry_points = functools.cache(importlib.metadata.entry_points)
from jupyter_book.cli.main import main
main()
"""


def build_book(run: Run, out: Path | None = None, config: dict | None = None) -> Path:
    """Build the book of a run: its executed notebooks between the pages of ``book/``; no page needs
    the network.

    Parameters
    ----------
    run : Run
        With ``manifest.json`` and executed ``notebooks/``.
    out : Path, optional
        Folder of the site, replaced when the build is good; by default ``book`` in the run's
        folder.
    config : dict, optional
        What is set otherwise than in ``_config.yml``.

    Returns
    -------
    Path
        The site's ``index.html``.

    Raises
    ------
    InputError
        When the run has no executed notebooks, the pages of the book are not there, or `out` is a
        folder with other things in it.
    StageError
        When a notebook that the book makes itself fails, or Jupyter Book gives an error or a
        warning; the message shows them.
    """
    out = Path(out) if out is not None else run.path / "book"
    refuse_other_things(out)
    with tempfile.TemporaryDirectory() as folder:
        stage = Path(folder) / "stage"
        compares = (run.path / "comparison.json").is_file()
        if not compares and _executed(run):
            add_extras(run)
        (comparison_stage if compares else make_stage)(run, stage)
        set_values(stage / "_config.yml", config or {})
        site = _jupyter_book(stage, Path(folder) / "built")
        mend_site(site)
        put_in_place(site, out)
    return out / "index.html"


def refuse_other_things(out: Path) -> None:
    """Refuse a folder that holds something else than a site, which would be replaced.

    Parameters
    ----------
    out : Path

    Raises
    ------
    InputError
    """
    if out.exists() and any(out.iterdir()) and not (out / "index.html").is_file():
        raise InputError(
            "this folder holds something that is no book",
            where=out,
            fix="Give an empty folder or a new name with --out",
        )


def make_stage(run: Run, stage: Path) -> None:
    """Lay out what Jupyter Book reads: the repository's paths, with the run's notebooks in place of
    the empty ones.

    Parameters
    ----------
    run : Run
    stage : Path
        A folder that does not exist yet.
    """
    root = _root()
    if not (notebooks := _executed(run)):
        raise InputError(
            "the run has no executed notebooks", where=run.path, fix="Make it first: lsa run NAME"
        )
    shutil.copytree(root / "book", stage / "book")
    _copy_scripts(stage / "book" / "_static" / "vendor")
    written = {f"notebooks/{path.name}": _fold_parameters(path) for path in notebooks}
    written |= {f"notebooks/{name}.md": text for name, text in pages.skipped_pages(run).items()}
    index = (root / "book" / "index.md").read_text(encoding="utf-8")
    written["book/index.md"] = front_page(index, run, stage / "book" / "front")
    written["book/timings.md"] = pages.timings_page(run)
    written["book/assumptions.md"] = assumptions_page(root / "book" / "assumptions.yml", run)
    written |= {"book/data_cards.md": cards} if (cards := data_cards(run)) else {}
    written["book/cite.md"] = pages.cite_page(root / "CITATION.cff")
    written["book/parameters.md"] = pages.parameters_page(run)
    written["_config.yml"] = _config(root)
    (stage / "notebooks").mkdir()
    for name, text in written.items():
        (stage / name).write_text(text, encoding="utf-8")
    toc = _present(yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8")), stage)
    (stage / "_toc.yml").write_text(yaml.safe_dump(toc, sort_keys=False), encoding="utf-8")


def _executed(run: Run) -> list[Path]:
    """The run's executed notebooks."""
    folder = run.path / "notebooks"
    notebooks = sorted([*folder.glob("[0-9][0-9]_*.ipynb"), *folder.glob(f"{MOUNTAIN}.ipynb")])
    return [path for path in notebooks if path.suffixes == [".ipynb"]]


def comparison_stage(run: Run, stage: Path) -> None:
    """Lay out the book of a comparison: a page with links to the runs' own books, and the chapter.

    Parameters
    ----------
    run : Run
        The comparison's folder.
    stage : Path
        A folder that does not exist yet.
    """
    root = _root()
    for name in ("_static", "_templates"):
        shutil.copytree(root / "book" / name, stage / "book" / name)
    shutil.copyfile(root / "book/references.bib", stage / "book/references.bib")
    _copy_scripts(stage / "book/_static/vendor")
    (stage / "notebooks").mkdir()
    chapter = f"notebooks/{COMPARISON}"
    toc = {"format": "jb-book", "root": "book/index", "chapters": [{"file": chapter}]}
    written = {
        "book/index.md": pages.compared_page(run),
        f"{chapter}.ipynb": _fold_parameters(run.path / f"{chapter}.ipynb"),
        "_toc.yml": yaml.safe_dump(toc, sort_keys=False),
        "_config.yml": _config(root),
    }
    for name, text in written.items():
        (stage / name).write_text(text, encoding="utf-8")


def _root() -> Path:
    """The checkout with the pages of the book."""
    root = Path(lsa_helpers.__file__).parent.parent
    if not (root / "_config.yml").is_file():
        raise InputError(
            "the pages of the book are not here",
            where=root,
            fix="Build the book from a checkout of the repository",
        )
    return root


def _config(root: Path) -> str:
    """Jupyter Book's settings for notebooks that were executed before."""
    config = (root / "_config.yml").read_text(encoding="utf-8")
    config = config.replace("execute_notebooks: force", 'execute_notebooks: "off"')
    return config.replace("{version}", lsa_helpers.__version__)


def set_values(file: Path, values: dict) -> None:
    """Set values of a YAML file, at any depth."""

    def merged(old: dict, new: dict) -> dict:
        both = {key: merged(old[key], new[key]) for key in old if isinstance(new.get(key), dict)}
        return old | new | both

    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    text = yaml.safe_dump(merged(content, values), sort_keys=False, allow_unicode=True)
    file.write_text(text, encoding="utf-8")


def _fold_parameters(path: Path) -> str:
    """A notebook in which the cell of values that papermill injected is folded, so that the
    chapter's commented parameters stay the ones in sight.
    """
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if "injected-parameters" in cell["metadata"].get("tags", []):
            cell["metadata"]["tags"].append("hide-input")
            prompts = ("code_prompt_show", "code_prompt_hide")
            cell["metadata"]["mystnb"] = dict.fromkeys(prompts, "Values used in this run")
    return json.dumps(notebook, ensure_ascii=False)


def _present(toc: dict, stage: Path) -> dict:
    """The table of contents without chapters that the run does not have; a part of which only its
    introduction and its questions are left would be a promise.
    """
    parts = []
    for part in toc["parts"]:
        chapters = [item for item in part["chapters"] if any(stage.glob(f"{item['file']}.*"))]
        if any(not re.search("/(part|quiz)_", item["file"]) for item in chapters):
            parts.append(part | {"chapters": chapters})
    return toc | {"parts": parts}


def _copy_scripts(folder: Path) -> None:
    """Copy MathJax from the installed package, so that no page asks a server."""
    files = importlib.metadata.files("sphinx-mathjax-offline")
    script = next(file for file in files if str(file).endswith("mathjax/tex-mml-chtml.js"))
    mathjax = script.locate().resolve()
    (folder / "mathjax").mkdir(parents=True)
    shutil.copyfile(mathjax, folder / "mathjax" / mathjax.name)
    shutil.copytree(mathjax.parent / "output/chtml", folder / "mathjax/output/chtml")


def _jupyter_book(stage: Path, built: Path) -> Path:
    """Build the stage; every warning is an error."""
    command = [sys.executable, "-c", _JUPYTER_BOOK, "build", stage]
    command += ["--path-output", built, "-W", "--keep-going", "-n", "-q"]
    environment = os.environ | {"NO_COLOR": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        words = re.sub(r"\x1b\[[0-9;]*m", "", done.stderr + done.stdout)
        lines = words.replace(f"{stage}/", "").splitlines()
        told = [line for line in lines if re.search(r"WARNING|ERROR|Error|Exception", line)]
        told = "\n".join((told or lines[-20:])[:40])
        raise StageError(f"Jupyter Book does not build the book:\n{told}")
    return built / "_build" / "html"


def put_in_place(site: Path, out: Path) -> None:
    """Replace `out` by the new site in two renames, without what no page loads."""
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f".{out.name}-{secrets.token_hex(4)}")
    shutil.copytree(site, part, ignore=shutil.ignore_patterns(*_LEFT_BEHIND))
    if out.exists():
        old = part.with_name(f"{part.name}-old")
        out.rename(old)
        part.rename(out)
        shutil.rmtree(old)
    else:
        part.rename(out)
