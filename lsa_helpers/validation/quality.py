"""What else a map is worth: Boyce index, order of the frequency ratios, texture of its classes; its
highest cells, and where the landslides crowd.
"""

import numpy as np
import xarray as xr
from scipy.stats import spearmanr

from lsa_helpers.raster import cell_size


def map_quality(
    susceptibility: xr.DataArray, landslide: xr.DataArray, *, n_classes: int = 5, seed: int = 0
) -> dict[str, float]:
    """`boyce_index` of a map, and `ratio_descents` and `texture` of its Fisher–Jenks classes.

    Parameters
    ----------
    susceptibility : DataArray, dims (y, x)
        NaN is left out.
    landslide : DataArray of bool, dims (y, x)
    n_classes : int
    seed : int
        Of the 5,000 cells from which the breaks between the classes are found.

    Returns
    -------
    dict
        ``boyce, descents, different_neighbours, isolated``.
    """
    import mapclassify

    values = susceptibility.values[np.isfinite(susceptibility.values)].astype(np.float64)
    some = np.random.default_rng(seed).choice(values, min(5000, len(values)), replace=False)
    breaks = mapclassify.FisherJenks(some, k=n_classes).bins[:-1]
    number = 1 + np.searchsorted(breaks, susceptibility.values)
    classes = susceptibility.copy(data=np.where(np.isfinite(susceptibility), number, 0))
    return {
        "boyce": boyce_index(susceptibility, landslide),
        "descents": ratio_descents(classes, landslide),
        **texture(classes),
    }


def boyce_index(
    susceptibility: xr.DataArray, landslide: xr.DataArray, *, width: float = 0.1, steps: int = 100
) -> float:
    """Continuous Boyce index: do landslides become steadily more frequent with susceptibility?

    Parameters
    ----------
    susceptibility : DataArray, dims (y, x)
        NaN is left out.
    landslide : DataArray of bool, dims (y, x)
    width : float
        Width of the moving window, as a share of the map's range.
    steps : int
        Positions of the window.

    Returns
    -------
    float
        Spearman correlation between the window's place and its ratio of landslides found to
        landslides expected, from -1 to 1; NaN when the map or the ratio is constant.

    Notes
    -----
    It says nothing on how *much* more frequent they become: a map that hardly parts the land can
    reach 1. Neighbouring windows with the same ratio count once, as in the source.

    **Source**: Hirzel et al. 2006, Evaluating the ability of habitat suitability models,
    doi:10.1016/j.ecolmodel.2006.05.017.

    Examples
    --------
    >>> values = xr.DataArray(np.repeat(np.arange(10) / 10, 10).reshape(10, 10), dims=("y", "x"))
    >>> rising = values.copy(data=np.arange(10) < np.arange(10)[:, None])
    >>> round(boyce_index(values, rising), 3)
    1.0
    """
    known = np.isfinite(susceptibility.values)
    cells = np.sort(susceptibility.values[known])
    slides = np.sort(susceptibility.values[known & landslide.values])
    if len(slides) == 0 or cells[0] == cells[-1]:
        return float("nan")
    half = width * (cells[-1] - cells[0]) / 2
    centre = np.linspace(cells[0] + half, cells[-1] - half, steps)

    def share(values):
        ends = np.searchsorted(values, centre + half, "right")
        return (ends - np.searchsorted(values, centre - half, "left")) / len(values)

    expected = share(cells)
    filled = expected > 0
    ratio = share(slides)[filled] / expected[filled]
    kept = np.append(True, np.diff(ratio) != 0)
    if kept.sum() < 3 or np.ptp(ratio[kept]) == 0:
        return float("nan")
    return float(spearmanr(ratio[kept], centre[filled][kept]).statistic)


def ratio_descents(classes: xr.DataArray, landslide: xr.DataArray) -> int:
    """How many classes have a lower frequency ratio than the class below; 0 in a useful map.

    Parameters
    ----------
    classes : DataArray of int, dims (y, x)
        1 lowest, 0 nodata; empty classes are left out.
    landslide : DataArray of bool, dims (y, x)

    Examples
    --------
    >>> classes = xr.DataArray([[1, 1, 2, 2, 3, 3]], dims=("y", "x"))
    >>> ratio_descents(classes, classes.copy(data=[[False, True, False, False, True, True]]))
    1
    """
    cells = np.bincount(classes.values.ravel())[1:]
    slides = np.bincount(classes.values[landslide.values], minlength=len(cells) + 1)[1:]
    frequency = slides[cells > 0] / cells[cells > 0]
    return int((np.diff(frequency) < 0).sum())


def texture(classes: xr.DataArray) -> dict[str, float]:
    """How speckled a class map is: the salt and pepper the paper calls a pretzel look.

    Parameters
    ----------
    classes : DataArray of int, dims (y, x)
        0 is nodata.

    Returns
    -------
    dict
        ``different_neighbours`` (share of the neighbour pairs, of eight neighbours, whose classes
        differ) and ``isolated`` (share of the cells with eight known neighbours that have no
        neighbour of their own class); NaN where there are none.

    Examples
    --------
    >>> spot = xr.DataArray(np.ones((5, 5), int), dims=("y", "x"))
    >>> spot[2, 2] = 2
    >>> {name: round(value, 3) for name, value in texture(spot).items()}
    {'different_neighbours': 0.111, 'isolated': 0.111}
    """
    cell, padded = classes.values, np.pad(classes.values, 1)
    known, same = np.zeros((2, *cell.shape), np.int8)
    for down, across in ((0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1), (2, 2)):
        neighbour = padded[down : down + cell.shape[0], across : across + cell.shape[1]]
        known += (neighbour > 0) & (cell > 0)
        same += (neighbour == cell) & (cell > 0)
    surrounded = known == 8
    different = 1 - same.sum() / known.sum() if known.any() else np.nan
    isolated = (same[surrounded] == 0).mean() if surrounded.any() else np.nan
    return {"different_neighbours": float(different), "isolated": float(isolated)}


def densest_window(
    landslide: xr.DataArray, share: float = 0.1
) -> tuple[float, float, float, float]:
    """The window with the most landslide area, of the shape of the raster and a share of its size.

    Parameters
    ----------
    landslide : DataArray of bool, dims (y, x)
    share : float
        Part of the raster, fraction.

    Returns
    -------
    left, bottom, right, top : float
        Edges in the CRS of the raster, m.

    Examples
    --------
    >>> place = {"y": [35.0, 25, 15, 5], "x": [5.0, 15, 25, 35]}
    >>> cells = xr.DataArray(np.zeros((4, 4), bool), place, ("y", "x"))
    >>> cells[1:3, 2:] = True
    >>> densest_window(cells, 0.25)
    (20.0, 10.0, 40.0, 30.0)
    """
    cells = [max(round(np.sqrt(share) * size), 1) for size in landslide.shape]
    sums = landslide.values.astype(float)
    for axis, size in enumerate(cells):
        sums = np.lib.stride_tricks.sliding_window_view(sums, size, axis=axis).sum(axis=-1)
    row, col = np.unravel_index(sums.argmax(), sums.shape)
    window = landslide[row : row + cells[0], col : col + cells[1]]
    edge = cell_size(landslide) / 2
    x, y = window.x.values, window.y.values
    ends = x.min() - edge, y.min() - edge, x.max() + edge, y.max() + edge
    return tuple(float(end) for end in ends)


def highest_ratio(susceptibility: xr.DataArray, landslide: xr.DataArray, share: float) -> float:
    """Frequency ratio of landslides in the highest cells of a map.

    Parameters
    ----------
    susceptibility : DataArray, dims (y, x)
        NaN is left out.
    landslide : DataArray of bool, dims (y, x)
    share : float
        Part of the land that is called highest, fraction; equal values stay together.

    Examples
    --------
    >>> values = xr.DataArray([[0.1, 0.2, 0.3, 0.4]], dims=("y", "x"))
    >>> highest_ratio(values, values > 0.35, 0.5)
    2.0
    """
    known = np.isfinite(susceptibility.values)
    values, slid = susceptibility.values[known], landslide.values[known]
    high = values >= np.quantile(values, 1 - share)
    return float(slid[high].mean() / slid.mean())
