"""Rock units and faults of the simulated mountain, known before its valleys are cut."""

from dataclasses import dataclass

import numpy as np
from shapely.geometry import LineString

from lsa_helpers.mountain.noise import smooth_field
from lsa_helpers.grid import Grid


@dataclass(frozen=True)
class Rock:
    """One rock unit: its name, effective cohesion (kPa), friction angle (degrees) and erodibility
    relative to granite.
    """

    name: str
    cohesion: float
    friction: float
    erodibility: float


ROCKS = {
    1: Rock("granite", 24.0, 39.0, 1.0),
    2: Rock("quartz diorite", 22.0, 38.0, 1.05),
    3: Rock("schist and phyllite", 13.0, 33.0, 1.5),
    4: Rock("slate and sandstone", 16.0, 35.0, 1.3),
    5: Rock("marble and limestone", 21.0, 38.0, 0.9),
    6: Rock("Quaternary deposits", 8.0, 33.0, 1.8),
}


@dataclass(frozen=True)
class Geology:
    """Rock codes on a grid (uint8, without Quaternary deposits, which need valleys) and fault
    lines, the main strand first.
    """

    codes: np.ndarray
    faults: list[LineString]


def make_geology(grid: Grid, rng: np.random.Generator) -> Geology:
    """Bands of rock along a north-west to south-east strike, shifted by a strike-slip fault with
    splays.

    The strike and the left-lateral main strand imitate the Xianshuihe fault zone.

    Parameters
    ----------
    grid : Grid
        Frame of the result; metres.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Geology
    """
    left, bottom, right, top = grid.bounds
    span = np.hypot(right - left, top - bottom)
    strike = np.deg2rad(rng.uniform(-58, -46))  # measured from east, so towards the south-east
    along, across = (
        np.array([np.cos(strike), np.sin(strike)]),
        np.array([-np.sin(strike), np.cos(strike)]),
    )
    centre = np.array([left + right, bottom + top]) / 2 + across * rng.uniform(-0.12, 0.12) * min(
        right - left, top - bottom
    )
    faults = [_fault(centre, along, across, 1.2 * span, rng)]
    for _ in range(max(2, round(span / 6000))):
        offset = along * rng.uniform(-0.4, 0.4) * span + across * rng.normal(0, 0.25) * span
        turn = rng.normal(0, 0.35)
        direction = along * np.cos(turn) + across * np.sin(turn)
        faults.append(_fault(centre + offset, direction, across, rng.uniform(0.2, 0.5) * span, rng))
    return Geology(_bands(grid, centre, along, across, rng), faults)


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


def _bands(
    grid: Grid, centre: np.ndarray, along: np.ndarray, across: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Rock codes: bands across the strike, bent by folds and offset where the main fault passes."""
    x, y = grid.centres()
    dx, dy = np.meshgrid(x - centre[0], y - centre[1])
    u, v = dx * along[0] + dy * along[1], dx * across[0] + dy * across[1]
    u = u + np.where(v > 0, 1500.0, 0.0)  # the far side has moved: left-lateral slip
    folds = 720 * smooth_field(grid.shape, grid.cell_size, 3500, rng, octaves=3)
    position = (v + folds + 500 * np.sin(2 * np.pi * u / 9000)) / rng.uniform(1500, 2100)
    order = rng.permutation([1, 3, 2, 4, 5])
    return order[np.floor(position + 0.4 * (v > 0)).astype(int) % len(order)].astype(np.uint8)
