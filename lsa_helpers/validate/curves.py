"""What a map is worth: success and prediction rate, capture, Boyce index, texture."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.ndimage import generate_binary_structure
from scipy.stats import rankdata, spearmanr

from lsa_helpers.errors import StageError

BINS = 1000


def rate_curve(
    susceptibility: np.ndarray, landslide: np.ndarray, blocks: np.ndarray | None = None, *, seed: int = 0, n_boot: int = 200
) -> pd.DataFrame:
    """Share of the landslide cells against the share of the area, from the most susceptible cell down.

    Of a map whose models knew the landslides it is the *success rate*; of one whose models did not, the *prediction rate*.

    Parameters
    ----------
    susceptibility : ndarray
        Any shape; NaN is left out. Ties share their place.
    landslide : ndarray of bool, same shape
    blocks : ndarray of int, same shape, optional
        Spatial block of each cell: the band resamples whole blocks, because neighbours are not independent.
    seed, n_boot : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        ``area, landslides, low, high`` (fractions; the 95 % band is NaN with fewer than 2 blocks), 101 rows from 0 to 1.

    Raises
    ------
    StageError
        When the known cells hold no landslide.

    Notes
    -----
    Source: Chung & Fabbri (2003), Validation of spatial prediction models for landslide hazard mapping,
    doi:10.1023/B:NHAZ.0000007172.62651.2b. The order is cut into 1,000 steps.

    Examples
    --------
    >>> curve = rate_curve(np.arange(100.0), np.arange(100) >= 90)
    >>> float(curve.set_index("area").loc[0.1, "landslides"])
    1.0
    """
    known = np.isfinite(susceptibility)
    values, true = susceptibility[known], landslide[known]
    if not true.any():
        raise StageError("no known cell of the map lies in a landslide, so it has no success or prediction rate")
    # 0 is the most susceptible step. Average ranks keep cells of one value together.
    step = np.minimum((1 - (rankdata(values) - 0.5) / len(values)) * BINS, BINS - 1).astype(int)
    own = np.zeros(len(values), int) if blocks is None else np.unique(blocks[known], return_inverse=True)[1]
    counts = np.zeros((2, own.max() + 1, BINS))
    np.add.at(counts[0], (own, step), 1)
    np.add.at(counts[1], (own[true], step[true]), 1)
    at = np.linspace(0, 1, 101)
    table = pd.DataFrame({"area": at.round(2), "landslides": _share(counts.sum(1), at), "low": np.nan, "high": np.nan})
    if len(counts[0]) > 1:
        rng = np.random.default_rng(seed)
        draws = rng.multinomial(len(counts[0]), np.full(len(counts[0]), 1 / len(counts[0])), size=n_boot)
        curves = [_share(np.einsum("b,kbs->ks", draw, counts), at) for draw in draws]
        table[["low", "high"]] = np.nanquantile([curve for curve in curves if np.isfinite(curve).all()], [0.025, 0.975], axis=0).T
    return table


def _share(counts: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Landslide share at shares of the area from counts of cells and landslide cells per step."""
    if counts[1].sum() == 0:
        return np.full(len(at), np.nan)
    area, found = (np.insert(np.cumsum(part) / part.sum(), 0, 0) for part in counts)
    return np.interp(at, area, found)


def capture(curve: pd.DataFrame, shares: Sequence[float] = (0.05, 0.1, 0.2, 0.3)) -> dict[str, float]:
    """Share of the landslide area in the most susceptible part of the land, and the area under the curve.

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
    found = {f"capture_{share * 100:g}": float(np.interp(share, curve["area"], curve["landslides"])) for share in shares}
    return found | {"area_under": float(np.trapezoid(curve["landslides"], curve["area"]))}


def boyce_index(susceptibility: np.ndarray, landslide: np.ndarray, *, width: float = 0.1, steps: int = 100) -> float:
    """Continuous Boyce index: does the ratio of landslides found to landslides expected rise steadily with susceptibility?

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
    Source: Hirzel et al. (2006), Evaluating the ability of habitat suitability models, doi:10.1016/j.ecolmodel.2006.05.017. Neighbouring
    windows with the same ratio count once, as there.

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
        inside = np.searchsorted(sorted_values, centre + half, "right") - np.searchsorted(sorted_values, centre - half, "left")
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
        ``different_neighbours`` (share of the neighbour pairs, of eight neighbours, whose classes differ) and ``isolated`` (share of the
        cells with eight known neighbours that have no neighbour of their own class); NaN where there are none.

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
    return {"different_neighbours": float(different), "isolated": float((same[whole] == 0).mean()) if whole.any() else float("nan")}
