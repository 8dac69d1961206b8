"""The questions at the end of each part."""

import re

import pytest

from lsa_helpers.runner.cells import notebooks_dir

PAGES = sorted((notebooks_dir().parent / "book").glob("quiz_*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_question_has_one_right_answer_and_every_answer_its_reason(page):
    """Three answers to a question; the right one does not always stand at one place."""
    questions = re.split(r"^## Question \d+$", page.read_text(encoding="utf-8"), flags=re.M)[1:]
    assert len(questions) >= 4
    places = set()
    for question in questions:
        answers = re.findall(r"^:::\{dropdown\} [abc]\) .+\n(.+)\n:::$", question, flags=re.M)
        verdicts = [answer.startswith("**Right.** ") for answer in answers]
        assert len(answers) == 3 and verdicts.count(True) == 1
        assert all(len(answer.split()) >= 10 for answer in answers)
        places.add(verdicts.index(True))
    assert len(places) > 1


def test_every_part_has_its_questions():
    """A part's page and its questions go by one name."""
    parts = {page.stem.removeprefix("part_") for page in PAGES[0].parent.glob("part_*.md")}
    assert {page.stem.removeprefix("quiz_") for page in PAGES} == parts
