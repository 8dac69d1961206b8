"""Image chips with their landslides: reading, judging and counting them."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from rasterio.windows import Window

from lsa_helpers.detect.images import AS_RGB, Bands, open_image
from lsa_helpers.detect.outlines import count_merged, draw_masks
from lsa_helpers.errors import InputError


@dataclass(frozen=True)
class Chip:
    """One image with its truth.

    Parameters
    ----------
    image : Path
        Image file of any format GDAL reads.
    truth : Path or tuple
        A mask file (above 0 = landslide; an empty mask is a legitimate negative), a LabelMe file
        (.json), COCO annotations (dict) or shapely polygons in pixels of the chip.
    area, platform : str
        Sample area and acquisition platform of Table 1; empty when unknown.
    resolution_m : float
        Ground size of a pixel, m, from the file's georeference or else the folder's name; NaN when
        unknown.
    scene : str
        Chips of one scene stay together in the split.
    split : str
        "train", "val" or "test", or "gap" for none of them; "" before
        `lsa_helpers.detect.split.split_chips` where the collection does not say it.
    footprint : tuple, optional
        CRS, left, bottom, right and top of a georeferenced chip, in units of the CRS.
    window : tuple of int, optional
        First column, first row, width and height of the chip in a larger image, pixels.
    landslides, merged : float
        Counted by `check_chips`; NaN before.
    fault : InputError, optional
        Why it cannot be read, where that was seen when it was listed; raised by `read_chip`, so
        that one bad chip does not hide the others.
    """

    image: Path
    truth: Path | tuple
    area: str = ""
    platform: str = ""
    resolution_m: float = float("nan")
    scene: str = ""
    split: str = ""
    footprint: tuple[str, float, float, float, float] | None = None
    window: tuple[int, int, int, int] | None = None
    landslides: float = float("nan")
    merged: float = float("nan")
    fault: InputError | None = None

    @property
    def source(self) -> tuple[str, str, str]:
        """What took the chip: area, platform and resolution. Chips of one source share their light,
        haze and sensor.
        """
        return self.area, self.platform, f"{self.resolution_m:g}"


def read_chip(
    chip: Chip, bands: Bands = AS_RGB, *, min_pixels: int = 20
) -> tuple[np.ndarray, np.ndarray]:
    """Read one image and its landslides.

    Parameters
    ----------
    chip : Chip
    bands : Bands
    min_pixels : int
        Components of a mask file smaller than this are dropped.

    Returns
    -------
    image : ndarray of uint8 or float32, shape (height, width, bands)
        As `lsa_helpers.detect.images.Bands.read` gives it.
    masks : ndarray of bool, shape (landslides, height, width)
        No landslide gives shape (0, height, width).

    Raises
    ------
    InputError
        When a file is missing or corrupt, lacks a band, or the mask has another size than the
        image.
    """
    image = read_image(chip, bands)
    return image, draw_masks(chip.truth, image.shape[:2], chip.image, min_pixels=min_pixels)


def read_image(chip: Chip, bands: Bands = AS_RGB) -> np.ndarray:
    """The pixels of a chip alone, as `read_chip` gives them."""
    if chip.fault is not None:
        raise chip.fault
    with open_image(chip.image) as file:
        return bands.read(file, Window(*chip.window) if chip.window else None)


def check_chips(
    chips: Sequence[Chip], bands: Bands = AS_RGB, *, min_pixels: int = 20
) -> pd.DataFrame:
    """Read every chip, count its landslides and say what is wrong, all at once.

    Parameters
    ----------
    chips : sequence of Chip
    bands : Bands
    min_pixels : int
        As in `read_chip`.

    Returns
    -------
    DataFrame
        One row per chip: image (Path), landslides (count), merged (of drawn outlines, how many a
        semantic mask would merge into a neighbour; NaN for mask files, which do not tell), problem
        (text, empty when there is none), bad (bool: file missing or corrupt, mask of another size,
        wrong number of bands, nothing but nodata). A chip without landslide is a problem only if it
        is not meant.
    """
    return pd.DataFrame([_check(chip, bands, min_pixels) for chip in chips])


def _check(chip: Chip, bands: Bands, min_pixels: int) -> dict:
    """One row of `check_chips`."""
    row = {"image": chip.image, "landslides": 0, "merged": np.nan, "problem": "", "bad": False}
    try:
        image, masks = read_chip(chip, bands, min_pixels=min_pixels)
    except InputError as error:
        return row | {"problem": " ".join(str(error).split()), "bad": True}
    row["landslides"] = len(masks)
    if isinstance(chip.truth, tuple) or chip.truth.suffix == ".json":
        row["merged"] = count_merged(masks)
    if not image.any() or (image == image[0, 0]).all():
        row |= {"problem": f"{chip.image}: all pixels have one colour: nodata", "bad": True}
    elif not len(masks):
        row["problem"] = f"{chip.image}: the mask is empty: a chip without landslide"
    return row


def usable_chips(
    chips: Sequence[Chip], report: pd.DataFrame, *, skip_bad: bool = False
) -> list[Chip]:
    """The chips that can be used, with their landslides counted.

    Parameters
    ----------
    chips : sequence of Chip
    report : DataFrame
        What `check_chips` said of them.
    skip_bad : bool
        Leave out chips that cannot be used instead of stopping.

    Raises
    ------
    InputError
        When chips cannot be used, all of them named, unless `skip_bad` leaves them out and some
        remain.
    """
    if not chips:
        return []
    bad = report[report["bad"]]
    if len(bad) and (not skip_bad or len(bad) == len(chips)):
        raise InputError(
            f"{len(bad)} of {len(chips)} chips cannot be used",
            where=os.path.commonpath([chip.image.parent for chip in chips]),
            found="\n" + "\n".join(bad["problem"]),
            fix="Mend them or take them out; `skip_bad: true` trains without them",
        )
    return [
        replace(chips[row.Index], landslides=row.landslides, merged=row.merged)
        for row in report[~report["bad"]].itertuples()
    ]


def need_training(chips: Sequence[Chip]) -> None:
    """Raise an `InputError` when there are chips, but none to train on."""
    if chips and not any(chip.split == "train" for chip in chips):
        raise InputError(
            "the collection has no training chips",
            where=chips[0].image.parent,
            fix="Add chips, or mark some as train",
        )


def count_table(chips: Sequence[Chip]) -> pd.DataFrame:
    """Table 1 counted from what was read.

    Returns
    -------
    DataFrame
        area, platform, resolution_m, images, then how many are in each split; where
        `Chip.landslides` is known also landslides and merged.
    """
    keys = ["area", "platform", "resolution_m"]
    sums = ["landslides", "merged"]
    names = [*keys, *sums, "split"]
    table = pd.DataFrame([{name: getattr(chip, name) for name in names} for chip in chips])
    table["split"] = table["split"].replace("", "all")
    by_source = table.groupby([*keys, "split"], dropna=False, sort=False)
    counts = by_source.size().unstack("split", fill_value=0)
    counts.insert(0, "images", counts.sum(axis=1))
    totals = table.groupby(keys, dropna=False, sort=False)[sums].sum(min_count=1)
    return counts.join(totals.dropna(axis=1, how="all")).reset_index().rename_axis(columns=None)
