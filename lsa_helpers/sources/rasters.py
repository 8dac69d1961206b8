"""Rasters and NetCDF files, opened alike, closed again, and brought onto a grid."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import rasterio
import rioxarray
import xarray as xr
from rasterio.enums import Resampling

from lsa_helpers.errors import InputError, doubt
from lsa_helpers.raster import on_grid
from lsa_helpers.sources.catalog import Catalog, Entry
from lsa_helpers.sources.crs import parse_crs, vertical_unit
from lsa_helpers.sources.kinds import is_raster, kind_of
from lsa_helpers.sources.netcdf import open_netcdf
from lsa_helpers.sources.quantities import (
    Meaning,
    meaning_of,
    quantity_of,
    unit_factor,
    without_gaps,
)
from lsa_helpers.sources.rain import check_rain, years_rain
from lsa_helpers.sources.series import dates_of_bands, decode_times, over_time
from lsa_helpers.sources.tiles import Tile, cut, join, onto

_M_PER_DEGREE = 111_320  # of latitude


@contextmanager
def open_layers(file: Path, entry: Entry) -> Iterator[xr.DataArray]:
    """Open all layers of a raster or NetCDF inside a ``with`` block; they are read where they must
    be, then closed.

    Parameters
    ----------
    file : Path
    entry : Entry
        Says which variable of a NetCDF, and the CRS of a file that states none.

    Yields
    ------
    DataArray, dims (layer, y, x)
        As stored, NaN as nodata, with a CRS, longitudes from 180° W to 180° E. Attributes ``times``
        (dates of the layers or None) and ``units``.

    Raises
    ------
    InputError
        When the file cannot be opened or read to its end, has no such variable, or states no CRS
        while its entry names none.
    """
    try:
        netcdf = kind_of(file) == "netcdf"
        layers = open_netcdf(file, entry) if netcdf else _open_bands(file, entry)
    except (rasterio.errors.RasterioError, OSError) as error:
        fix = "Is it complete? Copy it again"
        raise InputError("the raster cannot be opened", where=file, found=error, fix=fix) from None
    with layers:
        try:
            yield _placed(layers, file, entry)
        except (rasterio.errors.RasterioError, OSError) as error:
            raise InputError(
                "the raster cannot be read to its end", where=file, found=error, fix="Copy it again"
            ) from None


@contextmanager
def open_source(file: Path, entry: Entry) -> Iterator[xr.DataArray]:
    """One layer as `open_layers` gives them, dims (y, x): the entry's band, the first of a NetCDF.

    Raises
    ------
    InputError
        As `open_layers`, and when there is no such band.
    """
    with open_layers(file, entry) as layers:
        yield _layers_wanted(layers, file, entry, False)[0]


def _open_bands(file: Path, entry: Entry) -> xr.DataArray:
    """The bands of a raster as layers; a scale the file states is applied unless the entry has
    one.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        bands = rioxarray.open_rasterio(file, masked=True, decode_times=False)
    if not isinstance(bands, xr.DataArray):
        with rasterio.open(file) as raster:
            found = raster.subdatasets[:8]
        raise InputError(
            "the file holds several rasters", where=file, found=found, fix="Write one as `path`"
        )
    close = bands._close
    names = bands.attrs.get("long_name", "")
    axis = bands.dims[0]  # GDAL's name of a NetCDF's variable may have a time instead of bands
    names = [names] * bands.sizes[axis] if isinstance(names, str) else list(names)
    scale, offset = (bands.attrs.get(k, d) for k, d in (("scale_factor", 1), ("add_offset", 0)))
    said = {key: np.ravel(value)[0] for key, value in bands.attrs.items() if np.size(value)}
    units = str(said.get("units") or said.get("GRIB_UNIT", "")).strip("[]")
    attrs = {"times": dates_of_bands(names, file.name), "units": units}
    attrs["long_name"] = str(said.get("GRIB_ELEMENT", "")).lower()
    if "GRIB_VALID_TIME" in said:
        with rasterio.open(file) as raster:
            seconds = [int(raster.tags(band)["GRIB_VALID_TIME"]) for band in raster.indexes]
        attrs["times"] = decode_times(np.array(seconds), {"units": "seconds since 1970-01-01"})
    if entry.scale == 1 and (scale, offset) != (1, 0):
        bands = bands * np.float32(scale) + np.float32(offset)
    if axis != "band":
        attrs["times"] = decode_times(bands[axis].values, bands[axis].attrs)
    bands = bands.rename({axis: "layer"}).assign_attrs(attrs)
    bands.set_close(close)
    return bands


def _placed(layers: xr.DataArray, file: Path, entry: Entry) -> xr.DataArray:
    """Layers with a CRS and longitudes up to 180°."""
    named = parse_crs(entry.crs, f"{file}, `crs`") if entry.crs else None
    crs = layers.rio.crs
    if crs is None or not (crs.is_projected or crs.is_geographic):  # none, or a local frame
        crs = named
    if crs is None and kind_of(file) == "netcdf" and abs(layers.x).max() <= 360:
        crs = "EPSG:4326"
    if crs is None:
        fix = 'Add a line "crs: EPSG:…" to its entry in catalog.yml'
        raise InputError("the raster states no CRS", where=file, fix=fix)
    layers = layers.rio.write_crs(crs)
    if layers.rio.crs.is_geographic and "x" in layers.coords and layers.x.max() > 181:
        turned = (layers.x + 180) % 360 - 180
        if np.ptp(layers.x.values) < 180:  # a part of the earth stays in one piece
            turned = layers.x - 360
        layers = layers.assign_coords(x=turned.values).sortby("x")
        layers = layers.rio.write_transform(layers.rio.transform(recalc=True))
    return layers


def _layers_wanted(layers: xr.DataArray, file: Path, entry: Entry, every: bool):
    """The layers an entry is about: all of them over time, else one band."""
    count = layers.sizes["layer"]
    if entry.band > count:
        raise InputError(f"band {entry.band} does not exist", where=file, found=f"{count} bands")
    if every and "band" not in entry.model_fields_set:
        return layers
    wanted = layers.isel(layer=[entry.band - 1])
    return wanted.assign_attrs(times=[layers.attrs["times"][entry.band - 1]])


def mosaic(
    catalog: Catalog, entry: Entry, grid: xr.DataArray, resampling: Resampling
) -> xr.DataArray:
    """What an entry's files hold, on the grid: tiles side by side (the first wins where they
    overlap), layers over time made one.

    Parameters
    ----------
    catalog : Catalog
    entry : Entry
        Its `scale` and `unit` say what stored numbers are; where they do not, the file does.
    grid : DataArray, dims (y, x)
        Any raster on the cells wanted.
    resampling : rasterio.enums.Resampling
        Of directions, it is applied to their sine and cosine.

    Returns
    -------
    DataArray, dims (y, x)
        float32 in the factor's unit (attribute ``units``, "1" where it is not known), NaN where no
        tile reaches and in gaps, declared or not.

    Raises
    ------
    InputError
        When a tile cannot be read, none of them overlaps the grid, or values lie outside what the
        quantity can be.
    """
    name, quantity = quantity_of(catalog, entry)
    tiles = _tiles(catalog, entry, grid, name)
    told = ""
    if name == "rainfall":
        for tile in tiles:
            tile.values, factor, unit, told = years_rain(tile, entry)
        meaning = Meaning(quantity._replace(unit=unit), factor)
    else:
        meaning = _meaning(catalog, entry, tiles)
        for tile in tiles:
            tile.values = without_gaps(tile.values, meaning, tile.file)
            tile.values = over_time(tile, entry)
    circular = quantity.unit == "°" and quantity.low < 0
    merged = np.full(grid.shape, np.nan, np.float32)
    for tile in tiles:
        if circular:
            tile.values = meaning.apply(tile.values)
        merged = np.where(np.isnan(merged), onto(tile, grid, resampling, circular), merged)
    if np.isnan(merged).all():
        fix = "Check its extent and its nodata value"
        where = catalog.path(entry)
        raise InputError("the raster has only gaps in the study area", where=where, fix=fix)
    values = merged if circular else meaning.apply(merged)
    if told:
        check_rain(values, meaning.quantity.unit, told, tiles[0].file)
    return on_grid(values.astype(np.float32), grid, units=meaning.quantity.unit or "1")


def _tiles(catalog: Catalog, entry: Entry, grid: xr.DataArray, name: str) -> list[Tile]:
    """What lies under the grid: tiles, or layers over time of one area each."""
    series = name == "rainfall" or bool({"statistic", "step"} & entry.model_fields_set)
    tiles = []
    for file in catalog.files(entry):
        with open_layers(file, entry) as layers:
            every = series or kind_of(file) == "netcdf"
            wanted, count = _layers_wanted(layers, file, entry, every), layers.sizes["layer"]
            if count > 1 and not every and "band" not in entry.model_fields_set:
                fix = "Name another with `band`, or write `band: 1`"
                doubt("the first of its bands is read", where=file, found=f"{count} bands", fix=fix)
            if tile := cut(wanted, file, grid):
                tiles.append(tile)
    if not tiles:
        raise _elsewhere(catalog, entry)
    quantity = quantity_of(catalog, entry)[1]
    units = {unit_factor(quantity.units, tile.units) or tile.units: tile for tile in tiles}
    if len(units) > 1 and not entry.unit:
        raise InputError(
            "files of one entry are in different units",
            where=catalog.path(entry),
            found=", ".join(f"{t.file.name} in {t.units or 'none'}" for t in units.values()),
            fix="Bring them to one unit, or say with `unit` which all are in",
        )
    return join(tiles, series)


def _meaning(catalog: Catalog, entry: Entry, tiles: list[Tile]) -> Meaning:
    """How an entry's stored numbers become its factor's; heights may have their unit in the CRS."""
    first = tiles[0]
    said = first.units
    if quantity_of(catalog, entry)[0] == "altitude" and not said:
        said = vertical_unit(first.crs)
        in_feet = first.crs.is_projected and first.crs.linear_units_factor[1] < 0.5
        if in_feet and not (said or entry.unit):
            doubt(
                "the CRS is in feet, and nothing says that the heights are too: metres are taken",
                where=first.file,
                fix="Add `unit: ft` or `unit: m` to its entry in catalog.yml",
            )
    return meaning_of(catalog, entry, first.file, said, [tile.values for tile in tiles])


def _elsewhere(catalog: Catalog, entry: Entry) -> InputError:
    """The error of a raster that lies beside the grid."""
    return InputError(
        "the raster does not overlap the study area",
        where=catalog.path(entry),
        fix="Check its CRS and extent",
    )


def native_resolution(catalog: Catalog, entry: Entry) -> float | None:
    """Cell size of a raster source in metres (a degree counts 111.32 km); None for vectors and
    tables.
    """
    file = catalog.path(entry)
    if not is_raster(file):
        return None
    with open_source(file, entry) as source:
        step = abs(float(source.rio.resolution()[1]))
        crs = source.rio.crs
        metres = crs.linear_units_factor[1] if crs.is_projected else _M_PER_DEGREE
        return round(step * metres, 3)
