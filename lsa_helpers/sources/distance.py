"""Distance to the nearest feature."""

import math

import numpy as np
import xarray as xr
from rasterio.enums import Resampling
from rasterio.features import rasterize
from scipy.ndimage import distance_transform_edt

from lsa_helpers.errors import InputError, doubt
from lsa_helpers.raster import cell_size, empty_grid, on_grid
from lsa_helpers.sources.catalog import Catalog, Entry
from lsa_helpers.sources.kinds import is_raster
from lsa_helpers.sources.rasters import mosaic
from lsa_helpers.sources.vectors import read_features

_ALL, _MUCH = 0.95, 0.3  # shares of marked cells
_MOST_KINDS = 30  # values of a raster of features
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
        # Row and column of the nearest one are 8 bytes a cell; SciPy's own distances take 40.
        found = distance_transform_edt(~marked, return_distances=False, return_indices=True)
        columns, out = np.arange(marked.shape[1]), np.empty(marked.shape, np.float32)
        for row, (down, across) in enumerate(zip(*found, strict=True)):
            out[row] = np.sqrt((down - row) ** 2.0 + (across - columns) ** 2.0) * cell_size
        return out
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
        When no feature lies within one grid length, or as `marked_cells`.
    """
    step = cell_size(grid)
    height, width = grid.shape
    inside = marked_cells(catalog, entry, grid)
    pad = max(height, width)
    if inside.any():
        # What lies farther outside than the farthest cell is from a feature inside can be nearest
        # to none.
        pad = min(pad, math.ceil(distance_to_cells(inside, 1.0).max()))
    left, bottom, right, top = grid.rio.bounds()
    margin = pad * step
    bounds = (left - margin, bottom - margin, right + margin, top + margin)
    wider = empty_grid(bounds, grid.rio.crs, step)
    marked = marked_cells(catalog, entry, wider, judge=False)
    if not marked.any():
        fix = "Check the file's CRS and extent, or delete its entry"
        raise InputError("no feature lies near the study area", where=catalog.path(entry), fix=fix)
    distance = distance_to_cells(marked, step)
    return on_grid(distance[pad : pad + height, pad : pad + width], grid, units="m")


def marked_cells(
    catalog: Catalog, entry: Entry, grid: xr.DataArray, *, judge: bool = True
) -> np.ndarray:
    """The cells of a grid that a feature touches, or where the raster is neither 0 nor nodata.

    Parameters
    ----------
    catalog : Catalog
    entry : Entry
    grid : DataArray, dims (y, x)
    judge : bool
        Say or refuse where much of the land is marked.

    Returns
    -------
    ndarray of bool, shape (height, width)

    Raises
    ------
    InputError
        When every cell is marked, as by a raster of distances.
    """
    file = catalog.path(entry)
    values = np.ones(1)
    if is_raster(file):
        values = np.nan_to_num(mosaic(catalog, entry, grid, Resampling.nearest).to_numpy())
        marked = values != 0
        likely = "a raster of distances, or one whose background is not 0"
        fix = "Distances are named under `factors:`; features are neither 0 nor nodata"
    else:
        features = read_features(catalog, entry, grid.rio.crs)
        transform = grid.rio.transform()
        marked = rasterize(
            features.geometry, grid.shape, transform=transform, all_touched=True, dtype="uint8"
        ).astype(bool)
        areal = features.geom_type.str.endswith("Polygon").any()
        likely = (
            "polygons are filled: parcels, districts or catchments?" if areal else "dense lines"
        )
        fix = "Give lines, or leave the entry out"
    share = float(marked.mean()) if judge else 0.0
    told = {"where": file, "found": f"{share:.0%} of the cells marked; {likely}", "fix": fix}
    many_values = len(np.unique(values)) > _MOST_KINDS
    if share > _ALL or (share > _MUCH and many_values):
        raise InputError(
            "nearly all land is marked as a feature, so distances mean nothing", **told
        )
    if share > _MUCH:
        doubt("much of the land is marked as a feature", **told)
    return marked
