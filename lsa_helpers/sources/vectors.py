"""Vector files and tables of points: reading them, and interpolating stations."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr

from lsa_helpers.errors import InputError
from lsa_helpers.raster import on_grid
from lsa_helpers.sources.catalog import TABLES, Catalog, Entry
from lsa_helpers.sources.crs import parse_crs
from lsa_helpers.sources.quantities import in_unit


def read_features(file: Path, entry: Entry, crs) -> gpd.GeoDataFrame:
    """Features of a vector file or of a table of points, in `crs`.

    Raises
    ------
    InputError
        When the file cannot be read, states no CRS, holds no features, or only such whose
        coordinates their CRS cannot have.
    """
    try:
        is_table = file.suffix.lower() in TABLES
        features = _read_points(file, entry) if is_table else gpd.read_file(file)
    except InputError:
        raise
    except Exception as error:
        fix = "Is it complete? Shapefiles have several parts"
        raise InputError("the file cannot be read", where=file, found=error, fix=fix) from None
    if entry.crs:
        crs_of_file = parse_crs(entry.crs, f"{file}, `crs`")
        features = features.set_crs(crs_of_file, allow_override=True)
    if features.crs is None:
        fix = 'Add a line "crs: EPSG:…" to its entry in catalog.yml'
        raise InputError("the file states no CRS", where=file, fix=fix)
    features = features[~features.geometry.is_empty & features.geometry.notna()]
    if features.empty:
        fix = "Correct the file or delete its entry in catalog.yml"
        raise InputError("the file holds no features", where=file, fix=fix)
    moved = features.to_crs(crs)
    # What lies on the far side of the earth has no place in this CRS; metres called degrees have
    # none either.
    near = np.isfinite(moved.bounds).all(axis=1)
    if not near.any():
        corner = features.total_bounds[:2]
        raise InputError(
            "the coordinates do not fit the CRS",
            where=file,
            found=f"{features.crs.to_string()} and coordinates such as {corner}",
            fix="Correct crs in catalog.yml, or the file",
        )
    return moved[near]


def _read_points(file: Path, entry: Entry) -> gpd.GeoDataFrame:
    """A table with coordinates as points in the entry's CRS (EPSG:4326 if it names none)."""
    if file.suffix.lower() == ".parquet":
        table = pd.read_parquet(file)
    elif file.suffix.lower() == ".csv":
        table = pd.read_csv(file)
    else:
        table = pd.read_excel(file, engine="calamine", sheet_name=entry.sheet or 0)
    for column in [entry.x, entry.y, *filter(None, [entry.value])]:
        if column not in table:
            raise InputError(
                f'the table has no column "{column}"',
                where=file,
                found=list(table.columns),
                fix="Name it in catalog.yml",
            )
    points = gpd.points_from_xy(table[entry.x], table[entry.y])
    return gpd.GeoDataFrame(
        table, geometry=points, crs=parse_crs(entry.crs or "EPSG:4326", f"{file}, `crs`")
    )


def attribute(features: gpd.GeoDataFrame, name: str, file: Path) -> pd.Series:
    """One attribute of a vector, or an error that lists those it has."""
    if name not in features:
        raise InputError(
            f'the attribute "{name}" does not exist',
            where=file,
            found=[column for column in features.columns if column != "geometry"],
            fix="Name it in catalog.yml",
        )
    return features[name]


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
    file = catalog.path(entry)
    features = read_features(file, entry, grid.rio.crs)
    if not (features.geom_type == "Point").all():
        return None
    values = attribute(features, entry.value or entry.attribute, file).astype(float)
    values = in_unit(catalog, entry, values, file).to_numpy()
    x = features.geometry.x.to_numpy()
    y = features.geometry.y.to_numpy()
    squared = (x[:, None] - x) ** 2 + (y[:, None] - y) ** 2
    np.fill_diagonal(squared, np.inf)
    weights = 1 / np.maximum(squared, 1.0)
    predicted = weights @ values / weights.sum(axis=1)
    return len(values), float(np.sqrt(np.mean((predicted - values) ** 2)))
