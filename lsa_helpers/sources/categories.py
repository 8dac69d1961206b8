"""Classes on the grid, from rasters and polygons: lithology, land use and others."""

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from rasterio.enums import Resampling

from lsa_helpers.errors import InputError, doubt, note
from lsa_helpers.raster import on_grid
from lsa_helpers.sources.areas import as_polygons, burn
from lsa_helpers.sources.catalog import Catalog, Entry
from lsa_helpers.sources.kinds import is_raster
from lsa_helpers.sources.rasterfiles import open_source
from lsa_helpers.sources.rasters import mosaic
from lsa_helpers.sources.tables import is_missing
from lsa_helpers.sources.vectors import read_features

_MOST_FLOAT32 = 2**24  # whole numbers up to here are exact in float32
_MOST_CLASSES = 40
_LARGEST = {127, 255, 32767, 65535}  # of the types of whole numbers, which often mean nodata


def categorical(
    catalog: Catalog, entry: Entry, grid: xr.DataArray
) -> tuple[xr.DataArray, dict[int, str]]:
    """A source of classes on the grid: rasters by nearest neighbour, polygons burnt.

    Parameters
    ----------
    catalog : Catalog
    entry : Entry
        May name the classes of a raster or of a numeric attribute.
    grid : DataArray, dims (y, x)
        Any raster on the cells wanted.

    Returns
    -------
    codes : DataArray, dims (y, x)
        float32 integer codes, NaN where the source has nothing.
    names : dict
        Code → name of the classes there; text attributes are numbered in alphabetical order, an
        unnamed number is its own name.

    Raises
    ------
    InputError
        As `continuous`.
    """
    file = catalog.path(entry)
    if is_raster(file):
        codes, labels = _raster_classes(catalog, entry, grid)
    else:
        codes, labels = _polygon_classes(catalog, entry, grid)
    given = {_key(key): name for key, name in entry.names.items()}
    present = np.unique(codes.values[np.isfinite(codes.values)]).astype(int).tolist()
    names = {code: given.get(_key(labels[code]), labels[code]) for code in present}
    _check_classes(names, {_key(labels[code]) for code in present}, given, file)
    return codes, names


def _polygon_classes(catalog: Catalog, entry: Entry, grid: xr.DataArray) -> tuple:
    """Codes on the grid and the label of each, of an attribute of polygons."""
    file = catalog.path(entry)
    name = entry.attribute or entry.value
    features = as_polygons(read_features(catalog, entry, grid.rio.crs, [name]), file)
    values = features[name]
    missing = is_missing(values)
    if missing.all():
        raise InputError(f'the attribute "{name}" is empty', where=file)
    labels = values[~missing].map(_label_of)
    codes = _codes(labels, file)
    number = labels.map(codes).reindex(values.index)
    # What has no class is burnt too: it may lie over what has one.
    burnt = burn(catalog, features, number.fillna(-1), grid, file)
    if missing.any():
        cells = float((burnt == -1).mean())
        found = f"{missing.sum()} of {len(values)} polygons, {cells:.1%} of the cells"
        note(f'no class in "{name}", so a gap in the map', where=file, found=found)
    return burnt.where(burnt >= 0), {code: label for label, code in codes.items()}


def _key(label) -> str:
    """A label without leading zeros, as YAML reads numbers."""
    return str(label).lstrip("0") or "0" if str(label).isdigit() else str(label)


def _label_of(value) -> str:
    """A class as text; whole numbers without a decimal point."""
    is_whole = isinstance(value, float | np.floating) and float(value).is_integer()
    return str(int(value)) if is_whole else str(value).strip()


def _codes(labels: pd.Series, file: Path) -> dict[str, int]:
    """Label → code: the number it is where float32 keeps all of them, else one in their order."""
    unique = sorted(labels.unique())
    numbers = pd.to_numeric(pd.Series(unique), errors="coerce")
    if numbers.isna().any() or numbers.duplicated().any():
        return {label: code for code, label in enumerate(unique, start=1)}
    if (numbers != numbers.round()).any():
        _refuse_fractions(numbers.to_numpy(), file)
    if numbers.between(0, _MOST_FLOAT32).all():
        return dict(zip(unique, numbers.astype(int), strict=True))
    ordered = sorted(unique, key=float)
    return {label: code for code, label in enumerate(ordered, start=1)}


def _raster_classes(catalog: Catalog, entry: Entry, grid: xr.DataArray) -> tuple:
    """Codes on the grid and the label of each, of a raster."""
    codes = mosaic(catalog, entry, grid, Resampling.nearest)
    present = np.unique(codes.values[np.isfinite(codes.values)])
    if (present != present.round()).any():
        _refuse_fractions(present, catalog.path(entry))
    if np.abs(present).max() <= _MOST_FLOAT32:
        return codes, {int(code): str(int(code)) for code in present}
    # Too long for float32: brought to the grid as they are, then numbered.
    merged = np.full(grid.shape, np.nan)
    for file in catalog.files(entry):
        with open_source(file, entry) as source:
            tile = source.astype(float).rio.write_nodata(np.nan)
            moved = tile.rio.reproject_match(grid, resampling=Resampling.nearest).to_numpy()
        merged = np.where(np.isnan(merged), moved, merged)
    present = np.unique(merged[np.isfinite(merged)])
    codes = np.where(np.isnan(merged), np.nan, np.searchsorted(present, merged) + 1)
    labels = {code: str(int(value)) for code, value in enumerate(present, start=1)}
    return on_grid(codes.astype(np.float32), grid), labels


def _refuse_fractions(values: np.ndarray, file: Path) -> None:
    """Classes are whole numbers or names."""
    what = "classes are whole numbers or names, and these are fractions"
    found = f"{len(values)} values from {values.min():g} to {values.max():g}"
    fix = "Name the column or band with the classes, or give amounts under `extra:`"
    raise InputError(what, where=file, found=found, fix=fix)


def _check_classes(names: dict, labels: set, given: dict, file: Path) -> None:
    """Say what does not fit between the classes there are and the names given to them."""
    if len(names) > _MOST_CLASSES:
        what = f"{len(names)} classes are more than a map can tell apart"
        found = ", ".join(list(names.values())[:5])
        fix = "Is it a number of each polygon, or an amount? Name another column"
        doubt(what, where=file, found=found, fix=fix)
    largest, *others = sorted(names, reverse=True)
    if largest in _LARGEST - set(map(int, filter(str.isdigit, given))) and others[:1] < [
        largest // 2
    ]:
        found = ", ".join(map(str, reversed(others[:12])))
        fix = "Declare it in the file (gdal_edit.py -a_nodata), or name it in `names`"
        doubt(f"the class {largest} is probably nodata", where=file, found=found, fix=fix)
    unused, unnamed = sorted(given.keys() - labels), sorted(labels - given.keys())
    if given and unnamed:
        note("classes without a name in `names`", where=file, found=", ".join(unnamed[:12]))
    if unused:
        note("names for classes that do not occur here", where=file, found=", ".join(unused[:12]))
