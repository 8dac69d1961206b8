"""Figures of chapter 12: colours that are read in grey, and values where they belong."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.colors import to_rgb

from lsa_helpers.raster import empty_grid
from lsa_helpers.show import uncertainty as show


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_the_nine_colours_darken_one_by_one():
    """Luma of grey copies (ITU-R BT.601): each at least 0.03 darker than the one before."""
    luma = [np.dot(to_rgb(colour), [0.299, 0.587, 0.114]) for colour in show.BIVARIATE]
    assert len(luma) == 9
    assert (np.diff(luma) < -0.03).all(), np.round(luma, 3)


def test_the_square_and_the_map_share_their_colours():
    relief = xr.full_like(empty_grid((0, 0, 40, 30), 32648, 10), 0.5)
    classes = np.array([[0, 8, np.nan, 4]] * 3)
    fig = show.bivariate_map(classes, relief)
    ax, square = fig.axes
    mapped, legend = ax.images[-1], square.images[0]
    assert mapped.get_extent() == [0, 40, 0, 30]
    assert mapped.to_rgba(8.0) == legend.to_rgba(8.0) != legend.to_rgba(0.0)
    assert not square.yaxis_inverted() and legend.get_array()[2, 0] == 6


def test_a_stroke_marks_what_chance_gives():
    shares = pd.DataFrame({"seed": [0.1, 0.2], "rest": [0.9, 0.8]})
    fig = show.spread_shares(shares, pd.Series({"rest": 0.5, "seed": 0.5}))
    (ax,) = fig.axes
    assert [round(bar.get_width()) for bar in ax.patches] == [15, 85]
    assert ax.lines[2].get_xdata().tolist() == [50, 50]


def test_curves_reach_all_of_the_land_and_the_limit_is_their_mean():
    indices = {"factors": {"here": [np.array([0.1, 0.3]), np.array([0.2])]}}
    fig = show.dissimilarity_curves(indices, {"factors": [0.2, 0.4]})
    curve, limit = fig.axes[0].lines
    assert curve.get_xdata().tolist() == [0.1, 0.2, 0.3]
    assert curve.get_ydata().tolist() == pytest.approx([100 / 3, 200 / 3, 100])
    assert limit.get_xdata()[0] == pytest.approx(0.3)


def test_every_kind_of_set_has_its_line_and_the_promise_is_drawn():
    kinds = ["one", "two", "three", "four"]
    rows = [
        {"place": place, "sets": kind, "quarter": quarter, "coverage": 0.5 + 0.1 * number}
        for place in ("here", "there")
        for number, kind in enumerate(kinds)
        for quarter in (1, 2, 3, 4)
    ]
    fig = show.coverage_panels(pd.DataFrame(rows), 0.9, "Quarter")
    for ax in fig.axes:
        *lines, promise = ax.lines
        assert [line.get_label() for line in lines] == kinds
        assert len({(line.get_marker(), line.get_color()) for line in lines}) == 4
        assert lines[3].get_ydata().tolist() == pytest.approx([80] * 4)
        assert promise.get_ydata()[0] == 90


def test_bars_are_means_over_repetitions():
    classes = pd.DataFrame(
        {
            "low": [0.0, 0.1, 0.0, 0.1],
            "high": [0.1, 1.0, 0.1, 1.0],
            "expected_km2": [1.0, 2.0, 3.0, 4.0],
            "true_km2": [0.0, 1.0, 0.0, 3.0],
        }
    )
    curve = pd.DataFrame({"predicted": [0.1, 0.3], "observed": [0.2, 0.0], "seed": 0})
    left, right = show.expected_and_true(classes, {"odds": curve}).axes
    assert [bar.get_height() for bar in right.patches] == [2, 3, 0, 2]
    assert [text.get_text() for text in right.get_xticklabels()] == ["0–0.1", "0.1–1"]
    assert left.lines[0].get_xdata().tolist() == [0.1]  # nothing observed has no logarithm
