"""One variable of a NetCDF or HDF5 file: its axes by what they mean, whatever they are called."""

import re
import warnings
from pathlib import Path

import cf_xarray  # noqa: F401 (gives xarray objects their .cf)
import xarray as xr

from lsa_helpers.errors import InputError
from lsa_helpers.sources.catalog import Entry
from lsa_helpers.sources.quantities import LENGTHS
from lsa_helpers.sources.series import decode_times

_NAMES = {
    "x": {"x", "lon", "longitude", "long", "easting", "east", "rlon", "nav_lon", "west_east"},
    "y": {"y", "lat", "latitude", "northing", "north", "rlat", "nav_lat", "south_north"},
    "layer": {"time", "valid_time", "month", "date", "day", "year", "t", "times", "forecast_time"},
}
_MEANINGS = {"x": ("X", "longitude"), "y": ("Y", "latitude"), "layer": ("T", "time")}
_RAIN = re.compile(r"precip|rain|^(pre|prec|pr|tp|ppt|rr|rfe|mtpr)$", re.I)
_ABOUT = re.compile(r"anom|error|qual|count|prob|std|uncert|flag", re.I)  # not the rain itself


def open_netcdf(file: Path, entry: Entry) -> xr.DataArray:
    """A variable with the axes layer, y and x; nothing of it is read yet.

    Parameters
    ----------
    file : Path
    entry : Entry
        Its `variable`, and the group as its `layer`.

    Returns
    -------
    DataArray, dims (layer, y, x)
        NaN as nodata, y from north to south; its attribute ``times`` holds the dates of its layers
        or None, ``close`` what closes the file.

    Raises
    ------
    InputError
        When the variable is not clear, its cells have no coordinates, or it has an axis that is
        neither of place nor of time.
    OSError
        When the file cannot be opened.
    """
    dataset = xr.open_dataset(
        file,
        engine="netcdf4",
        group=entry.layer or None,
        decode_coords="all",
        decode_times=False,
        decode_timedelta=False,
    )
    try:
        layer = dataset[_variable(dataset, file, entry)]
        layer = _named(layer, file)
        dates = (
            decode_times(layer.layer.values, layer.layer.attrs) if "layer" in layer.coords else []
        )
        layer = _without_other_axes(layer, file)
    except BaseException:
        dataset.close()
        raise
    if "layer" not in layer.dims:
        layer = layer.expand_dims("layer")
    layer = layer.transpose("layer", "y", "x")
    if layer.y.size > 1 and layer.y[0] < layer.y[-1]:
        layer = layer.isel(y=slice(None, None, -1))
    layer.attrs["times"] = dates or [None] * layer.sizes["layer"]
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
        what = (
            f'the variable "{entry.variable}" does not exist'
            if entry.variable
            else "the file holds several variables"
            if maps
            else "the file holds no maps"
        )
        groups = "" if maps or entry.layer else "; those of a group with `layer`"
        found = list(map(str, dataset.data_vars)) or "none"
        fix = f"Name one with `variable`{groups}"
        raise InputError(what, where=file, found=found, fix=fix)
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
        for name in [*by_cf, *by_name]:
            if name not in names:
                names[name] = short
                break
    lacking = [
        a
        for a in "xy"
        if a not in names.values()
        or not any(short == a and name in layer.coords for name, short in names.items())
    ]
    if lacking:
        raise InputError(
            "its cells have no coordinates along their rows and columns",
            where=file,
            found=f"axes {', '.join(map(str, layer.dims))}",
            fix="Bring it to a regular grid (cdo remapbil or gdalwarp -geoloc) and give that",
        )
    layer = layer.drop_vars(
        [short for old, short in names.items() if short in layer.coords and short != old]
    ).rename(names)
    for axis in "xy":  # projected ones may be in kilometres
        factor = LENGTHS.get(str(layer[axis].attrs.get("units", "")).strip().lower(), 1.0)
        in_metres = layer.rio.crs is None or layer.rio.crs.linear_units_factor[1] == 1
        if factor == 1000 and in_metres:
            layer = layer.assign_coords({axis: layer[axis].astype(float) * factor})
    return layer


def _without_other_axes(layer: xr.DataArray, file: Path) -> xr.DataArray:
    """Nothing but place and time: axes of one are dropped, ERA5's versions merged."""
    for axis in set(layer.dims) - {"layer", "y", "x"}:
        parts = [layer.isel({axis: i}, drop=True) for i in range(layer.sizes[axis])]
        if axis == "expver":  # final numbers first, preliminary ones where those are missing
            for part in parts[1:]:
                parts[0] = parts[0].fillna(part)
        elif len(parts) > 1:
            values = layer[axis].values[:6].tolist() if axis in layer.coords else len(parts)
            raise InputError(
                f'it has another axis, "{axis}"',
                where=file,
                found=values,
                fix="Give a file with one of them, or with their mean",
            )
        layer = parts[0]
    return layer
