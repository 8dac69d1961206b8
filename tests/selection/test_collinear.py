"""Collinearity by hand, by statsmodels and by a published table."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.datasets import longley
from statsmodels.regression.linear_model import OLS
from statsmodels.tools import add_constant

from lsa_helpers import selection
from lsa_helpers.errors import InputError


def kinds(**kind_of):
    """Factors without values: what they are is all that selection asks for."""
    return xr.Dataset({name: ((), 0.0, {"kind": kind}) for name, kind in kind_of.items()})


def continuous(names):
    return kinds(**dict.fromkeys(names, "continuous"))


@settings(max_examples=20)
@given(seed=st.integers(0, 999), weight=st.floats(-3, 3))
def test_two_factors_give_one_over_one_minus_r_squared(seed, weight):
    rng = np.random.default_rng(seed)
    a = rng.standard_normal(40)
    b = weight * a + rng.standard_normal(40) + 100
    r = np.corrcoef(a, b)[0, 1]
    values = selection.generalised_vif({"a": a[:, None], "b": b[:, None]})
    np.testing.assert_allclose(values, 1 / (1 - r**2), rtol=1e-6)


@pytest.mark.known_by("published numbers", "Variance inflation factor")
def test_longley_matches_its_published_vifs():
    """Published in many textbooks for Longley's data, for example R's car::vif: 135.5, 1788.5,
    33.6, 3.6, 399.2, 759.0.
    """
    data = longley.load_pandas().exog
    values = selection.generalised_vif({name: data[[name]].to_numpy() for name in data})
    np.testing.assert_allclose(values.round(1), [135.5, 1788.5, 33.6, 3.6, 399.2, 759.0])


@pytest.mark.known_by("statsmodels", "Variance inflation factor")
def test_vif_is_that_of_a_regression_with_a_constant():
    data = longley.load_pandas().exog
    factors = continuous(["GNPDEFL", "UNEMP", "ARMED"])
    table = selection.stepwise_vif(data, factors, threshold=100).set_index("factor")
    r2 = OLS(data["UNEMP"], add_constant(data[["GNPDEFL", "ARMED"]])).fit().rsquared
    assert table["vif"]["UNEMP"] == pytest.approx(1 / (1 - r2), rel=1e-4)
    np.testing.assert_allclose(table["vif"] * table["tolerance"], 1)


@pytest.mark.known_by("an identity", "Generalised variance inflation factor")
def test_generalised_vif_does_not_depend_on_the_reference_class():
    rng = np.random.default_rng(0)
    code = rng.integers(0, 3, 200)
    x = code + rng.standard_normal(200)
    dummies = np.eye(3)[code]
    values = [
        selection.generalised_vif({"x": x[:, None], "code": np.delete(dummies, left_out, axis=1)})
        for left_out in range(3)
    ]
    np.testing.assert_allclose(values[0], values[1])
    np.testing.assert_allclose(values[0], values[2])
    # With two groups the determinant ratio is the same seen from both sides: GVIF(code) = VIF(x),
    # here to the power 1/2.
    assert values[0]["code"] ** 2 == pytest.approx(values[0]["x"])


def test_a_factor_becomes_the_columns_of_its_kind():
    table = pd.DataFrame(
        {"slope": [1.0, 2, 3], "aspect": [0.0, 90, -1], "lulc": [10, 20, 20], "flat": 7.0}
    )
    factors = kinds(slope="continuous", aspect="circular", lulc="categorical", flat="continuous")
    columns = selection.design_columns(table, factors)
    assert {name: part.shape[1] for name, part in columns.items()} == {
        "slope": 1,
        "aspect": 2,
        "lulc": 1,
        "flat": 0,
    }
    np.testing.assert_allclose(columns["aspect"], [[0, 1], [1, 0], [0, 0]], atol=1e-6)
    assert columns["lulc"].ravel().tolist() == [0, 1, 1]


def test_stepwise_drops_the_double_and_the_constant():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 300))
    table = pd.DataFrame({"a": a, "b": b, "double": a + 0.01 * b, "flat": np.ones(300)})
    vif = selection.stepwise_vif(table, continuous(table)).set_index("factor")
    assert vif.index.tolist() == list(table)
    assert vif.loc["flat"].tolist() == [np.inf, 0, 1]
    assert sorted(vif.loc[["a", "double"], "dropped_at"]) == [0, 2]
    assert vif.loc[vif["dropped_at"] == 0, "vif"].max() < 1.1
    finite = vif[np.isfinite(vif["vif"])]  # that of the exact sum is huge or infinite, by rounding
    assert (finite["vif"] * finite["tolerance"]).round(9).eq(1).all()


def test_perfect_copies_are_infinite_and_too_few_rows_are_refused():
    rng = np.random.default_rng(0)
    a = rng.standard_normal((50, 1))
    columns = {"a": a, "b": 2 * a, "c": rng.standard_normal((50, 1))}
    assert selection.generalised_vif(columns)["a"] > 1e6
    table = pd.DataFrame(rng.standard_normal((3, 4)), columns=list("abcd"))
    with pytest.raises(InputError, match="Too few samples"):
        selection.stepwise_vif(table, continuous(table))


def test_as_many_rows_as_columns_and_two_are_enough():
    """Three columns: five rows give VIFs, four are refused."""
    table = pd.DataFrame(np.random.default_rng(1).standard_normal((5, 3)), columns=list("abc"))
    vif = selection.stepwise_vif(table, continuous(table), threshold=1e9)
    assert vif["factor"].tolist() == list("abc") and (vif["dropped_at"] == 0).all()
    with pytest.raises(InputError, match="4 rows, 3 factors"):
        selection.stepwise_vif(table[:4], continuous(table))


def test_factors_are_dropped_from_the_threshold_on_and_two_are_left():
    """Four columns at right angles; two more are sums, so that VIFs are known: of x and x + y with
    r = 1/√2 it is 2.
    """
    x, y = np.array([1.0, 1, -1, -1] * 3), np.array([1.0, -1, 1, -1] * 3)
    z = np.repeat([1.0, 0, -1], 4)
    table = pd.DataFrame({"x": x, "sum": x + y, "z": z})
    factors = continuous(table)
    kept = selection.stepwise_vif(table, factors, threshold=2.1)
    assert kept["vif"].tolist() == pytest.approx([2, 2, 1])
    assert kept["tolerance"].tolist() == pytest.approx([0.5, 0.5, 1])
    dropped = selection.stepwise_vif(table, factors, threshold=1.9)
    assert sorted(dropped["dropped_at"]) == [0, 0, 1] and dropped["dropped_at"][2] == 0
    assert sorted(dropped["vif"]) == pytest.approx([1, 1, 2])
    pair = selection.stepwise_vif(table[["x", "sum"]], continuous(["x", "sum"]), threshold=1.9)
    assert pair["dropped_at"].tolist() == [0, 0] and pair["vif"].tolist() == pytest.approx([2, 2])
    copies = pd.DataFrame({"z": z, "flat": 1.0, "x": x, "again": x, "y": y, "even": 2.0})
    vif = selection.stepwise_vif(copies, continuous(copies)).set_index("factor")
    assert vif.loc[["flat", "even"], "dropped_at"].tolist() == [1, 2]
    assert sorted(vif.loc[["x", "again"], "dropped_at"]) == [0, 3]
    assert vif.loc[["z", "y"], "vif"].tolist() == pytest.approx([1, 1])
    # A kept factor may be one that does not vary, and is dropped for it.
    forced = selection.stepwise_vif(copies, continuous(copies), keep=["flat", "x"])
    assert forced.set_index("factor").loc[["flat", "x", "again"], "dropped_at"].tolist() == [
        1,
        0,
        3,
    ]
    # Beyond the default of 10, a VIF of 1 / (1 − 0.95²) = 10.3.
    near = pd.DataFrame({"x": x, "near": 0.95 * x + np.sqrt(1 - 0.95**2) * y, "z": z})
    assert selection.stepwise_vif(near, continuous(near))["dropped_at"].sum() == 1


def test_generalised_vif_among_three_factors_by_hand():
    """Three classes in equal number, x = class ± 1 at right angles, z at right angles to both: the
    classes hold 2/3 of the variance 5/3 of x, so VIFs are 1 / (1 − 2/5) and 1.
    """
    code, block = np.tile([0, 1, 2], 4), np.repeat([0, 1, 2, 3], 3)
    x = code + np.array([1.0, 1, -1, -1])[block]
    z = np.array([1.0, -1, 1, -1])[block]
    columns = {"z": z[:, None], "class": np.eye(3)[code][:, 1:], "x": x[:, None]}
    for names in (["z", "class", "x"], ["class", "x", "z"], ["x", "z", "class"]):
        values = selection.generalised_vif({name: columns[name] for name in names})
        assert values.index.tolist() == names
        assert values.to_dict() == pytest.approx({"z": 1, "class": (5 / 3) ** 0.5, "x": 5 / 3})


def test_a_factor_of_classes_that_copies_another_is_infinite():
    code = np.array([0, 1, 2] * 5)
    dummies = np.eye(3)[code][:, 1:]
    noise = np.random.default_rng(0).standard_normal((15, 1))
    values = selection.generalised_vif({"a": dummies, "b": dummies[:, ::-1], "noise": noise})
    assert np.isinf(values[["a", "b"]]).all() and np.isfinite(values["noise"])
    assert selection.generalised_vif({}).empty


@pytest.mark.parametrize("rows", [[3], slice(None)], ids=["one row", "all rows"])
def test_unknown_values_are_named(rows):
    """A gap in a factor is no constant and no class: it is named and not dropped."""
    table = pd.DataFrame(np.random.default_rng(0).standard_normal((50, 2)), columns=["a", "b"])
    table.loc[table.index[rows], "b"] = np.nan
    with pytest.raises(InputError, match='factor "b".*unknown'):
        selection.stepwise_vif(table, continuous(table))


def test_a_kept_factor_stays_and_its_double_goes():
    rng = np.random.default_rng(0)
    slope = rng.standard_normal(200)
    table = pd.DataFrame({"slope": slope, "tri": slope + 0.05 * rng.standard_normal(200)})
    table["ndvi"] = rng.standard_normal(200)
    factors = continuous(table)
    for kept, gone in (("slope", "tri"), ("tri", "slope")):
        vif = selection.stepwise_vif(table, factors, keep=[kept]).set_index("factor")
        assert vif["dropped_at"].to_dict() == {"slope": 0, "tri": 0, "ndvi": 0} | {gone: 1}
    both = selection.stepwise_vif(table, factors, keep=["slope", "tri"])
    assert (both["dropped_at"] == 0).all()
    with pytest.raises(InputError, match='no factor "slop"'):
        selection.stepwise_vif(table, factors, keep=["slop"])
