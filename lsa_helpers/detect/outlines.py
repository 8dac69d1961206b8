"""The landslides of a chip, one mask each: from a mask file, COCO annotations, a LabelMe file or
polygons.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import shapely
from affine import Affine
from rasterio.features import geometry_mask
from scipy import ndimage

from lsa_helpers.detect.coding import MaskCode
from lsa_helpers.detect.drawn import is_outline, labelme_shapes, yolo_outlines
from lsa_helpers.errors import InputError

_WRITTEN = "Draw them on the image as it is, or bring the image back to that size"


def draw_masks(
    truth: Path | tuple,
    shape: tuple[int, int],
    image: Path,
    *,
    min_pixels: int = 20,
    coded: MaskCode | tuple[str, ...] | None = None,
) -> np.ndarray:
    """Masks of a chip's landslides.

    Parameters
    ----------
    truth : Path or tuple
        A mask file, a LabelMe file (.json), a YOLO file (.txt), COCO annotations (dict) or shapely
        polygons in pixels of the chip (x to the right, y down).
    shape : tuple of int
        Height and width of the image.
    image : Path
        Named in errors.
    min_pixels : int
        Components of a mask file smaller than this are dropped; drawn outlines are kept.
    coded : MaskCode or tuple of str, optional
        What is landslide: values of a mask, labels of a LabelMe file or classes of a YOLO file;
        all (of a mask all above 0) by default.

    Returns
    -------
    ndarray of bool, shape (landslides, height, width)

    Raises
    ------
    InputError
        When the truth is missing, corrupt or of another size than the image.
    """
    if isinstance(truth, tuple):
        return (
            _coco_masks(truth, shape, image)
            if truth and isinstance(truth[0], dict)
            else _polygon_masks(truth, shape)
        )
    if truth.suffix.lower() == ".json":
        return _drawn_masks(_labelme_outlines(truth, shape, coded), shape, truth)
    if truth.suffix.lower() == ".txt":
        drawn = [item for item in yolo_outlines(truth) if coded is None or item[0] in coded]
        scaled = [(name, points * (shape[1], shape[0])) for name, points in drawn]
        return _drawn_masks([shapely.Polygon(points) for _, points in scaled], shape, truth)
    if not truth.is_file():
        raise InputError(
            "the image has no mask",
            where=image,
            fix=f"A mask of the same name belongs into {truth.parent}",
        )
    mask = (coded or MaskCode()).read(truth)
    if mask.shape != shape:
        raise InputError(
            f"the mask is {_size(mask.shape)} pixels, its image {image.name} is {_size(shape)}",
            where=truth,
            fix="Turn it like the image" if mask.shape == shape[::-1] else None,
        )
    return instances(mask, min_pixels)


def _size(shape: tuple[int, int]) -> str:
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


def _coco_masks(notes: Sequence[dict], shape: tuple[int, int], where: Path) -> np.ndarray:
    from pycocotools import mask as rle

    masks = np.zeros((len(notes), *shape), bool)
    for i, note in enumerate(notes):
        found = note.get("segmentation")
        if not is_outline(found):
            raise InputError(
                f"the COCO annotation {note.get('id', f'number {i + 1}')} has no outline",
                where=where,
                found=None if found is None else f"{found!s:.80}",
                fix="Each needs polygons of three points or more, or a run-length code; "
                "a box is not enough",
            )
        if isinstance(found, list):
            rings = [np.reshape(ring, (-1, 2)) for ring in found]
            _need_inside(np.concatenate(rings), shape, where)
        plain = isinstance(found, list) or isinstance(found["counts"], list)
        coded = rle.frPyObjects(found, *shape) if plain else found
        coded = rle.merge(coded) if isinstance(coded, list) else coded
        if tuple(coded["size"]) != shape:
            raise InputError(
                "a COCO mask has another size than its image",
                where=where,
                found=f"{coded['size']}, image {list(shape)}",
            )
        masks[i] = rle.decode(coded)
    return masks


def _need_inside(points: np.ndarray, shape: tuple[int, int], where: Path) -> None:
    """Raise an `InputError` when an outline, points (x, y), lies wholly outside its image."""
    low, high = points.min(axis=0), points.max(axis=0)
    if (high < 0).any() or low[0] > shape[1] or low[1] > shape[0]:
        raise InputError(
            f"an outline lies outside the image of {_size(shape)} pixels",
            where=where,
            found=f"columns {low[0]:g} to {high[0]:g}, rows {low[1]:g} to {high[1]:g}",
            fix=_WRITTEN,
        )
    if len(points) > 2 and low.min() >= 0 and high.max() <= 1 and min(shape) > 8:
        raise InputError(
            "an outline is given in shares of the image and not in pixels",
            where=where,
            found=points.round(3).tolist()[:3],
            fix="Multiply them by its width and height",
        )


def _labelme_outlines(
    path: Path, shape: tuple[int, int], labels: tuple[str, ...] | None
) -> list[shapely.Polygon]:
    """Polygons and rectangles of a LabelMe file, one landslide each, of the labels that are."""
    content, shapes = labelme_shapes(path)
    size = content.get("imageHeight") or shape[0], content.get("imageWidth") or shape[1]
    if size != shape:
        raise InputError(
            "the LabelMe file was drawn on an image of another size",
            where=path,
            found=f"{_size(size)} pixels, the image has {_size(shape)}",
            fix=_WRITTEN,
        )
    outlines = []
    for item in shapes:
        if labels is not None and str(item.get("label")) not in labels:
            continue
        kind, points = item.get("shape_type") or "polygon", item["points"]
        if kind not in ("polygon", "rectangle") or len(points) < (3 if kind == "polygon" else 2):
            raise InputError(
                "the outline is neither a polygon nor a rectangle",
                where=path,
                found=f"{kind} of {len(points)} points",
            )
        drawn = shapely.MultiPoint(points[:2]).envelope if kind == "rectangle" else None
        outlines.append(drawn or shapely.Polygon(points))
    return outlines


def _drawn_masks(
    outlines: Sequence[shapely.Geometry], shape: tuple[int, int], where: Path
) -> np.ndarray:
    for outline in outlines:
        _need_inside(shapely.get_coordinates(outline), shape, where)
    return _polygon_masks(outlines, shape)


def _polygon_masks(outlines: Sequence[shapely.Geometry], shape: tuple[int, int]) -> np.ndarray:
    """Polygons in pixels of the chip as masks; what reaches beyond the chip is cut off."""
    masks = np.zeros((len(outlines), *shape), bool)
    for mask, outline in zip(masks, outlines, strict=True):
        mask[:] = geometry_mask([outline], shape, Affine.identity(), invert=True)
    return masks


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
