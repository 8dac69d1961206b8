"""Whether the landslides of a data folder are enough to learn from, tried before anything runs."""

import numpy as np
import xarray as xr

from lsa_helpers.errors import InputError, StageError, doubt
from lsa_helpers.raster import cell_size
from lsa_helpers.runner.params import DataParams, SampleParams
from lsa_helpers.samples import landslide_numbers, make_samples
from lsa_helpers.sources import Catalog, read_inventory, study_mask, target_grid
from lsa_helpers.validation import SpatialBlockKFold, fold_map, training_samples

_FEW = 10  # landslides
_MOST_CELLS = 5_000_000  # of a grid whose cells are dealt to folds here


def check_folds(catalog: Catalog, data: DataParams, params: SampleParams) -> None:
    """Draw samples and deal them to folds as a chapter will, on the bare grid.

    Parameters
    ----------
    catalog : Catalog
        With a DEM and an inventory.
    data : DataParams
        Cell size and CRS of the grid.
    params : SampleParams
        Of the chapter that draws samples.

    Raises
    ------
    InputError
        When the landslides, or the ground without, do not suffice for the samples and folds.
    """
    grid = target_grid(catalog, data.cell_size_m, data.crs)
    inventory = read_inventory(catalog, grid)
    file = catalog.path(catalog.inventory)
    inside = study_mask(catalog, grid)
    bare = xr.Dataset({"inside": inside.where(inside).astype(np.float32)})
    # What needs factors or a detector is left to the chapter.
    simple = {"min_slope_negatives": 0.0, "cells_by": "landslide"}
    simple["positives"] = "cells" if params.positives == "cells" else "point"
    try:
        samples = make_samples(inventory, bare, **params.sampling() | simple)
        _deal(samples, inventory, bare, params)
    except (InputError, StageError) as error:
        count = (inventory["label"] == 1).sum() if "label" in inventory else len(inventory)
        raise InputError(
            "no samples to learn from and to test with can be made of these landslides",
            where=file,
            found=f"{count} landslides; {error}",
            fix="Add landslides, take a larger area, or set a smaller `block_m` or `n_folds`",
        ) from None
    if (few := samples.loc[samples["label"] == 1, "landslide_id"].nunique()) < _FEW:
        fix = "With so few, scores are mostly chance; add landslides or take a larger area"
        doubt("few landslides to learn from", where=file, found=few, fix=fix)


def _deal(samples, inventory, bare: xr.Dataset, params: SampleParams) -> None:
    """Deal samples to folds; both classes are left to train on for each."""
    window_m = getattr(params, "cnn_window", 0) * cell_size(bare)
    how = {"buffer_m": window_m, "random_state": params.seed, "cluster_m": params.cluster_m}
    folding = SpatialBlockKFold(params.n_folds, params.block_m, **how)
    for _ in folding.split(samples, samples["label"]):
        pass
    if not window_m or bare["inside"].size > _MOST_CELLS:
        return
    samples = samples.assign(fold=folding.fold_numbers(samples, samples["label"]))
    folds = fold_map(samples, bare, block_m=params.block_m, seed=params.seed)
    numbers = landslide_numbers(inventory, bare)
    for fold in range(params.n_folds):
        training_samples(samples, folds == fold, window_m, numbers)
