"""One mountain in memory: terrain, layers, shaking, true probability and landslides from one seed."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np

from lsa_helpers.mountain.climate import Shaking, annual_rainfall, make_shaking
from lsa_helpers.mountain.landslides import cover_probability, covered, make_landslides
from lsa_helpers.mountain.layers import Ground, make_ground
from lsa_helpers.mountain.stability import (
    auc,
    effects,
    features_of,
    flat,
    log_odds,
    source_probability,
)
from lsa_helpers.mountain.terrain import make_terrain


@dataclass(frozen=True)
class Mountain:
    """Ground, rain (mm a year), shaking, probability of lying in a landslide, landslides, old scars
    and the true effects.
    """

    ground: Ground
    rain: np.ndarray
    shaking: Shaking
    probability: np.ndarray
    landslides: gpd.GeoDataFrame
    scars: gpd.GeoDataFrame
    effects: dict[str, float]


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
        `effects` also holds ``ceiling_auc``: how well the true probability itself ranks the cells,
        the best any map can do.
    """
    terrain = make_terrain(width_km * 1000, height_km * 1000, seed, margin_m=margin_m)
    ground = make_ground(terrain, seed)
    shaking = make_shaking(ground, seed)
    rain = annual_rainfall(ground, np.random.default_rng([seed, 5]))
    groups = features_of(ground, rain, shaking, seed)
    source, _ = source_probability(log_odds(flat(groups)), ground.grid.cell_area_km2)
    landslides = make_landslides(ground, source, np.random.default_rng([seed, 6]), density=density)
    scars = make_landslides(
        ground,
        source**0.7 * source.sum() / (source**0.7).sum(),
        np.random.default_rng([seed, 7]),
        density=0.6,
    )
    probability = cover_probability(ground, source * density, np.random.default_rng([seed, 8]))
    shares = effects(groups, log_odds, np.random.default_rng([seed, 9]))
    ceiling = auc(probability, covered(landslides, ground.grid))
    return Mountain(
        ground,
        rain,
        shaking,
        probability,
        landslides,
        scars,
        shares | {"ceiling_auc": round(ceiling, 4)},
    )
