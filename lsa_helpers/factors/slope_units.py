"""Slope units: half basins, parted until each looks one way, after r.slopeunits."""

import numpy as np
import pyflwdir
import xarray as xr
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from lsa_helpers.factors.terrain import flow_directions
from lsa_helpers.raster import cell_size, on_grid

# Number of each direction, counted counterclockwise from the east, by rows down and columns right.
_TURN = np.array([[3, 2, 1], [4, -1, 0], [5, 6, 7]])


def slope_units(
    dem: xr.DataArray,
    aspect: xr.DataArray,
    *,
    threshold_m2: float,
    min_area_m2: float,
    max_variance: float,
) -> xr.DataArray:
    """Part land into slope units, bounded by drainage and divides.

    Parameters
    ----------
    dem : DataArray, dims (y, x)
        Altitude in metres, NaN as nodata, in memory.
    aspect : DataArray, dims (y, x)
        Degrees clockwise from north, −1 where flat.
    threshold_m2 : float
        Catchment where a stream begins, of the first and coarsest half basins, m².
    min_area_m2 : float
        A unit is parted no further where its parts would be smaller than this on average; what is
        smaller than half of it joins the neighbour with the longest common border, m².
    max_variance : float
        Circular variance of the aspect (`aspect_variance`) above which a unit is parted, 0–1.

    Returns
    -------
    DataArray of int, dims (y, x)
        Number of the unit of each cell from 1; 0 where the DEM is unknown. The cells of a unit hang
        together by edges or corners.

    Notes
    -----
    Half basins (see `half_basins`) at `threshold_m2`, then at half of it, a quarter, …: each unit
    whose aspect varies too much is replaced by the half basins inside it.

    **Source**: Alvioli et al. 2016, doi:10.5194/gmd-9-3975-2016; their r.slopeunits lowers the
    threshold by a chosen factor and takes half basins from r.watershed.
    """
    cell, known = cell_size(dem) ** 2, np.isfinite(dem.values).ravel()
    flow = pyflwdir.from_array(flow_directions(dem.values), ftype="d8", check_ftype=False)
    catchment = flow.upstream_area(unit="cell")
    threshold, units = threshold_m2 / cell, half_basins(flow, catchment, threshold_m2 / cell)
    while threshold > min_area_m2 / cell:
        threshold /= 2
        parts = half_basins(flow, catchment, threshold)
        _, first = np.unique(parts[known], return_index=True)
        n_parts = np.bincount(units[known][first], minlength=units.max() + 1)
        size, variance, _ = aspect_variance(units, aspect.values)
        divided = (variance > max_variance) & (size >= n_parts * min_area_m2 / cell)
        units = np.where(divided[units] & known, parts + units.max() + 1, units)
        units = np.where(known, np.unique(units, return_inverse=True)[1], 0)
    units = _join_small(_hang_together(units + 1, dem.shape, known), dem.shape, min_area_m2 / cell)
    return on_grid(units.reshape(dem.shape).astype(np.int32), dem, "slope_unit")


def half_basins(flow, catchment: np.ndarray, threshold: float) -> np.ndarray:
    """The left and the right side of every reach of the streams that begin at a threshold.

    Parameters
    ----------
    flow : pyflwdir.FlwdirRaster
        D8, of shape (height, width).
    catchment : ndarray, shape (height, width)
        Upslope area of each cell, cells.
    threshold : float
        Upslope area at which a stream begins, cells.

    Returns
    -------
    ndarray of int, shape (height · width,)
        Half basin of each cell from 0, in no order; a cell of a stream belongs to the side that
        drains into it, the right one where both do. Half basins of a lower threshold lie inside
        those of a higher one. Cells outside count as one.

    Notes
    -----
    A stream is continued from its head up to the divide along the largest catchments, so that all
    ground drains into it from one side.
    """
    here, known = np.arange(flow.size), flow.idxs_ds >= 0
    down = np.where(known, flow.idxs_ds, here)
    main = np.asarray(flow.main_upstream(catchment))
    stream = ((catchment.ravel() >= threshold) | (down == here)) & known
    head = _follow(np.where(~stream & known & (main[down] == here), down, here))
    stream = stream[head]
    inner = stream & (down != here)
    meeting = np.bincount(down[inner], minlength=flow.size) > 1
    reach = _follow(np.where(inner & ~meeting[down], down, here))
    entry = _follow(np.where(~stream & ~stream[down], down, here))
    left = _left_of_stream(down, main, flow.shape)
    aside = known & (down != here) & (main[down] != here)
    drains = [np.bincount(down[aside & side], minlength=flow.size) > 0 for side in (left, ~left)]
    decides = _follow(np.where(drains[0] | drains[1], here, down))
    side = np.where(stream, ~drains[1][decides], left[entry])
    half = 2 * reach[np.where(stream, here, down[entry])] + side
    return np.unique(np.where(known, half, -1), return_inverse=True)[1]


def _left_of_stream(down: np.ndarray, main: np.ndarray, shape) -> np.ndarray:
    """Whether a cell flows into the next one from the left of the path through that one's largest
    catchment, looking downstream: bool.
    """
    inward, upward = (_turn(down, cell, shape) for cell in (np.arange(down.size), main[down]))
    outward = np.where(down[down] == down, upward + 4, _turn(down, down[down], shape))
    return (inward - outward) % 8 < (upward - outward) % 8


def _follow(pointer: np.ndarray) -> np.ndarray:
    """Where each cell ends that goes from pointer to pointer."""
    while True:
        further = pointer[pointer]
        if np.array_equal(further, pointer):
            return pointer
        pointer = further


def _turn(cell: np.ndarray, neighbour: np.ndarray, shape) -> np.ndarray:
    """Direction of a neighbour, 0 east, 1 north-east, … 7; of none any."""
    down = np.clip(neighbour // shape[1] - cell // shape[1], -1, 1)
    right = np.clip(neighbour % shape[1] - cell % shape[1], -1, 1)
    return _TURN[down + 1, right + 1]


def aspect_variance(units, aspect) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cells, circular variance and mean direction of the aspect of each unit.

    Parameters
    ----------
    units : array of int
        From 0.
    aspect : array of the same size
        Degrees clockwise from north; negative (flat) and NaN are left out.

    Returns
    -------
    size : ndarray of int, shape (units.max() + 1,)
        Of all cells.
    variance : ndarray
        1 − R / n, with R the length of the sum of n unit vectors: 0 where all cells look one way, 1
        where they look all ways alike; 0 without any.
    mean : ndarray
        Degrees.

    Examples
    --------
    >>> size, variance, mean = aspect_variance([0, 0, 1, 1], [0.0, 90.0, 90.0, 270.0])
    >>> variance.round(3).tolist(), round(float(mean[0]), 6)
    ([0.293, 1.0], 45.0)
    """
    units, aspect = np.ravel(units), np.ravel(aspect)
    slopes = aspect >= 0
    angle, n = np.deg2rad(aspect[slopes]), units.max() + 1
    east, north = (np.bincount(units[slopes], each(angle), n) for each in (np.sin, np.cos))
    facing = np.bincount(units[slopes], minlength=n)
    variance = 1 - np.hypot(east, north) / np.maximum(facing, 1)
    mean = np.rad2deg(np.arctan2(east, north)) % 360
    return np.bincount(units, minlength=n), np.where(facing, variance, 0), mean


def border_pairs(units: np.ndarray) -> np.ndarray:
    """Numbers in cells that touch by an edge or a corner, of ``units`` (y, x): (pairs, 2)."""
    pairs = [
        (units[:, 1:], units[:, :-1]),
        (units[1:], units[:-1]),
        (units[1:, 1:], units[:-1, :-1]),
        (units[1:, :-1], units[:-1, 1:]),
    ]
    return np.concatenate([np.stack([a.ravel(), b.ravel()], axis=1) for a, b in pairs])


def segmentation_scores(units: np.ndarray, aspect: np.ndarray) -> tuple[float, float]:
    """How alike the aspect is inside units, and in neighbouring ones; both are wanted low.

    Parameters
    ----------
    units : ndarray of int, shape (height, width)
        0 outside.
    aspect : ndarray, shape (height, width)
        As for `aspect_variance`.

    Returns
    -------
    within : float
        Circular variance, mean over the units weighted by their area.
    between : float
        Mean over all pairs of units with a common border of the cosine of the angle between their
        mean aspects: 1 where neighbours look the same way, −1 opposite ways; NaN without a pair.

    Notes
    -----
    **Source**: Alvioli et al. 2016, doi:10.5194/gmd-9-3975-2016, after Espindola et al. 2006,
    doi:10.1080/01431160600617194; their second term is Moran's index of the mean aspect.
    """
    size, variance, mean = aspect_variance(units, aspect)
    pairs = border_pairs(units)
    pairs = pairs[(pairs > 0).all(axis=1) & (pairs[:, 0] != pairs[:, 1])]
    pairs = np.unique(np.sort(pairs, axis=1), axis=0)
    alike = np.cos(np.deg2rad(mean[pairs[:, 0]] - mean[pairs[:, 1]]))
    within = np.average(variance[1:], weights=size[1:])
    return float(within), float(alike.mean()) if len(pairs) else np.nan


def _hang_together(units: np.ndarray, shape, known: np.ndarray) -> np.ndarray:
    """Units in several pieces become several units; numbers from 1, 0 where unknown."""
    units = np.where(known, units, 0)
    cells = border_pairs(np.arange(units.size).reshape(shape))
    cells = cells[units[cells[:, 0]] == units[cells[:, 1]]]
    graph = coo_array((np.ones(len(cells), bool), cells.T), shape=(units.size, units.size))
    pieces = connected_components(graph, directed=False)[1]
    numbers = np.zeros(units.size, int)
    numbers[known] = np.unique(pieces[known], return_inverse=True)[1] + 1
    return numbers


def _join_small(units: np.ndarray, shape, min_cells: float) -> np.ndarray:
    """Units below half of `min_cells` join the neighbour they have the longest border with."""
    while True:
        n, small = units.max() + 1, np.bincount(units) < min_cells / 2
        small[0] = False
        pairs = border_pairs(units.reshape(shape))
        pairs = np.concatenate([pairs, pairs[:, ::-1]])
        pairs = pairs[(pairs[:, 0] != pairs[:, 1]) & (pairs > 0).all(axis=1)]
        pairs = pairs[small[pairs[:, 0]]]
        if len(pairs) == 0:
            return units
        if not small[pairs[:, 1]].all():  # small ones among themselves come last
            pairs = pairs[~small[pairs[:, 1]]]
        which, border = np.unique(pairs, axis=0, return_counts=True)
        order = np.lexsort((which[:, 1], -border, which[:, 0]))
        first = np.unique(which[order, 0], return_index=True)[1]
        chosen = which[order[first]]
        graph = coo_array((np.ones(len(chosen), bool), chosen.T), shape=(n, n))
        units = connected_components(graph, directed=False)[1][units]
        units = np.unique(np.append(units, 0), return_inverse=True)[1][:-1]
