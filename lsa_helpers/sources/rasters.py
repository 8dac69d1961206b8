"""Rasters and NetCDF files, opened alike and brought onto a grid."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import rasterio
import rioxarray
import xarray as xr
from rasterio.enums import Resampling
from rasterio.warp import transform_bounds

from lsa_helpers.errors import InputError
from lsa_helpers.sources.catalog import RASTERS, Catalog, Entry

NETCDF = {".nc", ".nc4"}


@contextmanager
def open_source(file: Path, entry: Entry) -> Iterator[xr.DataArray]:
    """Open one raster or NetCDF; it is closed when the ``with`` block ends.

    Parameters
    ----------
    file : Path
    entry : Entry
        Says which band or variable is meant, and the CRS of a file that states none.

    Yields
    ------
    DataArray, dims (y, x)
        NaN as nodata; of a raster nothing is read yet.

    Raises
    ------
    InputError
        When the file cannot be opened, lacks the band or variable, or states no CRS.
    """
    try:
        if file.suffix.lower() in NETCDF:
            yield _with_crs(_open_netcdf(file, entry), file, entry.crs or "EPSG:4326")
            return
        bands = rioxarray.open_rasterio(file, masked=True)
    except (rasterio.errors.RasterioError, OSError) as error:
        raise InputError(
            "the raster cannot be opened",
            where=file,
            found=error,
            fix="Is it complete? Copy it again",
        ) from None
    with bands:
        if entry.band > bands.sizes["band"]:
            raise InputError(
                f"band {entry.band} does not exist",
                where=file,
                found=f"{bands.sizes['band']} bands",
            )
        yield _with_crs(bands.sel(band=entry.band, drop=True), file, entry.crs)


def _with_crs(data: xr.DataArray, file: Path, crs: str) -> xr.DataArray:
    """The raster with a CRS: its own, else `crs`."""
    if data.rio.crs is not None:
        return data
    if not crs:
        raise InputError(
            "the raster states no CRS",
            where=file,
            fix='Add a line "crs: EPSG:…" to its entry in catalog.yml',
        )
    return data.rio.write_crs(crs)


def _open_netcdf(file: Path, entry: Entry) -> xr.DataArray:
    """One variable of a NetCDF, its statistic over time, axes named x and y."""
    with xr.open_dataset(file, decode_coords="all", decode_times=False) as dataset:
        layers = [name for name, item in dataset.data_vars.items() if item.ndim >= 2]
        name = entry.variable or next(iter(layers), "")
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
    short = {"lon": "x", "longitude": "x", "lat": "y", "latitude": "y"}
    axes = {axis: short[axis] for axis in data.dims if axis in short}
    return data.rename(axes).transpose("y", "x")


def _over_time(data: xr.DataArray, axis: str, statistic: str) -> xr.DataArray:
    """Reduce monthly data over time; ``annual_sum`` is twelve times the mean month, NaN where every
    month is missing.
    """
    if statistic == "annual_sum":
        return data.mean(axis) * 12
    return data.sum(axis, min_count=1) if statistic == "sum" else getattr(data, statistic)(axis)


def mosaic(
    catalog: Catalog, entry: Entry, grid: xr.DataArray, resampling: Resampling
) -> np.ndarray:
    """Mosaic of an entry's tiles on the grid, scaled to its unit; the first tile wins where tiles
    overlap.

    Parameters
    ----------
    catalog : Catalog
    entry : Entry
    grid : DataArray, dims (y, x)
        Whose cells and CRS are taken.
    resampling : Resampling

    Returns
    -------
    ndarray, shape (height, width)
        float32, NaN where no tile reaches.

    Raises
    ------
    InputError
        When a tile is damaged, or none overlaps the grid.
    """
    out = np.full(grid.shape, np.nan, np.float32)
    for file in catalog.files(entry):
        with open_source(file, entry) as raster:
            try:
                tile = _onto(raster, grid, resampling)
            except (rasterio.errors.RasterioError, OSError) as error:
                raise InputError(
                    "the raster cannot be read to its end",
                    where=file,
                    found=error,
                    fix="Copy it again",
                ) from None
        out = np.where(np.isnan(out), tile, out)
    if np.isnan(out).all():
        raise InputError(
            "the raster does not overlap the study area",
            where=catalog.path(entry),
            fix="Check its CRS and extent",
        )
    return (out * np.float32(entry.scale)).astype(np.float32)


def _onto(data: xr.DataArray, grid: xr.DataArray, resampling: Resampling) -> np.ndarray:
    """One open raster on the grid: (height, width) float32, NaN where it does not reach."""
    frames = [(item.rio.crs, item.rio.transform(), item.shape) for item in (data, grid)]
    if frames[0] == frames[1]:
        return data.to_numpy().astype(np.float32)
    bounds = transform_bounds(grid.rio.crs, data.rio.crs, *grid.rio.bounds(), densify_pts=21)
    pad_x, pad_y = (3 * abs(step) for step in data.rio.resolution())
    left, bottom, right, top = bounds
    try:
        part = data.rio.clip_box(left - pad_x, bottom - pad_y, right + pad_x, top + pad_y)
    except rioxarray.exceptions.NoDataInBounds:
        return np.full(grid.shape, np.nan, np.float32)
    part = part.astype(np.float32)
    return part.rio.reproject_match(grid, resampling=resampling, nodata=np.nan).to_numpy()


def native_resolution(catalog: Catalog, entry: Entry) -> float | None:
    """Cell size of a raster source in metres (degrees at 111.32 km); None for vectors and tables."""
    file = catalog.path(entry)
    if file.suffix.lower() not in RASTERS:
        return None
    with open_source(file, entry) as raster:
        step = abs(float(raster.rio.resolution()[1]))
        return round(step * (1 if raster.rio.crs.is_projected else 111_320), 3)
