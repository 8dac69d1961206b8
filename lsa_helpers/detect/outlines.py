"""The landslides of a chip, one mask each: from a mask file, COCO annotations or polygons."""

from pathlib import Path

import numpy as np
import shapely
from affine import Affine
from rasterio.features import geometry_mask
from scipy import ndimage

from lsa_helpers.detect.coding import MaskCode
from lsa_helpers.errors import InputError

_WRITTEN = "Draw them on the image as it is, or bring the image back to that size"


def draw_masks(
    truth: Path | tuple,
    shape: tuple[int, int],
    image: Path,
    *,
    min_pixels: int = 20,
    coded: MaskCode | None = None,
    drawn_on: tuple[int, int] | None = None,
) -> np.ndarray:
    """Masks of a chip's landslides.

    Parameters
    ----------
    truth : Path or tuple
        A mask file, COCO annotations (dict) or shapely polygons in pixels of the chip (x to the
        right, y down).
    shape : tuple of int
        Height and width of the image.
    image : Path
        Named in errors.
    min_pixels : int
        Components of a mask file smaller than this are dropped; drawn outlines are kept.
    coded : MaskCode, optional
        Which values of a mask are landslide; by default all above 0.
    drawn_on : tuple of int, optional
        Height and width of the image on which outlines were drawn; (1, 1): they are shares of it.

    Returns
    -------
    ndarray of bool, shape (landslides, height, width)

    Raises
    ------
    InputError
        When the truth is missing, corrupt or of another size than the image.
    """
    if isinstance(truth, tuple):
        if drawn_on == (1, 1):
            truth = shapely.transform(truth, lambda points: points * shape[::-1])
        elif drawn_on and drawn_on != shape:
            found = f"{_size(drawn_on)} pixels, the image has {_size(shape)}"
            what = "the outlines were drawn on an image of another size"
            raise InputError(what, where=image, found=found, fix=_WRITTEN)
        masks = [_outlined(outline, shape, image) for outline in truth]
        return np.stack(masks) if masks else np.zeros((0, *shape), bool)
    if not truth.is_file():
        fix = f"A mask of the same name belongs into {truth.parent}"
        raise InputError("the image has no mask", where=image, fix=fix)
    mask = (coded or MaskCode()).read(truth)
    if mask.shape != shape:
        raise InputError(
            f"the mask is {_size(mask.shape)} pixels, its image {image.name} is {_size(shape)}",
            where=truth,
            fix="Turn it like the image" if mask.shape == shape[::-1] else None,
        )
    return instances(mask, min_pixels)


def _size(shape: tuple[int, int]) -> str:
    """Width and height for a message."""
    return f"{shape[1]}×{shape[0]}"


def instances(mask: np.ndarray, min_pixels: int = 20) -> np.ndarray:
    """Cut a semantic mask into landslides: its 8-connected components (touching landslides become
    one).

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


def _outlined(outline, shape: tuple[int, int], where: Path) -> np.ndarray:
    """The mask of one outline; what reaches beyond the image is cut off."""
    if isinstance(outline, dict):
        return _coco_mask(outline, shape, where)
    if not outline.geom_type.endswith("Polygon"):
        found = f"{len(shapely.get_coordinates(outline))} points"
        what = "the outline is neither a polygon nor a rectangle"
        raise InputError(what, where=where, found=found)
    _need_inside(shapely.get_coordinates(outline), shape, where)
    return geometry_mask([outline], shape, Affine.identity(), invert=True)


def _coco_mask(note: dict, shape: tuple[int, int], where: Path) -> np.ndarray:
    """The mask of a COCO annotation, of polygons or run lengths."""
    from pycocotools import mask as rle

    found = note.get("segmentation")
    if isinstance(found, list):
        coded = _rings(found)
        if coded:
            _need_inside(
                np.concatenate([np.reshape(ring, (-1, 2)) for ring in coded]), shape, where
            )
            coded = rle.merge(rle.frPyObjects(coded, *shape))
    else:
        coded = found if isinstance(found, dict) and {"counts", "size"} <= set(found) else None
        if coded and isinstance(coded["counts"], list):
            coded = rle.frPyObjects(coded, *shape)
    if not coded:
        raise InputError(
            f"the COCO annotation {note.get('id', '')} has no outline",
            where=where,
            found=None if found is None else f"{found!s:.80}",
            fix="Each needs polygons of three points or more, or a run-length code; "
            "a box is not enough",
        )
    if tuple(coded["size"]) != shape:
        found = f"{coded['size']}, image {list(shape)}"
        raise InputError("a COCO mask has another size than its image", where=where, found=found)
    return rle.decode(coded).astype(bool)


def _rings(found: list) -> list:
    """The rings of a COCO annotation, where all are lists of three points or more: four numbers
    would be read as a box.
    """
    numbers = [
        isinstance(ring, list) and all(isinstance(value, int | float) for value in ring)
        for ring in found
    ]
    whole = all(numbers) and all(len(ring) >= 6 and len(ring) % 2 == 0 for ring in found)
    return found if whole else []


def _need_inside(points: np.ndarray, shape: tuple[int, int], where: Path) -> None:
    """Raise an `InputError` when an outline, points (x, y), lies wholly outside its image."""
    low, high = points.min(axis=0), points.max(axis=0)
    if (high < 0).any() or low[0] > shape[1] or low[1] > shape[0]:
        what = f"an outline lies outside the image of {_size(shape)} pixels"
        found = f"columns {low[0]:g} to {high[0]:g}, rows {low[1]:g} to {high[1]:g}"
        raise InputError(what, where=where, found=found, fix=_WRITTEN)
    if len(points) > 2 and low.min() >= 0 and high.max() <= 1 and min(shape) > 8:
        what = "an outline is given in shares of the image and not in pixels"
        found = points.round(3).tolist()[:3]
        fix = "Multiply them by its width and height"
        raise InputError(what, where=where, found=found, fix=fix)


def count_merged(masks: np.ndarray) -> int:
    """How many landslides vanish into a neighbour when outlines are flattened to a semantic mask
    and cut into components again.

    Parameters
    ----------
    masks : ndarray of bool, shape (landslides, height, width)

    Returns
    -------
    int
        Landslides less connected groups of landslides (8-connected).

    Examples
    --------
    >>> squares = np.zeros((3, 9, 9), bool)
    >>> squares[0, :3, :3] = squares[1, 3:5, 3:5] = squares[2, 7:, 7:] = True
    >>> count_merged(squares)
    1
    """
    shown = masks[masks.any(axis=(1, 2))]
    if not len(shown):
        return 0
    labels, _ = ndimage.label(shown.any(axis=0), structure=np.ones((3, 3)))
    groups = {int(labels[mask].max()) for mask in shown}
    return len(shown) - len(groups)
