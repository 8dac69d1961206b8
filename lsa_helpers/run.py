"""A run's folder: where products, tables and figures lie, written whole or not at all."""

import errno
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lsa_helpers.errors import InputError


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; rename it to `path` only when the block ends well.

    Parameters
    ----------
    path : Path
        The final name; its folder is made if it is missing.

    Yields
    ------
    Path
        A name in the same folder with the same suffix, to be written by the caller.

    Raises
    ------
    OSError
        With the name of the file also where the system does not say it, as on a full disk, which
        some libraries tell as a failure of their own.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{secrets.token_hex(4)}.part{path.suffix}")
    try:
        yield part
        os.replace(part, path)
    except Exception as error:
        # GDAL looks before it writes, and says how much space there is and how much it needs
        full = is_full(path.parent) or "disk space" in str(error.__cause__)
        if full and getattr(error, "errno", None) is None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
        if isinstance(error, OSError):
            error.filename = error.filename or str(path)
        raise
    finally:
        part.unlink(missing_ok=True)


def is_full(folder: Path) -> bool:
    """Whether the disk of a folder has less than 64 KiB left."""
    return shutil.disk_usage(folder).free < 2**16


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class Run:
    """One run's folder.

    Parameters
    ----------
    path : Path
        The folder `runs/<name>`; it is made on the first write.
    """

    path: Path

    def product(self, name: str) -> Path:
        """Path of a product, for example ``factors.tif``."""
        return self.path / "products" / name

    def table(self, name: str) -> Path:
        """Path of a table, for example ``vif`` for ``tables/vif.csv``."""
        return self.path / "tables" / f"{name}.csv"

    def figure(self, name: str) -> Path:
        """Path of a figure, for example ``factors`` for ``figures/factors.png``."""
        return self.path / "figures" / f"{name}.png"

    @property
    def world(self) -> Path:
        """Folder of the simulated mountain's native files (runs without a data folder)."""
        return self.path / "world"

    def has(self, name: str) -> bool:
        """Whether a product exists."""
        return self.product(name).exists()

    def need(self, name: str, *, chapter: str) -> Path:
        """Path of a product an earlier chapter makes; an error naming that chapter if it is
        missing.

        Raises
        ------
        InputError
            When the product is not there.
        """
        path = self.product(name)
        if not path.exists():
            raise InputError(
                f"the product {name} is missing",
                where=self.path,
                fix=f"Run chapter {chapter} first: lsa run --until {chapter[:2]}",
            )
        return path

    def write_table(self, table: pd.DataFrame, name: str) -> Path:
        """Write a table to ``tables/<name>.csv`` without its index; floats with 10 significant
        digits.
        """
        with whole_file(self.table(name)) as part:
            table.to_csv(part, index=False, float_format="%.10g", lineterminator="\n")
        return self.table(name)

    def read_table(self, name: str) -> pd.DataFrame:
        """Read ``tables/<name>.csv``."""
        return pd.read_csv(self.table(name))

    def write_json(self, value, name: str) -> Path:
        """Write a product as JSON with sorted keys."""
        with whole_file(self.product(name)) as part:
            part.write_text(
                json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n",
                encoding="utf-8",
            )
        return self.product(name)

    def read_json(self, name: str):
        """Read a JSON product."""
        return json.loads(self.product(name).read_text(encoding="utf-8"))
