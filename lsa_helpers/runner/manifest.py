"""``manifest.json``: what was made, from what, by which code, how long it took and how much memory
it needed.
"""

import hashlib
import importlib.metadata
import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import lsa_helpers
from lsa_helpers.run import Run, sha256, whole_file

PACKAGES = [
    "numpy",
    "torch",
    "torchvision",
    "scikit-learn",
    "xgboost",
    "shap",
    "rasterio",
    "geopandas",
    "xarray-spatial",
    "pyflwdir",
    "jupyter-book",
]
# Folders of a run whose files are results of a stage.
_RESULTS = ("products", "tables", "figures", "world")


def read_manifest(run: Run) -> dict:
    """The manifest of a run, or an empty one."""
    file = run.path / "manifest.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"stages": []}


def write_manifest(run: Run, stages: list[dict], params_file: Path) -> None:
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
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
        "params_sha256": sha256(params_file),
        "stages": stages,
    }
    with whole_file(run.path / "manifest.json") as part:
        part.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def snapshot(run: Run) -> dict[str, tuple[int, int]]:
    """Time of change and size of every result file of a run, by its path inside the run."""
    files = (file for folder in _RESULTS for file in sorted((run.path / folder).rglob("*")))
    return {
        file.relative_to(run.path).as_posix(): (file.stat().st_mtime_ns, file.stat().st_size)
        for file in files
        if file.is_file() and not file.name.startswith(".")
    }


def hashes(folder: Path, names: list[str]) -> dict[str, str]:
    """SHA-256 of files of a folder by name; a missing file has the hash ``""``."""
    return {name: sha256(folder / name) if (folder / name).is_file() else "" for name in names}


def fingerprint(*parts) -> str:
    """SHA-256 of anything JSON can hold: equal parts, equal fingerprint."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def code_hash(notebook: Path) -> str:
    """Hash of the code a stage runs: its notebook's cells and the package without the rooms that
    only command and publish.
    """
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    package = Path(lsa_helpers.__file__).parent
    outer = {
        "cli.py",
        "publish.py",
        "pairs.py",
        "inputs.py",
        "pipeline.py",
        "manifest.py",
        "kernel.py",
        "pages.py",
    }
    modules = [file for file in sorted(package.rglob("*.py")) if file.name not in outer]
    return fingerprint(
        [cell["source"] for cell in cells if cell["cell_type"] == "code"],
        [sha256(file) for file in modules],
    )


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
    names = (
        [
            line.split(":")[1].strip()
            for line in info.read_text().splitlines()
            if line.startswith("model name")
        ]
        if info.exists()
        else []
    )
    return names[0] if names else platform.processor()
