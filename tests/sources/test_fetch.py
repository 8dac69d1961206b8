"""Downloads, against a server on this machine."""

import functools
import hashlib
import http.server
import threading
import zipfile

import pytest

from lsa_helpers.errors import InputError
from lsa_helpers.sources.fetch import fetch


@pytest.fixture
def server(tmp_path):
    """A local server with one archive and one plain file; gives its address and their folder."""
    folder = tmp_path / "served"
    folder.mkdir()
    with zipfile.ZipFile(folder / "chips.zip", "w") as archive:
        archive.writestr("Moxi town（UAV-1m）/img/a.txt", "image")
    (folder / "plain.txt").write_text("abc")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}", folder
        running.shutdown()


def test_an_archive_is_unpacked(server, tmp_path):
    address, folder = server
    known = hashlib.sha256((folder / "chips.zip").read_bytes()).hexdigest()
    files = fetch(f"{address}/chips.zip", tmp_path / "data", known)
    assert [file.read_text() for file in files] == ["image"]
    assert files[0].relative_to(tmp_path / "data").parts == ("Moxi town（UAV-1m）", "img", "a.txt")


def test_a_file_with_another_hash_is_refused_and_not_kept(server, tmp_path):
    with pytest.raises(InputError, match=r"plain\.txt: .*not the one expected"):
        fetch(f"{server[0]}/plain.txt", tmp_path / "data", "0" * 64)
    assert not (tmp_path / "data" / "plain.txt").exists()


def test_a_missing_file_is_explained(server, tmp_path):
    with pytest.raises(InputError, match=r"none\.txt: .*cannot be downloaded"):
        fetch(f"{server[0]}/none.txt", tmp_path / "data")
