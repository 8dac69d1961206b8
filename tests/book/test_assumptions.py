"""The register of assumptions: its texts, its parameters, and what a run measured of them."""

import pandas as pd
import pytest
import yaml

from lsa_helpers.run import Run
from lsa_helpers.runner.assumptions import assumptions_page, measured_text
from lsa_helpers.runner.params import owners

TABLE = pd.DataFrame(
    {
        "model": ["rf", "rf", "cnn", "rf"],
        "kind": ["a", "a", "a", "b"],
        "auc": [0.5, 0.7, 0.9, 0.8],
        "low": [0.1, 0.2, 0.3, 0.4],
    }
)
MEASURED = {"table": "scores", "value": "auc", "where": {"model": "rf", "kind": "a"}}


@pytest.fixture
def run(tmp_path) -> Run:
    run = Run(tmp_path / "run")
    run.write_table(TABLE, "scores")
    return run


def test_every_text_stands_on_the_page_and_every_parameter_exists(root):
    file = root / "book/assumptions.yml"
    page = assumptions_page(file)
    entries = yaml.safe_load(file.read_text(encoding="utf-8"))
    lines = [line for line in page.splitlines() if line.startswith("| ")][1:]
    assert len(lines) == len(entries) > 30
    for entry, line in zip(entries, lines, strict=True):
        assert line.count(" | ") == 3
        assert all(entry[name] in line for name in ("step", "default", "why", "otherwise"))
        for name in entry.get("parameters", ()):
            assert owners(name), name
            assert f"`{name}`" in line
    assert "This run" not in page


def test_means_and_differences_by_hand(run):
    assert measured_text(run, MEASURED | {"reads": "{value:.2f} from {low:.1f}"}) == "0.60 from 0.1"
    minus = {"minus": {"model": "rf", "kind": "b"}, "reads": "{value:+.2f}"}
    assert measured_text(run, MEASURED | minus) == "-0.20"


@pytest.mark.parametrize(
    "change",
    [{"table": "none"}, {"value": "f1"}, {"where": {"model": "svm"}}, {"where": {"seed": 1}}],
)
def test_what_a_run_did_not_measure_is_left_out(run, change):
    assert measured_text(run, MEASURED | {"reads": "{value}"} | change) == ""


def test_a_runs_page_says_what_it_measured(run, tmp_path):
    entry = {"step": "s", "default": "d", "why": "w", "otherwise": "o"}
    there = MEASURED | {"reads": "AUC {value:.1f}"}
    measured = [there, there | {"table": "none"}, there | {"reads": "once more {value:.1f}"}]
    file = tmp_path / "assumptions.yml"
    file.write_text(yaml.safe_dump([entry | {"measured": measured}]), encoding="utf-8")
    row = "| s | d | w | o. *This run*: AUC 0.6; once more 0.6 |"
    assert row in assumptions_page(file, run).splitlines()
    assert "| s | d | w | o |" in assumptions_page(file).splitlines()
