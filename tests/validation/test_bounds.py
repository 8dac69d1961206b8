"""The oracle and the reachable bound: what they are made of, and that no learner passes them."""

import numpy as np
import pytest
from scipy import ndimage
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import roc_auc_score

from lsa_helpers.errors import StageError
from lsa_helpers.factors.build import build_factors
from lsa_helpers.mountain import write_world
from lsa_helpers.mountain.landscape import relief_layers
from lsa_helpers.mountain.landslides import landslide_ids, make_landslides
from lsa_helpers.raster import cell_size, known_cells, read_raster
from lsa_helpers.sources import load_catalog
from lsa_helpers.validation import bounds


@pytest.fixture(scope="module")
def mountain(tmp_path_factory):
    """Factors of 4 × 3 km as chapter 01 makes them, and the truth's rasters."""
    folder = write_world(
        tmp_path_factory.mktemp("bounds"), width_km=4.0, height_km=3.0, chips_per_platform=0
    )
    factors, _ = build_factors(load_catalog(folder))
    rasters = {
        name: read_raster(folder / "truth" / f"{name}.tif")[name]
        for name in ("source", "probability")
    }
    return factors, rasters


@pytest.fixture(scope="module")
def reachable(mountain):
    return bounds.reachable_probability(mountain[0], 0)


def test_the_rules_see_what_the_factors_show(mountain):
    """The relief is the DEM's own, the shaking is in g, classes are whole numbers."""
    factors, _ = mountain
    layers = bounds._observed_layers(factors)
    np.testing.assert_allclose(layers["pga"], factors["pga"] / 980.665, rtol=1e-6)
    np.testing.assert_array_equal(layers["cover"], factors["lulc"])
    np.testing.assert_array_equal(layers["road"], factors["distance_to_road"])
    assert float(layers["catchment"].min()) == pytest.approx(cell_size(factors) ** 2)
    area = cell_size(factors) ** 2 * layers["catchment"].size
    assert 0.01 * area < float(layers["catchment"].max()) <= area
    assert (layers["catchment"].name, layers["catchment"].attrs["units"]) == ("catchment", "m2")
    # Horn's slope weighs nine cells, the gradient four.
    assert np.corrcoef(layers["slope"].values.ravel(), factors["slope"].values.ravel())[0, 1] > 0.98


def test_the_bound_is_a_probability_of_as_many_landslides(mountain, reachable):
    """Its mean is that of the oracle; a gap in one factor is a gap in the bound, there only."""
    factors, truth = mountain
    assert (
        reachable.dtype == np.float32 and 0 <= float(reachable.min()) < float(reachable.max()) < 1
    )
    assert float(reachable.mean()) == pytest.approx(float(truth["probability"].mean()), rel=0.05)
    holes = factors.copy()
    holes["ndvi"] = factors["ndvi"].where(factors["ndvi"].x > factors["ndvi"].x[4])
    with_gap = bounds.reachable_probability(holes, 0)
    np.testing.assert_array_equal(with_gap.isnull(), ~known_cells(holes))
    far = np.s_[:, 60:]
    np.testing.assert_allclose(with_gap.values[far], reachable.values[far], rtol=0.05)


def test_a_factor_the_rules_need_is_asked_for(mountain):
    factors, _ = mountain
    assert bounds.unseen_factors(factors) == []
    assert bounds.unseen_factors(factors.drop_vars(["pga", "tri"])) == ["pga"]
    with pytest.raises(StageError, match="reachable bound needs the factors pga"):
        bounds.reachable_probability(factors.drop_vars("pga"), 0)


def test_the_oracle_is_above_the_reachable_bound(mountain, reachable):
    """Inventory by inventory nearly always; a map that is the same everywhere scores 0.5; the seed
    decides.
    """
    factors, truth = mountain
    maps = {"oracle": truth["probability"], "reachable": reachable, "none": 0 * reachable}
    scores = bounds.redrawn_scores(maps, truth["source"], factors, seed=1, count=6)
    assert (scores["none"] == 0.5).all()
    assert scores["oracle"].mean() > scores["reachable"].mean() > 0.75
    assert scores["oracle"].std() > 0
    again = bounds.redrawn_scores(maps, truth["source"], factors, seed=1, count=2)
    assert scores[:2].equals(again)
    assert scores["landslides"].mean() == pytest.approx(float(truth["source"].sum()), rel=0.25)


def window_features(factors) -> np.ndarray:
    """Values of each cell, and means of continuous factors around it: (cells, features)."""
    columns = []
    for factor in factors.values():
        values = factor.values
        if factor.attrs["kind"] == "circular":
            values = np.cos(np.deg2rad(values))
        columns.append(values)
        if factor.attrs["kind"] != "categorical":
            columns += [ndimage.uniform_filter(values, width) for width in (5, 15, 49)]
    return np.stack([column.ravel() for column in columns], axis=1)


@pytest.mark.slow
def test_a_strong_learner_comes_near_the_bound_and_does_not_pass_it(mountain, reachable):
    """Boosted trees that see how often each cell failed in twenty inventories, of the cell and its
    windows all factors; predicted are blocks of 1 km they were not fitted on, scored ten more
    inventories of the same mountain.
    """
    factors, truth = mountain
    layers = relief_layers(factors["altitude"])
    failed = np.array(
        [
            landslide_ids(table, layers.rio.transform(), reachable.shape).ravel() > 0
            for table in (
                make_landslides(layers, truth["source"].values, np.random.default_rng([5, number]))
                for number in range(30)
            )
        ]
    )
    features = window_features(factors)
    row, column = np.indices(reachable.shape) // 80
    fold = ((row + 2 * column) % 4).ravel()
    learned = np.empty(fold.shape)
    for number in range(4):
        model = HistGradientBoostingRegressor(
            loss="poisson", max_leaf_nodes=8, min_samples_leaf=200, max_iter=80, random_state=0
        )
        model.fit(features[fold != number], failed[:20, fold != number].mean(axis=0))
        learned[fold == number] = model.predict(features[fold == number])
    scores = [
        [roc_auc_score(inventory, values) for values in (reachable.values.ravel(), learned)]
        for inventory in failed[20:]
    ]
    bound, learner = np.transpose(scores)
    error = (learner - bound).std(ddof=1) / len(bound) ** 0.5
    assert bound.mean() - 0.05 < learner.mean() < bound.mean() + error
