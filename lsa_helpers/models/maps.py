"""The map of any trained estimator, in memory or block by block on whatever Dask computes with."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import numpy as np
import pandas as pd
import xarray as xr
from sklearn.base import clone

from lsa_helpers.errors import InputError
from lsa_helpers.models.area import fitted_coder, select_factors
from lsa_helpers.raster import on_grid
from lsa_helpers.validation import at_samples, training_samples

#: Edge of the blocks in which a raster is mapped, cells; a network's last digit depends on it.
BLOCK = 512


def predict_map(
    estimator, factors: xr.Dataset, where: xr.DataArray | None = None, n_jobs: int = 1
) -> xr.DataArray:
    """Map the probability of a landslide.

    Parameters
    ----------
    estimator : Pipeline that begins with a `FactorCoder`, a search over one, or WindowCNN
        Trained.
    factors : Dataset, dims (y, x)
        In memory, or in Dask chunks, which may be larger than memory.
    where : DataArray of bool, dims (y, x), optional
        Cells wanted; all by default.
    n_jobs : int
        Blocks of a raster in memory that are computed at once.

    Returns
    -------
    DataArray, dims (y, x)
        float32 in 0–1, NaN where one of the estimator's factors is unknown or the cell is not
        wanted. Of Dask chunks nothing is computed yet.

    Raises
    ------
    InputError
        When a factor is missing.
    """
    import dask.array as da
    from dask.array.overlap import ensure_minimum_chunksize

    halo = getattr(estimator, "halo", 0)
    bands = select_factors(factors, fitted_coder(estimator).factors)
    in_memory = not bands.chunks
    bands = bands.chunk(y=BLOCK, x=BLOCK)
    if where is not None:
        where = where.chunk(bands.chunksizes)
        bands = bands.assign({"wanted here": where.astype(np.float32).where(where)})
    values = bands.to_dataarray("band").data
    # A strip of cells narrower than the halo at the end belongs to the block before it.
    chunks = [
        axis if len(axis) == 1 or not halo else ensure_minimum_chunksize(halo, axis)
        for axis in values.chunks[1:]
    ]
    values = values.rechunk((-1, *chunks))
    counts = tuple(map(len, values.chunks[1:]))
    probability = da.map_overlap(
        _map_block,
        values,
        depth={0: 0, **{axis + 1: halo * (count > 1) for axis, count in enumerate(counts)}},
        boundary="none",
        trim=False,
        allow_rechunk=False,
        drop_axis=0,
        chunks=values.chunks[1:],
        dtype=np.float32,
        meta=np.zeros((0, 0), np.float32),
        estimator=_without_raster(estimator),
        counts=counts,
    )
    if in_memory:
        with compute_on(n_jobs=n_jobs):
            probability = probability.compute()
    return on_grid(probability, factors, "susceptibility", long_name="Landslide susceptibility")


def cross_validated_map(
    estimator,
    samples: pd.DataFrame,
    factors: xr.Dataset,
    folds: xr.DataArray,
    buffer_m: float = 0.0,
    landslides: xr.DataArray | None = None,
) -> xr.DataArray:
    """Map each fold's cells by a model that was fitted on the other folds' samples.

    Parameters
    ----------
    estimator
        As for `predict_map`; it is cloned.
    samples : DataFrame
        ``x, y, label, landslide_id`` and the estimator's factors.
    factors : Dataset, dims (y, x)
    folds : DataArray of int, dims (y, x)
        From `lsa_helpers.validation.fold_map`.
    buffer_m : float
        Width of the empty strip around the fold's cells: the edge of the model's window, m.
    landslides : DataArray of int, dims (y, x), optional
        As for `lsa_helpers.validation.training_samples`.

    Returns
    -------
    DataArray, dims (y, x)
        As `predict_map`; no cell was known to the model that mapped it.

    Raises
    ------
    StageError
        When the samples left for a fold hold one class only.
    """
    fitted = _fitted_by_fold(estimator, samples, folds, buffer_m, landslides)
    pieces = [predict_map(model, factors, where=folds == fold) for fold, model in fitted]
    return xr.concat(pieces, "fold").max("fold").rename("susceptibility")


def cross_validated_cells(
    estimator,
    samples: pd.DataFrame,
    cells: pd.DataFrame,
    folds: xr.DataArray,
    landslides: xr.DataArray | None = None,
) -> np.ndarray:
    """`cross_validated_map` at some cells only, by a model of single cells.

    Parameters
    ----------
    estimator, samples, folds, landslides
        As for `cross_validated_map`; no window, and so no strip.
    cells : DataFrame
        ``x, y`` (m) and the estimator's factors.

    Returns
    -------
    ndarray, shape (cells,)
    """
    fold_of_cell = at_samples(folds, cells)
    probability = np.empty(len(cells))
    for fold, model in _fitted_by_fold(estimator, samples, folds, 0.0, landslides):
        here = fold_of_cell == fold
        probability[here] = model.predict_proba(cells[here])[:, 1]
    return probability


def _fitted_by_fold(estimator, samples, folds, buffer_m, landslides):
    """Each fold with a model that was fitted on the other folds' samples."""
    for fold in np.unique(folds):
        training = training_samples(samples, folds == fold, buffer_m, landslides)
        yield fold, clone(estimator).fit(training, training["label"])


def _without_raster(estimator):
    """The same trained CNN without what it learned from, to be sent to other processes."""
    if not hasattr(estimator, "halo"):
        return estimator
    bare = type(estimator)(**{**estimator.get_params(deep=False), "factors": None})
    bare.__dict__ |= {key: value for key, value in vars(estimator).items() if key.endswith("_")}
    return bare


def _map_block(values: np.ndarray, estimator, counts, block_id=None) -> np.ndarray:
    """One block (bands, height, width): mirrored where the raster ends, then mapped."""
    halo = getattr(estimator, "halo", 0)
    ends = [
        (halo * (place == 0), halo * (place == count - 1))
        for place, count in zip(block_id[-2:], counts, strict=True)
    ]
    values = np.pad(values, [(0, 0), *ends], mode="reflect") if halo else values
    inner = values[:, halo : values.shape[1] - halo, halo : values.shape[2] - halo]
    valid = np.isfinite(inner).all(axis=0)
    out = np.full(valid.shape, np.nan, np.float32)
    names = fitted_coder(estimator).factors
    if not valid.any():  # a block of nodata costs nothing
        return out
    if hasattr(estimator, "map_block"):
        out[valid] = estimator.map_block(values[: len(names)])[valid]
        return out
    rows = pd.DataFrame(dict(zip(names, inner[: len(names), valid], strict=True)))
    parts = [rows[start : start + (1 << 17)] for start in range(0, len(rows), 1 << 17)]
    out[valid] = np.concatenate([estimator.predict_proba(part)[:, 1] for part in parts])
    return out


@contextmanager
def compute_on(scheduler: str = "", n_jobs: int = 1) -> Iterator[None]:
    """Compute Dask arrays inside the ``with`` block on a cluster, or on threads of this machine.

    Parameters
    ----------
    scheduler : str
        Address of a Dask scheduler, such as ``tcp://10.0.0.5:8786``, whose workers have this
        package and see the same files; "local": a cluster of processes of this machine, as long as
        the block lasts; empty: threads here.
    n_jobs : int
        Threads or processes here.

    Raises
    ------
    InputError
        When the scheduler does not answer.
    """
    import dask

    if not scheduler:
        torch = sys.modules.get("torch")  # not imported only to be told to be quiet
        threads = torch.get_num_threads() if torch else 1
        try:
            if torch:
                torch.set_num_threads(1)  # as many blocks as cores run side by side
            with dask.config.set(scheduler="threads", num_workers=n_jobs):
                yield
        finally:
            if torch:
                torch.set_num_threads(threads)
        return
    with dask_client("" if scheduler == "local" else scheduler, n_jobs):
        yield


@contextmanager
def dask_client(scheduler: str = "", n_workers: int = 1) -> Iterator:
    """A client of a Dask scheduler for as long as the ``with`` block lasts.

    Parameters
    ----------
    scheduler : str
        Address of a running one, whose workers have this package and see the same files; empty: a
        cluster of processes of this machine, one thread and an even part of the memory each.
    n_workers : int
        Processes here.

    Yields
    ------
    distributed.Client

    Raises
    ------
    InputError
        When the scheduler does not answer.
    """
    from distributed import Client, LocalCluster

    here = {"n_workers": n_workers, "threads_per_worker": 1, "dashboard_address": ":0"}
    with nullcontext(scheduler) if scheduler else LocalCluster(**here) as cluster:
        try:
            client = Client(cluster, timeout=10)
        except (OSError, ValueError) as error:
            raise InputError(
                "the Dask scheduler does not answer",
                where=scheduler,
                found=error,
                fix="Start one with `dask scheduler` and `dask worker ADDRESS`, or leave the "
                "option out",
            ) from None
        with client:
            yield client


def bf16_error(cnn, factors: xr.Dataset, side: int = 256) -> tuple[float, float]:
    """Largest and mean difference that bfloat16 makes to the probability, measured on a square in
    the middle.

    Parameters
    ----------
    cnn : WindowCNN
        Trained.
    factors : Dataset, dims (y, x)
        In memory or in Dask chunks.
    side : int
        Edge of the square, cells.

    Raises
    ------
    InputError
        When the model has no network, or the square holds no cell with all factors.
    """
    if not hasattr(cnn, "bf16"):
        raise InputError("bfloat16 is for networks", fix="Leave --bf16 out")
    middle = {
        axis: slice(max(0, size // 2 - side // 2), size // 2 + side // 2 + 1)
        for axis, size in factors.sizes.items()
    }
    part, before = factors.isel(middle).load(), cnn.bf16
    maps = [predict_map(cnn.set_params(bf16=bf16), part).values for bf16 in (False, True)]
    cnn.set_params(bf16=before)
    gap = np.abs(maps[0] - maps[1])[np.isfinite(maps[0])]
    if len(gap) == 0:
        raise InputError(
            "the error of bfloat16 cannot be measured",
            found="no cell with all factors in the middle",
            fix="Leave --bf16 out",
        )
    return float(gap.max()), float(gap.mean())
