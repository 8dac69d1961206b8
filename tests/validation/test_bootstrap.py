"""The block bootstrap: weights against scikit-learn, and what blocks change."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict

from lsa_helpers.validation import (
    block_weights,
    draw_blocks,
    interval,
    paired_differences,
    weighted_auc,
    weighted_precision,
    within_groups_auc,
)


@settings(max_examples=25)
@given(seed=st.integers(0, 999), steps=st.integers(2, 30))
@pytest.mark.known_by("scikit-learn", "AUC under many weights")
def test_weighted_auc_is_scikit_learns(seed, steps):
    """Ties and whole-number weights included."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, 40)
    score = rng.integers(0, steps, 40) / steps
    weights = rng.integers(0, 4, (3, 40))
    label[:2], weights[:, :2] = (0, 1), 1
    expected = [roc_auc_score(label, score, sample_weight=weight) for weight in weights]
    np.testing.assert_allclose(weighted_auc(label, score, weights), expected)


@settings(max_examples=25)
@given(seed=st.integers(0, 999), steps=st.integers(2, 30))
@pytest.mark.known_by("scikit-learn", "Average precision under many weights")
def test_weighted_precision_is_scikit_learns(seed, steps):
    """Ties and whole-number weights included; without a landslide there is none."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, 40)
    score = rng.integers(0, steps, 40) / steps
    weights = rng.integers(0, 4, (3, 40))
    label[0], weights[:, 0] = 1, 1
    expected = [average_precision_score(label, score, sample_weight=weight) for weight in weights]
    np.testing.assert_allclose(weighted_precision(label, score, weights), expected)
    assert np.isnan(weighted_precision(label * 0, score, weights)).all()


@pytest.mark.known_by("a model that knows nothing", "One block left out")
def test_a_model_that_knows_nothing_is_worth_a_half_when_a_block_is_left_out():
    """It predicts the share of landslides among its training rows: pooled, it scores far below 0.5,
    though it cannot tell any two rows of a block apart.
    """
    rng = np.random.default_rng(0)
    block = np.repeat(np.arange(40), 10)
    label = (rng.random(400) < np.repeat(rng.uniform(0.1, 0.9, 40), 10)).astype(int)
    nothing = DummyClassifier(strategy="prior")
    how = {"cv": LeaveOneGroupOut(), "groups": block, "method": "predict_proba"}
    guess = cross_val_predict(nothing, np.zeros((400, 1)), label, **how)[:, 1]
    assert roc_auc_score(label, guess) < 0.3
    assert within_groups_auc(label, guess, block) == 0.5
    known = label + 0.1 * rng.random(400) - block
    assert within_groups_auc(label, known, block) == 1
    assert np.isnan(within_groups_auc(label[:1], guess[:1], block[:1]))


@settings(max_examples=25)
@given(seed=st.integers(0, 999))
def test_pairs_within_groups_are_counted_one_by_one(seed):
    """Every pair of one group, as often as its rows count; ties half."""
    rng = np.random.default_rng(seed)
    label, group = rng.integers(0, 2, 20), rng.integers(0, 3, 20)
    score, weights = rng.integers(0, 5, 20), rng.integers(0, 3, (2, 20))
    label[:2], group[:2], weights[:, :2] = (0, 1), 0, 1
    for row, found in zip(weights, within_groups_auc(label, score, group, weights), strict=True):
        won = pairs = 0.0
        for i in np.flatnonzero(label == 1):
            for j in np.flatnonzero((label == 0) & (group == group[i])):
                pairs += row[i] * row[j]
                won += row[i] * row[j] * ((score[i] > score[j]) + (score[i] == score[j]) / 2)
        assert found == pytest.approx(won / pairs)


def test_a_group_of_one_pair_counts():
    """Right in the first group, wrong in the second, a tie in the third; the fourth has none."""
    label, group = [0, 1, 0, 1, 0, 1, 1], [0, 0, 1, 1, 2, 2, 3]
    score = [0.1, 0.2, 0.9, 0.8, 0.5, 0.5, 0.0]
    assert within_groups_auc(label, score, group) == pytest.approx(0.5)
    weights = np.array([[1] * 7, [1, 1, 0, 1, 2, 3, 1], [0, 1, 2, 1, 1, 0, 1], [0, 1] * 3 + [1]])
    found = within_groups_auc(label, score, group, weights)
    assert found == pytest.approx([0.5, (1 + 3) / 7, 0, np.nan], nan_ok=True)


def test_the_interval_by_hand():
    """Draws of 0, 1, …, 100: 95 % lie from 2.5 to 97.5; or shifted from 50 to 60."""
    draws = [60.0, *range(101), np.nan, np.inf]
    assert interval(draws) == pytest.approx((60, 2.5, 97.5))
    assert interval(draws, 0.8, recentre=True) == pytest.approx((60, 20, 100))
    assert interval([60.0, np.nan]) == pytest.approx((60, np.nan, np.nan), nan_ok=True)
    assert interval([60.0, 1.0]) == (60, 1, 1)


def test_the_probability_of_another_sign_by_hand():
    """Of nine draws three turn the sign, one of them a tie: 2 · (3 + 1) / (9 + 1); unknown draws
    do not count; it is never above 1.
    """
    first = np.array([1.0, 2, 2, 2, 2, 2, 2, -1, -1, 0, np.nan])
    both = {"a": first, "b": np.zeros(11), "c": np.where(first == 1, 1, 0.0)}
    pairs = [("a", "b"), ("b", "a"), ("c", "b"), ("d", "a"), ("a", "d")]
    table = paired_differences(both, pairs)
    assert list(table) == ["first", "second", "difference", "low", "high", "p"]
    assert table[["first", "second"]].values.tolist() == [["a", "b"], ["b", "a"], ["c", "b"]]
    assert table["difference"].tolist() == [1, -1, 1]
    assert table["p"].tolist() == pytest.approx([0.8, 0.8, 1])
    one = paired_differences({"a": np.array([1.0, 1.0]), "b": np.zeros(2)}, [("a", "b")])
    assert one["p"].tolist() == [1]


def test_rows_of_a_block_are_drawn_together():
    """Blocks may have any names; one block alone gives no draws."""
    blocks = np.array([7, 7, -1, 30, -1])
    weights = block_weights(blocks, 50, seed=0)
    assert weights.shape == (51, 5)
    assert weights[0].tolist() == [1] * 5
    np.testing.assert_array_equal(weights[:, 0], weights[:, 1])
    np.testing.assert_array_equal(weights[:, 2], weights[:, 4])
    np.testing.assert_array_equal(weights[:, [0, 2, 3]].sum(axis=1), 3)
    assert (weights[1:] != 1).any()
    assert draw_blocks(1, 50, seed=0).tolist() == [[1]]


@pytest.mark.known_by("theory", "Bootstrap intervals")
def test_the_interval_of_a_mean_is_that_of_theory():
    """Means of 400 normal values: 1.96 standard errors to either side; unknown draws do not
    count.
    """
    values = np.random.default_rng(0).normal(10, 2, 400)
    means = draw_blocks(400, 4000, seed=1) @ values / 400
    means[5::10] = np.nan
    mean, low, high = interval(means)
    assert mean == pytest.approx(values.mean())
    assert [low - mean, high - mean] == pytest.approx([-0.196, 0.196], rel=0.08)


def test_copies_of_a_place_add_no_certainty():
    """Sixty places with nine equal rows each: in one block they count as one, so the interval is
    three times that of rows on their own.
    """
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 60).repeat(9)
    score = label + 1.5 * rng.standard_normal(60).repeat(9)
    widths = []
    for blocks in (np.arange(60).repeat(9), np.arange(540)):
        mean, low, high = interval(weighted_auc(label, score, block_weights(blocks, 2000, 1)))
        assert mean == pytest.approx(roc_auc_score(label, score))
        assert low < mean < high
        widths.append(high - low)
    assert widths[0] / widths[1] == pytest.approx(3, rel=0.1)


@pytest.mark.known_by("simulation", "Paired differences")
def test_paired_differences_know_what_chance_is(sampled):
    """The same guesses differ by 0 with p = 1; a model that knows the labels beats chance; pairs
    with a model that is not there are left out.
    """
    _, table = sampled
    label = table["label"].to_numpy()
    chance = np.random.default_rng(0).random(len(table))
    weights = block_weights(table["x"] // 200, 500, seed=0)
    models = {"a": chance, "b": chance, "c": 0.5 * chance + 0.5 * label}
    auc = {name: weighted_auc(label, guess, weights) for name, guess in models.items()}
    pairs = [("a", "b"), ("a", "c"), ("a", "d")]
    table = paired_differences(auc, pairs).set_index(["first", "second"])
    assert len(table) == 2
    assert table.loc[("a", "b"), ["difference", "low", "high", "p"]].tolist() == [0, 0, 0, 1]
    sure = table.loc[("a", "c")]
    assert sure["p"] == pytest.approx(2 / 501)
    assert sure["low"] < sure["difference"] < sure["high"] < 0
    alone = paired_differences({name: values[:1] for name, values in auc.items()}, pairs)
    assert alone[["low", "high", "p"]].isna().all(axis=None)
    assert alone["difference"].notna().all()
