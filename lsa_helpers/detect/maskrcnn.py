"""Mask R-CNN for landslides, put together from torchvision's parts.

From outside it is torchvision's: lists of images and targets in, a dict of losses while training,
and in use `{boxes, labels, scores, masks}` for every image.
"""

from collections.abc import Sequence

import torch
from torch import nn
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.models.detection.rpn import RPNHead
from torchvision.models.detection.transform import GeneralizedRCNNTransform

from lsa_helpers.detect.pyramid import LEVELS, AutocastBF16, FeaturePyramid
from lsa_helpers.detect.radiometry import reference_colours
from lsa_helpers.detect.regionpool import STRIDE, RegionPool
from lsa_helpers.detect.tta import predict_tta


class NoResizeTransform(GeneralizedRCNNTransform):
    """Normalises and batches images without scaling them: chips are scaled when they are read.

    Scores are weighed by the masks while these are small (see `weigh_by_mask`); then the masks are
    drawn at the image's size.
    """

    def resize(
        self, image: torch.Tensor, target: dict | None = None
    ) -> tuple[torch.Tensor, dict | None]:
        """The image as it is; torchvision's would enlarge it to 800 pixels."""
        return image, target

    def postprocess(self, result: list[dict], *sizes: list[tuple[int, int]]) -> list[dict]:
        """Detections with masks as large as their image."""
        if not self.training:
            result = [weigh_by_mask(detections) for detections in result]
        return super().postprocess(result, *sizes)


class BoxHead(AutocastBF16, TwoMLPHead):
    """The two layers over each region's features."""


class MaskHead(AutocastBF16, MaskRCNNHeads):
    """The convolutions over each region's features."""


class MaskPredictor(AutocastBF16, MaskRCNNPredictor):
    """From these features to a logit for every cell of a mask, twice as fine."""


class ProposalHead(AutocastBF16, RPNHead):
    """The convolutions over every level that propose regions."""


def small_anchors() -> AnchorGenerator:
    """Anchors of 8, 16, 32, 64 and 128 pixels, one size a level, half as high, square and twice as
    high as wide: landslides are smaller in an image than what photographs show.
    """
    return AnchorGenerator(
        tuple((8 * 2**level,) for level in range(LEVELS)), ((0.5, 1.0, 2.0),) * LEVELS
    )


class LandslideRCNN(MaskRCNN):
    """torchvision's Mask R-CNN with smaller heads, faster pooling of regions, and the loss of the
    pyramid's semantic branch.

    Boxes teach the network about a few dozen regions of an image, cells about all of it: from
    random weights that is the faster teacher.

    Parameters
    ----------
    backbone : FeaturePyramid
    num_classes : int
        Background and landslide.
    n_bands : int
        Bands of the images.
    mask_layers : int
        Convolutions of the mask head.
    representation_size : int, optional
        Neurons of the box head's two layers; four times the pyramid's channels if not given.
    sampling_ratio : int
        Points per direction at which every bin of a region is sampled.
    rpn_post_nms_top_n : int
        Regions the proposal network passes on per image.
    semantic_weight : float
        Weight of the semantic loss.
    rpn_anchor_generator, box_nms_thresh, **options
        As in torchvision's `MaskRCNN`, such as ``box_batch_size_per_image`` and
        ``box_detections_per_img``; anchors are `small_anchors` if not given.

    Attributes
    ----------
    tta : {1, 2, 4, 8}
        Views in which an image is searched in use, see `lsa_helpers.detect.tta.predict_tta`; 1
        until it is set.

    Notes
    -----
    Source: He et al. (2017), doi:10.1109/ICCV.2017.322; the semantic branch of Chen et al. (2019),
    Hybrid Task Cascade, doi:10.1109/CVPR.2019.00511.
    """

    def __init__(
        self,
        backbone: FeaturePyramid,
        num_classes: int = 2,
        *,
        n_bands: int = 3,
        mask_layers: int = 4,
        representation_size: int | None = None,
        sampling_ratio: int = 2,
        rpn_post_nms_top_n: int = 200,
        semantic_weight: float = 0.0,
        rpn_anchor_generator: AnchorGenerator | None = None,
        box_nms_thresh: float = 0.3,
        **options,
    ):
        width = backbone.out_channels
        neurons = representation_size or 4 * width
        super().__init__(
            backbone,
            rpn_anchor_generator=rpn_anchor_generator or small_anchors(),
            rpn_head=ProposalHead(width, 3),
            rpn_pre_nms_top_n_train=rpn_post_nms_top_n,
            rpn_pre_nms_top_n_test=2 * rpn_post_nms_top_n,
            rpn_post_nms_top_n_train=rpn_post_nms_top_n,
            rpn_post_nms_top_n_test=rpn_post_nms_top_n,
            box_roi_pool=RegionPool(backbone.levels, 7, sampling_ratio),
            box_head=BoxHead(width * 7**2, neurons),
            box_predictor=FastRCNNPredictor(neurons, num_classes),
            box_nms_thresh=box_nms_thresh,
            mask_roi_pool=RegionPool(backbone.levels, 14, sampling_ratio),
            mask_head=MaskHead(width, (width,) * mask_layers, 1),
            mask_predictor=MaskPredictor(width, width, num_classes),
            **options,
        )
        colours = reference_colours(n_bands)
        self.transform = NoResizeTransform(1, 1, list(colours.mean), list(colours.spread))
        self.semantic_weight = semantic_weight
        self.tta = 1

    def forward(
        self, images: list[torch.Tensor], targets: list[dict] | None = None
    ) -> dict | list[dict]:
        """The losses while training, else the detections of every image."""
        if not self.training and self.tta > 1:
            return [predict_tta(self, image, self.tta) for image in images]
        result = super().forward(images, targets)
        if not (self.training and self.backbone.semantic):
            return result
        # Taken away, because a kept one would hold the whole batch's graph in memory.
        logits = self.backbone.logits
        self.backbone.logits = None
        loss = semantic_loss(logits, [target["masks"] for target in targets])
        return result | {"loss_semantic": self.semantic_weight * loss}

    def outlines(self, images: list[torch.Tensor]) -> list[dict]:
        """Detections in images (bands, H, W) whose masks are not drawn yet: ``masks`` (N, 1, 28,
        28) over the boxes; scores are weighed.
        """
        batch, _ = self.transform(images)
        maps = self.backbone(batch.tensors)
        regions, _ = self.rpn(batch, maps)
        detections, _ = self.roi_heads(maps, regions, batch.image_sizes)
        return [weigh_by_mask(of_image) for of_image in detections]


def weigh_by_mask(detections: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Detections whose score also says how sure the mask is, not only the class.

    Parameters
    ----------
    detections : dict
        ``scores`` (N,), ``masks`` (N, 1, H, W) float, 0–1, of any size, and whatever else belongs
        to the N detections of an image.

    Returns
    -------
    dict
        The same in falling order of the new score: the geometric mean of the old one and the mean
        of the mask's values above 0.5.

    Notes
    -----
    Source: the maskness of Wang et al. (2021), SOLO: a simple framework for instance segmentation,
    arXiv:2106.15947. They multiply; the root keeps the order and leaves 0.5 its meaning.

    Examples
    --------
    >>> vague, sure = torch.tensor([[0.6, 0.6, 0.1]]), torch.tensor([[1.0, 0.9, 0.2]])
    >>> masks = torch.stack([vague, sure])[:, None]
    >>> weighed = weigh_by_mask({"scores": torch.tensor([0.9, 0.8]), "masks": masks})
    >>> [round(score, 2) for score in weighed["scores"].tolist()]
    [0.87, 0.73]
    """
    inside = detections["masks"] > 0.5
    sureness = (detections["masks"] * inside).sum((1, 2, 3)) / inside.sum((1, 2, 3)).clamp(min=1)
    weighed = detections | {"scores": (detections["scores"] * sureness).sqrt()}
    order = weighed["scores"].argsort(descending=True, stable=True)
    return {name: value[order] for name, value in weighed.items()}


def semantic_loss(logits: torch.Tensor, masks: Sequence[torch.Tensor]) -> torch.Tensor:
    """Cross-entropy plus Dice between cells and the share of each that is landslide.

    Parameters
    ----------
    logits : Tensor, shape (images, rows, columns)
        Cells of `STRIDE` × `STRIDE` pixels; those beyond an image's edge do not count.
    masks : sequence of Tensor, each (landslides, height, width)

    Returns
    -------
    Tensor
        Scalar, at least 0: H(p, s) + 1 − (2 Σ p s + 1) / (Σ p + Σ s + 1) with the probabilities p
        and the shares s of the cells.

    Notes
    -----
    Source: Dice loss of Milletari et al. (2016), doi:10.1109/3DV.2016.79.

    Examples
    --------
    >>> half = torch.tensor([[[9.0, -9.0]]])
    >>> bool(semantic_loss(half, [torch.tensor([[[1] * 4 + [0] * 4] * 4])]) < 0.01)
    True
    """
    share, inside = torch.zeros_like(logits), torch.zeros_like(logits)
    for i, of_image in enumerate(masks):
        height, width = of_image.shape[-2:]
        landslide = of_image.any(0).float() if len(of_image) else logits.new_zeros(height, width)
        padded = nn.functional.pad(landslide[None, None], (0, -width % STRIDE, 0, -height % STRIDE))
        cells = nn.functional.avg_pool2d(padded, STRIDE)[0, 0]
        share[i, : cells.shape[0], : cells.shape[1]] = cells
        inside[i, : cells.shape[0], : cells.shape[1]] = 1
    entropy = nn.functional.binary_cross_entropy_with_logits(
        logits, share, weight=inside, reduction="sum"
    )
    probability = logits.sigmoid() * inside
    overlap = (2 * (probability * share).sum() + 1) / (probability.sum() + share.sum() + 1)
    return entropy / inside.sum() + 1 - overlap
