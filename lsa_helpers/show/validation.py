"""Figures of chapter 08: the folds, success and prediction rate, the sampling laboratory."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lsa_helpers.grid import Grid
from lsa_helpers.show import style

_MARKERS = {
    "cells": ("o", "random cells"),
    "point": ("s", "middle cell"),
    "scarp": ("^", "highest cell"),
}


def fold_panel(folds: np.ndarray, samples: pd.DataFrame, grid: Grid) -> Figure:
    """The fold of every cell (height, width), with the samples: filled where a landslide is, open
    where none is.
    """
    n_folds = int(folds.max()) + 1
    fig, ax = plt.subplots(figsize=(7, 6.4 * min(1.3, grid.height / grid.width)))
    extent = style.map_axes(ax, grid)
    image = ax.imshow(
        folds + 1,
        extent=extent,
        cmap=plt.get_cmap("viridis", n_folds),
        vmin=0.5,
        vmax=n_folds + 0.5,
        interpolation="nearest",
        alpha=0.6,
    )
    for label, face in ((1, "black"), (0, "none")):
        own = samples[samples["label"] == label]
        ax.scatter(own["x"], own["y"], s=5, facecolors=face, edgecolors="black", lw=0.3)
    fig.colorbar(image, label="Fold", ticks=range(1, n_folds + 1), shrink=0.6)
    ax.set_title("Filled: landslide, open: none")
    return fig


def rate_panels(curves: pd.DataFrame) -> Figure:
    """Prediction rate and success rate with their 95 % bands, one panel a model; the success rate's
    band is hatched.

    Parameters
    ----------
    curves : DataFrame
        From `lsa_helpers.honest.rate_curves`.
    """
    names = list(curves["model"].unique())
    fig, axes = plt.subplots(
        1, len(names), figsize=(2.5 * len(names) + 0.6, 3.1), sharey=True, squeeze=False
    )
    for ax, name in zip(axes[0], names, strict=True):
        own, colour = curves[curves["model"] == name], style.MODEL_COLOURS[name]
        for kind, line, label in (
            ("held out", "-", "prediction rate"),
            ("fitted", "--", "success rate"),
        ):
            part = own[own["map"] == kind]
            # Two shades of one colour would melt together where the bands overlap.
            hatched = {"facecolor": "none", "hatch": "/////", "edgecolor": colour, "alpha": 0.5}
            look = {"facecolor": colour, "alpha": 0.2} if kind == "held out" else hatched
            ax.fill_between(100 * part["area"], 100 * part["low"], 100 * part["high"], lw=0, **look)
            ax.plot(100 * part["area"], 100 * part["landslides"], line, color=colour, label=label)
        ax.plot([0, 100], [0, 100], color="#bbbbbb", lw=0.8, zorder=0)
        ax.set(title=style.MODEL_LABELS[name], xlabel="Area, most susceptible first (%)")
        ax.legend(loc="lower right", fontsize=7)
    axes[0, 0].set_ylabel("Landslide area met (%)")
    return fig


def laboratory(table: pd.DataFrame) -> Figure:
    """Map AUC against sample AUC of every kind of samples.

    Parameters
    ----------
    table : DataFrame
        From `lsa_helpers.validation.sampling_laboratory`.
    """
    fig, ax = plt.subplots(figsize=(6, 4.6))
    known = table.dropna(subset=["sample_auc", "map_auc"])
    top = max(known["buffer_m"].max(), 1) if len(known) else 1
    for how, own in known.groupby("positives"):
        marker, _ = _MARKERS[how]
        edges = np.where(own["slope_floor"] > 0, "black", "none")
        dots = ax.scatter(
            own["sample_auc"],
            own["map_auc"],
            c=own["buffer_m"],
            vmin=0,
            vmax=top,
            s=12 + 8 * own["ratio"],
            marker=marker,
            edgecolors=edges,
            lw=0.8,
        )
    if len(known):
        fig.colorbar(dots, label="Distance of cells without landslide (m)")
        low, high = (
            known[["sample_auc", "map_auc"]].to_numpy().min() - 0.01,
            known[["sample_auc", "map_auc"]].to_numpy().max() + 0.01,
        )
        ax.plot([low, high], [low, high], color="#bbbbbb", lw=0.8, zorder=0)
    handles = [
        Line2D([], [], ls="", marker=marker, color="#777777", label=label)
        for marker, label in _MARKERS.values()
    ]
    handles.append(
        Line2D([], [], ls="", marker="o", mfc="white", mec="black", label="no flat cells")
    )
    ax.legend(handles=handles, fontsize=7)
    ax.set(
        xlabel="AUC on samples of the same kind, random folds (1)",
        ylabel="AUC of the held-out map on all cells (1)",
    )
    return fig
