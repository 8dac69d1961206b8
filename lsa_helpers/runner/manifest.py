"""``manifest.json``: what was made, from what, by which code, how long it took and how much memory
it needed.
"""

import hashlib
import importlib.metadata
import json
import os
import platform
import re
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import lsa_helpers
from lsa_helpers.errors import InputError
from lsa_helpers.run import Run, sha256, whole_file
from lsa_helpers.sources import Catalog
from lsa_helpers.sources.catalog import file_of

# Folders of a run whose files are results of a stage.
_RESULTS = ("products", "tables", "figures", "answers", "world")


def read_manifest(run: Run) -> dict:
    """The manifest of a run, or an empty one."""
    file = run.path / "manifest.json"
    try:
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"stages": []}
    except ValueError:  # a disk that lost its power; half of it is never written
        fix = "Delete it: the chapters are then executed anew"
        raise InputError("the manifest is damaged", where=file, fix=fix) from None


def versions() -> dict[str, str]:
    """The packages this one needs, with the versions that are installed; those for networks may be
    absent.

    Raises
    ------
    InputError
        When one is missing.
    """
    versions = {}
    for text in importlib.metadata.requires("lsa-helpers"):
        name, _, extra = re.match(r"([\w.-]+)(.*extra == ['\"](\w+))?", text).groups()
        if extra not in (None, "networks"):
            continue
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            if extra is None:
                raise InputError(f"the package {name} is missing", fix="Run: make env") from None
    return dict(sorted(versions.items()))


def write_manifest(run: Run, stages: list[dict]) -> None:
    """Write the manifest with the facts of this machine and this code."""
    content = {
        "name": run.path.resolve().name,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "code": {"version": lsa_helpers.__version__, "commit": _commit()},
        "machine": {
            "system": platform.platform(),
            "processor": _processor(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
        "packages": versions(),
        "params_sha256": sha256(run.path / "params.yml"),
        "stages": stages,
    }
    with whole_file(run.path / "manifest.json") as part:
        part.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def snapshot(run: Run) -> dict[str, tuple[int, ...]]:
    """State of every result file of a run, by its path inside the run: another one after every
    write, even of as many bytes after the clock was set back.
    """
    files = (file for folder in _RESULTS for file in sorted((run.path / folder).rglob("*")))
    states = {file: file.stat() for file in files if file.is_file()}
    return {
        # A file renamed into place is another one (inode). The time of change (ctime) is no sign:
        # a hard link that another run of a sweep makes moves it.
        file.relative_to(run.path).as_posix(): (s.st_ino, s.st_mtime_ns, s.st_size)
        for file, s in states.items()
        if not file.name.startswith(".")
    }


def clear_parts(run: Run) -> None:
    """Remove half-written files that a killed process left; the caller holds the run's lock."""
    folders = [run.path / name for name in _RESULTS]
    parts = [file for folder in folders for file in folder.rglob(".*.part*")]
    for file in [*parts, *run.path.glob(".*.part*")]:
        file.unlink()


def hashes(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """SHA-256 of files of a folder by name; a missing file has the hash ``""``."""
    return {name: sha256(folder / name) if (folder / name).is_file() else "" for name in names}


def data_hashes(catalog: Catalog) -> dict[str, str]:
    """SHA-256 of the catalog's content and of every file of the data folder that it names, side
    files of the same stem and images and outlines that a file of annotations names included.
    """
    files = set()
    for entry in catalog.entries().values():
        for path in map(file_of, catalog.files(entry)):
            files |= set(path.rglob("*")) if path.is_dir() else _with_sides(path)
    images = catalog.images
    if images is not None and images.polygons:
        files |= _with_sides(catalog.folder / images.polygons)
    elif images is not None and any(path.is_file() for path in catalog.files(images)):
        from lsa_helpers.detect.layouts import find_chips

        chips = find_chips(catalog)
        files |= {chip.image for chip in chips}
        files |= {chip.truth for chip in chips if isinstance(chip.truth, Path)}
    names = (os.path.relpath(file, catalog.folder) for file in files if file.is_file())
    names = sorted(Path(name).as_posix() for name in names)
    found = {f"data/{name}": value for name, value in hashes(catalog.folder, names).items()}
    # what the catalog says of them, wherever it lies
    return found | {"catalog": digest(catalog.model_dump(mode="json", exclude={"folder"}))}


def _with_sides(path: Path) -> set[Path]:
    """A file and the files beside it that differ in their suffix only, as a shapefile has them."""
    return set(path.parent.glob(f"{path.stem}.*"))


def digest(*parts) -> str:
    """SHA-256 of anything JSON can hold: equal parts, equal digest."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def _commit() -> str:
    """Git commit of the code, with ``+`` when it was changed since; empty outside a checkout."""
    root = Path(lsa_helpers.__file__).parent.parent
    try:
        command = ["git", "-C", str(root), "describe", "--always", "--abbrev=40", "--dirty=+"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _processor() -> str:
    """Name of the processor as the system gives it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
