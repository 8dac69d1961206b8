"""The factor game of a window CNN for every cell of a raster, by dense evaluation."""

import math
from functools import partial

import dask.array as da
import numpy as np
import xarray as xr
from scipy.stats import qmc

from lsa_helpers.cnn import dense_logits
from lsa_helpers.models import compute_on
from lsa_helpers.raster import on_grid
from lsa_helpers.samples import coded_groups

#: Edge of the squares explained at once, cells: one that a network computes in one piece.
TILE = 192
#: Other cells that a cell tries to meet when the first one is unknown.
TRIES = 20


def factor_shapley_map(
    cnn,
    factors: xr.Dataset,
    *,
    n_orders: int = 32,
    seed: int = 0,
    n_jobs: int = 1,
    standard_error: bool = False,
) -> xr.Dataset:
    """Shapley values of whole factors for every cell of a raster.

    A factor's columns join over the whole window, as in `factor_shapley`. What stands for an absent
    factor is the same raster, shifted by a random distance and wrapped around: every cell then
    meets the whole window of another cell. The network is evaluated densely, so one coalition is
    one pass for all cells of a tile. The ensemble's output is the mean of its networks' logits, and
    so are its Shapley values: each network plays orders of its own.

    Parameters
    ----------
    cnn : WindowCNN
        Trained.
    factors : Dataset, dims (y, x)
        In memory, or in Dask chunks, which may be larger than memory; NaN where unknown.
    n_orders : int
        Orders of the factors, half of them the reverse of another one, shared out among the
        networks; rounded up to as many pairs for each, to two pairs for a standard error.
    seed : int
        Of orders and shifts.
    n_jobs : int
        Tiles of a raster in memory that are computed at once; the values do not depend on it.
    standard_error : bool
        Whether to add a band of the standard error for each factor.

    Returns
    -------
    Dataset, dims (y, x)
        float32, in log-odds: a band for each factor; ``base``, the mean output without any of the
        cell's own factors; ``residual``, the model's output less all of these, which is rounding;
        where wanted ``<factor>_se``. NaN where a factor is unknown. Of Dask chunks nothing is
        computed yet.

    Notes
    -----
    The value of factor :math:`j` is the mean over orders :math:`\\pi` and shifts of

    .. math::

        f(x_{P \\cup j}\\, b_{-(P \\cup j)}) - f(x_P\\, b_{-P})

    where P are the factors before j and b is the window met. A cell's values add up to its output
    less its own base; with few shifts the base differs from cell to cell as the places they meet
    do. Along the seam of the wrapped raster cells meet windows that no place has: a share of about
    window · (1/rows + 1/columns) of all meetings. Who meets an unknown cell meets another one; in
    a raster with hardly any known cell the training means stand in. With F factors there are
    n_orders · (F − ½) passes, however many networks.

    **Source**: Štrumbelj & Kononenko 2014, doi:10.1007/s10115-013-0679-x (sampled orders); Mitchell
    et al. 2022, Sampling permutations for Shapley value estimation (JMLR 23, antithetic orders);
    Giusti et al. 2013, doi:10.1109/ICIP.2013.6738831 (dense evaluation).
    """
    pairs = max(1 + standard_error, math.ceil(n_orders / (2 * cnn.n_networks)))
    names = cnn.coder_.factors
    labels = [*names, "base", "residual"]
    labels += [f"{name}_se" for name in names] if standard_error else []
    raster = factors[names].to_dataarray("band")
    cells = da.empty(raster.shape[1:], np.float32, chunks=TILE)
    explain = partial(_explain_tile, cnn, raster, pairs, seed, len(labels))
    bands = cells.map_blocks(
        explain, new_axis=0, chunks=((len(labels),), *cells.chunks), meta=np.zeros((0, 0, 0), "f4")
    )
    if not raster.chunks:
        with compute_on(n_jobs=n_jobs):
            bands = bands.compute()
    bands = zip(labels, bands, strict=True)
    return xr.Dataset({name: on_grid(band, factors, name, "log-odds") for name, band in bands})


def _explain_tile(cnn, raster, pairs, seed, n_bands, cells, block_id) -> np.ndarray:
    """The first bands of values, base, residual, standard errors of one tile, (bands, rows,
    columns).
    """
    # All tiles meet the same places in the same orders: nothing then changes at a tile's edge.
    rng = np.random.default_rng(seed)
    shifts = iter(qmc.Sobol(2, rng=rng).random(cnn.n_networks * pairs))
    rows, columns = (
        TILE * place + np.arange(-cnn.halo, size + cnn.halo)
        for place, size in zip(block_id[-2:], cells.shape, strict=True)
    )
    values = _read(
        raster, _mirrored(rows, raster.sizes["y"]), _mirrored(columns, raster.sizes["x"])
    )
    inside = slice(cnn.halo, -cnn.halo or None)
    known = np.isfinite(values[:, inside, inside]).all(axis=0)
    own = cnn.code(values)
    means, errors, output = 0.0, 0.0, 0.0
    for network in cnn.networks_:
        whole = dense_logits(network, own, cnn.window).astype(float)
        total, squares = 0.0, 0.0
        for _ in range(pairs):
            absent = cnn.code(_shifted(raster, rows, columns, next(shifts)))
            added = _play(cnn, network, own, whole, absent, rng)
            total, squares = total + added, squares + added**2
        mean = total / pairs
        if pairs > 1:
            errors = errors + np.maximum(squares / pairs - mean**2, 0)[:-1] / (pairs - 1)
        means, output = means + mean / cnn.n_networks, output + whole / cnn.n_networks
    residual = output - means.sum(axis=0)
    standard_errors = np.broadcast_to(np.sqrt(errors) / cnn.n_networks, means[:-1].shape)
    bands = np.stack([*means, residual, *standard_errors][:n_bands])
    return np.where(known, bands, np.nan).astype(np.float32)


def _read(raster: xr.DataArray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Values (bands, rows, columns), in this thread even of Dask chunks."""
    return raster.isel(y=rows, x=columns).compute(scheduler="synchronous").values


def _shifted(raster, rows, columns, shift: np.ndarray) -> np.ndarray:
    """Values of the raster shifted by a share of its size and wrapped around; a cell that meets an
    unknown one meets the cell at another distance instead, as far as so many tries find one.
    """
    height, width = raster.shape[1:]
    others = np.random.default_rng((shift * 2**32).astype(np.uint64)).random((TRIES, 2))
    values = None
    for down, right in (shift, *others):
        at = (rows + int(down * height)) % height, (columns + int(right * width)) % width
        there = _read(raster, *at)
        values = (
            there if values is None else np.where(np.isfinite(values).all(axis=0), values, there)
        )
        if np.isfinite(values).all():
            break
    return values


def _mirrored(places: np.ndarray, size: int) -> np.ndarray:
    """Places along an axis, those beyond its ends mirrored as `pad_reflect` mirrors them."""
    period = max(1, 2 * (size - 1))
    return np.abs((places + size - 1) % period - (size - 1))


def _play(cnn, network, own, whole, absent, rng) -> np.ndarray:
    """What each factor adds in one order and its reverse, and the output without any, (factors + 1,
    rows, columns).
    """
    names, groups = cnn.coder_.factors, np.array(coded_groups(cnn.coder_))
    empty = dense_logits(network, absent, cnn.window)
    added = np.zeros((len(names) + 1, *whole.shape))
    added[-1] = empty
    order = rng.permutation(len(names))
    for joining in (order, order[::-1]):
        mixed, before = absent.copy(), empty
        for place in joining:
            columns = groups == names[place]
            mixed[..., columns] = own[..., columns]
            last = place == joining[-1]
            after = whole if last else dense_logits(network, mixed, cnn.window)
            added[place] += (after - before) / 2
            before = after
    return added
