"""``lsa check-env`` and ``lsa why``: what a machine can do, and what a run would do."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from lsa_helpers.run import Run, sha256
from lsa_helpers.runner import cli, cli_state, manifest
from lsa_helpers.runner.environment import Machine, remarks, table, this_machine
from lsa_helpers.runner.fingerprint import made_from
from lsa_helpers.runner.inputs import find_params, load_run_params

LARGE = Machine(cores=16, memory_gb=60, disk_gb=500, gpu="large, 80 GB")


@pytest.mark.parametrize(
    ("lacks", "word"),
    [
        ({"writable": False}, "cannot be written"),
        ({"disk_gb": 1.0}, "GB of disk"),
        ({"memory_gb": 1.5}, "GB of memory"),
        ({"cores": 1}, "One core"),
        ({"gpu": ""}, "No GPU"),
        ({"bfloat16": False}, "No bfloat16"),
        ({"torch": False, "gpu": ""}, "No torch"),
        ({"git": ""}, "No git"),
        ({"chromium": ""}, "No chromium"),
    ],
)
def test_each_lack_is_one_sentence(lacks, word):
    assert remarks(LARGE) == []
    (said,) = remarks(replace(LARGE, **lacks))
    assert word in said and said.endswith(".")


def test_this_machine_is_measured():
    machine = this_machine()
    assert machine.cores >= 1 and machine.memory_gb > 0 and machine.disk_gb > 0
    assert bool(machine.gpu) == torch.cuda.is_available()
    facts = table(machine)
    assert facts["cores"] == str(machine.cores) and "papermill" in facts
    assert facts["bfloat16"] == ("fast" if machine.bfloat16 else "emulated, so float32 is used")


def test_a_machine_without_torch_is_measured_too(monkeypatch):
    """What only torch can say is unknown there, and no lack."""
    monkeypatch.setitem(sys.modules, "torch", None)
    machine = this_machine()
    assert not machine.torch and machine.cores >= 1
    assert {table(machine)[name] for name in ("GPU", "bfloat16")} == {"unknown without torch"}
    assert sum("torch" in said or "GPU" in said for said in remarks(machine)) == 1


@pytest.fixture
def why(tmp_path, monkeypatch, capsys):
    """Function that gives the lines of ``lsa why`` in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def ask(*arguments: str) -> list[str]:
        monkeypatch.setattr(sys, "argv", ["lsa", "why", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            cli.main()
        assert not stop.value.code
        return capsys.readouterr().out.splitlines()

    return ask


def record_of(run: Run, name: str, **changes) -> None:
    """Write a manifest in which chapter 01 was made from what it would be made from now."""
    run.path.mkdir(parents=True, exist_ok=True)
    values = load_run_params(find_params(name), {}, None, run.path)
    product = run.write_json(1, "a.json")
    made = made_from(run, values["01_data"], "01_data", {}) | changes
    outputs = {"products/a.json": sha256(product)}
    stage = {"name": "01_data", "status": "done", "outputs": outputs, "why": ["x"]}
    (run.path / "params.yml").write_text("shared: {}", encoding="utf-8")
    manifest.write_manifest(run, [stage | made])


def test_why_of_a_run_that_is_not_there(why):
    assert why("01", "tiny") == ["01_data would be executed: it was not executed yet."]
    assert why("06", "tiny")[-1].startswith("05_susceptibility comes first")
    assert list(Path().iterdir()) == [], "asking writes nothing"


def test_why_of_a_run_that_is_up_to_date_and_of_one_that_is_not(why):
    run = Run(Path("runs/tiny"))
    record_of(run, "tiny")
    assert why("01", "tiny") == ["01_data is up to date.", "It was executed last because: x."]
    assert why("01", "tiny", "-p", "seed", "7")[0] == (
        "01_data would be executed: parameter seed: 0 → 7."
    )
    record_of(run, "tiny", code={"lsa_helpers.gone": "1"})
    lines = why("01", "tiny")
    assert "01_data would be executed: code lsa_helpers.gone is gone." in lines
    assert "01_data would be executed: code lsa_helpers.raster is new." in lines
    run.write_json(2, "a.json")
    assert "01_data would be executed: result products/a.json changed." in why("01", "tiny")


def test_why_of_a_run_by_its_folder(why):
    """A run with a name of its own, whose parameter file is not at hand: by what it wrote down."""
    run = Run(Path("runs/mine"))
    record_of(run, "tiny")
    (run.path / "params.yml").write_text("shared: {seed: 5}", encoding="utf-8")
    for name in ("mine", "runs/mine"):
        assert "01_data would be executed: parameter seed: 0 → 5." in why("01", name)


def test_a_skipped_chapter_says_why():
    record = {"status": "skipped", "reason": "there are no images"}
    assert cli_state.why_lines("02_detector", {}, [], record) == [
        "02_detector was skipped: there are no images."
    ]


def test_figures_by_older_code_are_told():
    drawn = ["drawing code lsa_helpers.show.style changed"]
    lines = cli_state.why_lines("05_susceptibility", {}, drawn, {"status": "done"})
    assert lines[0] == "05_susceptibility is up to date."
    assert lines[1].startswith(f"Its figures are by older code: {drawn[0]}. Next: lsa run --redraw")
