"""Vector files and tables of points: reading them, and interpolating stations."""

from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr

from lsa_helpers.errors import InputError, InputNote, note
from lsa_helpers.raster import on_grid
from lsa_helpers.sources.catalog import Catalog, Entry
from lsa_helpers.sources.crs import parse_crs
from lsa_helpers.sources.kinds import is_raster
from lsa_helpers.sources.quantities import in_unit
from lsa_helpers.sources.tables import is_table, numbers, read_table
from lsa_helpers.sources.vectorfiles import read_layer


def read_features(
    catalog: Catalog, entry: Entry, crs, needed: Sequence[str] = ()
) -> gpd.GeoDataFrame:
    """Features of all files of an entry, vector files or tables of points, in `crs`.

    Heights are left out, invalid polygons made valid, several points of one feature told apart.

    Parameters
    ----------
    catalog : Catalog
    entry : Entry
    crs : CRS or None
        None: that of the first file.
    needed : sequence of str
        Columns that every file must have.

    Returns
    -------
    GeoDataFrame
        The columns of all files, NaN where a file has not got one.

    Raises
    ------
    InputError
        When a file cannot be read, has several layers and none is named, lacks a column, states no
        CRS or holds coordinates its CRS cannot have, or when no file holds a feature.
    """
    files = catalog.files(entry)
    parts = []
    for file in files:
        features = _clean(_read(file, entry), file)
        if features.empty and len(files) > 1:
            note("the file holds no features", where=file)
            continue
        for name in needed:
            features = _with_column(features, name, file)
        parts.append(_moved(features, crs or features.crs, file))
        crs = crs or parts[0].crs
    if not sum(map(len, parts)):
        fix = "Correct the file or delete its entry in catalog.yml"
        raise InputError("the file holds no features", where=files[0], fix=fix)
    return gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs=crs)


def _read(file: Path, entry: Entry) -> gpd.GeoDataFrame:
    """All features of one file as they are, with a CRS."""
    if is_raster(file):
        fix = "Give it an entry of its own"
        raise InputError("a raster cannot be joined with vectors or tables", where=file, fix=fix)
    try:
        features = read_table(file, entry) if is_table(file) else read_layer(file, entry)
    except (InputError, InputNote):
        raise
    except Exception as error:
        parts = "A Shapefile needs its .shx and .dbf too" if file.suffix.lower() == ".shp" else ""
        fix = f"Is it complete? {parts or 'Copy it again'}"
        raise InputError("the file cannot be read", where=file, found=error, fix=fix) from None
    if entry.crs:
        crs_of_file = parse_crs(entry.crs, f"{file}, `crs`")
        features = features.set_crs(crs_of_file, allow_override=True)
    if features.crs is None:
        fix = 'Add a line "crs: EPSG:…" to its entry in catalog.yml'
        raise InputError("the file states no CRS", where=file, fix=fix)
    return features


def _with_column(features: gpd.GeoDataFrame, name: str, file: Path) -> gpd.GeoDataFrame:
    """Features with a column of that name, which may be written otherwise there."""
    if name in features:
        return features
    # Shapefiles cut names at ten characters.
    alike = {name.casefold(), name[:10].casefold()}
    same = [column for column in features if str(column).casefold() in alike]
    if name and len(same) == 1:
        return features.rename(columns={same[0]: name})
    what = f'the attribute "{name}" does not exist' if name else "no attribute is named"
    found = [column for column in features.columns if column != "geometry"]
    fix = "Name it in catalog.yml, with `attribute`, `value` or `label`"
    raise InputError(what, where=file, found=found, fix=fix)


def _clean(features: gpd.GeoDataFrame, file: Path) -> gpd.GeoDataFrame:
    """Features with a valid geometry in two dimensions, one for each point of several."""
    there = features.geometry.notna() & ~features.geometry.is_empty
    if there.any() and not there.all():
        found = f"{(~there).sum()} of {len(features)}"
        note("features without a place are left out", where=file, found=found)
    features = features[there].reset_index(drop=True)
    features = features.set_geometry(features.geometry.force_2d())
    several = features.geom_type.isin(["MultiPoint", "GeometryCollection"])
    if several.any():
        parts = features[several].explode(ignore_index=True)
        features = pd.concat([features[~several], parts], ignore_index=True)
    invalid = ~features.is_valid
    with np.errstate(all="ignore"):  # damaged files hold any number
        features.loc[invalid, features.geometry.name] = features[invalid].geometry.make_valid()
    return (
        features if features.geometry.name == "geometry" else features.rename_geometry("geometry")
    )


def _moved(features: gpd.GeoDataFrame, crs, file: Path) -> gpd.GeoDataFrame:
    """Features in another CRS, without those that have no place in it."""
    nowhere = features.crs.is_geographic & (features.bounds == 0).all(axis=1)
    if nowhere.any() and not nowhere.all():
        what = "features at 0° east and 0° north are left out, as without a place"
        note(what, where=file, found=f"{nowhere.sum()} of {len(features)}")
        features = features[~nowhere]
    moved = features.to_crs(crs)
    # What lies on the far side of the earth has no place in this CRS; metres called degrees have
    # none either.
    near = np.isfinite(moved.bounds).all(axis=1)
    if len(features) and not near.any():
        found = f"{features.crs.to_string()} and coordinates such as {features.total_bounds[:2]}"
        fix = "Exchange `x` and `y` in catalog.yml if they are swapped, or correct `crs`"
        raise InputError("the coordinates do not fit the CRS", where=file, found=found, fix=fix)
    return moved[near]


def read_amounts(catalog: Catalog, entry: Entry, crs) -> tuple[gpd.GeoDataFrame, pd.Series]:
    """Features and their values in the factor's unit; those without a value are left out and said.

    Raises
    ------
    InputError
        As `read_features`, and when the values are no numbers.
    """
    name = entry.value or entry.attribute
    file = catalog.path(entry)
    features = read_features(catalog, entry, crs, [name])
    values = in_unit(catalog, entry, numbers(features[name], file), file)
    known = values.notna()
    if not known.all():
        found = f"{(~known).sum()} of {len(known)}"
        note(f'features without a value in "{name}" are left out', where=file, found=found)
    return features[known], values[known]


def inverse_distance(
    x: np.ndarray, y: np.ndarray, values: np.ndarray, grid: xr.DataArray
) -> xr.DataArray:
    r"""Inverse-distance-weighted interpolation of points with power 2.

    Parameters
    ----------
    x, y, values : ndarray, shape (points,)
        Coordinates in the grid's CRS (metres) and values.
    grid : DataArray, dims (y, x)
        Any raster on the cells wanted.

    Returns
    -------
    DataArray, dims (y, x)
        float32, the unit of `values`.

    Notes
    -----
    .. math:: \hat v = \frac{\sum_i v_i / d_i^2}{\sum_i 1 / d_i^2}

    with the distances d to all points; the value of a point where a cell's centre meets it. It
    never leaves the range of the points, and says nothing about places far from all of them.

    **Source**: Shepard (1968), doi:10.1145/800186.810616.
    """
    from xrspatial.interpolate import idw

    surface = idw(x, y, values, xr.zeros_like(grid, dtype=float), power=2.0)
    return on_grid(surface.to_numpy().astype(np.float32), grid)


def station_error(catalog: Catalog, entry: Entry, grid: xr.DataArray) -> tuple[int, float] | None:
    """How far `inverse_distance` errs at each station when it is left out (root mean square).

    Parameters
    ----------
    catalog : Catalog
    entry : Entry
    grid : DataArray, dims (y, x)
        In whose CRS distances are measured.

    Returns
    -------
    tuple or None
        Number of stations and error in the unit of their values; None when the features are not
        points, so that nothing is interpolated.
    """
    features, values = read_amounts(catalog, entry, grid.rio.crs)
    if not (features.geom_type == "Point").all():
        return None
    x, y, values = features.geometry.x.to_numpy(), features.geometry.y.to_numpy(), values.to_numpy()
    squared = (x[:, None] - x) ** 2 + (y[:, None] - y) ** 2
    np.fill_diagonal(squared, np.inf)
    weights = 1 / np.maximum(squared, 1.0)
    predicted = weights @ values / weights.sum(axis=1)
    return len(values), float(np.sqrt(np.mean((predicted - values) ** 2)))
