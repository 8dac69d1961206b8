"""How far factors repeat each other: variance inflation, stepwise dropping, correlation."""

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd

from lsa_helpers.errors import InputError
from lsa_helpers.samples import Encoder


def design_columns(
    table: pd.DataFrame, info: dict[str, dict], factors: Sequence[str]
) -> dict[str, np.ndarray]:
    """Code each factor for a regression: factor → float64 columns (n, k), constant columns and one
    reference class left out.

    Circular factors give sine and cosine, categorical ones a column per class but the first. A
    factor that does not vary gives (n, 0).
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
        Factor → columns (n, k ≥ 1). One column: the VIF of statsmodels. Several: the generalised
        VIF to the power 1/k, which is on the same scale as a VIF.

    Returns
    -------
    Series
        Factor → VIF, dimensionless, 1 or more; inf where a factor is a linear combination of the
        others.

    Notes
    -----
    **Source**: Fox & Monette 1992, Generalized collinearity diagnostics,
    doi:10.1080/01621459.1992.10475190: GVIF = det(R₁₁) det(R₂₂) / det(R).

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
            values[name] = (
                variance_inflation_factor(design, start + 1)
                if len(own) == 1
                else generalised_vif(corr, own) ** (1 / len(own))
            )
        start += part.shape[1]
    return pd.Series(values).clip(lower=1.0)


def generalised_vif(corr: np.ndarray, own: np.ndarray) -> float:
    """Generalised VIF of the columns `own` of a correlation matrix."""
    rest = np.setdiff1d(np.arange(len(corr)), own)
    log_det = [
        np.linalg.slogdet(corr[np.ix_(part, part)]) for part in (own, rest, np.arange(len(corr)))
    ]
    singular = log_det[2][0] <= 0 or log_det[2][1] < -60
    return np.inf if singular else float(np.exp(log_det[0][1] + log_det[1][1] - log_det[2][1]))


def stepwise_vif(
    table: pd.DataFrame, info: dict[str, dict], factors: Sequence[str], *, threshold: float = 10.0
) -> pd.DataFrame:
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
        ``factor, vif, tolerance, dropped_at``: for a dropped factor its values when it was dropped
        and the step (1, 2, …), for a kept one those among the kept and 0. Factors that do not vary
        are dropped first, with tolerance 0.

    Raises
    ------
    InputError
        With fewer samples than coded columns.
    """
    columns = design_columns(table, info, factors)
    if len(table) <= sum(part.shape[1] for part in columns.values()) + 1:
        raise InputError(
            "too few samples for the number of factors",
            found=f"{len(table)} rows, {len(factors)} factors",
        )
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
    return (
        pd.DataFrame(rows, columns=["factor", "vif", "tolerance", "dropped_at"])
        .set_index("factor")
        .loc[list(factors)]
        .reset_index()
    )


def correlation(
    table: pd.DataFrame, info: dict[str, dict], factors: Sequence[str], method: str = "spearman"
) -> pd.DataFrame:
    """Correlation matrix ("pearson" or "spearman") of the continuous factors and the sine and
    cosine of circular ones.
    """
    encoder = Encoder.fit(
        table, info, [name for name in factors if info[name]["kind"] != "categorical"]
    )
    return pd.DataFrame(encoder.table(table), columns=list(encoder.columns)).corr(method=method)
