"""Chapter 05: susceptibility classes and their frequency ratios."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd

from lsa_helpers.errors import InputError
from lsa_helpers.grid import Grid, read_raster, write_raster
from lsa_helpers.params import FrequencyRatioParams
from lsa_helpers.run import Run, sha256
from lsa_helpers.samples import on_grid, read_landslides

MODELS = ("cnn", "rf", "xgboost")
SCHEMES = ("fisher_jenks", "equal", "quantile", "deviation", "geometric")
COLUMNS = ["model", "susceptibility", "area_km2", "area_ratio_pct", "landslide_area_km2", "landslide_area_ratio_pct", "fr"]


def class_names(n_classes: int) -> list[str]:
    """Names of the classes from low to high; the paper's own for five.

    Examples
    --------
    >>> class_names(3)
    ['Class 1 (lowest)', 'Class 2', 'Class 3 (highest)']
    """
    if n_classes == 5:
        return ["Very Low", "Low", "Moderate", "High", "Very High"]
    names = [f"Class {number}" for number in range(1, n_classes + 1)]
    return [f"{names[0]} (lowest)", *names[1:-1], f"{names[-1]} (highest)"]


def find_breaks(values: np.ndarray, *, n_classes: int, scheme: str, sample: int, seed: int) -> list[float]:
    """The ``n_classes - 1`` thresholds between susceptibility classes.

    Parameters
    ----------
    values : ndarray of float
        Susceptibility 0–1 in any shape; NaN is left out.
    n_classes : int
        Number of classes.
    scheme : {"fisher_jenks", "equal", "quantile", "deviation", "geometric"}
        Fisher–Jenks makes the classes as homogeneous as possible (least squared deviation from the class means);
        equal cuts the range, quantile the number of cells, into equal parts; deviation cuts at steps of one standard deviation around the
        mean, geometric so that each class is wider than the one below by the same factor.
    sample : int
        At most so many cells, drawn with the seed, are looked at (Fisher–Jenks costs the square of their number).
    seed : int
        Seed of the draw.

    Returns
    -------
    list of float
        Thresholds in ascending order; a cell on a threshold belongs to the class below it.

    Raises
    ------
    InputError
        When the map has fewer different values than classes.

    Notes
    -----
    Source: Fisher (1958), On grouping for maximum homogeneity, doi:10.1080/01621459.1958.10501479; computed by mapclassify.

    Examples
    --------
    >>> find_breaks(np.array([0.1, 0.11, 0.5, 0.52, 0.9]), n_classes=3, scheme="fisher_jenks", sample=100, seed=0)
    [0.11, 0.52]
    """
    import mapclassify

    finite = np.asarray(values, float)[np.isfinite(values)]
    if finite.size > sample:
        finite = np.random.default_rng(seed).choice(finite, sample, replace=False)
    if np.unique(finite).size < n_classes:
        raise InputError(f"a map with {np.unique(finite).size} different values cannot be cut into {n_classes} classes",
                         fix="Use fewer classes, or look at why the map is flat")  # fmt: skip
    if scheme == "quantile":
        # mapclassify merges quantiles that fall on the same value, and with them classes.
        return np.quantile(finite, np.arange(1, n_classes) / n_classes).tolist()
    if scheme == "deviation":
        steps = np.arange(1, n_classes) - n_classes / 2
        return np.clip(finite.mean() + steps * finite.std(), finite.min(), finite.max()).tolist()
    if scheme == "geometric":
        # A map that reaches 0 has no geometric steps of its own.
        low = max(float(finite.min()), 1e-3 * float(finite.max()))
        return np.geomspace(low, finite.max(), n_classes + 1)[1:-1].tolist()
    rule = mapclassify.FisherJenks if scheme == "fisher_jenks" else mapclassify.EqualInterval
    return rule(finite, k=n_classes).bins[:-1].tolist()


def classify(values: np.ndarray, breaks: list[float]) -> np.ndarray:
    """Cut a map at the thresholds.

    Parameters
    ----------
    values : ndarray of float
        Susceptibility; NaN is nodata.
    breaks : list of float
        Ascending thresholds.

    Returns
    -------
    ndarray of uint8, same shape
        1 (lowest) to ``len(breaks) + 1``; 0 where `values` is NaN.

    Examples
    --------
    >>> classify(np.array([0.1, 0.2, 0.3, np.nan]), [0.2])
    array([1, 1, 2, 0], dtype=uint8)
    """
    found = 1 + np.searchsorted(np.asarray(breaks, float), np.nan_to_num(np.asarray(values, float)), side="left")
    return np.where(np.isfinite(values), found, 0).astype(np.uint8)


def ratios(area: np.ndarray, landslide_area: np.ndarray) -> pd.DataFrame:
    """Shares and frequency ratios of classes from their areas.

    FR = (Lᵢ / ΣL) / (Aᵢ / ΣA): how many times more landslide area a class holds than its share of the land would give it.

    Parameters
    ----------
    area, landslide_area : ndarray, shape (classes,)
        Area and landslide area of each class, both in the same unit.

    Returns
    -------
    DataFrame
        ``area_ratio_pct``, ``landslide_area_ratio_pct`` (per cent) and ``fr`` (dimensionless; NaN for a class without area).

    Notes
    -----
    Source: Yao et al. 2026, section 4.3, whose "FR (%)" is this plain ratio.

    Examples
    --------
    >>> ratios(np.array([8.0, 2.0]), np.array([1.0, 1.0]))["fr"].tolist()
    [0.625, 2.5]
    """
    area, landslide_area = np.asarray(area, float), np.asarray(landslide_area, float)
    share, landslide_share = area / area.sum(), landslide_area / landslide_area.sum()
    fr = np.divide(landslide_share, share, out=np.full(len(area), np.nan), where=share > 0)
    return pd.DataFrame({"area_ratio_pct": 100 * share, "landslide_area_ratio_pct": 100 * landslide_share, "fr": fr})


def frequency_ratio(classes: np.ndarray, landslide: np.ndarray, *, cell_area_km2: float, n_classes: int) -> pd.DataFrame:
    """Frequency ratios of one class map.

    Parameters
    ----------
    classes : ndarray of uint8, shape (height, width)
        1 to `n_classes`, 0 is nodata.
    landslide : ndarray of bool, same shape
        Cells of the inventory.
    cell_area_km2 : float
        Area of a cell in km².
    n_classes : int
        Number of classes.

    Returns
    -------
    DataFrame
        One row per class from low to high, columns of the paper's Table 5 without the model.

    Raises
    ------
    InputError
        When no landslide cell lies on the map.
    """
    cells = np.bincount(classes.ravel(), minlength=n_classes + 1)[1:]
    slides = np.bincount(classes[landslide], minlength=n_classes + 1)[1:]
    if slides.sum() == 0:
        raise InputError("no landslide of the inventory lies on the susceptibility map", fix="Compare the extents of inventory and DEM")
    areas = {"area_km2": cells * cell_area_km2, "landslide_area_km2": slides * cell_area_km2}
    table = ratios(*areas.values()).assign(susceptibility=class_names(n_classes), **areas)
    return table[COLUMNS[1:]]


def landslide_cells(landslides, grid: Grid) -> np.ndarray:
    """Which cells of the grid are landslide.

    A polygon takes the cells whose centre it covers, a point the cell it lies in.

    Parameters
    ----------
    landslides : GeoDataFrame
        Polygons or points.
    grid : Grid

    Returns
    -------
    ndarray of bool, shape (height, width)

    Raises
    ------
    InputError
        When they state no CRS or do not meet the grid.
    """
    from rasterio.features import rasterize

    cells = np.zeros(grid.shape, bool)
    landslides = on_grid(landslides, grid)
    points = landslides[landslides.geom_type == "Point"].geometry
    row, col = grid.rowcol(points.x, points.y)
    inside = grid.inside(row, col)
    cells[row[inside], col[inside]] = True
    polygons = landslides[landslides.geom_type != "Point"].geometry
    if len(polygons):
        cells |= rasterize(polygons, grid.shape, transform=grid.transform, dtype="uint8").astype(bool)
    return cells


def make_classes(run: Run, p: FrequencyRatioParams) -> pd.DataFrame:
    """Class the susceptibility maps of a run and write breaks, class rasters and the frequency-ratio table.

    Where the breaks are those of another run (`breaks_from`), ``breaks.json`` has the scheme they were found by there, and in
    ``reused_from`` the file and its hash.

    Parameters
    ----------
    run : Run
        With ``susceptibility_*.tif`` and ``inventory.gpkg``.
    p : FrequencyRatioParams

    Returns
    -------
    DataFrame
        The table ``frequency_ratio`` with the columns of DESIGN's contract, models in the order cnn, rf, xgboost.

    Raises
    ------
    InputError
        When breaks to be reused are no rising thresholds in 0–1, so many as the classes need, for every model.
    """
    origin, reused = read_breaks(Path(p.breaks_from), p.n_classes) if p.breaks_from else ({"scheme": p.scheme}, {})
    maps, grid, cells = _maps_and_landslides(run, p)
    breaks, tables = {}, []
    for model, values in maps.items():
        breaks[model] = reused.get(model) or find_breaks(values, n_classes=p.n_classes, scheme=p.scheme, sample=p.break_sample, seed=p.seed)
        classes = classify(values, breaks[model])
        write_raster(run.product(f"classes_{model}.tif"), classes, grid, ["susceptibility class"], ["1"])
        table = frequency_ratio(classes, cells, cell_area_km2=grid.cell_area_km2, n_classes=p.n_classes)
        tables.append(table.assign(model=model))
    run.write_json(origin | {"n_classes": p.n_classes, "breaks": breaks}, "breaks.json")
    table = pd.concat(tables, ignore_index=True)[COLUMNS]
    run.write_table(table, "frequency_ratio")
    return table


def _maps_and_landslides(run: Run, p: FrequencyRatioParams) -> tuple[dict[str, np.ndarray], Grid, np.ndarray]:
    """The susceptibility of each model, the grid of all, and the cells of the landslides that are counted."""
    files = {model: run.need(f"susceptibility_{model}.tif", chapter="04_susceptibility") for model in MODELS}
    read = {model: read_raster(file) for model, file in files.items()}
    grid = read[MODELS[0]][1]
    return {model: values[0] for model, (values, _, _) in read.items()}, grid, landslide_cells(read_landslides(run, p.inventory), grid)


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
        ``scheme, model``, of the highest class ``area_pct``, ``landslides_pct`` and ``fr``, and ``rank`` of the model by that FR (1 best);
        also written as table ``scheme_sensitivity``.
    """
    maps, grid, cells = _maps_and_landslides(run, p)
    rows = []
    for scheme in SCHEMES:
        for model, values in maps.items():
            breaks = find_breaks(values, n_classes=p.n_classes, scheme=scheme, sample=p.break_sample, seed=p.seed)
            table = frequency_ratio(classify(values, breaks), cells, cell_area_km2=grid.cell_area_km2, n_classes=p.n_classes)
            top = table.iloc[-1]
            row = {"area_pct": top["area_ratio_pct"], "landslides_pct": top["landslide_area_ratio_pct"], "fr": top["fr"]}
            rows.append({"scheme": scheme, "model": model} | row)
    found = pd.DataFrame(rows)
    found["rank"] = found.groupby("scheme")["fr"].rank(ascending=False, method="min").astype("Int64")
    run.write_table(found, "scheme_sensitivity")
    return found


def read_breaks(file: Path, n_classes: int) -> tuple[dict, dict[str, list[float]]]:
    """Thresholds saved by another run.

    Parameters
    ----------
    file : Path
        Its ``breaks.json``.
    n_classes : int
        Number of classes they must give.

    Returns
    -------
    origin : dict
        Where they come from, for the new ``breaks.json``.
    breaks : dict
        Model → thresholds between its classes.

    Raises
    ------
    InputError
        When the file cannot be read, or does not hold rising thresholds in 0–1, one fewer than classes, for every model.
    """
    try:
        content = json.loads(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError("the saved class breaks cannot be read", where=file, found=error, fix="Give another run's breaks.json") from None
    breaks = content.get("breaks") if isinstance(content, dict) else None
    if not isinstance(breaks, dict):
        fix = f'Write {{"breaks": {{"{MODELS[0]}": [0.2, …], …}}}}, as chapter 05 does'
        raise InputError("the file holds no class breaks by model", where=file, found=str(content)[:80], fix=fix)
    for model in MODELS:
        _check_breaks(breaks.get(model), model, n_classes, file)
    origin = {"scheme": content.get("scheme", "unknown"), "reused_from": {"file": Path(file).as_posix(), "sha256": sha256(file)}}
    return origin, {model: breaks[model] for model in MODELS}


def _check_breaks(breaks, model: str, n_classes: int, file: Path) -> None:
    """Thresholds of one model: numbers in 0–1, none below the one before it, one fewer than classes."""
    numbers = isinstance(breaks, list) and all(isinstance(item, int | float) and not isinstance(item, bool) for item in breaks)
    if not numbers or not all(math.isfinite(item) and 0 <= item <= 1 for item in breaks):
        raise InputError(f"the class breaks of {model} are no numbers from 0 to 1", where=file, found=str(breaks), fix="Correct them")
    if breaks != sorted(breaks):
        raise InputError(f"the class breaks of {model} do not rise", where=file, found=breaks, fix="Sort them")
    if len(breaks) != n_classes - 1:
        fix = f"Set n_classes to {len(breaks) + 1}"
        raise InputError(
            f"the saved breaks do not give {n_classes} classes for {model}", where=file, found=f"{len(breaks)} breaks", fix=fix
        )
