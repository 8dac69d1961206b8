"""Rasters and NetCDF files, opened alike, closed again, and brought onto a grid."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import rasterio
import rioxarray
import xarray as xr
from rasterio.enums import Resampling

from lsa_helpers.errors import InputError
from lsa_helpers.raster import on_grid
from lsa_helpers.sources.catalog import RASTERS, Catalog, Entry

NETCDF = {".nc", ".nc4"}
_M_PER_DEGREE = 111_320  # of latitude


@contextmanager
def open_source(file: Path, entry: Entry) -> Iterator[xr.DataArray]:
    """Open one raster or NetCDF inside a ``with`` block; it is read where it must be, then closed.

    Parameters
    ----------
    file : Path
    entry : Entry
        Says which band, or which variable of a NetCDF and what is taken over its time.

    Yields
    ------
    DataArray, dims (y, x)
        As stored, NaN as nodata, with a CRS.

    Raises
    ------
    InputError
        When the file cannot be opened or read to its end, has no such band or variable, or states
        no CRS while its entry names none.
    """
    is_netcdf = file.suffix.lower() in NETCDF
    try:
        source = (
            _read_netcdf(file, entry) if is_netcdf else rioxarray.open_rasterio(file, masked=True)
        )
    except (rasterio.errors.RasterioError, OSError) as error:
        fix = "Is it complete? Copy it again"
        raise InputError("the raster cannot be opened", where=file, found=error, fix=fix) from None
    with source:
        layer = source if is_netcdf else _band(source, file, entry.band)
        if layer.rio.crs is None:
            if not entry.crs:
                fix = 'Add a line "crs: EPSG:…" to its entry in catalog.yml'
                raise InputError("the raster states no CRS", where=file, fix=fix)
            layer = layer.rio.write_crs(entry.crs)
        try:
            yield layer
        except (rasterio.errors.RasterioError, OSError) as error:
            raise InputError(
                "the raster cannot be read to its end", where=file, found=error, fix="Copy it again"
            ) from None


def _band(bands: xr.DataArray, file: Path, number: int) -> xr.DataArray:
    """One band, numbered from 1."""
    count = bands.sizes["band"]
    if number > count:
        raise InputError(f"band {number} does not exist", where=file, found=f"{count} bands")
    return bands.sel(band=number, drop=True)


def _read_netcdf(file: Path, entry: Entry) -> xr.DataArray:
    """One variable of a NetCDF, its statistic over time, axes named x and y, EPSG:4326 unless it
    says otherwise.
    """
    with xr.open_dataset(file, decode_coords="all", decode_times=False) as dataset:
        layers = [name for name, item in dataset.data_vars.items() if item.ndim >= 2]
        name = entry.variable or (layers[0] if layers else "")
        if name not in dataset:
            raise InputError(
                f'the variable "{name}" does not exist',
                where=file,
                found=list(dataset.data_vars),
                fix="Correct `variable`",
            )
        layer = dataset[name].load()
    times = [axis for axis in layer.dims if axis.lower() in {"time", "month", "valid_time"}]
    for axis in times[:1]:
        layer = _over_time(layer, axis, entry.statistic)
    short = {"lon": "x", "longitude": "x", "lat": "y", "latitude": "y"}
    layer = layer.rename({axis: short[axis] for axis in layer.dims if axis in short})
    layer = layer.transpose("y", "x")
    return layer if layer.rio.crs is not None else layer.rio.write_crs(entry.crs or "EPSG:4326")


def _over_time(layer: xr.DataArray, axis: str, statistic: str) -> xr.DataArray:
    """Reduce monthly data over time; ``annual_sum`` is twelve times the mean month, NaN where every
    month is missing.
    """
    if statistic == "annual_sum":
        return layer.mean(axis) * 12
    return layer.sum(axis, min_count=1) if statistic == "sum" else getattr(layer, statistic)(axis)


def mosaic(
    catalog: Catalog, entry: Entry, grid: xr.DataArray, resampling: Resampling
) -> xr.DataArray:
    """Mosaic of an entry's tiles on the grid; the first tile wins where tiles overlap.

    Parameters
    ----------
    catalog : Catalog
    entry : Entry
        Its `scale` turns stored numbers into its unit.
    grid : DataArray, dims (y, x)
        Any raster on the cells wanted.
    resampling : rasterio.enums.Resampling

    Returns
    -------
    DataArray, dims (y, x)
        float32, NaN where no tile reaches.

    Raises
    ------
    InputError
        When a tile cannot be read, or none of them overlaps the grid.
    """
    merged = on_grid(np.full(grid.shape, np.nan, np.float32), grid)
    for file in catalog.files(entry):
        with open_source(file, entry) as source:
            tile = _onto(source, grid, resampling)
        merged = merged.fillna(tile)
    if merged.isnull().all():
        raise InputError(
            "the raster does not overlap the study area",
            where=catalog.path(entry),
            fix="Check its CRS and extent",
        )
    return merged * np.float32(entry.scale)


def _onto(source: xr.DataArray, grid, resampling: Resampling) -> xr.DataArray:
    """Reproject one open raster onto the grid: float32, NaN where it does not reach."""
    frame = (grid.rio.crs, grid.rio.transform(), grid.shape)
    if (source.rio.crs, source.rio.transform(), source.shape) == frame:
        return on_grid(source.to_numpy().astype(np.float32), grid)
    bounds = grid.rio.transform_bounds(source.rio.crs)
    pad_x, pad_y = (3 * abs(step) for step in source.rio.resolution())
    left, bottom, right, top = bounds
    try:
        # only what lies under the grid is read
        part = source.rio.clip_box(left - pad_x, bottom - pad_y, right + pad_x, top + pad_y)
    except rioxarray.exceptions.NoDataInBounds:
        return on_grid(np.full(grid.shape, np.nan, np.float32), grid)
    part = part.astype(np.float32)
    moved = part.rio.reproject_match(grid, resampling=resampling, nodata=np.nan)
    return on_grid(moved.to_numpy(), grid)


def native_resolution(catalog: Catalog, entry: Entry) -> float | None:
    """Cell size of a raster source in metres (a degree counts 111.32 km); None for vectors and
    tables.
    """
    file = catalog.path(entry)
    if file.suffix.lower() not in RASTERS:
        return None
    with open_source(file, entry) as source:
        step = abs(float(source.rio.resolution()[1]))
        return round(step if source.rio.crs.is_projected else step * _M_PER_DEGREE, 3)
