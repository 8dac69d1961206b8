"""The figures of chapter 09 are drawn without a warning, with labelled axes."""

import warnings

import numpy as np
import pandas as pd
import pytest

from lsa_helpers.raster import empty_grid, on_grid
from lsa_helpers.show import validation as show
from lsa_helpers.validation import rate_curve


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        yield


@pytest.fixture
def folds():
    """Four folds of an area of 40 × 48 cells."""
    grid = empty_grid((0, 0, 480, 400), 32648, 10)
    return on_grid(np.add.outer(np.arange(40) // 20, 2 * (np.arange(48) // 24)), grid, "fold")


def _labels(figure):
    return {text for ax in figure.axes for text in (ax.get_xlabel(), ax.get_ylabel()) if text}


def test_both_rates_have_their_band(folds):
    rng = np.random.default_rng(0)
    slides = folds.copy(data=rng.random(folds.shape) < 0.1)
    curves = {
        (model, kind): rate_curve(folds.copy(data=rng.random(folds.shape)) + slides, slides, folds)
        for model in ("rf", "cnn")
        for kind in ("held out", "fitted")
    }
    table = pd.concat(curves, names=["model", "map"]).reset_index(["model", "map"])
    figure = show.rate_panels(table)
    assert _labels(figure) == {"Landslide area met (%)", "Area, most susceptible first (%)"}
    assert [ax.get_title() for ax in figure.axes] == ["Random forest", "CNN"]
    for ax in figure.axes:
        tall = [np.ptp(band.get_paths()[0].vertices[:, 1]) > 50 for band in ax.collections]
        assert tall == [True, True]
        assert [bool(band.get_hatch()) for band in ax.collections] == [False, True]
        texts = [text.get_text() for text in ax.get_legend().get_texts()]
        assert texts == ["prediction rate", "success rate"]


def test_each_way_to_sample_is_a_dot():
    """One marker a way to take landslide cells; those that could not be drawn are left out."""
    table = pd.DataFrame(
        {
            "positives": ["cells", "cells", "point", "scarp"],
            "buffer_m": [0.0, 100.0, 100.0, 200.0],
            "slope_floor": [0.0, 10.0, 0.0, 0.0],
            "ratio": 1.0,
            "sample_auc": [0.9, 0.8, 0.85, np.nan],
            "map_auc": [0.7, 0.75, 0.7, np.nan],
        }
    )
    figure = show.sampling_sensitivity(table)
    dots = figure.axes[0].collections
    assert sorted(len(part.get_offsets()) for part in dots) == [1, 2]
    assert len({part.get_paths()[0].vertices.tobytes() for part in dots}) == 2
    labels = _labels(figure)
    assert sum("AUC" in text and "(1)" in text for text in labels) == 2
    assert "Distance of cells without landslide (m)" in labels
    for nothing in (table.assign(sample_auc=np.nan), table[:0]):
        empty = show.sampling_sensitivity(nothing)
        assert len(empty.axes) == 1
        assert not empty.axes[0].collections
