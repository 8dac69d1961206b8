"""Parameters: ranges, unknown names, and the way from a file to a chapter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsa_helpers.errors import InputError
from lsa_helpers.runner.cells import cell_of
from lsa_helpers.runner.inputs import read_params, resolve, to_sections, to_text
from lsa_helpers.runner.params import CHAPTERS, FrequencyRatioParams, chapter_name


def test_every_file_that_comes_with_the_book_is_valid(root):
    files = [
        file
        for file in (root / "notebooks" / "params").glob("*.yml")
        if not file.stem.endswith(".catalog")
    ]
    assert {"tiny", "quick", "course", "full", "paper", "ecuador", "bijie", "moxi"} <= {
        file.stem for file in files
    }
    for file in files:
        chapters = read_params(file)
        assert set(chapters) == set(CHAPTERS)


def test_paper_as_printed_differs_from_paper_in_its_weight_decay_only(root):
    """What `paper` corrects is kept as a set of its own: everything else stays the same."""
    paper, printed = (
        to_sections(read_params(root / "notebooks/params" / f"{name}.yml"))
        for name in ("paper", "paper_as_printed")
    )
    assert (
        printed["02_detector"].pop("weight_decay")
        == 0.5
        != paper["02_detector"].pop("weight_decay")
    )
    assert (printed["shared"].pop("profile"), paper["shared"].pop("profile")) == (
        "paper_as_printed",
        "paper",
    )
    assert printed == paper


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            "06_frequency_ratio: {n_clases: 4}",
            'unknown parameter "n_clases". Did you mean "n_classes"',
        ),
        (
            "05_frequency: {n_classes: 4}",
            'unknown section "05_frequency". Did you mean "06_frequency_ratio"',
        ),
        (
            "06_frequency_ratio: {n_classes: 99}",
            '"n_classes": input should be less than or equal to 10, got 99',
        ),
        ("shared: {sed: 1}", 'Did you mean "seed"'),
        ("shared: [1, 2]", "mapping of sections"),
        ("a: {b: [", "not readable YAML"),
        ("shared: {profile: 2020-13-01}", "not readable YAML"),
        ("- 1", "mapping of sections"),
    ],
)
def test_mistakes_are_named(tmp_path, content, words):
    file = tmp_path / "own.yml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_params(file)
    assert words in str(caught.value)
    assert "own.yml" in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.yml"):
        read_params(tmp_path / "none.yml")


def test_shared_values_reach_every_chapter():
    chapters = resolve({"shared": {"seed": 7}, "06_frequency_ratio": {"n_classes": 3}}, "here")
    assert {chapter.seed for chapter in chapters.values()} == {7}
    assert chapters["06_frequency_ratio"].n_classes == 3


@given(st.integers(0, 2**31 - 1), st.integers(2, 10))
def test_sections_and_back(seed, n_classes):
    chapters = resolve(
        {"shared": {"seed": seed}, "06_frequency_ratio": {"n_classes": n_classes}}, "here"
    )
    assert resolve(to_sections(chapters), "here") == chapters


def test_a_written_file_reads_the_same(tmp_path):
    """Small numbers, which JSON writes as 5e-05, and texts with signs of YAML included."""
    own = {"02_detector": {"learning_rate": 5e-5, "bands": ["a: b", "#c", "green"]}}
    chapters = resolve(own, "here")
    (tmp_path / "own.yml").write_text(to_text(chapters), encoding="utf-8")
    assert read_params(tmp_path / "own.yml") == chapters


@pytest.mark.parametrize(("written", "meant"), [("2022-09-05", "2022-09-05"), ("2022", "2022")])
def test_a_date_or_a_year_is_a_text(tmp_path, written, meant):
    """YAML makes a date and a number of them; nothing at all is still a mistake."""
    file = tmp_path / "own.yml"
    file.write_text(f"14_using_the_map: {{surveyed: {written}, trigger: {written}}}")
    use = read_params(file)["14_using_the_map"]
    assert (use.surveyed, use.trigger) == (meant, meant)
    file.write_text("14_using_the_map: {surveyed: }")
    with pytest.raises(InputError, match="surveyed"):
        read_params(file)


def test_a_misspelt_papermill_parameter_is_caught():
    """Papermill injects what it is given; the cell then holds a name that is no parameter."""
    with pytest.raises(InputError, match='Did you mean "n_classes"'):
        FrequencyRatioParams.from_cell(
            {name: value for name, (value, _) in cell_of("06_frequency_ratio").items()}
            | {"n_clases": 7, "_i1": "history", "In": [], "Out": {}}
        )


def test_chapters_by_number():
    assert (
        chapter_name("5")
        == chapter_name("05")
        == chapter_name("05_susceptibility")
        == "05_susceptibility"
    )
    with pytest.raises(InputError, match="(?i)no chapter"):
        chapter_name("99")
