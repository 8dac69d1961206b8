"""Sets that extend another: what is merged, whose value wins, and mistakes named where they are."""

import pytest
import yaml

from lsa_helpers.errors import InputError
from lsa_helpers.runner.cells import cell_of
from lsa_helpers.runner.extends import find_params, merge, read_chain
from lsa_helpers.runner.inputs import load_run_params, read_params, to_sections

PARENT = """
shared: {seed: 3, profile: parent}
04_factor_selection: {n_folds: 3, block_m: 400}
05_susceptibility: {rf_trees: 60, models: [cnn, rf], coding: {aspect: circular, lulc: categorical}}
06_frequency_ratio: {n_classes: 4}
"""
CHILD = """
extends: parent.yml
shared: {profile: child}
04_factor_selection: {block_m: 800}
05_susceptibility: {models: [rf], coding: {aspect: continuous}}
06_frequency_ratio:
"""


@pytest.fixture
def sets(tmp_path):
    """Function that writes parameter files into one folder and gives its path."""

    def write(**texts: str):
        for name, text in texts.items():
            (tmp_path / f"{name}.yml").write_text(text, encoding="utf-8")
        return tmp_path

    return write


def test_a_child_is_merged_into_its_parent_value_by_value(sets):
    """Its own values win, ``shared`` as well; mappings are merged, lists replaced; what neither
    says is as in the chapter's cell.
    """
    sections = to_sections(read_params(sets(parent=PARENT, child=CHILD) / "child.yml"))
    assert sections["shared"]["profile"] == "child"
    assert sections["shared"]["seed"] == 3
    assert sections["04_factor_selection"]["n_folds"] == 3
    assert sections["04_factor_selection"]["block_m"] == 800
    fifth = sections["05_susceptibility"]
    assert (fifth["rf_trees"], fifth["models"]) == (60, ["rf"])
    assert fifth["coding"] == {"aspect": "continuous", "lulc": "categorical"}
    assert fifth["n_folds"] == cell_of("05_susceptibility")["n_folds"][0]
    assert sections["06_frequency_ratio"]["n_classes"] == 4, "an empty section takes nothing away"


def test_merging_changes_neither_file():
    parent, child = {"a": {"x": {"y": 1}}}, {"a": {"x": {"z": 2}}}
    assert merge(parent, child) == {"a": {"x": {"y": 1, "z": 2}}}
    assert (parent, child) == ({"a": {"x": {"y": 1}}}, {"a": {"x": {"z": 2}}})


def test_a_chain_is_followed_and_a_set_of_the_book_is_found_by_name(sets):
    """quick has 12 epochs at 2.5 m; the file between changes the epochs, the last one the pixel."""
    folder = sets(
        between="extends: quick\n02_detector: {epochs: 5}",
        last="extends: between.yml\n02_detector: {resolution_m: 2.0}",
    )
    assert [file.name for file, _ in read_chain(folder / "last.yml")] == [
        *("last.yml", "between.yml", "quick.yml")
    ]
    quick = to_sections(read_params(find_params("quick")))
    last = to_sections(read_params(folder / "last.yml"))
    changed = {"epochs": 5, "resolution_m": 2.0}
    assert {key: quick["02_detector"][key] for key in changed} == {
        "epochs": 12,
        "resolution_m": 2.5,
    }
    assert last == quick | {"02_detector": quick["02_detector"] | changed}


@pytest.mark.parametrize("text", ["one", "two"])
def test_a_circle_is_one_clear_error(sets, text):
    folder = sets(one="extends: two.yml", two="extends: one.yml")
    with pytest.raises(InputError, match=r"in a circle.*\.yml → .*\.yml → .*\.yml") as caught:
        read_params(folder / f"{text}.yml")
    assert str(caught.value).startswith(str(folder / f"{text}.yml"))


@pytest.mark.parametrize(
    ("parent", "child", "words"),
    [
        ("shared: {sed: 1}", "extends: parent.yml", ("parent.yml", 'Did you mean "seed"')),
        ("shared: {}", "extends: quik", ("child.yml", "quik", 'Did you mean "quick"')),
        ("shared: {}", "extends: gone.yml", ("child.yml", "gone.yml", "no such parameter file")),
        ("shared: {}", "extends: [quick]", ("child.yml", "one other set", "['quick']")),
        ("shared: {}", "extend: quick", ("child.yml", "sections", 'Did you mean "extends"')),
        ("shared: {}", "n_classes: 4", ("Found: n_classes: 4", "under 06_frequency_ratio")),
        ("shared: {}", "seed: 4", ("Found: seed: 4", "under shared")),
        ("shared: {}", "shared: seed", ("Found: shared: seed", "KEY: VALUE")),
        ("shared: {}", "extend: {}", ("child.yml", 'Did you mean "extends"')),
        (
            "shared: {}",
            "05_susceptibility: {n_classes: 4}",
            ("section 05_susceptibility", '"n_classes". It is a parameter of 06_frequency_ratio'),
        ),
        (
            "shared: {}",
            "shared: {vif_max: 5}",
            ("section shared", '"vif_max". It is a parameter of 04_factor_selection'),
        ),
        (
            "shared: {}",
            "05_susceptibility: {coding: {slope: circlar}}",
            ("coding.slope", "circlar"),
        ),
    ],
)
def test_mistakes_are_named_in_the_file_that_holds_them(sets, parent, child, words):
    folder = sets(parent=parent, child=child)
    with pytest.raises(InputError) as caught:
        read_params(folder / "child.yml")
    for word in words:
        assert word in str(caught.value)


def test_paths_count_from_the_file_that_names_them(tmp_path):
    """The parent lies in ``sets/``, the child above it, the run in ``runs/own``."""
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets" / "b.json").write_text("{}")
    (tmp_path / "sets" / "parent.yml").write_text("06_frequency_ratio: {breaks_from: b.json}")
    (tmp_path / "child.yml").write_text("extends: sets/parent.yml")
    params = read_params(tmp_path / "child.yml")
    assert params["06_frequency_ratio"].breaks_from == "sets/b.json"
    run = tmp_path / "runs" / "own"
    params = load_run_params(tmp_path / "child.yml", {}, None, run)
    assert params["06_frequency_ratio"].breaks_from == "../../sets/b.json"


def test_the_catalog_beside_an_extended_set_is_found(sets, folder):
    """As a file that extends moxi needs it, wherever it lies."""
    (folder / "catalog.yml").rename(sets() / "parent.catalog.yml")
    file = sets(parent="shared: {}", child="extends: parent.yml") / "child.yml"
    params = load_run_params(file, {}, folder, file.parent)
    assert params["01_data"].catalog == "parent.catalog.yml"


def test_no_set_of_the_book_repeats_what_it_extends(root):
    """A value that the extended set has already is a line too many."""
    found = []
    for file in sorted((root / "notebooks" / "params").glob("*.yml")):
        own = yaml.safe_load(file.read_text(encoding="utf-8"))
        if not file.stem.endswith(".catalog") and "extends" in own:
            above = to_sections(read_params(find_params(own.pop("extends"))))
            found += [
                f"{file.stem}: {section}.{key}"
                for section, values in own.items()
                for key, value in values.items()
                if above[section][key] == value
            ]
    assert not found
