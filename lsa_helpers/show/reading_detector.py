"""What the tables and figures of chapter 02 say, in sentences that turn where the numbers do."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lsa_helpers.detect.chips import Chip
from lsa_helpers.show.words import Reading


def collection(chips: Sequence[Chip]) -> Reading:
    """How many landslides the chips show, and how many the test chips; they know their part."""
    counts = np.array([chip.landslides for chip in chips])
    on_test = counts[[chip.split == "test" for chip in chips]].sum()
    worth = "The test chips show none: recall cannot be measured."
    if on_test:
        worth = (
            f"The test chips show {on_test:.0f}: one landslide more or less found moves recall by "
            f"{100 / on_test:.1f} points, before any chance in the drawing of chips."
        )
    return Reading(
        f"{len(chips)} chips show {counts.sum():,.0f} landslides; {(counts == 0).mean():.0%} of "
        f"them show none. {worth} Chips come from few scenes, and those of one scene are alike, so "
        "they tell less than their number says. A class asks: is that enough? The intervals below "
        "answer for the scores; for the training only a larger collection could."
    )


def colours(normalised: bool, jitters: Mapping[str, float]) -> Reading:
    """Which colours the network sees, and what varies in training; `jitters` are parameters."""
    row = "lower row: colours are normalised" if normalised else "upper row: colours are untouched"
    varied = ", ".join(name for name, value in jitters.items() if value)
    return Reading(
        f"In this run the network sees the {row}. The lower row looks odd to us, because red, "
        "green and blue get the same spread however green a forest is; to a network it makes bare "
        "ground of all sources alike. In training chips are also flipped at random"
        f"{f' and varied by {varied}' if varied else ', and nothing else is varied'} "
        "(*augmentation*), so that none is seen the same way often; the outlines follow."
    )


def training(history: pd.DataFrame) -> Reading:
    """How far the sum of the losses fell; `history` has no row where nothing was trained."""
    if history.empty:
        return Reading("A given detector was used: there is no training to read.")
    loss = history["loss"]
    half = (loss <= (loss.iloc[0] + loss.min()) / 2).idxmax()
    return Reading(
        f"The sum of the losses goes from {loss.iloc[0]:.2f} to {loss.iloc[-1]:.2f} in "
        f"{len(loss)} epochs, half of the way by epoch {history['epoch'][half]:.0f}. It is taken "
        "on chips that the network learns from and would also fall if they were learned by heart; "
        "only other chips tell. A class asks: why not train on? Because the learning rate has "
        "reached its end: a longer training is another one from the start, with a slower fall of "
        "the rate."
    )


def hits(hit: int, false: int, missed: int) -> Reading:
    """Landslides and outlines on the test chips, and how many are the same."""
    drawn, known = hit + false, hit + missed
    equal = ": as many, and yet" if drawn == known else ", and"
    return Reading(
        f"The test chips show {known} landslides and the detector draws {drawn} outlines{equal} "
        f"only {hit} of these are hits: precision {hit / max(1, drawn):.2f}. {missed} landslides "
        f"are not hit: recall {hit / max(1, known):.2f}. Equal numbers would prove nothing: with "
        "as many false alarms as misses they are equal, and both errors are still there."
    )


def thresholds(landslides: pd.DataFrame, chosen: float, careful: float) -> Reading:
    """How flat F1 is, and what two thresholds mean.

    Parameters
    ----------
    landslides : DataFrame
        From `lsa_helpers.detect.score.ScoreSweep.landslides`, of the test chips.
    chosen, careful : float
        Thresholds that the validation chips chose: by F1 of pixels, and by a cost of 10 : 1.
    """
    at = landslides.set_index("score")
    plateau = at.index[at["f1"] >= at["f1"].max() - 0.03]
    width = np.ptp(plateau) if len(plateau) else 0.0
    verdict = "is hardly determined" if width >= 0.15 else "is fairly well determined"
    errors = [
        f"{at['fn'][score]:.0f} missed and {at['fp'][score]:.0f} false at {score:.2f}"
        for score in (chosen, careful)
    ]
    return Reading(
        f"Precision rises, recall falls, and F1 between them has a plateau: over {width:.2f} of "
        f"the axis it stays within 0.03 of its best, so a best threshold {verdict}. The one by F1 "
        f"of pixels on the validation chips is {chosen:.2f}. What changes along the plateau is "
        f"*which* error is made: {errors[0]}, {errors[1]}, the threshold for a cost of 10 : 1. "
        "Which is right depends on what the map is for; no score can say it."
    )


def scores(val: Mapping, test: Mapping, difference: tuple[float, float]) -> Reading:
    """Test beside validation chips.

    Parameters
    ----------
    val, test : mapping
        Rows of the table of scores, per cent.
    difference : tuple of float
        Ends of the interval of AP50 on test less on validation chips, points.
    """
    low, high = difference
    ends = f"between {low:+.0f} and {high:+.0f} points"
    verdict = f"In 95 % of the draws of scenes the difference lies {ends}: "
    if np.isnan(low):
        verdict = "Where a part has one scene no interval can be drawn, so nobody can say."
    elif low < 0 < high:
        verdict += "either part may be the easier one, it may be chance."
    else:
        verdict += "more than chance among these scenes."
    width = test["AP50_segm_high"] - test["AP50_segm_low"]
    needed = (
        f" The interval of the test score itself is {width:.0f} points wide; a detector scored on "
        "other chips must differ by a good part of that to be called better."
    )
    needed = "" if np.isnan(width) else needed
    return Reading(
        f"AP50 is {test['AP50_segm']:.0f} % on the test and {val['AP50_segm']:.0f} % on the "
        f"validation chips. Is one part easier? {verdict}{needed} Pixel IoU "
        f"({test['pixel_iou']:.0f} %) counts pixels, so large landslides decide it; in F1 "
        f"({test['f1']:.0f} %) all weigh the same. The paper's rows are of other chips: no ranking."
    )


def chips_by_outcome(counts: pd.DataFrame, threshold: float) -> Reading:
    """How many chips are without error; `counts` is of `ScoreSweep.chips`."""
    right = counts["false_alarm"] + counts["missed"] == 0
    empty = counts.loc[counts["hit"] + counts["missed"] == 0, "false_alarm"]
    return Reading(
        "These chips were picked *because of* their result, so they do not say how often it "
        f"happens. The counts do: at {threshold:.2f} {right.mean():.0%} of the {len(counts)} test "
        f"chips are without any error. On {len(empty)} there is no landslide at all, and "
        f"{(empty > 0).sum()} of these have a false alarm: a scene is mostly such ground. Where a "
        "false alarm and a miss touch, one outline does not fit and counts twice. Would you, "
        "drawing by hand, have outlined the same?"
    )


def elsewhere(detectors: pd.DataFrame, platforms: pd.DataFrame) -> Reading:
    """What the two stored comparisons say, see `lsa_helpers.detect.dated.dated_table`."""
    ap = detectors.set_index(["backbone", "optimizer"])["AP50_segm"].unstack()
    ahead = ap["adamw"] - ap["sgd"]
    cost = (platforms["AP50_segm_seen"] - platforms["AP50_segm"]).set_axis(platforms["platform"])
    below = ", ".join(cost.index[cost < 0]) or "nowhere"
    few = platforms["landslides"]
    return Reading(
        f"AdamW is ahead of SGD by {ahead.min():.0f} to {ahead.max():.0f} points of AP50: after so "
        "few epochs, at one learning rate that is low for SGD, the ranking is of who learns fast. "
        "The paper does not say whether its SGD had more epochs, or weights that knew images "
        f"already. An unseen platform costs "
        f"{cost.mean():.0f} points on average, most on {cost.idxmax()} ({cost.max():.0f}). A cost "
        f"below 0 ({below}) is chance: a platform has only {few.min():.0f} to {few.max():.0f} "
        "landslides here. Your satellite is an unseen platform, too."
    )


def summary(test: Mapping, n_chips: int, threshold: float, at: pd.Series) -> Reading:
    """The two numbers to keep.

    Parameters
    ----------
    test : mapping
        Row of the table of scores, per cent.
    n_chips : int
        Test chips.
    threshold : float
        The chosen one.
    at : Series
        Row of the sweep of the test chips at this threshold: tp, fn, fp.
    """
    low, high = test["AP50_segm_low"], test["AP50_segm_high"]
    ends = "" if np.isnan(low) else f" ({low:.0f} to {high:.0f} with other scenes)"
    return Reading(
        f"Two numbers to keep: **AP50 is {test['AP50_segm']:.0f} %** on {n_chips} test chips"
        f"{ends}, and at the chosen threshold of {threshold:.2f} the detector **misses "
        f"{at['fn']:.0f} of {at['tp'] + at['fn']:.0f} landslides** and raises "
        f"{at['fp']:.0f} false alarms."
    )
