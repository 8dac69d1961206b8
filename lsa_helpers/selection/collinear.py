"""How far factors repeat each other: generalised variance inflation, and stepwise dropping."""

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from statsmodels.stats.outliers_influence import variance_inflation_factor
from statsmodels.tools import add_constant

from lsa_helpers.errors import InputError, need_factors
from lsa_helpers.samples import coded_groups, factor_coder


def design_columns(samples: pd.DataFrame, factors: xr.Dataset) -> dict[str, np.ndarray]:
    """The columns that stand for each factor in a regression.

    Parameters
    ----------
    samples : DataFrame
        With one column of raw values per factor.
    factors : Dataset
        Which factors, each with its attribute ``kind``.

    Returns
    -------
    dict
        Factor → float64 (n, k): a continuous factor is one z-score, a circular one sine and cosine,
        a categorical one a column per class but the first. Constant columns are left out, so a
        factor that does not vary is (n, 0).

    Raises
    ------
    InputError
        When a factor is unknown in a row.
    """
    names = [str(name) for name in factors]
    coder = factor_coder(factors)
    coded = np.asarray(coder.fit_transform(samples[names].astype(np.float64)), np.float64)
    groups = np.array(coded_groups(coder))
    columns = {}
    for name in names:
        part = coded[:, groups == name]
        part = part[:, 1:] if factors[name].attrs["kind"] == "categorical" else part
        columns[name] = part[:, np.ptp(part, axis=0) > 0]
    return columns


def generalised_vif(columns: dict[str, np.ndarray]) -> pd.Series:
    """Variance inflation factor of factors of several columns, each to the power 1/k.

    Parameters
    ----------
    columns : dict
        Factor → columns (n, k ≥ 1), from `design_columns`.

    Returns
    -------
    Series
        Factor → GVIF^(1/k), dimensionless, 1 or more; for one column this is the VIF of
        statsmodels with a constant term, 1 / (1 − R²). inf where a factor is a linear combination
        of the others.

    Notes
    -----
    GVIF = det(R₁₁) det(R₂₂) / det(R) with the correlation matrices of the factor's columns, of all
    others, and of both. It does not depend on which class is left out as the reference, and it
    needs clearly more rows than columns.

    **Source**: Fox & Monette 1992, Generalized collinearity diagnostics,
    doi:10.1080/01621459.1992.10475190.

    Examples
    --------
    Two factors with r = 0.8, so 1 / (1 − 0.64):

    >>> a, b = np.array([[1.0], [2], [3], [4]]), np.array([[1.0], [3], [2], [4]])
    >>> generalised_vif({"a": a, "b": b}).round(4).tolist()
    [2.7778, 2.7778]
    """
    if not columns:
        return pd.Series(dtype=float)
    design = add_constant(np.concatenate(list(columns.values()), axis=1), has_constant="add")
    correlation = np.atleast_2d(np.corrcoef(design[:, 1:], rowvar=False))
    values = {}
    start = 0
    for name, part in columns.items():
        k = part.shape[1]
        # A singular design is what this looks for: statsmodels' warnings about it say nothing new.
        with np.errstate(divide="ignore"), warnings.catch_warnings(action="ignore"):
            if k == 1:
                values[name] = variance_inflation_factor(design, start + 1)
            else:
                values[name] = _determinant_ratio(correlation, np.arange(start, start + k)) ** (
                    1 / k
                )
        start += k
    return pd.Series(values).clip(lower=1.0)


def _determinant_ratio(correlation: np.ndarray, columns: np.ndarray) -> float:
    """det(R₁₁) det(R₂₂) / det(R) of some columns of a correlation matrix."""
    everything = np.arange(len(correlation))
    others = np.setdiff1d(everything, columns)
    logs = [np.linalg.slogdet(correlation[np.ix_(i, i)]) for i in (columns, others, everything)]
    if logs[2].sign <= 0 or logs[2].logabsdet < -60:
        return np.inf
    return float(np.exp(logs[0].logabsdet + logs[1].logabsdet - logs[2].logabsdet))


def stepwise_vif(
    samples: pd.DataFrame, factors: xr.Dataset, *, threshold: float = 10.0, keep: Sequence[str] = ()
) -> pd.DataFrame:
    """Drop the factor with the largest generalised VIF, again and again, until all are below.

    Parameters
    ----------
    samples, factors
        As for `design_columns`.
    threshold : float
        Factors with VIF at or above it (tolerance at or below its inverse) are dropped.
    keep : sequence of str
        Factors that are never dropped: of two that repeat each other, the other one goes.

    Returns
    -------
    DataFrame
        ``factor, vif, tolerance, dropped_at``: for a dropped factor its values when it was dropped
        and the step (1, 2, …), for a kept one those among the kept and 0. Factors that do not vary
        are dropped first, with tolerance 0.

    Raises
    ------
    InputError
        With fewer samples than coded columns, when a factor is unknown in a row, or when `keep`
        names one that is not there.
    """
    need_factors(keep, factors, "parameter keep_factors")
    columns = design_columns(samples, factors)
    if len(samples) <= sum(part.shape[1] for part in columns.values()) + 1:
        raise InputError(
            "too few samples for the number of factors",
            found=f"{len(samples)} rows, {len(columns)} factors",
        )
    constant = [name for name, part in columns.items() if part.shape[1] == 0]
    dropped = {name: np.inf for name in constant}
    columns = {name: part for name, part in columns.items() if name not in constant}
    values = generalised_vif(columns)
    while len(values) > 2 and values.drop(list(keep), errors="ignore").max() >= threshold:
        worst = str(values.drop(list(keep), errors="ignore").idxmax())
        dropped[worst] = values[worst]
        del columns[worst]
        values = generalised_vif(columns)
    steps = {name: step for step, name in enumerate(dropped, 1)}
    table = pd.DataFrame({"factor": [str(name) for name in factors]})
    table["vif"] = table["factor"].map(dropped | values.to_dict())
    table["tolerance"] = 1 / table["vif"]
    table["dropped_at"] = table["factor"].map(steps).fillna(0).astype(int)
    return table
