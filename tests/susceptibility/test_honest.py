"""Held-out maps that know nothing of their cells, rates against ROC, indices by hand, the fair
window, the sampling laboratory.
"""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from lsa_helpers import models, validation
from lsa_helpers.errors import InputError, StageError
from lsa_helpers.factors import FactorStack
from lsa_helpers.honest import map_quality, summarise_laboratory
from lsa_helpers.samples import add_context, block_folds, make_samples
from tests.susceptibility.conftest import make_hillside


def _logistic():
    return models.make("logistic", factors=("slope", "ndvi"))


class _Spy:
    """A model that remembers where it learned and answers with its number."""

    made: list = []

    def fit(self, stack, rows, seed):
        _Spy.made.append(rows)
        return self

    def predict_map(self, stack, where):
        return np.where(where, len(_Spy.made), np.nan).astype(np.float32)


def test_no_cell_is_mapped_by_a_model_that_knew_its_surroundings(sampled):
    """Every cell gets its fold's model, whose rows lie a window away from all of the fold's cells
    and share no landslide with them.
    """
    stack, table = sampled
    folds = validation.fold_map(table, stack.grid, block_m=200, seed=0)
    _Spy.made = []
    values = validation.heldout_maps({"spy": _Spy}, stack, table, folds, seed=0, buffer_m=50)["spy"]
    np.testing.assert_array_equal(values, folds + 1)
    row, col = stack.grid.rowcol(table["x"], table["y"])
    for fold, rows in enumerate(_Spy.made):
        cells = np.argwhere(folds == fold)
        own = np.column_stack(stack.grid.rowcol(rows["x"], rows["y"]))
        gap = np.abs(own[:, None] - cells[None]).max(axis=2).min() * stack.grid.cell_size
        assert gap >= 50 and len(rows) < len(table)
        inside = set(table["landslide_id"][folds[row, col] == fold]) - {-1}
        assert not inside & set(rows["landslide_id"])


def test_the_folds_of_cells_are_those_of_their_samples(sampled):
    """Blocks are squares; nearly all samples keep their fold (a landslide across an edge may not);
    empty blocks are dealt to all folds.
    """
    stack, table = sampled
    folds = validation.fold_map(table, stack.grid, block_m=200, seed=0)
    assert (folds[stack.grid.rowcol(table["x"], table["y"])] == table["fold"]).mean() > 0.9
    assert set(np.unique(folds)) == set(table["fold"])


def test_a_planted_leak_is_caught(sampled):
    """A factor that numbers the places makes a forest perfect between neighbours and useless in a
    map that does not know the block.
    """
    stack, table = sampled
    rng = np.random.default_rng(0)
    # Each patch of 100 m has its own random number, and its own label, which no factor but the
    # number tells.
    patch = np.add.outer(np.arange(stack.grid.height) // 8 * 1000, np.arange(stack.grid.width) // 8)
    secret, label = (
        rng.permutation(100_000)[patch].astype(np.float32),
        (rng.permutation(100_000) % 2)[patch],
    )
    leaky = FactorStack(
        np.where(stack.valid, secret, np.nan)[None],
        stack.grid,
        ("place",),
        {"place": {"kind": "continuous"}},
    )
    row, col = (axis.ravel()[::7] for axis in np.indices(stack.grid.shape))
    keep = stack.valid[row, col]
    xs, ys = stack.grid.centres()
    rows = pd.DataFrame(
        {
            "x": xs[col[keep]],
            "y": ys[row[keep]],
            "label": label[row[keep], col[keep]],
            "landslide_id": -1,
        }
    )
    rows["place"] = secret[row[keep], col[keep]]
    rows["fold"] = (rows["x"] // 400 + rows["y"] // 400).astype(int) % 5
    make = lambda: models.make("rf", n_trees=20)  # noqa: E731
    between = validation.out_of_fold(make, leaky, rows, np.arange(len(rows)) % 5, seed=0)
    folds = validation.fold_map(rows, stack.grid, block_m=400, seed=0)
    held = validation.heldout_maps({"rf": make}, leaky, rows, folds, seed=0, buffer_m=0)["rf"]
    known = np.isfinite(held)
    assert metrics.roc_auc_score(rows["label"], between) > 0.95
    assert 0.3 < metrics.roc_auc_score(label[known], held[known]) < 0.7


def test_one_class_around_a_fold_is_explained(sampled):
    stack, table = sampled
    folds = validation.fold_map(table, stack.grid, block_m=200, seed=0)
    with pytest.raises(StageError, match="fold 0: the 0 samples at least 5000 m"):
        validation.heldout_maps({"spy": _Spy}, stack, table, folds, seed=0, buffer_m=5000)


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.5))
def test_rate_curve_agrees_with_roc(seed, share):
    """The area under the rate curve is prevalence / 2 + (1 - prevalence) · AUC, with scikit-learn's
    AUC; ties and NaN included.
    """
    rng = np.random.default_rng(seed)
    true = rng.random(4000) < share
    values = np.round(rng.normal(true, 1), 1)
    values[:50], true[60] = np.nan, True
    curve, known = validation.rate_curve(values, true), np.isfinite(values)
    auc, prevalence = metrics.roc_auc_score(true[known], values[known]), true[known].mean()
    assert validation.capture(curve)["area_under"] == pytest.approx(
        prevalence / 2 + (1 - prevalence) * auc, abs=0.004
    )
    assert curve["landslides"].is_monotonic_increasing and curve["landslides"].iloc[
        [0, -1]
    ].tolist() == [0, 1]


def test_capture_by_hand():
    """Twenty of a thousand cells are landslide: the ten best hold five, the fifty best fifteen, the
    rest lies at the end.
    """
    values, true = np.arange(1000)[::-1].astype(float), np.zeros(1000, bool)
    true[:5], true[10:20], true[-5:] = True, True, True
    found = validation.capture(validation.rate_curve(values, true), (0.01, 0.05, 0.9))
    assert [found["capture_1"], found["capture_5"], found["capture_90"]] == pytest.approx(
        [0.25, 0.75, 0.75]
    )
    with pytest.raises(StageError, match="no known cell"):
        validation.rate_curve(values, np.zeros(1000, bool))


def test_bands_hold_the_curve_and_widen_with_few_blocks():
    """The 95 % band lies around the curve; forty blocks of cells that repeat each other give a
    wider one than four thousand.
    """
    rng = np.random.default_rng(1)
    true = np.repeat(rng.random(40) < 0.3, 100)
    values = np.repeat(rng.normal(size=40), 100) + 1.0 * true
    few = validation.rate_curve(values, true, np.repeat(np.arange(40), 100))
    many = validation.rate_curve(values, true, np.arange(4000))
    inner = few.iloc[10:90]
    assert (
        (inner["low"] - 0.02 <= inner["landslides"]) & (inner["landslides"] <= inner["high"] + 0.02)
    ).mean() > 0.9
    assert (few["high"] - few["low"]).mean() > 2 * (many["high"] - many["low"]).mean()


def test_boyce_index_of_good_bad_and_blind_maps():
    """Rising frequency gives 1, falling -1, chance about nothing, a flat map none."""
    rng = np.random.default_rng(0)
    values = rng.random(200_000)
    rising = rng.random(200_000) < values * 0.2
    assert validation.boyce_index(values, rising) > 0.98
    assert validation.boyce_index(-values, rising) < -0.98
    assert abs(validation.boyce_index(values, rng.random(200_000) < 0.1)) < 0.75
    assert np.isnan(validation.boyce_index(np.ones(10), np.ones(10, bool)))


def test_texture_tells_speckle_from_patches():
    """A chess board has half of its neighbour pairs (and no cell alone), noise nearly all that five
    classes allow, halves next to none.
    """
    board = np.indices((20, 20)).sum(axis=0) % 2 + 1
    found = validation.texture(board)
    # Of a cell's 4 edge and 4 corner neighbours the edge ones differ: fewer pairs are lost at the
    # border along edges than along corners.
    assert (
        found["different_neighbours"] == pytest.approx(2 * 20 * 19 / (2 * 20 * 19 + 2 * 19 * 19))
        and found["isolated"] == 0
    )
    noise = validation.texture(np.random.default_rng(0).integers(1, 6, (100, 100)))
    assert noise["different_neighbours"] == pytest.approx(0.8, abs=0.02) and noise[
        "isolated"
    ] == pytest.approx(0.8**8, abs=0.02)
    halves = np.ones((20, 20), int)
    halves[:, 10:] = 2
    assert validation.texture(halves)["different_neighbours"] < 0.06
    assert np.isnan(validation.texture(np.zeros((3, 3), int))["different_neighbours"])


def test_paired_differences_know_what_chance_is(sampled):
    """The same guesses differ by 0 with p = 1; a model that knows the labels beats chance; the
    interval holds the difference.
    """
    _, table = sampled
    rng, n = np.random.default_rng(0), len(table)
    chance = rng.random(n)
    own = {"a": chance, "b": chance, "c": 0.5 * chance + 0.5 * table["label"]}
    parts = [
        pd.DataFrame({"scheme": "spatial", "model": name, "sample": range(n), "probability": guess})
        for name, guess in own.items()
    ]
    found = validation.paired_differences(
        pd.concat(parts), table, "spatial", block_m=200
    ).set_index(["first", "second"])
    assert found.loc[("a", "b"), ["difference", "p"]].tolist() == [0, 1]
    sure = found.loc[("a", "c")]
    assert sure["p"] < 0.01 and sure["low"] < sure["difference"] < sure["high"] < 0


def test_paired_gains_are_differences_of_areas_on_the_same_cells():
    """Equal maps gain nothing, surely; the gain is the difference of `capture`'s areas over common
    cells; one block gives no interval.
    """
    rng = np.random.default_rng(0)
    true, blocks = (
        rng.random((60, 60)) < 0.2,
        np.add.outer(np.arange(60) // 10 * 6, np.arange(60) // 10),
    )
    good, poor = true + rng.normal(0, 0.5, true.shape), rng.normal(0, 1, true.shape)
    good[:5] = np.nan
    maps, pairs = (
        {"good": good, "again": good.copy(), "poor": poor},
        [("good", "again"), ("good", "poor"), ("good", "missing")],
    )
    found = validation.paired_gains(maps, true, blocks, pairs, seed=1).set_index(
        ["first", "second"]
    )
    assert len(found) == 2 and (found.loc[("good", "again")] == 0).all()
    common = [np.where(np.isnan(good), np.nan, values) for values in (good, poor)]
    areas = [
        validation.capture(validation.rate_curve(values, true))["area_under"] for values in common
    ]
    gain = found.loc[("good", "poor")]
    assert gain["difference"] == pytest.approx(areas[0] - areas[1])
    assert 0 < gain["low"] < gain["difference"] < gain["high"]
    one = validation.paired_gains(maps, true, blocks * 0, pairs)
    assert one[["low", "high"]].isna().all(axis=None)
    with pytest.raises(StageError, match="no cell that all maps know"):
        validation.paired_gains(maps, true & np.isnan(good), blocks, pairs)


def test_optimism_by_hand():
    tables = {
        scheme: pd.DataFrame({"model": ["rf"], "auc": [auc]})
        for scheme, auc in (("apparent", 1), ("random", 0.9), ("spatial", 0.8))
    }
    assert validation.optimism(tables).loc[0, "optimism"] == pytest.approx(0.1)


def test_one_block_is_left_out_at_a_time(sampled):
    """A fold per block, no landslide in two; blocks of one class are welcome where all predictions
    are scored together, else explained.
    """
    stack, table = sampled
    folds = block_folds(table, block_m=300)
    slides = table["landslide_id"] >= 0
    assert pd.Series(folds)[slides].groupby(table["landslide_id"][slides]).nunique().max() == 1
    one_class = [fold for fold in np.unique(folds) if table["label"][folds == fold].nunique() == 1]
    assert one_class
    with pytest.raises(StageError, match="one class"):
        list(validation.splits(table, folds))
    parts = list(validation.splits(table, folds, 100, pooled=True))
    assert sorted(np.concatenate([test for _, test in parts])) == list(range(len(table)))
    guess = validation.out_of_fold(
        _logistic, stack, table, folds, seed=0, buffer_m=100, pooled=True
    )
    assert metrics.roc_auc_score(table["label"], guess) > 0.6


def test_context_by_brute_force():
    """Mean and deviation of the known cells of every window, whatever order the descriptions come
    in; classes have no context.
    """
    stack, _ = make_hillside(12, 14)
    shuffled = FactorStack(stack.values, stack.grid, stack.names, dict(sorted(stack.info.items())))
    around = add_context(shuffled, 5)
    assert around.names == (*stack.names, "slope_mean", "slope_std", "ndvi_mean", "ndvi_std")
    np.testing.assert_array_equal(around.band("lulc"), stack.band("lulc"))
    padded = np.pad(stack.band("slope"), 2, mode="reflect")
    for row, col in ((0, 9), (6, 6), (11, 13), (3, 5)):
        window = padded[row : row + 5, col : col + 5]
        assert around.band("slope_mean")[row, col] == pytest.approx(np.nanmean(window), rel=1e-5)
        assert around.band("slope_std")[row, col] == pytest.approx(np.nanstd(window), rel=1e-4)
    assert np.isnan(around.band("slope_mean")[0, 0])


def test_highest_cells_and_no_flat_ones(hillside):
    """`scarp` takes each landslide's highest cell, `negative_slope` leaves flat cells out; both say
    which factor they miss.
    """
    stack, shapes = hillside
    altitude = np.where(stack.valid, -np.indices(stack.grid.shape)[0].astype(np.float32), np.nan)
    info = stack.info | {"altitude": {"kind": "continuous"}}
    high = FactorStack(
        np.concatenate([stack.values, altitude[None]]), stack.grid, (*stack.names, "altitude"), info
    )
    sizes = {"seed": 0, "negative_buffer_m": 25, "block_m": 200}
    table = make_samples(shapes, high, positives="scarp", negative_slope=25, **sizes)
    slides = table[table["label"] == 1].set_index("landslide_id")
    tops = shapes.geometry.bounds["maxy"].loc[slides.index]
    assert slides.index.is_unique and (tops - slides["y"]).max() <= stack.grid.cell_size
    assert table.loc[table["label"] == 0, "slope"].min() >= 25
    with pytest.raises(InputError, match="need the factor altitude"):
        make_samples(shapes, stack, positives="scarp", **sizes)
    with pytest.raises(InputError, match="negative_slope"):
        make_samples(shapes, stack, negative_slope=59.9, **sizes)


def test_laboratory_has_a_row_for_every_kind(hillside):
    """Two buffers and two slope floors: on steep ground only, the same model scores lower on its
    samples; an impossible kind says why.
    """
    stack, shapes = hillside
    truth = stack.band("slope") > 42
    table = validation.sampling_laboratory(
        _logistic,
        shapes,
        stack,
        truth,
        positives=["cells"],
        buffers_m=[0.0, 50.0],
        slope_floors=[0.0, 32.0],
        ratios=[1.0],
        seeds=[0],
        block_m=200,
        n_folds=3,
    )
    assert len(table) == 4 and (table["problem"] == "").all()
    by_floor = table.groupby("slope_floor")["sample_auc"].mean()
    assert by_floor[0.0] > by_floor[32.0] + 0.02
    assert table["map_auc"].between(0.8, 1).all()
    summary = summarise_laboratory(table)
    assert (
        summary.loc[("slope_floor", 0.0), "flattery"]
        > summary.loc[("slope_floor", 32.0), "flattery"]
    )
    odd = validation.sampling_laboratory(
        _logistic,
        shapes,
        stack,
        truth,
        positives=["scarp"],
        buffers_m=[0.0],
        slope_floors=[0.0],
        ratios=[1.0],
        seeds=[0],
        block_m=200,
        n_folds=3,
    )
    assert np.isnan(odd.loc[0, "map_auc"]) and "altitude" in odd.loc[0, "problem"]
    assert summarise_laboratory(pd.concat([table, odd])).loc[("positives", "scarp"), "failed"] == 1


def test_laboratory_summary_by_hand():
    """Two kinds of two seeds; one draw of the second failed, so that its means are those of the
    other.
    """
    rows = [
        ("cells", 0, 0.9, 0.7),
        ("cells", 1, 0.8, 0.8),
        ("point", 0, 0.6, 0.5),
        ("point", 1, np.nan, np.nan),
    ]
    table = pd.DataFrame(rows, columns=["positives", "seed", "sample_auc", "map_auc"])
    found = summarise_laboratory(table.assign(buffer_m=0.0, slope_floor=0.0, ratio=1.0, n=10)).loc[
        "positives"
    ]
    columns = ["sample_auc", "map_auc", "flattery", "seed_sd", "failed"]
    assert found.loc["cells", columns].tolist() == pytest.approx([0.85, 0.75, 0.1, 0.1 / 2**0.5, 0])
    assert found.loc["point", columns].tolist() == pytest.approx(
        [0.6, 0.5, 0.1, np.nan, 1], nan_ok=True
    )


def test_map_quality_counts_descents():
    """A map in which the lowest class holds landslides has a descent; one in the right order none."""
    values = np.tile(np.repeat(np.linspace(0, 1, 5), 20), (100, 1)) + np.random.default_rng(
        0
    ).normal(0, 0.01, (100, 100))
    rank = np.repeat(np.arange(5), 20)
    good = np.random.default_rng(1).random((100, 100)) < 0.05 * rank
    assert map_quality(values, good, 0)["descents"] == 0
    assert map_quality(values, good | (rank == 0), 0)["descents"] == 1


def test_a_search_tries_no_more_than_there_is(sampled, recwarn):
    stack, table = sampled
    _, tried = validation.tune(
        lambda **own: models.make("rf", n_trees=3, **own),
        {"min_leaf": [1, 20]},
        stack,
        table,
        draws=9,
        seed=0,
    )
    assert sorted(tried["min_leaf"]) == [1, 20] and not [
        one for one in recwarn if "smaller than n_iter" in str(one.message)
    ]


def test_a_saved_model_can_be_made_again_untrained(sampled, tmp_path):
    """`untrained` keeps factors and settings, and takes others."""
    stack, table = sampled
    models.make("rf", factors=("slope",), n_trees=7).fit(stack, table, 0).save(tmp_path)
    own = models.untrained(tmp_path)()
    assert own.settings["n_trees"] == 7 and own.factors == ("slope",) and own.encoder is None
    assert models.untrained(tmp_path)(factors=("ndvi",)).factors == ("ndvi",)
    with pytest.raises(InputError, match="no trained model"):
        models.untrained(tmp_path / "none")


def test_nested_tuning_finds_the_setting_that_works(sampled):
    """Of two kernels, one far too narrow to generalise, the inner folds choose the wide one; rows
    left out have no say.
    """
    stack, table = sampled
    make = lambda **settings: models.make("svm", factors=("slope", "ndvi"), **settings)  # noqa: E731
    best, tried = validation.tune(
        make, {"gamma": [1e4, 0.1], "c": [1.0]}, stack, table, draws=2, seed=0
    )
    assert best == {"gamma": 0.1, "c": 1.0} and len(tried) == 2
    assert tried.set_index("gamma")["auc"][0.1] > tried.set_index("gamma")["auc"][1e4]
    fitted = validation.Nested(make, 3).fit(stack, table, 0)
    assert fitted.name == "svm" and 2**-12 <= fitted.settings["c"] <= 2**15
    with pytest.raises(StageError, match="nested tuning"):
        validation.tune(make, {"c": [1.0]}, stack, table[table["label"] == 1], draws=1)


class _Window:
    """A model with a window of five cells that remembers the places it learned from and those it
    was asked about.
    """

    halo, log = 2, []

    def __init__(self, **settings):
        self.n_jobs = 1

    def fit(self, stack, rows, seed):
        self.known = rows[["x", "y"]].to_numpy()
        return self

    def _ask(self, x, y):
        gap = np.abs(self.known[:, None] - np.column_stack([x, y])[None]).max(axis=2).min()
        _Window.log.append(gap)

    def predict(self, stack, rows):
        self._ask(rows["x"], rows["y"])
        return rows["label"] * 0.5

    def predict_map(self, stack, where):
        xs, ys = stack.grid.centres()
        row, col = np.nonzero(where)
        self._ask(xs[col], ys[row])
        return np.where(where & stack.valid, stack.band("slope"), np.nan)


def test_tuning_and_laboratory_leave_the_strip_a_window_needs(hillside, sampled):
    """Inner folds and the laboratory's maps keep training cells a window from test cells; a model
    of single cells needs no strip.
    """
    stack, table = sampled
    assert validation.strip_m(_Window(), stack) == 5 * stack.grid.cell_size
    assert (
        validation.strip_m(_logistic(), stack)
        == 0
        == validation.strip_m(models.make("cnn", window=1), stack)
    )
    _Window.log = []
    validation.tune(_Window, {"c": [1.0]}, stack, table, draws=1)
    assert len(_Window.log) == 5 and min(_Window.log) >= 5 * stack.grid.cell_size
    _Window.log = []
    kinds = {
        "positives": ["point"],
        "buffers_m": [50.0],
        "slope_floors": [0.0],
        "ratios": [1.0],
        "seeds": [0],
    }
    found = validation.sampling_laboratory(
        _Window, hillside[1], stack, stack.band("slope") > 42, **kinds, block_m=300, n_folds=3
    )
    assert found.loc[0, "problem"] == "" and min(_Window.log[3:]) >= 5 * stack.grid.cell_size


def test_only_what_can_be_tuned_is(sampled):
    """`tune_draws` wraps the forest and leaves logistic regression as it is; a model without
    settings is refused by name.
    """
    makers = {
        name: lambda name=name, **settings: models.make(name, **settings)
        for name in ("rf", "logistic")
    }
    found = validation.nested_makers(makers, 2)
    assert isinstance(found["rf"](), validation.Nested) and found["logistic"] is makers["logistic"]
    assert validation.nested_makers(makers, 0) == makers
    with pytest.raises(InputError, match='"logistic" has no settings'):
        validation.Nested(makers["logistic"], 2)


def test_a_model_that_knows_the_truth_reaches_the_ceiling():
    """Landslides drawn from a known probability: a model given its logit as the only factor has the
    AUC of the probability itself.
    """
    rng = np.random.default_rng(0)
    stack, _ = make_hillside(200, 240)
    logit = (stack.band("slope") - 40) / 4
    probability = 1 / (1 + np.exp(-logit))
    landslide = rng.random(probability.shape) < np.nan_to_num(probability)
    truth = FactorStack(logit[None], stack.grid, ("logit",), {"logit": {"kind": "continuous"}})
    row, col = np.nonzero(stack.valid)
    pick = rng.choice(len(row), 3000, replace=False)
    xs, ys = stack.grid.centres()
    rows = pd.DataFrame(
        {
            "x": xs[col[pick]],
            "y": ys[row[pick]],
            "landslide_id": -1,
            "logit": logit[row[pick], col[pick]],
        }
    )
    rows = rows.assign(label=landslide[row[pick], col[pick]].astype(int), fold=np.arange(3000) % 5)
    ceiling = metrics.roc_auc_score(landslide[stack.valid], probability[stack.valid])
    for name, settings in (
        ("logistic", {}),
        ("cnn", {"window": 1, "seeds": 1, "epochs": 10, "patience": 3}),
    ):
        found = models.make(name, **settings).fit(truth, rows, 0).predict_map(truth)
        assert metrics.roc_auc_score(landslide[stack.valid], found[stack.valid]) == pytest.approx(
            ceiling, abs=0.01
        )
