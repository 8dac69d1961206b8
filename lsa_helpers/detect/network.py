"""What the detector is put together from: pyramid and heads in bfloat16, a semantic branch, regions
pooled fast on any processor.
"""

from collections.abc import Sequence

import torch
from torch import nn
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.faster_rcnn import TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.models.detection.rpn import RPNHead
from torchvision.models.detection.transform import GeneralizedRCNNTransform
from torchvision.ops import MultiScaleRoIAlign
from torchvision.ops.feature_pyramid_network import ExtraFPNBlock

LEVELS = 5  # of the pyramid: one a stage of the backbone, the rest pooled
STRIDE = 4  # pixels of an image in a cell of the finest level


class AsTheyAre(GeneralizedRCNNTransform):
    """Normalises and batches images without scaling them (torchvision's `_skip_resize` holds while
    training only).

    Afterwards scores are weighed by the masks, while these are still small, and then the masks are
    drawn at the image's size.
    """

    def resize(
        self, image: torch.Tensor, target: dict | None = None
    ) -> tuple[torch.Tensor, dict | None]:
        return image, target

    def postprocess(self, result: list[dict], *sizes: list[tuple[int, int]]) -> list[dict]:
        return super().postprocess(
            result if self.training else [weigh_by_mask(each) for each in result], *sizes
        )


class _Mixed:
    """Multiplies in bfloat16 when `bf16` is set; what it returns is float32."""

    bf16 = False

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.bf16):
            return super().forward(x).float()


class BoxHead(_Mixed, TwoMLPHead):
    """The two layers over each region's features."""


class MaskHead(_Mixed, MaskRCNNHeads):
    """The convolutions over each region's features."""


class MaskPredictor(_Mixed, MaskRCNNPredictor):
    """From these features to a logit for every cell of a mask, twice as fine."""


class ProposalHead(RPNHead):
    """The convolutions over every level that propose regions, as shifts of an anchor: bfloat16
    resolves these to 1/500 of its edge.
    """

    bf16 = False

    def forward(self, x: list[torch.Tensor]) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        with torch.autocast(x[0].device.type, torch.bfloat16, enabled=self.bf16):
            logits, shifts = super().forward(x)
        return [value.float() for value in logits], [value.float() for value in shifts]


class _SemanticBranch(nn.Module):
    """From all levels of the pyramid to features of the finest level, and from these to a logit of
    lying in a landslide.
    """

    def __init__(self, width: int):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        )
        self.logit = nn.Conv2d(width, 1, 1)

    def forward(self, maps: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        size = maps[0].shape[-2:]
        features = self.features(
            sum(nn.functional.interpolate(each, size=size, mode="bilinear") for each in maps)
        )
        return features, self.logit(features)[:, 0]


class _Pooled(ExtraFPNBlock):
    """Coarser levels for larger anchors, every second cell of the level before, until there are
    `LEVELS`.
    """

    def forward(
        self, results: list[torch.Tensor], x: list[torch.Tensor], names: list[str]
    ) -> tuple[list[torch.Tensor], list[str]]:
        for number in range(len(results), LEVELS):
            results, names = [*results, results[-1][..., ::2, ::2]], [*names, f"pool{number}"]
        return results, names


class Pyramid(BackboneWithFPN):
    """The backbone, in bfloat16 when `bf16` is set; boxes stay float32, for bfloat16 cannot tell
    200.5 from 201 pixels.

    With `semantic` a branch tells landslide from ground in every cell of the finest level: its
    features join that level's, where nearly all regions are looked up. While training, `logits`
    (images, rows, columns) holds what it said of the batch until the loss is taken.
    """

    bf16 = False

    def __init__(self, body: nn.Module, widths: Sequence[int], width: int, *, semantic: bool):
        stages = {f"layer{number + 1}": str(number) for number in range(len(widths))}
        super().__init__(body, stages, list(widths), width, _Pooled())
        self.levels = list(stages.values())
        self.semantic = _SemanticBranch(width) if semantic else None
        self.logits: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.bf16):
            maps = super().forward(x)
            if self.semantic:
                features, logits = self.semantic([maps[name] for name in self.levels])
                maps[self.levels[0]] = maps[self.levels[0]] + features
                self.logits = logits.float() if self.training else None
        return {name: value.float() for name, value in maps.items()}


class RegionPool(MultiScaleRoIAlign):
    """RoIAlign that gives what torchvision's gives, several times faster on a processor (`lsa bench
    detect` says by how much).

    The cells of all levels and images stand in one table, a row of features each, and every bin of
    every region is a weighted sum of a few of its rows. The gradient is the same sum backwards, on
    all cores; torchvision's runs on one, cell by cell.

    Parameters
    ----------
    featmap_names, output_size, sampling_ratio
        As in `torchvision.ops.MultiScaleRoIAlign`; `sampling_ratio` at least 1. The finest map has
        `STRIDE` pixels a cell.

    Notes
    -----
    Source: RoIAlign of He et al. (2017), doi:10.1109/ICCV.2017.322; levels by Lin et al. (2017),
    doi:10.1109/CVPR.2017.106, equation 1.
    """

    def forward(
        self,
        x: dict[str, torch.Tensor],
        boxes: list[torch.Tensor],
        image_shapes: list[tuple[int, int]],
    ) -> torch.Tensor:
        """Features (regions, channels, size, size) of `boxes`, one (regions, 4) an image in pixels."""
        maps = [x[name] for name in self.featmap_names]
        every = torch.cat(boxes)
        image = torch.repeat_interleave(
            torch.tensor([len(own) for own in boxes], device=every.device)
        )
        low, size = every[:, :2], every[:, 2:] - every[:, :2]
        scale = torch.log2(size.prod(1).sqrt() / self.canonical_scale + 1e-6)
        level = (self.canonical_level + scale).floor().clamp(2, 1 + len(maps)).long() - 2
        cell = (STRIDE * 2**level)[:, None]  # pixels
        columns, rows = (
            torch.tensor([each.shape[axis] for each in maps], device=every.device)
            for axis in (3, 2)
        )
        area = columns * rows
        first = (len(boxes) * (area.cumsum(0) - area))[level] + image * area[
            level
        ]  # row of the table where the region's map begins
        low, size = low / cell, (size / cell).clamp(min=1)
        column, of_column = self._neighbours(low[:, :1], size[:, :1], columns[level, None])
        row, of_row = self._neighbours(low[:, 1:], size[:, 1:], rows[level, None])
        start = first[:, None, None] + row * columns[level, None, None]
        found = nn.functional.embedding_bag(
            (start[:, :, None, :, None] + column[:, None, :, None]).flatten(0, 2).flatten(1),
            torch.cat([each.permute(0, 2, 3, 1).flatten(0, 2) for each in maps]),
            mode="sum",
            per_sample_weights=(of_row[:, :, None, :, None] * of_column[:, None, :, None])
            .flatten(0, 2)
            .flatten(1),
        )
        return found.unflatten(0, (len(every), *self.output_size)).permute(0, 3, 1, 2)

    def _neighbours(
        self, low: torch.Tensor, size: torch.Tensor, cells: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Along one axis, the cells that every bin of every region looks at and their weights, both
        (regions, bins, 2 × samples).

        `low` and `size` (regions, 1) say where a region lies, in cells; `cells` (regions, 1) how
        many there are.
        """
        bins, samples = self.output_size[0], self.sampling_ratio
        steps = (torch.arange(bins * samples, device=low.device) + 0.5) / (bins * samples)
        at = (low + steps * size).clamp(min=0).minimum(cells - 1)
        near = at.floor()
        share = torch.stack([1 - (at - near), at - near], dim=-1) / samples
        pair = torch.stack([near, (near + 1).minimum(cells - 1)], dim=-1).long()
        return pair.unflatten(1, (bins, samples)).flatten(2), share.unflatten(
            1, (bins, samples)
        ).flatten(2)


class LandslideRCNN(MaskRCNN):
    """Mask R-CNN whose pyramid may have a semantic branch (see `Pyramid`), with the loss that
    teaches it.

    Boxes teach the network about a few dozen regions of an image, cells about all of it: from
    random weights that is the faster teacher.

    Parameters
    ----------
    backbone : Pyramid
    semantic_weight : float
        Weight of the semantic loss.
    **parts
        As in torchvision's `MaskRCNN`.

    Notes
    -----
    Source: the semantic branch of Chen et al. (2019), Hybrid Task Cascade,
    doi:10.1109/CVPR.2019.00511; the loss is cross-entropy plus Dice (Milletari et al. 2016,
    doi:10.1109/3DV.2016.79).
    """

    def __init__(self, backbone: Pyramid, semantic_weight: float, **parts):
        super().__init__(backbone, **parts)
        self.semantic_weight = semantic_weight

    def forward(
        self, images: list[torch.Tensor], targets: list[dict] | None = None
    ) -> dict | list[dict]:
        found = super().forward(images, targets)
        if not (self.training and self.backbone.semantic):
            return found
        # Taken away, because a kept one would hold the whole batch's graph in memory.
        logits, self.backbone.logits = self.backbone.logits, None
        return found | {
            "loss_semantic": self.semantic_weight
            * semantic_loss(logits, [target["masks"] for target in targets])
        }

    def outlines(self, images: list[torch.Tensor]) -> list[dict]:
        """Detections in images (bands, H, W) whose masks are not drawn yet: ``masks`` (N, 1, 28,
        28) over the boxes; scores are weighed.
        """
        batch, _ = self.transform(images)
        maps = self.backbone(batch.tensors)
        regions, _ = self.rpn(batch, maps)
        found, _ = self.roi_heads(maps, regions, batch.image_sizes)
        return [weigh_by_mask(each) for each in found]


def weigh_by_mask(found: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Detections whose score also says how sure the mask is, not only the class.

    Parameters
    ----------
    found : dict
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
    >>> found = weigh_by_mask({"scores": torch.tensor([0.9, 0.8]), "masks": torch.stack([vague, sure])[:, None]})
    >>> [round(score, 2) for score in found["scores"].tolist()]
    [0.87, 0.73]
    """
    inside = found["masks"] > 0.5
    sureness = (found["masks"] * inside).sum((1, 2, 3)) / inside.sum((1, 2, 3)).clamp(min=1)
    found = found | {"scores": (found["scores"] * sureness).sqrt()}
    order = found["scores"].argsort(descending=True, stable=True)
    return {name: value[order] for name, value in found.items()}


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
        Scalar, at least 0.

    Examples
    --------
    >>> half = torch.tensor([[[9.0, -9.0]]])
    >>> bool(semantic_loss(half, [torch.tensor([[[1] * 4 + [0] * 4] * 4])]) < 0.01)
    True
    """
    share, inside = torch.zeros_like(logits), torch.zeros_like(logits)
    for i, found in enumerate(masks):
        height, width = found.shape[-2:]
        seen = found.any(0).float() if len(found) else logits.new_zeros(height, width)
        padded = nn.functional.pad(seen[None, None], (0, -width % STRIDE, 0, -height % STRIDE))
        cells = nn.functional.avg_pool2d(padded, STRIDE)[0, 0]
        share[i, : cells.shape[0], : cells.shape[1]] = cells
        inside[i, : cells.shape[0], : cells.shape[1]] = 1
    said = logits.sigmoid() * inside
    cross = (
        nn.functional.binary_cross_entropy_with_logits(
            logits, share, weight=inside, reduction="sum"
        )
        / inside.sum()
    )
    return cross + 1 - (2 * (said * share).sum() + 1) / (said.sum() + share.sum() + 1)
