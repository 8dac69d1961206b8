"""A map sheet on paper: one class map with everything a reader of it has to know."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lsa_helpers.run import whole_file
from lsa_helpers.show import style
from lsa_helpers.show.classes import OUTLINE, class_patches, draw_classes

#: The last sentence of the book's page on limits, which belongs below every map.
LIMIT = (
    "Do not use a map made with this book for decisions about people's safety without a geologist "
    "who knows the place."
)
_A4 = (297 / 25.4, 210 / 25.4)
# What the font can draw; another letter would be an empty box.
_LAST_LETTER = 0x24F


def map_sheet(
    classes: xr.DataArray,
    landslides,
    *,
    title: str,
    class_words: Sequence[str],
    legend_title: str,
    facts: Mapping[str, str],
    roads=None,
) -> Figure:
    """One class map as an A4 page in landscape.

    Parameters
    ----------
    classes : DataArray, dims (y, x)
        From 1, 0 where unknown.
    landslides : GeoDataFrame
        Outlined; the name of their layer in ``attrs["layer"]``.
    title : str
    class_words : sequence of str
        What the legend says of each class, the lowest first.
    legend_title : str
    facts : mapping
        Heading → words, written below the legend: model, date, event, source and so on.
    roads : GeoDataFrame, optional
        Lines drawn for orientation.

    Returns
    -------
    Figure
        Map with a scale bar and an arrow to grid north, legend, facts and `LIMIT`.
    """
    fig = plt.figure(figsize=_A4, layout="none")
    ax = fig.add_axes((0.03, 0.10, 0.63, 0.80))
    draw_classes(ax, classes, len(class_words))
    if roads is not None:
        style.outlines(ax, roads, classes, color="black", lw=0.6)
    style.outlines(ax, landslides, classes, color=OUTLINE, markersize=4, lw=0.7)
    ax.set_anchor("NW")
    arrow = {"arrowstyle": "-|>", "lw": 1.5, "color": "black"}
    where = {"xycoords": "axes fraction", "textcoords": "axes fraction", "ha": "center"}
    box = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.8}
    ax.annotate("N", (0.96, 0.985), (0.96, 0.89), arrowprops=arrow, bbox=box, size=12, **where)
    fig.text(0.03, 0.94, _drawable(title), size=16, weight="bold", parse_math=False)
    handles = _handles(class_words, landslides, roads)
    fig.legend(handles=handles, title=legend_title, **_LEGEND)
    _write_facts(fig, facts, 0.90 - 0.031 * len(handles))
    fig.text(0.03, 0.03, LIMIT, size=10, weight="bold", color="black")
    return fig


_LEGEND = {"loc": "upper left", "bbox_to_anchor": (0.667, 0.92), "fontsize": 8.5}
_LEGEND |= {"alignment": "left", "labelspacing": 0.6}


def _handles(class_words: Sequence[str], landslides, roads) -> list:
    """Entries of the legend, the highest class first."""
    handles = class_patches(len(class_words))
    for patch, words in zip(handles, class_words[::-1], strict=True):
        patch.set_label(words)
    name = f"Landslide ({landslides.attrs['layer']})"
    handles.append(Patch(facecolor="none", edgecolor=OUTLINE, label=name))
    if roads is not None:
        handles.append(Line2D([], [], color="black", lw=0.8, label="Road"))
    return handles


def _write_facts(fig: Figure, facts: Mapping[str, str], top: float) -> None:
    """Headings and words in the right column from `top` (share of the page) downwards."""
    lines = []
    for heading, words in facts.items():
        lines += textwrap.wrap(_drawable(f"{heading}: {words}"), 52, subsequent_indent="   ")
    text = "\n".join(lines)
    fig.text(0.675, top, text, size=8.5, va="top", linespacing=1.45, parse_math=False)


def _drawable(text: str) -> str:
    """Text without the letters that the font of the figures does not have."""
    return "".join(
        letter if ord(letter) <= _LAST_LETTER or letter in "–—²°" else "?" for letter in text
    )


def write_pdf(fig: Figure, path: Path) -> Path:
    """Write a figure as PDF at its own size: real text, and no date, so that the same figure is
    the same bytes.
    """
    # After saving, matplotlib lays a figure out anew as its settings say.
    settings = {"pdf.fonttype": 42, "figure.constrained_layout.use": False}
    with whole_file(path) as part, plt.rc_context(settings):
        fig.savefig(part, metadata={"CreationDate": None, "Producer": None, "Creator": None})
    return path
