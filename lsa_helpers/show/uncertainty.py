"""Figures of chapter 12: spread, chances, coverage, applicability."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from lsa_helpers.show import style

#: Classes of doubt from left (low) to right (high) in rows of rising susceptibility: blue is sure,
#: orange is not. Each is darker than the one before, so that the order is read in grey too.
BIVARIATE = [
    *("#e6f0f7", "#e3dfd6", "#f2cf9a"),
    *("#8db9dc", "#a3a09c", "#c98e3f"),
    *("#2f74b0", "#5f5a57", "#6f3a08"),
]
_LINES = ["-", "--", ":", "-."]


def bivariate_map(classes: np.ndarray, relief: xr.DataArray) -> Figure:
    """Susceptibility and doubt in one map, with a square of nine colours as its legend.

    Parameters
    ----------
    classes : ndarray, shape (rows, columns)
        Three times the class of susceptibility plus the class of doubt, both 0 to 2; NaN unknown.
        May be coarser than `relief`.
    relief : DataArray, dims (y, x)
        Of the same area, from `lsa_helpers.show.style.relief`.
    """
    height, width = classes.shape
    fig, (ax, square) = plt.subplots(
        1, 2, figsize=(7.5, 5.6 * height / width + 0.3), width_ratios=[5, 1]
    )
    style.map_image(ax, relief, cmap="gray", vmin=-0.3, vmax=1)
    look = {"cmap": ListedColormap(BIVARIATE), "vmin": -0.5, "vmax": 8.5, "alpha": 0.85}
    left, bottom, right, top = relief.rio.bounds()
    ax.imshow(classes, extent=(left, right, bottom, top), interpolation="nearest", **look)
    nine = np.arange(9).reshape(3, 3)
    square.imshow(nine, origin="lower", **look)
    square.set_xticks([0, 2], ["sure", "unsure"], fontsize=7)
    square.set_yticks([0, 2], ["low", "high"], fontsize=7)
    square.set(xlabel="Doubt", ylabel="Susceptibility")
    return fig


def spread_shares(shares: pd.DataFrame, by_chance: pd.Series) -> Figure:
    """Share of the variation by source: the mean as a bar, each repetition as a dot, what it
    would be were all of it noise as a tick.

    Parameters
    ----------
    shares : DataFrame
        One row per repetition, one column per source.
    by_chance : Series
        One value per source.
    """
    fig, ax = plt.subplots(figsize=(6, 0.45 * shares.shape[1] + 0.8))
    place = np.arange(shares.shape[1])
    ax.barh(place, 100 * shares.mean(), 0.6, color="#bbbbbb")
    for _, row in shares.iterrows():
        ax.plot(100 * row, place, "o", ms=5, mfc="white", mec="black")
    marks = {"ls": "", "marker": "|", "ms": 22, "mew": 2, "color": style.OKABE_ITO["vermilion"]}
    ax.plot(100 * by_chance[list(shares)], place, label="were all of it noise", **marks)
    ax.plot([], [], "o", mfc="white", mec="black", label="one repetition")
    ax.legend(fontsize=7)
    ax.set_yticks(place, list(shares))
    ax.invert_yaxis()
    ax.set_xlabel("Share of the variation of the log-odds (%)")
    return fig


def expected_and_true(classes: pd.DataFrame, curves: dict[str, pd.DataFrame]) -> Figure:
    """Left, observed against predicted probability; right, expected and true landslide area.

    Parameters
    ----------
    classes : DataFrame
        ``low, high, expected_km2, true_km2`` of every class of every repetition.
    curves : dict
        Name of a correction → tables of `lsa_helpers.validation.reliability`, one below the other,
        with ``seed``.
    """
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.5, 3.4))
    colours = style.OKABE_ITO["vermilion"], style.OKABE_ITO["blue"]
    for (name, table), colour, line in zip(curves.items(), colours, _LINES, strict=False):
        shown = table[(table["observed"] > 0) & (table["predicted"] > 0)]
        for number, (_, curve) in enumerate(shown.groupby("seed")):
            label = name if number == 0 else None
            look = {"color": colour, "ls": line, "label": label, "marker": "o", "ms": 3, "lw": 1}
            left.loglog(curve["predicted"], curve["observed"], **look)
    ends = [1e-3, 1]
    left.plot(ends, ends, color="#bbbbbb", lw=0.8, zorder=0)
    left.set(xlabel="Predicted probability (1)", ylabel="Share of landslide cells (1)")
    left.legend(fontsize=7)
    names = [f"{low:g}–{high:g}" for low, high in classes[["low", "high"]].drop_duplicates().values]
    names = list(dict.fromkeys(names))
    means = classes.groupby("low")
    place = np.arange(len(means))
    for column, shift, look, label in (
        ("expected_km2", -0.2, {"color": "#cccccc", "edgecolor": "black"}, "expected"),
        ("true_km2", 0.2, {"color": "#444444"}, "true"),
    ):
        mean = means[column].mean()
        ends = mean - means[column].min(), means[column].max() - mean
        right.bar(place + shift, mean, 0.4, yerr=ends, capsize=2, label=label, **look)
    right.set_xticks(place, names, rotation=40, ha="right", fontsize=7)
    right.set(xlabel="Class of predicted probability (1)", ylabel="Landslide area (km²)")
    right.legend(fontsize=7)
    return fig


def coverage_panels(coverage: pd.DataFrame, confidence: float, stratum: str) -> Figure:
    """Share of landslide cells with a right set, by quarter of the land: a panel for each place, a
    line for each kind of set.

    Parameters
    ----------
    coverage : DataFrame
        ``place, sets, quarter`` (1 to 4) and ``coverage`` of landslide cells, means over
        repetitions.
    confidence : float
        Share that was promised.
    stratum : str
        By what the land was quartered.
    """
    places = list(dict.fromkeys(coverage["place"]))
    fig, axes = style.panels(len(places), len(places), 7.5, 3.2, sharey=True)
    colours = [style.OKABE_ITO[name] for name in ("vermilion", "blue", "black", "teal")]
    for ax, place in zip(axes, places, strict=True):
        part = coverage[coverage["place"] == place]
        for (name, rows), colour, marker in zip(
            part.groupby("sets", sort=False), colours, "os^D", strict=False
        ):
            ax.plot(
                rows["quarter"], 100 * rows["coverage"], marker=marker, color=colour, label=name
            )
        ax.axhline(100 * confidence, color="#777777", lw=1, ls="--")
        ax.set(title=place, xlabel=stratum, ylim=(0, 102), xticks=range(1, 5))
    axes[0].set_ylabel("Landslide cells with a right set (%)")
    handles = axes[0].get_legend_handles_labels()
    fig.legend(*handles, loc="outside lower center", ncols=len(handles[1]), fontsize=7)
    return fig


def dissimilarity_curves(indices: dict[str, dict], limits: dict[str, list]) -> Figure:
    """Share of the land below each dissimilarity index, the limit as a vertical line.

    Parameters
    ----------
    indices : dict
        Space → place → one array of indices per repetition.
    limits : dict
        Space → limits of the area of applicability; their mean is drawn.
    """
    fig, axes = style.panels(len(indices), len(indices), 7.5, 3.2, sharey=True)
    colours = [style.OKABE_ITO[name] for name in ("black", "blue", "vermilion")]
    for ax, (space, of_place) in zip(axes, indices.items(), strict=True):
        joined = {place: np.concatenate(parts) for place, parts in of_place.items()}
        for (place, values), colour, line in zip(joined.items(), colours, _LINES, strict=False):
            share = 100 * np.arange(1, len(values) + 1) / len(values)
            ax.plot(np.sort(values), share, ls=line, color=colour, label=place)
        ax.axvline(np.mean(limits[space]), color="#777777", lw=1.5)
        highest = max(np.quantile(values, 0.995) for values in joined.values())
        ax.set(title=space, xlabel="Dissimilarity index (1)", xlim=(0, highest), ylim=(0, 101))
    axes[0].set_ylabel("Land below it (%)")
    axes[0].legend(fontsize=7, loc="lower right")
    return fig
