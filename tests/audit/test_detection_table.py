"""Audit of tables of detections: the facts of the paper's Table 4, and identities."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from lsa_helpers.audit import audit, implied_recall
from lsa_helpers.paper import printed_table


@pytest.fixture(scope="module")
def table_4() -> pd.DataFrame:
    return audit(printed_table(4))


@pytest.mark.known_by("published numbers", "Implied recall")
def test_f1_and_precision_of_table_4_imply_the_recall(table_4):
    rows = table_4.query("check == 'implied recall'")
    assert rows["printed"].round(2).tolist() == [70.65, 74.32, 73.70, 79.75]
    assert (rows["low"] < rows["printed"]).all() and (rows["printed"] < rows["high"]).all()


def test_no_recall_of_table_4_gives_its_f1(table_4):
    rows = table_4.query("check == 'recall in F1'")
    assert rows["where"].tolist() == ["ar_segm", "ar_bbox"]
    assert (rows["verdict"] == "noted").all() and (rows["printed"] == 0).all()


def test_precision_of_table_4_gains_more_than_ap50(table_4):
    gains = table_4.query("check == 'gain'").set_index("where")
    row = gains.loc["ResNet50 SGD / ResNet50 AdamW"]
    assert (round(row["printed"], 1), round(row["low"], 1)) == (16.4, 4.0)
    assert row["verdict"] == "noted"
    assert len(gains) == 4  # the diagonals change two things


@settings(max_examples=60, deadline=None)
@given(tp=some.integers(1, 500), fp=some.integers(0, 500), fn=some.integers(0, 500))
def test_counts_give_their_own_recall_back(tp, fp, fn):
    """And a printed table of true counts is never called impossible."""
    precision, recall = tp / (tp + fp), tp / (tp + fn)
    f1, iou = 2 * tp / (2 * tp + fp + fn), tp / (tp + fp + fn)
    assert implied_recall(precision, f1) == pytest.approx(recall)
    scores = {"precision (%)": precision, "recall (%)": recall, "F1 (%)": f1, "IoU (%)": iou}
    row = {"model": ["A"]} | {name: [f"{100 * value:.1f}"] for name, value in scores.items()}
    findings = audit(pd.DataFrame(row))
    assert not findings["verdict"].isin(["impossible", "noted"]).any()


@pytest.mark.parametrize(
    ("columns", "check", "verdict"),
    [
        ({"precision": "0.40", "F1": "0.70"}, "implied recall", "impossible"),
        ({"precision": "0.50", "F1": "0.67"}, "implied recall", "implied"),
        ({"precision": "80", "recall": "60", "F1": "71"}, "recall in F1", "impossible"),
        ({"IoU": "50.0", "F1": "66.7"}, "IoU and F1", "possible"),
        ({"IoU": "50.0", "F1": "80.0"}, "IoU and F1", "noted"),
        ({"AP": "60.0", "AP50": "50.0"}, "nested AP", "impossible"),
        ({"mAP": "40.0", "mAP50": "50.0"}, "nested AP", "possible"),
    ],
)
def test_each_relation(columns, check, verdict):
    table = pd.DataFrame({"model": ["A"]} | {name: [value] for name, value in columns.items()})
    found = audit(table)
    assert found.loc[found["check"] == check, "verdict"].tolist() == [verdict]
