"""Chapter 06 in two calls: the classes of a run's maps with their frequency ratios, and what other
breaks would have said.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from lsa_helpers.classes.breaks import MODELS, SCHEMES, classify, find_breaks, read_breaks
from lsa_helpers.classes.ratio import COLUMNS, frequency_ratio, landslide_cells
from lsa_helpers.grid import Grid, read_raster, write_raster
from lsa_helpers.run import Run
from lsa_helpers.runner.params import FrequencyRatioParams
from lsa_helpers.samples import read_landslides


def make_classes(run: Run, p: FrequencyRatioParams) -> pd.DataFrame:
    """Class the susceptibility maps of a run and write breaks, class rasters and the
    frequency-ratio table.

    Where the breaks are those of another run (`breaks_from`), ``breaks.json`` has the scheme they
    were found by there, and in ``reused_from`` the file and its hash.

    Parameters
    ----------
    run : Run
        With ``susceptibility_*.tif`` and ``inventory.gpkg``.
    p : FrequencyRatioParams

    Returns
    -------
    DataFrame
        The table ``frequency_ratio`` with the columns of DESIGN's contract, models in the order
        cnn, rf, xgboost.

    Raises
    ------
    InputError
        When breaks to be reused are no rising thresholds in 0–1, so many as the classes need, for
        every model.
    """
    origin, reused = (
        read_breaks(Path(p.breaks_from), p.n_classes)
        if p.breaks_from
        else ({"scheme": p.scheme}, {})
    )
    maps, grid, cells = _maps_and_landslides(run, p)
    breaks, tables = {}, []
    for model, values in maps.items():
        breaks[model] = reused.get(model) or find_breaks(
            values, n_classes=p.n_classes, scheme=p.scheme, sample=p.break_sample, seed=p.seed
        )
        classes = classify(values, breaks[model])
        write_raster(
            run.product(f"classes_{model}.tif"), classes, grid, ["susceptibility class"], ["1"]
        )
        table = frequency_ratio(
            classes, cells, cell_area_km2=grid.cell_area_km2, n_classes=p.n_classes
        )
        tables.append(table.assign(model=model))
    run.write_json(origin | {"n_classes": p.n_classes, "breaks": breaks}, "breaks.json")
    table = pd.concat(tables, ignore_index=True)[COLUMNS]
    run.write_table(table, "frequency_ratio")
    return table


def _maps_and_landslides(
    run: Run, p: FrequencyRatioParams
) -> tuple[dict[str, np.ndarray], Grid, np.ndarray]:
    """The susceptibility of each model, the grid of all, and the cells of the landslides that are
    counted.
    """
    files = {
        model: run.need(f"susceptibility_{model}.tif", chapter="05_susceptibility")
        for model in MODELS
    }
    read = {model: read_raster(file) for model, file in files.items()}
    grid = read[MODELS[0]][1]
    return (
        {model: values[0] for model, (values, _, _) in read.items()},
        grid,
        landslide_cells(read_landslides(run, p.inventory), grid),
    )


def scheme_sensitivity(run: Run, p: FrequencyRatioParams) -> pd.DataFrame:
    """Does the best model change with the way classes are cut?

    Parameters
    ----------
    run : Run
        With ``susceptibility_*.tif`` and ``inventory.gpkg``.
    p : FrequencyRatioParams
        Its `scheme` is left aside.

    Returns
    -------
    DataFrame
        ``scheme, model``, of the highest class ``area_pct``, ``landslides_pct`` and ``fr``, and
        ``rank`` of the model by that FR (1 best); also written as table ``scheme_sensitivity``.
    """
    maps, grid, cells = _maps_and_landslides(run, p)
    rows = []
    for scheme in SCHEMES:
        for model, values in maps.items():
            breaks = find_breaks(
                values, n_classes=p.n_classes, scheme=scheme, sample=p.break_sample, seed=p.seed
            )
            table = frequency_ratio(
                classify(values, breaks),
                cells,
                cell_area_km2=grid.cell_area_km2,
                n_classes=p.n_classes,
            )
            top = table.iloc[-1]
            row = {
                "area_pct": top["area_ratio_pct"],
                "landslides_pct": top["landslide_area_ratio_pct"],
                "fr": top["fr"],
            }
            rows.append({"scheme": scheme, "model": model} | row)
    found = pd.DataFrame(rows)
    found["rank"] = (
        found.groupby("scheme")["fr"].rank(ascending=False, method="min").astype("Int64")
    )
    run.write_table(found, "scheme_sensitivity")
    return found
