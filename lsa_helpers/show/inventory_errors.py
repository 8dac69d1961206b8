"""Figures of chapter 11: what detected landslides and single errors of an inventory cost."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lsa_helpers.show import style

_KINDS = {
    "omission, small": ("sky", "o", "smallest left out"),
    "omission, large": ("blue", "P", "largest left out"),
    "commission": ("vermilion", "s", "false alarms added"),
    "boundary": ("teal", "^", "outlines moved"),
    "merging": ("purple", "D", "neighbours merged"),
    "position": ("orange", "v", "wrong positions"),
}


def threshold_panels(found: pd.DataFrame, chance: pd.DataFrame) -> Figure:
    """Wrong area, change of AUC and likeness of the map against the threshold of the score.

    Parameters
    ----------
    found : DataFrame
        ``kind`` (detected; chapter 3), ``amount`` (threshold), ``missed_km2, false_km2,
        auc_change, map_rank``; one row per seed.
    chance : DataFrame
        The true inventory drawn again: ``auc_change, map_rank``.
    """
    fig, axes = plt.subplots(1, 3, figsize=(9.5, 3.1))
    swept = found[found["kind"] == "detected"].groupby("amount")
    own = found[found["kind"] == "chapter 3"]
    for column, label, colour in (
        ("missed_km2", "missed", "blue"),
        ("false_km2", "false", "vermilion"),
    ):
        area = swept[column].mean()
        axes[0].plot(area.index, area, "o-", ms=4, color=style.OKABE_ITO[colour], label=label)
    axes[0].set(ylabel="Wrong area (km²)", ylim=(0, None))
    axes[0].legend(fontsize=7)
    for ax, column, label in (
        (axes[1], "auc_change", "Change of AUC (1)"),
        (axes[2], "map_rank", "Rank correlation of the maps (1)"),
    ):
        _chance_band(ax, chance[column])
        _with_bars(ax, swept["amount"].first(), swept[column], color="black", marker="o", ls="-")
        own_look = {"color": style.OKABE_ITO["vermilion"], "marker": "D", "zorder": 3}
        _with_bars(ax, own["amount"].unique(), own.groupby("kind")[column], **own_look)
        ax.set_ylabel(label)
    for ax in axes:
        ax.set_xlabel("Score that is reached (0–1)")
    return fig


def error_costs(errors: pd.DataFrame, found: pd.DataFrame, chance: pd.DataFrame) -> Figure:
    """Change of AUC against the wrong area, a line for each kind of error.

    Parameters
    ----------
    errors : DataFrame
        ``kind, amount, seed, wrong_km2, auc_change``.
    found : DataFrame
        Detected inventories: as for `threshold_panels`.
    chance : DataFrame
        The true inventory drawn again: ``auc_change``.
    """
    fig, ax = plt.subplots(figsize=(7, 4.4))
    _chance_band(ax, chance["auc_change"])
    for kind, rows in errors.dropna(subset="auc_change").groupby("kind", sort=False):
        colour, marker, label = _KINDS[kind]
        by_amount = rows.groupby("amount")
        area = by_amount["wrong_km2"].mean().sort_values()
        look = {"color": style.OKABE_ITO[colour], "marker": marker, "label": label, "ls": "-"}
        _with_bars(ax, area, by_amount["auc_change"], **look)
        for amount, place in area.items():
            height = by_amount["auc_change"].mean()[amount]
            near = {"textcoords": "offset points", "xytext": (4, 4), "fontsize": 6}
            ax.annotate(f"{amount:g}", (place, height), color=style.OKABE_ITO[colour], **near)
    means = found.assign(wrong_km2=found["missed_km2"] + found["false_km2"])
    means = means.groupby(["kind", "amount"], dropna=False)[["wrong_km2", "auc_change"]].mean()
    ax.plot(means["wrong_km2"], means["auc_change"], "k*", ms=7, ls="none", label="detected")
    ax.set(xlabel="Wrongly mapped area, missed and false (km²)", ylabel="Change of AUC (1)")
    ax.legend(fontsize=7)
    return fig


def _chance_band(ax: Axes, values: pd.Series) -> None:
    """A grey band from the smallest to the largest value, and a line at no change."""
    if values.notna().any():
        ax.axhspan(values.min(), values.max(), color="#dddddd", lw=0, label="chance", zorder=0)


def _with_bars(ax: Axes, places, groups, **look) -> None:
    """Means of groups at their places, with bars from the smallest to the largest value; the order
    of the places is that of the line.
    """
    table = groups.agg(["mean", "min", "max"])
    if isinstance(places, pd.Series):
        table = table.loc[places.index]
    if not len(table):
        return
    bars = [table["mean"] - table["min"], table["max"] - table["mean"]]
    ax.errorbar(list(places)[: len(table)], table["mean"], bars, **({"ms": 4, "lw": 1} | look))
