"""Figures of chapter 13: where borders are drawn, and what stands where in the chart of scores."""

import numpy as np
import pandas as pd

from lsa_helpers.raster import empty_grid, on_grid
from lsa_helpers.show import units


def test_borders_lie_between_units():
    """Once between two units: in the left or upper cell."""
    numbers = np.array([[1, 1, 2], [1, 1, 2], [3, 3, 3]])
    expected = [[0, 1, 0], [1, 1, 1], [0, 0, 0]]
    np.testing.assert_array_equal(units._borders(numbers), np.array(expected, bool))


def test_every_score_is_in_the_chart():
    """One marker for each row, models from the top, the kinds of one model below each other."""
    scores = pd.DataFrame(
        {
            "model": ["rf", "rf", "rf", "size alone"],
            "kind": ["cell", "slope unit", "square", "slope unit"],
            "auc": [0.9, 0.8, 0.7, 0.6],
            "low": [np.nan, 0.75, 0.6, 0.5],
            "high": [np.nan, 0.85, 0.8, 0.7],
        }
    )
    (ax,) = units.unit_scores(scores).axes
    places = np.concatenate(
        [
            marks.get_offsets()
            for marks in ax.collections
            if len(marks.get_offsets()) and marks.get_label().startswith("by ")
        ]
    )
    assert sorted(places[:, 0], reverse=True) == [0.9, 0.8, 0.7, 0.6]
    height = dict(places.tolist())
    assert height[0.9] > height[0.8] > height[0.7] > height[0.6]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["Random forest", "Size alone"]


def test_a_map_tells_how_many_units():
    grid = empty_grid((0, 0, 30, 20), 32648, 10)
    numbers = on_grid(np.array([[1, 1, 2], [3, 3, 3]]), grid)
    dem = on_grid(np.arange(6.0).reshape(2, 3), grid)
    (ax,) = units.units_map(numbers, dem, on_grid(np.eye(2, 3), grid)).axes
    assert ax.get_title().startswith("3 slope units")
    assert len(ax.images) == 3
