"""What the values of a collection's masks mean: which are landslide, decided for all masks
together.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from rasterio.enums import ColorInterp

from lsa_helpers.detect.images import open_image
from lsa_helpers.errors import InputError, note

EMPTY = -(2**31)  # stands for transparent pixels, declared nodata and NaN
_MANY = 32  # values; a mask of landslide and background has more only where it is blurred
_FIX = "Say in catalog.yml which are landslides: `landslide_values: […]` of the entry `images`"


@dataclass(frozen=True)
class MaskCode:
    """Which pixels of a mask file are landslide.

    Parameters
    ----------
    values : tuple of int
        Values that are; empty: all but 0.
    colour : bool
        A value is a colour as 0xRRGGBB (of an indexed file too), else the number of the first band.
    blurred : bool
        Values vary about 0 and 255, as JPEG leaves them: those from 128 up are landslide.
    """

    values: tuple[int, ...] = ()
    colour: bool = False
    blurred: bool = False

    def read(self, path: Path) -> np.ndarray:
        """The landslides of a mask file: bool, shape (height, width).

        Raises
        ------
        InputError
            When it cannot be read, or as `values_of`.
        """
        with open_image(path) as file:
            found = values_of(file, self.colour, self.blurred, self.values)
        if self.blurred:
            return found >= 128
        return np.isin(found, self.values) if self.values else (found != 0) & (found != EMPTY)


def values_of(
    file: rasterio.DatasetReader,
    colour: bool = False,
    blurred: bool = False,
    wanted: Sequence[int] = (),
) -> np.ndarray:
    """The values of an open mask as `MaskCode` tells them: int64, shape (height, width); `EMPTY`
    where it has none. A nodata value that is `wanted` is a value like others.

    Raises
    ------
    InputError
        When it has neither one band nor three.
    """
    data, empty = _bands(file, wanted)
    if blurred:
        values = data.max(axis=0)
    elif colour:
        red, green, blue = data if len(data) == 3 else data[[0, 0, 0]]
        values = (red << 16) + (green << 8) + blue
    else:
        values = data[0]
    return np.where(empty, EMPTY, values)


def _bands(
    file: rasterio.DatasetReader, wanted: Sequence[int] = ()
) -> tuple[np.ndarray, np.ndarray]:
    """Whole numbers (bands, height, width) without the alpha band, and where they are missing."""
    data, kinds = file.read(), file.colorinterp
    empty = np.isnan(data).any(axis=0) if data.dtype.kind == "f" else np.zeros(file.shape, bool)
    if file.nodata is not None and file.nodata not in wanted:
        empty |= (data == file.nodata).all(axis=0)
    if file.count in (2, 4) and kinds[-1] in (ColorInterp.alpha, ColorInterp.undefined):
        empty |= data[-1] == 0
        data = data[:-1]
    if len(data) not in (1, 3):
        fix = "Write one band of whole numbers"
        raise InputError(f"a mask of {len(data)} bands is not read", where=file.name, fix=fix)
    if kinds[0] == ColorInterp.palette:  # whose numbers may mean another colour in another file
        table = np.zeros((256, 3), np.int64)
        for index, colour in file.colormap(1).items():
            table[index % 256] = colour[:3]
        data = table[data[0]].transpose(2, 0, 1)
    if data.dtype.kind == "f":  # shares of a pixel, as resampling leaves them, are cut at one half
        data = np.nan_to_num(data)
        data = np.where((data > 0) & (data < 1), data >= 0.5, np.clip(data, -2e9, 2e9).round())
    return data.astype(np.int64), empty


def find_code(masks: Sequence[Path], given: Sequence[int], where: Path) -> MaskCode:
    """Which values of a collection's masks are landslide.

    Parameters
    ----------
    masks : sequence of Path
        All masks of the collection; those that cannot be read are passed over.
    given : sequence of int
        The values, where the catalog says them.
    where : Path
        The collection, for messages.

    Returns
    -------
    MaskCode

    Raises
    ------
    InputError
        When the values do not tell, or none of the given ones occurs.
    """
    kinds = list(_each(masks, _kind))
    jpeg = any(lossy for lossy, _ in kinds)
    colour = any(coloured for _, coloured in kinds) and not jpeg
    counts = Counter()
    for values in _each(masks, lambda file: values_of(file, colour, jpeg, given)):
        found, numbers = np.unique(values, return_counts=True)
        counts.update(dict(zip(found.tolist(), numbers.tolist(), strict=True)))
    empty = counts.pop(EMPTY, 0)
    found = _shown(counts, empty, colour)
    blurred = not colour and _is_blurred(counts, jpeg)
    if given and not (blurred and min(given) >= 128):
        if not set(given) & set(counts):
            what = "no mask has any of the `landslide_values`"
            raise InputError(what, where=where, found=found, fix=_FIX)
        return MaskCode(tuple(given), colour)
    if blurred:
        what = "the masks are blurred (JPEG, or resampled): 128 and more is landslide"
        note(what, where=where, found=found, fix="Write masks as PNG with two values")
        return MaskCode(blurred=True)
    return MaskCode(_tell(counts, empty, found, colour, where), colour)


def _each(masks: Sequence[Path], read: Callable) -> Iterator:
    """What is read of each mask; those that cannot be are told with their chips."""
    for path in masks:
        with suppress(InputError), open_image(path) as file:
            yield read(file)


def _kind(file: rasterio.DatasetReader) -> tuple[bool, bool]:
    """Whether an open mask is of a lossy format, and whether it has colours."""
    lossy = file.driver in ("JPEG", "WEBP")
    if file.count == 1 and file.colorinterp[0] != ColorInterp.palette:
        return lossy, False
    data, _ = _bands(file)
    return lossy, bool((data != data[:1]).any())


def _shown(counts: Counter, empty: int, colour: bool) -> str:
    """Values with their shares of all pixels, for a message."""
    total = max(1, empty + sum(counts.values()))
    parts = [
        f"{_name(value, colour)} ({count / total:.1%})"
        for value, count in sorted(counts.most_common(12))
    ]
    parts += [f"and {len(counts) - 12} others"] if len(counts) > 12 else []
    parts += [f"no data or transparent ({empty / total:.1%})"] if empty else []
    return ", ".join(parts) or "nothing"


def _name(value: int, colour: bool) -> str:
    """A value as the catalog names it."""
    return f"0x{value:06x}" if colour else str(value)


def _is_blurred(counts: Counter, jpeg: bool) -> bool:
    """Whether there are but two values, about 0 and about 255, and noise."""
    if len(counts) <= (2 if jpeg else _MANY):
        return False
    dark = sum(n for value, n in counts.items() if -1 < value < 64)
    bright = sum(n for value, n in counts.items() if 192 <= value < 256)
    above = sum(n for value, n in counts.items() if value >= 32)
    return dark > 0 and dark + bright > 0.9 * sum(counts.values()) and bright > 0.6 * above


def _tell(counts: Counter, empty: int, found: str, colour: bool, where: Path) -> tuple[int, ...]:
    """The value that is landslide, and a note where it is not plain; empty: none is there."""
    rare = min(counts, key=counts.get, default=0)
    share, name = counts[rare] / max(1, empty + sum(counts.values())), _name(rare, colour)
    if len(counts) == 1 and empty and (rare or share < 0.6):
        what = f"{name} is landslide; what has no data or is transparent is not"
    elif not set(counts) - {0} and not empty:
        return ()
    elif len(counts) == 2 and 0 in counts:
        return tuple(set(counts) - {0})
    elif len(counts) == 2 and share < 0.4:
        what = f"the rarer value {name} is landslide, the other is not"
    else:
        what = "the values of the masks do not tell which is landslide"
        raise InputError(what, where=where, found=found, fix=_FIX)
    note(f"in the masks {what}", where=where, found=found, fix=f"{_FIX}, if that is wrong")
    return (rare,)
