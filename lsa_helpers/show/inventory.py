"""Figures of chapter 03: a tile, thresholds, outlines over the scene, sizes and errors."""

import itertools

import geopandas as gpd
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lsa_helpers.detect.images import as_picture, open_image
from lsa_helpers.detect.inventory import size_frequency
from lsa_helpers.detect.scene import SceneFrame
from lsa_helpers.raster import empty_grid
from lsa_helpers.show import style

_KNOWN, _DETECTED = style.OKABE_ITO["yellow"], style.OKABE_ITO["sky"]


def tile_scores(pixels: np.ndarray, scores: np.ndarray) -> Figure:
    """A tile of the scene and the score of each of its pixels.

    Parameters
    ----------
    pixels : ndarray, shape (height, width, bands)
        From `lsa_helpers.detect.scene.read_tile`.
    scores : ndarray, shape (height, width)
        From `lsa_helpers.detect.scene.score_pixels`.
    """
    fig, axes = plt.subplots(1, 2, figsize=(9, 4.2))
    axes[0].imshow(as_picture(pixels))
    image = axes[1].imshow(scores, vmin=0, vmax=1)
    fig.colorbar(image, ax=axes[1], label="Score (0–1)", shrink=0.8)
    for ax in axes:
        ax.set(xlabel="Column (pixels)")
    axes[0].set_ylabel("Row (pixels)")
    return fig


def thresholds(sweep: pd.DataFrame, low: float, high: float) -> Figure:
    """F1 of pairs of thresholds on the validation chips; a cross on the pair that is used.

    Parameters
    ----------
    sweep : DataFrame
        From `lsa_helpers.detect.inventory.hysteresis_sweep`.
    low, high : float
    """
    table = sweep.pivot(index="low", columns="high", values="f1")
    fig, ax = plt.subplots(figsize=(5.5, 3.2))
    image = ax.pcolormesh(table.columns, table.index, table, shading="nearest")
    fig.colorbar(image, ax=ax, label="F1 of landslide pixels (0–1)")
    ax.plot(high, low, "x", color=style.OKABE_ITO["vermilion"], ms=9, mew=2)
    ax.set(xlabel="High threshold: reached somewhere", ylabel="Low threshold: everywhere")
    return fig


def scene_map(frame: SceneFrame, detected: gpd.GeoDataFrame, known: gpd.GeoDataFrame) -> Figure:
    """The scene with true and detected outlines, whole and 1.5 km around the middle known (or
    detected) landslide by position.
    """
    detected, known = detected.to_crs(frame.crs), known.to_crs(frame.crs)
    fig, axes = plt.subplots(1, 2, figsize=(10, 4.4), width_ratios=(frame.width / frame.height, 1))
    x, y = _middle(known if len(known) else detected, frame)
    enlarged = _square(x, y, 750, frame)
    layers = ((known, _KNOWN, 1.4, "known"), (detected, _DETECTED, 0.9, "detected"))
    layers = [item for item in layers if len(item[0])]
    for ax, bounds in zip(axes, (frame.bounds, enlarged), strict=True):
        _draw_scene(ax, frame, bounds)
        frame_of_map = empty_grid(bounds, frame.crs, (bounds[2] - bounds[0]) / 1000)
        style.map_axes(ax, frame_of_map)
        for layer, colour, width, _ in layers:
            style.outlines(ax, layer, frame_of_map, color=colour, lw=width)
    handles = [Line2D([], [], color=colour, label=label) for _, colour, _, label in layers]
    fig.legend(handles=handles[::-1], loc="outside lower center", ncols=2)
    return fig


def sizes(
    inventories: dict[str, gpd.GeoDataFrame], laws: dict[str, tuple], errors: pd.DataFrame
) -> Figure:
    """Size–frequency curves of inventories with their fitted laws (left), and the share of
    landslides missed and of detections that are false by size (right).

    Parameters
    ----------
    inventories : dict of GeoDataFrame
        By name; polygons in CRSs in metres.
    laws : dict
        By name, the parameters of ``scipy.stats.invgamma``; those of a name may be missing.
    errors : DataFrame
        From `lsa_helpers.detect.inventory.errors_by_size`.
    """
    from scipy import stats

    fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4))
    looks = zip(inventories.items(), ("sky", "black"), "os", strict=False)
    for (name, table), colour, marker in looks:
        curve = size_frequency(table.area.to_numpy())
        look = {"color": style.OKABE_ITO[colour], "lw": 1}
        label = f"{name} ({len(table)})"
        left.plot(curve["area_m2"], curve["density"], marker, ms=4, label=label, **look)
        if name in laws:
            areas = np.geomspace(table.area.min(), table.area.max(), 100)
            left.plot(areas, stats.invgamma(*laws[name]).pdf(areas), **look)
    left.set(xscale="log", yscale="log", xlabel="Landslide area (m²)")
    left.set_ylabel("Probability density (1/m²)")
    left.legend()
    _error_bars(right, errors)
    return fig


def _error_bars(ax, errors: pd.DataFrame) -> None:
    """Omission and commission, a pair of bars for each class of area."""
    limits = errors[["area_from_m2", "area_to_m2"]].to_numpy() / 1000
    labels = [f"{low:g}–{high:g}" if np.isfinite(high) else f"> {low:g}" for low, high in limits]
    place = np.arange(len(errors))
    ax.bar(
        place - 0.2, errors["omission"], 0.38, color=style.OKABE_ITO["black"], label="known, missed"
    )
    ax.bar(place + 0.2, errors["commission"], 0.38, color=_DETECTED, label="detected, false")
    ax.set(xlabel="Landslide area (1000 m²)", ylim=(0, 1))
    ax.set_ylabel("Fraction of the landslides of this size")
    ax.set_xticks(place, labels, rotation=30)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)  # bars may fill the panel


def worst(frame: SceneFrame, alarms: gpd.GeoDataFrame, missed: gpd.GeoDataFrame) -> Figure:
    """The six false alarms with the highest scores (above) and the six largest landslides missed
    (below), on the scene.

    Parameters
    ----------
    frame : SceneFrame
    alarms : GeoDataFrame
        With ``score`` and ``cause``, worst first.
    missed : GeoDataFrame
        With ``area_m2``, worst first.
    """
    fig, axes = plt.subplots(2, 6, figsize=(9.3, 3.9))
    rows = (
        (alarms, _DETECTED, "false alarm", lambda row: f"{row.score:.2f}, {row.cause}"),
        (missed, _KNOWN, "missed", lambda row: f"{row.area_m2:,.0f} m²"),
    )
    for line, (table, colour, label, title) in zip(axes, rows, strict=True):
        shown = table.head(6).to_crs(frame.crs)
        for ax, row in itertools.zip_longest(line, shown.itertuples()):
            ax.set(xticks=[], yticks=[])
            if row is None:
                ax.set_axis_off()
                continue
            x0, y0, x1, y1 = row.geometry.bounds
            half = max(x1 - x0, y1 - y0, 60.0)
            _draw_scene(ax, frame, _square((x0 + x1) / 2, (y0 + y1) / 2, half, frame))
            shown.loc[[row.Index]].boundary.plot(ax=ax, color=colour, lw=1.2, aspect=None)
            ax.set_title(title(row), fontsize=7)
            ax.set(xlabel="", ylabel=label if ax is line[0] else "")
    return fig


def _middle(layer: gpd.GeoDataFrame, frame: SceneFrame) -> tuple[float, float]:
    """The landslide nearest the middle of all, a choice that does not look at how well it was
    detected; the middle of the scene without landslides.
    """
    if not len(layer):
        left, bottom, right, top = frame.bounds
        return (left + right) / 2, (bottom + top) / 2
    points = layer.representative_point()
    distance = (points.x - points.x.median()).abs() + (points.y - points.y.median()).abs()
    point = points.loc[distance.idxmin()]
    return point.x, point.y


def _square(x: float, y: float, half: float, frame: SceneFrame) -> tuple:
    """Bounds of a square of twice `half` around a point, moved inside the scene."""
    left, bottom, right, top = frame.bounds
    half = min(half, (right - left) / 2, (top - bottom) / 2)
    x, y = np.clip(x, left + half, right - half), np.clip(y, bottom + half, top - half)
    return x - half, y - half, x + half, y + half


def _draw_scene(ax, frame: SceneFrame, bounds: tuple) -> None:
    """Draw a part of the scene at no more than 900 pixels."""
    with open_image(frame.path) as file:
        window = file.window(*bounds)
        shrink = max(1.0, max(window.width, window.height) / 900)
        shape = (round(window.height / shrink), round(window.width / shrink))
        pixels = frame.bands.read(file, window, shape)
    left, bottom, right, top = bounds
    ax.imshow(as_picture(pixels), extent=(left, right, bottom, top))
