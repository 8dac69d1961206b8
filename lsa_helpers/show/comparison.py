"""Figures of the chapter that compares runs: scores with intervals, what moves a score."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lsa_helpers.show import style


def score_intervals(scores: pd.DataFrame, label: str) -> Figure:
    """A score of every run and model as a dot with its interval.

    Parameters
    ----------
    scores : DataFrame
        ``run, model, value, low, high``; one row per run and model.
    label : str
        Name and unit of the score.
    """
    runs, models = scores["run"].unique(), scores["model"].unique()
    fig, ax = plt.subplots(figsize=(7.5, 0.8 + len(runs) * (0.16 * len(models) + 0.12)))
    for number, model in enumerate(models):
        rows = scores[scores["model"] == model].set_index("run").reindex(runs)
        offset = (number - (len(models) - 1) / 2) * 0.8 / len(models)
        gaps = [rows["value"] - rows["low"], rows["high"] - rows["value"]]
        look = {"fmt": "o", "ms": 4, "lw": 1, "color": style.MODEL_COLOURS[model]}
        place = np.arange(len(runs)) + offset
        ax.errorbar(rows["value"], place, xerr=gaps, label=style.MODEL_LABELS[model], **look)
    ax.set_yticks(range(len(runs)), runs)
    ax.set(xlabel=label, ylim=(len(runs) - 0.5, -0.5))
    ax.grid(axis="x", color="#dddddd", lw=0.6)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=len(models))
    return fig


def tornado(effects: pd.DataFrame, label: str) -> Figure:
    """What moves a score: for each parameter a bar from the lowest to the highest mean over the
    runs with one of its values, the largest on top.

    Parameters
    ----------
    effects : DataFrame
        ``model, parameter, value, mean, overall``; one row per value of a parameter.
    label : str
        Name and unit of the score.
    """
    models = effects["model"].unique()
    height = 0.6 + 0.35 * effects["parameter"].nunique()
    fig, axes = style.panels(len(models), 2, 8.5, max(height, 1.6), sharex=True)
    for ax, model in zip(axes, models, strict=True):
        part = effects[effects["model"] == model]
        ends = part.groupby("parameter")["mean"].agg(["min", "max"])
        ends = ends.loc[(ends["max"] - ends["min"]).sort_values().index]
        ax.barh(ends.index, ends["max"] - ends["min"], left=ends["min"], color="#cccccc")
        for row in part.itertuples():
            ax.text(row.mean, row.parameter, f" {row.value}", fontsize=6, va="center")
            ax.plot(row.mean, row.parameter, "o", ms=3, color=style.MODEL_COLOURS[model])
        ax.axvline(part["overall"].iloc[0], color="black", lw=0.8, ls=":")
        ax.set(title=style.MODEL_LABELS[model], xlabel=label)
    return fig
