"""Gain ratio by hand, and which factors are kept and why."""

import numpy as np
import pandas as pd
import pytest

from lsa_helpers import selection
from lsa_helpers.errors import InputError
from lsa_helpers.run import Run
from lsa_helpers.validation import block_weights, interval

OUTLOOK = np.repeat([0, 1, 2], [5, 4, 5])
PLAY = np.array([1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0])


@pytest.mark.known_by("published numbers", "Information gain ratio")
def test_gain_ratio_by_hand():
    """Quinlan's weather data: outlook has gain 0.2467 bits, split information 1.5774 bits, ratio
    0.1564.
    """
    ratio = selection.gain_ratio(OUTLOOK, PLAY, categorical=True)
    assert ratio == pytest.approx(0.1564, abs=5e-5)
    assert selection.gain_ratio(np.zeros(14), PLAY) == 0
    half = (np.arange(14) > 6).astype(int)
    assert selection.gain_ratio(np.arange(14.0), half, bins=2) == pytest.approx(1)


def test_continuous_values_are_cut_at_their_quantiles():
    """Tens of a hundred values: each knows its label, so a bit is told per log2(10) bits; in fifths
    nothing is told. A value on an edge belongs to the class above.
    """
    values = np.random.default_rng(0).permutation(100)
    label = values // 10 % 2
    assert selection.gain_ratio(values, label) == pytest.approx(1 / np.log2(10))
    assert selection.gain_ratio(values, label, bins=5) == pytest.approx(0, abs=1e-12)
    assert selection.gain_ratio([0, 1, 1, 1], [0, 1, 1, 1], bins=2) == pytest.approx(1)
    assert selection.gain_ratio([1, 1, 1, 2], [0, 0, 0, 1], bins=2) == 0
    # Codes are classes as they are, in whatever order and of whatever number.
    codes = np.tile(np.arange(20), 2)
    assert selection.gain_ratio(codes, codes % 2, categorical=True) == pytest.approx(
        1 / np.log2(20)
    )
    assert selection.gain_ratio([9, 2, 9, 5], [1, 0, 1, 1], categorical=True) == pytest.approx(
        (2 - 0.75 * np.log2(3)) / 1.5
    )


def test_gain_ratio_counts_rows_as_often_as_their_weights():
    """Classes as if the rows were repeated; of a continuous factor the classes stay as cut."""
    weights = np.array([np.ones(14, int), np.arange(14) % 3])
    one, two = selection.gain_ratio(OUTLOOK, PLAY, categorical=True, weights=weights)
    values, label = np.repeat(OUTLOOK, weights[1]), np.repeat(PLAY, weights[1])
    assert one == pytest.approx(selection.gain_ratio(OUTLOOK, PLAY, categorical=True))
    assert two == pytest.approx(selection.gain_ratio(values, label, categorical=True))
    assert len(selection.gain_ratio(np.arange(14.0), PLAY, weights=weights)) == 2


def test_an_interval_of_the_gain_ratio_holds_its_value():
    """Rows drawn twice tell more than they know: draws lie above the value, shifted ones around."""
    rng = np.random.default_rng(0)
    values, label = rng.random(200), rng.integers(0, 2, 200)
    ratios = selection.gain_ratio(values, label, weights=block_weights(np.arange(200), 300, 0))
    assert np.median(ratios[1:]) > 1.5 * ratios[0]
    value, low, high = interval(ratios, recentre=True)
    assert low < value < high


@pytest.fixture
def vif():
    return pd.DataFrame(
        {"factor": ["a", "b", "c"], "vif": [6.0, 12.3, 1.0], "dropped_at": [0, 1, 0]}
    )


def test_choose_says_why(vif):
    decision = selection.choose(vif, ["b", "c"], threshold=10, flag=5)
    weak = "permutation importance not surely above that of random probes"
    assert decision == {
        "selected": ["a", "c"],
        "dropped": {"b": "VIF 12.3 ≥ 10 at step 1"},
        "flagged": {"a": "VIF 6.0 > 5", "c": weak},
    }
    strict = selection.choose(vif, ["c"], threshold=10, flag=5, drop_below_probe=True)
    assert strict["selected"] == ["a"]
    assert "probe" in strict["dropped"]["c"]
    vif.loc[2, "vif"] = 7
    both = selection.choose(vif, ["c"], threshold=10, flag=5)["flagged"]["c"]
    assert both == f"VIF 7.0 > 5; {weak}"


def test_reasons_stand_in_the_order_of_the_steps():
    """A VIF just at the flag is none, and a weak factor that was dropped before is not weak."""
    columns = {"factor": list("abcd"), "vif": [99.0, 5.0, 20.0, 5.04], "dropped_at": [2, 0, 1, 0]}
    decision = selection.choose(
        pd.DataFrame(columns), ["a", "d", "x"], threshold=12.5, flag=5.0, drop_below_probe=True
    )
    assert list(decision["dropped"].items())[:2] == [
        ("c", "VIF 20.0 ≥ 12.5 at step 1"),
        ("a", "VIF 99.0 ≥ 12.5 at step 2"),
    ]
    assert list(decision["dropped"]) == ["c", "a", "d"] and decision["selected"] == ["b"]
    assert decision["flagged"] == {"d": "VIF 5.0 > 5"}


def test_the_models_always_get_a_factor(vif):
    """Where none beats the probes none is dropped for it; where none varies, that is said."""
    weak = selection.choose(vif, ["a", "c"], threshold=10, flag=5, drop_below_probe=True)
    assert weak["selected"] == ["a", "c"]
    with pytest.raises(InputError, match="No factor is left for the models"):
        selection.choose(vif.assign(dropped_at=1), [], threshold=10, flag=5)


def test_the_selection_is_read_from_the_run(tmp_path):
    run = Run(tmp_path)
    with pytest.raises(InputError, match="Run chapter 04_factor_selection first"):
        selection.selected_factors(run)
    run.write_json({"selected": ["slope"]}, "selected_factors.json")
    assert selection.selected_factors(run) == ["slope"]
