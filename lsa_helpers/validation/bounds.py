"""How well the simulated mountain's cells can be ranked: by who knows all (the oracle), and by who
knows the rules but sees only the factors (the reachable bound).
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from rasterio.enums import Resampling
from scipy.ndimage import distance_transform_edt
from sklearn.metrics import roc_auc_score

from lsa_helpers.errors import StageError
from lsa_helpers.mountain.climate import GRAVITY
from lsa_helpers.mountain.erosion import drainage
from lsa_helpers.mountain.landscape import relief_layers
from lsa_helpers.mountain.landslides import landslide_ids, make_landslides
from lsa_helpers.mountain.runout import landslide_probability
from lsa_helpers.mountain.stability import (
    HIDDEN,
    log_odds,
    source_probability,
    stability_features,
)
from lsa_helpers.raster import cell_size, known_cells, on_grid

# What the true rules read, besides the relief, and the factor that shows it.
SHOWN_BY = {
    "road": "distance_to_road",
    "river": "distance_to_river",
    "fault": "distance_to_fault",
    "cover": "lulc",
    "ndvi": "ndvi",
    "rain": "rainfall",
    "rocks": "lithology",
    "pga": "pga",
}


def unseen_factors(factors: xr.Dataset) -> list[str]:
    """Factors that the true rules need and `factors` lack."""
    return [name for name in ("altitude", *SHOWN_BY.values()) if name not in factors]


def reachable_probability(factors: xr.Dataset, seed: int) -> xr.DataArray:
    """Probability of lying in a landslide for who knows the mountain's rules and sees the factors.

    The true rules are fed with the layers that models get: the relief, its curvature and wetness
    come from the factor altitude, all else from its own factor with its coarse cells, its wrong
    classes and its interpolation (the shaking, from stations). The hidden field, which no factor
    shows, is integrated out, and landslides run out as the true ones do.

    `probability.tif`, the *oracle*, also knows the hidden field and the true shaking: no model can
    reach it.

    Parameters
    ----------
    factors : Dataset, dims (y, x)
        All but those of `unseen_factors`, in their units.
    seed : int
        Seed of the landslides that the mean run-out is taken from.

    Returns
    -------
    DataArray, dims (y, x)
        float32 ``reachable``; NaN where a factor is unknown.

    Raises
    ------
    StageError
        When a factor that the rules need is not there.

    Notes
    -----
    The bound takes what the factors show at its word; it is no mathematical maximum. Where a factor
    is biased on one mountain (nearly always the interpolated shaking), a model fitted to that
    mountain's own landslides may learn the bias. Boosted trees that start from this very map and
    correct it, tested on blocks they did not see, gained 0.002 to 0.003 of AUC on three mountains
    of 48 km² and lost 0.009 on a fourth; by themselves they stayed 0.02 to 0.07 below it.
    """
    if missing := unseen_factors(factors):
        raise StageError(f"the reachable bound needs the factors {', '.join(missing)}")
    layers = _observed_layers(factors)
    features = stability_features(layers, seed)
    features["hidden"] = {"hidden": np.zeros(layers["slope"].shape, np.float32)}
    source = source_probability(log_odds(features), cell_size(layers), unknown=HIDDEN)
    probability = landslide_probability(layers, source, np.random.default_rng([seed, 8]))
    reachable = on_grid(probability, layers, "reachable")
    return reachable.where(known_cells(factors))


def _observed_layers(factors: xr.Dataset) -> xr.Dataset:
    """The mountain's layers as the factors show them, without gaps."""
    layers = relief_layers(_without_gaps(factors["altitude"], factors))
    upstream = drainage(layers["elevation"].values)[1].upstream_area("cell").astype(np.float32)
    layers["catchment"] = on_grid(upstream * cell_size(factors) ** 2, factors, "catchment", "m2")
    for layer, factor in SHOWN_BY.items():
        layers[layer] = _without_gaps(factors[factor], factors)
    layers["pga"] = layers["pga"] / GRAVITY
    return layers.assign({name: layers[name].astype(np.uint8) for name in ("cover", "rocks")})


def _without_gaps(factor: xr.DataArray, factors: xr.Dataset) -> xr.DataArray:
    """A factor whose cells outside the known ones take the value of the nearest known one."""
    unknown = ~known_cells(factors).values
    nearest = distance_transform_edt(unknown, return_distances=False, return_indices=True)
    return factor.copy(data=factor.values[tuple(nearest)])


def redrawn_scores(
    maps: Mapping[str, xr.DataArray],
    source: xr.DataArray,
    factors: xr.Dataset,
    *,
    seed: int,
    count: int = 10,
) -> pd.DataFrame:
    """AUC of maps for inventories drawn anew on the same mountain: what chance does to a score.

    Parameters
    ----------
    maps : mapping
        Name → map, dims (y, x), on the cells of `factors`.
    source : DataArray, dims (y, x)
        ``source.tif``: true probability that a landslide starts in a cell.
    factors : Dataset, dims (y, x)
        With the altitude; scored are the cells where all factors and maps are known.
    seed : int
        Of the inventories.
    count : int
        How many are drawn.

    Returns
    -------
    DataFrame
        One row per inventory: ``landslides``, their number, and one column per map.
    """
    layers = relief_layers(_without_gaps(factors["altitude"], factors))
    starts = source.rio.reproject_match(layers, resampling=Resampling.nearest, nodata=0.0).values
    starts = starts * (cell_size(factors) / cell_size(source)) ** 2
    rasters = [factors.to_dataarray("band").sum("band", skipna=False), *maps.values()]
    known = np.logical_and.reduce([np.isfinite(raster.values) for raster in rasters])
    rows = []
    for number in range(count):
        inventory = make_landslides(layers, starts, np.random.default_rng([seed, 12, number]))
        ids = landslide_ids(inventory, layers.rio.transform(), known.shape)
        scores = {
            name: roc_auc_score(ids[known] > 0, raster.values[known])
            for name, raster in maps.items()
        }
        rows.append({"landslides": len(inventory), **scores})
    return pd.DataFrame(rows)
