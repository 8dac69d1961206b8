"""The figures of chapters 04, 05 and 08 are drawn from small tables without a warning, with
labelled axes.
"""

import warnings

import numpy as np
import pandas as pd
import pytest

from lsa_helpers import models, selection, validation
from lsa_helpers.show import susceptibility as show
from lsa_helpers.show import validation as honest_show


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        yield


def labels(figure):
    return {text for ax in figure.axes for text in (ax.get_xlabel(), ax.get_ylabel()) if text}


def test_selection_figures(sampled):
    stack, table = sampled
    vif = selection.stepwise_vif(table, stack.info, stack.names)
    assert any("log scale" in text for text in labels(show.vif_bars(vif, stack.info, 10, 5)))
    matrix = selection.correlation(table, stack.info, stack.names)
    assert list(matrix) == ["slope", "ndvi", "aspect_sin", "aspect_cos"]
    assert "Spearman correlation (1)" in labels(show.correlation_heatmap(matrix, "spearman"))
    ranking = selection.importance(table, stack.info, stack.names, seed=0, n_trees=10, repeats=1)
    assert len(show.importance_panels(ranking, stack.info).axes) == 3


def test_maps_and_curves(hillside, sampled):
    stack, table = sampled
    make = {"logistic": lambda: models.make("logistic")}
    fitted = {"logistic": make["logistic"]().fit(stack, table, 0)}
    maps = {"logistic": fitted["logistic"].predict_map(stack)}
    guesses = validation.predictions(make, fitted, stack, table, n_folds=5, seed=0, window_m=50)
    truth = validation.Truth(maps["logistic"], np.zeros(stack.grid.shape, bool), stack.grid)
    assert len(show.samples_map(table, hillside[1], stack).axes) == 1
    legend = show.roc_panels(guesses, truth.at(table)).axes[1].get_legend()
    area = validation.score_table(guesses, table, "spatial", block_m=200, seed=0)["auc"][0]
    assert (
        f"{area:.3f}" in legend.get_texts()[0].get_text()
        and "Ceiling" in legend.get_texts()[1].get_text()
    )
    assert any(
        "Susceptibility" in text
        for text in labels(show.susceptibility_maps(maps, hillside[1], stack.grid))
    )
    difference = show.truth_difference(maps, truth, stack.grid)
    assert np.nanmax(np.abs(difference.axes[1].images[0].get_array())) == 0


def test_points_are_drawn_as_points(hillside):
    stack, shapes = hillside
    points = shapes.assign(label=np.arange(len(shapes)) % 2, geometry=shapes.centroid)
    table = pd.DataFrame(
        {"x": points.geometry.x, "y": points.geometry.y, "label": points["label"], "fold": 0}
    )
    figure = show.susceptibility_maps(
        {"rf": stack.band("ndvi"), "cnn": stack.band("ndvi")}, points, stack.grid
    )
    assert len(figure.axes[0].collections[0].get_offsets()) == (points["label"] == 1).sum()
    assert show.samples_map(table, points, stack).axes[0].get_title()


def test_folds_and_rates(hillside):
    """Every fold has its colour, and both rates have their band, in their model's colour."""
    stack, _ = hillside
    rng = np.random.default_rng(0)
    folds = np.add.outer(np.arange(stack.grid.height) // 40, np.arange(stack.grid.width) // 48)
    xs, ys = stack.grid.centres()
    table = pd.DataFrame({"x": xs[:6], "y": ys[:6], "label": [1, 0] * 3})
    figure = honest_show.fold_panel(folds, table, stack.grid)
    assert figure.axes[0].images[0].get_clim() == (0.5, 3.5) and "Fold" in labels(figure)
    assert [len(dots.get_offsets()) for dots in figure.axes[0].collections] == [3, 3]
    true, parts = rng.random(folds.shape) < 0.1, []
    for model in ("rf", "cnn"):
        for kind in ("held out", "fitted"):
            parts.append(
                validation.rate_curve(rng.random(folds.shape) + true, true, folds).assign(
                    model=model, map=kind
                )
            )
    figure = honest_show.rate_panels(pd.concat(parts))
    assert {"Landslide area met (%)", "Area, most susceptible first (%)"} == labels(figure)
    assert [ax.get_title() for ax in figure.axes] == ["Random forest", "CNN"]
    for ax in figure.axes:
        bands = [
            collection
            for collection in ax.collections
            if np.ptp(collection.get_paths()[0].vertices[:, 1]) > 50
        ]
        assert len(bands) == 2 and [bool(band.get_hatch()) for band in bands] == [False, True]
        assert [text.get_text() for text in ax.get_legend().get_texts()] == [
            "prediction rate",
            "success rate",
        ]


def test_laboratory_figure():
    """One dot a kind, one marker a way to take landslide cells, axes named; kinds that could not be
    made are left out.
    """
    kinds = {
        "positives": ["cells", "cells", "point", "scarp"],
        "buffer_m": [0.0, 100.0, 100.0, 200.0],
    }
    scores = {"sample_auc": [0.9, 0.8, 0.85, np.nan], "map_auc": [0.7, 0.75, 0.7, np.nan]}
    table = pd.DataFrame(kinds | scores | {"slope_floor": [0.0, 10.0, 0.0, 0.0], "ratio": 1.0})
    figure = honest_show.laboratory(table)
    dots = figure.axes[0].collections
    assert sorted(len(part.get_offsets()) for part in dots) == [1, 2]
    assert len({part.get_paths()[0].vertices.tobytes() for part in dots}) == 2
    named = labels(figure)
    assert (
        sum("AUC" in text and "(1)" in text for text in named) == 2
        and "Distance of cells without landslide (m)" in named
    )
    empty = honest_show.laboratory(table.assign(sample_auc=np.nan))
    assert len(empty.axes) == 1 and not empty.axes[0].collections
