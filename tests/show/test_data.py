"""Figures of chapter 01: families of factors, and landslides on the maps."""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.collections import LineCollection

from lsa_helpers.factors.build import FACTORS
from lsa_helpers.raster import on_grid
from lsa_helpers.show import data


def test_every_factor_belongs_to_one_family():
    names = [name for family in data.FAMILIES.values() for name in family]
    assert sorted(names) == sorted(FACTORS)
    own = data.of_family([*FACTORS, "snow"], "triggers")
    assert own == ["rainfall", "pga", "snow"]
    assert data.of_family(["altitude"], "triggers") == []


def test_landslides_are_outlined_on_every_map(hillside):
    factors, landslides = hillside
    figure = data.factor_panels(factors, 2, landslides)
    maps = [ax for ax in figure.axes if ax.get_title()]
    assert len(maps) == len(factors)
    for ax in maps:
        lines = [item for item in ax.collections if isinstance(item, LineCollection)]
        assert sum(len(item.get_segments()) for item in lines) == len(landslides)
    figure.canvas.draw()


def test_largest_classes_are_named_and_the_rest_counted(frame):
    """Sixteen classes, fifteen of them larger than the last: thirteen names and a line."""
    codes = np.resize(np.arange(1, 17), frame.size).reshape(frame.shape).astype(np.float32)
    rocks = on_grid(codes, frame, "lithology", kind="categorical", long_name="Rocks")
    rocks.attrs["classes"] = {code: f"rock {code}" for code in range(1, 17)}
    figure = data.factor_panels(xr.Dataset({"lithology": rocks}), 1)
    texts = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert len(texts) == 14 and texts[0] == "rock 1" and texts[-1] == "and 3 more"
    plt.close(figure)
