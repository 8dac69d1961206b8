"""One answer from several views of an image: as it is, flipped, turned, larger and smaller; what the views agree on scores high."""

import torch
from torchvision.models.detection import MaskRCNN
from torchvision.ops import box_iou, nms
from torchvision.transforms.v2.functional import resize

_ALIKE = 0.5  # detections of two views whose boxes overlap so far are one landslide


def see(model: MaskRCNN, image: torch.Tensor, views: int, zoom: float = 1.0) -> dict[str, torch.Tensor]:
    """Detect landslides in one image.

    Parameters
    ----------
    model : MaskRCNN
        In evaluation mode.
    image : Tensor, shape (bands, H, W)
        Float, 0–1.
    views : {2, 4, 8}
        As it is and from left to right; also upside down; also with rows and columns exchanged, which are all turns by 90° and flips.
    zoom : float
        Every fourth view shows the image so many times larger, another fourth so many times smaller (of two views, one is larger).

    Returns
    -------
    dict
        ``boxes`` (N, 4), ``scores`` (N,) in falling order, ``labels`` (N,), ``masks`` (N, 1, H, W) float, 0–1. With several views boxes and
        masks are means weighted by score, and a score is the mean of all views, 0 where a view does not show the landslide.

    Notes
    -----
    Source: the fusion of boxes is that of Solovyev et al. (2021), doi:10.1016/j.imavis.2021.104117, masks and scores likewise.
    """
    found = {}
    for scale, own in ((1.0, [0, 3, 5, 6]), (zoom, [1, 4]), (1 / zoom, [2, 7])):  # a batch each: images of one size need no padding
        if not (own := [view for view in own if view < views]):
            continue
        size = [round(edge * scale) for edge in image.shape[-2:]]
        shown = image if scale == 1 else resize(image, size, antialias=True)
        seen = model([_turn(shown, view) for view in own])
        found |= {view: _scaled_back(_back(each, view, size), image.shape[-2:]) for view, each in zip(own, seen, strict=True)}
    found = [found[view] for view in range(views)]
    number = torch.cat([torch.full_like(each["labels"], view) for view, each in enumerate(found)])
    boxes, scores, masks = (torch.cat([each[name] for each in found]) for name in ("boxes", "scores", "masks"))
    rows = []
    for group in _groups(boxes, scores, number):
        weight = scores[group] / scores[group].sum()
        rows.append((weight @ boxes[group], scores[group].sum() / views, torch.tensordot(weight, masks[group], 1)))
    if not rows:
        return found[0]
    boxes, scores, masks = map(torch.stack, zip(*rows, strict=True))
    order = nms(boxes, scores, model.roi_heads.nms_thresh)[: model.roi_heads.detections_per_img]
    return {"boxes": boxes[order], "scores": scores[order], "labels": torch.ones_like(order), "masks": masks[order]}


def _turn(values: torch.Tensor, view: int) -> torch.Tensor:
    """An image as a view shows it: bits 1 and 2 of `view` flip columns and rows, bit 4 then exchanges them."""
    flipped = values.flip([axis for bit, axis in ((1, -1), (2, -2)) if view & bit])
    return flipped.transpose(-1, -2).contiguous() if view & 4 else flipped


def _back(found: dict, view: int, shape: tuple[int, int]) -> dict:
    """Detections of a view where they lie in the image."""
    boxes, masks = found["boxes"], found["masks"]
    if view & 4:
        boxes, masks = boxes[:, [1, 0, 3, 2]], masks.transpose(-1, -2)
    height, width = shape
    if view & 1:
        boxes = torch.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], dim=1)
    if view & 2:
        boxes = torch.stack([boxes[:, 0], height - boxes[:, 3], boxes[:, 2], height - boxes[:, 1]], dim=1)
    return found | {"boxes": boxes, "masks": masks.flip([axis for bit, axis in ((1, -1), (2, -2)) if view & bit])}


def _scaled_back(found: dict, shape: tuple[int, int]) -> dict:
    """Detections of a larger or smaller image where they lie in the image of that shape."""
    high, wide = found["masks"].shape[-2:]
    height, width = shape
    if (high, wide) == (height, width):
        return found
    boxes = found["boxes"] * found["boxes"].new_tensor([width / wide, height / high] * 2)
    return found | {"boxes": boxes, "masks": resize(found["masks"], [height, width], antialias=True)}


def _groups(boxes: torch.Tensor, scores: torch.Tensor, number: torch.Tensor) -> list[torch.Tensor]:
    """Detections of one landslide together, at most one of each view: from the highest score down, those that overlap it."""
    alike = (box_iou(boxes, boxes) > _ALIKE).fill_diagonal_(True)
    left, groups = torch.ones_like(scores, dtype=torch.bool), []
    for leader in scores.argsort(descending=True):
        if left[leader]:
            near = torch.nonzero(alike[leader] & left)[:, 0]
            near = near[scores[near].argsort(descending=True)]
            left[near] = False
            first = [int((number[near] == view).nonzero()[0]) for view in number[near].unique()]
            groups.append(near[first])
    return groups
