"""Image chips with landslide masks: their pixels and instances, the split, counts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from affine import Affine
from PIL import Image
from rasterio.features import geometry_mask
from scipy import ndimage

from lsa_helpers.errors import InputError


@dataclass(frozen=True)
class Chip:
    """One image with its truth.

    Parameters
    ----------
    image : Path
        8-bit RGB file.
    truth : Path or tuple of dict
        A mask file (above 0 = landslide; an empty mask is a legitimate negative), a LabelMe file (.json), or COCO annotations.
    area, platform : str
        Sample area and acquisition platform of Table 1; empty when unknown.
    resolution_m : float
        Ground size of a pixel, m, from the file's georeference or else the folder's name; NaN when unknown.
    scene : str
        Chips of one scene stay together in the split.
    split : str
        "train", "val" or "test" when the collection says so, else "".
    """

    image: Path
    truth: Path | tuple
    area: str = ""
    platform: str = ""
    resolution_m: float = float("nan")
    scene: str = ""
    split: str = ""


def read_chip(chip: Chip, *, min_pixels: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Read one image and its landslides.

    Parameters
    ----------
    chip : Chip
    min_pixels : int
        Components of a mask smaller than this are dropped.

    Returns
    -------
    image : ndarray of uint8, shape (height, width, 3)
    masks : ndarray of bool, shape (landslides, height, width)
        No landslide gives shape (0, height, width).

    Raises
    ------
    InputError
        When a file is corrupt or the mask has another size than the image.
    """
    image = read_image(chip.image)
    if isinstance(chip.truth, tuple):
        return image, _coco_masks(chip.truth, image.shape[:2], chip.image)
    if chip.truth.suffix == ".json":
        return image, _labelme_masks(chip.truth, image.shape[:2])
    if not chip.truth.is_file():
        raise InputError("the image has no mask", where=chip.image, fix=f"A mask of the same name belongs into {chip.truth.parent}")
    mask = _pixels(chip.truth, None)
    mask = (mask if mask.ndim == 2 else mask.max(axis=2)) > 0
    if mask.shape != image.shape[:2]:
        raise InputError(f"the mask is {_size(mask)} pixels, its image {chip.image.name} is {_size(image)}", where=chip.truth)
    return image, instances(mask, min_pixels)


def read_image(path: Path) -> np.ndarray:
    """An 8-bit image file as ndarray of uint8, shape (height, width, 3); a fourth band is left out."""
    return _pixels(path, "RGB")


def check_chips(chips: Sequence[Chip], *, min_pixels: int = 20) -> pd.DataFrame:
    """Read every chip and say what is wrong, all at once.

    Parameters
    ----------
    chips : sequence of Chip
    min_pixels : int
        As in `read_chip`.

    Returns
    -------
    DataFrame
        image (Path), problem (text), bad (bool), one row for each chip that cannot be used (file missing or corrupt, mask of another size,
        wrong number of bands, nothing but nodata) or, with ``bad`` false, that shows no landslide: a legitimate negative, if it is meant.
    """
    rows = []
    for chip in chips:
        try:
            image, masks = read_chip(chip, min_pixels=min_pixels)
        except InputError as error:
            rows.append((chip.image, " ".join(str(error).split()), True))
            continue
        if not image.any() or (image == image[0, 0]).all():
            rows.append((chip.image, f"{chip.image}: all pixels have one colour: nodata", True))
        elif not len(masks):
            rows.append((chip.image, f"{chip.image}: the mask is empty: a chip without landslide", False))
    return pd.DataFrame(rows, columns=["image", "problem", "bad"])


def _size(array: np.ndarray) -> str:
    return f"{array.shape[1]}×{array.shape[0]}"


def _pixels(path: Path, mode: str | None) -> np.ndarray:
    try:
        with Image.open(path) as file:
            if mode and file.mode not in ("RGB", "RGBA", "P"):
                found = f"{len(file.getbands())} band(s), {file.mode}"
                raise InputError("the image is not 8-bit red, green and blue", where=path, found=found, fix="Convert it, or take it out")
            return np.asarray(file.convert(mode) if mode else file)
    except (OSError, SyntaxError, ValueError) as error:
        fix = "Replace the file or take it out of the collection"
        raise InputError("the image cannot be read", where=path, found=error, fix=fix) from None


def instances(mask: np.ndarray, min_pixels: int = 20) -> np.ndarray:
    """Cut a semantic mask into landslides: its 8-connected components (touching landslides become one).

    Parameters
    ----------
    mask : ndarray of bool, shape (height, width)
    min_pixels : int
        Smaller components are dropped.

    Returns
    -------
    ndarray of bool, shape (landslides, height, width)

    Examples
    --------
    >>> instances(np.eye(5, dtype=bool), min_pixels=5).shape
    (1, 5, 5)
    """
    labels, _ = ndimage.label(mask, structure=np.ones((3, 3)))
    kept = np.flatnonzero(np.bincount(labels.ravel())[1:] >= min_pixels) + 1
    return labels[None] == kept[:, None, None]


def _coco_masks(notes: Sequence[dict], shape: tuple[int, int], where: Path) -> np.ndarray:
    from pycocotools import mask as rle

    masks = np.zeros((len(notes), *shape), bool)
    for i, note in enumerate(notes):
        found = note["segmentation"]
        coded = rle.frPyObjects(found, *shape) if isinstance(found, list) or isinstance(found["counts"], list) else found
        coded = rle.merge(coded) if isinstance(coded, list) else coded
        if tuple(coded["size"]) != shape:
            raise InputError("a COCO mask has another size than its image", where=where, found=f"{coded['size']}, image {list(shape)}")
        masks[i] = rle.decode(coded)
    return masks


def _labelme_masks(path: Path, shape: tuple[int, int]) -> np.ndarray:
    """Polygons and rectangles of a LabelMe file, one landslide each; its labels are not looked at."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        drawn = [
            (item.get("shape_type") or "polygon", [tuple(map(float, point)) for point in item["points"]]) for item in content["shapes"]
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError("this is no readable LabelMe file", where=path, found=repr(error)) from None
    size = content.get("imageHeight") or shape[0], content.get("imageWidth") or shape[1]
    if size != shape:
        raise InputError("the LabelMe file was drawn on an image of another size", where=path, found=f"{list(size)}, image {list(shape)}")
    masks = np.zeros((len(drawn), *shape), bool)
    for mask, (kind, points) in zip(masks, drawn, strict=True):
        if kind not in ("polygon", "rectangle") or len(points) < (3 if kind == "polygon" else 2):
            raise InputError("the outline is neither a polygon nor a rectangle", where=path, found=f"{kind} of {len(points)} points")
        outline = shapely.Polygon(points) if kind == "polygon" else shapely.MultiPoint(points[:2]).envelope
        mask[:] = geometry_mask([outline], shape, Affine.identity(), invert=True)
    return masks


def split_chips(chips: Sequence[Chip], seed: int) -> list[Chip]:
    """Give every chip a split: the collection's own, or 8:1:1 within each area and platform, whole scenes together.

    Parameters
    ----------
    chips : sequence of Chip
    seed : int

    Returns
    -------
    list of Chip
        In the order given, `split` filled.
    """
    if all(chip.split for chip in chips):
        return list(chips)
    rng = np.random.default_rng(seed)
    split = {}
    for part in sorted({(chip.area, chip.platform, chip.resolution_m) for chip in chips}, key=str):
        own = [chip.scene for chip in chips if str((chip.area, chip.platform, chip.resolution_m)) == str(part)]
        done = 0
        for scene in rng.permutation(sorted(set(own))):
            split[scene] = "test" if done < 0.1 * len(own) else "val" if done < 0.2 * len(own) else "train"
            done += own.count(scene)
    return [replace(chip, split=split[chip.scene]) for chip in chips]


def count_table(chips: Sequence[Chip]) -> pd.DataFrame:
    """Table 1 counted from what was read: area, platform, resolution_m, images, and how many are in each split."""
    keys = ["area", "platform", "resolution_m"]
    table = pd.DataFrame([(chip.area, chip.platform, chip.resolution_m, chip.split or "all") for chip in chips], columns=[*keys, "split"])
    counts = table.groupby([*keys, "split"], dropna=False, sort=False).size().unstack("split", fill_value=0)
    counts.insert(0, "images", counts.sum(axis=1))
    return counts.reset_index().rename_axis(columns=None)
