"""The JSON Schema of parameter files, by which editors complete and check them."""

import json
from typing import Any

from lsa_helpers.runner.params import CHAPTERS, Parameters

_EXTENDS = "another set's name, or a file by its path from this one; its values count where this \
file has none"


def schema_text(cells: dict[str, dict[str, tuple[Any, str]]]) -> str:
    """JSON Schema of parameter files: types and ranges are those of the chapters' models.

    Parameters
    ----------
    cells : dict
        Chapter → name → value and meaning, as `read_cell` gives them.

    Returns
    -------
    str
        JSON Schema, draft 2020-12. A chapter's own value is the default, its meaning the
        description; a section may be empty.
    """
    shared = set(Parameters.model_fields)
    sections = {"shared": _section(Parameters, cells["01_data"], set())}
    sections |= {name: _section(model, cells[name], shared) for name, model in CHAPTERS.items()}
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameter file",
        "type": ["object", "null"],
        "properties": {"extends": {"type": "string", "description": _EXTENDS}, **sections},
        "additionalProperties": False,
    }
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def _section(model: type[Parameters], cell: dict[str, tuple[Any, str]], left_out: set[str]) -> dict:
    """Schema of one section, where every key may be absent."""
    schema = model.model_json_schema()
    keys = {
        name: key | {"default": cell[name][0], "description": cell[name][1]}
        for name, key in schema["properties"].items()
        if name not in left_out
    }
    for key in keys.values():
        key.pop("title")
    return {
        "description": " ".join(schema["description"].split()),
        "type": ["object", "null"],
        "properties": keys,
        "additionalProperties": False,
    }
