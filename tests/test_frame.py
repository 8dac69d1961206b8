"""The frame holds together: rooms, dependencies, lock, notebooks and their parameters."""

import ast
import re
import subprocess
import sys
import tomllib

import jupytext
import pytest
import yaml
from packaging.requirements import Requirement

import lsa_helpers
from lsa_helpers.runner import pairs
from lsa_helpers.runner.cells import cell_of
from lsa_helpers.runner.params import CHAPTERS, COMPARISON, MOUNTAIN, PUBLISHED, Parameters

ROOMS = [
    *[
        "errors",
        "run",
        "answers",
        "reproducible",
        "raster",
        "paper",
        "audit",
        "mountain",
        "sources",
    ],
    *["factors", "detect", "samples", "validation", "selection", "cnn", "models", "classes"],
    *["explain", "show", "runner"],
]
BLOCKS = ["Overview", "Try it", "Summary", "What's next", "References"]


def room(module: str) -> str:
    return module.split(".")[1] if module.count(".") else ""


def imported(tree: ast.AST) -> set[str]:
    names = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {
                f"{node.module}.{alias.name}" if node.module == "lsa_helpers" else node.module
                for alias in node.names
            }
    return {name for name in names if name.startswith("lsa_helpers.")}


def test_rooms_import_only_from_rooms_above(root):
    wrong = []
    for file in sorted((root / "lsa_helpers").rglob("*.py")):
        here = file.relative_to(root / "lsa_helpers").parts[0].removesuffix(".py")
        if here == "__init__":
            continue
        for name in imported(ast.parse(file.read_text(encoding="utf-8"))):
            if (
                room(name) in ROOMS
                and room(name) != here
                and ROOMS.index(room(name)) > ROOMS.index(here)
            ):
                wrong.append(f"{file.name} imports {name}")
            if room(name) == "show" and here not in ("show", "runner"):
                wrong.append(
                    f"{file.name} imports {name}: figures are for notebooks and publish only"
                )
    assert not wrong


def test_every_room_is_known(root):
    found = {
        path.name.removesuffix(".py")
        for path in (root / "lsa_helpers").iterdir()
        if not path.name.startswith(("_", "."))
    } - {"data"}
    assert found <= set(ROOMS)


def test_the_package_and_the_reference_list_the_rooms_in_their_order(root):
    text = " ".join(lsa_helpers.__doc__.split())
    assert text.rstrip(".").split(": ")[-1].split(", ") == ROOMS
    page = (root / "book/api.md").read_text(encoding="utf-8")
    assert re.findall(r"^   lsa_helpers\.(\w+)$", page, re.MULTILINE) == ROOMS


def test_contributing_lists_the_rooms_in_their_order(root):
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    listed = text.split("(a test holds this):\n")[1].split(". `tests/`")[0]
    assert [name.strip() for name in listed.split("·")] == ROOMS


@pytest.mark.parametrize(
    ("rooms", "heavy"),
    [
        ("lsa_helpers.runner.cli", ("torch", "shap", "xgboost", "sklearn", "rasterio")),
        ("lsa_helpers.classes, lsa_helpers.samples", ("torch", "numba", "pyflwdir", "xgboost")),
    ],
)
def test_importing_rooms_loads_nothing_heavy_that_they_do_not_need(rooms, heavy):
    code = f"import sys, {rooms}\nprint([name for name in {heavy} if name in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def dependencies(root) -> list[Requirement]:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    networks = project["optional-dependencies"]["networks"]
    return [Requirement(text) for text in project["dependencies"] + networks]


def test_environment_has_the_same_dependencies(root):
    content = yaml.safe_load((root / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    plain = [Requirement(text) for text in content if isinstance(text, str)]
    nested = [
        Requirement(text) for item in content if isinstance(item, dict) for text in item["pip"]
    ]
    renamed = {"pytorch": "torch"}
    conda = {
        renamed.get(item.name, item.name): item.specifier
        for item in plain + nested
        if item.name not in ("python", "pip")
    }
    ours = {item.name: item.specifier for item in dependencies(root)}
    assert set(conda) == set(ours)
    # Conda has no post-releases; everything else must be the same to the letter.
    assert {name: str(spec) for name, spec in conda.items()} == {
        name: str(spec).replace(".post1", "") for name, spec in ours.items()
    }


def test_the_lock_is_hashed_universal_and_names_no_index(root):
    text = (root / "requirements.lock").read_text(encoding="utf-8")
    assert "index-url" not in text
    assert "http://" not in text.replace("# via", "")
    assert "https://" not in text
    pinned = {
        line.split("==")[0].split("[")[0]
        for line in text.splitlines()
        if "==" in line and not line.startswith((" ", "#"))
    }
    missing = {item.name for item in dependencies(root)} - pinned
    assert not missing
    blocks = text.split("\n")
    assert sum("--hash=sha256:" in line for line in blocks) >= len(pinned)


# Packages that no line imports: the file that needs each, and the words in it that do.
OTHERWISE = {
    "jupyterlab": ("README.md", "jupyter lab"),
    "hatchling": ("lsa_helpers/runner/course.md", "--no-build-isolation"),
    "ipykernel": ("lsa_helpers/runner/kernel.py", "--kernel=python3"),
    "jupyter-book": ("lsa_helpers/runner/publish.py", "jupyter_book.cli.main"),
    "sphinx-book-theme": ("book/_static/lsa.css", ".bd-article-container"),
    "sphinx-exercise": ("_config.yml", "sphinx_exercise"),
    "sphinxcontrib-bibtex": ("_config.yml", "bibtex_bibfiles"),
    "sphinx-mathjax-offline": ("lsa_helpers/runner/publish.py", "sphinx-mathjax-offline"),
    "ipywidgets": ("notebooks/07_shap.py", "import shap"),
    "pyarrow": ("notebooks/09_validation.py", "read_parquet"),
    "python-calamine": ("lsa_helpers/sources/tables.py", 'engine="calamine"'),
    "netcdf4": ("lsa_helpers/mountain/write.py", 'engine="netcdf4"'),
}
OURS = {"lsa_helpers", "mpl_toolkits"}  # the second is part of matplotlib
MODULES = {
    "beautifulsoup4": "bs4",
    "scikit-learn": "sklearn",
    "xarray-spatial": "xrspatial",
    "pyyaml": "yaml",
    "pillow": "PIL",
    "fonttools": "fontTools",
    "woodelf-explainer": "woodelf",
}


def roots(tree: ast.AST) -> set[str]:
    """The packages that a file imports."""
    names = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    names |= {
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and not node.level
    }
    return {name.split(".")[0] for name in names}


def test_every_dependency_is_used_and_nothing_else(root):
    """Each package is imported by the module or a chapter, or is a tool, an engine or a carrier of
    files whose use is said above.
    """
    files = [*(root / "lsa_helpers").rglob("*.py"), *(root / "notebooks").glob("*.py")]
    found = set().union(*(roots(ast.parse(file.read_text(encoding="utf-8"))) for file in files))
    modules = {
        item.name: MODULES.get(item.name, item.name.replace("-", "_"))
        for item in dependencies(root)
    }
    assert {name for name, module in modules.items() if module not in found} == set(OTHERWISE)
    assert found - set(modules.values()) - set(sys.stdlib_module_names) == OURS, (
        "imported, but it comes only with another package"
    )
    unused = [
        name
        for name, (file, words) in OTHERWISE.items()
        if words not in (root / file).read_text(encoding="utf-8")
    ]
    assert not unused


def test_pairs_are_in_step(root):
    assert not pairs.out_of_step(root / "notebooks")
    found = {source.stem for source in pairs.sources(root / "notebooks")}
    assert found == {*CHAPTERS, COMPARISON, MOUNTAIN, PUBLISHED}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_parameters_cell_is_the_model(root, chapter):
    """Names and order are those of the chapter's model, and the values in range; the runner reads
    every line of the cell; what all chapters share says the same everywhere.
    """
    cells = jupytext.read(root / "notebooks" / f"{chapter}.py").cells
    cell = next(cell for cell in cells if "parameters" in cell.metadata.get("tags", []))
    values: dict = {}
    exec(cell.source, {}, values)
    values.pop("__annotations__", None)
    assert list(values) == list(CHAPTERS[chapter].model_fields)
    assert CHAPTERS[chapter].from_cell(values).model_dump() == values
    read = cell_of(chapter)
    assert {name: value for name, (value, _) in read.items()} == values
    shared = Parameters.model_fields
    assert [read[name] for name in shared] == [cell_of("01_data")[name] for name in shared]


def _without_imports(source: str) -> list[str]:
    """Lines of a cell but its imports, which are long where a chapter calls libraries itself."""
    lines = source.splitlines()
    for node in ast.parse(source.replace("%", "#")).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            lines[node.lineno - 1 : node.end_lineno] = [""] * (node.end_lineno - node.lineno + 1)
    return [line for line in lines if line]


FIELD = {
    "geopandas",
    "lightning",
    "mapclassify",
    "pyflwdir",
    "rasterio",
    "rioxarray",
    "scipy",
    "shap",
    "sklearn",
    "statsmodels",
    "torch",
    "torchmetrics",
    "torchvision",
    "xarray",
    "xgboost",
    "xrspatial",
    "ckmeans",
}


@pytest.mark.parametrize("chapter", [*CHAPTERS, COMPARISON, MOUNTAIN, PUBLISHED])
def test_a_reader_sees_the_libraries_of_the_field(root, chapter):
    """The lesson is in the notebook: every chapter calls libraries, not only this module."""
    code = "\n".join(
        cell.source
        for cell in jupytext.read(root / "notebooks" / f"{chapter}.py").cells
        if cell.cell_type == "code"
    )
    assert roots(ast.parse(code)) & FIELD


@pytest.mark.parametrize("chapter", [*CHAPTERS, MOUNTAIN, PUBLISHED])
def test_notebooks_keep_their_form(root, chapter):
    cells = jupytext.read(root / "notebooks" / f"{chapter}.py").cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    positions = [text.find(f"\n## {block}") for block in BLOCKS]
    assert -1 not in positions
    assert positions == sorted(positions)
    overview = text[: text.index("**Time to learn**")]
    assert "| you will learn | the experiment that shows it |\n" in overview
    assert "**Before you start**" in overview
    code = [
        cell.source
        for cell in cells
        if cell.cell_type == "code" and "parameters" not in cell.metadata.get("tags", [])
    ]
    assert len(cells) <= 45
    assert max(len(_without_imports(source)) for source in code) <= 25
    assert not any(
        "class " in line
        for source in code
        for line in source.splitlines()
        if line.startswith("class ")
    )


@pytest.mark.parametrize("chapter", [*CHAPTERS, COMPARISON, MOUNTAIN, PUBLISHED])
def test_every_figure_has_alt_text(root, chapter):
    cells = jupytext.read(root / "notebooks" / f"{chapter}.py").cells
    figures = [cell for cell in cells if cell.cell_type == "code" and "style.save(" in cell.source]
    assert figures
    for cell in figures:
        alt = cell.metadata["mystnb"]["image"]["alt"]
        assert 40 <= len(alt) <= 250
        assert not set(alt) & set(":\"'")


def test_only_the_allowed_colours(root):
    """Notebooks name no colour map of their own, and no figure uses red to green."""
    for file in (root / "notebooks").glob("*.py"):
        assert "cmap=" not in file.read_text(encoding="utf-8")
    for file in (root / "lsa_helpers").rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert not any(
            name in text for name in ('"RdYlGn', '"jet"', '"rainbow', '"Spectral', '"hsv"')
        )


def test_the_citation_file_is_complete(root):
    content = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert content["version"] == project["version"]
    assert {"cff-version", "message", "title", "authors", "license"} <= set(content)
    assert content["license"] == project["license"]


def test_shared_data_is_not_in_the_project(root):
    files = subprocess.run(
        ["git", "ls-files"], cwd=root, capture_output=True, text=True
    ).stdout.splitlines()
    assert not [name for name in files if name.endswith((".tif", ".gpkg", ".jpg", ".nc", ".shp"))]


def test_every_target_of_the_makefile_is_there_and_explained(root):
    """No phantom in ``.PHONY``, and ``make help`` lists them all."""
    text = (root / "Makefile").read_text(encoding="utf-8")
    phony = set(re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)[1].split())
    assert phony == set(re.findall(r"^([a-z]+):.* ## ", text, re.MULTILINE))
