"""Figures of chapter 08: maps of Shapley values, leading factors, agreement, single cells."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from lsa_helpers.show import style
from lsa_helpers.show.explain import label


def signed_maps(maps: xr.Dataset, factors: xr.Dataset, names: Sequence[str]) -> Figure:
    """Contributions of some factors, a panel each, all on one scale whose middle is zero.

    Parameters
    ----------
    maps : Dataset, dims (y, x)
        Shapley values; their unit is written at the scale.
    factors : Dataset
        For the factors' names.
    names : sequence of str
        The factors to draw.

    Returns
    -------
    Figure
        Dark lowers, bright raises, in colour and in grey.
    """
    most = max(float(np.abs(style.thin(maps[name])).quantile(0.98)) for name in names)
    ratio = maps.sizes["y"] / maps.sizes["x"]
    fig, axes = style.panels(len(names), 3, 9.0, 3.0 * ratio + 0.3, layout="compressed")
    for number, (ax, name) in enumerate(zip(axes, names, strict=True)):
        look = {"cmap": style.SEQUENTIAL, "vmin": -most, "vmax": most}
        image = style.map_image(ax, maps[name], scale_bar=number == 0, **look)
        ax.set_title(label(factors[name]))
    units = next(iter(maps.values())).attrs.get("units", "")
    bar = fig.colorbar(image, ax=axes, shrink=0.8, extend="both")
    bar.set_label(f"Contribution ({units})")
    return fig


def dominant_factors(
    leaders: Mapping[str, xr.DataArray], names: Sequence[str], factors: xr.Dataset
) -> Figure:
    """The factor with the largest contribution in each cell, a panel a model.

    Parameters
    ----------
    leaders : mapping
        Model → number in `names` of the leading factor, dims (y, x); NaN where unknown.
    names : sequence of str
    factors : Dataset
        For the factors' names.

    Returns
    -------
    Figure
        The five that lead most often over all models have a colour each.
    """
    often = sum(
        np.bincount(leader.values[np.isfinite(leader)].astype(int), minlength=len(names))
        for leader in leaders.values()
    )
    shown = [int(number) for number in np.argsort(often)[::-1][:5] if often[number]]
    ratio = next(iter(leaders.values())).sizes
    height = 3.0 * ratio["y"] / ratio["x"] + 0.8
    fig, axes = style.panels(len(leaders), 3, 9.0, height, layout="compressed")
    for number, (ax, (model, leader)) in enumerate(zip(axes, leaders.items(), strict=True)):
        codes = xr.full_like(leader, len(shown)).where(leader.notnull())
        for place, factor in enumerate(shown):
            codes = codes.where(leader != factor, place)
        colours = ListedColormap([*style.LEADERS[: len(shown)], "#dddddd"])
        style.map_image(ax, codes, scale_bar=number == 0, cmap=colours, vmin=0, vmax=len(shown))
        ax.set_title(style.MODEL_LABELS[model])
    handles = [
        Patch(color=colour, label=label(factors[names[factor]]))
        for colour, factor in zip(style.LEADERS, shown, strict=False)
    ]
    handles.append(Patch(color="#dddddd", label="another factor"))
    fig.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=8)
    return fig


def agreement_maps(agreement: Mapping[str, xr.DataArray]) -> Figure:
    """How alike two models explain each cell, a panel a pair.

    Parameters
    ----------
    agreement : mapping
        Title → rank correlation of the two models' contributions, −1 to 1, dims (y, x).

    Returns
    -------
    Figure
    """
    sizes = next(iter(agreement.values())).sizes
    height = 3.0 * sizes["y"] / sizes["x"] + 0.3
    fig, axes = style.panels(len(agreement), 3, 9.0, height, layout="compressed")
    for number, (ax, (title, band)) in enumerate(zip(axes, agreement.items(), strict=True)):
        image = style.map_image(ax, band, scale_bar=number == 0, vmin=-1, vmax=1)
        ax.set_title(title)
    fig.colorbar(image, ax=axes, shrink=0.8).set_label("Rank correlation (1)")
    return fig


def waterfalls(cells: Mapping[str, pd.DataFrame], factors: xr.Dataset, units: str) -> Figure:
    """Places explained step by step: from the base, up or down by each factor, to the output.

    Parameters
    ----------
    cells : mapping
        Title → table of `lsa_helpers.explain.explain_cell`.
    factors : Dataset
        For the factors' names.
    units : str
        Of the output.

    Returns
    -------
    Figure
        The eight largest contributions with the factor's value in words; the others together.
    """
    fig, axes = style.panels(len(cells), 1, 7.5, 2.9)
    for ax, (title, table) in zip(axes, cells.items(), strict=True):
        _waterfall(ax, table, factors)
        ax.set_title(title, loc="left", x=-0.8)
    axes[-1].set_xlabel(f"Output ({units}); dotted: base, line: this cell")
    return fig


def _waterfall(ax, table: pd.DataFrame, factors: xr.Dataset) -> None:
    """One cell's steps, from the top down."""
    first = table.head(8)
    texts = [f"{label(factors[row.factor])}: {row.words}" for row in first.itertuples()]
    rest = table["contribution"][8:].sum() + table.attrs["residual"]
    steps = np.append(first["contribution"], rest)
    base, output = table.attrs["base"], table.attrs["output"]
    starts = base + np.concatenate([[0], np.cumsum(steps)[:-1]])
    colours = np.where(steps > 0, style.OKABE_ITO["orange"], style.OKABE_ITO["blue"])
    places = np.arange(len(steps))
    ax.barh(places, steps, left=starts, color=colours, height=0.7)
    for place, start, step in zip(places, starts, steps, strict=True):
        look = {"xytext": (4 if step > 0 else -4, 0), "textcoords": "offset points"}
        look |= {"va": "center", "ha": "left" if step > 0 else "right", "fontsize": 7}
        look |= {"bbox": {"fc": "white", "ec": "none", "pad": 0.5}}  # over the line of the output
        ax.annotate(f"{step:+.2f}", (start + step, place), **look)
    ax.axvline(base, color="#777777", lw=0.8, ls=":")
    ax.axvline(output, color="black", lw=0.8)
    low, high = min(starts.min(), output), max(starts.max(), output)
    ax.set_xlim(low - 0.18 * (high - low), high + 0.18 * (high - low))
    ax.set_yticks(places, [*texts, "all others"], fontsize=7)
    ax.invert_yaxis()


def interaction(
    first: np.ndarray, second: np.ndarray, joint: np.ndarray, labels: tuple[str, str]
) -> Figure:
    """Interaction of two factors at cells: what they add together beyond what each adds alone.

    Parameters
    ----------
    first, second : ndarray, shape (n,)
        Values of the factors.
    joint : ndarray, shape (n,)
        Shapley interaction values in log-odds, both halves.
    labels : tuple of str
        Names with units.

    Returns
    -------
    Figure
    """
    fig, ax = plt.subplots(figsize=(6.5, 3.6))
    ax.axhline(0, color="#777777", lw=0.6)
    dots = ax.scatter(first, joint, c=second, s=8, lw=0)
    fig.colorbar(dots, ax=ax).set_label(labels[1])
    ax.set(xlabel=labels[0], ylabel="Interaction (log-odds)")
    return fig
