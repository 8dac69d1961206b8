"""Terrain factors that xarray-spatial does not have: plan and profile curvature, and wetness.

Slope, aspect and ruggedness are ``xrspatial.slope``, ``xrspatial.aspect`` and ``xrspatial.tri``,
of the DEM with `one_ring_wider`. Water flows across a whole DEM,
so wetness needs all of it in memory and about 42 bytes a cell beside it while it runs (4.2 GB
measured at 100 million cells); everything else also works on Dask chunks.
"""

import numpy as np
import pyflwdir
import xarray as xr
import xrspatial

from lsa_helpers.errors import InputError
from lsa_helpers.raster import cell_size

NODATA = -9999.0
_STRIP = 512  # rows of a DEM whose derivatives are in memory at once, in float64


def one_ring_wider(dem: xr.DataArray) -> xr.DataArray:
    """The DEM continued by one cell on every side along a straight line, z₀ + (z₀ − z₁).

    Repeating the outermost cells instead would make the border of a slope half as steep.

    Parameters
    ----------
    dem : DataArray, dims (y, x)
        Altitude in metres, NaN as nodata; NumPy or Dask. One row or column alone is repeated.

    Returns
    -------
    DataArray, shape (height + 2, width + 2)
        NaN beyond a border cell whose inner neighbour is unknown.

    Examples
    --------
    >>> dem = xr.DataArray([[1.0, 2.0], [3.0, 4.0]], dims=("y", "x"))
    >>> one_ring_wider(dem).values.tolist()[0]
    [-2.0, -1.0, 0.0, 1.0]
    """
    for axis, length in dem.sizes.items():
        wider = dem.pad({axis: 1}, mode="edge", keep_attrs=True)
        if length > 1:
            # Not reflect_type="odd": Dask mirrors the values instead, and says nothing.
            mirrored = dem.pad({axis: 1}, mode="reflect")
            wider = wider.copy(data=2 * wider.data - mirrored.data)
            if axis in dem.coords:
                places = np.pad(dem[axis].values, 1, mode="reflect", reflect_type="odd")
                wider = wider.assign_coords({axis: (axis, places, dem[axis].attrs)})
        dem = wider
    return dem


def curvatures(dem: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray]:
    """Plan and profile curvature after Zevenbergen & Thorne (1987), doi:10.1002/esp.3290120107.

    Parameters
    ----------
    dem : DataArray, dims (y, x)
        Altitude in metres on square cells in metres, NaN as nodata, rows from north to south; NumPy
        or Dask. At the border see `one_ring_wider`.

    Returns
    -------
    plan, profile : DataArray, dims (y, x)
        float32, 1/m; 0 where the surface is flat, NaN where a neighbour is unknown.

    Notes
    -----
    The surface z = D x² + E y² + F x y + G x + H y + z₀ through a cell and its neighbours gives

    .. math::

        k_{plan} = -2 \\, \\frac{D H^2 + E G^2 - F G H}{G^2 + H^2}, \\qquad
        k_{profile} = 2 \\, \\frac{D G^2 + E H^2 + F G H}{G^2 + H^2} .

    Plan curvature is positive where contours bulge outward (noses, ridges; flow diverges) and
    negative in hollows; profile curvature is negative on convex slopes (flow accelerates) and
    positive on concave ones. Both are second derivatives along a direction, not divided by
    (1 + slope²)^1.5, so on steep ground they are larger than the curvature of the ground itself.

    Examples
    --------
    >>> from lsa_helpers.raster import empty_grid, on_grid
    >>> y, x = np.mgrid[2:-3:-1, -2:3] * 10.0
    >>> dome = on_grid(1000 - 0.01 * (x**2 + y**2) / 2, empty_grid((0, 0, 50, 50), 32648, 10))
    >>> [round(float(band[2, 1]), 4) for band in curvatures(dome)]
    [0.01, -0.01]
    """
    cell, wide = cell_size(dem), one_ring_wider(dem).data
    if dem.chunks:
        both = wide.map_overlap(
            lambda block: np.stack(_curvatures(block, cell)),
            depth=1,
            boundary="nearest",  # computed for the ring too, which is cut off again
            trim=False,
            new_axis=0,
            chunks=(2, *wide.chunks),
            dtype=np.float32,
        )[:, 1:-1, 1:-1]
        both = both.rechunk((2, *dem.chunks))
    else:
        strips = [wide[top : top + _STRIP + 2] for top in range(0, dem.shape[0], _STRIP)]
        both = np.concatenate([_curvatures(strip, cell) for strip in strips], axis=1)
    return dem.copy(data=both[0]), dem.copy(data=both[1])


def _curvatures(wide: np.ndarray, cell: float) -> tuple[np.ndarray, np.ndarray]:
    """Plan and profile curvature of the inner cells of a DEM one cell wider on every side."""
    z = wide.astype(np.float64)
    centre = z[1:-1, 1:-1]
    north = z[:-2, 1:-1]
    south = z[2:, 1:-1]
    west = z[1:-1, :-2]
    east = z[1:-1, 2:]
    d = ((west + east) / 2 - centre) / cell**2
    e = ((north + south) / 2 - centre) / cell**2
    f = (z[:-2, 2:] - z[:-2, :-2] + z[2:, :-2] - z[2:, 2:]) / (4 * cell**2)
    g = (east - west) / (2 * cell)
    h = (north - south) / (2 * cell)
    steep = g**2 + h**2
    # A perfectly flat cell has no direction of flow, so neither curvature is defined there; 0 keeps
    # it neutral.
    safe = np.where(steep > 0, steep, 1)
    plan = np.where(steep > 0, -2 * (d * h**2 + e * g**2 - f * g * h) / safe, 0 * centre)
    profile = np.where(steep > 0, 2 * (d * g**2 + e * h**2 + f * g * h) / safe, 0 * centre)
    # NaN must spread from any neighbour, also where the formula above fell back to 0.
    unknown = np.isnan(d + e + f + g + h)
    plan[unknown] = np.nan
    profile[unknown] = np.nan
    return plan.astype(np.float32), profile.astype(np.float32)


# D8 codes as (code, rows down, columns right), the ESRI convention pyflwdir reads.
_D8 = (
    (1, 0, 1),
    (2, 1, 1),
    (4, 1, 0),
    (8, 1, -1),
    (16, 0, -1),
    (32, -1, -1),
    (64, -1, 0),
    (128, -1, 1),
)


def flow_directions(altitude: np.ndarray) -> np.ndarray:
    """D8 flow directions that drain every cell to the border.

    Parameters
    ----------
    altitude : ndarray, shape (height, width)
        Metres, NaN as nodata; square cells.

    Returns
    -------
    ndarray, shape (height, width)
        uint8 ESRI codes: 1 east, 2 south-east, … 128 north-east; 0 = outlet, 247 = nodata.

    Notes
    -----
    The DEM is filled by priority flood (Wang & Liu 2006, doi:10.1080/13658810500433453); each cell
    then flows down the steepest of its eight neighbours on the filled surface (O'Callaghan & Mark
    1984, doi:10.1016/S0734-189X(84)80011-0). The flood alone would send it to the *lowest*
    neighbour, which favours diagonals; its directions are kept only where the filled surface is
    flat.
    """
    known = np.isfinite(altitude)
    filled, d8 = pyflwdir.dem.fill_depressions(
        np.where(known, altitude, NODATA).astype(np.float64), nodata=NODATA
    )
    z = np.pad(np.where(known, filled, np.inf), 1, constant_values=np.inf)
    height, width = altitude.shape
    # Filling adds and subtracts, so "flat" means equal up to rounding: a bare > 0 could send water
    # round in a circle.
    steepest = np.full(altitude.shape, 1e-6)
    for code, down, right in _D8:
        neighbour = z[1 + down : 1 + down + height, 1 + right : 1 + right + width]
        with np.errstate(invalid="ignore"):
            drop = (z[1:-1, 1:-1] - neighbour) / np.hypot(down, right)
        steeper = known & (drop > steepest)
        steepest[steeper] = drop[steeper]
        d8[steeper] = code
    return d8


def catchment_area(dem: xr.DataArray) -> xr.DataArray:
    """Upslope area of each cell along the D8 paths of `flow_directions`, m².

    Parameters
    ----------
    dem : DataArray, dims (y, x)
        Altitude in metres, NaN as nodata. Water leaves at the border of the data, so catchments
        that begin beyond it are too small.

    Returns
    -------
    DataArray, dims (y, x)
        float64 m², at least one cell; NaN as nodata.

    Raises
    ------
    InputError
        When the DEM is a Dask array.
    """
    if dem.chunks:
        raise InputError(
            "water flows across all blocks of a DEM",
            where="catchment area and wetness index",
            found=type(dem.data).__name__,
            fix="Read the DEM whole (42 bytes a cell are needed), or compute river basin by river "
            "basin",
        )
    known = np.isfinite(dem.data)
    if known.sum() < 2:  # pyflwdir wants water that goes somewhere; a lone cell drains itself
        cells = np.ones(dem.shape)
    else:
        flow = pyflwdir.from_array(flow_directions(dem.data), ftype="d8", check_ftype=False)
        cells = flow.upstream_area(unit="cell")
    return dem.copy(data=np.where(known, cells * cell_size(dem) ** 2, np.nan))


def wetness_index(dem: xr.DataArray) -> xr.DataArray:
    """Topographic wetness index ln(a / tan b), Beven & Kirkby (1979).

    Parameters
    ----------
    dem : DataArray, dims (y, x)
        Altitude in metres, NaN as nodata, in memory.

    Returns
    -------
    DataArray, dims (y, x)
        float32, ln of metres; NaN as nodata.

    Notes
    -----
    a is the catchment area per unit contour width (one cell) over the filled DEM, b Horn's slope.
    tan b is not let below 0.001: on flat ground the index has no meaning but a large one.

    **Source**: doi:10.1080/02626667909491834.
    """
    slope = xrspatial.slope(one_ring_wider(dem)).data[1:-1, 1:-1]
    tangent = np.maximum(np.tan(np.radians(slope)), 1e-3)
    index = np.log(catchment_area(dem).data / cell_size(dem) / tangent)
    return dem.copy(data=index.astype(np.float32))
