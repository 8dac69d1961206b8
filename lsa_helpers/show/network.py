"""The diagram of Mask R-CNN: what goes in, what each part makes of it, what comes out."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Polygon, Rectangle

from lsa_helpers.show.style import OKABE_ITO

_GROUND, _BARE, _INK = "#9aa88f", "#efe6d0", "#222222"
_SIZE = 20.0  # edge of a picture, in units of the diagram
# Two landslides and their boxes (left, bottom, width, height), as parts of the picture's edge.
_SLIDES = (
    ((0.18, 0.85), (0.34, 0.9), (0.44, 0.66), (0.5, 0.4), (0.4, 0.34), (0.28, 0.56)),
    ((0.66, 0.42), (0.8, 0.46), (0.86, 0.26), (0.78, 0.12), (0.68, 0.2)),
)
_BOXES = ((0.16, 0.32, 0.36, 0.6), (0.64, 0.12, 0.24, 0.36))
_REGIONS = ((0.1, 0.26, 0.36, 0.7), (0.24, 0.36, 0.36, 0.5), (0.58, 0.06, 0.36, 0.36))
_STRAY = (0.3, 0.02, 0.26, 0.2)  # a region that holds nothing


def diagram() -> Figure:
    """Mask R-CNN in two rows: from an image to regions, and from a region to an outline."""
    fig, ax = plt.subplots(figsize=(8, 5.2))
    ax.set(xlim=(-1, 111), ylim=(-4, 68), aspect="equal")
    ax.set_axis_off()
    _first_step(ax)
    _second_step(ax)
    return fig


def _first_step(ax: Axes) -> None:
    """Image, backbone, feature pyramid and regions."""
    _picture(ax, 0, 42)
    _words(ax, 10, 40, "image", "a chip, its bands")
    for stage, height in enumerate((18, 13, 9, 6)):
        _block(ax, 28.5 + 4 * stage, 52 - height / 2, 3, height, "blue", 0.25 + 0.2 * stage)
    _words(ax, 36, 40, "backbone", "shapes, ever coarser")
    for level, cells in enumerate((8, 4, 2)):
        _grid(ax, 58 + 2.5 * level, 42 + 7.2 * level, 12 - 2.5 * level, cells)
    _words(ax, 65, 40, "feature pyramid", "fine and coarse maps")
    _picture(ax, 88, 42)
    for region in (*_REGIONS, _STRAY):
        _box(ax, 88, 42, region, ls="--")
    _words(ax, 98, 40, "regions", "boxes that may hold one")
    for start, end in ((21, 27.5), (46, 56.5), (76, 87)):
        _arrow(ax, (start, 52), (end, 52))
    ax.text(81, 54, "anchors", ha="center", fontsize=8, style="italic")
    ax.text(0, 66, "1  Where may a landslide be?", fontsize=10, weight="bold", va="top")


def _second_step(ax: Axes) -> None:
    """One region, what the three heads say of it, and the detections of the image."""
    ax.text(0, 31, "2  What is in each region?", fontsize=10, weight="bold", va="top")
    _picture(ax, 0, 4, clip=(0.02, 0.28, 0.68))
    _words(ax, 10, 2, "one region", "cut from the pyramid")
    heads = (
        (22, "class", "landslide, 0.93"),
        (14, "box", "moved and stretched"),
        (6, "mask", "each cell: inside or not"),
    )
    for middle, name, text in heads:
        _block(ax, 33, middle - 2.6, 12, 5.2, "orange", 0.45)
        ax.text(39, middle, name, ha="center", va="center", fontsize=9)
        ax.text(47, middle, text, va="center", fontsize=8.5)
        _arrow(ax, (21, 14), (32.5, middle))
        _arrow(ax, (76.5, middle), (87, 14))
    _words(ax, 39, 2, "three heads", "")
    _picture(ax, 88, 4, outlined=True)
    for box, score in zip(_BOXES, ("0.93", "0.71"), strict=True):
        _box(ax, 88, 4, box)
        x, y = 88 + _SIZE * (box[0] + box[2] / 2), 4 + _SIZE * box[1] - 0.4
        ax.text(x, y, score, ha="center", va="top", fontsize=7.5)
    _words(ax, 98, 2, "detections", "outline and score")


def _picture(
    ax: Axes, x: float, y: float, *, outlined: bool = False, clip: tuple | None = None
) -> None:
    """The image with its two landslides, or the square `clip` (left, bottom, edge) of it."""
    left, bottom, edge = clip or (0.0, 0.0, 1.0)
    frame = Rectangle((x, y), _SIZE, _SIZE, facecolor=_GROUND, edgecolor=_INK, lw=0.8)
    ax.add_patch(frame)
    look = {"facecolor": _BARE, "lw": 2.0 if outlined else 0.5}
    look["edgecolor"] = OKABE_ITO["blue"] if outlined else _INK
    for corners in _SLIDES:
        points = (np.array(corners) - (left, bottom)) / edge * _SIZE + (x, y)
        ax.add_patch(patch := Polygon(points, **look))
        patch.set_clip_path(frame)


def _box(ax: Axes, x: float, y: float, part: tuple, ls: str = "-") -> None:
    """A box in the picture at (x, y)."""
    left, bottom, width, height = (_SIZE * value for value in part)
    place = (x + left, y + bottom)
    ax.add_patch(Rectangle(place, width, height, fill=False, edgecolor=_INK, lw=1.1, ls=ls))


def _block(ax: Axes, x, y, width, height, colour: str, alpha: float) -> None:
    """A part of the network."""
    look = {"facecolor": OKABE_ITO[colour], "alpha": alpha}
    ax.add_patch(Rectangle((x, y), width, height, lw=0, **look))
    ax.add_patch(Rectangle((x, y), width, height, fill=False, edgecolor=_INK, lw=0.8))


def _grid(ax: Axes, x: float, y: float, edge: float, cells: int) -> None:
    """A square map of so many cells a side."""
    _block(ax, x, y, edge, edge * 0.55, "sky", 0.5)
    for line in np.arange(1, cells) / cells:
        ax.plot([x + edge * line] * 2, [y, y + edge * 0.55], color=_INK, lw=0.4)
        ax.plot([x, x + edge], [y + edge * 0.55 * line] * 2, color=_INK, lw=0.4)


def _arrow(ax: Axes, start: tuple, end: tuple) -> None:
    """From one part to the next."""
    ax.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=9, color=_INK))


def _words(ax: Axes, x: float, y: float, name: str, text: str) -> None:
    """The name of a part and what it holds, below it."""
    ax.text(x, y, name, ha="center", va="top", fontsize=9.5, weight="bold")
    ax.text(x, y - 3.6, text, ha="center", va="top", fontsize=8.5)
