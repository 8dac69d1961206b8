"""Scores of predicted probabilities, with intervals that know neighbours are not independent."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import xarray as xr
from sklearn import metrics
from sklearn.base import clone
from threadpoolctl import threadpool_limits

from lsa_helpers.errors import StageError
from lsa_helpers.validation.bootstrap import (
    N_DRAWS,
    block_weights,
    interval,
    weighted_auc,
    weighted_precision,
    within_groups_auc,
)
from lsa_helpers.validation.splitter import block_numbers, landslide_groups
from lsa_helpers.validation.truth import at_samples

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
#: Further columns of a table of several folds, and of one whose truth is known.
WITHIN_FOLDS = ("auc_within", "auc_within_low", "auc_within_high")
TRUE_SCORES = ("auc_true", "auc_true_low", "auc_true_high")
#: Scores of the probabilities themselves, which get an interval.
_OF_PROBABILITIES = ("auc", "pr_auc", "brier")


def scores(
    label, probability, blocks, *, seed: int = 0, n_draws: int = N_DRAWS
) -> dict[str, float]:
    """Score predictions; classes are cut at probability 0.5, and once more at Youden's threshold.

    Parameters
    ----------
    label : array of 0 and 1, shape (n,)
    probability : array, shape (n,)
        In 0–1.
    blocks : array of int, shape (n,)
        Spatial block of each row: the intervals resample whole blocks, because neighbours are not
        independent.
    seed, n_draws : int
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
    label = np.asarray(label)
    probability = np.asarray(probability)
    if len(np.unique(label)) < 2:
        raise StageError(
            f"these {len(label)} rows hold one class only, so no ROC curve exists; use larger "
            "blocks or fewer folds"
        )
    best = youden_threshold(label, probability)
    at_best = _decision_scores(label, probability >= best)
    values = {
        **_decision_scores(label, probability >= 0.5),
        **{f"{name}_youden": value for name, value in at_best.items()},
        "ece": calibration_error(label, probability),
        "prevalence": label.mean(),
        "threshold_youden": best,
    }
    weights = block_weights(blocks, n_draws, seed)
    for name, drawn in drawn_scores(label, probability, weights).items():
        values[name], values[f"{name}_low"], values[f"{name}_high"] = interval(drawn)
    return {name: float(values[name]) for name in SCORES}


def drawn_scores(
    label: np.ndarray, probability: np.ndarray, weights: np.ndarray
) -> dict[str, np.ndarray]:
    """The scores of the probabilities themselves under every row of weights at once.

    Parameters
    ----------
    label : ndarray of 0 and 1, shape (n,)
    probability : ndarray, shape (n,)
        In 0–1.
    weights : ndarray, shape (draws, n)
        From `block_weights`.

    Returns
    -------
    dict
        ``auc``, ``pr_auc`` and ``brier``, each of shape (draws,): for `interval`, and for
        `paired_differences` between predictions of the same rows.
    """
    return {
        "auc": weighted_auc(label, probability, weights),
        "pr_auc": weighted_precision(label, probability, weights),
        "brier": weights @ (probability - label) ** 2 / weights.sum(axis=1),
    }


def _decision_scores(label, decision) -> dict[str, float]:
    """Scores of a two-class decision; 0 where a denominator is 0."""
    kappa = 0.0 if np.ptp(label) == 0 else metrics.cohen_kappa_score(label, decision)
    return {
        "accuracy": metrics.accuracy_score(label, decision),
        "precision": metrics.precision_score(label, decision, zero_division=0),
        "recall": metrics.recall_score(label, decision, zero_division=0),
        "f1": metrics.f1_score(label, decision, zero_division=0),
        "kappa": kappa,
        "mcc": metrics.matthews_corrcoef(label, decision),
    }


def youden_threshold(label: np.ndarray, probability: np.ndarray) -> float:
    """The threshold where recall minus the false positive rate is largest.

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
    Here recall is 1 and one of three others is called a landslide:

    >>> youden_threshold(np.array([0, 0, 1, 0, 1]), np.array([0.1, 0.2, 0.3, 0.4, 0.9]))
    0.3
    """
    false, true, threshold = metrics.roc_curve(label, probability, drop_intermediate=False)
    # The first point of the curve calls nothing a landslide and has no finite threshold.
    return float(threshold[1:][np.argmax((true - false)[1:])])


def calibration_error(label: np.ndarray, probability: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error: mean gap between predicted and observed share over equal bins.

    Parameters
    ----------
    label : ndarray of 0 and 1, shape (n,)
    probability : ndarray, shape (n,)
        In 0–1.
    bins : int
        Number of bins of equal width; with few rows a bin, chance alone makes a gap.

    Returns
    -------
    float
        In 0–1.

    Notes
    -----
    With B bins, of which bin b holds :math:`n_b` of the n rows, observed share :math:`o_b` and mean
    probability :math:`p_b`:

    .. math::

        ECE = \\sum_{b=1}^{B} \\frac{n_b}{n} \\, |o_b - p_b|

    **Source**: Guo et al. 2017, On calibration of modern neural networks, equation 3
    (arXiv:1706.04599).

    Examples
    --------
    ``(|0.5 − 0.2| · 2 + |1 − 0.9| · 2) / 4``:

    >>> calibration_error(np.array([0, 1, 1, 1]), np.array([0.2, 0.2, 0.9, 0.9]))
    0.2
    """
    index = np.minimum((np.asarray(probability) * bins).astype(int), bins - 1)
    gap = np.bincount(index, weights=np.asarray(label) - np.asarray(probability), minlength=bins)
    return float(round(np.abs(gap).sum() / len(label), 12))


def score_table(
    predictions: pd.DataFrame,
    samples: pd.DataFrame,
    scheme: str,
    *,
    block_m: float,
    seed: int,
    truth: xr.Dataset | None = None,
) -> pd.DataFrame:
    """Score the predictions of one scheme: one row per model, ``model``, `SCORES` and
    ``auc_within, auc_within_low, auc_within_high``.

    The scores pool the predictions of all folds, as a ROC curve does. ``auc_within`` counts pairs
    of rows of the same fold alone, which one model predicted: see `within_groups_auc`.

    Parameters
    ----------
    predictions : DataFrame
        ``scheme, model, sample`` (row of the table), ``fold, label, probability``.
    samples : DataFrame
        With the coordinates ``x, y``, m.
    scheme : str
        Which of the predictions: apparent, random or spatial.
    block_m : float
        Edge of the blocks that are resampled, m.
    seed : int
        Of the bootstrap.
    truth : Dataset, optional
        From `read_truth`; the last columns are then ``auc_true, auc_true_low, auc_true_high``, the
        same pairs' AUC for the true landslides in the samples' cells.
    """
    blocks = block_numbers(samples["x"], samples["y"], block_m)
    rows = []
    of_scheme = predictions[predictions["scheme"] == scheme]
    for model, part in of_scheme.groupby("model", sort=False):
        block = blocks[part["sample"]]
        row = {"model": model, **scores(part["label"], part["probability"], block, seed=seed)}
        labels = {WITHIN_FOLDS: part["label"]}
        if truth is not None:
            true_label = at_samples(truth["landslide"], samples.loc[part["sample"]])
            labels[TRUE_SCORES] = true_label.astype(int)
        weights = block_weights(block, N_DRAWS, seed)
        for names, label in labels.items():
            drawn = within_groups_auc(label, part["probability"], part["fold"], weights)
            row |= dict(zip(names, interval(drawn), strict=True))
        rows.append(row)
    columns = ["model", *SCORES, *WITHIN_FOLDS, *(TRUE_SCORES if truth is not None else ())]
    return pd.DataFrame(rows, columns=columns)


def repeated_scores(estimator, samples: pd.DataFrame, splitters: Iterable) -> pd.DataFrame:
    """Score an estimator in each fold of repeated cross-validations.

    Parameters
    ----------
    estimator : scikit-learn classifier
        Untrained; it is cloned for each fold.
    samples : DataFrame
        With ``label``, and ``landslide_id`` where a landslide has several rows, which stay in one
        fold where the splitter keeps groups.
    splitters : iterable of splitter
        One per repetition, for example ``KMeansFold(5, random_state=repeat)``.

    Returns
    -------
    DataFrame
        ``repeat, fold`` and `SCORES` of every fold with both classes (without intervals).

    Raises
    ------
    StageError
        When there is no such fold.

    Notes
    -----
    **Source**: Lovelace, Nowosad & Muenchow, Geocomputation with R, chapter 12 (southern Ecuador).
    """
    label = samples["label"]
    groups = landslide_groups(samples.get("landslide_id", np.full(len(samples), -1)))
    rows = []
    for repeat, splitter in enumerate(splitters):
        for fold, (train, test) in enumerate(splitter.split(samples, label, groups)):
            if label.iloc[train].nunique() == 2 == label.iloc[test].nunique():
                with threadpool_limits(1):  # several threads would only wait for each other
                    fitted = clone(estimator).fit(samples.iloc[train], label.iloc[train])
                    probability = fitted.predict_proba(samples.iloc[test])[:, 1]
                scored = scores(label.iloc[test], probability, np.zeros(len(test)))
                rows.append({"repeat": repeat, "fold": fold, **scored})
    if not rows:
        raise StageError("none of the folds holds both classes; lower n_folds")
    return pd.DataFrame(rows)


def summarise_repeats(folds: pd.DataFrame, model: str) -> pd.DataFrame:
    """One row of a score table from `repeated_scores`: means and 95 % ranges over the folds."""
    row = folds[list(SCORES)].mean()
    for name in _OF_PROBABILITIES:
        row[[f"{name}_low", f"{name}_high"]] = np.quantile(folds[name], [0.025, 0.975])
    return pd.DataFrame([{"model": model, **row}])
