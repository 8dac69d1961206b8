"""Reading of printed tables: digits, headings, and what cannot be read."""

import pandas as pd
import pytest

from lsa_helpers.audit import audit, intervals, read_printed, report
from lsa_helpers.audit.numbers import decimal_points
from lsa_helpers.errors import InputError
from lsa_helpers.paper import printed_table

GOOD = "class,area (km2),landslide area (km2)\nLow,70.0,2.0\nHigh,30.0,8.0\n"


def test_a_number_stands_for_half_a_unit_of_its_last_digit():
    found = intervals(pd.Series(["12.34", "4.0", "7", "0", "1,234.5", "12.50%", "-", ""]))
    assert found["value"].tolist()[:6] == [12.34, 4.0, 7, 0, 1234.5, 12.5]
    half = (found["high"] - found["value"]).round(6).tolist()
    assert half[:6] == [0.005, 0.05, 0.5, 0.005, 0.05, 0.005]
    assert found["low"][3] == 0
    assert found.iloc[6:].isna().all(axis=None)
    assert (intervals(pd.Series(["7", "12"]), exact=True)["high"] == [7, 12]).all()


@pytest.mark.parametrize(
    ("printed", "read"),
    [
        (["394,5", "78,9"], ["394.5", "78.9"]),
        (["1.394,5", "0,062"], ["1394.5", "0.062"]),
        (["1,234", "78,9"], ["1.234", "78.9"]),  # beside 78,9 the comma is decimal
        (["1,234", "56,789"], ["1,234", "56,789"]),  # thousands, or nobody knows
        (["1,234", "78.9"], ["1,234", "78.9"]),
        (["78,9", "78.9"], ["78,9", "78.9"]),  # both marks: left as it is, and refused later
    ],
)
def test_a_decimal_comma_is_known_by_the_table(printed, read):
    assert decimal_points(pd.DataFrame({"area": printed}))["area"].tolist() == read


@pytest.mark.parametrize("mark", [",", " ", "\u00a0", "\u2009", "'", "’"])
def test_marks_between_thousands_are_left_out(mark):
    found = intervals(pd.Series([f"1{mark}234{mark}567", f"12{mark}345.5"]))
    assert found["value"].tolist() == [1234567, 12345.5]


def test_a_file_with_remarks_commas_and_totals(tmp_path):
    """70,5 and 29,5 km² of 100, with 1 and 9 landslides: shares and ratios of two digits."""
    file = tmp_path / "table.csv"
    rows = 'Low,"70,5","10,0","0,14"\nHigh,"29,5","90,0","3,05"\nTotal,100,100,\n'
    file.write_text(f"# from a paper, Table 1\n# typed by hand\nclass,area,slides (%),FR\n{rows}")
    findings = audit(file)
    assert set(findings["verdict"]) == {"possible", "implied"}
    assert findings.query("check == 'frequency ratio'")["verdict"].tolist() == ["possible"]
    assert (findings["check"] == "printed total").sum() == 2


def test_trailing_zeros_are_read(tmp_path):
    """4.00 says more than 4.0, which a reader of numbers would not see."""
    file = tmp_path / "table.csv"
    file.write_text(GOOD)
    assert read_printed(file)["area"].tolist() == ["70.0", "30.0"]


@pytest.mark.parametrize(
    ("heading", "meaning"),
    [
        ("Landslide susceptibility class", "class"),
        ("Zone", "class"),
        ("No. of pixels in domain", "area"),
        ("% of pixels in domain", "area_share"),
        ("Class area (km²)", "area"),
        ("Area ratio (%)", "area_share"),
        ("landslide_area_ratio_pct", "landslide_share"),
        ("No. of landslides", "landslides"),
        ("Landslide pixels", "landslides"),
        ("Frequency ratio", "fr"),
        ("Likelihood ratio", "fr"),
        ("Method", "model"),
        ("landslide density (no/km2)", "density"),
        ("debris-flow catchment area (%)", "landslide_share"),
        ("population density", ""),
    ],
)
def test_headings_are_guessed(heading, meaning):
    from lsa_helpers.audit.printed import _class_column

    assert _class_column(heading) == meaning


def test_names_below_each_other_are_repeated_and_totals_left_out(tmp_path):
    file = tmp_path / "table.csv"
    rows = "CNN,Low,70,2\n,High,30,8\nRF,Low,60,3\n,High,40,7\n,Total,100,10\n"
    file.write_text(f"model,class,area (cells),landslides (cells)\n{rows}")
    table = read_printed(file)
    assert table["model"].tolist() == ["CNN", "CNN", "RF", "RF"]
    assert "CNN leads RF" not in report(audit(table), "t")  # their bounds overlap


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2\n", ["columns are not understood", "Found: a, b", "A table of classes has"]),
        ("class,area\nLow,3\n", ["columns are not understood"]),
        ("", ["no readable CSV", "No columns"]),
        (GOOD.splitlines()[0] + "\n", ["no rows"]),
        (GOOD.replace("70.0", "much"), ['"much" is no number', "column area"]),
        (GOOD.replace("70.0", "-70"), ['"-70" is no number']),
        (GOOD.replace("70.0", "1,070").replace("30.0", "1,030"), ["more fields than headings"]),
        (GOOD.replace(",", ";"), ["columns are not understood", "class;area"]),
        (GOOD.replace("70.0", '"70,5"'), ['"70,5" is no number']),
        (GOOD.replace("km2)\nLow", "km2),pixels\nLow").replace("0\n", "0,1\n"), ["mean the same"]),
    ],
)
def test_wrong_files_are_explained_in_one_sentence(tmp_path, text, words):
    file = tmp_path / "table.csv"
    file.write_text(text)
    with pytest.raises(InputError) as error:
        audit(file)
    said = str(error.value)
    assert all(word in said for word in ["table.csv", *words])
    assert "\n" not in said


def test_rows_without_a_name_are_numbered():
    table = pd.DataFrame({"Precision": ["80", "70"], "F1-Score (%)": ["70", "60"]})
    assert audit(table)["where"].tolist() == ["row 1", "row 2"]


def test_a_missing_file_is_explained(tmp_path):
    with pytest.raises(InputError, match="no readable CSV"):
        audit(tmp_path / "none.csv")


def test_other_printed_tables_are_refused():
    with pytest.raises(InputError, match="no printed table"):
        printed_table(3)


def test_the_report_puts_the_gravest_first():
    text = report(audit(printed_table(5)), "Table 5")
    heads = [line for line in text.splitlines() if line.startswith("## ")]
    assert heads[0].startswith("## Cannot be") and heads[-1].startswith("## Fits")
    assert text.startswith("# Table 5\n") and "7.99 cannot be" in text
