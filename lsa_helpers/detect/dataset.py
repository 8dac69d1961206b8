"""Chips as a torch data set: scaled to the network's pixel, colours matched, boxes from masks,
flips and brightness.
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
from lsa_helpers.detect.radiometry import Colours, match_colours, measure_colours


def augmentation(
    size: int,
    *,
    brightness: float = 0.2,
    tint: float = 0.0,
    zoom: float = 0.0,
    rotation: float = 0.0,
) -> v2.Compose:
    """Random flips, brightness, tint, zoom, rotation and crop that move image, boxes and masks
    together.

    Parameters
    ----------
    size : int
        Larger chips are cropped at random to this edge, pixels.
    brightness : float
        Brightness is multiplied by up to 1 ± this.
    tint : float
        Every band is multiplied by up to 1 ± this of its own.
    zoom : float
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
    if tint:
        steps.append(_Tint(tint))
    if zoom or rotation:
        steps.append(
            v2.RandomAffine(
                rotation,
                scale=(1 / (1 + zoom), 1 + zoom),
                interpolation=v2.InterpolationMode.BILINEAR,
            )
        )
    return v2.Compose([*steps, _CropLarger(size)])


class _Tint(v2.Transform):
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
        height, width = v2.functional.get_size(flat_inputs[0])
        rows, cols = min(height, self.size), min(width, self.size)
        top, left = (
            int(torch.randint(long - short + 1, ()))
            for long, short in ((height, rows), (width, cols))
        )
        return {"top": top, "left": left, "height": rows, "width": cols}

    def transform(self, inpt, params: dict):
        return v2.functional.crop(inpt, **params)


def _source_colours(chips: Sequence[Chip], bands: Bands) -> dict[tuple, Colours]:
    """Mean and spread of each source's colours over at most 40 of its chips; truth is not looked
    at.
    """
    found = {}
    for source in {chip.source for chip in chips}:
        own = [chip for chip in chips if chip.source == source]
        picks = own[:: max(1, len(own) // 40)]
        # Every fourth pixel of every fourth row is enough for two numbers.
        found[source] = measure_colours(
            np.concatenate(
                [read_image(chip, bands)[::4, ::4].reshape(-1, len(bands.names)) for chip in picks]
            )
        )
    return found


def _scale(chip: Chip, shape: tuple[int, int], config: DetectorConfig) -> float:
    """How many network pixels one chip pixel becomes."""
    known = config.resolution_m > 0 and chip.resolution_m == chip.resolution_m
    return chip.resolution_m / config.resolution_m if known else config.chip_size / max(shape)


class ChipSet(Dataset):
    """Chips as (image, target) pairs for `build_detector`.

    Parameters
    ----------
    chips : sequence of Chip
    config : DetectorConfig
        Chips of known ground resolution are resampled to `resolution_m` (if above 0), others to
        `chip_size` on their longest edge. With `match_colours` the colours of each source (area,
        platform and resolution) are brought to one mean and spread.
    augment : transform, optional
        From `augmentation`; none for scoring.
    min_pixels : int
        Smallest landslide of a mask, in the chip's own pixels.
    paste : float
        Share of chips onto which landslides of another chip are pasted, 0–1.

    Notes
    -----
    An item is a float image (bands, H, W), about 0–1, and ``{"boxes": (N, 4), "labels": (N,),
    "masks": (N, H, W) uint8}``.

    Source of pasting: Ghiasi et al. (2021), doi:10.1109/CVPR46437.2021.00294.
    """

    def __init__(
        self,
        chips: Sequence[Chip],
        config: DetectorConfig,
        augment: v2.Transform | None = None,
        *,
        min_pixels: int = 20,
        paste: float = 0.0,
    ):
        self.chips, self.config, self.augment, self.min_pixels, self.paste = (
            list(chips),
            config,
            augment,
            min_pixels,
            paste,
        )
        self._read = lru_cache(1000)(self._scaled)
        self._colours = _source_colours(self.chips, config.inputs) if config.match_colours else {}

    def __len__(self) -> int:
        return len(self.chips)

    def _scaled(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Image (bands, H, W) and masks (N, H, W), uint8, at the network's pixel size: the same in
        every epoch, so read once.
        """
        chip = self.chips[index]
        pixels, found = read_chip(chip, self.config.inputs, min_pixels=self.min_pixels)
        scale = _scale(chip, pixels.shape[:2], self.config)
        size = [max(16, round(edge * scale)) for edge in pixels.shape[:2]]
        image = v2.functional.resize(
            tv_tensors.Image(torch.tensor(pixels).permute(2, 0, 1)), size, antialias=True
        )
        return image, v2.functional.resize(
            tv_tensors.Mask(torch.tensor(found, dtype=torch.uint8)), size
        )

    def __getitem__(self, index: int) -> tuple[torch.Tensor, dict]:
        image, target = self._drawn(index)
        if self.paste and torch.rand(()) < self.paste:
            image, target = _pasted(image, target, *self._drawn(int(torch.randint(len(self), ()))))
        return image, target

    def _drawn(self, index: int) -> tuple[torch.Tensor, dict]:
        """One chip with its landslides, changed at random if that is wanted."""
        image, masks = self._read(index)
        if self.augment is not None:
            image, masks = self.augment(image, masks)
        image = v2.functional.to_dtype(image, torch.float32, scale=True).as_subclass(torch.Tensor)
        return match_colours(image, self._colours.get(self.chips[index].source)), _target(masks)


def _target(masks: torch.Tensor) -> dict:
    """What the network shall find: masks, but for those that scaling or cropping left fewer than
    four pixels of, with tight boxes.
    """
    masks = masks.as_subclass(torch.Tensor)
    masks = masks[masks.flatten(1).sum(1) >= 4]
    # Box edges enclose the last pixel, as COCO's do.
    boxes = (
        masks_to_boxes(masks) + torch.tensor([0.0, 0.0, 1.0, 1.0])
        if len(masks)
        else torch.zeros((0, 4))
    )
    return {"boxes": boxes, "labels": torch.ones(len(masks), dtype=torch.int64), "masks": masks}


def _pasted(
    image: torch.Tensor, target: dict, other: torch.Tensor, found: dict
) -> tuple[torch.Tensor, dict]:
    """A chip with about half of the landslides of another one on top of it; what they hide of its
    own is theirs.
    """
    rows, columns = (min(sizes) for sizes in zip(image.shape[1:], other.shape[1:], strict=True))
    masks = torch.zeros((len(found["masks"]), *image.shape[1:]), dtype=torch.uint8)
    masks[:, :rows, :columns] = found["masks"][:, :rows, :columns]
    masks = masks[torch.rand(len(masks)) < 0.5]
    over = masks.bool().any(0)  # any() of uint8 is uint8
    image = image.clone()
    image[:, :rows, :columns] = torch.where(
        over[:rows, :columns], other[:, :rows, :columns], image[:, :rows, :columns]
    )
    return image, _target(torch.cat([target["masks"] * ~over, masks]))


def collate(batch: list) -> tuple[list, list]:
    """A batch as a list of images and a list of targets, because sizes differ."""
    images, targets = zip(*batch, strict=True)
    return list(images), list(targets)
