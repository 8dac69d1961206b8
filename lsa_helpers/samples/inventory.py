"""The landslides of a run, in the CRS of its grid."""

from pathlib import Path

import geopandas as gpd
import numpy as np

from lsa_helpers.errors import InputError
from lsa_helpers.grid import Grid
from lsa_helpers.run import Run

_SET_CRS = "Give it one: in QGIS, or with GeoDataFrame.set_crs"


def read_inventory(run: Run, which: str, at_least: int = 10) -> tuple[gpd.GeoDataFrame, str]:
    """Read the landslides a susceptibility model learns from.

    Parameters
    ----------
    run : Run
    which : {"auto", "detected", "reference"}
        Layer of ``products/inventory.gpkg``; auto takes the detected one if it holds at least
        `at_least` landslides.
    at_least : int
        Fewest landslides that auto accepts as a detected inventory.

    Returns
    -------
    inventory : GeoDataFrame
        Polygons, or points with the column ``label`` (1 landslide, 0 none).
    layer : str
        The layer that was read.

    Raises
    ------
    InputError
        When the layer asked for is missing or states no CRS.
    """
    path = run.need("inventory.gpkg", chapter="03_inventory")
    layers = set(gpd.list_layers(path)["name"])
    if which == "auto" and "detected" in layers:
        detected = _read_layer(path, "detected")
        if len(detected) >= at_least or "reference" not in layers:
            return detected, "detected"
    layer = "reference" if which == "auto" else which
    if layer not in layers:
        raise InputError(
            f'the inventory has no layer "{layer}"',
            where=path,
            found=sorted(layers),
            fix='Set inventory to "auto"',
        )
    return _read_layer(path, layer), layer


def _read_layer(path: Path, layer: str) -> gpd.GeoDataFrame:
    """A layer that states its CRS."""
    landslides = gpd.read_file(path, layer=layer)
    if landslides.crs is None:
        raise InputError(
            f'the layer "{layer}" of the inventory states no CRS', where=path, fix=_SET_CRS
        )
    return landslides


def read_landslides(run: Run, which: str = "auto") -> gpd.GeoDataFrame:
    """The landslides of a run, without the points that mark their absence.

    Parameters
    ----------
    run : Run
    which : {"auto", "detected", "reference"}
        As for `read_inventory`.

    Returns
    -------
    GeoDataFrame
        Polygons, or points whose ``label`` is 1; the name of their layer in ``attrs["layer"]``.

    Raises
    ------
    InputError
        When there are none, or their layer states no CRS.
    """
    landslides, layer = read_inventory(run, which)
    if "label" in landslides:
        landslides = landslides[landslides["label"] == 1]
    if len(landslides) == 0:
        raise InputError(
            f"the {layer} inventory holds no landslides", where=run.product("inventory.gpkg")
        )
    landslides.attrs["layer"] = layer
    return landslides


def on_grid(landslides: gpd.GeoDataFrame, grid: Grid) -> gpd.GeoDataFrame:
    """Landslides in the CRS of the grid, rows as they are.

    Parameters
    ----------
    landslides : GeoDataFrame
        In any CRS.
    grid : Grid

    Returns
    -------
    GeoDataFrame

    Raises
    ------
    InputError
        When they state no CRS, have coordinates their CRS cannot have, or none meets the grid.
    """
    if landslides.crs is None:
        raise InputError(
            "the landslides state no CRS", found=f"{len(landslides)} features", fix=_SET_CRS
        )
    moved = landslides.to_crs(grid.crs)
    low_x, low_y, high_x, high_y = moved.bounds.to_numpy().T
    left, bottom, right, top = grid.bounds
    # Metres called degrees become infinite, and burning an infinite polygon would never end.
    impossible = np.isinf(low_x) | np.isinf(high_y)
    if (
        impossible.any()
        or not ((low_x < right) & (high_x > left) & (low_y < top) & (high_y > bottom)).any()
    ):
        found = f"{landslides.crs.to_string()}, {_box(landslides.total_bounds)}; the grid is {grid.crs.to_string()}, {_box(grid.bounds)}"
        raise InputError(
            "the landslides do not overlap the grid",
            found=found,
            fix="Check the CRS and the extent of the inventory",
        )
    return moved


def _box(bounds) -> str:
    """Bounds for a message."""
    return "{:.6g} to {:.6g} east, {:.6g} to {:.6g} north".format(
        *(bounds[i] for i in (0, 2, 1, 3))
    )
