"""Tables of chapter 02."""

import pandas as pd
import pytest

from lsa_helpers.detect.dated import dated_table
from lsa_helpers.paper import published_table
from lsa_helpers.show.detector import scores_beside_paper, training_curve


def _scores(optimizer: str) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "backbone": "resnet18",
                "optimizer": optimizer,
                "split": "test",
                "AP_segm": 38.44,
                "AP50_segm": 70.0,
            }
        ]
    )


@pytest.mark.parametrize(("optimizer", "beside"), [("sgd", ["SGD"]), ("muon", ["SGD", "AdamW"])])
def test_a_row_stands_beside_its_like_in_the_paper(optimizer, beside):
    """An optimizer of the paper stands beside its own row, one that the paper has not beside both
    rows of its backbone.
    """
    table = scores_beside_paper(_scores(optimizer)).T
    paper = table.xs("paper, Table 4", level="source").reset_index()
    assert paper["optimizer"].tolist() == beside and set(paper["backbone"]) == {"ResNet18"}
    printed = published_table(4).query("backbone == 'ResNet18' and optimizer == @beside")
    assert paper["AP of masks"].tolist() == printed["AP_segm"].tolist()
    assert table.xs("this run", level="source")["AP of masks"].tolist() == [38.4]


def test_a_detector_that_found_nothing_stands_beside_the_paper():
    """Read from a file, zeros are whole numbers; the paper's are not."""
    nothing = _scores("sgd").assign(AP_segm=0, AP50_segm=0, pixel_iou=0)
    table = scores_beside_paper(nothing)
    assert table.loc["AP of masks"].tolist()[0] == 0 and table.loc["AP of masks"].tolist()[1] > 30


def test_intervals_stand_behind_their_scores():
    """Both ends of an interval in brackets; a score without one, as the paper's, stands alone."""
    scores = _scores("sgd").assign(AP50_segm_low=64.96, AP50_segm_high=75.04)
    assert scores_beside_paper(scores).loc["AP50 of masks"].tolist()[0] == "70.0 (65.0–75.0)"
    paper = published_table(4).query("backbone == 'ResNet18' and optimizer == 'SGD'")
    assert scores_beside_paper(scores).loc["AP50 of masks"].tolist()[1] == paper["AP50_segm"].item()
    scores = scores.assign(AP50_segm_low=float("nan"), AP50_segm_high=float("nan"))
    assert scores_beside_paper(scores).loc["AP50 of masks"].tolist()[0] == 70.0


def test_dated_comparisons_are_whole_and_say_where_they_are_from():
    """Four detectors of one budget and six platforms; the table names the day, not this run."""
    four, platforms = dated_table("four_detectors"), dated_table("platforms")
    assert set(zip(four["backbone"], four["optimizer"], strict=True)) == {
        (b, o) for b in ("resnet18", "resnet50") for o in ("sgd", "adamw")
    }
    assert four["epochs"].nunique() == 1 and len(platforms) == 6
    assert {"AP50_segm", "AP50_segm_seen", "landslides"} <= set(platforms)
    shown = scores_beside_paper(four, "25 November 2026")
    assert {str(value) for value in shown.loc["epochs"]} == {
        "4",
        "–",
    }  # a count has no decimals; the paper prints none
    assert set(shown.columns.get_level_values("source")) == {"25 November 2026", "paper, Table 4"}


def test_what_was_not_trained_has_no_curve():
    """A given detector has no history: the figure says so instead of failing."""
    (note,) = training_curve(pd.DataFrame()).axes[0].texts
    assert "No detector was trained" in note.get_text()
