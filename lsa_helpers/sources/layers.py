"""Any source, raster, vector or table, brought onto the analysis grid."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import rioxarray
import xarray as xr
from pyproj import CRS
from rasterio.enums import Resampling
from rasterio.features import rasterize
from scipy.ndimage import distance_transform_edt

from lsa_helpers.errors import InputError
from lsa_helpers.grid import Grid
from lsa_helpers.sources.catalog import RASTERS, TABLES, Catalog, Entry


def _open_raster(file: Path, entry: Entry) -> xr.DataArray:
    """Open one raster or NetCDF as (y, x) float data with NaN as nodata and a CRS; nothing is read yet."""
    try:
        if file.suffix in {".nc", ".nc4"}:
            data = _open_netcdf(file, entry)
        else:
            data = rioxarray.open_rasterio(file, masked=True)
            if entry.band > data.sizes["band"]:
                raise InputError(f"band {entry.band} does not exist", where=file, found=f"{data.sizes['band']} bands")
            data = data.sel(band=entry.band, drop=True)
    except (rasterio.errors.RasterioError, OSError) as error:
        raise InputError("the raster cannot be opened", where=file, found=error, fix="Is it complete? Copy it again") from None
    if data.rio.crs is None:
        if not entry.crs:
            raise InputError("the raster states no CRS", where=file, fix='Add a line "crs: EPSG:…" to its entry in catalog.yml')
        data = data.rio.write_crs(entry.crs)
    return data


def _open_netcdf(file: Path, entry: Entry) -> xr.DataArray:
    """One variable of a NetCDF, its statistic over time, axes named x and y, EPSG:4326 unless it says otherwise."""
    with xr.open_dataset(file, decode_coords="all", decode_times=False) as dataset:
        name = entry.variable or next((name for name, item in dataset.data_vars.items() if item.ndim >= 2), "")
        if name not in dataset:
            raise InputError(f'the variable "{name}" does not exist', where=file, found=list(dataset.data_vars), fix="Correct `variable`")
        data = dataset[name].load()
    time = [axis for axis in data.dims if axis.lower() in {"time", "month", "valid_time"}]
    if time:
        data = _over_time(data, time[0], entry.statistic)
    axes = {
        axis: short for axis in data.dims for short, words in (("x", {"lon", "longitude"}), ("y", {"lat", "latitude"})) if axis in words
    }
    data = data.rename(axes).transpose("y", "x")
    return data if data.rio.crs is not None else data.rio.write_crs(entry.crs or "EPSG:4326")


def _over_time(data: xr.DataArray, axis: str, statistic: str) -> xr.DataArray:
    """Reduce monthly data over time; ``annual_sum`` is twelve times the mean month, NaN where every month is missing."""
    if statistic == "annual_sum":
        return data.mean(axis) * 12
    return data.sum(axis, min_count=1) if statistic == "sum" else getattr(data, statistic)(axis)


def target_grid(catalog: Catalog, cell_size: float, crs: str = "") -> Grid:
    """The analysis grid: the DEM's extent (or the study mask's part of it) in a CRS in metres.

    Where the DEM already lies in that CRS the grid keeps its lattice, so nothing is resampled without need.

    Parameters
    ----------
    catalog : Catalog
    cell_size : float
        Cell size in metres.
    crs : str
        Wanted CRS; empty: the catalog's, else the DEM's if it is in metres, else the DEM's UTM zone.

    Returns
    -------
    Grid

    Raises
    ------
    InputError
        When there is no DEM, the CRS is not in metres, or mask and DEM do not overlap.
    """
    if catalog.dem is None:
        raise InputError("the catalog names no DEM, and the grid is made from it", where=catalog.folder, fix="Add an entry `dem:`")
    tiles = [_open_raster(file, catalog.dem) for file in catalog.files(catalog.dem)]
    wanted = _metric_crs(crs or catalog.crs, tiles[0])
    boxes = np.array([tile.rio.transform_bounds(wanted) for tile in tiles])
    bounds = [*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)]
    if catalog.mask is not None:
        shape = read_features(catalog.path(catalog.mask), catalog.mask, wanted)
        left, bottom, right, top = shape.total_bounds
        inner = [max(bounds[0], left), max(bounds[1], bottom), min(bounds[2], right), min(bounds[3], top)]
        if inner[0] >= inner[2] or inner[1] >= inner[3]:
            raise InputError("the study mask and the DEM do not overlap", where=catalog.path(catalog.mask), found=f"{shape.total_bounds} m")
        # Keep the DEM's lattice: step whole cells from its corner.
        bounds = [
            bounds[0] + np.floor((inner[0] - bounds[0]) / cell_size) * cell_size, inner[1], inner[2],
            bounds[3] - np.floor((bounds[3] - inner[3]) / cell_size) * cell_size,
        ]  # fmt: skip
    return Grid.from_bounds(bounds, wanted, cell_size)


def _metric_crs(wanted: str, dem: xr.DataArray) -> CRS:
    """The CRS asked for, or the DEM's own if it is in metres, or its UTM zone."""
    try:
        crs = CRS.from_user_input(wanted) if wanted else CRS.from_user_input(dem.rio.crs)
    except Exception as error:
        raise InputError("this is no CRS", where="parameter crs", found=wanted, fix='Write it as "EPSG:32648"') from error
    metric = crs.is_projected and crs.axis_info[0].unit_name in {"metre", "meter"}
    if not metric and wanted:
        raise InputError("the analysis grid needs a CRS in metres", where="parameter crs", found=wanted)
    return crs if metric else CRS.from_user_input(dem.rio.estimate_utm_crs())


def _onto(data: xr.DataArray, grid: Grid, resampling: Resampling) -> np.ndarray:
    """Reproject one open raster onto the grid: (height, width) float32, NaN where it does not reach."""
    if (data.rio.crs, data.rio.transform(), data.shape) == (grid.crs, grid.transform, grid.shape):
        return data.to_numpy().astype(np.float32)
    window = rasterio.warp.transform_bounds(grid.crs, data.rio.crs, *grid.bounds, densify_pts=21)
    pad = [3 * abs(step) for step in data.rio.resolution()]
    try:
        data = data.rio.clip_box(window[0] - pad[0], window[1] - pad[1], window[2] + pad[0], window[3] + pad[1])
    except rioxarray.exceptions.NoDataInBounds:
        return np.full(grid.shape, np.nan, np.float32)
    data = data.astype(np.float32)
    out = data.rio.reproject(grid.crs, transform=grid.transform, shape=grid.shape, resampling=resampling, nodata=np.nan)
    return out.to_numpy()


def _raster(catalog: Catalog, entry: Entry, grid: Grid, resampling: Resampling) -> np.ndarray:
    """Mosaic of an entry's tiles on the grid, scaled to its unit; the first tile wins where tiles overlap."""
    out = np.full(grid.shape, np.nan, np.float32)
    for file in catalog.files(entry):
        try:
            tile = _onto(_open_raster(file, entry), grid, resampling)
        except (rasterio.errors.RasterioError, OSError) as error:
            raise InputError("the raster cannot be read to its end", where=file, found=error, fix="Copy it again") from None
        out = np.where(np.isnan(out), tile, out)
    if np.isnan(out).all():
        raise InputError("the raster does not overlap the study area", where=catalog.path(entry), fix="Check its CRS and extent")
    return (out * np.float32(entry.scale)).astype(np.float32)


def read_dem(catalog: Catalog, grid: Grid) -> np.ndarray:
    """Altitude on the grid, (height, width) float32 metres, NaN outside the DEM."""
    return _raster(catalog, catalog.dem, grid, Resampling.bilinear)


def read_features(file: Path, entry: Entry, crs) -> gpd.GeoDataFrame:
    """Features of a vector file or of a table of points, in `crs`.

    Raises
    ------
    InputError
        When the file cannot be read, states no CRS, or holds no features.
    """
    try:
        shapes = _read_points(file, entry) if file.suffix.lower() in TABLES else gpd.read_file(file)
    except InputError:
        raise
    except Exception as error:
        raise InputError("the file cannot be read", where=file, found=error, fix="Is it complete? Shapefiles have several parts") from None
    if shapes.crs is None and not entry.crs:
        raise InputError("the file states no CRS", where=file, fix='Add a line "crs: EPSG:…" to its entry in catalog.yml')
    shapes = shapes.set_crs(entry.crs, allow_override=True) if entry.crs else shapes
    shapes = shapes[~shapes.geometry.is_empty & shapes.geometry.notna()]
    if shapes.empty:
        raise InputError("the file holds no features", where=file, fix="Correct the file or delete its entry in catalog.yml")
    return shapes.to_crs(crs)


def _read_points(file: Path, entry: Entry) -> gpd.GeoDataFrame:
    """A table with coordinates as points in the entry's CRS (EPSG:4326 if it names none)."""
    if file.suffix.lower() == ".parquet":
        table = pd.read_parquet(file)
    elif file.suffix.lower() == ".csv":
        table = pd.read_csv(file)
    else:
        table = pd.read_excel(file, engine="calamine", sheet_name=entry.sheet or 0)
    for key in [entry.x, entry.y, *filter(None, [entry.value])]:
        if key not in table:
            raise InputError(f'the table has no column "{key}"', where=file, found=list(table.columns), fix="Name it in catalog.yml")
    return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table[entry.x], table[entry.y]), crs=entry.crs or "EPSG:4326")


def continuous(catalog: Catalog, entry: Entry, grid: Grid) -> np.ndarray:
    """A continuous source on the grid: rasters by bilinear resampling, polygons burnt, points by inverse distance (p = 2).

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
        return _raster(catalog, entry, grid, Resampling.bilinear)
    shapes = read_features(file, entry, grid.crs)
    values = _attribute(shapes, entry.value or entry.attribute, file).astype(float) * entry.scale
    if (shapes.geom_type == "Point").all():
        return inverse_distance(shapes.geometry.x.to_numpy(), shapes.geometry.y.to_numpy(), values.to_numpy(), grid)
    return rasterize(zip(shapes.geometry, values, strict=True), grid.shape, np.nan, transform=grid.transform, dtype="float32")


def inverse_distance(x: np.ndarray, y: np.ndarray, values: np.ndarray, grid: Grid) -> np.ndarray:
    """Inverse-distance-weighted interpolation of points with power 2 (Shepard 1968, doi:10.1145/800186.810616).

    Parameters
    ----------
    x, y, values : ndarray, shape (points,)
        Coordinates in the grid's CRS (metres) and values.
    grid : Grid

    Returns
    -------
    ndarray, shape (height, width)
        float32, the unit of `values`.
    """
    from xrspatial.interpolate import idw

    across, down = grid.centres()
    template = xr.DataArray(np.zeros(grid.shape), coords={"y": down, "x": across}, dims=("y", "x"))
    return idw(x, y, values, template, power=2.0).to_numpy().astype(np.float32)


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
        codes = _raster(catalog, entry, grid, Resampling.nearest)
        return codes, {int(code): entry.names.get(int(code), str(int(code))) for code in np.unique(codes[np.isfinite(codes)])}
    shapes = read_features(file, entry, grid.crs)
    values = _attribute(shapes, entry.attribute, file)
    if pd.api.types.is_numeric_dtype(values):
        names = {int(code): entry.names.get(int(code), str(int(code))) for code in sorted(values.unique())}
    else:
        texts = sorted(values.astype(str).unique())
        names = dict(enumerate(texts, start=1))
        values = values.astype(str).map({text: code for code, text in names.items()})
    burnt = rasterize(zip(shapes.geometry, values, strict=True), grid.shape, np.nan, transform=grid.transform, dtype="float32")
    present = set(np.unique(burnt[np.isfinite(burnt)]).astype(int))
    if not present:
        raise InputError("the polygons do not overlap the study area", where=file, fix="Check the file's CRS")
    return burnt, {code: name for code, name in names.items() if code in present}


def _attribute(shapes: gpd.GeoDataFrame, name: str, file: Path) -> pd.Series:
    """One attribute of a vector, or an error that lists those it has."""
    if name not in shapes:
        found = [column for column in shapes.columns if column != "geometry"]
        raise InputError(f'the attribute "{name}" does not exist', where=file, found=found, fix="Name it in catalog.yml")
    return shapes[name]


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
    pad = max(grid.shape)
    left, bottom, right, top = grid.bounds
    margin = pad * grid.cell_size
    wide = Grid.from_bounds((left - margin, bottom - margin, right + margin, top + margin), grid.crs, grid.cell_size)
    file = catalog.path(entry)
    if file.suffix.lower() in RASTERS:
        source = _raster(catalog, entry, wide, Resampling.nearest)
        hit = np.isfinite(source) & (source != 0)
    else:
        hit = (
            rasterize(read_features(file, entry, grid.crs).geometry, wide.shape, transform=wide.transform, all_touched=True, dtype="uint8")
            > 0
        )
    if not hit.any():
        raise InputError("no feature lies near the study area", where=file, fix="Check the file's CRS and extent, or delete its entry")
    return (distance_transform_edt(~hit)[pad:-pad, pad:-pad] * grid.cell_size).astype(np.float32)


def study_mask(catalog: Catalog, grid: Grid) -> np.ndarray:
    """Whether a cell's centre lies in the study area, (height, width) bool; all True without a mask."""
    if catalog.mask is None:
        return np.ones(grid.shape, bool)
    shapes = read_features(catalog.path(catalog.mask), catalog.mask, grid.crs)
    return rasterize(shapes.geometry, grid.shape, transform=grid.transform, dtype="uint8") > 0


def read_inventory(catalog: Catalog, grid: Grid) -> gpd.GeoDataFrame | None:
    """The catalog's inventory: polygons, or points with a column `label` (1 = landslide, 0 = none).

    Returns
    -------
    GeoDataFrame or None
        Columns id, area_m2 (polygons) or label (points), geometry in the grid's CRS; None without an inventory.

    Raises
    ------
    InputError
        When it is empty or does not overlap the grid.
    """
    if catalog.inventory is None:
        return None
    file = catalog.path(catalog.inventory)
    shapes = read_features(file, catalog.inventory, grid.crs)
    left, bottom, right, top = grid.bounds
    shapes = shapes.cx[left:right, bottom:top].reset_index(drop=True)
    if shapes.empty:
        raise InputError("no landslide of the inventory lies in the study area", where=file, fix="Check the file's CRS")
    out = gpd.GeoDataFrame({"id": np.arange(1, len(shapes) + 1)}, geometry=shapes.geometry.to_numpy(), crs=shapes.crs)
    if (out.geom_type == "Point").all():
        column = catalog.inventory.label
        out["label"] = _attribute(shapes, column, file).astype(int).to_numpy() if column else 1
    else:
        out["geometry"] = out.geometry.make_valid()
        out["area_m2"] = out.area
    return out


def native_resolution(catalog: Catalog, entry: Entry) -> float | None:
    """Cell size of a raster source in metres (degrees at 111.32 km); None for vectors and tables."""
    file = catalog.path(entry)
    if file.suffix.lower() not in RASTERS:
        return None
    data = _open_raster(file, entry)
    return round(abs(float(data.rio.resolution()[1])) * (1 if data.rio.crs.is_projected else 111_320), 3)


def station_error(catalog: Catalog, entry: Entry, grid: Grid) -> tuple[int, float]:
    """Number of stations and the leave-one-out root-mean-square error of inverse-distance interpolation (p = 2).

    Returns
    -------
    count : int
    error : float
        In the unit of the stations' values.
    """
    file = catalog.path(entry)
    shapes = read_features(file, entry, grid.crs)
    values = _attribute(shapes, entry.value or entry.attribute, file).to_numpy(float) * entry.scale
    x, y = shapes.geometry.x.to_numpy(), shapes.geometry.y.to_numpy()
    squared = (x[:, None] - x) ** 2 + (y[:, None] - y) ** 2
    np.fill_diagonal(squared, np.inf)
    weights = 1 / np.maximum(squared, 1.0)
    predicted = weights @ values / weights.sum(axis=1)
    return len(values), float(np.sqrt(np.mean((predicted - values) ** 2)))
