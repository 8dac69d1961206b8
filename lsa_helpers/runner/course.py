"""The folder of a course: all that a class needs of a run, to be used without internet."""

import json
import secrets
import shutil
from pathlib import Path

import nbformat
import yaml
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

import lsa_helpers
from lsa_helpers import answers
from lsa_helpers.errors import InputError
from lsa_helpers.run import Run
from lsa_helpers.runner.cells import notebooks_dir
from lsa_helpers.runner.exercises import without_solutions
from lsa_helpers.runner.inputs import LOCAL_FILES, names_a_file, seen_from
from lsa_helpers.runner.manifest import read_manifest
from lsa_helpers.runner.modules import uses
from lsa_helpers.runner.params import CHAPTERS

_OF_THE_CHECKOUT = (
    "pyproject.toml",
    "requirements.lock",
    "requirements-light.lock",
    "environment.yml",
)
_OF_THE_CHECKOUT += ("LICENSE", "LICENSE-CONTENT")
_PAGE, _MINE = "page", "mine"
# What the book calls its run, and what the class calls it.
_NAMES = {"lsa try quick": f"lsa try {_PAGE}", "runs/quick/": f"runs/{_PAGE}/"}
_CHECK = """# Your turn. Hold your answer against the page{which}:
# from lsa_helpers import answers
# answers.check(run, "{label}", your_value)"""


def make_course(run: Run, folder: Path) -> None:
    """Write the folder of a course: student's notebooks, the run twice, its book, the module.

    Parameters
    ----------
    run : Run
        With executed chapters and a book.
    folder : Path
        Must not exist, or be empty.

    Raises
    ------
    InputError
        When the run has no book, or the folder holds something.
    """
    if not (run.path / "book" / "index.html").is_file():
        name = run.path.name
        raise InputError("the run has no book", where=run.path, fix=f"First: lsa book {name}")
    if folder.exists() and any(folder.iterdir()):
        raise InputError("this folder is not empty", where=folder, fix="Give another name")
    part = folder.with_name(f".{folder.name}-{secrets.token_hex(4)}")
    try:
        _fill(run, part)
        if folder.exists():
            folder.rmdir()
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _fill(run: Run, folder: Path) -> None:
    """Everything, into a folder that does not exist yet."""
    root = Path(lsa_helpers.__file__).parent
    not_compiled = shutil.ignore_patterns("__pycache__", "_notebooks")
    shutil.copytree(root, folder / "lsa_helpers", ignore=not_compiled)
    for name in _OF_THE_CHECKOUT:
        if (root.parent / name).is_file():  # not where the package was installed without them
            shutil.copyfile(root.parent / name, folder / name)
    shutil.copyfile(root / "runner" / "course.md", folder / "README.md")
    shutil.copytree(run.path / "book", folder / "book")
    shutil.copytree(notebooks_dir() / "params", folder / "notebooks" / "params")
    sections = yaml.safe_load((run.path / "params.yml").read_text(encoding="utf-8"))
    places = _copy_files(run, sections, folder)
    seen = _seen_from("..", sections, places)
    asked = answers.asked(run)
    for chapter in CHAPTERS:
        values = seen["shared"] | seen[chapter] | {"run_dir": f"../runs/{_MINE}"}
        _students_notebook(chapter, values, asked, folder / "notebooks")
    seen = _seen_from("../..", sections, places)
    _copy_run(run, folder / "runs" / _PAGE, folder / "notebooks", seen)
    shutil.copytree(folder / "runs" / _PAGE, folder / "runs" / _MINE)


def _copy_files(run: Run, sections: dict, folder: Path) -> dict[tuple[str, str], str]:
    """Copy the data folder, the catalog and every other file that a parameter names; section and
    parameter → place in `folder`.
    """
    places = {}
    for section, names in {"shared": ("data", "catalog"), **LOCAL_FILES}.items():
        for name in names:
            if names_a_file(name, text := sections[section][name]):
                source = seen_from(run.path, text)
                place = name if source.is_dir() else f"{name}/{source.name}"
                (folder / place).parent.mkdir(exist_ok=True)
                copy = shutil.copytree if source.is_dir() else shutil.copyfile
                copy(source, folder / place)
                places[section, name] = place
    return places


def _seen_from(up: str, sections: dict, places: dict[tuple[str, str], str]) -> dict:
    """The parameters of a run with the paths of what was copied, from a folder below."""
    seen = {section: dict(values) for section, values in sections.items()}
    for (section, name), place in places.items():
        seen[section][name] = f"{up}/{place}"
    return seen


def _students_notebook(chapter: str, values: dict, asked: dict[str, str], folder: Path) -> None:
    """A chapter without solutions and results, with the run's values."""

    def your_turn(label: str) -> str:
        if label not in asked:
            return "# Your turn."
        which = f", {asked[label]}" if asked[label] else ""
        return _CHECK.format(which=which, label=label)

    source = load_notebook_node(str(notebooks_dir() / f"{chapter}.ipynb"))
    notebook = parameterize_notebook(source, values)
    text = nbformat.writes(notebook)
    for book, here in _NAMES.items():
        text = text.replace(book, here)
    cells = json.loads(text)["cells"]
    notebook.cells = [nbformat.from_dict(cell) for cell in without_solutions(cells, your_turn)]
    nbformat.write(notebook, folder / f"{chapter}.ipynb")


def _copy_run(run: Run, copy: Path, notebooks: Path, sections: dict) -> None:
    """A run without its book, which does not miss the solutions of the notebooks beside it."""
    shutil.copytree(run.path, copy, ignore=shutil.ignore_patterns("book", "checkpoints", ".*"))
    text = yaml.safe_dump(sections, sort_keys=False, allow_unicode=True)
    (copy / "params.yml").write_text(text, encoding="utf-8")
    manifest = read_manifest(run)
    for record in manifest["stages"]:
        if "looks" in record:
            chapter = record["name"]
            record["looks"] = uses(notebooks / f"{chapter}.ipynb", CHAPTERS[chapter]).looks
    text = json.dumps(manifest, indent=1, ensure_ascii=False)
    (copy / "manifest.json").write_text(text + "\n", encoding="utf-8")
