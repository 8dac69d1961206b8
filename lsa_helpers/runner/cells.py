"""A notebook's parameters cell: its values checked by a model, its lines read from the file."""

import ast
import functools
import json
import re
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

import lsa_helpers
from lsa_helpers.errors import InputError, did_you_mean, explain_invalid

# Names IPython itself puts into a notebook's globals.
_IPYTHON_NAMES = {"In", "Out", "exit", "quit", "open", "get_ipython"}


class Cell(BaseModel):
    """Values of a notebook's parameters cell."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def check(cls, values: dict[str, Any], where: str) -> Self:
        """Build the model from plain values; every mistake becomes one line of an `InputError`
        naming the key.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            wrong = explain_invalid(error, "parameter", lambda place: cls._meant(str(place[-1])))
            raise InputError(wrong, where=where) from None

    @classmethod
    def _meant(cls, key: str) -> str:
        """What an unknown key may be: a name like one here."""
        return did_you_mean(key, cls.model_fields)

    @classmethod
    def from_cell(cls, variables: dict[str, Any]) -> Self:
        """Build the model from a notebook's ``globals()`` right after its parameters cell.

        Papermill only warns about a parameter the notebook does not have; here it is an error,
        because plain values that are no parameter can only have come from a misspelt one.

        Raises
        ------
        InputError
            For an unknown name or a value out of range.
        """
        plain = {
            name: value
            for name, value in variables.items()
            if not name.startswith("_")
            and name not in _IPYTHON_NAMES
            and isinstance(value, (int, float, str, list, dict, type(None)))
        }
        return cls.check(plain, "parameters cell")


def notebooks_dir() -> Path:
    """Folder of the chapters: the repository's, or the copy inside the installed package."""
    package = Path(lsa_helpers.__file__).parent
    beside = package.parent / "notebooks"
    return beside if beside.is_dir() else package / "_notebooks"


@functools.cache
def cell_of(chapter: str) -> dict[str, tuple[Any, str]]:
    """Value and meaning of every parameter, as the chapter's parameters cell gives them in lines
    like ``seed: int = 0  # seed of every random choice``.
    """
    return read_cell((notebooks_dir() / f"{chapter}.ipynb").read_text(encoding="utf-8"))


def read_cell(notebook: str) -> dict[str, tuple[Any, str]]:
    """`cell_of` from the text of an ``.ipynb`` file."""
    source = next(
        cell["source"]
        for cell in json.loads(notebook)["cells"]
        if "parameters" in cell["metadata"].get("tags", [])
    )
    lines = re.findall(r"^(\w+): \w+ = (.+?)  # (.+)$", "".join(source), re.MULTILINE)
    return {name: (ast.literal_eval(value), meaning) for name, value, meaning in lines}
