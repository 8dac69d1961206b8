"""How far the errors of a model are alike: what a spatial block must be larger than."""

import numpy as np
import pandas as pd
from scipy.optimize import curve_fit
from scipy.spatial.distance import pdist


def correlogram(place: np.ndarray, residual, step_m: float, n_steps: int = 20) -> pd.DataFrame:
    """Correlation of residuals by distance.

    Parameters
    ----------
    place : ndarray, shape (n, 2)
        x and y, m.
    residual : array, shape (n,)
        Label minus predicted probability out of fold.
    step_m : float
        Width of a class of distance, m.
    n_steps : int
        Classes from 0 on.

    Returns
    -------
    DataFrame
        ``distance`` (mean of the pairs, m), ``correlation`` (1 alike, 0 unrelated) and ``pairs``;
        classes without pairs are left out.

    Notes
    -----
    With residuals z of mean 0 and variance 1, the mean of :math:`z_i z_j` over a class's pairs.

    **Source**: Legendre & Fortin 1989, Spatial pattern and ecological analysis,
    doi:10.1007/BF00048036 (correlograms).
    """
    residual = np.asarray(residual, float)
    z = (residual - residual.mean()) / residual.std()
    first, second = np.triu_indices(len(z), 1)
    pairs = pd.DataFrame({"distance": pdist(place), "correlation": z[first] * z[second]})
    pairs = pairs[pairs["distance"] < n_steps * step_m]
    classes = pairs.groupby((pairs["distance"] // step_m).astype(int))
    return classes.mean().assign(pairs=classes.size()).reset_index(drop=True)


def residual_range(table: pd.DataFrame) -> float:
    """Distance at which the correlation of residuals has fallen to a twentieth, m.

    Parameters
    ----------
    table : DataFrame
        From `correlogram`.

    Returns
    -------
    float
        The practical range 3 a of the exponential :math:`c \\, e^{-h/a}` fitted to the table,
        weighted by pairs; 0 where residuals are not alike even at the shortest distance, inf where
        the likeness has not fallen within the table.

    Examples
    --------
    >>> h = np.arange(50.0, 2000, 100)
    >>> fall = pd.DataFrame({"distance": h, "correlation": 0.4 * np.exp(-h / 200), "pairs": 10})
    >>> round(residual_range(fall))
    600
    """
    if table["correlation"].iloc[0] <= 0:
        return 0.0
    farthest = table["distance"].max()
    (_, scale), _ = curve_fit(
        lambda h, c, a: c * np.exp(-h / a),
        table["distance"],
        table["correlation"],
        p0=(table["correlation"].iloc[0], farthest / 5),
        sigma=1 / np.sqrt(table["pairs"]),
        bounds=([0, 1e-6 * farthest], [2, 10 * farthest]),
    )
    return float(3 * scale) if 3 * scale <= farthest else np.inf
