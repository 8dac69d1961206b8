"""Rasters and NetCDF files, opened alike and brought onto a grid."""

from pathlib import Path

import numpy as np
import rasterio
import rioxarray
import xarray as xr
from rasterio.enums import Resampling

from lsa_helpers.errors import InputError
from lsa_helpers.grid import Grid
from lsa_helpers.sources.catalog import RASTERS, Catalog, Entry


def open_raster(file: Path, entry: Entry) -> xr.DataArray:
    """Open one raster or NetCDF as (y, x) float data with NaN as nodata and a CRS; nothing is read
    yet.
    """
    try:
        if file.suffix in {".nc", ".nc4"}:
            data = _open_netcdf(file, entry)
        else:
            data = rioxarray.open_rasterio(file, masked=True)
            if entry.band > data.sizes["band"]:
                raise InputError(
                    f"band {entry.band} does not exist",
                    where=file,
                    found=f"{data.sizes['band']} bands",
                )
            data = data.sel(band=entry.band, drop=True)
    except (rasterio.errors.RasterioError, OSError) as error:
        raise InputError(
            "the raster cannot be opened",
            where=file,
            found=error,
            fix="Is it complete? Copy it again",
        ) from None
    if data.rio.crs is None:
        if not entry.crs:
            raise InputError(
                "the raster states no CRS",
                where=file,
                fix='Add a line "crs: EPSG:…" to its entry in catalog.yml',
            )
        data = data.rio.write_crs(entry.crs)
    return data


def _open_netcdf(file: Path, entry: Entry) -> xr.DataArray:
    """One variable of a NetCDF, its statistic over time, axes named x and y, EPSG:4326 unless it
    says otherwise.
    """
    with xr.open_dataset(file, decode_coords="all", decode_times=False) as dataset:
        name = entry.variable or next(
            (name for name, item in dataset.data_vars.items() if item.ndim >= 2), ""
        )
        if name not in dataset:
            raise InputError(
                f'the variable "{name}" does not exist',
                where=file,
                found=list(dataset.data_vars),
                fix="Correct `variable`",
            )
        data = dataset[name].load()
    time = [axis for axis in data.dims if axis.lower() in {"time", "month", "valid_time"}]
    if time:
        data = _over_time(data, time[0], entry.statistic)
    axes = {
        axis: short
        for axis in data.dims
        for short, words in (("x", {"lon", "longitude"}), ("y", {"lat", "latitude"}))
        if axis in words
    }
    data = data.rename(axes).transpose("y", "x")
    return data if data.rio.crs is not None else data.rio.write_crs(entry.crs or "EPSG:4326")


def _over_time(data: xr.DataArray, axis: str, statistic: str) -> xr.DataArray:
    """Reduce monthly data over time; ``annual_sum`` is twelve times the mean month, NaN where every
    month is missing.
    """
    if statistic == "annual_sum":
        return data.mean(axis) * 12
    return data.sum(axis, min_count=1) if statistic == "sum" else getattr(data, statistic)(axis)


def mosaic(catalog: Catalog, entry: Entry, grid: Grid, resampling: Resampling) -> np.ndarray:
    """Mosaic of an entry's tiles on the grid, scaled to its unit; the first tile wins where tiles
    overlap.
    """
    out = np.full(grid.shape, np.nan, np.float32)
    for file in catalog.files(entry):
        try:
            tile = _onto(open_raster(file, entry), grid, resampling)
        except (rasterio.errors.RasterioError, OSError) as error:
            raise InputError(
                "the raster cannot be read to its end", where=file, found=error, fix="Copy it again"
            ) from None
        out = np.where(np.isnan(out), tile, out)
    if np.isnan(out).all():
        raise InputError(
            "the raster does not overlap the study area",
            where=catalog.path(entry),
            fix="Check its CRS and extent",
        )
    return (out * np.float32(entry.scale)).astype(np.float32)


def _onto(data: xr.DataArray, grid: Grid, resampling: Resampling) -> np.ndarray:
    """Reproject one open raster onto the grid: (height, width) float32, NaN where it does not
    reach.
    """
    if (data.rio.crs, data.rio.transform(), data.shape) == (grid.crs, grid.transform, grid.shape):
        return data.to_numpy().astype(np.float32)
    window = rasterio.warp.transform_bounds(grid.crs, data.rio.crs, *grid.bounds, densify_pts=21)
    pad = [3 * abs(step) for step in data.rio.resolution()]
    try:
        data = data.rio.clip_box(
            window[0] - pad[0], window[1] - pad[1], window[2] + pad[0], window[3] + pad[1]
        )
    except rioxarray.exceptions.NoDataInBounds:
        return np.full(grid.shape, np.nan, np.float32)
    data = data.astype(np.float32)
    out = data.rio.reproject(
        grid.crs, transform=grid.transform, shape=grid.shape, resampling=resampling, nodata=np.nan
    )
    return out.to_numpy()


def native_resolution(catalog: Catalog, entry: Entry) -> float | None:
    """Cell size of a raster source in metres (degrees at 111.32 km); None for vectors and tables."""
    file = catalog.path(entry)
    if file.suffix.lower() not in RASTERS:
        return None
    data = open_raster(file, entry)
    return round(
        abs(float(data.rio.resolution()[1])) * (1 if data.rio.crs.is_projected else 111_320), 3
    )
