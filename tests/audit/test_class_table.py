"""Audit of class tables: values worked out by hand, the facts of the paper's Table 5, and no false
alarm on any table that was rounded from true counts.
"""

from importlib import resources

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from sklearn.metrics import roc_auc_score

from lsa_helpers.audit import auc_bounds, audit
from lsa_helpers.paper import OTHERS, printed_table

NAMES = ["Very low", "Low", "Moderate", "High", "Very high"]


def of(findings: pd.DataFrame, check: str, where: str | None = None) -> pd.DataFrame:
    rows = findings[findings["check"] == check]
    return rows if where is None else rows[rows["where"] == where]


@pytest.fixture(scope="module")
def table_5() -> pd.DataFrame:
    return audit(printed_table(5))


@pytest.mark.known_by("a table worked out by hand", "AUC bounds of a class table")
def test_bounds_of_three_classes_by_hand():
    """Low, middle, high hold 10, 30, 60 of 100 landslides and 50, 30, 20 of 100 other cells.

    A landslide is above what lies in lower classes: .3 × .5 + .6 × .8 = .63; it ties with what is
    in its own: .1 × .5 + .3 × .3 + .6 × .2 = .26.
    """
    bounds = auc_bounds(np.array([10, 30, 60]), np.array([50, 30, 20]))
    assert bounds == pytest.approx((0.63, 0.76, 0.89))
    label = np.repeat([1, 1, 1, 0, 0, 0], [10, 30, 60, 50, 30, 20])
    score = np.repeat([0, 1, 2, 0, 1, 2], [10, 30, 60, 50, 30, 20])
    assert bounds[1] == pytest.approx(roc_auc_score(label, score))


def test_the_bounds_are_reached_by_orders_inside_the_classes():
    """Landslides last or first inside every class."""
    slides, others = np.array([3, 2, 7]), np.array([9, 4, 5])
    label = np.repeat([1, 0] * 3, np.column_stack([slides, others]).ravel())
    score = np.repeat([0, 0, 1, 1, 2, 2], np.column_stack([slides, others]).ravel())
    low, _, high = auc_bounds(slides, others)
    assert roc_auc_score(label, score - 0.1 * label) == pytest.approx(low)
    assert roc_auc_score(label, score + 0.1 * label) == pytest.approx(high)


@pytest.mark.known_by("published numbers", "Audit of a printed table")
def test_only_one_number_of_table_5_is_impossible(table_5):
    """The area share of the class High of the random forest is printed as 7.99; it must be 8.00."""
    wrong = table_5[table_5["verdict"] == "impossible"]
    assert wrong[["where", "check", "printed"]].values.tolist() == [
        ["RF / High", "area share", 7.99]
    ]
    low, high = wrong[["low", "high"]].iloc[0]
    assert 7.995 <= low < 8.0 < high < 8.005


def test_totals_of_table_5(table_5):
    assert "313.19 / 313.18" in of(table_5, "total area")["sentence"].item()
    assert of(table_5, "total area")["verdict"].item() == "possible"
    assert "6.46" in of(table_5, "total landslides")["sentence"].item()
    assert of(table_5, "prevalence")["printed"].item() == pytest.approx(2.06, abs=0.005)


def test_sums_of_table_5(table_5):
    row = of(table_5, "sum of landslide shares", "XGBoost")
    assert row["printed"].item() == pytest.approx(100.01)
    assert row["verdict"].item() == "possible"


def test_the_ratio_of_table_5_has_no_unit(table_5):
    assert of(table_5, "unit")["where"].item() == "FR (%)"


def test_ratios_of_the_random_forest_do_not_rise(table_5):
    falls = of(table_5, "order of ratios").query("verdict == 'noted'")
    assert falls[["where", "low", "printed"]].values.tolist() == [["RF", 0.54, 0.53]]


def test_the_random_forest_leaves_landslides_in_its_lowest_class(table_5):
    row = of(table_5, "lowest class", "RF")
    assert row["printed"].item() == pytest.approx(29, abs=0.05)
    assert row["verdict"].item() == "noted"


@pytest.mark.parametrize(
    ("model", "low", "high"),
    [("CNN", 0.940, 0.991), ("RF", 0.582, 0.811), ("XGBoost", 0.667, 0.839)],
)
def test_auc_bounds_of_table_5(table_5, model, low, high):
    row = of(table_5, "AUC bounds", model)
    assert row[["low", "high"]].values[0] == pytest.approx([low, high], abs=0.001)


@pytest.mark.parametrize(("other", "points"), [("RF", 12.9), ("XGBoost", 10.1)])
def test_the_lead_on_the_map_is_larger_than_that_of_the_abstract(table_5, other, points):
    """The abstract says 4.3 and 3.2."""
    row = of(table_5, "AUC lead", f"CNN / {other}")
    assert row["printed"].item() == pytest.approx(points, abs=0.1)
    assert row["low"].item() > 9


def test_fourteen_factors_of_one_paper_are_possible_and_one_of_another_land():
    """No number is impossible, the cells differ by one or two."""
    findings = audit(printed_table("oh2010_table2"))
    assert not (findings["verdict"] == "impossible").any()
    assert findings.query("check == 'frequency ratio'")["where"].nunique() == 14
    assert "597,884 / 597,883 / 597,882" in of(findings, "total area")["sentence"].item()
    assert of(findings, "total area")["verdict"].item() == "noted"
    assert of(findings, "total landslides")["verdict"].item() == "possible"
    assert of(findings, "AUC bounds").empty  # factor classes have no order by name


@pytest.mark.parametrize("name", ["wang2019_table4", "wang2019_table5", "pei2018_table4"])
def test_clean_tables_of_others_raise_no_question(name):
    assert set(audit(printed_table(name))["verdict"]) == {"possible", "implied"}


@pytest.mark.known_by("published numbers", "Audit of a table with decimal commas")
def test_one_share_of_a_thesis_was_made_to_fit_the_total():
    """23 of 114 landslides are 20.175 %, printed as 20,17; so the shares add up to 100.00."""
    findings = audit(printed_table("hoang2025_table3_8"))
    wrong = findings[findings["verdict"] == "impossible"]
    assert wrong[["where", "check", "printed"]].values.tolist() == [
        ["High", "landslide share", 20.17]
    ]
    assert wrong["low"].item() == wrong["high"].item() == pytest.approx(100 * 23 / 114)
    assert (of(findings, "printed total")["verdict"] == "possible").sum() == 4


@pytest.mark.parametrize(
    ("name", "where", "low", "high"),
    [
        # From the printed shares: sums of share × (land below), and of share × own land.
        ("pei2018_table4", "", 0.835, 0.946),
        ("hoang2025_table3_8", "", 0.740, 0.909),
        ("wang2019_table5", "this study", 0.526, 0.781),
        ("wang2019_table5", "report of 2013", 0.457, 0.847),
    ],
)
def test_auc_bounds_of_tables_of_others(name, where, low, high):
    row = of(audit(printed_table(name)), "AUC bounds", where)
    assert row[["low", "high"]].values[0] == pytest.approx([low, high], abs=0.001)


@pytest.mark.parametrize("name", OTHERS)
def test_every_published_file_is_read_like_a_users_file(name):
    """Remarks above the headings are skipped; the findings are those of the package's table."""
    file = resources.files("lsa_helpers") / "data" / "published" / f"{name}.csv"
    pd.testing.assert_frame_equal(audit(str(file)), audit(printed_table(name)))


TWO = {"class": ["Low", "High", "Total"], "area (km2)": ["80", "20", "100"]}


@pytest.mark.parametrize(
    ("density", "verdict"),
    [
        (["0.050", "0.300", "0.100"], "possible"),  # 4 / 80 and 6 / 20
        (["5.0", "30.0", "10.0"], "possible"),  # the same in per cent
        (["5.0", "36.0", "10.0"], "impossible"),  # 5.5 … 6.5 / 19.5 … 20.5 is at most 33.3 %
        (["500", "3000", "1000"], None),  # of another unit, which nobody knows
    ],
)
def test_densities_follow_from_landslides_and_land(density, verdict):
    table = pd.DataFrame(TWO | {"landslide area (km2)": ["4", "6", "10"]})
    found = of(audit(table.assign(**{"landslide density": density})), "landslide density")
    assert found["verdict"].tolist() == ([verdict] if verdict else [])


@pytest.mark.parametrize(
    ("total", "verdict"), [("100", "possible"), ("101", "possible"), ("102", "impossible")]
)
def test_a_printed_total_is_the_sum_within_rounding(total, verdict):
    """80 and 20 stand for 79.5 … 80.5 and 19.5 … 20.5, so for 99 … 101 together."""
    table = pd.DataFrame(TWO | {"landslides": ["4", "6", "10"]})
    table.loc[2, "area (km2)"] = total
    found = of(audit(table), "printed total").set_index("sentence")["verdict"]
    assert found.filter(like="areas").tolist() == [verdict]
    assert found.filter(like="landslide amounts").tolist() == ["possible"]


def test_a_total_that_is_not_printed_is_not_missed():
    table = pd.DataFrame(TWO | {"landslides": ["4", "6", "-"]})
    assert len(of(audit(table), "printed total")) == 1


counts = some.lists(
    some.tuples(some.integers(0, 400), some.integers(1, 4000)), min_size=2, max_size=5
).filter(lambda rows: sum(slides for slides, _ in rows) > 0)


def rounded(rows: list[tuple[int, int]], digits: int, *, counted: bool) -> pd.DataFrame:
    """The table that true counts of cells give when printed with so many digits."""
    slides, others = np.array(rows, float).T
    area = slides + others
    shares = 100 * area / area.sum(), 100 * slides / slides.sum()
    text = {"class": NAMES[: len(rows)]}
    unit, factor, places = ("(cells)", 1, 0) if counted else ("(km2)", 0.0009, digits)
    text[f"area {unit}"] = [f"{value * factor:.{places}f}" for value in area]
    text["area (%)"] = [f"{value:.{digits}f}" for value in shares[0]]
    text[f"landslides {unit}"] = [f"{value * factor:.{places}f}" for value in slides]
    text["landslides (%)"] = [f"{value:.{digits}f}" for value in shares[1]]
    text["FR"] = [f"{value:.{digits}f}" for value in shares[1] / shares[0]]
    return pd.DataFrame(text)


@settings(max_examples=60, deadline=None)
@given(rows=counts, digits=some.integers(1, 4), counted=some.booleans())
def test_no_table_of_true_counts_is_called_impossible(rows, digits, counted):
    findings = audit(rounded(rows, digits, counted=counted))
    assert findings.loc[findings["verdict"] == "impossible", "sentence"].tolist() == []


@settings(max_examples=40, deadline=None)
@given(rows=counts, row=some.integers(0, 4), by=some.sampled_from([-0.03, 0.02, 0.5, 7]))
def test_a_share_altered_by_more_than_rounding_is_found(rows, row, by):
    """From counts, which nothing is rounded away from, a share is known to 0.005."""
    table = rounded(rows, 2, counted=True)
    row %= len(table)
    altered = float(table.at[row, "area (%)"]) + by
    table.at[row, "area (%)"] = f"{max(altered, 0):.2f}"
    found = of(audit(table), "area share").query("verdict == 'impossible'")
    assert len(found) == (
        altered > 0 or float(rounded(rows, 2, counted=True).at[row, "area (%)"]) > 0
    )


def test_the_true_auc_lies_within_the_bounds():
    """Of a map of continuous values that is cut into classes afterwards."""
    rng = np.random.default_rng(0)
    label = rng.random(5000) < 0.2
    value = rng.normal(label * 1.0, 1)
    classes = np.digitize(value, [-1, 0, 1, 2])
    rows = [(int(label[classes == k].sum()), int((~label)[classes == k].sum())) for k in range(5)]
    row = of(audit(rounded(rows, 2, counted=True)), "AUC bounds")
    assert row["low"].item() < roc_auc_score(label, value) < row["high"].item()


@pytest.mark.parametrize(
    ("change", "check", "words"),
    [
        ({"FR": ["0.10", "2.80"]}, "frequency ratio", "Low: the frequency ratio 0.1 cannot be"),
        ({"area (%)": ["70.0", "30.5"]}, "sum of area shares", "100.50, which no rounding"),
        ({"landslides (%)": ["20.0", "79.0"]}, "landslide share", "High: the landslide share 79"),
        ({"landslides (cells)": ["20.5", "80"]}, "whole counts", "20.5 is counted, but not whole"),
        ({"FR": ["0.29", "0.27"]}, "order of ratios", "falls from Low (0.29) to High (0.27)"),
    ],
)
def test_each_fault_is_named(change, check, words):
    table = pd.DataFrame(
        {
            "class": ["Low", "High"],
            "area (cells)": ["700", "300"],
            "area (%)": ["70.0", "30.0"],
            "landslides (cells)": ["20", "80"],
            "landslides (%)": ["20.0", "80.0"],
            "FR": ["0.29", "2.67"],
        }
    )
    assert not audit(table)["verdict"].isin(["impossible", "noted"])[0]
    found = of(audit(table.assign(**change)), check)["sentence"]
    assert any(words in sentence for sentence in found)


def test_ratios_in_per_cent_and_shares_of_one_are_understood():
    table = pd.DataFrame(
        {
            "zone": ["low", "high"],
            "area share": ["0.70", "0.30"],
            "landslide share": ["0.20", "0.80"],
            "FR": ["29", "267"],
        }
    )
    findings = audit(table)
    assert not findings["verdict"].isin(["impossible"]).any()
    assert "against all land" in of(findings, "AUC bounds")["sentence"].item()


def test_what_is_missing_raises_no_alarm():
    """A dash among the areas leaves the total open, so no share can be checked by it."""
    table = rounded([(20, 680), (80, 220)], 2, counted=False)
    table.loc[0, "area (km2)"] = "-"
    findings = audit(table)
    assert not (findings["verdict"] == "impossible").any()
    assert of(findings, "AUC bounds").empty
