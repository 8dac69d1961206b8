"""What a camera sees of the simulated mountain: ground, textures, and the pixels of a window."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import xarray as xr
from affine import Affine
from rasterio import features
from rasterio.transform import array_bounds
from scipy import ndimage

from lsa_helpers.mountain.noise import periodic_texture
from lsa_helpers.mountain.simulation import Mountain

TILE = 1024  # edge of the periodic textures, samples
GRAINS = {"white": 0.0, "fine": 1.2, "broad": 6.0}  # of the textures, samples


@dataclass(frozen=True)
class View:
    """A mountain prepared for images.

    Parameters
    ----------
    mountain : Mountain
    transform : Affine
        Of the mountain's layers.
    streams : DataArray, dims (y, x)
        log10 of the catchment (m²), the largest of each 2 × 2 cells, so that a line one cell wide
        does not fall apart into dots.
    textures : dict of ndarray, shape (TILE, TILE)
        ``white``, ``fine`` and ``broad`` noise that repeats without a seam.
    seed : int
        Of the sensors' noise.
    """

    mountain: Mountain
    transform: Affine
    streams: xr.DataArray
    textures: dict[str, np.ndarray]
    seed: int


def make_view(mountain: Mountain, seed: int) -> View:
    """Prepare a mountain for `imagery.render`; textures and noise are drawn from `seed`."""
    catchment = mountain.layers.catchment
    streams = ndimage.maximum_filter(np.log10(np.maximum(catchment.values, 1e3)), 2)
    textures = {
        name: periodic_texture(TILE, sigma, seed + number)
        for number, (name, sigma) in enumerate(GRAINS.items())
    }
    transform = catchment.rio.transform()
    return View(mountain, transform, catchment.copy(data=streams), textures, seed)


class Pixels:
    """The pixels of a window: where they lie and what the mountain holds there.

    Parameters
    ----------
    view : View
    transform : Affine
        Of the window; EPSG:32648.
    shape : (rows, columns)
        Of the window.
    """

    def __init__(self, view: View, transform: Affine, shape: tuple[int, int]):
        self.transform = transform
        self.shape = shape
        self.bounds = array_bounds(*shape, transform)
        self.x = transform.c + (np.arange(shape[1]) + 0.5) * transform.a
        self.y = transform.f + (np.arange(shape[0]) + 0.5) * transform.e
        self.textures = view.textures
        # Fractional rows and columns of the layers.
        self.rows = (self.y - view.transform.f) / view.transform.e - 0.5
        self.columns = (self.x - view.transform.c) / view.transform.a - 0.5

    def texture(self, name: str, grain: float) -> np.ndarray:
        """A texture with one sample every `grain` metres, fixed to the ground: the same place looks
        the same in every window. Shape (rows, columns), float32.
        """
        columns = np.floor(self.x / grain).astype(np.int64) % TILE
        rows = np.floor(-self.y / grain).astype(np.int64) % TILE
        return self.textures[name][np.ix_(rows, columns)]

    def bilinear(self, layer: xr.DataArray) -> np.ndarray:
        """A layer between its cell centres: shape (rows, columns), float32."""
        height, width = layer.shape
        rows = np.clip(self.rows, 0, height - 1.001)
        columns = np.clip(self.columns, 0, width - 1.001)
        i = rows.astype(int)
        j = columns.astype(int)
        down = (rows - i).astype(np.float32)[:, None]
        right = (columns - j).astype(np.float32)[None]
        # Separable: far faster than one look-up of four cells for each pixel.
        strip = layer.values[i] * (1 - down) + layer.values[i + 1] * down
        return strip[:, j] * (1 - right) + strip[:, j + 1] * right

    def nearest(self, layer: xr.DataArray, shift: np.ndarray | float = 0.0) -> np.ndarray:
        """A layer's cell at each pixel, after `shift` cells of wandering: shape (rows, columns)."""
        height, width = layer.shape
        turned = shift[::-1, ::-1] if isinstance(shift, np.ndarray) else shift
        i = np.clip(np.rint(self.rows[:, None] + shift), 0, height - 1).astype(np.int32)
        j = np.clip(np.rint(self.columns[None] + turned), 0, width - 1).astype(np.int32)
        return layer.values[i, j]

    def within(self, lines: gpd.GeoSeries, reach: float) -> np.ndarray:
        """Pixels whose centre lies within `reach` metres of a line: bool (rows, columns)."""
        strips = features.rasterize(
            lines.buffer(reach), out_shape=self.shape, transform=self.transform, dtype="uint8"
        )
        return strips > 0
