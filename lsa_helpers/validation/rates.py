"""Curves: success and prediction rate of a map (which share of the landslides lies in its highest
cells), and the band of a ROC curve.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import rankdata

from lsa_helpers.errors import StageError
from lsa_helpers.validation.bootstrap import N_DRAWS, draw_blocks

_STEPS = 1000
_AREA = np.linspace(0, 1, 101)


def rate_curve(
    susceptibility: xr.DataArray,
    landslide: xr.DataArray,
    blocks: xr.DataArray | None = None,
    *,
    seed: int = 0,
    n_draws: int = N_DRAWS,
) -> pd.DataFrame:
    """Share of the landslide cells against the share of the area, from the highest cell down.

    Of a map whose model knew the landslides it is the *success rate*; of one whose model did not,
    the *prediction rate*.

    Parameters
    ----------
    susceptibility : DataArray, dims (y, x)
        NaN is left out. Ties share their place.
    landslide : DataArray of bool, dims (y, x)
    blocks : DataArray of int, dims (y, x), optional
        Spatial block of each cell: the band resamples whole blocks, because neighbours are not
        independent.
    seed, n_draws : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        ``area, landslides, low, high`` (fractions; the 95 % band is NaN with fewer than 2 blocks),
        101 rows from 0 to 1.

    Raises
    ------
    StageError
        When the known cells hold no landslide.

    Notes
    -----
    The order is cut into 1,000 steps.

    **Source**: Chung & Fabbri 2003, Validation of spatial prediction models for landslide hazard
    mapping, doi:10.1023/B:NHAZ.0000007172.62651.2b.

    Examples
    --------
    >>> values = xr.DataArray(np.arange(100.0).reshape(10, 10), dims=("y", "x"))
    >>> curve = rate_curve(values, values >= 90)
    >>> float(curve.set_index("area").loc[0.1, "landslides"])
    1.0
    """
    counts = _step_counts(susceptibility, landslide, blocks, np.isfinite(susceptibility.values))
    curve, *drawn = _drawn_curves(counts, n_draws, seed)
    table = pd.DataFrame({"area": _AREA.round(2), "landslides": curve, "low": np.nan})
    table["high"] = np.nan
    if drawn:
        known = np.isfinite(drawn).all(axis=1)
        table[["low", "high"]] = np.quantile(np.array(drawn)[known], [0.025, 0.975], axis=0).T
    return table


def rate_areas(
    maps: dict[str, xr.DataArray],
    landslide: xr.DataArray,
    blocks: xr.DataArray,
    *,
    seed: int = 0,
    n_draws: int = N_DRAWS,
) -> dict[str, np.ndarray]:
    """Area under the rate curve of each map on the same cells, under the same draws of blocks.

    Parameters
    ----------
    maps : dict
        Name → susceptibility, dims (y, x); cells that one of them does not know are left out of
        all.
    landslide, blocks, seed, n_draws
        As for `rate_curve`.

    Returns
    -------
    dict
        Name → areas (1 + n_draws,), the first of the blocks as they are; for `paired_differences`.

    Raises
    ------
    StageError
        When the cells that all maps know hold no landslide.
    """
    known = np.logical_and.reduce([np.isfinite(values.values) for values in maps.values()])
    areas = {}
    for name, values in maps.items():
        counts = _step_counts(values, landslide, blocks, known)
        areas[name] = np.trapezoid(_drawn_curves(counts, n_draws, seed), _AREA, axis=1)
    return areas


def capture(
    curve: pd.DataFrame, shares: Sequence[float] = (0.05, 0.1, 0.2, 0.3)
) -> dict[str, float]:
    """Share of the landslide area in the highest part of the land, and the area under the curve.

    Parameters
    ----------
    curve : DataFrame
        From `rate_curve`.
    shares : sequence of float
        Parts of the land, fractions.

    Returns
    -------
    dict
        ``capture_5`` … (fractions) and ``area_under``.
    """
    area, landslides = curve["area"], curve["landslides"]
    captured = {f"capture_{share * 100:g}": np.interp(share, area, landslides) for share in shares}
    captured["area_under"] = np.trapezoid(landslides, area)
    return {name: float(value) for name, value in captured.items()}


def roc_band(label, score, weights: np.ndarray, level: float = 0.95) -> pd.DataFrame:
    """How far a ROC curve moves when other blocks of ground are drawn.

    Parameters
    ----------
    label : array of 0 and 1, shape (n,)
    score : array, shape (n,)
    weights : ndarray, shape (1 + draws, n)
        From `block_weights`; draws that leave one class are left out.
    level : float
        Share of the draws between the two ends, at every false positive rate by itself.

    Returns
    -------
    DataFrame
        ``false_positive`` (101 rows from 0 to 1), ``low, high`` (true positive rates; NaN without
        draws).

    Examples
    --------
    A ranking without a fault has no band, whichever of its rows count twice:

    >>> weights = np.array([[1, 1, 1], [2, 1, 1], [1, 1, 2]])
    >>> roc_band([0, 0, 1], [0.1, 0.2, 0.9], weights)["low"].unique().tolist()
    [1.0]
    """
    label, order = np.asarray(label), np.argsort(-np.asarray(score), kind="stable")
    steps = np.flatnonzero(np.diff(np.asarray(score)[order], prepend=np.inf))
    curves = []
    for row in weights[1:, order]:
        parts = [row * (label[order] == kind) for kind in (0, 1)]
        if all(part.any() for part in parts):
            # Equal scores are one step of the curve.
            rates = [np.cumsum(np.add.reduceat(part, steps)) / part.sum() for part in parts]
            curves.append(np.interp(_AREA, *(np.insert(rate, 0, 0) for rate in rates)))
    ends = np.quantile(curves, [(1 - level) / 2, (1 + level) / 2], axis=0) if curves else np.nan
    low, high = np.broadcast_to(ends, (2, len(_AREA)))
    return pd.DataFrame({"false_positive": _AREA, "low": low, "high": high})


def _step_counts(susceptibility, landslide, blocks, known: np.ndarray) -> np.ndarray:
    """Cells, and landslide cells, of every block in every step of the order: (2, blocks, steps)."""
    values = susceptibility.values[known]
    slides = np.flatnonzero(landslide.values[known])
    if len(slides) == 0:
        raise StageError(
            "no known cell of the map lies in a landslide, so it has no success or prediction rate"
        )
    block = np.zeros(len(values), int)
    if blocks is not None:
        block = np.unique(blocks.values[known], return_inverse=True)[1].ravel()
    # 0 is the most susceptible step. Average ranks keep cells of one value together.
    step = ((1 - (rankdata(values) - 0.5) / len(values)) * _STEPS).astype(int)
    step = np.minimum(step, _STEPS - 1)
    counts = np.zeros((2, block.max() + 1, _STEPS))
    np.add.at(counts[0], (block, step), 1)
    np.add.at(counts[1], (block[slides], step[slides]), 1)
    return counts


def _drawn_curves(counts: np.ndarray, n_draws: int, seed: int) -> np.ndarray:
    """Landslide shares at `_AREA` for each draw of blocks; NaN where a draw has no landslide."""
    curves = []
    for draw in draw_blocks(counts.shape[1], n_draws, seed):
        area, landslides = np.cumsum(np.einsum("b,kbs->ks", draw, counts), axis=1)
        if landslides[-1] == 0:
            curves.append(np.full(len(_AREA), np.nan))
        else:
            shares = (np.insert(part / part[-1], 0, 0) for part in (area, landslides))
            curves.append(np.interp(_AREA, *shares))
    return np.array(curves)
