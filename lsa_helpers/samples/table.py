"""From landslides to a table: cells with and without landslides, and their spatial folds."""

import geopandas as gpd
import numpy as np
import pandas as pd
from rasterio.features import rasterize
from scipy.ndimage import distance_transform_edt

from lsa_helpers.errors import InputError
from lsa_helpers.factors import FactorStack
from lsa_helpers.run import Run, whole_file
from lsa_helpers.samples.inventory import on_grid

#: Columns of the sample table that are no factor.
KEYS = ("x", "y", "label", "landslide_id", "fold")


def make_samples(
    inventory: gpd.GeoDataFrame,
    stack: FactorStack,
    *,
    seed: int,
    max_per_landslide: int = 15,
    positives: str = "cells",
    negative_ratio: float = 1.0,
    negative_buffer_m: float = 100.0,
    negative_slope: float = 0.0,
    block_m: float = 1000.0,
    n_folds: int = 5,
) -> pd.DataFrame:
    """Make the table that every model learns from: landslide cells, cells without landslides, and
    their spatial folds.

    Parameters
    ----------
    inventory : GeoDataFrame
        Polygons of landslides, or points with a column ``label`` (0 or 1) that are used as they
        are.
    stack : FactorStack
        The factors; only cells where all of them are known are sampled.
    seed : int
    max_per_landslide : int
        At most so many random cells inside one polygon.
    positives : {"cells", "point", "scarp"}
        Random cells of a landslide, or one cell of it: nearest to its representative point (the
        paper's reading), or its highest one, where it broke off (needs the factor altitude).
    negative_ratio : float
        Cells without landslide per landslide cell.
    negative_buffer_m : float
        Cells without landslide are farther than this from any landslide, m.
    negative_slope : float
        Cells without landslide are at least so steep, degrees (needs the factor slope when above
        0).
    block_m : float
        Edge of the square blocks that are dealt to the folds, m.
    n_folds : int

    Returns
    -------
    DataFrame
        ``x, y`` (m, grid CRS), ``label`` (1 landslide), ``landslide_id`` (row of the polygon or
        point; -1 without landslide), ``fold`` (0 … n_folds - 1; one landslide never falls into two
        folds), then one column per factor with raw values. `block_m` is in ``attrs`` and stays with
        the table when it is written.

    Raises
    ------
    InputError
        When the inventory is empty, has no CRS or does not meet the grid, has one class only, or
        lies in too few blocks for the folds.
    """
    if len(inventory) == 0:
        raise InputError(
            "the inventory holds no landslide",
            fix="Lower the detector's score threshold, or set inventory to reference",
        )
    rng = np.random.default_rng(seed)
    inventory = on_grid(inventory, stack.grid)
    if (inventory.geom_type == "Point").all():
        table = _from_points(inventory, stack)
    else:
        ids, claimed = _landslide_cells(inventory, stack)
        row, col, number = _draw_positives(ids, inventory, stack, positives, max_per_landslide, rng)
        n_negative = round(negative_ratio * len(row))
        row0, col0 = _draw_negatives(
            claimed, stack, n_negative, negative_buffer_m, negative_slope, rng
        )
        number = np.concatenate([number, np.full(len(row0), -1)])
        table = _table(
            np.concatenate([row, row0]),
            np.concatenate([col, col0]),
            (number >= 0).astype(int),
            number,
            stack,
        )
    if table["label"].nunique() < 2:
        found = f"labels {table['label'].unique().tolist()} in {len(table)} rows"
        raise InputError(
            "samples need landslides and cells without",
            found=found,
            fix="Check the inventory and the mask",
        )
    table.insert(4, "fold", spatial_folds(table, block_m=block_m, n_folds=n_folds, seed=seed))
    table.attrs |= {"block_m": block_m, "max_per_landslide": max_per_landslide}
    return table


def write_samples(samples: pd.DataFrame, run: Run, name: str = "samples.parquet") -> None:
    """Write the sample table, or one that belongs to it, as a Parquet product."""
    with whole_file(run.product(name)) as part:
        samples.to_parquet(part, index=False)


def _table(row, col, label, number, stack: FactorStack, x=None, y=None) -> pd.DataFrame:
    """The sample table without folds; cell centres unless coordinates are given."""
    xs, ys = stack.grid.centres()
    keys = {
        "x": xs[col] if x is None else x,
        "y": ys[row] if y is None else y,
        "label": label,
        "landslide_id": number,
    }
    return pd.DataFrame(
        keys | {name: stack.values[i, row, col] for i, name in enumerate(stack.names)}
    )


def _from_points(points: gpd.GeoDataFrame, stack: FactorStack) -> pd.DataFrame:
    """Points with both classes, as they are; those outside the known cells are left out."""
    if "label" not in points:
        raise InputError(
            "an inventory of points needs a label (1 landslide, 0 none) for each",
            found=list(points.columns),
        )
    x, y, label = (
        points.geometry.x.to_numpy(),
        points.geometry.y.to_numpy(),
        points["label"].astype(int).to_numpy(),
    )
    row, col = stack.grid.rowcol(x, y)
    keep = stack.grid.inside(row, col)
    keep[keep] = stack.valid[row[keep], col[keep]]
    number = np.where(label == 1, np.arange(len(points)), -1)
    return _table(row[keep], col[keep], label[keep], number[keep], stack, x[keep], y[keep])


def _landslide_cells(
    inventory: gpd.GeoDataFrame, stack: FactorStack
) -> tuple[np.ndarray, np.ndarray]:
    """Polygon number + 1 of each cell whose centre it holds (0: none), and every cell a polygon
    touches.
    """
    shape, transform = stack.grid.shape, stack.grid.transform
    shapes = [
        (geometry, number + 1)
        for number, geometry in enumerate(inventory.geometry)
        if geometry is not None and geometry.area > 0
    ]
    if not shapes:
        raise InputError("no landslide has a geometry", found=f"{len(inventory)} empty rows")
    ids = rasterize(shapes, shape, transform=transform, dtype="int32")
    return ids, rasterize(
        ((s, 1) for s, _ in shapes), shape, transform=transform, dtype="uint8", all_touched=True
    ).astype(bool)


def _draw_positives(
    ids, inventory, stack, how, cap, rng
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, columns and polygon numbers of the cells drawn from each polygon; one too small for a
    cell gets the cell under it.
    """
    points = inventory.geometry.representative_point()
    row, col = stack.grid.rowcol(
        points.x.fillna(np.inf).clip(-1e9, 1e9), points.y.fillna(np.inf).clip(-1e9, 1e9)
    )
    small = np.flatnonzero(
        stack.grid.inside(row, col) & ~np.isin(np.arange(len(inventory)) + 1, ids)
    )
    free = ids[row[small], col[small]] == 0
    ids[row[small][free], col[small][free]] = small[free] + 1
    flat = np.flatnonzero((ids > 0) & stack.valid)
    number, width = ids.ravel()[flat] - 1, ids.shape[1]
    if how == "point":
        order = np.hypot(flat // width - row[number], flat % width - col[number])
    elif how == "scarp":
        order = -_factor(stack, "altitude", "positives: scarp").ravel()[flat]
    else:
        order = rng.random(len(flat))
    drawn = pd.DataFrame({"flat": flat, "id": number, "order": order}).sort_values(
        ["id", "order"], kind="stable"
    )
    drawn = drawn.groupby("id", sort=True).head(cap if how == "cells" else 1)
    if len(drawn) == 0:
        raise InputError(
            "no landslide lies on cells where all factors are known",
            fix="Check that inventory and factors overlap",
        )
    return *np.divmod(drawn["flat"].to_numpy(), ids.shape[1]), drawn["id"].to_numpy()


def _factor(stack: FactorStack, name: str, wanted_by: str) -> np.ndarray:
    """A factor that a way of sampling needs."""
    if name not in stack.names:
        raise InputError(
            f"samples need the factor {name}",
            where=wanted_by,
            found=list(stack.names),
            fix="Keep the factor, or sample otherwise",
        )
    return stack.band(name)


def _draw_negatives(landslide, stack, n, buffer_m, slope, rng) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of `n` random known cells farther than `buffer_m` from any landslide, and at
    least so steep.
    """
    far = distance_transform_edt(~landslide, sampling=stack.grid.cell_size) > buffer_m
    steep = _factor(stack, "slope", "negative_slope") >= slope if slope > 0 else True
    flat = np.flatnonzero(far & stack.valid & steep)
    if len(flat) < n:
        raise InputError(
            "too few cells without landslide",
            found=f"{len(flat)} cells for {n} samples",
            fix="Lower negative_buffer_m, negative_slope or negative_ratio",
        )
    return np.divmod(np.sort(rng.choice(flat, n, replace=False)), stack.grid.width)


def block_ids(x, y, block_m: float) -> np.ndarray:
    """Number of the square block of edge `block_m` (m) that holds each point.

    Examples
    --------
    >>> block_ids([5, 15, 6], [5, 5, 9], 10).tolist()
    [0, 1, 0]
    """
    pairs = np.column_stack([np.floor(np.asarray(x) / block_m), np.floor(np.asarray(y) / block_m)])
    return np.unique(pairs, axis=0, return_inverse=True)[1].ravel()


def landslide_groups(table: pd.DataFrame) -> np.ndarray:
    """Number of what has to stay whole in any fold: the landslide of a row, or the row itself where
    it has none.

    Parameters
    ----------
    table : DataFrame
        With ``landslide_id`` (-1 without landslide); without that column every row stands for
        itself.

    Returns
    -------
    ndarray of int, shape (n,)
        0, 1, … in the order of the rows.

    Examples
    --------
    >>> landslide_groups(pd.DataFrame({"landslide_id": [7, 7, -1, -1, 3]})).tolist()
    [0, 0, 1, 2, 3]
    """
    number = (
        table["landslide_id"].to_numpy() if "landslide_id" in table else np.full(len(table), -1)
    )
    return pd.factorize(np.where(number >= 0, number, -1 - np.arange(len(table))))[0]


def landslide_centres(table: pd.DataFrame) -> np.ndarray:
    """Mean place of each row's landslide, or the row's own place: (n, 2), m; from ``x, y,
    landslide_id``.
    """
    return table.groupby(landslide_groups(table))[["x", "y"]].transform("mean").to_numpy()


def block_folds(table: pd.DataFrame, *, block_m: float) -> np.ndarray:
    """One fold per square block, to leave one block out at a time; a landslide stays whole, in the
    block of its mean place.

    Parameters
    ----------
    table : DataFrame
        ``x, y, landslide_id``.
    block_m : float
        Edge of a block, m.

    Returns
    -------
    ndarray of int, shape (n,)
    """
    return block_ids(*landslide_centres(table).T, block_m)


def spatial_folds(table: pd.DataFrame, *, block_m: float, n_folds: int, seed: int) -> np.ndarray:
    """Deal square blocks to folds so that every fold gets about as many landslide samples; a
    landslide stays whole.

    Parameters
    ----------
    table : DataFrame
        ``x, y, label, landslide_id``.
    block_m : float
        Edge of a block, m.
    n_folds, seed : int

    Returns
    -------
    ndarray of int, shape (n,)

    Raises
    ------
    InputError
        When fewer than `n_folds` blocks hold both classes between them, so that some fold would
        have one class only.
    """
    block = block_folds(table, block_m=block_m)
    counts = np.array([np.bincount(block, table["label"] == k) for k in (1, 0)])
    order = np.lexsort((np.random.default_rng(seed).random(counts.shape[1]), -counts[0]))
    fold_of, load = np.zeros(counts.shape[1], dtype=int), np.zeros((2, n_folds))
    for index in order:
        share = load / np.maximum(counts.sum(1, keepdims=True), 1)
        fold_of[index] = np.argmin(share[0] if counts[0, index] else share[1])
        load[:, fold_of[index]] += counts[:, index]
    if (load == 0).any():
        raise InputError(
            f"{n_folds} spatial folds need {n_folds} blocks with landslides and as many without",
            found=f"{(counts[0] > 0).sum()} blocks of {block_m:g} m with landslides, {(counts[1] > 0).sum()} without",
            fix="Lower block_m or n_folds",
        )
    return fold_of[block]
