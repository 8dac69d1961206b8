"""How factors become columns, and what surrounds a cell."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from sklearn.base import clone

from lsa_helpers.errors import InputError, StageError
from lsa_helpers.samples import coded_groups, factor_coder, focal_statistics
from lsa_helpers.samples.coding import sine_cosine


def factors_of(**kinds) -> xr.Dataset:
    return xr.Dataset({name: ("x", [0.0], {"kind": kind}) for name, kind in kinds.items()})


@pytest.mark.known_by("values by hand", "Coding of factors")
def test_coded_by_hand():
    table = pd.DataFrame({"slope": [0.0, 10, 20], "aspect": [90.0, -1, 180], "lulc": [3.0, 1, 3]})
    factors = factors_of(slope="continuous", aspect="circular", lulc="categorical")
    coder = factor_coder(factors).fit(table.assign(x=0.0))
    assert list(coder.get_feature_names_out()) == [
        "slope",
        "aspect_sin",
        "aspect_cos",
        "lulc_1.0",
        "lulc_3.0",
    ]
    assert coded_groups(coder) == ["slope", "aspect", "aspect", "lulc", "lulc"]
    z = 10 / np.sqrt(200 / 3)
    expected = [[-z, 1, 0, 0, 1], [0, 0, 0, 1, 0], [z, 0, -1, 0, 1]]
    np.testing.assert_allclose(coder.transform(table), expected, atol=1e-6)
    unseen = coder.transform(pd.DataFrame({"slope": [10.0], "aspect": [0.0], "lulc": [7.0]}))
    np.testing.assert_allclose(unseen, [[0, 0, 1, 0, 0]], atol=1e-6)


def test_only_the_rows_it_is_fitted_on_decide(sampled):
    factors, table = sampled
    train = table[table["fold"] != 0]
    coder = factor_coder(factors).fit(train)
    assert coder.named_transformers_["slope"].mean_ == pytest.approx(train["slope"].mean())
    assert factor_coder(factors, ["ndvi", "slope"]).factors == ["ndvi", "slope"]


def test_unknown_cells_stay_unknown_where_they_are_numbers(sampled):
    factors, table = sampled
    holes = pd.DataFrame({name: [np.nan] for name in factors})
    coded = factor_coder(factors).fit(table).transform(holes)
    assert np.isnan(coded[0, :4]).all() and (coded[0, 4:] == 0).all()


def test_a_class_that_is_unknown_or_unseen_is_no_class(sampled):
    """All its columns are 0, as no known class's are; the CNN sees the same inside a window."""
    factors, table = sampled
    coder = factor_coder(factors, ["lulc"]).fit(table)
    for code in (np.nan, 77.0):
        assert not coder.transform(pd.DataFrame({"lulc": [code]})).any()
    assert (coder.transform(table).sum(axis=1) == 1).all()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_unknown_value_in_a_training_row_is_named(sampled, value):
    factors, table = sampled
    holed = table.assign(ndvi=table["ndvi"].where(table.index != 7, value))
    with pytest.raises(InputError, match=f'factor "ndvi".*unknown.*1 of {len(table)} rows'):
        factor_coder(factors).fit(holed)
    factor_coder(factors, ["slope"]).fit(holed)


def test_one_class_and_wrong_codings_are_explained(sampled):
    factors, table = sampled
    slides = table[table["label"] == 1]
    with pytest.raises(StageError, match="one class only"):
        factor_coder(factors).fit(slides, slides["label"])
    with pytest.raises(InputError, match="cannot be coded by classes"):
        factor_coder(factors, coding={"slope": "categorical"}).fit(table)
    with pytest.raises(InputError, match="parameter coding.*slop"):
        factor_coder(factors, coding={"slop": "circular"})
    with pytest.raises(InputError, match='no factor "slop".*slope'):
        factor_coder(factors, ["slop"])


def test_a_factor_is_coded_as_the_parameters_say(sampled):
    """Aspect as a number is one column instead of two, also in a clone."""
    factors, table = sampled
    usual = factor_coder(factors).fit(table)
    coder = clone(factor_coder(factors, coding={"aspect": "continuous"})).fit(table)
    assert "aspect" in coder.get_feature_names_out()
    assert len(coder.get_feature_names_out()) == len(usual.get_feature_names_out()) - 1


def test_focal_statistics_are_those_of_the_window(hillside):
    factors, _ = hillside
    around = focal_statistics(factors, 5)
    assert list(around) == ["slope_mean", "slope_std", "ndvi_mean", "ndvi_std"]
    window = factors["slope"].values[28:33, 48:53].astype(float)
    assert around["slope_mean"].values[30, 50] == pytest.approx(window.mean(), rel=1e-5)
    assert around["slope_std"].values[30, 50] == pytest.approx(window.std(), rel=1e-4)
    np.testing.assert_array_equal(around["ndvi_std"].isnull(), factors["ndvi"].isnull())
    known = factors["slope"].values[0:5, 3:8]
    assert around["slope_mean"].values[2, 5] == pytest.approx(np.nanmean(known), rel=1e-5)


def test_focal_statistics_by_hand():
    """A window of three cells, mirrored beyond the border without the border cell itself; the
    unknown cell counts nowhere and stays unknown.
    """
    band = np.array([[1.0, 3.0, 8.0, np.nan]] * 3)
    attrs = {"kind": "continuous", "units": "m"}
    factors = xr.Dataset({"height": (("y", "x"), band, attrs)}, attrs={"area": "here"})
    factors["class"] = ("y", "x"), np.ones((3, 4)), {"kind": "categorical"}
    factors["named"] = ("y", "x"), band - 1000, attrs | {"long_name": "Named"}
    around = focal_statistics(factors, 3)
    assert list(around) == ["height_mean", "height_std", "named_mean", "named_std"]
    # Columns 3 1 3, then 1 3 8, then 3 8 of a window of two known thirds.
    mean = [7 / 3, 4, 5.5, np.nan]
    deviation = [np.sqrt(8 / 9), np.sqrt(26 / 3), 2.5, np.nan]
    np.testing.assert_allclose(around["height_mean"], [mean] * 3, rtol=1e-6)
    np.testing.assert_allclose(around["height_std"], [deviation] * 3, rtol=1e-5)
    np.testing.assert_allclose(around["named_mean"], np.array([mean] * 3) - 1000, rtol=1e-6)
    np.testing.assert_allclose(around["named_std"], [deviation] * 3, rtol=1e-5)
    assert around["height_std"].attrs == attrs | {"long_name": "height, std of 3 × 3 cells"}
    assert around["named_mean"].attrs["long_name"] == "Named, mean of 3 × 3 cells"
    assert around.attrs == {"area": "here"} and around["height_mean"].dtype == np.float32


def test_a_factor_known_nowhere_has_no_statistics():
    band = np.full((3, 3), np.nan)
    around = focal_statistics(xr.Dataset({"a": (("y", "x"), band, {"kind": "continuous"})}), 3)
    assert around["a_mean"].isnull().all() and around["a_std"].isnull().all()


def test_flat_steep_and_unknown_slopes_as_sine_and_cosine():
    coded = sine_cosine(np.array([[0.0], [90.0], [210.0], [-1.0], [np.nan]]))
    half, root = 0.5, np.sqrt(3) / 2
    expected = [[0, 1], [1, 0], [-half, -root], [0, 0], [np.nan, np.nan]]
    np.testing.assert_allclose(coded, expected, atol=1e-6)
    assert coded.dtype == np.float32


@pytest.mark.parametrize(
    ("codes", "refused"),
    [(np.arange(200), False), (np.arange(201), True), ([1, 1.5], True), ([-3, 0, 7], False)],
)
def test_classes_are_few_whole_numbers(codes, refused):
    """Two hundred at most."""
    rows = pd.DataFrame({"class": np.asarray(codes, float)})
    coder = factor_coder(factors_of(**{"class": "categorical"}))
    if refused:
        with pytest.raises(InputError, match=f"{len(rows)} values, such as {codes[0]}"):
            coder.fit(rows)
    else:
        coded = coder.fit_transform(rows)
        assert isinstance(coded, np.ndarray) and coded.tolist() == np.eye(len(rows)).tolist()


def test_codes_are_numbers_of_64_bits():
    """Of the rows it learns from and of others; one column of several classes keeps its order."""
    factors = factors_of(lulc="categorical", slope="continuous")
    rows = pd.DataFrame({"lulc": [3.0, 1, 2], "slope": [1.0, 2, 3], "more": [0, 0, 0]})
    coder = factor_coder(factors)
    coded = coder.fit_transform(rows, [0, 1, 1])
    assert coded.dtype == coder.transform(rows).dtype == np.float64
    assert coder.factors == ["lulc", "slope"]
    assert coded_groups(coder) == ["lulc"] * 3 + ["slope"]
    np.testing.assert_allclose(coded[:, :3], [[0, 0, 1], [1, 0, 0], [0, 1, 0]])
    np.testing.assert_allclose(coded[:, 3], np.array([-1, 0, 1]) * np.sqrt(1.5))
