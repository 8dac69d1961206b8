"""How far one susceptibility map is from another, and what that does to its scores."""

import numpy as np
from scipy.stats import rankdata, spearmanr

from lsa_helpers.validation.bootstrap import within_groups_auc


def map_change(
    values: np.ndarray,
    before: np.ndarray,
    label: np.ndarray,
    n_classes: int = 5,
    fold: np.ndarray | int = 0,
) -> dict[str, float]:
    """Compare a map with one of the same cells.

    Parameters
    ----------
    values, before : ndarray, shape (cells,)
        Susceptibility of the map and of the one it is compared with, without NaN.
    label : ndarray of bool, shape (cells,)
        Where a landslide is; some cells are, and some are not.
    n_classes : int
        Classes of equal area, so that no frequency ratio rises because its class is small.
    fold : ndarray of int, shape (cells,), or int
        Of each cell, where another model mapped each fold: the AUC counts pairs of one fold only,
        as in `within_groups_auc`.

    Returns
    -------
    dict
        ``auc`` and ``fr``, the frequency ratio of the highest class; ``auc_change`` and
        ``fr_change`` against the other map; ``map_rank``, Spearman's correlation of the two;
        ``class_changed``, the share of cells that are in another class.

    Examples
    --------
    >>> label = np.array([False, False, False, True])
    >>> map_change([0.1, 0.3, 0.2, 0.4], [0.1, 0.2, 0.4, 0.3], label, 2)["class_changed"]
    0.5
    """
    classes = [np.ceil(n_classes * rankdata(one) / len(one)) for one in (values, before)]
    ratios = [n_classes * np.sum(one[label] == n_classes) / np.sum(label) for one in classes]
    fold = np.broadcast_to(fold, len(label))
    scores = [within_groups_auc(label, one, fold) for one in (values, before)]
    return {
        "auc": float(scores[0]),
        "auc_change": float(scores[0] - scores[1]),
        "fr": float(ratios[0]),
        "fr_change": float(ratios[0] - ratios[1]),
        "map_rank": float(spearmanr(values, before).statistic),
        "class_changed": float(np.mean(classes[0] != classes[1])),
    }
