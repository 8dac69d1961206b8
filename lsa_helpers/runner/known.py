"""The page *How we know*: what holds each method, from the tests that say so."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_PAGE = """# How we know

A number in this book is right as far as something outside of it says so: another program, a
published number, a value worked out by hand, or an identity that must hold. This page is made from
the tests that are marked with what they compare with; `make test` runs all of them.

{methods}"""


class Known(NamedTuple):
    """A test that is marked with ``@pytest.mark.known_by(reference, method)``."""

    method: str
    reference: str
    words: str
    file: str
    source: str


def known_tests(tests: Path) -> Iterator[Known]:
    """The marked tests below a folder, file by file; nothing is imported or run."""
    for path in sorted(tests.rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        for function in ast.walk(ast.parse(text)):
            for mark in getattr(function, "decorator_list", ()):
                if isinstance(mark, ast.Call) and ast.unparse(mark.func).endswith(".known_by"):
                    reference, method = (argument.value for argument in mark.args)
                    words = ast.get_docstring(function) or function.name.replace("_", " ")
                    file = path.relative_to(tests.parent).as_posix()
                    source = ast.get_source_segment(text, function)
                    yield Known(method, reference, " ".join(words.split()), file, source)


def page_text(tests: Path) -> str:
    """The page as MyST Markdown: methods by name, with the reference, the test's own words and its
    source to unfold.
    """
    parts = []
    for test in sorted(known_tests(tests)):
        fold = f"````{{dropdown}} {test.file}\n```python\n{test.source}\n```\n````\n"
        parts.append(f"## {test.method}: {test.reference}\n\n{test.words}\n\n{fold}")
    return _PAGE.format(methods="\n".join(parts))
