"""Parts of rasters under a grid: cut out as stored, joined in time, and brought onto the grid."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from affine import Affine
from rasterio.enums import Resampling
from rasterio.warp import reproject

from lsa_helpers.errors import doubt

_BEYOND = 3  # cells read around the grid, for interpolation


@dataclass
class Tile:
    """What lies under a grid of one file, or of several that are layers of one area."""

    file: Path
    values: np.ndarray  # (layer, y, x) as stored, NaN as nodata; (y, x) once it is one layer
    crs: object
    transform: Affine
    times: list  # dates of the layers, or None
    units: str
    name: str
    bounds: tuple  # of the whole file
    files: int = 1

    def overlap(self, other: "Tile") -> float:
        """Intersection over union of what two files cover."""
        if self.crs != other.crs:
            return 0.0
        a, b = np.array(self.bounds), np.array(other.bounds)
        edges = np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0)
        union = np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - np.prod(edges)
        return float(np.prod(edges) / union)


def cut(layers: xr.DataArray, file: Path, grid: xr.DataArray) -> Tile | None:
    """The part of open layers under a grid and a little around it; None where they do not reach.

    Parameters
    ----------
    layers : DataArray, dims (layer, y, x)
        From `open_layers`.
    file : Path
    grid : DataArray, dims (y, x)
    """
    transform, bounds = layers.rio.transform(), bounds_of(layers)
    left, bottom, right, top = grid.rio.transform_bounds(layers.rio.crs)
    rows, columns = slice(None), slice(None)
    if transform.b == transform.d == 0:  # of a turned raster all is taken
        if left >= bounds[2] or right <= bounds[0] or bottom >= bounds[3] or top <= bounds[1]:
            return None
        columns = _under((left, right), transform.c, transform.a, layers.sizes["x"])
        rows = _under((bottom, top), transform.f, transform.e, layers.sizes["y"])
    part = layers.isel(y=rows, x=columns).to_numpy()
    with np.errstate(over="ignore"):  # a fill number beyond float32 becomes infinite
        part = part.astype(np.float32)
    corner = transform @ Affine.translation(columns.start or 0, rows.start or 0)
    return Tile(
        file,
        part,
        layers.rio.crs,
        corner,
        list(layers.attrs["times"]),
        str(layers.attrs.get("units") or "").strip(),
        str(layers.name or layers.attrs.get("long_name") or ""),
        bounds,
    )


def bounds_of(raster: xr.DataArray) -> tuple[float, float, float, float]:
    """Left, bottom, right, top of a raster, which may be turned against its CRS."""
    transform, height, width = raster.rio.transform(), raster.sizes["y"], raster.sizes["x"]
    corners = [transform @ corner for corner in ((0, 0), (width, 0), (0, height), (width, height))]
    x, y = zip(*corners, strict=True)
    return min(x), min(y), max(x), max(y)


def _under(span: tuple[float, float], start: float, step: float, count: int) -> slice:
    """The cells of an axis under a span, and a few around them."""
    ends = sorted((place - start) / step for place in span)
    first = max(0, int(np.floor(ends[0] + 1e-6)) - _BEYOND)
    return slice(first, min(count, int(np.ceil(ends[1] - 1e-6)) + _BEYOND))


def join(tiles: list[Tile], series: bool) -> list[Tile]:
    """Tiles as they are; files that cover the same area become layers over time of one.

    Parameters
    ----------
    tiles : list of Tile
    series : bool
        Whether the entry is about time; if not, the first of the same area counts, with a doubt.
    """
    joined = []
    for tile in sorted(tiles, key=lambda tile: _natural(tile.file)) if series else tiles:
        same = next((t for t in joined if t.overlap(tile) > (0.5 if series else 0.9)), None)
        if same is None:
            joined.append(tile)
        elif series:
            same.values = np.concatenate([same.values, _like(tile, same)])
            same.times += tile.times
            same.files += 1
        else:
            doubt(
                "two files cover the same area, and the first counts",
                where=same.file,
                found=tile.file.name,
                fix="Name the one that is meant, or what is taken over time with `statistic`",
            )
    return joined


def _natural(file: Path) -> list:
    """A name's order in which 2 comes before 10."""
    return [
        (int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", str(file))
    ]


def _like(tile: Tile, other: Tile) -> np.ndarray:
    """A tile's layers on the cells of another one."""
    shape = other.values.shape[-2:]
    if tile.transform.almost_equals(other.transform, 1e-9) and tile.values.shape[-2:] == shape:
        return tile.values
    frame = (other.crs, other.transform, shape)
    return np.stack([_moved(layer, tile, frame, Resampling.nearest) for layer in tile.values])


def onto(tile: Tile, grid: xr.DataArray, resampling: Resampling, circular: bool) -> np.ndarray:
    """A tile of one layer on a grid, (height, width) float32, NaN where it does not reach.

    Directions in degrees are resampled as vectors; flat ground (−1) has none and leaves a
    mixture to the others.
    """
    frame = (grid.rio.crs, grid.rio.transform(), grid.shape)
    values = tile.values if tile.values.ndim == 2 else tile.values[0]
    if (tile.crs, tile.transform, values.shape) == frame:
        return values
    if not circular or resampling == Resampling.nearest:
        return _moved(values, tile, frame, resampling)
    flat = values < 0
    angle = np.radians(values)
    east, north = (
        _moved(np.where(flat, 0, part(angle)).astype(np.float32), tile, frame, resampling)
        for part in (np.sin, np.cos)
    )
    turned = np.degrees(np.arctan2(east, north)) % 360
    return np.where(np.hypot(east, north) < 0.01, -1, turned).astype(np.float32)


def _moved(values: np.ndarray, tile: Tile, frame: tuple, resampling: Resampling) -> np.ndarray:
    """Values (height, width) of a tile in another frame (CRS, transform, shape)."""
    crs, transform, shape = frame
    moved = np.full(shape, np.nan, np.float32)
    reproject(
        values,
        moved,
        src_transform=tile.transform,
        src_crs=tile.crs,
        src_nodata=np.nan,
        dst_transform=transform,
        dst_crs=crs,
        dst_nodata=np.nan,
        resampling=resampling,
    )
    return moved
