"""Totals of a class table: those it prints, and those its models must share."""

from collections.abc import Iterator

import pandas as pd

from lsa_helpers.audit.findings import SLACK, WORDS, finding, of
from lsa_helpers.audit.numbers import intervals


def printed_totals(table: pd.DataFrame, groups: dict, exact: dict) -> Iterator[dict]:
    """A printed total is the sum of its column."""
    rows = table.attrs["totals"]
    summed = [name for name in WORDS if name in rows and name not in ("fr", "density")]
    for name in summed if len(rows) else ():
        printed = intervals(rows[name], exact=exact.get(name, False), where=table.attrs["where"])
        for row, model in rows["model"].items():
            if model in groups:
                yield from _total(model, name, printed.loc[row], groups[model][name])


def _total(model: str, name: str, printed: pd.Series, column: pd.DataFrame) -> Iterator[dict]:
    """One printed total; nothing where it or a number of its column is missing."""
    if printed.isna().any() or column.isna().any(axis=None):
        return
    low, high = column["low"].sum(), column["high"].sum()
    fits = printed["low"] <= high + SLACK and low <= printed["high"] + SLACK
    text = f"The printed total of the {WORDS[name]}s{of(model)} is {printed['value']:.10g}; they "
    text += f"add up to {column['value'].sum():.10g}, "
    text += "the same within rounding." if fits else "which no rounding explains."
    where = f"{model} / total" if model else "total"
    verdict = "possible" if fits else "impossible"
    value = printed["value"]
    yield finding("printed total", where, verdict, text, printed=value, low=low, high=high)


def common_totals(groups: dict, exact: dict) -> Iterator[dict]:
    """Models of one study area have one area, and one amount of landslides."""
    for name in exact:
        sums = pd.DataFrame({model: columns[name].sum() for model, columns in groups.items()}).T
        low, high = sums["low"].max(), sums["high"].min()
        each = " / ".join(f"{value:,.10g}" for value in dict.fromkeys(sums["value"].round(6)))
        text = f"The {WORDS[name]}s add up to {each}"
        if len(sums) == 1:
            yield finding(f"total {name}", "", "implied", f"{text}.", printed=sums["value"].iloc[0])
        elif low <= high + SLACK:
            text += ", the same for all within rounding."
            yield finding(f"total {name}", "", "possible", text, low=low, high=high)
        else:
            text += ": not the same land for all."
            yield finding(f"total {name}", "", "noted", text, low=high, high=low)
