"""A run's folder: files appear whole or not at all."""

import pandas as pd
import pytest

from lsa_helpers.errors import InputError
from lsa_helpers.run import Run, sha256, whole_file


def test_a_failed_write_leaves_the_old_file(tmp_path):
    file = tmp_path / "deep" / "table.csv"
    with whole_file(file) as part:
        part.write_text("old")
    with pytest.raises(RuntimeError), whole_file(file) as part:
        part.write_text("half of the ne")
        raise RuntimeError
    assert file.read_text() == "old"
    assert list(file.parent.iterdir()) == [file]


def test_a_file_appears_at_once_and_not_byte_by_byte(tmp_path):
    """It is moved into place, not copied: it stays the file that was written, and a reader who had
    opened the old one goes on reading that.
    """
    file = tmp_path / "table.csv"
    file.write_text("old")
    with file.open() as reader:
        with whole_file(file) as part:
            part.write_text("new")
            written = part.stat().st_ino
        assert file.stat().st_ino == written
        assert reader.read() == "old"


def test_tables_are_the_same_bytes_each_time(tmp_path):
    table = pd.DataFrame({"model": ["cnn"], "auc": [1 / 3]})
    first, second = (Run(tmp_path / name).write_table(table, "scores") for name in "ab")
    assert sha256(first) == sha256(second)
    assert Run(tmp_path / "a").read_table("scores")["auc"].item() == pytest.approx(1 / 3)


def test_a_missing_product_names_its_chapter(tmp_path):
    with pytest.raises(InputError, match=r"factors\.tif.*--until 01"):
        Run(tmp_path).need("factors.tif", chapter="01_data")


def test_known_hash(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256(tmp_path / "abc").startswith("ba7816bf8f01cfea")
