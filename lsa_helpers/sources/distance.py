"""Distance to the nearest marked cell: in memory at once, or block by block with a halo wide enough
to be exact.
"""

import math

import numpy as np
from scipy.ndimage import distance_transform_edt

COARSE = 32  # cells: edge of the squares that tell how far a block must look


def distance_to_cells(marked: np.ndarray, cell_size: float) -> np.ndarray:
    """Distance from every cell centre to that of the nearest marked cell.

    Parameters
    ----------
    marked : ndarray or dask.array.Array of bool, shape (height, width)
        At least one cell is marked.
    cell_size : float
        Metres.

    Returns
    -------
    ndarray or dask.array.Array, shape (height, width)
        float32 metres, as `marked` is; of a Dask array, each block is computed with as much of its
        neighbours as it needs.

    Notes
    -----
    Source: exact Euclidean distance transform, Maurer et al. (2003),
    doi:10.1109/TPAMI.2003.1177156.

    Examples
    --------
    >>> distance_to_cells(np.array([[True, False, False]]), 10.0).tolist()
    [[0.0, 10.0, 20.0]]
    """
    if isinstance(marked, np.ndarray):
        return (distance_transform_edt(~marked) * cell_size).astype(np.float32)
    reach = farthest(marked)
    depth = tuple(min(reach, edge) for edge in marked.shape)
    return marked.map_overlap(
        distance_to_cells, depth=depth, boundary="none", dtype=np.float32, cell_size=cell_size
    )


def farthest(marked) -> int:
    """Cells within which every cell surely has a marked one, from squares of `COARSE` cells;
    `marked` is a Dask array.
    """
    import dask.array as da

    squares = da.coarsen(np.any, _whole_squares(marked), {0: COARSE, 1: COARSE}).compute()
    # Two cells of squares d apart are at most d + √2 squares apart.
    return math.ceil((distance_transform_edt(~squares).max() + math.sqrt(2)) * COARSE)


def _whole_squares(marked):
    """Unmarked cells added below and on the right, and blocks cut, so that squares fill every
    block.
    """
    import dask.array as da

    wide = da.pad(marked, [(0, -edge % COARSE) for edge in marked.shape])
    return wide.rechunk(tuple(max(COARSE, size[0] // COARSE * COARSE) for size in marked.chunks))
