"""Any source, raster, vector or table, as a layer on the analysis grid."""

import math
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr
from pyproj import CRS
from rasterio.enums import Resampling
from rasterio.features import rasterize

from lsa_helpers.errors import InputError
from lsa_helpers.grid import Grid
from lsa_helpers.sources.catalog import RASTERS, Catalog, Entry
from lsa_helpers.sources.distance import distance_to_cells
from lsa_helpers.sources.rasters import mosaic, open_raster
from lsa_helpers.sources.vectors import attribute, inverse_distance, read_features


def target_grid(catalog: Catalog, cell_size: float, crs: str = "") -> Grid:
    """The analysis grid: the DEM's extent (or the study mask's part of it) in a CRS in metres.

    Where the DEM already lies in that CRS the grid keeps its lattice, so nothing is resampled
    without need.

    Parameters
    ----------
    catalog : Catalog
    cell_size : float
        Cell size in metres.
    crs : str
        Wanted CRS; empty: the catalog's, else the DEM's if it is in metres, else the DEM's UTM
        zone.

    Returns
    -------
    Grid

    Raises
    ------
    InputError
        When there is no DEM, the CRS is not in metres, or mask and DEM do not overlap.
    """
    if catalog.dem is None:
        raise InputError(
            "the catalog names no DEM, and the grid is made from it",
            where=catalog.folder,
            fix="Add an entry `dem:`",
        )
    tiles = [open_raster(file, catalog.dem) for file in catalog.files(catalog.dem)]
    wanted = _metric_crs(crs or catalog.crs, tiles[0])
    boxes = np.array([tile.rio.transform_bounds(wanted) for tile in tiles])
    bounds = [*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)]
    if catalog.mask is not None:
        shape = read_features(catalog.path(catalog.mask), catalog.mask, wanted)
        left, bottom, right, top = shape.total_bounds
        inner = [
            max(bounds[0], left),
            max(bounds[1], bottom),
            min(bounds[2], right),
            min(bounds[3], top),
        ]
        if inner[0] >= inner[2] or inner[1] >= inner[3]:
            raise InputError(
                "the study mask and the DEM do not overlap",
                where=catalog.path(catalog.mask),
                found=f"{shape.total_bounds} m",
            )
        # Keep the DEM's lattice: step whole cells from its corner.
        bounds = [
            bounds[0] + np.floor((inner[0] - bounds[0]) / cell_size) * cell_size,
            inner[1],
            inner[2],
            bounds[3] - np.floor((bounds[3] - inner[3]) / cell_size) * cell_size,
        ]
    return Grid.from_bounds(bounds, wanted, cell_size)


def _metric_crs(wanted: str, dem: xr.DataArray) -> CRS:
    """The CRS asked for, or the DEM's own if it is in metres, or its UTM zone."""
    try:
        crs = CRS.from_user_input(wanted) if wanted else CRS.from_user_input(dem.rio.crs)
    except Exception as error:
        raise InputError(
            "this is no CRS", where="parameter crs", found=wanted, fix='Write it as "EPSG:32648"'
        ) from error
    metric = crs.is_projected and crs.axis_info[0].unit_name in {"metre", "meter"}
    if not metric and wanted:
        raise InputError(
            "the analysis grid needs a CRS in metres", where="parameter crs", found=wanted
        )
    return crs if metric else CRS.from_user_input(dem.rio.estimate_utm_crs())


def read_dem(catalog: Catalog, grid: Grid) -> np.ndarray:
    """Altitude on the grid, (height, width) float32 metres, NaN outside the DEM."""
    return mosaic(catalog, catalog.dem, grid, Resampling.bilinear)


def continuous(catalog: Catalog, entry: Entry, grid: Grid) -> np.ndarray:
    """A continuous source on the grid: rasters by bilinear resampling, polygons burnt, points by
    inverse distance (p = 2).

    Returns
    -------
    ndarray, shape (height, width)
        float32 in the entry's unit, NaN where the source has nothing.

    Raises
    ------
    InputError
        When the file cannot be read, has no such attribute, or does not overlap the grid.
    """
    file = catalog.path(entry)
    if file.suffix.lower() in RASTERS:
        return mosaic(catalog, entry, grid, Resampling.bilinear)
    shapes = read_features(file, entry, grid.crs)
    values = attribute(shapes, entry.value or entry.attribute, file).astype(float) * entry.scale
    if (shapes.geom_type == "Point").all():
        return inverse_distance(
            shapes.geometry.x.to_numpy(), shapes.geometry.y.to_numpy(), values.to_numpy(), grid
        )
    return _burn(shapes, values, grid, file)


def _burn(shapes: gpd.GeoDataFrame, values: pd.Series, grid: Grid, file: Path) -> np.ndarray:
    """The value of the polygon that a cell's centre lies in, (height, width) float32, NaN outside;
    an error when no cell has one.
    """
    burnt = rasterize(
        zip(shapes.geometry, values, strict=True),
        grid.shape,
        np.nan,
        transform=grid.transform,
        dtype="float32",
    )
    if np.isnan(burnt).all():
        raise InputError(
            "the polygons do not overlap the study area", where=file, fix="Check the file's CRS"
        )
    return burnt


def categorical(catalog: Catalog, entry: Entry, grid: Grid) -> tuple[np.ndarray, dict[int, str]]:
    """A source of classes on the grid: rasters by nearest neighbour, polygons burnt.

    Returns
    -------
    codes : ndarray, shape (height, width)
        float32 integer codes, NaN where the source has nothing.
    names : dict
        Code → name; text attributes are numbered in alphabetical order.
    """
    file = catalog.path(entry)
    if file.suffix.lower() in RASTERS:
        codes = mosaic(catalog, entry, grid, Resampling.nearest)
        return codes, {
            int(code): entry.names.get(int(code), str(int(code)))
            for code in np.unique(codes[np.isfinite(codes)])
        }
    shapes = read_features(file, entry, grid.crs)
    values = attribute(shapes, entry.attribute, file)
    if pd.api.types.is_numeric_dtype(values):
        names = {
            int(code): entry.names.get(int(code), str(int(code)))
            for code in sorted(values.unique())
        }
    else:
        texts = sorted(values.astype(str).unique())
        names = dict(enumerate(texts, start=1))
        values = values.astype(str).map({text: code for code, text in names.items()})
    burnt = _burn(shapes, values, grid, file)
    present = set(np.unique(burnt[np.isfinite(burnt)]).astype(int))
    return burnt, {code: name for code, name in names.items() if code in present}


def distance_to(catalog: Catalog, entry: Entry, grid: Grid) -> np.ndarray:
    """Distance from every cell centre to the nearest cell that a feature touches, exact on cells.

    Features beyond the grid count too, up to one grid length away.

    Returns
    -------
    ndarray, shape (height, width)
        float32 metres.

    Raises
    ------
    InputError
        When no feature lies within one grid length.
    """
    mark = _marker(catalog, entry, grid.crs)
    hit = mark(grid)
    pad = max(grid.shape)
    # what lies farther outside than the farthest cell is from a feature inside can be nearest to
    # none
    if hit.any():
        pad = min(pad, math.ceil(distance_to_cells(hit, 1.0).max()))
    left, bottom, right, top = grid.bounds
    margin = pad * grid.cell_size
    wide = Grid.from_bounds(
        (left - margin, bottom - margin, right + margin, top + margin), grid.crs, grid.cell_size
    )
    hit = mark(wide)
    if not hit.any():
        where, fix = catalog.path(entry), "Check the file's CRS and extent, or delete its entry"
        raise InputError("no feature lies near the study area", where=where, fix=fix)
    return distance_to_cells(hit, grid.cell_size)[pad : pad + grid.height, pad : pad + grid.width]


def _marker(catalog: Catalog, entry: Entry, crs) -> Callable[[Grid], np.ndarray]:
    """A function that marks the cells of a grid which a feature touches, or where the raster is
    neither 0 nor nodata.
    """
    file = catalog.path(entry)
    if file.suffix.lower() in RASTERS:
        return lambda grid: np.nan_to_num(mosaic(catalog, entry, grid, Resampling.nearest)) != 0
    shapes = read_features(file, entry, crs).geometry
    return lambda grid: (
        rasterize(shapes, grid.shape, transform=grid.transform, all_touched=True, dtype="uint8") > 0
    )


def study_mask(catalog: Catalog, grid: Grid) -> np.ndarray:
    """Whether a cell's centre lies in the study area, (height, width) bool; all True without a
    mask.
    """
    if catalog.mask is None:
        return np.ones(grid.shape, bool)
    shapes = read_features(catalog.path(catalog.mask), catalog.mask, grid.crs)
    return rasterize(shapes.geometry, grid.shape, transform=grid.transform, dtype="uint8") > 0


def read_inventory(catalog: Catalog, grid: Grid) -> gpd.GeoDataFrame | None:
    """The catalog's inventory: polygons, or points with a column `label` (1 = landslide, 0 = none).

    Returns
    -------
    GeoDataFrame or None
        Columns id, area_m2 (polygons) or label (points), geometry in the grid's CRS; None without
        an inventory.

    Raises
    ------
    InputError
        When it is empty, does not overlap the grid, holds neither polygons nor points, or a label
        is no number.
    """
    if catalog.inventory is None:
        return None
    file = catalog.path(catalog.inventory)
    frame = grid.rio if hasattr(grid, "rio") else grid
    shapes = read_features(file, catalog.inventory, frame.crs)
    left, bottom, right, top = grid.rio.bounds() if hasattr(grid, "rio") else grid.bounds
    shapes = shapes.cx[left:right, bottom:top].reset_index(drop=True)
    if shapes.empty:
        raise InputError(
            "no landslide of the inventory lies in the study area",
            where=file,
            fix="Check the file's CRS",
        )
    out = gpd.GeoDataFrame(
        {"id": np.arange(1, len(shapes) + 1)}, geometry=shapes.geometry.to_numpy(), crs=shapes.crs
    )
    if (out.geom_type == "Point").all():
        out["label"] = _labels(shapes, catalog.inventory.label, file)
        return out
    out["geometry"] = out.geometry.make_valid()
    out["area_m2"] = out.area
    if not out["area_m2"].any():
        found, fix = sorted(set(out.geom_type)), "Give polygons, or points one by one"
        raise InputError(
            "the inventory holds neither polygons nor points", where=file, found=found, fix=fix
        )
    return out


def _labels(points: gpd.GeoDataFrame, column: str, file: Path) -> np.ndarray | int:
    """What points are, from their column; without one all are landslides."""
    if not column:
        return 1
    values = attribute(points, column, file)
    try:
        return values.astype(int).to_numpy()
    except (TypeError, ValueError):
        found, fix = sorted(set(values.astype(str)))[:5], "Write 1 for landslide, 0 for none"
        raise InputError(
            f'the labels in "{column}" are no whole numbers', where=file, found=found, fix=fix
        ) from None
