"""Chips as a torch data set: scaled to the network's pixel, colours normalised, boxes from masks,
random augmentation.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from torch.utils.data import Dataset
from torchvision import tv_tensors
from torchvision.ops import masks_to_boxes
from torchvision.transforms import v2

from lsa_helpers.detect.chips import Chip, read_chip, read_image
from lsa_helpers.detect.images import Bands
from lsa_helpers.detect.model import DetectorConfig
from lsa_helpers.detect.radiometry import Colours, measure_colours, normalise_radiometry

_SAMPLE = 40  # chips of a source from which its colours are measured
_LEAST = 4  # pixels; what scaling or cropping leaves smaller is no landslide


def augmentation(
    size: int,
    *,
    brightness: float = 0.2,
    channel_jitter: float = 0.0,
    scale_jitter: float = 0.0,
    rotation: float = 0.0,
) -> v2.Compose:
    """Random flips, brightness, colour, scale, rotation and crop that move image, boxes and masks
    together.

    Parameters
    ----------
    size : int
        Larger chips are cropped at random to this edge, pixels.
    brightness : float
        Brightness is multiplied by up to 1 ± this.
    channel_jitter : float
        Every band is multiplied by up to 1 ± this of its own.
    scale_jitter : float
        Scale is multiplied by between 1 / (1 + this) and 1 + this.
    rotation : float
        Turned by up to this to either side, degrees; corners that no pixel reaches become 0, which
        is nodata.

    Returns
    -------
    torchvision.transforms.v2.Compose
        Works on a ``tv_tensors.Image`` and its ``tv_tensors.Mask`` or, together with them,
        ``tv_tensors.BoundingBoxes``.
    """
    steps = [
        v2.RandomHorizontalFlip(),
        v2.RandomVerticalFlip(),
        v2.ColorJitter(brightness=brightness),
    ]
    if channel_jitter:
        steps.append(_ChannelJitter(channel_jitter))
    if scale_jitter or rotation:
        scale = (1 / (1 + scale_jitter), 1 + scale_jitter)
        how = v2.InterpolationMode.BILINEAR
        steps.append(v2.RandomAffine(rotation, scale=scale, interpolation=how))
    return v2.Compose([*steps, _CropLarger(size)])


class _ChannelJitter(v2.Transform):
    """Every band of an image times its own random factor near 1, as light and haze change it."""

    _transformed_types = (tv_tensors.Image,)

    def __init__(self, most: float):
        super().__init__()
        self.most = most

    def make_params(self, flat_inputs: list) -> dict:
        bands = v2.functional.get_num_channels(flat_inputs[0])
        return {"factors": 1 + self.most * (2 * torch.rand(bands, 1, 1) - 1)}

    def transform(self, inpt: tv_tensors.Image, params: dict) -> tv_tensors.Image:
        most = 255 if inpt.dtype == torch.uint8 else torch.inf
        return tv_tensors.wrap((inpt * params["factors"]).clamp(0, most).to(inpt.dtype), like=inpt)


class _CropLarger(v2.Transform):
    """Random crop of the sides that are longer than `size`; shorter ones stay."""

    def __init__(self, size: int):
        super().__init__()
        self.size = size

    def make_params(self, flat_inputs: list) -> dict:
        sides = v2.functional.get_size(flat_inputs[0])
        height, width = (min(side, self.size) for side in sides)
        top, left = (
            int(torch.randint(side - kept + 1, ()))
            for side, kept in zip(sides, (height, width), strict=True)
        )
        return {"top": top, "left": left, "height": height, "width": width}

    def transform(self, inpt, params: dict):
        return v2.functional.crop(inpt, **params)


class ChipSet(Dataset):
    """Chips as (image, target) pairs, as torchvision's detectors take them.

    Parameters
    ----------
    chips : sequence of Chip
    config : DetectorConfig
        Chips of known ground resolution are resampled to `resolution_m` (if above 0), others to
        `chip_size` on their longest edge. With `normalise_radiometry` the colours of each source
        (area, platform and resolution) are brought to one mean and spread.
    augment : transform, optional
        From `augmentation`; none for scoring.

    Notes
    -----
    An item is a float image (bands, H, W), about 0–1, and ``{"boxes": (N, 4), "labels": (N,),
    "masks": (N, H, W) uint8}``.
    """

    def __init__(
        self, chips: Sequence[Chip], config: DetectorConfig, augment: v2.Transform | None = None
    ):
        self.chips = list(chips)
        self.config = config
        self.augment = augment
        self._read = lru_cache(1000)(self._scaled)
        self._colours = {}
        if config.normalise_radiometry:
            self._colours = _source_colours(self.chips, config.inputs)

    def __len__(self) -> int:
        return len(self.chips)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, dict]:
        image, masks = self._read(index)
        if self.augment is not None:
            image, masks = self.augment(image, masks)
        image = v2.functional.to_dtype(image, torch.float32, scale=True).as_subclass(torch.Tensor)
        colours = self._colours.get(self.chips[index].source)
        return normalise_radiometry(image, colours), _target(masks)

    def _scaled(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Image (bands, H, W) and masks (N, H, W), uint8, at the network's pixel size: the same in
        every epoch, so read once.
        """
        chip = self.chips[index]
        pixels, masks = read_chip(chip, self.config.inputs)
        scale = _scale(chip, pixels.shape[:2], self.config)
        size = [max(16, round(edge * scale)) for edge in pixels.shape[:2]]
        image = tv_tensors.Image(torch.tensor(pixels).permute(2, 0, 1))
        masks = tv_tensors.Mask(torch.tensor(masks, dtype=torch.uint8))
        return v2.functional.resize(image, size, antialias=True), v2.functional.resize(masks, size)


def _scale(chip: Chip, shape: tuple[int, int], config: DetectorConfig) -> float:
    """How many network pixels one chip pixel becomes."""
    if config.resolution_m > 0 and np.isfinite(chip.resolution_m):
        return chip.resolution_m / config.resolution_m
    return config.chip_size / max(shape)


def _source_colours(chips: Sequence[Chip], bands: Bands) -> dict[tuple, Colours]:
    """Mean and spread of each source's colours; truth is not looked at."""
    colours = {}
    for source in {chip.source for chip in chips}:
        of_source = [chip for chip in chips if chip.source == source]
        # Every fourth pixel of every fourth row is enough for two numbers.
        pixels = [
            read_image(chip, bands)[::4, ::4].reshape(-1, len(bands.names))
            for chip in of_source[:: max(1, len(of_source) // _SAMPLE)]
        ]
        colours[source] = measure_colours(np.concatenate(pixels))
    return colours


def _target(masks: torch.Tensor) -> dict:
    """What the network shall find, with boxes that enclose the last pixel, as COCO's do."""
    masks = masks.as_subclass(torch.Tensor)
    masks = masks[masks.flatten(1).sum(1) >= _LEAST]
    boxes = torch.zeros((0, 4))
    if len(masks):
        boxes = masks_to_boxes(masks) + torch.tensor([0.0, 0.0, 1.0, 1.0])
    return {"boxes": boxes, "labels": torch.ones(len(masks), dtype=torch.int64), "masks": masks}


def collate(batch: list) -> tuple[list, list]:
    """A batch as a list of images and a list of targets, because sizes differ."""
    images, targets = zip(*batch, strict=True)
    return list(images), list(targets)
