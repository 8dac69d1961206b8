"""Rainfall with an orographic gradient, and the shaking of a scenario earthquake with its
strong-motion stations.
"""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import xarray as xr
from pyproj import Transformer
from scipy import ndimage

from lsa_helpers.mountain.noise import smooth_field
from lsa_helpers.raster import cell_size, rowcol

MONTHLY_SHARE = np.array(
    [0.01, 0.015, 0.035, 0.07, 0.115, 0.17, 0.2, 0.175, 0.12, 0.06, 0.02, 0.01]
)
LONLAT_CELL = 1 / 120  # degrees
MAGNITUDE = 6.8
GRAVITY = 980.665  # gal
SITE = 0.22  # standard deviation of the site term of ln PGA that varies in space


def annual_rainfall(layers: xr.Dataset, rng: np.random.Generator) -> np.ndarray:
    """Annual rainfall: more in the east and up to about 3,000 m, smooth over a kilometre.

    Parameters
    ----------
    layers : Dataset, dims (y, x)
        With ``elevation`` (m).
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray, shape (rows, columns), float32
        mm a year.
    """
    cell = cell_size(layers)
    height, width = layers.elevation.shape
    smooth = ndimage.gaussian_filter(layers.elevation.values, 900 / cell, mode="nearest")
    lift = np.minimum(smooth, 3000) + 0.2 * np.maximum(smooth - 3000, 0)
    eastward = np.linspace(0, 1, width)[None] * width * cell / 25_000
    wet = 28 * smooth_field((height, width), 5000 / cell, rng, octaves=2)
    return (620 + 0.21 * (lift - 1200) + 140 * eastward + wet).astype(np.float32)


def monthly_rainfall(annual: xr.DataArray, rng: np.random.Generator) -> xr.DataArray:
    """Twelve months of rainfall on a 1/120° lattice that reaches about 5 km beyond the area.

    Parameters
    ----------
    annual : DataArray, dims (y, x)
        mm a year; CRS in metres.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    DataArray, dims (time, lat, lon), float32
        mm a month; cell centres in degrees (EPSG:4326), lat from north to south.
    """
    left, bottom, right, top = annual.rio.bounds()
    around = (left - 5000, bottom - 5000, right + 5000, top + 5000)
    to_metres = Transformer.from_crs("EPSG:4326", annual.rio.crs, always_xy=True)
    west, south, east, north = (
        edge / LONLAT_CELL for edge in to_metres.transform_bounds(*around, direction="INVERSE")
    )
    lon = (np.arange(np.floor(west), np.ceil(east)) + 0.5) * LONLAT_CELL
    lat = (np.arange(np.ceil(north), np.floor(south), -1) - 0.5) * LONLAT_CELL
    x, y = to_metres.transform(*np.meshgrid(lon, lat))
    cell = cell_size(annual)
    cells = [(top - y) / cell - 0.5, (x - left) / cell - 0.5]
    year = ndimage.map_coordinates(annual.values, cells, order=1, mode="nearest")
    months = year[None] * MONTHLY_SHARE[:, None, None]
    months = (months * (1 + 0.02 * rng.standard_normal(months.shape))).astype(np.float32)
    return xr.DataArray(months, {"time": np.arange(12), "lat": lat, "lon": lon})


def make_shaking(
    layers: xr.Dataset, faults: gpd.GeoDataFrame, seed: int
) -> tuple[np.ndarray, pd.DataFrame]:
    """A magnitude 6.8 earthquake on the main strand, recorded by stations in and around the area.

    The median attenuates with the distance R to the rupture, ln PGA(g) = −1.3 + 0.5 (M − 6) − 1.1
    ln((R² + h²)^½ / 10 km) with h = 8 km, with a smooth site term on top. Stations see it with
    their own site noise.

    Parameters
    ----------
    layers : Dataset, dims (y, x)
        Gives the grid; CRS in metres.
    faults : GeoDataFrame
        The main strand first.
    seed : int
        Seed of every random choice.

    Returns
    -------
    pga : ndarray, shape (rows, columns), float32
        True peak ground acceleration as a fraction of g.
    stations : DataFrame
        station, lon, lat (degrees), pga (gal).

    Notes
    -----
    **Source**: a form like Boore & Atkinson (2008), doi:10.1193/1.2830434.
    """
    rng = np.random.default_rng([seed, 3])
    shape = layers.elevation.shape
    start = rng.uniform(0.25, 0.45)
    rupture = shapely.ops.substring(faults.geometry.iloc[0], start, start + 0.35, normalized=True)
    site = smooth_field(shape, 2500 / cell_size(layers), rng, octaves=2)
    # The distance is smooth: one cell in eight is enough.
    x, y = np.meshgrid(layers.x.values[4::8], layers.y.values[4::8])
    distance = shapely.distance(rupture, shapely.points(x, y))
    zoom = np.array(shape) / distance.shape
    distance = ndimage.zoom(distance, zoom, order=1, mode="nearest", grid_mode=True)
    pga = np.exp(_median_log_pga(distance) + SITE * site).astype(np.float32)
    inside, outside = _station_sites(layers.rio.bounds(), rng)
    sites = np.vstack([inside, outside])
    level = _median_log_pga(shapely.distance(rupture, shapely.points(sites)))
    level[: len(inside)] += SITE * site[rowcol(layers, *inside.T)]
    level += rng.normal(0, 0.12, len(sites))
    to_degrees = Transformer.from_crs(layers.rio.crs, "EPSG:4326", always_xy=True)
    lon, lat = to_degrees.transform(*sites.T)
    names = [f"51S{i:02d}" for i in range(1, len(sites) + 1)]
    measured = (np.exp(level) * GRAVITY).round(1)
    return pga, pd.DataFrame(
        {"station": names, "lon": lon.round(4), "lat": lat.round(4), "pga": measured}
    )


def _station_sites(bounds, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 2) in metres: stations inside the area, one in 30 km², and 14 around it."""
    left, bottom, right, top = bounds
    size = np.array([right - left, top - bottom])
    inside = rng.uniform(0, 1, (max(5, round(size.prod() / 3e7)), 2)) * size + [left, bottom]
    angle = rng.uniform(0, 2 * np.pi, 14)
    radius = size.max() * 0.5 + rng.uniform(4_000, 60_000, 14)
    centre = np.array([(left + right) / 2, (bottom + top) / 2])
    around = np.column_stack([np.cos(angle), np.sin(angle)]) * radius[:, None]
    return inside, centre + around


def _median_log_pga(distance: np.ndarray) -> np.ndarray:
    """Median of ln PGA (g) at a distance (m) from the rupture."""
    return -1.3 + 0.5 * (MAGNITUDE - 6) - 1.1 * np.log(np.hypot(distance / 1000, 8.0) / 10.0)
