"""How far a figure depends on which ground was sampled: whole blocks are drawn again."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lsa_helpers.errors import InputError
from lsa_helpers.samples import block_ids


def block_weights(
    table: pd.DataFrame, block_m: float, rng: np.random.Generator, n_boot: int = 200
) -> np.ndarray:
    """How often each row counts, (1 + n_boot, n): once each, then in samples of as many blocks as
    there are, drawn with replacement.
    """
    block = block_ids(table["x"], table["y"], block_m)
    count = block.max() + 1
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=n_boot)
    return np.vstack([np.ones(len(table), dtype=np.int64), drawn[:, block]])


def interval(values: np.ndarray) -> tuple[float, float, float]:
    """The first value, which is that of the rows as they are, and the 95 % interval of the others."""
    return float(values[0]), *np.nanquantile(values[1:], [0.025, 0.975]).tolist()


def weighted_auc(label: np.ndarray, score: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """ROC AUC of one score under each row of weights (draws, n); NaN where the weights leave one
    class.

    Examples
    --------
    >>> weighted_auc(np.array([0, 1, 1]), np.array([0.5, 0.4, 0.6]), np.array([[1, 1, 1], [1, 0, 2], [0, 1, 1]])).tolist()
    [0.5, 1.0, nan]
    """
    order = np.argsort(score, kind="stable")
    first = np.flatnonzero(
        np.diff(score[order], prepend=-np.inf)
    )  # equal scores are one step of the curve
    high, low = (
        np.add.reduceat(weights[:, order] * (label[order] == kind), first, axis=1)
        for kind in (1, 0)
    )
    pairs = high.sum(axis=1) * low.sum(axis=1)
    won = (high * (np.cumsum(low, axis=1) - low / 2)).sum(axis=1)
    return np.divide(won, pairs, out=np.full(len(weights), np.nan), where=pairs > 0)


def fold_mean(values: Sequence[np.ndarray]) -> np.ndarray:
    """Mean over folds (the first axis) of what is known; NaN where no fold knows, as in a draw that
    leaves one class to each.

    Examples
    --------
    >>> fold_mean([np.array([1.0, 2.0, np.nan]), np.array([3.0, np.nan, np.nan])]).tolist()
    [2.0, 2.0, nan]
    """
    known = np.isfinite(values)
    total, count = np.where(known, values, 0).sum(axis=0), known.sum(axis=0)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def usable_folds(table: pd.DataFrame) -> list[int]:
    """The folds that can be trained around and scored: both classes inside and outside."""
    folds = table["fold"]
    usable = [
        fold
        for fold in np.unique(folds)
        if all(table["label"][part].nunique() == 2 for part in (folds == fold, folds != fold))
    ]
    if not usable:
        counts = (
            table.groupby("fold")["label"]
            .agg(["size", "sum"])
            .rename(columns={"size": "rows", "sum": "landslides"})
        )
        fix = "Use larger blocks or fewer folds"
        raise InputError(
            "no spatial fold holds cells with and without landslides",
            found=counts.to_dict("index"),
            fix=fix,
        )
    return usable
