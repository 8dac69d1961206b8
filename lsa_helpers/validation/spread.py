"""Where the spread of many maps of the same land comes from: an analysis of variance by source."""

import numpy as np
import pandas as pd

from lsa_helpers.errors import InputError


def sums_of_squares(maps, design: pd.DataFrame) -> pd.DataFrame:
    """Part the variation of maps that were made in a balanced design, cell by cell.

    Parameters
    ----------
    maps : array, shape (n, cells)
        One map a row, for example log-odds.
    design : DataFrame, n rows
        One column per source of variation: the number of its draw in each map. Every two columns
        are balanced: each pair of draws comes equally often.

    Returns
    -------
    DataFrame, one row per cell
        One column per source and ``rest``, what sources do only together, in the square of the
        maps' unit. They add up to the sum of squares about the cell's mean.

    Raises
    ------
    InputError
        When the design is not balanced.

    Notes
    -----
    For a source with the draws a, each in :math:`n_a` maps,

    .. math::

        SS = \\sum_{a} n_a (\\bar y_a - \\bar y)^2

    A source without an effect of its own still gets about its degrees of freedom's share: its draws
    less one, of all maps less one.

    **Source**: Box & Hunter 1961, The 2\\ :sup:`k-p` fractional factorial designs,
    doi:10.1080/00401706.1961.10489951.

    Examples
    --------
    Two draws of each of two sources; the first moves the map by 2, the second by nothing:

    >>> design = pd.DataFrame({"seed": [0, 0, 1, 1], "samples": [0, 1, 0, 1]})
    >>> sums_of_squares([[1.0], [1], [3], [3]], design).values.tolist()
    [[4.0, 0.0, 0.0]]
    """
    for number, first in enumerate(design):
        for second in list(design)[number + 1 :]:
            counts = pd.crosstab(design[first], design[second]).to_numpy()
            if counts.min() != counts.max():
                raise InputError(
                    "the design is not balanced",
                    where=f"{first} and {second}",
                    found=f"pairs of draws that come {counts.min()} to {counts.max()} times",
                    fix="Make every pair of draws equally often",
                )
    centred = np.asarray(maps, np.float64) - np.mean(maps, axis=0)
    squares = {}
    for source, draw in design.items():
        means = pd.DataFrame(centred).groupby(draw.to_numpy()).mean().to_numpy()
        squares[source] = len(design) / len(means) * (means**2).sum(axis=0)
    rest = (centred**2).sum(axis=0) - sum(squares.values())
    return pd.DataFrame(squares | {"rest": np.maximum(rest, 0)})
