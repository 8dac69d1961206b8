"""The dissimilarity index by hand, and against all distances by SciPy."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist, pdist

from lsa_helpers.errors import InputError
from lsa_helpers.validation import dissimilarity_index


def brute_force(training, cells, folds, weights):
    """The equations of Meyer & Pebesma 2021, section 2.1, one after the other."""
    mean, deviation = training.mean(axis=0), training.std(axis=0, ddof=1)
    training, cells = ((rows - mean) / deviation * weights for rows in (training, cells))
    average = pdist(training).mean()
    of_training = [
        min(cdist(training[[k]], training[folds != folds[k]])[0]) / average
        for k in range(len(training))
    ]
    low, high = np.percentile(of_training, [25, 75])
    kept = [value for value in of_training if value <= high + 1.5 * (high - low)]
    return cdist(cells, training).min(axis=1) / average, max(kept)


@pytest.mark.known_by("brute force", "Area of applicability")
def test_it_is_what_all_distances_say():
    rng = np.random.default_rng(3)
    training = rng.normal(size=(60, 4)) * [1, 10, 0.1, 3] + [0, 1000, 5, -2]
    training[0] *= 3  # an outlier among the training samples
    cells, folds = training.mean(axis=0) + rng.normal(size=(25, 4)), rng.integers(5, size=60)
    weights = np.array([0.5, 2.0, 1.0, 0.1])
    index, limit = dissimilarity_index(training, cells, folds, weights)
    expected, expected_limit = brute_force(training, cells, folds, weights)
    np.testing.assert_allclose(index, expected, rtol=1e-6)
    assert limit == pytest.approx(expected_limit)


@pytest.mark.known_by("values by hand", "Area of applicability")
def test_by_hand():
    """Samples at 0, 1, 3 and 4: pairs 1, 3, 4, 2, 3, 1 apart, 14/6 on average. In two folds, {0, 4}
    and {1, 3}, each is 1 from the nearest of the other fold: the limit is 6/14.
    """
    index, limit = dissimilarity_index([[0], [1], [3], [4]], [[2], [3], [11]], [0, 1, 1, 0])
    assert index.tolist() == pytest.approx([6 / 14, 0, 7 * 6 / 14])
    assert limit == pytest.approx(6 / 14)


def test_a_factor_of_no_weight_or_that_never_varied_is_not_looked_at():
    training = np.array([[0, 7, 5], [1, 7, 9], [3, 7, 1], [4, 7, 3.0]])
    cells = np.array([[2, 7, 0], [2, 100, 1e6]])
    index, _ = dissimilarity_index(training, cells, [0, 1, 1, 0], [1, 1, 0])
    assert index.tolist() == pytest.approx([6 / 14] * 2)


@pytest.mark.parametrize(
    ("training", "folds"), [([[1], [1]], [0, 1]), ([[1], [2]], [0, 0])], ids=["alike", "one fold"]
)
def test_samples_that_tell_nothing_are_refused(training, folds):
    with pytest.raises(InputError, match="No dissimilarity"):
        dissimilarity_index(training, [[0]], folds)
