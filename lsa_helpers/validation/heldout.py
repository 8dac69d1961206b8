"""Maps in which every cell is predicted by a model that knows nothing of its surroundings."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.ndimage import distance_transform_cdt

from lsa_helpers.errors import StageError
from lsa_helpers.factors import FactorStack
from lsa_helpers.models.base import SusceptibilityModel
from lsa_helpers.grid import Grid
from lsa_helpers.samples import block_ids


def fold_map(samples: pd.DataFrame, grid: Grid, *, block_m: float, seed: int) -> np.ndarray:
    """The spatial fold of every cell.

    Parameters
    ----------
    samples : DataFrame
        ``x, y`` (m) and ``fold``, dealt by blocks of the same `block_m`.
    grid : Grid
    block_m : float
        Edge of a block, m.
    seed : int
        Blocks without samples are dealt at random.

    Returns
    -------
    ndarray of int, shape (height, width)
        0 … folds - 1; a block with samples of several folds (a landslide across its edge) has that
        of most of them.
    """
    xs, ys = grid.centres()
    x, y = np.meshgrid(xs, ys)
    blocks = block_ids(
        np.append(x.ravel(), samples["x"]), np.append(y.ravel(), samples["y"]), block_m
    )
    cells, own = blocks[: x.size], blocks[x.size :]
    n_folds = int(samples["fold"].max()) + 1
    votes = np.zeros((blocks.max() + 1, n_folds))
    np.add.at(votes, (own, samples["fold"].to_numpy()), 1)
    dealt = np.random.default_rng(seed).integers(n_folds, size=len(votes))
    return np.where(votes.any(axis=1), votes.argmax(axis=1), dealt)[cells].reshape(grid.shape)


def training_rows(
    samples: pd.DataFrame, grid: Grid, held: np.ndarray, buffer_m: float
) -> np.ndarray:
    """Rows outside the cells held out and at least `buffer_m` from them, in x and in y, so that no
    square window of that size sees both.

    Rows of a landslide that reaches into the cells are left out with it.

    Parameters
    ----------
    samples : DataFrame
        ``x, y`` (m) and ``landslide_id``.
    grid : Grid
    held : ndarray of bool, shape (height, width)
    buffer_m : float

    Returns
    -------
    ndarray of int
        Row numbers.
    """
    if not held.any():
        return np.arange(len(samples))
    distance = (distance_transform_cdt(~held, metric="chessboard") * grid.cell_size)[
        grid.rowcol(samples["x"], samples["y"])
    ]
    number = samples["landslide_id"].to_numpy()
    cut = np.isin(number, number[(distance == 0) & (number >= 0)])
    return np.flatnonzero((distance >= max(buffer_m, grid.cell_size)) & ~cut)


def heldout_maps(
    makers: dict[str, Callable[[], SusceptibilityModel]],
    stack: FactorStack,
    samples: pd.DataFrame,
    folds: np.ndarray,
    *,
    seed: int,
    buffer_m: float,
) -> dict[str, np.ndarray]:
    """Map an area fold by fold, each with models trained elsewhere: what the models can say of
    ground without known landslides.

    Parameters
    ----------
    makers : dict
        Model name → function that makes it untrained.
    stack : FactorStack
    samples : DataFrame
        The sample table.
    folds : ndarray of int, shape (height, width)
        From `fold_map`.
    seed : int
    buffer_m : float
        Strip between training samples and the cells of the fold, m; at least the CNN's window.

    Returns
    -------
    dict
        Model name → float32 probability (height, width), NaN where a factor is unknown.

    Raises
    ------
    StageError
        When the training rows of a fold hold one class only.
    """
    maps = {name: np.full(stack.grid.shape, np.nan, np.float32) for name in makers}
    for fold in np.unique(folds):
        held = folds == fold
        rows = samples.iloc[training_rows(samples, stack.grid, held, buffer_m)]
        if rows["label"].nunique() < 2:
            found = f"the {len(rows)} samples at least {buffer_m:g} m from its cells"
            raise StageError(
                f"fold {fold}: {found} hold one class only; use larger or fewer blocks"
            )
        for name, make in makers.items():
            found = make().fit(stack, rows, seed).predict_map(stack, where=held)
            maps[name][held] = found[held]
    return maps
