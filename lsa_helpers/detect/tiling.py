"""Chips cut out of georeferenced images whose landslides are drawn as polygons."""

from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from rasterio.warp import transform_bounds
from rasterio.windows import Window, bounds

from lsa_helpers.detect.chips import Chip
from lsa_helpers.detect.images import open_image, pixel_metres
from lsa_helpers.errors import InputError
from lsa_helpers.sources import Catalog, Entry, read_features
from lsa_helpers.sources.areas import as_polygons
from lsa_helpers.sources.labels import tell_landslides


def cut_chips(
    images: Sequence[Path],
    outlines: Path | Sequence[Path],
    chip_px: int,
    *,
    platform: str = "",
    layer: str = "",
    label: str = "",
    landslide_labels: Sequence = (),
) -> list[Chip]:
    """Lay chips side by side over images, take those with landslides and as many of the others.

    Parameters
    ----------
    images : sequence of Path
        Georeferenced images.
    outlines : Path or sequence of Path
        Polygon layers in any CRS, one landslide each; landslides may touch.
    chip_px : int
        Edge of a chip, pixels of the image.
    platform : str
        What took the images.
    layer : str
        Layer of outlines in a file that holds several.
    label : str
        Column that says which polygons are landslides; empty: all are.
    landslide_labels : sequence of str or int
        What it says of them; empty: guessed.

    Returns
    -------
    list of Chip
        With `window` and, as truth, polygons in pixels of the chip. Chips without landslide are
        taken at equal steps among those that hold data in the middle. An image is a `scene`.

    Raises
    ------
    InputError
        When the layer cannot be read, has no CRS or no polygons, or no polygon lies on an image. An
        image that cannot be cut gives one chip with its `fault`.

    Notes
    -----
    Only headers and one pixel of each chip are read here, so images may be larger than memory.
    """
    outlines = [outlines] if isinstance(outlines, str | Path) else list(outlines)
    entry = Entry(path=[str(Path(path).resolve()) for path in outlines], layer=layer)
    needed = [label] if label else []
    drawn = as_polygons(read_features(Catalog(folder=Path()), entry, None, needed), outlines[0])
    if label:
        drawn = drawn[tell_landslides(drawn[label], landslide_labels, outlines[0]) == 1]
    drawn = drawn.explode(ignore_index=True)
    chips = []
    for path in images:
        try:
            chips += _cut(path, drawn, chip_px, platform)
        except InputError as error:
            chips.append(Chip(path, (), platform=platform, scene=path.name, fault=error))
    if not any(chip.truth or chip.fault for chip in chips):
        what = "no landslide lies on the images"
        found = f"{len(drawn)} polygons, {len(images)} image(s)"
        raise InputError(what, where=", ".join(map(str, outlines)), found=found)
    return chips


def _cut(path: Path, layer: gpd.GeoDataFrame, size: int, platform: str) -> list[Chip]:
    """The chips of one image."""
    with open_image(path) as file:
        if file.crs is None:
            what = "the image has no CRS, so outlines cannot be laid over it"
            fix = "Add one with gdal_edit -a_srs"
            raise InputError(what, where=path, fix=fix)
        left, bottom, right, top = transform_bounds(file.crs, layer.crs, *file.bounds)
        near = layer.cx[left:right, bottom:top].to_crs(file.crs).geometry.make_valid()
        shapes = near.affine_transform((~file.transform).to_shapely())
        metres = pixel_metres(file)
        windows = [
            (col, row, min(size, file.width - col), min(size, file.height - row))
            for row in range(0, file.height, size)
            for col in range(0, file.width, size)
        ]
        # A rest at the edge narrower than half a chip is left out.
        windows = [
            window
            for window in windows
            if min(window[2:]) * 2 >= min(size, file.width, file.height)
        ]
        truths = [_inside(shapes, window) for window in windows]
        empty = [i for i, truth in enumerate(truths) if not truth and _has_data(file, windows[i])]
    having = [i for i, truth in enumerate(truths) if truth]
    steps = np.unique(
        np.linspace(0, len(empty) - 1, min(len(empty), max(1, len(having)))).astype(int)
    )
    return [
        Chip(
            path,
            truths[i],
            platform=platform,
            resolution_m=metres,
            scene=path.name,
            footprint=(file.crs.to_string(), *bounds(Window(*windows[i]), file.transform)),
            window=windows[i],
            dtype=file.dtypes[0],
        )
        for i in sorted([*having, *(empty[step] for step in steps)])
    ]


def _inside(
    shapes: gpd.GeoSeries, window: tuple[int, int, int, int]
) -> tuple[shapely.Polygon, ...]:
    """Polygons on a window, in its own pixels."""
    col, row, width, height = window
    cut = shapes.clip(shapely.box(col, row, col + width, row + height), sort=True)
    return tuple(cut[cut.area >= 1].translate(-col, -row))


def _has_data(file, window: tuple[int, int, int, int]) -> bool:
    """Whether the middle of a window is not nodata."""
    col, row, width, height = window
    (pixel,) = file.sample([file.xy(row + height // 2, col + width // 2)])
    return bool((pixel != (file.nodata or 0)).any())
