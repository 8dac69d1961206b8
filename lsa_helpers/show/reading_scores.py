"""What the tables of chapter 05 say, in sentences that turn with the sign of a number."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from lsa_helpers.show import style
from lsa_helpers.show.reading_factors import listed


def scores(random: pd.DataFrame, spatial: pd.DataFrame, models, differences: pd.DataFrame) -> str:
    """Score tables of random and of spatial folds, indexed by model.

    Parameters
    ----------
    random, spatial : DataFrame
        ``auc_within, auc_within_low, auc_within_high`` and where it is known ``auc_true``; also a
        row ``coordinates``.
    models : sequence of str
        All that are no mere place.
    differences : DataFrame
        ``low, high`` of the difference between each two that learn everything from landslides, as
        from `paired_differences`; NaN where there is no interval.
    """
    auc = spatial["auc_within"]
    optimism = (random["auc_within"] - auc).rename(style.MODEL_LABELS)
    best, place = auc[list(models)].idxmax(), auc["coordinates"]
    verdict, known = "", differences.dropna(subset="low")
    if len(known):
        n = ((known["low"] > 0) | (known["high"] < 0)).sum()
        none = "" if n else ", so no ranking of them is shown"
        verdict = (
            " Differences between the models that learn from landslides alone whose 95 % interval "
            f"leaves out 0: {n} of {len(known)}{none}."
        )
    text = (
        f"Random folds add most to {optimism.idxmax()} ({optimism.max():+.3f}) and least to "
        f"{optimism.idxmin()} ({optimism.min():+.3f}).\n"
        f"In blocks {style.MODEL_LABELS[best]} is first with {auc[best]:.3f}.{verdict}\n"
        f"Place alone has {place:.3f}. No better than that: {_behind(auc, models)}"
    )
    if "auc_true" in spatial:
        return f"{text}; by the true landslides: {_behind(spatial['auc_true'], models)}."
    return f"{text}."


def _behind(auc: pd.Series, models) -> str:
    """The models that do not beat the place alone."""
    return listed(style.MODEL_LABELS[name] for name in models if auc[name] <= auc["coordinates"])


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
    rest = f"its AUC is {outside:.3f} ({fall:+.3f}): the result does not rest on it"
    if np.isnan(outside):
        rest = "nothing is left to score"
    elif fall < -0.01:
        rest = (
            f"its AUC is {outside:.3f} ({fall:+.3f}): this one cluster carries part of the result"
        )
    known = (
        ", each of which learns from the rest of the cluster: even a spatial score is of "
        "ground that is partly known (the parameter cluster_m keeps clusters whole)."
    )
    known = known if n_folds > 1 else "."
    return (
        f"{style.MODEL_LABELS[best]} has {parts.min():.3f} in one fold and {parts.max():.3f} in "
        f"another; the models differ by {between:.3f}.\n"
        f"{in_frame:.0%} of the landslide samples lie in the frame. Without the frame's "
        f"samples {rest}.\n"
        f"The frame's landslides belong to {n_folds} folds{known}"
    )


def calibration(spatial: pd.DataFrame) -> str:
    """Recall at 0.5 and at the best threshold, and the calibration error, indexed by model."""
    shy, sure = spatial["recall"].idxmin(), spatial["ece"].idxmin()
    words, at_half, at_best = style.MODEL_LABELS, *spatial.loc[shy, ["recall", "recall_youden"]]
    better = ": its order is better than its level" if at_best > at_half else ""
    return (
        f"{words[shy]} calls {at_half:.0%} of the landslide cells landslide at 0.5, and "
        f"{at_best:.0%} at its own best threshold of "
        f"{spatial.loc[shy, 'threshold_youden']:.2f}{better}.\n"
        f"Smallest gap: {words[sure]} ({spatial['ece'].min():.2f}); largest: "
        f"{words[spatial['ece'].idxmax()]} ({spatial['ece'].max():.2f}). An AUC sees the order "
        "only; chapter 12 corrects the level."
    )


def ceilings(on_samples: Mapping[str, float], on_map: Mapping[str, float]) -> str:
    """The two bounds, on the samples and on the map."""
    words = {
        "oracle": "for one who knows the true probability",
        "reachable": "for one who knows the rules and sees the factors",
    }
    lines = [
        f"Ceiling {words[name]}: {on_samples[name]:.3f} on the samples, {on_map[name]:.3f} on "
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
            " First by the score on samples and first by the order of all cells are not one model "
            "(without an interval: one mountain). Possible reasons: samples are few and half of "
            "them lie in landslides; the order of all cells asks for the right form everywhere."
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
