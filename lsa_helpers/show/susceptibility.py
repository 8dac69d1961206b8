"""Figures of chapter 05: ROC curves, susceptibility maps, maps against the truth."""

from collections.abc import Mapping

import geopandas as gpd
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure
from scipy.stats import rankdata
from sklearn.metrics import auc, roc_curve

from lsa_helpers.raster import cell_size
from lsa_helpers.show import style

_SCHEMES = {"random": "Random folds, by landslide", "spatial": "Spatial blocks"}
# What a reader finds the way by: factor whose zero line is drawn → colour.
_WAYS = {"distance_to_river": style.OKABE_ITO["sky"], "distance_to_road": "white"}


def roc_panels(
    predictions: pd.DataFrame, bands: Mapping[str, tuple[str, pd.DataFrame]] | None = None
) -> Figure:
    """ROC curves of random and of spatial folds side by side.

    Parameters
    ----------
    predictions : DataFrame
        ``scheme, model, label, probability``.
    bands : mapping, optional
        Scheme → model, and the band of its curve from `lsa_helpers.validation.roc_band`.
    """
    fig, axes = plt.subplots(1, 2, figsize=(8, 4.6), sharey=True)
    for ax, (scheme, title) in zip(axes, _SCHEMES.items(), strict=True):
        part = predictions[predictions["scheme"] == scheme]
        for model, rows in part.groupby("model", sort=False):
            _roc(ax, rows["label"], rows["probability"], model)
        if bands and scheme in bands:
            model, band = bands[scheme]
            words = f"95 % of the draws, {style.MODEL_LABELS[model]}"
            look = {"color": style.MODEL_COLOURS[model], "alpha": 0.2, "lw": 0, "zorder": 0}
            ax.fill_between(band["false_positive"], band["low"], band["high"], label=words, **look)
        ax.plot([0, 1], [0, 1], color="#bbbbbb", lw=0.8, zorder=0)
        ax.set(title=title, xlabel="Share of other cells called landslide", aspect="equal")
        ax.legend(loc="lower right", title="Area under the curve", fontsize=8)
    axes[0].set_ylabel("Share of landslide cells found")
    return fig


def _roc(ax, label, score, model: str) -> None:
    """One curve, with its area in the legend."""
    x, y, _ = roc_curve(label, score)
    text = f"{style.MODEL_LABELS[model]} {auc(x, y):.3f}"
    ax.plot(x, y, color=style.MODEL_COLOURS[model], lw=1.4, label=text)


def score_words(random: pd.DataFrame, spatial: pd.DataFrame) -> pd.DataFrame:
    """AUC of every model in random folds and in blocks, for the page: three or four rows of text.

    Parameters
    ----------
    random, spatial : DataFrame
        From `lsa_helpers.validation.score_table`, indexed by model.
    """
    ends = spatial[["auc_within_low", "auc_within_high"]].to_numpy()
    rows = {
        "random folds, by landslide": random["auc_within"].map("{:.3f}".format),
        "spatial blocks": spatial["auc_within"].map("{:.3f}".format),
        "95 % interval in blocks": [f"{low:.2f} to {high:.2f}" for low, high in ends],
    }
    if "auc_true" in spatial:
        rows["spatial blocks, true landslides"] = spatial["auc_true"].map("{:.3f}".format)
    return pd.DataFrame(rows, spatial.index).rename(style.MODEL_LABELS).rename_axis(None).T


def _panels(n: int, raster) -> tuple[Figure, list]:
    """Maps in one row, four in two, more in rows of three."""
    columns = {1: 1, 2: 2, 4: 2}.get(n, 3)
    rows, ratio = -(-n // columns), raster.sizes["y"] / raster.sizes["x"]
    width = min(9.0, 9.0 * columns / rows / ratio)
    height = width / columns * ratio + 0.4 + 0.6 / rows
    return style.panels(n, columns, width, height, layout="compressed")


def susceptibility_maps(
    maps: dict[str, xr.DataArray],
    inventory: gpd.GeoDataFrame,
    factors: xr.Dataset | None = None,
    truth: xr.DataArray | None = None,
    window: tuple[float, float, float, float] | None = None,
) -> Figure:
    """Maps of the models side by side with one colour scale, landslides outlined (or landslide
    points).

    Parameters
    ----------
    maps : dict
        Model → susceptibility, dims (y, x), in 0–1.
    inventory : GeoDataFrame
    factors : Dataset, optional
        Roads and rivers are drawn where it holds the distances to them.
    truth : DataArray, dims (y, x), optional
        The true probability on the same scale: one panel more.
    window : tuple of float, optional
        Left, bottom, right, top of a part of the land that is framed, m.
    """
    first = next(iter(maps.values()))
    shown = style.landslides(inventory)
    titles = {style.MODEL_LABELS[model]: values for model, values in maps.items()}
    if truth is not None:
        titles["Truth (odds as in the samples)"] = truth
    fig, axes = _panels(len(titles), first)
    look = {"color": style.OKABE_ITO["vermilion"], "lw": 0.5, "markersize": 4}
    for ax, (title, values) in zip(axes, titles.items(), strict=True):
        bar = ax is axes[0]
        image = style.map_image(ax, values, vmin=0, vmax=1, interpolation="nearest", scale_bar=bar)
        if factors is not None:
            _draw_ways(ax, factors)
        style.outlines(ax, shown, first, **look)
        if window is not None:
            left, bottom, right, top = window
            frame = plt.Rectangle((left, bottom), right - left, top - bottom, fill=False)
            frame.set(edgecolor="white", lw=1.5, ls="--")
            ax.add_patch(frame)
        ax.set_title(title)
    label = "Susceptibility (probability at the sampled share)"
    fig.colorbar(image, ax=axes, label=label, location="bottom", shrink=0.5, aspect=40)
    return fig


def _draw_ways(ax, factors: xr.Dataset) -> None:
    """Rivers and roads as faint lines: where the distance to them is under a cell."""
    for name, colour in _WAYS.items():
        if name in factors:
            distance = style.thin(factors[name])
            if float(distance.min()) < cell_size(distance) < float(distance.max()):
                where = distance.x.values, distance.y.values, distance.values
                look = {"levels": [cell_size(distance)], "colors": colour}
                ax.contour(*where, linewidths=0.4, alpha=0.5, **look)


def truth_difference(
    maps: dict[str, xr.DataArray],
    probability: xr.DataArray,
    inventory: gpd.GeoDataFrame | None = None,
    agreement: Mapping[str, float] | None = None,
) -> Figure:
    """The true probability as a rank, and each map's rank minus it, in percentage points of the
    area.

    Parameters
    ----------
    maps : dict
        Model → susceptibility, dims (y, x).
    probability : DataArray, dims (y, x)
        The true one.
    inventory : GeoDataFrame, optional
        Landslides that are outlined on the truth.
    agreement : mapping, optional
        Model → rank correlation with the truth, written above its panel; the highest is named.
    """
    agreement = {} if agreement is None else dict(agreement)
    known = np.logical_and.reduce([raster.notnull() for raster in (probability, *maps.values())])

    def rank(raster):
        values = np.where(known, raster, np.nan)
        ranks = rankdata(values, nan_policy="omit").reshape(values.shape)
        return probability.copy(data=100 * ranks / known.sum())

    true_rank = rank(probability)
    fig, axes = _panels(len(maps) + 1, probability)
    first = style.map_image(axes[0], true_rank, vmin=0, vmax=100, interpolation="nearest")
    axes[0].set_title("True probability (rank)")
    if inventory is not None:
        red = style.OKABE_ITO["vermilion"]
        style.outlines(axes[0], style.landslides(inventory), probability, color=red, lw=0.5)
    look = {"vmin": -60, "vmax": 60, "cmap": style.DIVERGING, "interpolation": "nearest"}
    for ax, (model, values) in zip(axes[1:], maps.items(), strict=True):
        difference = true_rank.copy(data=rank(values) - true_rank)
        image = style.map_image(ax, difference, scale_bar=False, **look)
        ax.set_title(_difference_title(model, agreement))
    _rank_bars(fig, axes, first, image)
    return fig


def _difference_title(model: str, agreement: Mapping[str, float]) -> str:
    """A model, its rank correlation with the truth and whether it is the closest."""
    if model not in agreement:
        return f"{style.MODEL_LABELS[model]} minus truth"
    closest = agreement[model] == max(agreement.values())
    words = f"{style.MODEL_LABELS[model]}: {agreement[model]:.2f}"
    return f"{words}, closest to the truth" if closest else words


def _rank_bars(fig: Figure, axes: list, ranks, differences) -> None:
    """Both colour bars beside each other below the maps."""
    columns = axes[0].get_gridspec().ncols
    last = axes[(len(axes) - 1) // columns * columns :]
    bars = (
        (ranks, last[:1], "Rank of the true probability (%)"),
        (differences, last[1:] or last, "Map minus truth (points of rank)"),
    )
    for image, below, label in bars:
        fig.colorbar(image, ax=below, location="bottom", label=label, aspect=25, shrink=0.9)
