"""Class maps and their legend: one colour a class, the same wherever a class is shown."""

import io

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex, to_rgb
from PIL import Image
from shapely.geometry import box

from lsa_helpers.raster import empty_grid, on_grid
from lsa_helpers.show import classes as show
from lsa_helpers.show import style

GRID = empty_grid((600_000, 3_290_000, 600_500, 3_290_400), "EPSG:32648", 100)


def lightness(colour: str) -> float:
    """L* of CIELAB, D65."""
    part = np.array(to_rgb(colour))
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    return 116 * np.cbrt(luminance) - 16 if luminance > 0.008856 else 903.3 * luminance


def seen(fig) -> np.ndarray:
    """The figure as it is saved, RGB."""
    content = io.BytesIO()
    fig.savefig(content, format="png", dpi=100)
    return np.asarray(Image.open(content).convert("RGB"))


@pytest.mark.parametrize("n_classes", [2, 3, 5, 7, 10])
def test_each_class_is_darker_than_the_one_below_it(n_classes):
    """By about the same step, and the lightest is no page."""
    steps = -np.diff([lightness(colour) for colour in show.class_colours(n_classes)])
    assert steps.min() > 0.5 * steps.max() and steps.min() > 5
    assert lightness(show.class_colours(n_classes)[0]) < 95


def test_what_is_seen_is_what_the_legend_says():
    """Five classes in five columns: the pixels of the map and of the swatches are the ramp itself,
    and no other colour takes as much room.
    """
    style.use()
    classes = on_grid(np.tile(np.arange(1, 6, dtype=np.uint8), (4, 1)), GRID)
    none = gpd.GeoDataFrame(geometry=[box(0, 0, 1, 1)], crs=GRID.rio.crs)
    none.attrs["layer"] = "reference"
    fig = show.class_maps({"cnn": classes, "rf": classes, "xgboost": classes}, none, n_classes=5)
    (legend,) = [ax.get_legend() for ax in fig.axes if ax.get_legend()]
    swatches = [to_hex(patch.get_facecolor()) for patch in legend.get_patches()][:5]
    assert swatches == list(style.CLASS_RAMP)[::-1]
    pixels = seen(fig)
    for ax in fig.axes[:3]:
        left, bottom, right, top = ax.get_window_extent().extents * 100 / fig.dpi
        row = pixels[int(len(pixels) - (bottom + top) / 2)]
        found = row[(left + (np.arange(5) + 0.5) / 5 * (right - left)).astype(int)]
        assert [to_hex(colour / 255) for colour in found] == list(style.CLASS_RAMP)
    assert fig.axes[0].get_window_extent().width / fig.bbox.width * 690 >= 320


def test_no_class_is_not_drawn():
    classes = on_grid(np.zeros(GRID.shape, np.uint8), GRID)
    none = gpd.GeoDataFrame(geometry=[box(0, 0, 1, 1)], crs=GRID.rio.crs)
    none.attrs["layer"] = "reference"
    (image,) = show.class_maps({"cnn": classes}, none, n_classes=5).axes[0].images
    assert np.isnan(image.get_array().filled(np.nan)).all()


def test_a_ratio_of_nothing_is_written_out():
    """Dots stand at their ratios; 0, which no logarithmic axis has, is a text at the left end."""
    names = ["Very Low", "Low", "Moderate", "High", "Very High"]
    table = pd.DataFrame({"model": "rf", "susceptibility": names})
    table["area_ratio_pct"] = [50.0, 20.0, 15.0, 10.0, 5.0]
    table["fr"] = [0.0, 0.2, 1.0, 2.0, 9.0]
    land, ratio = show.frequency_ratio_dots(table).axes
    assert [bar.get_width() for bar in land.patches] == table["area_ratio_pct"].tolist()
    assert ratio.lines[0].get_xdata().tolist() == [0.2, 1.0, 2.0, 9.0]
    assert [(text.get_text(), text.get_position()) for text in ratio.texts] == [("0", (0.01, 0.0))]
    assert ratio.get_xscale() == "log" and ratio.get_xlim()[0] < 0.2


def test_the_best_possible_search_is_dotted():
    table = pd.DataFrame({"model": "rf", "area_ratio_pct": [90.0, 10.0]})
    table["landslide_area_ratio_pct"] = [20.0, 80.0]
    best = np.array([10.0, 100.0]), np.array([90.0, 100.0])
    for given, expected in ((None, 0), (best, 1)):
        (ax,) = show.capture_curves(table, table.iloc[:0], given).axes
        dotted = [line for line in ax.lines if line.get_linestyle() == ":"]
        assert len(dotted) == expected
    assert dotted[0].get_ydata().tolist() == [90.0, 100.0]


def test_the_printed_table_stands_beside_its_own_classes_only():
    """Five classes have the paper's beside them; of three there is nothing printed."""
    table = pd.DataFrame({"model": "rf", "susceptibility": ["Low", "High"]})
    table["area_ratio_pct"], table["landslide_area_ratio_pct"] = [89.96, 10.04], [20.0, 80.0]
    table["fr"] = table["landslide_area_ratio_pct"] / table["area_ratio_pct"]
    both = show.side_by_side(table, table.assign(fr=1.0))
    assert both.loc[("Random forest", "High")].tolist() == [10.0, 80.0, 7.97, 10.0, 80.0, 1.0]
    other = table.assign(susceptibility=["Class 1 (lowest)", "Class 2 (highest)"])
    alone = show.side_by_side(other, table)
    assert set(alone.columns.get_level_values(0)) == {"This run"} and not alone.isna().any(
        axis=None
    )
