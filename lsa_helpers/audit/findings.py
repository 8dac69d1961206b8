"""The form of a finding, and what several checks share."""

import numpy as np

#: Columns of the findings.
FIELDS = ["check", "where", "printed", "low", "high", "verdict", "sentence"]
#: Allowance for floating point.
SLACK = 1e-9
#: Column of a class table → the noun for one of its numbers.
WORDS = {
    "area": "area",
    "landslides": "landslide amount",
    "area_share": "area share",
    "landslide_share": "landslide share",
    "fr": "frequency ratio",
    "density": "landslide density",
}
#: Names of ordered classes by rank.
_RANKS = {"very low": 0, "low": 1, "moderate": 2, "medium": 2, "high": 3, "very high": 4}
_RANKS |= {"not prone": 0, "extremely low": 0, "extremely high": 4}
_RANKS |= {"vl": 0, "l": 1, "m": 2, "h": 3, "vh": 4}


def finding(check, where, verdict, sentence, *, printed=np.nan, low=np.nan, high=np.nan) -> dict:
    """A row of the findings.

    Parameters
    ----------
    check, where, verdict, sentence : str
    printed, low, high : float
        NaN where there is none.

    Returns
    -------
    dict
    """
    numbers = [None if value is None else float(value) for value in (printed, low, high)]
    return dict(zip(FIELDS, [check, where, *numbers, verdict, sentence], strict=True))


def of(model: str) -> str:
    """The model in a sentence; nothing where the table has none."""
    return f" of {model}" if model else ""


def ranked(columns: dict) -> list | None:
    """Rows from the lowest class to the highest; None where the classes have no order by name."""
    names = columns["class"].str.lower().str.replace("susceptibility|hazard", "", regex=True)
    names = names.str.strip()
    ranks = names.map(_RANKS)
    if len(ranks) < 2 or ranks.isna().any() or ranks.duplicated().any():
        return None
    return list(ranks.sort_values().index)
