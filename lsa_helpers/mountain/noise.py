"""Smooth random fields and a periodic texture, the raw material of the simulated mountain."""

import numpy as np
from scipy import ndimage


def smooth_field(
    shape: tuple[int, int],
    scale: float,
    rng: np.random.Generator,
    *,
    octaves: int = 1,
    decay: float = 0.5,
) -> np.ndarray:
    """A random field that varies over about `scale` cells, with mean near 0 and variance near 1.

    White noise on a lattice of spacing `scale` is interpolated by cubic B-splines; each further
    octave has half the spacing and `decay` times the amplitude.

    Parameters
    ----------
    shape : (rows, columns)
        Size of the result.
    scale : float
        Spacing of the first lattice in cells; no lattice is finer than a cell.
    rng : numpy.random.Generator
        Source of randomness.
    octaves : int
        How many lattices are added.
    decay : float
        Amplitude of an octave relative to the one before; above 0.5 makes ragged contours.

    Returns
    -------
    ndarray, shape `shape`, float32
    """
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        spacing = max(scale / 2**octave, 1.0)
        lattice = rng.standard_normal([int(np.ceil(size / spacing)) + 4 for size in shape])
        start = rng.uniform(1, 2, 2)
        # Rows first, then columns: a separable interpolation is two small matrix products.
        rows = _spline_weights(shape[0], spacing, start[0], lattice.shape[0])
        columns = _spline_weights(shape[1], spacing, start[1], lattice.shape[1])
        total += (decay**octave * (rows @ lattice @ columns.T)).astype(np.float32)
    # The interpolated lattice has a variance of ∫B² per axis, 151 / 315.
    return total / np.float32(151 / 315 * np.sqrt(np.sum(decay ** (2.0 * np.arange(octaves)))))


def _spline_weights(size: int, spacing: float, start: float, knots: int) -> np.ndarray:
    """Cubic B-spline weights (size, knots) of points 1 / `spacing` knots apart from `start` on."""
    position = start + np.arange(size) / spacing
    distance = np.abs(position[:, None] - np.arange(knots)[None])
    near = (4 - 6 * distance**2 + 3 * distance**3) / 6
    far = (2 - distance) ** 3 / 6
    return np.where(distance < 1, near, np.where(distance < 2, far, 0.0))


def periodic_texture(size: int, sigma: float, seed: int) -> np.ndarray:
    """A random texture that repeats without a seam, with mean 0 and standard deviation 1.

    Parameters
    ----------
    size : int
        Edge of the square tile in samples.
    sigma : float
        Standard deviation of the Gaussian that makes the grain, samples; 0: white noise.
    seed : int
        Seed of the noise.

    Returns
    -------
    ndarray, shape (size, size), float32
    """
    noise = np.random.default_rng(seed).standard_normal((size, size))
    noise = ndimage.gaussian_filter(noise, sigma, mode="wrap") if sigma > 0 else noise
    return ((noise - noise.mean()) / noise.std()).astype(np.float32)
