"""Three rankings of the factors beside a column of noise, and how far they agree."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lsa_helpers.samples import Encoder
from lsa_helpers.selection.bootstrap import (
    block_weights,
    fold_mean,
    interval,
    usable_folds,
    weighted_auc,
)

PROBE = "random_probe"


def gain_ratio(
    values: np.ndarray, label: np.ndarray, *, categorical: bool = False, bins: int = 10
) -> float:
    """Information gain ratio of a factor: how many bits of the label it tells, per bit of its own.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Raw factor; continuous values are cut at their quantiles into `bins` classes.
    label : ndarray of 0 and 1, shape (n,)
    categorical : bool
        Values are class codes already.
    bins : int

    Returns
    -------
    float
        In 0–1; 0 for a factor that does not vary.

    Notes
    -----
    **Source**: Quinlan 1986, Induction of decision trees, doi:10.1007/BF00116251: (H(y) − H(y|x)) /
    H(x).

    Examples
    --------
    >>> gain_ratio(np.array([1, 1, 2, 2]), np.array([0, 0, 1, 1]), categorical=True)
    1.0
    """
    edges = (
        np.unique(values)
        if categorical
        else np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1]))
    )
    code = np.searchsorted(edges, values, side="right")
    joint = np.bincount(code * 2 + label, minlength=2 * (len(edges) + 1)).reshape(-1, 2) / len(
        label
    )
    split = _entropy(joint.sum(1))
    return (
        float((split + _entropy(joint.sum(0)) - _entropy(joint.ravel())) / split)
        if split > 0
        else 0.0
    )


def _entropy(share: np.ndarray) -> float:
    """Entropy in bits of shares that sum to 1."""
    share = share[share > 0]
    return float(-(share * np.log2(share)).sum())


def importance(
    table: pd.DataFrame,
    info: dict[str, dict],
    factors: Sequence[str],
    *,
    seed: int,
    n_trees: int = 200,
    repeats: int = 5,
    block_m: float = 1000.0,
    n_jobs: int = 1,
) -> pd.DataFrame:
    """Rank the factors three ways, each beside a column of noise.

    Random-forest impurity and permutation importance are measured on the spatial folds of the table
    (trained on the others, permuted in the fold left out); the gain ratio on all rows.

    Parameters
    ----------
    table : DataFrame
        Samples with ``x, y, label, fold`` and raw factors.
    info : dict
        As in ``factors.json``.
    factors : sequence of str
    seed, n_trees, repeats, n_jobs : int
        `repeats` permutations per factor and fold.
    block_m : float
        Edge of a bootstrap block, m.

    Returns
    -------
    DataFrame
        ``factor, method, mean, low, high``: method is ``rf_impurity`` (share), ``permutation``
        (loss of ROC AUC) or ``gain_ratio``; low and high are the 2.5 and 97.5 % quantiles of a
        bootstrap over space. The probe is ``random_probe``.

    Raises
    ------
    InputError
        When no fold holds both classes with both classes outside it; other folds of one class are
        left out.

    Notes
    -----
    The intervals say how much the figure depends on which ground was sampled. For permutation and
    gain ratio whole blocks of rows are drawn with replacement, because neighbours are not
    independent; the forests stay as they are, so what another training sample would change is not
    in the interval. The impurity belongs to a forest and not to rows, so for it the folds are
    drawn: few values, which share most of their training rows, hence an interval that is rather too
    narrow.

    **Source**: Breiman 2001, doi:10.1023/A:1010933404324 (impurity, permutation); the probe follows
    the idea of Boruta, Kursa & Rudnicki 2010, doi:10.18637/jss.v036.i11; blocks as in Lahiri 2003,
    Resampling methods for dependent data, doi:10.1007/978-1-4757-3803-2.
    """
    rng = np.random.default_rng(seed)
    table = table.assign(**{PROBE: rng.standard_normal(len(table)).astype(np.float32)})
    info, factors = info | {PROBE: {"kind": "continuous"}}, [*factors, PROBE]
    weights = block_weights(table, block_m, rng)
    impurity, loss = [], []
    for fold in usable_folds(table):
        test = (table["fold"] == fold).to_numpy()
        forest = _forest_importance(
            table[~test],
            table[test],
            weights[:, test],
            info,
            factors,
            rng,
            n_trees,
            repeats,
            n_jobs,
        )
        impurity.append(forest[0])
        loss.append(forest[1])
    draws = rng.integers(len(impurity), size=(len(weights), len(impurity)))
    draws[0] = np.arange(len(impurity))
    found = {"rf_impurity": np.array(impurity)[draws].mean(axis=1), "permutation": fold_mean(loss)}
    found["gain_ratio"] = _gain_ratios(table, info, factors, weights[: 1 + 10 * repeats])
    rows = [
        (name, method, *interval(values[:, i]))
        for method, values in found.items()
        for i, name in enumerate(factors)
    ]
    return pd.DataFrame(rows, columns=["factor", "method", "mean", "low", "high"])


def _gain_ratios(table: pd.DataFrame, info, factors, weights: np.ndarray) -> np.ndarray:
    """Gain ratio (draws, factors) of the rows repeated as often as the weights say."""
    label, values = (
        table["label"].to_numpy(),
        [(table[name].to_numpy(), info[name]["kind"] == "categorical") for name in factors],
    )
    rows = [np.repeat(np.arange(len(table)), weight) for weight in weights]
    return np.array(
        [
            [gain_ratio(band[part], label[part], categorical=classed) for band, classed in values]
            for part in rows
        ]
    )


def _forest_importance(
    train, test, weights, info, factors, rng, n_trees, repeats, n_jobs
) -> tuple[np.ndarray, np.ndarray]:
    """Impurity share (factors,), and loss of AUC (draws, factors) when a factor's columns are
    shuffled together in the test rows.
    """
    from sklearn.ensemble import RandomForestClassifier

    encoder = Encoder.fit(train, info, factors)
    groups, coded, label = np.array(encoder.groups), encoder.table(test), test["label"].to_numpy()
    seed = int(rng.integers(2**31))
    forest = RandomForestClassifier(n_trees, random_state=seed, n_jobs=n_jobs).fit(
        encoder.table(train), train["label"]
    )
    impurity = np.array([forest.feature_importances_[groups == name].sum() for name in factors])
    copies = [coded]
    for name in factors:
        for _ in range(repeats):
            shuffled = coded.copy()
            shuffled[:, groups == name] = coded[rng.permutation(len(coded))][:, groups == name]
            copies.append(shuffled)
    votes = forest.predict_proba(np.concatenate(copies))[:, 1].reshape(len(copies), -1)
    areas = np.array([weighted_auc(label, vote, weights) for vote in votes])
    return impurity, (areas[0] - areas[1:].reshape(len(factors), repeats, -1).mean(axis=1)).T


def agreement(importances: pd.DataFrame) -> pd.DataFrame:
    """Kendall's rank correlation (tau-b, -1 to 1) between the three rankings of the factors, the
    probe left out.
    """
    wide = importances[importances["factor"] != PROBE].pivot(
        index="factor", columns="method", values="mean"
    )
    return (
        wide[list(importances["method"].unique())].corr(method="kendall").rename_axis(columns=None)
    )
