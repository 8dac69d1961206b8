"""Gain ratio by hand, and which factors are kept and why."""

import numpy as np
import pandas as pd
import pytest

from lsa_helpers import selection
from lsa_helpers.errors import InputError
from lsa_helpers.run import Run

OUTLOOK = np.repeat([0, 1, 2], [5, 4, 5])
PLAY = np.array([1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0])


def test_gain_ratio_by_hand():
    """Quinlan's weather data: outlook has gain 0.2467 bits, split information 1.5774 bits, ratio
    0.1564.
    """
    ratio = selection.gain_ratio(OUTLOOK, PLAY, categorical=True)
    assert ratio == pytest.approx(0.1564, abs=5e-5)
    assert selection.gain_ratio(np.zeros(14), PLAY) == 0
    half = (np.arange(14) > 6).astype(int)
    assert selection.gain_ratio(np.arange(14.0), half, bins=2) == pytest.approx(1)


def test_gain_ratio_counts_rows_as_often_as_their_weights():
    weights = np.arange(14) % 3
    values, label = np.repeat(OUTLOOK, weights), np.repeat(PLAY, weights)
    for categorical in (True, False):
        weighted = selection.gain_ratio(OUTLOOK, PLAY, categorical=categorical, weights=weights)
        assert weighted == pytest.approx(
            selection.gain_ratio(values, label, categorical=categorical)
        )


def _tables():
    vif = pd.DataFrame(
        {"factor": ["a", "b", "c"], "vif": [6.0, 12.3, 1.0], "dropped_at": [0, 1, 0]}
    )
    loss = {"factor": ["a", "b", "c", selection.PROBE], "mean": [0.2, 0.3, -0.1, 0.0]}
    return vif, pd.DataFrame(loss).assign(method="permutation")


def test_choose_says_why():
    vif, importance = _tables()
    decision = selection.choose(vif, importance, threshold=10, flag=5)
    assert decision == {
        "selected": ["a", "c"],
        "dropped": {"b": "VIF 12.3 ≥ 10 at step 1"},
        "flagged": {
            "a": "VIF 6.0 > 5",
            "c": "permutation importance not above the random probe",
        },
    }
    strict = selection.choose(vif, importance, threshold=10, flag=5, drop_below_probe=True)
    assert strict["selected"] == ["a"]
    assert "probe" in strict["dropped"]["c"]


def test_a_weak_factor_with_a_high_vif_has_both_remarks():
    vif, importance = _tables()
    vif.loc[2, "vif"] = 7
    remark = selection.choose(vif, importance, threshold=10, flag=5)["flagged"]["c"]
    assert remark == "VIF 7.0 > 5; permutation importance not above the random probe"


def test_the_models_always_get_a_factor():
    """Where none beats the probe none is dropped for it; where none varies, that is said."""
    vif, importance = _tables()
    importance["mean"] = 0.0
    weak = selection.choose(vif, importance, threshold=10, flag=5, drop_below_probe=True)
    assert weak["selected"] == ["a", "c"]
    with pytest.raises(InputError, match="No factor is left for the models"):
        selection.choose(vif.assign(dropped_at=1), importance, threshold=10, flag=5)


def test_the_selection_is_read_from_the_run(tmp_path):
    run = Run(tmp_path)
    with pytest.raises(InputError, match="Run chapter 04_factor_selection first"):
        selection.selected_factors(run)
    run.write_json({"selected": ["slope"]}, "selected_factors.json")
    assert selection.selected_factors(run) == ["slope"]
