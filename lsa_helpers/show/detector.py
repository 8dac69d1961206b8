"""Figures of chapter 02: the training, chips with true and detected outlines, the score sweep."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lsa_helpers.detect.images import as_picture
from lsa_helpers.paper import published_table
from lsa_helpers.show.style import OKABE_ITO

_TRUE, _FOUND = OKABE_ITO["yellow"], OKABE_ITO["sky"]
_LOSSES = {
    "loss": ("sum", "black"),
    "loss_objectness": ("region: landslide or not", "sky"),
    "loss_rpn_box_reg": ("region: box", "blue"),
    "loss_classifier": ("head: landslide or not", "orange"),
    "loss_box_reg": ("head: box", "vermilion"),
    "loss_mask": ("mask", "purple"),
    "loss_semantic": ("cell: landslide or not", "teal"),
}
_CURVES = (
    ("precision", "precision", "blue", "-"),
    ("recall", "recall", "orange", "--"),
    ("f1", "F1", "black", ":"),
    ("iou", "IoU", "purple", "-."),
)
# Rows of the table of scores in words; what a table has beyond them stays in its file.
_WORDS = {
    "AP_segm": "AP of masks",
    "AP50_segm": "AP50 of masks",
    "AP75_segm": "AP75 of masks",
    "AP_bbox": "AP of boxes",
    "AP50_bbox": "AP50 of boxes",
    "AP75_bbox": "AP75 of boxes",
    "AR_segm": "AR of masks",
    "AR_bbox": "AR of boxes",
    "precision": "precision",
    "f1": "F1",
    "recall": "recall",
    "threshold": "score from which these three hold",
    "pixel_iou": "pixel IoU",
    "loss": "loss, last epoch",
    "epochs": "epochs",
    "updates": "updates",
    "minutes": "minutes of training",
}
_NETWORKS = {
    "resnet18": "ResNet18",
    "resnet50": "ResNet50",
    "sgd": "SGD",
    "adamw": "AdamW",
    "muon": "Muon",
}


def training_curve(history: pd.DataFrame) -> Figure:
    """The losses and their sum per epoch, the learning rate, and AP50 on the validation chips where
    it was measured; a note where nothing was trained.
    """
    measured = "val_ap50" in history
    ratios = (2, 1, 1)[: 2 + measured]
    fig, axes = plt.subplots(1, len(ratios), figsize=(9, 4.0), width_ratios=ratios)
    if history.empty:
        axes[0].text(0.5, 0.5, "No detector was trained here.", ha="center")
        return fig
    for name, (label, colour) in _LOSSES.items():
        if name in history:
            width = 2 if name == "loss" else 1.2
            axes[0].plot(
                history["epoch"], history[name], label=label, color=OKABE_ITO[colour], lw=width
            )
    axes[0].set(xlabel="Epoch", ylabel="Mean loss (dimensionless)", yscale="log")
    # Below: the curves fill the panel.
    axes[0].legend(fontsize=8, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.18))
    axes[1].plot(history["epoch"], history["learning_rate"], color="black")
    axes[1].set(xlabel="Epoch", ylabel="Learning rate at its end", yscale="log")
    if measured:
        known = history.dropna(subset="val_ap50")
        axes[2].plot(known["epoch"], known["val_ap50"], "o-", ms=3, color=OKABE_ITO["blue"])
        axes[2].set(xlabel="Epoch", ylabel="Mask AP50, validation (%)", ylim=(0, 100))
    for panel in axes:
        panel.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    return fig


def augmented(chips) -> Figure:
    """The first training chip with a landslide as the network meets it in five epochs;
    outlines move with the image.
    """
    import torch

    index = next((i for i, chip in enumerate(chips.chips) if chip.landslides > 0), 0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        pairs = [chips[index] for _ in range(5)]
    fig, axes = plt.subplots(1, 5, figsize=(9, 2.1))
    for ax, (image, target) in zip(axes, pairs, strict=True):
        _chip(ax, image, target["masks"].numpy(), _TRUE)
    return fig


def side_by_side(model, chips, threshold: float) -> Figure:
    """Six test chips with true outlines (above) and detected outlines with their scores (below).

    Parameters
    ----------
    model : Module
        See `lsa_helpers.detect.score.predict`.
    chips : ChipSet
        The chips are taken at equal steps through the set, not chosen by result.
    threshold : float
        Lowest score drawn.
    """
    from lsa_helpers.detect.score import predict

    picks = np.unique(np.linspace(0, len(chips) - 1, 6).round().astype(int))
    pairs = [chips[int(i)] for i in picks]
    detections = predict(model, [image for image, _ in pairs])
    fig, axes = plt.subplots(2, len(pairs), figsize=(1.55 * len(pairs), 3.6), squeeze=False)
    for column, ((image, target), found) in enumerate(zip(pairs, detections, strict=True)):
        kept = found["scores"] >= threshold
        above, below = axes[:, column]
        _chip(above, image, target["masks"].numpy(), _TRUE)
        _chip(below, image, found["masks"][kept].numpy(), _FOUND, found["scores"][kept].numpy())
        chip = chips.chips[picks[column]]
        above.set_title((chip.platform or chip.image.stem)[:18], fontsize=8)
    axes[0, 0].set_ylabel("true")
    axes[1, 0].set_ylabel("detected")
    return fig


def _chip(ax, image, masks: np.ndarray, colour: str, scores: np.ndarray | None = None) -> None:
    """One chip with outlines, and the scores in their middle."""
    # Normalised colours may pass 1: the brightest pixels then set the scale, or all bare ground
    # would be white.
    ax.imshow(as_picture(image.permute(1, 2, 0).numpy()))
    middle = {"color": "white", "fontsize": 6, "ha": "center", "va": "center"}
    for i, mask in enumerate(masks):
        # A frame of zeros closes outlines that touch the edge.
        x, y = (np.arange(-1, edge + 1) for edge in mask.shape[::-1])
        ax.contour(x, y, np.pad(mask, 1), [0.5], colors=colour, linewidths=1.3)
        if scores is not None and mask.any():
            rows, cols = np.nonzero(mask)
            ax.text(cols.mean(), rows.mean(), f"{scores[i]:.2f}", **middle)
    ax.set(xticks=[], yticks=[])


def scores_beside_paper(scores: pd.DataFrame, source: str = "this run") -> pd.DataFrame:
    """The scores of this run beside the rows of the paper's Table 4 with the same backbone and
    optimizer, else backbone (per cent), in words; with the ends of their intervals where the table
    has them (columns that end in ``_low`` and ``_high``).
    """
    ours = scores.replace(_NETWORKS)
    paper = published_table(4)
    same = paper.merge(
        ours[["backbone", "optimizer"]].drop_duplicates(), on=["backbone", "optimizer"]
    )
    if same.empty:
        same = paper[paper["backbone"].isin(ours["backbone"])]
    ours = ours.assign(source=source)
    same = same.assign(source="paper, Table 4", split="paper")
    both = pd.concat([ours, same], ignore_index=True)
    shown = [name for name in _WORDS if name in scores]
    # As objects, because pandas prints all numbers of a column with the decimals of its longest,
    # and counts would become fractions.
    counts = {name: "Int64" for name in scores[shown].select_dtypes("integer") if name not in paper}
    decimals = {name: 2 if name in ("threshold", "loss") else 1 for name in shown}
    table = both.set_index(["source", "split", "backbone", "optimizer"])[shown]
    table = table.round(decimals).astype(counts).astype(object)
    for name in (name for name in shown if f"{name}_low" in both):
        ends = zip(table[name], both[f"{name}_low"], both[f"{name}_high"], strict=True)
        table[name] = [
            value if pd.isna(low) else f"{value} ({low:.1f}–{high:.1f})"
            for value, low, high in ends
        ]
    table = table.rename(columns=_WORDS).T
    return table.where(table.notna(), "–")


def sweep(tables: dict[str, pd.DataFrame], chosen: float) -> Figure:
    """Precision, recall and F1 against the score threshold, one panel for each way of counting.

    Parameters
    ----------
    tables : dict
        Title → table with ``score``, ``precision``, ``recall``, ``f1`` and perhaps ``iou``.
    chosen : float
        Threshold that is marked.
    """
    size = (4.5 * len(tables), 3.2)
    fig, axes = plt.subplots(1, len(tables), figsize=size, sharey=True, squeeze=False)
    for ax, (title, table) in zip(axes[0], tables.items(), strict=True):
        for name, label, colour, line in _CURVES:
            if name in table:
                ax.plot(table["score"], table[name], line, color=OKABE_ITO[colour], label=label)
        ax.axvline(chosen, color="#777777", lw=0.8)
        ax.annotate("chosen", (chosen, 0.02), rotation=90, fontsize=7, ha="right", color="#555555")
        ax.set(xlabel="Score threshold", title=title, ylim=(0, 1.02))
        ax.legend(fontsize=8)
    axes[0, 0].set_ylabel("Fraction")
    return fig
