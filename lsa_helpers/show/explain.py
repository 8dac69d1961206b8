"""Figures of chapter 07: Shapley values as beeswarms, bars and dependence plots."""

import warnings
from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from lsa_helpers.show import style

#: Unit of each model's Shapley values: the output that is explained.
UNITS = {"cnn": "log-odds", "rf": "probability", "xgboost": "log-odds"}


def label(factor: xr.DataArray, *, unit: bool = False) -> str:
    """A factor's name for readers, with its unit if wanted."""
    name = factor.attrs.get("long_name") or str(factor.name).replace("_", " ").capitalize()
    units = factor.attrs.get("units", "1")
    return f"{name} ({units})" if unit and units not in ("", "1") else name


def beeswarm(explanation, factors: xr.Dataset, *, model: str) -> Figure:
    """Every explained cell as a dot: position is the factor's contribution, colour its value (grey
    where values are classes); factors by their mean ``|SHAP|``.

    Parameters
    ----------
    explanation : shap.Explanation
        Shapley values, base and factor values of n cells; features named like the factors.
    factors : Dataset
        For the factors' names and kinds.
    model : str
        The model explained.

    Returns
    -------
    Figure
    """
    import shap

    names = explanation.feature_names
    are_classes = [factors[name].attrs.get("kind") == "categorical" for name in names]
    shown = shap.Explanation(
        explanation.values,
        explanation.base_values,
        np.where(are_classes, np.nan, explanation.data),
        feature_names=[label(factors[name]) for name in names],
    )
    fig, ax = plt.subplots(figsize=(6.5, 0.8 + 0.27 * len(names)))
    with warnings.catch_warnings():
        # Columns without values, drawn grey, have no range of colours; shap looks for one.
        warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)
        look = {"color": plt.get_cmap(style.SEQUENTIAL), "s": 9, "plot_size": None}
        look |= {"max_display": len(names), "color_bar_label": "Value of the factor"}
        # shap spreads the dots by numpy's global generator.
        np.random.seed(0)  # noqa: NPY002
        shap.plots.beeswarm(shown, ax=ax, show=False, **look)
    ax.tick_params(labelsize=8)
    for colour_bar in fig.axes[1:]:
        colour_bar.tick_params(labelsize=8)
        colour_bar.yaxis.label.set_size(8)
    output = f"contribution to {style.MODEL_LABELS[model]}'s output"
    ax.set_xlabel(f"SHAP value ({UNITS[model]}): {output}", fontsize=8)
    return fig


def importance_bars(
    table: pd.DataFrame, factors: xr.Dataset, effects: pd.Series | None = None
) -> Figure:
    """Mean ``|SHAP|`` of every factor as a share of its model's sum, beside the true share where
    the truth is known.

    Parameters
    ----------
    table : DataFrame
        ``shap_importance``.
    factors : Dataset
        For the factors' names.
    effects : Series, optional
        Factor → mean ``|Shapley value|`` of the true log-odds; a mark is the share among the
        factors of the table, as a bar is.

    Returns
    -------
    Figure
    """
    wide = table.pivot(index="factor", columns="model", values="mean_abs_shap").fillna(0)
    wide = 100 * wide / wide.sum()
    wide = wide.loc[wide.mean(axis=1).sort_values().index]
    models = [name for name in style.MODEL_COLOURS if name in wide]
    height = 0.8 / len(models)
    y = np.arange(len(wide))
    fig, ax = plt.subplots(figsize=(6.5, 0.9 + 0.36 * len(wide)))
    for number, name in enumerate(models):
        shift = (len(models) / 2 - number - 0.5) * height
        look = {"color": style.MODEL_COLOURS[name], "label": style.MODEL_LABELS[name]}
        ax.barh(y + shift, wide[name], height, **look)
    if effects is not None:
        marks = {"ms": 5, "mfc": "white", "mec": "black", "label": "Truth"}
        true = effects.reindex(wide.index)
        ax.plot(100 * true / true.sum(), y, "D", **marks)
    ax.set_yticks(y, [label(factors[name]) for name in wide.index])
    ax.set(xlabel="Share of the model's mean |SHAP| (%)", ylim=(-0.6, len(wide) - 0.4))
    fig.legend(loc="outside lower center", ncols=len(models) + 1, fontsize=8)
    return fig


def dependence(explanation, factors: xr.Dataset, *, model: str) -> Figure:
    """Contribution of each factor against its value, one panel a factor; classes as rows of dots
    around their names.

    Parameters
    ----------
    explanation : shap.Explanation
        As for `beeswarm`.
    factors : Dataset
        For the factors' names, units, kinds and classes.
    model : str
        The model explained.

    Returns
    -------
    Figure
    """
    values = explanation.values
    order = np.abs(values).mean(axis=0).argsort()[::-1]
    fig, axes = style.panels(len(order), 3, 7.5, 1.8, sharey=True)
    for ax, index in zip(axes, order, strict=True):
        factor = factors[explanation.feature_names[index]]
        ax.axhline(0, color="#777777", lw=0.6)
        ax.tick_params(labelsize=7)
        x = explanation.data[:, index]
        if factor.attrs.get("kind") == "categorical":
            x = _class_positions(ax, x, factor.attrs.get("classes", {}))
        else:
            ax.locator_params(axis="x", nbins=5)  # curvatures have long numbers
        ax.plot(x, values[:, index], ".", ms=3, color=style.MODEL_COLOURS[model], alpha=0.6)
        ax.set_xlabel(label(factor, unit=True), fontsize=8)
    fig.supylabel(f"SHAP value ({UNITS[model]})", fontsize=9)
    return fig


def _class_positions(ax, codes: np.ndarray, classes: Mapping[int, str]) -> np.ndarray:
    """Places of cells along an axis of classes, whose ticks are set; the dots of a class are spread
    by their order, so that the figure is the same every time.
    """
    present, position = np.unique(codes, return_inverse=True)
    ticks = [classes.get(int(code), f"{code:g}") for code in present]
    ticks = [text if len(text) < 12 else text[:10] + "…" for text in ticks]
    look = {"rotation": 35, "ha": "right", "fontsize": 6, "parse_math": False}
    ax.set_xticks(range(len(present)), ticks, **look)
    ax.set_xlim(-0.5, len(present) - 0.5)
    return position + 0.5 * ((np.arange(len(codes)) * 0.618) % 1 - 0.5)
