"""Figures of chapter 14, by what stands in them."""

import numpy as np
import pandas as pd
from matplotlib.colors import to_hex

from lsa_helpers.raster import empty_grid, on_grid
from lsa_helpers.show import style, use

GRID = empty_grid((0, 0, 60, 40), 32648, 10)


def test_a_bar_is_cut_into_its_classes():
    """From the highest class on the left to the lowest, in the colours of the maps; only parts
    that have room for it are labelled.
    """
    names = ["Very Low", "Low", "Moderate", "High", "Very High"]
    table = pd.DataFrame({"model": "rf", "susceptibility": names, "road_km": [10, 5, 3, 1, 0.5]})
    (ax,) = use.exposure_bars(table, "road_km", "Road (km)").axes
    assert [bar.get_x() for bar in ax.patches] == [0, 0.5, 1.5, 4.5, 9.5]
    colours = [to_hex(bar.get_facecolor()) for bar in ax.patches]
    assert colours == list(style.CLASS_RAMP)[::-1]
    assert [text.get_text() for text in ax.texts] == ["3.0", "5.0", "10.0"]


def test_agreement_counts_models_and_classes():
    votes = on_grid(np.tile(np.arange(6.0) % 4, (4, 1)), GRID)
    fig = use.agreement_maps(votes, votes + 1, 3)
    first, second = fig.axes
    assert [text.get_text() for text in first.get_legend().get_texts()] == [
        "no model",
        "1 of 3",
        "2 of 3",
        "3 of 3",
    ]
    shown = second.images[0]
    assert shown.get_array().max() == 3, "three classes or more are one colour"
    assert shown.norm.vmin == -0.5 and shown.norm.vmax == 3.5


def test_the_middle_of_a_map_is_shown_where_it_lies():
    classes = on_grid(np.ones(GRID.shape, np.uint8), GRID)
    ax = use.zone_maps({"By cell": classes}, 5).axes[0]
    assert ax.get_xlim() == (20, 40) and ax.get_ylim() == (20, 30)


def test_a_table_begins_with_the_highest_class():
    table = pd.DataFrame({"model": ["cnn", "cnn", "rf", "rf"], "susceptibility": ["a", "b"] * 2})
    wide = use.class_table(table.assign(km=[1.0, 2.0, 3.0, 4.0]), "km")
    assert wide.index.tolist() == ["b", "a"]
    assert wide.columns.tolist() == ["CNN", "Random forest"]
    assert wide.to_numpy().tolist() == [[2.0, 4.0], [1.0, 3.0]]
