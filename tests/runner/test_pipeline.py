"""The runner with small stand-in chapters: what is executed, what is skipped, and what a failure
leaves.
"""

import json

import geopandas as gpd
import nbformat
import numpy as np
import pytest
import rasterio
import yaml
from rasterio.transform import from_origin
from shapely.geometry import Point

from lsa_helpers.errors import InputError, StageError
from lsa_helpers.factors.build import build_factors
from lsa_helpers.raster import write_factors
from lsa_helpers.run import Run
from lsa_helpers.runner import manifest, pages, params, pipeline
from lsa_helpers.runner.inputs import missing_inputs
from lsa_helpers.runner.progress import Progress
from lsa_helpers.sources import Catalog, Entry, load_catalog
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
    monkeypatch.setattr(pipeline, "notebooks_dir", lambda: folder)
    return folder


@pytest.fixture
def go(chapters, tmp_path):
    """Function that brings the stand-in run up to date; gives the chapters executed."""

    def run(**changes):
        values = params.resolve(params.to_sections(params.resolve({}, "test")) | changes, "test")
        return pipeline.execute(Run(tmp_path / "run"), values, list(BODY))

    return run


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


def test_overrides_go_to_the_chapter_that_owns_them(root, tmp_path):
    file = root / "notebooks/params/tiny.yml"
    values = pipeline.load_run_params(file, {"n_classes": "7", "seed": "4"}, None, tmp_path)
    assert values["06_frequency_ratio"].n_classes == 7
    assert {chapter.seed for chapter in values.values()} == {4}


def test_a_file_that_a_parameter_names_is_found_from_the_run(tmp_path, monkeypatch):
    """On the command line its path counts from here, in a parameter file from there; one that is
    missing is named before anything runs.
    """
    (tmp_path / "d.safetensors").write_bytes(b"x")
    (tmp_path / "b.json").write_text("{}")
    (tmp_path / "own.yml").write_text(
        "02_detector: {detector: d.safetensors}\n06_frequency_ratio: {breaks_from: b.json}\n"
    )
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    folder = tmp_path / "runs" / "own"
    tiny = params.find_params("tiny")
    for file, overrides in (
        (tmp_path / "own.yml", {}),
        (tiny, {"detector": "../d.safetensors", "06.breaks_from": "../b.json"}),
    ):
        values = pipeline.load_run_params(file, overrides, None, folder)
        assert values["02_detector"].detector == "../../d.safetensors"
        assert values["06_frequency_ratio"].breaks_from == "../../b.json"
    for name, file in (("detector", "d.safetensors"), ("breaks_from", "b.json")):
        with pytest.raises(InputError, match=rf"{file}: .* parameter {name} does not exist"):
            pipeline.load_run_params(tiny, {name: file}, None, folder)


def test_other_breaks_in_the_same_file_are_another_input(tmp_path):
    """The path stays, what the file holds changes: only the chapter that reads it has another
    fingerprint.
    """
    run, file = Run(tmp_path / "run"), tmp_path / "b.json"
    run.path.mkdir()
    values = params.resolve({THIRD: {"breaks_from": "../b.json"}}, "test")
    keys = []
    for text in ("one", "two"):
        file.write_text(text)
        keys.append([pipeline._key(run, values, chapter, {})[0] for chapter in (SECOND, THIRD)])
    assert keys[0][0] == keys[1][0]
    assert keys[0][1] != keys[1][1]


def test_every_parameter_that_names_a_file_is_followed():
    """Found by their words, so that a new one is not forgotten."""
    words = ("local file", "breaks.json")
    found = {
        (chapter, name)
        for chapter, model in params.CHAPTERS.items()
        for name, field in model.model_fields.items()
        if any(word in field.description for word in words)
    }
    assert found == {
        (chapter, name) for chapter, names in pipeline.LOCAL_FILES.items() for name in names
    }


@pytest.mark.parametrize(
    ("entries", "chapters", "section"),
    [
        ({}, ["01_data", "02_detector"], {}),  # nothing is learned yet
        ({"inventory": {"path": "slides.gpkg"}}, list(params.CHAPTERS), {}),
        ({"inventory": {"path": "points.gpkg", "label": "is"}}, list(params.CHAPTERS), {}),
        # Chapters 06 and 07 count landslides, but draw no samples.
        ({"inventory": {"path": "points.gpkg"}}, ["06_frequency_ratio", "07_shap"], {}),
    ],
)
def test_data_that_can_be_learned_from_pass(folder, entries, chapters, section):
    """Every way to landslides that the chapters support."""
    kind = {"driver": "GTiff", "dtype": "uint8", "count": 3, "width": 32, "height": 32, "crs": CRS}
    with rasterio.open(
        folder / "scene.tif", "w", transform=from_origin(WEST, NORTH, 10, 10), **kind
    ) as file:
        file.write(np.ones((3, 32, 32), np.uint8))
    places = [Point(WEST + 50 + 100 * i, NORTH - 50) for i in range(2)]
    points = gpd.GeoDataFrame({"is": [1, 0]}, geometry=places, crs=CRS)
    points.to_file(folder / "points.gpkg")
    points.set_geometry(points.buffer(30)).to_file(folder / "slides.gpkg")
    (folder / "catalog.yml").write_text(yaml.safe_dump(CONTENT | entries), encoding="utf-8")
    shared = {"data": str(folder), "catalog": str(folder / "catalog.yml")}
    values = params.resolve(
        {"shared": shared, "01_data": {"cell_size_m": 10}, "02_detector": section}, "test"
    )
    pipeline.check_inputs(values, chapters, folder)


def test_weights_by_name_are_no_file(tmp_path):
    """Torchvision's name of weights reaches the chapter as it is; a missing file does not."""
    values = pipeline.load_run_params(
        params.find_params("tiny"), {"weights": "IMAGENET1K_V1"}, None, tmp_path
    )
    assert values["02_detector"].weights == "IMAGENET1K_V1"
    with pytest.raises(InputError, match="weights does not exist"):
        pipeline.load_run_params(
            params.find_params("tiny"), {"weights": "body.pth"}, None, tmp_path
        )


def test_models_that_later_chapters_need_must_be_made(tmp_path):
    """Chapter 07 explains three models, chapter 06 classes the maps there are: what will be missing
    is refused before chapter 05 runs.
    """

    def check(models: str, *chapters: str) -> None:
        file = params.find_params("tiny")
        values = pipeline.load_run_params(file, {"models": models}, None, tmp_path)
        pipeline.check_inputs(values, ["05_susceptibility", *chapters], tmp_path)

    with pytest.raises(InputError, match="chapter 07: there will be no map of cnn and xgboost"):
        check("[rf, svm]", "07_shap")
    check("[rf, svm]", "06_frequency_ratio")
    with pytest.raises(InputError, match="none of the maps of cnn, rf, xgboost"):
        check("[svm]", "06_frequency_ratio")
    check("[svm]")


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
    values = pipeline.load_run_params(params.find_params("tiny"), {}, folder, run.path)
    lines = []
    chapters = ["02_detector", "03_inventory"]
    assert pipeline.execute(run, values, chapters, tell=lines.append) == []
    assert lines == [
        "02_detector: skipped, the catalog names no images to learn from",
        "03_inventory: skipped, the catalog names no scene to search",
    ]
    stages = manifest.read_manifest(run)["stages"]
    assert [stage["status"] for stage in stages] == ["skipped", "skipped"]
    assert list(stages[1]["outputs"]) == ["products/inventory.gpkg"]
    assert len(gpd.read_file(run.product("inventory.gpkg"), layer="reference")) == 1
    assert pages.skipped_pages(run)["02_detector"].endswith("no images to learn from.\n")


@pytest.mark.parametrize(
    ("entries", "missing"),
    [
        ({"dem", "images", "scene"}, set()),
        ({"dem"}, {"02_detector", "03_inventory"}),
        ({"dem", "images"}, {"03_inventory"}),
        ({"dem", "scene"}, {"02_detector", "03_inventory"}),
        ({"images"}, {"01_data", "03_inventory"}),
        ({"images", "scene"}, {"01_data"}),
    ],
)
def test_what_a_folder_lacks_decides_what_is_skipped(tmp_path, entries, missing):
    catalog = Catalog(folder=tmp_path, **{name: Entry(path="x") for name in entries})
    assert set(missing_inputs(catalog)) == missing


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
    assert shown == ["a: cell 2 of 9, 61 s; about 4 min left in all"]
    progress.begin("unknown", [])
    progress.shown -= 61
    progress.update("cell 1 of 2")
    assert shown[-1] == "unknown: cell 1 of 2, 0 s"
