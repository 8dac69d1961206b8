"""Execution with small stand-in chapters: what is executed, what is skipped, and what a failure
leaves.
"""

import json
import os
import sys

import geopandas as gpd
import nbformat
import pytest
import yaml
from shapely.geometry import Point

from lsa_helpers.errors import StageError
from lsa_helpers.factors.build import build_factors
from lsa_helpers.raster import write_factors
from lsa_helpers.run import Run
from lsa_helpers.runner import cli_state, manifest, pages
from lsa_helpers.runner import execute as runner
from lsa_helpers.runner import fingerprint as facts
from lsa_helpers.runner.cli_options import console, on_one_line
from lsa_helpers.runner.execute import execute
from lsa_helpers.runner.fingerprint import changes, made_from, out_of_date
from lsa_helpers.runner.inputs import find_params, load_run_params, resolve, to_sections
from lsa_helpers.runner.params import CHAPTERS
from lsa_helpers.runner.pipeline import ALSO_READS, NEEDS, open_run
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
    for module in (runner, facts):
        monkeypatch.setattr(module, "notebooks_dir", lambda: folder)
    monkeypatch.setattr(facts, "NEEDS", {FIRST: (), SECOND: (FIRST,), THIRD: (FIRST, SECOND)})
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
    # a chapter that comes and goes within a second is not seen
    assert max(stage["peak_memory_mb"] for stage in content["stages"]) > 1
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
    fingerprint. Where the file lies does not count.
    """
    run = Run(tmp_path / "run")
    run.path.mkdir()
    (tmp_path / "moved").mkdir()

    def keys(file, text):
        (tmp_path / file).write_text(text)
        values = resolve({THIRD: {"breaks_from": f"../{file}"}}, "test")
        made = [made_from(run, values[chapter], chapter, {}) for chapter in (SECOND, THIRD)]
        return [each["fingerprint"] for each in made]

    one, two, moved = keys("b.json", "one"), keys("b.json", "two"), keys("moved/b.json", "one")
    assert one[0] == two[0] and one[1] != two[1]
    assert moved == one


def stage(run, chapter=THIRD, **changes_to):
    """What a chapter is made from now, and a record that says so."""
    values = resolve({chapter: changes_to}, "test")[chapter]
    made = made_from(run, values, chapter, {})
    return made, made | {"name": chapter, "status": "done", "outputs": {}}


def test_why_names_the_parameter_the_module_the_input_and_the_result(tmp_path):
    run = Run(tmp_path / "run")
    new, record = stage(run)
    assert changes(run, THIRD, None, new) == ["it was not executed yet"]
    assert changes(run, THIRD, record, new) == []
    assert changes(run, THIRD, record, stage(run, n_classes=7)[0]) == ["parameter n_classes: 5 → 7"]
    module = "lsa_helpers.classes"
    other = record | {"code": record["code"] | {module: "of before"}}
    assert changes(run, THIRD, other, new) == [f"code {module} changed"]
    other = record | {"inputs": {"products/a.tif": "1"}}
    assert changes(run, THIRD, other, new) == ["input products/a.tif is gone"]
    assert changes(run, THIRD, record, new | {"inputs": {"products/a.tif": "1"}}) == [
        "input products/a.tif is new"
    ]
    other = record | {"outputs": {"tables/x.csv": "1"}}
    assert changes(run, THIRD, other, new) == ["result tables/x.csv is gone"]
    old_fashioned = {key: value for key, value in record.items() if key != "code"}
    assert "did not write down" in changes(run, THIRD, old_fashioned, new)[0]


def test_without_torch_the_detector_is_refused_and_the_cnn_left_out(tmp_path, monkeypatch, capsys):
    """A stage whose CNN was left out is executed again where torch is installed."""
    run = Run(tmp_path / "run")
    values = resolve({}, "test")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(StageError, match="02_detector needs torch.*requirements.lock"):
        execute(run, values, ["02_detector"])
    here = {"run_dir": str(run.path)}
    for chapter, said in ((SECOND, True), ("09_validation", False), ("10_samples", False)):
        open_run(values[chapter].model_copy(update=here), chapter)
        assert ("Left out: the CNN" in capsys.readouterr().out) == said
    run.write_json({}, "models/cnn/config.json")
    open_run(values["09_validation"].model_copy(update=here), "09_validation")
    assert "Left out: the CNN" in capsys.readouterr().out
    new, record = stage(run, SECOND)
    assert changes(run, SECOND, record | {"left_out": "cnn"}, new) == []
    monkeypatch.undo()
    assert changes(run, SECOND, record, new) == []
    assert changes(run, SECOND, record | {"left_out": "cnn"}, new) == [
        "the CNN was left out without torch"
    ]


def test_another_colour_executes_only_what_does_not_train(tmp_path):
    run, style = Run(tmp_path / "run"), "lsa_helpers.show.style"
    for chapter, expected in ((SECOND, []), (THIRD, [f"drawing code {style} changed"])):
        new, record = stage(run, chapter)
        drawn = record | {"looks": record["looks"] | {style: "of before"}}
        assert changes(run, chapter, drawn, new) == expected
        assert facts.drawn_otherwise(drawn, new) == [f"drawing code {style} changed"]


@pytest.mark.slow
def test_figures_of_a_chapter_that_trains_are_drawn_anew_when_asked(go, tmp_path):
    """Until then it is told, written down and printed on the book's page of times."""
    run = Run(tmp_path / "run")
    go()
    stages = manifest.read_manifest(run)["stages"]
    stages[1]["looks"] = {"lsa_helpers.show.style": "of before"}
    manifest.write_manifest(run, stages)
    lines = []
    values = resolve({}, "test")
    assert execute(run, values, list(BODY), tell=lines.append) == []
    assert "its figures are by older code" in lines[1] and "--redraw" in lines[1]
    words = f"The code of the figures changed since these were made: {SECOND}."
    assert words in pages.timings_page(run)
    assert out_of_date(run, values, THIRD) == ({}, []), "no other product, nothing that follows"
    assert out_of_date(run, values, SECOND)[1] == [
        "drawing code lsa_helpers.show.style is gone",
        "drawing code the solutions is new",
    ]
    assert execute(run, values, list(BODY), redraw=True) == [SECOND]
    assert words not in pages.timings_page(run)


def test_a_changed_catalog_is_another_input(folder, tmp_path):
    """Another unit of the same file."""
    run = Run(tmp_path / "run")

    def key():
        values = load_run_params(find_params("tiny"), {}, folder, run.path)
        return made_from(run, values[FIRST], FIRST, {})

    before = key()
    content = yaml.safe_load((folder / "catalog.yml").read_text(encoding="utf-8"))
    content["dem"] = {"path": "dem.tif", "unit": "ft"}
    (folder / "catalog.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
    after = key()
    assert {k for k in after["inputs"] if after["inputs"][k] != before["inputs"][k]} == {"catalog"}


def test_a_rewritten_file_is_another_even_when_the_clock_was_set_back(tmp_path):
    """As many bytes, and an older time; or put in its place with the very same time."""
    run = Run(tmp_path)
    file = run.product("a.txt")
    file.parent.mkdir()
    file.write_text("one")
    before = manifest.snapshot(run)
    assert manifest.snapshot(run) == before
    times = file.stat().st_atime_ns, file.stat().st_mtime_ns
    file.write_text("two")
    os.utime(file, ns=(times[0], times[1] - 10**9))
    assert manifest.snapshot(run) != before
    file.with_name("b").write_text("two")
    os.replace(file.with_name("b"), file)
    os.utime(file, ns=times)
    assert manifest.snapshot(run) != before


def test_a_link_from_another_run_is_no_change(tmp_path):
    """A sweep links what runs share while others of its runs are at work."""
    run = Run(tmp_path / "a")
    run.write_json(1, "one.json")
    before = manifest.snapshot(run)
    os.link(run.product("one.json"), tmp_path / "link.json")
    assert manifest.snapshot(run) == before


@pytest.mark.slow
def test_why_follows_the_chain(go, tmp_path):
    """What comes first is named, and a run says why it executes a chapter."""
    run = Run(tmp_path / "run")
    go()
    values = resolve({}, "test")
    why = {name: out_of_date(run, values, name) for name in (FIRST, THIRD)}
    records = {record["name"]: record for record in manifest.read_manifest(run)["stages"]}
    lines = cli_state.why_lines(FIRST, *why[FIRST], records[FIRST])
    assert lines == [
        f"{FIRST} is up to date.",
        "It was executed last because: it was not executed yet.",
    ]
    assert why == {FIRST: ({}, []), THIRD: ({}, [])}
    seeded = resolve({"shared": {"seed": 3}}, "test")
    reasons, _ = out_of_date(run, seeded, THIRD)
    assert reasons[FIRST] == reasons[THIRD] == ["parameter seed: 0 → 3"]
    told = []
    execute(run, seeded, [FIRST], tell=told.append)
    assert told[0] == f"{FIRST}: running … (parameter seed: 0 → 3)"
    (record, *_) = manifest.read_manifest(run)["stages"]
    assert record["why"] == ["parameter seed: 0 → 3"]
    assert record["params"]["seed"] == 3 and "the notebook" in record["code"]


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


def test_what_a_chapter_reads_if_it_is_there_counts_when_it_is_there():
    """Slope units made since are a reason to execute chapter 14 again, and it comes after them."""
    for chapter, others in ALSO_READS.items():
        assert max(others) < chapter and not set(others) & set(NEEDS[chapter])
    made = {"13_mapping_units": {"outputs": {"products/slope_units.gpkg": "", "tables/a.csv": ""}}}
    assert facts._products_of_earlier("14_using_the_map", made) == ["products/slope_units.gpkg"]
    assert facts._products_of_earlier("14_using_the_map", {}) == []


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
