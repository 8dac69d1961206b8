"""Vector files and tables of points: reading them, and interpolating stations."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr

from lsa_helpers.errors import InputError
from lsa_helpers.sources.catalog import TABLES, Catalog, Entry


def read_features(file: Path, entry: Entry, crs) -> gpd.GeoDataFrame:
    """Features of a vector file or of a table of points, in `crs`.

    Raises
    ------
    InputError
        When the file cannot be read, states no CRS, holds no features, or only such whose
        coordinates their CRS cannot have.
    """
    try:
        shapes = _read_points(file, entry) if file.suffix.lower() in TABLES else gpd.read_file(file)
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            "the file cannot be read",
            where=file,
            found=error,
            fix="Is it complete? Shapefiles have several parts",
        ) from None
    if shapes.crs is None and not entry.crs:
        raise InputError(
            "the file states no CRS",
            where=file,
            fix='Add a line "crs: EPSG:…" to its entry in catalog.yml',
        )
    shapes = shapes.set_crs(entry.crs, allow_override=True) if entry.crs else shapes
    shapes = shapes[~shapes.geometry.is_empty & shapes.geometry.notna()]
    if shapes.empty:
        raise InputError(
            "the file holds no features",
            where=file,
            fix="Correct the file or delete its entry in catalog.yml",
        )
    moved = shapes.to_crs(crs)
    # What lies on the far side of the earth has no place in this CRS; metres called degrees have
    # none either.
    near = np.isfinite(moved.bounds).all(axis=1)
    if not near.any():
        found = f"{shapes.crs.to_string()} and coordinates such as {shapes.total_bounds[:2]}"
        raise InputError(
            "the coordinates do not fit the CRS",
            where=file,
            found=found,
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
    for key in [entry.x, entry.y, *filter(None, [entry.value])]:
        if key not in table:
            raise InputError(
                f'the table has no column "{key}"',
                where=file,
                found=list(table.columns),
                fix="Name it in catalog.yml",
            )
    return gpd.GeoDataFrame(
        table,
        geometry=gpd.points_from_xy(table[entry.x], table[entry.y]),
        crs=entry.crs or "EPSG:4326",
    )


def attribute(shapes: gpd.GeoDataFrame, name: str, file: Path) -> pd.Series:
    """One attribute of a vector, or an error that lists those it has."""
    if name not in shapes:
        found = [column for column in shapes.columns if column != "geometry"]
        raise InputError(
            f'the attribute "{name}" does not exist',
            where=file,
            found=found,
            fix="Name it in catalog.yml",
        )
    return shapes[name]


def inverse_distance(
    x: np.ndarray, y: np.ndarray, values: np.ndarray, grid: xr.DataArray
) -> np.ndarray:
    """Inverse-distance-weighted interpolation of points with power 2 (Shepard 1968,
    doi:10.1145/800186.810616).

    Parameters
    ----------
    x, y, values : ndarray, shape (points,)
        Coordinates in the grid's CRS (metres) and values.
    grid : DataArray, dims (y, x)

    Returns
    -------
    ndarray, shape (height, width)
        float32, the unit of `values`.
    """
    from xrspatial.interpolate import idw

    template = xr.zeros_like(grid, dtype=float)
    return idw(x, y, values, template, power=2.0).to_numpy().astype(np.float32)


def station_error(catalog: Catalog, entry: Entry, grid: xr.DataArray) -> tuple[int, float] | None:
    """Number of stations and the leave-one-out root-mean-square error of inverse-distance
    interpolation (p = 2).

    None when the features are not points, so that nothing is interpolated.

    Returns
    -------
    count : int
    error : float
        In the unit of the stations' values.
    """
    file = catalog.path(entry)
    shapes = read_features(file, entry, grid.rio.crs)
    if not (shapes.geom_type == "Point").all():
        return None
    values = attribute(shapes, entry.value or entry.attribute, file).to_numpy(float) * entry.scale
    x, y = shapes.geometry.x.to_numpy(), shapes.geometry.y.to_numpy()
    squared = (x[:, None] - x) ** 2 + (y[:, None] - y) ** 2
    np.fill_diagonal(squared, np.inf)
    weights = 1 / np.maximum(squared, 1.0)
    predicted = weights @ values / weights.sum(axis=1)
    return len(values), float(np.sqrt(np.mean((predicted - values) ** 2)))
