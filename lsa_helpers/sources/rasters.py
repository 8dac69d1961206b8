"""Rasters and NetCDF files brought onto a grid: tiles side by side, layers over time as one."""

import re

import numpy as np
import xarray as xr
from affine import Affine
from rasterio.enums import Resampling

from lsa_helpers.errors import InputError, doubt
from lsa_helpers.raster import on_grid
from lsa_helpers.sources.catalog import Catalog, Entry
from lsa_helpers.sources.crs import vertical_unit
from lsa_helpers.sources.kinds import is_raster, kind_of
from lsa_helpers.sources.quantities import (
    Meaning,
    meaning_of,
    quantity_of,
    unit_factor,
    without_gaps,
)
from lsa_helpers.sources.rain import check_rain, over_time, years_rain
from lsa_helpers.sources.rasterfiles import one_band, open_layers, open_source

_M_PER_DEGREE = 111_320  # of latitude
_BEYOND = 3  # cells read around the grid, for interpolation


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
    circular = quantity.unit == "°" and quantity.low < 0
    told = ""
    meaning = None if name == "rainfall" else _meaning(catalog, entry, tiles)
    merged = np.full(grid.shape, np.nan, np.float32)
    for tile in tiles:
        file = tile.attrs["file"]
        if name == "rainfall":
            layer, factor, unit, told = years_rain(tile, entry, file)
            meaning = Meaning(quantity._replace(unit=unit), factor)
        else:
            values = without_gaps(tile.values, meaning, file)
            layer = over_time(tile.copy(data=values), entry, file)
        layer = tile[0].copy(data=meaning.apply(layer) if circular else layer)
        merged = np.where(np.isnan(merged), _onto(layer, grid, resampling, circular), merged)
    if np.isnan(merged).all():
        fix = "Check its extent and its nodata value"
        where = catalog.path(entry)
        raise InputError("the raster has only gaps in the study area", where=where, fix=fix)
    values = merged if circular else meaning.apply(merged)
    if told:
        check_rain(values, meaning.quantity.unit, told, tiles[0].attrs["file"])
    return on_grid(values.astype(np.float32), grid, units=meaning.quantity.unit or "1")


def _tiles(catalog: Catalog, entry: Entry, grid: xr.DataArray, name: str) -> list[xr.DataArray]:
    """What lies under the grid: tiles, or layers over time of one area each."""
    series = name == "rainfall" or bool({"statistic", "step"} & entry.model_fields_set)
    tiles = []
    for file in catalog.files(entry):
        with open_layers(file, entry) as layers:
            every = (series or kind_of(file) == "netcdf") and "band" not in entry.model_fields_set
            count = layers.sizes["layer"]
            if count > 1 and not every and "band" not in entry.model_fields_set:
                fix = "Name another with `band`, or write `band: 1`"
                doubt("the first of its bands is read", where=file, found=f"{count} bands", fix=fix)
            part = _cut(layers if every else one_band(layers, file, entry), grid)
            if part is not None:
                tiles.append(part.assign_attrs(file=file, files=1, bounds=layers.rio.bounds()))
    if not tiles:
        what = "the raster does not overlap the study area"
        raise InputError(what, where=catalog.path(entry), fix="Check its CRS and extent")
    known = quantity_of(catalog, entry)[1].units
    units = {unit_factor(known, t.attrs["units"]) or t.attrs["units"]: t.attrs for t in tiles}
    if len(units) > 1 and not entry.unit:
        raise InputError(
            "files of one entry are in different units",
            where=catalog.path(entry),
            found=", ".join(f"{t['file'].name} in {t['units'] or 'none'}" for t in units.values()),
            fix="Bring them to one unit, or say with `unit` which all are in",
        )
    return _joined(tiles, series)


def _cut(layers: xr.DataArray, grid: xr.DataArray) -> xr.DataArray | None:
    """The part of open layers under a grid and a little around it, read; None where they do not
    reach.
    """
    transform = layers.rio.transform()
    west, south, east, north = layers.rio.bounds()
    left, bottom, right, top = grid.rio.transform_bounds(layers.rio.crs)
    if left >= east or right <= west or bottom >= north or top <= south:
        return None
    columns = _under((left, right), transform.c, transform.a)
    rows = _under((top, bottom), transform.f, transform.e)
    part = layers.isel(y=rows, x=columns)
    with np.errstate(over="ignore"):  # a fill number beyond float32 becomes infinite
        part = part.copy(data=part.to_numpy().astype(np.float32))
    return part.rio.write_transform(transform @ Affine.translation(columns.start, rows.start))


def _under(span: tuple[float, float], start: float, step: float) -> slice:
    """The cells of an axis under a span, and a few around them."""
    first, last = ((place - start) / step for place in span)
    first = max(0, int(np.floor(first + 1e-6)) - _BEYOND)
    return slice(first, int(np.ceil(last - 1e-6)) + _BEYOND)


def _joined(tiles: list[xr.DataArray], series: bool) -> list[xr.DataArray]:
    """Tiles as they are; of files that cover the same area layers over time are joined, and of
    others the first counts, with a doubt.
    """
    if series:  # in an order in which 2 comes before 10
        tiles = sorted(tiles, key=lambda tile: re.sub(r"\d+", _padded, str(tile.attrs["file"])))
    joined = []
    for tile in tiles:
        most = 0.5 if series else 0.9
        same = next((i for i, other in enumerate(joined) if _overlap(tile, other) > most), None)
        if same is None:
            joined.append(tile)
        elif series:
            joined[same] = _longer(joined[same], tile)
        else:
            what = "two files cover the same area, and the first counts"
            found = tile.attrs["file"].name
            fix = "Name the one that is meant, or what is taken over time with `statistic`"
            doubt(what, where=joined[same].attrs["file"], found=found, fix=fix)
    return joined


def _padded(number: re.Match) -> str:
    """A number with zeros in front, so that names sort by it."""
    return number[0].zfill(12)


def _overlap(tile: xr.DataArray, other: xr.DataArray) -> float:
    """Intersection over union of what the files of two tiles cover."""
    if tile.rio.crs != other.rio.crs:
        return 0.0
    a, b = np.array(tile.attrs["bounds"]), np.array(other.attrs["bounds"])
    edges = np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0)
    union = np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - np.prod(edges)
    return float(np.prod(edges) / union)


def _longer(tile: xr.DataArray, later: xr.DataArray) -> xr.DataArray:
    """A tile with the layers of another one after its own, on its cells."""
    values = np.stack([_onto(layer, tile, Resampling.nearest) for layer in later])
    longer = np.concatenate([tile.values, values])
    attrs = tile.attrs | {
        "times": tile.attrs["times"] + later.attrs["times"],
        "files": tile.attrs["files"] + 1,
    }
    place = {name: tile.coords[name] for name in ("y", "x", "spatial_ref")}
    return xr.DataArray(longer, place, ("layer", "y", "x"), tile.name, attrs)


def _onto(layer: xr.DataArray, grid, resampling: Resampling, circular: bool = False) -> np.ndarray:
    """A layer on the cells of a grid, float32, NaN where it does not reach.

    Directions in degrees are resampled as vectors; flat ground (−1) has none and leaves a
    mixture to the others.
    """
    same = layer.rio.crs == grid.rio.crs and layer.shape == grid.shape[-2:]
    if same and layer.rio.transform().almost_equals(grid.rio.transform(), 1e-9):
        return layer.to_numpy()
    how = {"resampling": resampling, "nodata": np.nan}
    if not circular or resampling == Resampling.nearest:
        return layer.rio.reproject_match(grid, **how).to_numpy()
    flat, angle = layer < 0, np.radians(layer)
    east, north = (
        part(angle).where(~flat, 0).rio.reproject_match(grid, **how).to_numpy()
        for part in (np.sin, np.cos)
    )
    turned = np.degrees(np.arctan2(east, north)) % 360
    return np.where(np.hypot(east, north) < 0.01, -1, turned).astype(np.float32)


def _meaning(catalog: Catalog, entry: Entry, tiles: list[xr.DataArray]) -> Meaning:
    """How an entry's stored numbers become its factor's; heights may have their unit in the CRS."""
    said, file, crs = tiles[0].attrs["units"], tiles[0].attrs["file"], tiles[0].rio.crs
    if quantity_of(catalog, entry)[0] == "altitude" and not said:
        said = vertical_unit(crs)
        in_feet = crs.is_projected and crs.linear_units_factor[1] < 0.5
        if in_feet and not (said or entry.unit):
            what = "the CRS is in feet, and nothing says that the heights are too: metres are taken"
            fix = "Add `unit: ft` or `unit: m` to its entry in catalog.yml"
            doubt(what, where=file, fix=fix)
    return meaning_of(catalog, entry, file, said, [tile.values for tile in tiles])


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
