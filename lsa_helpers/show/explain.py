"""Figures of chapter 07: Shapley values as beeswarms, bars and dependence plots."""

import warnings
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lsa_helpers.explain import Shap
from lsa_helpers.show import style


def label(name: str, info: Mapping[str, dict], *, unit: bool = False) -> str:
    """A factor's name for readers, with its unit if wanted."""
    item = info.get(name, {})
    text = item.get("label") or name.replace("_", " ").capitalize()
    return f"{text} ({item['unit']})" if unit and item.get("unit", "1") not in ("", "1") else text


def beeswarm(item: Shap, info: Mapping[str, dict], *, most: int = 15) -> Figure:
    """Every explained cell as a dot: position is the factor's contribution, colour its value (grey
    where values are classes).

    Parameters
    ----------
    item : Shap
        One model.
    info : mapping
        ``factors.json``.
    most : int
        Show so many factors, largest mean |SHAP| first.

    Returns
    -------
    Figure
    """
    import shap

    data = item.data.copy()
    data[:, [info.get(name, {}).get("kind") == "categorical" for name in item.factors]] = np.nan
    names = [label(name, info) for name in item.factors]
    values = shap.Explanation(
        item.values, np.full(len(item.values), item.base), data, feature_names=names
    )
    fig, ax = plt.subplots(figsize=(6.5, 0.8 + 0.27 * min(most, len(names))))
    with warnings.catch_warnings():
        # shap looks for the range of every column's colours; columns of classes have none and are
        # drawn grey.
        warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)
        shap.plots.beeswarm(
            values,
            max_display=most,
            color=plt.get_cmap(style.SEQUENTIAL),
            ax=ax,
            show=False,
            plot_size=None,
            s=9,
            group_remaining_features=False,
            color_bar_label="Value of the factor",
        )
    ax.tick_params(labelsize=8)
    for other in fig.axes[1:]:
        other.tick_params(labelsize=8)
        other.yaxis.label.set_size(8)
    ax.set_xlabel(
        f"SHAP value ({item.unit}): contribution to {style.MODEL_LABELS[item.model]}'s output",
        fontsize=8,
    )
    return fig


def importance_bars(
    table: pd.DataFrame, info: Mapping[str, dict], effects: Mapping[str, float] | None = None
) -> Figure:
    """Mean |SHAP| of every factor as a share of its model's sum, beside the true share where the
    truth is known.

    Parameters
    ----------
    table : DataFrame
        ``shap_importance``.
    info : mapping
        ``factors.json``.
    effects : mapping, optional
        ``effects.json``; true shares of the logit's variance.

    Returns
    -------
    Figure
    """
    share = table.assign(
        share=100
        * table["mean_abs_shap"]
        / table.groupby("model")["mean_abs_shap"].transform("sum")
    )
    wide = share.pivot(index="factor", columns="model", values="share").fillna(0)
    wide = wide.loc[wide.mean(axis=1).sort_values().index]
    models = [name for name in style.MODEL_COLOURS if name in wide]
    height = 0.8 / len(models)
    y = np.arange(len(wide))
    fig, ax = plt.subplots(figsize=(6.5, 0.9 + 0.36 * len(wide)))
    for number, name in enumerate(models):
        shift = (len(models) / 2 - number - 0.5) * height
        ax.barh(
            y + shift,
            wide[name],
            height,
            color=style.MODEL_COLOURS[name],
            label=style.MODEL_LABELS[name],
        )
    if effects is not None:
        true = wide.index.map(dict(effects)).to_numpy(float)
        ax.plot(
            100 * true / np.nansum(true),
            y,
            "D",
            ms=5,
            mfc="white",
            mec="black",
            label="True share of variance",
        )
    ax.set_yticks(y, [label(name, info) for name in wide.index])
    ax.set(xlabel="Share of the model's mean |SHAP| (%)", ylim=(-0.6, len(wide) - 0.4))
    ax.legend(loc="lower right")
    return fig


def dependence(
    explained: Sequence[Shap], info: Mapping[str, dict], *, model: str = "cnn", columns: int = 3
) -> Figure:
    """Contribution of each factor against its value, one panel a factor; classes as rows of dots
    around their names.

    Parameters
    ----------
    explained : sequence of Shap
    info : mapping
        ``factors.json``.
    model : str
        The model shown.
    columns : int
        Panels a row.

    Returns
    -------
    Figure
    """
    item = next(item for item in explained if item.model == model)
    order = np.abs(item.values).mean(axis=0).argsort()[::-1]
    rows = -(-len(order) // columns)
    fig, axes = plt.subplots(rows, columns, figsize=(7.5, 1.8 * rows), sharey=True, squeeze=False)
    for ax, index in zip(axes.flat, order, strict=False):
        _panel(
            ax,
            item.data[:, index],
            item.values[:, index],
            item.factors[index],
            info,
            style.MODEL_COLOURS[model],
        )
    for ax in axes.flat[len(order) :]:
        ax.remove()
    fig.supylabel(f"SHAP value ({item.unit})", fontsize=9)
    return fig


def _panel(
    ax, data: np.ndarray, values: np.ndarray, name: str, info: Mapping[str, dict], colour: str
) -> None:
    """One factor of a dependence figure."""
    ax.axhline(0, color="#777777", lw=0.6)
    if info.get(name, {}).get("kind") == "categorical":
        codes, position = np.unique(data, return_inverse=True)
        # Dots of one class are spread by their order, so that the figure is the same every time.
        data = position + 0.5 * ((np.arange(len(data)) * 0.618) % 1 - 0.5)
        names = {int(code): text for code, text in info[name].get("classes", {}).items()}
        ticks = [names.get(int(code), f"{code:g}") for code in codes]
        ticks = [text if len(text) < 12 else text[:10] + "…" for text in ticks]
        ax.set_xticks(range(len(codes)), ticks, rotation=35, ha="right", fontsize=6)
    ax.plot(data, values, ".", ms=3, color=colour, alpha=0.6)
    ax.set_xlabel(label(name, info, unit=True), fontsize=8)
    ax.tick_params(labelsize=7)
