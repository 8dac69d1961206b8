"""From landslides to a table: cells with and without landslides, and their factors."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr
from rasterio.features import rasterize
from scipy.ndimage import distance_transform_edt

from lsa_helpers.errors import InputError, note
from lsa_helpers.raster import at_cells, cell_size, known_cells, on_grid, rowcol
from lsa_helpers.run import whole_file
from lsa_helpers.samples.landslides import reproject_landslides

#: Columns of the sample table that are no factor.
KEYS = ("x", "y", "label", "landslide_id", "fold")


def make_samples(
    inventory: gpd.GeoDataFrame,
    factors: xr.Dataset,
    *,
    seed: int,
    max_per_landslide: int = 15,
    max_positives: int = 10_000,
    positives: str = "cells",
    cells_by: str = "landslide",
    negative_ratio: float = 1.0,
    negative_buffer_m: float = 100.0,
    min_slope_negatives: float = 0.0,
) -> pd.DataFrame:
    """Make the table that every model learns from: cells with and without landslides.

    Parameters
    ----------
    inventory : GeoDataFrame
        Polygons or points of landslides. Places with ``label`` 0 have none: if they are points, all
        points are used as they are; if polygons, cells without landslide are drawn from them first.
        Points may say in ``accuracy_m`` how far off they are, which is added to the buffer.
    factors : Dataset, dims (y, x)
        Only cells where all of them are known are sampled.
    seed : int
    max_per_landslide : int
        At most so many random cells inside one polygon.
    max_positives : int
        At most so many landslide cells in all; of a larger inventory every landslide keeps its
        first cell before any keeps its second.
    positives : {"cells", "point", "scarp"}
        Random cells of a landslide, or one cell of it: nearest to its representative point (the
        paper's reading), or its highest one, where it broke off (needs the factor altitude).
    cells_by : {"landslide", "area", "score"}
        What gives a polygon its share of the random cells: each has up to `max_per_landslide`, so
        that a small false alarm weighs as much as a large landslide; or as many cells in all are
        drawn evenly from the whole landslide area; or each polygon has up to `max_per_landslide`
        times its detection score.
    negative_ratio : float
        Cells without landslide per landslide cell.
    negative_buffer_m : float
        Cells without landslide are farther than this from any landslide, m.
    min_slope_negatives : float
        Cells without landslide are at least so steep, degrees (needs the factor slope when above
        0).

    Returns
    -------
    DataFrame
        ``x, y`` (m, the factors' CRS), ``label`` (1 landslide), ``landslide_id`` (row of the
        polygon or point; −1 without landslide), then one column per factor with raw values.
        `max_per_landslide` is in ``attrs``.

    Raises
    ------
    InputError
        When the inventory is empty, has no CRS, does not meet the raster or has one class only, or
        when too few cells without landslide are left.
    """
    if len(inventory) == 0:
        raise InputError(
            "the inventory holds no landslide",
            fix="Lower the detector's score threshold, or set inventory to reference",
        )
    inventory = reproject_landslides(inventory, factors)
    known = known_cells(factors).values
    if (inventory.geom_type == "Point").all() and not _is_landslide(inventory).all():
        samples = _from_points(inventory, factors, known)
    else:
        rng = np.random.default_rng(seed)
        ids, touched = _landslide_cells(inventory, factors)
        row, col, number = _draw_positives(
            ids, known, inventory, factors, positives, cells_by, max_per_landslide, rng
        )
        if len(row) > max_positives:
            first = np.lexsort((rng.random(len(row)), _repeats(number)))[:max_positives]
            row, col, number = (each[np.sort(first)] for each in (row, col, number))
        allowed = known & _far_and_steep(touched, factors, negative_buffer_m, min_slope_negatives)
        surely = _stable_ground(inventory, factors)
        if surely is not None:
            surely &= known & _far_and_steep(touched, factors, 0.0, min_slope_negatives)
        row0, col0 = _draw_negatives(allowed, surely, round(negative_ratio * len(row)), rng)
        row, col = np.append(row, row0), np.append(col, col0)
        number = np.append(number, np.full(len(row0), -1))
        x, y = factors.x.values[col], factors.y.values[row]
        samples = _table(row, col, x, y, (number >= 0).astype(int), number, factors)
    if samples["label"].nunique() < 2:
        raise InputError(
            "samples need landslides and cells without",
            found=f"labels {samples['label'].unique().tolist()} in {len(samples)} rows",
            fix="Check the inventory and the mask",
        )
    samples.attrs["max_per_landslide"] = max_per_landslide
    return samples


def write_samples(samples: pd.DataFrame, path: Path) -> None:
    """Write the sample table, or one that belongs to it, as a Parquet file."""
    with whole_file(path) as part:
        samples.to_parquet(part, index=False)


def _table(row, col, x, y, label, number, factors: xr.Dataset) -> pd.DataFrame:
    """The sample table without folds."""
    keys = {"x": x, "y": y, "label": label, "landslide_id": number}
    values = at_cells(factors, row, col)
    return pd.DataFrame(keys | {name: band.values for name, band in values.items()})


def _from_points(points: gpd.GeoDataFrame, factors: xr.Dataset, known) -> pd.DataFrame:
    """Points with both classes, as they are; those outside the known cells are left out."""
    x, y = points.geometry.x.to_numpy(), points.geometry.y.to_numpy()
    label = points["label"].astype(int).to_numpy()
    row, col = rowcol(factors, x, y)
    keep = _inside(row, col, known.shape)
    keep[keep] = known[row[keep], col[keep]]
    number = np.where(label == 1, np.arange(len(points)), -1)
    return _table(row[keep], col[keep], x[keep], y[keep], label[keep], number[keep], factors)


def _inside(row, col, shape) -> np.ndarray:
    """Whether the cells lie in a raster of that shape."""
    return (row >= 0) & (row < shape[0]) & (col >= 0) & (col < shape[1])


def landslide_numbers(inventory: gpd.GeoDataFrame, factors: xr.Dataset) -> xr.DataArray:
    """The ``landslide_id`` of every cell, sampled or not.

    Parameters
    ----------
    inventory : GeoDataFrame
        As for `make_samples`.
    factors : Dataset, dims (y, x)

    Returns
    -------
    DataArray of int, dims (y, x)
        Row of the polygon that holds the cell's centre, or of the point that lies in it; −1
        elsewhere.

    Raises
    ------
    InputError
        When the inventory has no CRS, does not meet the raster or has no geometry.
    """
    inventory = reproject_landslides(inventory, factors)
    return on_grid(_landslide_cells(inventory, factors)[0] - 1, factors, "landslide")


def _is_landslide(inventory) -> np.ndarray:
    """Which rows are landslides: all, but those with ``label`` 0."""
    return inventory.get("label", pd.Series(1, inventory.index)).to_numpy() != 0


def _stable_ground(inventory, factors: xr.Dataset) -> np.ndarray | None:
    """Cells in polygons of stable ground, (y, x) bool; None where there are none."""
    stable = inventory.geometry[~_is_landslide(inventory)]
    shape, transform = (factors.sizes["y"], factors.sizes["x"]), factors.rio.transform()
    return rasterize(stable, shape, transform=transform) == 1 if len(stable) else None


def _landslide_cells(inventory, factors: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Number + 1 of the polygon that holds a cell's centre or the point in it (0: none; a polygon
    without a centre gets the cell under it), and every cell a landslide touches or may lie in.
    """
    slides = inventory.geometry.where(_is_landslide(inventory))
    has_place = (slides.area > 0) | (slides.geom_type == "Point")
    if not has_place.any():
        raise InputError("no landslide has a geometry", found=f"{len(inventory)} empty rows")
    shape, transform = (factors.sizes["y"], factors.sizes["x"]), factors.rio.transform()
    number = np.flatnonzero(has_place)
    shapes = slides.iloc[number]
    ids = rasterize(zip(shapes, number + 1, strict=True), shape, transform=transform, dtype="int32")
    if "accuracy_m" in inventory:
        off = inventory["accuracy_m"].fillna(0).to_numpy()[number]
        shapes = shapes.where(off <= 0, shapes.buffer(off))
    touched = rasterize(shapes, shape, transform=transform, dtype="uint8", all_touched=True) > 0
    row, col = _representative_cells(inventory, factors)
    missed = ~np.isin(np.arange(len(inventory)) + 1, ids) & _inside(row, col, shape)
    missed &= _is_landslide(inventory)
    small = np.flatnonzero(missed)
    small = small[ids[row[small], col[small]] == 0]
    ids[row[small], col[small]] = small + 1
    return ids, touched


def _representative_cells(inventory, factors: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of a point inside each landslide; far outside for an empty geometry."""
    points = inventory.geometry.representative_point()
    x, y = (values.fillna(np.inf).clip(-1e9, 1e9) for values in (points.x, points.y))
    return rowcol(factors, x, y)


def _repeats(number: np.ndarray) -> np.ndarray:
    """How many times each entry stood in the array before: int (n,)."""
    return pd.Series(number).groupby(number).cumcount().to_numpy()


def _draw_positives(ids, known, inventory, factors, positives, cells_by, most: int, rng):
    """Rows, columns and polygon numbers of the known cells drawn from each polygon."""
    flat = np.flatnonzero((ids > 0) & known)
    number, width = ids.ravel()[flat] - 1, ids.shape[1]
    if positives == "point":
        row, col = _representative_cells(inventory, factors)
        order = np.hypot(flat // width - row[number], flat % width - col[number])
    elif positives == "scarp":
        order = -_factor(factors, "altitude", "positives: scarp").ravel()[flat]
    else:
        order = rng.random(len(flat))
    cells = pd.DataFrame({"flat": flat, "id": number, "order": order})
    cells = cells.sort_values(["id", "order"], kind="stable")
    rank = _repeats(cells["id"].to_numpy())
    if positives != "cells":
        drawn = cells[rank < 1]
    elif cells_by == "score":
        drawn = cells[rank < np.ceil(most * _scores(inventory)[cells["id"]])]
    else:
        drawn = cells[rank < most]
        if cells_by == "area":
            drawn = cells.nsmallest(len(drawn), "order").sort_values("id", kind="stable")
    if len(drawn) == 0:
        raise InputError(
            "no landslide lies on cells where all factors are known",
            fix="Check that inventory and factors overlap",
        )
    return *np.divmod(drawn["flat"].to_numpy(), width), drawn["id"].to_numpy()


def _scores(inventory) -> np.ndarray:
    """The detection score of each polygon, (n,)."""
    if "score" not in inventory:
        raise InputError(
            "the landslides carry no detection score to draw their cells by",
            where="parameter cells_by",
            found=list(inventory.columns),
            fix="Set cells_by to landslide or area, or inventory to detected",
        )
    return inventory["score"].to_numpy(float)


def _far_and_steep(touched, factors, buffer_m: float, min_slope: float) -> np.ndarray:
    """Cells farther than `buffer_m` from any landslide and at least so steep: (y, x) bool."""
    far = distance_transform_edt(~touched, sampling=cell_size(factors)) > buffer_m
    if min_slope <= 0:
        return far
    return far & (_factor(factors, "slope", "min_slope_negatives") >= min_slope)


def _factor(factors: xr.Dataset, name: str, wanted_by: str) -> np.ndarray:
    """A factor that a way of sampling needs."""
    if name not in factors:
        raise InputError(
            f"samples need the factor {name}",
            where=wanted_by,
            found=list(factors),
            fix="Keep the factor, or sample otherwise",
        )
    return factors[name].values


def _draw_negatives(allowed, surely, count: int, rng) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of random allowed cells, first of those surely free (None: unknown)."""
    first = np.array([], int)
    if surely is not None:
        first = np.flatnonzero(surely)
        first = rng.choice(first, min(count, len(first)), replace=False)
        count -= len(first)
        allowed = allowed & ~surely
        if count:
            found = f"{len(first)} cells, {count} others are drawn elsewhere"
            note("stable ground gives too few cells without landslide", found=found)
    flat = np.flatnonzero(allowed)
    if len(flat) < count:
        raise InputError(
            "too few cells without landslide",
            found=f"{len(flat)} cells for {count} samples",
            fix="Lower negative_buffer_m, min_slope_negatives, negative_ratio or `accuracy_m`",
        )
    flat = np.append(first, rng.choice(flat, count, replace=False))
    return np.divmod(np.sort(flat), allowed.shape[1])
