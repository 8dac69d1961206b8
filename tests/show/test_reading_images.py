"""Sentences of chapters 02 and 03 turn where the numbers do."""

from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import box

from lsa_helpers.detect.dated import dated_table
from lsa_helpers.show import reading_detector, reading_inventory
from lsa_helpers.show.words import Reading

ROW = {"AP50_segm": 64.0, "AP50_segm_low": 51.0, "AP50_segm_high": 75.0, "f1": 60, "pixel_iou": 54}
SWEEP = pd.DataFrame(
    {
        "score": [0.25, 0.5, 0.75],
        "tp": [9, 8, 4],
        "fp": [6, 2, 1],
        "fn": [1, 2, 6],
        "f1": [0.72, 0.80, 0.53],
        "recall": [0.9, 0.8, 0.4],
        "detected_km2": [1.5, 1.0, 0.5],
    }
)


def test_a_reading_is_text_of_the_page():
    """Jupyter shows what `_repr_markdown_` gives, a terminal the rest."""
    text = Reading("All found.")
    assert text._repr_markdown_() == "**Read it.** All found."
    assert repr(text) == "Read it. All found." and text == "All found."


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ((40, 10, 10), "50 landslides and the detector draws 50 outlines: as many, and yet"),
        ((40, 10, 0), "40 landslides and the detector draws 50 outlines, and only 40"),
        ((0, 0, 5), "precision 0.00"),
    ],
)
def test_equal_counts_are_named(counts, words):
    assert words in reading_detector.hits(*counts)


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        (
            (-3.0, 9.0),
            "between -3 and +9 points: either part may be the easier one, it may be chance",
        ),
        ((2.0, 9.0), "more than chance among these scenes"),
        ((np.nan, np.nan), "Where a part has one scene no interval can be drawn"),
    ],
)
def test_test_against_validation_is_chance_only_across_zero(ends, words):
    assert words in reading_detector.scores(ROW | {"AP50_segm": 57.0}, ROW, ends)


@pytest.mark.parametrize(
    ("landslides", "words"),
    [
        (4, "The test chips show 4: one landslide more or less found moves recall by 25.0 points"),
        (0, "The test chips show none: recall cannot be measured. Chips come"),
    ],
)
def test_without_a_landslide_on_test_chips_recall_is_not_told(landslides, words):
    chips = [
        SimpleNamespace(landslides=number, split=split)
        for number, split in ((8, "train"), (landslides, "test"))
    ]
    assert words in reading_detector.collection(chips)


def test_from_one_scene_no_interval_is_told():
    row = ROW | {"AP50_segm_low": np.nan, "AP50_segm_high": np.nan}
    at = SWEEP.iloc[1]
    assert "nan" not in reading_detector.scores(row, row, (np.nan, np.nan))
    assert "64 %** on 6 test chips, and at" in reading_detector.summary(row, 6, 0.5, at)
    text = reading_detector.summary(ROW, 6, 0.5, at)
    assert "on 6 test chips (51 to 75 with other scenes), and at" in text
    assert "**misses 2 of 10 landslides** and raises 2 false alarms" in text


def test_thresholds_say_which_error_is_made():
    text = reading_detector.thresholds(SWEEP, 0.75, 0.25)
    assert "6 missed and 1 false at 0.75, 1 missed and 6 false at 0.25" in text
    assert "over 0.00 of the axis" in text and "fairly well determined" in text
    flat = SWEEP.assign(f1=[0.79, 0.80, 0.53])
    assert "over 0.25 of the axis" in reading_detector.thresholds(flat, 0.5, 0.25)
    assert "hardly determined" in reading_detector.thresholds(flat, 0.5, 0.25)


def test_a_given_detector_has_no_training_to_read():
    assert "no training" in reading_detector.training(pd.DataFrame())
    history = pd.DataFrame({"epoch": [1, 2, 3], "loss": [2.0, 1.4, 1.0]})
    assert "from 2.00 to 1.00 in 3 epochs, half of the way by epoch 2" in (
        reading_detector.training(history)
    )


def test_chips_without_landslide_are_counted():
    """Two of four chips are right; of the two that show none, one has a false alarm."""
    counts = pd.DataFrame(
        {"hit": [1, 0, 0, 1], "false_alarm": [0, 0, 1, 0], "missed": [0, 0, 0, 2]}
    )
    text = reading_detector.chips_by_outcome(counts, 0.5)
    assert "at 0.50 50% of the 4 test chips" in text
    assert "On 2 there is no landslide at all, and 1 of these" in text


def test_stored_comparisons_are_read_from_their_tables():
    four, platforms = dated_table("four_detectors"), dated_table("platforms")
    text = reading_detector.elsewhere(four, platforms)
    worst = (platforms["AP50_segm_seen"] - platforms["AP50_segm"]).idxmax()
    assert f"most on {platforms['platform'][worst]} (" in text


@pytest.mark.parametrize(
    ("detected", "looks"), [(20, "looks perfect"), (22, "looks close"), (40, "looks far off")]
)
def test_a_count_looks_good_and_says_nothing(detected, looks):
    row = {"detected": detected, "reference": 20, "reference_km2": 1.0}
    row |= {"area_precision": 0.6, "area_recall": 0.5, "landslides_hit": 0.7}
    missed = gpd.GeoDataFrame({"area_m2": [4e5, 1e5]})
    text = reading_inventory.areas(row, missed.head(1), missed)
    assert looks in text and "1 of the detections are false alarms, and 2 of the known" in text
    assert "the 2 largest of the missed hold 0.50 of 1.00 km²" in text
    assert "largest" not in reading_inventory.areas(row, missed.head(1), missed.head(0))


def test_a_false_alarm_weighs_more_where_landslides_are_rare():
    """Bayes' rule by hand: other ground is 49 times landslide on the scene, 24 times on chips."""
    choices = pd.DataFrame({"low": [0.4, 0.5, 0.4], "high": [0.7, 0.7, 0.9], "f1": [0.6, 0.6, 0.3]})
    text = reading_inventory.pairs(choices, 0.04, 0.02, 12)
    assert "counts 2.0 times as much" in text
    assert "2 pairs come within 0.01 of it: high thresholds 0.7, low ones 0.4 to 0.5" in text


def test_the_price_of_not_knowing_may_be_nothing():
    text = reading_inventory.sweep(SWEEP, 0.25, 0.75)
    assert "In hindsight 0.5 would have been best: F1 0.80, and 0.53 at 0.75" in text
    assert "The difference, 0.27," in text
    assert "has lost nothing" in reading_inventory.sweep(SWEEP, 0.25, 0.5)


def test_old_scars_and_landslides_longer_than_a_chip_are_named():
    causes = pd.DataFrame({"cause": ["old scar", "road"], "area_m2": [100.0, 300.0]})
    shapes = [box(0, 0, 500, 20), box(0, 0, 50, 50)]
    known = gpd.GeoDataFrame({"found_share": [0.1, 0.0]}, geometry=shapes, crs="EPSG:32648")
    text = reading_inventory.mistakes(causes, known, 400.0, old_scars=True)
    assert "road (75% of their area); 25% is old scars" in text
    assert "1 known landslides are longer than a training chip (400 m)" in text
    text = reading_inventory.mistakes(causes, known, float("nan"), old_scars=False)
    assert "longer" not in text
    assert "road (75% of their area). *Other ground*" in text and "fresh" not in text


def test_without_a_false_alarm_there_is_no_cause():
    none = pd.DataFrame({"cause": [], "area_m2": []})
    known = gpd.GeoDataFrame({"found_share": []}, geometry=[], crs="EPSG:32648")
    assert "false alarms: none; 0% is" in reading_inventory.mistakes(none, known, 400.0, True)
