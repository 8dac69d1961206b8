"""Pixels of image files of any bit depth: which bands the network sees, and which stored value
becomes 1.
"""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.io import MemoryFile
from rasterio.windows import Window

from lsa_helpers.errors import InputError, doubt, note
from lsa_helpers.sources.crs import metres_of_unit

RGB = ("red", "green", "blue")
# the value that stands for a reflectance of 1 in Sentinel-2, Landsat and Gaofen products
REFLECTANCE = 10_000.0
HDF5 = {".h5", ".hdf5", ".hdf", ".he5"}
# what holds pictures and what holds masks in a file of several data sets
_HOLDS = {"img", "image", "images", "data", "x", "mask", "masks", "label", "labels", "gt", "y"}
_NO_DATA = (-9999, -32768)  # written so often that nobody declares it


@dataclass(frozen=True)
class Bands:
    """What the network sees of an image file.

    Parameters
    ----------
    names : tuple of str
        In the order in which the network takes them. Where a file describes its bands they are
        found by name, else they are its first ones.
    reflectance_scale : float
        By what stored values are divided; 0: 255 in 8-bit files, and in others what
        `lsa_helpers.detect.scale` finds in their collection, or 10,000 (a reflectance of 1).
    reflectance_offset : float
        Stored value that becomes 0.
    """

    names: tuple[str, ...] = RGB
    reflectance_scale: float = 0.0
    reflectance_offset: float = 0.0

    def find(self, file: rasterio.DatasetReader) -> list[int]:
        """Numbers of the bands in an open file, from 1.

        Raises
        ------
        InputError
            When the file has too few bands, or describes some of the names but not all.
        """
        wanted = [name.lower() for name in self.names]
        known = _named(file)
        if set(wanted) & set(known):
            if missing := [name for name in wanted if name not in known]:
                raise InputError(
                    f'the image has no band "{missing[0]}"',
                    where=file.name,
                    found=known,
                    fix="Correct the parameter `bands`",
                )
            return [known.index(name) + 1 for name in wanted]
        if file.count < len(wanted):
            fix = "Convert it, take it out, or name fewer `bands`"
            what = f"the image has {file.count} band(s), {len(wanted)} are needed"
            raise InputError(what, where=file.name, found=self.names, fix=fix)
        return list(range(1, len(wanted) + 1))

    def read(
        self,
        file: rasterio.DatasetReader,
        window: Window | None = None,
        shape: tuple[int, int] | None = None,
        resampling: Resampling = Resampling.nearest,
    ) -> np.ndarray:
        """Read a part of an open file.

        Parameters
        ----------
        file : rasterio dataset
        window : Window, optional
        shape : tuple of int, optional
            Height and width of the result.
        resampling : Resampling

        Returns
        -------
        ndarray, shape (height, width, bands)
            uint8 as stored when 255 becomes 1, else float32 as fractions. Nodata pixels are 0 in
            all bands.
        """
        numbers = self.find(file)
        out = (len(numbers), *shape) if shape else None
        pixels = file.read(numbers, window=window, out_shape=out, resampling=resampling)
        pixels[:, without_data(pixels, file.nodata)] = 0
        scale = self.reflectance_scale or (255.0 if pixels.dtype == np.uint8 else REFLECTANCE)
        if pixels.dtype != np.uint8 or scale != 255 or self.reflectance_offset:
            seen = pixels.any(axis=0)
            pixels = pixels.astype(np.float32)
            if self.reflectance_offset:
                pixels = (pixels - np.float32(self.reflectance_offset)) * seen
            pixels = np.nan_to_num(pixels / np.float32(scale))
        return pixels.transpose(1, 2, 0)


AS_RGB = Bands()


def _named(file: rasterio.DatasetReader) -> list[str]:
    """What an open file calls its bands."""
    return [(text or "").strip().lower() for text in file.descriptions]


def doubt_order(file: rasterio.DatasetReader, bands: Bands, where: Path) -> None:
    """Doubt the colours of an open file with more bands than are seen, none of them named by its
    colour, as those of satellites are by numbers.
    """
    wanted = [name.lower() for name in bands.names]
    painted = [kind.name for kind in file.colorinterp[: len(wanted)]] == wanted
    told = painted or set(wanted) & set(_named(file)) or not {*RGB, "nir"} >= set(wanted)
    numbered = any(re.fullmatch(r"(.*[_ ])?b\d+a?", name) for name in _named(file))
    if told or not numbered and file.count <= len(wanted):
        return
    say = doubt if file.count > len(wanted) + 1 else note
    say(
        f"nothing says which of its {file.count} bands are which: the first are taken for "
        + ", ".join(bands.names),
        where=where,
        fix="Describe the bands in the file (their order with gdal_translate -b), if that is wrong",
    )


def pixel_metres(file: rasterio.DatasetReader) -> float:
    """Edge of a pixel of an open file on the ground, m; NaN without a projected CRS."""
    if not file.crs:
        return float("nan")
    return abs(file.transform.a) * metres_of_unit(
        file.crs, *file.xy(file.height // 2, file.width // 2)
    )


def without_data(pixels: np.ndarray, nodata: float | None) -> np.ndarray:
    """Which pixels of (bands, height, width) have the declared nodata value in a band, or one that
    usually stands for it.
    """
    values = [*([nodata] if nodata else []), *(_NO_DATA if pixels.dtype.kind in "if" else ())]
    values = [value for value in values if not np.isnan(value)]  # 0, the usual one, is 0 already
    return np.isin(pixels, values).any(axis=0) if values else np.zeros(pixels.shape[1:], bool)


def bands_to_show(file: rasterio.DatasetReader) -> Bands:
    """The bands of an open file that a figure shows: red, green and blue where they can be told,
    else the first three, or one in grey.
    """
    known = _named(file)
    if set(RGB) <= set(known) or file.count >= 3 and not set(RGB) & set(known):
        return AS_RGB
    return Bands((known[0] or "first",))


@contextmanager
def open_image(path: Path) -> Iterator[rasterio.DatasetReader]:
    """Open an image file, with or without a georeference; of an HDF5 file the bands come first,
    in whatever order its axes are.

    Raises
    ------
    InputError
        When it cannot be opened, is a photograph that its EXIF data turn, or what is read from it
        inside the ``with`` block is damaged.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        try:
            # Without this option GDAL reads the missing rest of a truncated PNG as zeros.
            with rasterio.Env(GDAL_PNG_WHOLE_IMAGE_OPTIM="NO"), _open(path) as file:
                # GDAL shows photographs as stored, annotation tools as their EXIF tells to.
                if file.driver == "JPEG" and file.tags().get("EXIF_Orientation", "1") != "1":
                    fix = "Save it upright (mogrify -auto-orient)"
                    raise InputError("the photograph lies on its side", where=path, fix=fix)
                yield file
        except rasterio.errors.RasterioError as error:
            found = " ".join(str(error).split())
            raise InputError(
                "the image cannot be read",
                where=path,
                found=found,
                fix="Replace the file or take it out",
            ) from None


@contextmanager
def _open(path: Path) -> Iterator[rasterio.DatasetReader]:
    if Path(path).suffix.lower() not in HDF5:
        with rasterio.open(path) as file:
            yield file
        return
    bands = _hdf5(path)
    profile = dict(zip(("count", "height", "width"), bands.shape, strict=True), dtype=bands.dtype)
    with MemoryFile() as memory:
        with memory.open(driver="GTiff", **profile) as file:
            file.write(bands)
        with memory.open() as file:
            yield file


def _hdf5(path: Path) -> np.ndarray:
    """The one picture of an HDF5 file: (bands, height, width)."""
    with rasterio.open(path, driver="HDF5") as file:
        # A file of one data set is opened as that.
        names = {name.rsplit("/", 1)[-1]: name for name in file.subdatasets}
        bands = None if names else file.read()
    if bands is None:
        held = [name for name in names if name.lower() in _HOLDS]
        if len(held) != 1:
            what = "the file holds several data sets, and none that is surely the picture"
            found = sorted(names)
            fix = "Write it as GeoTIFF, or leave only one of them"
            raise InputError(what, where=path, found=found, fix=fix)
        with rasterio.open(names[held[0]]) as file:
            bands = file.read()
    return np.moveaxis(bands, int(np.argmin(bands.shape)), 0) if len(bands) > 1 else bands


def as_unit(pixels: np.ndarray) -> np.ndarray:
    """Pixels as float32 fractions: 255 of 8 bits becomes 1.

    Examples
    --------
    >>> as_unit(np.array([0, 255], np.uint8)).tolist()
    [0.0, 1.0]
    """
    return pixels.astype(np.float32) / np.float32(255) if pixels.dtype == np.uint8 else pixels


def as_picture(pixels: np.ndarray) -> np.ndarray:
    """The first three bands of pixels for a figure.

    Parameters
    ----------
    pixels : ndarray, shape (height, width, bands)
        As `Bands.read` gives them.

    Returns
    -------
    ndarray of float32, shape (height, width, 3)
        0–1; where the brightest half per cent passes 1 or does not reach half of it, as in images
        of reflectance, it becomes 1. One or two bands become grey.
    """
    unit = as_unit(pixels[..., :3] if pixels.shape[-1] >= 3 else pixels[..., :1].repeat(3, axis=-1))
    top = float(np.quantile(unit, 0.995)) if unit.size else 1.0
    return (
        np.clip(unit / top, 0, 1)
        if top > 1 or 0 < top < 0.5 and pixels.dtype != np.uint8
        else np.clip(unit, 0, 1)
    )
