"""Figures of chapter 01: the study area, the factors, examples of the image collection."""

from collections.abc import Sequence
from itertools import islice, zip_longest

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lsa_helpers.detect.chips import Chip, read_chip
from lsa_helpers.detect.images import as_picture, bands_to_show, open_image
from lsa_helpers.errors import InputError
from lsa_helpers.raster import cell_size
from lsa_helpers.show.style import DIVERGING, OKABE_ITO, SEQUENTIAL, hillshade, map_axes
from lsa_helpers.sources import Catalog, read_features
from lsa_helpers.sources.catalog import RASTERS

_LINES = {"rivers": ("sky", 1.0), "roads": ("black", 0.8), "faults": ("vermilion", 1.2)}
# Twelve classes are enough for land cover and lithology; colours differ in lightness too.
_CLASS_COLOURS = [*OKABE_ITO.values(), "#999999", "#dddddd", "#5e3c99", "#a6611a"]


def study_area(catalog: Catalog, altitude: xr.DataArray) -> Figure:
    """Shaded relief with altitude, and the rivers, roads and faults that were read.

    Parameters
    ----------
    catalog : Catalog
    altitude : DataArray, dims (y, x)
        Metres, NaN outside the study area.

    Returns
    -------
    Figure
    """
    height, width = altitude.shape
    fig, ax = plt.subplots(figsize=(7.5, 6 * height / width + 0.7))
    extent = map_axes(ax, altitude)
    image = ax.imshow(altitude, extent=extent, cmap=SEQUENTIAL)
    shade = hillshade(altitude.values, cell_size(altitude))
    ax.imshow(shade, extent=extent, cmap="gray", alpha=0.45)
    fig.colorbar(image, ax=ax, label="Altitude (m)", shrink=0.7)
    handles = _draw_lines(ax, catalog, altitude.rio.crs)
    if handles:
        fig.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=8)
    area_km2 = int(altitude.notnull().sum()) * cell_size(altitude) ** 2 / 1e6
    west, south, east, north = altitude.rio.transform_bounds("EPSG:4326")
    ax.set_title(
        f"{catalog.name or catalog.folder.name}: {area_km2:.1f} km², "
        f"{west:.2f}–{east:.2f}° E, {south:.2f}–{north:.2f}° N"
    )
    return fig


def _draw_lines(ax, catalog: Catalog, crs) -> list[Line2D]:
    """Draw the vector sources that are there; returns their legend handles."""
    handles = []
    for name, (colour, width) in _LINES.items():
        entry = getattr(catalog, name)
        if entry is not None and catalog.path(entry).suffix.lower() not in RASTERS:
            lines = read_features(catalog.path(entry), entry, crs)
            lines.plot(ax=ax, color=OKABE_ITO[colour], lw=width, aspect=None)
            handles.append(
                Line2D([], [], color=OKABE_ITO[colour], lw=width, label=name.capitalize())
            )
    ax.set(xlabel="", ylabel="")
    return handles


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
    rows = -(-len(factors) // columns)
    ratio = factors.sizes["y"] / factors.sizes["x"]
    height = rows * (6.9 / columns * ratio + 0.4)
    fig, axes = plt.subplots(rows, columns, figsize=(10, height), squeeze=False)
    for ax in axes.flat[len(factors) :]:
        ax.remove()
    for number, (ax, factor) in enumerate(zip(axes.flat, factors.values(), strict=False)):
        extent = map_axes(ax, factor, scale_bar=number == 0)
        ax.set_title(factor.attrs["long_name"])
        if factor.attrs["kind"] == "categorical":
            _class_panel(ax, factor.values, factor.attrs["classes"], extent)
        else:
            _value_panel(ax, factor, extent)
    return fig


def _value_panel(ax, factor: xr.DataArray, extent) -> None:
    """One continuous or circular factor; what lies on both sides of 0 in two colours."""
    low, high = np.nanpercentile(factor, [2, 98])
    colours = SEQUENTIAL
    if factor.attrs["kind"] == "circular":
        colours = "twilight"
        low = 0
        high = 360
    elif low < 0 < high:
        colours = DIVERGING
        high = max(-low, high)
        low = -high
    image = ax.imshow(factor, extent=extent, cmap=colours, vmin=low, vmax=high)
    unit = factor.attrs["units"]
    label = "dimensionless" if unit == "1" else unit
    ax.figure.colorbar(image, ax=ax, label=label, shrink=0.75)


def _class_panel(ax, band: np.ndarray, classes: dict[int, str], extent) -> None:
    """One categorical factor: a colour per class and their names."""
    codes = sorted(classes)
    index = np.full(band.shape, np.nan)
    for number, code in enumerate(codes):
        index[band == code] = number
    colours = [_CLASS_COLOURS[number % len(_CLASS_COLOURS)] for number in range(len(codes))]
    image = ax.imshow(
        index,
        extent=extent,
        cmap=ListedColormap(colours),
        vmin=-0.5,
        vmax=len(codes) - 0.5,
        interpolation="nearest",
    )
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.75, ticks=range(len(codes)))
    bar.ax.set_yticklabels([classes[code][:20] for code in codes], fontsize=6)


def chip_gallery(chips: Sequence[Chip], count: int = 6) -> Figure:
    """Examples of the collection, one per platform while they last, with the mapped landslides
    outlined; unreadable chips are left out.
    """
    by_platform: dict[str, list[Chip]] = {}
    for chip in chips:
        by_platform.setdefault(f"{chip.area} {chip.platform} {chip.resolution_m:g}", []).append(
            chip
        )
    order = (chip for row in zip_longest(*by_platform.values()) for chip in row if chip is not None)
    read = list(
        islice(((chip, *picture) for chip in order if (picture := _picture(chip))), 4 * count)
    )
    shown = sorted(read, key=lambda item: not len(item[2]))[:count]
    fig, axes = plt.subplots(2, -(-count // 2), figsize=(9, 6.4))
    for ax in axes.flat[len(shown) :]:
        ax.remove()
    for ax, (chip, image, masks) in zip(axes.flat, shown, strict=False):
        ax.imshow(image)
        for mask in masks:
            ax.contour(mask, [0.5], colors=OKABE_ITO["yellow"], linewidths=1.2)
        known = np.isfinite(chip.resolution_m)
        ax.set(xticks=[], yticks=[])
        ax.set_title(f"{chip.platform} {chip.area}"[:34].strip() or chip.image.stem, fontsize=8)
        width = image.shape[1] * chip.resolution_m if known else image.shape[1]
        ax.set_xlabel(
            f"{width:.0f} m wide ({chip.resolution_m:g} m per pixel)"
            if known
            else f"{width} pixels wide",
            fontsize=8,
        )
    return fig


def _picture(chip: Chip) -> tuple[np.ndarray, np.ndarray] | None:
    """A chip as it can be shown, and its landslides; None when it cannot be read, which chapter 02
    reports.
    """
    try:
        with open_image(chip.image) as file:
            bands = bands_to_show(file)
        image, masks = read_chip(chip, bands)
    except InputError:
        return None
    return as_picture(image), masks
