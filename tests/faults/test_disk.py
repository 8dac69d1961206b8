"""A full or closed disk: one sentence that names the file, and what was there is still there."""

import errno
import os
import tempfile
from pathlib import Path

import pytest

from lsa_helpers.errors import InputError
from lsa_helpers.run import Run, whole_file
from lsa_helpers.runner import cli, cli_state, execute, manifest
from lsa_helpers.runner.lock import held


def full(part: Path) -> None:
    """Write into a device that is always full."""
    with open("/dev/full", "w") as file:
        file.write("x")


needs_a_full_disk = pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="the system has no device that is always full"
)


@needs_a_full_disk
def test_a_full_disk_leaves_the_file_of_before(tmp_path):
    """The system does not say which file could not be written; the error does."""
    file = tmp_path / "manifest.json"
    file.write_text("before")
    with pytest.raises(OSError) as caught, whole_file(file) as part:
        part.write_text("half")
        full(part)
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(file))
    assert file.read_text() == "before"
    assert list(tmp_path.iterdir()) == [file]


@needs_a_full_disk
def test_a_full_disk_is_one_sentence(tmp_path, monkeypatch, capsys):
    def no_room(run, stages):
        with whole_file(run.path / "manifest.json") as part:
            full(part)

    monkeypatch.setattr(execute.manifest, "write_manifest", no_room)
    monkeypatch.setattr(execute, "_bring_up_to_date", lambda *rest: ({"name": "01_data"}, True))
    monkeypatch.setattr(cli.sys, "argv", ["lsa", "run", "tiny", "--out", str(tmp_path / "run")])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 1
    said = capsys.readouterr().err
    assert said.startswith(f"Error: {tmp_path}/run/manifest.json: the disk is full. Free some")
    assert said.count("\n") == 1
    assert manifest.read_manifest(Run(tmp_path / "run")) == {"stages": []}


def test_other_errors_of_the_system_are_not_hidden(monkeypatch):
    """A file that is missing inside the program is a fault of it, with its traceback."""

    def broken(**rest):
        raise FileNotFoundError(errno.ENOENT, "No such file", "x")

    monkeypatch.setattr(cli, "app", broken)
    with pytest.raises(FileNotFoundError):
        cli.main()


@pytest.fixture
def closed():
    """A folder that nobody but its owner may write to, while this process is somebody else."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        owner = os.geteuid()
        if owner == 0:
            os.seteuid(65534)
        yield folder
        os.seteuid(owner)
        folder.chmod(0o755)


@pytest.mark.parametrize("inside", ["", "run"])
def test_a_folder_that_is_closed_is_refused_at_once(closed, inside):
    refused = pytest.raises(InputError, match="nothing can be written here.*--out")
    with refused as caught, held(closed / inside):
        pass
    assert str(closed / inside) in str(caught.value)
    assert list(closed.iterdir()) == []


def test_every_error_of_the_disk_has_a_way_out():
    for number in cli_state.DISK:
        said = cli_state.disk_words(OSError(number, "?", "a.tif"))
        assert said.startswith("a.tif: ") and said.count(". ") == 1


def test_a_damaged_manifest_says_what_to_do(tmp_path):
    (tmp_path / "manifest.json").write_text('{"stages": [')
    with pytest.raises(InputError, match="manifest is damaged.*Delete it"):
        manifest.read_manifest(Run(tmp_path))
