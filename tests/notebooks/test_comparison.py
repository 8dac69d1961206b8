"""The chapter that compares runs, and its book, on a small run and a changed copy of it."""

import os
import shutil

import pandas as pd
import pytest

from lsa_helpers.errors import InputError
from lsa_helpers.run import Run
from lsa_helpers.runner.compare import find_compared, make_comparison
from lsa_helpers.runner.inputs import find_params, load_run_params, to_text
from lsa_helpers.runner.publish import build_book


@pytest.fixture(scope="module")
def compared(tiny, tmp_path_factory):
    """Folder of a comparison of a tiny run with its copy, in which a parameter and every
    out-of-fold probability of one model is another.
    """
    folder = tmp_path_factory.mktemp("runs")
    for name in ("as it is", "changed"):
        shutil.copytree(tiny.run.path, folder / name, copy_function=os.link)
    changed = Run(folder / "changed")
    changes = {"rf_trees": "61", "lab_buffers_m": "[150.0]"}
    params = load_run_params(find_params("tiny"), changes, None, changed.path)
    for file, text in (("params.yml", to_text(params)),):
        (changed.path / file).unlink()
        (changed.path / file).write_text(text)
    file = changed.product("predictions.parquet")
    predictions = pd.read_parquet(file)
    attrs = predictions.attrs
    # The forest is made to know every answer.
    forest = predictions["model"] == "rf"
    predictions.loc[forest, "probability"] = predictions.loc[forest, "label"].astype(float)
    predictions.attrs = attrs
    file.unlink()
    predictions.to_parquet(file)
    make_comparison([folder / "as it is", folder / "changed"], folder / "out")
    return folder / "out"


@pytest.mark.notebooks
@pytest.mark.slow
def test_claims_are_counted_over_the_runs(compared, tiny):
    """The tables of both runs are the same, so a claim holds in both or in none."""
    claims = pd.read_csv(compared / "tables" / "claims.csv").set_index("claim")
    assert (claims["runs"] == 2).all() and set(claims["holds in"]) <= {0, 2}
    random, spatial = (
        tiny.run.read_table(f"scores_{folds}").set_index("model")["auc_within"]
        for folds in ("random", "spatial")
    )
    claim = claims.loc["random folds flatter: rf"]
    assert claim["mean"] == pytest.approx(random["rf"] - spatial["rf"])
    assert claim["holds in"] == 2 * (random["rf"] > spatial["rf"]) and claim["sd"] == 0
    ratios = tiny.run.read_table("frequency_ratio").groupby("model")["fr"].last()
    best = claims["holds in"].filter(like="highest frequency ratio")
    assert best.idxmax() == f"highest frequency ratio: {ratios.idxmax()}"


@pytest.mark.notebooks
@pytest.mark.slow
def test_what_differs_is_found_and_what_is_alike_is_not(compared):
    """Two parameters, a list among them; only the forest; cell by cell the maps are the same."""
    table = {file.stem: pd.read_csv(file) for file in (compared / "tables").glob("*.csv")}
    assert list(table["parameters"].columns) == ["run", "05.rf_trees", "10.lab_buffers_m"]
    folds = table["differences"].query("table == 'scores_spatial' and score == 'auc_within'")
    assert set(folds["method"]) == {"paired bootstrap"}
    others = folds[folds["row"] != "rf"]
    assert (others[["low", "high"]] == 0).all(axis=None) and not others["more_than_chance"].any()
    (forest,) = folds[folds["row"] == "rf"].to_dict("records")
    assert forest["low"] > 0 and forest["more_than_chance"]
    assert (table["map_differences"]["rank correlation"].round(9) == 1).all()
    classes = table["map_differences"].set_index("model")["cells in another class"].dropna()
    assert set(classes.index) == {"cnn", "rf", "xgboost"} and (classes == 0).all()
    assert list(table["costs"]["run"]) == ["as it is", "changed"]
    assert (compared / "figures" / "tornado.png").stat().st_size > 5000


@pytest.mark.book
@pytest.mark.slow
def test_a_comparison_has_a_book_that_links_the_runs(compared):
    page = build_book(Run(compared)).parent / "book" / "index.html"
    text = page.read_text(encoding="utf-8")
    assert "changed" in text and "not built" in text
    assert (page.parent.parent / "notebooks" / "16_comparison.html").is_file()


def test_one_run_is_nothing_to_compare(tiny):
    with pytest.raises(InputError, match="nothing to compare"):
        find_compared([str(tiny.run.path)])


@pytest.fixture
def scored(tmp_path):
    """Function that makes a folder that looks like a run with scores."""

    def make(name: str, scores: bool = True):
        folder = tmp_path / name
        (folder / "tables").mkdir(parents=True)
        (folder / "manifest.json").write_text('{"stages": []}')
        if scores:
            (folder / "tables" / "scores_spatial.csv").write_text("model,auc\n")
        return folder

    return make


def test_runs_of_one_name_are_not_taken_for_one(scored):
    with pytest.raises(InputError, match="wo of the runs have one name.*mine"):
        find_compared([str(scored("a/mine")), str(scored("b/mine"))])


def test_runs_without_scores_are_named_or_left_out_of_a_sweep(scored, tmp_path):
    good, early = scored("seed=0"), scored("seed=1", scores=False)
    with pytest.raises(InputError, match="seed=1: the run has no scores to compare"):
        find_compared([str(good), str(early)])
    (tmp_path / "sweep.yml").write_text("grid: {seed: [0, 1, 2]}")
    with pytest.raises(InputError, match="nothing to compare.*1 run"):
        find_compared([str(tmp_path)])
    scored("seed=2")
    assert find_compared([str(tmp_path)]) == ([good, tmp_path / "seed=2"], tmp_path)
