"""Rainfall with an orographic gradient, and the shaking of a scenario earthquake with its
strong-motion stations.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer
from scipy import ndimage

from lsa_helpers.mountain.layers import Ground
from lsa_helpers.mountain.noise import smooth_field
from lsa_helpers.grid import Grid

MONTHLY_SHARE = np.array(
    [0.01, 0.015, 0.035, 0.07, 0.115, 0.17, 0.2, 0.175, 0.12, 0.06, 0.02, 0.01]
)
LONLAT_CELL = 1 / 120
MAGNITUDE = 6.8


@dataclass(frozen=True)
class Shaking:
    """True peak ground acceleration on the grid (fraction of g, float32) and the table of stations
    (lon, lat, pga in gal).
    """

    pga: np.ndarray
    stations: pd.DataFrame


def annual_rainfall(ground: Ground, rng: np.random.Generator) -> np.ndarray:
    """Annual rainfall on the grid in mm (float32): more in the east and up to about 3,000 m, smooth
    over a kilometre.
    """
    smooth = ndimage.gaussian_filter(ground.elevation, 900 / ground.grid.cell_size, mode="nearest")
    lift = np.minimum(smooth, 3000) + 0.2 * np.maximum(smooth - 3000, 0)
    eastward = (
        np.linspace(0, 1, ground.grid.width)[None]
        * ground.grid.width
        * ground.grid.cell_size
        / 25_000
    )
    wet = 28 * smooth_field(ground.grid.shape, ground.grid.cell_size, 5000, rng, octaves=2)
    return (620 + 0.21 * (lift - 1200) + 140 * eastward + wet).astype(np.float32)


def monthly_rainfall(
    annual: np.ndarray, grid: Grid, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Twelve months of rainfall on a 1/120° lattice that reaches about 5 km beyond the area.

    Returns
    -------
    rain : ndarray, shape (12, lat, lon)
        mm a month, float32.
    lat, lon : ndarray
        Cell centres in degrees (EPSG:4326), lat from north to south.
    """
    left, bottom, right, top = grid.bounds
    there = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
    west, south, east, north = there.transform_bounds(
        left - 5000, bottom - 5000, right + 5000, top + 5000
    )
    lon = (np.arange(np.floor(west / LONLAT_CELL), np.ceil(east / LONLAT_CELL)) + 0.5) * LONLAT_CELL
    lat = (
        np.arange(np.ceil(north / LONLAT_CELL), np.floor(south / LONLAT_CELL), -1) - 0.5
    ) * LONLAT_CELL
    back = Transformer.from_crs("EPSG:4326", grid.crs, always_xy=True)
    x, y = back.transform(*np.meshgrid(lon, lat))
    row, column = (top - y) / grid.cell_size - 0.5, (x - left) / grid.cell_size - 0.5
    year = ndimage.map_coordinates(annual, [row, column], order=1, mode="nearest")
    months = year[None] * MONTHLY_SHARE[:, None, None]
    return (months * (1 + 0.02 * rng.standard_normal(months.shape))).astype(np.float32), lat, lon


def make_shaking(ground: Ground, seed: int) -> Shaking:
    """A magnitude 6.8 earthquake on the main strand, recorded by stations inside and around the
    area.

    The median attenuates with the distance to the rupture, ln PGA(g) = −1.3 + 0.5 (M − 6) − 1.1
    ln((R² + h²)^½ / 10 km) with h = 8 km, a form like Boore & Atkinson (2008),
    doi:10.1193/1.2830434, with a smooth site term on top. Stations see it with their own site
    noise.

    Parameters
    ----------
    ground : Ground
        Gives the grid and the main strand.
    seed : int
        Seed of every random choice.
    """
    rng = np.random.default_rng([seed, 3])
    grid = ground.grid
    left, bottom, right, top = grid.bounds
    strand = ground.faults.geometry.iloc[0]
    start = rng.uniform(0.25, 0.45)
    rupture = shapely.ops.substring(strand, start, start + 0.35, normalized=True)
    site = smooth_field(grid.shape, grid.cell_size, 2500, rng, octaves=2)
    coarse = slice(4, None, 8)
    x, y = grid.centres()
    far = shapely.distance(rupture, shapely.points(*np.meshgrid(x[coarse], y[coarse])))
    far = ndimage.zoom(
        far, np.array(grid.shape) / far.shape, order=1, mode="nearest", grid_mode=True
    )
    pga = np.exp(_median(far) + 0.22 * site).astype(np.float32)
    size = max(right - left, top - bottom)
    inside = rng.uniform(0, 1, (max(5, round((right - left) * (top - bottom) / 3e7)), 2)) * [
        right - left,
        top - bottom,
    ] + [left, bottom]
    angle, radius = rng.uniform(0, 2 * np.pi, 14), size * 0.5 + rng.uniform(4_000, 60_000, 14)
    outside = (
        np.array([(left + right) / 2, (bottom + top) / 2])
        + np.column_stack([np.cos(angle), np.sin(angle)]) * radius[:, None]
    )
    points = np.vstack([inside, outside])
    level = _median(shapely.distance(rupture, shapely.points(points)))
    row, column = grid.rowcol(*inside.T)
    level[: len(inside)] += 0.22 * site[row, column]
    level += rng.normal(0, 0.12, len(points))
    lon, lat = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True).transform(*points.T)
    names = [f"51S{i:02d}" for i in range(1, len(points) + 1)]
    stations = pd.DataFrame(
        {
            "station": names,
            "lon": lon.round(4),
            "lat": lat.round(4),
            "pga": (np.exp(level) * 980.665).round(1),
        }
    )
    return Shaking(pga, stations)


def _median(distance: np.ndarray) -> np.ndarray:
    """Median of ln PGA (g) at a distance (m) from the rupture."""
    return -1.3 + 0.5 * (MAGNITUDE - 6) - 1.1 * np.log(np.hypot(distance / 1000, 8.0) / 10.0)
