"""What a map is worth: success and prediction rate, capture, Boyce index, texture."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.ndimage import generate_binary_structure
from scipy.stats import rankdata, spearmanr

from lsa_helpers.errors import StageError

BINS = 1000


def rate_curve(
    susceptibility: np.ndarray,
    landslide: np.ndarray,
    blocks: np.ndarray | None = None,
    *,
    seed: int = 0,
    n_boot: int = 200,
) -> pd.DataFrame:
    """Share of the landslide cells against the share of the area, from the most susceptible cell
    down.

    Of a map whose models knew the landslides it is the *success rate*; of one whose models did not,
    the *prediction rate*.

    Parameters
    ----------
    susceptibility : ndarray
        Any shape; NaN is left out. Ties share their place.
    landslide : ndarray of bool, same shape
    blocks : ndarray of int, same shape, optional
        Spatial block of each cell: the band resamples whole blocks, because neighbours are not
        independent.
    seed, n_boot : int
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
    Source: Chung & Fabbri (2003), Validation of spatial prediction models for landslide hazard
    mapping, doi:10.1023/B:NHAZ.0000007172.62651.2b. The order is cut into 1,000 steps.

    Examples
    --------
    >>> curve = rate_curve(np.arange(100.0), np.arange(100) >= 90)
    >>> float(curve.set_index("area").loc[0.1, "landslides"])
    1.0
    """
    known = np.isfinite(susceptibility)
    values, true = susceptibility[known], landslide[known]
    if not true.any():
        raise StageError(
            "no known cell of the map lies in a landslide, so it has no success or prediction rate"
        )
    own = (
        np.zeros(len(values), int)
        if blocks is None
        else np.unique(blocks[known], return_inverse=True)[1]
    )
    counts = _step_counts(values, true, own)
    at = np.linspace(0, 1, 101)
    table = pd.DataFrame(
        {
            "area": at.round(2),
            "landslides": _share(counts.sum(1), at),
            "low": np.nan,
            "high": np.nan,
        }
    )
    if len(counts[0]) > 1:
        curves = _drawn_curves(counts, at, seed, n_boot)
        table[["low", "high"]] = np.nanquantile(
            [curve for curve in curves if np.isfinite(curve).all()], [0.025, 0.975], axis=0
        ).T
    return table


def _step_counts(values: np.ndarray, true: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Cells, and landslide cells, of every block in every step of the order: (2, blocks, BINS) from
    values, labels and blocks (n,).
    """
    # 0 is the most susceptible step. Average ranks keep cells of one value together.
    step = np.minimum((1 - (rankdata(values) - 0.5) / len(values)) * BINS, BINS - 1).astype(int)
    counts = np.zeros((2, own.max() + 1, BINS))
    np.add.at(counts[0], (own, step), 1)
    np.add.at(counts[1], (own[true], step[true]), 1)
    return counts


def _drawn_curves(counts: np.ndarray, at: np.ndarray, seed: int, n_boot: int) -> list[np.ndarray]:
    """Curves of whole blocks drawn again; the same seed draws the same blocks. A draw without
    landslides is all NaN.
    """
    n_blocks = counts.shape[1]
    draws = np.random.default_rng(seed).multinomial(
        n_blocks, np.full(n_blocks, 1 / n_blocks), size=n_boot
    )
    return [_share(np.einsum("b,kbs->ks", draw, counts), at) for draw in draws]


def _share(counts: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Landslide share at shares of the area from counts of cells and landslide cells per step."""
    if counts[1].sum() == 0:
        return np.full(len(at), np.nan)
    area, found = (np.insert(np.cumsum(part) / part.sum(), 0, 0) for part in counts)
    return np.interp(at, area, found)


def paired_gains(
    maps: dict[str, np.ndarray],
    landslide: np.ndarray,
    blocks: np.ndarray,
    pairs: Sequence[tuple[str, str]],
    *,
    seed: int = 0,
    n_boot: int = 500,
) -> pd.DataFrame:
    """Differences of the area under the rate curve between maps, with intervals from the same
    blocks resampled for both.

    Parameters
    ----------
    maps : dict
        Name → susceptibility (height, width); cells that one of the maps does not know (NaN) are
        left out of all.
    landslide : ndarray of bool, shape (height, width)
    blocks : ndarray of int, shape (height, width)
    pairs : sequence of (str, str)
        Maps to compare; pairs of which one is missing are left out.
    seed, n_boot : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        ``first, second, difference`` (area under the curve of the first minus that of the second),
        ``low, high`` (95 %; NaN with fewer than 2 blocks).

    Raises
    ------
    StageError
        When the known cells hold no landslide.

    Notes
    -----
    Source: as `paired_differences`.
    """
    pairs = [pair for pair in pairs if set(pair) <= set(maps)]
    names, at = sorted({name for pair in pairs for name in pair}), np.linspace(0, 1, 101)
    known = np.logical_and.reduce([np.isfinite(maps[name]) for name in names])
    true, own = landslide[known], np.unique(blocks[known], return_inverse=True)[1]
    if not true.any():
        raise StageError(
            "no cell that all maps know lies in a landslide, so they have no prediction rate to compare"
        )
    areas = {}
    for name in names:
        counts = _step_counts(maps[name][known], true, own)
        drawn = _drawn_curves(counts, at, seed, n_boot) if counts.shape[1] > 1 else []
        areas[name] = np.trapezoid([_share(counts.sum(1), at), *drawn], at, axis=1)
    rows = []
    for first, second in pairs:
        gap = areas[first] - areas[second]
        low, high = np.nanquantile(gap[1:], [0.025, 0.975]) if len(gap) > 1 else (np.nan, np.nan)
        rows.append(
            {"first": first, "second": second, "difference": gap[0], "low": low, "high": high}
        )
    return pd.DataFrame(rows, columns=["first", "second", "difference", "low", "high"])


def capture(
    curve: pd.DataFrame, shares: Sequence[float] = (0.05, 0.1, 0.2, 0.3)
) -> dict[str, float]:
    """Share of the landslide area in the most susceptible part of the land, and the area under the
    curve.

    Parameters
    ----------
    curve : DataFrame
        From `rate_curve`.
    shares : sequence of float

    Returns
    -------
    dict
        ``capture_5`` … (fractions) and ``area_under``.
    """
    found = {
        f"capture_{share * 100:g}": float(np.interp(share, curve["area"], curve["landslides"]))
        for share in shares
    }
    return found | {"area_under": float(np.trapezoid(curve["landslides"], curve["area"]))}


def boyce_index(
    susceptibility: np.ndarray, landslide: np.ndarray, *, width: float = 0.1, steps: int = 100
) -> float:
    """Continuous Boyce index: does the ratio of landslides found to landslides expected rise
    steadily with susceptibility?

    Parameters
    ----------
    susceptibility : ndarray
        Any shape; NaN is left out.
    landslide : ndarray of bool, same shape
    width : float
        Width of the moving window, as a share of the map's range.
    steps : int
        Positions of the window.

    Returns
    -------
    float
        Spearman correlation from -1 to 1; NaN when the map or the ratio is constant.

    Notes
    -----
    Source: Hirzel et al. (2006), Evaluating the ability of habitat suitability models,
    doi:10.1016/j.ecolmodel.2006.05.017. Neighbouring windows with the same ratio count once, as
    there.

    Examples
    --------
    >>> values = np.repeat(np.arange(10) / 10, 10)
    >>> rising = np.concatenate([np.arange(10) < n for n in range(10)])
    >>> round(boyce_index(values, rising), 3)
    1.0
    """
    known = np.isfinite(susceptibility)
    values, true = np.sort(susceptibility[known]), np.sort(susceptibility[known & landslide])
    low, high = (values[0], values[-1]) if len(values) else (0.0, 0.0)
    if high <= low or not len(true):
        return float("nan")
    half = width * (high - low) / 2
    centre = np.linspace(low + half, high - half, steps)

    def share(sorted_values):
        inside = np.searchsorted(sorted_values, centre + half, "right") - np.searchsorted(
            sorted_values, centre - half, "left"
        )
        return inside / len(sorted_values)

    expected = share(values)
    ratio, centre = (share(true)[expected > 0] / expected[expected > 0]), centre[expected > 0]
    kept = np.append(True, np.diff(ratio) != 0)
    if kept.sum() < 3 or np.ptp(ratio[kept]) == 0:
        return float("nan")
    return float(spearmanr(ratio[kept], centre[kept]).statistic)


def texture(classes: np.ndarray) -> dict[str, float]:
    """How speckled a class map is: the salt and pepper the paper calls a pretzel look.

    Parameters
    ----------
    classes : ndarray of int, shape (height, width)
        0 is nodata.

    Returns
    -------
    dict
        ``different_neighbours`` (share of the neighbour pairs, of eight neighbours, whose classes
        differ) and ``isolated`` (share of the cells with eight known neighbours that have no
        neighbour of their own class); NaN where there are none.

    Examples
    --------
    >>> spot = np.ones((5, 5), int)
    >>> spot[2, 2] = 2
    >>> {name: round(value, 3) for name, value in texture(spot).items()}
    {'different_neighbours': 0.111, 'isolated': 0.111}
    """
    height, width = classes.shape
    wide = np.pad(classes, 1)
    same, known = np.zeros(classes.shape, int), np.zeros(classes.shape, int)
    for down, right in np.argwhere(generate_binary_structure(2, 2)):
        if (down, right) != (1, 1):
            other = wide[down : down + height, right : right + width]
            known += (other > 0) & (classes > 0)
            same += (other == classes) & (classes > 0)
    whole = known == 8
    different = 1 - same.sum() / known.sum() if known.any() else float("nan")
    return {
        "different_neighbours": float(different),
        "isolated": float((same[whole] == 0).mean()) if whole.any() else float("nan"),
    }
