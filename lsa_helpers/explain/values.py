"""Shapley values of factors: which cells are explained, the values, and whether they add up."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from lsa_helpers.errors import LsaError
from lsa_helpers.raster import known_cells, rowcol


class AdditivityError(LsaError):
    """Shapley values do not add up to the model's output, so they explain something else."""


def round_thresholds(explainer) -> None:
    """Make a tree explainer decide as the trees do where a threshold lies between two neighbouring
    numbers of 32 bits.

    scikit-learn's trees compare 32-bit values with 64-bit thresholds in the middle between two
    values. TreeSHAP with a background keeps thresholds in 32 bits, and where the two values are
    neighbours the middle may be rounded up to the larger one, which then goes the other way: its
    sum misses the output by a whole leaf. Rounded down, a threshold decides every 32-bit value as
    before.

    Parameters
    ----------
    explainer : shap.TreeExplainer
        Changed in place.
    """
    exact = explainer.model.thresholds
    nearest = exact.astype(np.float32)
    below = np.nextafter(nearest, np.float32(-np.inf))
    explainer.model.thresholds = np.where(nearest > exact, below, nearest).astype(exact.dtype)


def check_sum(values: np.ndarray, base: float, output: np.ndarray, tolerance: float) -> None:
    """Stop unless Shapley values add up to the model's output in every row.

    Explainers can go wrong without a word: Deep SHAP does when an activation is called as a plain
    function, because its backward rules are bound to modules.

    Parameters
    ----------
    values : ndarray, shape (n, columns)
        Shapley values of n cells.
    base : float
        Mean output over the background.
    output : ndarray, shape (n,)
        What the model says, in the unit of the values.
    tolerance : float
        Largest allowed difference.

    Raises
    ------
    AdditivityError
        Naming the largest difference.

    Examples
    --------
    >>> check_sum(np.array([[1.0, 2.0]]), 0.5, np.array([3.5]), 1e-6)
    """
    gap = np.abs(np.sum(values, axis=1) + base - output)
    if not gap.max() <= tolerance:
        raise AdditivityError(
            f"Shapley values miss the model's output by up to {gap.max():.3g} "
            f"(allowed: {tolerance:g})"
        )


def factor_shapley(
    output: Callable[[np.ndarray], np.ndarray],
    rows: np.ndarray,
    background: np.ndarray,
    groups: Sequence[str],
    *,
    seed: int,
) -> tuple[pd.DataFrame, float, pd.DataFrame]:
    """Shapley values of whole factors: a factor's columns, over the whole window, join together.

    Parameters
    ----------
    output : callable
        (n, columns, …) → (n,): what is explained, for example a model's log-odds.
    rows : ndarray, shape (n, columns, …)
        Coded cells to explain; windows of a network have two more axes.
    background : ndarray, shape (m, columns, …)
        What stands for an absent factor, m ≥ 2.
    groups : sequence of str, length columns
        Factor of each column, from `lsa_helpers.samples.coded_groups`.
    seed : int
        Of the orders.

    Returns
    -------
    values : DataFrame, shape (n, factors)
        In the unit of the output. With the base they add up to it exactly.
    base : float
        Mean output over the background.
    standard_error : DataFrame, shape (n, factors)
        Of `values`: how far they would move with other orders and another background of m.

    Notes
    -----
    With :math:`x_S b_{-S}` for a row whose factors outside of S are those of a background row b,

    .. math::

        \\phi_j(x) = E_{b, \\pi} \\left[ f(x_{P \\cup j} b_{-(P \\cup j)}) - f(x_P b_{-P}) \\right]

    where P are the factors before j in a random order :math:`\\pi`. Each background row takes one
    order and its reverse (antithetic), so 2 m (factors − 1) outputs a cell are computed. Factors
    that are alike share what they do; combinations that no place has are asked for too, as by every
    method that replaces factors one by one.

    **Source**: Štrumbelj & Kononenko 2014, doi:10.1007/s10115-013-0679-x (sampled orders); Mitchell
    et al. 2022, Sampling permutations for Shapley value estimation (JMLR 23, antithetic orders).

    Examples
    --------
    A product of two factors is shared equally; a third does nothing:

    >>> cells, absent = np.array([[2.0, 3.0, 5.0]]), np.zeros((2, 3))
    >>> product = lambda x: x[:, 0] * x[:, 1]
    >>> values, base, error = factor_shapley(product, cells, absent, ["a", "b", "c"], seed=0)
    >>> values.to_numpy().tolist(), base
    ([[3.0, 3.0, 0.0]], 0.0)
    """
    names = list(dict.fromkeys(groups))
    columns = {name: [column for column, of in enumerate(groups) if of == name] for name in names}
    rng, whole, empty = np.random.default_rng(seed), output(rows), output(background)
    pairs = np.zeros((len(background), len(rows), len(names)))
    for number, absent in enumerate(background):
        order = rng.permutation(len(names))
        for joining in (order, order[::-1]):
            mixed = np.repeat(absent[None], len(rows), axis=0)
            before = np.full(len(rows), empty[number])
            for place in joining:
                mixed[:, columns[names[place]]] = rows[:, columns[names[place]]]
                after = whole if place == joining[-1] else output(mixed)
                pairs[number, :, place] += (after - before) / 2
                before = after
    error = pairs.std(axis=0, ddof=1) / np.sqrt(len(background))
    tables = (pd.DataFrame(each, columns=names) for each in (pairs.mean(axis=0), error))
    values, standard_error = tables
    return values, float(np.mean(empty)), standard_error


def pick_samples(samples: pd.DataFrame, *, n_explain: int, seed: int) -> pd.DataFrame:
    """Draw the cells to explain, half of them landslides as far as there are enough.

    Parameters
    ----------
    samples : DataFrame
        With the column ``label``.
    n_explain : int
        How many; fewer where the table is short.
    seed : int

    Returns
    -------
    DataFrame
        Rows of `samples`.
    """
    shuffled = samples.sample(frac=1, random_state=seed)
    n_explain = min(n_explain, len(samples))
    slides = shuffled[shuffled["label"] == 1]
    others = shuffled[shuffled["label"] == 0]
    n_slides = min(len(slides), max(n_explain // 2, n_explain - len(others)))
    return pd.concat([slides.iloc[:n_slides], others.iloc[: n_explain - n_slides]])


def pick_background(
    factors: xr.Dataset, *, n: int, seed: int, places: Mapping | None = None
) -> pd.DataFrame:
    """Cells that stand for an absent factor: drawn from the whole area, landslide or not.

    Parameters
    ----------
    factors : Dataset, dims (y, x)
    n : int
        How many; fewer where fewer cells are known.
    seed : int
    places : mapping, optional
        ``x, y`` (m) of cells to take first, for example those that the truth of the simulated
        mountain was explained against; places where a factor is unknown are passed over.

    Returns
    -------
    DataFrame
        ``x, y`` and the factors.
    """
    known = known_cells(factors).values
    row, col = np.nonzero(known)
    drawn = np.random.default_rng(seed).permutation(len(row))[:n]
    row, col = row[drawn], col[drawn]
    if places is not None:
        row, col = rowcol(factors, np.asarray(places["x"]), np.asarray(places["y"]))
        row, col = (each[known[row, col]][:n] for each in (row, col))
    place = {"x": factors.x.values[col], "y": factors.y.values[row]}
    return pd.DataFrame(place | {name: band.values[row, col] for name, band in factors.items()})
