"""Mountains whose valleys drain: stream-power incision from coarse to fine, soil and gravel."""

import numpy as np
import xarray as xr
from scipy import ndimage
from shapely.geometry import LineString

from lsa_helpers.mountain.erosion import drainage, erode
from lsa_helpers.mountain.geology import ROCKS, make_geology
from lsa_helpers.mountain.noise import smooth_field
from lsa_helpers.raster import cell_size, empty_grid, on_grid

CRS = "EPSG:32648"
CELL = 12.5  # m
CENTRE = (219_000.0, 3_278_000.0)  # Moxi town in EPSG:32648
BASE_LEVEL = 1150.0  # m
# Cell size (m), steps and years per step: long at the coarse start, short after each doubling of
# the resolution.
STAGES = ((100.0, 60, 20_000.0), (50.0, 12, 10_000.0), (25.0, 5, 5_000.0), (12.5, 2, 2_500.0))
UPLIFT = 3e-3  # m/a
STEEPNESS = 75.0  # uplift / erodibility of granite: channel slope times (area in m²)^0.4


def make_terrain(
    width_m: float, height_m: float, seed: int, *, margin_m: float = 1500.0
) -> tuple[xr.DataArray, np.ndarray, list[LineString]]:
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
    elevation : DataArray, dims (y, x), float32
        Metres; EPSG:32648.
    rocks : ndarray, shape (rows, columns), uint8
        Codes of `geology.ROCKS` before valleys are filled.
    faults : list of LineString
        The main strand first; EPSG:32648.
    """
    rng = np.random.default_rng([seed, 1])
    margin = 100.0 * round(margin_m / 100)
    width, height = (100.0 * round(size / 100) + 2 * margin for size in (width_m, height_m))
    left = CELL * round((CENTRE[0] - width / 2) / CELL)
    bottom = CELL * round((CENTRE[1] - height / 2) / CELL)
    bounds = (left, bottom, left + width, bottom + height)
    coarse = empty_grid(bounds, CRS, STAGES[0][0])
    rocks, faults = make_geology(coarse, rng)
    elevation = _finish(_simulate(coarse, rocks, rng), rng)
    cells = round(margin / CELL)
    inside = np.s_[cells:-cells, cells:-cells]
    bounds = (left + margin, bottom + margin, left + width - margin, bottom + height - margin)
    altitude = BASE_LEVEL + drainage(elevation)[0][inside]
    grid = empty_grid(bounds, CRS, CELL)
    rocks = rocks.repeat(8, axis=0).repeat(8, axis=1)[inside]
    return on_grid(altitude, grid, "elevation", "m", long_name="Altitude"), rocks, faults


def _simulate(grid: xr.DataArray, rocks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Elevation above base level (m, float64) at 12.5 m after all stages."""
    forcing = _forcing(grid, rocks, rng)
    # Base level falls towards the east, where the trunk river of the region would flow.
    eastward = 30.0 * cell_size(grid) / 1000 * np.arange(grid.sizes["x"])[::-1]
    relief = smooth_field(grid.shape, 5000 / cell_size(grid), rng, octaves=6)
    elevation = eastward + 240 * (3.75 + relief)
    for number, (cell, steps, years) in enumerate(STAGES):
        if number:
            elevation, *forcing = (
                ndimage.zoom(field, 2, order=1, mode="nearest", grid_mode=True)
                for field in (_warp(elevation, rng), *forcing)
            )
            elevation = elevation + 0.05 * cell * rng.random(elevation.shape)
            scatter = (np.exp(0.1 * rng.standard_normal(elevation.shape)) for _ in forcing)
            forcing = [field * factor for field, factor in zip(forcing, scatter, strict=True)]
        diagonal = 2 - rng.random(elevation.shape)
        for _ in range(steps):
            elevation = erode(elevation, *forcing, cell=cell, years=years, diagonal=diagonal)
    return elevation


def _forcing(
    grid: xr.DataArray, rocks: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Uplift (m/a), threshold gradient and erodibility on the coarse grid; weak rock is gentler."""
    cell = cell_size(grid)
    swell = 0.32 * smooth_field(grid.shape, 5000 / cell, rng, octaves=2)
    uplift = UPLIFT * np.clip(1 + swell, 0.35, 2.0)
    friction = ndimage.gaussian_filter(ROCKS["friction"].to_numpy()[rocks - 1], 2)
    scatter = 3.6 * smooth_field(grid.shape, 1200 / cell, rng, octaves=3)
    threshold = np.tan(np.deg2rad(np.clip(33 + 0.8 * (friction - 36) + scatter, 20, 45)))
    softness = ndimage.gaussian_filter(ROCKS["erodibility"].to_numpy()[rocks - 1], 2)
    return uplift, threshold, UPLIFT / STEEPNESS * softness


def _warp(elevation: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Bend the landscape a little: drainage keeps its shape, valleys lose the directions of the
    grid they were cut on.
    """
    shifts = []
    for _ in range(2):
        wide = smooth_field(elevation.shape, 45, rng, octaves=2)
        narrow = smooth_field(elevation.shape, 10, rng, octaves=2)
        shifts.append(4.8 * wide + 1.2 * narrow)
    rows, columns = np.indices(elevation.shape)
    moved = [rows + shifts[0], columns + shifts[1]]
    return ndimage.map_coordinates(elevation, moved, order=1, mode="nearest")


def _finish(elevation: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Round the slopes where soil is deep, add roughness, cut the streams through again and fill
    the valley floors with gravel.
    """
    depth = 0.28 * smooth_field(elevation.shape, 1500 / CELL, rng, octaves=3)
    soil = np.clip(0.45 + depth, 0.05, 0.9)
    rounded = ndimage.gaussian_filter(elevation, 3.0, mode="nearest")
    elevation = (1 - soil) * elevation + soil * rounded
    elevation = elevation + 1.6 * smooth_field(elevation.shape, 120 / CELL, rng, octaves=3)
    steep = np.full(elevation.shape, 5.0)
    elevation = erode(elevation, 0.0, steep, 4e-5, cell=CELL, years=5_000.0)
    flow = drainage(elevation)[1]
    area = flow.upstream_area("cell").astype(float) * CELL**2
    gravel = np.where(area > 8e5, np.minimum(45.0, 5.0 * (area / 1e6) ** 0.5), 0.0)
    # Elevation and gravel depth of the stream, or the border, that a cell drains to.
    stream = gravel > 0
    stream.flat[flow.idxs_pit] = True
    base = flow.fillnodata(np.where(stream, elevation, np.inf), np.inf, direction="up")
    fill = flow.fillnodata(np.where(stream, gravel, np.inf), np.inf, direction="up")
    return np.maximum(elevation, base + 0.96 * fill + 0.04 * (elevation - base))
