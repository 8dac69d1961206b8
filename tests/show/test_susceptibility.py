"""The figures of chapter 05 are drawn without a warning, with labelled axes."""

import warnings

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from sklearn.metrics import roc_auc_score

from lsa_helpers.show import susceptibility as show


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        yield


def test_maps_have_one_scale_and_the_landslides(hillside):
    factors, landslides = hillside
    maps = {"rf": factors["ndvi"], "cnn": factors["ndvi"] * 2}
    figure = show.susceptibility_maps(maps, landslides)
    assert [ax.get_title() for ax in figure.axes[:2]] == ["Random forest", "CNN"]
    assert all(ax.images[0].get_clim() == (0, 1) for ax in figure.axes[:2])
    assert any("Susceptibility" in ax.get_xlabel() for ax in figure.axes)
    difference = show.truth_difference({"rf": maps["rf"]}, maps["cnn"])
    assert np.nanmax(np.abs(difference.axes[1].images[0].get_array())) == 0


def test_points_are_drawn_as_points(hillside):
    factors, landslides = hillside
    points = landslides.assign(
        label=np.arange(len(landslides)) % 2, geometry=landslides.geometry.centroid
    )
    figure = show.susceptibility_maps({"rf": factors["ndvi"]}, points)
    (dots,) = figure.axes[0].collections
    assert len(dots.get_offsets()) == points["label"].sum()


def test_truth_is_one_panel_more_and_ways_and_the_frame_are_drawn(hillside):
    factors, landslides = hillside
    ndvi = factors["ndvi"]
    distance = ndvi.copy(data=np.abs(factors["x"] - factors["x"].mean()).values + 0 * ndvi)
    left, bottom, right, top = ndvi.rio.bounds()
    frame = left, bottom, (left + right) / 2, top
    ways = xr.Dataset({"distance_to_road": distance})
    figure = show.susceptibility_maps({"rf": ndvi}, landslides, ways, ndvi, frame)
    one, last = figure.axes[:2]
    assert last.get_title().startswith("Truth")
    (road,) = [part for part in one.collections if hasattr(part, "levels")]
    assert len(road.get_paths()[0].vertices) > 0
    (drawn,) = one.patches
    assert drawn.get_bbox().bounds == pytest.approx(
        (left, bottom, (right - left) / 2, top - bottom)
    )


def test_the_map_closest_to_the_truth_is_named(hillside):
    factors, landslides = hillside
    maps = {"rf": factors["ndvi"], "logistic": factors["ndvi"] * 2}
    agreement = {"rf": 0.4, "logistic": 0.6}
    figure = show.truth_difference(maps, factors["ndvi"], landslides, agreement)
    titles = [ax.get_title() for ax in figure.axes[1:3]]
    assert titles == ["Random forest: 0.40", "Logistic regression: 0.60, closest to the truth"]


def test_the_legend_of_roc_curves_holds_their_areas(sampled):
    _, table = sampled
    rng = np.random.default_rng(0)
    guess = rng.random(len(table)) + 0.3 * table["label"]
    rows = {"model": "rf", "sample": np.arange(len(table)), "label": table["label"]}
    parts = [
        pd.DataFrame({"scheme": scheme, "probability": guess, **rows})
        for scheme in ("random", "spatial")
    ]
    band = pd.DataFrame({"false_positive": [0.0, 1], "low": [0.0, 1], "high": [0.5, 1]})
    for ax in show.roc_panels(pd.concat(parts), {"spatial": ("rf", band)}).axes:
        model, *band_words = [text.get_text() for text in ax.get_legend().get_texts()]
        assert model.endswith(f"{roc_auc_score(table['label'], guess):.3f}")
        assert len(ax.collections) == len(band_words) == ("Spatial" in ax.get_title())
