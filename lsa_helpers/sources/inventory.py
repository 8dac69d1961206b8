"""The catalog's own inventory of landslides."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import xarray as xr

from lsa_helpers.errors import InputError
from lsa_helpers.sources.catalog import Catalog
from lsa_helpers.sources.vectors import attribute, read_features


def read_inventory(catalog: Catalog, grid: xr.DataArray | xr.Dataset) -> gpd.GeoDataFrame | None:
    """The catalog's inventory: polygons, or points with a column `label` (1 = landslide, 0 = none).

    Parameters
    ----------
    catalog : Catalog
    grid : DataArray or Dataset, dims (y, x)
        The area looked at, in its CRS.

    Returns
    -------
    GeoDataFrame or None
        Columns id, area_m2 (polygons) or label (points), geometry in the grid's CRS; None without
        an inventory.

    Raises
    ------
    InputError
        When it is empty, does not overlap the grid, holds neither polygons nor points, or a label
        is no number.
    """
    if catalog.inventory is None:
        return None
    file = catalog.path(catalog.inventory)
    features = read_features(file, catalog.inventory, grid.rio.crs)
    left, bottom, right, top = grid.rio.bounds()
    features = features.cx[left:right, bottom:top].reset_index(drop=True)
    if features.empty:
        fix = "Check the file's CRS"
        raise InputError(
            "no landslide of the inventory lies in the study area", where=file, fix=fix
        )
    table = {"id": np.arange(1, len(features) + 1)}
    landslides = gpd.GeoDataFrame(table, geometry=features.geometry.to_numpy(), crs=features.crs)
    if (landslides.geom_type == "Point").all():
        landslides["label"] = _labels(features, catalog.inventory.label, file)
        return landslides
    landslides["geometry"] = landslides.geometry.make_valid()
    landslides["area_m2"] = landslides.area
    if not landslides["area_m2"].any():
        raise InputError(
            "the inventory holds neither polygons nor points",
            where=file,
            found=sorted(set(landslides.geom_type)),
            fix="Give polygons, or points one by one",
        )
    return landslides


def _labels(points: gpd.GeoDataFrame, column: str, file: Path) -> np.ndarray | int:
    """What points are, from their column; without one all are landslides."""
    if not column:
        return 1
    values = attribute(points, column, file)
    try:
        return values.astype(int).to_numpy()
    except (TypeError, ValueError):
        raise InputError(
            f'the labels in "{column}" are no whole numbers',
            where=file,
            found=sorted(set(values.astype(str)))[:5],
            fix="Write 1 for landslide, 0 for none",
        ) from None
