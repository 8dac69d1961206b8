"""The tables printed in Yao et al. (2026), to be compared with: facts, with their source."""

from importlib import resources

import pandas as pd

from lsa_helpers.errors import InputError, did_you_mean

TABLES = {
    1: "table1_image_datasets",
    2: "table2_conditioning_factors",
    3: "table3_training",
    4: "table4_detection",
    5: "table5_frequency_ratio",
}


def published_table(number: int) -> pd.DataFrame:
    """One table of the paper as it is printed.

    Parameters
    ----------
    number : int
        1 image data, 2 factors and sources, 3 training, 4 detection scores (per cent), 5 frequency ratios
        (areas in km², ratios in per cent; in table 5 models and columns carry this package's names).

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
    Source: Yao et al. 2026, Remote Sensing 18(6), 849, https://doi.org/10.3390/rs18060849 (CC BY 4.0).

    Examples
    --------
    >>> published_table(3)["epochs"].item()
    100
    """
    if number not in TABLES:
        raise InputError(f"the paper has no table {number}", fix=did_you_mean(str(number), map(str, TABLES)))
    with resources.files("lsa_helpers").joinpath("data", "paper", f"{TABLES[number]}.csv").open(encoding="utf-8") as file:
        table = pd.read_csv(file)
    if number == 5:
        table = table.rename(columns={"method": "model", "fr_as_printed": "fr"})
        table["model"] = table["model"].str.lower()
    return table
