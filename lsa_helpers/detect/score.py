"""Scores on chips beyond COCO's: precision, recall and F1 of landslides and of their pixels over a
sweep of score thresholds.
"""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch

from lsa_helpers.detect.matching import mask_iou, match
from lsa_helpers.errors import doubt

THRESHOLDS = np.round(np.arange(0.05, 0.951, 0.05), 2)
_RECALLS = torch.linspace(0, 1, 101).double().numpy()  # as torchmetrics rounds them


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
        # One of each for every chip.
        self._n_landslides: list[int] = []
        self._hits: list[np.ndarray] = []
        self._scores: list[np.ndarray] = []
        # Pixels at every threshold: true and detected, detected, true.
        self._pixels: list[np.ndarray] = []

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
        self._n_landslides.append(len(truth))
        landslide = truth.any(0) if len(truth) else np.zeros(masks.shape[1:], bool)
        reached = _reached(masks, scores)
        true = np.full(len(THRESHOLDS), landslide.sum())
        self._pixels.append(np.stack([_count(reached[landslide]), _count(reached), true]))

    def landslides(self) -> pd.DataFrame:
        """Table score, tp, fp, fn, precision, recall, f1 of landslides, matched one to one
        (fractions; NaN where undefined), for thresholds 0.05–0.95.
        """
        columns = {"score": THRESHOLDS} | _landslide_scores(*self._counts(self._once()))
        return pd.DataFrame({name: np.squeeze(values) for name, values in columns.items()})

    def pixels(self) -> pd.DataFrame:
        """Table score, precision, recall, f1, iou of landslide pixels, all chips together
        (fractions; NaN where undefined).
        """
        columns = {"score": THRESHOLDS} | _pixel_scores(*self._pixel_counts(self._once()))
        return pd.DataFrame({name: np.squeeze(values) for name, values in columns.items()})

    def chips(self, threshold: float = 0.5) -> pd.DataFrame:
        """Table hit, false_alarm, missed (counts of landslides) of every chip at one score, in the
        order in which the chips were added.
        """
        reach = [scores >= threshold for scores in self._scores]
        both = list(zip(reach, self._hits, strict=True))
        table = pd.DataFrame({"hit": [int((some & hits).sum()) for some, hits in both]})
        table["false_alarm"] = [int((some & ~hits).sum()) for some, hits in both]
        table["missed"] = np.array(self._n_landslides, int) - table["hit"]
        return table

    def draws(self, weights: np.ndarray, threshold: float = 0.5) -> dict[str, np.ndarray]:
        """Scores as they would be if each chip counted as often as a row of weights says.

        Parameters
        ----------
        weights : ndarray of int, shape (draws, chips)
            For intervals `lsa_helpers.validation.block_weights` of the chips' scenes, in the order
            in which the chips were added.
        threshold : float
            Score at which all but AP50 hold.

        Returns
        -------
        dict
            AP50_segm, precision, f1, recall, pixel_iou: per cent, shape (draws,); NaN where
            undefined.
        """
        at = int(np.argmin(np.abs(THRESHOLDS - threshold)))
        landslides = _landslide_scores(*self._counts(weights))
        iou = _pixel_scores(*self._pixel_counts(weights))["iou"]
        scores = {name: landslides[name][:, at] for name in ("precision", "f1", "recall")}
        scores = (
            {"AP50_segm": self._average_precision(weights)} | scores | {"pixel_iou": iou[:, at]}
        )
        return {name: 100 * values for name, values in scores.items()}

    def _once(self) -> np.ndarray:
        """Every chip counts once."""
        return np.ones((1, len(self._hits)), np.int64)

    def _counts(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """True and false positives, and misses, for each row of weights and threshold."""
        reach = [scores >= THRESHOLDS[:, None] for scores in self._scores]
        tp, fp = (
            np.array([(some & kind).sum(axis=1) for some, kind in zip(reach, kinds, strict=True)])
            for kinds in (self._hits, [~hits for hits in self._hits])
        )
        tp, fp = (weights @ counts.reshape(-1, len(THRESHOLDS)) for counts in (tp, fp))
        return tp, fp, weights @ np.array([self._n_landslides], int).T - tp

    def _pixel_counts(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Pixels true and detected, detected, and true, for each row of weights and threshold."""
        pixels = np.array(self._pixels, float).reshape(-1, 3, len(THRESHOLDS))
        return tuple(weights @ pixels[:, i] for i in range(3))

    def _average_precision(self, weights: np.ndarray) -> np.ndarray:
        """AP of landslides at `min_iou`, fractions: COCO's, precision at 101 recalls, of which each
        is the best at this recall or above.
        """
        chip = np.repeat(np.arange(len(self._hits)), [len(hits) for hits in self._hits])
        order = np.argsort(-np.concatenate([*self._scores, []]), kind="stable")
        hits, chip = np.concatenate([*self._hits, []]).astype(bool)[order], chip[order]
        values = np.full(len(weights), np.nan)
        for i, (row, landslides) in enumerate(
            zip(weights, weights @ self._n_landslides, strict=True)
        ):
            if landslides:
                tp, all_found = np.cumsum(row[chip] * hits), np.cumsum(row[chip])
                precision = np.append(tp / np.maximum(all_found, 1), 0.0)
                best = np.maximum.accumulate(precision[::-1])[::-1]
                values[i] = best[np.searchsorted(tp / landslides, _RECALLS)].mean()
        return values

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
    if coco["segm_map_50"] > 0.9999 and sum(sweep._n_landslides) >= 10:
        doubt(
            "every landslide was found and nothing else (AP50 is 100)",
            fix="Look at the chips: masks may be inverted or full, or one image in two parts",
        )
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


def _landslide_scores(tp: np.ndarray, fp: np.ndarray, fn: np.ndarray) -> dict[str, np.ndarray]:
    """Precision, recall and F1 with what they are made of, fractions; NaN where undefined."""
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = {
            "precision": tp / (tp + fp),
            "recall": tp / (tp + fn),
            "f1": 2 * tp / (2 * tp + fp + fn),
        }
    return {"tp": tp, "fp": fp, "fn": fn} | shares


def _pixel_scores(
    both: np.ndarray, detected: np.ndarray, true: np.ndarray
) -> dict[str, np.ndarray]:
    """Precision, recall, F1 and IoU of pixels, fractions; NaN where undefined."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "precision": both / detected,
            "recall": both / true,
            "f1": 2 * both / (detected + true),
            "iou": both / (detected + true - both),
        }


def _reached(masks: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """For every pixel how many thresholds its surest mask reaches; `scores` fall."""
    reached = np.zeros(masks.shape[1:], np.intp)
    for mask, score in zip(masks[::-1], scores[::-1], strict=True):
        reached[mask] = (score >= THRESHOLDS).sum()
    return reached


def _count(reached: np.ndarray) -> np.ndarray:
    """How many pixels reach each threshold."""
    return np.bincount(reached.ravel(), minlength=len(THRESHOLDS) + 1)[::-1].cumsum()[::-1][1:]
