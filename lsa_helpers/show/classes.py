"""Figures of chapter 06: class maps, frequency ratios, and the paper's table beside ours."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from lsa_helpers.classes import MODELS, class_names
from lsa_helpers.grid import Grid, read_raster
from lsa_helpers.run import Run
from lsa_helpers.show import style

# A white rim keeps outlines visible on dark and light classes.
HALO = withStroke(linewidth=1.6, foreground="white")
FEW = 300  # landslides whose outlines may have a halo


def class_colours(n_classes: int) -> list[str]:
    """Hexadecimal colours of the classes from low to high, from the sequential map."""
    from matplotlib.colors import to_hex

    return [
        to_hex(colour) for colour in plt.get_cmap(style.SEQUENTIAL)(np.linspace(0, 1, n_classes))
    ]


def relief(run: Run, grid: Grid) -> np.ndarray:
    """Shaded relief in 0–1, shape (height, width), from the run's altitude; NaN outside; flat where
    the run has no altitude.
    """
    values, _, names = read_raster(run.need("factors.tif", chapter="01_data"))
    if "altitude" in names:
        return style.hillshade(values[names.index("altitude")], grid.cell_size)
    return np.where(np.isfinite(values[0]), 0.8, np.nan)


def class_maps(run: Run, landslides=None, *, n_classes: int) -> Figure:
    """The class maps of the three models over shaded relief: side by side, or one below the other
    where the area is wide.

    Parameters
    ----------
    run : Run
        With ``classes_*.tif`` and ``factors.tif``.
    landslides : GeoDataFrame, optional
        Outlined in every map.
    n_classes : int
        Number of classes.

    Returns
    -------
    Figure
    """
    colours = class_colours(n_classes)
    grid = read_raster(run.product(f"classes_{MODELS[0]}.tif"))[1]
    rows, cols = (len(MODELS), 1) if grid.width > 1.6 * grid.height else (1, len(MODELS))
    width = 7.5
    fig, axes = plt.subplots(
        rows, cols, figsize=(width, rows * width / cols * grid.height / grid.width + 0.75)
    )
    # A halo makes a few outlines stand out; round a thousand of them it hides the classes.
    line = (
        {"lw": 0.7, "path_effects": [HALO]}
        if landslides is None or len(landslides) <= FEW
        else {"lw": 0.4}
    )
    shade = relief(run, grid)
    for ax, model in zip(axes, MODELS, strict=True):
        extent = style.map_axes(ax, grid)
        classes = read_raster(run.product(f"classes_{model}.tif"))[0][0]
        ax.imshow(shade, cmap="gray", vmin=-0.3, vmax=1, extent=extent)
        ax.imshow(
            np.ma.masked_equal(classes, 0),
            cmap=ListedColormap(colours),
            vmin=0.5,
            vmax=n_classes + 0.5,
            alpha=0.7,
            extent=extent,
            interpolation="nearest",
        )
        if landslides is not None:
            landslides.plot(
                ax=ax,
                facecolor="none",
                edgecolor=style.OKABE_ITO["vermilion"],
                markersize=4,
                **line,
            )
        style.map_axes(ax, grid, scale_bar=False)
        ax.set(title=style.MODEL_LABELS[model], xlabel="", ylabel="")
    handles = [
        Patch(color=colour, label=name)
        for colour, name in zip(colours, class_names(n_classes), strict=True)
    ]
    if landslides is not None:
        handles.append(
            Patch(
                facecolor="none",
                edgecolor=style.OKABE_ITO["vermilion"],
                label=f"Landslide ({landslides.attrs['layer']})",
            )
        )
    fig.legend(
        handles=handles,
        loc="outside lower center",
        ncols=min(len(handles), 6),
        fontsize=8,
        handlelength=1.2,
        columnspacing=1.2,
    )
    return fig


def frequency_ratio_bars(table: pd.DataFrame, printed: pd.DataFrame | None = None) -> Figure:
    """Frequency ratio of every class on a logarithmic axis, this run's as bars and the paper's as
    marks.

    Parameters
    ----------
    table : DataFrame
        ``frequency_ratio`` of a run.
    printed : DataFrame, optional
        The paper's Table 5; drawn when it has the same classes.

    Returns
    -------
    Figure
    """
    names = list(dict.fromkeys(table["susceptibility"]))
    fig, ax = plt.subplots(figsize=(7, 3.2))
    for shift, model in zip((-0.27, 0, 0.27), MODELS, strict=True):
        fr = table[table["model"] == model].set_index("susceptibility")["fr"].reindex(names)
        ax.bar(
            np.arange(len(names)) + shift,
            fr,
            0.25,
            color=style.MODEL_COLOURS[model],
            label=style.MODEL_LABELS[model],
        )
        if printed is not None and set(printed["susceptibility"]) == set(names):
            fr = printed[printed["model"] == model].set_index("susceptibility")["fr"].reindex(names)
            label = "Printed in the paper" if model == MODELS[-1] else None
            ax.plot(
                np.arange(len(names)) + shift, fr, "D", ms=5, mfc="white", mec="black", label=label
            )
    ax.axhline(1, color="black", lw=0.8, ls="--", label="No better than chance")
    ax.set_yscale("symlog", linthresh=0.1, linscale=0.3)
    ax.set(xlabel="Susceptibility class", ylabel="Frequency ratio (dimensionless)")
    ax.set_ylim(0, 1.4 * ax.dataLim.ymax)
    ax.set_xticks(range(len(names)), names)
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.legend(loc="upper left")
    return fig


def capture_curves(table: pd.DataFrame, printed: pd.DataFrame | None = None) -> Figure:
    """Landslide area captured against land looked at, from the most susceptible class down (the
    success-rate curve).

    Parameters
    ----------
    table : DataFrame
        ``frequency_ratio`` of a run.
    printed : DataFrame, optional
        The paper's Table 5, drawn dashed.

    Returns
    -------
    Figure
    """
    fig, ax = plt.subplots(figsize=(4.6, 4))
    for source, line in ((table, "-o"), (printed, "--D")):
        for model, rows in source.groupby("model", sort=False) if source is not None else []:
            land, slides = (
                [0, *rows[c].to_numpy()[::-1].cumsum()]
                for c in ("area_ratio_pct", "landslide_area_ratio_pct")
            )
            label = style.MODEL_LABELS[model] + (", printed" if source is printed else "")
            face = "white" if source is printed else None
            ax.plot(
                land,
                slides,
                line,
                ms=3,
                lw=1.2,
                color=style.MODEL_COLOURS[model],
                label=label,
                mfc=face,
            )
    ax.plot([0, 100], [0, 100], color="#777777", lw=0.8, ls=":")
    ax.set(xlabel="Land, most susceptible class first (%)", ylabel="Landslide area captured (%)")
    ax.set(xlim=(0, 101), ylim=(0, 101), aspect="equal")
    ax.legend(loc="lower right", fontsize=7)
    return fig


def side_by_side(table: pd.DataFrame, printed: pd.DataFrame) -> pd.DataFrame:
    """This run's table beside the printed one, with short headings and rounded for reading.

    Parameters
    ----------
    table : DataFrame
        ``frequency_ratio`` of a run.
    printed : DataFrame
        The paper's Table 5; empty where its classes have other names.

    Returns
    -------
    DataFrame
        Rows by model and class; two groups of columns: this run, and the ratios printed in the
        paper.
    """
    keys = ["model", "susceptibility"]
    short = {"area_km2": "area km²", "area_ratio_pct": "area %", "fr": "FR"}
    short |= {"landslide_area_km2": "landslide km²", "landslide_area_ratio_pct": "landslide %"}
    ours = table.set_index(keys).rename(columns=short)
    theirs = (
        printed.set_index(keys)
        .rename(columns=short)[["area %", "landslide %", "FR"]]
        .reindex(ours.index)
    )
    both = pd.concat({"This run": ours, "Printed in the paper": theirs}, axis=1)
    both.index = both.index.set_levels(
        both.index.levels[0].map(style.MODEL_LABELS), level=0
    ).set_names(["", ""])
    return both.round(2)
