"""Radiometric normalisation: the colours of every source of images get the same mean and spread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lsa_helpers.detect.images import as_unit

if TYPE_CHECKING:  # the scene's reader works without torch
    import torch

# Where red, green and blue of every source are brought to: the numbers by which torchvision's
# networks expect images to be scaled.
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Colours:
    """Mean and standard deviation of each band of a source, 1 = white."""

    mean: tuple[float, ...]
    spread: tuple[float, ...]


def reference_colours(n_bands: int) -> Colours:
    """Mean and spread every source is brought to; bands beyond the third get the average of the
    first three.
    """
    return Colours((MEAN + (0.449,) * n_bands)[:n_bands], (SPREAD + (0.226,) * n_bands)[:n_bands])


def measure_colours(pixels: np.ndarray) -> Colours:
    """Mean and standard deviation of pixels.

    Parameters
    ----------
    pixels : ndarray of uint8 or float32, shape (pixels, bands)
        As `lsa_helpers.detect.images.Bands.read` gives them. Pixels that are 0 in all bands are
        nodata and left out.

    Examples
    --------
    >>> measure_colours(np.array([[0, 0, 0], [51, 51, 51], [153, 153, 153]], np.uint8)).mean
    (0.4, 0.4, 0.4)
    """
    seen = as_unit(pixels[pixels.any(axis=1)]).astype(float)
    if not len(seen):
        return reference_colours(pixels.shape[1])
    # The floor, one grey level, keeps a source of one colour from being blown up to noise.
    spread = np.maximum(seen.std(axis=0), 1 / 255)
    return Colours(tuple(seen.mean(axis=0).round(6).tolist()), tuple(spread.round(6).tolist()))


def normalise_radiometry(image: torch.Tensor, source: Colours | None) -> torch.Tensor:
    """An image with the colours of its source brought to one mean and spread; unchanged without a
    source.

    Parameters
    ----------
    image : Tensor, shape (bands, height, width)
        Float, 0–1.
    source : Colours or None

    Returns
    -------
    Tensor
        Same shape; values may lie somewhat outside 0–1.

    Notes
    -----
    Mean and variance matching is the simplest relative radiometric normalisation; Yuan & Elvidge
    (1996), doi:10.1016/0924-2716(96)00018-4, compare it with others. It uses no truth, so an unseen
    scene is treated like the training chips.
    """
    if source is None:
        return image
    reference = reference_colours(len(image))
    mean, spread, reference_mean, reference_spread = (
        image.new_tensor(values)[:, None, None]
        for values in (source.mean, source.spread, reference.mean, reference.spread)
    )
    return (image - mean) * (reference_spread / spread) + reference_mean
