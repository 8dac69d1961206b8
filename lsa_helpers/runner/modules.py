"""Which modules of the package a chapter uses, by the imports of its notebook and of what it
imports; what only draws apart.
"""

import ast
import functools
import hashlib
import inspect
import json
import re
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import lsa_helpers
from lsa_helpers.run import sha256
from lsa_helpers.runner.exercises import without_solutions
from lsa_helpers.runner.params import Parameters

_NAME = "lsa_helpers"
# The one module of the runner that makes a product; the others execute, check and publish.
_MAKES = f"{_NAME}.runner.world"


class Uses(NamedTuple):
    """What a chapter uses: name → hash, of all that its numbers come from, and of what only draws
    and lays out.
    """

    code: dict[str, str]
    looks: dict[str, str]


class _Module(NamedTuple):
    """Hash of a module's code, what it imports of the package, and the folders of data it reads."""

    code: str
    imports: frozenset[str]
    data: frozenset[str]


def uses(notebook: Path, params: type) -> Uses:
    """The code of a chapter, each part with its hash; comments and empty lines do not count.

    Parameters
    ----------
    notebook : Path
        The chapter.
    params : type
        The model of its parameters; that of another chapter does not count.

    Returns
    -------
    Uses
        Named by module (``lsa_helpers.classes``), data file inside the package
        (``data/paper/table4_detection.csv``), ``the notebook`` (without the solutions of its
        exercises: no result comes from them), ``the parameters' methods`` and ``the solutions``.
    """
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    whole, lesson = _code_of(cells), _code_of(without_solutions(cells))
    drawing = {name for name in lesson.imports if _room(name) == "show"}
    code = _with_all_they_import(lesson.imports - drawing)
    looks = _with_all_they_import(drawing)
    own = {"the notebook": lesson.code, "the parameters' methods": _methods(params)}
    looks = {name: value for name, value in looks.items() if name not in code}
    return Uses(own | code, looks | {"the solutions": whole.code})


def _code_of(cells: list[dict]) -> _Module:
    """The code of a notebook's cells, read as one module."""
    source = "\n".join(
        "".join(item["source"])
        for item in cells
        if item["cell_type"] == "code"
        and "injected-parameters" not in item["metadata"].get("tags", [])
    )
    return _read(re.sub(r"^\s*[%!].*$", "", source, flags=re.MULTILINE).encode())


def _with_all_they_import(names: Iterable[str]) -> dict[str, str]:
    """Hash of modules, of every module they import directly or not, and of the data they read.

    A package's ``__init__`` only re-exports (a test holds it to that): it counts where something is
    imported from the package, not where a module inside it is imported by its own name.
    """
    package = Path(lsa_helpers.__file__).parent
    hashes, left = {}, set(names)
    while left:
        name = left.pop()
        file = _file(package, name)
        # the package itself holds its version and nothing else
        if name in hashes or name == _NAME or file is None:
            continue
        if _room(name) == "runner" and name != _MAKES:
            continue
        module = _read(file.read_bytes())
        hashes[name] = module.code
        left |= module.imports
        for folder in module.data:
            files = sorted((package / "data" / folder).iterdir())
            hashes |= {item.relative_to(package).as_posix(): sha256(item) for item in files}
    return dict(sorted(hashes.items()))


def _file(package: Path, name: str) -> Path | None:
    """The file of a module; None when the name is that of something inside a module."""
    path = package.joinpath(*name.split(".")[1:])
    files = (path.with_name(f"{path.name}.py"), path / "__init__.py")
    return next((file for file in files if file.is_file()), None)


def _room(name: str) -> str:
    """The room of a module, empty for the package itself."""
    return f"{name}.".split(".")[1]


@functools.cache
def _read(source: bytes) -> _Module:
    """What there is to know about a module's text."""
    tree = ast.parse(source)
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    data = re.findall(rb'"data" / "(\w+)"', source)
    return _Module(
        hashlib.sha256(ast.dump(tree).encode()).hexdigest(),
        frozenset(name for name in names if name.split(".")[0] == _NAME),
        frozenset(folder.decode() for folder in data),
    )


def _methods(params: type) -> str:
    """Hash of what a model of parameters computes from its values; its ranges change no result,
    and what all models share only reads and checks.
    """
    found = []
    for model in params.__mro__:
        if model is not Parameters and model.__module__.startswith(f"{_NAME}."):
            body = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0].body
            found += [ast.dump(node) for node in body if isinstance(node, ast.FunctionDef)]
    return hashlib.sha256("".join(found).encode()).hexdigest()
