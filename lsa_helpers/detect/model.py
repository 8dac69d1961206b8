"""Mask R-CNN with a feature pyramid on ResNet18 or ResNet50, built from torchvision's parts;
nothing is downloaded unless asked for.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torchvision
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn
from torchvision.models import get_model_weights
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor

from lsa_helpers.detect.images import RGB, Bands
from lsa_helpers.detect.network import (
    LEVELS,
    AsTheyAre,
    BoxHead,
    LandslideRCNN,
    MaskHead,
    MaskPredictor,
    ProposalHead,
    Pyramid,
    RegionPool,
)
from lsa_helpers.detect.radiometry import usual_look
from lsa_helpers.errors import InputError, did_you_mean
from lsa_helpers.run import whole_file
from lsa_helpers.runner.params import is_weights_name

_N_CLASSES = 2  # background and landslide


@dataclass(frozen=True)
class DetectorConfig:
    """What a detector is made of; stored in the metadata of its safetensors file.

    Parameters
    ----------
    backbone : {"resnet18", "resnet50"}
    stages : {2, 3, 4}
        Stages of the backbone that are used. The last holds three quarters of a ResNet18's weights
        and sees 32 pixels as one cell; without it the levels of the pyramid that it would fill are
        pooled from the one below.
    fpn_width : int
        Channels of every pyramid level and of the mask head.
    head_width : int
        Neurons of the box head's two layers.
    mask_layers : int
        Convolutions of the mask head.
    rois_per_image : int
        Regions sampled per image for the heads while training.
    roi_samples : int
        Points per direction at which the features of a region's every bin are sampled.
    semantic_weight : float
        Weight of the loss of a branch that tells landslide from ground in every cell of the finest
        pyramid level; 0: no such branch.
    anchor_px : int
        Anchor edge at the finest pyramid level, pixels; it doubles at each of the five levels.
    proposals : int
        Regions the proposal network passes on per image.
    detections : int
        Most landslides reported per image.
    nms_iou : float
        Of two detections whose boxes overlap more than this, the weaker is dropped.
    views : {1, 2, 4, 8}
        Views in which an image is searched, see `lsa_helpers.detect.tta.see`.
    chip_size : int
        Longest edge of a chip as the network sees it, pixels.
    resolution_m : float
        Ground size of a pixel as the network sees it, m; 0: chips are scaled to `chip_size`
        instead.
    match_colours : bool
        Colours of every source of images, the scene too, are brought to one mean and spread.
    bands : tuple of str
        Bands of an image that the network sees; with `white` see `lsa_helpers.detect.images.Bands`.
    white : float
        Stored value that becomes 1; 0: by the bit depth.
    """

    backbone: str = "resnet18"
    stages: int = 4
    fpn_width: int = 64
    head_width: int = 256
    mask_layers: int = 4
    rois_per_image: int = 32
    roi_samples: int = 2
    semantic_weight: float = 0.0
    anchor_px: int = 8
    proposals: int = 200
    detections: int = 50
    nms_iou: float = 0.3
    views: int = 1
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


def _backbone(config: DetectorConfig, weights: Path | str | None) -> Pyramid:
    # BatchNorm2d and nothing frozen: torchvision's ready-made builders freeze norms and first
    # layers, which at random init never learn.
    body = getattr(torchvision.models, config.backbone)(weights=None, norm_layer=nn.BatchNorm2d)
    if config.bands != RGB:
        body.conv1 = nn.Conv2d(
            len(config.bands), body.conv1.out_channels, 7, stride=2, padding=3, bias=False
        )
        nn.init.kaiming_normal_(body.conv1.weight, mode="fan_out", nonlinearity="relu")
    if weights:
        _load_backbone(body, weights, config)
    width = body.inplanes // 8
    return Pyramid(
        body,
        [width * 2**i for i in range(config.stages)],
        config.fpn_width,
        semantic=config.semantic_weight > 0,
    )


def _download(name: str, backbone: str) -> dict[str, torch.Tensor]:
    """State dict of a ResNet by its name in torchvision, with or without the class; kept in torch's
    cache.
    """
    known = get_model_weights(backbone).__members__
    owner, _, own = name.rpartition(".")
    if own not in known or owner not in ("", get_model_weights(backbone).__name__):
        fix = f"{did_you_mean(own, known)} Or give the path of a local file"
        raise InputError(
            f"torchvision has no such weights for {backbone}",
            where="parameter weights",
            found=name,
            fix=fix,
        )
    url = known[own].url
    try:
        return torch.hub.load_state_dict_from_url(
            url, map_location="cpu", progress=False, check_hash=True, weights_only=True
        )
    except Exception as error:  # no network, a proxy's page instead of the file, a full disk
        fix = f"Download {url} on another machine and give the file's path as `weights`, or leave it empty"
        found = " ".join(str(error).split())
        raise InputError(
            f"the weights {name} cannot be downloaded",
            where="parameter weights",
            found=found,
            fix=fix,
        ) from None


def _read_state(weights: Path | str, backbone: str) -> dict[str, torch.Tensor]:
    """State dict of a local file (.safetensors or .pth), or of torchvision's weights by name."""
    if is_weights_name(str(weights)):
        return _download(str(weights), backbone)
    return (
        load_file(weights)
        if Path(weights).suffix == ".safetensors"
        else torch.load(weights, weights_only=True, map_location="cpu")
    )


def _load_backbone(body: nn.Module, weights: Path | str, config: DetectorConfig) -> None:
    """Fill a ResNet with weights that were learned on red, green and blue."""
    try:
        state = _read_state(weights, config.backbone)
        if config.bands != RGB:
            state["conv1.weight"] = _first_filters(state["conv1.weight"], config.bands)
        missing, _ = body.load_state_dict(
            {name: value for name, value in state.items() if not name.startswith("fc.")},
            strict=False,
        )
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            "the backbone weights cannot be used", where=weights, found=str(error).splitlines()[0]
        ) from None
    if absent := [name for name in missing if not name.startswith("fc.")]:
        raise InputError(
            "weights of the backbone are missing",
            where=weights,
            found=f"{len(absent)} absent, first {absent[0]}",
        )


def _first_filters(filters: torch.Tensor, bands: Sequence[str]) -> torch.Tensor:
    """First filters for other bands: red, green and blue keep theirs, others get the mean; all
    scaled, so that sums stay as large.
    """
    other = filters.mean(dim=1)
    own = [filters[:, RGB.index(name)] if name in RGB else other for name in bands]
    return torch.stack(own, dim=1) * (3 / len(bands))


def build_detector(config: DetectorConfig, *, weights: Path | str | None = None) -> LandslideRCNN:
    """Mask R-CNN whose every parameter learns, with random weights unless others are asked for.

    Parameters
    ----------
    config : DetectorConfig
    weights : Path or str, optional
        State dict of a torchvision ResNet on this machine; or its name, such as ``IMAGENET1K_V1``
        or ``ResNet18_Weights.IMAGENET1K_V1``, by which torchvision downloads it. Nothing is
        downloaded without a name.

    Returns
    -------
    LandslideRCNN
        Takes a list of float images (bands, H, W) in 0–1 and, while training, a list of targets
        with ``boxes`` (N, 4; x0, y0, x1, y1, pixels), ``labels`` (N,) all 1 and ``masks`` (N, H,
        W). It does not resize images: chips are scaled when they are read.

    Raises
    ------
    InputError
        When the weights do not fit, their name is unknown, or they cannot be downloaded.

    Notes
    -----
    Source: He et al. (2017), Mask R-CNN, doi:10.1109/ICCV.2017.322; Lin et al. (2017), Feature
    Pyramid Networks, doi:10.1109/CVPR.2017.106.

    Examples
    --------
    >>> model = build_detector(DetectorConfig(fpn_width=16, head_width=16))
    >>> all(parameter.requires_grad for parameter in model.parameters())
    True
    """
    width, backbone = config.fpn_width, _backbone(config, weights)
    sizes = tuple((config.anchor_px * 2**i,) for i in range(LEVELS))
    model = LandslideRCNN(
        backbone,
        config.semantic_weight,
        rpn_anchor_generator=AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * LEVELS),
        rpn_head=ProposalHead(width, 3),
        rpn_pre_nms_top_n_train=config.proposals,
        rpn_pre_nms_top_n_test=2 * config.proposals,
        rpn_post_nms_top_n_train=config.proposals,
        rpn_post_nms_top_n_test=config.proposals,
        box_roi_pool=RegionPool(backbone.levels, 7, config.roi_samples),
        box_head=BoxHead(width * 7**2, config.head_width),
        box_predictor=FastRCNNPredictor(config.head_width, _N_CLASSES),
        box_batch_size_per_image=config.rois_per_image,
        box_detections_per_img=config.detections,
        box_nms_thresh=config.nms_iou,
        mask_roi_pool=RegionPool(backbone.levels, 14, config.roi_samples),
        mask_head=MaskHead(width, (width,) * config.mask_layers, 1),
        mask_predictor=MaskPredictor(width, width, _N_CLASSES),
    )
    model.views = config.views
    model.transform = AsTheyAre(1, 1, *map(list, usual_look(len(config.bands))))
    return model


def set_bfloat16(model: MaskRCNN, wanted: bool) -> MaskRCNN:
    """Let backbone and heads multiply in bfloat16 if `wanted` and the hardware does so; elsewhere
    it would be slower.
    """
    features = getattr(torch.cpu, "get_capabilities", dict)()
    gpu = torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    fast = bool(wanted and (gpu or features.get("avx512_bf16") or features.get("amx_bf16")))
    for part in model.modules():
        if hasattr(part, "bf16"):
            part.bf16 = fast
    return model


def on_gpu(model: MaskRCNN) -> MaskRCNN:
    """The model on this process's GPU, if there is one."""
    return model.cuda() if torch.cuda.is_available() else model


def save_detector(path: Path, model: MaskRCNN, config: DetectorConfig) -> Path:
    """Write weights and configuration as one safetensors file, whole or not at all."""
    state = {name: value.detach().contiguous().cpu() for name, value in model.state_dict().items()}
    with whole_file(path) as part:
        save_file(state, part, {"config": json.dumps(asdict(config), sort_keys=True)})
    return Path(path)


def load_detector(path: Path) -> tuple[MaskRCNN, DetectorConfig]:
    """Read what `save_detector` wrote; the model is in evaluation mode, on the GPU if there is one.

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
        raise InputError(
            "this is no detector of this package", where=path, found=str(error).splitlines()[0]
        ) from None
    return on_gpu(model.eval().to(memory_format=torch.channels_last)), config
