"""Figures of chapter 04: variance inflation, correlation, importance."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from lsa_helpers.selection import PROBE
from lsa_helpers.show import style

_METHODS = {
    "rf_impurity": "Impurity in the forest (share)",
    "permutation": "Permutation, left-out block (loss of AUC)",
    "gain_ratio": "Information gain ratio (1)",
}


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
    values = zip(width, table["dropped_at"], strict=True)
    labels = [f"dropped at step {step}" if step else f"{value:.1f}" for value, step in values]
    ax.bar_label(bars, labels, padding=4, bbox={"facecolor": "white", "pad": 0.5, "lw": 0})
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
    look = {"ha": "center", "va": "center", "fontsize": 6, "color": "white"}
    for i, j in np.argwhere(np.abs(matrix.to_numpy()) >= 0.7):
        if i != j:
            ax.text(j, i, f"{matrix.iloc[i, j]:.1f}", **look)
    ax.set_xticks(range(len(matrix)), matrix.columns, rotation=90)
    ax.set_yticks(range(len(matrix)), matrix.index)
    fig.colorbar(image, label=f"{kind.title()} correlation (1)", shrink=0.8)
    return fig


def importance_panels(table: pd.DataFrame, factors: xr.Dataset) -> Figure:
    """Three rankings side by side, 95 % intervals as lines; the highest end of the random probes is
    the dashed line.
    """
    fig, axes = plt.subplots(1, 3, figsize=(10, 0.9 + 0.24 * table["factor"].nunique()))
    labels = {name: factor.attrs["long_name"] for name, factor in factors.items()}
    are_probes = table["factor"].str.startswith(PROBE)
    labels |= {name: name.replace("_", " ").capitalize() for name in table["factor"][are_probes]}
    for ax, (method, title) in zip(axes, _METHODS.items(), strict=True):
        part = table[table["method"] == method].sort_values("mean")
        is_probe = are_probes[part.index]
        names = part["factor"].map(labels)
        ax.barh(names, part["mean"], color=np.where(is_probe, "#777777", style.OKABE_ITO["blue"]))
        ax.hlines(names, part["low"], part["high"], color="black", lw=1)
        ax.axvline(part.loc[is_probe, "high"].max(), color="#777777", ls="--", lw=1)
        ax.set(xlabel=title)
        ax.tick_params(axis="y", labelsize=7)
    return fig
