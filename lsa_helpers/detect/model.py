"""Mask R-CNN with a feature pyramid on ResNet18 or ResNet50, built from torchvision's parts; nothing is downloaded."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torchvision
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.models.detection.transform import GeneralizedRCNNTransform
from torchvision.ops import MultiScaleRoIAlign

from lsa_helpers.detect.colours import usual_look
from lsa_helpers.detect.images import RGB, Bands
from lsa_helpers.errors import InputError
from lsa_helpers.run import whole_file

_N_CLASSES = 2  # background and landslide
LEVELS = ("0", "1", "2", "3")  # of the pyramid, as torchvision names them
STRIDE = 4  # pixels of an image in a cell of the finest level


@dataclass(frozen=True)
class DetectorConfig:
    """What a detector is made of; stored in the metadata of its safetensors file.

    Parameters
    ----------
    backbone : {"resnet18", "resnet50"}
    fpn_width : int
        Channels of every pyramid level and of the mask head.
    head_width : int
        Neurons of the box head's two layers.
    rois_per_image : int
        Regions sampled per image for the heads while training.
    roi_samples : int
        Points per direction at which the features of a region's every bin are sampled.
    semantic_weight : float
        Weight of a fourth head's loss that tells landslide from ground in every cell of the finest pyramid level; 0: no such head.
    anchor_px : int
        Anchor edge at the finest pyramid level, pixels; it doubles at each of the five levels.
    proposals : int
        Regions the proposal network passes on per image.
    detections : int
        Most landslides reported per image.
    nms_iou : float
        Of two detections whose boxes overlap more than this, the weaker is dropped.
    chip_size : int
        Longest edge of a chip as the network sees it, pixels.
    resolution_m : float
        Ground size of a pixel as the network sees it, m; 0: chips are scaled to `chip_size` instead.
    match_colours : bool
        Colours of every source of images, the scene too, are brought to one mean and spread.
    bands : tuple of str
        Bands of an image that the network sees; with `white` see `lsa_helpers.detect.images.Bands`.
    white : float
        Stored value that becomes 1; 0: by the bit depth.
    """

    backbone: str = "resnet18"
    fpn_width: int = 64
    head_width: int = 256
    rois_per_image: int = 32
    roi_samples: int = 2
    semantic_weight: float = 0.0
    anchor_px: int = 8
    proposals: int = 200
    detections: int = 50
    nms_iou: float = 0.3
    chip_size: int = 192
    resolution_m: float = 0.0
    match_colours: bool = False
    bands: tuple[str, ...] = RGB
    white: float = 0.0

    def __post_init__(self):
        object.__setattr__(self, "bands", tuple(self.bands))  # JSON and parameter files have lists

    @property
    def inputs(self) -> Bands:
        """How images are read for this detector."""
        return Bands(self.bands, self.white)


class _AsTheyAre(GeneralizedRCNNTransform):
    """Normalises and batches images without scaling them (torchvision's `_skip_resize` holds while training only)."""

    def resize(self, image: torch.Tensor, target: dict | None = None) -> tuple[torch.Tensor, dict | None]:
        return image, target


class _Pyramid(BackboneWithFPN):
    """The backbone, in bfloat16 when `bf16` is set; boxes stay float32, for bfloat16 cannot tell 200.5 from 201 pixels."""

    bf16 = False

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.bf16):
            maps = super().forward(x)
        return {name: value.float() for name, value in maps.items()}


class _Mixed:
    """Multiplies in bfloat16 when `bf16` is set; what it returns is float32."""

    bf16 = False

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.bf16):
            return super().forward(x).float()


class _BoxHead(_Mixed, TwoMLPHead):
    """The two layers over each region's features."""


class _MaskHead(_Mixed, MaskRCNNHeads):
    """The convolutions over each region's features."""


class _SemanticHead(_Mixed, nn.Sequential):
    """Logit of lying in a landslide, for every cell of the finest level."""

    def __init__(self, width: int):
        super().__init__(
            nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True), nn.Conv2d(width, 1, 1)
        )


class LandslideRCNN(MaskRCNN):
    """Mask R-CNN that, while it learns, also tells landslide from ground cell by cell; what it detects is Mask R-CNN's alone.

    Boxes teach the network about a few dozen regions of an image, cells about all of it: from random weights that is the faster teacher.

    Notes
    -----
    Source: the semantic branch of Chen et al. (2019), Hybrid Task Cascade, doi:10.1109/CVPR.2019.00511; the loss is cross-entropy plus
    Dice (Milletari et al. 2016, doi:10.1109/3DV.2016.79).
    """

    def __init__(self, backbone: nn.Module, config: DetectorConfig, **parts):
        super().__init__(backbone, **parts)
        self.semantic_weight = config.semantic_weight
        self.semantic = _SemanticHead(config.fpn_width) if config.semantic_weight else None

    def forward(self, images: list[torch.Tensor], targets: list[dict] | None = None) -> dict | list[dict]:
        if not (self.training and self.semantic):
            return super().forward(images, targets)
        maps = {}
        hook = self.backbone.register_forward_hook(lambda _, __, found: maps.update(found))
        try:
            losses = super().forward(images, targets)
        finally:
            hook.remove()
        size = maps[LEVELS[0]].shape[-2:]
        logits = self.semantic(sum(nn.functional.interpolate(maps[name], size=size, mode="bilinear") for name in LEVELS))[:, 0]
        return losses | {"loss_semantic": self.semantic_weight * semantic_loss(logits, [target["masks"] for target in targets])}


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
    cross = nn.functional.binary_cross_entropy_with_logits(logits, share, weight=inside, reduction="sum") / inside.sum()
    return cross + 1 - (2 * (said * share).sum() + 1) / (said.sum() + share.sum() + 1)


def _backbone(config: DetectorConfig, weights: Path | None) -> _Pyramid:
    # BatchNorm2d and nothing frozen: torchvision's ready-made builders freeze norms and first layers, which at random init never learn.
    body = getattr(torchvision.models, config.backbone)(weights=None, norm_layer=nn.BatchNorm2d)
    if config.bands != RGB:
        body.conv1 = nn.Conv2d(len(config.bands), body.conv1.out_channels, 7, stride=2, padding=3, bias=False)
        nn.init.kaiming_normal_(body.conv1.weight, mode="fan_out", nonlinearity="relu")
    if weights:
        _load_backbone(body, weights, config.bands)
    width = body.inplanes // 8
    layers = {f"layer{i + 1}": str(i) for i in range(4)}
    return _Pyramid(body, layers, [width * 2**i for i in range(4)], config.fpn_width)


def _load_backbone(body: nn.Module, weights: Path, bands: Sequence[str]) -> None:
    """Fill a ResNet from a local state dict (.safetensors or .pth) that was learned on red, green and blue."""
    try:
        state = load_file(weights) if Path(weights).suffix == ".safetensors" else torch.load(weights, weights_only=True, map_location="cpu")
        if tuple(bands) != RGB:
            state["conv1.weight"] = _first_filters(state["conv1.weight"], bands)
        missing, _ = body.load_state_dict({name: value for name, value in state.items() if not name.startswith("fc.")}, strict=False)
    except Exception as error:
        raise InputError("the backbone weights cannot be used", where=weights, found=str(error).splitlines()[0]) from None
    if absent := [name for name in missing if not name.startswith("fc.")]:
        raise InputError("weights of the backbone are missing", where=weights, found=f"{len(absent)} absent, first {absent[0]}")


def _first_filters(filters: torch.Tensor, bands: Sequence[str]) -> torch.Tensor:
    """First filters for other bands: red, green and blue keep theirs, others get the mean; all scaled, so that sums stay as large."""
    other = filters.mean(dim=1)
    own = [filters[:, RGB.index(name)] if name in RGB else other for name in bands]
    return torch.stack(own, dim=1) * (3 / len(bands))


def build_detector(config: DetectorConfig, *, weights: Path | None = None) -> LandslideRCNN:
    """Mask R-CNN whose every parameter learns, with random weights unless a local file is given.

    Parameters
    ----------
    config : DetectorConfig
    weights : Path, optional
        State dict of a torchvision ResNet on this machine; nothing is ever downloaded.

    Returns
    -------
    LandslideRCNN
        Takes a list of float images (bands, H, W) in 0–1 and, while training, a list of targets with ``boxes`` (N, 4; x0, y0, x1, y1,
        pixels), ``labels`` (N,) all 1 and ``masks`` (N, H, W). It does not resize images: chips are scaled when they are read.

    Raises
    ------
    InputError
        When the weights file does not fit.

    Notes
    -----
    Source: He et al. (2017), Mask R-CNN, doi:10.1109/ICCV.2017.322; Lin et al. (2017), Feature Pyramid Networks, doi:10.1109/CVPR.2017.106.

    Examples
    --------
    >>> model = build_detector(DetectorConfig(fpn_width=16, head_width=16))
    >>> all(parameter.requires_grad for parameter in model.parameters())
    True
    """
    width = config.fpn_width
    levels = list(LEVELS)
    sizes = tuple((config.anchor_px * 2**i,) for i in range(5))
    model = LandslideRCNN(
        _backbone(config, weights), config,
        rpn_anchor_generator=AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * 5),
        rpn_pre_nms_top_n_train=2 * config.proposals, rpn_pre_nms_top_n_test=2 * config.proposals,
        rpn_post_nms_top_n_train=config.proposals, rpn_post_nms_top_n_test=config.proposals,
        box_roi_pool=MultiScaleRoIAlign(levels, 7, config.roi_samples), box_head=_BoxHead(width * 7**2, config.head_width),
        box_predictor=FastRCNNPredictor(config.head_width, _N_CLASSES),
        box_batch_size_per_image=config.rois_per_image, box_detections_per_img=config.detections,
        box_nms_thresh=config.nms_iou,
        mask_roi_pool=MultiScaleRoIAlign(levels, 14, config.roi_samples), mask_head=_MaskHead(width, (width,) * 4, 1),
        mask_predictor=MaskRCNNPredictor(width, width, _N_CLASSES),
    )  # fmt: skip
    model.transform = _AsTheyAre(1, 1, *map(list, usual_look(len(config.bands))))
    return model


def set_bfloat16(model: MaskRCNN, wanted: bool) -> MaskRCNN:
    """Let backbone and heads multiply in bfloat16 if `wanted` and the hardware does so; elsewhere it would be slower."""
    features = getattr(torch.cpu, "get_capabilities", dict)()
    gpu = torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    fast = bool(wanted and (gpu or features.get("avx512_bf16") or features.get("amx_bf16")))
    for part in model.modules():
        if hasattr(part, "bf16"):
            part.bf16 = fast
    return model


def save_detector(path: Path, model: MaskRCNN, config: DetectorConfig) -> Path:
    """Write weights and configuration as one safetensors file, whole or not at all."""
    state = {name: value.detach().contiguous().cpu() for name, value in model.state_dict().items()}
    with whole_file(path) as part:
        save_file(state, part, {"config": json.dumps(asdict(config), sort_keys=True)})
    return Path(path)


def load_detector(path: Path) -> tuple[MaskRCNN, DetectorConfig]:
    """Read what `save_detector` wrote; the model is in evaluation mode.

    Raises
    ------
    InputError
        When the file is no detector of this package.
    """
    try:
        with safe_open(path, "pt") as file:
            config = DetectorConfig(**json.loads(file.metadata()["config"]))
        model = build_detector(config)
        model.load_state_dict(load_file(path))
    except Exception as error:
        raise InputError("this is no detector of this package", where=path, found=str(error).splitlines()[0]) from None
    return model.eval().to(memory_format=torch.channels_last), config
