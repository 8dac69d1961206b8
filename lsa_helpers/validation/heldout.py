"""Held-out maps: the fold of a cell, and the samples that may train the model that maps it."""

import numpy as np
import pandas as pd
import xarray as xr
from scipy.ndimage import distance_transform_cdt

from lsa_helpers.errors import StageError
from lsa_helpers.raster import cell_size, on_grid, rowcol
from lsa_helpers.validation.splitter import SpatialBlockKFold, block_numbers


def block_map(grid: xr.DataArray | xr.Dataset, block_m: float) -> xr.DataArray:
    """Number of the square block of edge `block_m` (m) that holds each cell: int, dims (y, x)."""
    x, y = np.meshgrid(grid.x, grid.y)
    return on_grid(block_numbers(x.ravel(), y.ravel(), block_m).reshape(x.shape), grid, "block")


def fold_map(
    samples: pd.DataFrame, grid: xr.DataArray | xr.Dataset, *, block_m: float, seed: int
) -> xr.DataArray:
    """The spatial fold of every cell.

    Parameters
    ----------
    samples : DataFrame
        ``x, y`` (m) and ``fold``, dealt by a `SpatialBlockKFold` of the same `block_m`.
    grid : DataArray or Dataset
        Whose cells are taken.
    block_m : float
        Edge of a block, m.
    seed : int
        Blocks without samples are dealt at random.

    Returns
    -------
    DataArray of int, dims (y, x)
        0 … folds - 1; a block with samples of several folds (a landslide across its edge) has that
        of most of them.
    """
    # Along the axes, which are short, and not cell by cell.
    across, in_column = np.unique(np.floor(grid.x.values / block_m), return_inverse=True)
    down, in_row = np.unique(np.floor(grid.y.values / block_m), return_inverse=True)
    x, y = np.meshgrid(across, down)
    xs = np.append(x, np.floor(samples["x"] / block_m))
    ys = np.append(y, np.floor(samples["y"] / block_m))
    blocks, rows = np.split(block_numbers(xs, ys, 1), [x.size])
    n_folds = int(samples["fold"].max()) + 1
    votes = np.zeros((max(blocks.max(), rows.max()) + 1, n_folds))
    np.add.at(votes, (rows, samples["fold"].to_numpy()), 1)
    dealt = np.random.default_rng(seed).integers(n_folds, size=len(votes))
    fold_of_block = np.where(votes.any(axis=1), votes.argmax(axis=1), dealt)
    fold = fold_of_block[blocks].reshape(x.shape).astype(np.int16)
    return on_grid(fold[in_row[:, None], in_column], grid, "fold")


def moved_folds(
    samples: pd.DataFrame,
    grid: xr.DataArray | xr.Dataset,
    *,
    n_folds: int,
    block_m: float,
    seed: int,
) -> tuple[np.ndarray, xr.DataArray]:
    """Spatial folds on a grid of blocks that is moved by chance: another draw of the same folds.

    A `SpatialBlockKFold` deals the fullest blocks first, so that with another seed most blocks get
    the fold they had.

    Parameters
    ----------
    samples : DataFrame
        ``x, y`` (m), ``label`` and ``landslide_id``.
    grid : DataArray or Dataset
        Whose cells are taken.
    n_folds : int
    block_m : float
        Edge of a block, m.
    seed : int
        Of the move, up to one block east and north, and of the folds.

    Returns
    -------
    fold : ndarray of int, shape (n,)
        Of each sample.
    folds : DataArray of int, dims (y, x)
        Of each cell, as from `fold_map`.
    """
    east, north = np.random.default_rng(seed).uniform(0, block_m, 2)
    moved = samples.assign(x=samples["x"] + east, y=samples["y"] + north)
    splitter = SpatialBlockKFold(n_folds, block_m, random_state=seed)
    moved["fold"] = splitter.fold_numbers(moved, moved["label"])
    there = grid.assign_coords(x=grid.x + east, y=grid.y + north)
    folds = fold_map(moved, there, block_m=block_m, seed=seed)
    return moved["fold"].to_numpy(), on_grid(folds.values, grid, "fold")


def training_samples(
    samples: pd.DataFrame,
    held_out: xr.DataArray,
    buffer_m: float,
    landslides: xr.DataArray | None = None,
) -> pd.DataFrame:
    """The samples a model may learn from before it maps the cells held out.

    They lie at least `buffer_m` from these cells, in x or in y, so that no square window of that
    edge sees both, and none is of a landslide that reaches into them.

    Parameters
    ----------
    samples : DataFrame
        ``x, y`` (m), ``label`` and ``landslide_id`` (negative without landslide).
    held_out : DataArray of bool, dims (y, x)
    buffer_m : float
        At least the edge of the model's window, m; 0 for models of single cells.
    landslides : DataArray of int, dims (y, x), optional
        ``landslide_id`` of every cell, negative without landslide. Without it a landslide is known
        only by its sampled cells: one that reaches in with others stays.

    Raises
    ------
    StageError
        When the samples that are left hold one class only.
    """
    edge = cell_size(held_out)
    distance = np.full(len(samples), np.inf)
    if held_out.any():
        cells = distance_transform_cdt(~held_out.values, metric="chessboard")
        distance = cells[rowcol(held_out, samples["x"], samples["y"])] * edge
    landslide = samples["landslide_id"]
    held = set(landslide[distance == 0])
    if landslides is not None:
        held |= set(np.unique(landslides.values[held_out.values]))
    reaching_in = landslide.isin([number for number in held if number >= 0])
    kept = samples[(distance >= max(buffer_m, edge)) & ~reaching_in]
    if kept["label"].nunique() < 2:
        raise StageError(
            f"the {len(kept)} samples at least {buffer_m:g} m from the cells held out hold one "
            "class only; use larger or fewer blocks"
        )
    return kept
