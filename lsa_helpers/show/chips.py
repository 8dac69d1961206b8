"""Examples of an image collection, and its colours before and after normalisation."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice, zip_longest

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lsa_helpers.detect.chips import Chip, read_chip
from lsa_helpers.detect.images import as_picture, bands_to_show, open_image
from lsa_helpers.errors import InputError
from lsa_helpers.show import style

# What the sensors resolve by themselves, m; a collection may have resampled their images.
_NATIVE = {
    "Landsat": "30 m, pan 15 m",
    "Sentinel-2": "10 m",
    "SuperView-1": "2 m, pan 0.5 m",
    "GF-1": "8 m, pan 2 m",
    "Jilin-1": "3 m, pan 0.75 m",
    "UAV": "about 0.2 m",
}


def chip_gallery(chips: Sequence[Chip]) -> Figure:
    """Examples of the collection, the mapped landslides outlined: six, or one of each source where
    there are as many; unreadable chips are left out, and those without landslide come last.
    """
    readable = (
        (chip, *picture) for chip in _by_turns(chips) if (picture := _picture(chip)) is not None
    )
    some = sorted(islice(readable, 24), key=lambda item: not len(item[2]))
    # One of each platform first; where there are fewer platforms, others fill up.
    first = {chip.platform: n for n, (chip, *_) in reversed(list(enumerate(some)))}
    shown = [some[n] for n in sorted(first.values())]
    shown += [item for n, item in enumerate(some) if n not in first.values()]
    shown = sorted(shown[:6], key=lambda item: not len(item[2]))
    fig, axes = style.panels(len(shown), 3, 8, 3.15)
    for ax, (chip, image, masks) in zip(axes, shown, strict=True):
        ax.imshow(image)
        for mask in masks:
            draw_mask(ax, mask, style.OUTCOMES["missed"])
        ax.set(xticks=[], yticks=[])
        ax.set_title(f"{chip.platform} {chip.area}"[:34].strip() or chip.image.stem)
        ax.set_xlabel(_size(chip, image.shape[1]), fontsize=8)
    return fig


def draw_mask(ax: Axes, mask: np.ndarray, colour: str, width: float = 1.4, ls: str = "-") -> None:
    """The outline of a mask (rows, columns) on its image, closed where it meets the edge."""
    x, y = (np.arange(-1, edge + 1) for edge in mask.shape[::-1])
    lines = ax.contour(x, y, np.pad(mask, 1), [0.5], colors=colour, linestyles=ls)
    lines.set(**style.cased(width))
    ax.set(xlim=(-0.5, mask.shape[1] - 0.5), ylim=(mask.shape[0] - 0.5, -0.5))


def normalised_colours(chips) -> Figure:
    """A chip of each source as it was delivered (above) and with the colours of its source brought
    to one mean and spread (below), up to six.

    Parameters
    ----------
    chips : ChipSet
        Whether it normalises its colours itself makes no difference.
    """
    from lsa_helpers.detect.dataset import ChipSet

    sources: dict[tuple, int] = {}
    for index, chip in enumerate(chips.chips):
        sources.setdefault(chip.source, index)
    picks = list(sources.values())[:6]
    fig, axes = style.panels(2 * len(picks), len(picks), 8, 1.45 if len(picks) > 3 else 3)
    for row, on in enumerate((False, True)):
        plain = ChipSet(chips.chips, replace(chips.config, normalise_radiometry=on))
        for ax, index in zip(axes[row * len(picks) :], picks, strict=False):
            # Colours of all chips on one scale, or their differences would be taken away again.
            pixels = plain[index][0].permute(1, 2, 0).numpy()
            ax.imshow(np.clip(pixels[..., :3] if pixels.shape[-1] > 2 else pixels[..., 0], 0, 1))
            ax.set(xticks=[], yticks=[])
    for ax, index in zip(axes, picks, strict=False):
        ax.set_title((chips.chips[index].platform or chips.chips[index].area)[:18])
    axes[0].set_ylabel("as delivered")
    axes[len(picks)].set_ylabel("normalised")
    return fig


def _by_turns(chips: Sequence[Chip]) -> Iterator[Chip]:
    """The first chip of every area, platform and resolution, then the second of each, and so on."""
    groups: dict[str, list[Chip]] = {}
    for chip in chips:
        key = f"{chip.area} {chip.platform} {chip.resolution_m:g}"
        groups.setdefault(key, []).append(chip)
    return (chip for turn in zip_longest(*groups.values()) for chip in turn if chip is not None)


def _size(chip: Chip, pixels: int) -> str:
    """How wide a chip is on the ground, or in pixels where that is not known, and what its sensor
    resolves by itself.
    """
    if not np.isfinite(chip.resolution_m):
        return f"{pixels} pixels wide"
    text = f"{pixels * chip.resolution_m:.0f} m wide, {chip.resolution_m:g} m a pixel"
    native = _NATIVE.get(chip.platform)
    return f"{text}\n(its sensor: {native})" if native else text


def _picture(chip: Chip) -> tuple[np.ndarray, np.ndarray] | None:
    """A chip as it can be shown, and its landslides; None when it cannot be read, which chapter 02
    reports.
    """
    try:
        with open_image(chip.image) as file:
            bands = bands_to_show(file)
        image, masks = read_chip(chip, bands)
    except InputError:
        return None
    return as_picture(image), masks
