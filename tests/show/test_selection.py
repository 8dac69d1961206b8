"""The figures of chapter 04 are drawn without a warning, with labelled axes."""

import warnings

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from lsa_helpers.selection import PROBE
from lsa_helpers.show import selection as show


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        yield


@pytest.fixture
def factors():
    names = {"slope": "Slope", "tri": "Ruggedness", "twi": "Wetness"}
    return xr.Dataset({name: ((), 0.0, {"long_name": words}) for name, words in names.items()})


def test_vif_bars_name_the_step_of_a_dropped_factor(factors):
    vif = {"factor": ["slope", "tri", "twi"], "vif": [2.0, np.inf, 3.0], "dropped_at": [0, 1, 0]}
    figure = show.vif_bars(pd.DataFrame(vif), factors, 10, 5)
    (ax,) = figure.axes
    assert ax.get_xlabel() == "Variance inflation factor (1), log scale"
    assert [text.get_text() for text in ax.texts] == ["2.0", "3.0", "dropped at step 1"]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["Slope", "Wetness", "Ruggedness"]
    assert len({bar.get_facecolor() for bar in ax.patches}) == 2


def test_strong_correlations_are_written_into_the_cells():
    names = ["slope", "tri", "twi"]
    values = [[1, 0.9, -0.2], [0.9, 1, -0.7], [-0.2, -0.7, 1]]
    figure = show.correlation_heatmap(pd.DataFrame(values, names, names), "spearman")
    ax, bar = figure.axes
    assert bar.get_ylabel() == "Spearman correlation (1)"
    assert sorted(text.get_text() for text in ax.texts) == ["-0.7", "-0.7", "0.9", "0.9"]


def test_importance_panels_show_the_probe_beside_the_factors(factors):
    rows = [
        (name, method, value, value - 0.1, value + 0.1)
        for method in ("rf_impurity", "permutation", "gain_ratio")
        for name, value in (("slope", 0.5), ("tri", 0.2), (f"{PROBE} 1", 0.1), (f"{PROBE} 2", 0.05))
    ]
    table = pd.DataFrame(rows, columns=["factor", "method", "mean", "low", "high"])
    figure = show.importance_panels(table, factors)
    assert [ax.get_xlabel() for ax in figure.axes] == [
        "Impurity in the forest (share)",
        "Permutation, left-out block (loss of AUC)",
        "Information gain ratio (1)",
    ]
    for ax in figure.axes:
        labels = [tick.get_text() for tick in ax.get_yticklabels()]
        assert labels == ["Random probe 2", "Random probe 1", "Ruggedness", "Slope"]
        dashed = [line for line in ax.lines if line.get_linestyle() == "--"]
        assert dashed[0].get_xdata()[0] == pytest.approx(0.2)
