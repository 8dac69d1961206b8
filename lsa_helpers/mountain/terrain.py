"""Mountains whose valleys drain: stream-power incision under uplift, with hillslopes held near
their threshold angle.
"""

from dataclasses import dataclass

import numpy as np
import pyflwdir
from numba import njit
from scipy import ndimage

from lsa_helpers.mountain.geology import ROCKS, Geology, make_geology
from lsa_helpers.mountain.noise import smooth_field
from lsa_helpers.grid import Grid

CRS = "EPSG:32648"
CELL = 12.5
CENTRE = (219_000.0, 3_278_000.0)  # Moxi town in EPSG:32648
BASE_LEVEL = 1150.0
# Cell size (m), steps and years per step: long at the coarse start, short after each doubling of
# the resolution.
STAGES = ((100.0, 60, 20_000.0), (50.0, 12, 10_000.0), (25.0, 5, 5_000.0), (12.5, 2, 2_500.0))
UPLIFT = 3e-3  # m/a
STEEPNESS = (
    75.0  # uplift / erodibility of granite: channel slope times (area in m²) ** AREA_EXPONENT
)
AREA_EXPONENT = 0.40


@dataclass(frozen=True)
class Terrain:
    """Elevation (m, float32) on `grid`, the geology on the same grid, and the grid itself."""

    grid: Grid
    elevation: np.ndarray
    geology: Geology


def make_terrain(
    width_m: float, height_m: float, seed: int, *, margin_m: float = 1500.0
) -> Terrain:
    """Simulate a mountain of the given size at 12.5 m.

    The border of the simulated ground is base level, so a margin is simulated around the area and
    cropped. The last steps fill what diffusion and roughness left closed: every cell reaches the
    border by its flow path.

    Parameters
    ----------
    width_m, height_m : float
        Size of the area; rounded to 100 m.
    seed : int
        Seed of every random choice.
    margin_m : float
        Width of the cropped margin.

    Returns
    -------
    Terrain

    Notes
    -----
    Sources: implicit stream power in O(n), Braun & Willett (2013),
    doi:10.1016/j.geomorph.2012.10.008; depression filling and drainage directions, Wang & Liu
    (2006), doi:10.1080/13658810500433453, through pyflwdir. Threshold hillslopes: Burbank et al.
    (1996), doi:10.1038/379505a0.
    """
    rng = np.random.default_rng([seed, 1])
    margin = 100.0 * round(margin_m / 100)
    width, height = (100.0 * round(size / 100) + 2 * margin for size in (width_m, height_m))
    left, bottom = (
        CELL * round((middle - size / 2) / CELL)
        for middle, size in zip(CENTRE, (width, height), strict=True)
    )
    bounds = (left, bottom, left + width, bottom + height)
    coarse = Grid.from_bounds(bounds, CRS, STAGES[0][0])
    geology = make_geology(coarse, rng)
    fine = Grid.from_bounds(bounds, CRS, CELL)
    elevation = _simulate(coarse, geology, rng)
    elevation = drainage(_finish(elevation, rng))[0]
    k = round(margin / CELL)
    grid = Grid.from_bounds(
        (bounds[0] + margin, bounds[1] + margin, bounds[2] - margin, bounds[3] - margin), CRS, CELL
    )
    codes = np.kron(geology.codes, np.ones((8, 8), np.uint8))[: fine.height, : fine.width]
    crop = (slice(k, -k), slice(k, -k))
    return Terrain(
        grid, BASE_LEVEL + elevation[crop].astype(np.float32), Geology(codes[crop], geology.faults)
    )


def _simulate(grid: Grid, geology: Geology, rng: np.random.Generator) -> np.ndarray:
    """Elevation above base level (m, float64) at 12.5 m after all stages."""
    uplift = UPLIFT * np.clip(
        1 + 0.32 * smooth_field(grid.shape, 100.0, 5000, rng, octaves=2), 0.35, 2.0
    )
    friction = np.array([36.0] + [ROCKS[code].friction for code in sorted(ROCKS)])[geology.codes]
    angle = (
        33
        + 0.8 * (ndimage.gaussian_filter(friction, 2) - 36)
        + 3.6 * smooth_field(grid.shape, 100.0, 1200, rng, octaves=3)
    )
    threshold = np.tan(np.deg2rad(np.clip(angle, 20, 45)))
    softness = np.array([1.0] + [ROCKS[code].erodibility for code in sorted(ROCKS)])
    erodibility = UPLIFT / STEEPNESS * ndimage.gaussian_filter(softness[geology.codes], 2)
    # Base level falls towards the east, where the trunk river of the region would flow.
    elevation = np.broadcast_to(
        30.0 * grid.cell_size / 1000 * np.arange(grid.width)[::-1], grid.shape
    ).astype(float)
    elevation = elevation + 240 * (
        3.75 + smooth_field(grid.shape, grid.cell_size, 5000, rng, octaves=6)
    )
    fields = [uplift, threshold, erodibility]
    for number, (cell, steps, years) in enumerate(STAGES):
        if number:
            elevation = _double(_warp(elevation, cell * 2, rng)) + 0.05 * cell * rng.random(
                [2 * size for size in elevation.shape]
            )
            fields = [
                _double(field)
                * np.exp(0.1 * rng.standard_normal([2 * size for size in field.shape]))
                for field in fields
            ]
        rho = 2 - rng.random(elevation.shape)
        for _ in range(steps):
            elevation = _step(elevation, *fields, rho, cell, years)
    return elevation


def _warp(elevation: np.ndarray, cell: float, rng: np.random.Generator) -> np.ndarray:
    """Bend the landscape a little: drainage keeps its shape, valleys lose the directions of the
    grid they were cut on.
    """
    shifts = []
    for _ in range(2):
        wide, narrow = (
            smooth_field(elevation.shape, cell, scale * cell, rng, octaves=2) for scale in (45, 10)
        )
        shifts.append(4.8 * wide + 1.2 * narrow)
    rows, columns = np.indices(elevation.shape)
    return ndimage.map_coordinates(
        elevation, [rows + shifts[0], columns + shifts[1]], order=1, mode="nearest"
    )


def _double(field: np.ndarray) -> np.ndarray:
    """The field at half the cell size, bilinear."""
    return ndimage.zoom(field, 2, order=1, mode="nearest", grid_mode=True)


def _step(elevation, uplift, threshold, erodibility, rho, cell: float, years: float) -> np.ndarray:
    """One time step: uplift, implicit incision and threshold slopes down the drainage tree, then
    hillslope diffusion.
    """
    flow = drainage(elevation, rho)[1]
    area = flow.upstream_area("cell").astype(float) * cell**2
    strength = erodibility * area**AREA_EXPONENT * years
    new = elevation + uplift * years
    new[[0, -1]], new[:, [0, -1]] = elevation[[0, -1]], elevation[:, [0, -1]]
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


def drainage(
    elevation: np.ndarray, rho: np.ndarray | None = None
) -> tuple[np.ndarray, pyflwdir.FlwdirRaster]:
    """Depression-filled elevation and its drainage: to the steepest lower neighbour, over flats as
    the filling floods them.

    pyflwdir alone drains to the *lowest* neighbour, which draws diagonal lines on even slopes.

    Parameters
    ----------
    elevation : ndarray, shape (rows, columns)
        Metres, without nodata; the border drains outwards.
    rho : ndarray, shape (rows, columns), optional
        Length of a diagonal step in cells, for each cell; √2 by default. Random values between 1
        and 2 free valleys from the eight directions of the grid (Rho8: Fairfield & Leymarie 1991,
        doi:10.1029/90WR02658).

    Returns
    -------
    filled : ndarray
    flow : pyflwdir.FlwdirRaster
    """
    filled, d8 = pyflwdir.dem.fill_depressions(elevation.astype(np.float32), outlets="edge")
    _steepest(filled, d8, np.full(elevation.shape, 2**0.5) if rho is None else rho)
    d8[[0, -1]], d8[:, [0, -1]] = 0, 0  # the filling lets border cells drain along the border
    return filled, pyflwdir.from_array(d8, ftype="d8", check_ftype=False)


@njit(cache=True)
def _steepest(elevation, d8, rho):
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
                    drop = drop / rho[i, j] if di != 0 and dj != 0 else drop
                    if drop > best:
                        best = drop
                        d8[i, j] = codes[di + 1, dj + 1]


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
        diagonal = abs(below - index) != 1 and abs(below - index) != columns
        factor = strength[index] / (cell * 1.4142135623730951 if diagonal else cell)
        height = (elevation[index] + factor * elevation[below]) / (1 + factor)
        beside = min(elevation[index - 1], elevation[index + 1])
        ahead = min(elevation[index - columns], elevation[index + columns])
        rise, gap = threshold[index] * cell, abs(beside - ahead)
        limit = min(beside, ahead) + rise
        if gap < rise:
            limit = (beside + ahead + (2 * rise**2 - gap**2) ** 0.5) / 2
        elevation[index] = min(height, limit)


def _finish(elevation: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Round the slopes where soil is deep, cut the streams through again, fill the valley floors
    with gravel, add roughness.
    """
    soil = np.clip(
        0.45 + 0.28 * smooth_field(elevation.shape, CELL, 1500, rng, octaves=3), 0.05, 0.9
    )
    elevation = (1 - soil) * elevation + soil * ndimage.gaussian_filter(
        elevation, 3.0, mode="nearest"
    )
    elevation = elevation + 1.6 * smooth_field(elevation.shape, CELL, 120, rng, octaves=3)
    nothing, anything = np.zeros(elevation.shape), np.full(elevation.shape, 5.0)
    elevation = _step(
        elevation,
        nothing,
        anything,
        np.full(elevation.shape, 4e-5),
        np.full(elevation.shape, 2**0.5),
        CELL,
        5_000.0,
    )
    flow = drainage(elevation)[1]
    area = flow.upstream_area("cell").astype(float).ravel() * CELL**2
    depth = np.where(area > 8e5, np.minimum(45.0, 5.0 * (area / 1e6) ** 0.5), 0.0)
    base, fill = np.zeros(elevation.size), np.zeros(elevation.size)
    _to_stream(flow.idxs_seq, flow.idxs_ds, elevation.ravel(), depth, base, fill)
    base, fill = base.reshape(elevation.shape), fill.reshape(elevation.shape)
    return np.maximum(elevation, base + 0.96 * fill + 0.04 * (elevation - base))


@njit(cache=True)
def _to_stream(order, receiver, elevation, depth, base, fill):
    """Give every cell the elevation and gravel depth of the stream cell it drains to. Changes
    `base` and `fill`.
    """
    for index in order:
        below = receiver[index]
        if depth[index] > 0 or below == index:
            base[index], fill[index] = elevation[index], depth[index]
        else:
            base[index], fill[index] = base[below], fill[below]
