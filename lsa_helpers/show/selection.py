"""Figures of chapter 04: samples and folds, variance inflation, correlation, importance."""

from collections.abc import Mapping
from itertools import cycle, islice

import geopandas as gpd
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from lsa_helpers.selection import PROBE
from lsa_helpers.show import style

_METHODS = {
    "rf_impurity": "Impurity in the forest\n(share)",
    "permutation": "Permutation, left-out\nblock (loss of AUC)",
    "gain_ratio": "Information\ngain ratio",
}
_GREY = "#777777"
# Folds have no order: their colours have none either, and no red beside green.
_FOLDS = [style.OKABE_ITO[name] for name in ("blue", "orange", "purple", "teal", "sky", "yellow")]
_FAMILIES = {
    "Relief": style.OKABE_ITO["blue"],
    "Distance": style.OKABE_ITO["orange"],
    "Cover": style.OKABE_ITO["teal"],
    "Rock and triggers": style.OKABE_ITO["purple"],
    "Other": "#444444",
}
_FAMILY = {
    "Relief": ("altitude", "slope", "aspect", "plan_curvature", "profile_curvature", "twi", "tri"),
    "Distance": ("distance_to_road", "distance_to_river", "distance_to_fault"),
    "Cover": ("lulc", "ndvi"),
    "Rock and triggers": ("lithology", "rainfall", "pga"),
}
_TICKS = (1, 2, 5, 10, 20, 50, 100, 1000, 10_000)


def samples_map(
    samples: pd.DataFrame,
    inventory: gpd.GeoDataFrame,
    factors: xr.Dataset,
    folds: xr.DataArray,
    block_m: float,
) -> Figure:
    """Samples over the relief and the blocks tinted by fold; filled in landslides, open elsewhere.

    Parameters
    ----------
    samples : DataFrame
        ``x, y`` (m), ``label`` and ``fold``.
    inventory : GeoDataFrame
        Polygons are outlined; places with ``label`` 0 are not.
    factors : Dataset, dims (y, x)
    folds : DataArray of int, dims (y, x)
        From `lsa_helpers.validation.fold_map`.
    block_m : float
        Edge of the blocks, m.
    """
    size = 7.5, 7.0 * min(1.3, factors.sizes["y"] / factors.sizes["x"])
    fig, ax = plt.subplots(figsize=size)
    shade = style.relief(factors)
    style.map_image(ax, shade, cmap="gray", vmin=-0.3, vmax=1.2)
    n_folds = int(samples["fold"].max()) + 1
    colours = list(islice(cycle(_FOLDS), n_folds))
    look = {"cmap": ListedColormap(colours), "vmin": -0.5, "vmax": n_folds - 0.5, "alpha": 0.35}
    tint = style.thin(folds).where(shade.notnull())
    style.map_image(ax, tint, interpolation="nearest", scale_bar=False, **look)
    _block_edges(ax, factors, block_m)
    if (inventory.geom_type != "Point").all():
        style.outlines(ax, style.landslides(inventory), factors, color="black", lw=0.4)
    for fold, part in samples.groupby("fold"):
        slide, free = part[part["label"] == 1], part[part["label"] == 0]
        ax.scatter(slide["x"], slide["y"], s=6, lw=0, color=colours[fold], label=f"Fold {fold + 1}")
        ax.scatter(free["x"], free["y"], s=9, lw=0.9, facecolors="none", edgecolors=colours[fold])
    place = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.01), "ncols": min(n_folds, 6)}
    ax.legend(markerscale=2, handletextpad=0.1, columnspacing=1, **place)
    ax.set_title("Filled: in a landslide. Open: without one. Tinted: the blocks of each fold")
    return fig


def _block_edges(ax, raster, block_m: float) -> None:
    """Lines between the blocks, which are counted from the origin of the CRS."""
    left, bottom, right, top = raster.rio.bounds()
    for low, high, line in ((left, right, ax.axvline), (bottom, top, ax.axhline)):
        for edge in np.arange(np.ceil(low / block_m), np.ceil(high / block_m)) * block_m:
            line(edge, color="white", lw=0.8)


def score_histograms(label, probability) -> Figure:
    """Predicted probabilities of the cells with and without landslide: what an AUC compares.

    Parameters
    ----------
    label : array of 0 and 1, shape (n,)
    probability : array, shape (n,)
        In 0–1.
    """
    label, probability = np.asarray(label), np.asarray(probability)
    fig, ax = plt.subplots(figsize=(7, 2.8))
    looks = {
        0: ("Cells without landslide", style.OKABE_ITO["blue"], {"alpha": 0.45}),
        1: ("Landslide cells", style.OKABE_ITO["vermilion"], {"histtype": "step", "lw": 2}),
    }
    for value, (words, colour, look) in looks.items():
        part = probability[label == value]
        share = np.full(len(part), 100 / len(part))
        ax.hist(part, np.linspace(0, 1, 26), weights=share, color=colour, label=words, **look)
        ax.axvline(np.median(part), color=colour, ls="--", lw=1)
    ax.set(xlabel="Predicted probability, each cell's fold left out", xlim=(0, 1))
    ax.set_ylabel("Share of the cells (%)")
    ax.legend(title="Dashed: the medians")
    return fig


def vif_bars(vif_table: pd.DataFrame, factors: xr.Dataset, threshold: float, flag: float) -> Figure:
    """Bars of the variance inflation factors (log axis) with the two thresholds; dropped factors in
    orange with their step.
    """
    table = vif_table.sort_values("vif")
    fig, ax = plt.subplots(figsize=(6.5, 0.8 + 0.24 * len(table)))
    width = np.minimum(table["vif"], 1e4)
    names = [factors[name].attrs["long_name"] for name in table["factor"]]
    blue, orange = style.OKABE_ITO["blue"], style.OKABE_ITO["orange"]
    bars = ax.barh(names, width, color=np.where(table["dropped_at"] > 0, orange, blue))
    values = zip(table["vif"], table["dropped_at"], strict=True)
    labels = [
        f"{value:.1f}, dropped at step {step}" if step else f"{value:.1f}" for value, step in values
    ]
    ax.bar_label(bars, labels, padding=4, bbox={"facecolor": "white", "pad": 0.5, "lw": 0})
    for value, line in ((flag, ":"), (threshold, "--")):
        ax.axvline(value, color="black", ls=line, lw=1)
    highest = max(6 * width.max(), 2 * threshold)
    ax.set(xscale="log", xlim=(0.9, highest))
    ticks = [tick for tick in _TICKS if tick <= highest]
    ax.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    ax.minorticks_off()
    ax.set_xlabel("Variance inflation factor (1: repeats nothing), log scale")
    return fig


def correlation_heatmap(matrix: pd.DataFrame, factors: xr.Dataset, kind: str) -> Figure:
    """Lower triangle of a correlation matrix; coefficients of 0.4 and more in size are written.

    Parameters
    ----------
    matrix : DataFrame
        Rows and columns named as `factor_coder` names them: a factor, or one with ``_sin``.
    factors : Dataset
        With the attribute ``long_name``.
    kind : str
        Of correlation.
    """
    names = [_words(column, factors) for column in matrix]
    fig, ax = plt.subplots(figsize=(7.5, 1.6 + 0.36 * len(matrix)))
    shown = matrix.where(np.tri(len(matrix), k=-1, dtype=bool)).iloc[1:, :-1]
    image = ax.imshow(shown, cmap=style.DIVERGING, vmin=-1, vmax=1, aspect="auto")
    for i, j in np.argwhere(np.abs(shown.to_numpy()) >= 0.395):
        value = shown.iloc[i, j]
        colour = "white" if abs(value) > 0.6 else "black"
        ax.text(j, i, f"{value:.2f}", ha="center", va="center", fontsize=7, color=colour)
    ax.set_xticks(range(len(names) - 1), names[:-1], rotation=45, ha="right")
    ax.set_yticks(range(len(names) - 1), names[1:])
    fig.colorbar(image, label=f"{kind.title()} correlation", shrink=0.8)
    return fig


def _words(column: str, factors: xr.Dataset) -> str:
    """A coded column in words."""
    for ending, wave in (("_sin", ", sine (east)"), ("_cos", ", cosine (north)")):
        name = column.removesuffix(ending)
        if name != column and name in factors:
            return factors[name].attrs["long_name"] + wave
    return factors[column].attrs["long_name"]


def importance_panels(
    table: pd.DataFrame, factors: xr.Dataset, true_shares: Mapping[str, float] | None = None
) -> Figure:
    """Rankings side by side in one order of rows, 95 % intervals as lines, the random probes as a
    grey band; where it is known, the true share of each factor as a diamond.

    Parameters
    ----------
    table : DataFrame
        ``factor, method, mean, low, high``; rows are in the order of the permutation.
    factors : Dataset
        With the attribute ``long_name``.
    true_shares : mapping, optional
        Factor → share of the variance of the true log-odds.
    """
    is_probe = table["factor"].str.startswith(PROBE)
    means = table[~is_probe].pivot(index="factor", columns="method", values="mean")
    order = list(means.sort_values("permutation").index)
    names = [factors[name].attrs["long_name"] for name in order]
    n_panels = len(_METHODS) + (true_shares is not None)
    size = 8, 1.5 + 0.26 * len(order)
    fig, axes = plt.subplots(1, n_panels, figsize=size, sharey=True)
    for ax, (method, title) in zip(axes, _METHODS.items(), strict=False):
        rows = table[table["method"] == method]
        probes = rows[is_probe[rows.index]]
        ax.axvspan(probes["low"].min(), probes["high"].max(), color=_GREY, alpha=0.35, lw=0)
        rows = rows.set_index("factor").loc[order]
        ax.barh(names, rows["mean"], color=[_colour(name) for name in order])
        ax.hlines(names, rows["low"], rows["high"], color="black", lw=1)
        ax.set_xlabel(title)
    if true_shares is not None:
        shares = [true_shares.get(name, np.nan) for name in order]
        axes[-1].scatter(shares, names, marker="D", color="black", s=22)
        axes[-1].axvline(0, color=_GREY, lw=1)
        axes[-1].set_xlabel("True share\nof the variance")
    families = list(dict.fromkeys(_family(name) for name in reversed(order)))
    handles = [Patch(color=_FAMILIES[name], label=name) for name in families]
    handles.append(Patch(color=_GREY, alpha=0.35, label="Random numbers"))
    fig.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return fig


def _family(factor: str) -> str:
    """The family of a factor; a user's own one is another."""
    return next((family for family, names in _FAMILY.items() if factor in names), "Other")


def _colour(factor: str) -> str:
    """The colour of a factor's family."""
    return _FAMILIES[_family(factor)]
