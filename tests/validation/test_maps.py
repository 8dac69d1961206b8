"""Rates against ROC, indices by hand, and held-out maps that know nothing of their cells."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics
from sklearn.ensemble import RandomForestClassifier

from lsa_helpers import validation
from lsa_helpers.errors import StageError
from lsa_helpers.raster import cell_size, empty_grid, on_grid, rowcol
from lsa_helpers.samples import landslide_numbers, make_samples


def _raster(values):
    return xr.DataArray(np.atleast_2d(values), dims=("y", "x"))


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.5))
@pytest.mark.known_by("scikit-learn", "Success and prediction rate")
def test_rate_curve_agrees_with_roc(seed, share):
    """The area under the rate curve is prevalence / 2 + (1 - prevalence) · AUC, with scikit-learn's
    AUC; ties and NaN included.
    """
    rng = np.random.default_rng(seed)
    true = rng.random(4000) < share
    values = np.round(rng.normal(true, 1), 1)
    values[:50], true[60] = np.nan, True
    curve = validation.rate_curve(_raster(values), _raster(true))
    known = np.isfinite(values)
    auc = metrics.roc_auc_score(true[known], values[known])
    prevalence = true[known].mean()
    area = validation.capture(curve)["area_under"]
    assert area == pytest.approx(prevalence / 2 + (1 - prevalence) * auc, abs=0.004)
    assert curve["landslides"].is_monotonic_increasing
    assert curve["landslides"].iloc[[0, -1]].tolist() == [0, 1]


def test_capture_by_hand():
    """Twenty of a thousand cells are landslide: the ten best hold five, the fifty best fifteen, the
    rest lies at the end.
    """
    values = np.arange(1000)[::-1].astype(float)
    true = np.zeros(1000, bool)
    true[:5] = true[10:20] = true[-5:] = True
    curve = validation.rate_curve(_raster(values), _raster(true))
    captured = validation.capture(curve, (0.01, 0.05, 0.9))
    assert [captured[f"capture_{share}"] for share in (1, 5, 90)] == pytest.approx(
        [0.25, 0.75, 0.75]
    )
    assert curve[["low", "high"]].isna().all(axis=None)
    with pytest.raises(StageError, match="no known cell"):
        validation.rate_curve(_raster(values), _raster(np.zeros(1000, bool)))


@pytest.mark.parametrize(("place", "met"), [(40, 1), (41, 0)])
def test_a_cell_counts_to_the_hundredth_it_lies_in(place, met):
    """Of 4,000 cells the 40 best are one per cent; the 41st is not."""
    values = np.arange(4000)[::-1].astype(float)
    curve = validation.rate_curve(_raster(values), _raster(np.arange(1, 4001) == place))
    assert curve.set_index("area").loc[0.01, "landslides"] == pytest.approx(met)


def test_bands_hold_the_curve_and_widen_with_few_blocks():
    """The 95 % band lies around the curve; forty blocks of cells that repeat each other give a
    wider one than four thousand.
    """
    rng = np.random.default_rng(1)
    true = np.repeat(rng.random(40) < 0.3, 100)
    values = _raster(np.repeat(rng.normal(size=40), 100) + 1.0 * true)
    few, many = (
        validation.rate_curve(values, _raster(true), _raster(blocks))
        for blocks in (np.repeat(np.arange(40), 100), np.arange(4000))
    )
    inner = few.iloc[10:90]
    above = inner["low"] - 0.02 <= inner["landslides"]
    below = inner["landslides"] <= inner["high"] + 0.02
    assert (above & below).mean() > 0.9
    assert (few["high"] - few["low"]).mean() > 2 * (many["high"] - many["low"]).mean()


def test_bands_by_hand():
    """Two blocks of fifty cells: drawn twice, the upper has its ten landslides in the best fifth of
    the land, the lower in the worst fifth; half of all draws are of both. Where the lower one has
    no landslide, what is drawn of it alone has no curve.
    """
    values = _raster(np.arange(100.0)[::-1])
    blocks = _raster(np.repeat([0, 1], 50))
    upper, place = _raster(np.arange(100) < 10), [0.1, 0.5, 0.9]
    columns = ["landslides", "low", "high"]
    both = validation.rate_curve(values, upper | (values < 10), blocks, n_draws=100)
    bands = both.set_index("area").loc[place, columns].to_numpy().tolist()
    assert sum(bands, []) == pytest.approx([0.5, 0, 0.5, 0.5, 0, 1, 0.5, 0.5, 1])
    one = validation.rate_curve(values, upper, blocks, n_draws=100).set_index("area")
    assert one.loc[[0.05, 0.1, 0.2], columns].to_numpy() == pytest.approx(
        np.array([[0.5, 0.25, 0.5], [1, 0.5, 1], [1, 1, 1]])
    )


def test_areas_are_compared_on_the_cells_that_all_maps_know():
    """Equal maps gain nothing, surely; the gain is the difference of `capture`'s areas over common
    cells; one block gives no interval.
    """
    rng = np.random.default_rng(0)
    true = _raster(rng.random((60, 60)) < 0.2)
    blocks = _raster(np.add.outer(np.arange(60) // 10 * 6, np.arange(60) // 10))
    good = _raster(true + rng.normal(0, 0.5, true.shape))
    poor = _raster(rng.normal(0, 1, true.shape))
    good[:5] = np.nan
    maps = {"good": good, "again": good.copy(), "poor": poor}
    areas = validation.rate_areas(maps, true, blocks, seed=1)
    pairs = [("good", "again"), ("good", "poor")]
    gains = validation.paired_differences(areas, pairs).set_index("second")
    assert (gains.loc["again", ["difference", "low", "high"]] == 0).all()
    common = [values.where(good.notnull()) for values in (good, poor)]
    own, other = (
        validation.capture(validation.rate_curve(values, true))["area_under"] for values in common
    )
    assert gains.loc["poor", "difference"] == pytest.approx(own - other)
    assert 0 < gains.loc["poor", "low"] < own - other < gains.loc["poor", "high"]
    assert len(validation.rate_areas(maps, true, blocks * 0)["good"]) == 1
    with pytest.raises(StageError, match="no known cell"):
        validation.rate_areas(maps, true & good.isnull(), blocks)


@pytest.mark.known_by("known maps", "Boyce index")
def test_boyce_index_of_good_bad_and_blind_maps():
    """Rising frequency gives 1, falling -1, chance about nothing, a flat map none."""
    rng = np.random.default_rng(0)
    values = rng.random(200_000)
    rising = _raster(rng.random(200_000) < values * 0.2)
    assert validation.boyce_index(_raster(values), rising) > 0.98
    assert validation.boyce_index(_raster(-values), rising) < -0.98
    chance = _raster(rng.random(200_000) < 0.1)
    assert abs(validation.boyce_index(_raster(values), chance)) < 0.75
    flat = _raster(np.ones(10))
    assert np.isnan(validation.boyce_index(flat, flat == 1))


def test_texture_tells_speckle_from_patches():
    """A chess board has half of its neighbour pairs (and no cell alone), noise nearly all that five
    classes allow, halves next to none.
    """
    board = validation.texture(_raster(np.indices((20, 20)).sum(axis=0) % 2 + 1))
    # Of a cell's 4 edge and 4 corner neighbours the edge ones differ: fewer pairs are lost at the
    # border along edges than along corners.
    edges, corners = 2 * 20 * 19, 2 * 19 * 19
    assert board["different_neighbours"] == pytest.approx(edges / (edges + corners))
    assert board["isolated"] == 0
    noise = validation.texture(_raster(np.random.default_rng(0).integers(1, 6, (100, 100))))
    assert noise["different_neighbours"] == pytest.approx(0.8, abs=0.02)
    assert noise["isolated"] == pytest.approx(0.8**8, abs=0.02)
    halves = np.ones((20, 20), int)
    halves[:, 10:] = 2
    assert validation.texture(_raster(halves))["different_neighbours"] < 0.06
    assert np.isnan(validation.texture(_raster(np.zeros((3, 3), int)))["different_neighbours"])


def test_descents_by_hand():
    """Landslide shares 1/4, 2/4, 1/4, an empty class and 0: two descents; nodata does not count."""
    classes = _raster(np.repeat([0, 1, 2, 3, 5], 4))
    slides = _raster([1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]) == 1
    assert validation.ratio_descents(classes, slides) == 2


def test_blocks_and_their_folds_by_hand():
    """Blocks are counted from the south-west, northwards; most samples of a block decide."""
    left, top = 500_000, 3_300_000
    grid = empty_grid((left, top - 100, left + 100, top), 32648, 12.5)
    blocks = validation.block_map(grid, 50)
    assert blocks.values[[0, 3, 4, 7]].tolist() == [[1] * 4 + [3] * 4] * 2 + [[0] * 4 + [2] * 4] * 2
    x = left + np.array([10, 20, 30, 60, 60, 10])
    y = top - np.array([90, 60, 60, 90, 10, 10])
    samples = pd.DataFrame({"x": x, "y": y, "fold": [1, 1, 0, 2, 0, 2]})
    folds = validation.fold_map(samples, grid, block_m=50, seed=0)
    assert folds.values[[0, 7]].tolist() == [[2] * 4 + [0] * 4, [1] * 4 + [2] * 4]
    assert (blocks.name, folds.name) == ("block", "fold")


def test_folds_are_those_counted_cell_by_cell():
    """Blocks no multiple of a cell: the fold of every cell by the number of its own block."""
    grid = empty_grid((500_003, 3_299_400, 500_703, 3_300_000), 32648, 10)
    rng = np.random.default_rng(0)
    samples = pd.DataFrame(
        {"x": rng.uniform(500_003, 500_703, 40), "fold": rng.integers(3, size=40)}
    )
    samples["y"] = rng.uniform(3_299_400, 3_300_000, 40)
    x, y = np.meshgrid(grid.x, grid.y)
    xs, ys = np.append(x, samples["x"]), np.append(y, samples["y"])
    cells, rows = np.split(validation.block_numbers(xs, ys, 66), [x.size])
    votes = pd.crosstab(rows, samples["fold"]).reindex(range(cells.max() + 1), fill_value=0)
    dealt = np.random.default_rng(1).integers(3, size=len(votes))
    fold = np.where(votes.any(axis=1), votes.to_numpy().argmax(axis=1), dealt)
    folds = validation.fold_map(samples, grid, block_m=66, seed=1)
    np.testing.assert_array_equal(folds, fold[cells].reshape(x.shape))


def test_empty_blocks_are_dealt_to_all_folds_by_the_seed():
    grid = empty_grid((500_000, 3_299_000, 501_000, 3_300_000), 32648, 12.5)
    samples = pd.DataFrame({"x": [500_010] * 3, "y": [3_299_990] * 3, "fold": [0, 2, 2]})
    first, again, other = (
        validation.fold_map(samples, grid, block_m=100, seed=seed).values[4::8, 4::8]
        for seed in (0, 0, 1)
    )
    share = np.bincount(first.ravel(), minlength=3) / first.size
    assert first[0, 0] == other[0, 0] == 2 and set(np.unique(first)) == {0, 1, 2}
    assert share == pytest.approx(1 / 3, abs=0.15)
    assert (first == again).all() and (first != other).any()


def test_cells_take_the_fold_of_their_samples(sampled):
    """Nearly all samples keep their fold (a landslide across an edge may not); a block has one
    fold; empty blocks are dealt to all folds.
    """
    factors, table = sampled
    folds = validation.fold_map(table, factors, block_m=200, seed=0)
    assert (validation.at_samples(folds, table) == table["fold"]).mean() > 0.9
    blocks = validation.block_map(factors, 200)
    assert (pd.Series(folds.values.ravel()).groupby(blocks.values.ravel()).nunique() == 1).all()
    assert set(np.unique(folds)) == set(table["fold"])


def test_no_training_sample_sees_a_cell_held_out(sampled):
    """The samples lie a window away from all cells of the fold and share no landslide with them."""
    factors, table = sampled
    folds = validation.fold_map(table, factors, block_m=200, seed=0)
    for fold in range(5):
        training = validation.training_samples(table, folds == fold, buffer_m=50)
        cells = np.argwhere(folds.values == fold)
        place = np.column_stack(rowcol(factors, training["x"], training["y"]))
        gap = np.abs(place[:, None] - cells[None]).max(axis=2).min() * cell_size(factors)
        assert gap >= 50
        inside = table["landslide_id"][validation.at_samples(folds, table) == fold]
        assert not set(inside[inside >= 0]) & set(training["landslide_id"])
    held_out = folds == 0  # what is known of the samples counts beside a map of the landslides
    nowhere = folds * 0 - 1
    kept = validation.training_samples(table, held_out, 0, nowhere)
    pd.testing.assert_frame_equal(kept, validation.training_samples(table, held_out, 0))
    everything = validation.training_samples(table, folds < 0, buffer_m=50)
    assert len(everything) == len(table)
    with pytest.raises(StageError, match="the 0 samples at least 5000 m from the cells held out"):
        validation.training_samples(table, folds == 0, buffer_m=5000)


def test_a_landslide_that_reaches_in_with_unsampled_cells_is_left_out(hillside):
    """Of each landslide one cell is sampled; its other cells lie in the fold next door."""
    factors, landslides = hillside
    table = make_samples(landslides, factors, seed=0, positives="point", negative_buffer_m=25)
    numbers = landslide_numbers(landslides, factors)
    held_out = (numbers >= 0) & (numbers % 2 == 0)
    row, col = rowcol(factors, table["x"], table["y"])
    held_out.values[row, col] = False  # no sample lies in the fold
    by_samples = validation.training_samples(table, held_out, 0)
    assert set(np.unique(numbers.values[held_out.values])) & set(by_samples["landslide_id"])
    larger = np.unique(numbers.values[held_out.values])
    kept = validation.training_samples(table, held_out, 0, numbers)
    assert not set(larger) & set(kept["landslide_id"])
    assert (numbers.values[row, col] == table["landslide_id"]).all()


@pytest.mark.known_by("a planted leak", "Held-out maps")
def test_a_planted_leak_is_caught(sampled):
    """A factor that numbers the places makes a forest perfect between neighbours and useless in a
    map that does not know the block.
    """
    factors, _ = sampled
    rng = np.random.default_rng(0)
    height, width = factors.sizes["y"], factors.sizes["x"]
    # Each patch of 100 m has its own random number, and its own label, which no factor but the
    # number tells.
    patch = np.add.outer(np.arange(height) // 8 * 1000, np.arange(width) // 8)
    secret = rng.permutation(100_000)[patch]
    label = (rng.permutation(100_000) % 2)[patch]
    row, col = (axis.ravel()[::7] for axis in np.indices((height, width)))
    table = pd.DataFrame({"x": factors.x.values[col], "y": factors.y.values[row]})
    table = table.assign(landslide_id=-1, secret=secret[row, col], label=label[row, col])
    table["fold"] = (table["x"] // 400 + table["y"] // 400).astype(int) % 5
    forest = RandomForestClassifier(20, random_state=0)

    odd = table.index % 2 == 1
    fitted = forest.fit(table.loc[odd, ["secret"]].values, table["label"][odd])
    between = fitted.predict_proba(table.loc[~odd, ["secret"]].values)[:, 1]
    assert metrics.roc_auc_score(table["label"][~odd], between) > 0.95

    folds = validation.fold_map(table, factors, block_m=400, seed=0).values
    held = np.empty((height, width))
    for fold in range(5):
        held_out = factors["slope"].copy(data=folds == fold)
        training = validation.training_samples(table, held_out, 0)
        fitted = forest.fit(training[["secret"]].values, training["label"])
        held[folds == fold] = fitted.predict_proba(secret[folds == fold][:, None])[:, 1]
    assert 0.3 < metrics.roc_auc_score(label.ravel(), held.ravel()) < 0.7


def test_sampling_summary_by_hand():
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
    table = table.assign(buffer_m=0.0, slope_floor=0.0, ratio=1.0, n=10)
    everything = validation.summarise_sampling(table)
    assert everything.index.names == ["choice", "value"]
    assert everything.index.tolist() == [
        ("positives", "cells"),
        ("positives", "point"),
        ("buffer_m", 0),
        ("slope_floor", 0),
        ("ratio", 1),
    ]
    assert everything["n"].tolist() == [10] * 5 and everything["failed"].tolist() == [0, 1, 1, 1, 1]
    none = table.assign(map_auc=np.where(table["positives"] == "point", np.nan, table["map_auc"]))
    failed = validation.summarise_sampling(none).loc[("positives", "point")]
    assert failed["failed"] == 2 and np.isnan(failed["map_auc"])
    summary = everything.loc["positives"]
    columns = ["sample_auc", "map_auc", "gap", "seed_sd", "failed"]
    cells, point = summary.loc["cells", columns], summary.loc["point", columns]
    assert cells.tolist() == pytest.approx([0.85, 0.75, 0.1, 0.1 / 2**0.5, 0])
    assert point.tolist() == pytest.approx([0.6, 0.5, 0.1, np.nan, 1], nan_ok=True)


def test_moved_folds_are_another_deal_of_whole_landslides(sampled):
    """A cell without landslide has the fold of its block, a landslide is in one fold, and another
    seed deals otherwise, which another seed of the splitter alone does not.
    """
    factors, table = sampled
    table = table.drop(columns="fold")
    how = {"n_folds": 4, "block_m": 200.0}
    first, folds = validation.moved_folds(table, factors, seed=1, **how)
    again, _ = validation.moved_folds(table, factors, seed=1, **how)
    other, _ = validation.moved_folds(table, factors, seed=2, **how)
    assert (first == again).all() and set(first) == {0, 1, 2, 3}
    stable = (table["label"] == 0).to_numpy()
    at_cells = validation.at_samples(folds, table)
    assert (at_cells[stable] == first[stable]).mean() > 0.9
    slides = table.assign(fold=first)[~stable]
    assert (slides.groupby("landslide_id")["fold"].nunique() == 1).all()
    assert metrics.adjusted_rand_score(first, other) < 0.5
    assert folds.rio.transform() == factors.rio.transform()


def test_a_roc_band_by_hand():
    """Two blocks: drawn twice, the first orders its pair rightly and the second wrongly."""
    label, score = [1, 0, 1, 0], [0.9, 0.8, 0.1, 0.7]
    weights = np.array([[1, 1, 1, 1], [2, 2, 0, 0], [0, 0, 2, 2]])
    band = validation.roc_band(label, score, weights, level=1.0).set_index("false_positive")
    assert band.loc[0.5].tolist() == [0, 1]
    once = validation.roc_band(label, score, weights[[0, 0]]).set_index("false_positive")
    x, y, _ = metrics.roc_curve(label, score)
    assert once["low"].loc[[0.25, 0.75]].tolist() == pytest.approx(np.interp([0.25, 0.75], x, y))
    assert validation.roc_band(label, score, weights[:1])[["low", "high"]].isna().all(axis=None)


def test_the_densest_window_is_the_best_of_all_windows():
    grid = empty_grid((0, 0, 300, 200), 32648, 10)
    slid = np.random.default_rng(0).random((20, 30)) < 0.2
    landslide = on_grid(slid, grid, "landslide")
    left, bottom, right, top = validation.densest_window(landslide, 0.25)
    assert (right - left, top - bottom) == (150, 100)
    row, col = int((200 - top) / 10), int(left / 10)
    windows = [slid[i : i + 10, j : j + 15].sum() for i in range(11) for j in range(16)]
    assert slid[row : row + 10, col : col + 15].sum() == max(windows)


def test_the_frequency_ratio_of_the_highest_cells_ignores_unknown_ones():
    values = _raster([np.nan, 0.9, 0.8, 0.2, 0.1])
    landslide = _raster([True, True, False, True, False])
    assert validation.highest_ratio(values, landslide, 0.25) == 2
    assert validation.highest_ratio(values, landslide, 1.0) == 1
