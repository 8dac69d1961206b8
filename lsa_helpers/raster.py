"""Rasters as xarray objects with CRS and units, read and written as Cloud-Optimised GeoTIFFs."""

import json
import math
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import rasterio
import rioxarray  # noqa: F401 (gives xarray objects their .rio)
import xarray as xr
from affine import Affine
from rasterio.shutil import copy as rio_copy
from rasterio.windows import Window

from lsa_helpers.errors import InputError, need_factors
from lsa_helpers.run import whole_file


def empty_grid(bounds: Sequence[float], crs, cell_size: float) -> xr.DataArray:
    """A raster of NaN whose square cells of `cell_size`, counted from (left, top), cover `bounds`.

    Parameters
    ----------
    bounds : sequence of float
        Left, bottom, right, top in metres.
    crs : CRS, str or int
        Projected, in metres.
    cell_size : float
        Edge of a cell, m.

    Returns
    -------
    DataArray, dims (y, x)
        float32, NaN everywhere; cell centres as coordinates.

    Examples
    --------
    >>> grid = empty_grid((0, 0, 25, 20), 32648, 10)
    >>> grid.shape, grid.x.values.tolist(), grid.y.values.tolist()
    ((2, 3), [5.0, 15.0, 25.0], [15.0, 5.0])
    """
    left, bottom, right, top = bounds
    width = max(1, math.ceil((right - left) / cell_size - 1e-6))
    height = max(1, math.ceil((top - bottom) / cell_size - 1e-6))
    transform = Affine(cell_size, 0, left, 0, -cell_size, top)
    return _array(np.full((height, width), np.nan, np.float32), transform, crs)


def on_grid(values, grid: xr.DataArray | xr.Dataset, name: str = "", units: str = "1", **attrs):
    """Values as a raster on the cells of another one.

    Parameters
    ----------
    values : ndarray or dask.array.Array, shape (height, width)
    grid : DataArray or Dataset
        Whose cells and CRS are taken.
    name : str
        Name of the band.
    units : str
        Unit; "1" for dimensionless.
    **attrs
        More attributes, such as ``long_name``.

    Returns
    -------
    DataArray, dims (y, x)
    """
    coords = {key: grid.coords[key] for key in ("y", "x", "spatial_ref")}
    attrs = {"units": units, **attrs}
    return xr.DataArray(values, coords, ("y", "x"), name or None, attrs)


def cell_size(raster: xr.DataArray | xr.Dataset) -> float:
    """Edge of a raster's cells, in the unit of its CRS (m)."""
    return abs(raster.rio.resolution()[0])


def rowcol(raster: xr.DataArray | xr.Dataset, x, y) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of the cells that hold the points (x, y); outside the raster, indices outside.

    Examples
    --------
    >>> row, col = rowcol(empty_grid((0, 0, 30, 20), 32648, 10), [5, 29, 31], [19, 1, 5])
    >>> row.tolist(), col.tolist()
    ([0, 1, 1], [0, 2, 3])
    """
    transform = raster.rio.transform()
    col = np.floor((np.asarray(x) - transform.c) / transform.a).astype(np.int64)
    row = np.floor((np.asarray(y) - transform.f) / transform.e).astype(np.int64)
    return row, col


def at_cells(raster: xr.Dataset, row, col) -> xr.Dataset:
    """Values of all bands in cells, (n,) each; of Dask chunks each is read once, and not kept."""
    places = {"y": xr.DataArray(row, dims="cell"), "x": xr.DataArray(col, dims="cell")}
    return raster.isel(places).compute()


def known_cells(raster: xr.Dataset) -> xr.DataArray:
    """Whether a cell has a value in every band: (y, x) bool; stays lazy over Dask chunks."""
    return raster.to_dataarray("band").notnull().all("band")


_COG = {"driver": "COG", "compress": "DEFLATE", "predictor": "YES", "overviews": "AUTO"}
_COG |= {"blocksize": 256, "bigtiff": "if_safer"}


def write_raster(path: Path, raster: xr.DataArray | xr.Dataset) -> Path:
    """Write a raster as a tiled, compressed Cloud-Optimised GeoTIFF; it appears only when whole.

    Parameters
    ----------
    path : Path
    raster : DataArray, dims (y, x), or Dataset of such
        One band per variable, with its name and ``units``. Floats are written as float32 with NaN
        as nodata, integers as uint8 with 0 as nodata. Dask chunks are computed and written one row
        of chunks at a time, so a raster may be larger than memory.

    Returns
    -------
    Path
        `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        plain = write_plain(Path(folder) / "plain.tif", raster)
        with whole_file(path) as part, rasterio.open(plain) as file:
            overviews = "nearest" if file.dtypes[0] == "uint8" else "average"
            rio_copy(file, part, **_COG, overview_resampling=overviews)
    return path


def write_plain(path: Path, raster: xr.DataArray | xr.Dataset) -> Path:
    """As `write_raster`, neither compressed nor with overviews: a file that is soon read again."""
    bands = raster if isinstance(raster, xr.Dataset) else {raster.name or "band": raster}
    first = next(iter(bands.values()))
    floats = first.dtype.kind == "f"
    profile = {
        "driver": "GTiff",
        "count": len(bands),
        "height": first.sizes["y"],
        "width": first.sizes["x"],
        "dtype": "float32" if floats else "uint8",
        "nodata": np.nan if floats else 0,
        "crs": raster.rio.crs,
        "transform": raster.rio.transform(),
        "tiled": True,
        "bigtiff": "if_safer",
    }
    with whole_file(path) as part, rasterio.open(part, "w", **profile) as file:
        for window, values in _rows_of_chunks(bands):
            file.write(values.astype(profile["dtype"], copy=False), window=window)
        file.descriptions = tuple(map(str, bands))
        file.units = tuple(band.attrs.get("units") or "1" for band in bands.values())
    return path


def _rows_of_chunks(bands) -> Iterator[tuple[Window, np.ndarray]]:
    """All bands of one row of chunks at a time; arrays in memory are one chunk."""
    import dask

    first = next(iter(bands.values()))
    heights = first.chunks[0] if first.chunks else (first.sizes["y"],)
    top = 0
    for height in heights:
        rows = slice(top, top + height)
        values = dask.compute(*(band.data[rows] for band in bands.values()))
        yield Window(0, top, first.sizes["x"], height), np.stack(values)
        top += height


def read_raster(path: Path, chunk: int = 0) -> xr.Dataset:
    """Read a raster that `write_raster` wrote: one variable per band, with its ``units``.

    Parameters
    ----------
    path : Path
    chunk : int
        Edge of a Dask chunk in cells, for rasters larger than memory; 0: read into memory.

    Returns
    -------
    Dataset, dims (y, x)
        float32 with NaN as nodata, or uint8 with 0 as nodata.

    Raises
    ------
    InputError
        When the file cannot be read.
    """
    try:
        with rasterio.open(path) as file:
            names = [name or f"band_{i}" for i, name in enumerate(file.descriptions, 1)]
            units = [unit or "1" for unit in file.units]
            values = None if chunk else file.read()
            transform = file.transform
            crs = file.crs
        if chunk:
            values = _lazy_bands(path, chunk)
    except rasterio.errors.RasterioError as error:
        raise InputError(
            "the raster cannot be read", where=path, found=error, fix="Make it again"
        ) from error
    grid = _array(values[0], transform, crs)
    return xr.Dataset(
        {
            name: on_grid(band, grid, name, unit)
            for name, band, unit in zip(names, values, units, strict=True)
        }
    )


def _lazy_bands(path: Path, chunk: int):
    """All bands as a Dask array (bands, height, width) whose chunks open the file themselves."""
    import dask.array as da

    path = Path(path).resolve()  # a worker elsewhere has another working directory
    with rasterio.open(path) as file:
        size = (file.count, file.height, file.width)
        kind = np.dtype(file.dtypes[0])

    def read(block_info=None):
        (_, (top, bottom), (left, right)) = block_info[None]["array-location"]
        with rasterio.open(path) as file:
            return file.read(window=Window(left, top, right - left, bottom - top))

    chunks = da.core.normalize_chunks((-1, chunk, chunk), size, dtype=kind)
    return da.map_blocks(read, chunks=chunks, dtype=kind, meta=np.zeros((0, 0, 0), kind))


def _array(values, transform: Affine, crs) -> xr.DataArray:
    """Values (height, width) with cell centres as coordinates and a CRS."""
    height, width = values.shape
    coords = {
        "y": transform.f + (np.arange(height) + 0.5) * transform.e,
        "x": transform.c + (np.arange(width) + 0.5) * transform.a,
    }
    raster = xr.DataArray(values, coords, ("y", "x")).rio.write_crs(crs)
    return raster.rio.write_transform(transform)


def write_factors(path: Path, factors: xr.Dataset) -> None:
    """Write ``factors.tif`` and, beside it, ``factors.json`` with what each factor is.

    Parameters
    ----------
    path : Path
        The raster; the description gets the same name and the ending ``.json``.
    factors : Dataset, dims (y, x)
        One variable per factor; its attributes are ``long_name, units, kind`` (continuous,
        categorical or circular), ``native_resolution_m, source, classes`` (code → name).
    """
    write_raster(path, factors)
    described = {str(name): factor.attrs for name, factor in factors.items()}
    with whole_file(path.with_suffix(".json")) as part:
        text = json.dumps(described, indent=1, sort_keys=True, ensure_ascii=False)
        part.write_text(text + "\n", encoding="utf-8")


def read_factors(path: Path, names: Sequence[str] | None = None, chunk: int = 0) -> xr.Dataset:
    """Read the factors that `write_factors` wrote, each with its attributes.

    Parameters
    ----------
    path : Path
        ``factors.tif``, with ``factors.json`` beside it.
    names : sequence of str, optional
        Factors wanted, in the order wanted; all by default.
    chunk : int
        Edge of a Dask chunk in cells, for rasters larger than memory; 0: read into memory.

    Returns
    -------
    Dataset, dims (y, x)
        float32, NaN where a source has nothing or outside the study area. Categorical factors hold
        integer codes, aspect is in degrees clockwise from north with −1 where flat.

    Raises
    ------
    InputError
        When a file cannot be read or a name is not among the factors.
    """
    factors = read_raster(path, chunk)
    need_factors(names or (), factors, path)
    described_in = path.with_suffix(".json")
    try:
        described = json.loads(described_in.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            "the description of the factors cannot be read", where=described_in, found=error
        ) from None
    for name, factor in factors.items():
        factor.attrs |= described.get(name, {})
        classes = factor.attrs.get("classes") or {}
        factor.attrs["classes"] = {int(code): label for code, label in classes.items()}
    return factors if names is None else factors[list(names)]
