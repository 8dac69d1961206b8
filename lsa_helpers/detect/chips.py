"""Image chips with their landslides: reading, judging and counting them."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from rasterio.windows import Window

from lsa_helpers.detect.coding import MaskCode
from lsa_helpers.detect.images import AS_RGB, Bands, open_image
from lsa_helpers.detect.outlines import count_merged, draw_masks
from lsa_helpers.errors import InputError, doubt

PARTS = ("train", "val", "test")
_SHOWN = 5  # chips with the same fault that are named with it in full
_LARGE = 0.6  # share of a picture; masks of landslides that cover more are mostly inverted


@dataclass(frozen=True)
class Chip:
    """One image with its truth.

    Parameters
    ----------
    image : Path
        Image file of any format GDAL reads.
    truth : Path or tuple
        A mask file (an empty mask is a legitimate negative), or what is outlined: COCO annotations
        (dict) or shapely polygons in pixels of the chip.
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
    coded : MaskCode, optional
        Which values of a mask file are landslide.
    drawn_on : tuple of int, optional
        Height and width of the image on which outlines were drawn, pixels; (1, 1): they are shares.
    dtype : str
        Type of the stored values; empty when unknown.
    scale : tuple of float, optional
        `Bands.reflectance_scale` and offset where `Bands` leave them open, decided for the whole
        collection by `lsa_helpers.detect.scale.settle_scale`.
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
    coded: MaskCode | None = None
    drawn_on: tuple[int, int] | None = None
    dtype: str = ""
    scale: tuple[float, float] | None = None

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
    how = {"min_pixels": min_pixels, "coded": chip.coded, "drawn_on": chip.drawn_on}
    return image, draw_masks(chip.truth, image.shape[:2], chip.image, **how)


def read_image(chip: Chip, bands: Bands = AS_RGB) -> np.ndarray:
    """The pixels of a chip alone, as `read_chip` gives them."""
    if chip.fault is not None:
        raise chip.fault
    if chip.scale and not bands.reflectance_scale:
        bands = replace(bands, reflectance_scale=chip.scale[0], reflectance_offset=chip.scale[1])
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
        semantic mask would merge into a neighbour; NaN for mask files, which do not tell), share
        (fraction of its pixels that is landslide; NaN when it is bad), problem (text, empty when
        there is none), bad (bool: file missing or corrupt, mask of another size, wrong number of
        bands, nothing but nodata). A chip without landslide is a problem only if it is not meant.
        That landslides cover whole chips, or most of all, is a doubt.
    """
    report = pd.DataFrame([_check(chip, bands, min_pixels) for chip in chips])
    if len(report):
        _doubt_shares(report)
    return report


def _doubt_shares(report: pd.DataFrame) -> None:
    """Doubt landslides that are too large to be some."""
    where = os.path.commonpath([image.parent for image in report["image"]])
    fix = "See that the truth is not inverted; `landslide_values` says which values are landslides"
    mean, whole = report["share"].mean(), report[report["share"] >= 0.999]
    if mean > _LARGE:
        doubt(f"landslides cover {mean:.0%} of the chips", where=where, fix=fix)
    elif len(whole):
        names = ", ".join(image.name for image in whole["image"][:3])
        what = f"{len(whole)} of {len(report)} chips are landslide from edge to edge"
        doubt(what, where=where, found=names, fix=fix)


def _check(chip: Chip, bands: Bands, min_pixels: int) -> dict:
    """One row of `check_chips`."""
    row = {"image": chip.image, "landslides": 0, "merged": np.nan, "share": np.nan}
    row |= {"problem": "", "bad": False}
    try:
        image, masks = read_chip(chip, bands, min_pixels=min_pixels)
    except InputError as error:
        return row | {"problem": " ".join(str(error).split()), "bad": True}
    row |= {"landslides": len(masks), "share": masks.any(axis=0).mean()}
    if isinstance(chip.truth, tuple):
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
        When chips cannot be used, unless `skip_bad` leaves them out and some remain; every fault
        and its chips are named.
    """
    if not chips:
        return []
    bad = report[report["bad"]]
    if len(bad) and (not skip_bad or len(bad) == len(chips)):
        raise InputError(
            f"{len(bad)} of {len(chips)} chips cannot be used",
            where=os.path.commonpath([chip.image.parent for chip in chips]),
            found="\n" + "\n".join(_named(bad)),
            fix="Mend them or take them out; `skip_bad: true` trains without them",
        )
    return [
        replace(chips[row.Index], landslides=row.landslides, merged=row.merged)
        for row in report[~report["bad"]].itertuples()
    ]


def _named(bad: pd.DataFrame) -> list[str]:
    """What is wrong with bad chips; a fault that many share is told once, with their names."""
    alike: dict[str, list] = {}
    for row in bad.itertuples():
        fault = row.problem.split(": ", 1)[-1].replace(row.image.name, "")
        alike.setdefault(fault, []).append(row)
    lines = []
    for rows in alike.values():
        lines += [row.problem for row in rows[: _SHOWN if len(rows) <= _SHOWN else 1]]
        if len(rows) > _SHOWN:
            names = ", ".join([row.image.name for row in rows[1:20]] + ["…"] * (len(rows) > 20))
            lines.append(f"The same holds for {len(rows) - 1} others: {names}")
    return lines


def need_training(chips: Sequence[Chip]) -> None:
    """See that split chips can train a detector, choose its threshold and test it.

    Raises
    ------
    InputError
        When there are chips, but a part has none or, where landslides were counted, none with a
        landslide.
    """
    for part, needed in (("train", "training"), ("val", "validation"), ("test", "test")):
        held = [chip for chip in chips if chip.split == part]
        if not chips or any(chip.landslides != 0 for chip in held):
            continue
        fix = (
            "Add chips, or mark some as train"
            if part == "train" and not held
            else "Give it some that have: by the columns `id` and `split` of an index.csv, by the "
            "folders train, val and test, or, where neither is there, by another `seed`"
        )
        counts = {name: sum(chip.split == name for chip in chips) for name in PARTS}
        if all(chip.landslides == 0 for chip in chips):
            raise InputError(
                f"none of the {len(chips)} chips has a landslide",
                where=chips[0].image.parent,
                fix="See that masks or outlines are those of the images; `landslide_values` or "
                "`landslide_labels` in catalog.yml say what in them is landslide",
            )
        what = f"the collection has no {needed} chips" + (" with a landslide" if held else "")
        found = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise InputError(what, where=chips[0].image.parent, found=found, fix=fix)


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
