"""Sweeps: what a file means, which stages are shared, what a failure or a second start leaves."""

import json
import os
import subprocess
import sys
import time

import nbformat
import pytest
import yaml
from distributed import Client, LocalCluster
from hypothesis import given
from hypothesis import strategies as st

from lsa_helpers.errors import InputError
from lsa_helpers.run import Run
from lsa_helpers.runner import execute as runner
from lsa_helpers.runner import sweep_tasks as tasks
from lsa_helpers.runner.cells import notebooks_dir
from lsa_helpers.runner.manifest import read_manifest
from lsa_helpers.runner.params import CHAPTERS
from lsa_helpers.runner.sweep import Range, find_sweep, owners, read_sweep, run_name, sweep_runs
from tests.runner.test_execute import FIRST, SECOND, THIRD, chapters  # noqa: F401 (a fixture)

STAGES = [FIRST, SECOND, THIRD]


def _runs(tmp_path, **content):
    """The runs of a sweep of the smallest size."""
    file = tmp_path / "sweep.yml"
    file.write_text(yaml.safe_dump({"base": "tiny", **content}, sort_keys=False))
    return sweep_runs(read_sweep(file), file, tmp_path / "runs", n_jobs=1)


def test_a_grid_is_every_value_with_every_other(tmp_path):
    runs = _runs(tmp_path, grid={"seed": [1, 2], "04+05.positives": ["point", "scarp"]})
    assert list(runs) == [
        "seed=1,positives=point",
        "seed=1,positives=scarp",
        "seed=2,positives=point",
        "seed=2,positives=scarp",
    ]
    one = runs["seed=2,positives=point"]
    assert {params.seed for params in one.values()} == {2}
    assert one["04_factor_selection"].positives == one["05_susceptibility"].positives == "point"
    assert one["05_susceptibility"].rf_trees == 60  # the base's own


def test_a_list_names_every_run_and_a_random_sweep_repeats_itself(tmp_path):
    runs = _runs(tmp_path, list=[{"n_classes": 3}, {"n_classes": 4, "seed": 9}])
    assert [params["06_frequency_ratio"].n_classes for params in runs.values()] == [3, 4]
    over = {"xgb_eta": {"low": 0.01, "high": 0.5, "log": True}, "cnn_window": [7, 11, 15]}
    drawn = [_runs(tmp_path, random={"runs": 5, "seed": seed, "over": over}) for seed in (0, 0, 1)]
    assert list(drawn[0]) == list(drawn[1]) != list(drawn[2])
    assert all(0.01 <= params[SECOND].xgb_eta <= 0.5 for params in drawn[0].values())


@given(st.integers(0, 10**6), st.booleans(), st.booleans())
def test_a_drawn_number_lies_in_its_range(seed, log, whole):
    import random

    value = Range(low=2, high=300, log=log, whole=whole).draw(random.Random(seed))
    assert 2 <= value <= 300
    assert not whole or isinstance(value, int)


@pytest.mark.parametrize(
    "content, words",
    [
        ({"gird": {"seed": [1]}}, 'unknown key "gird"'),
        ({}, 'give one of "grid", "list" and "random"'),
        ({"grid": {"seed": [1]}, "list": [{"seed": 2}]}, 'give one of "grid", "list" and "random"'),
        ({"grid": {"sed": [1]}}, 'Did you mean "seed"'),
        ({"grid": {"seed": [-1]}}, 'parameter "seed"'),
        ({"grid": {"seed": [1, 1]}}, "two runs of the sweep are alike"),
        ({"base": "tinyy", "grid": {"seed": [1]}}, 'Did you mean "tiny"'),
        ({"random": {"runs": 2, "over": {"seed": {"low": 5, "high": 1}}}}, "low must lie below"),
        ({"grid": {"data": ["nowhere"]}}, "nowhere"),
    ],
)
def test_a_wrong_sweep_is_one_sentence(tmp_path, content, words):
    with pytest.raises(InputError) as error:
        _runs(tmp_path, **content)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_the_sweeps_of_the_book_are_right(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # one takes the detector of the book's run
    products = tmp_path / "runs" / "quick" / "products"
    products.mkdir(parents=True)
    (products / "detector.safetensors").touch()
    counts = {}
    for file in sorted((notebooks_dir() / "sweeps").glob("*.yml")):
        runs = sweep_runs(read_sweep(find_sweep(file.stem)), file, tmp_path, n_jobs=1)
        counts[file.stem] = len(runs)
    assert counts == {"cnn_window": 6, "sampling": 18, "seeds": 10}


def test_long_names_differ(tmp_path):
    names = {run_name({"bands": ["red"] * 50 + [str(last)]}) for last in range(3)}
    assert len(names) == 3 and max(map(len, names)) <= 100


def test_a_stage_is_shared_where_all_before_it_is_alike(tmp_path):
    runs = _runs(tmp_path, grid={"seed": [0, 1], "n_classes": [3, 4], "n_explain": [10, 20]})
    first = owners(runs, list(CHAPTERS))
    made = {chapter: len({first[name, chapter] for name in runs}) for chapter in CHAPTERS}
    assert made == {
        "01_data": 2,
        "02_detector": 2,
        "03_inventory": 2,
        "04_factor_selection": 2,
        "05_susceptibility": 2,
        "06_frequency_ratio": 4,
        "07_shap": 4,
        "08_shapley_maps": 2,
        "09_validation": 2,
        "10_samples": 2,
        "11_inventory_errors": 2,
        "12_uncertainty": 2,
        "13_mapping_units": 2,
        "14_using_the_map": 4,
    }


@pytest.fixture
def client():
    """Two workers inside this process, where the stand-in chapters are known."""
    here = {"processes": False, "n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    with LocalCluster(**here) as cluster, Client(cluster) as client:
        yield client


def _states(client, folder, runs) -> dict:
    """How the stages of a sweep ended."""
    ended = tasks.follow(tasks.submit(client, folder, runs, STAGES), lambda _: None, pause=0.1)
    return {key: stage.state for key, stage in ended.items()}, ended


@pytest.mark.notebooks
def test_what_runs_share_is_made_once_and_a_failure_stops_only_its_own(
    tmp_path,
    chapters,  # noqa: F811
    client,
):
    folder = tmp_path / "runs"
    runs = _runs(tmp_path, grid={"n_classes": [4, 5, 9]})
    assert len(tasks.stages_to_make(folder, runs, STAGES)) == 5
    states, ended = _states(client, folder, runs)
    a, b, c = runs
    assert states == {
        (a, FIRST): "made",
        (b, FIRST): "linked",
        (c, FIRST): "linked",
        (a, SECOND): "made",
        (b, SECOND): "linked",
        (c, SECOND): "linked",
        (a, THIRD): "made",
        (b, THIRD): "made",
        (c, THIRD): "failed",
    }
    assert "nine is too many" in ended[c, THIRD].error
    assert (folder / b / "products/c.txt").read_text() == "005"
    one, other = (os.stat(folder / name / "products/b.txt") for name in (a, b))
    assert one.st_ino == other.st_ino
    record = {item["name"]: item for item in read_manifest(Run(folder / b))["stages"]}
    assert record[SECOND]["linked_from"] == a
    assert (folder / b / f"notebooks/{SECOND}.ipynb").is_file()
    # A linked chapter is up to date for a plain `lsa run` too.
    assert runner.execute(Run(folder / b), runs[b], STAGES) == []

    assert tasks.stages_to_make(folder, runs, STAGES) == [(c, THIRD)]
    again, _ = _states(client, folder, runs)
    assert again.pop((c, THIRD)) == "failed"
    assert set(again.values()) == {"unchanged"}


@pytest.mark.notebooks
def test_what_waits_for_a_failed_stage_is_not_made(tmp_path, chapters, client):  # noqa: F811
    notebook = nbformat.read(chapters / f"{SECOND}.ipynb", 4)
    notebook.cells[1].source += "\nassert seed != 1, 'one is too few'"
    nbformat.write(notebook, chapters / f"{SECOND}.ipynb")
    runs = _runs(tmp_path, grid={"seed": [0, 1], "n_classes": [4, 5]})
    states, ended = _states(client, tmp_path / "runs", runs)
    good, good_too, bad, bad_too = runs
    assert states[good, THIRD] == states[good_too, THIRD] == "made"
    assert states[bad, SECOND] == "failed"
    assert states[bad, THIRD] == states[bad_too, SECOND] == states[bad_too, THIRD] == "not made"
    assert ended[bad_too, SECOND].error == f"{SECOND} of {bad} failed"


@pytest.mark.notebooks
def test_a_linked_run_changed_afterwards_leaves_the_other_as_it_is(tmp_path, chapters, client):  # noqa: F811
    folder = tmp_path / "runs"
    runs = _runs(tmp_path, grid={"n_classes": [4, 5]})
    _states(client, folder, runs)
    a, b = runs
    before = (folder / a / "products/b.txt").read_bytes()
    runner.execute(Run(folder / b), runs[b], [SECOND], force=True)
    (folder / b / "products/b.txt").unlink()
    assert (folder / a / "products/b.txt").read_bytes() == before
    assert runner.execute(Run(folder / a), runs[a], STAGES) == []


@pytest.fixture
def cluster(tmp_path):
    """Address of a scheduler with one worker, started by the commands that the book names."""
    file = tmp_path / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": tmp_path}
    dask = [sys.executable, "-m", "dask"]
    port = ["--port", "0", "--scheduler-file", file, "--no-dashboard"]
    started = [subprocess.Popen([*dask, "scheduler", *port], **quiet)]
    try:
        while not file.exists():
            assert started[0].poll() is None
            time.sleep(0.2)
        address = json.loads(file.read_text())["address"]
        worker = [*dask, "worker", address, "--nthreads", "1", "--nworkers", "1", "--no-dashboard"]
        started.append(subprocess.Popen(worker, **quiet))
        yield address
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait()


@pytest.mark.slow
def test_a_running_cluster_makes_a_sweep(tmp_path, cluster, lsa, monkeypatch):
    """Two runs of one mountain through a scheduler and a worker; the second start makes none."""
    monkeypatch.chdir(tmp_path)
    sizes = {"width_km": 2.0, "height_km": 2.0, "chips_per_platform": 4}
    each = [{**sizes, "n_explain": count} for count in (10, 20)]
    content = {"base": "tiny", "until": "01", "list": each}
    (tmp_path / "two.yml").write_text(yaml.safe_dump(content, sort_keys=False))
    first = lsa("sweep", "two.yml", "--scheduler", cluster)
    assert first.code == 0, first.err + first.out
    assert "1 of them to be made" in first.out and first.out.count("01_data: made") == 1
    names = list(_runs(tmp_path, until="01", list=each))
    assert all((tmp_path / "runs/two" / name / "products/factors.tif").exists() for name in names)
    again = lsa("sweep", "two.yml", "--scheduler", cluster)
    assert (
        again.code == 0 and "0 of them to be made" in again.out and "01_data: made" not in again.out
    )


def test_a_scheduler_that_does_not_answer_is_said(tmp_path, lsa, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "two.yml").write_text("base: tiny\ngrid: {seed: [0, 1]}\n")
    result = lsa("sweep", "two.yml", "--scheduler", "tcp://127.0.0.1:9")
    assert result.code == 2 and "does not answer" in result.err
