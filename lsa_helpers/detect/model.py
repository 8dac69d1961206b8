"""The detector as a file: what it is made of and how it sees images, stored with its weights."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

import torch
import torchvision
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from lsa_helpers.detect.images import RGB, Bands
from lsa_helpers.detect.maskrcnn import LandslideRCNN
from lsa_helpers.detect.pyramid import FeaturePyramid, use_bfloat16
from lsa_helpers.detect.weights import prepare_backbone
from lsa_helpers.errors import InputError
from lsa_helpers.run import whole_file


class Picked:
    """Mixed into a dataclass: it can be made from a mapping that holds other names too."""

    @classmethod
    def pick(cls, values: Mapping[str, Any]) -> Self:
        """The dataclass from those of the values that it knows.

        Examples
        --------
        >>> DetectorConfig.pick({"fpn_width": 32, "epochs": 3}).fpn_width
        32
        """
        names = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in names})


@dataclass(frozen=True)
class DetectorConfig(Picked):
    """What a detector is made of; stored in the metadata of its safetensors file.

    Parameters
    ----------
    backbone : {"resnet18", "resnet50"}
    backbone_stages, fpn_width : int
        See `lsa_helpers.detect.pyramid.FeaturePyramid`.
    mask_layers, box_batch_size_per_image, sampling_ratio, rpn_post_nms_top_n, semantic_weight
        See `lsa_helpers.detect.maskrcnn.LandslideRCNN`.
    tta : {1, 2, 4, 8}
        Views in which it is meant to search images; who uses the model sets its attribute `tta`.
    chip_size : int
        Longest edge of a chip as the network sees it, pixels.
    resolution_m : float
        Ground size of a pixel as the network sees it, m; 0: chips are scaled to `chip_size`.
    normalise_radiometry : bool
        Colours of every source of images, the scene too, are brought to one mean and spread.
    bands : tuple of str
        Bands that the network sees; with `reflectance_scale` see `lsa_helpers.detect.images.Bands`.
    reflectance_scale : float
        By what stored values are divided; 0: found in each collection and scene.
    reflectance_offset : float
        Stored value that becomes 0.
    """

    backbone: str = "resnet18"
    backbone_stages: int = 4
    fpn_width: int = 64
    mask_layers: int = 4
    box_batch_size_per_image: int = 32
    sampling_ratio: int = 2
    rpn_post_nms_top_n: int = 200
    semantic_weight: float = 0.0
    tta: int = 1
    chip_size: int = 192
    resolution_m: float = 0.0
    normalise_radiometry: bool = False
    bands: tuple[str, ...] = RGB
    reflectance_scale: float = 0.0
    reflectance_offset: float = 0.0

    def __post_init__(self):
        object.__setattr__(self, "bands", tuple(self.bands))  # JSON and parameter files have lists

    @property
    def inputs(self) -> Bands:
        """How images are read for this detector."""
        return Bands(self.bands, self.reflectance_scale, self.reflectance_offset)

    def need_same_images(self, other: "DetectorConfig", where: Path | str) -> None:
        """Raise an `InputError` when `other` prepares images otherwise than this detector, which
        is stored in `where`, learned them.
        """
        names = ["bands", "reflectance_scale", "reflectance_offset"]
        names += ["resolution_m", "normalise_radiometry"]
        names += [] if other.resolution_m else ["chip_size"]
        differing = [name for name in names if getattr(self, name) != getattr(other, name)]
        if differing:
            mine, theirs = (
                ", ".join(f"{name}: {getattr(config, name)}" for name in differing)
                for config in (self, other)
            )
            raise InputError(
                "the detector was trained on images prepared otherwise",
                where=where,
                found=theirs,
                fix=f"Give the chapter the same values: {mine}",
            )


def build_detector(config: DetectorConfig, *, weights: Path | str | None = None) -> LandslideRCNN:
    """Mask R-CNN whose every parameter learns, with random weights unless others are asked for.

    Parameters
    ----------
    config : DetectorConfig
    weights : Path or str, optional
        First weights of the backbone, see `lsa_helpers.detect.weights.prepare_backbone`. Nothing is
        downloaded without a name.

    Returns
    -------
    LandslideRCNN
        Takes a list of float images (bands, H, W) in 0–1 and, while training, a list of targets
        with ``boxes`` (N, 4; x0, y0, x1, y1, pixels), ``labels`` (N,) all 1 and ``masks`` (N, H,
        W). It does not resize images: chips are scaled when they are read.

    Notes
    -----
    Source: He et al. (2017), Mask R-CNN, doi:10.1109/ICCV.2017.322; Lin et al. (2017), Feature
    Pyramid Networks, doi:10.1109/CVPR.2017.106.

    Examples
    --------
    >>> model = build_detector(DetectorConfig(fpn_width=16))
    >>> all(parameter.requires_grad for parameter in model.parameters())
    True
    """
    body = torchvision.models.get_model(config.backbone, weights=None)
    prepare_backbone(body, config.backbone, config.bands, weights)
    semantic = config.semantic_weight > 0
    backbone = FeaturePyramid(body, config.backbone_stages, config.fpn_width, semantic=semantic)
    return LandslideRCNN(
        backbone,
        n_bands=len(config.bands),
        mask_layers=config.mask_layers,
        box_batch_size_per_image=config.box_batch_size_per_image,
        sampling_ratio=config.sampling_ratio,
        rpn_post_nms_top_n=config.rpn_post_nms_top_n,
        semantic_weight=config.semantic_weight,
    )


def on_gpu(model: nn.Module) -> nn.Module:
    """The model on this process's GPU, if there is one."""
    return model.cuda() if torch.cuda.is_available() else model


def save_detector(path: Path, model: nn.Module, config: DetectorConfig) -> Path:
    """Write weights and configuration as one safetensors file, whole or not at all."""
    state = {name: value.detach().contiguous().cpu() for name, value in model.state_dict().items()}
    with whole_file(path) as part:
        save_file(state, part, {"config": json.dumps(asdict(config), sort_keys=True)})
    return Path(path)


def load_detector(path: Path) -> tuple[LandslideRCNN, DetectorConfig]:
    """Read what `save_detector` wrote; the model is in evaluation mode, on the GPU if there is one,
    and multiplies in bfloat16 where the hardware does so.

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
    model = use_bfloat16(model.eval()).to(memory_format=torch.channels_last)
    return on_gpu(model), config
