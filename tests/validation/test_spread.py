"""The analysis of variance of many maps, against statsmodels and by hand."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from lsa_helpers.errors import InputError
from lsa_helpers.validation import sums_of_squares

FULL = pd.DataFrame(list(product((0, 1), (0, 1), (0, 1, 2))), columns=["seed", "samples", "folds"])
HALF = pd.DataFrame(
    [(a, b, c, a ^ b ^ c) for a, b, c in product((0, 1), repeat=3)], columns=list("abcd")
)


@pytest.mark.parametrize("design", [FULL, HALF])
@pytest.mark.known_by("statsmodels", "Spread of maps by source")
def test_sums_of_squares_are_those_of_statsmodels(design):
    """One cell of a random map; sources are categories."""
    maps = np.random.default_rng(1).normal(3.0, 2.0, (len(design), 5))
    ours = sums_of_squares(maps, design).loc[2]
    formula = "y ~ " + " + ".join(f"C({name})" for name in design)
    table = anova_lm(ols(formula, design.assign(y=maps[:, 2])).fit())["sum_sq"]
    assert ours.tolist() == pytest.approx(table.tolist())


def test_they_add_up_to_all_variation_in_every_cell():
    maps = np.random.default_rng(2).normal(size=(12, 40)) * np.arange(40)
    total = ((maps - maps.mean(axis=0)) ** 2).sum(axis=0)
    np.testing.assert_allclose(sums_of_squares(maps, FULL).sum(axis=1), total)


def test_a_joint_effect_is_rest():
    """What is +1 where two draws are alike and -1 elsewhere is no effect of either alone."""
    alike = np.where(HALF["a"] == HALF["b"], 1.0, -1.0)[:, None]
    assert sums_of_squares(alike, HALF).to_numpy().tolist() == [[0, 0, 0, 0, 8]]


def test_sources_that_are_mixed_up_are_refused():
    """Seed and samples always change together: no table can tell which it was."""
    design = pd.DataFrame({"seed": [0, 0, 1, 1], "samples": [0, 0, 1, 1]})
    with pytest.raises(InputError, match="not balanced"):
        sums_of_squares(np.zeros((4, 1)), design)
