"""Samples of an inventory that may be wrong: which labels to doubt, and by how much."""

import numpy as np
import pandas as pd


def confident_errors(label: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Samples whose label is likely wrong, by confident learning.

    A class's threshold is the mean probability of that class over the samples labelled so. A sample
    is *confidently* of a class whose threshold its own probability reaches, of the more probable
    one if it reaches both; it is doubted when that is not its label, nor the more probable class.

    Parameters
    ----------
    label : ndarray of int, shape (n,)
        1 landslide, 0 none.
    probability : ndarray, shape (n,)
        Of a landslide, predicted by models that did not know the sample.

    Returns
    -------
    ndarray of bool, shape (n,)
        The off-diagonal of the confident joint; none where all labels are alike.

    Notes
    -----
    Source: Northcutt et al. (2021), doi:10.1613/jair.1.12125, equations 1 and 2;
    ``cleanlab.filter.find_label_issues(filter_by="confident_learning")`` finds the same.

    Examples
    --------
    >>> confident_errors(np.array([1, 1, 1, 0, 0]), np.array([0.9, 0.8, 0.1, 0.2, 0.1])).tolist()
    [False, False, True, False, False]
    """
    label = np.asarray(label)
    if len(np.unique(label)) < 2:
        return np.zeros(len(label), bool)
    of_class = np.stack([1 - np.asarray(probability), probability], axis=1)
    thresholds = [of_class[label == k, k].mean() for k in (0, 1)]
    reached = np.where(of_class >= thresholds, of_class, -1)
    confident = reached.max(axis=1) >= 0
    other = (reached.argmax(axis=1) != label) & (of_class.argmax(axis=1) != label)
    return confident & other


def positive_unlabelled(samples: pd.DataFrame, probability: np.ndarray) -> pd.DataFrame:
    """Samples in which what carries no label may be a landslide that was overlooked.

    With :math:`g(x)` the probability of a label and :math:`c` its mean over the labelled samples,
    an unlabelled sample is a landslide with the probability

    .. math:: w(x) = \\frac{1 - c}{c} \\cdot \\frac{g(x)}{1 - g(x)}

    and counts as a landslide with this weight and as none with the rest.

    Parameters
    ----------
    samples : DataFrame
        ``label`` (1 landslide, 0 unlabelled) and other columns.
    probability : ndarray, shape (n,)
        g, predicted by models that did not know the sample.

    Returns
    -------
    DataFrame
        All samples with ``weight`` (0–1), then the unlabelled ones once more with ``label`` 1.

    Notes
    -----
    Source: Elkan & Noto (2008), doi:10.1145/1401890.1401920, with their estimator e1 of c. It holds
    where all labels are right, where labels were left out at random, and where the factors tell
    landslides from other ground without doubt.

    Examples
    --------
    >>> some = pd.DataFrame({"label": [1, 0]})
    >>> positive_unlabelled(some, np.array([0.8, 0.5])).round(2).to_numpy().tolist()
    [[1.0, 1.0], [0.0, 0.75], [1.0, 0.25]]
    """
    unlabelled = samples["label"].to_numpy() == 0
    known = np.mean(probability[~unlabelled])
    odds = probability / np.maximum(1 - probability, 1e-9)
    landslide = np.clip((1 - known) / known * odds, 0, 1)
    weighted = samples.assign(weight=np.where(unlabelled, 1 - landslide, 1.0))
    again = samples[unlabelled].assign(label=1, weight=landslide[unlabelled])
    return pd.concat([weighted, again], ignore_index=True)
