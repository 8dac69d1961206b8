"""The sampling laboratory: how the choice of samples moves the scores, and the map."""

from collections.abc import Callable, Sequence
from itertools import product

import geopandas as gpd
import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.metrics import roc_auc_score

from lsa_helpers.errors import LsaError
from lsa_helpers.factors import FactorStack
from lsa_helpers.models.base import SusceptibilityModel
from lsa_helpers.samples import make_samples
from lsa_helpers.validation.folds import random_folds, splits, strip_m


def sampling_laboratory(
    make: Callable[[], SusceptibilityModel],
    inventory: gpd.GeoDataFrame,
    stack: FactorStack,
    landslide: np.ndarray,
    *,
    positives: Sequence[str],
    buffers_m: Sequence[float],
    slope_floors: Sequence[float],
    ratios: Sequence[float],
    seeds: Sequence[int],
    block_m: float,
    n_folds: int,
    max_per_landslide: int = 15,
    n_jobs: int = 1,
) -> pd.DataFrame:
    """Train one model on every kind of samples; score it on samples of the same kind, and its map
    on all cells.

    Parameters
    ----------
    make : callable
        Gives an untrained model.
    inventory : GeoDataFrame of polygons
        Landslides to sample.
    stack : FactorStack
    landslide : ndarray of bool, shape (height, width)
        Landslide cells the map is scored on: the same for all.
    positives : sequence of {"cells", "point", "scarp"}
    buffers_m, slope_floors, ratios : sequence of float
        As ``negative_buffer_m``, ``negative_slope`` and ``negative_ratio`` of `make_samples`.
    seeds : sequence of int
    block_m, n_folds, max_per_landslide
        As in `make_samples`.
    n_jobs : int
        Kinds of samples at a time.

    Returns
    -------
    DataFrame
        One row per kind and seed: ``positives, buffer_m, slope_floor, ratio, seed, n`` (samples),
        ``sample_auc`` (samples of the same kind, random folds that keep landslides whole, as most
        studies do), ``map_auc`` (all cells; each by a model trained without its fold's blocks and
        the strip that its window needs), ``problem`` (why a kind could not be made; the AUCs are
        NaN then).
    """
    kinds = list(product(positives, buffers_m, slope_floors, ratios, seeds))
    fixed = {"block_m": block_m, "n_folds": n_folds, "max_per_landslide": max_per_landslide}
    rows = Parallel(n_jobs=n_jobs)(
        delayed(_one_kind)(make, inventory, stack, landslide, kind, fixed) for kind in kinds
    )
    return pd.DataFrame(rows)


def _one_kind(make, inventory, stack, landslide, kind, fixed) -> dict:
    """One row of the laboratory's table."""
    how, buffer, floor, ratio, seed = kind
    row = {
        "positives": how,
        "buffer_m": buffer,
        "slope_floor": floor,
        "ratio": ratio,
        "seed": seed,
        "n": 0,
    }
    row |= {"sample_auc": np.nan, "map_auc": np.nan, "problem": ""}
    try:
        samples = make_samples(
            inventory,
            stack,
            seed=seed,
            positives=how,
            negative_buffer_m=buffer,
            negative_slope=floor,
            negative_ratio=ratio,
            **fixed,
        )
        row["n"] = len(samples)
        row["sample_auc"] = _sample_auc(make, stack, samples, fixed["n_folds"], seed)
        row["map_auc"] = _map_auc(make, stack, samples, landslide, fixed["block_m"], seed)
    except LsaError as error:
        row["problem"] = str(error)
    return row


def _sample_auc(make, stack, samples, n_folds, seed) -> float:
    guess = np.empty(len(samples))
    for train, test in splits(samples, random_folds(samples, n_folds=n_folds, seed=seed)):
        guess[test] = (
            _single(make).fit(stack, samples.iloc[train], seed).predict(stack, samples.iloc[test])
        )
    return float(roc_auc_score(samples["label"], guess))


def _map_auc(make, stack, samples, landslide, block_m, seed) -> float:
    from lsa_helpers.validation.heldout import fold_map, heldout_maps

    folds = fold_map(samples, stack.grid, block_m=block_m, seed=seed)
    values = heldout_maps(
        {"": lambda: _single(make)},
        stack,
        samples,
        folds,
        seed=seed,
        buffer_m=strip_m(make(), stack),
    )[""]
    known = np.isfinite(values)
    return float(roc_auc_score(landslide[known], values[known]))


def _single(make) -> SusceptibilityModel:
    """The model on one core, for several run side by side."""
    model = make()
    model.n_jobs = 1
    return model
