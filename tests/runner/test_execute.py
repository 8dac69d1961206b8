"""Execution with small stand-in chapters: what is executed, what is skipped, and what a failure
leaves.
"""

import json

import geopandas as gpd
import nbformat
import pytest
import yaml
from shapely.geometry import Point

from lsa_helpers.errors import StageError
from lsa_helpers.factors.build import build_factors
from lsa_helpers.raster import write_factors
from lsa_helpers.run import Run
from lsa_helpers.runner import execute as runner
from lsa_helpers.runner import manifest, pages
from lsa_helpers.runner.cli_options import console, on_one_line
from lsa_helpers.runner.execute import execute, fingerprint
from lsa_helpers.runner.inputs import find_params, load_run_params, resolve, to_sections
from lsa_helpers.runner.params import CHAPTERS
from lsa_helpers.runner.progress import KNOWN_SECONDS, Progress
from lsa_helpers.sources import load_catalog
from tests.data_folder import CONTENT, CRS, NORTH, WEST

FIRST, SECOND, THIRD = "01_data", "05_susceptibility", "06_frequency_ratio"
HEAD = "seed = 0\nrun_dir = ''\nn_classes = 5\n"
BODY = {
    FIRST: "P('products/a.txt').write_text(str(seed))\nP('tables').mkdir(exist_ok=True)\n"
    "if seed == 0: P('tables/only_zero.csv').write_text('x')",
    SECOND: "P('products/b.txt').write_text(P('products/a.txt').read_text() * 2)",
    THIRD: "assert n_classes != 9, 'nine is too many'\n"
    "P('products/c.txt').write_text(P('products/b.txt').read_text() + str(n_classes))",
}


@pytest.fixture
def chapters(tmp_path, monkeypatch):
    """Three stand-in notebooks instead of the book's."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name, body in BODY.items():
        cells = [nbformat.v4.new_code_cell(HEAD, metadata={"tags": ["parameters"]})]
        cells.append(
            nbformat.v4.new_code_cell(
                "from pathlib import Path as P\nP('products').mkdir(exist_ok=True)\n" + body
            )
        )
        kernel = {
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
        }
        nbformat.write(
            nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / f"{name}.ipynb"
        )
    monkeypatch.setattr(runner, "notebooks_dir", lambda: folder)
    return folder


@pytest.fixture
def go(chapters, tmp_path):
    """Function that brings the stand-in run up to date; gives the chapters executed."""

    def run(**changes):
        values = resolve(to_sections(resolve({}, "test")) | changes, "test")
        return execute(Run(tmp_path / "run"), values, list(BODY))

    return run


@pytest.mark.slow
def test_a_run_keeps_itself_up_to_date(go, chapters, tmp_path):
    """One story, because each execution starts a kernel: first run, nothing new, a parameter, a
    damaged output, a changed notebook.
    """
    run = tmp_path / "run"
    assert go() == list(BODY)
    assert (run / "products/c.txt").read_text() == "005"
    content = json.loads((run / "manifest.json").read_text())
    assert {"name", "created", "code", "machine", "packages", "params_sha256", "stages"} <= set(
        content
    )
    for stage in content["stages"]:
        assert {"name", "status", "seconds", "peak_memory_mb", "inputs", "outputs"} <= set(stage)
        assert stage["peak_memory_mb"] > 10
    assert content["stages"][1]["inputs"] == {
        "products/a.txt": content["stages"][0]["outputs"]["products/a.txt"]
    }

    assert go() == []
    (run / "products/b.txt").write_text("damaged")
    assert go(**{THIRD: {"n_classes": 7}}) == [SECOND, THIRD]
    assert (run / "products/c.txt").read_text() == "007"

    file = chapters / f"{THIRD}.ipynb"
    file.write_text(file.read_text().replace("str(n_classes)", "str(n_classes + 1)"))
    assert go(**{THIRD: {"n_classes": 7}}) == [THIRD]

    assert (run / "tables/only_zero.csv").exists()
    assert go(shared={"seed": 3}) == list(BODY)
    assert (run / "products/c.txt").read_text() == "336"
    assert not (run / "tables/only_zero.csv").exists()


def test_other_code_is_another_stage(chapters, tmp_path, monkeypatch):
    """A changed cell of the chapter, or a changed module of the science, and nothing else."""
    params = load_run_params(find_params("tiny"), {}, None, tmp_path)[FIRST]
    package = tmp_path / "package"
    (package / "runner").mkdir(parents=True)
    for name in ("__init__.py", "terrain.py", "runner/cli.py"):
        (package / name).write_text("a = 1\n")
    monkeypatch.setattr(manifest.lsa_helpers, "__file__", str(package / "__init__.py"))

    def key():
        return fingerprint(Run(tmp_path / "run"), params, FIRST, {})[0]

    first = key()
    assert key() == first
    (package / "runner/cli.py").write_text("a = 2\n")
    assert key() == first
    (package / "terrain.py").write_text("a = 2\n")
    second = key()
    assert second != first
    notebook = chapters / f"{FIRST}.ipynb"
    notebook.write_text(notebook.read_text().replace("only_zero", "only_nought"))
    assert key() not in (first, second)


@pytest.mark.slow
def test_a_failure_shows_its_cell_and_keeps_what_was_done(go, tmp_path):
    with pytest.raises(
        StageError, match=r"06_frequency_ratio failed(.|\n)*n_classes != 9(.|\n)*nine is too many"
    ):
        go(**{THIRD: {"n_classes": 9}})
    run = tmp_path / "run"
    assert (run / "products/b.txt").exists()
    assert not (run / "products/c.txt").exists()
    assert (run / "notebooks/06_frequency_ratio.failed.ipynb").exists()
    assert [
        stage["name"] for stage in json.loads((run / "manifest.json").read_text())["stages"]
    ] == [FIRST, SECOND]
    assert go() == [THIRD]
    assert not (run / "notebooks/06_frequency_ratio.failed.ipynb").exists()


def test_other_breaks_in_the_same_file_are_another_input(tmp_path):
    """The path stays, what the file holds changes: only the chapter that reads it has another
    fingerprint.
    """
    run, file = Run(tmp_path / "run"), tmp_path / "b.json"
    run.path.mkdir()
    values = resolve({THIRD: {"breaks_from": "../b.json"}}, "test")
    keys = []
    for text in ("one", "two"):
        file.write_text(text)
        keys.append(
            [fingerprint(run, values[chapter], chapter, {})[0] for chapter in (SECOND, THIRD)]
        )
    assert keys[0][0] == keys[1][0]
    assert keys[0][1] != keys[1][1]


def test_a_chapter_without_inputs_is_skipped_and_says_why(folder, tmp_path):
    """No images and no scene: neither detector nor search, and the known landslides are what the
    later chapters get.
    """
    slide = gpd.GeoDataFrame(geometry=[Point(WEST + 200, NORTH - 200).buffer(40)], crs=CRS)
    slide.to_file(folder / "slides.gpkg")
    entries = CONTENT | {"inventory": {"path": "slides.gpkg"}}
    (folder / "catalog.yml").write_text(yaml.safe_dump(entries), encoding="utf-8")
    run = Run(tmp_path / "run")
    factors, _ = build_factors(load_catalog(folder), cell_size_m=10.0, wanted=["altitude"])
    write_factors(run.product("factors.tif"), factors)
    values = load_run_params(find_params("tiny"), {}, folder, run.path)
    lines = []
    chapters = ["02_detector", "03_inventory"]
    assert execute(run, values, chapters, tell=lines.append) == []
    assert lines == [
        "02_detector: skipped, the catalog names no images to learn from",
        "03_inventory: skipped, the catalog names no scene to search",
    ]
    stages = manifest.read_manifest(run)["stages"]
    assert [stage["status"] for stage in stages] == ["skipped", "skipped"]
    assert list(stages[1]["outputs"]) == ["products/inventory.gpkg"]
    assert len(gpd.read_file(run.product("inventory.gpkg"), layer="reference")) == 1
    assert pages.skipped_pages(run)["02_detector"].endswith("no images to learn from.\n")
    assert execute(run, values, chapters) == []
    assert manifest.read_manifest(run)["stages"] == stages, "the same bytes, so nothing follows"


def test_progress_tells_the_time_left():
    """A minute of a chapter that took three, with one of two minutes ahead: four are left."""
    shown = []
    progress = Progress(shown.append, live=False, seconds={"a": 180, "b": 120})
    progress.begin("a", ["b"])
    progress.update("cell 1 of 9")
    assert shown == []
    progress.begun -= 61
    progress.shown -= 61
    progress.update("cell 2 of 9")
    assert shown == ["a: 61 s, about 4 min left in all; cell 2 of 9"]
    progress.begin("unknown", [])
    progress.shown -= 61
    progress.update("cell 1 of 2")
    assert shown[-1] == "unknown: 0 s; cell 1 of 2"


def test_the_time_of_every_chapter_is_known():
    """One that is missing would hide the time left of every first run."""
    assert {len(known) for known in KNOWN_SECONDS.values()} == {len(CHAPTERS)}


def test_what_is_shown_keeps_its_brackets():
    """A cell may print ``[/3]``, which rich would take for the end of a style."""
    assert str(on_one_line("a: cell 1 of 2, [/3]")) == "a: cell 1 of 2, [/3]"
    with console.capture() as shown:
        console.print("runs/[mine]: epoch [1/3]")
    assert shown.get() == "runs/[mine]: epoch [1/3]\n"


@pytest.mark.slow
@pytest.mark.parametrize(("who", "told"), [("getppid", "exit code -9"), ("getpid", "kernel died")])
def test_a_process_that_dies_is_told(go, chapters, who, told):
    """Killed from outside, papermill or the kernel shows no failing cell; its last words stand in
    the error, and nothing counts as done.
    """
    file = chapters / f"{FIRST}.ipynb"
    code = f"import os, sys; print('farewell', file=sys.__stderr__); os.kill(os.{who}(), 9)"
    file.write_text(file.read_text().replace("from pathlib import Path as P", code))
    with pytest.raises(StageError, match=rf"(?is)01_data stopped.*{told}") as caught:
        go()
    assert "farewell" in str(caught.value)
