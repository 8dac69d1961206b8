"""How much each factor truly counts: its share of the variance of the true log-odds."""

from collections.abc import Callable

import numpy as np

from lsa_helpers.mountain.stability import Features

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


def covariance_shares(
    features: Features,
    log_odds: Callable[[Features], np.ndarray],
    rng: np.random.Generator,
    *,
    cells: int = 4000,
    orders: int = 12,
) -> dict[str, float]:
    """Share of the variance of the true log-odds that each factor carries.

    Shapley values φ of the log-odds are taken at random cells against other random cells, absent
    factors being replaced by those of the other cell. They add up to the log-odds, so their
    covariances with it add up to its variance: share = cov(φ, log-odds) / Σ cov. A share may be
    negative; with dependent factors it is not the importance that a mean of ``|φ|`` ranks.

    Parameters
    ----------
    features : dict
        As from `stability_features`: factor → name → array (rows, columns).
    log_odds : callable
        From features to the log-odds.
    rng : numpy.random.Generator
        Source of randomness.
    cells, orders : int
        Cells explained; random orders of the factors, each against another random cell.

    Returns
    -------
    dict
        Factor → share, rounded to 4 digits; sums to 1 over the factors and ``hidden``. Factors that
        the truth does not use have share 0.

    Notes
    -----
    **Sources**: Štrumbelj & Kononenko (2014), doi:10.1007/s10115-013-0679-x; covariance shares as
    in Owen & Prieur (2017), doi:10.1137/16M1097717, who discuss Shapley effects under dependence.
    """
    n_cells = next(iter(features["slope"].values())).size
    explained = _at_cells(features, rng.integers(n_cells, size=cells))
    names = list(features)
    shapley = {name: np.zeros(cells) for name in names}
    for _ in range(orders):
        mixed = _at_cells(features, rng.integers(n_cells, size=cells))
        order = rng.permutation(names)
        before = log_odds(mixed).astype(float)
        for name in order:
            mixed[name] = explained[name]
            after = log_odds(mixed).astype(float)
            shapley[name] += (after - before) / orders
            before = after
    total = log_odds(explained).astype(float)
    covariance = {name: float(np.cov(value, total)[0, 1]) for name, value in shapley.items()}
    scale = sum(covariance.values())
    return {name: round(covariance.get(name, 0.0) / scale, 4) for name in (*FACTORS, "hidden")}


def _at_cells(features: Features, cells: np.ndarray) -> Features:
    """The features of some cells (flat indices), each of shape (cells,)."""
    return {
        factor: {name: values.flat[cells] for name, values in group.items()}
        for factor, group in features.items()
    }
