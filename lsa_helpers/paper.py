"""The tables printed in Yao et al. (2026), and the check of a printed frequency-ratio table."""

from importlib import resources

import numpy as np
import pandas as pd

from lsa_helpers.errors import InputError, did_you_mean

TABLES = {
    1: "table1_image_datasets",
    2: "table2_conditioning_factors",
    3: "table3_training",
    4: "table4_detection",
    5: "table5_frequency_ratio",
}
HALF = 0.005  # of the last printed digit


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
    path = resources.files("lsa_helpers") / "data" / "paper" / f"{TABLES[number]}.csv"
    with path.open(encoding="utf-8") as file:
        table = pd.read_csv(file)
    if number == 5:
        table = table.rename(columns={"method": "model", "fr_as_printed": "fr"})
        table["model"] = table["model"].str.lower()
    return table


def audit_frequency_ratios(table: pd.DataFrame) -> pd.DataFrame:
    """Check a printed frequency-ratio table against its own areas, rounding taken into account.

    Every printed number stands for an interval of half a unit of its last digit to both sides. A
    printed ratio is possible when its interval meets the interval of ratios that the printed areas
    allow.

    Parameters
    ----------
    table : DataFrame
        Columns of Table 5, every value rounded to two decimals.

    Returns
    -------
    DataFrame
        The printed ratios that are impossible: model, susceptibility, column, printed, and low and
        high, the values that the areas allow.

    Examples
    --------
    >>> wrong = audit_frequency_ratios(published_table(5))
    >>> wrong[["model", "susceptibility", "column", "printed"]].values.tolist()
    [['rf', 'High', 'area_ratio_pct', 7.99]]
    """
    parts = []
    for _, rows in table.groupby("model", sort=False):
        area = _share_interval(rows["area_km2"].to_numpy())
        landslide = _share_interval(rows["landslide_area_km2"].to_numpy())
        allowed = {
            "area_ratio_pct": area,
            "landslide_area_ratio_pct": landslide,
            "fr": (landslide[0] / area[1], landslide[1] / area[0]),
        }
        for column, (low, high) in allowed.items():
            part = rows[["model", "susceptibility"]].assign(column=column, printed=rows[column])
            part = part.assign(low=low, high=high)
            too_low = part["printed"] + HALF < part["low"] - 1e-9
            too_high = part["printed"] - HALF > part["high"] + 1e-9
            parts.append(part[too_low | too_high])
    return pd.concat(parts, ignore_index=True)


def _share_interval(area: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest share (per cent) of each area when every area is known to ± `HALF`."""
    low, high = np.maximum(area - HALF, 0), area + HALF
    others_low, others_high = low.sum() - low, high.sum() - high
    return 100 * low / (low + others_high), 100 * high / (high + others_low)
