"""Maps and samples against the truth of the simulated mountain."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr
from rasterio.enums import Resampling
from rasterio.features import rasterize
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from lsa_helpers.errors import StageError
from lsa_helpers.raster import on_grid, read_raster, rowcol
from lsa_helpers.validation.bootstrap import within_groups_auc

#: The two bounds of a score on true landslides, and the bands of the truth that reach them. The
#: oracle knows what no layer shows; the reachable one knows the rules and the observed factors.
BOUNDS = {"oracle": "probability", "reachable": "reachable"}


def read_truth(folder: Path, grid: xr.DataArray | xr.Dataset) -> xr.Dataset | None:
    """What the simulated mountain knows about itself, on the analysis grid.

    Parameters
    ----------
    folder : Path
        ``products/truth``.
    grid : DataArray or Dataset
        Whose cells are taken.

    Returns
    -------
    Dataset or None, dims (y, x)
        ``probability`` (true probability of a landslide, NaN outside), ``reachable`` (the best
        that can be said from the observed factors; where chapter 01 wrote it) and ``landslide``
        (bool: the cell's centre lies in a true landslide); None where there is no truth (real
        data).
    """
    if not (folder / "probability.tif").exists():
        return None
    like = grid if isinstance(grid, xr.DataArray) else next(iter(grid.values()))
    bands = {}
    for name in BOUNDS.values():
        if (folder / f"{name}.tif").exists():
            (written,) = read_raster(folder / f"{name}.tif").values()
            how = {"resampling": Resampling.nearest, "nodata": np.nan}
            bands[name] = on_grid(written.rio.reproject_match(like, **how).values, like, name)
    polygons = gpd.read_file(folder / "landslides.gpkg").to_crs(grid.rio.crs)
    where = {"out_shape": like.shape, "transform": like.rio.transform(), "dtype": "uint8"}
    landslide = rasterize(polygons.geometry, **where) == 1
    return xr.Dataset(bands | {"landslide": on_grid(landslide, like, "landslide")})


def at_samples(raster: xr.DataArray, samples: pd.DataFrame) -> np.ndarray:
    """Value of a raster in the cell of each sample (``x, y`` in m): (n,)."""
    return raster.values[rowcol(raster, samples["x"], samples["y"])]


def truth_scores(maps: dict[str, xr.DataArray], truth: xr.Dataset) -> pd.DataFrame:
    """Score maps against the truth, over all cells that every map and the truth know.

    Parameters
    ----------
    maps : dict
        Model → probability, dims (y, x), NaN unknown.
    truth : Dataset
        From `read_truth`.

    Returns
    -------
    DataFrame
        ``model, auc_map`` (of the map for true landslide cells) and ``spearman`` (rank correlation
        with the true probability); below the models the two `BOUNDS` that the truth holds.

    Raises
    ------
    StageError
        When the known cells hold no landslide, or nothing else.
    """
    maps = maps | {name: truth[band] for name, band in BOUNDS.items() if band in truth}
    known = np.logical_and.reduce([np.isfinite(raster.values) for raster in maps.values()])
    label = truth["landslide"].values[known]
    probability = truth["probability"].values[known]
    if label.all() or not label.any():
        raise StageError("the truth holds one class only in the cells the maps know")
    rows = []
    for model, raster in maps.items():
        values = raster.values[known]
        rows.append((model, roc_auc_score(label, values), spearmanr(values, probability).statistic))
    return pd.DataFrame(rows, columns=["model", "auc_map", "spearman"])


def bound_scores(samples: pd.DataFrame, truth: xr.Dataset) -> pd.Series:
    """AUC of the two `BOUNDS` on the true labels of the samples' cells.

    Counted are pairs of samples of the same ``fold``, as for the models in `score_table`.

    Returns
    -------
    Series
        ``oracle`` and, where the truth holds it, ``reachable``; NaN where these labels are all
        alike, as when not one sample lies in a true landslide.
    """
    label = at_samples(truth["landslide"], samples).astype(int)
    found = {}
    for name, band in BOUNDS.items():
        if band in truth:
            values = at_samples(truth[band], samples)
            known = np.isfinite(values)
            found[name] = within_groups_auc(label[known], values[known], samples["fold"][known])
    return pd.Series(found, name="auc")
