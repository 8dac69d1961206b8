"""Collections of image chips with landslide masks: reading three layouts, instances, counts and the split."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from scipy import ndimage

from lsa_helpers.errors import InputError

IMAGE_SUFFIXES = {".tif", ".tiff", ".png", ".jpg", ".jpeg"}
# "Moxi town（UAV-1m）": area, platform and often the ground resolution; brackets may be full-width (CAS) or plain.
_CAS_NAME = re.compile(r"(?P<area>.+?)\s*[（(](?P<platform>.+?)(?:-(?P<resolution>\d+(?:\.\d+)?)\s*m)?[）)]")


@dataclass(frozen=True)
class Chip:
    """One image with its truth.

    Parameters
    ----------
    image : Path
        8-bit RGB file.
    truth : Path or tuple of dict
        A mask file (above 0 = landslide; an empty mask is a legitimate negative), or COCO annotations.
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


def read_collection(folder: Path, layout: str) -> list[Chip]:
    """List the chips of a collection without reading their pixels.

    Parameters
    ----------
    folder : Path
    layout : {"cas", "masks", "coco"}
        ``cas``: sub-folders "area（platform-1m）" with ``img/`` and ``mask/``, files of the same name. ``masks``: ``index.csv`` (id, split)
        with ``images/`` and ``masks/``. ``coco``: ``coco.json``.

    Returns
    -------
    list of Chip
        In a stable order.

    Raises
    ------
    InputError
        When the folder does not hold the layout, is empty, or an image has no mask.

    Notes
    -----
    Source of the ``cas`` layout: Xu et al. (2024), CAS Landslide Dataset, doi:10.1038/s41597-023-02847-z.
    """
    folder = Path(folder)
    readers = {"cas": _read_cas, "masks": _read_masks, "coco": _read_coco}
    if layout not in readers:
        raise InputError(f'"{layout}" is no layout of an image collection', where=folder, fix=f"Use one of {', '.join(readers)}")
    chips = readers[layout](folder)
    if not chips:
        raise InputError(f'no image chip was found in the layout "{layout}"', where=folder)
    return chips


def _read_cas(folder: Path) -> list[Chip]:
    chips = []
    for images in sorted(path for path in folder.rglob("img") if path.is_dir()):
        name = images.parent.name
        found = _CAS_NAME.fullmatch(name)
        area, platform, resolution = found.group("area", "platform", "resolution") if found else (name, "", None)
        masks, files = _by_stem(images.parent / "mask"), _by_stem(images)
        for path, scene in zip(files.values(), _scenes(list(files)), strict=True):
            if path.stem not in masks:
                raise InputError("the image has no mask", where=path, fix=f"A mask of the same name belongs into {images.parent / 'mask'}")
            metres = _pixel_size(path) or float(resolution or "nan")
            chips.append(Chip(path, masks[path.stem], area, platform, metres, f"{images.parent.relative_to(folder)}/{scene}"))
    return chips


def _by_stem(folder: Path) -> dict[str, Path]:
    """Image files of a folder by name without suffix, sorted."""
    return {path.stem: path for path in sorted(folder.glob("*")) if path.suffix.lower() in IMAGE_SUFFIXES}


def _scenes(stems: Sequence[str]) -> list[str]:
    """Scene of each chip: the name before its last number, or ten runs of neighbours where all chips share that."""
    scenes = [re.sub(r"[\W_]*\d+$", "", stem) for stem in stems]
    if len(set(scenes)) >= 10:
        return scenes
    # Chips cut from one mosaic are numbered along it, so neighbours in the list are neighbours on the ground.
    return [f"part {10 * i // max(len(stems), 1)}" for i in range(len(stems))]


def _pixel_size(path: Path) -> float:
    """Pixel size in metres from a georeferenced chip; 0 where it has none or is in degrees."""
    import warnings

    import rasterio

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        try:
            with rasterio.open(path) as file:
                return abs(file.transform.a) if file.crs and file.crs.is_projected else 0.0
        except rasterio.errors.RasterioError as error:
            raise InputError("the image cannot be read", where=path, found=error) from None


def _read_masks(folder: Path) -> list[Chip]:
    index = folder / "index.csv"
    try:
        table = pd.read_csv(index, dtype={"id": str})
    except (OSError, ValueError) as error:
        raise InputError("the index of the collection cannot be read", where=index, found=error) from None
    if "id" not in table:
        raise InputError('the index has no column "id"', where=index, found=list(table.columns))
    files = {name: _by_stem(folder / name) for name in ("images", "masks")}
    for name, found in files.items():
        if missing := [key for key in table["id"] if key not in found]:
            raise InputError(f"{len(missing)} files of the index are missing", where=folder / name, found=f"no {missing[0]}.*")
    splits = table["split"].fillna("").astype(str) if "split" in table else [""] * len(table)
    return [Chip(files["images"][key], files["masks"][key], scene=key, split=split) for key, split in zip(table["id"], splits, strict=True)]


def _read_coco(folder: Path) -> list[Chip]:
    path = folder / "coco.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        images, notes = content["images"], {image["id"]: [] for image in content["images"]}
        for note in content["annotations"]:
            notes[note["image_id"]].append(note)
        chips = [Chip(folder / i["file_name"], tuple(notes[i["id"]]), scene=i["file_name"], split=i.get("split", "")) for i in images]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError("this is no readable COCO file", where=path, found=repr(error)) from None
    if missing := [chip.image for chip in chips if not chip.image.is_file()]:
        raise InputError("the image of the COCO file is missing", where=missing[0])
    return chips


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
    mask = _pixels(chip.truth, None)
    mask = (mask if mask.ndim == 2 else mask.max(axis=2)) > 0
    if mask.shape != image.shape[:2]:
        raise InputError(f"the mask is {_size(mask)} pixels, its image {chip.image.name} is {_size(image)}", where=chip.truth)
    return image, instances(mask, min_pixels)


def read_image(path: Path) -> np.ndarray:
    """An 8-bit image file as ndarray of uint8, shape (height, width, 3)."""
    return _pixels(path, "RGB")


def _size(array: np.ndarray) -> str:
    return f"{array.shape[1]}×{array.shape[0]}"


def _pixels(path: Path, mode: str | None) -> np.ndarray:
    try:
        with Image.open(path) as file:
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
