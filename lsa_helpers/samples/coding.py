"""Factors as the numbers a model sees: coded columns, and statistics of a cell's neighbourhood."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr
from scipy.ndimage import uniform_filter
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from lsa_helpers.errors import InputError, StageError, need_factors

MOST_CLASSES = 200  # columns that one factor may become


class FactorCoder(ColumnTransformer):
    """A ColumnTransformer that learns only from rows without gaps and with both classes.

    Use `factor_coder` to make one.
    """

    @property
    def factors(self) -> list[str]:
        """The factors it codes, in the order of its columns."""
        return [name for name, _, _ in self.transformers]

    def fit_transform(self, X: pd.DataFrame, y=None, **params) -> np.ndarray:
        """Learn means, deviations and classes from the rows of `X`, and code them.

        Parameters
        ----------
        X : DataFrame
            With one column per factor; others are ignored.
        y : array of int, shape (n,), optional

        Returns
        -------
        ndarray, shape (n, columns)

        Raises
        ------
        InputError
            When a factor is unknown in a row (what to make of a gap is not for a model to decide,
            and models would differ) or has too many classes.
        StageError
            When the rows hold one class only.
        """
        if y is not None and len(np.unique(y)) < 2:
            raise StageError(
                f"the {len(X)} training rows hold one class only; use larger blocks or fewer folds"
            )
        for name, coder, _ in self.transformers:
            values = X[name].to_numpy(np.float64)
            unknown = int((~np.isfinite(values)).sum())
            if unknown:
                raise InputError(
                    "a factor is unknown in a training row",
                    where=f'factor "{name}"',
                    found=f"{unknown} of {len(X)} rows without a value",
                    fix="Leave out those rows, or the factor",
                )
            if isinstance(coder, OneHotEncoder):
                _refuse_numbers(name, np.unique(values))
        # Without penalty a logistic regression needs all the digits; trees take 32 bits anyway.
        return super().fit_transform(X, y, **params).astype(np.float64)

    def transform(self, X: pd.DataFrame, **params) -> np.ndarray:
        """Code the rows of `X`: float64 (n, columns), NaN where a number is unknown."""
        return super().transform(X, **params).astype(np.float64)


def _refuse_numbers(name: str, codes: np.ndarray) -> None:
    """One column per value is for classes, not for measurements."""
    if len(codes) > MOST_CLASSES or (codes != codes.round()).any():
        raise InputError(
            "a factor cannot be coded by classes",
            where=f'factor "{name}"',
            found=f"{len(codes)} values, such as {codes[0]:g}",
            fix="Code it as continuous",
        )


def factor_coder(
    factors: xr.Dataset,
    names: Sequence[str] | None = None,
    coding: Mapping[str, str] | None = None,
) -> FactorCoder:
    """A transformer that codes each factor by its kind, for the front of a pipeline.

    Continuous factors become z-scores (value − mean) / standard deviation; circular ones (degrees)
    sine and cosine, with 0, 0 where flat (−1); categorical ones one column of 0 and 1 per class,
    all 0 for a class that was not among the training rows. A model that computes with physical
    units takes factors as they are.

    Parameters
    ----------
    factors : Dataset
        Whose variables have the attribute ``kind``; their values are not looked at.
    names : sequence of str, optional
        Factors to use; all by default.
    coding : mapping, optional
        Factor → "continuous", "circular", "categorical" or "as is" (its own unit), where it shall
        be coded otherwise than its kind says.

    Returns
    -------
    FactorCoder
        Not yet fitted.

    Raises
    ------
    InputError
        When `names` or `coding` name a factor that is not there.

    Examples
    --------
    >>> factors = xr.Dataset({"slope": ("x", [0.0]), "aspect": ("x", [0.0])})
    >>> factors["slope"].attrs["kind"], factors["aspect"].attrs["kind"] = "continuous", "circular"
    >>> rows = pd.DataFrame({"slope": [10.0, 20, 30], "aspect": [-1.0, 90, 180]})
    >>> coder = factor_coder(factors).fit(rows)
    >>> coder.transform(rows).round(2).tolist()[1], list(coder.get_feature_names_out())
    ([0.0, 1.0, -0.0], ['slope', 'aspect_sin', 'aspect_cos'])
    """
    coding = coding or {}
    names = [str(name) for name in (factors if names is None else names)]
    need_factors(names, factors)
    need_factors(coding, factors, "parameter coding")
    coders = {
        "as is": "passthrough",
        "continuous": StandardScaler(),
        "circular": FunctionTransformer(sine_cosine, feature_names_out=_sine_cosine_names),
        "categorical": OneHotEncoder(
            handle_unknown="ignore", sparse_output=False, dtype=np.float32
        ),
    }
    kinds = {name: coding.get(name, factors[name].attrs["kind"]) for name in names}
    steps = [(name, coders[kind], [name]) for name, kind in kinds.items()]
    return FactorCoder(steps, verbose_feature_names_out=False)


def sine_cosine(degrees) -> np.ndarray:
    """Sine and cosine of angles in degrees (n, 1), 0 and 0 where flat (−1): float32 (n, 2)."""
    angle = np.deg2rad(np.asarray(degrees, np.float32))
    slopes = ~(np.asarray(degrees) < 0)
    return np.hstack([np.sin(angle) * slopes, np.cos(angle) * slopes])


def _sine_cosine_names(_, names) -> list[str]:
    """Names of the two columns."""
    return [f"{names[0]}_sin", f"{names[0]}_cos"]


def coded_groups(transformer: FactorCoder) -> list[str]:
    """The factor of each column that a fitted `factor_coder` makes, for example ``["aspect",
    "aspect", "slope"]``.
    """
    groups = [""] * len(transformer.get_feature_names_out())
    for name, columns in transformer.output_indices_.items():
        groups[columns] = [name] * len(groups[columns])
    return groups


def focal_statistics(factors: xr.Dataset, window: int) -> xr.Dataset:
    """Mean and standard deviation of each continuous factor in a square window around each cell.

    With them a model of single cells sees as far as a CNN of that window.

    Parameters
    ----------
    factors : Dataset, dims (y, x)
    window : int
        Edge in cells, odd; beyond the border the raster is mirrored, as for the CNN.

    Returns
    -------
    Dataset
        ``<name>_mean`` and ``<name>_std`` of each continuous factor, in its unit. Unknown cells do
        not count; where a factor is unknown its statistics are too.

    Examples
    --------
    >>> slope = ("y", "x"), np.arange(9.0).reshape(3, 3), {"kind": "continuous"}
    >>> around = focal_statistics(xr.Dataset({"slope": slope}), 3)
    >>> list(around), float(around["slope_mean"][1, 1])
    (['slope_mean', 'slope_std'], 4.0)
    """
    around = {}
    for name, factor in factors.items():
        if factor.attrs["kind"] != "continuous":
            continue
        for ending, values in zip(("mean", "std"), _moments(factor.values, window), strict=True):
            long_name = f"{factor.attrs.get('long_name', name)}, {ending} of {window} × {window}"
            around[f"{name}_{ending}"] = factor.copy(data=values.astype(np.float32)).assign_attrs(
                long_name=f"{long_name} cells"
            )
    return xr.Dataset(around, attrs=factors.attrs)


def _moments(band: np.ndarray, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of the known cells around each known cell."""
    known = np.isfinite(band)
    # Subtracting a typical value first keeps the squares of altitudes from eating the digits.
    shift = float(band[known].mean()) if known.any() else 0.0
    values = np.where(known, band - shift, 0).astype(np.float64)
    share, mean, square = (
        uniform_filter(part, window, mode="mirror")
        for part in (known.astype(np.float64), values, values**2)
    )
    share = np.where(known, np.maximum(share, 1e-9), np.nan)
    variance = square / share - (mean / share) ** 2
    return mean / share + shift, np.sqrt(np.maximum(variance, 0))
