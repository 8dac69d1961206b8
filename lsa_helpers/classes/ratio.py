"""Frequency ratios: how many times more landslides a class holds than its share of the land would
give it.
"""

import numpy as np
import pandas as pd

from lsa_helpers.classes.breaks import class_names
from lsa_helpers.errors import InputError
from lsa_helpers.grid import Grid
from lsa_helpers.samples import on_grid

COLUMNS = [
    "model",
    "susceptibility",
    "area_km2",
    "area_ratio_pct",
    "landslide_area_km2",
    "landslide_area_ratio_pct",
    "fr",
]


def ratios(area: np.ndarray, landslide_area: np.ndarray) -> pd.DataFrame:
    """Shares and frequency ratios of classes from their areas.

    FR = (Lᵢ / ΣL) / (Aᵢ / ΣA): how many times more landslide area a class holds than its share of
    the land would give it.

    Parameters
    ----------
    area, landslide_area : ndarray, shape (classes,)
        Area and landslide area of each class, both in the same unit.

    Returns
    -------
    DataFrame
        ``area_ratio_pct``, ``landslide_area_ratio_pct`` (per cent) and ``fr`` (dimensionless; NaN
        for a class without area).

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
    return pd.DataFrame(
        {"area_ratio_pct": 100 * share, "landslide_area_ratio_pct": 100 * landslide_share, "fr": fr}
    )


def frequency_ratio(
    classes: np.ndarray, landslide: np.ndarray, *, cell_area_km2: float, n_classes: int
) -> pd.DataFrame:
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
        raise InputError(
            "no landslide of the inventory lies on the susceptibility map",
            fix="Compare the extents of inventory and DEM",
        )
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
        cells |= rasterize(polygons, grid.shape, transform=grid.transform, dtype="uint8").astype(
            bool
        )
    return cells
