"""Answers to exercises that are kept as hashes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsa_helpers import answers
from lsa_helpers.errors import InputError
from lsa_helpers.run import Run

finite = st.floats(-1e6, 1e6)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """An empty run."""
    return Run(tmp_path_factory.mktemp("run"))


@given(finite, st.floats(1e-3, 10), st.floats(-0.99, 0.99), st.sampled_from([-2.01, 2.01, 50]))
def test_what_is_near_is_right_and_what_is_twice_as_far_is_not(run, value, within, near, far):
    """All that is within the tolerance; nothing beyond twice the tolerance."""
    answers.record(run, "ex", value, within)
    assert answers.check(run, "ex", value + near * within).startswith("Right")
    assert answers.check(run, "ex", value + far * within).startswith("Not")


def test_a_name_may_be_written_in_any_way(run):
    """Spaces and capitals do not count."""
    answers.record(run, "best", "Random forest")
    assert answers.check(run, "best", "random  Forest ") == "Right: as on the page."
    assert answers.check(run, "best", "CNN") == "Not what the page has."
    assert answers.check(run, "best", 3) == "Not what the page has."


def test_which_number_is_asked_for_is_told(run):
    """With a wrong answer, and in the list of all; where it was not said, nothing."""
    answers.record(run, "share", 12.0, within=1.0, what="the share, %")
    answers.record(run, "best", "CNN")
    assert answers.check(run, "share", 0.12).endswith("even within 1. Asked is the share, %.")
    assert answers.check(run, "best", "Random forest") == "Not what the page has."
    told = answers.asked(run)
    assert told["share"] == "the share, %" and told["best"] == ""


def test_the_file_does_not_hold_the_answer(run):
    """Neither the number nor its step can be read, and one answer looks another for each label."""
    answers.record(run, "one", 1234.5, within=1.0)
    answers.record(run, "two", 1234.5, within=1.0)
    texts = [(run.path / f"answers/{name}.json").read_text() for name in ("one", "two")]
    assert "1234" not in texts[0] and texts[0] != texts[1]


def test_wrong_use_is_told(run):
    """An unknown exercise names the known ones; a number needs a tolerance."""
    answers.record(run, "known", "a")
    with pytest.raises(InputError, match="no answer to this exercise.*known"):
        answers.check(run, "unknown", 1)
    for number, within in ((1.0, 0.0), (float("nan"), 1.0)):
        with pytest.raises(ValueError, match="finite"):
            answers.record(run, "x", number, within)
