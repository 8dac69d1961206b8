"""The figures of chapter 04 are drawn without a warning, with labelled axes."""

import warnings

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.patches import Rectangle

from lsa_helpers import validation
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
    assert ax.get_xlabel().startswith("Variance inflation factor")
    assert [text.get_text() for text in ax.texts] == ["2.0", "3.0", "inf, dropped at step 1"]
    ticks = [tick.get_text() for tick in ax.get_xticklabels()]
    assert ticks == ["1", "2", "5", "10", "20", "50", "100", "1,000", "10,000"]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["Slope", "Wetness", "Ruggedness"]
    assert len({bar.get_facecolor() for bar in ax.patches}) == 2


def test_the_lower_triangle_holds_correlations_from_04_up_and_names_in_words(factors):
    factors["aspect"] = ((), 0.0, {"long_name": "Aspect"})
    names = ["slope", "tri", "twi", "aspect_sin"]
    values = [[1, 0.9, -0.2, 0], [0.9, 1, -0.7, 0.1], [-0.2, -0.7, 1, 0.4], [0, 0.1, 0.4, 1]]
    figure = show.correlation_heatmap(pd.DataFrame(values, names, names), factors, "spearman")
    ax, bar = figure.axes
    assert bar.get_ylabel() == "Spearman correlation"
    assert sorted(text.get_text() for text in ax.texts) == ["-0.70", "0.40", "0.90"]
    assert np.isfinite(ax.images[0].get_array().filled(np.nan)).sum() == 6
    rows = [tick.get_text() for tick in ax.get_yticklabels()]
    assert rows == ["Ruggedness", "Wetness", "Aspect, sine (east)"]


def test_importance_panels_have_one_order_and_the_probes_as_a_band(factors):
    """The order is that of the permutation; the band spans all probes' intervals."""
    means = {"slope": (0.5, 0.1, 0.3), "tri": (0.2, 0.4, 0.2), "twi": (0.1, 0.2, 0.6)}
    means |= {f"{PROBE} 1": (0.1, 0.0, 0.0), f"{PROBE} 2": (0.05, -0.1, 0.0)}
    methods = ("rf_impurity", "permutation", "gain_ratio")
    rows = [
        (name, method, value, value - 0.1, value + 0.1)
        for name, values in means.items()
        for method, value in zip(methods, values, strict=True)
    ]
    table = pd.DataFrame(rows, columns=["factor", "method", "mean", "low", "high"])
    figure = show.importance_panels(table, factors, {"slope": 0.7, "tri": 0.0, "twi": -0.1})
    labels = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert labels == ["Slope", "Wetness", "Ruggedness"]
    band = figure.axes[1].patches[0]
    assert (band.get_x(), band.get_x() + band.get_width()) == pytest.approx((-0.2, 0.1))
    (diamonds,) = figure.axes[3].collections
    assert diamonds.get_offsets()[:, 0].tolist() == [0.7, -0.1, 0.0]
    assert len(show.importance_panels(table, factors).axes) == 3


def test_blocks_are_tinted_in_the_fold_colours_of_their_samples(hillside):
    factors, landslides = hillside
    edge = 100.0
    at = {"x": factors.x.values[[10, -10]], "y": factors.y.values[[10, -10]]}
    table = pd.DataFrame(at | {"label": [1, 0], "fold": [0, 1], "landslide_id": [0, -1]})
    folds = validation.fold_map(table, factors, block_m=edge, seed=0)
    (ax,) = show.samples_map(table, landslides, factors, folds, edge).axes
    tint = ax.images[1]
    drawn = tint.get_array()[10, 10], tint.get_array()[-10, -10]
    assert drawn == (0, 1)
    dots = [part for part in ax.collections if hasattr(part, "get_sizes") and len(part.get_sizes())]
    filled, open_ = dots[0], dots[-1]
    assert filled.get_facecolor()[0][:3] == pytest.approx(tint.cmap(tint.norm(0))[:3])
    assert open_.get_edgecolor()[0][:3] == pytest.approx(tint.cmap(tint.norm(1))[:3])


def test_points_are_no_outlines(hillside):
    factors, landslides = hillside
    points = landslides.assign(geometry=landslides.geometry.centroid, label=1)
    place = {"x": points.geometry.x, "y": points.geometry.y}
    table = pd.DataFrame(place | {"label": np.arange(len(points)) % 2, "fold": 0})
    folds = validation.fold_map(table, factors, block_m=300.0, seed=0)
    (ax,) = show.samples_map(table, points, factors, folds, 300.0).axes
    assert sum(len(part.get_offsets()) for part in ax.collections) == len(points)


def test_histograms_of_both_classes_share_out_all_their_cells():
    label, probability = [0, 0, 1, 1, 1], [0.1, 0.2, 0.3, 0.8, 0.9]
    (ax,) = show.score_histograms(label, probability).axes
    bars = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    assert sum(bar.get_height() for bar in bars) == pytest.approx(100)
    assert [line.get_xdata()[0] for line in ax.lines] == pytest.approx([0.15, 0.8])
