"""Shapley values: which cells are explained, and whether the values add up to the output."""

import numpy as np
import pandas as pd

from lsa_helpers.errors import LsaError


class AdditivityError(LsaError):
    """Shapley values do not add up to the model's output, so they explain something else."""


def check_sum(values: np.ndarray, base: float, output: np.ndarray, tolerance: float) -> None:
    """Stop unless Shapley values add up to the model's output in every row.

    Explainers can go wrong without a word: Deep SHAP does when an activation is called as a plain
    function, because its backward rules are bound to modules.

    Parameters
    ----------
    values : ndarray, shape (n, columns)
        Shapley values of n cells.
    base : float
        Mean output over the background.
    output : ndarray, shape (n,)
        What the model says, in the unit of the values.
    tolerance : float
        Largest allowed difference.

    Raises
    ------
    AdditivityError
        Naming the largest difference.

    Examples
    --------
    >>> check_sum(np.array([[1.0, 2.0]]), 0.5, np.array([3.5]), 1e-6)
    """
    gap = np.abs(np.sum(values, axis=1) + base - output)
    if not gap.max() <= tolerance:
        raise AdditivityError(
            f"Shapley values miss the model's output by up to {gap.max():.3g} "
            f"(allowed: {tolerance:g})"
        )


def pick_samples(
    samples: pd.DataFrame, *, n_explain: int, n_background: int, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw the cells to explain, half of them landslides as far as there are enough, and other
    cells as background.

    Parameters
    ----------
    samples : DataFrame
        With the column ``label``.
    n_explain, n_background : int
        How many of each; fewer where the table is short (a third of it at least stays for the
        background).
    seed : int

    Returns
    -------
    chosen, background : DataFrame
        Disjoint.
    """
    shuffled = samples.sample(frac=1, random_state=seed)
    n_explain = min(n_explain, 2 * len(samples) // 3)
    slides = shuffled[shuffled["label"] == 1]
    others = shuffled[shuffled["label"] == 0]
    n_slides = min(len(slides), max(n_explain // 2, n_explain - len(others)))
    chosen = pd.concat([slides.iloc[:n_slides], others.iloc[: n_explain - n_slides]])
    return chosen, shuffled.drop(chosen.index).iloc[:n_background]
