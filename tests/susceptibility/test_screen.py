"""Factor screening: VIF by hand, by statsmodels and by a published table; gain ratio by hand; noise
is not important.
"""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from statsmodels.datasets import longley
from statsmodels.regression.linear_model import OLS
from statsmodels.tools import add_constant

from lsa_helpers import selection
from lsa_helpers.errors import InputError
from lsa_helpers.selection.bootstrap import block_weights, interval, weighted_auc
from lsa_helpers.selection.collinear import generalised_vif

CONTINUOUS = {"kind": "continuous"}


@settings(max_examples=20)
@given(seed=st.integers(0, 999), weight=st.floats(-3, 3))
def test_two_factors_give_one_over_one_minus_r_squared(seed, weight):
    rng = np.random.default_rng(seed)
    a = rng.standard_normal(40)
    b = weight * a + rng.standard_normal(40) + 100
    r = np.corrcoef(a, b)[0, 1]
    values = selection.vif({"a": a[:, None], "b": b[:, None]})
    np.testing.assert_allclose(values, 1 / (1 - r**2), rtol=1e-6)


def test_longley_matches_its_published_vifs():
    """Published in many textbooks for Longley's data, for example R's car::vif: 135.5, 1788.5,
    33.6, 3.6, 399.2, 759.0.
    """
    data = longley.load_pandas().exog
    values = selection.vif({name: data[[name]].to_numpy() for name in data})
    np.testing.assert_allclose(values.round(1), [135.5, 1788.5, 33.6, 3.6, 399.2, 759.0])


def test_vif_is_that_of_a_regression_with_a_constant():
    data = longley.load_pandas().exog
    table = data.assign(x=0).astype(np.float32)
    found = selection.stepwise_vif(
        table, dict.fromkeys(data, CONTINUOUS), ["GNPDEFL", "UNEMP", "ARMED"], threshold=100
    )
    r2 = OLS(data["UNEMP"], add_constant(data[["GNPDEFL", "ARMED"]])).fit().rsquared
    assert found.set_index("factor")["vif"]["UNEMP"] == pytest.approx(1 / (1 - r2), rel=1e-4)
    np.testing.assert_allclose(found["vif"] * found["tolerance"], 1)


def test_generalised_vif_of_one_column_is_the_vif_and_does_not_depend_on_the_reference_class():
    rng = np.random.default_rng(0)
    code = rng.integers(0, 3, 200)
    x = code + rng.standard_normal(200)
    dummies = np.eye(3)[code]
    values = [
        selection.vif({"x": x[:, None], "code": np.delete(dummies, drop, axis=1)})
        for drop in range(3)
    ]
    np.testing.assert_allclose(values[0], values[1])
    np.testing.assert_allclose(values[0], values[2])
    # With two groups the determinant ratio is the same seen from both sides: GVIF(code) = VIF(x),
    # here to the power 1/2.
    assert values[0]["code"] ** 2 == pytest.approx(values[0]["x"])
    corr = np.corrcoef(np.column_stack([x, dummies[:, 0]]), rowvar=False)
    assert generalised_vif(corr, np.array([0])) == pytest.approx(1 / (1 - corr[0, 1] ** 2))


def test_stepwise_drops_the_double_and_the_constant():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 300))
    table = pd.DataFrame({"a": a, "b": b, "double": a + 0.01 * b, "flat": np.ones(300)})
    found = selection.stepwise_vif(table, dict.fromkeys(table, CONTINUOUS), list(table)).set_index(
        "factor"
    )
    assert found.loc["flat", "dropped_at"] == 1
    assert sorted(found.loc[["a", "double"], "dropped_at"]) == [0, 2]
    assert found.loc[found["dropped_at"] == 0, "vif"].max() < 1.1
    assert (found["vif"] * found["tolerance"]).drop("flat").round(9).eq(1).all()


def test_perfect_copies_are_infinite_and_too_few_rows_are_refused():
    rng = np.random.default_rng(0)
    a = rng.standard_normal((50, 1))
    assert selection.vif({"a": a, "b": 2 * a, "c": rng.standard_normal((50, 1))})["a"] > 1e6
    table = pd.DataFrame(rng.standard_normal((3, 4)), columns=list("abcd"))
    with pytest.raises(InputError, match="oo few samples"):
        selection.stepwise_vif(table, dict.fromkeys(table, CONTINUOUS), list(table))


def test_gain_ratio_by_hand():
    """Quinlan's weather data: outlook has gain 0.2467 bits, split information 1.5774 bits, ratio
    0.1564.
    """
    outlook = np.repeat([0, 1, 2], [5, 4, 5])
    play = np.array([1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0])
    assert selection.gain_ratio(outlook, play, categorical=True) == pytest.approx(0.1564, abs=5e-5)
    assert selection.gain_ratio(np.zeros(14), play) == 0
    assert selection.gain_ratio(
        np.arange(14.0), (np.arange(14) > 6).astype(int), bins=2
    ) == pytest.approx(1)


def test_importance_ranks_the_cause_above_the_probe(sampled):
    stack, table = sampled
    found = selection.importance(
        table, stack.info, stack.names, seed=0, n_trees=30, repeats=2, block_m=200
    ).set_index(["method", "factor"])
    assert set(found.index.get_level_values("method")) == {
        "rf_impurity",
        "permutation",
        "gain_ratio",
    }
    for method in ("rf_impurity", "permutation", "gain_ratio"):
        assert found.loc[(method, "slope"), "low"] > found.loc[(method, selection.PROBE), "high"]
    assert found.loc["rf_impurity", "mean"].sum() == pytest.approx(1)
    assert abs(found.loc[("permutation", selection.PROBE), "mean"]) < 0.03
    assert (found["low"] <= found["high"]).all()


def test_choose_says_why(sampled):
    vif = pd.DataFrame(
        {
            "factor": ["a", "b", "c"],
            "vif": [6.0, 12.3, 1.0],
            "tolerance": 0.5,
            "dropped_at": [0, 1, 0],
        }
    )
    ranking = pd.DataFrame(
        {"factor": ["a", "c", selection.PROBE], "method": "permutation", "mean": [0.2, -0.1, 0.0]}
    )
    decision = selection.choose(vif, ranking, threshold=10, flag=5)
    assert decision["selected"] == ["a", "c"]
    assert decision["dropped"] == {"b": "VIF 12.3 ≥ 10 at step 1"}
    assert set(decision["flagged"]) == {"a", "c"}
    strict = selection.choose(vif, ranking, threshold=10, flag=5, drop_below_probe=True)
    assert strict["selected"] == ["a"] and "probe" in strict["dropped"]["c"]


def test_agreement_by_hand():
    """Two equal rankings and one reversed: 1 and -1; the probe has no say."""
    ranks = {
        "rf_impurity": [1, 2, 3, 9],
        "permutation": [10, 20, 30, 0],
        "gain_ratio": [3, 2, 1, 5],
    }
    names = ["a", "b", "c", selection.PROBE]
    table = pd.DataFrame(
        [(n, m, v) for m, values in ranks.items() for n, v in zip(names, values, strict=True)],
        columns=["factor", "method", "mean"],
    )
    found = selection.agreement(table)
    assert (
        found.loc["rf_impurity", "permutation"] == 1
        and found.loc["rf_impurity", "gain_ratio"] == -1
    )


def test_dropping_what_matters_costs_what_it_is_worth(sampled):
    """Without the factor that made the landslides a forest falls towards chance; without the others
    it does not.
    """
    stack, table = sampled
    names = ["slope", "ndvi", "lulc"]
    kept, lost = (
        selection.dropping_cost(table, stack.info, names, selected, seed=0, n_trees=50).set_index(
            "factors"
        )["auc"]
        for selected in (["slope"], ["ndvi"])
    )
    assert kept["all"] == lost["all"] > 0.85
    assert kept["selected"] > kept["all"] - 0.05 and lost["selected"] < lost["all"] - 0.2


def test_only_constant_factors_leave_nothing(sampled):
    """All are dropped, in order, and the choice says that none is left."""
    table = pd.DataFrame({"a": np.ones(40), "b": np.full(40, 3.0)})
    found = selection.stepwise_vif(table, dict.fromkeys(table, CONTINUOUS), list(table))
    assert found["dropped_at"].tolist() == [1, 2] and np.isinf(found["vif"]).all()
    ranking = pd.DataFrame({"factor": [selection.PROBE], "method": "permutation", "mean": [0.0]})
    with pytest.raises(InputError, match="no factor is left|No factor is left"):
        selection.choose(found, ranking, threshold=10, flag=5)


def test_folds_of_one_class_are_left_out_or_explained(sampled):
    """A fold without landslides is no test; when no fold is one, the message counts what each
    holds.
    """
    stack, table = sampled
    how = {"seed": 0, "n_trees": 5}
    one = table[(table["fold"] != 0) | (table["label"] == 0)]
    found = selection.importance(one, stack.info, ["slope"], repeats=2, block_m=200, **how)
    assert np.isfinite(found["mean"]).all()
    assert np.isfinite(
        selection.dropping_cost(one, stack.info, ["slope", "ndvi"], ["slope"], **how)["auc"]
    ).all()
    for split in (table.assign(fold=table["label"]), table.assign(fold=0)):
        with pytest.raises(InputError, match="fold.*landslides.*larger blocks"):
            selection.importance(split, stack.info, ["slope"], **how)
        with pytest.raises(InputError, match="fold.*landslides.*larger blocks"):
            selection.dropping_cost(split, stack.info, ["slope", "ndvi"], ["slope"], **how)


@pytest.mark.parametrize("rows", [[3], slice(None)], ids=["one row", "all rows"])
@pytest.mark.parametrize("factor", ["slope", "lulc"])
def test_unknown_values_are_named(sampled, factor, rows):
    """A gap in a factor is no constant and no class: screening names it instead of dropping it."""
    stack, table = sampled
    table = table.astype({factor: float})
    table.loc[table.index[rows], factor] = np.nan
    for run in (
        selection.stepwise_vif,
        lambda *given: selection.importance(*given, seed=0, n_trees=5),
    ):
        with pytest.raises(InputError, match=f'factor "{factor}".*unknown'):
            run(table, stack.info, ["slope", "lulc"])


@settings(max_examples=25)
@given(seed=st.integers(0, 999), steps=st.integers(2, 30))
def test_weighted_auc_is_scikit_learns(seed, steps):
    """Ties and whole-number weights included."""
    rng = np.random.default_rng(seed)
    label, score, weights = (
        rng.integers(0, 2, 40),
        rng.integers(0, steps, 40) / steps,
        rng.integers(0, 4, (3, 40)),
    )
    label[:2], weights[:, :2] = (0, 1), 1
    expected = [roc_auc_score(label, score, sample_weight=weight) for weight in weights]
    np.testing.assert_allclose(weighted_auc(label, score, weights), expected)


def test_intervals_hold_nothing_for_noise_and_exclude_it_for_the_cause(sampled):
    """Shuffling noise loses nothing, so its interval holds 0; shuffling the cause does, and in
    every ranking it lies above the noise.
    """
    stack, table = sampled
    found = selection.importance(
        table, stack.info, ["slope", "ndvi"], seed=0, n_trees=30, repeats=3, block_m=200
    ).set_index(["method", "factor"])
    noise, cause = (found.loc[("permutation", name)] for name in (selection.PROBE, "slope"))
    assert noise["low"] < 0 < noise["high"] and cause["low"] > 0.1
    assert (
        ((found["low"] <= found["mean"]) & (found["mean"] <= found["high"]))
        .drop("gain_ratio")
        .all()
    )
    for method in ("rf_impurity", "permutation", "gain_ratio"):
        assert found.loc[(method, "slope"), "low"] > found.loc[(method, selection.PROBE), "high"]


def test_copies_of_a_place_add_no_certainty():
    """Sixty places with nine equal rows each: in one block they count as one, so the interval is
    three times that of rows on their own.
    """
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 60).repeat(9)
    score = label + 1.5 * rng.standard_normal(60).repeat(9)
    x = np.arange(60.0).repeat(9) * 100 + np.tile(np.arange(9.0), 60)
    widths = []
    for edge in (100, 1):
        weights = block_weights(
            pd.DataFrame({"x": x, "y": 0.0}), edge, np.random.default_rng(1), n_boot=2000
        )
        mean, low, high = interval(weighted_auc(label, score, weights))
        assert mean == pytest.approx(roc_auc_score(label, score)) and low < mean < high
        widths.append(high - low)
    assert widths[0] / widths[1] == pytest.approx(3, rel=0.1)


def test_the_cost_is_a_paired_difference(sampled):
    """Dropping a copy costs nothing, and since both forests see the same ground the interval is
    narrow; dropping the cause costs.
    """
    stack, table = sampled
    table, info = table.assign(copy=table["slope"]), stack.info | {"copy": CONTINUOUS}
    how = {"seed": 0, "n_trees": 50, "block_m": 200}
    free = selection.dropping_cost(
        table, info, ["slope", "ndvi", "copy"], ["slope", "ndvi"], **how
    ).set_index("factors")
    dear = selection.dropping_cost(table, info, ["slope", "ndvi"], ["ndvi"], **how).set_index(
        "factors"
    )
    assert free.loc["cost", "low"] < 0 < free.loc["cost", "high"] and dear.loc["cost", "low"] > 0.1
    for found in (free, dear):
        assert found.loc["cost", "auc"] == pytest.approx(
            found.loc["all", "auc"] - found.loc["selected", "auc"]
        )
    width = free["high"] - free["low"]
    assert width["cost"] < width["all"] and free["n"].tolist() == [3, 2, 1]
