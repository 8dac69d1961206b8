"""What surrounds a cell, as factors: means and deviations of a window, so that a model of single
cells can see as far as a CNN.
"""

import numpy as np
from scipy.ndimage import uniform_filter

from lsa_helpers.factors import FactorStack


def add_context(stack: FactorStack, window: int) -> FactorStack:
    """Add to every continuous factor its mean and standard deviation in a square window.

    Parameters
    ----------
    stack : FactorStack
    window : int
        Edge in cells, odd; beyond the border the raster is mirrored, as for the CNN.

    Returns
    -------
    FactorStack
        The factors, then ``<name>_mean`` and ``<name>_std`` of each continuous one, in its unit.
        Unknown cells do not count; where a factor is unknown its context is too.

    Examples
    --------
    >>> from affine import Affine
    >>> from rasterio.crs import CRS
    >>> from lsa_helpers.grid import Grid
    >>> grid = Grid(CRS.from_epsg(32648), Affine(10, 0, 0, 0, -10, 0), 3, 3)
    >>> info = {"slope": {"label": "Slope", "unit": "°", "kind": "continuous"}}
    >>> stack = FactorStack(np.arange(9, dtype=np.float32).reshape(1, 3, 3), grid, ("slope",), info)
    >>> add_context(stack, 3).band("slope_mean")[1, 1], add_context(stack, 3).names
    (np.float32(4.0), ('slope', 'slope_mean', 'slope_std'))
    """
    bands, names, info = [stack.values], list(stack.names), dict(stack.info)
    for name in stack.names:
        if stack.info[name]["kind"] != "continuous":
            continue
        bands.append(np.stack(_moments(stack.band(name), window)))
        for ending, words in (("mean", "mean of"), ("std", "deviation of")):
            names.append(f"{name}_{ending}")
            info[names[-1]] = stack.info[name] | {
                "label": f"{stack.info[name]['label']}, {words} {window} × {window} cells"
            }
    return FactorStack(np.concatenate(bands).astype(np.float32), stack.grid, tuple(names), info)


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
    mean, square = mean / share, square / share
    return mean + shift, np.sqrt(np.maximum(square - mean**2, 0))
