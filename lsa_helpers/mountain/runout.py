"""The true probability that a cell lies in a landslide."""

import numpy as np
import xarray as xr
from scipy import ndimage

from lsa_helpers.mountain.landslides import largest_area, sample_areas
from lsa_helpers.mountain.outlines import (
    INERTIA,
    LENGTHEN,
    POINTS,
    length_to_width,
    smoothed_gradient,
)
from lsa_helpers.raster import cell_size

STEP = 1.4  # cells along the path


def landslide_probability(
    layers: xr.Dataset, source: np.ndarray, rng: np.random.Generator, *, draws: int = 4000
) -> np.ndarray:
    """Probability that a cell lies in a landslide, from the probability that one starts in it.

    Landslides reach downslope of where they start. From every cell a path follows the slope as
    outlines do; what starts in the cell is laid down along it in proportion to the mean width at
    that distance over many sampled landslides, and spread sideways.

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
    width = areas / length
    gradient = smoothed_gradient(layers)
    down = np.stack([-gradient[0], -gradient[1]]) / np.maximum(np.hypot(*gradient), 1e-6)
    heading = down.copy()
    rows, columns = np.indices(source.shape, dtype=np.float32)
    weight = source.ravel().astype(float)
    expected = np.zeros(source.shape)
    for number in range(int(np.percentile(length, 98) / step)):
        reach = length > (number + 0.5) * step
        row = np.clip(np.rint(rows), 0, source.shape[0] - 1).astype(np.int32)
        column = np.clip(np.rint(columns), 0, source.shape[1] - 1).astype(np.int32)
        index = (row * source.shape[1] + column).ravel()
        laid = np.bincount(index, weights=weight, minlength=source.size).reshape(source.shape)
        sigma = np.average(width[reach]) / cell / 3.0
        area = width[reach].sum() / draws * step / cell**2
        expected += area * ndimage.gaussian_filter(laid, sigma, mode="nearest", truncate=2.5)
        # The same inertia as an outline of the lengths that reach this far, whose steps are their
        # length / POINTS.
        keep = INERTIA ** (step * POINTS / np.average(length[reach]))
        heading = keep * heading + (1 - keep) * down[:, row, column]
        columns += step / cell * heading[0]
        rows += step / cell * heading[1]
    return _crowded(expected, source.sum() * areas.mean() / (source.size * cell**2))


def _crowded(expected: np.ndarray, share: float) -> np.ndarray:
    """From the expected number of landslides on a cell to a probability whose mean is `share`.

    Landslides keep apart: where many are expected, a new one often finds its place taken and starts
    elsewhere, p = fn / (1 + fn).
    """
    factor = 1.0
    for _ in range(20):
        factor *= share / (factor * expected / (1 + factor * expected)).mean()
    return (factor * expected / (1 + factor * expected)).astype(np.float32)
