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
from importlib.util import find_spec
from pathlib import Path

import yaml

import lsa_helpers
from lsa_helpers.errors import InputError, StageError
from lsa_helpers.run import Run
from lsa_helpers.runner import api, pages

# Jupyter Book puts Thebe, which would fetch a kernel from the network, into every page, twice, even
# when it is switched off.
_THEBE = re.compile(
    r"""<script>const THEBE_JS_URL.*?</script>|"""
    r"""<script[^>]*(?:sphinx-thebe\.js|x-thebe-config)[^>]*>.*?</script>|"""
    r"""<script>kernelName = .*?</script>|<link[^>]*sphinx-thebe\.css[^>]*>""",
    re.DOTALL,
)

_LEFT_BEHIND = (".buildinfo", ".doctrees", "objects.inv", "sphinx-thebe*", "*webpack-macros.html")


def build_book(run: Run, out: Path | None = None) -> Path:
    """Build the book of a run: its executed notebooks between the pages of ``book/``; no page needs
    the network.

    Parameters
    ----------
    run : Run
        With ``manifest.json`` and executed ``notebooks/``.
    out : Path, optional
        Folder of the site, replaced when the build is good; by default ``book`` in the run's
        folder.

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
        When Jupyter Book gives an error or a warning; the message shows them.
    """
    out = Path(out) if out is not None else run.path / "book"
    if out.exists() and any(out.iterdir()) and not (out / "index.html").is_file():
        raise InputError(
            "this folder holds something that is no book",
            where=out,
            fix="Give an empty folder or a new name with --out",
        )
    with tempfile.TemporaryDirectory() as folder:
        stage = Path(folder) / "stage"
        make_stage(run, stage)
        site = _jupyter_book(stage, Path(folder) / "built")
        _put_in_place(site, out)
    return out / "index.html"


def make_stage(run: Run, stage: Path) -> None:
    """Lay out what Jupyter Book reads: the repository's paths, with the run's notebooks in place of
    the empty ones.

    Parameters
    ----------
    run : Run
    stage : Path
        A folder that does not exist yet.
    """
    root = Path(lsa_helpers.__file__).parent.parent
    if not (root / "_config.yml").is_file():
        raise InputError(
            "the pages of the book are not here",
            where=root,
            fix="Build the book from a checkout of the repository",
        )
    notebooks = sorted(
        path
        for path in (run.path / "notebooks").glob("[0-9][0-9]_*.ipynb")
        if ".failed" not in path.name
    )
    if not notebooks:
        raise InputError(
            "the run has no executed notebooks", where=run.path, fix="Make it first: lsa run NAME"
        )
    shutil.copytree(root / "book", stage / "book")
    (stage / "notebooks").mkdir()
    for path in notebooks:
        (stage / "notebooks" / path.name).write_text(
            _fold_parameters(path.read_text(encoding="utf-8")), encoding="utf-8"
        )
    written = {f"notebooks/{name}": text for name, text in pages.skipped_pages(run).items()}
    written |= {"book/timings": pages.timings_page(run)}
    written |= {"book/parameters": pages.parameters_page(run)}
    reference = api.api_pages(Path(lsa_helpers.__file__).parent)
    for name, text in (written | reference).items():
        (stage / name).parent.mkdir(exist_ok=True)
        (stage / f"{name}.md").write_text(text, encoding="utf-8")
    _copy_scripts(stage / "book" / "_static" / "vendor")
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    config["execute"]["execute_notebooks"] = "off"
    config["html"]["extra_footer"] = config["html"]["extra_footer"].replace(
        "{version}", lsa_helpers.__version__
    )
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    toc = _present(toc, stage, list(reference))
    for name, content in (("_config.yml", config), ("_toc.yml", toc)):
        (stage / name).write_text(
            yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8"
        )


def _fold_parameters(text: str) -> str:
    """Fold the cell of values that papermill injected, so that the chapter's commented parameters
    stay the ones in sight.
    """
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        tags = cell["metadata"].get("tags", [])
        if "injected-parameters" in tags:
            cell["metadata"]["tags"] = [*tags, "hide-input"]
            cell["metadata"]["mystnb"] = {
                "code_prompt_show": "Values used in this run",
                "code_prompt_hide": "Values used in this run",
            }
    return json.dumps(notebook, ensure_ascii=False)


def _present(toc: dict, stage: Path, reference: list[str]) -> dict:
    """The table of contents without chapters that the run does not have, and with the generated
    pages.
    """

    def there(chapter: dict) -> bool:
        return any((stage / f"{chapter['file']}{suffix}").exists() for suffix in (".md", ".ipynb"))

    overview, *rooms = [{"file": name} for name in reference]
    generated = [
        {
            "caption": "This run",
            "chapters": [{"file": "book/timings"}, {"file": "book/parameters"}],
        },
        {"caption": "The module", "chapters": [overview | {"sections": rooms}]},
    ]
    parts = []
    for part in [*toc["parts"][:-1], *generated, toc["parts"][-1]]:
        chapters = [chapter for chapter in part["chapters"] if there(chapter)]
        notebooks = [item for item in part["chapters"] if item["file"].startswith("notebooks/")]
        # A part about chapters that are not there would be a promise.
        if not notebooks or any(there(chapter) for chapter in notebooks):
            parts.append(part | {"chapters": chapters})
    return toc | {"parts": parts}


def _copy_scripts(folder: Path) -> None:
    """Copy require.js, the widget manager, the map widget and MathJax from the installed packages,
    so that no page asks a server.
    """
    mathjax = Path(
        importlib.metadata.distribution("sphinx-mathjax-offline").locate_file(
            "sphinx-mathjax-offline/static/mathjax"
        )
    )
    nbclassic, shinywidgets = (
        Path(find_spec(name).origin).parent for name in ("nbclassic", "shinywidgets")
    )
    files = importlib.metadata.distribution("jupyter-leaflet").files
    leaflet = (
        next(
            file
            for file in files
            if file.as_posix().endswith("nbextensions/jupyter-leaflet/index.js")
        )
        .locate()
        .resolve()
    )
    wanted = {
        "require.js": nbclassic / "static/components/requirejs/require.js",
        "libembed-amd.js": shinywidgets / "static/libembed-amd.js",
        "jupyter-leaflet": leaflet.parent,
        "mathjax/tex-mml-chtml.js": mathjax / "tex-mml-chtml.js",
        "mathjax/output/chtml": mathjax / "output/chtml",
    }
    for name, source in wanted.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copyfile)(source, folder / name)


def _jupyter_book(stage: Path, built: Path) -> Path:
    """Build the stage; every warning is an error."""
    program = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]
    command = [
        *program,
        "build",
        str(stage),
        "--path-output",
        str(built),
        "-W",
        "--keep-going",
        "-n",
        "-q",
    ]
    environment = os.environ | {"NO_COLOR": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        lines = (
            re.sub(r"\x1b\[[0-9;]*m", "", done.stderr + done.stdout)
            .replace(f"{stage}/", "")
            .splitlines()
        )
        told = [
            line for line in lines if re.search(r"WARNING|ERROR|Error|Exception", line)
        ] or lines[-20:]
        raise StageError("Jupyter Book does not build the book:\n" + "\n".join(told[:40]))
    return built / "_build" / "html"


def _put_in_place(site: Path, out: Path) -> None:
    """Replace `out` by the new site in two renames; Sphinx' own notes are left behind."""
    for page in site.rglob("*.html"):
        page.write_text(_THEBE.sub("", page.read_text(encoding="utf-8")), encoding="utf-8")
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
