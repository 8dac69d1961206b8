"""Doubtful labels and weights of unlabelled samples, by hand and as cleanlab finds them."""

import numpy as np
import pandas as pd
import pytest

from lsa_helpers.samples.cleaning import confident_errors, positive_unlabelled

# Drawn at random; a quarter of the labels is wrong.
LABEL = np.array([1, 1, 0, 1, 0, 1, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1, 0])
PROBABILITY = np.array(
    [
        *[0.41, 0.99, 0.32, 0.14, 0.22, 0.34, 0.53, 0.08, 0.50, 0.44, 0.23, 0.04],
        *[0.89, 0.54, 0.01, 0.16, 0.01, 0.19, 0.01, 0.76, 0.24, 0.64, 0.38, 0.11],
    ]
)


@pytest.mark.parametrize(
    ("label", "probability", "doubted"),
    [
        (LABEL, PROBABILITY, [3]),
        (LABEL, PROBABILITY[::-1], [0, 1, 2, 3, 4, 5, 6, 8, 10, 11, 12, 17, 19, 21]),
        (LABEL[::-1], np.roll(PROBABILITY, 5), [0, 1, 4, 6, 15, 20, 22, 23]),
        (
            np.array([0] * 6 + [1] * 4),
            np.array([0.49, 0.1, 0.4, 0.55, 0.7, 0.6, 0.45, 0.48, 0.3, 0.7]),
            [3, 4, 5, 6, 8],
        ),
    ],
)
def test_doubted_labels_are_those_of_cleanlab(label, probability, doubted):
    """Of cleanlab 2.9.0, ``find_label_issues(filter_by="confident_learning")``."""
    assert np.flatnonzero(confident_errors(label, probability)).tolist() == doubted


def test_right_or_single_labels_are_not_doubted():
    assert not confident_errors(np.array([1, 1, 0]), np.array([0.9, 0.7, 0.2])).any()
    assert not confident_errors(np.array([1, 1]), np.array([0.9, 0.1])).any()


def test_unlabelled_samples_count_in_both_classes():
    """c is the mean of 0.6 and 0.8, so odds of 1/3 and 1 weigh 1/7 and 3/7, and odds of 9 more than
    1, which is cut.
    """
    samples = pd.DataFrame({"label": [1, 0, 1, 0, 0], "slope": [10, 20, 30, 40, 50]})
    weighted = positive_unlabelled(samples, np.array([0.6, 0.25, 0.8, 0.5, 0.9]))
    assert weighted["label"].tolist() == [1, 0, 1, 0, 0, 1, 1, 1]
    assert weighted["slope"].tolist() == [10, 20, 30, 40, 50, 20, 40, 50]
    np.testing.assert_allclose(weighted["weight"], [1, 6 / 7, 1, 4 / 7, 0, 1 / 7, 3 / 7, 1])
    assert weighted.index.is_unique


def test_surely_found_landslides_leave_the_rest_as_it_is():
    """Where every label is as sure as can be, c is 1 and no landslide was overlooked."""
    samples = pd.DataFrame({"label": [1, 1, 0]})
    weighted = positive_unlabelled(samples, np.array([1.0, 1.0, 0.5]))
    assert weighted["weight"].tolist() == [1, 1, 1, 0]
