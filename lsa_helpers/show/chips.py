"""Examples of an image collection."""

from collections.abc import Iterator, Sequence
from itertools import islice, zip_longest

import numpy as np
from matplotlib.figure import Figure

from lsa_helpers.detect.chips import Chip, read_chip
from lsa_helpers.detect.images import as_picture, bands_to_show, open_image
from lsa_helpers.errors import InputError
from lsa_helpers.show import style


def chip_gallery(chips: Sequence[Chip]) -> Figure:
    """Six examples of the collection, one per platform while they last, with the mapped landslides
    outlined; unreadable chips are left out, and those without landslide come last.
    """
    readable = (
        (chip, *picture) for chip in _by_turns(chips) if (picture := _picture(chip)) is not None
    )
    shown = sorted(islice(readable, 24), key=lambda item: not len(item[2]))[:6]
    fig, axes = style.panels(len(shown), 3, 9, 3.2)
    for ax, (chip, image, masks) in zip(axes, shown, strict=True):
        ax.imshow(image)
        for mask in masks:
            ax.contour(mask, [0.5], colors=style.OKABE_ITO["yellow"], linewidths=1.2)
        ax.set(xticks=[], yticks=[])
        ax.set_title(f"{chip.platform} {chip.area}"[:34].strip() or chip.image.stem, fontsize=8)
        ax.set_xlabel(_width(chip, image.shape[1]), fontsize=8)
    return fig


def _by_turns(chips: Sequence[Chip]) -> Iterator[Chip]:
    """The first chip of every area, platform and resolution, then the second of each, and so on."""
    groups: dict[str, list[Chip]] = {}
    for chip in chips:
        key = f"{chip.area} {chip.platform} {chip.resolution_m:g}"
        groups.setdefault(key, []).append(chip)
    return (chip for turn in zip_longest(*groups.values()) for chip in turn if chip is not None)


def _width(chip: Chip, pixels: int) -> str:
    """How wide a chip is on the ground, or in pixels where that is not known."""
    if not np.isfinite(chip.resolution_m):
        return f"{pixels} pixels wide"
    return f"{pixels * chip.resolution_m:.0f} m wide ({chip.resolution_m:g} m per pixel)"


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
