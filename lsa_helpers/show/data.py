"""Figures of chapter 01: the study area and the factors."""

from collections.abc import Collection
from itertools import cycle, islice

import matplotlib.pyplot as plt
import pandas as pd
import xarray as xr
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

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


def study_area(
    catalog: Catalog, altitude: xr.DataArray, entries: Collection[str] = tuple(_LINES)
) -> Figure:
    """Shaded relief with altitude, and the outlines of sources that were read: by default rivers,
    roads and faults.

    Parameters
    ----------
    catalog : Catalog
    altitude : DataArray, dims (y, x)
        Metres, NaN outside the study area.
    entries : collection of str
        Entries of the catalog to draw: lines and points as they are, polygons and rasters by their
        outlines.

    Returns
    -------
    Figure
    """
    height, width = altitude.shape
    fig, ax = plt.subplots(figsize=(7.5, 6 * height / width + 0.7))
    image = style.map_image(ax, altitude)
    style.map_image(ax, style.hillshade(altitude), scale_bar=False, cmap="gray", alpha=0.45)
    fig.colorbar(image, ax=ax, label="Altitude (m)", shrink=0.7)
    handles = [_draw_outline(ax, catalog, name, altitude) for name in entries]
    handles = [handle for handle in handles if handle is not None]
    if handles:
        fig.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=8)
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


def factor_panels(factors: xr.Dataset, columns: int = 3) -> Figure:
    """Small maps, each with its own scale and unit; classes with a legend in words.

    Parameters
    ----------
    factors : Dataset, dims (y, x)
        Each variable with its attributes ``long_name``, ``units``, ``kind`` and, for classes,
        ``classes``.
    columns : int
        Maps beside each other.

    Returns
    -------
    Figure
    """
    factors = style.thin(factors)
    ratio = factors.sizes["y"] / factors.sizes["x"]
    fig, axes = style.panels(len(factors), columns, 10, 6.9 / columns * ratio + 0.4)
    for ax, factor in zip(axes, factors.values(), strict=True):
        draw = _class_panel if factor.attrs["kind"] == "categorical" else _value_panel
        draw(ax, factor, ax is axes[0])
        ax.set_title(factor.attrs["long_name"])
    return fig


def _value_panel(ax, factor: xr.DataArray, scale_bar: bool) -> None:
    """One continuous or circular factor; what lies on both sides of 0 in two colours."""
    colours, low, high = style.value_colours(factor, factor.attrs["kind"])
    look = {"cmap": colours, "vmin": low, "vmax": high}
    image = style.map_image(ax, factor, scale_bar=scale_bar, **look)
    unit = factor.attrs["units"]
    label = "dimensionless" if unit == "1" else unit
    ax.figure.colorbar(image, ax=ax, label=label, shrink=0.75)


def _class_panel(ax, factor: xr.DataArray, scale_bar: bool) -> None:
    """One categorical factor: a colour per class and their names."""
    classes = dict(sorted(factor.attrs["classes"].items()))
    number = factor.copy(
        data=pd.Index(classes).get_indexer(factor.values.ravel()).reshape(factor.shape)
    )
    colours = ListedColormap(list(islice(cycle(style.CLASS_COLOURS), len(classes))))
    look = {"cmap": colours, "vmin": -0.5, "vmax": len(classes) - 0.5, "interpolation": "nearest"}
    image = style.map_image(ax, number.where(number >= 0), scale_bar=scale_bar, **look)
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.75, ticks=range(len(classes)))
    names = [name[:20] for name in classes.values()]
    bar.ax.set_yticklabels(names, fontsize=6, parse_math=False)
