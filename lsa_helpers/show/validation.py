"""Figures of chapters 09 and 10: errors by distance, rates, reliability, samples."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lsa_helpers.show import style

_MARKERS = {
    "cells": ("o", "random cells"),
    "point": ("s", "middle cell"),
    "scarp": ("^", "highest cell"),
}


def rate_panels(curves: pd.DataFrame) -> Figure:
    """Prediction rate and success rate with their 95 % bands, one panel a model, more than four in
    rows of three; the success rate's band is hatched.

    Parameters
    ----------
    curves : DataFrame
        ``model, map`` (held out: prediction rate, fitted: success rate) and the columns of
        `lsa_helpers.validation.rate_curve`.
    """
    names = curves["model"].unique()
    columns = len(names) if len(names) <= 4 else 3
    fig, axes = style.panels(len(names), columns, 2.5 * columns + 0.6, 3.1, sharey=True)
    for ax, name in zip(axes, names, strict=True):
        colour = style.MODEL_COLOURS[name]
        # Two shades of one colour would melt together where the bands overlap.
        hatched = {"facecolor": "none", "hatch": "/////", "edgecolor": colour, "alpha": 0.5}
        shaded = {"facecolor": colour, "alpha": 0.2}
        of_model = 100 * curves[curves["model"] == name].set_index("map").drop(columns="model")
        for kind, line, band, label in (
            ("held out", "-", shaded, "prediction rate"),
            ("fitted", "--", hatched, "success rate"),
        ):
            curve = of_model.loc[kind]
            ax.fill_between(curve["area"], curve["low"], curve["high"], lw=0, **band)
            ax.plot(curve["area"], curve["landslides"], line, color=colour, label=label)
        ax.plot([0, 100], [0, 100], color="#bbbbbb", lw=0.8, zorder=0)
        ax.set(title=style.MODEL_LABELS[name], xlabel="Area, most susceptible first (%)")
        ax.legend(loc="lower right", fontsize=7)
    for ax in axes[::columns]:
        ax.set_ylabel("Landslide area met (%)")
    return fig


def correlograms(curves: dict[str, pd.DataFrame], block_m: float) -> Figure:
    """Correlation of errors against distance, one line per model, the edge of a block dotted.

    Parameters
    ----------
    curves : dict
        Model → table from `lsa_helpers.validation.correlogram`.
    block_m : float
        Edge of the blocks, m.
    """
    fig, ax = plt.subplots(figsize=(6, 3.6))
    for name, curve in curves.items():
        colour = style.MODEL_COLOURS[name]
        ax.plot(
            curve["distance"],
            curve["correlation"],
            "o-",
            ms=3,
            color=colour,
            label=style.MODEL_LABELS[name],
        )
    ax.axhline(0, color="#bbbbbb", lw=0.8, zorder=0)
    ax.axvline(block_m, color="black", ls=":", lw=1, label="edge of a block")
    ax.set(xlabel="Distance between two samples (m)", ylabel="Correlation of errors (1)")
    ax.legend(fontsize=7)
    return fig


def reliability_curves(curves: dict[str, pd.DataFrame]) -> Figure:
    """Observed against predicted probability, one line per model, on logarithmic axes.

    Parameters
    ----------
    curves : dict
        Model → table from `lsa_helpers.validation.reliability`; classes in which nothing was
        observed cannot be shown.
    """
    fig, ax = plt.subplots(figsize=(5, 4.4))
    ends = []
    for name, curve in curves.items():
        shown = curve[(curve["predicted"] > 0) & (curve["observed"] > 0)]
        ends += [*shown["predicted"], *shown["observed"]]
        label, colour = style.MODEL_LABELS[name], style.MODEL_COLOURS[name]
        ax.loglog(shown["predicted"], shown["observed"], "o-", ms=4, color=colour, label=label)
    ax.plot([min(ends), max(ends)], [min(ends), max(ends)], color="#bbbbbb", lw=0.8, zorder=0)
    ax.set(xlabel="Predicted probability (1)", ylabel="Observed share or true probability (1)")
    ax.legend(fontsize=7)
    return fig


def sampling_sensitivity(table: pd.DataFrame) -> Figure:
    """Map AUC against sample AUC of every kind of samples.

    Parameters
    ----------
    table : DataFrame
        As for `lsa_helpers.validation.summarise_sampling`.
    """
    fig, ax = plt.subplots(figsize=(6, 4.6))
    known = table.dropna(subset=["sample_auc", "map_auc"])
    farthest = max(known["buffer_m"].max(), 1)
    for positives, part in known.groupby("positives"):
        look = {"c": part["buffer_m"], "vmin": 0, "vmax": farthest, "s": 12 + 8 * part["ratio"]}
        look["edgecolors"] = np.where(part["slope_floor"] > 0, "black", "none")
        marker = _MARKERS[positives][0]
        dots = ax.scatter(part["sample_auc"], part["map_auc"], marker=marker, lw=0.8, **look)
    if len(known):
        fig.colorbar(dots, label="Distance of cells without landslide (m)")
        areas = known[["sample_auc", "map_auc"]].to_numpy()
        ends = [areas.min() - 0.01, areas.max() + 0.01]
        ax.plot(ends, ends, color="#bbbbbb", lw=0.8, zorder=0)
    handles = [
        Line2D([], [], ls="", marker=marker, color="#777777", label=label)
        for marker, label in _MARKERS.values()
    ]
    edged = {"ls": "", "marker": "o", "mfc": "white", "mec": "black"}
    ax.legend(handles=[*handles, Line2D([], [], **edged, label="no flat cells")], fontsize=7)
    ax.set(
        xlabel="AUC on samples of the same kind, random folds (1)",
        ylabel="AUC of the held-out map on all cells (1)",
    )
    return fig
