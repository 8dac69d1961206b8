"""Models against each other, and random folds against spatial ones."""

from itertools import combinations

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from lsa_helpers.samples import block_ids


def paired_differences(
    guesses: pd.DataFrame,
    samples: pd.DataFrame,
    scheme: str,
    *,
    block_m: float,
    seed: int = 0,
    n_boot: int = 500,
) -> pd.DataFrame:
    """Differences of AUC between models on the same samples, with intervals from whole blocks
    resampled for both at once.

    Parameters
    ----------
    guesses : DataFrame
        From `predictions`.
    samples : DataFrame
        The sample table.
    scheme : str
        Of the guesses.
    block_m : float
        Edge of the blocks that are resampled, m.
    seed, n_boot : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        ``first, second`` (models), ``difference`` (AUC of the first minus that of the second),
        ``low, high`` (95 %), ``p`` (two-sided: how often resampling turns the sign, twice); draws
        with one class are left out. With fewer than 2 blocks the interval and p are NaN.

    Notes
    -----
    Source: the paired bootstrap of Efron & Tibshirani (1993), An Introduction to the Bootstrap,
    chapter 16; blocks, because the test of DeLong et al. (1988) takes neighbours for independent.
    """
    own = guesses[guesses["scheme"] == scheme].pivot(
        index="sample", columns="model", values="probability"
    )
    label = samples["label"].to_numpy()[own.index]
    blocks = block_ids(samples["x"], samples["y"], block_m)[own.index]
    members = [np.flatnonzero(blocks == block) for block in np.unique(blocks)]
    rng, names = (
        np.random.default_rng(seed),
        [name for name in guesses["model"].unique() if name in own],
    )
    draws = []
    for _ in range(n_boot if len(members) > 1 else 0):
        rows = np.concatenate([members[i] for i in rng.integers(len(members), size=len(members))])
        if 0 < label[rows].sum() < len(rows):
            draws.append([roc_auc_score(label[rows], own[name].to_numpy()[rows]) for name in names])
    draws, auc = (
        np.array(draws).reshape(-1, len(names)),
        [roc_auc_score(label, own[name]) for name in names],
    )
    table = []
    for i, j in combinations(range(len(names)), 2):
        gap = draws[:, i] - draws[:, j]
        low, high = np.quantile(gap, [0.025, 0.975]) if len(gap) else (np.nan, np.nan)
        # One draw more on each side keeps a p of exactly 0 from being claimed.
        turned = min((gap <= 0).sum(), (gap >= 0).sum())
        p = min(1.0, 2 * (turned + 1) / (len(gap) + 1)) if len(gap) else np.nan
        table.append(
            {
                "first": names[i],
                "second": names[j],
                "difference": auc[i] - auc[j],
                "low": low,
                "high": high,
                "p": p,
            }
        )
    return pd.DataFrame(table)


def optimism(scored: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """What random folds promise too much.

    Parameters
    ----------
    scored : dict
        Scheme → score table with ``model`` and ``auc``; with the schemes apparent, random and
        spatial.

    Returns
    -------
    DataFrame
        ``model``, the AUC of each scheme, ``optimism`` (random minus spatial).
    """
    table = pd.DataFrame(
        {scheme: rows.set_index("model")["auc"] for scheme, rows in scored.items()}
    )
    return (
        table.assign(optimism=table["random"] - table["spatial"]).rename_axis("model").reset_index()
    )
