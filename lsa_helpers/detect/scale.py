"""What stored values of images become 0 and 1: found from their histogram, once for a collection
and once for a scene.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import rasterio
from rasterio.windows import Window

from lsa_helpers.detect.chips import Chip
from lsa_helpers.detect.images import REFLECTANCE, Bands, doubt_order, open_image, without_data
from lsa_helpers.errors import InputError, doubt, note

_SAMPLE = 64  # chips, or places of a scene, that are looked at
_FIX = "`reflectance_scale` and `reflectance_offset` say otherwise, for all images"
_LANDSAT = 1 / 2.75e-5, 0.2 / 2.75e-5  # scale and offset of its Collection 2, level 2
_S2_OFFSET = 1000.0  # added to Sentinel-2's reflectances since processing baseline 04.00


def settle_scale(chips: Sequence[Chip], bands: Bands) -> list[Chip]:
    """Give all chips of a collection one scale, where `bands` leaves it open.

    Parameters
    ----------
    chips : sequence of Chip
    bands : Bands

    Returns
    -------
    list of Chip
        With `scale` filled; 8-bit images need none. Images of different types of number are judged
        apart.
    """
    for chip in [chip for chip in chips if not chip.fault][:1]:
        with suppress(InputError), open_image(chip.image) as file:
            doubt_order(file, bands, chip.image.parent)
    if bands.reflectance_scale:
        return list(chips)
    scales = {}
    for dtype in sorted({chip.dtype for chip in chips if not chip.fault} - {"", "uint8"}):
        held = [chip for chip in chips if chip.dtype == dtype and not chip.fault]
        values = [_of_chip(chip, bands) for chip in held[:: max(1, len(held) // _SAMPLE)]]
        scales[dtype] = _find(np.concatenate(values), bands, dtype, held[0].image.parent)
    if len({*scales.values(), *((255.0, 0.0) for chip in chips if chip.dtype == "uint8")}) > 1:
        kinds = sorted({chip.dtype for chip in chips if chip.dtype})
        what = "the images of the collection do not have one scale"
        found = ", ".join(kinds)
        fix = "Store all of them in the same way"
        doubt(what, where=chips[0].image.parent, found=found, fix=fix)
    return [replace(chip, scale=scales.get(chip.dtype)) for chip in chips]


def _of_chip(chip: Chip, bands: Bands) -> np.ndarray:
    """Some of a chip's values (pixels, bands); none where it cannot be read, which is told with
    all that is wrong with chips.
    """
    try:
        with open_image(chip.image) as file:
            window = Window(*chip.window) if chip.window else None
            return _values(file, bands, window)[::5]
    except InputError:
        return np.zeros((0, len(bands.names)))


def _values(file: rasterio.DatasetReader, bands: Bands, window: Window | None) -> np.ndarray:
    """Stored values (pixels, bands); NaN where a pixel has no data or is 0 in all bands."""
    pixels = file.read(bands.find(file), window=window)
    empty = without_data(pixels, file.nodata) | ~pixels.any(axis=0)
    return np.where(empty, np.nan, pixels).reshape(len(pixels), -1).T


def settle_scene(file: rasterio.DatasetReader, bands: Bands, where: Path) -> Bands:
    """Bands with the scale of an open scene, where they leave it open; it is found from up to 64
    places, so the scene may be larger than memory.
    """
    doubt_order(file, bands, where)
    if bands.reflectance_scale or file.dtypes[0] == "uint8":
        return bands
    edge, steps = 128, int(_SAMPLE**0.5)
    starts = [
        np.unique(np.linspace(0, max(0, size - edge), steps).astype(int)) for size in file.shape
    ]
    windows = [Window(col, row, edge, edge) for row, col in product(*starts)]
    whole = Window(0, 0, file.width, file.height)
    values = [_values(file, bands, window.intersection(whole)) for window in windows]
    scale, offset = _find(np.concatenate(values), bands, file.dtypes[0], where)
    return replace(bands, reflectance_scale=scale, reflectance_offset=offset)


def doubt_scene(chips: Sequence[Chip], scene: Bands, where: Path) -> None:
    """Doubt a scene whose numbers mean something else than the chips'."""
    there = scene.reflectance_scale or 255.0, scene.reflectance_offset
    here = {chip.scale or (255.0, 0.0) for chip in chips if not chip.fault and chip.dtype}
    if here and there not in here:
        shown = sorted(f"0 at {offset:g}, 1 at {offset + scale:g}" for scale, offset in here)
        what = "the scene is stored otherwise than the chips, so the network may see other colours"
        found = f"scene 0 at {there[1]:g}, 1 at {sum(there):g}; chips {'; '.join(shown)}"
        fix = "Prepare both in the same way, or set `normalise_radiometry: true`"
        doubt(what, where=where, found=found, fix=fix)


def _find(values: np.ndarray, bands: Bands, dtype: str, where: Path) -> tuple[float, float]:
    """Scale and offset of stored values (pixels, bands), and a note."""
    seen = values[np.isfinite(values)]
    if not seen.size:
        return 1.0, 0.0
    if dtype == "uint16" and (below := seen[seen < 2**16 - 1]).size and below.max() < 2**15:
        seen = below  # the largest number then stands for no data or saturation
    scale, offset, what = _told(seen, dtype.startswith("float"))
    offset = bands.reflectance_offset or offset
    low, high = np.quantile(seen, (0.001, 0.999))
    found = f"{dtype}, values {low:.4g} to {high:.4g}"
    missing, negative = np.isnan(values).all(axis=1).mean(), (seen < 0).mean()
    found += f", {missing:.1%} of the pixels without data" if missing else ""
    found += f", {negative:.1%} of the values negative" if negative else ""
    meaning = f"{offset:g} becomes 0 and {offset + scale:g} becomes 1"
    say = note if what else doubt
    say(
        f"the images are taken for {what}: {meaning}"
        if what
        else f"the values of the images fit no usual scale: {meaning}",
        where=where,
        found=found,
        fix=_FIX,
    )
    return scale, offset


def _told(seen: np.ndarray, floats: bool) -> tuple[float, float, str]:
    """Scale, offset and what values are taken for ("" where they fit nothing), mostly from their
    lowest and highest thousandth.
    """
    low, high = np.quantile(seen, (0.001, 0.999))
    if floats and high <= 2 and low > -0.5:
        return 1.0, 0.0, "fractions"
    if floats and (high <= 16 or low < -0.5 and high < 255):
        return 1.0, 0.0, ""
    if high <= 255:
        return 255.0, 0.0, "8-bit numbers"
    # A sensor's range is used to its end; reflectances thin out.
    top, most = seen.max(), float(2 ** int(np.ceil(np.log2(seen.max() + 1))) - 1)
    used = high > 0.95 * most and top >= 0.99 * most or top == most and (seen == top).sum() > 2
    if used and most in (1023, 2047, 4095, 16383, 65535):
        return most, 0.0, f"{int(most).bit_length()}-bit numbers"
    if low > 0.8 * _LANDSAT[1]:
        return *_LANDSAT, "Landsat's Collection 2, reflectance = 0.0000275 · number − 0.2"
    if high > 2 * REFLECTANCE:
        return 65535.0, 0.0, "16-bit numbers"
    if low >= _S2_OFFSET:
        what = "reflectances × 10,000 with 1000 added (Sentinel-2 since January 2022)"
        return REFLECTANCE, _S2_OFFSET, what
    return REFLECTANCE, 0.0, "reflectances × 10,000"
