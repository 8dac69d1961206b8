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
        ``probability`` (true probability of a landslide, NaN outside) and ``landslide`` (bool:
        the cell's centre lies in a true landslide); None where there is no truth (real data).
    """
    if not (folder / "probability.tif").exists():
        return None
    (written,) = read_raster(folder / "probability.tif").values()
    like = grid if isinstance(grid, xr.DataArray) else next(iter(grid.values()))
    probability = written.rio.reproject_match(like, resampling=Resampling.nearest, nodata=np.nan)
    polygons = gpd.read_file(folder / "landslides.gpkg").to_crs(grid.rio.crs)
    where = {"out_shape": like.shape, "transform": like.rio.transform(), "dtype": "uint8"}
    landslide = rasterize(polygons.geometry, **where) == 1
    return xr.Dataset(
        {
            "probability": on_grid(probability.values, like, "probability"),
            "landslide": on_grid(landslide, like, "landslide"),
        }
    )


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
        ``model, auc_map`` (of the map for true landslide cells), ``spearman`` (rank correlation
        with the true probability), ``ceiling_auc`` (AUC of the true probability itself for the same
        cells).

    Raises
    ------
    StageError
        When the known cells hold no landslide, or nothing else.
    """
    rasters = [truth["probability"], *maps.values()]
    known = np.logical_and.reduce([np.isfinite(raster.values) for raster in rasters])
    label = truth["landslide"].values[known]
    probability = truth["probability"].values[known]
    if label.all() or not label.any():
        raise StageError("the truth holds one class only in the cells the maps know")
    rows = []
    for model, raster in maps.items():
        values = raster.values[known]
        spearman = spearmanr(values, probability).statistic
        rows.append((model, roc_auc_score(label, values), spearman))
    table = pd.DataFrame(rows, columns=["model", "auc_map", "spearman"])
    return table.assign(ceiling_auc=roc_auc_score(label, probability))


def ceilings(samples: pd.DataFrame, truth: xr.Dataset) -> pd.DataFrame:
    """AUC of the true probability on the very samples the models are scored on.

    Returns
    -------
    DataFrame
        ``labels`` (inventory: of the samples; truth: of the true landslides in the same cells),
        ``n, ceiling_auc``; NaN where these labels are all alike, as when not one detection is a
        landslide.
    """
    probability = at_samples(truth["probability"], samples)
    known = np.isfinite(probability)
    labels = {
        "inventory": samples["label"].to_numpy() == 1,
        "truth": at_samples(truth["landslide"], samples),
    }
    rows = []
    for name, label in labels.items():
        both = len(np.unique(label[known])) == 2
        auc = roc_auc_score(label[known], probability[known]) if both else np.nan
        rows.append((name, int(known.sum()), auc))
    return pd.DataFrame(rows, columns=["labels", "n", "ceiling_auc"])


def with_ceiling(
    table: pd.DataFrame, samples: pd.DataFrame, truth: xr.Dataset | None
) -> pd.DataFrame:
    """A table of scores on `samples`, with the true probability's AUC on the same labels.

    Parameters
    ----------
    table : DataFrame
        One row per model.
    samples : DataFrame
        ``x, y, label``.
    truth : Dataset or None

    Returns
    -------
    DataFrame
        With the column ``ceiling_auc`` after ``auc``, or at the end; as it was where no truth is
        known.
    """
    if truth is None:
        return table
    table = table.copy()
    auc = ceilings(samples, truth).set_index("labels")["ceiling_auc"]
    place = table.columns.get_loc("auc") + 1 if "auc" in table else len(table.columns)
    table.insert(place, "ceiling_auc", auc["inventory"])
    return table
