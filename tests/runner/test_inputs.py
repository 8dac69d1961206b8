"""What the user gives a run: overrides go to their chapter, files are found from the run."""

import pytest

from lsa_helpers.errors import InputError
from lsa_helpers.runner.cells import cell_of
from lsa_helpers.runner.inputs import LOCAL_FILES, find_params, load_run_params
from lsa_helpers.runner.params import CHAPTERS


def test_overrides_go_to_the_chapter_that_owns_them(root, tmp_path):
    file = root / "notebooks/params/tiny.yml"
    values = load_run_params(file, {"n_classes": "7", "seed": "4"}, None, tmp_path)
    assert values["06_frequency_ratio"].n_classes == 7
    assert {chapter.seed for chapter in values.values()} == {4}
    values = load_run_params(file, {"04+06.inventory": "reference"}, None, tmp_path)
    chosen = [values[name].inventory for name in sorted(CHAPTERS)[3:6]]
    assert chosen == ["reference", "auto", "reference"]


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
    tiny = find_params("tiny")
    for file, overrides in (
        (tmp_path / "own.yml", {}),
        (tiny, {"detector": "../d.safetensors", "06.breaks_from": "../b.json"}),
    ):
        values = load_run_params(file, overrides, None, folder)
        assert values["02_detector"].detector == "../../d.safetensors"
        assert values["06_frequency_ratio"].breaks_from == "../../b.json"
    for name, file in (("detector", "d.safetensors"), ("breaks_from", "b.json")):
        with pytest.raises(InputError, match=rf"{file}: .* parameter {name} does not exist"):
            load_run_params(tiny, {name: file}, None, folder)


def test_every_parameter_that_names_a_file_is_followed():
    """Found by their words, so that a new one is not forgotten."""
    words = ("local file", "breaks.json")
    found = {
        (chapter, name)
        for chapter in CHAPTERS
        for name, (_, meaning) in cell_of(chapter).items()
        if any(word in meaning for word in words)
    }
    assert found == {(chapter, name) for chapter, names in LOCAL_FILES.items() for name in names}


def test_weights_by_name_are_no_file(tmp_path):
    """Torchvision's name of weights reaches the chapter as it is; a missing file does not."""
    values = load_run_params(find_params("tiny"), {"weights": "IMAGENET1K_V1"}, None, tmp_path)
    assert values["02_detector"].weights == "IMAGENET1K_V1"
    with pytest.raises(InputError, match="weights does not exist"):
        load_run_params(find_params("tiny"), {"weights": "body.pth"}, None, tmp_path)
