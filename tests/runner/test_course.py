"""The folder of a course."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from lsa_helpers.errors import InputError
from lsa_helpers.run import Run, sha256
from lsa_helpers.runner import fingerprint
from lsa_helpers.runner.course import make_course
from lsa_helpers.runner.inputs import load_run_params
from lsa_helpers.runner.params import CHAPTERS


@pytest.fixture(scope="module")
def course(tiny, tmp_path_factory):
    """A tiny run that has something like a book, and a data folder; and the course made of it."""
    folder = tmp_path_factory.mktemp("course")
    run = Run(folder / "runs" / "small")
    shutil.copytree(tiny.run.path, run.path)
    (run.path / "book").mkdir()
    (run.path / "book" / "index.html").write_text("the book", encoding="utf-8")
    make_course(run, folder / "class")
    return run, folder / "class"


def cells_of(folder: Path, chapter: str) -> list[dict]:
    file = folder / "notebooks" / f"{chapter}.ipynb"
    return json.loads(file.read_text(encoding="utf-8"))["cells"]


@pytest.mark.notebooks
def test_students_get_the_chapters_without_solutions_and_results(course):
    """And a place for their own; the values are those of the page, the folder is theirs."""
    run, folder = course
    sections = yaml.safe_load((run.path / "params.yml").read_text(encoding="utf-8"))
    for chapter in CHAPTERS:
        cells = cells_of(folder, chapter)
        text = "\n".join("".join(cell["source"]) for cell in cells)
        assert "lsa try page" in text and "quick 0" not in text and "runs/quick" not in text
        assert "{solution" not in text and text.count("exercise-start") == text.count("# Your turn")
        assert not any(cell.get("outputs") for cell in cells)
        (given,) = [c for c in cells if "injected-parameters" in c["metadata"].get("tags", [])]
        values = {}
        exec("".join(given["source"]), values)
        assert values["run_dir"] == "../runs/mine"
        assert all(values[name] == value for name, value in sections[chapter].items())
    text = "\n".join("".join(cell["source"]) for cell in cells_of(folder, "07_shap"))
    last = text[text.index("page, the value of A:") :].splitlines()[2]
    assert last == '# answers.check(run, "ex-07-by-hand", your_value)'
    assert not list(folder.rglob("*_data.py"))
    assert (folder / "book" / "index.html").read_text(encoding="utf-8") == "the book"


@pytest.mark.notebooks
def test_a_class_can_begin_at_any_chapter(course, monkeypatch):
    """Both copies of the run are up to date for the notebooks beside them."""
    run, folder = course
    monkeypatch.setattr(fingerprint, "notebooks_dir", lambda: folder / "notebooks")
    for name in ("page", "mine"):
        copy = Run(folder / "runs" / name)
        assert sha256(copy.product("factors.tif")) == sha256(run.product("factors.tif"))
        params = load_run_params(copy.path / "params.yml", {}, None, copy.path)
        for chapter in CHAPTERS:
            assert fingerprint.out_of_date(copy, params, chapter) == ({}, []), chapter
    whole = run.path / "manifest.json"
    assert sha256(whole) != sha256(folder / "runs/page/manifest.json")  # the run is left alone


@pytest.mark.notebooks
def test_data_and_files_that_parameters_name_come_along(course, tmp_path):
    """Their paths count from the notebooks, and from the runs."""
    run, _ = course
    own = Run(tmp_path / "runs" / "own")
    shutil.copytree(run.path, own.path)
    (tmp_path / "area").mkdir()
    (tmp_path / "area" / "catalog.yml").write_text("dem: {path: dem.tif}\n", encoding="utf-8")
    sections = yaml.safe_load((own.path / "params.yml").read_text(encoding="utf-8"))
    sections["shared"]["data"] = "../../area"
    (tmp_path / "ours.safetensors").write_text("a detector", encoding="utf-8")
    sections["02_detector"]["detector"] = "../../ours.safetensors"
    (own.path / "params.yml").write_text(yaml.safe_dump(sections), encoding="utf-8")
    make_course(own, tmp_path / "class")
    assert (tmp_path / "class/data/catalog.yml").is_file()
    text = "".join("".join(cell["source"]) for cell in cells_of(tmp_path / "class", "01_data"))
    assert 'data = "../data"' in text
    text = "".join("".join(cell["source"]) for cell in cells_of(tmp_path / "class", "02_detector"))
    assert 'detector = "../detector/ours.safetensors"' in text
    assert (tmp_path / "class/detector/ours.safetensors").is_file()
    kept = yaml.safe_load((tmp_path / "class/runs/mine/params.yml").read_text(encoding="utf-8"))
    assert (tmp_path / "class/runs/mine" / kept["shared"]["data"] / "catalog.yml").is_file()


@pytest.mark.notebooks
def test_what_cannot_be_a_course_is_told(tiny, course, tmp_path):
    """A run without a book; a folder that is in use. Nothing half is left."""
    with pytest.raises(InputError, match="has no book.*lsa book"):
        make_course(Run(tmp_path / "none"), tmp_path / "class")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").touch()
    with pytest.raises(InputError, match="not empty"):
        make_course(course[0], tmp_path / "full")
    assert [path.name for path in tmp_path.iterdir()] == ["full"]
