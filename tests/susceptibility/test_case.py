"""Chapter 08 on the hillside, from what chapter 05 leaves on disk to its tables."""

import dataclasses
import shutil

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from lsa_helpers import honest, models, validation
from lsa_helpers.classes import landslide_cells
from lsa_helpers.errors import InputError
from lsa_helpers.run import Run
from lsa_helpers.samples import block_folds, write_samples
from lsa_helpers.validation import nested


@pytest.fixture(scope="module")
def case(left):
    """What chapter 08 opens."""
    return honest.open_case(*left)


def test_settings_are_searched_again_without_the_rows_held_out(left, case, monkeypatch):
    """Where chapter 05 searched for settings, no search of chapter 08 sees a row of the cells, or
    of the block, it is judged by.
    """
    run, p = left
    seen, search = [], nested.tune
    monkeypatch.setattr(
        nested,
        "tune",
        lambda make, space, stack, rows, **how: (
            seen.append(rows) or search(make, space, stack, rows, **how)
        ),
    )
    honest.map_heldout(run, case, p.model_copy(update={"heldout_models": ["svm", "rf"]}))
    row, col = case.stack.grid.rowcol(case.samples["x"], case.samples["y"])
    own = case.folds[row, col]
    assert len(seen) == 3
    for fold, rows in enumerate(seen):
        assert not set(rows.index) & set(case.samples.index[own == fold])
    seen.clear()
    honest.judge_folds(run, case, p)
    blocks = block_folds(case.samples, block_m=300)
    assert len(seen) == blocks.max() + 1
    for block, rows in enumerate(seen):
        assert not set(rows.index) & set(case.samples.index[blocks == block])


def test_the_folder_of_a_model_that_is_gone_is_no_model(left, case):
    """A run of chapter 05 with fewer models leaves an empty folder of an older one."""
    run, p = left
    (run.product("models") / "logistic").mkdir()
    try:
        assert (
            honest.map_heldout(run, case, p.model_copy(update={"heldout_models": ["logistic"]}))
            == {}
        )
        assert (
            honest.run_laboratory(run, case, p.model_copy(update={"lab_model": "logistic"})) is None
        )
    finally:
        (run.product("models") / "logistic").rmdir()


def test_searched_settings_are_not_taken_over(left):
    """A saved model knows how it was tuned and what its settings were before; made again it has
    those, or searches anew.
    """
    folder = left[0].product("models")
    assert models.tuning(folder / "svm") == {
        "draws": 2,
        "n_folds": 3,
        "settings": {"c": 2.0, "gamma": 0.05},
    }
    assert models.load(folder / "svm").settings["gamma"] != 0.05
    assert models.untrained(folder / "svm")().settings == {"c": 2.0, "gamma": 0.05}
    again = validation.remade(folder / "svm", factors=("slope",))()
    assert (
        isinstance(again, validation.Nested)
        and again.draws == 2
        and again.make().factors == ("slope",)
    )
    assert models.tuning(folder / "rf") is None
    assert not isinstance(validation.remade(folder / "rf")(), validation.Nested)


def test_the_ceiling_stands_beside_every_score(left, case):
    """Tables of samples have the AUC of the true probability on these samples, tables of maps its
    worth as a map; real data neither.
    """
    run, p = left
    row, col = case.stack.grid.rowcol(case.samples["x"], case.samples["y"])
    top = roc_auc_score(case.samples["label"], case.truth.probability[row, col])
    scored = validation.with_ceiling(run.read_table("scores_spatial"), case.samples, case.truth)
    assert list(scored)[:3] == ["model", "auc", "ceiling_auc"] and scored[
        "ceiling_auc"
    ].tolist() == pytest.approx([top] * 3)
    assert honest.judge_folds(run, case, p)["ceiling_auc"].tolist() == pytest.approx([top] * 3)
    heldout = {"rf": case.truth.probability**2}
    worth = honest.judge_maps(run, case, heldout, honest.rate_curves(run, case, heldout, p), p)
    assert worth[["model", "map"]].to_numpy().tolist() == [
        ["rf", "held out"],
        ["rf", "fitted"],
        ["ceiling", "true probability"],
    ]
    # The order of the cells is that of the truth, so the rates are those of the ceiling.
    areas = worth["area_under"].tolist()
    assert areas[0] == pytest.approx(areas[2], abs=1e-9)
    table, blind = run.read_table("scores_spatial"), dataclasses.replace(case, truth=None)
    assert validation.with_ceiling(table, case.samples, None) is table
    assert "ceiling" not in set(
        honest.judge_maps(run, blind, heldout, honest.rate_curves(run, blind, heldout, p), p)[
            "model"
        ]
    )


def test_blocks_are_those_of_chapter_04(left, case, tmp_path):
    """The edge comes with the samples; another one, or samples that do not say theirs, are refused
    by name.
    """
    run, p = left
    assert (
        case.block_m == 300
        and honest.open_case(run, p.model_copy(update={"block_m": 0.0})).block_m == 300
    )
    with pytest.raises(InputError, match="samples.parquet.*blocks of 300 m, parameter block_m 500"):
        honest.open_case(run, p.model_copy(update={"block_m": 500.0}))
    shutil.copytree(run.path, tmp_path / "old")
    bare = case.samples.copy()
    bare.attrs.clear()
    write_samples(bare, Run(tmp_path / "old"))
    with pytest.raises(InputError, match="no block_m.*Run chapter 05 again"):
        honest.open_case(Run(tmp_path / "old"), p)


def test_the_fair_comparison_says_what_the_window_is_worth(left, case):
    """Trees with a neighbourhood and a CNN of one cell are mapped held out; the gains are the
    differences of the table's areas.
    """
    run, p = left
    heldout = honest.map_heldout(run, case, p)
    around = honest.map_context(run, case, p)
    assert set(around) == {"rf_context", "cnn_1"}
    worth = honest.judge_maps(run, case, heldout, honest.rate_curves(run, case, heldout, p), p)
    fair = honest.fair_comparison(run, case, around, worth, p).set_index("model")
    assert list(fair.index) == ["cnn", "rf", "svm", "ceiling", "rf_context", "cnn_1"]
    gains = honest.context_gain(run, case, heldout | around, p)
    pairs = [
        ["cnn", "rf"],
        ["cnn_1", "rf"],
        ["cnn", "cnn_1"],
        ["rf_context", "rf"],
        ["cnn", "rf_context"],
    ]
    assert gains[["first", "second"]].to_numpy().tolist() == pairs
    lead, model, window = gains["difference"][:3]
    assert lead == pytest.approx(model + window)
    expected = [
        fair["area_under"][first] - fair["area_under"][second]
        for first, second in zip(gains["first"], gains["second"], strict=True)
    ]
    assert gains["difference"].tolist() == pytest.approx(expected, abs=1e-9)
    assert (gains["low"] <= gains["difference"]).all() and (
        gains["difference"] <= gains["high"]
    ).all()
    assert run.read_table("context_gain").columns.tolist() == [
        "first",
        "second",
        "difference",
        "low",
        "high",
    ]
    off = p.model_copy(update={"context": False})
    assert (
        honest.map_context(run, case, off)
        == {}
        == honest.map_context(run, dataclasses.replace(case, window=1), p)
    )
    assert (
        honest.fair_comparison(run, case, {}, worth, p) is None
        and honest.context_gain(run, case, heldout, p) is None
    )


def test_an_inventory_that_is_named_judges_the_maps(left, case):
    """By itself the truth judges; a named inventory does, truth or not, and the chapter says which."""
    run, p = left
    assert "true landslides" in case.describe() and case.landslide is case.truth.landslide
    own = honest.open_case(run, p.model_copy(update={"inventory": "detected"}))
    assert "the detected landslides" in own.describe() and own.truth is not None
    assert own.landslide.sum() < case.landslide.sum()
    np.testing.assert_array_equal(own.landslide, landslide_cells(own.landslides, own.stack.grid))
    real = honest.open_case(run, p.model_copy(update={"inventory": "reference"}))
    assert "the reference landslides" in real.describe()
