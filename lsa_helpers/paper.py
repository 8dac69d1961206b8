"""The tables printed in Yao et al. (2026), and tables of others that are audited beside them."""

from importlib import resources
from importlib.resources.abc import Traversable

import pandas as pd

from lsa_helpers.errors import InputError, did_you_mean

_PAPER = resources.files("lsa_helpers") / "data" / "paper"
_PUBLISHED = resources.files("lsa_helpers") / "data" / "published"

TABLES = {
    1: "table1_image_datasets",
    2: "table2_conditioning_factors",
    3: "table3_training",
    4: "table4_detection",
    5: "table5_frequency_ratio",
}
#: Tables of others: name → where they are printed. Facts only, read from the text of the source.
OTHERS = {
    "oh2010_table2": "Oh 2010, Journal of the Geological Society of Korea 46(2), 157–170, Table 2",
    "wang2019_table4": "Wang et al. 2019, Arid Zone Research, Table 4",
    "wang2019_table5": "Wang et al. 2019, Arid Zone Research, Table 5",
    "pei2018_table4": "Pei et al. 2018, Arid Land Geography, Table 4 and section 4.1",
    "hoang2025_table3_8": "Hoàng 2025, doctoral thesis, Hanoi, Table 3-8",
}


def published_table(number: int) -> pd.DataFrame:
    """One table of the paper as it is printed.

    Parameters
    ----------
    number : int
        1 image data, 2 factors and sources, 3 training, 4 detection scores (per cent), 5 frequency
        ratios (areas in km², ratios in per cent; in table 5 models and columns carry this package's
        names).

    Returns
    -------
    DataFrame
        As many rows as the printed table.

    Raises
    ------
    InputError
        When the paper has no such table.

    Notes
    -----
    **Source**: Yao et al. 2026, Remote Sensing 18(6), 849, doi:10.3390/rs18060849 (CC BY 4.0).

    Examples
    --------
    >>> published_table(3)["epochs"].item()
    100
    """
    if number not in TABLES:
        raise InputError(
            f"the paper has no table {number}", fix=did_you_mean(str(number), map(str, TABLES))
        )
    table = _read(_PAPER / f"{TABLES[number]}.csv")
    if number == 5:
        table = table.rename(columns={"method": "model", "fr_as_printed": "fr"})
        table["model"] = table["model"].str.lower()
    return table


def printed_table(name: int | str) -> pd.DataFrame:
    """A printed table as text, with every digit that is printed.

    Parameters
    ----------
    name : int or str
        4 or 5 of the paper, or a key of `OTHERS`.

    Returns
    -------
    DataFrame
        Text, for `lsa_helpers.audit.audit`.

    Raises
    ------
    InputError
        When there is no such table.

    Examples
    --------
    >>> printed_table(5).loc[8, "area_ratio_pct"]
    '7.99'
    """
    if name in OTHERS:
        return _read(_PUBLISHED / f"{name}.csv", dtype=str, comment="#")
    if name not in (4, 5):
        fix = did_you_mean(str(name), ["4", "5", *OTHERS])
        raise InputError(f'there is no printed table "{name}"', fix=fix)
    table = _read(_PAPER / f"{TABLES[int(name)]}.csv", dtype=str)
    # The paper's own heading, which says per cent.
    return table.rename(columns={"fr_as_printed": "FR (%)"})


def _read(path: Traversable, **more) -> pd.DataFrame:
    """A table that comes with the package."""
    with path.open(encoding="utf-8") as file:
        return pd.read_csv(file, keep_default_na=False, **more)
