"""What the simulated mountain knows of itself, as files."""

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import xarray as xr
from sklearn.metrics import roc_auc_score

from lsa_helpers.mountain.landslides import landslide_ids
from lsa_helpers.mountain.shapley import covariance_shares, draw_background, shapley_map
from lsa_helpers.mountain.simulation import Mountain
from lsa_helpers.mountain.stability import stability_features, stability_terms
from lsa_helpers.raster import on_grid, write_raster
from lsa_helpers.run import whole_file


def write_truth(folder: Path, mountain: Mountain, seed: int) -> None:
    """Write the probability, the landslides, the look-alike old scars and what each factor does.

    Parameters
    ----------
    folder : Path
        Gets ``source.tif``, the probability that a landslide starts in a cell; ``probability.tif``,
        of lying in one; ``landslides.gpkg``, ``old_scars.gpkg``;
        ``shapley.tif``, one band per factor and one for the hidden field (log-odds, see
        `shapley_values`); ``background.json`` with the cells they are told against (``row, col`` of
        these rasters; ``x, y``, m); ``effects.json`` with the mean absolute Shapley value and the
        covariance share of each factor, and ``oracle_auc``: how well the true probability ranks the
        cells.
    mountain : Mountain
    seed : int
        Of the mountain.
    """
    for raster in (mountain.source, mountain.probability):
        write_raster(folder / f"{raster.name}.tif", raster)
    for name, table in (("landslides", mountain.landslides), ("old_scars", mountain.scars)):
        _write_gpkg(folder / f"{name}.gpkg", table[["id", "area_m2", "geometry"]], name)
    layers = mountain.layers
    background = draw_background(mountain.probability.shape, seed)
    terms = stability_terms(stability_features(layers, seed))
    values = shapley_map(terms, background, seed)
    bands = {name: on_grid(band, layers, name, "log-odds") for name, band in values.items()}
    write_raster(folder / "shapley.tif", xr.Dataset(bands))
    row, col = np.unravel_index(background, mountain.probability.shape)
    cells = {"row": row, "col": col, "x": layers.x.values[col], "y": layers.y.values[row]}
    _write_json(folder / "background.json", {name: cell.tolist() for name, cell in cells.items()})
    _write_json(folder / "effects.json", _effects(mountain, values))


def _effects(mountain: Mountain, values: dict[str, np.ndarray]) -> dict:
    """What ``effects.json`` holds."""
    ids = landslide_ids(
        mountain.landslides, mountain.layers.rio.transform(), mountain.probability.shape
    )
    auc = roc_auc_score(ids.ravel() > 0, mountain.probability.values.ravel())
    shares = covariance_shares(values)
    mean_abs = {name: round(float(np.abs(band).mean()), 4) for name, band in values.items()}
    return {
        "mean_abs_shapley": mean_abs,
        "covariance_share": shares,
        "oracle_auc": round(auc, 4),
    }


def _write_json(path: Path, content: dict) -> None:
    with whole_file(path) as part:
        part.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _write_gpkg(path: Path, table: gpd.GeoDataFrame, layer: str) -> None:
    """A GeoPackage whose bytes do not hold the time of writing."""
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2022-09-05T00:00:00.000Z"})
    try:
        with whole_file(path) as part:
            table.to_file(part, layer=layer, driver="GPKG", engine="pyogrio")
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
