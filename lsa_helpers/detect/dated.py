"""Comparisons of detectors that take too long for most runs, as they were measured once."""

from importlib import resources

import pandas as pd


def dated_table(name: str) -> pd.DataFrame:
    """A stored comparison, per cent.

    Parameters
    ----------
    name : {"four_detectors", "platforms"}
        ``four_detectors``: the rows of Table 4, 26 November 2026, parameter file `paper` (2,880
        training chips of the simulated mountain), four epochs each, one seed, one NVIDIA H200
        shared by all four. ``platforms``: detectors that never saw one platform, on its chips, and
        (columns ending in ``_seen``) one that saw all; 25 November 2026, parameter file `course`,
        360 chips, ten epochs each, one seed, one thread of a processor with bfloat16.

    Examples
    --------
    >>> dated_table("four_detectors")["epochs"].unique().tolist()
    [4]
    """
    folder = resources.files("lsa_helpers") / "data" / "dated"
    with (folder / f"{name}.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file)
