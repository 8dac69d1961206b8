"""The publisher on a hand-made run: what is staged, what is refused, and that nothing half-built
replaces a good site.
"""

import json
import shutil

import nbformat
import pytest
import yaml

from lsa_helpers.errors import InputError, StageError
from lsa_helpers.run import Run
from lsa_helpers.runner import extras, pages, publish
from lsa_helpers.runner.inputs import resolve, to_text

STAGE = {
    "name": "07_shap",
    "status": "done",
    "seconds": 61.4,
    "peak_memory_mb": 1234,
    "inputs": {},
    "outputs": {},
}


def _write_run(folder, text: str) -> Run:
    """A run whose chapter 07 says `text`, with one injected cell."""
    run = Run(folder)
    (folder / "notebooks").mkdir(parents=True)
    injected = nbformat.v4.new_code_cell(
        "seed = 5", metadata={"tags": ["injected-parameters"], "papermill": {"duration": 2.6}}
    )
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell(f"# 6 A chapter\n\n{text}"), injected]
    )
    nbformat.write(notebook, folder / "notebooks" / "07_shap.ipynb")
    machine = {"system": "Linux", "processor": "a processor", "cores": 2}
    content = {
        "name": "hand",
        "created": "2026-01-01",
        "code": {"version": "0.1.0", "commit": "abc"},
        "machine": machine,
    }
    content |= {"packages": {"numpy": "2.0"}, "params_sha256": "0", "stages": [STAGE]}
    (folder / "manifest.json").write_text(json.dumps(content))
    (folder / "params.yml").write_text(to_text(resolve({"shared": {"seed": 5}}, "test")))
    return run


@pytest.fixture
def run(tmp_path) -> Run:
    return _write_run(tmp_path / "run", r"Maths $\frac{1}{2}$ and {cite:t}`yao2026`.")


def test_stage_mirrors_the_repository(run, tmp_path):
    """Chapters the run lacks are not in the table of contents; generated pages are; execution is
    off; scripts are local copies.
    """
    stage = tmp_path / "stage"
    publish.make_stage(run, stage)
    toc = yaml.safe_load((stage / "_toc.yml").read_text())
    files = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    assert [name for name in files if name.startswith("notebooks/")] == ["notebooks/07_shap"]
    assert {"book/timings", "book/parameters", "book/api"} <= set(files)
    for name in files:
        assert any((stage / f"{name}{suffix}").exists() for suffix in (".md", ".ipynb")), name
    config = yaml.safe_load((stage / "_config.yml").read_text())
    assert config["execute"]["execute_notebooks"] == "off"
    static = stage / "book" / "_static"
    assert (static / config["sphinx"]["config"]["mathjax_path"]).stat().st_size > 100
    assert config["sphinx"]["config"]["nb_ipywidgets_js"] == {}, "by default from the network"


def test_injected_parameters_are_folded(run, tmp_path):
    publish.make_stage(run, tmp_path / "stage")
    cell = json.loads((tmp_path / "stage/notebooks/07_shap.ipynb").read_text())["cells"][1]
    assert cell["metadata"]["tags"] == ["injected-parameters", "hide-input"]


def test_generated_pages_tell_time_machine_and_parameters(run, root):
    timings = pages.timings_page(run)
    assert (
        "| 07_shap | 61 | 1.2 | 3 |" in timings
        and "a processor" in timings
        and "1.0 minutes" in timings
    )
    parameters = pages.parameters_page(run)
    assert "| `seed` | **`5`** | `0` |" in parameters, "a value that differs is bold"
    assert "| `n_explain` | `200` | `200` |" in parameters


@pytest.mark.parametrize(("data", "made"), [("", True), ("folder", False)])
def test_the_page_of_the_mountain_is_for_runs_that_made_one(run, monkeypatch, data, made):
    """Of a data folder there is no page, not even one that lay there before."""
    (run.path / "params.yml").write_text(to_text(resolve({"shared": {"data": data}}, "test")))
    run.product("truth").mkdir(parents=True)
    run.product("truth/source.tif").touch()
    old = run.path / "notebooks/mountain.ipynb"
    old.touch()
    done = []
    monkeypatch.setattr(extras, "execute_notebook", _write_executed(done))
    extras.add_extras(run)
    assert done == ["mountain", "15_published_tables"][not made :]
    assert old.exists() == made


def _write_executed(done: list):
    """In place of `execute_notebook`: the notebook as it lies, and its name in `done`."""

    def execute(file, folder, values):
        done.append(file.stem)
        shutil.copyfile(file, folder / "notebooks" / file.name)

    return execute


def test_extra_pages_are_executed_when_what_they_are_made_from_changed(run, monkeypatch):
    (run.path / "params.yml").write_text(to_text(resolve({"shared": {"data": ""}}, "test")))
    manifest = json.loads((run.path / "manifest.json").read_text())
    manifest["stages"].append({"name": "01_data", "outputs": {"products/truth/source.tif": ""}})
    (run.path / "manifest.json").write_text(json.dumps(manifest))
    run.product("truth").mkdir(parents=True)
    source, done = run.product("truth/source.tif"), []
    source.write_text("a mountain")
    monkeypatch.setattr(extras, "execute_notebook", _write_executed(done))
    both = ["mountain", "15_published_tables"]
    for _ in range(2):
        extras.add_extras(run)
        assert done == both, "the second time nothing changed"
    source.write_text("another mountain")
    extras.add_extras(run)
    assert done == both * 2
    monkeypatch.setattr(extras, "uses", lambda *_: "other code")
    extras.add_extras(run)
    assert done == both * 3
    (run.path / "notebooks/mountain.ipynb").unlink()
    extras.add_extras(run)
    assert done == [*both * 3, "mountain"]


def test_a_run_without_truth_has_no_page_of_the_mountain(run):
    assert not extras.is_simulated(run)


def test_a_run_without_notebooks_is_refused(tmp_path):
    with pytest.raises(InputError, match="no executed notebooks"):
        publish.build_book(Run(tmp_path / "nothing"))


def test_a_folder_with_other_things_is_never_replaced(run, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="is no book"):
        publish.build_book(run, tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").exists()


@pytest.mark.book
def test_a_warning_stops_the_build_and_keeps_the_old_site(tmp_path, monkeypatch):
    """Of a book of one chapter: the reference of the module takes a minute."""
    root, small = publish._root(), tmp_path / "small"
    shutil.copytree(root / "book", small / "book", ignore=shutil.ignore_patterns("api.md"))
    for name in ("_config.yml", "CITATION.cff"):
        shutil.copyfile(root / name, small / name)
    parts = [{"chapters": [{"file": "notebooks/07_shap"}]}]
    toc = {"format": "jb-book", "root": "book/index", "parts": parts}
    (small / "_toc.yml").write_text(yaml.safe_dump(toc), encoding="utf-8")
    monkeypatch.setattr(publish, "_root", lambda: small)
    out = tmp_path / "site"
    out.mkdir()
    (out / "index.html").write_text("the old site")
    bad = _write_run(tmp_path / "bad", "An unknown {term}`zebra crossing`.")
    with pytest.raises(StageError, match="zebra crossing"):
        publish.build_book(bad, out)
    assert (out / "index.html").read_text() == "the old site"
    assert (bad.path / "notebooks/15_published_tables.ipynb").is_file(), "made with every book"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad", "site", "small"], (
        "nothing half-built is left"
    )
