"""Scores of predicted probabilities, with intervals that know neighbours are not independent."""

import numpy as np
import pandas as pd
from sklearn import metrics

from lsa_helpers.errors import StageError
from lsa_helpers.samples import block_ids

#: Columns of the score tables after ``model``.
SCORES = (
    "auc",
    "auc_low",
    "auc_high",
    "accuracy",
    "precision",
    "recall",
    "f1",
    "kappa",
    "pr_auc",
    "mcc",
    "brier",
    "ece",
    "prevalence",
    "threshold_youden",
    "accuracy_youden",
    "precision_youden",
    "recall_youden",
    "f1_youden",
    "kappa_youden",
    "pr_auc_low",
    "pr_auc_high",
    "brier_low",
    "brier_high",
)
#: Scores with an interval.
WITH_INTERVAL = ("auc", "pr_auc", "brier")


def scores(
    label: np.ndarray,
    probability: np.ndarray,
    blocks: np.ndarray,
    *,
    seed: int = 0,
    n_boot: int = 200,
) -> dict[str, float]:
    """Score predictions; classes are cut at probability 0.5, and once more at Youden's threshold.

    Parameters
    ----------
    label : ndarray of 0 and 1, shape (n,)
    probability : ndarray, shape (n,)
        In 0–1.
    blocks : ndarray of int, shape (n,)
        Spatial block of each row: the intervals resample whole blocks, because neighbours are not
        independent.
    seed, n_boot : int
        Of the bootstrap.

    Returns
    -------
    dict
        `SCORES`, all dimensionless: area under the ROC curve, accuracy, precision, recall, F1,
        Cohen's kappa, average precision (``pr_auc``), Matthews correlation, Brier score and
        expected calibration error; ``prevalence``, the share of landslides and so the average
        precision of guessing; `youden_threshold` and what is cut there (``_youden``); 95 %
        intervals (``_low``, ``_high``), NaN with fewer than 2 blocks.

    Raises
    ------
    StageError
        When one class only is present.
    """
    label, probability = np.asarray(label), np.asarray(probability)
    if len(np.unique(label)) < 2:
        raise StageError(
            f"these {len(label)} rows hold one class only, so no ROC curve exists; use larger blocks or fewer folds"
        )
    best = youden_threshold(label, probability)
    at_best = {
        f"{name}_youden": value
        for name, value in _class_scores(label == 1, probability >= best).items()
        if name != "mcc"
    }
    found = {
        **dict(zip(WITH_INTERVAL, _smooth_scores(label, probability), strict=True)),
        **_class_scores(label == 1, probability >= 0.5),
        "ece": calibration_error(label, probability),
        "prevalence": float(label.mean()),
        "threshold_youden": best,
        **at_best,
        **_intervals(label, probability, blocks, seed, n_boot),
    }
    return {name: found[name] for name in SCORES}


def youden_threshold(label: np.ndarray, probability: np.ndarray) -> float:
    """The threshold that parts the classes best: where recall minus the false positive rate is
    largest.

    Chosen on the very predictions it then cuts, so scores at this threshold are a little
    optimistic.

    Parameters
    ----------
    label : ndarray of 0 and 1, shape (n,)
        Both must occur.
    probability : ndarray, shape (n,)

    Returns
    -------
    float
        One of the probabilities, the highest of those that part equally well; a landslide is called
        at or above it.

    Notes
    -----
    **Source**: Youden 1950, Index for rating diagnostic tests,
    doi:10.1002/1097-0142(1950)3:1<32::AID-CNCR2820030106>3.0.CO;2-3.

    Examples
    --------
    >>> youden_threshold(np.array([0, 0, 1, 0, 1]), np.array([0.1, 0.2, 0.3, 0.4, 0.9]))   # recall 1, false positives 1 of 3
    0.3
    """
    false, true, threshold = metrics.roc_curve(label, probability, drop_intermediate=False)
    # The first point of the curve calls nothing a landslide and has no finite threshold.
    return float(threshold[1:][np.argmax((true - false)[1:])])


def _smooth_scores(label, probability) -> tuple[float, float, float]:
    """Area under the ROC curve, average precision, Brier score."""
    area, precision = (
        metrics.roc_auc_score(label, probability),
        metrics.average_precision_score(label, probability),
    )
    return float(area), float(precision), float(np.mean((probability - label) ** 2))


def _class_scores(true: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Scores of a two-class decision; 0 where a denominator is 0."""
    n, tp, fp, fn = (
        len(true),
        np.sum(true & predicted),
        np.sum(~true & predicted),
        np.sum(true & ~predicted),
    )
    tn = n - tp - fp - fn
    agreement = (tp + tn) / n
    chance = ((tp + fp) * (tp + fn) + (tn + fp) * (tn + fn)) / n**2
    spread = np.sqrt(float(tp + fp) * float(tp + fn) * float(tn + fp) * float(tn + fn))
    return {
        "accuracy": agreement,
        "precision": tp / max(tp + fp, 1),
        "recall": tp / max(tp + fn, 1),
        "f1": 2 * tp / max(2 * tp + fp + fn, 1),
        "kappa": (agreement - chance) / (1 - chance) if chance < 1 else 0.0,
        "mcc": (float(tp) * tn - float(fp) * fn) / spread if spread else 0.0,
    }


def _intervals(label, probability, blocks, seed: int, n_boot: int) -> dict[str, float]:
    """2.5 and 97.5 % quantiles of `_smooth_scores` over resampled blocks; draws with one class are
    left out.
    """
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(blocks == block) for block in np.unique(blocks)]
    draws = []
    # One block drawn again and again is always the same: that is no narrow interval but none.
    for _ in range(n_boot if len(members) > 1 else 0):
        rows = np.concatenate([members[i] for i in rng.integers(len(members), size=len(members))])
        if 0 < label[rows].sum() < len(rows):
            draws.append(_smooth_scores(label[rows], probability[rows]))
    ends = (
        np.quantile(draws, [0.025, 0.975], axis=0)
        if draws
        else np.full((2, len(WITH_INTERVAL)), np.nan)
    )
    return {
        f"{name}_{end}": values[i]
        for end, values in zip(("low", "high"), ends, strict=True)
        for i, name in enumerate(WITH_INTERVAL)
    }


def calibration_error(label: np.ndarray, probability: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error: mean distance between predicted and observed share over bins of
    equal width.

    Notes
    -----
    **Source**: Guo et al. 2017, On calibration of modern neural networks, equation 3
    (arXiv:1706.04599).

    Examples
    --------
    >>> calibration_error(np.array([0, 1, 1, 1]), np.array([0.2, 0.2, 0.9, 0.9]))   # (|0.5-0.2|*2 + |1-0.9|*2) / 4
    0.2
    """
    index = np.minimum((np.asarray(probability) * bins).astype(int), bins - 1)
    gap = np.bincount(index, weights=np.asarray(label) - np.asarray(probability), minlength=bins)
    return float(round(np.abs(gap).sum() / len(label), 12))


def score_table(
    guesses: pd.DataFrame, samples: pd.DataFrame, scheme: str, *, block_m: float, seed: int
) -> pd.DataFrame:
    """Score the predictions of one scheme: one row per model, ``model`` and `SCORES`."""
    blocks = block_ids(samples["x"], samples["y"], block_m)
    part = guesses[guesses["scheme"] == scheme]
    rows = []
    for model, own in part.groupby("model", sort=False):
        rows.append(
            {
                "model": model,
                **scores(own["label"], own["probability"], blocks[own["sample"]], seed=seed),
            }
        )
    return pd.DataFrame(rows, columns=["model", *SCORES])


def summarise_repeats(folds: pd.DataFrame, model: str) -> pd.DataFrame:
    """One row of a score table from `repeated_scores`: means over the folds, and the 95 % ranges of
    their scores.
    """
    row = folds[list(SCORES)].mean()
    for name in WITH_INTERVAL:
        row[[f"{name}_low", f"{name}_high"]] = np.quantile(folds[name], [0.025, 0.975])
    return pd.DataFrame([{"model": model, **row}])
