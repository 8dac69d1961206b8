"""Figures of chapter 02: the training, what became of the landslides on chips, the score sweep."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from lsa_helpers.detect.images import as_picture
from lsa_helpers.detect.matching import mask_iou, match
from lsa_helpers.paper import published_table
from lsa_helpers.show.chips import draw_mask
from lsa_helpers.show.style import OKABE_ITO, OUTCOMES, cased

_CURVES = (
    ("precision", "precision", "blue", "-"),
    ("recall", "recall", "orange", "--"),
    ("f1", "F1", "black", ":"),
)
_LINES = {"hit": "-", "false alarm": "--", "missed": "-"}
# Columns of the table of scores in words; what is not shown stays in its file.
_WORDS = {
    "AP_segm": "AP of masks (%)",
    "AP50_segm": "AP50 of masks (%)",
    "precision": "precision (%)",
    "recall": "recall (%)",
    "f1": "F1 (%)",
    "pixel_iou": "pixel IoU (%)",
    "loss": "loss, last epoch",
    "epochs": "epochs",
    "minutes": "training (minutes)",
}
SHOWN = ("AP50_segm", "precision", "recall", "f1", "pixel_iou")
_NETWORKS = {
    "resnet18": "ResNet18",
    "resnet50": "ResNet50",
    "sgd": "SGD",
    "adamw": "AdamW",
    "muon": "Muon",
}


def training_curve(history: pd.DataFrame) -> Figure:
    """The sum of the losses per epoch, and AP50 on the validation chips where it was measured; a
    note where nothing was trained.
    """
    measured = "val_ap50" in history
    fig, axes = plt.subplots(1, 1 + measured, figsize=(8 if measured else 5, 2.8), squeeze=False)
    left, right = axes[0, 0], axes[0, -1]
    if history.empty:
        left.text(0.5, 0.5, "No detector was trained here.", ha="center")
        return fig
    left.plot(history["epoch"], history["loss"], "o-", ms=3, color="black")
    left.set(xlabel="Epoch", ylabel="Sum of the losses (no unit)", ylim=(0, None))
    if measured:
        known = history.dropna(subset="val_ap50")
        right.plot(known["epoch"], known["val_ap50"], "o-", ms=4, color=OKABE_ITO["blue"])
        right.set(xlabel="Epoch", ylabel="AP50 on validation chips (%)", ylim=(0, 100))
        right.set_xlim(left.get_xlim())
    for panel in (left, right):
        panel.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    return fig


def telling_chips(counts: pd.DataFrame) -> dict[str, int]:
    """One chip of each kind: all found, landslides missed, false alarms, and both at once.

    Parameters
    ----------
    counts : DataFrame
        From `lsa_helpers.detect.score.ScoreSweep.chips`.

    Returns
    -------
    dict
        Kind → row of the chip with most of it, of those with up to six landslides and detections
        where there is one; no chip twice, and none where there is no such chip.

    Examples
    --------
    >>> telling_chips(pd.DataFrame({"hit": [3, 1], "false_alarm": [0, 2], "missed": [0, 0]}))
    {'found': 0, 'false alarms': 1}
    """
    hit, false, missed = (counts[name] for name in ("hit", "false_alarm", "missed"))
    wrong = false + missed
    kinds = {
        "found": hit.where(wrong == 0, 0),
        "missed": missed.where(false == 0, 0),
        "false alarms": false.where(missed == 0, 0),
        "false alarms and misses": np.minimum(false, missed),
    }
    picks: dict[str, int] = {}
    crowded = hit + wrong > 6
    for kind, amount in kinds.items():
        amount = (amount / np.where(crowded, 1000, 1)).drop(list(picks.values()))
        if len(amount) and amount.max() > 0:
            picks[kind] = int(amount.idxmax())
    return picks


def outcomes(model, chips, picks: Mapping[str, int], threshold: float) -> Figure:
    """Chips with their known landslides (above) and with what the detector makes of them (below):
    hits, false alarms and landslides missed.

    Parameters
    ----------
    model : Module
        See `lsa_helpers.detect.score.predict`.
    chips : ChipSet
    picks : mapping
        Title → chip, from `telling_chips`.
    threshold : float
        Lowest score drawn.
    """
    from lsa_helpers.detect.dataset import ChipSet
    from lsa_helpers.detect.score import predict

    plain = ChipSet(chips.chips, replace(chips.config, normalise_radiometry=False))
    columns = max(len(picks), 1)
    fig, axes = plt.subplots(2, columns, figsize=(8, 16 / max(columns, 3) + 0.8), squeeze=False)
    for line, (title, index) in zip(axes.T, picks.items(), strict=False):
        image, target = chips[index]
        (found,) = predict(model, [image])
        kept = found["scores"] >= threshold
        picture = as_picture(plain[index][0].permute(1, 2, 0).numpy())
        for ax in line:
            ax.imshow(picture)
            ax.set(xticks=[], yticks=[])
        truth = target["masks"].numpy().astype(bool)
        for mask in truth:
            draw_mask(line[0], mask, OUTCOMES["missed"])
        _draw_outcomes(line[1], found["masks"][kept].numpy(), truth, found["scores"][kept].numpy())
        line[0].set_title(title)
        line[1].set_xlabel(chips.chips[index].platform or chips.chips[index].image.stem[:18])
    axes[0, 0].set_ylabel("known")
    axes[1, 0].set_ylabel("detected")
    rim = {"path_effects": cased(1.5)["path_effects"]}
    looks = [(name, {"color": OUTCOMES[name], "ls": _LINES[name]}) for name in OUTCOMES]
    lines = [Line2D([], [], label=name, **look, **rim) for name, look in looks]
    fig.legend(handles=lines, loc="outside lower center", ncols=3)
    return fig


def _draw_outcomes(ax: Axes, masks: np.ndarray, truth: np.ndarray, scores: np.ndarray) -> None:
    """Detections as hit or false, with scores, and the landslides that none of them matches."""
    iou = mask_iou(masks, truth)
    hits = match(iou)
    taken = {int(row.argmax()) for row in iou[hits]}  # above half only one can be overlapped
    for number in set(range(len(truth))) - taken:
        draw_mask(ax, truth[number], OUTCOMES["missed"])
    for mask, hit, score in zip(masks, hits, scores, strict=True):
        name = "hit" if hit else "false alarm"
        draw_mask(ax, mask, OUTCOMES[name], ls=_LINES[name])
        rows, cols = np.nonzero(mask)
        if len(rows):
            where = (np.clip(cols.mean(), 12, mask.shape[1] - 12), rows.mean())
            look = {"facecolor": "black", "alpha": 0.55, "pad": 1, "lw": 0}
            text = {
                "fontsize": 6.5,
                "clip_on": True,
                "color": "white",
                "ha": "center",
                "va": "center",
            }
            ax.text(*where, f"{score:.2f}", bbox=look, **text)


def scores_beside_paper(
    scores: pd.DataFrame, source: str = "this run", rows: Sequence[str] = SHOWN
) -> pd.DataFrame:
    """Some of the scores of this run beside the rows of the paper's Table 4 with the same backbone
    and optimizer, else backbone (per cent), in words; with the ends of their intervals where the
    table has them (columns that end in ``_low`` and ``_high``). `rows` are columns of the table.
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
    shown = [name for name in rows if name in scores]
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


def sweep(tables: dict[str, pd.DataFrame], marks: Mapping[str, float]) -> Figure:
    """Precision, recall and F1 against the score threshold, one panel for each way of counting.

    Parameters
    ----------
    tables : dict
        Title → table with ``score``, ``precision``, ``recall`` and ``f1``. IoU is not drawn: it
        rises and falls with F1.
    marks : mapping
        Name → threshold; each is a line.
    """
    size = (8 if len(tables) > 1 else 5.2, 3.3)
    fig, axes = plt.subplots(1, len(tables), figsize=size, sharey=True, squeeze=False)
    named: dict[float, str] = {}
    for name, value in marks.items():
        named[value] = f"{named[value]}, {name}" if value in named else name
    for ax, (title, table) in zip(axes[0], tables.items(), strict=True):
        for name, label, colour, line in _CURVES:
            ax.plot(table["score"], table[name], line, color=OKABE_ITO[colour], label=label)
        for value, name in named.items():
            ax.axvline(value, color="#777777", lw=0.8, zorder=0)
            look = {"rotation": 90, "fontsize": 8, "ha": "right", "va": "bottom"}
            ax.annotate(name, (value, 0.02), color="#444444", **look)
        ax.set(xlabel="Score threshold", title=title, ylim=(0, 1.02))
    axes[0, 0].set_ylabel("Fraction")
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return fig
