"""``lsa try``: what a trial repeats, what differs from the page, and that the page stays whole."""

import json
import re
import shlex
from pathlib import Path

import pandas as pd
import pytest

from lsa_helpers.errors import InputError
from lsa_helpers.run import sha256
from lsa_helpers.runner import trial
from lsa_helpers.runner.cli_try import largest, print_cells
from lsa_helpers.runner.inputs import find_params, load_run_params, read_params, to_text
from lsa_helpers.runner.params import CHAPTERS, PUBLISHED, chapter_name
from lsa_helpers.runner.side_by_side import compare_tables, side_by_side


def cells(page: dict, yours: dict) -> list[tuple]:
    """Row, column, page, yours and difference of all that differs; NaN as None."""
    table = side_by_side(pd.DataFrame(page), pd.DataFrame(yours))
    table = table[["row", "column", "page", "yours", "difference"]].astype(object)
    return list(table.where(table.notna(), None).itertuples(index=False, name=None))


def test_rows_are_known_by_what_tells_them_apart_and_not_by_their_place():
    page = {
        "model": ["cnn", "cnn", "rf"],
        "seed": [0, 1, 0],
        "auc": [0.5, 0.75, 0.5],
        "n": [9, 9, 9],
    }
    yours = {
        "model": ["rf", "cnn", "cnn"],
        "seed": [0, 1, 0],
        "auc": [0.5, 0.5, 0.5],
        "n": [9, 9, 8],
    }
    assert cells(page, yours) == [
        ("cnn, seed 1", "auc", 0.75, 0.5, -0.25),
        ("cnn, seed 0", "n", 9, 8, -1),
    ]


def test_a_column_of_one_value_and_a_number_that_changes_name_no_row():
    """The optimizer is what was changed; a limit of classes moves with everything else."""
    page = {"optimizer": ["adamw"] * 2, "split": ["val", "test"], "ap": [0.5, 0.25]}
    yours = {"optimizer": ["sgd"] * 2, "split": ["val", "test"], "ap": [0.5, 0.5]}
    assert cells(page, yours) == [
        ("val", "optimizer", "adamw", "sgd", None),
        ("test", "optimizer", "adamw", "sgd", None),
        ("test", "ap", 0.25, 0.5, 0.25),
    ]
    assert cells({"low": [0, 0], "n": [1, 2]}, {"low": [0.5, 0.5], "n": [1, 3]}) == [
        ("row 1", "low", 0, 0.5, 0.5),
        ("row 2", "low", 0, 0.5, 0.5),
        ("row 2", "n", 2, 3, 1),
    ]


def test_repetitions_with_other_seeds_belong_together_in_their_order():
    page, yours = {"seed": [0, 1], "auc": [0.5, 0.75]}, {"seed": [6, 5], "auc": [0.5, 0.5]}
    assert cells(page, yours) == [("repetition 2", "auc", 0.75, 0.5, -0.25)]
    assert cells(page, {"seed": [1, 2], "auc": [0.5, 0.25]})[0] == (
        *("seed 0", "auc", 0.5, None, None),
    ), "a seed in both tables is the same one"


def test_rows_of_one_table_only_stand_beside_nothing():
    page, yours = {"class": ["a", "b"], "fr": [1.0, 2.0]}, {"class": ["a", "c"], "fr": [1.0, 4.0]}
    assert cells(page, yours) == [("b", "fr", 2.0, None, None), ("c", "fr", None, 4.0, None)]
    table = side_by_side(pd.DataFrame(page), pd.DataFrame(yours))
    assert table["weight"].isna().all(), "nothing to weigh"
    assert len(cells(page, {})) == 4, "every cell of a table that only one run has"


def test_an_interval_stands_beside_its_number():
    page = {
        "model": ["rf", "cnn"],
        "auc": [0.8, 0.7],
        "auc_low": [0.7, 0.6],
        "auc_high": [0.9, 0.8],
    }
    yours = page | {"auc": [0.6, 0.7], "auc_low": [0.5, 0.1]}
    table = side_by_side(pd.DataFrame(page), pd.DataFrame(yours))
    assert table.loc[0, ["page_low", "page_high", "yours_low", "yours_high"]].tolist() == [
        *(0.7, 0.9, 0.5, 0.9)
    ]
    assert len(table) == 1, "an interval alone is no number that differs"
    assert table["weight"].item() == pytest.approx(0.2 / 0.8)
    ranks = {"factor": ["a", "b"], "cnn": [1, 2], "rf": [2, 1], "low": [1, 1], "high": [2, 2]}
    assert (
        "low"
        in side_by_side(pd.DataFrame(ranks), pd.DataFrame(ranks | {"low": [0, 1]}))[
            "column"
        ].to_list()
    ), "of several numbers it is nobody's"


def test_every_column_shows_its_largest_difference_and_the_rest_is_counted(capsys):
    """Thirty models: scores rise by up to 0.29 of 1, and the area of one falls from 4 to 3."""
    page = pd.DataFrame({"model": [f"m{i:02}" for i in range(30)], "fr": 1.0, "area": 4.0})
    yours = page.assign(fr=1 + page.index / 100)
    yours.loc[7, "area"] = 3.0
    yours.loc[8, "area"] = 3.999  # a quarter of a thousandth
    table = side_by_side(page, yours).assign(table="ratios")
    shown = largest(table, 3)[["column", "row", "difference"]].to_numpy().tolist()
    assert shown == [["fr", "m29", pytest.approx(0.29)], ["fr", "m28", pytest.approx(0.28)]] + [
        ["area", "m07", -1.0]
    ]
    print_cells(table, ["ratios"])
    assert "ratios: and 7 more differences" in capsys.readouterr().out, "31 differ, 24 are printed"
    print_cells(table, ["ratios"], whole=True)
    assert "-0.001" in capsys.readouterr().out
    lone = side_by_side(page.head(2), page.tail(2)).assign(table="ratios")
    print_cells(lone, ["ratios"])
    assert "and 2 row(s) that only the page has, 2 row(s) that only your trial has" in (
        capsys.readouterr().out
    )
    print_cells(lone, ["ratios"], whole=True)
    assert capsys.readouterr().out.count("–") == 8, "two numbers in each have no other"
    print_cells(table, ["others"])
    assert "Every number of the chapter's tables is the page's" in capsys.readouterr().out


def test_a_score_with_an_interval_comes_before_others():
    page = {"model": ["rf"], "n": [9], "auc": [0.5], "auc_low": [0.25], "auc_high": [0.75]}
    table = side_by_side(pd.DataFrame(page), pd.DataFrame(page | {"n": [3], "auc": [0.49]}))
    assert largest(table, 1)["column"].tolist() == ["auc"]
    assert largest(table, 2)["column"].tolist() == ["n", "auc"], "in the table's order"


def test_a_parameter_is_the_tried_chapters_own_where_it_has_one():
    changes = trial.read_changes({"block_m": "500"}, "quick", "05_susceptibility")
    assert changes == {("05_susceptibility", "block_m"): "500"}
    changes = trial.read_changes({"04.block_m": "500"}, "quick", "05_susceptibility")
    assert changes == {("04_factor_selection", "block_m"): "500"}
    assert trial.trial_name("05_susceptibility", changes) == "05-04_block_m=500"
    changes = trial.read_changes({"seed": "1"}, "quick", "03_inventory")
    assert [owner for owner, _ in changes] == ["02_detector", "03_inventory"], "chips dealt alike"


def test_what_lies_between_is_repeated_and_nothing_else():
    """Chapter 10 reads chapters 4 and 5, and 5 reads 4; chapter 9 reads nothing of 7."""
    assert trial.repeated("10_samples", {("04_factor_selection", "vif_max"): "5"}) == [
        *("04_factor_selection", "05_susceptibility", "10_samples")
    ]
    assert trial.repeated("10_samples", {("10_samples", "lab_seeds"): "5"}) == ["10_samples"]
    with pytest.raises(InputError, match="09_validation reads nothing of 07_shap"):
        trial.repeated("09_validation", {("07_shap", "n_explain"): "50"})


def test_paths_of_a_run_are_seen_from_its_trial(tmp_path, folder):
    """The data folder lies beside the runs; its path counts from the folder that names it."""
    run, deeper = tmp_path / "runs/mine", tmp_path / "runs/mine-trials/a"
    run.mkdir(parents=True)
    values = load_run_params(find_params("quick"), {}, folder, run)
    (run / "params.yml").write_text(to_text(values), encoding="utf-8")
    params = trial.trial_params(run, deeper, {("06_frequency_ratio", "n_classes"): "7"})
    shared = params["01_data"]
    assert (deeper / shared.data).resolve() == (run / values["01_data"].data).resolve() == folder
    assert (deeper / shared.catalog).resolve() == folder / "catalog.yml"


def hashes(folder: Path) -> dict[str, str]:
    """What lies in a folder, byte by byte."""
    files = (file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): sha256(file) for file in files}


@pytest.fixture
def page(empty) -> Path:
    """A run in which chapters 1 to 6 were made, as far as can be seen without a look at them."""
    run = empty / "runs" / "quick"
    stages = []
    for name in list(CHAPTERS)[:6]:
        file = f"products/{name}.json"
        (run / file).parent.mkdir(parents=True, exist_ok=True)
        (run / file).write_text("{}")
        stages.append({"name": name, "status": "done", "outputs": {file: sha256(run / file)}})
        stages[-1] |= {"fingerprint": name, "seconds": 1.0}
    (run / "params.yml").write_text(to_text(read_params(find_params("quick"))), encoding="utf-8")
    (run / "manifest.json").write_text(json.dumps({"name": "quick", "stages": stages}))
    return run


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("quik", "06", "-p", "n_classes", "7"), ("quik: there is no such run", "lsa run")),
        (("quick", "06"), ("nothing is changed", "-p KEY VALUE")),
        (("quick", "07", "-p", "n_explain", "50"), ("07_shap was not executed", "--until 07")),
        (("quick", "06", "-p", "n_clases", "7"), ('unknown parameter "n_clases"', "n_classes")),
        (("quick", "05", "-p", "n_classes", "7"), ("after 05", "lsa try quick 06 -p n_classes 7")),
        (("quick", "06", "-p", "n_classes", "5"), ("-p 06.n_classes 5: this is the page's own",)),
        (("quick", "06", "-p", "seed", "0"), ("-p 06.seed 0: this is the page's own value",)),
        (("quick", "06", "-p", "n_classes", "77"), ("n_classes", "less than or equal to 10")),
        (("quick", "06", "-p", "block_m", "500"), ("in several chapters", "04.block_m")),
        (("quick", "06", "-p", "n_jobs", "1"), ("one value for the whole run", "lsa run quick")),
        (("quick", PUBLISHED[:2], "-p", "table", "x.csv"), (PUBLISHED, "papermill")),
        (("quick", "1", "-p", "cell_size_m", "0"), ("-p 01.cell_size_m 0: this is the page",)),
        (("quick", "77", "-p", "n_classes", "7"), ('o chapter is called "77"',)),
        (
            ("quick", "06", "-p", "n_classes", "7", "--out", "runs/quick/mine"),
            ("a trial has a folder of its own", "--out"),
        ),
    ],
)
def test_what_cannot_be_tried_is_one_sentence_and_writes_nothing(
    lsa, empty, page, arguments, words
):
    before = hashes(empty)
    answer = lsa("try", *arguments)
    assert answer.code == 2 and answer.err.startswith("Error: ")
    for word in words:
        assert word in answer.err
    assert hashes(empty) == before


def test_every_change_that_the_book_proposes_can_be_tried(page, root):
    """The chapters, the book's pages and the README: known parameters, values that are not the
    page's own, and three different changes in every chapter of a run.
    """
    run_of_the_book = Path("runs/quick/products/detector.safetensors")
    run_of_the_book.write_bytes(b"")
    chapters = [*root.glob("notebooks/*.py"), *root.glob("book/*.md"), root / "README.md"]
    found = {chapter: set() for chapter in CHAPTERS}
    for file in chapters:
        for command in re.findall(r"`lsa try quick (.+?)`", file.read_text(encoding="utf-8")):
            number, *words = shlex.split(command)
            given = dict(zip(words[1::3], words[2::3], strict=True))
            assert set(words[::3]) == {"-p"}
            chapter = chapter_name(number)
            changes = trial.read_changes(given, "quick", chapter)
            assert trial.repeated(chapter, changes)[-1] == chapter
            trial.trial_params(page, page.parent / "trial", changes)
            if file.suffix == ".py":
                assert file.stem == chapter
                found[chapter].add(command)
    assert {len(commands) for commands in found.values()} == {3}, found


def test_a_lost_file_and_a_run_in_the_place_of_a_trial_are_refused(lsa, empty, page):
    arguments = ("try", "quick", "06", "-p", "n_classes", "7")
    (empty / "runs/mine").mkdir()
    (empty / "runs/mine/manifest.json").write_text("{}")
    assert "the folder of a run, and of no trial" in lsa(*arguments, "--out", "runs/mine").err
    (page / "products/03_inventory.json").unlink()
    assert "a file that 03_inventory made is missing" in lsa(*arguments).err


def test_an_interrupted_trial_leaves_the_page_whole(lsa, page, monkeypatch):
    """Ctrl-C in the middle of the chapter, which had begun to write."""

    def interrupted(run, params, chapters, **how):
        assert chapters == ["05_susceptibility", "06_frequency_ratio"]
        assert params["05_susceptibility"].block_m == 500
        assert params["06_frequency_ratio"].seed == 3 and params["05_susceptibility"].seed == 0
        run.write_json({"half": True}, "01_data.json")
        raise KeyboardInterrupt

    monkeypatch.setattr(trial, "execute", interrupted)
    before = hashes(page)
    answer = lsa("try", "quick", "06", "-p", "05.block_m", "500", "-p", "seed", "3")
    assert answer.code == 130
    assert hashes(page) == before
    folder = page.parent / "quick-trials" / "06-05_block_m=500,seed=3"
    assert sorted(path.name for path in (folder / "products").iterdir()) == [
        *("01_data.json", "02_detector.json", "03_inventory.json", "04_factor_selection.json")
    ]
    linked = "products/04_factor_selection.json"
    assert (folder / linked).samefile(page / linked)
    assert "quick was made by other code" in answer.out


@pytest.mark.notebooks
def test_a_trial_of_four_classes_beside_the_page(tiny, lsa, monkeypatch):
    """The first class of the CNN, on the page and in the trial, as both tables have it."""
    monkeypatch.chdir(tiny.run.path.parent.parent)
    before, command = hashes(tiny.run.path), ("try", "alone", "06", "-p", "n_classes", "4")
    answer = lsa(*command)
    assert answer.code == 0, answer.err
    assert hashes(tiny.run.path) == before
    folder = Path("runs/alone-trials/06-n_classes=4")
    page, yours = (
        pd.read_csv(run / "tables/scheme_sensitivity.csv").set_index(["scheme", "model"])
        for run in (tiny.run.path, folder)
    )
    assert len(page) == len(yours) == 15
    differences = pd.read_csv(folder / "page_and_yours.csv")
    at = (differences["table"] == "scheme_sensitivity") & (differences["column"] == "area_pct")
    found = differences[at].set_index("row")[["page", "yours", "difference"]].astype(float)
    # a fifth and a quarter of the land, as well as cells of equal values allow
    assert found.loc["quantile, cnn"].tolist() == pytest.approx([20, 25, 5], abs=0.1)
    row = ("equal", "xgboost")
    expected = [table.loc[row, "area_pct"] for table in (page, yours)]
    expected.append(expected[1] - expected[0])
    assert found.loc[", ".join(row)].tolist() == pytest.approx(expected)
    assert "15 row(s) that only the page has, 12 row(s) that only your trial has" in answer.out
    assert f"{folder}/notebooks/06_frequency_ratio.ipynb" in answer.out
    assert (folder / "notebooks/06_frequency_ratio.ipynb").is_file()
    assert not (folder / "notebooks/05_susceptibility.ipynb").exists(), "a reader may write in it"
    again = lsa(*command, "--table", "frequency_ratio")
    assert "06_frequency_ratio: unchanged, skipped" in again.out
    assert "cnn, Class 4 (highest)" in again.out and "cnn, Very High" in again.out
    assert "no such table differs" in lsa(*command, "--table", "vif").err
    assert "1 trial(s) of alone: lsa runs runs/alone-trials" in lsa("runs").out
    assert "06.n_classes 4" in lsa("runs", "runs/alone-trials").out
    assert compare_tables(tiny.run.path, folder, ["scores_spatial"]).empty, "linked, so the same"
