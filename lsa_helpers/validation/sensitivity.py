"""Sampling sensitivity: how the choice of samples moves the scores, and the map."""

import pandas as pd

_CHOICES = ["positives", "buffer_m", "slope_floor", "ratio"]


def summarise_sampling(table: pd.DataFrame) -> pd.DataFrame:
    """Mean scores of every value of every choice, over all values of the others.

    Parameters
    ----------
    table : DataFrame
        One row per way to sample and seed: ``positives, buffer_m`` (m), ``slope_floor`` (degrees),
        ``ratio, seed, n`` (samples), ``sample_auc`` (samples of the same kind, random folds) and
        ``map_auc`` (all cells of the held-out map), NaN where samples could not be drawn.

    Returns
    -------
    DataFrame
        Index ``choice, value``; ``n, sample_auc, map_auc, gap`` (sample_auc − map_auc),
        ``seed_sd`` (standard deviation of map_auc between seeds, all else alike; NaN with one
        seed), and ``failed``, the number of rows that could not be drawn and are in no mean.
    """
    failed = table[["sample_auc", "map_auc"]].isna().any(axis=1)
    drawn = table[~failed]
    between_seeds = drawn.groupby(_CHOICES)["map_auc"].std().reset_index()
    parts = {}
    for choice in _CHOICES:
        means = drawn.groupby(choice)[["n", "sample_auc", "map_auc"]].mean()
        means["gap"] = means["sample_auc"] - means["map_auc"]
        means["seed_sd"] = between_seeds.groupby(choice)["map_auc"].mean()
        n_failed = failed.groupby(table[choice]).sum().rename("failed")
        parts[choice] = means.join(n_failed, how="outer")
    return pd.concat(parts, names=["choice", "value"])
