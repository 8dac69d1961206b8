"""The catalog's own inventory of landslides."""

import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr

from lsa_helpers.errors import InputError, doubt, note
from lsa_helpers.sources.areas import as_polygons, read_areas
from lsa_helpers.sources.catalog import Catalog, Entry
from lsa_helpers.sources.kinds import is_raster
from lsa_helpers.sources.labels import is_landslide, tell_landslides
from lsa_helpers.sources.vectors import read_features

# Columns looked at where none is named.
_LABELS = {"label", "labels", "class", "landslide", "landslides", "is_landslide", "presence"}
# What columns that say how far points may be off are called; Shapefiles cut names.
_ACCURACY = re.compile(
    r"((location|positional|coordinate|horizontal)_?)?"
    r"(accuracy|uncertainty(_?in_?met(er|re)s)?|precision|location_a|精度)(_(km|m))?_?"
)
_MOST_LABELS = 50
_MUCH = 0.3  # share of the area that landslides hardly cover
_TOO_VAGUE = 0.1  # share of the area's shorter side


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
        of which are stable ground; accuracy_m where points are not exact; geometry in the grid's
        CRS. None without an inventory.

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
        return _points(features, label, entry, grid, file)
    landslides = _numbered(as_polygons(features, file))
    landslides["area_m2"] = landslides.area
    if len(landslides) != len(label):  # made of open lines
        label = np.ones(len(landslides), int)
    _doubt_share(landslides["area_m2"][label == 1].sum(), bounds, file)
    if (label == 0).any():
        landslides["label"] = label
    return landslides


def _doubt_share(area_m2: float, bounds, file: Path) -> None:
    """Doubt landslides that cover much of the land."""
    left, bottom, right, top = bounds
    share = area_m2 / ((right - left) * (top - bottom))
    if share > _MUCH:
        doubt(
            "landslides cover much of the study area",
            where=file,
            found=f"{share:.0%} of it",
            fix="Is it the outline of the area, or slopes that are unstable?",
        )


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
        raise InputError(
            "no landslide of the inventory lies in the study area",
            where=file,
            found="{} features at {}, the area at {}".format(len(features), *places),
            fix="Check the file's CRS, and that `x` and `y` are not exchanged",
        )
    if len(inside) < len(features):
        beyond = f"{len(features) - len(inside)} of {len(features)}"
        note("features outside the study area are left out", where=file, found=beyond)
    return inside


def _labelled(features: gpd.GeoDataFrame, entry: Entry, file: Path) -> tuple:
    """The features that are landslides or surely none, and which is which: int (n,)."""
    column = entry.label or _label_column(features, entry.landslide_labels, file)
    if not column and entry.landslide_labels:
        raise InputError(
            "no column holds the `landslide_labels`",
            where=file,
            found=[name for name in features if name != "geometry"],
            fix="Name it with `label` in catalog.yml",
        )
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
        if set(told.values()) == {True, False} and (plain or in_words):
            return column
        if set(told.values()) == {True, False}:
            fix = "Name it with `label`, if it tells landslides from places without"
            doubt(f'all are read as landslides, whatever "{column}" says', where=file, fix=fix)
    return ""


def _points(features, label, entry: Entry, grid, file: Path) -> gpd.GeoDataFrame:
    """Points with their label, and how exact they are where that is known."""
    points = _numbered(features).assign(label=label)
    if not (label == 1).all():  # places without are used as they are
        return points
    if entry.accuracy_m:
        return points.assign(accuracy_m=entry.accuracy_m)
    snake = {name: re.sub(r"[\W_]+", "_", str(name)).casefold() for name in features}
    column = next((name for name in features if _ACCURACY.fullmatch(snake[name])), None)
    if column is None:
        return points
    metres = 1000 if snake[column].rstrip("_").endswith("_km") else 1
    accuracy = _accuracy(features[column], metres, file)
    left, bottom, right, top = grid.rio.bounds()
    most = _TOO_VAGUE * min(right - left, top - bottom)
    return _exact_enough(points.assign(accuracy_m=accuracy.to_numpy()), most, column, file)


def _accuracy(column: pd.Series, metres: float, file: Path) -> pd.Series:
    """How far points may be off, m, of numbers in units of so many metres, or of texts such as
    "5km" and "exact"; the largest that occurs where nothing is said or understood.
    """
    texts = column.astype("string").str.casefold().str.strip()
    number = pd.to_numeric(texts.str.extract(r"^(\d+(?:\.\d+)?) ?k?m?$")[0])
    factor = texts.str.extract("(k?m)$")[0].map({"km": 1000.0, "m": 1.0}).fillna(metres)
    accuracy = (number * factor).mask(texts == "exact", 0.0).astype(float)
    understood = accuracy.notna().any()
    what = f'"{column.name}" does not say in metres how far points may be off: taken for exact'
    if understood:
        what = f'how far points may be off is read from "{column.name}"'
    counts = texts.fillna("nothing").value_counts().head(6)
    (note if understood else doubt)(
        what,
        where=file,
        found=", ".join(f"{text} ({count})" for text, count in counts.items()),
        fix="Give one for all with `accuracy_m`, if that is wrong",
    )
    return accuracy.fillna(accuracy.max()).fillna(0.0)


def _exact_enough(points: gpd.GeoDataFrame, most: float, column: str, file: Path):
    """Points that say where in the area they lie."""
    kept = points[points["accuracy_m"] <= most].reset_index(drop=True)
    if len(kept) == len(points):
        return points
    found = f"{len(points) - len(kept)} of {len(points)} may be more than {most:.0f} m off"
    fix = f'Keep them with `accuracy_m` in catalog.yml, if "{column}" is wrong'
    if kept.empty:
        what = "no point is known well enough for so small an area"
        raise InputError(what, where=file, found=found, fix=fix)
    doubt("points too inexact for the area are left out", where=file, found=found, fix=fix)
    return kept
