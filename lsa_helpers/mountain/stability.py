"""Where slopes fail: the true log-odds that a landslide starts in a cell."""

import numpy as np
import xarray as xr
from scipy import ndimage
from scipy.optimize import bisect
from scipy.special import expit

from lsa_helpers.mountain.geology import ROCKS
from lsa_helpers.mountain.landscape import LAND_COVER
from lsa_helpers.mountain.noise import smooth_field
from lsa_helpers.raster import cell_size

SOIL_DEPTH = 2.0  # m
SOIL_WEIGHT = 19.0  # kN/m³
WATER_WEIGHT = 9.81  # kN/m³
HIDDEN = 0.9  # standard deviation of the hidden field, in log-odds
LANDSLIDES_PER_KM2 = 2.95  # the paper's 923 landslides in 313 km²

Features = dict[str, dict[str, np.ndarray]]


def stability_features(layers: xr.Dataset, seed: int) -> Features:
    """What the slopes feel, grouped by the factor whose map carries it.

    A group may hold a cell's own value and values of its neighbourhood: the mean slope within 60 m
    belongs to ``slope``, the height above the surroundings within 300 m belongs to ``altitude``.

    Parameters
    ----------
    layers : Dataset, dims (y, x)
        The landscape's layers, with ``rain`` (mm a year) and ``pga`` (g).
    seed : int
        Seed of the hidden field.

    Returns
    -------
    dict
        Factor → name → float32 array of shape (rows, columns); also the group ``hidden``, which no
        factor carries.
    """
    rng = np.random.default_rng([seed, 4])
    cell = cell_size(layers)
    layer = {name: values.values for name, values in layers.items()}
    hidden = HIDDEN * smooth_field(layer["slope"].shape, 900 / cell, rng, octaves=4)
    roots = LAND_COVER["roots"].reindex(range(101), fill_value=0).to_numpy(np.float32)
    no_soil = np.isin(layer["cover"], (60, 100)).astype(np.float32)
    rocks = ROCKS[["cohesion", "friction"]].astype(np.float32)
    lithology = {name: rocks[name].to_numpy()[layer["rocks"] - 1] for name in rocks}
    return {
        **_relief_features(layer, cell),
        "distance_to_road": {"road": layer["road"]},
        "distance_to_river": {"river": layer["river"]},
        "distance_to_fault": {"fault": layer["fault"]},
        "lulc": {"roots": roots[layer["cover"]], "no_soil": no_soil},
        "ndvi": {"ndvi": layer["ndvi"]},
        "rainfall": {"rain": layer["rain"]},
        "lithology": lithology,
        "pga": {"pga": layer["pga"]},
        "hidden": {"hidden": hidden},
    }


def _relief_features(layer: dict[str, np.ndarray], cell: float) -> Features:
    """The groups of the factors that come from the DEM."""
    elevation = layer["elevation"]
    slope = layer["slope"]
    south = layer["south"]
    surroundings = ndimage.uniform_filter(elevation, round(600 / cell) + 1, mode="nearest")
    around = ndimage.uniform_filter(slope, round(120 / cell) | 1, mode="nearest")
    fall = np.maximum(np.tan(np.deg2rad(slope)), 0.02)
    twi = np.log(np.maximum(layer["catchment"], cell**2) / cell / fall)
    curve = ndimage.gaussian_laplace(elevation, 2.0, mode="nearest") / cell**2 * 100
    return {
        "altitude": {"stand": (elevation - surroundings) / 100},
        "slope": {"slope": slope, "around": around},
        "aspect": {"south": -south / np.maximum(np.hypot(south, layer["east"]), 1e-3)},
        "plan_curvature": {"curve": np.clip(curve, -3, 3)},
        "twi": {"twi": ndimage.gaussian_filter(twi, 1.0)},
    }


def stability_terms(features: Features) -> Features:
    """What enters the log-odds, each from one factor alone, so that terms of different cells can be
    mixed factor by factor.

    Parameters
    ----------
    features : dict
        As from `stability_features`; arrays of any one shape.

    Returns
    -------
    dict
        Factor → name → array of that shape; for all factors the truth uses, and ``hidden``.
    """
    f = {name: values for group in features.values() for name, values in group.items()}
    beta = np.deg2rad(np.clip(0.5 * (f["slope"] + f["around"]), 2, 65))
    # Very steep ground has lost its soil; water and ice cannot slide.
    bare = 2.2 * expit((f["slope"] - 50) / 3)
    steep = expit((f["around"] - 28) / 4)
    friction = np.tan(np.deg2rad(f["friction"]))
    return {
        "altitude": {"amplified": np.clip(1 + 0.35 * f["stand"], 0.6, 1.7)},
        "slope": {"sine": np.sin(beta), "cosine": np.cos(beta), "bare": bare, "steep": steep},
        "aspect": {"south": f["south"]},
        "plan_curvature": {"curve": 0.12 * f["curve"]},
        "twi": {"wet": 0.2 * (f["twi"] - 4)},
        "distance_to_road": {"road_cut": 2.4 * np.exp(-f["road"] / 150)},
        "distance_to_river": {"river_cut": 2.0 * np.exp(-f["river"] / 250)},
        "distance_to_fault": {"intact": 1 - 0.45 * np.exp(-f["fault"] / 900)},
        "lulc": {"roots": f["roots"], "no_soil": 4.0 * f["no_soil"]},
        "ndvi": {"green": np.clip(f["ndvi"], 0, 1)},
        "rainfall": {"rain": 0.0012 * (f["rain"] - 900)},
        "lithology": {"cohesion": f["cohesion"], "friction": friction},
        "pga": {"shaking": 0.55 * f["pga"]},
        "hidden": {"hidden": f["hidden"]},
    }


def core_log_odds(terms: Features) -> np.ndarray:
    """The infinite slope's share of the log-odds, −8 ln FS − bare ground: all but cuts and hidden
    field.

    Parameters
    ----------
    terms : dict
        As from `stability_terms`; values that broadcast.

    Returns
    -------
    ndarray
    """
    t = {name: values for group in terms.values() for name, values in group.items()}
    cohesion = t["cohesion"] * t["intact"] + t["roots"] * t["green"]
    wet = np.clip(t["wet"] + t["rain"] + t["curve"] - 0.06 * t["south"] + 0.25, 0, 1)
    k = t["shaking"] * t["amplified"] * (1 + 0.1 * t["south"])
    sine, cosine = t["sine"], t["cosine"]
    normal = cosine * cosine * (1 - wet * (WATER_WEIGHT / SOIL_WEIGHT)) - k * sine * cosine
    resisting = cohesion / (SOIL_WEIGHT * SOIL_DEPTH) + normal * t["friction"]
    safety = np.maximum(resisting, 0.02) / (sine * cosine + k * cosine * cosine)
    return -8.0 * np.log(safety) - t["bare"] - t["no_soil"]


def log_odds(features: Features) -> np.ndarray:
    """Log-odds that a landslide starts in a cell, up to a constant.

    A pseudo-static infinite slope gives the core: FS = [c / (γ z) + (cos²β (1 − m γw / γ) − k sinβ
    cosβ) tanφ] / [sinβ cosβ + k cos²β] with wetness m from TWI and rainfall, cohesion c from rock,
    weathering near faults and roots, and k from the acceleration, amplified on ground that stands
    above its surroundings. Road cuts and river banks add to it only where the slope around is
    steep: log-odds = −8 ln FS + cuts − bare ground + hidden field.

    Parameters
    ----------
    features : dict
        As from `stability_features`; arrays of any one shape.

    Returns
    -------
    ndarray, float32

    Notes
    -----
    **Sources**: infinite slope, Skempton & DeLory (1957); seismic coefficient, Newmark (1965),
    doi:10.1680/geot.1965.15.2.139; ridge amplification of coseismic landslides, Meunier et al.
    (2008), doi:10.1016/j.epsl.2008.07.020.
    """
    terms = stability_terms(features)
    cuts = terms["distance_to_road"]["road_cut"] + terms["distance_to_river"]["river_cut"]
    odds = core_log_odds(terms) + cuts * terms["slope"]["steep"] + terms["hidden"]["hidden"]
    return odds.astype(np.float32)


def source_probability(odds: np.ndarray, cell: float, *, unknown: float = 0.0) -> np.ndarray:
    """Probability that a landslide starts in a cell, for the paper's number of landslides a km².

    Parameters
    ----------
    odds : ndarray, float32
        Log-odds up to a constant.
    cell : float
        Edge of a cell, m.
    unknown : float
        Standard deviation of a normal part that `odds` lack. It is integrated out by Gauss–Hermite
        quadrature, p = Σ wᵢ expit(odds + constant + unknown · zᵢ) with nine nodes.

    Returns
    -------
    ndarray, float64
        Sums to 2.95 landslides a km².
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(9 if unknown else 1)

    def probability(constant: float) -> np.ndarray:
        parts = zip(nodes, weights / weights.sum(), strict=True)
        return sum(weight * expit(odds + (constant + unknown * node)) for node, weight in parts)

    odds = odds.astype(float)
    wanted = LANDSLIDES_PER_KM2 * cell**2 / 1e6
    return probability(
        bisect(lambda shift: probability(shift).mean() - wanted, -40, 20, xtol=1e-15)
    )
