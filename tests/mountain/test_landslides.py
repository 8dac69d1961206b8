"""Landslides follow their law, their slope and the true probability, and the effects add up."""

import json

import geopandas as gpd
import numpy as np
import pytest
import shapely
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from rasterio import features
from scipy import stats
from scipy.optimize import brentq
from scipy.special import expit, gamma
from sklearn.metrics import roc_auc_score

from lsa_helpers.mountain import landslides, outlines, runout, stability
from lsa_helpers.mountain.landscape import relief_layers
from lsa_helpers.mountain.simulation import make_mountain
from lsa_helpers.raster import empty_grid, on_grid, read_raster, rowcol


@pytest.fixture(scope="module")
def mountain():
    """6 × 5 km without chips or scene: about 90 landslides."""
    return make_mountain(6.0, 5.0, 11)


def covered(table, grid) -> np.ndarray:
    """Cells whose centre lies in a landslide."""
    return landslides.landslide_ids(table, grid.rio.transform(), grid.shape) > 0


@pytest.mark.known_by("theory", "Areas of simulated landslides")
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
    mean = landslides.sample_areas(100_000, np.random.default_rng(1)).mean()
    assert mean == pytest.approx(6.46e6 / 923, rel=0.03)


@given(st.integers(1, 50), st.floats(1000, 1e5))
def test_areas_stay_between_their_limits(count, largest):
    areas = landslides.sample_areas(count, np.random.default_rng(count), largest=largest)
    assert areas.shape == (count,)
    assert areas.min() >= landslides.SMALLEST * 0.999 and areas.max() <= largest * 1.001


def test_landslides_are_valid_apart_and_inside(mountain):
    table = mountain.landslides
    assert table.is_valid.all() and (table.geom_type == "Polygon").all()
    left, bottom, right, top = mountain.layers.rio.bounds()
    bounds = table.total_bounds
    assert bounds[0] >= left and bounds[1] >= bottom and bounds[2] <= right and bounds[3] <= top
    assert table.union_all().area == pytest.approx(table.area.sum(), rel=1e-6)
    # Standing ground between any two, so that each can be told from its neighbours in an image;
    # rounded corners take a few per cent.
    apart = [table.geometry.drop(i).distance(shape).min() for i, shape in table.geometry.items()]
    assert min(apart) >= 0.9 * landslides.GAP
    assert table["id"].tolist() == list(range(1, len(table) + 1))


def test_landslide_ids_by_hand():
    """Cells of 10 m; a square over the centres of the two left cells of the upper row."""
    square = gpd.GeoDataFrame({"id": [7]}, geometry=[shapely.box(0, 10, 20, 20)], crs=32648)
    transform = empty_grid((0, 0, 30, 20), 32648, 10).rio.transform()
    ids = landslides.landslide_ids(square, transform, (2, 3))
    assert ids.tolist() == [[7, 7, 0], [0, 0, 0]]
    assert not landslides.landslide_ids(square.iloc[:0], transform, (2, 3)).any()


def test_landslide_share_of_the_area(mountain):
    """About 2 % of the ground; at 30 km² single large landslides swing it."""
    left, bottom, right, top = mountain.layers.rio.bounds()
    assert 0.01 < mountain.landslides.area.sum() / ((right - left) * (top - bottom)) < 0.035


def test_landslides_run_downhill_and_are_elongated(mountain):
    """The end of the path lies below its start, and the longer side follows the path."""
    large = mountain.landslides[mountain.landslides["area_m2"] > 2000]
    step = 60 * np.column_stack([np.cos(large["direction"]), np.sin(large["direction"])])
    centre = np.column_stack([large.centroid.x, large.centroid.y])
    height, width = mountain.probability.shape

    def altitude(points):
        row, column = rowcol(mountain.layers, *points.T)
        inside = row.clip(0, height - 1), column.clip(0, width - 1)
        return mountain.layers.elevation.values[inside]

    assert np.mean(altitude(centre + step) < altitude(centre - step)) > 0.95
    boxes = large.minimum_rotated_rectangle()
    corners = np.array([rectangle.exterior.coords[:3] for rectangle in boxes])
    sides = np.hypot(*np.moveaxis(np.diff(corners, axis=1), -1, 0))
    assert np.median(sides.max(axis=1) / sides.min(axis=1)) > 1.5


def test_no_landslide_runs_beyond_its_reach(mountain):
    """Each cell lies under a line that falls from the highest cell by the reach angle. The scarp is
    as wide as the landslide (the shorter side of its box), so distances count from its nearer end.
    """
    table = mountain.landslides
    ids = landslides.landslide_ids(
        table, mountain.layers.rio.transform(), mountain.layers.slope.shape
    )
    corners = np.array([box.exterior.coords[:3] for box in table.minimum_rotated_rectangle()])
    widths = np.hypot(*np.moveaxis(np.diff(corners, axis=1), -1, 0)).min(axis=1)
    seen = [number for number in table["id"] if (ids == number).any()]
    assert len(seen) > 50
    for number in seen:
        row, column = np.nonzero(ids == number)
        height = mountain.layers.elevation.values[row, column]
        top = height.argmax()
        distance = 12.5 * np.hypot(row - row[top], column - column[top]) - widths[number - 1]
        assert np.all(height <= height[top] - 0.357 * np.maximum(distance, 0)), number


def test_the_reach_angle_is_that_of_debris_slides_of_the_mean_volume():
    """log10(H / L) = −0.012 − 0.105 log10 V at 7,000 m² by 2 m (Corominas 1996)."""
    volume = 7000 * stability.SOIL_DEPTH
    assert pytest.approx(10 ** (-0.012 - 0.105 * np.log10(volume)), abs=5e-4) == outlines.REACH


def path_on_a_ramp(x: float, length: float) -> np.ndarray:
    """From x on a slope of tangent 0.8 that falls east from 200 m on for `length` m and is flat
    before and behind: cells of 10 m, steps of 20 m.
    """
    centre = 5.0 + 10 * np.arange(100)
    inside = (centre > 200) & (centre < 200 + length)
    elevation = np.tile(1000 - 0.8 * np.clip(centre - 200, 0, length), (30, 1))
    gradient = np.stack([np.tile(-0.8 * inside - 1e-6, (30, 1)), np.zeros((30, 100))])
    ground = outlines.Ground(elevation, gradient, Affine(10, 0, 0, 0, -10, 300))
    return outlines._descend((x, 150.0), 20.0, ground)


def test_a_path_ends_where_it_leaves_the_reach_angle():
    """From 5 m below the top of 100 m to the foot it falls 0.8 · 95 m = 76 m, and 76 m / 0.357 are
    10 steps of 20 m and a rest. A long slope is followed to the end of the path, flat ground not.
    """
    path = path_on_a_ramp(205.0, 100)
    assert len(path) - 1 == int(76 / outlines.REACH / 20) == 10
    np.testing.assert_allclose(path[-1], [405, 150], atol=1e-6)
    assert len(path_on_a_ramp(205.0, 700)) == outlines.POINTS + 1
    assert len(path_on_a_ramp(355.0, 100)) == 1


def test_a_landslide_in_a_valley_does_not_climb_its_sides():
    """Along the line of a V-shaped valley that falls by 0.5 and whose sides rise by 1.5: nowhere
    above the line of reach, counted from the nearer end of a scarp as wide as the landslide there.
    """
    x, y = np.meshgrid(5.0 + 10 * np.arange(100), 295.0 - 10 * np.arange(30))
    aside = np.abs(y - 155.0)
    gradient = np.stack([np.full(x.shape, -0.5), np.zeros(x.shape)])
    ground = outlines.Ground(1000 - 0.5 * x + 1.5 * aside, gradient, Affine(10, 0, 0, 0, -10, 300))
    outline, direction = outlines.landslide_outline(
        (205.0, 155.0), 20_000.0, ground, np.random.default_rng(0)
    )
    assert direction == pytest.approx(0) and outline.area < 15_000
    along, aside = np.abs(shapely.get_coordinates(outline) - [205, 155]).T
    height = -0.5 * along + 1.5 * aside
    assert np.all(height <= -0.357 * (along - aside) + 1.5 * 0.03 * along.max())


def test_a_landslide_begins_at_its_highest_cell():
    """Its scarp, not its toe, is where it starts: at x = 205 m on a plane that falls east."""
    ground = outlines.Ground(
        np.tile(1000 - 6.0 * np.arange(100), (30, 1)),
        np.stack([np.full((30, 100), -0.6), np.zeros((30, 100))]),
        Affine(10, 0, 0, 0, -10, 300),
    )
    outline, direction = outlines.landslide_outline(
        (205.0, 150.0), 6000.0, ground, np.random.default_rng(1)
    )
    left, _, right, _ = outline.bounds
    assert direction == pytest.approx(0) and left == pytest.approx(205, abs=5) and right > 270


@pytest.mark.parametrize(("tangent", "runs"), [(0.3, False), (0.8, True)])
def test_the_probability_runs_out_on_slopes_steeper_than_the_reach_angle(tangent, runs):
    """Landslides of one cell on a plane that falls east: 60 m east of it some, if the plane is
    steep; as far to the west none.
    """
    grid = empty_grid((0, 0, 1250, 500), 32648, 12.5)
    plane = np.tile(2000 - tangent * grid.x.values, (grid.sizes["y"], 1))
    layers = relief_layers(on_grid(plane, grid, "elevation", "m"))
    source = np.zeros(grid.shape)
    source[20, 40] = 0.1
    probability = runout.landslide_probability(layers, source, np.random.default_rng(0))
    assert (probability[20, 45] > 1e-4) == runs
    assert probability[20, 40] > 1e-3 and probability[20, 35] == 0


@pytest.mark.known_by("simulation", "True probability of the mountain")
def test_probability_is_calibrated(mountain):
    """Over eight inventories drawn anew, cells grouped by their probability hold about that share
    of landslide.
    """
    layers, probability = mountain.layers, mountain.probability.values
    odds = stability.log_odds(stability.stability_features(layers, 11))
    source = stability.source_probability(odds, 12.5)
    inventories = (
        landslides.make_landslides(layers, source, np.random.default_rng(number))
        for number in range(8)
    )
    share = np.mean([covered(table, mountain.probability) for table in inventories], axis=0)
    assert probability.mean() == pytest.approx(share.mean(), rel=0.25)
    deciles = np.array_split(np.argsort(probability, axis=None), 10)
    predicted = np.array([probability.ravel()[cells].mean() for cells in deciles])
    observed = np.array([share.ravel()[cells].mean() for cells in deciles])
    np.testing.assert_allclose(observed[-2:], predicted[-2:], rtol=0.35)
    assert observed[:5].sum() < 0.05 * observed.sum()
    gentle = layers.slope.values < 20  # where run-out ends
    assert probability[gentle].mean() == pytest.approx(share[gentle].mean(), rel=0.35)


def test_the_oracle_is_recomputed_from_the_files(world):
    """effects.json's oracle equals scikit-learn's AUC of probability.tif for the cells of
    landslides.gpkg.
    """
    truth = read_raster(world / "truth" / "probability.tif")
    assert list(truth) == ["probability"] and truth.probability.shape == (160, 240)
    probability = truth.probability.values
    assert probability.min() >= 0 and probability.max() < 1
    table = gpd.read_file(world / "truth" / "landslides.gpkg")
    inside = features.rasterize(
        table.geometry, out_shape=probability.shape, transform=truth.rio.transform()
    )
    oracle = json.loads((world / "truth" / "effects.json").read_text())["oracle_auc"]
    assert oracle < 1
    assert oracle == pytest.approx(roc_auc_score(inside.ravel(), probability.ravel()), abs=1e-4)


def test_the_oracle_is_above_every_single_factor(mountain):
    inside = covered(mountain.landslides, mountain.probability).ravel()
    names = ["elevation", "slope", "ndvi", "rain", "pga", "road", "river", "fault"]
    scores = [roc_auc_score(inside, mountain.layers[name].values.ravel()) for name in names]
    best = max(max(score, 1 - score) for score in scores)
    assert best < roc_auc_score(inside, mountain.probability.values.ravel()) < 1


def test_source_probability_gives_the_wanted_number():
    odds = np.random.default_rng(0).normal(0, 2, (200, 300))
    expected = stability.source_probability(odds, 12.5).sum()
    wanted = stability.LANDSLIDES_PER_KM2 * 200 * 300 * 1.5625e-4
    assert expected == pytest.approx(wanted, rel=1e-6)


def test_what_is_unknown_is_integrated_out():
    """On cells of 300 m, where the odds are far from small: the mean over 200,000 normal draws."""
    odds = np.array([-1.0, 0.0, 2.0])
    mean = stability.source_probability(odds, 300.0, unknown=0.9)
    draws = 0.9 * np.random.default_rng(0).standard_normal(200_000)[:, None]
    sampled = brentq(lambda c: expit(odds + c + draws).mean() - mean.mean(), -10, 10)
    np.testing.assert_allclose(mean, expit(odds + sampled + draws).mean(axis=0), atol=1e-3)
    assert mean.sum() == pytest.approx(3 * 2.95 * 0.09)
    sharp = stability.source_probability(odds, 300.0)
    assert np.ptp(mean) < np.ptp(sharp)


BASE = {"stand": 0.0, "slope": 28.0, "around": 28.0, "south": 0.0, "curve": 0.0, "twi": 6.0}
BASE |= {"road": 900.0, "river": 900.0, "fault": 3000.0, "roots": 5.0, "no_soil": 0.0, "ndvi": 0.7}
BASE |= {"rain": 900.0, "cohesion": 18.0, "friction": 36.0, "pga": 0.3, "hidden": 0.0}


def odds(**changed) -> float:
    return float(stability.log_odds({"all": {k: np.array(v) for k, v in (BASE | changed).items()}}))


@pytest.mark.known_by("values by hand", "Slope stability of the mountain")
def test_log_odds_by_hand():
    """A dry slope of 45° without shaking, cuts or roots: FS = c / (γ z sinβ cosβ) + tanφ / tanβ."""
    dry = dict(slope=45.0, around=45.0, twi=0.0, pga=0.0, fault=1e9, road=1e9, river=1e9, roots=0.0)
    safety = 18 / (19 * 2 * 0.5) + np.tan(np.deg2rad(36))
    bare = 2.2 / (1 + np.exp(5 / 3))
    assert odds(**dry) == pytest.approx(-8 * np.log(safety) - bare, rel=1e-4)


@pytest.mark.parametrize(
    "changed",
    [dict(slope=36.0, around=36.0), dict(pga=0.5), dict(rain=1200.0), dict(fault=100.0)]
    + [dict(road=20.0), dict(cohesion=12.0), dict(ndvi=0.4)],
)
def test_steeper_wetter_shaken_weaker_slopes_fail_more(changed):
    """The sign of the physics below 45°."""
    assert odds(**changed) > odds()


def test_a_road_cut_matters_more_where_the_slope_around_is_steep():
    steep = odds(road=20.0, around=38.0) - odds(around=38.0)
    assert steep > odds(road=20.0, around=15.0) - odds(around=15.0)
