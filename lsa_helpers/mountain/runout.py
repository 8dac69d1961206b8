"""The true probability that a cell lies in a landslide."""

from collections.abc import Iterator

import numpy as np
import xarray as xr
from scipy import ndimage

from lsa_helpers.mountain.landslides import largest_area, sample_areas
from lsa_helpers.mountain.outlines import (
    INERTIA,
    LENGTHEN,
    POINTS,
    REACH,
    SHORTEST,
    Ground,
    length_to_width,
    make_ground,
)
from lsa_helpers.raster import cell_size

STEP = 1.4  # cells along the path


def landslide_probability(
    layers: xr.Dataset, source: np.ndarray, rng: np.random.Generator, *, draws: int = 4000
) -> np.ndarray:
    """Probability that a cell lies in a landslide, from the probability that one starts in it.

    Landslides reach downslope of where they start. From every cell a path follows the slope as
    outlines do, to where it leaves the reach angle; what starts in the cell is laid down along it
    in proportion to the mean width at that distance over many sampled landslides, and spread
    sideways. As for outlines, landslides too long for a path start elsewhere, and those a little
    too long are wider.

    Parameters
    ----------
    layers : Dataset, dims (y, x)
        The landscape's layers.
    source : ndarray, shape (rows, columns)
        Probability that a landslide starts in a cell.
    rng : numpy.random.Generator
        Source of randomness.
    draws : int
        Landslides sampled for the mean width at a distance.

    Returns
    -------
    ndarray, shape (rows, columns), float32
    """
    cell = cell_size(layers)
    step = STEP * cell
    ratio = length_to_width(draws, rng)
    areas = sample_areas(draws, rng, largest=largest_area(layers))
    length = np.sqrt(areas * ratio * LENGTHEN)
    ground = make_ground(layers)
    distance = (np.arange(int(np.percentile(length, 98) / step)) + 0.5) * step
    # The same inertia as an outline of the lengths that reach this far, whose steps are their
    # length / POINTS.
    keep = [INERTIA ** (step * POINTS / length[length > reached].mean()) for reached in distance]
    ends = _path_ends(ground, keep, step)
    starts = np.bincount(ends.ravel(), weights=source.ravel(), minlength=len(keep) + 1)
    width = _mean_widths(starts / starts.sum(), length, areas, step)
    expected = np.zeros(source.shape)
    for number, place in enumerate(_paths(ground, keep)):
        index = np.ravel_multi_index(_cells(place, source.shape), source.shape).ravel()
        weights = (source * width[number, ends]).ravel()
        laid = np.bincount(index, weights=weights, minlength=source.size).reshape(source.shape)
        reach = length > distance[number]
        sigma = np.average(areas[reach] / length[reach]) / cell / 3.0
        spread = ndimage.gaussian_filter(laid, sigma, mode="nearest", truncate=2.5)
        expected += spread * step / cell**2
    return _crowded(expected, source.sum() * areas.mean() / (source.size * cell**2))


def _paths(ground: Ground, keep: list[float]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Fractional rows and columns, (rows, columns) each, of the path from every cell, step by step;
    `keep` is the inertia of each step.
    """
    down = -ground.gradient / np.maximum(np.hypot(*ground.gradient), 1e-6)
    heading = down
    rows, columns = np.indices(ground.elevation.shape, dtype=np.float32)
    for inertia in keep:
        yield rows, columns
        row, column = _cells((rows, columns), ground.elevation.shape)
        heading = inertia * heading + (1 - inertia) * down[:, row, column]
        columns = columns + STEP * heading[0]
        rows = rows + STEP * heading[1]


def _cells(place: tuple[np.ndarray, np.ndarray], shape: tuple[int, int]) -> tuple[np.ndarray, ...]:
    """Row and column of the cells nearest to fractional rows and columns."""
    return tuple(
        np.clip(np.rint(position), 0, size - 1).astype(np.int32)
        for position, size in zip(place, shape, strict=True)
    )


def _path_ends(ground: Ground, keep: list[float], step: float) -> np.ndarray:
    """How many steps of the path from each cell (rows, columns) lie above the reach angle."""
    ends = np.zeros(ground.elevation.shape, np.int32)
    for number, place in enumerate(_paths(ground, keep)):
        altitude = ndimage.map_coordinates(ground.elevation, place, order=1, mode="nearest")
        ends[(ends == number) & (ground.elevation - altitude >= REACH * number * step)] += 1
    return ends


def _mean_widths(
    starts: np.ndarray, length: np.ndarray, areas: np.ndarray, step: float
) -> np.ndarray:
    """Mean width (m) of a landslide at each step of a path that ends after 0, 1 … steps: (steps,
    steps + 1); 0 where none reaches. `starts` is the share of landslides that start on such a path.

    A landslide whose path is too short starts elsewhere, so it weighs more where paths are long
    enough: by one over the share of the starts there.
    """
    path = step * np.arange(len(starts))
    path[-1] = np.inf  # not followed to its end
    fits = path >= SHORTEST * length[:, None]
    share = np.maximum(fits @ starts, 1e-9)  # 0 where no path is long enough
    laid = np.clip(length[:, None], step / 2, np.maximum(path, step))
    width = fits * areas[:, None] / laid / share[:, None]
    steps = range(len(starts) - 1)
    return np.stack([(width * (laid > (k + 0.5) * step)).mean(axis=0) for k in steps])


def _crowded(expected: np.ndarray, share: float) -> np.ndarray:
    """From the expected number of landslides on a cell to a probability whose mean is `share`.

    Landslides keep apart: where many are expected, a new one often finds its place taken and starts
    elsewhere, p = fn / (1 + fn).
    """
    factor = 1.0
    for _ in range(20):
        factor *= share / (factor * expected / (1 + factor * expected)).mean()
    return (factor * expected / (1 + factor * expected)).astype(np.float32)
