"""Area of applicability: where cells are unlike all that a model learned from."""

import numpy as np
from sklearn.metrics import pairwise_distances_chunked
from sklearn.neighbors import NearestNeighbors

from lsa_helpers.errors import InputError


def dissimilarity_index(training, cells, folds, weights=None) -> tuple[np.ndarray, float]:
    """How far cells lie from the training samples, and up to where a model was tested.

    Parameters
    ----------
    training : array, shape (n, columns)
        What the model saw of its samples: coded factors, or an embedding.
    cells : array, shape (m, columns)
        The same of the cells asked about; without NaN.
    folds : array of int, shape (n,)
        Fold of each sample in the model's cross-validation.
    weights : array, shape (columns,), optional
        Importance of each column, not below 0; by default all alike.

    Returns
    -------
    index : ndarray, shape (m,)
        0 at a training sample; 1 as far from all of them as they are from each other on average.
    threshold : float
        The largest index of a training sample to those of other folds, outliers left out. Cells
        above it are outside the area of applicability.

    Raises
    ------
    InputError
        When all samples are alike, or lie in one fold.

    Notes
    -----
    Columns are scaled by the mean and standard deviation of the training samples and multiplied by
    their weights; then, with the Euclidean distance d,

    .. math::

        DI_k = \\frac{\\min_i d(k, i)}{\\bar d}, \\qquad
        threshold = \\max \\{DI \\le Q_3 + 1.5 (Q_3 - Q_1)\\}

    with the mean :math:`\\bar d` of the distances of all pairs of training samples. A column that
    does not vary among them is left out: the model cannot have learned from it.

    **Source**: Meyer & Pebesma 2021, Predicting into unknown space? Estimating the area of
    applicability of spatial prediction models, doi:10.1111/2041-210X.13650.

    Examples
    --------
    Samples at 0, 1, 3 and 4, each a fold of its own, are 2.33 apart on average:

    >>> index, threshold = dissimilarity_index([[0], [1], [3], [4]], [[0], [7]], [0, 1, 2, 3])
    >>> index.round(3).tolist(), round(threshold, 3)
    ([0.0, 1.286], 0.429)
    """
    training, cells = np.asarray(training, np.float64), np.asarray(cells, np.float64)
    folds = np.asarray(folds)
    deviation = training.std(axis=0)
    weights = np.ones(len(deviation)) if weights is None else np.asarray(weights, np.float64)
    used = (deviation > 0) & (weights > 0)
    if not used.any() or len(np.unique(folds)) < 2:
        raise InputError(
            "no dissimilarity can be told from these samples",
            found=f"{used.sum()} columns that vary and count, {len(np.unique(folds))} folds",
            fix="Give samples of several folds that differ in a factor of weight",
        )
    # Distances do not depend on the means, so nothing is centred.
    scale = weights[used] / deviation[used]
    training, cells = training[:, used] * scale, cells[:, used] * scale
    mean = _mean_distance(training)
    index = _nearest(training, cells) / mean
    apart = np.empty(len(training))
    for fold in np.unique(folds):
        apart[folds == fold] = _nearest(training[folds != fold], training[folds == fold]) / mean
    low, high = np.quantile(apart, [0.25, 0.75])
    return index, float(apart[apart <= high + 1.5 * (high - low)].max())


def _nearest(training: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Distance of each cell to the nearest training sample, (m,)."""
    # Trees are no faster than all distances at once where columns are many.
    nearest = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(training)
    return nearest.kneighbors(cells)[0][:, 0]


def _mean_distance(training: np.ndarray) -> float:
    """Mean distance of all pairs of different samples, block by block."""
    n = len(training)
    sums = pairwise_distances_chunked(training, reduce_func=lambda part, _: part.sum(axis=1))
    return float(sum(part.sum() for part in sums) / (n * (n - 1)))
