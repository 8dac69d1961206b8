"""Which factors to keep: collinearity (VIF, tolerance, correlation) and importance against a random probe."""

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd

from lsa_helpers.errors import InputError
from lsa_helpers.run import Run
from lsa_helpers.samples import Encoder, block_ids

PROBE = "random_probe"


def design_columns(table: pd.DataFrame, info: dict[str, dict], factors: Sequence[str]) -> dict[str, np.ndarray]:
    """Code each factor for a regression: factor → float64 columns (n, k), constant columns and one reference class left out.

    Circular factors give sine and cosine, categorical ones a column per class but the first. A factor that does not vary gives
    (n, 0).
    """
    encoder = Encoder.fit(table, info, factors)
    coded, groups = encoder.table(table).astype(np.float64), np.array(encoder.groups)
    columns = {}
    for name in factors:
        part = coded[:, groups == name]
        part = part[:, 1:] if info[name]["kind"] == "categorical" else part
        columns[name] = part[:, np.ptp(part, axis=0) > 0]
    return columns


def vif(columns: dict[str, np.ndarray]) -> pd.Series:
    """Variance inflation factor of each factor, with a constant term in every regression.

    Parameters
    ----------
    columns : dict
        Factor → columns (n, k ≥ 1). One column: the VIF of statsmodels. Several: the generalised VIF to the power 1/k, which is on
        the same scale as a VIF.

    Returns
    -------
    Series
        Factor → VIF, dimensionless, 1 or more; inf where a factor is a linear combination of the others.

    Notes
    -----
    **Source**: Fox & Monette 1992, Generalized collinearity diagnostics, doi:10.1080/01621459.1992.10475190:
    GVIF = det(R₁₁) det(R₂₂) / det(R).

    Examples
    --------
    >>> a = np.array([1.0, 2, 3, 4]); b = np.array([1.0, 3, 2, 4])   # r = 0.8
    >>> vif({"a": a[:, None], "b": b[:, None]}).round(4).tolist()    # 1 / (1 - 0.64)
    [2.7778, 2.7778]
    """
    from statsmodels.stats.outliers_influence import variance_inflation_factor
    from statsmodels.tools import add_constant

    if not columns:
        return pd.Series(dtype=float)
    design = add_constant(np.concatenate(list(columns.values()), axis=1), has_constant="add")
    corr = np.atleast_2d(np.corrcoef(design[:, 1:], rowvar=False))
    values, start = {}, 0
    for name, part in columns.items():
        own = np.arange(start, start + part.shape[1])
        # A singular design is what this looks for: statsmodels' warnings about it say nothing new.
        with np.errstate(divide="ignore"), warnings.catch_warnings(action="ignore"):
            values[name] = variance_inflation_factor(design, start + 1) if len(own) == 1 else _gvif(corr, own) ** (1 / len(own))
        start += part.shape[1]
    return pd.Series(values).clip(lower=1.0)


def _gvif(corr: np.ndarray, own: np.ndarray) -> float:
    """Generalised VIF of the columns `own` of a correlation matrix."""
    rest = np.setdiff1d(np.arange(len(corr)), own)
    log_det = [np.linalg.slogdet(corr[np.ix_(part, part)]) for part in (own, rest, np.arange(len(corr)))]
    singular = log_det[2][0] <= 0 or log_det[2][1] < -60
    return np.inf if singular else float(np.exp(log_det[0][1] + log_det[1][1] - log_det[2][1]))


def stepwise_vif(table: pd.DataFrame, info: dict[str, dict], factors: Sequence[str], *, threshold: float = 10.0) -> pd.DataFrame:
    """Drop the factor with the largest VIF, again and again, until all are below a threshold.

    Parameters
    ----------
    table : DataFrame
        Samples with raw factors.
    info : dict
        As in ``factors.json``.
    factors : sequence of str
    threshold : float
        Factors with VIF at or above it (tolerance at or below its inverse) are dropped.

    Returns
    -------
    DataFrame
        ``factor, vif, tolerance, dropped_at``: for a dropped factor its values when it was dropped and the step (1, 2, …), for a
        kept one those among the kept and 0. Factors that do not vary are dropped first, with tolerance 0.

    Raises
    ------
    InputError
        With fewer samples than coded columns.
    """
    columns = design_columns(table, info, factors)
    if len(table) <= sum(part.shape[1] for part in columns.values()) + 1:
        raise InputError("too few samples for the number of factors", found=f"{len(table)} rows, {len(factors)} factors")
    rows, step = [], 0
    for name in [name for name, part in columns.items() if part.shape[1] == 0]:
        step += 1
        rows.append((name, np.inf, 0.0, step))
        del columns[name]
    values = vif(columns)
    while values.max() >= threshold and len(values) > 2:
        step += 1
        worst = str(values.idxmax())
        rows.append((worst, values[worst], 1 / values[worst], step))
        del columns[worst]
        values = vif(columns)
    rows += [(name, value, 1 / value, 0) for name, value in values.items()]
    return pd.DataFrame(rows, columns=["factor", "vif", "tolerance", "dropped_at"]).set_index("factor").loc[list(factors)].reset_index()


def correlation(table: pd.DataFrame, info: dict[str, dict], factors: Sequence[str], method: str = "spearman") -> pd.DataFrame:
    """Correlation matrix ("pearson" or "spearman") of the continuous factors and the sine and cosine of circular ones."""
    encoder = Encoder.fit(table, info, [name for name in factors if info[name]["kind"] != "categorical"])
    return pd.DataFrame(encoder.table(table), columns=list(encoder.columns)).corr(method=method)


def gain_ratio(values: np.ndarray, label: np.ndarray, *, categorical: bool = False, bins: int = 10) -> float:
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
    **Source**: Quinlan 1986, Induction of decision trees, doi:10.1007/BF00116251: (H(y) − H(y|x)) / H(x).

    Examples
    --------
    >>> gain_ratio(np.array([1, 1, 2, 2]), np.array([0, 0, 1, 1]), categorical=True)
    1.0
    """
    edges = np.unique(values) if categorical else np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1]))
    code = np.searchsorted(edges, values, side="right")
    joint = np.bincount(code * 2 + label, minlength=2 * (len(edges) + 1)).reshape(-1, 2) / len(label)
    split = _entropy(joint.sum(1))
    return float((split + _entropy(joint.sum(0)) - _entropy(joint.ravel())) / split) if split > 0 else 0.0


def _entropy(share: np.ndarray) -> float:
    """Entropy in bits of shares that sum to 1."""
    share = share[share > 0]
    return float(-(share * np.log2(share)).sum())


def importance(
    table: pd.DataFrame, info: dict[str, dict], factors: Sequence[str], *, seed: int, n_trees: int = 200, repeats: int = 5,
    block_m: float = 1000.0, n_jobs: int = 1,
) -> pd.DataFrame:  # fmt: skip
    """Rank the factors three ways, each beside a column of noise.

    Random-forest impurity and permutation importance are measured on the spatial folds of the table (trained on the others,
    permuted in the fold left out); the gain ratio on all rows.

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
        ``factor, method, mean, low, high``: method is ``rf_impurity`` (share), ``permutation`` (loss of ROC AUC) or ``gain_ratio``;
        low and high are the 2.5 and 97.5 % quantiles of a bootstrap over space. The probe is ``random_probe``.

    Raises
    ------
    InputError
        When no fold holds both classes with both classes outside it; other folds of one class are left out.

    Notes
    -----
    The intervals say how much the figure depends on which ground was sampled. For permutation and gain ratio whole blocks of rows are
    drawn with replacement, because neighbours are not independent; the forests stay as they are, so what another training sample would
    change is not in the interval. The impurity belongs to a forest and not to rows, so for it the folds are drawn: few values, which share
    most of their training rows, hence an interval that is rather too narrow.

    **Source**: Breiman 2001, doi:10.1023/A:1010933404324 (impurity, permutation); the probe follows the idea of Boruta, Kursa &
    Rudnicki 2010, doi:10.18637/jss.v036.i11; blocks as in Lahiri 2003, Resampling methods for dependent data,
    doi:10.1007/978-1-4757-3803-2.
    """
    rng = np.random.default_rng(seed)
    table = table.assign(**{PROBE: rng.standard_normal(len(table)).astype(np.float32)})
    info, factors = info | {PROBE: {"kind": "continuous"}}, [*factors, PROBE]
    weights = _block_weights(table, block_m, rng)
    impurity, loss = [], []
    for fold in _usable_folds(table):
        test = (table["fold"] == fold).to_numpy()
        forest = _forest_importance(table[~test], table[test], weights[:, test], info, factors, rng, n_trees, repeats, n_jobs)
        impurity.append(forest[0])
        loss.append(forest[1])
    draws = rng.integers(len(impurity), size=(len(weights), len(impurity)))
    draws[0] = np.arange(len(impurity))
    found = {"rf_impurity": np.array(impurity)[draws].mean(axis=1), "permutation": np.nanmean(loss, axis=0)}
    found["gain_ratio"] = _gain_ratios(table, info, factors, weights[: 1 + 10 * repeats])
    rows = [(name, method, *_interval(values[:, i])) for method, values in found.items() for i, name in enumerate(factors)]
    return pd.DataFrame(rows, columns=["factor", "method", "mean", "low", "high"])


def _block_weights(table: pd.DataFrame, block_m: float, rng: np.random.Generator, n_boot: int = 200) -> np.ndarray:
    """How often each row counts, (1 + n_boot, n): once each, then in samples of as many blocks as there are, drawn with replacement."""
    block = block_ids(table["x"], table["y"], block_m)
    count = block.max() + 1
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=n_boot)
    return np.vstack([np.ones(len(table), dtype=np.int64), drawn[:, block]])


def _interval(values: np.ndarray) -> tuple[float, float, float]:
    """The first value, which is that of the rows as they are, and the 95 % interval of the others."""
    return float(values[0]), *np.nanquantile(values[1:], [0.025, 0.975]).tolist()


def _weighted_auc(label: np.ndarray, score: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """ROC AUC of one score under each row of weights (draws, n); NaN where the weights leave one class.

    Examples
    --------
    >>> _weighted_auc(np.array([0, 1, 1]), np.array([0.5, 0.4, 0.6]), np.array([[1, 1, 1], [1, 0, 2], [0, 1, 1]])).tolist()
    [0.5, 1.0, nan]
    """
    order = np.argsort(score, kind="stable")
    first = np.flatnonzero(np.diff(score[order], prepend=-np.inf))  # equal scores are one step of the curve
    high, low = (np.add.reduceat(weights[:, order] * (label[order] == kind), first, axis=1) for kind in (1, 0))
    pairs = high.sum(axis=1) * low.sum(axis=1)
    won = (high * (np.cumsum(low, axis=1) - low / 2)).sum(axis=1)
    return np.divide(won, pairs, out=np.full(len(weights), np.nan), where=pairs > 0)


def _gain_ratios(table: pd.DataFrame, info, factors, weights: np.ndarray) -> np.ndarray:
    """Gain ratio (draws, factors) of the rows repeated as often as the weights say."""
    label, values = table["label"].to_numpy(), [(table[name].to_numpy(), info[name]["kind"] == "categorical") for name in factors]
    rows = [np.repeat(np.arange(len(table)), weight) for weight in weights]
    return np.array([[gain_ratio(band[part], label[part], categorical=classed) for band, classed in values] for part in rows])


def _usable_folds(table: pd.DataFrame) -> list[int]:
    """The folds that can be trained around and scored: both classes inside and outside."""
    folds = table["fold"]
    usable = [fold for fold in np.unique(folds) if all(table["label"][part].nunique() == 2 for part in (folds == fold, folds != fold))]
    if not usable:
        counts = table.groupby("fold")["label"].agg(["size", "sum"]).rename(columns={"size": "rows", "sum": "landslides"})
        fix = "Use larger blocks or fewer folds"
        raise InputError("no spatial fold holds cells with and without landslides", found=counts.to_dict("index"), fix=fix)
    return usable


def _forest_importance(train, test, weights, info, factors, rng, n_trees, repeats, n_jobs) -> tuple[np.ndarray, np.ndarray]:
    """Impurity share (factors,), and loss of AUC (draws, factors) when a factor's columns are shuffled together in the test rows."""
    from sklearn.ensemble import RandomForestClassifier

    encoder = Encoder.fit(train, info, factors)
    groups, coded, label = np.array(encoder.groups), encoder.table(test), test["label"].to_numpy()
    seed = int(rng.integers(2**31))
    forest = RandomForestClassifier(n_trees, random_state=seed, n_jobs=n_jobs).fit(encoder.table(train), train["label"])
    impurity = np.array([forest.feature_importances_[groups == name].sum() for name in factors])
    copies = [coded]
    for name in factors:
        for _ in range(repeats):
            shuffled = coded.copy()
            shuffled[:, groups == name] = coded[rng.permutation(len(coded))][:, groups == name]
            copies.append(shuffled)
    votes = forest.predict_proba(np.concatenate(copies))[:, 1].reshape(len(copies), -1)
    areas = np.array([_weighted_auc(label, vote, weights) for vote in votes])
    return impurity, (areas[0] - areas[1:].reshape(len(factors), repeats, -1).mean(axis=1)).T


def agreement(importances: pd.DataFrame) -> pd.DataFrame:
    """Kendall's rank correlation (tau-b, -1 to 1) between the three rankings of the factors, the probe left out."""
    wide = importances[importances["factor"] != PROBE].pivot(index="factor", columns="method", values="mean")
    return wide[list(importances["method"].unique())].corr(method="kendall").rename_axis(columns=None)


def dropping_cost(
    table: pd.DataFrame, info: dict[str, dict], factors: Sequence[str], selected: Sequence[str], *, seed: int, n_trees: int = 200,
    block_m: float = 1000.0, n_jobs: int = 1,
) -> pd.DataFrame:  # fmt: skip
    """What the factors that were dropped cost a forest in spatial folds.

    Parameters
    ----------
    table : DataFrame
        Samples with ``x, y, label, fold`` and raw factors.
    info : dict
        As in ``factors.json``.
    factors, selected : sequence of str
        All factors, and those that are kept.
    seed, n_trees, n_jobs : int
    block_m : float
        Edge of a bootstrap block, m.

    Returns
    -------
    DataFrame
        ``factors`` (all, selected, cost), ``n``, ``auc`` (mean over the folds with both classes; cost is all minus selected), ``low,
        high`` (95 % interval; blocks are drawn with replacement, the same for both forests, so the cost's is that of a paired difference).

    Raises
    ------
    InputError
        When there is no such fold.
    """
    weights = _block_weights(table, block_m, np.random.default_rng(seed))
    areas = {}
    for which, names in (("all", list(factors)), ("selected", list(selected))):
        folds = [_fold_auc(table, fold, weights, info, names, seed, n_trees, n_jobs) for fold in _usable_folds(table)]
        areas[which] = np.nanmean(folds, axis=0)
    areas["cost"] = areas["all"] - areas["selected"]
    counts = {"all": len(factors), "selected": len(selected), "cost": len(factors) - len(selected)}
    rows = [(which, counts[which], *_interval(values)) for which, values in areas.items()]
    return pd.DataFrame(rows, columns=["factors", "n", "auc", "low", "high"])


def _fold_auc(table, fold, weights, info, names, seed, n_trees, n_jobs) -> np.ndarray:
    """AUC (draws,) in a fold of a forest trained outside it."""
    from sklearn.ensemble import RandomForestClassifier

    test = (table["fold"] == fold).to_numpy()
    encoder = Encoder.fit(table[~test], info, names)
    forest = RandomForestClassifier(n_trees, random_state=seed, n_jobs=n_jobs).fit(encoder.table(table[~test]), table["label"][~test])
    return _weighted_auc(table["label"].to_numpy()[test], forest.predict_proba(encoder.table(table[test]))[:, 1], weights[:, test])


def choose(vif_table: pd.DataFrame, importances: pd.DataFrame, *, threshold: float, flag: float, drop_below_probe: bool = False) -> dict:
    """Decide which factors the models get, and say why for each that they do not.

    Parameters
    ----------
    vif_table : DataFrame
        From `stepwise_vif`.
    importances : DataFrame
        From `importance`.
    threshold, flag : float
        VIF at which factors were dropped, and above which a kept factor is flagged.
    drop_below_probe : bool
        Drop factors whose mean permutation importance is not above that of the random probe; otherwise they are flagged.

    Returns
    -------
    dict
        ``selected``: list of factors; ``dropped`` and ``flagged``: factor → reason.

    Raises
    ------
    InputError
        When no factor is left.
    """
    gone = vif_table[vif_table["dropped_at"] > 0].sort_values("dropped_at")
    dropped = {row.factor: f"VIF {row.vif:.1f} ≥ {threshold:g} at step {row.dropped_at}" for row in gone.itertuples()}
    kept = vif_table[vif_table["dropped_at"] == 0]
    flagged = {row.factor: f"VIF {row.vif:.1f} > {flag:g}" for row in kept.itertuples() if row.vif > flag}
    loss = importances[importances["method"] == "permutation"].set_index("factor")["mean"]
    weak = {name: "permutation importance not above the random probe" for name in kept["factor"] if loss[name] <= loss[PROBE]}
    if drop_below_probe and len(weak) < len(kept):
        dropped |= weak
    else:
        flagged = {name: "; ".join(filter(None, [flagged.get(name), weak.get(name)])) for name in {**flagged, **weak}}
    selected = [name for name in kept["factor"] if name not in dropped]
    if not selected:
        raise InputError("no factor is left for the models", found=dropped, fix="Check the factors: none may vary among the samples")
    return {"selected": selected, "dropped": dropped, "flagged": flagged}


def selected_factors(run: Run) -> list[str]:
    """The factors chapter 03 selected; an error naming that chapter if it has not run."""
    run.need("selected_factors.json", chapter="03_factor_selection")
    return run.read_json("selected_factors.json")["selected"]
