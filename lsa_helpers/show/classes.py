"""Figures and tables of chapter 06: class maps, frequency ratios, and the paper's table beside."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, ListedColormap, to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import NullFormatter

from lsa_helpers.classes import MODELS, class_names
from lsa_helpers.show import style

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
    """Hexadecimal colours of the classes from low to high: `style.CLASS_RAMP`, or as many steps
    along it.

    Examples
    --------
    >>> class_colours(3)
    ['#e6ebf3', '#9495c6', '#561873']
    """
    ramp = LinearSegmentedColormap.from_list("classes", style.CLASS_RAMP, N=1025)
    return [to_hex(colour) for colour in ramp(np.linspace(0, 1, n_classes))]


def draw_classes(ax: Axes, classes: xr.DataArray, n_classes: int, *, scale_bar: bool = True):
    """Classes (dims y, x; 0 is not drawn) in a map frame, each in its one colour."""
    look = {"cmap": ListedColormap(class_colours(n_classes)), "interpolation": "nearest"}
    look |= {"vmin": 0.5, "vmax": n_classes + 0.5}
    return style.map_image(ax, classes.where(classes > 0), scale_bar=scale_bar, **look)


def class_patches(n_classes: int) -> list[Patch]:
    """What a legend shows of the classes, the highest first."""
    named = zip(class_colours(n_classes), class_names(n_classes), strict=True)
    return [Patch(color=colour, label=name) for colour, name in named][::-1]


def class_maps(maps: Mapping[str, xr.DataArray], landslides, *, n_classes: int) -> Figure:
    """Class maps two beside each other, the legend where a fourth would be: one below the other
    where the area is wide. No relief shines through, so that a colour is what its legend says.

    Parameters
    ----------
    maps : mapping
        Model → classes (y, x) from 1 to `n_classes`, 0 where unknown.
    landslides : GeoDataFrame
        Outlined in every map; the name of their layer in ``attrs["layer"]``.
    n_classes : int

    Returns
    -------
    Figure
    """
    grid = next(iter(maps.values()))
    height, width = grid.shape
    columns = 1 if width > 1.6 * height or len(maps) == 1 else 2
    free = columns == 2 and len(maps) % 2 == 1
    panel = 7.5 / columns * height / width + 0.3
    fig, axes = style.panels(len(maps) + free, columns, 7.5, panel + (not free) * 0.6 / len(maps))
    for ax, (model, classes) in zip(axes, maps.items(), strict=False):
        draw_classes(ax, classes, n_classes)
        style.outlines(ax, landslides, grid, color=OUTLINE, markersize=4, lw=0.7)
        ax.set_title(style.MODEL_LABELS[model])
    handles = class_patches(n_classes)
    label = f"Landslide ({landslides.attrs['layer']})"
    handles.append(Patch(facecolor="none", edgecolor=OUTLINE, label=label))
    if free:
        axes[-1].axis("off")
        axes[-1].legend(handles=handles, loc="center", fontsize=10, title="Susceptibility")
    else:
        place = {"loc": "outside lower center", "ncols": min(len(handles), 6)}
        fig.legend(handles=handles, fontsize=8, handlelength=1.2, columnspacing=1.2, **place)
    return fig


def frequency_ratio_dots(table: pd.DataFrame) -> Figure:
    """Frequency ratio of every class on a logarithmic axis, beside the share of the land it has.

    Parameters
    ----------
    table : DataFrame
        ``frequency_ratio`` of a run.

    Returns
    -------
    Figure
        A dot for each class and model; a ratio of 0, which has no place on such an axis, is
        written at its left end.
    """
    names = list(dict.fromkeys(table["susceptibility"]))
    models = list(dict.fromkeys(table["model"]))
    size = 7.5, 0.55 + len(names) * (0.25 + 0.17 * len(models))
    fig, (land, ratio) = plt.subplots(1, 2, figsize=size, sharey=True, width_ratios=[1, 2])
    step = 0.8 / len(models)
    for number, model in enumerate(models):
        rows = table[table["model"] == model].set_index("susceptibility").loc[names]
        y = np.arange(len(names)) + ((len(models) - 1) / 2 - number) * step
        colour = style.MODEL_COLOURS[model]
        land.barh(y, rows["area_ratio_pct"], 0.85 * step, color=colour)
        some = (rows["fr"] > 0).to_numpy()
        label = style.MODEL_LABELS[model]
        ratio.plot(rows["fr"][some], y[some], "o", color=colour, ms=6, label=label)
        for place in y[~some]:
            where = ratio.get_yaxis_transform()
            ratio.text(0.01, place, "0", color=colour, va="center", weight="bold", transform=where)
    ratio.axvline(1, color="black", lw=0.8, ls="--", label="No better than chance")
    _log_axis(ratio, table["fr"])
    land.set(xlabel="Land (%)", yticks=range(len(names)), yticklabels=names)
    ratio.set_xlabel("Frequency ratio (dimensionless)")
    fig.legend(loc="outside lower center", ncols=4, fontsize=8)
    return fig


def _log_axis(ax: Axes, values: pd.Series) -> None:
    """A logarithmic axis with room at its left end for what is 0."""
    some = values[values > 0]
    low, high = min(some.min(), 1.0), max(some.max(), 1.0)
    ax.set_xscale("log")
    ax.set_xlim(low / (high / low) ** 0.12 / 1.1, high * (high / low) ** 0.05 * 1.1)
    steps = [step * 10.0**power for power in range(-6, 4) for step in (1, 2, 5)]
    shown = [step for step in steps if ax.get_xlim()[0] < step < ax.get_xlim()[1]]
    ax.set_xticks(shown if len(shown) < 9 else shown[::3], minor=False)
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.grid(axis="x", color="#dddddd", lw=0.6)


def capture_curves(
    table: pd.DataFrame,
    printed: pd.DataFrame,
    best: tuple[np.ndarray, np.ndarray] | None = None,
) -> Figure:
    """Landslide area captured against land looked at, from the most susceptible class down (the
    success-rate curve).

    Parameters
    ----------
    table : DataFrame
        ``frequency_ratio`` of a run.
    printed : DataFrame
        The paper's Table 5, drawn dashed.
    best : tuple of ndarray, optional
        Land and true landslide area captured, %, by whoever knows the true probability: dotted.

    Returns
    -------
    Figure
    """
    fig, ax = plt.subplots(figsize=(7, 4.4))
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
    if best is not None:
        ax.plot(*best, color="black", lw=1.2, ls=":", label="Best possible (true landslides)")
    ax.plot([0, 100], [0, 100], color="#777777", lw=0.8, label="Search at random")
    ax.set(xlabel="Land, most susceptible class first (%)", ylabel="Landslide area captured (%)")
    ax.set(xlim=(0, 101), ylim=(0, 101))
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8)
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
    both = pd.concat({"This run": ours, "Printed in the paper": theirs}, axis=1)
    both = both.round({column: 2 if column[1] == "fr" else 1 for column in both})
    both = both.dropna(axis=1, how="all")  # other classes than the paper's have nothing beside them
    return both.rename(WORDS, axis=1).rename(WORDS, level=0).rename_axis([None, None])


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
    wide = wide.convert_dtypes().rename(WORDS).rename(WORDS, axis=1)
    return wide.rename_axis(index="Breaks", columns=[None, None])
