"""Printed numbers: the marks between their digits, and the interval each number stands for."""

import re
from pathlib import Path

import pandas as pd

from lsa_helpers.errors import InputError

_MISSING = {"", "-", "–", "—", "nan", "na", "n/a"}
_NUMBER = re.compile(r"(\d+)(?:\.(\d*))?|\.(\d+)")
# A comma or a point between digits that cannot stand for thousands.
_DECIMAL_COMMA = r"0,\d+|[\d.]+,(?:\d{1,2}|\d{4,})"
_DECIMAL_POINT = r"0?\.\d+|[\d,]+\.(?:\d{1,2}|\d{4,})"
_THOUSANDS = r"(?<=\d){}(?=\d{{3}}(?:\D|$))"


def decimal_points(table: pd.DataFrame) -> pd.DataFrame:
    """The numbers of a table with decimal points, where it prints decimal commas.

    The table decides, not the number: 1,234 may be either, but beside 394,5 it is one and a bit.
    Where both marks are met, nothing is changed.

    Parameters
    ----------
    table : DataFrame
        Text as printed, numbers only.

    Returns
    -------
    DataFrame

    Examples
    --------
    >>> decimal_points(pd.DataFrame({"km2": ["1.394,5", "78"]}))["km2"].tolist()
    ['1394.5', '78']
    """
    texts = pd.Series(table.to_numpy().ravel(), dtype=str).str.replace("%", "").str.strip()
    comma, point = (texts.str.fullmatch(mark).any() for mark in (_DECIMAL_COMMA, _DECIMAL_POINT))
    if not comma or point:
        return table
    plain = table.replace(_THOUSANDS.format(r"\."), "", regex=True)
    return plain.replace(",", ".", regex=True)


def intervals(text: pd.Series, *, exact: bool = False, where: Path | None = None) -> pd.DataFrame:
    """The interval that each printed number stands for: half a unit of its last digit to both
    sides.

    A zero without digits has those of the number with most digits in its column: who writes 0
    beside 0.12 means 0.00.

    Parameters
    ----------
    text : Series of str
        Numbers as printed; a thousands separator (comma, space, apostrophe) and a per-cent sign
        are left out, a dash or nothing means that there is none.
    exact : bool
        Whole counts, which nothing is rounded away from.
    where : Path, optional
        The file, for messages.

    Returns
    -------
    DataFrame
        ``value, low, high``; NaN where nothing is printed, low never below 0.

    Raises
    ------
    InputError
        When a text is no number, or a negative one.

    Examples
    --------
    >>> intervals(pd.Series(["12.34", "4.0"]))[["low", "high"]].values.round(3).tolist()
    [[12.335, 12.345], [3.95, 4.05]]
    """
    plain = text.str.replace("%", "").str.strip()
    plain = plain.str.replace(_THOUSANDS.format(r"[,\s'’]"), "", regex=True)
    missing = plain.str.lower().isin(_MISSING)
    wrong = [value for value in plain[~missing] if not _NUMBER.fullmatch(value)]
    if wrong:
        what = f'"{wrong[0]}" is no number that can be checked'
        raise InputError(what, where=where, found=f"in the column {text.name}")
    digits = plain.str.partition(".")[2].str.len().where(~missing, 0)
    value = pd.to_numeric(plain.where(~missing))
    digits = digits.where(plain != "0", digits.max())
    half = 0.0 if exact else 0.5 * 10.0 ** -digits.astype(float)
    return pd.DataFrame({"value": value, "low": (value - half).clip(lower=0), "high": value + half})
