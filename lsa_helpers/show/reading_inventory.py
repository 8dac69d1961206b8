"""What the tables and figures of chapter 03 say, in sentences that turn where the numbers do."""

import geopandas as gpd
import numpy as np
import pandas as pd

from lsa_helpers.show.words import Reading, span

UNKNOWN = Reading(
    "Known and detected outlines are not both there: what needs both is left out, here and below."
)


def tile(scores: np.ndarray, detections: np.ndarray, pixel_m: float) -> Reading:
    """Scores of a tile's pixels (rows, columns) and of its detections in one view (n,)."""
    return Reading(
        f"In one view the tile of {scores.shape[1] * pixel_m / 1000:.1f} km has {len(detections)} "
        f"detections, {(detections >= 0.5).sum()} of them with a score of at least 0.5. Of its "
        f"pixels {(scores > 0).mean():.1%} have any score and {(scores >= 0.5).mean():.1%} one of "
        "at least 0.5. Where patches have steps inside, not all views draw the same rim. Which of "
        "the bright patches are landslides? The scores do not know either; they have to be cut "
        "somewhere."
    )


def pairs(choices: pd.DataFrame, on_chips: float, share: float, n_chips: int) -> Reading:
    """How well pairs of thresholds are told apart.

    Parameters
    ----------
    choices : DataFrame
        From `lsa_helpers.detect.inventory.hysteresis_sweep`.
    on_chips, share : float
        Share of landslide on the validation chips, and as assumed on the scene.
    n_chips : int
        Validation chips.
    """
    near = choices[choices["f1"] >= choices["f1"].max() - 0.01]
    weight = (1 / share - 1) / (1 / np.clip(on_chips, 0.001, 0.999) - 1)
    return Reading(
        f"{on_chips:.1%} of the validation chips is landslide, of the scene {share:.1%} are "
        f"assumed, so a false alarm away from landslides counts {weight:.1f} times as much against "
        f"right pixels as on the chips. The best F1 is {choices['f1'].max():.2f}, and {len(near)} "
        f"{'pair comes' if len(near) == 1 else 'pairs come'} within 0.01 of it: high thresholds "
        f"{span(near['high'])}, low ones {span(near['low'])}. Within these ranges {n_chips} chips "
        "cannot tell which is better. A class asks: who knows the share before mapping? Nobody; "
        "it is a guess to be changed, see *Try it*."
    )


def areas(row, alarms: gpd.GeoDataFrame, missed: gpd.GeoDataFrame) -> Reading:
    """Counts against areas: `row` of the table of areas, the false alarms, and the landslides
    missed, largest first.
    """
    ratio = row["detected"] / row["reference"]
    looks = "perfect" if ratio == 1 else "close" if abs(ratio - 1) < 0.15 else "far off"
    large = (
        f" A few large ones decide the area: the {min(5, len(missed))} largest of the missed hold "
        f"{missed['area_m2'].head(5).sum() / 1e6:.2f} of {row['reference_km2']:.2f} km². Where "
        "they lie, the model learns nothing, or that the ground is stable."
    )
    return Reading(
        f"{row['detected']:.0f} landslides were detected and {row['reference']:.0f} are known. The "
        f"count looks {looks}, and it says nothing: {len(alarms)} of the detections are false "
        f"alarms, and {len(missed)} of the known landslides were missed. By area "
        f"{row['area_precision']:.0%} of what was drawn is true and {row['area_recall']:.0%} of "
        f"what is true was drawn, while {row['landslides_hit']:.0%} of the landslides are hit."
        f"{large if len(missed) else ''}"
    )


def one_to_one(row) -> Reading:
    """Matches of single landslides, and what a false alarm is worth; `row` of their table."""
    return Reading(
        f"{row['matched']:.0f} pairs match, so {row['detected'] - row['matched']:.0f} detections "
        f"are false and {row['known'] - row['matched']:.0f} landslides missed by the strict rule: "
        f"precision {row['precision']:.2f}, recall {row['recall']:.2f}. How much is one false "
        "alarm worth? For the susceptibility map up to 15 samples that call stable ground a "
        f"landslide: {1 - row['right_samples']:.0%} of all will be wrong. A missed landslide only "
        "adds none; its ground may be drawn as stable, but it is a small part of all land. "
        "Chapter 11 measures both."
    )


def sweep(table: pd.DataFrame, low: float, high: float) -> Reading:
    """What another high threshold would have done; `table` is the sweep over the mapped area, `low`
    and `high` are the thresholds of the inventory.
    """
    at = table.set_index("score")
    best, chosen = at["f1"].idxmax(), at.index[np.abs(at.index - high).argmin()]
    lost = at["f1"][best] - at["f1"][chosen]
    price = f"The difference, {lost:.2f}, is what not knowing the truth costs here."
    if lost < 0.01:
        price = "The choice without the truth has lost nothing here."
    return Reading(
        f"Left of {low:g} nothing changes, because candidates extend from there. In hindsight "
        f"{best:g} would have been best: F1 {at['f1'][best]:.2f}, and {at['f1'][chosen]:.2f} at "
        f"{high:g}, with {at['detected_km2'][best]:.2f} and {at['detected_km2'][chosen]:.2f} km² "
        f"drawn. {price} Even the lowest threshold finds only {at['recall'].max():.0%} of the "
        "landslide area; the rest no high threshold can bring back."
    )


def sizes(statistics: pd.DataFrame, errors: pd.DataFrame, false_share: float) -> Reading:
    """What curves of sizes can tell, and which sizes are missed.

    Parameters
    ----------
    statistics : DataFrame
        One row for the inventory ``detected``, one for ``known``.
    errors : DataFrame
        From `lsa_helpers.detect.inventory.errors_by_size`.
    false_share : float
        Share of the detections that are false alarms.
    """
    table = statistics.set_index("inventory")
    ours, known = table["median_m2"]["detected"], table["median_m2"]["known"]
    alike = "alike" if abs(ours / known - 1) < 0.2 else "different"
    some = errors[errors["known"] > 0]
    top, last = some.loc[some["omission"].idxmax()], some.iloc[-1]
    limits = f"from {top['area_from_m2']:,.0f} m² up"
    if np.isfinite(top["area_to_m2"]):
        limits = f"between {top['area_from_m2']:,.0f} and {top['area_to_m2']:,.0f} m²"
    return Reading(
        f"The medians of the two inventories are {alike} ({ours:,.0f} and {known:,.0f} m²). No "
        f"curve of sizes can tell that {false_share:.0%} of the detected are no landslides. The "
        f"largest has {table['largest_m2']['detected']:,.0f} instead of "
        f"{table['largest_m2']['known']:,.0f} m². The share missed is highest {limits} "
        f"({top['omitted']:.0f} of {top['known']:.0f}); of the largest class {last['omitted']:.0f} "
        f"of {last['known']:.0f} are missed. Read the numbers on the bars before their height: "
        "what is counted in few moves far by one."
    )


def mistakes(
    causes: pd.DataFrame, known: gpd.GeoDataFrame, chip_m: float, old_scars: bool
) -> Reading:
    """What was taken for a landslide, and which ones no training chip could show whole.

    Parameters
    ----------
    causes : DataFrame
        From `lsa_helpers.detect.lookalikes.count_causes`.
    known : GeoDataFrame
        With ``found_share``, in a CRS in metres.
    chip_m : float
        Width of a training chip on the ground, m; NaN where it differs from chip to chip.
    old_scars : bool
        Whether old landslides are known apart from the fresh ones, as on the simulated mountain.
    """
    area = causes.set_index("cause")["area_m2"]
    lead = f"{area.idxmax()} ({area.max() / area.sum():.0%} of their area)" if len(area) else "none"
    share = area.get("old scar", 0.0) / max(area.sum(), 1.0)
    scars = (
        f"; {share:.0%} is old scars. A class asks: is an old landslide not a landslide? It is; "
        "but this inventory is of *fresh* landslides of one event, and a map learnt from it says "
        "where such an event strikes. For a map of all unstable ground the same outline would be a "
        "hit."
    )
    bounds = known.bounds
    extent = np.maximum(bounds["maxx"] - bounds["minx"], bounds["maxy"] - bounds["miny"])
    long = known[extent > chip_m]
    unseen = (
        f" {len(long)} known landslides are longer than a training chip ({chip_m:.0f} m), so the "
        f"network never saw such a one whole; {(long['found_share'] < 0.5).sum()} of them are "
        "missed."
    )
    return Reading(
        f"Leading cause of the false alarms: {lead}{scars if old_scars else '.'} *Other ground* "
        "means that no map explains it. The misses below are the largest ones."
        f"{unseen if len(long) else ''}"
    )


def summary(row) -> Reading:
    """The two numbers to keep; `row` of the table of areas."""
    return Reading(
        f"Two numbers to keep: **{row['area_recall']:.0%} of the landslide ground was found**, and "
        f"**{row['area_precision']:.0%} of what was drawn is landslide**."
    )
