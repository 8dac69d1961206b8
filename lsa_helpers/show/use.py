"""Figures of chapter 14: where models agree, what lies in which class, classes as zones."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from lsa_helpers.show import style
from lsa_helpers.show.classes import class_colours, class_patches, draw_classes


def agreement_maps(votes: xr.DataArray, difference: xr.DataArray, n_models: int) -> Figure:
    """How many models put a cell into the highest class, and how far apart their classes are.

    Parameters
    ----------
    votes : DataArray, dims (y, x)
        Models that call a cell by the highest class, 0 to `n_models`; NaN where unknown.
    difference : DataArray, dims (y, x)
        Highest class of a cell less its lowest over the models; NaN where unknown.
    n_models : int

    Returns
    -------
    Figure
    """
    height, width = votes.shape
    panel = 3.75 * height / width + 0.7
    fig, axes = style.panels(2, 2, 7.5, panel, layout="compressed")
    colours = ["#f1f1f1", *class_colours(n_models + 1)[1:]]
    words = ["no model", *(f"{count} of {n_models}" for count in range(1, n_models + 1))]
    _counts(axes[0], votes, colours, words, "Highest class by")
    apart = difference.clip(max=3)
    words = ["none", "one class", "two", "three or more"]
    _counts(axes[1], apart, ["#f1f1f1", "#cccccc", "#E69F00", "#7f3b08"], words, "Models differ by")
    return fig


def _counts(ax, values: xr.DataArray, colours: list[str], words: list[str], title: str) -> None:
    """A map of small whole numbers, each in its one colour, with a legend below."""
    look = {"cmap": ListedColormap(colours), "interpolation": "nearest"}
    style.map_image(ax, values, vmin=-0.5, vmax=len(colours) - 0.5, **look)
    patches = [Patch(fc=c, ec="#999999", label=w) for c, w in zip(colours, words, strict=True)]
    place = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.02), "ncols": 4}
    close = {"handlelength": 1.0, "columnspacing": 1.0, "handletextpad": 0.4}
    ax.legend(handles=patches, fontsize=8, title=title, **place, **close)


def exposure_bars(exposure: pd.DataFrame, column: str, label: str) -> Figure:
    """How much of something lies in each class, a bar a model, the highest class first.

    Parameters
    ----------
    exposure : DataFrame
        ``model, susceptibility`` from the lowest class to the highest, and `column`.
    column : str
    label : str
        What the column is, with its unit.

    Returns
    -------
    Figure
    """
    names = list(dict.fromkeys(exposure["susceptibility"]))
    models = list(dict.fromkeys(exposure["model"]))
    fig, ax = plt.subplots(figsize=(7.5, 0.5 * len(models) + 1.3))
    colours = class_colours(len(names))
    for place, model in enumerate(models):
        rows = exposure[exposure["model"] == model].set_index("susceptibility")[column]
        start = 0.0
        for name, colour in zip(names[::-1], colours[::-1], strict=True):
            ax.barh(place, rows[name], left=start, color=colour, height=0.7)
            if rows[name] > 0.06 * rows.sum():
                ink = "white" if colour in colours[len(colours) // 2 + 1 :] else "black"
                middle = start + rows[name] / 2
                ax.text(middle, place, f"{rows[name]:.1f}", ha="center", va="center", color=ink)
            start += rows[name]
    ax.set_yticks(range(len(models)), [style.MODEL_LABELS[model] for model in models])
    ax.invert_yaxis()
    ax.set_xlabel(label)
    handles = class_patches(len(names))
    fig.legend(handles=handles, loc="outside lower center", ncols=min(len(names), 5), fontsize=8)
    return fig


def zone_maps(maps: Mapping[str, xr.DataArray], n_classes: int) -> Figure:
    """The middle ninth of class maps, large enough to see what a zone would be.

    Parameters
    ----------
    maps : mapping
        Title → classes (y, x), 0 where unknown.
    n_classes : int

    Returns
    -------
    Figure
    """
    height, width = next(iter(maps.values())).shape
    part = {"y": slice(height // 3, 2 * height // 3), "x": slice(width // 3, 2 * width // 3)}
    columns = 2 if len(maps) > 1 else 1
    free = len(maps) % 2 == 1 and columns == 2
    panel = 7.5 / columns * height / width + 0.3
    fig, axes = style.panels(len(maps) + free, columns, 7.5, panel + (not free) * 0.25)
    for ax, (title, classes) in zip(axes, maps.items(), strict=False):
        near = classes.isel(part)
        draw_classes(ax, near.rio.write_transform(near.rio.transform(recalc=True)), n_classes)
        ax.set_title(title)
    handles = class_patches(n_classes)
    if free:
        axes[-1].axis("off")
        axes[-1].legend(handles=handles, loc="center", fontsize=10, title="Susceptibility")
    else:
        fig.legend(handles=handles, loc="outside lower center", ncols=min(n_classes, 5), fontsize=8)
    return fig


def class_table(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """A column by class (highest first) and model, names in words."""
    wide = table.pivot(index="susceptibility", columns="model", values=column)
    order = list(dict.fromkeys(table["susceptibility"]))[::-1]
    wide = wide.loc[order, list(dict.fromkeys(table["model"]))]
    return wide.rename(columns=style.MODEL_LABELS).rename_axis(index="Class", columns=None)


def rounded(value: float, low: float, high: float) -> str:
    """A number with its interval as a reader writes it: ``12 (8–17)``.

    Examples
    --------
    >>> rounded(12.31, 8.2, 16.9), rounded(0.26, 0.1, 0.44), rounded(3.0, np.nan, np.nan)
    ('12 (8–17)', '0.3 (0.1–0.4)', '3.0')
    """
    digits = 0 if value >= 10 else 1
    ends = f" ({low:.{digits}f}–{high:.{digits}f})" if np.isfinite([low, high]).all() else ""
    return f"{value:.{digits}f}{ends}"
