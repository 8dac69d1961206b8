"""Spatial folds: by hand, their promises on any samples, and inside scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    RandomizedSearchCV,
    StratifiedGroupKFold,
    cross_val_predict,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lsa_helpers.errors import InputError, StageError
from lsa_helpers.validation import (
    KMeansFold,
    SpatialBlockKFold,
    beyond_buffer,
    landslide_groups,
)


@st.composite
def landscapes(draw):
    """Places, labels and landslides of several cells, in an area of 1,000 m."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_landslides = draw(st.integers(8, 40))
    centres = rng.random((n_landslides, 2)) * 1000
    number = np.repeat(np.arange(n_landslides), rng.integers(1, 5, n_landslides))
    slides = centres[number] + rng.normal(0, 15, (len(number), 2))
    others = rng.random((draw(st.integers(40, 120)), 2)) * 1000
    table = pd.DataFrame(np.vstack([slides, others]), columns=["x", "y"])
    table["landslide_id"] = np.append(number, np.full(len(others), -1))
    table["label"] = (table["landslide_id"] >= 0).astype(int)
    return table.sample(frac=1, random_state=0, ignore_index=True)


@settings(max_examples=40)
@given(landscapes(), st.sampled_from([0.0, 20.0, 60.0]), st.integers(0, 99))
@pytest.mark.known_by("properties of random landscapes", "Spatial folds")
def test_the_promises_of_spatial_blocks(table, buffer_m, seed):
    """Every row is tested once, no landslide is in two folds, and no square window of the buffer's
    edge sees a training and a test row.
    """
    splitter = SpatialBlockKFold(3, block_m=125, buffer_m=buffer_m, random_state=seed)
    try:
        parts = list(splitter.split(table, table["label"]))
    except InputError:
        assume(False)
    tested = np.concatenate([test for _, test in parts])
    assert sorted(tested) == list(range(len(table)))
    place = table[["x", "y"]].to_numpy()
    for train, test in parts:
        gap = np.abs(place[train][:, None] - place[test][None]).max(axis=2).min()
        assert gap >= buffer_m
        shared = set(table["landslide_id"][train]) & set(table["landslide_id"][test])
        assert shared <= {-1}
        assert table["label"][test].nunique() == 2


def test_blocks_are_dealt_fullest_first_by_hand():
    """Blocks with 4, 3, 2 and 1 landslide cells: 4 to fold 0, 3 and then 2 to fold 1, 1 to fold 0,
    so that each has five.
    """
    counts = [4, 3, 2, 1]
    x = np.repeat(np.arange(4) * 10 + 5.0, np.array(counts) + 1)
    label = np.concatenate([[1] * count + [0] for count in counts])
    table = pd.DataFrame({"x": x, "y": 5.0})
    fold = SpatialBlockKFold(2, block_m=10).fold_numbers(table, label)
    assert fold.tolist() == [0] * 5 + [1] * 4 + [1] * 3 + [0] * 2


def test_landslides_are_shared_out_more_evenly_than_by_scikit_learn(sampled):
    _, table = sampled
    blocks = (table["x"] // 200).astype(str) + (table["y"] // 200).astype(str)
    other = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    theirs = [
        table["label"].iloc[test].sum() for _, test in other.split(table, table["label"], blocks)
    ]
    ours = table.groupby("fold")["label"].sum()
    assert np.ptp(ours) < np.ptp(theirs)


def test_groups_default_to_the_landslides_of_the_table(sampled):
    _, table = sampled
    splitter = SpatialBlockKFold(5, block_m=200)
    bare = table[["x", "y"]]
    default = splitter.fold_numbers(table, table["label"])
    given = splitter.fold_numbers(bare, table["label"], table["landslide_id"])
    grouped = splitter.fold_numbers(bare, table["label"], landslide_groups(table["landslide_id"]))
    np.testing.assert_array_equal(default, given)
    np.testing.assert_array_equal(default, grouped)
    assert (default != splitter.fold_numbers(bare, table["label"])).any()


def test_splitters_work_inside_scikit_learn(sampled):
    """`cross_val_predict` and a search inside it take them, and `clone` keeps their settings."""
    _, table = sampled
    X, y = table[["x", "y", "landslide_id", "slope"]], table["label"]
    model = make_pipeline(StandardScaler(), LogisticRegression())
    space = {"logisticregression__C": [0.1, 10.0]}
    search = RandomizedSearchCV(model, space, n_iter=2, cv=KMeansFold(3), scoring="roc_auc")
    outer = SpatialBlockKFold(4, block_m=200, buffer_m=30)
    probability = cross_val_predict(search, X, y, cv=outer, method="predict_proba")
    assert probability.shape == (len(X), 2)
    assert clone(search).cv.n_splits == 3
    assert outer.get_n_splits() == 4


def test_clusters_keep_landslides_whole_and_hold_both_classes(sampled):
    _, table = sampled
    splitter = KMeansFold(5, random_state=3)
    parts = list(splitter.split(table, table["label"]))
    assert splitter.get_n_splits(table, table["label"]) == len(parts) >= 3
    for train, test in parts:
        assert set(table["landslide_id"].iloc[train]) & set(table["landslide_id"].iloc[test]) <= {
            -1
        }
        assert table["label"].iloc[test].nunique() == 2
    few = table.groupby("label").head(2)
    assert KMeansFold(50).get_n_splits() == 50
    with pytest.raises(StageError, match="none of 4 spatial folds of 4 rows holds both classes"):
        list(KMeansFold(4).split(few[["x", "y"]], few["label"]))


def test_too_few_blocks_and_too_wide_buffers_are_explained(sampled):
    _, table = sampled
    with pytest.raises(InputError, match=r"3 spatial folds need 3 blocks.*Found: 1 blocks"):
        SpatialBlockKFold(3, block_m=1e6).fold_numbers(table, table["label"])
    with pytest.raises(InputError, match=r"Fold 0 leaves training rows.*Found: 0 rows.*buffer_m"):
        list(SpatialBlockKFold(3, block_m=200, buffer_m=5000).split(table, table["label"]))


def test_the_buffer_is_measured_in_x_or_in_y():
    place = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [5.0, 30.0]])
    kept = beyond_buffer(place, np.array([1, 2, 3]), np.array([0]), 10)
    assert kept.tolist() == [1, 2, 3]
    assert beyond_buffer(place, np.array([1, 2, 3]), np.array([0]), 11).tolist() == [3]


def test_the_buffer_counts_from_its_first_metre():
    place = np.array([[0.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    assert beyond_buffer(place, np.array([1, 2]), np.array([0]), 1).tolist() == [2]
    assert beyond_buffer(place, np.array([1, 2]), np.array([0]), 0).tolist() == [1, 2]


def test_folds_without_settings():
    shared = {"n_splits": 5, "random_state": 0}
    assert vars(SpatialBlockKFold()) == shared | {
        "block_m": 1000.0,
        "buffer_m": 0.0,
        "cluster_m": 0.0,
    }
    assert vars(KMeansFold()) == shared


def test_a_landslide_that_is_named_apart_stays_whole():
    """Two cells of one landslide in two blocks, of which the third row is none: it lies in the
    block of their mean place.
    """
    table = pd.DataFrame({"x": [5.0, 16.0, 6.0, 25.0, 26.0], "y": 5.0})
    label, landslide = np.array([1, 1, 0, 1, 0]), np.array([7, 7, -1, 8, -1])
    parts = SpatialBlockKFold(2, block_m=13).split(table, label, landslide)
    assert [test.tolist() for _, test in parts] == [[0, 1, 2], [3, 4]]
    with pytest.raises(InputError, match="2 spatial folds need 2 blocks"):
        list(SpatialBlockKFold(2, block_m=100).split(table, label, landslide))
    apart = SpatialBlockKFold(2, block_m=13).split(table, label)
    assert [test.tolist() for _, test in apart] != [[0, 1, 2], [3, 4]]


def test_rows_without_landslide_are_groups_of_their_own():
    assert landslide_groups([1, -1, -1, 1, 3, -5]).tolist() == [0, 1, 2, 0, 3, 4]


def test_only_clusters_with_both_classes_are_counted():
    """Three clusters of two rows, the last of one class: two folds are tested."""
    table = pd.DataFrame({"x": [0.0, 1, 100, 101, 300, 301], "y": 0.0})
    label = np.array([0, 1, 1, 0, 0, 0])
    folds = KMeansFold(3, random_state=1)
    tested = sorted(test.tolist() for _, test in folds.split(table, label))
    assert tested == [[0, 1], [2, 3]]
    assert folds.get_n_splits(table, label) == 2 and folds.get_n_splits() == 3
    # One landslide over the first two rows and the third: all at their mean place.
    whole = np.array([4, 4, 4, -1, -1, -1])
    with pytest.raises(StageError, match="none of 3 spatial folds of 6 rows"):
        folds.get_n_splits(table, label, whole)


@pytest.mark.known_by("values by hand", "Folds that keep clusters whole")
def test_a_cluster_of_landslides_is_dealt_whole():
    """A chain of landslides over three blocks of 100 m stays in one fold; by blocks it does not."""
    rng = np.random.default_rng(0)
    chain = np.column_stack([np.linspace(10, 290, 15), np.full(15, 50.0)])
    apart = np.array([[550.0, 50 + 200 * row] for row in range(6)])
    others = rng.random((200, 2)) * 1200
    table = pd.DataFrame(np.vstack([chain, apart, others]), columns=["x", "y"])
    label = np.append(np.ones(21, int), np.zeros(200, int))
    by_block = SpatialBlockKFold(3, 100).fold_numbers(table, label)
    assert len(set(by_block[:15])) == 3
    whole = SpatialBlockKFold(3, 100, cluster_m=60).fold_numbers(table, label)
    assert len(set(whole[:15])) == 1
    for index in range(3):  # cells of the chain's blocks go with it
        inside = (table["x"] // 100 == index) & (table["y"] < 100)
        assert set(whole[inside]) == {whole[0]}
    with pytest.raises(InputError, match="n_folds or cluster_m"):
        SpatialBlockKFold(3, 100, cluster_m=400).fold_numbers(table, label)
