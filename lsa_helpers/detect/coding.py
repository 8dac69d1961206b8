"""What the values of a collection's masks mean: which are landslide, decided for all masks
together.
"""

from collections import Counter
from collections.abc import Sequence
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
    form : {"number", "grey", "colour"}
        What a value is: the stored number (of a palette the index), the grey level, or the colour
        as 0xRRGGBB.
    blurred : bool
        Values vary about 0 and 255, as JPEG leaves them: those from 128 up are landslide.
    """

    values: tuple[int, ...] = ()
    form: str = "number"
    blurred: bool = False

    def read(self, path: Path) -> np.ndarray:
        """The landslides of a mask file: bool, shape (height, width)."""
        with open_image(path) as file:
            found = values_of(file, self.form, self.blurred, self.values)
        if self.blurred:
            return found >= 128
        return np.isin(found, self.values) if self.values else (found != 0) & (found != EMPTY)


def values_of(
    file: rasterio.DatasetReader, form: str, blurred: bool = False, wanted: Sequence[int] = ()
) -> np.ndarray:
    """The values of an open mask in a form of `MaskCode`: int64, shape (height, width); `EMPTY`
    where it has none. A nodata value that is `wanted` is a value like others.
    """
    data, empty, palette = _bands(file, wanted)
    if palette is not None and form != "number":
        data = palette[data[0]].transpose(2, 0, 1)
    if blurred:
        values = data.max(axis=0)
    elif form == "colour":
        red, green, blue = data if len(data) == 3 else data[[0, 0, 0]]
        values = (red << 16) + (green << 8) + blue
    else:
        values = data[0] if len(data) in (1, 3) else data.any(axis=0).astype(np.int64)
    return np.where(empty, EMPTY, values)


def _bands(
    file: rasterio.DatasetReader, wanted: Sequence[int] = ()
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Whole numbers (bands, height, width) without the alpha band, where they are missing, and the
    palette (256, 3).
    """
    data, kinds = file.read(), list(file.colorinterp)
    empty = np.isnan(data).any(axis=0) if data.dtype.kind == "f" else np.zeros(file.shape, bool)
    if file.nodata is not None and file.nodata not in wanted:
        empty |= (data == file.nodata).all(axis=0)
    if file.count in (2, 4) and kinds[-1] in (ColorInterp.alpha, ColorInterp.undefined):
        empty |= data[-1] == 0
        data = data[:-1]
    if data.dtype.kind == "f":  # shares of a pixel, as resampling leaves them, are cut at one half
        data = np.nan_to_num(data)
        data = np.where((data > 0) & (data < 1), data >= 0.5, np.clip(data, -2e9, 2e9).round())
    palette = None
    if kinds[0] == ColorInterp.palette:
        palette = np.zeros((256, 3), np.int64)
        for index, colour in file.colormap(1).items():
            palette[index % 256] = colour[:3]
    return data.astype(np.int64), empty, palette


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
    form, jpeg = _form(masks)
    counts = Counter()
    for path in masks:
        try:
            with open_image(path) as file:
                counts.update(_count(values_of(file, form, jpeg, given)))
        except InputError:
            continue
    empty = counts.pop(EMPTY, 0)
    show = _Shares(counts, empty, form)
    blurred = _is_blurred(counts, jpeg, form)
    if given and not (blurred and min(given) >= 128):
        if not set(given) & set(counts):
            raise InputError(
                "no mask has any of the `landslide_values`", where=where, found=show(), fix=_FIX
            )
        return MaskCode(tuple(given), form)
    if blurred:
        note(
            "the masks are blurred (JPEG, or resampled): 128 and more is landslide",
            where=where,
            found=show(),
            fix="Write masks as PNG with two values",
        )
        return MaskCode((), "grey" if form == "number" else form, True)
    return MaskCode(_tell(counts, empty, show, where), form)


def _form(masks: Sequence[Path]) -> tuple[str, bool]:
    """Form in which the values of all masks mean the same, and whether one of them is a JPEG."""
    palettes, plain, colours, jpeg = [], False, False, False
    for path in masks:
        try:
            with open_image(path) as file:
                jpeg |= file.driver in ("JPEG", "WEBP")
                if file.count == 1 and file.colorinterp[0] != ColorInterp.palette:
                    plain = True
                    continue
                data, empty, palette = _bands(file)
        except InputError:
            continue
        if palette is not None:
            used = np.unique(data[0][~empty]) % 256
            palettes.append({int(i): tuple(palette[i].tolist()) for i in used})
        else:
            plain |= True
            colours |= len(data) == 3 and bool((data != data[:1]).any() and not jpeg)
    shown = {colour for palette in palettes for colour in palette.values()}
    of_index = {}
    same = all(of_index.setdefault(i, c) == c for palette in palettes for i, c in palette.items())
    same = same and len(shown) == len(of_index)
    black_first = (0, 0, 0) not in shown or of_index.get(0) == (0, 0, 0)
    if not colours and (not palettes or same and black_first and not plain):
        return "number", jpeg
    grey = all(len(set(colour)) == 1 for colour in shown)
    return ("grey" if grey and not colours else "colour"), jpeg


def _count(values: np.ndarray) -> dict[int, int]:
    held = values[values != EMPTY]
    if held.size and np.ptp(held) < 2**16:  # much faster than to sort
        counts, low = np.bincount(held - held.min()), held.min()
        found = np.flatnonzero(counts)
        found, counts = found + low, counts[found]
    else:
        found, counts = np.unique(held, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True)) | {
        EMPTY: values.size - held.size
    }


@dataclass(frozen=True)
class _Shares:
    """Values with their shares of all pixels, as a message shows them."""

    counts: Counter
    empty: int
    form: str

    def __call__(self) -> str:
        parts = [
            f"{f'0x{value:06x}' if self.form == 'colour' else value} ({self.of(value):.1%})"
            for value, _ in sorted(self.counts.most_common(12))
        ]
        parts += [f"and {len(self.counts) - 12} others"] if len(self.counts) > 12 else []
        total = self.empty + sum(self.counts.values())
        parts += [f"no data or transparent ({self.empty / total:.1%})"] if self.empty else []
        return ", ".join(parts) or "nothing"

    def of(self, value: int) -> float:
        return self.counts[value] / max(1, self.empty + sum(self.counts.values()))


def _is_blurred(counts: Counter, jpeg: bool, form: str) -> bool:
    """Whether there are but two values, about 0 and about 255, and noise."""
    if form == "colour" or len(counts) <= (2 if jpeg else _MANY):
        return False
    dark = sum(n for value, n in counts.items() if -1 < value < 64)
    bright = sum(n for value, n in counts.items() if 192 <= value < 256)
    above = sum(n for value, n in counts.items() if value >= 32)
    return dark > 0 and dark + bright > 0.9 * sum(counts.values()) and bright > 0.6 * above


def _tell(counts: Counter, empty: int, show: _Shares, where: Path) -> tuple[int, ...]:
    """The value that is landslide, and a note where it is not plain; empty: none is there."""
    rare = min(counts, key=counts.get, default=0)
    if len(counts) == 1 and empty and (rare or show.of(rare) < 0.6):
        what = f"{_name(rare, show.form)} is landslide; what has no data or is transparent is not"
    elif not set(counts) - {0} and not empty:
        return ()
    elif len(counts) == 2 and 0 in counts:
        return tuple(set(counts) - {0})
    elif len(counts) == 2 and show.of(rare) < 0.4:
        what = f"the rarer value {_name(rare, show.form)} is landslide, the other is not"
    else:
        raise InputError(
            "the values of the masks do not tell which is landslide",
            where=where,
            found=show(),
            fix=_FIX,
        )
    note(f"in the masks {what}", where=where, found=show(), fix=f"{_FIX}, if that is wrong")
    return (rare,)


def _name(value: int, form: str) -> str:
    return f"0x{value:06x}" if form == "colour" else str(value)
