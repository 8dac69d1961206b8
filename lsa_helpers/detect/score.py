"""Scores on chips beyond COCO's: precision, recall and F1 of landslides and of their pixels over a
sweep of score thresholds.
"""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from pycocotools import mask as rle

THRESHOLDS = np.round(np.arange(0.05, 0.951, 0.05), 2)


def predict(model: torch.nn.Module, images: Sequence[torch.Tensor]) -> list[dict]:
    """Detect landslides on a batch, with whatever detector has torchvision's interface.

    Parameters
    ----------
    model : Module
        In evaluation mode.
    images : sequence of Tensor, each (bands, H, W)
        Float, 0–1.

    Returns
    -------
    list of dict
        ``boxes`` (N, 4) float, ``scores`` (N,) float in falling order, ``labels`` (N,), ``masks``
        (N, H, W) bool: where the detector's mask is above 0.5.
    """
    device = next(model.parameters()).device
    with torch.inference_mode():
        detections = model([image.to(device) for image in images])
    detections = [{name: value.cpu() for name, value in found.items()} for found in detections]
    return [found | {"masks": found["masks"][:, 0] > 0.5} for found in detections]


def match(iou: np.ndarray, min_iou: float = 0.5) -> np.ndarray:
    """One-to-one matches: from the highest score down, each detection takes the free landslide it
    overlaps best.

    Parameters
    ----------
    iou : ndarray, shape (detections, landslides)
        Detections in falling order of score.
    min_iou : float
        Smallest overlap of a match.

    Returns
    -------
    ndarray of bool, shape (detections,)
        True positives; whatever threshold cuts the list, the matches above it stay the same.

    Examples
    --------
    >>> match(np.array([[0.6, 0.0], [0.9, 0.0]])).tolist()
    [True, False]
    """
    iou = np.array(iou, float)
    hit = np.zeros(len(iou), bool)
    for i in range(len(iou) if iou.size else 0):
        best = int(iou[i].argmax())
        if iou[i, best] >= min_iou:
            hit[i] = True
            iou[:, best] = -1.0
    return hit


def mask_iou(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Shared over joint area of every mask with every other.

    Parameters
    ----------
    first, second : ndarray of bool, shape (n, height, width) and (m, height, width)

    Returns
    -------
    ndarray, shape (n, m)
        0–1.
    """
    if not len(first) or not len(second):
        return np.zeros((len(first), len(second)))
    coded = (
        rle.encode(np.asfortranarray(masks.transpose(1, 2, 0), np.uint8))
        for masks in (first, second)
    )
    return rle.iou(*coded, [0] * len(second))


class ScoreSweep:
    """Right and wrong detections of a set of chips at every threshold of the score, gathered chip
    by chip so that masks need not be kept.

    Parameters
    ----------
    min_iou : float
        Smallest mask IoU of a true positive.
    """

    def __init__(self, min_iou: float = 0.5):
        self.min_iou = min_iou
        self.n_landslides = 0
        self._hits: list[np.ndarray] = []
        self._scores: list[np.ndarray] = []
        # Pixels at every threshold: true and detected, detected, true.
        self._pixels = np.zeros((3, len(THRESHOLDS)), np.int64)

    def update(self, detections: Sequence[dict], truths: Sequence[dict]) -> None:
        """Add a batch: predictions of `predict` and targets of `ChipSet`."""
        for found, truth in zip(detections, truths, strict=True):
            order = torch.argsort(found["scores"], descending=True, stable=True)
            self._add(
                found["masks"][order].numpy(),
                found["scores"][order].numpy(),
                truth["masks"].cpu().numpy().astype(bool),
            )

    def _add(self, masks: np.ndarray, scores: np.ndarray, truth: np.ndarray) -> None:
        self._hits.append(match(mask_iou(masks, truth), self.min_iou))
        self._scores.append(scores)
        self.n_landslides += len(truth)
        landslide = truth.any(0) if len(truth) else np.zeros(masks.shape[1:], bool)
        reached = _reached(masks, scores)
        true = np.full(len(THRESHOLDS), landslide.sum())
        self._pixels += (_count(reached[landslide]), _count(reached), true)

    def landslides(self) -> pd.DataFrame:
        """Table score, tp, fp, fn, precision, recall, f1 of landslides, matched one to one
        (fractions; NaN where undefined), for thresholds 0.05–0.95.
        """
        hits = np.concatenate([*self._hits, []]).astype(bool)
        kept = np.concatenate([*self._scores, []])[None] >= THRESHOLDS[:, None]
        tp, fp = (kept & hits).sum(1), (kept & ~hits).sum(1)
        fn = self.n_landslides - tp
        table = pd.DataFrame({"score": THRESHOLDS, "tp": tp, "fp": fp, "fn": fn})
        with np.errstate(invalid="ignore", divide="ignore"):
            table["precision"] = tp / (tp + fp)
            table["recall"] = tp / np.float64(self.n_landslides)
            table["f1"] = 2 * tp / (2 * tp + fp + fn)
        return table

    def pixels(self) -> pd.DataFrame:
        """Table score, precision, recall, f1, iou of landslide pixels, all chips together
        (fractions; NaN where undefined).
        """
        both, detected, true = self._pixels.astype(float)
        with np.errstate(invalid="ignore", divide="ignore"):
            return pd.DataFrame(
                {
                    "score": THRESHOLDS,
                    "precision": both / detected,
                    "recall": both / true,
                    "f1": 2 * both / (detected + true),
                    "iou": both / (detected + true - both),
                }
            )

    def best_threshold(self) -> float:
        """The score threshold at which F1 of landslide pixels is best; 0.5 when nothing was found
        or nothing is there.
        """
        f1 = self.pixels()["f1"]
        return float(THRESHOLDS[f1.argmax()]) if f1.max() > 0 else 0.5


def score_row(coco: Mapping[str, torch.Tensor], sweep: ScoreSweep, threshold: float = 0.5) -> dict:
    """One row of the table of scores, per cent, in the order of the paper's Table 4.

    Parameters
    ----------
    coco : mapping
        What `torchmetrics.detection.MeanAveragePrecision` computed for ("segm", "bbox").
    sweep : ScoreSweep
        Of the same chips.
    threshold : float
        Score at which precision, recall, F1 and pixel IoU hold.

    Returns
    -------
    dict
        AP, AP50, AP75 and AR (100 detections) for masks (``_segm``) and boxes (``_bbox``),
        precision, f1, recall, threshold, pixel_iou, then AP and AR of COCO's small (under 32²
        pixels), medium and large (over 96²) landslides; NaN where undefined.
    """
    kinds = ("segm", "bbox")
    names = {
        f"{ours}_{kind}": f"{kind}_{theirs}"
        for kind in kinds
        for ours, theirs in (("AP", "map"), ("AP50", "map_50"), ("AP75", "map_75"))
    }
    names |= {f"AR_{kind}": f"{kind}_mar_100" for kind in kinds}
    sizes = itertools.product((("AP", "map"), ("AR", "mar")), ("small", "medium", "large"), kinds)
    by_size = {
        f"{ours}_{size}_{kind}": f"{kind}_{theirs}_{size}" for (ours, theirs), size, kind in sizes
    }
    at = int(np.argmin(np.abs(THRESHOLDS - threshold)))
    landslides, pixels = sweep.landslides().iloc[at], sweep.pixels().iloc[at]
    return (
        {column: _percent(coco[name]) for column, name in names.items()}
        | {column: 100 * landslides[column] for column in ("precision", "f1", "recall")}
        | {"threshold": threshold, "pixel_iou": 100 * pixels["iou"]}
        | {column: _percent(coco[name]) for column, name in by_size.items()}
    )


def _percent(value: torch.Tensor) -> float:
    """A figure of COCO in per cent; its −1 stands for undefined."""
    return 100 * float(value) if value >= 0 else float("nan")


def _reached(masks: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """For every pixel how many thresholds its surest mask reaches; `scores` fall."""
    reached = np.zeros(masks.shape[1:], np.intp)
    for mask, score in zip(masks[::-1], scores[::-1], strict=True):
        reached[mask] = (score >= THRESHOLDS).sum()
    return reached


def _count(reached: np.ndarray) -> np.ndarray:
    """How many pixels reach each threshold."""
    return np.bincount(reached.ravel(), minlength=len(THRESHOLDS) + 1)[::-1].cumsum()[::-1][1:]
