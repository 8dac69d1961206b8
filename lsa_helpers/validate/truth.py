"""Maps against the truth of the simulated mountain, and the ceiling no model can be expected to pass."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
from rasterio.enums import Resampling
from rasterio.features import rasterize
from rasterio.vrt import WarpedVRT
from scipy.stats import spearmanr
from sklearn import metrics

from lsa_helpers.errors import StageError
from lsa_helpers.grid import Grid


def read_truth(folder: Path, grid: Grid) -> tuple[np.ndarray, np.ndarray] | None:
    """The simulated mountain's truth on the analysis grid; None where there is none.

    Parameters
    ----------
    folder : Path
        ``products/truth`` with ``probability.tif`` and ``landslides.gpkg``.
    grid : Grid

    Returns
    -------
    probability : ndarray, shape (height, width)
        True probability of a landslide, NaN outside.
    landslide : ndarray of bool, shape (height, width)
        Cells whose centre lies in a true landslide.
    """
    if not (folder / "probability.tif").exists():
        return None
    with rasterio.open(folder / "probability.tif") as file, WarpedVRT(
        file, crs=grid.crs, transform=grid.transform, height=grid.height, width=grid.width, resampling=Resampling.nearest, nodata=np.nan
    ) as warped:
        probability = warped.read(1)
    polygons = gpd.read_file(folder / "landslides.gpkg").to_crs(grid.crs)
    return probability, rasterize(polygons.geometry, grid.shape, transform=grid.transform, dtype="uint8").astype(bool)


def truth_scores(maps: dict[str, np.ndarray], probability: np.ndarray, landslide: np.ndarray) -> pd.DataFrame:
    """Score maps against the simulated mountain's truth, over all cells that every map and the truth know.

    Parameters
    ----------
    maps : dict
        Model name → probability (height, width), NaN unknown.
    probability, landslide
        From `read_truth`.

    Returns
    -------
    DataFrame
        ``model, auc_map`` (of the map for true landslide cells), ``spearman`` (rank correlation with the true probability),
        ``ceiling_auc`` (AUC of the true probability itself for the same cells: no model of the factors can be expected above it).
    """
    known = np.isfinite(probability) & np.logical_and.reduce([np.isfinite(values) for values in maps.values()])
    label, truth = landslide[known], probability[known]
    if label.all() or not label.any():
        raise StageError("the truth holds one class only in the cells the maps know")
    ceiling = metrics.roc_auc_score(label, truth)
    rows = [(name, metrics.roc_auc_score(label, m[known]), spearmanr(m[known], truth).statistic, ceiling) for name, m in maps.items()]
    return pd.DataFrame(rows, columns=["model", "auc_map", "spearman", "ceiling_auc"])


def ceilings(samples: pd.DataFrame, probability: np.ndarray, landslide: np.ndarray, grid: Grid) -> pd.DataFrame:
    """AUC of the true probability on the samples the models are scored on, so that ceiling and score describe one population.

    Returns
    -------
    DataFrame
        ``population, n, ceiling_auc``: for the labels of the samples, and for the true landslides in the same cells.
    """
    row, col = grid.rowcol(samples["x"], samples["y"])
    truth, known = probability[row, col], np.isfinite(probability[row, col])
    labels = {"samples, own labels": samples["label"].to_numpy() == 1, "samples, true labels": landslide[row, col]}
    rows = [(name, int(known.sum()), metrics.roc_auc_score(label[known], truth[known])) for name, label in labels.items()]
    return pd.DataFrame(rows, columns=["population", "n", "ceiling_auc"])
