"""A map against another one, on ten cells counted by hand."""

import numpy as np
import pytest

from lsa_helpers.validation import map_change

BEFORE = np.arange(10) / 10
LABEL = np.isin(np.arange(10), [8, 9])


def test_a_map_is_no_change_of_itself():
    none = {"auc_change": 0, "fr_change": 0, "class_changed": 0}
    expected = {"auc": 1, "fr": 5, "map_rank": 1} | none
    assert map_change(BEFORE, BEFORE, LABEL) == pytest.approx(expected)


def test_a_map_upside_down():
    """Every cell changes its fifth but the two in the middle; no landslide is in the highest."""
    change = map_change(-BEFORE, BEFORE, LABEL)
    assert change["class_changed"] == pytest.approx(0.8)
    assert (change["auc"], change["auc_change"]) == (0, -1)
    assert (change["fr"], change["fr_change"]) == (0, -5)
    assert change["map_rank"] == pytest.approx(-1)


def test_one_landslide_that_loses_its_place():
    """The highest cell and the one below its fifth change places: one of two landslides is left in
    the highest fifth, and two of the 16 pairs are in the wrong order.
    """
    values = BEFORE.copy()
    values[[7, 9]] = values[[9, 7]]
    change = map_change(values, BEFORE, LABEL)
    assert change["fr"] == pytest.approx(2.5)
    assert change["class_changed"] == pytest.approx(0.2)
    assert change["auc"] == pytest.approx(14 / 16)
    assert change["map_rank"] == pytest.approx(1 - 6 * (2**2 + 2**2) / (10 * 99))


def test_classes_are_as_many_as_asked_for():
    """In halves only what crosses the middle changes."""
    values = BEFORE.copy()
    values[[4, 5]] = values[[5, 4]]
    assert map_change(values, BEFORE, LABEL, 2)["class_changed"] == pytest.approx(0.2)
    assert map_change(values, BEFORE, LABEL, 5)["class_changed"] == pytest.approx(0)


def test_pairs_of_one_fold_alone():
    """Each fold is right by itself, though all values of the second are lower than of the first."""
    values, label = np.array([8, 9, 1, 2]), np.array([False, True, False, True])
    assert map_change(values, values, label, 2)["auc"] == pytest.approx(3 / 4)
    assert map_change(values, values, label, 2, fold=np.array([0, 0, 1, 1]))["auc"] == 1
