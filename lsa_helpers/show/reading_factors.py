"""What the tables of chapter 04 say, in sentences that turn with the sign of a number."""

from collections.abc import Mapping

import numpy as np
import pandas as pd


def listed(names) -> str:
    """Names in a row, or none."""
    return ", ".join(names) or "none"


def splits(table: pd.DataFrame) -> str:
    """The AUC of one model tested in several ways.

    Parameters
    ----------
    table : DataFrame
        One row per way, from single cells to the largest blocks; first all factors, then place.
    """
    every, place = table.iloc[:, 0], table.iloc[:, 1]
    change, gain = every.iloc[-1] - every.iloc[0], every.iloc[-1] - place.iloc[-1]
    worth = "the factors add nothing to it that this test could see"
    if gain > 0.005:
        worth = f"the factors add {gain:.3f} to it"
    elif gain < -0.005:
        worth = f"with all factors the model is {-gain:.3f} worse than that"
    still = f"it has {place.iloc[-1]:.3f}, no better than guessing (0.5)"
    if place.iloc[-1] > 0.505:
        still = (
            f"it still has {place.iloc[-1]:.3f} (0.5 is guessing), as landslides come in clusters"
        )
    return (
        f"The choice of the test cells alone moves the AUC of one model from {every.iloc[0]:.3f} "
        f"to {every.iloc[-1]:.3f} ({change:+.3f}).\n"
        f"Place alone has {place.iloc[0]:.3f} on {table.index[0]}: a map of the landslides learned "
        "by heart, of no use elsewhere.\n"
        f"On {table.index[-1]} {still}; {worth}."
    )


def correlations(matrix: pd.DataFrame, names: Mapping[str, str], threshold: float) -> str:
    """The strongest pairs of a correlation matrix; `names` of its columns in words."""
    pairs = matrix.where(np.tri(len(matrix), k=-1, dtype=bool)).stack().dropna()
    first = pairs.loc[pairs.abs().sort_values(ascending=False).index].head(4)
    words = [
        f"{names[one]} and {names[other]} {value:+.2f}" for (one, other), value in first.items()
    ]
    return (
        f"Strongest: {'; '.join(words)}.\n"
        f"{(pairs.abs() >= 0.4).sum()} of {len(pairs)} pairs reach 0.4 in size; a VIF of "
        f"{threshold:g} needs an R² of {1 - 1 / threshold:.2f}.\n"
        "Where no mechanism joins two factors they share a place: a model may use one for the "
        "other, and no score of this area can tell."
    )


def rankings(means: pd.DataFrame, kendall: pd.DataFrame, names: Mapping[str, str]) -> str:
    """How far rankings agree.

    Parameters
    ----------
    means : DataFrame
        Factors as rows, rankings as columns, higher is more important; perhaps ``truth`` last.
    kendall : DataFrame
        Rank correlations of its columns.
    names : mapping
        Factor → words.
    """
    ours = [name for name in means if name != "truth"]
    lower = np.tri(len(ours), k=-1, dtype=bool)
    pairs = kendall.loc[ours, ours].where(lower).stack().dropna()
    (one, other), (near, also) = pairs.idxmin(), pairs.idxmax()
    ranks = means.rank(ascending=False)
    moved = (ranks[one] - ranks[other]).abs().idxmax()
    text = (
        f"Closest are {near} and {also} ({pairs.max():.2f}), farthest {one} and {other} "
        f"({pairs.min():.2f}).\n{names[moved]} moves most between these two: rank "
        f"{ranks.loc[moved, one]:.0f} of {len(ranks)} by {one}, {ranks.loc[moved, other]:.0f} by "
        f"{other}.\nA study that shows one ranking shows one of {len(ours)}."
    )
    if "truth" in means:
        closest = kendall.loc[ours, "truth"].idxmax()
        text += f" Closest to the true shares is {closest} ({kendall.loc[closest, 'truth']:.2f})."
    return text


def overrated(
    means: pd.DataFrame, matrix: pd.DataFrame, names: Mapping[str, str], columns: Mapping[str, str]
) -> str:
    """The factor whose rank by permutation lies farthest above that of its true share.

    Parameters
    ----------
    means, names
        As for `rankings`.
    matrix : DataFrame
        Correlations of the coded columns.
    columns : mapping
        Coded column → words.
    """
    if "truth" not in means:
        return (
            "The truth of this ground is unknown. A high rank says that a factor goes together "
            "with landslides, not that it causes them."
        )
    ranks = means.rank(ascending=False)
    factor = (ranks["truth"] - ranks["permutation"]).idxmax()
    text = (
        f"{names[factor]}: rank {ranks.loc[factor, 'permutation']:.0f} of {len(ranks)} by "
        f"permutation, {ranks.loc[factor, 'truth']:.0f} by its true share, "
        f"{means.loc[factor, 'truth']:+.3f} (the largest is {means['truth'].max():.2f}).\n"
    )
    if factor in matrix:
        others = matrix[factor].drop(factor)
        partner = others.abs().idxmax()
        text += f"At the samples it goes with {columns[partner]} ({others[partner]:+.2f}). "
    return text + (
        "The forest takes what helps on this ground, a cause or not. Who reads the rank as a cause "
        "acts on the wrong thing."
    )


def slope_classes(land: pd.Series, slid: pd.Series, alone: float, means: pd.DataFrame) -> str:
    """Why slope counts for much or little in a score.

    Parameters
    ----------
    land, slid : Series
        Shares of the land and of the landslide area in classes of slope, intervals of degrees.
    alone : float
        AUC of slope by itself.
    means : DataFrame
        As for `rankings`.
    """
    edge = 40
    steep = [part.left >= edge for part in land.index]
    middle = [20 <= part.left < edge for part in land.index]
    text, rare = f"No land is steeper than {edge}°.", False
    if share := land[steep].sum():
        ratio = slid[steep].sum() / share
        rare = ratio > 1 and share < 0.2
        text = (
            f"Above {edge}° the frequency ratio is {ratio:.1f}; {share:.1%} of the land is so "
            f"steep, and {land[middle].sum():.0%} lies between 20 and {edge}°."
        )
    verdict = "it tells the cells apart by itself"
    if abs(alone - 0.5) < 0.15:
        verdict = "it tells little by itself (0.5 is guessing)"
        if rare:
            verdict += ", and a cause that few cells show counts for little in a score"
    elif alone < 0.5:
        verdict = "landslide cells lie on the gentler ground"
    places = means.rank(ascending=False).reindex(["slope"]).iloc[0].dropna()
    words = {"permutation": "by permutation", "truth": "by its true share"}
    places = [f"{places[by]:.0f} {words[by]}" for by in words if by in places]
    rank = f"Rank of slope among {len(means)} factors: {listed(places)}.\n" if places else ""
    return f"{rank}{text}\nSlope alone has an AUC of {alone:.2f}: {verdict}."


def dropping(cost: pd.DataFrame) -> str:
    """What leaving factors out cost: rows all, selected, cost; columns ``n, auc, low, high``."""
    row, n_all = cost.set_index("factors").loc["cost"], cost["n"].max()
    if not row["n"]:
        return "Nothing was left out, so nothing was lost."
    change = f"Leaving {row['n']:g} of {n_all} factors out changes the AUC by {-row['auc']:+.3f}"
    if row["low"] <= 0 <= row["high"]:
        return f"{change}; the interval holds 0, so it cannot be told from chance."
    return f"{change}, more than the draw of the ground makes."
