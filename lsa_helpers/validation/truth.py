"""Maps against the truth of the simulated mountain, and the ceiling no model can be expected to
pass.
"""

from dataclasses import dataclass

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
from lsa_helpers.run import Run


@dataclass(frozen=True)
class Truth:
    """What the simulated mountain knows about itself, on the analysis grid.

    Parameters
    ----------
    probability : ndarray, shape (height, width)
        True probability of a landslide, NaN outside.
    landslide : ndarray of bool, shape (height, width)
        Cells whose centre lies in a true landslide.
    grid : Grid
    """

    probability: np.ndarray
    landslide: np.ndarray
    grid: Grid

    def at(self, samples: pd.DataFrame) -> np.ndarray:
        """True probability at each sample, (n,)."""
        return self.probability[self.grid.rowcol(samples["x"], samples["y"])]


def read_truth(run: Run, grid: Grid) -> Truth | None:
    """Read ``products/truth``; None where there is none (real data)."""
    folder = run.product("truth")
    if not (folder / "probability.tif").exists():
        return None
    frame = {
        "crs": grid.crs,
        "transform": grid.transform,
        "height": grid.height,
        "width": grid.width,
        "nodata": np.nan,
    }
    with (
        rasterio.open(folder / "probability.tif") as file,
        WarpedVRT(file, **frame, resampling=Resampling.nearest) as warped,
    ):
        probability = warped.read(1)
    polygons = gpd.read_file(folder / "landslides.gpkg").to_crs(grid.crs)
    return Truth(
        probability,
        rasterize(polygons.geometry, grid.shape, transform=grid.transform, dtype="uint8").astype(
            bool
        ),
        grid,
    )


def truth_scores(maps: dict[str, np.ndarray], truth: Truth | None) -> pd.DataFrame:
    """Score maps against the simulated mountain's truth, over all cells that every map and the
    truth know.

    Parameters
    ----------
    maps : dict
        Model name → probability (height, width), NaN unknown.
    truth : Truth or None
        Without a truth the table is empty.

    Returns
    -------
    DataFrame
        ``model, auc_map`` (of the map for true landslide cells), ``spearman`` (rank correlation
        with the true probability), ``ceiling_auc`` (AUC of the true probability itself for the same
        cells: no model of the factors can be expected above it).

    Raises
    ------
    StageError
        When the known cells hold no landslide, or nothing else.
    """
    columns = ["model", "auc_map", "spearman", "ceiling_auc"]
    if truth is None:
        return pd.DataFrame(columns=columns)
    known = np.isfinite(truth.probability) & np.logical_and.reduce(
        [np.isfinite(values) for values in maps.values()]
    )
    label, probability = truth.landslide[known], truth.probability[known]
    if label.all() or not label.any():
        raise StageError("the truth holds one class only in the cells the maps know")
    ceiling = metrics.roc_auc_score(label, probability)
    own = {name: values[known] for name, values in maps.items()}
    rows = [
        (name, metrics.roc_auc_score(label, v), spearmanr(v, probability).statistic, ceiling)
        for name, v in own.items()
    ]
    return pd.DataFrame(rows, columns=columns)


def ceilings(samples: pd.DataFrame, truth: Truth | None) -> pd.DataFrame:
    """AUC of the true probability on the very samples the models are scored on, so that ceiling and
    score share one population.

    Returns
    -------
    DataFrame
        ``labels`` (of the samples' inventory; of the true landslides in the same cells), ``n,
        ceiling_auc``; NaN where these labels are all alike, as when not one detection is a
        landslide; empty without a truth.
    """
    if truth is None:
        return pd.DataFrame(columns=["labels", "n", "ceiling_auc"])
    probability = truth.at(samples)
    known = np.isfinite(probability)
    labels = {
        "inventory": samples["label"].to_numpy() == 1,
        "truth": truth.landslide[truth.grid.rowcol(samples["x"], samples["y"])],
    }
    rows = []
    for name, label in labels.items():
        both = len(np.unique(label[known])) == 2
        rows.append(
            (
                name,
                int(known.sum()),
                metrics.roc_auc_score(label[known], probability[known]) if both else np.nan,
            )
        )
    return pd.DataFrame(rows, columns=["labels", "n", "ceiling_auc"])


def with_ceiling(table: pd.DataFrame, samples: pd.DataFrame, truth: Truth | None) -> pd.DataFrame:
    """A table of scores with that of the true probability beside them, for the same samples and
    labels.

    As far as the labels are true landslides, no model can be expected above it; one that learned
    from detected landslides can, by learning what the detector takes for one.

    Parameters
    ----------
    table : DataFrame
        Scores on `samples`, one row per model.
    samples : DataFrame
        ``x, y, label``.
    truth : Truth or None

    Returns
    -------
    DataFrame
        With the column ``ceiling_auc`` (that of `ceilings` for the samples' own labels) after
        ``auc``, or at the end; as it was where no truth is known.
    """
    if truth is None:
        return table
    top = ceilings(samples, truth).set_index("labels")["ceiling_auc"]["inventory"]
    names = list(table.columns)
    where = names.index("auc") + 1 if "auc" in names else len(names)
    return table.assign(ceiling_auc=top)[[*names[:where], "ceiling_auc", *names[where:]]]
