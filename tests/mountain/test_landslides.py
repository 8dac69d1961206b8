"""Landslides follow their law, their slope and the true probability, and the effects add up."""

import json

import geopandas as gpd
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rasterio import features
from scipy import stats
from scipy.special import gamma
from sklearn.metrics import roc_auc_score

from lsa_helpers.mountain import landslides, stability
from lsa_helpers.mountain.landscape import make_mountain
from lsa_helpers.grid import read_raster


@pytest.fixture(scope="module")
def mountain():
    """6 × 5 km without chips or scene: about 90 landslides."""
    return make_mountain(6.0, 5.0, 11)


def test_areas_follow_the_inverse_gamma_law():
    """Kolmogorov–Smirnov against scipy's distribution, cut at the same limits."""
    areas = landslides.sample_areas(20_000, np.random.default_rng(0))
    law = stats.invgamma(landslides.RHO, loc=landslides.SHIFT, scale=landslides.SCALE)
    low, high = law.cdf([landslides.SMALLEST, landslides.LARGEST])
    assert stats.kstest(areas, lambda a: (law.cdf(a) - low) / (high - low)).pvalue > 0.01


def test_density_is_malamuds_equation():
    """scipy's parametrisation equals Malamud's formula with ρ, a and s."""
    area = np.array([500.0, 2000.0, 30_000.0])
    rho, a, s = landslides.RHO, landslides.SCALE, landslides.SHIFT
    by_hand = (a / (area - s)) ** (rho + 1) * np.exp(-a / (area - s)) / (a * gamma(rho))
    np.testing.assert_allclose(stats.invgamma(rho, loc=s, scale=a).pdf(area), by_hand)


def test_mean_area_is_the_papers():
    """6.46 km² over 923 landslides are 7,000 m²."""
    assert landslides.sample_areas(100_000, np.random.default_rng(1)).mean() == pytest.approx(
        6.46e6 / 923, rel=0.03
    )


@given(st.integers(1, 50), st.floats(1000, 1e5))
def test_areas_stay_between_their_limits(count, largest):
    areas = landslides.sample_areas(count, np.random.default_rng(count), largest=largest)
    assert (
        areas.shape == (count,)
        and areas.min() >= landslides.SMALLEST * 0.999
        and areas.max() <= largest * 1.001
    )


def test_landslides_are_valid_apart_and_inside(mountain):
    table, (left, bottom, right, top) = mountain.landslides, mountain.ground.grid.bounds
    assert table.is_valid.all() and (table.geom_type == "Polygon").all()
    bounds = table.total_bounds
    assert bounds[0] >= left and bounds[1] >= bottom and bounds[2] <= right and bounds[3] <= top
    assert table.union_all().area == pytest.approx(table.area.sum(), rel=1e-6)
    # Standing ground between any two, so that each can be told from its neighbours in an image;
    # rounded corners take a few per cent.
    others = [table.geometry.drop(i).distance(shape).min() for i, shape in table.geometry.items()]
    assert min(others) >= 0.9 * landslides.GAP
    assert table["id"].tolist() == list(range(1, len(table) + 1))


def test_landslide_share_of_the_area(mountain):
    """About 2 % of the ground; at 30 km² single large landslides swing it."""
    left, bottom, right, top = mountain.ground.grid.bounds
    assert 0.01 < mountain.landslides.area.sum() / ((right - left) * (top - bottom)) < 0.035


def test_landslides_run_downhill_and_are_elongated(mountain):
    """The end of the path lies below its start, and the longer side follows the path."""
    ground, table = mountain.ground, mountain.landslides
    large = table[table["area_m2"] > 2000]
    step = 60 * np.column_stack([np.cos(large["direction"]), np.sin(large["direction"])])
    centre = np.column_stack([large.centroid.x, large.centroid.y])

    def height(points):
        row, column = ground.grid.rowcol(*points.T)
        return ground.elevation[
            row.clip(0, ground.grid.height - 1), column.clip(0, ground.grid.width - 1)
        ]

    assert np.mean(height(centre + step) < height(centre - step)) > 0.95
    box = large.minimum_rotated_rectangle()
    corners = np.array([rectangle.exterior.coords[:3] for rectangle in box])
    sides = np.hypot(*np.moveaxis(np.diff(corners, axis=1), -1, 0))
    assert np.median(sides.max(axis=1) / sides.min(axis=1)) > 1.5


def test_probability_is_calibrated(mountain):
    """Over eight inventories drawn anew, cells grouped by their probability hold about that share
    of landslide.
    """
    ground, seed = mountain.ground, 11
    groups = stability.features_of(ground, mountain.rain, mountain.shaking, seed)
    source, _ = stability.source_probability(
        stability.log_odds(stability.flat(groups)), ground.grid.cell_area_km2
    )
    share = np.zeros(ground.grid.shape)
    for number in range(8):
        share += (
            landslides.covered(
                landslides.make_landslides(ground, source, np.random.default_rng(number)),
                ground.grid,
            )
            / 8
        )
    p = mountain.probability
    assert p.mean() == pytest.approx(share.mean(), rel=0.25)
    deciles = np.array_split(np.argsort(p, axis=None), 10)
    predicted, found = (
        np.array([field.ravel()[part].mean() for part in deciles]) for field in (p, share)
    )
    np.testing.assert_allclose(found[-2:], predicted[-2:], rtol=0.35)
    assert found[:5].sum() < 0.05 * found.sum()


def test_ceiling_is_recomputed_from_the_files(world):
    """effects.json's ceiling equals scikit-learn's AUC of probability.tif for the cells of
    landslides.gpkg.
    """
    probability, grid, names = read_raster(world / "truth" / "probability.tif")
    table = gpd.read_file(world / "truth" / "landslides.gpkg")
    inside = features.rasterize(table.geometry, out_shape=grid.shape, transform=grid.transform)
    ceiling = json.loads((world / "truth" / "effects.json").read_text())["ceiling_auc"]
    assert names == ["probability"] and ceiling < 1
    assert ceiling == pytest.approx(roc_auc_score(inside.ravel(), probability.ravel()), abs=1e-4)


def test_ceiling_is_above_every_single_factor(mountain):
    ground = mountain.ground
    inside = landslides.covered(mountain.landslides, ground.grid)
    singles = (
        ground.elevation,
        ground.slope,
        ground.ndvi,
        mountain.rain,
        mountain.shaking.pga,
        ground.road,
        ground.river,
        ground.fault,
    )
    best = max(
        max(score, 1 - score) for score in (stability.auc(field, inside) for field in singles)
    )
    assert best < mountain.effects["ceiling_auc"] < 1


def test_auc_by_hand():
    """Three of four pairs in the right order."""
    assert stability.auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1])) == 0.75


def test_effects_sum_to_one(mountain):
    shares = {name: share for name, share in mountain.effects.items() if name != "ceiling_auc"}
    assert set(shares) == {*stability.FACTORS, "hidden"}
    assert sum(shares.values()) == pytest.approx(1, abs=1e-3)
    assert shares["tri"] == 0 and shares["hidden"] > 0.02


def test_effects_of_a_linear_model():
    """y = 3 a + b with independent unit variances: shares 9/10 and 1/10."""
    rng = np.random.default_rng(0)
    groups = {
        "slope": {"a": rng.standard_normal(50_000)},
        "hidden": {"b": rng.standard_normal(50_000)},
    }
    shares = stability.effects(groups, lambda f: 3 * f["a"] + f["b"], rng)
    assert shares["slope"] == pytest.approx(0.9, abs=0.02) and shares["hidden"] == pytest.approx(
        0.1, abs=0.02
    )


def test_source_probability_gives_the_wanted_number():
    odds = np.random.default_rng(0).normal(0, 2, (200, 300))
    probability, _ = stability.source_probability(odds, 1.5625e-4)
    assert probability.sum() == pytest.approx(
        stability.SLOPES_PER_KM2 * 200 * 300 * 1.5625e-4, rel=1e-6
    )


def test_steeper_wetter_shaken_slopes_fail_more(mountain):
    """The sign of the physics: more slope (below 45°), shaking or rain raises the odds; more
    cohesion lowers them.
    """
    base = {"stand": 0.0, "slope": 28.0, "around": 28.0, "south": 0.0, "curve": 0.0, "twi": 6.0}
    base |= {"road": 900.0, "river": 900.0, "fault": 3000.0}
    base |= {
        "roots": 5.0,
        "no_soil": 0.0,
        "ndvi": 0.7,
        "rain": 900.0,
        "cohesion": 18.0,
        "friction": 36.0,
        "pga": 0.3,
        "hidden": 0.0,
    }

    def odds(**changed):
        return float(
            stability.log_odds({name: np.array(value) for name, value in (base | changed).items()})
        )

    assert (
        odds(slope=36.0, around=36.0) > odds()
        and odds(pga=0.5) > odds()
        and odds(rain=1200.0) > odds()
    )
    assert (
        odds(cohesion=25.0) < odds()
        and odds(ndvi=0.9) < odds()
        and odds(fault=100.0) > odds()
        and odds(road=20.0) > odds()
    )
    # Interaction: a road cut matters more where the slope around is steep.
    assert odds(road=20.0, around=38.0) - odds(around=38.0) > odds(road=20.0, around=15.0) - odds(
        around=15.0
    )
