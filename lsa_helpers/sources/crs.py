"""Reference systems: reading what a user wrote, and whether lengths in one are metres."""

import re

import numpy as np
from pyproj import CRS, Proj, Transformer
from pyproj.exceptions import CRSError

from lsa_helpers.errors import InputError

#: Share by which a length in metres may be off on the analysis grid.
MOST_STRETCH = 0.01


def parse_crs(text, where) -> CRS:
    """The CRS a user wrote, without its heights.

    Parameters
    ----------
    text : str, int or CRS
        "EPSG:32648", "32648", WKT, or a CRS of pyproj or rasterio.
    where : Path or str
        The file, key or parameter that says so.

    Raises
    ------
    InputError
        When it is none; a UTM zone written out gets its EPSG code as the way out.

    Examples
    --------
    >>> parse_crs("32648", "catalog.yml").name
    'WGS 84 / UTM zone 48N'
    """
    try:
        crs = CRS.from_user_input(int(text) if str(text).strip().isdigit() else text)
    except CRSError:
        zone = re.search(r"\b(\d{1,2})\s*([NS])(orth|outh)?\b", str(text), re.I)
        number = re.search(r"\d{4,6}", str(text))
        code = number[0] if number else 32648
        if zone:
            code = 32600 + 100 * (zone[2] in "Ss") + int(zone[1])
        fix = f'Write its EPSG code, such as "EPSG:{code}"'
        raise InputError("this is no CRS", where=where, found=text, fix=fix) from None
    return crs.sub_crs_list[0] if crs.is_compound else crs


def vertical_unit(crs) -> str:
    """Unit of the heights in a compound or three-dimensional CRS; empty where it has none."""
    axes = CRS.from_user_input(crs).axis_info
    return next((axis.unit_name for axis in axes if axis.direction in ("up", "down")), "")


def metres_of_unit(crs, x: float, y: float) -> float:
    """Metres on the ground of one unit of a projected CRS at a place, 1 within `MOST_STRETCH`; NaN
    in degrees.

    Examples
    --------
    >>> round(metres_of_unit(CRS(3857), 0, 8_400_000), 2), metres_of_unit(CRS(32632), 5e5, 5e6)
    (0.5, 1.0)
    """
    crs = CRS.from_user_input(crs)
    if not crs.is_projected:
        return float("nan")
    lon, lat = Transformer.from_crs(crs, 4326, always_xy=True).transform(x, y)
    metres = crs.axis_info[0].unit_conversion_factor
    metres /= np.sqrt(Proj(crs).get_factors(lon, lat).areal_scale)
    return 1.0 if abs(metres - 1) <= MOST_STRETCH or not np.isfinite(metres) else float(metres)


def why_not_metric(crs, bounds) -> str:
    """Why lengths in a CRS are no metres on the ground.

    Parameters
    ----------
    crs : CRS
    bounds : sequence of float
        West, south, east, north of the area, degrees.

    Returns
    -------
    str
        Empty where they are metres within `MOST_STRETCH`.

    Examples
    --------
    >>> why_not_metric(CRS(3857), (10, 46, 11, 47))
    '100 m on the ground are 147 of its metres'
    >>> why_not_metric(CRS(32632), (10, 46, 11, 47))
    ''
    """
    crs = CRS.from_user_input(crs)
    if not crs.is_projected:
        return "it is in degrees" if crs.is_geographic else "its place on the earth is unknown"
    unit = crs.axis_info[0]
    if abs(unit.unit_conversion_factor - 1) > 1e-9:
        return f"it is in {unit.unit_name}"
    west, south, east, north = bounds
    lon = [(west + east) / 2, west, west, east, east]
    lat = [(south + north) / 2, south, north, south, north]
    factors = Proj(crs).get_factors(lon, lat)
    scales = np.concatenate([factors.meridional_scale, factors.parallel_scale])
    off = scales[np.isfinite(scales)]
    if not off.size or np.abs(off - 1).max() <= MOST_STRETCH:
        return ""
    return f"100 m on the ground are {100 * off[np.abs(off - 1).argmax()]:.0f} of its metres"
