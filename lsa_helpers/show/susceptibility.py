"""Figures of chapter 05: samples, ROC curves, susceptibility maps, maps against the truth."""

import geopandas as gpd
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure
from scipy.stats import rankdata
from sklearn.metrics import auc, roc_curve

from lsa_helpers.show import style

_SCHEMES = {"random": "Random folds, by landslide", "spatial": "Spatial blocks"}


def _landslides(inventory: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """An inventory without the places that have none."""
    return inventory[inventory["label"] == 1] if "label" in inventory else inventory


def samples_map(samples: pd.DataFrame, inventory: gpd.GeoDataFrame, factors: xr.Dataset) -> Figure:
    """Samples over the relief, coloured by fold; filled in landslides, open elsewhere."""
    size = 7.5, 7.0 * min(1.3, factors.sizes["y"] / factors.sizes["x"])
    fig, ax = plt.subplots(figsize=size)
    style.map_image(ax, style.relief(factors), cmap="gray", vmin=-0.3, vmax=1.2)
    if (inventory.geom_type != "Point").all():
        style.outlines(ax, _landslides(inventory), factors, color="black", lw=0.3)
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


def roc_panels(predictions: pd.DataFrame) -> Figure:
    """ROC curves of random and of spatial folds side by side.

    Parameters
    ----------
    predictions : DataFrame
        ``scheme, model, label, probability``.
    """
    fig, axes = plt.subplots(1, 2, figsize=(9, 4.4), sharey=True)
    for ax, (scheme, title) in zip(axes, _SCHEMES.items(), strict=True):
        part = predictions[predictions["scheme"] == scheme]
        for model, rows in part.groupby("model", sort=False):
            _roc(ax, rows["label"], rows["probability"], model)
        ax.plot([0, 1], [0, 1], color="#bbbbbb", lw=0.8, zorder=0)
        ax.set(title=title, xlabel="False positive rate (1)", aspect="equal")
        ax.legend(loc="lower right", title="Area under the curve", fontsize=7)
    axes[0].set_ylabel("True positive rate (1)")
    return fig


def _roc(ax, label, score, model: str) -> None:
    """One curve, with its area in the legend."""
    x, y, _ = roc_curve(label, score)
    text = f"{style.MODEL_LABELS[model]} {auc(x, y):.3f}"
    ax.plot(x, y, color=style.MODEL_COLOURS[model], label=text)


def _panels(n: int, raster) -> tuple[Figure, list]:
    """Maps in one row, four in two, more in rows of three."""
    columns = {1: 1, 2: 2, 4: 2}.get(n, 3)
    rows, ratio = -(-n // columns), raster.sizes["y"] / raster.sizes["x"]
    width = min(10.0, 9.0 * columns / rows / ratio)
    height = width / columns * ratio + 1.2 / rows
    return style.panels(n, columns, width, height, layout="compressed")


def susceptibility_maps(maps: dict[str, xr.DataArray], inventory: gpd.GeoDataFrame) -> Figure:
    """Maps of the models side by side with one colour scale, landslides outlined (or landslide
    points).
    """
    first = next(iter(maps.values()))
    fig, axes = _panels(len(maps), first)
    red = style.OKABE_ITO["vermilion"]
    shown = _landslides(inventory)
    for ax, (model, values) in zip(axes, maps.items(), strict=True):
        image = style.map_image(ax, values, vmin=0, vmax=1, interpolation="nearest")
        style.outlines(ax, shown, first, color=red, lw=0.4, markersize=4)
        ax.set_title(style.MODEL_LABELS[model])
    label = "Susceptibility (probability at the sampled share)"
    fig.colorbar(image, ax=axes, label=label, location="bottom", shrink=0.5, aspect=40)
    return fig


def truth_difference(maps: dict[str, xr.DataArray], probability: xr.DataArray) -> Figure:
    """The true probability as a rank, and each map's rank minus it, in percentage points of the
    area.
    """
    known = np.logical_and.reduce([raster.notnull() for raster in (probability, *maps.values())])

    def rank(raster):
        values = np.where(known, raster, np.nan)
        ranks = rankdata(values, nan_policy="omit").reshape(values.shape)
        return probability.copy(data=100 * ranks / known.sum())

    true_rank = rank(probability)
    fig, axes = _panels(len(maps) + 1, probability)
    look = {"vmin": 0, "vmax": 100, "interpolation": "nearest"}
    first = style.map_image(axes[0], true_rank, **look)
    axes[0].set_title("True probability (rank)")
    look = {"vmin": -60, "vmax": 60, "cmap": style.DIVERGING, "interpolation": "nearest"}
    for ax, (model, values) in zip(axes[1:], maps.items(), strict=True):
        image = style.map_image(ax, true_rank.copy(data=rank(values) - true_rank), **look)
        ax.set_title(f"{style.MODEL_LABELS[model]} minus truth")
    bar = {"ax": axes, "location": "bottom", "shrink": 0.5, "aspect": 40}
    fig.colorbar(image, **bar, label="Difference of ranks (percentage points)")
    fig.colorbar(first, **bar, label="Rank of the true probability (%)")
    return fig
