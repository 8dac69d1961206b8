"""The residual network with its feature pyramid, in bfloat16 where the hardware multiplies so, and
the branch that tells landslide from ground in every cell.
"""

from collections.abc import Sequence

import torch
from torch import nn
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.ops.feature_pyramid_network import ExtraFPNBlock

LEVELS = 5  # of the pyramid: one a stage of the backbone, the rest pooled


class AutocastBF16:
    """Mixed into a part of the network: it multiplies in bfloat16 when `bf16` is set, and returns
    float32, because bfloat16 cannot tell 200.5 from 201 pixels.
    """

    bf16 = False

    def forward(self, x):
        """What the part returns, as float32."""
        device = (x[0] if isinstance(x, list) else x).device.type
        with torch.autocast(device, torch.bfloat16, enabled=self.bf16):
            return _float32(super().forward(x))


def _float32(values):
    """Tensors of any nesting as float32."""
    if isinstance(values, dict):
        return {name: value.float() for name, value in values.items()}
    if isinstance(values, list | tuple):
        return type(values)(map(_float32, values))
    return values.float()


def use_bfloat16(model: nn.Module, wanted: bool = True) -> nn.Module:
    """Let a network's `AutocastBF16` parts multiply in bfloat16 if `wanted` and the hardware does
    so; elsewhere it would be slower. Other networks stay as they are.
    """
    features = getattr(torch.cpu, "get_capabilities", dict)()
    gpu = torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    fast = bool(wanted and (gpu or features.get("avx512_bf16") or features.get("amx_bf16")))
    for part in model.modules():
        if isinstance(part, AutocastBF16):
            part.bf16 = fast
    return model


class ExtraPoolLevels(ExtraFPNBlock):
    """Coarser levels for larger anchors, every second cell of the level before, until there are
    `LEVELS`.
    """

    def forward(
        self, results: list[torch.Tensor], x: list[torch.Tensor], names: list[str]
    ) -> tuple[list[torch.Tensor], list[str]]:
        """The levels and their names, with those added."""
        for number in range(len(results), LEVELS):
            results = [*results, results[-1][..., ::2, ::2]]
            names = [*names, f"pool{number}"]
        return results, names


class SemanticBranch(nn.Module):
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
        """Features (images, channels, rows, columns) and logits (images, rows, columns)."""
        size = maps[0].shape[-2:]
        features = self.features(
            sum(nn.functional.interpolate(level, size=size, mode="bilinear") for level in maps)
        )
        return features, self.logit(features)[:, 0]


class _PyramidLevels(BackboneWithFPN):
    """torchvision's backbone with a pyramid, and a semantic branch where one is wanted."""

    def __init__(self, body: nn.Module, stages: int, width: int, *, semantic: bool):
        layers = {f"layer{number + 1}": str(number) for number in range(stages)}
        channels = [body.inplanes // 2 ** (3 - number) for number in range(stages)]
        super().__init__(body, layers, channels, width, ExtraPoolLevels())
        self.levels = list(layers.values())
        self.semantic = SemanticBranch(width) if semantic else None
        self.logits: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        maps = super().forward(x)
        if self.semantic:
            features, logits = self.semantic([maps[name] for name in self.levels])
            maps[self.levels[0]] = maps[self.levels[0]] + features
            self.logits = logits.float() if self.training else None
        return maps


class FeaturePyramid(AutocastBF16, _PyramidLevels):
    """A residual network and the feature pyramid on its stages.

    Parameters
    ----------
    body : torchvision ResNet
        Every weight of it learns.
    stages : {2, 3, 4}
        Stages that are used. The last holds three quarters of a ResNet18's weights and sees 32
        pixels as one cell; the levels it would fill are then pooled from the one below.
    width : int
        Channels of every level.
    semantic : bool
        With a branch that tells landslide from ground in every cell of the finest level: its
        features join that level's, where nearly all regions are looked up. While training, `logits`
        (images, rows, columns) holds what it says of the batch until the loss is taken.
    """
