"""The infinite slope: safety factors by hand, known numbers found again, and the interface that
every model of chapter 05 has.
"""

import numpy as np
import pytest
from scipy.optimize import check_grad
from scipy.special import expit
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.pipeline import Pipeline

from lsa_helpers.errors import InputError
from lsa_helpers.models import InfiniteSlope, load, predict_map, save
from lsa_helpers.models.infinite_slope import (
    BOUNDS,
    LEAST,
    TAN_FRICTION,
    WATER_RATIO,
    _loss,
    _terrain,
    safety_factor,
)
from lsa_helpers.raster import on_grid
from lsa_helpers.samples import factor_coder


def test_dry_cohesionless_ground_stands_at_its_friction_angle():
    """FS = tan φ / tan β: the textbook's infinite slope."""
    slope = np.array([10.0, 30.0, 35.0, 60.0])
    found = safety_factor(slope, 5.0, 0.0, -60.0)
    np.testing.assert_allclose(found, TAN_FRICTION / np.tan(np.deg2rad(slope)))


def test_saturated_ground_loses_what_the_water_carries():
    """m = 1 leaves 1 − r of the friction, however much more water comes; half wet, half of it."""
    dry = safety_factor(30.0, 5.0, 0.0, -60.0)
    for twi in (12.0, 30.0):
        assert safety_factor(30.0, twi, 0.0, -5.0) / dry == pytest.approx(1 - WATER_RATIO)
    half = np.log(0.5 * np.cos(np.deg2rad(30)))  # R a / (T sin β) = exp(half) / cos β
    assert safety_factor(30.0, 0.0, 0.0, half) / dry == pytest.approx(1 - WATER_RATIO / 2)
    assert safety_factor(30.0, 0.0, 0.0, half, rain=2.0) / dry == pytest.approx(1 - WATER_RATIO)


def test_cohesion_and_shaking_by_hand():
    """At 45°, sin β cos β = cos² β = 1/2: (C + 1/2 − k/2) / (1/2 + k/2) · tan φ."""
    found = safety_factor(45.0, 0.0, 0.25, -60.0, 0.2, pga=2.0)
    assert found == pytest.approx((0.25 + 0.5 - 0.2) / (0.5 + 0.2) * TAN_FRICTION)
    # 60°, wet and shaken: (1 − r) / 4 − k √3/4 would be negative, and is taken as LEAST
    floor = LEAST * TAN_FRICTION / (np.sqrt(3) / 4 + 0.5 / 4)
    assert safety_factor(60.0, 0.0, 0.0, 5.0, 0.5) == pytest.approx(floor)


@pytest.fixture
def ground():
    """Slope, wetness index, rain and acceleration of 4,000 cells."""
    rng = np.random.default_rng(3)
    columns = rng.uniform(5, 55, 4000), rng.uniform(2, 10, 4000)
    return np.column_stack([*columns, rng.uniform(700, 1300, 4000), rng.uniform(100, 500, 4000)])


NAMES = ("slope", "twi", "rainfall", "pga")


def test_the_gradient_is_that_of_the_likelihood(ground):
    terrain = _terrain(*ground[:, :2].T, ground[:, 2] / 1000, ground[:, 3] / 300)
    y = (ground[:, 0] > 30).astype(int)
    for numbers in ([0.2, -7.0, 0.2, -1.0, 3.0], [0.0, -4.0, 0.0, 1.0, 8.0]):
        gap = check_grad(
            lambda *all: _loss(*all)[0], lambda *all: _loss(*all)[1], numbers, terrain, y
        )
        assert gap < 1e-4


def test_known_numbers_are_found_again(ground):
    """Labels drawn from the model itself: no other numbers explain them better than the fitted
    ones, and the probabilities come back.
    """
    true = InfiniteSlope(NAMES)
    true.means_, true.numbers_ = ground.mean(axis=0), np.array([0.3, -7.0, 0.2, 0.5, 6.0])
    probability = expit(true.decision_function(ground))
    y = (np.random.default_rng(4).random(len(ground)) < probability).astype(int)
    fitted = InfiniteSlope(NAMES).fit(ground, y)
    assert fitted.loss_ <= log_loss(y, probability)
    assert fitted.loss_ == pytest.approx(log_loss(y, fitted.predict_proba(ground)[:, 1]))
    assert np.abs(fitted.predict_proba(ground)[:, 1] - probability).max() < 0.06
    for value, (low, high) in zip(fitted.numbers_, BOUNDS.values(), strict=True):
        assert low <= value <= high
    again = clone(fitted).fit(ground, y)
    assert again.numbers_.tobytes() == fitted.numbers_.tobytes()


def test_without_acceleration_nothing_shakes_and_units_do_not_matter(ground):
    y = (ground[:, 0] + ground[:, 1] > 35).astype(int)
    assert InfiniteSlope(NAMES[:2]).fit(ground[:, :2], y).numbers_[2] == 0
    metres = ground * [1, 1, 0.001, 0.01]
    one, other = (
        InfiniteSlope(NAMES).fit(rows, y).predict_proba(rows) for rows in (ground, metres)
    )
    np.testing.assert_allclose(one, other, atol=1e-3)


def test_slope_and_wetness_are_needed(ground):
    with pytest.raises(InputError, match="Add twi"):
        InfiniteSlope(["slope", "pga"]).fit(ground[:, [0, 3]], ground[:, 0] > 30)


def test_maps_files_and_gaps(sampled, tmp_path):
    """As for the other models: a map of its predictions, the same from its file, NaN in gaps."""
    factors, table = sampled
    twi = on_grid(np.where(np.isfinite(factors["slope"]), 5.0, np.nan), factors, "twi")
    factors = factors.assign(twi=twi.assign_attrs(kind="continuous"))
    table = table.assign(twi=5.0)
    names = ["slope", "twi"]
    coder = factor_coder(factors, names, dict.fromkeys(names, "as is"))
    model = Pipeline([("coder", coder), ("slope", InfiniteSlope(names))])
    model.fit(table, table["label"])
    np.testing.assert_array_equal(model[0].transform(table), table[names])
    susceptibility = predict_map(model, factors)
    np.testing.assert_array_equal(susceptibility.notnull(), factors["slope"].notnull())
    save(model, tmp_path, factors)
    again = predict_map(load(tmp_path, factors), factors)
    np.testing.assert_array_equal(again, susceptibility)
    np.testing.assert_array_equal(model.predict(table), model.predict_proba(table)[:, 1] > 0.5)
