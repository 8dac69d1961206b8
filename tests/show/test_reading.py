"""Sentences about a run's numbers turn where the numbers do."""

import numpy as np
import pandas as pd
import pytest

from lsa_helpers.show import reading_factors, reading_scores

NAMES = {"slope": "Slope", "road": "Road", "rock": "Rock"}


@pytest.mark.parametrize(
    ("factors", "words"),
    [(0.8, "the factors add 0.100"), (0.7, "add nothing"), (0.6, "0.100 worse than that")],
)
def test_what_factors_add_to_the_place_may_be_nothing(factors, words):
    table = pd.DataFrame({"all": [0.95, factors], "place": [0.9, 0.7]}, ["single cells", "blocks"])
    text = reading_factors.splits(table)
    assert words in text
    assert f"from 0.950 to {factors:.3f} ({factors - 0.95:+.3f})" in text
    assert "it still has 0.700 (0.5 is guessing), as landslides come in clusters" in text
    table["place"] = [0.9, 0.48]
    text = reading_factors.splits(table)
    assert "it has 0.480, no better than guessing (0.5);" in text and "clusters" not in text


def test_rankings_name_the_farthest_pair_and_who_moves():
    means = pd.DataFrame(
        {"impurity": [3.0, 2, 1], "permutation": [3.0, 2, 1], "gain ratio": [1.0, 2, 3]},
        index=list(NAMES),
    )
    text = reading_factors.rankings(means, means.corr("kendall"), NAMES)
    assert "Closest are permutation and impurity (1.00)" in text
    assert "farthest gain ratio and impurity (-1.00)" in text
    assert "Slope moves most between these two: rank 3 of 3 by gain ratio, 1 by impurity" in text
    assert "truth" not in text


def test_the_overrated_factor_is_found_by_its_ranks():
    means = pd.DataFrame({"permutation": [1.0, 3, 2], "truth": [0.3, -0.1, 0.2]}, list(NAMES))
    matrix = pd.DataFrame([[1, -0.6], [-0.6, 1]], ["slope", "road"], ["slope", "road"])
    text = reading_factors.overrated(means, matrix, NAMES, NAMES)
    assert text.startswith("Road: rank 1 of 3 by permutation, 3 by its true share, -0.100")
    assert "goes with Slope (-0.60)" in text
    assert "unknown" in reading_factors.overrated(means[["permutation"]], matrix, NAMES, NAMES)


def test_slope_classes_by_hand():
    classes = pd.IntervalIndex.from_breaks([0, 20, 40, 90], closed="left")
    land, slid = pd.Series([0.3, 0.6, 0.1], classes), pd.Series([0, 0.5, 0.5], classes)
    means = pd.DataFrame({"permutation": [1.0, 3, 2], "truth": [0.3, -0.1, 0.2]}, list(NAMES))
    text = reading_factors.slope_classes(land, slid, 0.55, means)
    assert text.startswith("Rank of slope among 3 factors: 3 by permutation, 1 by its true share.")
    assert "ratio is 5.0; 10.0% of the land is so steep, and 60% lies" in text
    assert "tells little by itself (0.5 is guessing), and a cause that few cells show" in text
    assert "gentler ground" in reading_factors.slope_classes(land, slid, 0.3, means)
    gentle = reading_factors.slope_classes(land, slid.iloc[::-1].set_axis(classes), 0.55, means)
    assert "ratio is 0.0" in gentle and "counts for little" not in gentle
    flat = reading_factors.slope_classes(pd.Series([1.0, 0, 0], classes), slid, 0.8, means.iloc[1:])
    assert flat.startswith("No land")
    assert "by itself" in flat


def score_table():
    """CNN and logistic regression."""
    return pd.DataFrame({"auc_within": [0.8, 0.7, 0.75]}, index=["cnn", "logistic", "coordinates"])


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        ([(-0.1, 0.2), (-0.3, 0.1)], "leaves out 0: 0 of 2, so no ranking of them is shown."),
        ([(0.01, 0.2), (-0.3, 0.1)], "leaves out 0: 1 of 2.\n"),
        ([(0.01, 0.2), (-0.3, -0.1)], "leaves out 0: 2 of 2.\n"),
        ([(np.nan, np.nan)], "with 0.800.\n"),
        ([], "with 0.800.\n"),
    ],
)
def test_differences_rank_models_and_overlaps_do_not(ends, words):
    spatial = score_table()
    random = spatial.assign(auc_within=spatial["auc_within"] + [0.1, 0.02, 0.05])
    differences = pd.DataFrame(ends, columns=["low", "high"])
    text = reading_scores.scores(random, spatial, ["cnn", "logistic"], differences)
    assert words in text
    assert "most to CNN (+0.100) and least to Logistic regression (+0.020)" in text
    assert text.endswith("No better than that: Logistic regression.")
    spatial["auc_true"] = [0.6, 0.7, 0.65]
    text = reading_scores.scores(random, spatial, ["cnn", "logistic"], differences)
    assert text.endswith("Logistic regression; by the true landslides: CNN.")


@pytest.mark.parametrize(
    ("outside", "words"),
    [
        (0.7, "AUC is 0.700 (-0.100): this one cluster carries part of the result"),
        (0.8, "does not rest on it"),
        (np.nan, "samples nothing is left to score.\n"),
    ],
)
def test_a_cluster_carries_the_result_or_does_not(outside, words):
    table = pd.DataFrame(
        {
            "fold 1": [0.7, 0.6],
            "fold 2": [0.9, 0.6],
            "all": [0.8, 0.75],
            "outside the frame": outside,
        },
        index=["cnn", "rf"],
    )
    text = reading_scores.folds(table, "cnn", ["cnn", "rf"], 0.45, 3)
    assert words in text
    assert "0.700 in one fold and 0.900 in another; the models differ by 0.050" in text
    assert ("3 folds, each" in text, "1 folds, each" in text) == (True, False)


def test_best_score_and_best_map_may_be_two_models():
    auc = pd.Series({"cnn": 0.8, "logistic": 0.7})
    agreement = pd.Series({"cnn": 0.5, "logistic": 0.6})
    text = reading_scores.truth(auc, auc, agreement)
    assert "Closest to the order of the truth: Logistic regression (0.60)" in text
    assert "number 2 of 2 by its AUC in blocks and number 1" in text
    assert "are not one model (without an interval" in text
    assert "not one model" not in reading_scores.truth(auc, auc, auc)


@pytest.mark.parametrize(("here", "words"), [(5.0, "is reproduced"), (1.0, "is not reproduced")])
def test_the_papers_order_is_compared(here, words):
    table = pd.DataFrame({"printed": [12.0, 4.0], "here": [here, 2.0]}, ["cnn", "rf"])
    text = reading_scores.paper_order(table)
    assert words in text
    assert "by a factor of 3.0" in text


def test_ceilings_are_told_apart_and_calibration_names_the_shyest():
    text = reading_scores.ceilings(
        {"oracle": 0.9, "reachable": 0.87}, {"oracle": 0.96, "reachable": 0.94}
    )
    assert "0.900 on the samples, 0.960 on the map" in text
    table = pd.DataFrame(
        {
            "recall": [0.2, 0.7],
            "recall_youden": [0.8, 0.7],
            "threshold_youden": [0.2, 0.5],
            "ece": [0.2, 0.1],
        },
        index=["rf", "logistic"],
    )
    text = reading_scores.calibration(table)
    assert "Random forest calls 20% of the landslide cells landslide at 0.5, and 80%" in text
    assert "order is better than its level" in text
    lower = reading_scores.calibration(table.assign(recall_youden=[0.1, 0.7]))
    assert "order is better" not in lower
    assert "Smallest gap: Logistic regression (0.10)" in text


def test_correlations_are_listed_strongest_first():
    matrix = pd.DataFrame([[1, 0.3, -0.8], [0.3, 1, 0.4], [-0.8, 0.4, 1]], list(NAMES), list(NAMES))
    text = reading_factors.correlations(matrix, NAMES, 10.0)
    assert text.startswith(
        "Strongest: Rock and Slope -0.80; Rock and Road +0.40; Road and Slope +0.30."
    )
    assert "2 of 3 pairs reach 0.4" in text
    assert "R² of 0.90" in text
    assert reading_factors.listed(np.array([])) == "none"


@pytest.mark.parametrize(
    ("n", "low", "words"),
    [(0, 0, "Nothing"), (2, -0.01, "-0.020; the interval holds 0"), (2, 0.01, "-0.020, more than")],
)
def test_what_dropping_factors_cost(n, low, words):
    rows = {"factors": ["all", "selected", "cost"], "n": [15, 15 - n, n], "auc": [0.8, 0.78, 0.02]}
    assert words in reading_factors.dropping(pd.DataFrame(rows | {"low": low, "high": 0.05}))
