"""Rock units and faults of the simulated mountain, known before its valleys are cut."""

import numpy as np
import pandas as pd
import xarray as xr
from shapely.geometry import LineString

from lsa_helpers.mountain.noise import smooth_field
from lsa_helpers.raster import cell_size

# Effective cohesion in kPa, friction angle in degrees, erodibility relative to granite.
ROCKS = pd.DataFrame.from_dict(
    {
        1: ("granite", 24.0, 39.0, 1.0),
        2: ("quartz diorite", 22.0, 38.0, 1.05),
        3: ("schist and phyllite", 13.0, 33.0, 1.5),
        4: ("slate and sandstone", 16.0, 35.0, 1.3),
        5: ("marble and limestone", 21.0, 38.0, 0.9),
        6: ("Quaternary deposits", 8.0, 33.0, 1.8),
    },
    orient="index",
    columns=["name", "cohesion", "friction", "erodibility"],
)
QUATERNARY = 6  # laid down in valleys, so it comes after them
SLIP = 1500.0  # m; how far the ground beyond the main strand has moved


def make_geology(
    grid: xr.DataArray, rng: np.random.Generator
) -> tuple[np.ndarray, list[LineString]]:
    """Bands of rock along a north-west to south-east strike, shifted by a strike-slip fault.

    Strike, left-lateral main strand and splays imitate the Xianshuihe fault zone.

    Parameters
    ----------
    grid : DataArray, dims (y, x)
        Whose cells are filled; CRS in metres.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    rocks : ndarray, shape (rows, columns), uint8
        Codes of `ROCKS`, none of them Quaternary.
    faults : list of LineString
        The main strand first; in the grid's CRS.
    """
    left, bottom, right, top = grid.rio.bounds()
    span = np.hypot(right - left, top - bottom)
    strike = np.deg2rad(rng.uniform(-58, -46))  # measured from east, so towards the south-east
    along = np.array([np.cos(strike), np.sin(strike)])
    across = np.array([-np.sin(strike), np.cos(strike)])
    offset = rng.uniform(-0.12, 0.12) * min(right - left, top - bottom)
    centre = np.array([left + right, bottom + top]) / 2 + across * offset
    faults = [_fault(centre, along, across, 1.2 * span, rng)]
    for _ in range(max(2, round(span / 6000))):
        offset = along * rng.uniform(-0.4, 0.4) * span + across * rng.normal(0, 0.25) * span
        turn = rng.normal(0, 0.35)
        direction = along * np.cos(turn) + across * np.sin(turn)
        faults.append(_fault(centre + offset, direction, across, rng.uniform(0.2, 0.5) * span, rng))
    return _rock_bands(grid, centre, along, across, rng), faults


def _fault(
    centre: np.ndarray,
    along: np.ndarray,
    across: np.ndarray,
    length: float,
    rng: np.random.Generator,
) -> LineString:
    """A nearly straight line of `length` metres through `centre` that wavers a little."""
    position = np.arange(-length / 2, length / 2 + 1, 250.0)
    waver = np.cumsum(np.cumsum(rng.normal(0, 1.2, position.size)))
    waver -= np.linspace(waver[0], waver[-1], position.size)
    waver *= min(1.0, 0.02 * length / max(np.abs(waver).max(), 1e-9))
    return LineString(centre + position[:, None] * along + waver[:, None] * across)


def _rock_bands(
    grid: xr.DataArray,
    centre: np.ndarray,
    along: np.ndarray,
    across: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Rock codes: bands across the strike, bent by folds, offset where the main fault passes."""
    dx, dy = np.meshgrid(grid.x.values - centre[0], grid.y.values - centre[1])
    v = dx * across[0] + dy * across[1]
    u = dx * along[0] + dy * along[1] + np.where(v > 0, SLIP, 0.0)
    folds = 720 * smooth_field(grid.shape, 3500 / cell_size(grid), rng, octaves=3)
    position = (v + folds + 500 * np.sin(2 * np.pi * u / 9000)) / rng.uniform(1500, 2100)
    order = rng.permutation([1, 3, 2, 4, 5])
    return order[np.floor(position + 0.4 * (v > 0)).astype(int) % len(order)].astype(np.uint8)
