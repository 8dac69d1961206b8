"""The tables of two runs side by side: which cells differ, and by how much."""

from pathlib import Path

import pandas as pd
from pandas.api.types import is_bool_dtype, is_float_dtype, is_integer_dtype, is_numeric_dtype

COLUMNS = ["row", "column", "page", "page_low", "page_high", "yours", "yours_low", "yours_high"]


def compare_tables(page: Path, yours: Path, names: list[str]) -> pd.DataFrame:
    """Every cell that differs between two runs.

    Parameters
    ----------
    page, yours : Path
        The runs' folders.
    names : list of str
        Tables, for example ``vif`` for ``tables/vif.csv``; one that a run lacks counts as empty.

    Returns
    -------
    DataFrame
        ``table`` and the columns of `side_by_side`.
    """
    parts = []
    for name in names:
        tables = [_read(run / "tables" / f"{name}.csv") for run in (page, yours)]
        parts.append(side_by_side(*tables).assign(table=name))
    columns = ["table", *COLUMNS, "difference", "weight"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _read(file: Path) -> pd.DataFrame:
    """A table, empty where there is none."""
    return pd.read_csv(file) if file.is_file() else pd.DataFrame()


def side_by_side(page: pd.DataFrame, yours: pd.DataFrame) -> pd.DataFrame:
    """Every cell in which two tables of one kind differ, each with its interval where it has one.

    Rows belong together by the first columns that tell them apart, and where no columns do, by
    their place, if there are as many of them. Of repetitions with other seeds the first belongs to
    the first.

    Parameters
    ----------
    page, yours : DataFrame
        A column ``name`` has an interval in ``name_low`` and ``name_high``, and the only column of
        floats before ``low`` and ``high`` in these.

    Returns
    -------
    DataFrame
        ``row`` (what it is called), ``column``; ``page, page_low, page_high, yours, yours_low,
        yours_high``: numbers or texts, NaN where there is none; ``difference`` (of yours minus that
        of the page, NaN where one of them is no number); ``weight``: its size as a share of the
        column's largest number, 1 for what cannot be subtracted, NaN in rows that only one has.

    Examples
    --------
    >>> page = pd.DataFrame({"model": ["cnn", "rf"], "auc": [0.5, 0.25]})
    >>> cells = side_by_side(page, page.assign(auc=[0.75, 0.25]))
    >>> cells[["row", "column", "page", "yours", "weight"]].values.tolist()
    [['cnn', 'auc', 0.5, 0.75, 0.3333333333333333]]
    """
    page, yours = _by_repetition(page, yours)
    key = _key(page, yours)
    a, b = _labelled(page, key, "page row"), _labelled(yours, key, "your row")
    if key is None and len(a) == len(b):
        b.index = a.index = [f"row {number}" for number in range(1, len(a) + 1)]
    rows, shared = list(dict.fromkeys([*a.index, *b.index])), set(a.index) & set(b.index)
    columns = [name for name in dict.fromkeys([*a, *b]) if name not in (key or ())]
    a, b = a.reindex(rows, columns=columns), b.reindex(rows, columns=columns)
    spans = _intervals((page if len(page) else yours).drop(columns=key or []))
    inside = {name for pair in spans.values() for name in pair}
    parts = [_cells(a, b, name, spans.get(name)) for name in columns if name not in inside]
    if not (parts := [part for part in parts if len(part)]):
        return pd.DataFrame(columns=[*COLUMNS, "difference", "weight"])
    cells = pd.concat(parts, ignore_index=True)
    cells.loc[~cells["row"].isin(shared), "weight"] = float("nan")
    return cells


def _by_repetition(*tables: pd.DataFrame) -> tuple[pd.DataFrame, ...]:
    """Tables whose seeds have nothing in common, with the numbers of the repetitions in their
    place; others as they are.
    """
    if not all("seed" in table and is_integer_dtype(table["seed"]) for table in tables):
        return tables
    first, second = (set(table["seed"]) for table in tables)
    if first & second:
        return tables
    return tuple(
        table.assign(seed=table["seed"] - table["seed"].min() + 1).rename(
            columns={"seed": "repetition"}
        )
        for table in tables
    )


def _is_number(column: pd.Series) -> bool:
    """Whether a column holds numbers that can be subtracted."""
    return is_numeric_dtype(column) and not is_bool_dtype(column)


def _key(page: pd.DataFrame, yours: pd.DataFrame) -> list[str] | None:
    """The first columns that tell the rows apart in both tables: texts, and numbers that one table
    has all of the other's (repetitions, thresholds); columns of one value tell nothing.
    """
    names = []
    for name in (name for name in page if name in yours):
        a, b = set(page[name].dropna()), set(yours[name].dropna())
        numbers = _is_number(page[name]) and _is_number(yours[name])
        names_rows = not numbers or a <= b or b <= a or name == "seed"
        if max(len(a), len(b)) > 1 and names_rows:
            names.append(name)
    keys = (names[:count] for count in range(len(names) + 1))
    return next((key for key in keys if _tells_apart(page, key) and _tells_apart(yours, key)), None)


def _tells_apart(table: pd.DataFrame, key: list[str]) -> bool:
    """Whether no two rows have the same values in these columns."""
    return not table.duplicated(key).any() if key else len(table) <= 1


def _labelled(table: pd.DataFrame, key: list[str] | None, noun: str) -> pd.DataFrame:
    """A table whose rows are called by their values in the key, numbers with the column's name."""
    if key is None:
        return table.set_axis([f"{noun} {number}" for number in range(1, len(table) + 1)])
    said = [
        table[name].map(lambda value, name=name: f"{name} {value}")
        if _is_number(table[name])
        else table[name].fillna("").astype(str)
        for name in key
    ]
    labels = [", ".join(filter(None, texts)) for texts in zip(*said, strict=True)]
    return table.set_axis(labels if key else [""] * len(table))


def _intervals(table: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Columns → the two that hold their interval."""
    names, spans = list(table), {}
    for name in names:
        pair = (f"{name}_low", f"{name}_high")
        if set(pair) <= set(names) and _is_number(table[name]):
            spans[name] = pair
    if {"low", "high"} <= set(names):
        before = [name for name in names[: names.index("low")] if is_float_dtype(table[name])]
        spans |= {before[0]: ("low", "high")} if len(before) == 1 else {}
    return spans


def _cells(
    a: pd.DataFrame, b: pd.DataFrame, name: str, span: tuple[str, str] | None
) -> pd.DataFrame:
    """The cells of one column in which two tables with the same rows differ."""
    numbers = _is_number(a[name]) and _is_number(b[name])
    differ = (a[name] != b[name]) & ~(a[name].isna() & b[name].isna())
    cells = pd.DataFrame({"row": a.index, "column": name}, index=a.index)
    for run, table in (("page", a), ("yours", b)):
        cells[run] = table[name].astype(object)
        for end, column in zip(("low", "high"), span or (), strict=False):
            cells[f"{run}_{end}"] = table[column]
    cells["difference"] = b[name] - a[name] if numbers else float("nan")
    largest = max(a[name].abs().max(), b[name].abs().max()) if numbers else 1.0
    cells["weight"] = (cells["difference"].abs() / largest).fillna(1.0)
    return cells[differ].reindex(columns=[*COLUMNS, "difference", "weight"])
