"""What stands in the chapters' prose: numbers have their source, exercises their solutions, and
terms their definitions.
"""

import re

import jupytext
import pytest

from lsa_helpers.runner.params import CHAPTERS, MOUNTAIN

#: Numbers that are no results: limits that are chosen or follow from a definition, and constants.
GIVEN = {
    "02_detector": {"0.5"},  # the IoU of a hit, the score threshold
    "03_inventory": {"0.5"},
    "04_factor_selection": {"0.5", "97.5 %"},  # guessing; the share of draws
    "05_susceptibility": {"0.5"},
    "07_shap": {
        "95 %",
        "2.7",
        "0.1",
        "0.2",
        "0.3",
        "0.4",
        "0.5",
        "0.6",
        "0.7",
    },  # two players by hand
    "09_validation": {"0.05", "20 %"},
    "12_uncertainty": {"5 %"},  # what an insurer asks for
    MOUNTAIN: {"2.7", "9.81"},  # e, and the weight of water in kN/m³
}
INTERVAL = "95 %"  # of every interval in the book
NUMBER = re.compile(r"(?<![\w.])(?:\d*\.\d+(?: ?%)?|\d+ ?%)")
SOURCED = re.compile(r"{cite|\bpaper\b|\bTable \d")


def _prose(root, chapter):
    cells = jupytext.read(root / "notebooks" / f"{chapter}.py").cells
    return [cell.source for cell in cells if cell.cell_type == "markdown"]


def _paragraphs(text):
    """Paragraphs, points and rows of a text without its code and formulas."""
    text = re.sub(r"```(?!{).*?```|\$\$.*?\$\$|\$[^$\n]*\$|`[^`\n]*`", "", text, flags=re.S)
    return re.split(r"\n\n+|\n(?=[-*|:])", text)


@pytest.mark.parametrize("chapter", [*CHAPTERS, MOUNTAIN])
def test_a_number_in_the_prose_is_given_or_has_its_source(root, chapter):
    """Results are printed by cells, where they follow the run: prose that tells one is wrong with
    the next seed. The chapter of published tables is about such numbers and is left out.
    """
    found = {
        number
        for text in _prose(root, chapter)
        for paragraph in _paragraphs(text)
        if not SOURCED.search(paragraph)
        for number in NUMBER.findall(paragraph)
    }
    assert found - {INTERVAL} <= GIVEN.get(chapter, set())


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_exercise_has_its_solution_and_a_chapter_two_of_them(root, chapter):
    """A solution begins and ends; at least one holds code, which every run executes."""
    cells = jupytext.read(root / "notebooks" / f"{chapter}.py").cells
    text = "\n".join(_prose(root, chapter))
    exercises = re.findall(r"{exercise-start}[^\n]*\n:label: (\S+)", text)
    solved = re.findall(r"{solution-start} (\S+)", text)
    assert len(exercises) >= 2
    assert sorted(exercises) == sorted(solved)
    assert text.count("{solution-start}") == text.count("{solution-end}")
    inside, kinds = False, []
    for cell in cells:
        if cell.cell_type == "markdown" and "{solution-" in cell.source:
            inside = cell.source.rfind("{solution-start}") > cell.source.rfind("{solution-end}")
        elif inside:
            kinds.append(cell.cell_type)
    assert "code" in kinds


def test_every_term_has_its_definition(root):
    """Each definition is a sentence, below the terms it is for; no term has two."""
    lines = (root / "book/glossary.md").read_text(encoding="utf-8").split("```")[1].splitlines()[1:]
    terms = [line for line in lines if line and not line.startswith(" ")]
    assert len(set(map(str.lower, terms))) == len(terms)
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        if line and not line.startswith(" "):
            assert after.strip(), line
        elif line:
            assert line.rstrip().endswith((".", "…")) and len(line.split()) >= 3, line
