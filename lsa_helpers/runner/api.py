"""The book's reference of the module: a page for every room, which Sphinx fills from signatures and
docstrings.
"""

import ast
from pathlib import Path

_OVERVIEW = """# The module behind the chapters

`lsa_helpers` is small and made to be read: it holds what no library of the field has, and what
keeps files whole. What its functions take, give and raise stands on a page for each room. The rooms
in the order in which data flow through them:

| room | what is in it |
|---|---|
{rows}
"""
_MODULE = """
## `{name}`

```{{eval-rst}}
.. automodule:: {name}

.. autosummary::
   :nosignatures:

{summary}

{entries}
```
"""


def api_pages(package: Path) -> dict[str, str]:
    """The pages of the reference as MyST Markdown, the overview first.

    Nothing is imported here: names come from the files, and the rest from ``sphinx.ext.autodoc``
    and ``sphinx.ext.autosummary`` when the book is built.

    Parameters
    ----------
    package : Path
        Folder of the package; the docstring of its ``__init__.py`` lists the rooms in their order.

    Returns
    -------
    dict
        Path of a page in the stage, without suffix → its text.
    """
    pages = {}
    rows = []
    for room in room_names(package):
        single = package / f"{room}.py"
        files = [single] if single.is_file() else sorted((package / room).rglob("*.py"))
        modules = {
            _module_name(file, package): ast.parse(file.read_text("utf-8")) for file in files
        }
        text = "".join(_module_text(name, tree) for name, tree in modules.items())
        if text:
            pages[f"book/api/{room}"] = f"# {room}\n{text}"
            about = ast.get_docstring(modules[f"{package.name}.{room}"]).split("\n\n")[0]
            rows.append(f"| [{room}](api/{room}.md) | {' '.join(about.split())} |")
    return {"book/api": _OVERVIEW.format(rows="\n".join(rows)), **pages}


def room_names(package: Path) -> list[str]:
    """The rooms of the package in the order of its docstring, which ends in their list."""
    text = ast.get_docstring(ast.parse((package / "__init__.py").read_text("utf-8")))
    return text.split(":")[-1].replace(".", " ").replace(",", " ").split()


def _module_name(file: Path, package: Path) -> str:
    """Dotted name of a file of the package."""
    return ".".join(file.relative_to(package.parent).with_suffix("").parts).removesuffix(
        ".__init__"
    )


def _module_text(name: str, tree: ast.Module) -> str:
    """Heading, summary and full entries of a module's public functions and classes."""
    nodes = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    entries = {node.name: _directive(node) for node in nodes if not node.name.startswith("_")}
    if not entries:
        return ""
    summary = "\n".join(f"   {entry}" for entry in entries)
    return _MODULE.format(name=name, summary=summary, entries="\n\n".join(entries.values()))


def _directive(node: ast.FunctionDef | ast.ClassDef) -> str:
    """What asks autodoc for an entry; the fields of a named tuple have no text of their own."""
    if isinstance(node, ast.FunctionDef):
        return f".. autofunction:: {node.name}"
    is_tuple = any(isinstance(base, ast.Name) and base.id == "NamedTuple" for base in node.bases)
    return f".. autoclass:: {node.name}" + ("" if is_tuple else "\n   :members:")
