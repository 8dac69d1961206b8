"""Optical images of the simulated mountain: any window, at any ground resolution, as one of the
platforms of Table 1.
"""

import numpy as np
from affine import Affine
from scipy import ndimage

from lsa_helpers.mountain.platforms import Platform
from lsa_helpers.mountain.surfaces import land_colours, paint_bare_ground, paint_roads
from lsa_helpers.mountain.view import Pixels, View

HAZE = (188, 200, 214)  # red, green, blue


def render(view: View, transform: Affine, shape: tuple[int, int], platform: Platform) -> np.ndarray:
    """An image of a window of the mountain.

    Parameters
    ----------
    view : View
        The mountain.
    transform : Affine
        Of the window; its cells are the ground resolution. EPSG:32648.
    shape : (rows, columns)
        Of the window.
    platform : Platform
        Colour, haze, noise, blur and sun.

    Returns
    -------
    ndarray, shape (3, rows, columns), uint8
    """
    pixels = Pixels(view, transform, shape)
    image = land_colours(view, pixels)
    paint_roads(image, view, pixels)
    paint_bare_ground(image, view, pixels, view.mountain.scars, fresh=False)
    paint_bare_ground(image, view, pixels, view.mountain.landslides, fresh=True)
    image *= _light(view, pixels, platform)
    return _record(image, view, pixels, platform)


def _light(view: View, pixels: Pixels, platform: Platform) -> np.ndarray:
    """Illumination of the slopes by sun and sky (about 1 on flat ground)."""
    east = pixels.bilinear(view.mountain.layers.east)
    south = pixels.bilinear(view.mountain.layers.south)
    azimuth, height = np.deg2rad(platform.sun)
    sun = -np.sin(azimuth) * east + np.cos(azimuth) * south
    cosine = (np.cos(height) * sun + np.sin(height)) / np.sqrt(1 + east**2 + south**2)
    return (0.30 + 0.72 * np.clip(cosine, 0, None) / np.sin(height)).astype(np.float32)


def _record(image: np.ndarray, view: View, pixels: Pixels, platform: Platform) -> np.ndarray:
    """What the sensor makes of the light: blur, tint, haze, noise, 8 bits."""
    corner = [int(abs(pixels.x[0]) * 8), int(abs(pixels.y[0]) * 8)]
    rng = np.random.default_rng([view.seed, *corner])
    recorded = np.empty(image.shape, np.uint8)
    for band in range(3):
        light = ndimage.gaussian_filter(image[band], platform.blur) * platform.tint[band]
        light = light * (1 - platform.haze) + HAZE[band] * platform.haze
        light += platform.noise * rng.standard_normal(light.shape, dtype=np.float32)
        recorded[band] = np.clip(np.rint(light), 1, 255)
    return recorded
