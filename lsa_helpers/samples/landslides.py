"""The landslides of a run, in the CRS of its rasters."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr

from lsa_helpers.errors import InputError

_SET_CRS = "Give it one: in QGIS, or with GeoDataFrame.set_crs"


def load_landslides(
    path: Path, which: str = "auto", *, with_absences: bool = False, at_least: int = 10
) -> gpd.GeoDataFrame:
    """Read the landslides that samples are drawn from or maps are judged by.

    Parameters
    ----------
    path : Path
        ``inventory.gpkg`` of a run.
    which : {"auto", "detected", "reference"}
        Its layer; auto takes the detected one if it holds at least `at_least` landslides.
    with_absences : bool
        Keep the places where no landslide is (``label`` 0).
    at_least : int
        Fewest landslides that auto accepts as a detected inventory.

    Returns
    -------
    GeoDataFrame
        Polygons or points, with ``label`` (1 landslide, 0 none) where that is told; the name of
        their layer in ``attrs["layer"]``.

    Raises
    ------
    InputError
        When the layer asked for is missing, states no CRS or holds no landslides.
    """
    layers = set(gpd.list_layers(path)["name"])
    layer = "reference" if which == "auto" else which
    if which == "auto" and "detected" in layers:
        enough = len(gpd.read_file(path, layer="detected")) >= at_least
        layer = "detected" if enough or "reference" not in layers else layer
    if layer not in layers:
        raise InputError(
            f'the inventory has no layer "{layer}"',
            where=path,
            found=sorted(layers),
            fix='Set inventory to "auto"',
        )
    landslides = gpd.read_file(path, layer=layer)
    if landslides.crs is None:
        raise InputError(
            f'the layer "{layer}" of the inventory states no CRS', where=path, fix=_SET_CRS
        )
    if "label" in landslides and not with_absences:
        landslides = landslides[landslides["label"] == 1]
    if len(landslides) == 0 and not with_absences:
        raise InputError(f"the {layer} inventory holds no landslides", where=path)
    landslides.attrs["layer"] = layer
    return landslides


def reproject_landslides(
    landslides: gpd.GeoDataFrame, grid: xr.DataArray | xr.Dataset
) -> gpd.GeoDataFrame:
    """Landslides in the CRS of a raster, rows as they are.

    Parameters
    ----------
    landslides : GeoDataFrame
        In any CRS.
    grid : DataArray or Dataset
        The raster.

    Returns
    -------
    GeoDataFrame

    Raises
    ------
    InputError
        When they state no CRS, have coordinates their CRS cannot have, or none meets the raster.
    """
    if landslides.crs is None:
        raise InputError(
            "the landslides state no CRS", found=f"{len(landslides)} features", fix=_SET_CRS
        )
    moved = landslides.to_crs(grid.rio.crs)
    low_x, low_y, high_x, high_y = moved.bounds.to_numpy().T
    left, bottom, right, top = grid.rio.bounds()
    # Metres called degrees become infinite, and burning an infinite polygon would never end.
    impossible = np.isinf(low_x) | np.isinf(high_y)
    inside = (low_x < right) & (high_x > left) & (low_y < top) & (high_y > bottom)
    if impossible.any() or not inside.any():
        where = f"{landslides.crs.to_string()}, {_extent(landslides.total_bounds)}"
        raise InputError(
            "the landslides do not overlap the grid",
            found=f"{where}; the grid is {grid.rio.crs.to_string()}, {_extent(grid.rio.bounds())}",
            fix="Check the CRS and the extent of the inventory",
        )
    return moved


def resample_landslides(samples: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Samples of as many landslides, drawn again with replacement: a bootstrap of whole landslides.

    Parameters
    ----------
    samples : DataFrame
        ``label`` and ``landslide_id``.
    seed : int

    Returns
    -------
    DataFrame
        Rows of a landslide as often as it was drawn, also not at all; rows without landslide once.

    Examples
    --------
    >>> samples = pd.DataFrame({"label": [1, 1, 1, 0], "landslide_id": [4, 4, 7, -1]})
    >>> resample_landslides(samples, 1)["landslide_id"].tolist()
    [4, 4, 7, -1]
    """
    rows = np.arange(len(samples))
    number = samples["landslide_id"].where(samples["label"] == 1, -1)
    there = number[number >= 0].unique()
    drawn = pd.Series(np.random.default_rng(seed).choice(there, len(there))).value_counts()
    times = np.where(number >= 0, number.map(drawn).fillna(0), 1).astype(int)
    return samples.iloc[np.repeat(rows, times)]


def _extent(bounds) -> str:
    """Bounds for a message."""
    left, bottom, right, top = bounds
    return f"{left:.6g} to {right:.6g} east, {bottom:.6g} to {top:.6g} north"
