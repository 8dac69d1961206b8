"""Areas, given as polygons, as closed lines or as a raster: landslides and study masks."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import xarray as xr
from rasterio.features import rasterize, shapes
from rioxarray.exceptions import NoDataInBounds, OneDimensionalRaster

from lsa_helpers.errors import InputError, doubt, note
from lsa_helpers.raster import on_grid
from lsa_helpers.sources.catalog import Catalog, Entry
from lsa_helpers.sources.kinds import is_raster
from lsa_helpers.sources.rasterfiles import open_source
from lsa_helpers.sources.vectors import read_features

_LITTLE, _MUCH = 0.005, 0.2  # shares of the area that polygons leave out
_MOST_VALUES = 12  # of a raster, that are listed


def read_areas(catalog: Catalog, entry: Entry, crs, bounds=None) -> gpd.GeoDataFrame:
    """Polygons of an entry: as they are, made of closed lines, or the outlines of a raster's marked
    cells.

    Parameters
    ----------
    catalog : Catalog
    entry : Entry
        Of a raster its `landslide_values` say which cells are marked; by default all that are
        neither 0 nor nodata.
    crs : CRS
    bounds : sequence of float, optional
        Left, bottom, right, top in `crs`: beyond, a raster is not read.

    Returns
    -------
    GeoDataFrame

    Raises
    ------
    InputError
        When no polygon can be made.
    """
    file = catalog.path(entry)
    if is_raster(file):
        return _marked_areas(catalog, entry, crs, bounds)
    return as_polygons(read_features(catalog, entry, crs), file)


def as_polygons(features: gpd.GeoDataFrame, file: Path) -> gpd.GeoDataFrame:
    """Features whose geometries are polygons; closed lines become some, and that is said.

    Raises
    ------
    InputError
        When there are points or lines that enclose nothing.
    """
    kinds = features.geom_type.str.removeprefix("Multi").value_counts()
    if set(kinds.index) <= {"Polygon", "GeometryCollection"}:
        return features
    areas = features.iloc[:0]
    if set(kinds.index) <= {"LineString", "LinearRing"}:
        areas = _enclosed(features)
    if areas.empty:
        mixed = "Polygon" in kinds.index
        raise InputError(
            "polygons are mixed with others" if mixed else "these features enclose no area",
            where=file,
            found=", ".join(f"{count} {kind}" for kind, count in kinds.items()),
            fix="Give a file of polygons alone, or for landslides one of points alone",
        )
    found = f"{len(areas)} of {len(features)} lines"
    note("closed lines are read as polygons", where=file, found=found)
    return areas


def _enclosed(lines: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The area inside each closed line; where some are open, those that all enclose together."""
    merged = shapely.line_merge(lines.geometry.to_numpy())
    if shapely.is_ring(merged).all():
        return lines.set_geometry([shapely.Polygon(ring) for ring in merged], crs=lines.crs)
    faces = shapely.get_parts(shapely.polygonize([lines.union_all()]))
    return gpd.GeoDataFrame(geometry=list(faces), crs=lines.crs)


def study_mask(catalog: Catalog, grid: xr.DataArray | xr.Dataset) -> xr.DataArray:
    """Whether a cell's centre lies in the study area, (y, x) bool; all True without a mask.

    Raises
    ------
    InputError
        When the mask encloses no area, or no cell's centre lies in it.
    """
    shape = grid.sizes["y"], grid.sizes["x"]
    if catalog.mask is None:
        return on_grid(np.ones(shape, bool), grid)
    areas = read_areas(catalog, catalog.mask, grid.rio.crs, grid.rio.bounds())
    lost = 1 - areas.clip_by_rect(*grid.rio.bounds()).area.sum() / areas.area.sum()
    if lost > _LITTLE:
        say = doubt if lost > _MUCH else note
        found = f"{lost:.0%} of its area has no altitude and is lost"
        say("the study mask reaches beyond the DEM", where=catalog.path(catalog.mask), found=found)
    burnt = rasterize(areas.geometry, shape, transform=grid.rio.transform(), dtype="uint8")
    if not burnt.any():
        what = "no cell's centre lies in the study mask"
        raise InputError(what, where=catalog.path(catalog.mask), fix="Check its CRS and extent")
    return on_grid(burnt > 0, grid)


def burn(
    catalog: Catalog, features: gpd.GeoDataFrame, values: pd.Series, grid, file: Path
) -> xr.DataArray:
    """The value of the polygon that a cell's centre lies in, float32, NaN outside; an error when no
    cell has one, and the share of those that have none is said.
    """
    pairs = list(zip(features.geometry, values, strict=True))
    burnt, under = (
        rasterize(some, grid.shape, np.nan, transform=grid.rio.transform(), dtype="float32")
        for some in (pairs, pairs[::-1])
    )
    share = float(((burnt != under) & np.isfinite(burnt)).mean())
    if share > _LITTLE:
        found = f"{share:.0%} of the cells; the later in the file counts"
        fix = "Order them so that what lies on top comes last"
        doubt("polygons of different values lie over each other", where=file, found=found, fix=fix)
    lost = float(np.isnan(burnt)[study_mask(catalog, grid).to_numpy()].mean())
    if lost == 1:
        raise InputError(
            "the polygons do not overlap the study area", where=file, fix="Check the file's CRS"
        )
    if lost > _LITTLE:
        say = doubt if lost > _MUCH else note
        say(
            "the polygons do not cover all of the study area",
            where=file,
            found=f"{lost:.0%} of its cells are outside and lost",
            fix="Add the neighbouring sheet, or cut the area with a mask",
        )
    return on_grid(burnt, grid)


def _marked_areas(catalog: Catalog, entry: Entry, crs, bounds) -> gpd.GeoDataFrame:
    """Connected patches of marked cells of all tiles, one polygon each."""
    parts = []
    for file in catalog.files(entry):
        with open_source(file, entry) as source:
            part = source
            if bounds is not None:
                around = gpd.GeoSeries([shapely.box(*bounds)], crs=crs).to_crs(source.rio.crs)
                try:
                    part = source.rio.clip_box(*around.total_bounds)
                except (NoDataInBounds, OneDimensionalRaster):
                    continue
            values = _marked_values(part.to_numpy(), entry, file)
            found = shapes(values, values != 0, 8, transform=part.rio.transform())
            polygons = [shapely.geometry.shape(outline) for outline, _ in found]
            areas = gpd.GeoDataFrame(geometry=polygons, crs=source.rio.crs)
        parts.append(areas.to_crs(crs))
    if not sum(map(len, parts)):
        what = "no cell of the raster is marked in the study area"
        fix = "Check its CRS and extent, or name its values with `landslide_values`"
        raise InputError(what, where=catalog.path(entry), fix=fix)
    return gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs=crs)


def _marked_values(values: np.ndarray, entry: Entry, file: Path) -> np.ndarray:
    """A raster's values where they are marked, 0 elsewhere: int32 (height, width)."""
    present, counts = np.unique(values[np.isfinite(values)], return_counts=True)
    if (present != present.round()).any():
        raise InputError(
            "a raster of landslides or of a mask holds fractions",
            where=file,
            found=f"{present.min():g} to {present.max():g}",
            fix="Give 1 for what is meant and 0 elsewhere",
        )
    pairs = list(zip(present, counts, strict=True))[:_MOST_VALUES]
    listed = "values and cells: " + ", ".join(f"{value:g} ({count})" for value, count in pairs)
    labels = [int(label) for label in entry.landslide_labels if str(label).isdigit()]
    named = [*entry.landslide_values, *labels]
    marks = [value for value in present if value in named] if named else present[present != 0]
    is_full = np.isfinite(values).mean() > 0.5
    if not named and is_full and len(present) == len(marks) > 1:
        # 1 and 2 without 0: which of them is the background?
        raise InputError(
            "every cell of the raster holds a value other than 0",
            where=file,
            found=listed,
            fix="Name those that are meant with `landslide_values: […]` in catalog.yml",
        )
    if len(marks) > 1 or named:
        fix = "Name others with `landslide_values`"
        text = ", ".join(f"{value:g}" for value in marks[:_MOST_VALUES]) or "none"
        note(f"values read as marked: {text}", where=file, found=listed, fix=fix)
    return np.where(np.isin(values, marks), values, 0).astype(np.int32)
