"""The block bootstrap behind every interval of scores: whole blocks of ground are drawn again."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

#: Draws behind an interval: with 200, another seed moves an end of an AUC's interval by 0.01.
N_DRAWS = 1000


def draw_blocks(n_blocks: int, n_draws: int, seed) -> np.ndarray:
    """How often each block counts: once each, then in draws of as many blocks with replacement.

    Parameters
    ----------
    n_blocks, n_draws : int
    seed : int or numpy.random.Generator
        The same seed draws the same blocks, so that two models can be compared in pairs.

    Returns
    -------
    ndarray of int, shape (1 + n_draws, n_blocks)
        The first row is all ones: the blocks as they are. One block alone gives only that row,
        because drawn again and again it is always the same: no narrow interval, but none.

    Notes
    -----
    Neighbours are alike, so resampling single cells would give intervals that are far too narrow.
    Blocks stop being independent where they are smaller than the range of that likeness.

    **Source**: Lahiri 2003, Resampling methods for dependent data,
    doi:10.1007/978-1-4757-3803-2; drawn in pairs as in Efron & Tibshirani 1993, An Introduction to
    the Bootstrap, chapter 16.

    Examples
    --------
    >>> draws = draw_blocks(4, 2, seed=0)
    >>> draws[0].tolist(), draws.sum(axis=1).tolist()
    ([1, 1, 1, 1], [4, 4, 4])
    """
    once = np.ones((1, n_blocks), np.int64)
    if n_blocks < 2:
        return once
    rng = np.random.default_rng(seed)
    return np.vstack([once, rng.multinomial(n_blocks, np.full(n_blocks, 1 / n_blocks), n_draws)])


def block_weights(blocks, n_draws: int, seed) -> np.ndarray:
    """`draw_blocks` for rows: how often each row counts, int of shape (1 + n_draws, n).

    Parameters
    ----------
    blocks : array, shape (n,)
        Block of each row, for example `block_numbers`.
    n_draws, seed
        As for `draw_blocks`.
    """
    names, number = np.unique(blocks, return_inverse=True)
    return draw_blocks(len(names), n_draws, seed)[:, number]


def interval(values, level: float = 0.95, recentre: bool = False) -> tuple[float, float, float]:
    """Value of the blocks as they are, and the percentile interval of the draws.

    Parameters
    ----------
    values : array, shape (1 + n_draws,)
        A statistic under each row of `draw_blocks`; NaN where a draw has none.
    level : float
        Share of the draws between the two ends.
    recentre : bool
        Shift the draws so that their median is the value. For statistics that noise can only raise,
        such as information gain: rows drawn twice make every draw lie above the value.

    Returns
    -------
    value, low, high : float
        The ends are NaN without draws.

    Examples
    --------
    >>> interval([5.0, 0.0, 100.0], level=0.5)
    (5.0, 25.0, 75.0)
    >>> interval([5.0])
    (5.0, nan, nan)
    """
    value, *draws = np.asarray(values, float)
    known = np.array(draws)[np.isfinite(draws)]
    if len(known) == 0:
        return float(value), np.nan, np.nan
    if recentre:
        known += value - np.median(known)
    return float(value), *np.quantile(known, [(1 - level) / 2, (1 + level) / 2]).tolist()


def paired_differences(
    values: dict[str, np.ndarray], pairs: Iterable[tuple[str, str]]
) -> pd.DataFrame:
    """Differences between models whose scores come from the same draws of blocks.

    Parameters
    ----------
    values : dict
        Model → its score under each row of the same `draw_blocks`, (1 + n_draws,).
    pairs : iterable of (str, str)
        Models to compare; pairs with an unknown model are left out.

    Returns
    -------
    DataFrame
        ``first, second, difference`` (score of the first minus that of the second), ``low, high``
        (95 %) and ``p`` (two-sided: twice how often the draws turn the sign); without draws the
        last three are NaN.

    Notes
    -----
    **Source**: Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapter 16; blocks,
    because the test of DeLong et al. 1988 takes neighbours for independent.

    Examples
    --------
    >>> values = {"a": np.array([0.9, 0.9, 0.8, 0.9]), "b": np.array([0.7, 0.8, 0.7, 0.6])}
    >>> paired_differences(values, [("a", "b")]).round(3).loc[0, ["difference", "p"]].tolist()
    [0.2, 0.5]
    """
    rows = []
    for first, second in pairs:
        if first in values and second in values:
            difference = values[first] - values[second]
            rows.append((first, second, *interval(difference), _sign_probability(difference[1:])))
    return pd.DataFrame(rows, columns=["first", "second", "difference", "low", "high", "p"])


def _sign_probability(draws: np.ndarray) -> float:
    """Twice how often draws of a difference turn its sign."""
    draws = draws[np.isfinite(draws)]
    if len(draws) == 0:
        return np.nan
    turned = min((draws <= 0).sum(), (draws >= 0).sum())
    # One draw more on each side keeps a p of exactly 0 from being claimed.
    return float(min(1.0, 2 * (turned + 1) / (len(draws) + 1)))


def weighted_auc(label: np.ndarray, score: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """ROC AUC of one score under every row of weights at once; ties count half.

    Equal to scikit-learn's ``roc_auc_score(label, score, sample_weight=row)`` of every row, which
    is too slow for the permutations of chapter 04 (about 80,000 areas).

    Parameters
    ----------
    label : ndarray of 0 and 1, shape (n,)
    score : ndarray, shape (n,)
    weights : ndarray, shape (draws, n)
        From `block_weights`.

    Returns
    -------
    ndarray, shape (draws,)
        NaN where the weights leave one class.

    Examples
    --------
    >>> weights = np.array([[1, 1, 1], [1, 0, 2], [0, 1, 1]])
    >>> weighted_auc(np.array([0, 1, 1]), np.array([0.5, 0.4, 0.6]), weights).tolist()
    [0.5, 1.0, nan]
    """
    order = np.argsort(score, kind="stable")
    steps = np.flatnonzero(np.diff(score[order], prepend=-np.inf))
    slides, others = (
        np.add.reduceat(weights[:, order] * (label[order] == kind), steps, axis=1)
        for kind in (1, 0)
    )
    pairs = slides.sum(axis=1) * others.sum(axis=1)
    won = (slides * (np.cumsum(others, axis=1) - others / 2)).sum(axis=1)
    return np.divide(won, pairs, out=np.full(len(weights), np.nan), where=pairs > 0)


def weighted_precision(label: np.ndarray, score: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Average precision of one score under every row of weights at once.

    Equal to scikit-learn's ``average_precision_score(label, score, sample_weight=row)`` of every
    row.

    Parameters
    ----------
    label, score, weights
        As for `weighted_auc`.

    Returns
    -------
    ndarray, shape (draws,)
        NaN where the weights leave no landslide.

    Examples
    --------
    The landslide comes second of three:

    >>> weighted_precision(np.array([0, 1, 0]), np.array([0.9, 0.5, 0.1]), np.ones((1, 3))).tolist()
    [0.5]
    """
    order = np.argsort(-score, kind="stable")
    steps = np.flatnonzero(np.diff(score[order], prepend=np.inf))
    slides = np.add.reduceat(weights[:, order] * label[order], steps, axis=1)
    called = np.cumsum(np.add.reduceat(weights[:, order], steps, axis=1), axis=1)
    found = np.cumsum(slides, axis=1)
    precision = np.divide(found, called, out=np.zeros(found.shape), where=called > 0)
    total = found[:, -1]
    sums = (slides * precision).sum(axis=1)
    return np.divide(sums, total, out=np.full(len(weights), np.nan), where=total > 0)


def within_groups_auc(label, score, group, weights=None):
    """AUC over the pairs of rows of one group alone, all groups' pairs together; ties count half.

    Where each group is predicted by another model, as the folds of a cross-validation are, values
    of different groups are no fair pairs: a model that knows nothing but the share of landslides
    among its training rows predicts less where the group left out holds more of them, and pooled
    predictions punish it, far below 0.5 when single blocks are left out.

    Parameters
    ----------
    label : array of 0 and 1, shape (n,)
    score : array, shape (n,)
    group : array, shape (n,)
        For example the fold that a row was predicted in. Groups of one class have no pairs.
    weights : ndarray, shape (draws, n), optional
        From `block_weights`.

    Returns
    -------
    float, or ndarray of shape (draws,) with `weights`
        NaN without any pair.

    Notes
    -----
    **Source**: Parker, Günter & Bedo 2007, Stratification bias in low signal microarray studies,
    doi:10.1186/1471-2105-8-326; Airola et al. 2011, doi:10.1016/j.csda.2010.11.018.

    Examples
    --------
    Right in each group, though the second group's values are lower altogether:

    >>> within_groups_auc([0, 1, 0, 1], [0.8, 0.9, 0.1, 0.2], [0, 0, 1, 1])
    1.0
    """
    label, score, group = (np.asarray(each) for each in (label, score, group))
    rows = np.ones((1, len(label))) if weights is None else weights
    won, pairs = np.zeros((2, len(rows)))
    for number in np.unique(group):
        here = group == number
        slides = rows[:, here] @ label[here]
        n_pairs = slides * (rows[:, here].sum(axis=1) - slides)
        auc = weighted_auc(label[here], score[here], rows[:, here])
        won += np.where(n_pairs > 0, auc, 0) * n_pairs
        pairs += n_pairs
    areas = np.divide(won, pairs, out=np.full(len(rows), np.nan), where=pairs > 0)
    return float(areas[0]) if weights is None else areas
