"""Maps of rasters larger than memory: the same models, block by block, on whatever Dask computes
with.
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import dask
import dask.array as da
import numpy as np
import torch
from dask.array.overlap import ensure_minimum_chunksize

from lsa_helpers.errors import InputError
from lsa_helpers.factors import FactorStack
from lsa_helpers.models.cluster import connect


def lazy_map(model, stack: FactorStack) -> da.Array:
    """The map of a model over a stack whose values are a Dask array; nothing is computed yet.

    Parameters
    ----------
    model : SusceptibilityModel
        Trained.
    stack : FactorStack
        The model's factors, in its order.

    Returns
    -------
    dask.array.Array, shape (height, width)
        float32 in 0–1, NaN where a factor is unknown: block by block what the model gives for the
        whole array.
    """
    single = (
        model.on_one_core()
    )  # the blocks run side by side; inside a block more threads would only wait
    halo = model.halo
    # A strip of cells narrower than the halo at the end belongs to the block before it.
    chunks = [
        axis if len(axis) == 1 or not halo else ensure_minimum_chunksize(halo, axis)
        for axis in stack.values.chunks[1:]
    ]
    values = stack.values.rechunk((-1, *chunks))
    edges = tuple(map(len, values.chunks[1:]))
    depth = {0: 0, **{axis + 1: halo if count > 1 else 0 for axis, count in enumerate(edges)}}
    frame = FactorStack(np.zeros((0, 0, 0), np.float32), stack.grid, stack.names, stack.info)
    return da.map_overlap(
        _block,
        values,
        depth=depth,
        boundary="none",
        trim=False,
        allow_rechunk=False,
        drop_axis=0,
        chunks=values.chunks[1:],
        dtype=np.float32,
        meta=np.zeros((0, 0), np.float32),
        model=single,
        frame=frame,
        edges=edges,
    )


def _block(
    values: np.ndarray, model, frame: FactorStack, edges: tuple[int, int], block_id=None
) -> np.ndarray:
    """One block: mirrored where the raster ends, then mapped."""
    halo = model.halo
    places = block_id[-2:]
    missing = [
        (halo * (place == 0), halo * (place == count - 1))
        for place, count in zip(places, edges, strict=True)
    ]
    values = np.pad(values, [(0, 0), *missing], mode="reflect") if halo else values
    inner = values[:, halo : values.shape[1] - halo, halo : values.shape[2] - halo]
    valid = np.isfinite(inner).all(axis=0)
    if not valid.any():  # a block of nodata costs nothing
        return np.full(valid.shape, np.nan, np.float32)
    part = FactorStack(values, frame.grid, frame.names, frame.info)
    return np.where(valid, model.map_values(part, valid, halo=True), np.nan).astype(np.float32)


def bf16_error(model, stack: FactorStack, side: int = 256) -> tuple[float, float]:
    """Largest and mean difference that bfloat16 makes to the probability, measured on a square in
    the middle.

    Parameters
    ----------
    model : WindowCNN
        Trained.
    stack : FactorStack
        In memory or of Dask arrays.
    side : int
        Edge of the square, cells.

    Raises
    ------
    InputError
        When the model has no network, or the square holds no cell with all factors.
    """
    if not hasattr(model, "bf16"):
        raise InputError(
            "bfloat16 is for networks", found=f"the model {model.name}", fix="Leave --bf16 out"
        )
    stack, (height, width) = stack.select(list(model.encoder.factors)), stack.grid.shape
    middle = (
        slice(max(0, height // 2 - side // 2), height // 2 + side // 2 + 1),
        slice(max(0, width // 2 - side // 2), width // 2 + side // 2 + 1),
    )
    part = FactorStack(
        np.asarray(stack.values[(slice(None), *middle)]), stack.grid, stack.names, stack.info
    )
    if not part.valid.any():
        raise InputError(
            "the error of bfloat16 cannot be measured",
            found="no cell with all factors in the middle",
            fix="Leave --bf16 out",
        )
    exact, rough = copy.copy(model), copy.copy(model)
    exact.bf16, rough.bf16 = False, True
    gap = np.abs(exact.predict_map(part) - rough.predict_map(part))[part.valid]
    return float(gap.max()), float(gap.mean())


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
    if scheduler:
        with connect(scheduler, n_jobs):
            yield
        return
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as many blocks as cores run side by side
    try:
        with dask.config.set(scheduler="threads", num_workers=n_jobs):
            yield
    finally:
        torch.set_num_threads(threads)
