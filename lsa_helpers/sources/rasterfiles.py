"""One raster or NetCDF file opened as layers (layer, y, x) with a CRS, dates and a unit."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cf_xarray  # noqa: F401 (gives xarray objects their .cf)
import numpy as np
import rasterio
import rioxarray
import xarray as xr

from lsa_helpers.errors import InputError
from lsa_helpers.sources.catalog import Entry
from lsa_helpers.sources.crs import parse_crs
from lsa_helpers.sources.kinds import kind_of

# Names of axes that carry no attributes by which they could be known.
_NAMES = {
    "x": {"x", "lon", "longitude", "long", "easting", "rlon"},
    "y": {"y", "lat", "latitude", "northing", "rlat"},
    "layer": {"time", "valid_time", "month", "date", "day", "year", "t"},
}
_MEANINGS = {"x": ("X", "longitude"), "y": ("Y", "latitude"), "layer": ("T", "time")}
_RAIN = re.compile(r"precip|rain|^(pre|prec|pr|tp|ppt|rr|rfe|mtpr)$", re.I)
_ABOUT = re.compile(r"anom|error|qual|count|prob|std|uncert|flag", re.I)  # not the rain itself


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
        As stored, NaN as nodata, with a CRS, y from north to south, longitudes from 180° W to
        180° E. Attributes ``times`` (dates of the layers or None) and ``units``.

    Raises
    ------
    InputError
        When the file cannot be opened or read to its end, has no such variable or other axes than
        place and time, is turned against its CRS, or states none while its entry names none.
    """
    try:
        is_netcdf = kind_of(file) == "netcdf"
        layers = _open_netcdf(file, entry) if is_netcdf else _open_bands(file, entry)
    except (rasterio.errors.RasterioError, OSError) as error:
        fix = "Is it complete? Copy it again"
        raise InputError("the raster cannot be opened", where=file, found=error, fix=fix) from None
    with layers:
        try:
            yield _placed(layers, file, entry, is_netcdf)
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
        yield one_band(layers, file, entry)[0]


def one_band(layers: xr.DataArray, file: Path, entry: Entry) -> xr.DataArray:
    """The band that an entry names of open layers, dims (layer, y, x)."""
    count = layers.sizes["layer"]
    if entry.band > count:
        raise InputError(f"band {entry.band} does not exist", where=file, found=f"{count} bands")
    wanted = layers.isel(layer=[entry.band - 1])
    return wanted.assign_attrs(times=[layers.attrs["times"][entry.band - 1]])


def _open_bands(file: Path, entry: Entry) -> xr.DataArray:
    """The bands of a raster as layers; a scale the file states is applied unless the entry has
    one.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        bands = rioxarray.open_rasterio(file, masked=True, decode_times=False)
        with rasterio.open(file) as raster:
            driver, parts, transform = raster.driver, raster.subdatasets[:8], raster.transform
    if not isinstance(bands, xr.DataArray):
        fix = "Write one as `path`"
        raise InputError("the file holds several rasters", where=file, found=parts, fix=fix)
    if driver in ("GRIB", "netCDF"):
        bands.close()
        fix = "Give the NetCDF file (`grib_to_netcdf` makes one), and its variable as `variable`"
        raise InputError(f"layers over time are not read from {driver}", where=file, fix=fix)
    if transform.b or transform.d:
        bands.close()
        fix = "Bring it north up with gdalwarp"
        raise InputError("the raster is turned against its CRS", where=file, fix=fix)
    close, said = bands._close, bands.attrs
    names = said.get("long_name") or ""
    names = [names] * len(bands) if isinstance(names, str) else list(names)
    times = [date_in(name or "") for name in names]
    if len(bands) == 1:
        times = [times[0] or date_in(file.name, year_alone=True)]
    unit = np.ravel(said.get("units") or "")[0]  # one for every band, where GDAL knows them
    scale, offset = said.get("scale_factor", 1), said.get("add_offset", 0)
    if entry.scale == 1 and (scale, offset) != (1, 0):
        bands = bands * np.float32(scale) + np.float32(offset)
    bands = bands.rename(band="layer").assign_attrs(times=times, units=str(unit or ""))
    bands.set_close(close)
    return bands


def _open_netcdf(file: Path, entry: Entry) -> xr.DataArray:
    """One variable of a NetCDF, its axes by what they mean, whatever they are called."""
    how = {"decode_coords": "all", "decode_times": False, "decode_timedelta": False}
    dataset = xr.open_dataset(file, engine="netcdf4", group=entry.layer or None, **how)
    try:
        layer = _named(dataset[_variable(dataset, file, entry)], file)
        times = None
        if "layer" in layer.coords:
            times = decode_times(layer.layer.values, layer.layer.attrs)
        layer = _without_other_axes(layer, file)
    except BaseException:
        dataset.close()
        raise
    if "layer" not in layer.dims:
        layer = layer.expand_dims("layer")
    layer = layer.transpose("layer", "y", "x").assign_attrs(
        times=times or [None] * layer.sizes["layer"],
        units=str(layer.attrs.get("units") or "").strip(),
    )
    layer.set_close(dataset.close)
    return layer


def _variable(dataset: xr.Dataset, file: Path, entry: Entry) -> str:
    """The variable an entry names, or the only one."""
    maps = [
        str(name)
        for name, item in dataset.data_vars.items()
        if item.ndim >= 2 and not re.search(r"bnds|bounds|vertices", f"{name} {item.dims}")
    ]
    if entry.variable in dataset.data_vars:
        return entry.variable
    rain = [name for name in maps if _RAIN.search(name) and not _ABOUT.search(name)]
    chosen = maps if len(maps) == 1 else rain
    if entry.variable or len(chosen) != 1:
        what = f"the file holds {'several variables' if maps else 'no maps'}"
        if entry.variable:
            what = f'the variable "{entry.variable}" does not exist'
        groups = "" if maps or entry.layer else "; those of a group with `layer`"
        found = list(map(str, dataset.data_vars)) or "none"
        raise InputError(what, where=file, found=found, fix=f"Name one with `variable`{groups}")
    return chosen[0]


def _named(layer: xr.DataArray, file: Path) -> xr.DataArray:
    """The variable with its axes of place and time named x, y and layer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        meant = {**layer.cf.axes, **layer.cf.coordinates}
    names = {}
    for short, meanings in _MEANINGS.items():
        by_cf = [name for key in meanings for name in meant.get(key, []) if name in layer.dims]
        by_name = [name for name in layer.dims if str(name).lower() in _NAMES[short]]
        names |= {name: short for name in [*by_cf, *by_name][:1]}
    if {"x", "y"} - {short for name, short in names.items() if name in layer.coords}:
        what = "its cells have no coordinates along their rows and columns"
        found = f"axes {', '.join(map(str, layer.dims))}"
        fix = "Bring it to a regular grid (cdo remapbil or gdalwarp -geoloc) and give that"
        raise InputError(what, where=file, found=found, fix=fix)
    in_the_way = [new for old, new in names.items() if new in layer.coords and new != old]
    return layer.drop_vars(in_the_way).rename(names)


def _without_other_axes(layer: xr.DataArray, file: Path) -> xr.DataArray:
    """Nothing but place and time: axes of one are dropped, ERA5's versions merged."""
    for axis in set(layer.dims) - {"layer", "y", "x"}:
        parts = [layer.isel({axis: i}, drop=True) for i in range(layer.sizes[axis])]
        if axis == "expver":  # final numbers first, preliminary ones where those are missing
            for part in parts[1:]:
                parts[0] = parts[0].fillna(part)
        elif len(parts) > 1:
            found = layer[axis].values[:6].tolist() if axis in layer.coords else len(parts)
            fix = "Give a file with one of them, or with their mean"
            raise InputError(f'it has another axis, "{axis}"', where=file, found=found, fix=fix)
        layer = parts[0]
    return layer


def _placed(layers: xr.DataArray, file: Path, entry: Entry, is_netcdf: bool) -> xr.DataArray:
    """Layers with a CRS, north on top and longitudes up to 180°."""
    crs = layers.rio.crs
    if crs is None or not (crs.is_projected or crs.is_geographic):  # none, or a local frame
        crs = parse_crs(entry.crs, f"{file}, `crs`") if entry.crs else None
    if crs is None and is_netcdf and abs(layers.x).max() <= 360:
        crs = "EPSG:4326"
    if crs is None:
        fix = 'Add a line "crs: EPSG:…" to its entry in catalog.yml'
        raise InputError("the raster states no CRS", where=file, fix=fix)
    layers = layers.rio.write_crs(crs)
    turned = layers
    if layers.y.size > 1 and layers.y[0] < layers.y[-1]:
        turned = turned.isel(y=slice(None, None, -1))
    if layers.rio.crs.is_geographic and layers.x.max() > 181:
        east = (layers.x + 180) % 360 - 180
        if np.ptp(layers.x.values) < 180:  # a part of the earth stays in one piece
            east = layers.x - 360
        turned = turned.assign_coords(x=east.values).sortby("x")
    if turned is layers:
        return layers
    return turned.rio.write_transform(turned.rio.transform(recalc=True))


def date_in(text: str, *, year_alone: bool = False):
    """The date in a name ("chirps-v2.0.2022.01.15", "pr_202203"), or None; a year alone counts as
    its first day where that is asked for.
    """
    month = r"([-_.]?)(0[1-9]|1[0-2])(?:\2(0[1-9]|[12]\d|3[01]))?"
    found = re.search(rf"(?<!\d)((?:19|20)\d\d)(?:{month})?(?!\d)", text)
    if not found or not (found[3] or year_alone):
        return None
    try:
        return _date(int(found[1]), int(found[3] or 1), int(found[4] or 1))
    except ValueError:
        return None


def _date(year: int, month: int, day: int = 1, calendar: str = "standard"):
    """A date of a calendar (cftime)."""
    text = f"{year:04d}-{month:02d}-{day:02d}"
    return xr.date_range(text, periods=1, calendar=calendar, use_cftime=True)[0]


def decode_times(values: np.ndarray, attrs: dict) -> list:
    """Dates of a NetCDF's time axis; None where it does not tell.

    Examples
    --------
    >>> time, = decode_times(np.array([14]), {"units": "months since 2021-01-01"})
    >>> time.year, time.month
    (2022, 3)
    """
    units, calendar = str(attrs.get("units", "")), attrs.get("calendar", "standard")
    months = re.match(r"months? since (\d+)-(\d+)", units)
    try:
        if months:  # of no fixed length, so that xarray refuses them
            count = np.floor(values + 12 * int(months[1]) + int(months[2]) - 1).astype(int)
            return [_date(i // 12, i % 12 + 1, calendar=calendar) for i in count.tolist()]
        if "since" in units:
            coded = xr.Variable("time", values, {"units": units, "calendar": calendar})
            return xr.coders.CFDatetimeCoder(use_cftime=True).decode(coded).values.tolist()
    except (ValueError, TypeError, OverflowError):
        return [None] * len(values)
    return [date_in(str(value).split(".")[0][:10]) for value in values]
