"""Chapters without the solutions of their exercises, and what hangs on them."""

import ast
import json

import pytest

from lsa_helpers.runner.cells import notebooks_dir
from lsa_helpers.runner.exercises import without_solutions
from lsa_helpers.runner.modules import uses
from lsa_helpers.runner.params import CHAPTERS


def text(source, name="a"):
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": source}


def code(source):
    return {"cell_type": "code", "id": source, "metadata": {}, "outputs": [], "source": source}


BEGIN = "```{solution-start} ex\n:class: dropdown\n```\n\n"
END = "```{solution-end}\n```\n\n"
CELLS = [
    code("before = 1"),
    text(f"Try.\n\n{BEGIN}Add."),
    code("secret = before + 1"),
    text(f"{END}Between.\n\n{BEGIN}All in one.\n\n{END}After.", "b"),
    code("after = 3"),
]


def test_only_what_stands_in_solutions_is_left_out():
    """Texts before, between and after stay; two solutions in one cell are two."""
    told = ["".join(cell["source"]) for cell in without_solutions(CELLS)]
    assert told == ["before = 1", "Try.", "Between.", "After.", "after = 3"]
    turns = without_solutions(CELLS, lambda label: f"# Here {label}")
    assert [cell["source"] for cell in turns][1:6] == [
        "Try.",
        "# Here ex",
        "Between.",
        "# Here ex",
        "After.",
    ]
    assert len({cell["id"] for cell in turns}) == len(turns)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_goes_on_without_its_solutions(chapter):
    """No name that a solution makes is used outside solutions, and every solution has its end."""
    file = notebooks_dir() / f"{chapter}.ipynb"
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    lesson = without_solutions(cells)
    assert lesson[-1]["source"] == "".join(cells[-1]["source"]).rstrip("\n")
    kept = {cell["id"] for cell in lesson}
    tree = {
        where: ast.parse(
            "\n".join(
                "".join(cell["source"])
                for cell in cells
                if cell["cell_type"] == "code" and (cell["id"] in kept) == (where == "lesson")
            )
        )
        for where in ("lesson", "solutions")
    }
    made = {
        where: {
            node.id
            for node in ast.walk(tree[where])
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        for where in tree
    }
    used = {node.id for node in ast.walk(tree["lesson"]) if isinstance(node, ast.Name)}
    assert not (made["solutions"] - made["lesson"]) & used


def test_another_solution_changes_no_result(tmp_path):
    """Only what is shown changes; another lesson is another chapter."""
    file = tmp_path / "chapter.ipynb"
    found = []
    for cells in (CELLS, CELLS[:2] + CELLS[3:], CELLS[:4]):
        file.write_text(json.dumps({"cells": cells}), encoding="utf-8")
        found.append(uses(file, next(iter(CHAPTERS.values()))))
    whole, without, shorter = found
    assert whole.code == without.code != shorter.code
    assert whole.looks["the solutions"] != without.looks["the solutions"]
