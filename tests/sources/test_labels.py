"""What labels are called in many places, and what they mean."""

import numpy as np
import pandas as pd
import pytest

from lsa_helpers.errors import InputError, InputNote
from lsa_helpers.sources.labels import is_landslide, tell_landslides

NAMES = {
    True: "Debris_Flow LANDSLIDE rock-fall RockFall 滑坡 崩塌 泥石流 地すべり がけ崩れ 산사태 "
    "frana Éboulement Rutschung deslizamiento escorregamento heyelan оползень longsor Bergsturz "
    "mudslide LS 1 1.0 True yes oui",
    False: "0 0.0 -1 false No none background stable NonLandslide no_landslide 非滑坡 stable_slope",
    None: "snow_slide stable_slide river road 2 3.0 north notch noise slope flow building",
}


@pytest.mark.parametrize("meaning", NAMES)
def test_names(meaning):
    assert [name for name in NAMES[meaning].split() if is_landslide(name) is not meaning] == []


def test_numbers_need_no_words():
    labels = pd.Series([1.0, 0.0, 1.0], name="label")
    assert tell_landslides(labels, [], "a.shp").tolist() == [1, 0, 1]


def test_words_are_counted():
    labels = pd.Series(["slide", "river", None, "stable", "slide"], name="kind")
    with pytest.warns(InputNote, match=r"landslide: slide \(2\); none: stable \(1\); left out: ri"):
        assert tell_landslides(labels, [], "a.shp").tolist() == [1, -1, -1, 0, 1]


def test_chosen_labels_decide():
    labels = pd.Series([3, 1, 2, 0], name="kind")
    with pytest.warns(InputNote, match=r"landslide: 3 \(1\), 2 \(1\); none: 0 \(1\)"):
        assert tell_landslides(labels, [3, "2"], "a.shp").tolist() == [1, -1, 1, 0]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0.5, 1.0], "no whole numbers.*Found: .'0.5', '1.0'"),
        (["0.5", "1"], "no whole numbers"),
        ([0, 0], r"no label in .kind. is known as landslide. Found: 0 \(2\)"),
        ([1, 0, 2, 2], r"numbers other than 1 and 0. Found: 2 \(2\).*`landslide_labels"),
        (
            ["A", "B", "B"],
            r"Found: B \(2\), A \(1\). Name those that are landslides with `landslide_labels",
        ),
        ([np.nan, None], "Found: none"),
    ],
)
def test_labels_that_cannot_be_used(labels, message):
    with pytest.raises(InputError, match=message):
        tell_landslides(pd.Series(labels, name="kind"), [], "a.shp")
