"""Probabilities: corrected for how rare landslides are on the land, and their reliability."""

import numpy as np
import pandas as pd
from scipy.stats import poisson


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


def brier_parts(probability, outcome, edges) -> dict[str, float]:
    """Brier score, and the parts it is made of.

    Parameters
    ----------
    probability : array, shape (n,)
    outcome : array, shape (n,)
        0 and 1.
    edges : array
        As for `reliability`.

    Returns
    -------
    dict
        ``brier``; ``reliability`` (0 is best), ``resolution`` (how far the classes are told apart)
        and ``uncertainty`` (of who says the prevalence everywhere); ``within``, what is lost by
        looking at classes instead of single predictions.

    Notes
    -----
    With the share :math:`n_k / n` of class k, its mean prediction :math:`\\bar p_k`, the observed
    share :math:`\\bar o_k` in it and :math:`\\bar o` in all,

    .. math::

        BS = \\sum_k \\frac{n_k}{n} (\\bar p_k - \\bar o_k)^2
        - \\sum_k \\frac{n_k}{n} (\\bar o_k - \\bar o)^2 + \\bar o (1 - \\bar o) + within

    **Source**: Murphy 1973, A new vector partition of the probability score,
    doi:10.1175/1520-0450(1973)012<0595:ANVPOT>2.0.CO;2; the last term, Stephenson et al. 2008,
    doi:10.1175/2007WAF2006116.1.

    Examples
    --------
    >>> parts = brier_parts([0.5, 0.5, 1, 1], [0, 1, 1, 1], [0, 0.8])
    >>> {name: round(value, 4) for name, value in parts.items()}
    {'brier': 0.125, 'reliability': 0.0, 'resolution': 0.0625, 'uncertainty': 0.1875, 'within': 0.0}
    """
    probability, outcome = np.ravel(probability), np.ravel(outcome)
    table = reliability(probability, outcome, edges)
    share, overall = table["n"] / table["n"].sum(), np.mean(outcome)
    brier = np.mean((probability - outcome) ** 2)
    parts = {
        "reliability": (share * (table["predicted"] - table["observed"]) ** 2).sum(),
        "resolution": (share * (table["observed"] - overall) ** 2).sum(),
        "uncertainty": overall * (1 - overall),
    }
    within = brier - parts["reliability"] + parts["resolution"] - parts["uncertainty"]
    return {
        name: float(value) for name, value in {"brier": brier, **parts, "within": within}.items()
    }


def expected_landslides(probability, landslide_id, edges, cell_m: float) -> pd.DataFrame:
    """Area and number of landslides to expect in classes of probability, and those that are there.

    Parameters
    ----------
    probability : array, shape (n,)
        Of lying in a landslide, corrected to the prevalence of the land; one value per cell.
    landslide_id : array of int, shape (n,)
        Landslide of each cell, negative where there is none.
    edges : array
        As for `reliability`.
    cell_m : float
        Edge of a cell, m.

    Returns
    -------
    DataFrame
        ``low, high`` (of the class), ``area_km2`` (all land), ``expected_km2, true_km2``,
        ``expected_n, true_n``, and ``n_low, n_high``, the 95 % interval of a Poisson law of mean
        ``expected_n``.

    Notes
    -----
    The expected area is the sum of the probabilities times a cell's area. For the number it is
    divided by the mean area of a landslide. A landslide that reaches into several classes counts in
    each by its share of cells. Where landslides come in clusters, or large ones in one class, more
    numbers than one in twenty lie outside the interval.

    Examples
    --------
    >>> table = expected_landslides([0.1, 0.1, 0.8, 0.8], [-1, -1, 0, -1], [0, 0.5], 1000)
    >>> table[["expected_km2", "true_km2", "expected_n", "true_n"]].round(2).values.tolist()
    [[0.2, 0.0, 0.2, 0.0], [1.6, 1.0, 1.6, 1.0]]
    """
    probability, number = np.ravel(probability), np.ravel(landslide_id)
    inside = number >= 0
    cells = pd.DataFrame({"expected": probability, "true": inside, "part": 0.0})
    _, place, count = np.unique(number[inside], return_inverse=True, return_counts=True)
    cells.loc[inside, "part"] = 1 / count[place]
    parts = cells.groupby(np.digitize(probability, edges))
    sums, km2 = parts.sum(), cell_m**2 / 1e6
    expected = sums["expected"] * (len(count) / max(inside.sum(), 1))
    low, high = poisson.interval(0.95, expected)
    upper = np.append(np.asarray(edges, float), 1.0)
    return pd.DataFrame(
        {
            "low": upper[sums.index - 1],
            "high": upper[sums.index],
            "area_km2": parts.size() * km2,
            "expected_km2": sums["expected"] * km2,
            "true_km2": sums["true"] * km2,
            "expected_n": expected,
            "true_n": sums["part"],
            "n_low": low,
            "n_high": high,
        }
    ).reset_index(drop=True)
