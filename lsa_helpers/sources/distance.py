"""Distance to the nearest feature."""

import math

import numpy as np
import xarray as xr
from rasterio.enums import Resampling
from rasterio.features import rasterize
from scipy.ndimage import distance_transform_edt

from lsa_helpers.errors import InputError
from lsa_helpers.raster import cell_size, empty_grid, on_grid
from lsa_helpers.sources.catalog import Catalog, Entry
from lsa_helpers.sources.kinds import is_raster
from lsa_helpers.sources.rasters import mosaic
from lsa_helpers.sources.vectors import read_features

_COARSE = 32  # cells: edge of the squares that tell how far a chunk must look


def distance_to_cells(marked, cell_size: float):
    r"""Distance from every cell centre to that of the nearest marked cell.

    Parameters
    ----------
    marked : ndarray or dask.array.Array of bool, shape (height, width)
        At least one cell is marked. Of a Dask array each chunk is computed with as much of its
        neighbours as it needs.
    cell_size : float
        Metres.

    Returns
    -------
    ndarray or dask.array.Array, shape (height, width)
        float32 metres, as `marked` is.

    Notes
    -----
    With the cell size s and the marked cells (k, l)

    .. math:: d_{ij} = s \, \min_{k,l} \sqrt{(i - k)^2 + (j - l)^2} ,

    exact on cells; against the distance to a line itself it errs by up to half a cell's diagonal.

    **Source**: Maurer et al. (2003), doi:10.1109/TPAMI.2003.1177156.

    Examples
    --------
    >>> distance_to_cells(np.array([[True, False, False]]), 10.0).tolist()
    [[0.0, 10.0, 20.0]]
    """
    if isinstance(marked, np.ndarray):
        return (distance_transform_edt(~marked) * cell_size).astype(np.float32)
    reach = farthest(marked)
    depth = tuple(min(reach, length) for length in marked.shape)
    return marked.map_overlap(
        distance_to_cells, depth=depth, boundary="none", dtype=np.float32, cell_size=cell_size
    )


def farthest(marked) -> int:
    """Cells within which every cell surely has a marked one; `marked` is a Dask array (y, x)."""
    cells = xr.DataArray(marked.astype(np.uint8), dims=("y", "x"))
    squares = cells.coarsen(y=_COARSE, x=_COARSE, boundary="pad").max() > 0
    # Two cells of squares d apart are at most d + √2 squares apart.
    apart = distance_transform_edt(~squares.to_numpy()).max() + math.sqrt(2)
    return math.ceil(apart * _COARSE)


def distance_to(catalog: Catalog, entry: Entry, grid: xr.DataArray) -> xr.DataArray:
    """Distance from every cell centre to the nearest cell that a feature touches, exact on cells.

    Features beyond the grid count too, up to one grid length away.

    Parameters
    ----------
    catalog : Catalog
    entry : Entry
        Lines, points or polygons, or a raster whose cells are features where it is neither 0 nor
        nodata.
    grid : DataArray, dims (y, x)
        Any raster on the cells wanted.

    Returns
    -------
    DataArray, dims (y, x)
        float32 metres.

    Raises
    ------
    InputError
        When no feature lies within one grid length.
    """
    step = cell_size(grid)
    height, width = grid.shape
    inside = _marked(catalog, entry, grid)
    pad = max(height, width)
    if inside.any():
        # What lies farther outside than the farthest cell is from a feature inside can be nearest
        # to none.
        pad = min(pad, math.ceil(distance_to_cells(inside, 1.0).max()))
    left, bottom, right, top = grid.rio.bounds()
    margin = pad * step
    bounds = (left - margin, bottom - margin, right + margin, top + margin)
    marked = _marked(catalog, entry, empty_grid(bounds, grid.rio.crs, step))
    if not marked.any():
        raise InputError(
            "no feature lies near the study area",
            where=catalog.path(entry),
            fix="Check the file's CRS and extent, or delete its entry",
        )
    distance = distance_to_cells(marked, step)
    return on_grid(distance[pad : pad + height, pad : pad + width], grid, units="m")


def _marked(catalog: Catalog, entry: Entry, grid: xr.DataArray) -> np.ndarray:
    """The cells of a grid that a feature touches, or where the raster is neither 0 nor nodata."""
    file = catalog.path(entry)
    if is_raster(file):
        return np.nan_to_num(mosaic(catalog, entry, grid, Resampling.nearest).to_numpy()) != 0
    outlines = read_features(file, entry, grid.rio.crs).geometry
    transform = grid.rio.transform()
    return rasterize(
        outlines, grid.shape, transform=transform, all_touched=True, dtype="uint8"
    ).astype(bool)
