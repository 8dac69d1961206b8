"""Drainage of a terrain, and one step of stream-power incision under uplift."""

import numpy as np
import pyflwdir
from numba import njit

AREA_EXPONENT = 0.40  # m of the stream-power law


def drainage(
    elevation: np.ndarray, diagonal: np.ndarray | None = None
) -> tuple[np.ndarray, pyflwdir.FlwdirRaster]:
    """Depression-filled elevation and its drainage to the steepest lower neighbour.

    Over flats water goes as the filling floods them. pyflwdir alone drains to the *lowest*
    neighbour, which draws diagonal lines on even slopes, and knows no random diagonals.

    Parameters
    ----------
    elevation : ndarray, shape (rows, columns)
        Metres, without nodata; the border drains outwards.
    diagonal : ndarray, shape (rows, columns), optional
        Length of a diagonal step in cells, for each cell; √2 by default. Random values between 1
        and 2 free valleys from the eight directions of the grid (Rho8).

    Returns
    -------
    filled : ndarray, shape (rows, columns)
        Metres, float32.
    flow : pyflwdir.FlwdirRaster

    Notes
    -----
    **Sources**: depression filling, Wang & Liu (2006), doi:10.1080/13658810500433453; Rho8,
    Fairfield & Leymarie (1991), doi:10.1029/90WR02658.
    """
    filled, d8 = pyflwdir.dem.fill_depressions(elevation.astype(np.float32), outlets="edge")
    _steepest(filled, d8, np.full(elevation.shape, 2**0.5) if diagonal is None else diagonal)
    d8[[0, -1]] = 0  # the filling lets border cells drain along the border
    d8[:, [0, -1]] = 0
    return filled, pyflwdir.from_array(d8, ftype="d8", check_ftype=False)


@njit(cache=True)
def _steepest(elevation, d8, diagonal):
    """Point every inner cell with a lower neighbour to the steepest one. Changes `d8`."""
    rows, columns = elevation.shape
    codes = np.array([[32, 64, 128], [16, 0, 1], [8, 4, 2]], dtype=np.uint8)
    for i in range(1, rows - 1):
        for j in range(1, columns - 1):
            # m; smaller drops lie within the filling's float32 rounding, and following them could
            # draw a loop
            best = 0.005
            for di in range(-1, 2):
                for dj in range(-1, 2):
                    drop = elevation[i, j] - elevation[i + di, j + dj]
                    drop = drop / diagonal[i, j] if di != 0 and dj != 0 else drop
                    if drop > best:
                        best = drop
                        d8[i, j] = codes[di + 1, dj + 1]


def erode(
    elevation: np.ndarray,
    uplift: np.ndarray | float,
    threshold: np.ndarray,
    erodibility: np.ndarray | float,
    *,
    cell: float,
    years: float,
    diagonal: np.ndarray | None = None,
) -> np.ndarray:
    """One time step: uplift, implicit incision under threshold slopes, hillslope diffusion.

    ∂z/∂t = U − K A^m S + D ∇²z with catchment area A, slope S along the flow, m = 0.4 and D = 0.008
    m²/a (at most 0.15 cells² a step, so that the explicit diffusion stays stable). The border is
    base level and does not move.

    Parameters
    ----------
    elevation : ndarray, shape (rows, columns)
        z in metres.
    uplift : ndarray or float
        U in m/a.
    threshold : ndarray, shape (rows, columns)
        Largest gradient a hillslope keeps (dimensionless).
    erodibility : ndarray or float
        K in m^(1 − 2m)/a.
    cell, years : float
        Edge of a cell in m; length of the step in years.
    diagonal : ndarray, shape (rows, columns), optional
        As in `drainage`.

    Returns
    -------
    ndarray, shape (rows, columns), float64

    Notes
    -----
    **Sources**: implicit stream power in O(n), Braun & Willett (2013),
    doi:10.1016/j.geomorph.2012.10.008; threshold hillslopes, Burbank et al. (1996),
    doi:10.1038/379505a0.
    """
    flow = drainage(elevation, diagonal)[1]
    area = flow.upstream_area("cell").astype(float) * cell**2
    strength = erodibility * area**AREA_EXPONENT * years
    new = elevation + uplift * years
    for border in (np.s_[[0, -1]], np.s_[:, [0, -1]]):
        new[border] = elevation[border]
    _incise(
        flow.idxs_seq,
        flow.idxs_ds,
        new.ravel(),
        strength.ravel(),
        threshold.ravel(),
        cell,
        elevation.shape[1],
    )
    inner = new[1:-1, 1:-1]
    laplacian = new[:-2, 1:-1] + new[2:, 1:-1] + new[1:-1, :-2] + new[1:-1, 2:] - 4 * inner
    new[1:-1, 1:-1] += min(0.15, 0.008 * years / cell**2) * laplacian
    return new


@njit(cache=True)
def _incise(order, receiver, elevation, strength, threshold, cell, columns):
    """Solve z = (z + f z_receiver) / (1 + f) from the outlets up, no gradient above its threshold.
    Changes `elevation`.

    The largest height a threshold gradient allows is the upwind solution of the eikonal equation,
    the same in all directions; a limit along the flow path alone would draw eight-sided facets.
    """
    for index in order:
        below = receiver[index]
        if below == index:
            continue
        is_diagonal = abs(below - index) != 1 and abs(below - index) != columns
        factor = strength[index] / (cell * 1.4142135623730951 if is_diagonal else cell)
        height = (elevation[index] + factor * elevation[below]) / (1 + factor)
        beside = min(elevation[index - 1], elevation[index + 1])
        ahead = min(elevation[index - columns], elevation[index + columns])
        rise = threshold[index] * cell
        gap = abs(beside - ahead)
        limit = min(beside, ahead) + rise
        if gap < rise:
            limit = (beside + ahead + (2 * rise**2 - gap**2) ** 0.5) / 2
        elevation[index] = min(height, limit)
