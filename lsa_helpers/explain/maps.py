"""Maps of what explains a table of cells, in memory or block by block."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd
import xarray as xr

from lsa_helpers.models.area import select_factors
from lsa_helpers.models.maps import BLOCK, compute_on
from lsa_helpers.raster import on_grid

#: Shapley values (n, factors) of rows, their base and the model's output (n,), of which both may be
#: one number.
Explain = Callable[[pd.DataFrame], tuple[np.ndarray, np.ndarray | float, np.ndarray | float]]


def shapley_map(
    explain: Explain,
    factors: xr.Dataset,
    names: Sequence[str],
    *,
    units: str,
    n_jobs: int = 1,
) -> xr.Dataset:
    """Shapley values for every cell of a raster, by what gives them for rows of a table.

    Parameters
    ----------
    explain : callable
        (DataFrame of n cells' factors) → values (n, factors), base, output (n,). Called for a block
        of cells at a time, from several threads.
    factors : Dataset, dims (y, x)
        In memory, or in Dask chunks, which may be larger than memory; NaN where unknown.
    names : sequence of str
        The factors that are explained, in the order of the values.
    units : str
        Of the output, such as log-odds.
    n_jobs : int
        Blocks of a raster in memory that are explained at once.

    Returns
    -------
    Dataset, dims (y, x)
        float32: a band for each factor, ``base``, and ``residual``, the output less all of these.
        NaN where a factor is unknown. Of Dask chunks nothing is computed yet.

    Raises
    ------
    InputError
        When a factor is missing.
    """
    bands = select_factors(factors, list(names))
    in_memory = not bands.chunks
    values = bands.chunk(y=BLOCK, x=BLOCK).to_dataarray("band").data.rechunk((-1, BLOCK, BLOCK))
    labels = [*names, "base", "residual"]
    maps = values.map_blocks(
        partial(_explain_block, explain, list(names)),
        chunks=((len(labels),), *values.chunks[1:]),
        dtype=np.float32,
        meta=np.zeros((0, 0, 0), np.float32),
    )
    if in_memory:
        with compute_on(n_jobs=n_jobs):
            maps = maps.compute()
    maps = zip(labels, maps, strict=True)
    return xr.Dataset({name: on_grid(band, factors, name, units) for name, band in maps})


def _explain_block(explain: Explain, names: list[str], values: np.ndarray) -> np.ndarray:
    """Bands of one block (factors, rows, columns)."""
    known = np.isfinite(values).all(axis=0)
    out = np.full((len(names) + 2, *known.shape), np.nan, np.float32)
    if known.any():
        rows = pd.DataFrame(dict(zip(names, values[:, known], strict=True)))
        shares, base, output = explain(rows)
        residual = output - base - np.sum(shares, axis=1, dtype=float)
        out[:, known] = [*np.transpose(shares), np.broadcast_to(base, len(rows)), residual]
    return out
