"""Scores on chips: COCO's AP and AR, and precision, recall and F1 over a sweep of score thresholds."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch
from pycocotools import mask as rle
from torchvision.models.detection import MaskRCNN

from lsa_helpers.detect.dataset import ChipSet, collate
from lsa_helpers.reproducible import reproducible
from lsa_helpers.detect.tta import see

# COCO's limits between small, medium and large are 32² and 96² pixels.
_BY_SIZE = list(
    itertools.product(
        (("AP", "map"), ("AR", "mar")), ("small", "medium", "large"), ("segm", "bbox")
    )
)
SWEEP = np.round(np.arange(0.05, 0.951, 0.05), 2)


def predict(
    model: MaskRCNN, images: Sequence[torch.Tensor], views: int | None = None
) -> list[dict]:
    """Detect landslides on a batch.

    Parameters
    ----------
    model : MaskRCNN
        In evaluation mode.
    images : sequence of Tensor, each (3, H, W)
        Float, 0–1.
    views : int, optional
        Views of each image, see `lsa_helpers.detect.tta.see`; the model's own number without it.

    Returns
    -------
    list of dict
        ``boxes`` (N, 4) float, ``scores`` (N,) float in falling order, ``labels`` (N,), ``masks``
        (N, H, W) bool.
    """
    device = next(model.parameters()).device
    views = getattr(model, "views", 1) if views is None else views
    images = [image.to(device) for image in images]
    with torch.inference_mode():
        found = model(images) if views == 1 else [see(model, image, views) for image in images]
    found = [{name: value.cpu() for name, value in each.items()} for each in found]
    return [each | {"masks": each["masks"][:, 0] > 0.5} for each in found]


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
            hit[i], iou[:, best] = True, -1.0
    return hit


@dataclass
class Scores:
    """Scores of a set of chips, gathered chip by chip so that masks need not be kept.

    Parameters
    ----------
    min_iou : float
        Smallest mask IoU of a true positive.
    """

    min_iou: float = 0.5
    truths: int = 0
    area: int = 0
    _hits: list = field(default_factory=list)
    _scores: list = field(default_factory=list)
    _pixels: np.ndarray = field(default_factory=lambda: np.zeros((4, len(SWEEP)), np.int64))

    def __post_init__(self):
        from torchmetrics.detection import MeanAveragePrecision

        self._coco = MeanAveragePrecision(iou_type=("bbox", "segm"), backend="pycocotools")
        self._coco.warn_on_many_detections = False

    def add(self, found: dict, truth: dict) -> None:
        """Add one chip: a prediction of `predict` and a target of `ChipSet`."""
        order = torch.argsort(found["scores"], descending=True, stable=True)
        found = {name: value[order] for name, value in found.items()}
        masks, true = found["masks"].numpy(), truth["masks"].numpy().astype(bool)
        self._coco.update([found], [truth | {"masks": truth["masks"].bool()}])
        iou = (
            rle.iou(_encode(masks), _encode(true), [0] * len(true))
            if len(masks) and len(true)
            else np.zeros((len(masks), len(true)))
        )
        self._hits.append(match(iou, self.min_iou))
        self._scores.append(found["scores"].numpy())
        self.truths += len(true)
        self.area += masks.shape[1] * masks.shape[2]
        any_true = true.any(0) if len(true) else np.zeros(masks.shape[1:], bool)
        stray = ~(masks & any_true).any((1, 2))
        said, at = (
            _reached(masks[kept], self._scores[-1][kept]) for kept in (np.ones_like(stray), ~stray)
        )
        self._pixels += (
            _count(said[any_true]),
            _count(said),
            np.full(len(SWEEP), any_true.sum()),
            _count(said) - _count(at),
        )

    @property
    def share(self) -> float:
        """Share of the chips that landslides cover; 0 without chips."""
        return float(self._pixels[2, 0]) / max(self.area, 1)

    def sweep(self) -> pd.DataFrame:
        """Table score, tp, fp, fn, precision, recall, f1 (fractions; NaN where undefined) for
        thresholds 0.05–0.95.
        """
        hits, scores = (
            np.concatenate([*self._hits, []]).astype(bool),
            np.concatenate([*self._scores, []]),
        )
        kept = scores[None] >= SWEEP[:, None]
        table = pd.DataFrame(
            {"score": SWEEP, "tp": (kept & hits).sum(1), "fp": (kept & ~hits).sum(1)}
        )
        table["fn"] = self.truths - table["tp"]
        table["precision"] = table["tp"] / (table["tp"] + table["fp"]).where(lambda n: n > 0)
        table["recall"] = table["tp"] / self.truths if self.truths else np.nan
        table["f1"] = (
            2 * table["tp"] / (2 * table["tp"] + table["fp"] + table["fn"]).where(lambda n: n > 0)
        )
        return table

    def pixels(self) -> pd.DataFrame:
        """Table score, precision, recall, f1, iou of landslide pixels, all chips together
        (fractions).
        """
        both, said, true, _ = self._pixels.astype(float)
        with np.errstate(invalid="ignore", divide="ignore"):
            shares = {
                "precision": both / said,
                "recall": both / true,
                "f1": 2 * both / (said + true),
                "iou": both / (said + true - both),
            }
        return pd.DataFrame({"score": SWEEP} | shares)

    def best_threshold(self, share: float) -> float:
        """The score threshold at which F1 of landslide pixels would be best on ground of which
        landslides cover `share`.

        Chips are cut where landslides are, a scene is not. Right pixels, and wrong ones of
        detections that meet a landslide, come as often as landslides do; detections that meet none
        come as often as other ground does. Both are counted on the chips and weighed by how rare
        the one and how common the other is on the mapped ground (Bayes' rule). Without the
        correction the threshold suits the chips and lets too many false alarms into the map.

        Parameters
        ----------
        share : float
            Expected share of the mapped ground that landslides cover, 0–1.

        Returns
        -------
        float
            A score of the sweep; 0.5 when nothing was found or nothing is there.
        """
        both, said, true, stray = self._pixels.astype(float)
        if not both.any():
            return 0.5
        other = max(self.area - true[0], 1)
        found = both / true
        wrong = (said - both - stray) / true * share + stray / other * (1 - share)
        precision = found * share / np.maximum(found * share + wrong, 1e-12)
        return float(SWEEP[np.argmax(2 * precision * found / np.maximum(precision + found, 1e-12))])

    def row(self, threshold: float = 0.5) -> dict:
        """One row of Table 4 in percent, then recall, threshold, pixel IoU, and AP and AR by COCO's
        sizes; NaN where undefined.
        """
        coco = (
            {name: float(value) for name, value in self._coco.compute().items()}
            if self._scores
            else {}
        )
        keys = {"": "map", "50": "map_50", "75": "map_75"}
        row = {
            f"AP{k}_{kind}": coco.get(f"{kind}_{name}", -1.0)
            for kind in ("segm", "bbox")
            for k, name in keys.items()
        }
        row |= {f"AR_{kind}": coco.get(f"{kind}_mar_100", -1.0) for kind in ("segm", "bbox")}
        row = {name: value if value >= 0 else np.nan for name, value in row.items()}
        k = int(np.argmin(np.abs(SWEEP - threshold)))
        at, area = self.sweep().iloc[k], self.pixels().iloc[k]
        row |= {"precision": at["precision"], "f1": at["f1"], "recall": at["recall"]}
        by_size = {
            f"{own}_{size}_{kind}": coco.get(f"{kind}_{name}_{size}", -1.0)
            for (own, name), size, kind in _BY_SIZE
        }
        last = {"pixel_iou": area["iou"]} | {
            name: value if value >= 0 else np.nan for name, value in by_size.items()
        }
        return _percent(row) | {"threshold": threshold} | _percent(last)


def _reached(masks: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """For every pixel (height, width) how many thresholds of the sweep its surest mask reaches;
    `scores` fall.
    """
    reached = np.zeros(masks.shape[1:], np.intp)
    for mask, score in zip(masks[::-1], scores[::-1], strict=True):
        reached[mask] = (score >= SWEEP).sum()
    return reached


def _count(reached: np.ndarray) -> np.ndarray:
    """How many pixels reach each threshold of the sweep."""
    return np.bincount(reached.ravel(), minlength=len(SWEEP) + 1)[::-1].cumsum()[::-1][1:]


def _percent(row: dict) -> dict:
    return {name: 100 * value for name, value in row.items()}


def _encode(masks: np.ndarray) -> list[dict]:
    return rle.encode(np.asfortranarray(masks.transpose(1, 2, 0), np.uint8))


def score_chips(model: MaskRCNN, chips: ChipSet, *, batch_size: int = 8, n_jobs: int = 2) -> Scores:
    """Run the detector over chips and gather the scores; chips are scored at the network's pixel
    size.

    Notes
    -----
    Source: COCO detection evaluation (Lin et al. 2014, doi:10.1007/978-3-319-10602-1_48), computed
    by pycocotools.
    """
    scores = Scores()
    with reproducible(0, n_jobs):
        for start in range(0, len(chips), batch_size):
            images, truths = collate(
                [chips[i] for i in range(start, min(start + batch_size, len(chips)))]
            )
            for found, truth in zip(predict(model, images), truths, strict=True):
                scores.add(found, truth)
    return scores
