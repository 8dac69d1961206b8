"""Smooth random fields and a periodic texture, the raw material of the simulated mountain."""

import numpy as np
from scipy import ndimage


def smooth_field(
    shape: tuple[int, int],
    cell: float,
    scale: float,
    rng: np.random.Generator,
    *,
    octaves: int = 1,
    decay: float = 0.5,
) -> np.ndarray:
    """A random field that varies over about `scale`, with mean near 0 and standard deviation 1.

    White noise on a lattice of spacing `scale` is interpolated by cubic splines; each further
    octave has half the spacing and `decay` times the amplitude.

    Parameters
    ----------
    shape : (rows, columns)
        Size of the result.
    cell : float
        Cell size in metres.
    scale : float
        Spacing of the first lattice in metres.
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
        step = max(scale / 2**octave / cell, 1.0)
        lattice = rng.standard_normal([int(np.ceil(size / step)) + 4 for size in shape])
        start = rng.uniform(1, 2, 2)
        # A separable cubic interpolation: the rows first, then the columns, each a small matrix
        # product.
        rows = _spline_weights(shape[0], step, start[0], lattice.shape[0])
        columns = _spline_weights(shape[1], step, start[1], lattice.shape[1])
        total += (decay**octave * (rows @ lattice @ columns.T)).astype(np.float32)
    # The mean square of the interpolated lattice is the squared integral of the B-spline's square,
    # 151 / 315.
    return total / np.float32(151 / 315 * np.sqrt(np.sum(decay ** (2.0 * np.arange(octaves)))))


def _spline_weights(size: int, step: float, start: float, knots: int) -> np.ndarray:
    """Matrix (size, knots) of cubic B-spline weights at `size` points `step` cells apart from knot
    to knot.
    """
    position = start + np.arange(size) / step
    distance = np.abs(position[:, None] - np.arange(knots)[None])
    near = (4 - 6 * distance**2 + 3 * distance**3) / 6
    far = (2 - distance) ** 3 / 6
    return np.where(distance < 1, near, np.where(distance < 2, far, 0.0))


def texture(size: int, sigma: float, seed: int) -> np.ndarray:
    """A periodic random texture of `size` × `size` pixels with grain `sigma` pixels, mean 0,
    standard deviation 1 (float32).
    """
    noise = np.random.default_rng(seed).standard_normal((size, size))
    noise = ndimage.gaussian_filter(noise, sigma, mode="wrap") if sigma > 0 else noise
    return ((noise - noise.mean()) / noise.std()).astype(np.float32)
