"""Valleys drain, slopes stay near their threshold, fields have the promised moments."""

import geopandas as gpd
import numpy as np
import pyflwdir
import pytest
import rasterio
from shapely.geometry import LineString

from lsa_helpers.mountain.erosion import _incise, drainage
from lsa_helpers.mountain.landscape import _distance_to_lines
from lsa_helpers.mountain.noise import periodic_texture, smooth_field
from lsa_helpers.raster import empty_grid


@pytest.fixture(scope="module")
def elevation(world) -> np.ndarray:
    with rasterio.open(next((world / "dem").glob("AP_*_RT1.dem.tif"))) as file:
        return file.read(1)


def test_dem_has_no_depression(elevation):
    """Filling changes nothing beyond the rounding to centimetres."""
    filled, _ = pyflwdir.dem.fill_depressions(elevation.astype(np.float32), outlets="edge")
    assert (filled - elevation).max() <= 0.02


def test_every_cell_reaches_the_border(elevation):
    """Following pyflwdir's own directions, every cell ends in a border cell."""
    flow = pyflwdir.from_dem(elevation.astype(np.float32), outlets="edge")
    assert flow.idxs_seq.size == elevation.size
    rows, columns = np.unravel_index(flow.idxs_pit, elevation.shape)
    height, width = elevation.shape
    assert np.all(np.isin(rows, (0, height - 1)) | np.isin(columns, (0, width - 1)))


def test_drainage_draws_no_loop(elevation):
    """Steepest-descent directions order every cell too; all area leaves through the border."""
    _, flow = drainage(elevation)
    assert flow.idxs_seq.size == elevation.size
    assert flow.upstream_area("cell").ravel()[flow.idxs_pit].sum() == elevation.size


def test_drainage_takes_the_steepest_neighbour():
    """On a plane that falls four times as fast south as east, water goes straight south."""
    rows, columns = np.indices((6, 6))
    _, flow = drainage(1000.0 - 20 * rows - 5 * columns)
    assert flow.idxs_ds.reshape(6, 6)[2, 2] == 3 * 6 + 2


@pytest.mark.known_by("an identity", "River incision")
def test_incision_solves_the_implicit_equation():
    """Three cells in a row of 10 m: z = (z + f z_below) / (1 + f) from the outlet up, worked out by
    hand.
    """
    elevation = np.array([[0, 0, 0, 0, 0], [0.0, 100, 100, 100, 500], [500.0] * 5]).ravel()
    receiver = np.arange(15)
    receiver[[6, 7]] = 5, 6
    strength = np.full(15, 10.0)  # f = 10 / 10 = 1
    elevation[:5] = 500
    _incise(np.array([5, 6, 7]), receiver, elevation, strength, np.full(15, 1e6), 10.0, 5)
    np.testing.assert_allclose(elevation[5:8], [0, 50, 75])


def test_incision_holds_the_threshold_gradient():
    """No incision, threshold 0.5: one cell beside a valley at 0 m may stand 5 m above it."""
    elevation = np.array([[500.0] * 3, [0.0, 80.0, 500.0], [500.0] * 3]).ravel()
    receiver = np.arange(9)
    receiver[4] = 3
    _incise(np.array([3, 4]), receiver, elevation, np.zeros(9), np.full(9, 0.5), 10.0, 3)
    assert elevation[4] == 5.0


def test_distances_count_from_every_cell_a_line_touches():
    """Cells of 10 m; a line through three cells of the lower row and one of the middle row."""
    line = gpd.GeoDataFrame(geometry=[LineString([(2, 2), (28, 12)])], crs=32648)
    distance = _distance_to_lines(line, empty_grid((0, 0, 30, 30), 32648, 10))
    expected = [[20, 2**0.5 * 10, 10], [10, 10, 0], [0, 0, 0]]
    np.testing.assert_allclose(distance, expected, rtol=1e-6)


def test_relief_and_slopes_are_those_of_mountains(elevation):
    """A 3 × 2 km window of a high mountain: hundreds of metres of relief, hillslopes near 30°."""
    south, east = np.gradient(elevation.astype(float), 12.5)
    slope = np.degrees(np.arctan(np.hypot(south, east)))
    assert 400 < np.ptp(elevation) < 2500
    assert 24 < np.median(slope) < 38
    assert np.percentile(slope, 99) < 65


def test_smooth_field_has_unit_variance_and_varies_over_its_scale():
    """Neighbours are alike, cells two scales apart are not."""
    field = smooth_field((600, 600), 20.0, np.random.default_rng(0), octaves=2).astype(float)
    assert field.std() == pytest.approx(1, abs=0.15)
    assert np.corrcoef(field[:, :-1].ravel(), field[:, 1:].ravel())[0, 1] > 0.95
    assert abs(np.corrcoef(field[:, :-40].ravel(), field[:, 40:].ravel())[0, 1]) < 0.2


def test_texture_is_periodic():
    """The step across the seam is no larger than a step inside."""
    tile = periodic_texture(64, 2.0, 0)
    assert np.abs(tile[:, 0] - tile[:, -1]).mean() < 1.5 * np.abs(np.diff(tile, axis=1)).mean()
