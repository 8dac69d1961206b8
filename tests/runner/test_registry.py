"""The list of runs and what sets two apart, on small folders made by hand."""

import io
import json

import numpy as np
import pandas as pd
import pytest
import yaml

from lsa_helpers.errors import InputError
from lsa_helpers.runner.comparison import (
    INTERVALS,
    PAIRED,
    compare_facts,
    compare_scores,
    costs,
    differing_parameters,
    same_land,
)
from lsa_helpers.runner.inputs import find_params, read_params, to_sections
from lsa_helpers.runner.registry import (
    changed_parameters,
    find_comparison,
    find_run,
    list_runs,
    load_manifest,
)

COMMIT = "0123456789" * 4


@pytest.fixture
def make_run(tmp_path):
    """Function that writes a run of the set tiny into ``runs/`` and gives its folder."""

    def make(name: str, params=(), tables=(), stages=(), **facts):
        run = tmp_path / "runs" / name
        (run / "tables").mkdir(parents=True)
        sections = to_sections(read_params(find_params("tiny")))
        for section, values in dict(params).items():
            sections[section] |= values
        (run / "params.yml").write_text(yaml.safe_dump(sections))
        for table, text in dict(tables).items():
            (run / "tables" / f"{table}.csv").write_text(text)
        manifest = {"name": name, "created": "2026-01-01T00:00:00+00:00", "packages": {}}
        manifest |= {"code": {"version": "0.1.0", "commit": COMMIT}, "stages": list(stages)}
        (run / "manifest.json").write_text(json.dumps(manifest | facts))
        return run

    return make


def stage(name: str, status: str = "done", seconds: float = 30.0, inputs=(), outputs=()) -> dict:
    """A stage's record, as far as it is read."""
    files = {"inputs": dict(inputs), "outputs": dict(outputs)}
    return {"name": name, "status": status, "seconds": seconds, **files}


def test_the_list_tells_when_what_and_how_good(make_run, tmp_path):
    """Oldest first; two chapters of 30 and 45 s; a folder without a manifest is no run."""
    table = "model,auc,auc_low\ncnn,0.75,0.7\nxgboost,0.5,0.4\n"
    make_run(
        "new",
        {"shared": {"n_jobs": 64}, "05_susceptibility": {"n_folds": 4}},
        {"scores_spatial": table},
        [stage("01_data"), stage("02_detector", "skipped", 0.0), stage("03_inventory", seconds=45)],
        created="2026-02-01T00:00:00+00:00",
    )
    make_run("old")
    (tmp_path / "runs" / "notes").mkdir()
    runs = list_runs(tmp_path / "runs").set_index("name")
    assert list(runs.index) == ["old", "new"]
    new = runs.loc["new"]
    assert (new["profile"], new["commit"], new["problem"]) == ("tiny", COMMIT, "")
    assert (new["seconds"], new["done"]) == (75, 2)
    assert (new["auc_cnn"], new["auc_xgboost"]) == (0.75, 0.5)
    assert np.isnan(new["auc_rf"])
    assert new["changed"] == {"05.n_folds": 4}, "the number of cores changes no result"
    assert runs.loc["old", "changed"] == {}


def test_a_folder_without_runs_gives_an_empty_list(tmp_path):
    assert list_runs(tmp_path / "nowhere").empty


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "cannot be read"),
        ("", "cannot be read"),
        ("[1]", "no manifest of a run"),
        ('{"name": "a web page"}', "no manifest of a run"),
        ('{"stages": [{"name": "01_data", "seconds": "long"}]}', "no manifest of a run"),
        ('{"stages": [], "code": "0.1.0"}', "no manifest of a run"),
    ],
)
def test_a_damaged_manifest_is_a_row_that_says_so(make_run, tmp_path, text, words):
    run = make_run("broken")
    (run / "manifest.json").write_text(text)
    make_run("good", stages=[stage("01_data")])
    runs = list_runs(tmp_path / "runs").set_index("name")
    assert words in runs.loc["broken", "problem"]
    assert "manifest.json" in runs.loc["broken", "problem"]
    assert (runs.loc["good", "problem"], runs.loc["good", "done"]) == ("", 1)
    with pytest.raises(InputError, match=words):
        load_manifest(run)


def test_changes_are_told_against_the_set_of_the_profile(make_run):
    changed = changed_parameters(make_run("a", {"shared": {"seed": 4, "run_dir": "."}}))
    assert changed == {"seed": 4}
    quick = changed_parameters(make_run("b", {"shared": {"profile": "quick"}}))
    assert quick["01.width_km"] == 3.0, "tiny's, where quick has 8"
    older = make_run("c", {"06_frequency_ratio": {"a_key_of_old": 1}})
    assert changed_parameters(older) == {"06.a_key_of_old": 1}


def test_changes_are_unknown_without_a_set_or_readable_parameters(make_run):
    assert changed_parameters(make_run("a", {"shared": {"profile": "mine"}})) is None
    run = make_run("b")
    (run / "params.yml").write_text("a: [")
    assert changed_parameters(run) is None
    (run / "params.yml").unlink()
    assert changed_parameters(run) is None


def test_a_run_is_found_by_name_or_folder(make_run, tmp_path):
    run = make_run("own")
    assert find_run("own", tmp_path / "runs") == run
    assert find_run(str(run)) == run
    with pytest.raises(InputError, match=r"no such run\. Found: \['own'\]"):
        find_run("other", tmp_path / "runs")


def test_facts_that_differ_are_told_and_no_others(make_run):
    """A parameter, the commit, a file given, one of the mountain, a package that one lacks."""
    same = {"data/roads.shp": "1" * 64, "products/factors.tif": "2" * 64}
    a = make_run(
        "a",
        stages=[
            stage("01_data", inputs=same | {"data/dem.tif": "a" * 64}),
            stage("02_detector", outputs={"world/images/1.tif": "a" * 64, "products/d": "a" * 64}),
        ],
        packages={"numpy": "2.0", "scipy": "1.13"},
    )
    b = make_run(
        "b",
        {"06_frequency_ratio": {"n_classes": 4}},
        stages=[
            stage("01_data", inputs=same | {"data/dem.tif": "b" * 64}),
            stage("02_detector", outputs={"world/images/1.tif": "b" * 64, "products/d": "b" * 64}),
        ],
        packages={"numpy": "2.1", "scipy": "1.13", "torch": "2.9"},
        code={"version": "0.1.0", "commit": COMMIT + "+"},
    )
    assert compare_facts(a, b).to_numpy().tolist() == [
        ["parameter", "06.n_classes", "5", "4"],
        ["code", "commit", COMMIT, COMMIT + "+"],
        ["data", "data/dem.tif", "a" * 64, "b" * 64],
        ["data", "world/images/1.tif", "a" * 64, "b" * 64],
        ["package", "numpy", "2.0", "2.1"],
        ["package", "torch", "", "2.9"],
    ]
    assert compare_facts(a, a).empty


HEAD = "model,auc,auc_low,auc_high,f1\n"


def test_intervals_that_exclude_each_other_are_more_than_chance(make_run):
    """0.76 is above 0.75, 0.74 is not; a model that one run lacks is no row."""
    a = make_run("a", tables={"scores_spatial": HEAD + "cnn,0.7,0.65,0.75,0.5\nrf,0.7,0.65,0.75,0"})
    b = make_run(
        "b",
        tables={
            "scores_spatial": HEAD + "rf,0.8,0.76,0.85,0\ncnn,0.8,0.74,0.86,0.9\nsvm,1,1,1,1",
            "broken": "",
            "vif": "factor,vif\nslope,2.0\n",
        },
    )
    scores = compare_scores(a, b).set_index("row")
    assert list(scores.index) == ["cnn", "rf"]
    assert set(scores["score"]) == {"auc"}, "f1 has no interval"
    assert set(scores["method"]) == {INTERVALS}
    assert scores["difference"].round(6).tolist() == [0.1, 0.1]
    assert scores["more_than_chance"].tolist() == [False, True]
    swapped = compare_scores(b, a).set_index("row").loc[["cnn", "rf"]]
    assert swapped["more_than_chance"].tolist() == [False, True]
    assert swapped["difference"].round(6).tolist() == [-0.1, -0.1]


def test_rows_are_told_by_all_their_texts_and_tables_of_new_ground_come_first(make_run):
    detection = "backbone,split,f1,f1_low,f1_high\nresnet18,val,0.5,0.4,0.6\nresnet18,test,0.3,0,1"
    tables = {"detection_scores": detection, "scores_apparent": HEAD + "rf,1,1,1,1"}
    tables["scores_spatial"] = HEAD + "rf,0.7,0.6,0.8,1"
    scores = compare_scores(make_run("a", tables=tables), make_run("b", tables=tables))
    assert list(zip(scores["table"], scores["row"], strict=True)) == [
        ("scores_spatial", "rf"),
        ("detection_scores", "resnet18 val"),
        ("detection_scores", "resnet18 test"),
        ("scores_apparent", "rf"),
    ]
    assert not scores["more_than_chance"].any()


def test_runs_without_scores_have_nothing_to_compare(make_run):
    assert compare_scores(make_run("a"), make_run("b")).empty


def add_predictions(run, slide, other, x=0.0, shuffled=False) -> None:
    """Products of chapter 05: a landslide and another cell in each of four blocks of 100 m, and
    the random forest's spatial predictions of them.
    """
    place = np.repeat([50.0, 150.0, 250.0, 350.0], 2) + x
    label = np.tile([1, 0], 4)
    samples = pd.DataFrame({"x": place, "y": 50.0, "label": label})
    samples.attrs |= {"block_m": 100.0, "seed": 0}
    probability = np.column_stack([slide, other]).ravel()
    rows = {"scheme": "spatial", "model": "rf", "sample": np.arange(8), "fold": 0, "label": label}
    predictions = pd.DataFrame(rows | {"probability": probability})
    (run / "products").mkdir()
    samples.to_parquet(run / "products" / "samples.parquet")
    predictions = predictions.iloc[::-1] if shuffled else predictions
    predictions.to_parquet(run / "products" / "predictions.parquet")


WIDE = {"scores_spatial": HEAD + "rf,0.5,0.1,0.9,0"}


def spatial_auc(a, b) -> pd.Series:
    """The comparison of the random forest's AUC."""
    return (
        compare_scores(a, b).set_index(["table", "row", "score"]).loc["scores_spatial", "rf", "auc"]
    )


def test_the_same_samples_are_compared_in_pairs(make_run):
    """Wrong about every pair against right about every pair: the difference is 1 in every draw,
    though the intervals in the tables overlap.
    """
    a, b = make_run("a", tables=WIDE), make_run("b", tables=WIDE)
    add_predictions(a, [0.2] * 4, [0.8] * 4)
    add_predictions(b, [0.9] * 4, [0.1] * 4)
    row = spatial_auc(a, b)
    assert (row["method"], row["low"], row["high"]) == (PAIRED, 1.0, 1.0)
    assert row["more_than_chance"]
    assert spatial_auc(b, a)["low"] == -1.0


def test_the_order_of_predictions_does_not_matter(make_run):
    """The same ones, right in three blocks and wrong in one, differ in no draw."""
    a, b = make_run("a", tables=WIDE), make_run("b", tables=WIDE)
    for run, shuffled in ((a, False), (b, True)):
        add_predictions(run, [0.3, 0.6, 0.6, 0.6], [0.7, 0.4, 0.4, 0.4], shuffled=shuffled)
    row = spatial_auc(a, b)
    assert (row["low"], row["high"]) == (0.0, 0.0)
    assert not row["more_than_chance"]


def test_a_difference_in_one_block_of_four_is_chance(make_run):
    """A draw leaves that block out with a chance of (3/4)⁴ = 32 %, and then nothing differs."""
    a, b = make_run("a", tables=WIDE), make_run("b", tables=WIDE)
    add_predictions(a, [0.6] * 4, [0.4] * 4)
    add_predictions(b, [0.3, 0.6, 0.6, 0.6], [0.7, 0.4, 0.4, 0.4])
    row = spatial_auc(a, b)
    assert row["method"] == PAIRED
    assert row["low"] < 0
    assert row["high"] == 0.0
    assert not row["more_than_chance"]


def test_other_samples_are_compared_by_intervals(make_run):
    a, b = make_run("a", tables=WIDE), make_run("b", tables=WIDE)
    add_predictions(a, [0.2] * 4, [0.8] * 4)
    add_predictions(b, [0.9] * 4, [0.1] * 4, x=1.0)
    row = spatial_auc(a, b)
    assert row["method"] == INTERVALS
    assert not row["more_than_chance"]
    (b / "products" / "samples.parquet").write_bytes(b"broken")
    assert spatial_auc(a, b)["method"] == INTERVALS


def test_runs_prints_a_table_and_json(lsa, make_run, tmp_path):
    table = HEAD + "cnn,0.61,0.5,0.7,0\n"
    make_run("own", {"10_samples": {"lab_seeds": 3}}, {"scores_spatial": table}, [stage("01_data")])
    (make_run("broken") / "manifest.json").write_text("{")
    folder = str(tmp_path / "runs")
    for words in (["runs", folder], ["runs", "list", folder]):
        result = lsa(*words)
        assert result.code == 0
        for text in ("own", "2026-01-01 00:00", COMMIT[:8], "10.lab_seeds 3", "0.610", "0.5 min"):
            assert text in result.out
        assert "manifest cannot be read" in result.out
        assert COMMIT not in result.out
    rows = {row["name"]: row for row in json.loads(lsa("runs", folder, "--json").out)}
    assert rows["own"]["changed"] == {"10.lab_seeds": 3}
    assert rows["own"]["auc_cnn"] == 0.61
    assert rows["own"]["auc_rf"] is None
    assert "cannot be read" in rows["broken"]["problem"]


def test_runs_of_no_folder(lsa, empty):
    assert "no runs in runs" in lsa("runs").out
    result = lsa("runs", "nowhere")
    assert (result.code, "no such folder" in result.err) == (2, True)


def test_diff_says_what_differs_and_how_it_was_found(lsa, make_run):
    a = make_run("a", {"shared": {"seed": 1}}, WIDE)
    b = make_run("b", tables=WIDE, code={"version": "0.1.0", "commit": COMMIT[::-1]})
    add_predictions(a, [0.2] * 4, [0.8] * 4)
    add_predictions(b, [0.9] * 4, [0.1] * 4)
    result = lsa("diff", str(a), str(b))
    assert result.code == 0
    for text in ("seed", COMMIT[:8], COMMIT[::-1][:8], "[+1.000, +1.000]", PAIRED, "1 of 1 scores"):
        assert text in result.out
    answer = json.loads(lsa("diff", str(a), str(b), "--json").out)
    assert [fact["name"] for fact in answer["facts"]] == ["seed", "commit"]
    assert answer["scores"][0]["more_than_chance"] is True
    assert "are the same" in lsa("diff", str(a), str(a)).out


def test_diff_names_many_files_by_their_number(lsa, make_run):
    runs = [
        make_run(name, stages=[stage("01_data", inputs={f"data/{n}": name for n in range(20)})])
        for name in ("a", "b")
    ]
    out = lsa("diff", *map(str, runs)).out
    assert out.count("data/") == 8
    assert "and 12 more files of data" in out
    assert "no score with an interval" in out


def test_diff_and_book_refuse_a_damaged_manifest(lsa, make_run):
    run = make_run("a")
    (run / "manifest.json").write_text("{")
    for words in (("diff", str(run), str(run)), ("book", str(run)), ("diff", str(run), "nothing")):
        result = lsa(*words)
        assert result.code == 2
        assert result.err.startswith("Error: ")
        assert "Traceback" not in result.err


@pytest.fixture
def four(make_run, tmp_path):
    """Two good runs, one that failed, one that is damaged, and a folder of something else."""
    make_run("old", stages=[stage("01_data")])
    make_run("new", stages=[stage("01_data")], created="2026-02-01T00:00:00+00:00")
    make_run("failed", created="2026-03-01T00:00:00+00:00")
    (make_run("damaged") / "manifest.json").write_text("{")
    (tmp_path / "runs" / "notes").mkdir()
    return tmp_path / "runs"


@pytest.mark.parametrize(
    ("words", "deleted"),
    [
        (("--failed",), {"failed"}),
        (("--keep", "1"), {"old", "new"}),
        (("--keep", "5"), set()),
        (("--failed", "--keep", "1"), {"failed", "old"}),
        (("old", "damaged"), {"old", "damaged"}),
        (("old", "--failed"), {"old", "failed"}),
    ],
)
def test_prune_deletes_what_is_asked_and_nothing_else(lsa, four, words, deleted):
    everything = {path.name for path in four.iterdir()}
    assert lsa("runs", "prune", *words, "--folder", str(four), "--yes").code == 0
    assert {path.name for path in four.iterdir()} == everything - deleted


@pytest.mark.parametrize(("answer", "left"), [("n\n", True), ("y\n", False)])
def test_prune_asks_first(lsa, four, monkeypatch, answer, left):
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    result = lsa("runs", "prune", "old", "--folder", str(four))
    assert (result.code, (four / "old").exists()) == (0, left)
    assert str(four / "old") in result.out


@pytest.mark.parametrize(
    ("words", "said"),
    [(("notes",), "no such run"), ((), "no run is named"), (("page",), "no manifest of a run")],
)
def test_prune_refuses_what_is_no_run(lsa, four, words, said):
    (four / "page").mkdir()
    (four / "page" / "manifest.json").write_text('{"name": "a web page"}')
    before = sorted(four.rglob("*"))
    result = lsa("runs", "prune", *words, "--folder", str(four), "--yes")
    assert result.code == 2
    assert said in result.err.lower()
    assert sorted(four.rglob("*")) == before


def test_parameters_that_always_change_together_share_a_column(make_run):
    """Two runs differ in the seed, and in the positives of both chapters alike."""
    both = {
        "04_factor_selection": {"positives": "point"},
        "05_susceptibility": {"positives": "point"},
    }
    runs = [make_run("a"), make_run("b", {"shared": {"seed": 7}, **both}), make_run("c", both)]
    table = differing_parameters(runs)
    assert table.to_dict("index") == {
        "a": {"seed": 0, "04+05.positives": "cells"},
        "b": {"seed": 7, "04+05.positives": "point"},
        "c": {"seed": 0, "04+05.positives": "point"},
    }
    assert differing_parameters(runs[:1]).empty


def test_land_is_the_same_where_its_factors_are(make_run):
    def land(name, *hashes):
        outputs = [{"products/factors.tif": one} for one in hashes]
        return make_run(name, stages=[stage("01_data", outputs=each) for each in outputs])

    a, b, other, none = land("a", "1"), land("b", "1"), land("other", "2"), land("none")
    assert same_land(a, b)
    assert not same_land(a, other)
    assert not same_land(a, none) and not same_land(none, none)


def test_what_a_run_took_over_cost_it_nothing(make_run):
    a = make_run("a", stages=[stage("01_data", seconds=20), stage("02_detector", seconds=40)])
    linked = stage("01_data", seconds=20) | {"linked_from": "a"}
    b = make_run("b", stages=[linked, stage("03_inventory", seconds=5)])
    table = costs([a, b]).fillna(-1)
    assert list(table.columns) == ["01_data", "02_detector", "03_inventory"]
    assert table.to_numpy().tolist() == [[20, 40, -1], [0, -1, 5]]


def test_a_sweep_has_a_book_once_it_is_compared(tmp_path):
    (tmp_path / "seeds").mkdir()
    assert find_comparison("seeds", tmp_path) is None
    (tmp_path / "seeds" / "sweep.yml").touch()
    with pytest.raises(InputError, match="were not compared yet.*lsa compare"):
        find_comparison("seeds", tmp_path)
    (tmp_path / "seeds" / "comparison.json").touch()
    assert find_comparison("seeds", tmp_path) == tmp_path / "seeds"
