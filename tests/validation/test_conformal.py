"""Conformal sets: limits by hand, and the promise kept on exchangeable blocks."""

import numpy as np
import pandas as pd
import pytest

from lsa_helpers.validation import conformal_sets


def cells(probability, label, **more) -> pd.DataFrame:
    return pd.DataFrame({"probability": probability, "label": label, **more})


@pytest.mark.known_by("values by hand", "Conformal sets")
def test_limits_by_hand():
    """Scores of nine landslides are 0.1 to 0.9. At 90 % the limit is the ninth of
    them, at 80 % the eighth: probabilities from 0.1 and from 0.2. Stable cells: up to 0.09.
    """
    known = cells(1 - np.arange(1, 10) / 10, 1)
    known = pd.concat([known, cells(np.arange(1, 10) / 100, 0)])
    asked = pd.DataFrame({"probability": [0.05, 0.1, 0.15, 0.2, 0.25]})
    strict, loose = (conformal_sets(known, asked, share) for share in (0.9, 0.8))
    assert strict[:, 1].tolist() == [False, True, True, True, True]
    assert loose[:, 1].tolist() == [False, False, False, True, True]
    assert strict[:, 0].tolist() == [True, False, False, False, False]


def test_without_classes_both_share_one_limit():
    """Scores of all nineteen: 0.01 of ten stable cells, 0.5 of nine landslides: only at 50 % and
    less is the limit below 0.5.
    """
    known = cells([0.01] * 10 + [0.5] * 9, [0] * 10 + [1] * 9)
    asked = pd.DataFrame({"probability": [0.01, 0.5, 0.9]})
    together = conformal_sets(known, asked, 0.9, by_class=False)
    assert together.tolist() == [[True, False], [True, True], [False, True]]
    assert conformal_sets(known, asked, 0.45, by_class=False)[1].tolist() == [False, False]


def test_each_stratum_has_its_limit_and_an_unknown_one_none():
    known = cells([0.1] * 20 + [0.4] * 20, 0, slope=[1] * 20 + [2] * 20)
    asked = pd.DataFrame({"probability": [0.3, 0.3, 0.3], "slope": [1, 2, 3]})
    assert conformal_sets(known, asked, 0.9, stratum="slope")[:, 0].tolist() == [False, True, True]


def coverage(n_blocks: int, block: str, draws: int = 300) -> float:
    """Mean share of right sets in a new block; all cells of a block have nearly one score."""
    rng, right = np.random.default_rng(4), []
    for seed in range(draws):
        level = rng.random(n_blocks + 1)
        known = cells(np.repeat(level[:-1], 30), 0, block=np.repeat(np.arange(n_blocks), 30))
        new = pd.DataFrame({"probability": [level[-1]]})
        right.append(conformal_sets(known, new, 0.8, block=block, seed=seed)[0, 0])
    return float(np.mean(right))


@pytest.mark.known_by("theory", "Conformal sets")
def test_the_promise_is_kept_for_blocks_and_broken_for_cells():
    """Blocks of one score each, 80 % promised. The limit of cells is the score of the third of
    three blocks and of the sixth of seven, and a new block lies below with probability 3 / 4 and
    6 / 8. The limit of blocks is the seventh of seven and the eighth of nine; three are too few.
    """
    assert coverage(3, "") == pytest.approx(3 / 4, abs=0.06)
    assert coverage(3, "block") == 1
    assert coverage(9, "block") == pytest.approx(0.8, abs=0.06)
    assert coverage(7, "") == pytest.approx(6 / 8, abs=0.06)
    assert coverage(7, "block") == pytest.approx(7 / 8, abs=0.06)
