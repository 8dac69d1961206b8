"""What the tables of chapters 04 and 05 say, in sentences that turn with the sign of a number."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from lsa_helpers.show import style


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
    return (
        f"The choice of the test cells alone moves the AUC of one model from {every.iloc[0]:.3f} "
        f"to {every.iloc[-1]:.3f} ({change:+.3f}).\n"
        f"Place alone has {place.iloc[0]:.3f} on {table.index[0]}: a map of the landslides learned "
        "by heart, of no use elsewhere.\n"
        f"On {table.index[-1]} it still has {place.iloc[-1]:.3f} (0.5 is guessing), as landslides "
        f"come in clusters; {worth}."
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


def slope_classes(land: pd.Series, slid: pd.Series, alone: float) -> str:
    """Shares of the land and of the landslide area in classes of slope (intervals of degrees), and
    the AUC of slope by itself.
    """
    edge = 40
    steep = [part.left >= edge for part in land.index]
    middle = [20 <= part.left < edge for part in land.index]
    text = f"No land is steeper than {edge}°."
    if land[steep].sum():
        ratio = slid[steep].sum() / land[steep].sum()
        text = (
            f"Above {edge}° the frequency ratio is {ratio:.1f}, but only {land[steep].sum():.1%} "
            f"of the land is so steep; {land[middle].sum():.0%} lies between 20 and {edge}°."
        )
    verdict = "it tells the cells apart by itself"
    if abs(alone - 0.5) < 0.15:
        verdict = (
            "most pairs are of two cells whose slopes hardly differ, and a cause that few cells "
            "show counts for little in a score"
        )
    return f"{text}\nSlope alone has an AUC of {alone:.2f}: {verdict}."


def dropping(cost: pd.DataFrame) -> str:
    """What leaving factors out cost: rows all, selected, cost; columns ``n, auc, low, high``."""
    row = cost.set_index("factors").loc["cost"]
    if not row["n"]:
        return "Nothing was left out, so nothing was lost."
    change = f"Leaving {row['n']:g} factors out changes the AUC by {-row['auc']:+.3f}"
    if row["low"] <= 0 <= row["high"]:
        return f"{change}; the interval holds 0, so it cannot be told from chance."
    return f"{change}, more than the draw of the ground makes."


def scores(random: pd.DataFrame, spatial: pd.DataFrame, models, learners) -> str:
    """Score tables of random and of spatial folds, indexed by model.

    Parameters
    ----------
    random, spatial : DataFrame
        ``auc_within, auc_within_low, auc_within_high``; also a row ``coordinates``.
    models : sequence of str
        All that are no mere place.
    learners : sequence of str
        Those that learn everything from landslides.
    """
    auc = spatial["auc_within"]
    optimism = (random["auc_within"] - auc).rename(style.MODEL_LABELS)
    best, place = auc[list(models)].idxmax(), auc["coordinates"]
    ends = spatial.loc[list(learners), ["auc_within_low", "auc_within_high"]]
    overlap = ends["auc_within_low"].max() <= ends["auc_within_high"].min()
    behind = [style.MODEL_LABELS[name] for name in models if auc[name] <= place]
    verdict = "overlap: no ranking of them is shown" if overlap else "do not all overlap"
    return (
        f"Random folds add most to {optimism.idxmax()} ({optimism.max():+.3f}) and least to "
        f"{optimism.idxmin()} ({optimism.min():+.3f}).\n"
        f"In blocks {style.MODEL_LABELS[best]} is first with {auc[best]:.3f}. The intervals of the "
        f"models that learn from landslides alone {verdict}.\n"
        f"Place alone has {place:.3f}. No better than that: {listed(behind)}."
    )


def folds(by_fold: pd.DataFrame, best: str, learners, in_frame: float, n_folds: int) -> str:
    """AUC fold by fold, of all folds (``all``) and ``outside the frame``, indexed by model.

    Parameters
    ----------
    by_fold : DataFrame
    best : str
        The model that is read.
    learners : sequence of str
        The models whose AUC are compared.
    in_frame : float
        Share of the landslide samples inside the frame.
    n_folds : int
        Number of folds that these samples belong to.
    """
    parts = by_fold.drop(columns=["all", "outside the frame"]).loc[best]
    between = np.ptp(by_fold.loc[list(learners), "all"])
    outside = by_fold.loc[best, "outside the frame"]
    fall = outside - by_fold.loc[best, "all"]
    carried = "the result does not rest on it"
    if fall < -0.01:
        carried = "this one cluster carries part of the result"
    known = (
        ", each of which learns from the rest of the cluster: even a spatial score is of "
        "ground that is partly known (the parameter cluster_m keeps clusters whole)."
    )
    known = known if n_folds > 1 else "."
    return (
        f"{style.MODEL_LABELS[best]} has {parts.min():.3f} in one fold and {parts.max():.3f} in "
        f"another; the models differ by {between:.3f}.\n"
        f"{in_frame:.0%} of the landslide samples lie in the frame. Without them its AUC is "
        f"{outside:.3f} ({fall:+.3f}): {carried}.\n"
        f"They belong to {n_folds} folds{known}"
    )


def calibration(spatial: pd.DataFrame) -> str:
    """Recall at 0.5 and at the best threshold, and the calibration error, indexed by model."""
    shy, sure = spatial["recall"].idxmin(), spatial["ece"].idxmin()
    words = style.MODEL_LABELS
    return (
        f"{words[shy]} calls {spatial.loc[shy, 'recall']:.0%} of the landslide cells at 0.5, and "
        f"{spatial.loc[shy, 'recall_youden']:.0%} at its own best threshold of "
        f"{spatial.loc[shy, 'threshold_youden']:.2f}: its order is better than its level.\n"
        f"Smallest gap: {words[sure]} ({spatial['ece'].min():.2f}); largest: "
        f"{words[spatial['ece'].idxmax()]} ({spatial['ece'].max():.2f}). An AUC sees the order "
        "only; chapter 12 corrects the level."
    )


def ceilings(on_samples: Mapping[str, float], on_map: Mapping[str, float]) -> str:
    """The two bounds, on the samples and on the map."""
    words = {
        "oracle": "who knows the true probability",
        "reachable": "who knows the rules and sees the factors",
    }
    lines = [
        f"Ceiling of {words[name]}: {on_samples[name]:.3f} on the samples, {on_map[name]:.3f} on "
        "the map."
        for name in words
        if name in on_samples and name in on_map
    ]
    return "\n".join(
        [
            *lines,
            "So three things keep a score below 1: chance, what no layer shows, and which cells "
            "are asked (a map is full of easy ones). Compare a score with the ceiling of its own "
            "cells, and never one on detected labels with any of them.",
        ]
    )


def truth(auc: pd.Series, area: pd.Series, agreement: pd.Series) -> str:
    """Scores by model: AUC on the samples, AUC of the map, rank correlation with the truth."""
    words = style.MODEL_LABELS
    closest, highest, best = agreement.idxmax(), area.idxmax(), auc.idxmax()
    text = (
        f"Highest AUC of the held-out maps: {words[highest]} ({area.max():.3f}). Closest to the "
        f"order of the truth: {words[closest]} ({agreement.max():.2f})."
    )
    if "logistic" in agreement:
        first, last = (int(part.rank(ascending=False)["logistic"]) for part in (auc, agreement))
        text += (
            f"\nThe baseline is number {first} of {len(auc)} by its AUC in blocks and number "
            f"{last} in the order of all cells."
        )
    if closest != best:
        text += (
            " The best score and the best map are not one model's: samples are few and half of "
            "them lie in landslides, the order of all cells asks for the right form everywhere."
        )
    return text


def paper_order(compared: pd.DataFrame) -> str:
    """Frequency ratios by model: first column as printed, second column of this run."""
    printed, here = (compared.iloc[:, number] for number in (0, 1))
    orders = [
        [style.MODEL_LABELS[name] for name in values.sort_values(ascending=False).index]
        for values in (printed, here)
    ]
    same = "is reproduced" if orders[0] == orders[1] else "is not reproduced"
    lead = [values.max() / values.nlargest(2).iloc[-1] for values in (printed, here)]
    return (
        f"Printed: {' > '.join(orders[0])}; here: {' > '.join(orders[1])}. The paper's order of "
        f"models {same}. Its first leads the second by a factor of {lead[0]:.1f}, ours by "
        f"{lead[1]:.1f}. One area and one draw of samples each: neither is a verdict on the models."
    )
