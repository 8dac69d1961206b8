"""Figures of chapter 01: the study area and the factors."""

from collections.abc import Collection
from itertools import cycle, islice

import geopandas as gpd
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.colors import LinearSegmentedColormap, ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from lsa_helpers.raster import cell_size
from lsa_helpers.show import style
from lsa_helpers.sources import Catalog, source_outlines

# How the outline of an entry is drawn; others are thin and dotted.
_LOOKS = {
    "rivers": {"color": style.OKABE_ITO["sky"], "lw": 1.0},
    "roads": {"color": style.OKABE_ITO["black"], "lw": 0.8},
    "faults": {"color": style.OKABE_ITO["vermilion"], "lw": 1.2},
    "mask": {"color": style.OKABE_ITO["black"], "lw": 1.5, "ls": "--"},
    "inventory": {"color": style.OKABE_ITO["orange"], "lw": 1.2, "markersize": 8},
    "stations": {"color": style.OKABE_ITO["purple"], "marker": "^", "markersize": 30},
    "lithology": {"color": style.OKABE_ITO["blue"], "lw": 0.7},
}
_LINES = ("rivers", "roads", "faults")
_SLIDES = {"facecolor": style.OKABE_ITO["orange"], "edgecolor": "black", "lw": 0.5}
# Black with a white edge is seen on every colour.
_OUTLINE = {"color": "black", "lw": 0.6, "markersize": 2}
_OUTLINE |= {"path_effects": [withStroke(linewidth=1.4, foreground="white")]}
# The colours of susceptibility are not those of height: a ridge is not dangerous by its colour.
_HEIGHT = LinearSegmentedColormap.from_list("height", ["0.45", "0.98"])
# Rocks have colours of their own.
_ROCKS = ["#f2d9a6", "#b3713b", "#7d9a83", "#c3cfd9", "#5c7089", "#fff7a8", "#e8e2da", "#8c8378"]
_ROCKS += ["#3f4a40", "#d9a6b0", "#8a6a9e", "#3b3531"]
_PALETTES = {"altitude": _HEIGHT, "lithology": _ROCKS}
_MOST_NAMES = 14  # classes named below a map
#: What the fifteen factors are about; a data folder's own come with the last.
FAMILIES = {
    "relief": ["altitude", "slope", "aspect", "plan_curvature", "profile_curvature", "twi", "tri"],
    "distance": ("distance_to_road", "distance_to_river", "distance_to_fault"),
    "ground": ("lithology", "lulc", "ndvi"),
    "triggers": ("rainfall", "pga"),
}


def of_family(factors: Collection[str], family: str) -> list[str]:
    """The factors that belong to one of `FAMILIES`, in its order; those of none come with the
    triggers.

    Examples
    --------
    >>> of_family(["pga", "slope", "snow"], "triggers"), of_family(["pga"], "relief")
    (['pga', 'snow'], [])
    """
    names = [name for name in FAMILIES[family] if name in factors]
    if family == "triggers":
        known = {name for names in FAMILIES.values() for name in names}
        names += [name for name in factors if name not in known]
    return names


def study_area(
    catalog: Catalog,
    altitude: xr.DataArray,
    entries: Collection[str] = tuple(_LINES),
    landslides: gpd.GeoDataFrame | None = None,
) -> Figure:
    """Shaded relief with altitude in greys, and the outlines of sources that were read: by default
    rivers, roads and faults.

    Parameters
    ----------
    catalog : Catalog
    altitude : DataArray, dims (y, x)
        Metres, NaN outside the study area.
    entries : collection of str
        Entries of the catalog to draw: lines and points as they are, polygons and rasters by their
        outlines.
    landslides : GeoDataFrame, optional
        Polygons or points, drawn on top.

    Returns
    -------
    Figure
    """
    height, width = altitude.shape
    fig, ax = plt.subplots(figsize=(style.WIDTH, 0.82 * style.WIDTH * height / width + 0.8))
    image = style.map_image(ax, altitude, cmap=_HEIGHT)
    style.map_image(ax, style.hillshade(altitude), scale_bar=False, cmap="gray", alpha=0.45)
    fig.colorbar(image, ax=ax, label="Altitude (m)", shrink=0.7)
    handles = [_draw_outline(ax, catalog, name, altitude) for name in entries]
    handles = [handle for handle in handles if handle is not None]
    if landslides is not None and len(landslides):
        handles.append(_draw_landslides(ax, landslides, altitude))
    if handles:
        fig.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=9)
    style.north_arrow(ax)
    area_km2 = int(altitude.notnull().sum()) * cell_size(altitude) ** 2 / 1e6
    west, south, east, north = altitude.rio.transform_bounds("EPSG:4326")
    ax.set_title(
        f"{catalog.name or catalog.folder.name}: {area_km2:.1f} km², "
        f"{_degrees(west, east, 'EW')}, {_degrees(south, north, 'NS')}",
        parse_math=False,  # a dollar in a name is a dollar
    )
    return fig


def _degrees(low: float, high: float, sides: str) -> str:
    """A range of degrees as a reader writes it: 102.08–102.11° E, 79.09–79.06° W."""
    side = sides[0] if high > 0 else sides[1]
    return f"{abs(low):.2f}–{abs(high):.2f}° {side}"


def _draw_outline(ax, catalog: Catalog, name: str, raster: xr.DataArray) -> Line2D | None:
    """Draw where an entry lies; returns its legend handle, None for one that has no place."""
    entry = catalog.entries().get(name)
    layer = None if entry is None else source_outlines(catalog, name, raster.rio.crs)
    if layer is None or layer.empty:
        return None
    look = _LOOKS.get(name, {"color": "0.3", "lw": 0.8, "ls": ":"})
    style.outlines(ax, layer, raster, **look)
    symbol = {"ls": "", "markersize": 6} if "marker" in look else {}
    return Line2D([], [], label=name.replace("_", " ").capitalize(), **look | symbol)


def _draw_landslides(ax, landslides: gpd.GeoDataFrame, raster: xr.DataArray) -> Patch | Line2D:
    """Draw landslides filled, points as dots; returns their legend handle."""
    label, shapes = "Landslides", landslides.geometry.to_crs(raster.rio.crs)
    if not shapes.geom_type.str.endswith("Polygon").all():
        look = {"color": _SLIDES["facecolor"], "markersize": 6, "marker": "o"}
        style.outlines(ax, landslides, raster, **look | {"markersize": 12, "ec": "black"})
        return Line2D([], [], ls="", label=label, mec="black", **look)
    shapes.plot(ax=ax, aspect=None, **_SLIDES)
    style.map_axes(ax, raster, scale_bar=False)
    ax.set(xlabel="", ylabel="")
    return Patch(label=label, **_SLIDES)


def factor_panels(
    factors: xr.Dataset, columns: int = 3, landslides: gpd.GeoDataFrame | None = None
) -> Figure:
    """Small maps, each with its own scale and unit; classes with a legend in words.

    Parameters
    ----------
    factors : Dataset, dims (y, x)
        Each variable with its attributes ``long_name``, ``units``, ``kind`` and, for classes,
        ``classes``.
    columns : int
        Maps beside each other, of the width of the page's column all together.
    landslides : GeoDataFrame, optional
        Polygons or points, whose outlines are drawn on every map.

    Returns
    -------
    Figure
    """
    factors = style.thin(factors)
    ratio = factors.sizes["y"] / factors.sizes["x"]
    named = [len(factor.attrs.get("classes") or ()) for factor in factors.values()]
    room = max(0.8, 0.35 + 0.17 * min(max(named), _MOST_NAMES))  # title, and bar or names
    height = style.WIDTH / columns * ratio
    fig, axes = style.panels(len(factors), columns, style.WIDTH, height + room)
    for ax, (name, factor) in zip(axes, factors.items(), strict=True):
        palette, first = _PALETTES.get(name), ax is axes[0]
        if factor.attrs["kind"] == "categorical":
            _class_panel(ax, factor, first, palette)
        else:
            _value_panel(ax, factor, first, palette, 0.14 / height)
        if landslides is not None and len(landslides):
            style.outlines(ax, landslides, factor, **_OUTLINE)
        ax.set_title(factor.attrs["long_name"], parse_math=False)
        ax.set_anchor("N")
    return fig


def _value_panel(ax, factor: xr.DataArray, scale_bar: bool, palette, gap: float) -> None:
    """One continuous or circular factor, its bar a `gap` below (share of the map's height); what
    lies on both sides of 0 in two colours.
    """
    colours, low, high = style.value_colours(factor, factor.attrs["kind"])
    colours = (palette or colours) if colours == style.SEQUENTIAL else colours
    look = {"cmap": colours, "vmin": low, "vmax": high}
    image = style.map_image(ax, factor, scale_bar=scale_bar, **look)
    unit = factor.attrs["units"]
    label = "dimensionless" if unit == "1" else unit
    place = ax.inset_axes([0.05, -gap, 0.9, gap / 2])
    bar = ax.figure.colorbar(image, cax=place, orientation="horizontal", label=label)
    bar.ax.locator_params(nbins=4)


def _class_panel(ax, factor: xr.DataArray, scale_bar: bool, palette) -> None:
    """One categorical factor: a colour per class and their names, the largest classes first."""
    classes = dict(sorted(factor.attrs["classes"].items()))
    number = factor.copy(
        data=pd.Index(classes).get_indexer(factor.values.ravel()).reshape(factor.shape)
    )
    colours = list(islice(cycle(palette or style.CLASS_COLOURS), len(classes)))
    look = {"cmap": ListedColormap(colours), "vmin": -0.5, "vmax": len(classes) - 0.5}
    shown = number.where(number >= 0)
    style.map_image(ax, shown, scale_bar=scale_bar, interpolation="nearest", **look)
    names, cells = list(classes.values()), np.bincount(number.values[number.values >= 0])
    order = [index for index in np.argsort(-cells, kind="stable") if cells[index]]
    handles = [Patch(color=colours[i], label=names[i][:24]) for i in order[:_MOST_NAMES]]
    if len(order) > _MOST_NAMES:
        handles[-1].set_label(f"and {len(order) - _MOST_NAMES + 1} more")
    place = {"loc": "upper center", "bbox_to_anchor": (0.5, 0)}
    legend = ax.legend(handles=handles, fontsize=8, labelspacing=0.2, handlelength=1.2, **place)
    for text in legend.get_texts():
        text.set_parse_math(False)
