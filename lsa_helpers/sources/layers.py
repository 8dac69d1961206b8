"""The analysis grid, and any raster, vector or table as a layer on it."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import xarray as xr
from pyproj import CRS
from rasterio.enums import Resampling
from rasterio.warp import calculate_default_transform, transform_bounds
from shapely.geometry import box

from lsa_helpers.errors import InputError, doubt, note
from lsa_helpers.raster import cell_size as edge_of
from lsa_helpers.raster import empty_grid
from lsa_helpers.sources.areas import burn, read_areas
from lsa_helpers.sources.catalog import Catalog, Entry
from lsa_helpers.sources.crs import parse_crs, why_not_metric
from lsa_helpers.sources.kinds import is_raster
from lsa_helpers.sources.rain import check_rain
from lsa_helpers.sources.rasterfiles import open_source
from lsa_helpers.sources.rasters import mosaic, native_resolution
from lsa_helpers.sources.vectors import inverse_distance, read_amounts

#: Most cells of the DEM that terrain is made on; of a larger one a margin around the area is used.
MOST_DEM_CELLS = 100_000_000


def target_grid(catalog: Catalog, cell_size: float = 0.0, crs: str = "") -> xr.DataArray:
    """The analysis grid: the DEM's extent (or the study mask's part of it) in a CRS in metres.

    Where the DEM already lies in that CRS the grid keeps its lattice, so nothing is resampled
    without need.

    Parameters
    ----------
    catalog : Catalog
    cell_size : float
        Cell size in metres; 0: the DEM's own, of a DEM in degrees to three digits.
    crs : str
        Wanted CRS; empty: the catalog's, else the DEM's if a metre in it is one on the ground
        within 1 %, else the area's UTM zone, said with a note.

    Returns
    -------
    DataArray, dims (y, x)
        An empty raster on the cells, see `lsa_helpers.raster.empty_grid`.

    Raises
    ------
    InputError
        When there is no DEM, the CRS asked for is none or not in metres here, or mask and DEM do
        not overlap.
    """
    if catalog.dem is None:
        what = "the catalog names no DEM, and the grid is made from it"
        raise InputError(what, where=catalog.folder, fix="Add an entry `dem:`")
    for file in catalog.files(catalog.dem):
        if not is_raster(file):
            fix = "Of a regular grid of points as text, call the file .xyz; of others make a raster"
            raise InputError("the DEM is no raster", where=file, fix=fix)
    wanted = _metric_crs(catalog, crs)
    with open_source(catalog.files(catalog.dem)[0], catalog.dem) as dem:
        cell_size = cell_size or _own_cell_size(dem, wanted)
    bounds = _dem_bounds(catalog, wanted)
    if catalog.mask is not None:
        bounds = _cut(bounds, catalog, wanted, cell_size)
    return empty_grid(bounds, wanted, cell_size)


def dem_grid(catalog: Catalog, grid: xr.DataArray) -> xr.DataArray:
    """The cells of a grid continued to where the DEM ends, for terrain that needs the land around.

    A slope needs its neighbours and a catchment all the land above it, also where a study mask has
    cut the grid.

    Parameters
    ----------
    catalog : Catalog
    grid : DataArray, dims (y, x)
        From `target_grid`.

    Returns
    -------
    DataArray, dims (y, x)
        An empty raster of whole cells inside the DEM's bounds, `MOST_DEM_CELLS` of them at most:
        around a small part of a larger DEM an equal margin on every side, so that catchments
        which begin beyond it are too small.
    """
    cell, (height, width) = edge_of(grid), grid.shape
    # (height + 2 m) (width + 2 m) = most
    half = (height + width) / 2
    room = half**2 - height * width + MOST_DEM_CELLS
    margin = max(1, int((np.sqrt(max(room, 0)) - half) / 2))
    beyond = np.subtract(_dem_bounds(catalog, grid.rio.crs), grid.rio.bounds()) * [-1, -1, 1, 1]
    steps = np.clip(np.floor(beyond / cell + 1e-6), 0, margin) * cell
    bounds = np.add(grid.rio.bounds(), steps * [-1, -1, 1, 1])
    return empty_grid(bounds, grid.rio.crs, cell)


def _dem_bounds(catalog: Catalog, crs: CRS) -> list[float]:
    """Left, bottom, right, top of all tiles of the DEM in a CRS."""
    boxes = []
    for file in catalog.files(catalog.dem):
        with open_source(file, catalog.dem) as tile:
            boxes.append(transform_bounds(tile.rio.crs, crs, *tile.rio.bounds()))
    boxes = np.array(boxes)
    return [*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)]


def _own_cell_size(dem: xr.DataArray, crs: CRS) -> float:
    """Edge of the DEM's cells in a CRS in metres."""
    if CRS.from_user_input(dem.rio.crs) == crs:
        return float(np.sqrt(abs(dem.rio.transform().determinant)))
    transform, _, _ = calculate_default_transform(
        dem.rio.crs, crs, dem.rio.width, dem.rio.height, *dem.rio.bounds()
    )
    return float(f"{transform.a:.3g}")


def _cut(bounds: list[float], catalog: Catalog, crs: CRS, cell_size: float) -> list[float]:
    """The part of the bounds that the study mask covers, whole cells from their corner."""
    file = catalog.path(catalog.mask)
    mask = read_areas(catalog, catalog.mask, crs).total_bounds
    left, bottom = np.maximum(bounds[:2], mask[:2])
    right, top = np.minimum(bounds[2:], mask[2:])
    if left >= right or bottom >= top:
        raise InputError("the study mask and the DEM do not overlap", where=file, found=f"{mask} m")
    left = bounds[0] + np.floor((left - bounds[0]) / cell_size) * cell_size
    top = bounds[3] - np.floor((bounds[3] - top) / cell_size) * cell_size
    return [left, bottom, right, top]


def _metric_crs(catalog: Catalog, crs: str) -> CRS:
    """The CRS asked for, or the DEM's own if lengths in it are metres, or the area's UTM zone."""
    asked = crs or catalog.crs
    where = "parameter crs" if crs else f"{catalog.folder / 'catalog.yml'}, `crs`"
    file = catalog.path(catalog.dem)
    with open_source(file, catalog.dem) as dem:
        wanted = parse_crs(asked or dem.rio.crs, where if asked else file)
    area = _area_in_degrees(catalog)
    problem = why_not_metric(wanted, area)
    if not problem:
        return wanted
    utm = gpd.GeoSeries([box(*area)], crs=4326).estimate_utm_crs()
    if asked:
        what = "the analysis grid needs a CRS in metres"
        found = f"{asked}: {problem}"
        fix = f"Leave it out or write EPSG:{utm.to_epsg()}, {utm.name}"
        raise InputError(what, where=where, found=found, fix=fix)
    what = f"lengths and slopes are computed in {utm.name} (EPSG:{utm.to_epsg()})"
    found = f"{wanted.name}, {problem}"
    note(what, where=file, found=found)
    return utm


def _area_in_degrees(catalog: Catalog) -> np.ndarray:
    """West, south, east, north of the study mask, of the DEM without one."""
    if catalog.mask is not None:
        mask = read_areas(catalog, catalog.mask, CRS(4326)).total_bounds
        dem = _dem_bounds(catalog, CRS(4326))
        area = np.array([*np.maximum(dem[:2], mask[:2]), *np.minimum(dem[2:], mask[2:])])
        if (area[:2] < area[2:]).all():
            return area
    return np.array(_dem_bounds(catalog, CRS(4326)))


def read_dem(catalog: Catalog, grid: xr.DataArray) -> xr.DataArray:
    """Altitude on the grid, float32 metres, NaN outside the DEM.

    A DEM as coarse as the grid or coarser is resampled by cubic convolution, whose second
    derivatives are continuous: bilinear cells would put all curvature on the lines between the
    DEM's own cells. A finer one is resampled bilinearly. On the DEM's own lattice nothing is. Its
    attribute ``res`` is where xarray-spatial looks for the cell size; without it, it would count
    the cells from the coordinates, which a DEM one cell wide cannot bear.
    """
    edge = edge_of(grid)
    is_finer = native_resolution(catalog, catalog.dem) < 0.9 * edge
    resampling = Resampling.bilinear if is_finer else Resampling.cubic
    altitude = mosaic(catalog, catalog.dem, grid, resampling)
    attrs = {"long_name": "Altitude", "units": "m", "kind": "continuous", "res": (edge, edge)}
    altitude = altitude.rename("altitude").assign_attrs(attrs)
    doubt_relief(altitude, catalog.path(catalog.dem))
    return altitude


def doubt_relief(dem: xr.DataArray, file: Path) -> None:
    """Doubt a DEM whose median slope in its middle is none of a landscape, and name the likely
    cause.
    """
    middle = dem[tuple(slice(max(0, n // 2 - 500), n // 2 + 500) for n in dem.shape)].to_numpy()
    if min(middle.shape) < 2:
        return
    tangent = np.hypot(*np.gradient(middle, edge_of(dem)))
    if not np.isfinite(tangent).any():
        return
    slope = float(np.degrees(np.arctan(np.nanmedian(tangent))))
    if slope > 45:
        fix = "Are the heights in feet or another unit (`unit: ft`), or scaled (`scale`)?"
        doubt(f"half of the ground is steeper than {slope:.0f}°", where=file, fix=fix)
    elif 0 < slope < 0.02:
        fix = "Are the heights in another unit (`unit: km`), or scaled (`scale`)?"
        doubt(f"the ground is all but flat, {slope:.3f}° in the middle", where=file, fix=fix)


def doubt_coverage(name: str, values, inside, file: Path) -> None:
    """Doubt a source that leaves more than a tenth of the study area without a value.

    Parameters
    ----------
    name : str
    values, inside : array_like, shape (height, width)
        Values, NaN where there is none, and whether a cell lies in the study area.
    file : Path
    """
    cells = np.isfinite(np.asarray(values))[np.asarray(inside)]
    share = float(cells.mean()) if cells.size else 1.0
    if share < 0.9:
        what = f"{name} covers {share:.0%} of the study area, and {1 - share:.0%} of it is lost"
        fix = "Give the whole area, cut it to this part with `mask`, or delete the entry"
        doubt(what, where=file, fix=fix)


def continuous(catalog: Catalog, entry: Entry, grid: xr.DataArray) -> xr.DataArray:
    """A continuous source on the grid: rasters by bilinear resampling, polygons burnt, points by
    inverse distance (p = 2).

    Parameters
    ----------
    catalog : Catalog
    entry : Entry
    grid : DataArray, dims (y, x)
        Any raster on the cells wanted.

    Returns
    -------
    DataArray, dims (y, x)
        float32 in the factor's unit (its own, where the factor is not known), NaN where the source
        has nothing.

    Raises
    ------
    InputError
        When the file cannot be read, has no such attribute, is in a unit that is not known, holds
        what cannot be, or does not overlap the grid.
    """
    file = catalog.path(entry)
    if is_raster(file):
        return mosaic(catalog, entry, grid, Resampling.bilinear)
    features, values = read_amounts(catalog, entry, grid.rio.crs)
    if features.geom_type.str.contains("Line").any():
        fix = "Interpolate them (gdal_grid), and give points, areas or a raster"
        raise InputError("lines with values are neither points nor areas", where=file, fix=fix)
    if entry == catalog.rainfall:
        check_rain(values.to_numpy(), "mm/yr", f"{len(values)} features", file)
    if (features.geom_type == "Point").all():
        places = features.geometry
        _doubt_far(features, grid, file)
        if twins := int(places.duplicated(keep=False).sum()):
            fix = "Leave one value for each place, such as that of the strongest earthquake"
            found = f"{twins} of {len(places)}"
            doubt("several values at one place", where=file, found=found, fix=fix)
        return inverse_distance(places.x.to_numpy(), places.y.to_numpy(), values.to_numpy(), grid)
    return burn(catalog, features, values, grid, file)


def _doubt_far(points: gpd.GeoDataFrame, grid: xr.DataArray, file: Path) -> None:
    """Doubt points that are all far from the area, where an interpolation is one number."""
    area = box(*grid.rio.bounds())
    edge, away = max(np.ptp(area.bounds[::2]), np.ptp(area.bounds[1::2])), points.distance(area)
    if away.min() <= edge:
        return
    found = f"the nearest {away.min() / 1000:,.0f} km away, the area {edge / 1000:,.0f} km wide"
    fix = "Check its CRS, and that `x` and `y` are not exchanged"
    doubt("all points lie outside the study area", where=file, found=found, fix=fix)
