"""Susceptibility classes: their names, the breaks between them, and breaks saved by another run."""

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from lsa_helpers.errors import InputError, note
from lsa_helpers.raster import cell_size, on_grid, read_raster, rowcol
from lsa_helpers.run import Run, sha256

#: Most cells of a map that breaks are looked for in.
MOST_CELLS = 10_000_000
#: The models whose maps are classed, in the order of tables and figures.
MODELS = ("cnn", "rf", "xgboost")


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


def read_maps(run: Run, kind: str = "heldout", chunk: int = 0) -> dict[str, xr.DataArray]:
    """The susceptibility maps of a run that are to be classed.

    Parameters
    ----------
    run : Run
        With the maps of chapter 05.
    kind : {"heldout", "fitted"}
        Maps by models that did not know the cells they map, or by models that knew all landslides.
    chunk : int
        Edge of a Dask chunk in cells, for maps larger than memory; 0: read into memory.

    Returns
    -------
    dict
        Model → map (y, x) of values in 0–1, NaN where unknown; those of `MODELS` that chapter 05
        made, in their order.

    Raises
    ------
    InputError
        When it made none of them.
    """
    start, maps = {"heldout": "heldout", "fitted": "susceptibility"}[kind], {}
    for model in MODELS:
        if run.has(f"{start}_{model}.tif"):
            (maps[model],) = read_raster(run.product(f"{start}_{model}.tif"), chunk).values()
    if not maps:
        raise InputError(
            f"there is no {kind} susceptibility map of {', '.join(MODELS)}",
            where=run.path,
            fix="Run chapter 05_susceptibility first, with one of them in its parameter models",
        )
    return maps


def known_landslides(burnt: np.ndarray, susceptibility: xr.DataArray) -> xr.DataArray:
    """Which known cells of a map are landslide.

    Parameters
    ----------
    burnt : ndarray of bool, shape (height, width)
        Cells of the map that landslides cover, from ``rasterio.features.rasterize``.
    susceptibility : DataArray, dims (y, x)
        NaN where unknown.

    Returns
    -------
    DataArray of bool, dims (y, x)

    Raises
    ------
    InputError
        When there are none, and no share of theirs could be computed.
    """
    cells = burnt & np.isfinite(susceptibility.values)
    if not cells.any():
        raise InputError(
            "no landslide of the inventory lies on the susceptibility map",
            fix="Compare the extents of inventory and DEM",
        )
    return on_grid(cells, susceptibility, "landslide")


def known_values(susceptibility: xr.DataArray, n_classes: int) -> np.ndarray:
    """The values of a map that breaks are looked for in.

    Parameters
    ----------
    susceptibility : DataArray, dims (y, x)
        0–1, NaN where unknown.
    n_classes : int
        Number of classes wanted.

    Returns
    -------
    ndarray of float64, shape (n,)
        The values of the known cells; of a map of more than `MOST_CELLS` cells those of every nth
        row and column, with a note.

    Raises
    ------
    InputError
        When the map has fewer different values than classes.
    """
    step = math.ceil(math.sqrt(susceptibility.size / MOST_CELLS))
    if step > 1:
        found = f"every {step}th row and column of {susceptibility.size:,} cells"
        note("class breaks are found on a part of a large map", found=found)
    values = np.asarray(susceptibility[::step, ::step], float)
    values = values[np.isfinite(values)]
    n_different = np.unique(values).size
    if n_different < n_classes:
        raise InputError(
            f"a map with {n_different} different values cannot be cut into {n_classes} classes",
            fix="Use fewer classes, or look at why the map is flat",
        )
    return values


def cut_classes(susceptibility: xr.DataArray, breaks: Sequence[float]) -> xr.DataArray:
    """The class of every cell, 1 the lowest, 0 where unknown: uint8, dims (y, x), in memory.

    A cell on a break belongs to the class below it.

    Examples
    --------
    >>> from lsa_helpers.raster import empty_grid
    >>> values = on_grid(np.array([[0.1, 0.5], [0.9, np.nan]]), empty_grid((0, 0, 2, 2), 32648, 1))
    >>> cut_classes(values, [0.5]).values.tolist()
    [[1, 1], [2, 0]]
    """
    number = xr.apply_ufunc(
        lambda values: np.where(np.isnan(values), 0, 1 + np.digitize(values, breaks, right=True)),
        susceptibility,
        dask="parallelized",
        output_dtypes=[np.int64],
    )
    return on_grid(number.astype(np.uint8).values, susceptibility, "susceptibility class")


def line_pieces(lines, grid: xr.DataArray):
    """Lines cut into pieces no longer than a quarter of a cell, so that each lies in a cell.

    Parameters
    ----------
    lines : GeoSeries
        Lines in the CRS of the grid, m.
    grid : DataArray, dims (y, x)

    Returns
    -------
    GeoDataFrame
        The pieces: number of their ``line``, ``row, col`` of the cell that holds their middle, and
        ``length_m`` in the plane of the map; those outside the grid are left out. Where a line
        crosses from one cell into the next, less than a quarter of a cell may count for the
        neighbour.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import LineString
    >>> from lsa_helpers.raster import empty_grid
    >>> road = gpd.GeoSeries([LineString([(-5, 5), (15, 5)])], crs=32648)
    >>> pieces = line_pieces(road, empty_grid((0, 0, 20, 10), 32648, 10))
    >>> pieces.groupby(["row", "col"])["length_m"].sum().to_dict()
    {(0, 0): 10.0, (0, 1): 5.0}
    """
    import geopandas as gpd
    import shapely

    short = shapely.segmentize(lines.explode().to_numpy(), cell_size(grid) / 4)
    points, line = shapely.get_coordinates(short, return_index=True)
    start, end = points[:-1], points[1:]
    middle = (start + end) / 2
    row, col = rowcol(grid, *middle.T)
    length = np.hypot(*(end - start).T)
    about = pd.DataFrame({"line": line[1:], "row": row, "col": col, "length_m": length})
    height, width = grid.shape
    kept = (row >= 0) & (row < height) & (col >= 0) & (col < width) & (line[1:] == line[:-1])
    drawn = shapely.linestrings(np.stack([start, end], axis=1)[kept])
    return gpd.GeoDataFrame(about[kept].reset_index(drop=True), geometry=drawn, crs=lines.crs)


def read_breaks(file: Path | str, n_classes: int, models: Iterable[str] | None = None) -> dict:
    """Class breaks saved by another run, and where they come from.

    Parameters
    ----------
    file : Path or str
        Its ``breaks.json``.
    n_classes : int
        Number of classes they must give.
    models : iterable of str, optional
        Models that must have breaks there; by default those the file has.

    Returns
    -------
    dict
        ``breaks``: model → ascending breaks; ``scheme`` they were found by there;
        ``reused_from``: the file and its hash.

    Raises
    ------
    InputError
        When the file cannot be read, or does not hold rising breaks in 0–1, one fewer than
        classes, for every model.
    """
    try:
        content = json.loads(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            "the saved class breaks cannot be read",
            where=file,
            found=error,
            fix="Give another run's breaks.json",
        ) from None
    breaks = content.get("breaks") if isinstance(content, dict) else None
    if not isinstance(breaks, dict) or not breaks:
        raise InputError(
            "the file holds no class breaks by model",
            where=file,
            found=str(content)[:80],
            fix=f'Write {{"breaks": {{"{MODELS[0]}": [0.2, …], …}}}}, as chapter 06 does',
        )
    models = list(breaks if models is None else models)
    for model in models:
        _check_breaks(breaks.get(model), model, n_classes, file)
    return {
        "breaks": {model: breaks[model] for model in models},
        "scheme": content.get("scheme", "unknown"),
        "reused_from": {"file": Path(file).as_posix(), "sha256": sha256(Path(file))},
    }


def _check_breaks(breaks, model: str, n_classes: int, file: Path | str) -> None:
    """Breaks of one model: numbers in 0–1, none below the one before it, one fewer than classes."""
    if not isinstance(breaks, list) or not all(map(_is_share, breaks)):
        raise InputError(
            f"the class breaks of {model} are no numbers from 0 to 1",
            where=file,
            found=str(breaks),
            fix="Correct them",
        )
    if breaks != sorted(breaks):
        raise InputError(
            f"the class breaks of {model} do not rise", where=file, found=breaks, fix="Sort them"
        )
    if len(breaks) != n_classes - 1:
        raise InputError(
            f"the saved breaks do not give {n_classes} classes for {model}",
            where=file,
            found=f"{len(breaks)} breaks",
            fix=f"Set n_classes to {len(breaks) + 1}",
        )


def _is_share(item) -> bool:
    """Whether an entry of a JSON file is a number from 0 to 1."""
    is_number = isinstance(item, int | float) and not isinstance(item, bool)
    return is_number and math.isfinite(item) and 0 <= item <= 1
