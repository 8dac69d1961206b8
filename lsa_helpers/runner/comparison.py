"""Runs side by side: what they were made from, which scores differ by more than chance, and what
they cost.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from lsa_helpers.runner.paired import KEYS, paired_scores
from lsa_helpers.runner.registry import flat_parameters, load_manifest, own_seconds, read_sections

_KINDS = ("parameter", "code", "data", "package", "machine")
#: Files that a chapter made, told from those that a run was given.
_MADE = ("products/", "world/")
#: Tables of scores that come first, the others by name.
_FIRST = ["scores_spatial", "scores_random", "detection_scores"]
_VALUES = ["value", "value_low", "value_high"]
#: How the verdict was found.
PAIRED, INTERVALS = "paired bootstrap", "intervals"


def compare_facts(first: Path, second: Path) -> pd.DataFrame:
    """What two runs were made from and with, where it differs.

    Parameters
    ----------
    first, second : Path
        The runs' folders.

    Returns
    -------
    DataFrame
        ``kind`` (parameter, code, data, package or machine), ``name``, and the value in each run,
        ``a`` and ``b``, as text: empty where a run has none. Data are the files a run was given and
        those of its simulated mountain, told by their SHA-256.

    Raises
    ------
    InputError
        When a manifest is damaged.
    """
    both = {"a": _facts(first), "b": _facts(second)}
    keys = dict.fromkeys([*both["a"], *both["b"]])
    keys = sorted(keys, key=lambda key: _KINDS.index(key[0]))
    rows = [(*key, both["a"].get(key, ""), both["b"].get(key, "")) for key in keys]
    table = pd.DataFrame(rows, columns=["kind", "name", "a", "b"])
    return table[table["a"] != table["b"]].reset_index(drop=True)


def _facts(run: Path) -> dict[tuple[str, str], str]:
    """What a run was made from and with: kind and name → value as text."""
    manifest = load_manifest(run)
    data = {}
    for stage in manifest["stages"]:
        given, made = stage.get("inputs", {}), stage.get("outputs", {})
        data |= {name: value for name, value in given.items() if not name.startswith(_MADE)}
        data |= {name: value for name, value in made.items() if name.startswith("world/")}
    code, packages, machine = (manifest.get(key, {}) for key in ("code", "packages", "machine"))
    values_of_kinds = [flat_parameters(read_sections(run)), code, data, packages, machine]
    return {
        (kind, name): value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for kind, values in zip(_KINDS, values_of_kinds, strict=True)
        for name, value in values.items()
    }


def compare_scores(first: Path, second: Path) -> pd.DataFrame:
    """Every score that two runs have with an interval, and how they differ.

    Parameters
    ----------
    first, second : Path
        The runs' folders.

    Returns
    -------
    DataFrame
        ``table, row`` (its text columns, for example the model), ``score``; the score and its 95 %
        interval in each run, ``a, a_low, a_high, b, b_low, b_high``; ``difference`` (that of the
        second run minus that of the first) with its interval ``low, high``, where there is one;
        ``method`` and ``more_than_chance``. The method is `PAIRED` where both runs predicted the
        same samples out of their folds: the difference has an interval that leaves 0 out. Else it
        is `INTERVALS`: the scores' intervals exclude each other, which is harder, for intervals
        that overlap can still belong to scores that differ.
    """
    a, b = scores_with_intervals(first), scores_with_intervals(second)
    names = {"value": "", "value_low": "_low", "value_high": "_high"}
    a, b = (
        table.rename(columns={old: f"{run}{new}" for old, new in names.items()})
        for run, table in (("a", a), ("b", b))
    )
    both = a.merge(b, on=KEYS, how="inner")
    both["difference"] = both["b"] - both["a"]
    both = both.merge(paired_scores(first, second), on=KEYS, how="left")
    paired = both["low"].notna()
    apart = (both["a_high"] < both["b_low"]) | (both["b_high"] < both["a_low"])
    both["method"] = np.where(paired, PAIRED, INTERVALS)
    both["more_than_chance"] = np.where(paired, (both["low"] > 0) | (both["high"] < 0), apart)
    rank = both["table"].map(lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))
    return both.iloc[np.argsort(rank, kind="stable")].reset_index(drop=True)


def scores_with_intervals(run: Path) -> pd.DataFrame:
    """The scores of a run's tables that have an interval.

    Parameters
    ----------
    run : Path
        The run's folder.

    Returns
    -------
    DataFrame
        ``table, row, score, value, value_low, value_high``; a column of a table is a score when it
        has two beside it of the same name and ``_low`` and ``_high``. A table that cannot be read
        has none.
    """
    rows = []
    for file in sorted((run / "tables").glob("*.csv")):
        try:
            table = pd.read_csv(file)
        except (OSError, ValueError):
            continue
        text = [name for name in table if not is_numeric_dtype(table[name])]
        label = table[text].fillna("").astype(str).agg(" ".join, axis=1)
        for score in table:
            columns = [score, f"{score}_low", f"{score}_high"]
            if set(columns) <= set(table) and not set(columns) & set(text):
                values = table[columns].set_axis(_VALUES, axis=1)
                rows.append(values.assign(table=file.stem, row=label, score=score))
    if not rows:
        return pd.DataFrame(columns=KEYS + _VALUES)
    return pd.concat(rows)[KEYS + _VALUES].dropna().drop_duplicates(KEYS)


def differing_parameters(runs: Sequence[Path]) -> pd.DataFrame:
    """Parameters with more than one value among runs.

    Parameters
    ----------
    runs : sequence of Path
        The runs' folders.

    Returns
    -------
    DataFrame
        One row per run, named by its folder; one column per parameter, by the key that ``-p``
        takes. Chapters whose parameter of one name has the same values in all runs share a column:
        ``04+05.positives``.
    """
    values = {run.name: flat_parameters(read_sections(run)) for run in runs}
    table = pd.DataFrame.from_dict(values, orient="index")
    differ = [key for key in table if table[key].map(json.dumps).nunique() > 1]
    together: dict[tuple, list[str]] = {}
    for key in differ:
        name = key.rpartition(".")[2]
        together.setdefault((name, *table[key].map(json.dumps)), []).append(key)
    columns = {}
    for (name, *_), keys in together.items():
        chapters = "+".join(key.rpartition(".")[0] for key in keys)
        columns[f"{chapters}.{name}" if chapters else name] = table[keys[0]]
    return pd.DataFrame(columns, index=table.index)


def same_land(first: Path, second: Path) -> bool:
    """Whether two runs are of the same land on the same grid: their factors have the same bytes."""
    hashes = [
        stage["outputs"].get("products/factors.tif")
        for run in (first, second)
        for stage in load_manifest(run)["stages"]
        if stage.get("name") == "01_data"
    ]
    return len(hashes) == 2 and hashes[0] == hashes[1] is not None


def costs(runs: Sequence[Path]) -> pd.DataFrame:
    """Seconds that each chapter took.

    Parameters
    ----------
    runs : sequence of Path
        The runs' folders.

    Returns
    -------
    DataFrame
        One row per run, one column per chapter, s; 0 where a chapter was taken over from another
        run of a sweep, NaN where it was not made.
    """
    rows = {}
    for run in runs:
        rows[run.name] = {
            stage["name"]: own_seconds(stage) for stage in load_manifest(run)["stages"]
        }
    return pd.DataFrame.from_dict(rows, orient="index").sort_index(axis=1)
