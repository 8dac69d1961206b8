"""The catalog's own inventory of landslides."""

import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import xarray as xr

from lsa_helpers.errors import InputError, doubt, note
from lsa_helpers.sources.areas import as_polygons, read_areas
from lsa_helpers.sources.catalog import Catalog, Entry
from lsa_helpers.sources.kinds import is_raster
from lsa_helpers.sources.labels import is_landslide, tell_landslides
from lsa_helpers.sources.vectors import read_features

# Columns looked at where none is named.
_LABELS = {"label", "labels", "class", "landslide", "landslides", "is_landslide", "presence"}
_ACCURACY = re.compile(r"accuracy|uncertainty|precision|精度", re.I)  # of points, by its column
_MOST_LABELS = 50
# Farther from a CRS's origin than any place of the Earth, m.
_EARTH_M = 1e8
_MUCH = 0.3  # share of the area that landslides hardly cover


def read_inventory(catalog: Catalog, grid: xr.DataArray | xr.Dataset) -> gpd.GeoDataFrame | None:
    """The catalog's inventory: polygons or points of landslides, and of places without where a
    column tells them apart.

    Parameters
    ----------
    catalog : Catalog
        The entry `inventory` may be vectors, a table, or a raster of marked cells.
    grid : DataArray or Dataset, dims (y, x)
        The area looked at, in its CRS.

    Returns
    -------
    GeoDataFrame or None
        Columns id; area_m2 of polygons; label (1 landslide, 0 none) of points, and of polygons some
        of which are stable ground; accuracy_m where the entry says it of points; geometry in the
        grid's CRS. None without an inventory.

    Raises
    ------
    InputError
        When it is empty, does not overlap the grid, mixes polygons and points, or its labels cannot
        be understood.
    """
    entry = catalog.inventory
    if entry is None:
        return None
    file, bounds = catalog.path(entry), grid.rio.bounds()
    if is_raster(file):
        features = _inside(read_areas(catalog, entry, grid.rio.crs, bounds), bounds, file)
        label = np.ones(len(features), int)
    else:
        needed = [entry.label] if entry.label else []
        features = read_features(catalog, entry, grid.rio.crs, needed)
        features, label = _labelled(_inside(features, bounds, file), entry, file)
    if twins := int(features.geometry.duplicated().sum()):
        note("features at the place of another", where=file, found=f"{twins} of {len(features)}")
    if (features.geom_type == "Point").all():
        return _points(features, label, entry, file)
    landslides = _numbered(as_polygons(features, file))
    _refuse_far_outlines(landslides, file)
    landslides["area_m2"] = landslides.area
    if len(landslides) != len(label):  # made of open lines
        label = np.ones(len(landslides), int)
    left, bottom, right, top = bounds
    share = landslides["area_m2"][label == 1].sum() / ((right - left) * (top - bottom))
    if share > _MUCH:
        what, found = "landslides cover much of the study area", f"{share:.0%} of it"
        fix = "Is it the outline of the area, or slopes that are unstable?"
        doubt(what, where=file, found=found, fix=fix)
    if (label == 0).any():
        landslides["label"] = label
    return landslides


def _refuse_far_outlines(landslides: gpd.GeoDataFrame, file: Path) -> None:
    """Refuse outlines that reach farther than the Earth does, as those of damaged files may."""
    reach = np.abs(landslides.bounds.to_numpy()).max(axis=1)
    if not (reach < _EARTH_M).all():
        what, fix = "an outline reaches to where no land is", "Repair or delete it"
        found = f"landslide {1 + int(np.argmax(~(reach < _EARTH_M)))}, to {np.nanmax(reach):.0e} m"
        raise InputError(what, where=file, found=found, fix=fix)


def _numbered(features: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Geometries with an id from 1."""
    table = {"id": np.arange(1, len(features) + 1)}
    return gpd.GeoDataFrame(table, geometry=features.geometry.to_numpy(), crs=features.crs)


def _inside(features: gpd.GeoDataFrame, bounds, file: Path) -> gpd.GeoDataFrame:
    """The features that meet the area; how many do not is said."""
    left, bottom, right, top = bounds
    inside = features.cx[left:right, bottom:top].reset_index(drop=True)
    if inside.empty:
        places = [np.round(edges, 1).tolist() for edges in (features.total_bounds, bounds)]
        what = "no landslide of the inventory lies in the study area"
        found = "{} features at {}, the area at {}".format(len(features), *places)
        fix = "Check the file's CRS, and that `x` and `y` are not exchanged"
        raise InputError(what, where=file, found=found, fix=fix)
    if len(inside) < len(features):
        beyond = f"{len(features) - len(inside)} of {len(features)}"
        note("features outside the study area are left out", where=file, found=beyond)
    return inside


def _labelled(features: gpd.GeoDataFrame, entry: Entry, file: Path) -> tuple:
    """The features that are landslides or surely none, and which is which: int (n,)."""
    column = entry.label or _label_column(features, entry.landslide_labels, file)
    if not column and entry.landslide_labels:
        what = "no column holds the `landslide_labels`"
        found = [name for name in features if name != "geometry"]
        raise InputError(what, where=file, found=found, fix="Name it with `label` in catalog.yml")
    if not column:
        return features, np.ones(len(features), int)
    if not entry.label:
        fix = "Name another with `label`, or rename it if it is none"
        note(f'the column "{column}" is read as the label', where=file, fix=fix)
    label = tell_landslides(features[column], entry.landslide_labels, file)
    return features[label >= 0].reset_index(drop=True), label[label >= 0]


def _label_column(features: gpd.GeoDataFrame, chosen: list, file: Path) -> str:
    """The column of the chosen labels, or one that tells landslides from places without by its name
    or in words; one that may is doubted.
    """
    texts = set(map(str, chosen))
    for column in features.columns.drop("geometry"):
        values = features[column].dropna().astype(str).unique()
        if texts and texts <= set(values):
            return column
        told = {value: is_landslide(value) for value in values[:_MOST_LABELS]}
        if len(values) > _MOST_LABELS:
            continue
        in_words = any(told[value] and len(value) > 4 for value in told)  # not 1, yes or true
        plain = str(column).casefold() in _LABELS
        both = {True, False} <= set(told.values())
        if both and None not in told.values() and (plain or in_words):
            return column
        if both and (in_words or None not in told.values()):
            fix = "Name it with `label`, if it tells landslides from places without"
            doubt(f'all are read as landslides, whatever "{column}" says', where=file, fix=fix)
    return ""


def _points(features, label, entry: Entry, file: Path) -> gpd.GeoDataFrame:
    """Points with their label, and how exact they are where the entry says it."""
    points = _numbered(features).assign(label=label)
    if not (label == 1).all():  # places without are used as they are
        return points
    column = next((name for name in features if _ACCURACY.search(str(name))), None)
    if entry.accuracy_m:
        points["accuracy_m"] = entry.accuracy_m
    elif column is not None:
        what = f'the points are taken for exact, whatever "{column}" says'
        found = features[column].value_counts().head(6).to_dict()
        fix = "Say how far they may be off with `accuracy_m`, and leave out those known worse"
        doubt(what, where=file, found=found, fix=fix)
    return points
