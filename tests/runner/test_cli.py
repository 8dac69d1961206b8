"""The command line as a user meets it: messages, exit codes, and nothing written when the input is
wrong.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
import yaml
from rasterio.transform import from_bounds
from rasterio.warp import transform_bounds

from lsa_helpers.paper import printed_table
from lsa_helpers.runner import cli
from lsa_helpers.runner.params import CHAPTERS
from tests.data_folder import CELL, COLUMNS, CONTENT, CRS, NORTH, ROWS, WEST
from tests.detect.conftest import bright_square, write_image
from tests.runner.conftest import Result


def refused(result: Result, folder: Path, *words: str) -> None:
    """Exit 2, one message with these words, no traceback, nothing written."""
    assert result.code == 2, result
    assert "Traceback" not in result.err
    assert result.err.startswith("Error: ")
    for word in words:
        assert word in result.err
    assert list(folder.iterdir()) == []


def test_an_error_is_no_traceback_in_a_real_process(empty):
    command = [
        sys.executable,
        "-c",
        "from lsa_helpers.runner.cli import main; main()",
        "params",
        "check",
        "nothing.yml",
    ]
    done = subprocess.run(command, cwd=empty, capture_output=True, text=True)
    refused(Result(done.returncode, done.stdout, done.stderr), empty, "nothing.yml")


def test_params_check_names_a_misspelt_key(lsa, empty, tmp_path):
    file = tmp_path / "own.yml"
    file.write_text("06_frequency_ratio: {n_clases: 4}")
    refused(
        lsa("params", "check", str(file)), empty, "own.yml", "n_clases", 'Did you mean "n_classes"?'
    )


def test_params_new_is_valid_and_explained(lsa, empty):
    assert lsa("params", "new", "own.yml").code == 0
    text = (empty / "own.yml").read_text(encoding="utf-8")
    assert "# number of susceptibility classes" in text
    assert lsa("params", "check", "own.yml").code == 0
    again = lsa("params", "new", "own.yml")
    assert again.code == 2
    assert "exists already" in again.err


def test_params_export_is_what_papermill_takes(lsa, empty):
    """Flat, complete, and valid for the chapter's model: the set's value, and the shared ones."""
    result = lsa("params", "export", "full", "5")
    assert result.code == 0
    values = yaml.safe_load(result.out)
    params = CHAPTERS["05_susceptibility"].from_cell(values)
    assert params.model_dump() == values
    assert (values["block_m"], values["profile"]) == (2500.0, "full")
    refused(lsa("params", "export", "full", "99"), empty, "99")


def test_params_export_names_the_data_as_seen_from_here(lsa, empty, folder):
    values = yaml.safe_load(lsa("params", "export", "quick", "1", "--data", str(folder)).out)
    assert (empty / values["catalog"]).resolve() == (folder / "catalog.yml").resolve()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "quik"), ('Did you mean "quick"',)),
        (("run", "tiny", "-p", "n_clases", "7"), ("n_clases", 'Did you mean "n_classes"')),
        (("run", "tiny", "-p", "n_classes", "99"), ("n_classes", "less than or equal to 10")),
        (("run", "tiny", "--until", "77"), ("77",)),
        (("run", "tiny", "--from", "06", "--until", "02"), ("--from 06 --until 02",)),
        (("run", "tiny", "--data", "nowhere"), ("nowhere", "does not exist")),
        (
            ("run", "tiny", "-p", "breaks_from", "b.json"),
            ("b.json", "breaks_from", "does not exist"),
        ),
        (
            ("run", "tiny", "-p", "breaks_from", __file__),
            ("test_cli.py", "class breaks cannot be read"),
        ),
        (("run", "tiny", "-p", "n_classes", "["), ("-p n_classes", "not readable YAML", "[")),
        (
            ("run", "tiny", "-p", "profile", "2020-13-01"),
            ("-p profile", "not readable YAML", "2020-13-01"),
        ),
        (
            ("run", "tiny", "-p", "factors", "[slope, aspekt]"),
            ("parameter factors", "aspekt", 'Did you mean "aspect"'),
        ),
        (
            ("run", "tiny", "-p", "logistic_factors", "[slop]"),
            ("parameter logistic_factors", 'Did you mean "slope"'),
        ),
        (
            ("run", "tiny", "-p", "factors", "[slope]", "-p", "logistic_factors", "[twi]"),
            ("logistic_factors", "twi", "Allowed: slope"),
        ),
        (("run", "tiny", "-p", "coding", "{asp: circular}"), ("parameter coding", "asp")),
        (("book", "nothing"), ("nothing", "lsa run")),
        (("data", "check", "nowhere"), ("nowhere",)),
        (("audit", "none.csv"), ("none.csv", "no readable CSV")),
        (("audit", __file__), ("test_cli.py",)),
    ],
)
def test_wrong_arguments_are_explained(lsa, empty, arguments, words):
    refused(lsa(*arguments), empty, *words)


def test_audit_says_what_cannot_be_and_writes_a_report(lsa, empty):
    printed_table(5).to_csv("table 5.csv", index=False)
    answer = lsa("audit", "table 5.csv")
    assert answer.code == 0
    assert (
        "Cannot be, whatever was rounded away: 1\n  High of RF: the area share 7.99" in answer.out
    )
    assert "CNN leads XGBoost by at least 10.1 points" in answer.out
    text = (empty / "table 5_audit.md").read_text(encoding="utf-8")
    assert text.startswith("# Audit of table 5.csv\n") and "7.99 cannot be" in text
    assert lsa("audit", "table 5.csv", "--out", "r.md").code == 0
    assert (empty / "r.md").read_text(encoding="utf-8") == text


def test_breaks_for_other_classes_are_refused_before_anything_is_written(lsa, empty, tmp_path):
    """Two thresholds give three classes."""
    file = tmp_path / "breaks.json"
    file.write_text(json.dumps({"breaks": dict.fromkeys(("cnn", "rf", "xgboost"), [0.2, 0.6])}))
    result = lsa("run", "tiny", "-p", "breaks_from", str(file), "-p", "n_classes", "4")
    refused(result, empty, "breaks.json", "do not give 4 classes", "n_classes")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda folder: _drop(folder, "dem"), ("names no DEM", "catalog.yml")),
        (lambda folder: (folder / "roads.shp").unlink(), ("roads.shp", "missing")),
        (lambda folder: _cut(folder / "dem.tif"), ("dem.tif",)),
        (
            lambda folder: _set(folder, "roads", {"path": "roads.shp", "crs": "EPSG:32617"}),
            ("roads.shp", "does not overlap", "crs:"),
        ),
        (lambda folder: _empty_inventory(folder), ("slides.csv", "no features")),
        (
            lambda folder: _points(folder, ["", "", ""]),
            ("slides.csv", "3 landslides", "block_m"),
        ),
        (
            lambda folder: _points(folder, [1, 0, 1], label="is"),
            ("slides.csv", "2 landslides", "block_m"),
        ),
        (
            lambda folder: _points(folder, [2, 3, 2], label="is"),
            ("slides.csv", "other than 1 and 0", "2 (2), 3 (1)", "landslide_labels"),
        ),
        (
            lambda folder: _points(folder, [1, 0.5, 1], label="is"),
            ("slides.csv", "no whole numbers", "0.5"),
        ),
        (
            lambda folder: _set(folder, "inventory", {"path": "roads.shp"}),
            ("roads.shp", "enclose no area", "LineString"),
        ),
        (lambda folder: _scene(folder, 1, CRS), ("scene.tif", "1 band(s), 3 are needed")),
        (
            lambda folder: _scene(folder, 3, "EPSG:4326"),
            ("scene.tif", "no CRS in metres", "gdalwarp"),
        ),
    ],
)
def test_wrong_data_stop_a_run_before_anything_is_written(lsa, empty, folder, change, words):
    change(folder)
    refused(lsa("run", "tiny", "--data", str(folder), "-p", "cell_size_m", "10"), empty, *words)


@pytest.mark.parametrize(
    ("factors", "words"),
    [
        ("[slope, lithologie]", ("lithologie", 'Did you mean "lithology"')),
        ("[ndvi, distance_to_fault]", ("no wanted factor can be made", "ndvi, distance_to_fault")),
    ],
)
def test_factors_that_cannot_be_made_stop_a_run(lsa, empty, folder, factors, words):
    """The folder has no NDVI and no faults."""
    refused(lsa("run", "tiny", "--data", str(folder), "-p", "factors", factors), empty, *words)


def test_landslides_of_a_kind_that_will_not_be_there_are_refused(lsa, empty, folder):
    """With points there is a reference, without a scene nothing is detected."""
    _points(folder, [1, 0, 1], label="is")
    arguments = (
        "run",
        "tiny",
        "--data",
        str(folder),
        "-p",
        "cell_size_m",
        "10",
        "-p",
        "06.inventory",
        "detected",
    )
    refused(
        lsa(*arguments), empty, "parameter 06.inventory", "no detected landslides", '"reference"'
    )


def _set(folder: Path, name: str, entry) -> None:
    (folder / "catalog.yml").write_text(yaml.safe_dump(CONTENT | {name: entry}), encoding="utf-8")


def _drop(folder: Path, name: str) -> None:
    content = {key: value for key, value in CONTENT.items() if key != name}
    (folder / "catalog.yml").write_text(yaml.safe_dump(content), encoding="utf-8")


def _cut(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


def _empty_inventory(folder: Path) -> None:
    (folder / "slides.csv").write_text("x,y\n")
    _set(folder, "inventory", {"path": "slides.csv", "crs": "EPSG:32648"})


def _points(folder: Path, labels: list, **keys) -> None:
    """Name three points in the study area, with these labels in the column `is`, as inventory."""
    rows = [f"{WEST + 100 * (i + 1)},{NORTH - 100},{label}" for i, label in enumerate(labels)]
    (folder / "slides.csv").write_text("\n".join(["x,y,is", *rows]))
    _set(folder, "inventory", {"path": "slides.csv", "crs": CRS, **keys})


def _scene(folder: Path, bands: int, crs: str) -> None:
    """Add a scene over the study area, of so many bands in a CRS, to the data folder."""
    box = transform_bounds(CRS, crs, WEST, NORTH - ROWS * CELL, WEST + COLUMNS * CELL, NORTH)
    kind = {
        "driver": "GTiff",
        "dtype": "uint8",
        "count": bands,
        "width": 32,
        "height": 32,
        "crs": crs,
    }
    with rasterio.open(
        folder / "scene.tif", "w", transform=from_bounds(*box, 32, 32), **kind
    ) as file:
        file.write(np.full((bands, 32, 32), 9, np.uint8))
    _set(folder, "scene", {"path": "scene.tif"})


@pytest.fixture
def chips(tmp_path) -> Path:
    """A data folder with twelve image chips in the layout `masks` and nothing else."""
    rows = ["id,split"]
    for i in range(12):
        image, mask = bright_square(seed=i)
        write_image(tmp_path / "chips" / "images" / f"a{i}.png", image)
        write_image(tmp_path / "chips" / "masks" / f"a{i}.png", mask)
        rows.append(f"a{i},{'test' if i > 10 else 'val' if i > 9 else 'train'}")
    (tmp_path / "chips" / "index.csv").write_text("\n".join(rows))
    (tmp_path / "catalog.yml").write_text("images: {path: chips, format: masks}")
    return tmp_path


def _spoil_three(folder: Path) -> None:
    _cut(folder / "chips/images/a1.png")
    (folder / "chips/masks/a4.png").unlink()
    (folder / "chips/images/a7.png").unlink()


def _no_training(folder: Path) -> None:
    index = folder / "chips/index.csv"
    index.write_text(index.read_text().replace("train", "test"))


def _spoil_all(folder: Path) -> None:
    for file in (folder / "chips/images").iterdir():
        _cut(file)


@pytest.mark.parametrize(
    ("change", "arguments", "words"),
    [
        (_spoil_three, (), ("3 of 12 chips", "a1.png", "a4.png", "a7", "skip_bad")),
        (_spoil_all, ("-p", "skip_bad", "true"), ("12 of 12 chips",)),
        (_no_training, (), ("no training chips",)),
        (
            lambda folder: (folder / "chips/index.csv").write_text("name,split\na0,train"),
            (),
            ("index.csv", 'no column "id"'),
        ),
        (
            lambda folder: (folder / "catalog.yml").write_text(
                "images: {path: chips, format: polygons}"
            ),
            (),
            ("polygons: FILE",),
        ),
        (
            lambda folder: (folder / "catalog.yml").write_text(
                "images: {path: chips/images, format: polygons, polygons: slides.gpkg}"
            ),
            (),
            ("slides.gpkg", "missing"),
        ),
    ],
)
def test_wrong_images_stop_a_run_before_anything_is_written(
    lsa, empty, chips, change, arguments, words
):
    """All chips that cannot be used stand in one message."""
    change(chips)
    refused(lsa("run", "tiny", "--data", str(chips), "--until", "02", *arguments), empty, *words)


@pytest.mark.parametrize(
    ("bands", "words"), [("red", ""), ("red,green", "1 band(s), 2 are needed")]
)
def test_data_check_opens_the_scene_with_the_bands_asked_for(lsa, folder, bands, words):
    _scene(folder, 1, CRS)
    result = lsa("data", "check", str(folder), "--cell-size", "10", "--bands", bands)
    assert result.code == (2 if words else 0), result
    assert words in result.out


def test_data_check_shows_the_sources(lsa, folder):
    result = lsa("data", "check", str(folder), "--cell-size", "10")
    assert result.code == 0, result
    assert "stations.xls" in result.out


def test_overrides_are_written_as_papermill_writes_them():
    assert cli._join_overrides(["run", "quick", "-p", "a", "1", "-p", "b", "x=y"]) == [
        "run",
        "quick",
        "-p",
        "a=1",
        "-p",
        "b=x=y",
    ]


def test_check_env_and_pairs(lsa, empty):
    assert "papermill" in lsa("check-env").out
