"""The figures of chapter 05 are drawn without a warning, with labelled axes."""

import warnings

import numpy as np
import pandas as pd
import pytest
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
    place = {"x": points.geometry.x, "y": points.geometry.y}
    table = pd.DataFrame(place | {"label": points["label"], "fold": 0})
    counts = [
        len(part.get_offsets())
        for part in show.samples_map(table, points, factors).axes[0].collections
    ]
    assert sum(counts) == len(points)


def test_the_legend_of_roc_curves_holds_their_areas(sampled):
    _, table = sampled
    rng = np.random.default_rng(0)
    guess = rng.random(len(table)) + 0.3 * table["label"]
    rows = {"model": "rf", "sample": np.arange(len(table)), "label": table["label"]}
    parts = [
        pd.DataFrame({"scheme": scheme, "probability": guess, **rows})
        for scheme in ("random", "spatial")
    ]
    for ax in show.roc_panels(pd.concat(parts)).axes:
        (model,) = [text.get_text() for text in ax.get_legend().get_texts()]
        assert model.endswith(f"{roc_auc_score(table['label'], guess):.3f}")
