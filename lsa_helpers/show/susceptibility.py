"""Figures of chapters 04 and 05: collinearity, importance, samples, ROC curves, susceptibility
maps, maps against the truth.
"""

import geopandas as gpd
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import rankdata
from sklearn.metrics import roc_curve

from lsa_helpers.factors import FactorStack
from lsa_helpers.grid import Grid
from lsa_helpers.show import style
from lsa_helpers.validation import Truth

_METHODS = {
    "rf_impurity": "Impurity in the forest (share)",
    "permutation": "Permutation, left-out block (loss of AUC)",
    "gain_ratio": "Information gain ratio (1)",
}


def vif_bars(
    vif_table: pd.DataFrame, info: dict[str, dict], threshold: float, flag: float
) -> Figure:
    """Bars of the variance inflation factors (log axis) with the two thresholds; dropped factors in
    orange with their step.
    """
    table = vif_table.sort_values("vif")
    fig, ax = plt.subplots(figsize=(6.5, 0.8 + 0.24 * len(table)))
    gone = table["dropped_at"].to_numpy() > 0
    width = np.minimum(table["vif"], 1e4)
    names = [info[name]["label"] for name in table["factor"]]
    ax.barh(
        names,
        width,
        left=0,
        color=np.where(gone, style.OKABE_ITO["orange"], style.OKABE_ITO["blue"]),
    )
    box = {"facecolor": "white", "pad": 0.5, "lw": 0}
    for y, (value, step) in enumerate(zip(width, table["dropped_at"], strict=True)):
        text = f"dropped at step {step}" if step else f"{value:.1f}"
        ax.annotate(
            text, (value, y), xytext=(4, 0), textcoords="offset points", va="center", bbox=box
        )
    for value, line in ((flag, ":"), (threshold, "--")):
        ax.axvline(value, color="black", ls=line, lw=1)
    ax.set(
        xscale="log",
        xlim=(0.9, max(3 * width.max(), 2 * threshold)),
        xlabel="Variance inflation factor (1), log scale",
    )
    return fig


def correlation_heatmap(matrix: pd.DataFrame, kind: str) -> Figure:
    """Heat map of a correlation matrix; coefficients of 0.7 and more in size are written into the
    cells.
    """
    size = 1.8 + 0.33 * len(matrix)
    fig, ax = plt.subplots(figsize=(size + 0.8, size))
    image = ax.imshow(matrix, cmap=style.DIVERGING, vmin=-1, vmax=1)
    for i, j in np.argwhere(np.abs(matrix.to_numpy()) >= 0.7):
        if i != j:
            ax.text(
                j,
                i,
                f"{matrix.iloc[i, j]:.1f}",
                ha="center",
                va="center",
                fontsize=6,
                color="white",
            )
    ax.set_xticks(range(len(matrix)), matrix.columns, rotation=90)
    ax.set_yticks(range(len(matrix)), matrix.index)
    fig.colorbar(image, label=f"{kind.title()} correlation (1)", shrink=0.8)
    return fig


def importance_panels(table: pd.DataFrame, info: dict[str, dict]) -> Figure:
    """Three rankings side by side, 95 % intervals as lines; the random probe's upper end is the
    dashed line.
    """
    fig, axes = plt.subplots(1, 3, figsize=(10, 0.9 + 0.24 * table["factor"].nunique()))
    for ax, (method, title) in zip(axes, _METHODS.items(), strict=True):
        part = table[table["method"] == method].sort_values("mean")
        probe = part[part["factor"] == "random_probe"].iloc[0]
        colour = np.where(part["factor"] == "random_probe", "#777777", style.OKABE_ITO["blue"])
        names = [info[name]["label"] if name in info else "Random probe" for name in part["factor"]]
        ax.barh(names, part["mean"], color=colour)
        ax.hlines(names, part["low"], part["high"], color="black", lw=1)
        ax.axvline(probe["high"], color="#777777", ls="--", lw=1)
        ax.set(xlabel=title)
        ax.tick_params(axis="y", labelsize=7)
    return fig


def _relief(ax, stack: FactorStack) -> tuple[float, float, float, float]:
    """Draw the shaded relief, where altitude is known, and return the map's extent."""
    extent = style.map_axes(ax, stack.grid)
    if "altitude" in stack.names:
        ax.imshow(
            style.hillshade(stack.band("altitude"), stack.grid.cell_size),
            extent=extent,
            cmap="gray",
            vmin=-0.3,
            vmax=1.2,
        )
    return extent


def samples_map(samples: pd.DataFrame, inventory: gpd.GeoDataFrame, stack: FactorStack) -> Figure:
    """Samples over the relief, coloured by fold; filled where a landslide is, open where none is."""
    fig, ax = plt.subplots(figsize=(7.5, 7.0 * min(1.3, stack.grid.height / stack.grid.width)))
    _relief(ax, stack)
    if (inventory.geom_type != "Point").all():
        inventory.to_crs(stack.grid.crs).boundary.plot(ax=ax, color="black", lw=0.3)
        style.map_axes(ax, stack.grid, scale_bar=False)
        ax.set(xlabel="", ylabel="")
    n_folds = samples["fold"].max() + 1
    palette = plt.get_cmap("viridis", n_folds)
    for fold, part in samples.groupby("fold"):
        slide, free = part[part["label"] == 1], part[part["label"] == 0]
        ax.scatter(slide["x"], slide["y"], s=7, color=palette(fold), lw=0, label=f"Fold {fold + 1}")
        ax.scatter(free["x"], free["y"], s=7, facecolors="none", edgecolors=palette(fold), lw=0.5)
    ax.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -0.01),
        ncols=int(n_folds),
        markerscale=2,
        handletextpad=0.1,
        columnspacing=1,
    )
    ax.set_title("Filled: landslide, open: none")
    return fig


def roc_panels(guesses: pd.DataFrame, truth: np.ndarray | None = None) -> Figure:
    """ROC curves of random and of spatial folds side by side.

    Parameters
    ----------
    guesses : DataFrame
        From `validate.predictions`.
    truth : ndarray, optional
        True probability at each sample: its curve is the ceiling.
    """
    fig, axes = plt.subplots(1, 2, figsize=(9, 4.4), sharey=True)
    for ax, (scheme, title) in zip(
        axes,
        {"random": "Random folds, by landslide", "spatial": "Spatial blocks"}.items(),
        strict=True,
    ):
        part = guesses[guesses["scheme"] == scheme]
        for model, own in part.groupby("model", sort=False):
            x, y, _ = roc_curve(own["label"], own["probability"])
            ax.plot(
                x,
                y,
                color=style.MODEL_COLOURS[model],
                label=f"{style.MODEL_LABELS[model]} {np.trapezoid(y, x):.3f}",
            )
        if truth is not None:
            known = np.isfinite(truth[own["sample"]])
            x, y, _ = roc_curve(own["label"][known], truth[own["sample"]][known])
            ax.plot(
                x,
                y,
                color=style.MODEL_COLOURS["ceiling"],
                ls="--",
                label=f"{style.MODEL_LABELS['ceiling']} {np.trapezoid(y, x):.3f}",
            )
        ax.plot([0, 1], [0, 1], color="#bbbbbb", lw=0.8, zorder=0)
        ax.set(title=title, xlabel="False positive rate (1)", aspect="equal")
        ax.legend(loc="lower right", title="Area under the curve", fontsize=7)
    axes[0].set_ylabel("True positive rate (1)")
    return fig


def _panels(n: int, grid: Grid) -> tuple[Figure, np.ndarray]:
    """Maps in one row, four in two, more in rows of three."""
    cols = {1: 1, 2: 2, 4: 2}.get(n, 3)
    rows, ratio = -(-n // cols), grid.height / grid.width
    width = min(10.0, 9.0 * cols / rows / ratio)
    size = width, rows * width / cols * ratio + 1.2
    fig, axes = plt.subplots(rows, cols, figsize=size, squeeze=False, layout="compressed")
    for ax in axes.ravel()[n:]:
        ax.set_visible(False)
    return fig, axes.ravel()[:n]


def susceptibility_maps(
    maps: dict[str, np.ndarray], inventory: gpd.GeoDataFrame, grid: Grid
) -> Figure:
    """Maps of the models side by side with one colour scale, landslides outlined (or landslide
    points).
    """
    fig, axes = _panels(len(maps), grid)
    outline = inventory.to_crs(grid.crs)
    points = (outline.geom_type == "Point").all()
    outline = outline[outline["label"] == 1] if points else outline.boundary
    for ax, (model, values) in zip(axes, maps.items(), strict=True):
        extent = style.map_axes(ax, grid)
        image = ax.imshow(
            values, extent=extent, vmin=0, vmax=1, cmap=style.SEQUENTIAL, interpolation="nearest"
        )
        outline.plot(
            ax=ax,
            color=style.OKABE_ITO["vermilion"],
            **({"markersize": 4} if points else {"lw": 0.4}),
        )
        style.map_axes(ax, grid, scale_bar=False)
        ax.set(title=style.MODEL_LABELS[model], xlabel="", ylabel="")
    label = "Susceptibility (probability at the sampled share)"
    fig.colorbar(image, ax=axes.tolist(), label=label, location="bottom", shrink=0.5, aspect=40)
    return fig


def truth_difference(maps: dict[str, np.ndarray], truth: Truth, grid: Grid) -> Figure:
    """The true probability as a rank, and each map's rank minus it, in percentage points of the
    area.
    """
    known = np.isfinite(truth.probability) & np.logical_and.reduce(
        [np.isfinite(values) for values in maps.values()]
    )

    def rank(values):
        out = np.full(values.shape, np.nan)
        out[known] = 100 * rankdata(values[known]) / known.sum()
        return out

    true_rank = rank(truth.probability)
    fig, axes = _panels(len(maps) + 1, grid)
    extents = [style.map_axes(ax, grid) for ax in axes]
    first = axes[0].imshow(true_rank, extent=extents[0], vmin=0, vmax=100, interpolation="nearest")
    axes[0].set_title("True probability (rank)")
    for ax, (model, values) in zip(axes[1:], maps.items(), strict=True):
        image = ax.imshow(
            rank(values) - true_rank,
            extent=extents[0],
            vmin=-60,
            vmax=60,
            cmap=style.DIVERGING,
            interpolation="nearest",
        )
        ax.set_title(f"{style.MODEL_LABELS[model]} minus truth")
    bar = {"ax": axes.tolist(), "location": "bottom", "shrink": 0.5, "aspect": 40}
    fig.colorbar(image, **bar, label="Difference of ranks (percentage points)")
    fig.colorbar(first, **bar, label="Rank of the true probability (%)")
    return fig
