"""Test-time augmentation: an image is searched as it is, flipped and turned, and what the views
agree on scores high.
"""

import torch
from torchvision.models.detection.roi_heads import paste_masks_in_image
from torchvision.ops import box_iou, masks_to_boxes, nms

# Chosen on the validation chips of the simulated mountain and of Bijie, by mask AP50 and F1.
_ALIKE = 0.3  # detections of two views whose boxes overlap further are one landslide
_DISTINCT = 0.4  # of two fused landslides whose boxes overlap further the weaker is dropped


def predict_tta(model: torch.nn.Module, image: torch.Tensor, views: int) -> dict[str, torch.Tensor]:
    """Detect landslides in one image.

    Parameters
    ----------
    model : LandslideRCNN
        In evaluation mode; its method ``outlines`` is called.
    image : Tensor, shape (bands, H, W)
        Float, 0–1.
    views : {2, 4, 8}
        As it is and from left to right; also upside down; also with rows and columns exchanged,
        which are all turns by 90° and flips.

    Returns
    -------
    dict
        ``boxes`` (N, 4), ``scores`` (N,) in falling order, ``labels`` (N,), ``masks`` (N, 1, H, W)
        float, 0–1. Masks are means weighted by score, boxes enclose them, and a score is the mean
        of all views, 0 where a view does not show the landslide.

    Notes
    -----
    Source: groups and scores are those by which Solovyev et al. (2021),
    doi:10.1016/j.imavis.2021.104117, fuse boxes; here it is masks that are averaged.
    """
    shape = image.shape[-2:]
    seen = model.outlines([_turn(image, view) for view in range(views)])
    seen = [_turn_back(of_view, view, shape) for view, of_view in enumerate(seen)]
    boxes, scores, masks = (
        torch.cat([of_view[name] for of_view in seen]) for name in ("boxes", "scores", "masks")
    )
    view = torch.cat([torch.full_like(each["labels"], number) for number, each in enumerate(seen)])
    fused = []  # box, score, corner, mean mask
    for group in _groups(boxes, scores, view):
        corner, mean = _mean_mask(boxes[group], masks[group], scores[group], shape)
        if (mean > 0.5).any():
            # A box encloses the last pixel, as those of COCO and of the truth do.
            edges = boxes.new_tensor([*corner, corner[0] + 1, corner[1] + 1])
            box = masks_to_boxes(mean[None] > 0.5)[0] + edges
            fused.append((box, scores[group].sum() / views, corner, mean))
    order = boxes.new_zeros(0, dtype=torch.int64)
    if fused:
        boxes, scores = (torch.stack([landslide[i] for landslide in fused]) for i in (0, 1))
        order = nms(boxes, scores, _DISTINCT)[: model.roi_heads.detections_per_img]
    drawn = boxes.new_zeros(len(order), 1, *shape)
    for canvas, number in zip(drawn[:, 0], order.tolist(), strict=True):
        _, _, (left, top), mean = fused[number]
        canvas[top : top + mean.shape[0], left : left + mean.shape[1]] = mean
    return {
        "boxes": boxes[order],
        "scores": scores[order],
        "labels": torch.ones_like(order),
        "masks": drawn,
    }


def _mean_mask(
    boxes: torch.Tensor, masks: torch.Tensor, scores: torch.Tensor, shape: tuple[int, int]
) -> tuple[list[int], torch.Tensor]:
    """Mean of masks over boxes, weighted by score: left and top of the ground that they cover, and
    the mean there (h, w), 0–1.
    """
    # Masks are drawn with a rim of one of their cells around the box.
    rim = (boxes[:, 2:] - boxes[:, :2]) / masks.shape[-1] + 2
    left, top = (boxes[:, :2] - rim).amin(0).floor().clamp(min=0).int().tolist()
    end = (boxes[:, 2:] + rim).amax(0).ceil()
    right, bottom = torch.minimum(end, boxes.new_tensor(shape[::-1])).int().tolist()
    shifted = boxes - boxes.new_tensor([left, top, left, top])
    drawn = paste_masks_in_image(masks, shifted, (bottom - top, right - left))[:, 0]
    return [left, top], torch.tensordot(scores / scores.sum(), drawn, 1)


def _turn(values: torch.Tensor, view: int) -> torch.Tensor:
    """An image as a view shows it: bits 1 and 2 of `view` flip columns and rows, bit 4 then
    exchanges them.
    """
    flipped = values.flip([axis for bit, axis in ((1, -1), (2, -2)) if view & bit])
    return flipped.transpose(-1, -2).contiguous() if view & 4 else flipped


def _turn_back(detections: dict, view: int, shape: tuple[int, int]) -> dict:
    """Detections of a view where they lie in the image."""
    x0, y0, x1, y1 = detections["boxes"].unbind(1)
    masks = detections["masks"]
    height, width = shape
    if view & 4:
        x0, y0, x1, y1 = y0, x0, y1, x1
        masks = masks.transpose(-1, -2)
    if view & 1:
        x0, x1 = width - x1, width - x0
    if view & 2:
        y0, y1 = height - y1, height - y0
    masks = masks.flip([axis for bit, axis in ((1, -1), (2, -2)) if view & bit])
    return detections | {"boxes": torch.stack([x0, y0, x1, y1], dim=1), "masks": masks}


def _groups(boxes: torch.Tensor, scores: torch.Tensor, view: torch.Tensor) -> list[torch.Tensor]:
    """Detections of one landslide together, at most one of each view: from the highest score down,
    those that overlap it.
    """
    alike = (box_iou(boxes, boxes) > _ALIKE).fill_diagonal_(True)
    free = torch.ones_like(scores, dtype=torch.bool)
    groups = []
    for leader in scores.argsort(descending=True):
        if free[leader]:
            near = torch.nonzero(alike[leader] & free)[:, 0]
            near = near[scores[near].argsort(descending=True)]
            free[near] = False
            best = [int((view[near] == number).nonzero()[0]) for number in view[near].unique()]
            groups.append(near[best])
    return groups
