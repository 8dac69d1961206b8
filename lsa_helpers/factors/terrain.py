"""Terrain factors from a DEM: slope, aspect, curvatures, ruggedness and wetness.

All but wetness also take the DEM as a Dask array and then give one, block by block. Water flows
across blocks, so wetness needs the whole DEM in memory and about 42 bytes a cell beside it while it
runs (4.2 GB measured at 100 million cells).
"""

import numpy as np
import pyflwdir
import xarray as xr

from lsa_helpers.errors import InputError

NODATA = -9999.0


def _surface(dem: np.ndarray, cell_size: float) -> xr.DataArray:
    """The DEM as xarray-spatial wants it: rows going north to south, resolution in metres."""
    y, x = -np.arange(dem.shape[0]) * cell_size, np.arange(dem.shape[1]) * cell_size
    return xr.DataArray(
        dem.astype(np.float32),
        coords={"y": y, "x": x},
        dims=("y", "x"),
        attrs={"res": (cell_size, cell_size)},
    )


def slope(dem: np.ndarray, cell_size: float) -> np.ndarray:
    """Slope angle after Horn (1981), doi:10.1109/PROC.1981.11918.

    Parameters
    ----------
    dem : ndarray, shape (height, width)
        Altitude in metres, NaN as nodata; rows run from north to south. The border repeats its
        outermost cells.
    cell_size : float
        Metres.

    Returns
    -------
    ndarray, shape (height, width)
        float32 degrees, NaN where a neighbour is unknown.
    """
    import xrspatial

    return xrspatial.slope(_surface(dem, cell_size), boundary="nearest").data


def aspect(dem: np.ndarray, cell_size: float) -> np.ndarray:
    """Direction a cell faces after Horn (1981): float32 degrees clockwise from north, −1 where
    flat; see `slope`.
    """
    import xrspatial

    return xrspatial.aspect(_surface(dem, cell_size), boundary="nearest").data


def ruggedness(dem: np.ndarray, cell_size: float) -> np.ndarray:
    """Terrain ruggedness index of Riley et al. (1999): root of the summed squared differences to
    the 8 neighbours, metres.
    """
    import xrspatial

    return xrspatial.tri(_surface(dem, cell_size), boundary="nearest").data


def curvatures(dem: np.ndarray, cell_size: float) -> tuple[np.ndarray, np.ndarray]:
    """Plan and profile curvature after Zevenbergen & Thorne (1987), doi:10.1002/esp.3290120107.

    Sign convention: plan curvature is positive where contours bulge outward (noses, ridges; flow
    diverges) and negative in hollows; profile curvature is negative on convex slopes (flow
    accelerates) and positive on concave ones.

    Parameters
    ----------
    dem : ndarray, shape (height, width)
        Altitude in metres, NaN as nodata; the border repeats its outermost cells.
    cell_size : float
        Metres.

    Returns
    -------
    plan, profile : ndarray, shape (height, width)
        float32, 1/m; 0 where the surface is flat, NaN where a neighbour is unknown.

    Examples
    --------
    >>> y, x = np.mgrid[-2:3, -2:3] * 10.0
    >>> plan, profile = curvatures(1000 - 0.01 * (x**2 + y**2) / 2, 10.0)
    >>> [round(float(item[2, 1]), 4) for item in (plan, profile)]
    [0.01, -0.01]
    """
    if not isinstance(dem, np.ndarray):
        both = dem.map_overlap(
            lambda z: np.stack(_curvatures(z, cell_size)),
            depth=1,
            boundary="nearest",
            trim=False,
            new_axis=0,
            chunks=(2, *dem.chunks),
            dtype=np.float32,
        )
        return both[0], both[1]
    return _curvatures(np.pad(dem, 1, mode="edge"), cell_size)


def _curvatures(wide: np.ndarray, cell_size: float) -> tuple[np.ndarray, np.ndarray]:
    """Plan and profile curvature of the inner cells of a DEM that is one cell wider on every side."""
    z = wide.astype(np.float64)
    centre, north, south, west, east = (
        z[1:-1, 1:-1],
        z[:-2, 1:-1],
        z[2:, 1:-1],
        z[1:-1, :-2],
        z[1:-1, 2:],
    )
    d = ((west + east) / 2 - centre) / cell_size**2
    e = ((north + south) / 2 - centre) / cell_size**2
    f = (z[:-2, 2:] - z[:-2, :-2] + z[2:, :-2] - z[2:, 2:]) / (4 * cell_size**2)
    g, h = (east - west) / (2 * cell_size), (north - south) / (2 * cell_size)
    steep = g**2 + h**2
    # A perfectly flat cell has no direction of flow, so neither curvature is defined; 0 keeps it
    # neutral.
    safe = np.where(steep > 0, steep, 1)
    plan = np.where(steep > 0, -2 * (d * h**2 + e * g**2 - f * g * h) / safe, 0 * centre)
    profile = np.where(steep > 0, 2 * (d * g**2 + e * h**2 + f * g * h) / safe, 0 * centre)
    # NaN must spread from any neighbour, also where the formula above fell back to 0.
    unknown = np.isnan(d + e + f + g + h)
    plan[unknown] = profile[unknown] = np.nan
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


def flow_directions(dem: np.ndarray) -> np.ndarray:
    """D8 flow directions (O'Callaghan & Mark 1984, doi:10.1016/S0734-189X(84)80011-0) that drain
    every cell to the border.

    The DEM is filled by priority flood (Wang & Liu 2006, doi:10.1080/13658810500433453); each cell
    then flows down the steepest of its eight neighbours on the filled surface. The flood alone
    would send it to the *lowest* neighbour, which favours diagonals; its directions are kept only
    where the filled surface is flat.

    Parameters
    ----------
    dem : ndarray, shape (height, width)
        Altitude in metres, NaN as nodata; square cells.

    Returns
    -------
    ndarray, shape (height, width)
        uint8 ESRI codes: 1 east, 2 south-east, … 128 north-east; 0 = outlet, 247 = nodata.
    """
    known = np.isfinite(dem)
    filled, d8 = pyflwdir.dem.fill_depressions(
        np.where(known, dem, NODATA).astype(np.float64), nodata=NODATA
    )
    z = np.pad(np.where(known, filled, np.inf), 1, constant_values=np.inf)
    height, width = dem.shape
    # Filling adds and subtracts, so "flat" means equal up to rounding: a bare > 0 could send water
    # round in a circle.
    best = np.full(dem.shape, 1e-6)
    for code, down, right in _D8:
        neighbour = z[1 + down : 1 + down + height, 1 + right : 1 + right + width]
        with np.errstate(invalid="ignore"):
            drop = (z[1:-1, 1:-1] - neighbour) / np.hypot(down, right)
        steeper = known & (drop > best)
        best[steeper], d8[steeper] = drop[steeper], code
    return d8


def catchment_area(dem: np.ndarray, cell_size: float) -> np.ndarray:
    """Upslope area of each cell along the D8 paths of `flow_directions`, m².

    Parameters
    ----------
    dem : ndarray, shape (height, width)
        Altitude in metres, NaN as nodata. Water leaves at the border of the data.
    cell_size : float
        Metres.

    Returns
    -------
    ndarray, shape (height, width)
        float64 m², at least one cell; NaN as nodata.
    """
    if not isinstance(dem, np.ndarray):
        fix = (
            "Read the DEM whole (42 bytes a cell are needed), or compute river basin by river basin"
        )
        raise InputError(
            "water flows across all blocks of a DEM",
            where="catchment area and wetness index",
            found=type(dem).__name__,
            fix=fix,
        )
    known = np.isfinite(dem)
    if known.sum() < 2:  # pyflwdir wants water that goes somewhere; a lone cell drains itself
        return np.where(known, float(cell_size**2), np.nan)
    cells = pyflwdir.from_array(flow_directions(dem), ftype="d8", check_ftype=False).upstream_area(
        unit="cell"
    )
    return np.where(known, cells * cell_size**2, np.nan)


def wetness(dem: np.ndarray, cell_size: float) -> np.ndarray:
    """Topographic wetness index ln(a / tan b), Beven & Kirkby (1979),
    doi:10.1080/02626667909491834.

    a is the catchment area per unit contour width (one cell) over the filled DEM, b the slope, not
    less than tan b = 0.001.

    Parameters
    ----------
    dem : ndarray, shape (height, width)
        Altitude in metres, NaN as nodata.
    cell_size : float
        Metres.

    Returns
    -------
    ndarray, shape (height, width)
        float32, ln of metres; NaN as nodata.
    """
    tangent = np.maximum(np.tan(np.radians(slope(dem, cell_size))), 1e-3)
    return np.log(catchment_area(dem, cell_size) / cell_size / tangent).astype(np.float32)
