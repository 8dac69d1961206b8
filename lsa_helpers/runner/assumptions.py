"""The page *Assumption register*, from ``book/assumptions.yml`` and what a run measured."""

from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from lsa_helpers.run import Run

_PAGE = """# Assumption register

The text we have of {{cite:t}}`yao2026` is its headings, abstract, tables and references. Where it
leaves a step open, we chose. Each choice is a parameter, or marked where it is not. Rows marked †
are printed in the paper. {measured}

| step | default | why | what changes if you choose otherwise |
|---|---|---|---|
{rows}
"""
_OF_RUN = "What *this run* says was measured in it, with its seed and its sizes."
_OF_NONE = "In the book of a run some rows also say what that run measured."


def assumptions_page(file: Path, run: Run | None = None) -> str:
    """The register as MyST Markdown.

    Parameters
    ----------
    file : Path
        ``book/assumptions.yml``: a list of ``step, default, why, otherwise`` and, where there are
        any, ``parameters`` (names) and ``measured`` (see `measured_text`).
    run : Run, optional
        Whose tables are read.
    """
    rows = []
    for row in yaml.safe_load(file.read_text(encoding="utf-8")):
        names = ", ".join(f"`{name}`" for name in row.get("parameters", ()))
        step = f"{row['step']} ({names})" if names else row["step"]
        texts = [measured_text(run, each) for each in row.get("measured", ()) if run]
        found = "; ".join(filter(None, texts))
        otherwise = f"{row['otherwise']}. *This run*: {found}" if found else row["otherwise"]
        rows.append(f"| {step} | {row['default']} | {row['why']} | {otherwise} |")
    measured = _OF_RUN if run else _OF_NONE
    return _PAGE.format(measured=measured, rows="\n".join(rows))


def measured_text(run: Run, measured: dict[str, Any]) -> str:
    """What a run's table says of an assumption; empty where it has no such table or row.

    Parameters
    ----------
    run : Run
    measured : dict
        ``table``, the column ``value``, of which the mean over the rows ``where`` (column → value)
        is taken, minus that over the rows ``minus`` where it is given; ``reads``, a format of
        ``{value}`` and of ``{low}`` and ``{high}`` of the first row.
    """
    if not run.table(measured["table"]).is_file():
        return ""
    table = run.read_table(measured["table"])
    rows = _rows(table, measured["where"])
    others = _rows(table, measured.get("minus", {}))
    if measured["value"] not in table or not len(rows) or not len(others):
        return ""
    value = rows[measured["value"]].mean()
    if "minus" in measured:
        value -= others[measured["value"]].mean()
    ends = {name: rows[name].iloc[0] for name in ("low", "high") if name in rows}
    return measured["reads"].format(value=value, **ends) if pd.notna(value) else ""


def _rows(table: pd.DataFrame, where: dict[str, Any]) -> pd.DataFrame:
    """The rows whose columns have these values; none where a column is missing."""
    for column, value in where.items():
        table = table[table[column] == value] if column in table else table[:0]
    return table
