"""Figures and tables of chapter 06: class maps, frequency ratios, and the paper's table beside."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.colors import ListedColormap, to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from lsa_helpers.classes import MODELS, class_names
from lsa_helpers.show import style

# A white rim keeps outlines visible on dark and light classes; round a thousand of them it hides
# the classes.
HALO = withStroke(linewidth=1.6, foreground="white")
MAX_WITH_HALO = 300
OUTLINE = style.OKABE_ITO["vermilion"]

#: Headings and entries of this chapter's tables in words.
WORDS = {
    "model": "Model",
    "susceptibility": "Class",
    "area_ratio_pct": "Land (%)",
    "landslide_area_ratio_pct": "Landslides (%)",
    "fr": "FR",
    "area_pct": "Land (%)",
    "landslides_pct": "Landslides (%)",
    "rank": "Rank",
    "scheme": "Breaks",
    "fisher_jenks": "Fisher–Jenks",
    "equal": "Equal",
    "quantile": "Quantile",
    "deviation": "Standard deviation",
    "geometric": "Geometric",
} | {model: style.MODEL_LABELS[model] for model in MODELS}


def class_colours(n_classes: int) -> list[str]:
    """Hexadecimal colours of the classes from low to high, from the sequential map."""
    return [to_hex(colour) for colour in plt.get_cmap(style.SEQUENTIAL, n_classes).colors]


def class_maps(
    maps: Mapping[str, xr.DataArray], relief: xr.DataArray, landslides, *, n_classes: int
) -> Figure:
    """Class maps over shaded relief: side by side, or one below the other where the area is wide.

    Parameters
    ----------
    maps : mapping
        Model → classes (y, x) from 1 to `n_classes`, 0 where unknown.
    relief : DataArray, dims (y, x)
        From `lsa_helpers.show.style.relief`.
    landslides : GeoDataFrame
        Outlined in every map; the name of their layer in ``attrs["layer"]``.
    n_classes : int

    Returns
    -------
    Figure
    """
    height, width = relief.shape
    columns = 1 if width > 1.6 * height else len(maps)
    legend = 0.75 * columns / len(maps)
    fig, axes = style.panels(len(maps), columns, 7.5, 7.5 / columns * height / width + legend)
    colours = class_colours(n_classes)
    look = {"cmap": ListedColormap(colours), "vmin": 0.5, "vmax": n_classes + 0.5, "alpha": 0.7}
    look["interpolation"] = "nearest"
    line = {"lw": 0.4}
    if len(landslides) <= MAX_WITH_HALO:
        line = {"lw": 0.7, "path_effects": [HALO]}
    for ax, (model, classes) in zip(axes, maps.items(), strict=True):
        style.map_image(ax, relief, cmap="gray", vmin=-0.3, vmax=1)
        style.map_image(ax, classes.where(classes > 0), scale_bar=False, **look)
        style.outlines(ax, landslides, relief, color=OUTLINE, markersize=4, **line)
        ax.set_title(style.MODEL_LABELS[model])
    named = zip(colours, class_names(n_classes), strict=True)
    handles = [Patch(color=colour, label=name) for colour, name in named]
    label = f"Landslide ({landslides.attrs['layer']})"
    handles.append(Patch(facecolor="none", edgecolor=OUTLINE, label=label))
    place = {"loc": "outside lower center", "ncols": min(len(handles), 6)}
    fig.legend(handles=handles, fontsize=8, handlelength=1.2, columnspacing=1.2, **place)
    return fig


def frequency_ratio_bars(table: pd.DataFrame, printed: pd.DataFrame) -> Figure:
    """Frequency ratio of every class on a logarithmic axis, this run's as bars and the paper's as
    marks.

    Parameters
    ----------
    table : DataFrame
        ``frequency_ratio`` of a run.
    printed : DataFrame
        The paper's Table 5; drawn when it has the same classes.

    Returns
    -------
    Figure
    """
    names = list(dict.fromkeys(table["susceptibility"]))
    models = list(dict.fromkeys(table["model"]))
    width = 0.8 / len(models)
    fig, ax = plt.subplots(figsize=(7, 3.2))
    for number, model in enumerate(models):
        x = np.arange(len(names)) + (number - (len(models) - 1) / 2) * width
        look = {"color": style.MODEL_COLOURS[model], "label": style.MODEL_LABELS[model]}
        ax.bar(x, _ratios(table, model, names), 0.93 * width, **look)
        if set(printed["susceptibility"]) == set(names):
            label = "Printed in the paper" if model == models[-1] else None
            marks = {"ms": 5, "mfc": "white", "mec": "black", "label": label}
            ax.plot(x, _ratios(printed, model, names), "D", **marks)
    ax.axhline(1, color="black", lw=0.8, ls="--", label="No better than chance")
    ax.set_yscale("symlog", linthresh=0.1, linscale=0.3)
    ax.set(xlabel="Susceptibility class", ylabel="Frequency ratio (dimensionless)")
    ax.set_ylim(0, 1.4 * ax.dataLim.ymax)
    ax.set_xticks(range(len(names)), names)
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.legend(loc="upper left")
    return fig


def _ratios(table: pd.DataFrame, model: str, names: list[str]) -> pd.Series:
    """One model's frequency ratios by class."""
    return table[table["model"] == model].set_index("susceptibility")["fr"].reindex(names)


def capture_curves(table: pd.DataFrame, printed: pd.DataFrame) -> Figure:
    """Landslide area captured against land looked at, from the most susceptible class down (the
    success-rate curve).

    Parameters
    ----------
    table : DataFrame
        ``frequency_ratio`` of a run.
    printed : DataFrame
        The paper's Table 5, drawn dashed.

    Returns
    -------
    Figure
    """
    fig, ax = plt.subplots(figsize=(4.6, 4))
    for source, line, face, ending in (
        (table, "-o", None, ""),
        (printed, "--D", "white", ", printed"),
    ):
        for model, rows in source.groupby("model", sort=False):
            downwards = rows.iloc[::-1]
            land = [0, *downwards["area_ratio_pct"].cumsum()]
            captured = [0, *downwards["landslide_area_ratio_pct"].cumsum()]
            label = style.MODEL_LABELS[model] + ending
            look = {"color": style.MODEL_COLOURS[model], "mfc": face, "ms": 3, "lw": 1.2}
            ax.plot(land, captured, line, label=label, **look)
    ax.plot([0, 100], [0, 100], color="#777777", lw=0.8, ls=":")
    ax.set(xlabel="Land, most susceptible class first (%)", ylabel="Landslide area captured (%)")
    ax.set(xlim=(0, 101), ylim=(0, 101), aspect="equal")
    ax.legend(loc="lower right", fontsize=7)
    return fig


def side_by_side(table: pd.DataFrame, printed: pd.DataFrame) -> pd.DataFrame:
    """This run's shares and ratios beside the printed ones, rounded, headings in words.

    Parameters
    ----------
    table : DataFrame
        ``frequency_ratio`` of a run.
    printed : DataFrame
        The paper's Table 5; empty where its classes have other names.

    Returns
    -------
    DataFrame
        Rows by model and class; two groups of columns: this run, and printed in the paper.
    """
    keys = ["model", "susceptibility"]
    columns = ["area_ratio_pct", "landslide_area_ratio_pct", "fr"]
    ours = table.set_index(keys)[columns]
    theirs = printed.set_index(keys)[columns].reindex(ours.index)
    both = pd.concat({"This run": ours, "Printed in the paper": theirs}, axis=1).round(2)
    return both.rename(WORDS, axis=1).rename(WORDS, level=0).rename_axis(["", ""])


def sensitivity_table(sensitivity: pd.DataFrame) -> pd.DataFrame:
    """The highest class by breaks and model, narrow enough for a page.

    Parameters
    ----------
    sensitivity : DataFrame
        ``scheme, model, area_pct, fr, rank``.

    Returns
    -------
    DataFrame
        One row per scheme; for each model its share of land, FR and rank.
    """
    wide = sensitivity.round(1).pivot(
        index="scheme", columns="model", values=["area_pct", "fr", "rank"]
    )
    models = list(dict.fromkeys(sensitivity["model"]))
    wide = wide.swaplevel(axis=1)[models].loc[list(dict.fromkeys(sensitivity["scheme"]))]
    return wide.convert_dtypes().rename(WORDS).rename(WORDS, axis=1).rename_axis("Breaks")
