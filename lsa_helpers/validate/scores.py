"""Scores of predicted probabilities, with intervals that know neighbours are not independent."""

import numpy as np
import pandas as pd
from sklearn import metrics

from lsa_helpers.errors import StageError
from lsa_helpers.samples import block_ids

#: Columns of the score tables after ``model``.
SCORES = ("auc", "auc_low", "auc_high", "accuracy", "precision", "recall", "f1", "kappa", "pr_auc", "mcc", "brier", "ece")


def scores(label: np.ndarray, probability: np.ndarray, blocks: np.ndarray, *, seed: int = 0, n_boot: int = 200) -> dict[str, float]:
    """Score predictions; classes are cut at probability 0.5.

    Parameters
    ----------
    label : ndarray of 0 and 1, shape (n,)
    probability : ndarray, shape (n,)
        In 0–1.
    blocks : ndarray of int, shape (n,)
        Spatial block of each row: the interval resamples whole blocks, because neighbours are not independent.
    seed, n_boot : int
        Of the bootstrap.

    Returns
    -------
    dict
        `SCORES`: area under the ROC curve with its 95 % interval, accuracy, precision, recall, F1, Cohen's kappa, average precision,
        Matthews correlation, Brier score and expected calibration error; all dimensionless.

    Raises
    ------
    StageError
        When one class only is present.
    """
    label, probability = np.asarray(label), np.asarray(probability)
    if len(np.unique(label)) < 2:
        raise StageError(f"these {len(label)} rows hold one class only, so no ROC curve exists; use larger blocks or fewer folds")
    low, high = _bootstrap_auc(label, probability, blocks, seed, n_boot)
    return {
        "auc": metrics.roc_auc_score(label, probability), "auc_low": low, "auc_high": high,
        **_class_scores(label == 1, probability >= 0.5), "pr_auc": metrics.average_precision_score(label, probability),
        "brier": float(np.mean((probability - label) ** 2)), "ece": calibration_error(label, probability),
    }  # fmt: skip


def _class_scores(true: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Scores of a two-class decision; 0 where a denominator is 0."""
    n, tp, fp, fn = len(true), np.sum(true & predicted), np.sum(~true & predicted), np.sum(true & ~predicted)
    tn = n - tp - fp - fn
    agreement = (tp + tn) / n
    chance = ((tp + fp) * (tp + fn) + (tn + fp) * (tn + fn)) / n**2
    spread = np.sqrt(float(tp + fp) * float(tp + fn) * float(tn + fp) * float(tn + fn))
    return {
        "accuracy": agreement, "precision": tp / max(tp + fp, 1), "recall": tp / max(tp + fn, 1), "f1": 2 * tp / max(2 * tp + fp + fn, 1),
        "kappa": (agreement - chance) / (1 - chance) if chance < 1 else 0.0,
        "mcc": (float(tp) * tn - float(fp) * fn) / spread if spread else 0.0,
    }  # fmt: skip


def _bootstrap_auc(label, probability, blocks, seed: int, n_boot: int) -> tuple[float, float]:
    """2.5 and 97.5 % quantiles of the AUC over resampled blocks; draws with one class are left out."""
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(blocks == block) for block in np.unique(blocks)]
    draws = []
    for _ in range(n_boot):
        rows = np.concatenate([members[i] for i in rng.integers(len(members), size=len(members))])
        if 0 < label[rows].sum() < len(rows):
            draws.append(metrics.roc_auc_score(label[rows], probability[rows]))
    return (np.nan, np.nan) if not draws else tuple(np.quantile(draws, [0.025, 0.975]))


def calibration_error(label: np.ndarray, probability: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error: mean distance between predicted and observed share over bins of equal width.

    Notes
    -----
    **Source**: Guo et al. 2017, On calibration of modern neural networks, equation 3 (arXiv:1706.04599).

    Examples
    --------
    >>> calibration_error(np.array([0, 1, 1, 1]), np.array([0.2, 0.2, 0.9, 0.9]))   # (|0.5-0.2|*2 + |1-0.9|*2) / 4
    0.2
    """
    index = np.minimum((np.asarray(probability) * bins).astype(int), bins - 1)
    gap = np.bincount(index, weights=np.asarray(label) - np.asarray(probability), minlength=bins)
    return float(round(np.abs(gap).sum() / len(label), 12))


def score_table(guesses: pd.DataFrame, samples: pd.DataFrame, scheme: str, *, block_m: float, seed: int) -> pd.DataFrame:
    """Score the predictions of one scheme: one row per model, ``model`` and `SCORES`."""
    blocks = block_ids(samples["x"], samples["y"], block_m)
    part = guesses[guesses["scheme"] == scheme]
    rows = []
    for model, own in part.groupby("model", sort=False):
        rows.append({"model": model, **scores(own["label"], own["probability"], blocks[own["sample"]], seed=seed)})
    return pd.DataFrame(rows, columns=["model", *SCORES])


def summarise_repeats(folds: pd.DataFrame, model: str) -> pd.DataFrame:
    """One row of a score table from `repeated_scores`: means over the folds, and the 95 % range of their AUC."""
    row = folds[list(SCORES)].mean()
    row[["auc_low", "auc_high"]] = np.quantile(folds["auc"], [0.025, 0.975])
    return pd.DataFrame([{"model": model, **row}])
