"""The JSON Schema of parameter files: it agrees with the files, and says what a key means."""

import json

import pytest
import yaml
from jsonschema import Draft202012Validator

from lsa_helpers.runner.cells import cell_of
from lsa_helpers.runner.params import CHAPTERS, Parameters

FIRST_LINE = "# yaml-language-server: $schema=schema.json\n"


@pytest.fixture(scope="module")
def schema(root) -> dict:
    """The committed schema."""
    return json.loads((root / "notebooks/params/schema.json").read_text(encoding="utf-8"))


def mistakes(schema: dict, text: str) -> list[str]:
    """What a validator finds wrong in a parameter file."""
    errors = Draft202012Validator(schema).iter_errors(yaml.safe_load(text))
    return [error.message for error in errors]


def test_every_set_of_the_book_agrees_with_it_and_names_it(root, schema):
    Draft202012Validator.check_schema(schema)
    for file in (root / "notebooks" / "params").glob("*.yml"):
        if not file.stem.endswith(".catalog"):
            text = file.read_text(encoding="utf-8")
            assert text.startswith(FIRST_LINE)
            assert not mistakes(schema, text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("06_frequency_ratio: {n_clases: 4}", "'n_clases' was unexpected"),
        ("05_frequency: {n_classes: 4}", "'05_frequency' was unexpected"),
        ("extend: quick", "'extend' was unexpected"),
        ("06_frequency_ratio: {n_classes: 99}", "99 is greater than the maximum of 10"),
        ("06_frequency_ratio: {seed: 1}", "'seed' was unexpected"),
        ("05_susceptibility: {coding: {slope: circlar}}", "'circlar' is not one of"),
        ("shared: {seed: many}", "'many' is not of type 'integer'"),
    ],
)
def test_mistakes_are_found(schema, text, words):
    (found,) = mistakes(schema, text)
    assert words in found


def test_sections_may_be_empty_and_a_file_too(schema):
    assert not mistakes(schema, "extends: quick\n05_susceptibility:\n")
    assert not mistakes(schema, "# nothing yet")


def test_meanings_and_values_are_those_of_the_chapters_cells(schema):
    for chapter in CHAPTERS:
        keys = schema["properties"][chapter]["properties"]
        cell = cell_of(chapter)
        assert {name: (key["default"], key["description"]) for name, key in keys.items()} == {
            name: told for name, told in cell.items() if name not in Parameters.model_fields
        }
    assert list(schema["properties"]["shared"]["properties"]) == list(Parameters.model_fields)
