"""Figures of chapter 13: slope units over the relief, maps by unit, scores by unit."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from lsa_helpers.show import style

# Which units a score is of: a marker, a face and a shift of the row.
_KINDS = {
    "cell": ("o", "white", 0.27),
    "slope unit": ("D", style.OKABE_ITO["blue"], 0.09),
    "moved unit": ("d", style.OKABE_ITO["sky"], -0.09),
    "square": ("s", style.OKABE_ITO["orange"], -0.27),
}


def _borders(units: np.ndarray) -> np.ndarray:
    """Cells (y, x) whose right or lower neighbour is of another unit."""
    border = np.zeros(units.shape, bool)
    border[:, :-1] |= units[:, :-1] != units[:, 1:]
    border[:-1] |= units[:-1] != units[1:]
    return border


def _over(ax, raster: xr.DataArray, colour: str, alpha: float) -> None:
    """Cells of a mask (0 and 1) in one colour over a map."""
    shown = style.thin(raster)
    extent = style.map_axes(ax, raster, scale_bar=False)
    look = {"cmap": ListedColormap([colour]), "interpolation": "nearest", "alpha": alpha}
    ax.imshow(np.ma.masked_equal(shown.values, 0), extent=extent, **look)


def units_map(units: xr.DataArray, dem: xr.DataArray, landslide: xr.DataArray) -> Figure:
    """Borders of units (int, 0 outside) over the relief, with the cells of landslides."""
    height, width = units.shape
    fig, ax = plt.subplots(figsize=(8, 8 * min(1.3, height / width)))
    style.map_image(ax, style.hillshade(dem), cmap="gray", vmin=-0.3, vmax=1.2)
    _over(ax, landslide.astype(float), style.OKABE_ITO["vermilion"], 0.9)
    _over(ax, units.copy(data=_borders(units.values)).astype(float), "black", 0.8)
    ax.set_title(f"{int(units.max())} slope units, landslides in red orange")
    return fig


def unit_maps(maps: dict[str, xr.DataArray], model: str) -> Figure:
    """Susceptibility (0–1, dims y, x) by kind of unit, side by side with one colour scale."""
    first = next(iter(maps.values()))
    height = 3.6 * first.sizes["y"] / first.sizes["x"] + 1.0
    fig, axes = style.panels(len(maps), len(maps), 10.0, height, layout="compressed")
    for ax, (title, values) in zip(axes, maps.items(), strict=True):
        image = style.map_image(ax, values, vmin=0, vmax=1, interpolation="nearest")
        ax.set_title(title)
    label = f"Susceptibility by {model}, held out (probability at the sampled share)"
    fig.colorbar(image, ax=axes, label=label, location="bottom", shrink=0.5, aspect=40)
    return fig


def unit_scores(scores: pd.DataFrame) -> Figure:
    """AUC of each model by kind of unit, with intervals.

    Parameters
    ----------
    scores : DataFrame
        ``model, kind`` (cell, slope unit, moved unit or square) and ``auc, low, high``.
    """
    models = list(dict.fromkeys(scores["model"]))
    fig, ax = plt.subplots(figsize=(7, 0.7 * len(models) + 1.3))
    for kind, (marker, face, shift) in _KINDS.items():
        part = scores[scores["kind"] == kind]
        place = [len(models) - models.index(name) + shift for name in part["model"]]
        ax.hlines(place, part["low"], part["high"], color="#777777", lw=1)
        look = {"marker": marker, "facecolor": face, "edgecolor": "black", "lw": 0.7, "s": 30}
        ax.scatter(part["auc"], place, label=f"by {kind}", zorder=3, **look)
    ax.axvline(0.5, color="#bbbbbb", lw=0.8, zorder=0)
    labels = [style.MODEL_LABELS.get(name, "Size alone") for name in models]
    ax.set_yticks(range(len(models), 0, -1), labels)
    ax.set_xlabel("Area under the ROC curve (1)")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=4)
    return fig
