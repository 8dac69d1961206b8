"""Figures of the page on how the simulated mountain was made."""

from collections.abc import Mapping

import geopandas as gpd
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.colors import ListedColormap, LogNorm, Normalize, TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from lsa_helpers.mountain import Mountain
from lsa_helpers.show import style

_ROCKS = ["#f4e3c1", "#d9b98a", "#9fb8a0", "#c7d3dc", "#7f93a8", "#fff7a8"]
_SLIDE = style.OKABE_ITO["vermilion"]
_LINES = {
    "rivers": {"color": style.OKABE_ITO["blue"], "lw": 0.9},
    "roads": {"color": style.OKABE_ITO["black"], "lw": 0.8},
    "faults": {"color": _SLIDE, "lw": 1.3},
}


def relief_and_rocks(mountain: Mountain, names: Mapping[int, str]) -> Figure:
    """Two maps: the relief with rivers and roads, the rocks with faults.

    Parameters
    ----------
    mountain : Mountain
    names : mapping
        Code → name of the rocks, codes from 1 on.

    Returns
    -------
    Figure
    """
    elevation, rocks = mountain.layers["elevation"], mountain.layers["rocks"]
    fig, axes = _two_maps(elevation, 1, 1.0)
    shade = style.hillshade(elevation)
    style.map_image(axes[0], shade, cmap="gray", vmin=-0.4, vmax=1)
    colours = ListedColormap(_ROCKS[: len(names)])
    bounds = {"vmin": 0.5, "vmax": len(names) + 0.5, "interpolation": "nearest"}
    style.map_image(axes[1], rocks, scale_bar=False, cmap=colours, **bounds)
    style.map_image(axes[1], shade, scale_bar=False, cmap="gray", alpha=0.25)
    drawn = ((axes[0], ("rivers", "roads")), (axes[1], ("faults",)))
    for ax, kinds in drawn:
        for kind in kinds:
            style.outlines(ax, mountain.lines[kind], elevation, **_LINES[kind])
    axes[0].set_title("Relief, rivers and roads")
    axes[1].set_title("Rocks and faults")
    handles = [Line2D([], [], label=kind.capitalize(), **look) for kind, look in _LINES.items()]
    handles += [Patch(color=_ROCKS[code - 1], label=name) for code, name in names.items()]
    fig.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=8)
    return fig


def causes(
    mountain: Mountain, hidden: xr.DataArray, safety: xr.DataArray, frame: tuple[float, ...]
) -> Figure:
    """Four maps: shaking with the stations on it, the hidden field, the factor of safety, and how
    many landslides start, with those that did.

    Parameters
    ----------
    mountain : Mountain
    hidden : DataArray, dims (y, x)
        Log-odds.
    safety : DataArray, dims (y, x)
        Factor of safety.
    frame : tuple of float
        Left, bottom, right, top (m) of the place that is marked on the last map.

    Returns
    -------
    Figure
    """
    pga, source = mountain.layers["pga"], mountain.source
    per_km2 = source / abs(np.prod(source.rio.resolution())) * 1e6
    fig, axes = _two_maps(pga, 2, 0.95)
    reach = float(np.nanquantile(np.abs(hidden), 0.99))
    ends = np.nanquantile(safety, [0.02, 0.98])
    about_one = TwoSlopeNorm(1.0, min(ends[0], 0.9), max(ends[1], 1.1))
    panels = [
        (pga, "True shaking, stations", "PGA (g)", style.SEQUENTIAL, Normalize()),
        (hidden, "Hidden field", "log-odds", style.DIVERGING, Normalize(-reach, reach)),
        (safety, "Stability", "factor of safety", style.DIVERGING, about_one),
        (per_km2, "Where landslides start", "starts per km²", "Greys", LogNorm(0.1, 100)),
    ]
    for ax, (raster, title, label, colours, norm) in zip(axes, panels, strict=True):
        image = style.map_image(ax, raster, scale_bar=ax is axes[0], cmap=colours, norm=norm)
        fig.colorbar(image, ax=ax, location="bottom", label=label, shrink=0.8, aspect=30)
        ax.set_title(title)
    stations = gpd.points_from_xy(mountain.stations["lon"], mountain.stations["lat"], crs=4326)
    look = {"color": _SLIDE, "marker": "^", "markersize": 45, "ec": "white"}
    style.outlines(axes[0], gpd.GeoDataFrame(geometry=stations), pga, **look)
    style.outlines(axes[3], mountain.landslides, source, color=_SLIDE, lw=0.7)
    left, bottom, right, top = frame
    blue = style.OKABE_ITO["blue"]
    box = Rectangle((left, bottom), right - left, top - bottom, fill=False, ec=blue, lw=1.5)
    axes[3].add_patch(box)
    return fig


def _two_maps(raster: xr.DataArray, rows: int, room: float) -> tuple[Figure, list]:
    """A figure of the column's width with `rows` of two maps each, and so many inches beside them
    in each row for title and legend.
    """
    ratio = raster.sizes["y"] / raster.sizes["x"]
    fig, axes = plt.subplots(
        rows, 2, figsize=(style.WIDTH, rows * (style.WIDTH / 2 * ratio + room))
    )
    return fig, list(axes.flat)


def section(along: pd.DataFrame) -> Figure:
    """Height, factor of safety and probability along a line.

    Parameters
    ----------
    along : DataFrame
        ``km`` from the start, ``height`` (m), ``safety``, ``probability`` (0–1) and ``landslide``
        (bool) of the cells of the line.

    Returns
    -------
    Figure
    """
    fig, axes = plt.subplots(
        3, 1, figsize=(style.WIDTH, 5.2), sharex=True, height_ratios=[1.4, 1, 1]
    )
    km, slide = along["km"], along["landslide"].to_numpy()
    axes[0].fill_between(km, along["height"], along["height"].min() - 50, color="0.85")
    axes[0].plot(km, along["height"], color="0.3", lw=1)
    axes[0].plot(km, along["height"].where(slide), color=_SLIDE, lw=3.5, label="in a landslide")
    axes[0].set(ylabel="height (m)", ylim=(along["height"].min() - 50, None))
    axes[0].legend(loc="upper left", bbox_to_anchor=(0, 1.25))
    axes[1].plot(km, along["safety"], color=style.OKABE_ITO["blue"], lw=1)
    axes[1].axhline(1, color="0.3", lw=0.8, ls="--")
    axes[1].set(ylabel="factor of\nsafety", yscale="log", yticks=[0.5, 1, 2, 4])
    axes[1].set_yticklabels(["0.5", "1", "2", "4"])
    axes[1].minorticks_off()
    axes[2].plot(km, along["probability"], color=style.OKABE_ITO["black"], lw=1)
    axes[2].set(ylabel="probability of\na landslide", xlabel="from west to east (km)", ylim=(0, 1))
    for ax in axes[1:]:
        low, high = ax.get_ylim()
        ax.fill_between(km, low, high, where=slide, color=_SLIDE, alpha=0.25, lw=0)
        ax.set_ylim(low, high)
    axes[0].set_xlim(km.iloc[0], km.iloc[-1])
    return fig


def effects(curves: Mapping[str, pd.DataFrame], shares: Mapping[str, float]) -> Figure:
    """What each cause does to the log-odds, all on one scale; classes as points.

    Parameters
    ----------
    curves : mapping
        Label → ``value`` (numbers or names of classes) and ``effect`` (log-odds).
    shares : mapping
        Label → share of the variance of the true log-odds, printed above the panel.

    Returns
    -------
    Figure
    """
    fig, axes = style.panels(len(curves), 3, style.WIDTH, 1.75)
    every = np.concatenate([curve["effect"] for curve in curves.values()])
    limits = (every.min() - 0.3, every.max() + 0.3)
    for number, (ax, (label, curve)) in enumerate(zip(axes, curves.items(), strict=True)):
        if pd.api.types.is_numeric_dtype(curve["value"]):
            ax.plot(curve["value"], curve["effect"], color=style.OKABE_ITO["blue"], lw=1.8)
            ax.axhline(0, color="0.6", lw=0.8)
            ax.set(ylim=limits)
            if number % 3 == 0:
                ax.set_ylabel("log-odds")
        else:
            ax.plot(curve["effect"], range(len(curve)), "o", color=style.OKABE_ITO["blue"], ms=5)
            ax.axvline(0, color="0.6", lw=0.8)
            # Names stand inside, beside the axis they would take its room: two thirds are theirs.
            left = min(limits[0], (curve["effect"].min() - 0.68 * limits[1]) / 0.32)
            ax.set(xlim=(left, limits[1]), yticks=[], ylim=(-0.6, len(curve) - 0.4))
            for row, name in enumerate(curve["value"]):
                ax.text(left, row, name, fontsize=8, va="center", parse_math=False)
            ax.spines["left"].set_visible(False)
            ax.set_xlabel("log-odds", labelpad=1)
        share = f"{shares[label]:.1%}".replace("-", "−")
        ax.set_title(f"{label}\n{share} of the variance", fontsize=9)
        ax.tick_params(labelsize=8)
    return fig
