"""``lsa bench``: the benchmarks of a checkout, shown as ratios against the rivals that ran beside
them.
"""

import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from rich.table import Table

from lsa_helpers.errors import InputError, LsaError, did_you_mean
from lsa_helpers.run import whole_file

FOLDER = Path(__file__).parents[2] / "tests" / "benchmarks"


def run_benchmarks(
    what: str, out: Path | None, tell: Callable[[object], None], folder: Path = FOLDER
) -> pd.DataFrame:
    """Run ``pytest --benchmark-only`` and show each group's medians.

    Parameters
    ----------
    what : str
        Name of a file ``test_<what>.py`` in `folder`, or "all".
    out : Path or None
        Where pytest-benchmark's JSON is kept.
    tell : callable
        Gets the plain command and a table.
    folder : Path
        Where the benchmarks are.

    Returns
    -------
    DataFrame
        group, what, median_s, times (median divided by that of the group's first, ours),
        per_second, unit, and where the benchmark notes them peak_mb (memory added at most) and
        process_mb (held at most by the whole process and its children).

    Raises
    ------
    InputError
        When there is no such benchmark.
    LsaError
        When one failed; its output is shown.
    """
    names = sorted(path.stem.removeprefix("test_") for path in folder.glob("test_*.py"))
    if not names:
        raise InputError(
            "there are no benchmarks here",
            where=folder,
            fix="Run it in a checkout of the project: the package comes without tests",
        )
    if what != "all" and what not in names:
        raise InputError(
            f'there is no benchmark "{what}"', found=names, fix=did_you_mean(what, names)
        )
    target = folder if what == "all" else folder / f"test_{what}.py"
    command = ["pytest", str(target), "--benchmark-only", "-v", "-p", "no:warnings"]
    tell(" ".join(command))
    with tempfile.TemporaryDirectory() as scratch:
        result = Path(scratch) / "result.json"
        code, output = _run([sys.executable, "-m", *command, f"--benchmark-json={result}"], tell)
        if code or not result.exists():
            raise LsaError(f"a benchmark failed:\n{output[-3000:]}")
        content = json.loads(result.read_text(encoding="utf-8"))
        if out:
            with whole_file(out) as part:
                part.write_bytes(result.read_bytes())
    table = compare_medians(content)
    tell(_shown(table))
    return table


def _run(command: list[str], tell: Callable[[object], None]) -> tuple[int, str]:
    """Run pytest and tell of each benchmark as it ends; its exit status and all it printed."""
    printed = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout:
            printed.append(line)
            if "::" in line and "PASSED" in line:
                tell(line.partition("::")[2].rstrip())
    return process.returncode, "".join(printed)


def compare_medians(content: dict) -> pd.DataFrame:
    """pytest-benchmark's JSON as the table of `run_benchmarks`."""
    rows, first = [], {}
    for item in content["benchmarks"]:
        median, extra = item["stats"]["median"], item.get("extra_info", {})
        ours = first.setdefault(item["group"], median)
        function, _, case = item["name"].removeprefix("test_").partition("[")
        speed = {
            "median_s": median,
            "times": median / ours,
            "per_second": extra.get("work", float("nan")) / median,
        }
        rest = {"unit": extra.get("unit", "")} | {
            key: extra.get(key, float("nan")) for key in ("peak_mb", "process_mb")
        }
        rows.append({"group": item["group"], "what": case.rstrip("]") or function} | speed | rest)
    return pd.DataFrame(rows)


def _shown(table: pd.DataFrame) -> Table:
    """The table narrow enough for 80 columns: memory in one column, added / whole process."""
    shown = Table(box=None)
    shown.add_column("")
    for name in ("median", "times ours", "per second", "MB added / whole"):
        shown.add_column(name, justify="right", no_wrap=True)
    for group, rows in table.groupby("group", sort=False):
        shown.add_row(group, style="bold")
        for row in rows.itertuples():
            rate = f"{row.per_second:.3g} {row.unit}" if row.unit else ""
            memory = [
                "–" if math.isnan(value) else f"{value:.0f}"
                for value in (row.peak_mb, row.process_mb)
            ]
            memory = "" if memory == ["–", "–"] else " / ".join(memory)
            shown.add_row(
                f"  {row.what}", f"{row.median_s:.3g} s", f"{row.times:.2f}", rate, memory
            )
    return shown
