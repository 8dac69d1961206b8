"""The physically based baseline: the safety of an infinite slope, with a few fitted numbers."""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from lsa_helpers.errors import InputError

WATER_RATIO = 9.81 / 19.0  # unit weight of water to that of wet soil
TAN_FRICTION = 0.7  # 35°; the fitted cohesion and the constant take up another value
SLOPES = 1.0, 70.0  # degrees: gentler and steeper ones count as these
LEAST = 0.01  # what holds a slope is not let below, against its weight
#: The fitted numbers with their bounds: `safety_factor` has the first three.
BOUNDS = {
    "cohesion": (0.0, 3.0),
    "log_wetness": (-14.0, 0.0),
    "shaking": (0.0, 0.5),
    "constant": (-20.0, 20.0),
    "steepness": (0.0, 30.0),
}
_STARTS = [(c, w, k) for c in (0.1, 0.8) for w in (-9.0, -5.0) for k in (0.0, 0.2)]


def safety_factor(
    slope, twi, cohesion: float, log_wetness: float, shaking: float = 0.0, rain=1.0, pga=1.0
) -> np.ndarray:
    """Factor of safety of an infinite slope with steady wetness and pseudo-static shaking.

    Parameters
    ----------
    slope : array, shape (n,)
        Degrees.
    twi : array, shape (n,)
        Topographic wetness index ln(a / tan β), ln of metres.
    cohesion : float
        c / (γ z tan φ): cohesion of soil and roots against weight and friction, dimensionless.
    log_wetness : float
        ln(R / T): recharge to transmissivity, ln of 1/m.
    shaking : float
        Seismic coefficient k at the mean acceleration, share of gravity.
    rain, pga : array, shape (n,)
        Rainfall and peak ground acceleration against their means, dimensionless.

    Returns
    -------
    ndarray, shape (n,)
        Below 1 the slope fails.

    Notes
    -----
    With the slope angle β, wetness m and the ratio r of the unit weights of water and soil:

    .. math::

        m = \\min\\left(1, \\frac{R a}{T \\sin β}\\right), \\quad
        FS = \\frac{C + \\cos^2 β \\, (1 - m r) - k \\sin β \\cos β}
        {\\sin β \\cos β + k \\cos^2 β} \\, \\tan φ

    **Sources**: wetness, Montgomery & Dietrich 1994, doi:10.1029/93WR02979; dimensionless
    cohesion, Pack, Tarboton & Goodwin 1998 (SINMAP); shaking as a constant force, Newmark 1965,
    doi:10.1680/geot.1965.15.2.139.

    Examples
    --------
    Dry and without cohesion, FS = tan φ / tan β; 35° of friction hold a slope of 35°:

    >>> round(float(safety_factor(35.0, 2.0, 0.0, -50.0)), 2)
    1.0
    """
    terrain = _terrain(slope, twi, rain, pga)
    return np.exp(_log_safety(terrain, cohesion, log_wetness, shaking)[0])


def _terrain(slope, twi, rain=1.0, pga=1.0) -> tuple[np.ndarray, ...]:
    """What no fitted number touches: sin β, cos β, rain · a / sin β and acceleration."""
    beta = np.deg2rad(np.clip(slope, *SLOPES))
    # a / sin β is exp(TWI) / cos β.
    return np.sin(beta), np.cos(beta), rain * np.exp(twi) / np.cos(beta), pga


def _log_safety(terrain, cohesion: float, log_wetness: float, shaking: float):
    """ln FS on the `_terrain` (n,), and its derivatives by the three numbers."""
    sine, cosine, water, pga = terrain
    wet = np.minimum(1.0, np.exp(log_wetness) * water)
    k = shaking * pga
    holding = cohesion + cosine**2 * (1 - wet * WATER_RATIO) - k * sine * cosine
    driving = sine * cosine + k * cosine**2
    held = holding > LEAST
    holding = np.where(held, holding, LEAST)
    by_number = (
        held / holding,
        -WATER_RATIO * held * (wet < 1) * wet * cosine**2 / holding,
        -pga * (held * sine * cosine / holding + cosine**2 / driving),
    )
    return np.log(holding * TAN_FRICTION / driving), by_number


def _loss(numbers, terrain, y) -> tuple[float, np.ndarray]:
    """Mean negative log-likelihood of logit p = α − γ ln FS, and its gradient; the numbers in the
    order of `BOUNDS`.
    """
    *soil, constant, steepness = numbers
    log_safety, by_number = _log_safety(terrain, *soil)
    logit = constant - steepness * log_safety
    error = expit(logit) - y
    slopes = [np.mean(error * -steepness * each) for each in by_number]
    slopes += [error.mean(), np.mean(error * -log_safety)]
    return np.mean(np.logaddexp(0, logit) - y * logit), np.array(slopes)


class InfiniteSlope(ClassifierMixin, BaseEstimator):
    """Landslide probability from the factor of safety: logit p = α − γ ln FS.

    At most five numbers are fitted by maximum likelihood: cohesion, wetness, shaking (with `pga`),
    α and γ, within `BOUNDS`.

    Parameters
    ----------
    factors : sequence of str
        What the columns are: ``slope`` (degrees) and ``twi`` in their own units, not as z-scores,
        and where known ``rainfall`` and ``pga`` in any unit, which count against their mean among
        the training rows.

    Notes
    -----
    Valid for shallow slides whose length is many times their depth, on slopes with soil, at a
    steady groundwater flow along the ground. Not for rock falls and bare walls (steep ground is
    unstable here, whatever it is made of), deep rotational slides, debris-flow deposits and other
    run-out, banks and road cuts. One friction, soil depth and transmissivity hold everywhere;
    shaking is a constant force, without duration or resonance. What is fitted is therefore an
    index, no strength of any soil: FS tells places apart, and its 1 has no meaning of its own.

    **Sources**: as in `safety_factor`.
    """

    def __init__(self, factors: Sequence[str] = ("slope", "twi")):
        self.factors = factors

    def fit(self, X, y):
        """Fit the numbers to rows of 0 and 1.

        Parameters
        ----------
        X : ndarray, shape (n, len(factors))
        y : array of int, shape (n,)
            1 landslide, 0 none.

        Raises
        ------
        InputError
            When slope or wetness index is missing.
        """
        missing = {"slope", "twi"} - set(self.factors)
        if missing:
            raise InputError(
                "an infinite slope needs slope and wetness index",
                where="model infinite_slope",
                found=", ".join(self.factors),
                fix=f"Add {' and '.join(sorted(missing))}, or leave the model out",
            )
        X, y = np.asarray(X, np.float64), np.asarray(y)
        self.classes_ = np.array([0, 1])
        self.means_ = np.where(X.mean(axis=0) > 0, X.mean(axis=0), 1.0)
        bounds = list(BOUNDS.values())
        if "pga" not in self.factors:
            bounds[2] = (0.0, 0.0)

        # Where wetness is cut at 1 the likelihood has folds: the best of several starts is kept.
        starts = dict.fromkeys((c, w, min(k, bounds[2][1]), 0.0, 3.0) for c, w, k in _STARTS)
        how = {"args": (self._terrain(X), y), "jac": True, "method": "L-BFGS-B", "bounds": bounds}
        with threadpool_limits(1):  # several threads would only wait for each other
            fits = [minimize(_loss, start, **how) for start in starts]
        best = min(fits, key=lambda fit: (fit.fun, tuple(fit.x)))
        self.numbers_, self.loss_ = best.x, float(best.fun)
        return self

    def _terrain(self, X: np.ndarray) -> tuple[np.ndarray, ...]:
        """`_terrain` of rows (n, factors), rain and acceleration against their means."""
        columns = dict(zip(self.factors, X.T, strict=True))
        means = dict(zip(self.factors, self.means_, strict=True))
        rain, pga = (
            columns[name] / means[name] if name in columns else 1.0 for name in ("rainfall", "pga")
        )
        return _terrain(columns["slope"], columns["twi"], rain, pga)

    def decision_function(self, X) -> np.ndarray:
        """Log-odds of a landslide: (n,); NaN where a factor is unknown."""
        check_is_fitted(self)
        *soil, constant, steepness = self.numbers_
        log_safety, _ = _log_safety(self._terrain(np.asarray(X, np.float64)), *soil)
        return constant - steepness * log_safety

    def predict_proba(self, X) -> np.ndarray:
        """Probabilities of no landslide and of one: (n, 2)."""
        slide = expit(self.decision_function(X))
        return np.column_stack([1 - slide, slide])

    def predict(self, X) -> np.ndarray:
        """1 where a landslide is likelier than none: int (n,)."""
        return (self.predict_proba(X)[:, 1] > 0.5).astype(int)
