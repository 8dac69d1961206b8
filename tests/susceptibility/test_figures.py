"""The figures of chapters 03 and 04 are drawn from small tables without a warning, with labelled axes."""

import warnings

import numpy as np
import pandas as pd
import pytest

from lsa_helpers import models, screen, validate
from lsa_helpers.show import susceptibility as show


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        yield


def labels(figure):
    return {text for ax in figure.axes for text in (ax.get_xlabel(), ax.get_ylabel()) if text}


def test_selection_figures(sampled):
    stack, table = sampled
    vif = screen.stepwise_vif(table, stack.info, stack.names)
    assert any("log scale" in text for text in labels(show.vif_bars(vif, stack.info, 10, 5)))
    matrix = screen.correlation(table, stack.info, stack.names)
    assert list(matrix) == ["slope", "ndvi", "aspect_sin", "aspect_cos"]
    assert "Spearman correlation (1)" in labels(show.correlation_heatmap(matrix, "spearman"))
    ranking = screen.importance(table, stack.info, stack.names, seed=0, n_trees=10, repeats=1)
    assert len(show.importance_panels(ranking, stack.info).axes) == 3


def test_maps_and_curves(hillside, sampled):
    stack, table = sampled
    make = {"logistic": lambda: models.make("logistic")}
    fitted = {"logistic": make["logistic"]().fit(stack, table, 0)}
    maps = {"logistic": fitted["logistic"].predict_map(stack)}
    guesses = validate.predictions(make, fitted, stack, table, n_folds=5, seed=0, window_m=50)
    truth = validate.Truth(maps["logistic"], np.zeros(stack.grid.shape, bool), stack.grid)
    assert len(show.samples_map(table, hillside[1], stack).axes) == 1
    legend = show.roc_panels(guesses, truth.at(table)).axes[1].get_legend()
    area = validate.score_table(guesses, table, "spatial", block_m=200, seed=0)["auc"][0]
    assert f"{area:.3f}" in legend.get_texts()[0].get_text() and "Ceiling" in legend.get_texts()[1].get_text()
    assert any("Susceptibility" in text for text in labels(show.susceptibility_maps(maps, hillside[1], stack.grid)))
    difference = show.truth_difference(maps, truth, stack.grid)
    assert np.nanmax(np.abs(difference.axes[1].images[0].get_array())) == 0


def test_points_are_drawn_as_points(hillside):
    stack, shapes = hillside
    points = shapes.assign(label=np.arange(len(shapes)) % 2, geometry=shapes.centroid)
    table = pd.DataFrame({"x": points.geometry.x, "y": points.geometry.y, "label": points["label"], "fold": 0})
    figure = show.susceptibility_maps({"rf": stack.band("ndvi"), "cnn": stack.band("ndvi")}, points, stack.grid)
    assert len(figure.axes[0].collections[0].get_offsets()) == (points["label"] == 1).sum()
    assert show.samples_map(table, points, stack).axes[0].get_title()
