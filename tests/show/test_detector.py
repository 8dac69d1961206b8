"""Tables and figures of chapter 02."""

import pandas as pd
import pytest
import torch
from matplotlib.colors import to_rgb

from lsa_helpers.detect.chips import Chip
from lsa_helpers.detect.dataset import ChipSet
from lsa_helpers.detect.dated import dated_table
from lsa_helpers.detect.model import DetectorConfig
from lsa_helpers.paper import published_table
from lsa_helpers.show.detector import (
    outcomes,
    scores_beside_paper,
    sweep,
    telling_chips,
    training_curve,
)
from lsa_helpers.show.style import OUTCOMES
from tests.detect.conftest import bright_square, write_image


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
    table = scores_beside_paper(_scores(optimizer), rows=("AP_segm", "AP50_segm")).T
    paper = table.xs("paper, Table 4", level="source").reset_index()
    assert paper["optimizer"].tolist() == beside and set(paper["backbone"]) == {"ResNet18"}
    printed = published_table(4).query("backbone == 'ResNet18' and optimizer == @beside")
    assert paper["AP of masks (%)"].tolist() == printed["AP_segm"].tolist()
    assert table.xs("this run", level="source")["AP of masks (%)"].tolist() == [38.4]


def test_a_detector_that_found_nothing_stands_beside_the_paper():
    """Read from a file, zeros are whole numbers; the paper's are not."""
    nothing = _scores("sgd").assign(AP_segm=0, AP50_segm=0, pixel_iou=0)
    ours, theirs = scores_beside_paper(nothing, rows=("AP_segm",)).loc["AP of masks (%)"]
    assert ours == 0 and theirs > 30


def test_intervals_stand_behind_their_scores():
    """Both ends of an interval in brackets; a score without one, as the paper's, stands alone."""
    scores = _scores("sgd").assign(AP50_segm_low=64.96, AP50_segm_high=75.04)
    assert scores_beside_paper(scores).loc["AP50 of masks (%)"].tolist()[0] == "70.0 (65.0–75.0)"
    paper = published_table(4).query("backbone == 'ResNet18' and optimizer == 'SGD'")
    assert (
        scores_beside_paper(scores).loc["AP50 of masks (%)"].tolist()[1]
        == paper["AP50_segm"].item()
    )
    scores = scores.assign(AP50_segm_low=float("nan"), AP50_segm_high=float("nan"))
    assert scores_beside_paper(scores).loc["AP50 of masks (%)"].tolist()[0] == 70.0


def test_dated_comparisons_are_whole_and_say_where_they_are_from():
    """Four detectors of one budget and six platforms; the table names the day, not this run."""
    four, platforms = dated_table("four_detectors"), dated_table("platforms")
    assert set(zip(four["backbone"], four["optimizer"], strict=True)) == {
        (b, o) for b in ("resnet18", "resnet50") for o in ("sgd", "adamw")
    }
    assert four["epochs"].nunique() == 1 and len(platforms) == 6
    assert {"AP50_segm", "AP50_segm_seen", "landslides"} <= set(platforms)
    shown = scores_beside_paper(four, "25 November 2026", ("AP50_segm", "epochs"))
    assert shown.index.tolist() == ["AP50 of masks (%)", "epochs"]
    assert {str(value) for value in shown.loc["epochs"]} == {
        "4",
        "–",
    }  # a count has no decimals; the paper prints none
    assert set(shown.columns.get_level_values("source")) == {"25 November 2026", "paper, Table 4"}


def test_what_was_not_trained_has_no_curve():
    """A given detector has no history: the figure says so instead of failing."""
    (note,) = training_curve(pd.DataFrame()).axes[0].texts
    assert "No detector was trained" in note.get_text()


def test_the_table_of_scores_has_a_handful_of_rows_in_words():
    """Whatever else is in the file."""
    names = ["AP_segm", "AP50_segm", "precision", "recall", "f1", "pixel_iou", "AR_segm"]
    scores = _scores("sgd").assign(**dict.fromkeys(names, 50.0))
    rows = scores_beside_paper(scores).index.tolist()
    assert len(rows) == 5 and all(row.endswith("(%)") for row in rows)


def test_each_kind_of_chip_is_its_most_telling_one_and_none_stands_twice():
    """Chip 1 has most hits and no error; 2 most misses alone; 3 false alarms alone; 4 both."""
    counts = [(1, 0, 0), (3, 0, 0), (2, 0, 2), (0, 3, 0), (1, 2, 2), (0, 1, 1)]
    table = pd.DataFrame(counts, columns=["hit", "false_alarm", "missed"])
    assert list(telling_chips(table).values()) == [1, 2, 3, 4]
    assert telling_chips(table.head(2)) == {"found": 1}
    assert telling_chips(table.head(0)) == {}
    table.loc[1, "hit"] = 7  # more than can be seen: the other one without error is shown
    assert telling_chips(table)["found"] == 0


def test_marks_at_one_threshold_share_their_line():
    table = pd.DataFrame({name: [0.2, 0.8] for name in ("score", "precision", "recall", "f1")})
    (ax,) = sweep({"pixels": table}, {"F1": 0.5, "10 : 1": 0.5, "area": 0.8}).axes
    assert [text.get_text() for text in ax.texts] == ["F1, 10 : 1", "area"]
    assert [line.get_label() for line in ax.lines[:3]] == ["precision", "recall", "F1"]


class _Fixed(torch.nn.Module):
    """Detects the first landslide of a chip as it is, and a square that is none."""

    def __init__(self, masks: torch.Tensor):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        square = torch.zeros_like(masks[:1])
        square[:, :5, :5] = 1
        self.found = torch.cat([masks[:1], square])[:, None].float()

    def forward(self, images):
        return [{"scores": torch.tensor([0.9, 0.8]), "masks": self.found}]


def test_a_chip_is_drawn_with_what_became_of_its_landslides(tmp_path):
    """A hit, a false alarm and no miss, in the colours of their outcomes; above, what is known."""
    image, mask = bright_square()
    files = [
        write_image(tmp_path / name, part) for name, part in (("i.png", image), ("m.png", mask))
    ]
    chips = ChipSet([Chip(*files)], DetectorConfig(chip_size=64))
    model = _Fixed(chips[0][1]["masks"])
    fig = outcomes(model, chips, {"found": 0}, 0.5)
    above, below = fig.axes
    lines = [tuple(line.get_edgecolor()[0][:3]) for line in below.collections]
    wanted = [to_rgb(OUTCOMES[name]) for name in ("hit", "false alarm")]
    assert len(above.collections) == 1 and len(lines) == 2
    for line, colour in zip(lines, wanted, strict=True):
        assert line == pytest.approx(colour)
    assert [text.get_text() for text in below.texts] == ["0.90", "0.80"]
