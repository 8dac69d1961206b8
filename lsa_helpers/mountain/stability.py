"""Where slopes fail: the true log-odds of a landslide's source, and each factor's share of their
variance.
"""

from collections.abc import Callable

import numpy as np
from scipy import ndimage
from scipy.special import expit
from scipy.stats import rankdata

from lsa_helpers.mountain.climate import Shaking
from lsa_helpers.mountain.geology import ROCKS
from lsa_helpers.mountain.layers import Ground
from lsa_helpers.mountain.noise import smooth_field

FACTORS = (
    "altitude",
    "slope",
    "aspect",
    "plan_curvature",
    "profile_curvature",
    "twi",
    "tri",
    "distance_to_road",
    "distance_to_river",
    "distance_to_fault",
    "lulc",
    "ndvi",
    "rainfall",
    "lithology",
    "pga",
)
SOIL_DEPTH = 2.0  # m
SOIL_WEIGHT = 19.0  # kN/m³
# Extra cohesion by roots (kPa) for each land cover at full vegetation.
ROOTS = {10: 1.0, 20: 8.0, 30: 2.5, 40: 5.0, 50: 2.0, 60: 0.0, 80: 0.0, 90: 0.0, 100: 0.0}
HIDDEN = 0.9  # standard deviation of the hidden field, in log-odds
SLOPES_PER_KM2 = 2.95  # the paper's 923 landslides in 313 km²


def features_of(
    ground: Ground, rain: np.ndarray, shaking: Shaking, seed: int
) -> dict[str, dict[str, np.ndarray]]:
    """What the slopes feel, grouped by the factor whose map carries it.

    A group may hold a cell's own value and values of its neighbourhood: the mean slope within 60 m
    and the slope 100 m uphill belong to `slope`, the height above the surroundings within 300 m
    belongs to `altitude`.

    Returns
    -------
    dict
        Factor → name → float32 array of shape (rows, columns); also the group ``hidden``, which no
        factor carries.
    """
    rng = np.random.default_rng([seed, 4])
    cell = ground.grid.cell_size
    smooth = ndimage.uniform_filter(ground.elevation, round(600 / cell) + 1, mode="nearest")
    twi = np.log(
        np.maximum(ground.area, cell**2) / cell / np.maximum(np.tan(np.deg2rad(ground.slope)), 0.02)
    )
    curve = ndimage.gaussian_laplace(ground.elevation, 2.0, mode="nearest") / cell**2 * 100
    rocks = {
        name: np.array([0] + [getattr(ROCKS[code], name) for code in sorted(ROCKS)], np.float32)
        for name in ("cohesion", "friction")
    }
    roots = np.zeros(101, np.float32)
    roots[list(ROOTS)] = list(ROOTS.values())
    hidden = smooth_field(ground.grid.shape, cell, 900, rng, octaves=4)
    return {
        "altitude": {"stand": (ground.elevation - smooth) / 100},
        "slope": {
            "slope": ground.slope,
            "around": ndimage.uniform_filter(ground.slope, round(120 / cell) | 1, mode="nearest"),
        },
        "aspect": {"south": -ground.south / np.maximum(np.hypot(ground.south, ground.east), 1e-3)},
        "plan_curvature": {"curve": np.clip(curve, -3, 3)},
        "twi": {"twi": ndimage.gaussian_filter(twi, 1.0)},
        "distance_to_road": {"road": ground.road},
        "distance_to_river": {"river": ground.river},
        "distance_to_fault": {"fault": ground.fault},
        "lulc": {
            "roots": roots[ground.cover],
            "no_soil": np.isin(ground.cover, (60, 100)).astype(np.float32),
        },
        "ndvi": {"ndvi": ground.ndvi},
        "rainfall": {"rain": rain},
        "lithology": {name: values[ground.rocks] for name, values in rocks.items()},
        "pga": {"pga": shaking.pga},
        "hidden": {"hidden": HIDDEN * hidden},
    }


def log_odds(f: dict[str, np.ndarray]) -> np.ndarray:
    """Log-odds of a landslide's source, up to a constant, from the features of `features_of` (flat:
    name → array).

    A pseudo-static infinite slope gives the core: FS = [c / (γ z) + (cos²β (1 − m γw / γ) − k sinβ
    cosβ) tanφ] / [sinβ cosβ + k cos²β] with wetness m from TWI and rainfall, cohesion c from rock,
    weathering near faults and roots, and k from the acceleration, amplified on ground that stands
    above its surroundings. Road cuts and river banks add to it only where the slope around is
    steep.

    Notes
    -----
    Sources: infinite slope, Skempton & DeLory (1957); seismic coefficient, Newmark (1965),
    doi:10.1680/geot.1965.15.2.139; ridge amplification of coseismic landslides, Meunier et al.
    (2008), doi:10.1016/j.epsl.2008.07.020.
    """
    beta = np.deg2rad(np.clip(0.5 * (f["slope"] + f["around"]), 2, 65))
    sine, cosine = np.sin(beta), np.cos(beta)
    damage = np.exp(-f["fault"] / 900)
    cohesion = f["cohesion"] * (1 - 0.45 * damage) + f["roots"] * np.clip(f["ndvi"], 0, 1)
    wet = np.clip(
        0.2 * (f["twi"] - 4)
        + 0.0012 * (f["rain"] - 900)
        + 0.12 * f["curve"]
        - 0.06 * f["south"]
        + 0.25,
        0,
        1,
    )
    k = 0.55 * f["pga"] * np.clip(1 + 0.35 * f["stand"], 0.6, 1.7) * (1 + 0.1 * f["south"])
    resisting = cohesion / (SOIL_WEIGHT * SOIL_DEPTH) + (
        cosine**2 * (1 - wet * 9.81 / SOIL_WEIGHT) - k * sine * cosine
    ) * np.tan(np.deg2rad(f["friction"]))
    safety = np.maximum(resisting, 0.02) / (sine * cosine + k * cosine**2)
    steep = expit((f["around"] - 28) / 4)
    cuts = 2.4 * np.exp(-f["road"] / 150) * steep + 2.0 * np.exp(-f["river"] / 250) * steep
    # Very steep ground has lost its soil; water and ice cannot slide.
    bare = 2.2 * expit((f["slope"] - 50) / 3) + 4.0 * f["no_soil"]
    return (-8.0 * np.log(safety) + cuts - bare + f["hidden"]).astype(np.float32)


def flat(groups: dict[str, dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """All features of all groups by their own names."""
    return {name: values for group in groups.values() for name, values in group.items()}


def source_probability(odds: np.ndarray, cell_area_km2: float) -> tuple[np.ndarray, float]:
    """Probability that a landslide starts in a cell, with the constant that makes the expected
    number right.

    Returns
    -------
    probability : ndarray
        Float64, sums to 2.95 landslides a km².
    constant : float
        What was added to `odds`.
    """
    wanted = SLOPES_PER_KM2 * cell_area_km2
    low, high = -40.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if expit(odds + middle).mean() < wanted else (low, middle)
    return expit(odds.astype(float) + middle), middle


def effects(
    groups: dict[str, dict[str, np.ndarray]],
    model: Callable,
    rng: np.random.Generator,
    *,
    cells: int = 4000,
    orders: int = 12,
) -> dict[str, float]:
    """Share of the variance of the true log-odds that each factor carries; sums to 1 over the
    factors and ``hidden``.

    Shapley values of `model` are taken at random cells against other random cells, absent factors
    being replaced by those of the other cell. They add up to the log-odds, so the covariances of
    each factor's values with the log-odds add up to the variance: share = cov(value, log-odds) /
    var(log-odds). Factors that the truth does not use have share 0.

    Notes
    -----
    Sources: Štrumbelj & Kononenko (2014), doi:10.1007/s10115-013-0679-x; covariance shares as in
    Owen & Prieur (2017), doi:10.1137/16M1097717, who discuss Shapley effects under dependence.
    """
    size = next(iter(flat(groups).values())).size
    here = rng.integers(size, size=cells)
    names = list(groups)
    taken = {
        group: {name: values.flat[here] for name, values in content.items()}
        for group, content in groups.items()
    }
    total = model(flat(taken)).astype(float)
    values = {name: np.zeros(cells) for name in names}
    for _ in range(orders):
        there = rng.integers(size, size=cells)
        mixed = {
            group: {name: field.flat[there] for name, field in content.items()}
            for group, content in groups.items()
        }
        order = rng.permutation(names)
        before = model(flat(mixed)).astype(float)
        for name in order:
            mixed[name] = taken[name]
            after = model(flat(mixed)).astype(float)
            values[name] += (after - before) / orders
            before = after
    # What is left of the mean over the other cells does not depend on the cell; it cancels in
    # expectation.
    shares = {name: float(np.cov(value, total)[0, 1]) for name, value in values.items()}
    scale = sum(shares.values())
    return {name: round(shares.get(name, 0.0) / scale, 4) for name in (*FACTORS, "hidden")}


def auc(score: np.ndarray, truth: np.ndarray) -> float:
    """Area under the ROC curve of `score` for the cells where `truth` is true (ties count half)."""
    score, truth = np.ravel(score), np.ravel(truth).astype(bool)
    positives = int(truth.sum())
    ranks = rankdata(score)[truth].sum() - positives * (positives + 1) / 2
    return float(ranks / (positives * (truth.size - positives)))
