"""A georeferenced scene of any size, read in overlapping tiles, and the score that a detector gives
to each of its pixels.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import rasterio
from affine import Affine
from rasterio.enums import Resampling
from rasterio.transform import array_bounds
from rasterio.windows import Window

from lsa_helpers.detect.folders import image_files
from lsa_helpers.detect.images import AS_RGB, Bands, open_image, pixel_metres
from lsa_helpers.detect.mosaic import as_one
from lsa_helpers.detect.radiometry import Colours, measure_colours
from lsa_helpers.detect.scale import settle_scene
from lsa_helpers.errors import InputError

if TYPE_CHECKING:  # a scene is checked without torch
    import torch


@dataclass(frozen=True)
class SceneFrame:
    """A scene as the network sees it: `height` × `width` pixels on the ground that `transform`
    gives, of the bands that `bands` names.
    """

    path: Path
    crs: rasterio.crs.CRS
    transform: Affine
    height: int
    width: int
    bands: Bands = AS_RGB

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top in the scene's CRS, m."""
        return array_bounds(self.height, self.width, self.transform)

    @property
    def pixel_m(self) -> float:
        """Edge of a pixel, m."""
        return abs(self.transform.a)


def open_scene(
    path: Path | Sequence[Path], resolution_m: float = 0.0, bands: Bands = AS_RGB
) -> SceneFrame:
    """Check a scene and give its frame at the network's resolution.

    Parameters
    ----------
    path : Path or sequence of Path
        GeoTIFF in a CRS in metres; several, or all of a folder, are seen as one mosaic.
    resolution_m : float
        Pixel of the network, m; 0: the scene's own.
    bands : Bands
        What the network sees of it. Where they leave the scale open the frame's have that which
        `lsa_helpers.detect.scale.settle_scene` finds.

    Raises
    ------
    InputError
        When the scene cannot be read, lacks a band or has no CRS in metres, or its files do not
        fit together.
    """
    named = image_files([path] if isinstance(path, str | Path) else path)
    path = as_one(named) if len(named) > 1 else named[0]
    with open_image(path) as file:
        bands.find(file)
        if pixel_metres(file) != abs(file.transform.a):
            raise InputError(
                "the scene has no CRS in metres",
                where=named[0],
                found=f"CRS {file.crs}, {pixel_metres(file):g} m a pixel on the ground",
                fix="Convert it with gdalwarp to its UTM zone",
            )
        scale = resolution_m / abs(file.transform.a) if resolution_m > 0 else 1.0
        height, width = max(1, round(file.height / scale)), max(1, round(file.width / scale))
        transform = file.transform @ Affine.scale(file.width / width, file.height / height)
        bands = settle_scene(file, bands, named[0])
        return SceneFrame(path, file.crs, transform, height, width, bands)


def scene_colours(frame: SceneFrame) -> Colours:
    """Mean and spread of the scene's colours, from about a million of its pixels."""
    with open_image(frame.path) as file:
        step = max(1.0, (file.height * file.width / 1e6) ** 0.5)
        shape = (max(1, int(file.height / step)), max(1, int(file.width / step)))
        pixels = frame.bands.read(file, shape=shape)
    return measure_colours(pixels.reshape(-1, pixels.shape[-1]))


def tile_starts(length: int, size: int, overlap: int) -> list[int]:
    """First pixels of tiles of `size` that cover `length` with at least `overlap` shared; the last
    ends at the edge.

    Examples
    --------
    >>> tile_starts(1000, 512, 128)
    [0, 384, 488]
    """
    last = max(0, length - size)
    return [*range(0, last, max(1, size - overlap)), last]


def tiles(frame: SceneFrame, size: int, overlap: int) -> Iterator[tuple[Window, np.ndarray]]:
    """Overlapping tiles of a scene, with the weights by which what they show is averaged.

    Parameters
    ----------
    frame : SceneFrame
    size, overlap : int
        Edge of a tile and least overlap of neighbours, pixels of the frame.

    Yields
    ------
    tile : Window
        In pixels of the frame; ``tile.toslices()`` cuts it out of an array.
    weight : ndarray of float32, shape (height, width) of the tile
        Falls linearly from the middle of a tile to its edges, where a network sees only a part of
        what lies there. Over every pixel of the scene the weights of all tiles add up to 1.

    Examples
    --------
    >>> frame = SceneFrame(Path("scene.tif"), None, Affine.identity(), 4, 6)
    >>> for tile, weight in tiles(frame, 4, 2):
    ...     print(tile.col_off, [f"{value:.2f}" for value in weight[0]])
    0 ['1.00', '1.00', '0.67', '0.33']
    2 ['0.33', '0.67', '1.00', '1.00']
    """
    rows = _tile_weights(frame.height, size, overlap)
    cols = _tile_weights(frame.width, size, overlap)
    for (row, row_weight), (col, col_weight) in itertools.product(rows, cols):
        tile = Window(col, row, len(col_weight), len(row_weight))
        yield tile, np.outer(row_weight, col_weight)


def _tile_weights(length: int, size: int, overlap: int) -> list[tuple[int, np.ndarray]]:
    """First pixel and weights of the tiles along one axis."""
    size = min(size, length)
    ramp = np.minimum(np.arange(1, size + 1), np.arange(size, 0, -1)).astype(np.float32)
    starts, total = tile_starts(length, size, overlap), np.zeros(length, np.float32)
    for start in starts:
        total[start : start + size] += ramp
    return [(start, ramp / total[start : start + size]) for start in starts]


def read_tile(file: rasterio.DatasetReader, frame: SceneFrame, tile: Window) -> np.ndarray:
    """Pixels of a tile at the frame's resolution, read from the open scene.

    Returns
    -------
    ndarray, shape (height, width, bands)
        As `lsa_helpers.detect.images.Bands.read` gives them; 0 in all bands where there is no data.
    """
    rows, cols = file.height / frame.height, file.width / frame.width
    window = Window(tile.col_off * cols, tile.row_off * rows, tile.width * cols, tile.height * rows)
    resampling = Resampling.average if rows > 1 else Resampling.bilinear
    return frame.bands.read(file, window, (tile.height, tile.width), resampling)


def scores_on_disk(frame: SceneFrame, folder: Path) -> np.memmap:
    """Zeros for every pixel of the frame: float32 (height, width) in a file of `folder` without a
    name, which vanishes with the array.
    """
    with tempfile.TemporaryFile(dir=folder) as file:  # its bytes live on as long as the map
        return np.memmap(file, np.float32, "w+", shape=(frame.height, frame.width))


def score_pixels(model, image: torch.Tensor, views: int = 1) -> np.ndarray:
    """Score of every pixel of an image: that of the surest detection whose mask covers it.

    Parameters
    ----------
    model : torchvision detection model
        In evaluation mode: takes a list of images and gives a dict with ``scores`` (N,) and
        ``masks`` (N, 1, H, W), 0–1, for each.
    image : Tensor, shape (bands, H, W)
    views : {1, 2, 4, 8}
        Views that are averaged (test-time augmentation): as it is; also from left to right; also
        upside down; also with rows and columns exchanged.

    Returns
    -------
    ndarray of float32, shape (H, W)
        0–1; 0 where no view has a detection. What only one of four views shows keeps a quarter.
    """
    import torch

    mean = torch.zeros(image.shape[-2:])
    device = next(model.parameters(), image).device
    for view in range(views):
        flipped = [axis for bit, axis in ((1, -1), (2, -2)) if view & bit]
        turned = image.flip(flipped).mT if view & 4 else image.flip(flipped)
        with torch.inference_mode():
            (detections,) = model([turned.contiguous().to(device)])
        if len(detections["scores"]):
            covered = detections["masks"][:, 0] > 0.5
            best = (covered * detections["scores"][:, None, None]).amax(dim=0).cpu()
            mean += (best.mT if view & 4 else best).flip(flipped) / views
    return mean.numpy()
