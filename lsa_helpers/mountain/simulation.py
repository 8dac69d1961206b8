"""One mountain in memory: layers, shaking, true probability and landslides from one seed."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr

from lsa_helpers.mountain.climate import annual_rainfall, make_shaking
from lsa_helpers.mountain.landscape import make_landscape
from lsa_helpers.mountain.landslides import make_landslides
from lsa_helpers.mountain.runout import landslide_probability
from lsa_helpers.mountain.stability import log_odds, source_probability, stability_features
from lsa_helpers.mountain.terrain import make_terrain
from lsa_helpers.raster import cell_size, on_grid


@dataclass(frozen=True)
class Mountain:
    """A mountain with known landslides; everything in EPSG:32648.

    Parameters
    ----------
    layers : Dataset, dims (y, x)
        As from `landscape.make_landscape`, with ``rain`` (mm a year) and ``pga`` (g).
    lines : dict of GeoDataFrame
        ``rivers``, ``roads``, ``faults``.
    stations : DataFrame
        Strong-motion stations: station, lon, lat, pga (gal).
    source, probability : DataArray, dims (y, x)
        Probability that a landslide starts in a cell, and that the cell lies in one.
    landslides, scars : GeoDataFrame
        id, area_m2, direction, geometry; scars are older ones that only look like landslides.
    """

    layers: xr.Dataset
    lines: dict[str, gpd.GeoDataFrame]
    stations: pd.DataFrame
    source: xr.DataArray
    probability: xr.DataArray
    landslides: gpd.GeoDataFrame
    scars: gpd.GeoDataFrame


def make_mountain(
    width_km: float, height_km: float, seed: int, *, density: float = 1.0, margin_m: float = 1500.0
) -> Mountain:
    """Simulate a mountain with its landslides.

    Parameters
    ----------
    width_km, height_km : float
        Size of the area in km.
    seed : int
        Seed of every random choice.
    density : float
        Factor on the number of landslides (1: the paper's 2.95 a km²).
    margin_m : float
        Simulated and cropped around the area, m.

    Returns
    -------
    Mountain
    """
    terrain = make_terrain(width_km * 1000, height_km * 1000, seed, margin_m=margin_m)
    layers, lines = make_landscape(*terrain, seed)
    pga, stations = make_shaking(layers, lines["faults"], seed)
    layers["pga"] = on_grid(pga, layers, "pga", "g")
    rain = annual_rainfall(layers, np.random.default_rng([seed, 5]))
    layers["rain"] = on_grid(rain, layers, "rain", "mm")
    source = source_probability(log_odds(stability_features(layers, seed)), cell_size(layers))
    source = source * density
    landslides = make_landslides(layers, source, np.random.default_rng([seed, 6]))
    scar_source = 0.6 * source**0.7 * source.sum() / (density * (source**0.7).sum())
    scars = make_landslides(layers, scar_source, np.random.default_rng([seed, 7]))
    probability = landslide_probability(layers, source, np.random.default_rng([seed, 8]))
    source, probability = (
        on_grid(values, layers, name)
        for name, values in (("source", source), ("probability", probability))
    )
    return Mountain(layers, lines, stations, source, probability, landslides, scars)
