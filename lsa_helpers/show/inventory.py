"""Figures of chapter 03: a tile, thresholds, outlines over the scene, sizes and errors."""

import itertools

import geopandas as gpd
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lsa_helpers.detect.images import as_picture, open_image
from lsa_helpers.detect.inventory import size_frequency
from lsa_helpers.detect.scene import SceneFrame
from lsa_helpers.raster import empty_grid
from lsa_helpers.show import style

_LINES = {"hit": "-", "false alarm": "--", "missed": "-"}


def tile_scores(pixels: np.ndarray, scores: np.ndarray) -> Figure:
    """A tile of the scene and the score of each of its pixels.

    Parameters
    ----------
    pixels : ndarray, shape (height, width, bands)
        From `lsa_helpers.detect.scene.read_tile`.
    scores : ndarray, shape (height, width)
        From `lsa_helpers.detect.scene.score_pixels`.
    """
    fig, axes = plt.subplots(1, 2, figsize=(8, 3.9))
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
    """The scene with hits, false alarms and landslides missed, whole (filled) and 1.5 km around the
    middle landslide by position (outlined).

    Parameters
    ----------
    frame : SceneFrame
    detected : GeoDataFrame
        With ``true_share``, the fraction of its area that is true; where it is not known a
        detection is drawn as a hit and called *detected*.
    known : GeoDataFrame
        With ``found_share``, the fraction of its area that was detected.
    """
    detected, known = detected.to_crs(frame.crs), known.to_crs(frame.crs)
    enlarged = _square(*_middle(known if len(known) else detected, frame), 750, frame)
    layers = {
        "hit": detected[~(detected["true_share"] < 0.5)],
        "false alarm": detected[detected["true_share"] < 0.5],
        "missed": known[known["found_share"] < 0.5],
    }
    layers = {name: layer for name, layer in layers.items() if len(layer)}
    ratios = (frame.width / frame.height, 1)
    fig, axes = plt.subplots(1, 2, figsize=(9, 9 / sum(ratios) + 0.5), width_ratios=ratios)
    for ax, bounds in zip(axes, (frame.bounds, enlarged), strict=True):
        _draw_scene(ax, frame, bounds)
        around = empty_grid(bounds, frame.crs, (bounds[2] - bounds[0]) / 1000)
        style.map_axes(ax, around)
        for name, layer in layers.items():
            _draw_outcome(ax, layer, name, filled=ax is axes[0])
        style.map_axes(ax, around, scale_bar=False)
        ax.set(xlabel="", ylabel="")
    left, bottom, right, top = enlarged
    look = {"fill": False, "edgecolor": "white", "lw": 1.4, "zorder": 8}
    axes[0].add_patch(Rectangle((left, bottom), right - left, top - bottom, **look))
    axes[1].set_xlabel("the white square, enlarged")
    _outcome_legend(fig, {name: len(layer) for name, layer in layers.items()}, bool(len(known)))
    return fig


def _draw_outcome(ax: Axes, layer: gpd.GeoDataFrame, name: str, *, filled: bool) -> None:
    """Landslides of one outcome, as areas or as lines."""
    colour = style.OUTCOMES[name]
    if filled:
        layer.plot(ax=ax, color=colour, edgecolor=style.CASING, linewidth=0.4, aspect=None)
    else:
        look = style.cased(1.4) | {"linestyles": _LINES[name]}
        layer.boundary.plot(ax=ax, color=colour, aspect=None, **look)


def _outcome_legend(fig: Figure, counts: dict[str, int], judged: bool) -> None:
    """Below the figure: colour, word and number of each outcome."""
    handles = []
    for name, count in counts.items():
        label = f"{name if judged else 'detected'} ({count})"
        look = {"facecolor": style.OUTCOMES[name], "edgecolor": style.CASING, "lw": 0.5}
        handles.append(Rectangle((0, 0), 1, 1, label=label, **look))
    fig.legend(handles=handles, loc="outside lower center", ncols=3)


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

    fig, (left, right) = plt.subplots(1, 2, figsize=(8, 3.5))
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


def _error_bars(ax: Axes, errors: pd.DataFrame) -> None:
    """Omission and commission, a pair of bars for each class of area, with what was counted."""
    limits = errors[["area_from_m2", "area_to_m2"]].to_numpy() / 1000
    labels = [f"{low:g}–{high:g}" if np.isfinite(high) else f"> {low:g}" for low, high in limits]
    place = np.arange(len(errors))
    bars = (
        (-0.2, "omission", "omitted", "known", "missed"),
        (0.2, "commission", "false_alarms", "detected", "false alarm"),
    )
    for shift, share, wrong, all_of_size, name in bars:
        look = {"color": style.OUTCOMES[name], "edgecolor": style.CASING, "lw": 0.5}
        drawn = ax.bar(place + shift, errors[share], 0.38, label=f"{all_of_size}, {name}", **look)
        counts = zip(errors[wrong], errors[all_of_size], strict=True)
        text = [f"{some} of {count}" for some, count in counts]
        ax.bar_label(drawn, text, rotation=90, fontsize=7, padding=3)
    ax.set(xlabel="Landslide area (1000 m²)", ylim=(0, 1.3), yticks=np.linspace(0, 1, 6))
    ax.set_ylabel("Fraction of the landslides of this size")
    ax.set_xticks(place, labels, rotation=30)
    ax.legend(loc="lower center", bbox_to_anchor=(0.45, 1.0), ncols=2)


def worst(frame: SceneFrame, alarms: gpd.GeoDataFrame, missed: gpd.GeoDataFrame) -> Figure:
    """The four false alarms with the highest scores (above) and the four largest landslides missed
    (below), on the scene; all images of a row have one scale.

    Parameters
    ----------
    frame : SceneFrame
    alarms : GeoDataFrame
        With ``score`` and ``cause``, worst first.
    missed : GeoDataFrame
        With ``area_m2``, worst first.
    """
    fig, axes = plt.subplots(2, 4, figsize=(8, 4.8))
    rows = (
        (alarms, "false alarm", lambda row: f"{row.cause}, score {row.score:.2f}"),
        (missed, "missed", lambda row: f"{row.area_m2:,.0f} m², found {row.found_share:.0%}"),
    )
    for line, (table, name, title) in zip(axes, rows, strict=True):
        shown = table.head(4).to_crs(frame.crs)
        bounds = shown.bounds
        widths = np.maximum(bounds["maxx"] - bounds["minx"], bounds["maxy"] - bounds["miny"])
        half = max([0.7 * width for width in widths], default=0.0)
        for ax, row in itertools.zip_longest(line, shown.itertuples()):
            ax.set(xticks=[], yticks=[])
            if row is None:
                ax.set_axis_off()
                continue
            x0, y0, x1, y1 = row.geometry.bounds
            crop = _square((x0 + x1) / 2, (y0 + y1) / 2, max(half, 60.0), frame)
            _draw_scene(ax, frame, crop)
            _draw_outcome(ax, shown.loc[[row.Index]], name, filled=False)
            style.map_axes(ax, empty_grid(crop, frame.crs, 1.0), scale_bar=ax is line[0])
            ax.set_title(title(row), fontsize=8.5)
            ax.set(xlabel="", ylabel=name if ax is line[0] else "")
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
