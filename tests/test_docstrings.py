"""Every public function and class is documented, and the parameters it documents are the ones it
has.
"""

import ast
import importlib
import inspect
import pkgutil

import pytest
from numpydoc.validate import validate

import lsa_helpers

MODULES = sorted(
    item.name
    for item in pkgutil.walk_packages(lsa_helpers.__path__, "lsa_helpers.")
    if "_notebooks" not in item.name
)


def public(module) -> list[str]:
    """Names of the public functions and classes a module defines itself."""
    members = inspect.getmembers(
        module, lambda item: inspect.isfunction(item) or inspect.isclass(item)
    )
    return [
        name
        for name, item in members
        if item.__module__ == module.__name__ and not name.startswith("_")
    ]


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name):
    """GL08: no docstring; PR02: a documented parameter does not exist; PR01: one is missing where
    others are documented.
    """
    module = importlib.import_module(name)
    assert ast.get_docstring(ast.parse(inspect.getsource(module))), (
        f"{name} has no module docstring"
    )
    wrong = []
    for item in public(module):
        found = validate(f"{name}.{item}")
        documented = "Parameters\n" in (found["docstring"] or "")
        codes = {"GL08"} | (
            {"PR01", "PR02"} if documented and inspect.isfunction(getattr(module, item)) else set()
        )
        wrong += [f"{item}: {text}" for code, text in found["errors"] if code in codes]
    assert not wrong
