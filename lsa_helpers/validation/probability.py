"""Probabilities: corrected for how rare landslides are on the land, and their reliability."""

import numpy as np
import pandas as pd


def shift_odds(probability, sample_share: float, prevalence: float) -> np.ndarray:
    """Correct a probability learned from samples for how rare landslides are on the land.

    Parameters
    ----------
    probability : array
        In 0–1, by a model that learned from samples of which `sample_share` are landslide.
    sample_share : float
        Share of landslides among the training samples, in (0, 1).
    prevalence : float
        Share of landslides on the land the map is of, in (0, 1).

    Returns
    -------
    ndarray
        In 0–1, of the same order: a ranking, and so an AUC, does not change.

    Notes
    -----
    The odds are multiplied by one factor:

    .. math::

        \\frac{p'}{1 - p'} = \\frac{p}{1 - p} \\cdot
        \\frac{\\pi / (1 - \\pi)}{s / (1 - s)}

    with the prevalence :math:`\\pi` and the sample's share s. It is right when samples with and
    without landslide were each drawn at random and the model was calibrated for them; a model that
    is too sure of itself stays so, and cells near landslides that were never drawn as samples
    without one are not corrected for.

    **Source**: King & Zeng 2001, Logistic regression in rare events data,
    doi:10.1093/oxfordjournals.pan.a004868; Saerens et al. 2002, doi:10.1162/089976602753284446.

    Examples
    --------
    Half of the samples are landslide, one in a hundred cells of the land is:

    >>> shift_odds([0.5, 0.9], 0.5, 0.01).round(4).tolist()
    [0.01, 0.0833]
    """
    odds = prevalence * (1 - sample_share), sample_share * (1 - prevalence)
    probability = np.asarray(probability, np.float64)
    return probability * odds[0] / (probability * odds[0] + (1 - probability) * odds[1])


def reliability(probability, outcome, edges) -> pd.DataFrame:
    """What was predicted and what happened, in classes of predicted probability.

    Parameters
    ----------
    probability : array, shape (n,)
    outcome : array, shape (n,)
        0 and 1, or the true probability where it is known.
    edges : array
        Rising edges of the classes; a value on an edge belongs to the class above.

    Returns
    -------
    DataFrame
        ``predicted`` and ``observed`` (means), ``n``; classes without rows are left out.

    Examples
    --------
    >>> reliability([0.1, 0.3, 0.3], [0, 0, 1], [0, 0.2, 1]).round(2).values.tolist()
    [[0.1, 0.0, 1.0], [0.3, 0.5, 2.0]]
    """
    rows = pd.DataFrame({"predicted": np.ravel(probability), "observed": np.ravel(outcome)})
    parts = rows.groupby(np.digitize(rows["predicted"], edges))
    return parts.mean().assign(n=parts.size()).reset_index(drop=True)
