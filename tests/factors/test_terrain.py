"""Terrain factors against gdaldem, against surfaces with known derivatives, and against water that
must run out.
"""

import shutil
import subprocess

import numpy as np
import pyflwdir
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lsa_helpers.errors import InputError
from lsa_helpers.factors import terrain
from lsa_helpers.factors.build import TERRAIN
from lsa_helpers.factors.terrain import (
    catchment_area,
    curvatures,
    flow_directions,
    one_ring_wider,
    wetness_index,
)
from lsa_helpers.raster import empty_grid, on_grid, read_raster, write_raster

CELL = 90.0


def raster(altitude: np.ndarray, cell: float) -> xr.DataArray:
    """Altitudes as a DEM on square cells."""
    height, width = altitude.shape
    grid = empty_grid((0, 0, width * cell, height * cell), "EPSG:32616", cell)
    return on_grid(altitude, grid, "altitude", "m", res=(cell, cell))


def make(factor: str, altitude: np.ndarray, cell: float) -> np.ndarray:
    """One terrain factor as chapter 01 makes it."""
    return TERRAIN[factor](raster(altitude, cell)).data


def both_curvatures(altitude: np.ndarray, cell: float) -> list[np.ndarray]:
    return [band.data for band in curvatures(raster(altitude, cell))]


@pytest.fixture(scope="module")
def jacksboro() -> np.ndarray:
    """The SRTM tile that comes with matplotlib, as metres on square cells."""
    from matplotlib import cbook

    with cbook.get_sample_data("jacksboro_fault_dem.npz") as file:
        return file["elevation"].astype(np.float32)


@pytest.fixture(scope="module")
def gdaldem(jacksboro, tmp_path_factory):
    """Function that gives gdaldem's own map of the same DEM."""
    if shutil.which("gdaldem") is None:
        pytest.skip("gdaldem is not installed (Debian: apt install gdal-bin)")
    folder = tmp_path_factory.mktemp("gdal")
    write_raster(folder / "dem.tif", raster(jacksboro, CELL))

    def run(mode: str, *options: str) -> np.ndarray:
        out = folder / f"{mode}.tif"
        subprocess.run(
            ["gdaldem", mode, folder / "dem.tif", out, "-compute_edges", *options],
            check=True,
            capture_output=True,
        )
        return next(iter(read_raster(out).values())).values

    return run


def inner(values: np.ndarray) -> np.ndarray:
    return values[1:-1, 1:-1]


@pytest.mark.known_by("gdaldem", "Slope")
def test_slope_is_gdaldems(jacksboro, gdaldem):
    assert np.abs(inner(make("slope", jacksboro, CELL)) - inner(gdaldem("slope"))).max() < 0.005


@pytest.mark.known_by("gdaldem", "Aspect")
def test_aspect_is_gdaldems(jacksboro, gdaldem):
    ours, theirs = inner(make("aspect", jacksboro, CELL)), inner(gdaldem("aspect"))
    # gdaldem marks flat cells with its nodata value, we with −1.
    flat = ~((theirs >= 0) & (theirs <= 360))
    np.testing.assert_array_equal(ours == -1, flat)
    turned = np.abs(ours - theirs)[~flat]
    assert np.minimum(turned, 360 - turned).max() < 0.01


@pytest.mark.known_by("gdaldem", "Terrain ruggedness index")
def test_ruggedness_is_gdaldems_riley(jacksboro, gdaldem):
    assert (
        np.abs(inner(make("tri", jacksboro, CELL)) - inner(gdaldem("TRI", "-alg", "Riley"))).max()
        < 0.01
    )


def test_edges_have_values(jacksboro):
    for factor in ("slope", "aspect", "tri", "twi"):
        assert np.isfinite(make(factor, jacksboro, CELL)).all()


@pytest.mark.parametrize(("bend", "sign"), [(-0.02, 1), (0.02, -1)])
@pytest.mark.known_by("values by hand", "Plan and profile curvature")
def test_curvatures_of_a_dome_and_a_bowl(bend, sign):
    """z = bend r²/2: contours are circles, so both second derivatives are `bend` in size, in every
    direction.
    """
    y, x = np.mgrid[-20:21, -20:21] * 5.0
    plan, profile = both_curvatures(bend * (x**2 + y**2) / 2, 5.0)
    away = inner(np.hypot(x, y) > 0)
    np.testing.assert_allclose(inner(plan)[away], sign * 0.02, rtol=1e-4)
    np.testing.assert_allclose(inner(profile)[away], -sign * 0.02, rtol=1e-4)


def test_curvatures_of_a_bent_plane():
    """z = 0.5 x + 0.01 y²/2 along x = const, y = 0: across the slope it is a trough (plan −0.01),
    down the slope straight.
    """
    y, x = np.mgrid[-10:11, -10:11] * 10.0
    plan, profile = both_curvatures(0.5 * x + 0.01 * y**2 / 2, 10.0)
    np.testing.assert_allclose(plan[10, 2:-2], -0.01, rtol=1e-5)
    np.testing.assert_allclose(profile[10, 2:-2], 0, atol=1e-7)


@pytest.mark.known_by("values by hand", "Plan and profile curvature")
def test_curvatures_of_a_tilted_saddle():
    """z = 0.001 x y + 0.2 x + 0.1 y with x to the east, y to the north. In the middle the gradient
    is (0.2, 0.1) and only the mixed derivative is left: contours and flow line both bend by
    2 · 0.001 · 0.2 · 0.1 / (0.2² + 0.1²). Mirrored, the saddle bends the other way.
    """
    y, x = np.mgrid[20:-21:-1, -20:21] * 5.0
    for mirror in (1, -1):
        plan, profile = both_curvatures(mirror * 0.001 * x * y + 0.2 * x + 0.1 * y, 5.0)
        assert plan[20, 20] == pytest.approx(mirror * 0.0008, rel=1e-4)
        assert profile[20, 20] == pytest.approx(mirror * 0.0008, rel=1e-4)


def test_a_flat_surface_has_no_curvature_and_no_aspect():
    flat = np.full((8, 9), 7.0)
    assert (make("aspect", flat, 10.0) == -1).all()
    assert not np.any(both_curvatures(flat, 10.0))


@pytest.mark.known_by("values by hand", "Topographic wetness index")
def test_wetness_of_a_tilted_plane():
    """A plane falling south at tan b = 0.2: the k-th row from the top drains k cells, so a = k ·
    cell.
    """
    rows, _ = np.mgrid[0:30, 0:12]
    plane = 1000 - 0.2 * 10.0 * rows
    index = make("twi", plane, 10.0)
    expected = np.log((rows + 1) * 10.0 / 0.2)
    # The slope of the first and last row is one-sided.
    np.testing.assert_allclose(index[1:-1], expected[1:-1], atol=1e-3)


@settings(max_examples=15)
@given(arrays(np.float32, (12, 15), elements=st.floats(0, 500, width=32)))
@pytest.mark.known_by("an identity", "Flow directions")
def test_every_cell_drains(dem):
    """Whatever the surface, all water leaves: the outlets' catchments cover every cell once."""
    flow = pyflwdir.from_array(flow_directions(dem), ftype="d8", check_ftype=False)
    assert flow.isvalid
    area = catchment_area(raster(dem, 1.0)).data
    assert area.ravel()[flow.idxs_pit].sum() == dem.size
    assert area.min() >= 1


def test_flow_crosses_a_pit():
    """A closed pit on a slope swallows no water: all of it leaves through the lowest row."""
    rows, _ = np.mgrid[0:20, 0:7]
    dem = 100.0 - rows
    dem[8:11, 2:5] = 10.0
    outlets = flow_directions(dem) == 0
    assert not outlets[:-1].any()
    assert catchment_area(raster(dem, 1.0)).data[outlets].sum() == dem.size


@settings(max_examples=15)
@given(arrays(np.float32, (6, 7), elements=st.floats(0, 900, width=32)), st.floats(-500, 500))
def test_terrain_does_not_depend_on_the_datum(dem, shift):
    lifted = dem.astype(np.float64) + shift
    np.testing.assert_allclose(make("slope", lifted, 10.0), make("slope", dem, 10.0), atol=0.02)


def test_nodata_spreads_to_neighbours_only():
    dem = np.add.outer(np.arange(9.0), np.zeros(9))
    dem[4, 4] = np.nan
    for band in (
        make("slope", dem, 1.0),
        make("tri", dem, 1.0),
        *both_curvatures(dem, 1.0),
    ):
        gap = np.isnan(band)
        assert gap[3:6, 3:6].all()
        assert gap.sum() == 9


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (30, 1), (2, 2), (15, 15)])
@pytest.mark.parametrize("known", ["all", "none", "one"])
def test_terrain_of_any_extent(shape, known):
    """Every factor has the DEM's shape; nothing is known where the DEM is not, and where all of it
    is known everything is.
    """
    dem = np.add.outer(np.arange(shape[0]), np.arange(shape[1])) * 3.0
    if known != "all":
        dem[...] = np.nan
    if known == "one":
        dem[0, 0] = 5
    made = [make(factor, dem, 10.0) for factor in ("slope", "aspect", "tri", "twi")]
    made.append(catchment_area(raster(dem, 10.0)).data)
    for band in [*made, *both_curvatures(dem, 10.0)]:
        assert band.shape == shape
        assert np.isnan(band[np.isnan(dem)]).all()
        assert known != "all" or np.isfinite(band).all()
    if known == "one":
        assert made[-1][0, 0] == 100


def test_wetness_of_one_cell_and_of_one_row_by_hand():
    """A lone cell is flat and drains itself: ln(10 / 0.001). Of a row falling west by 3 m in 10 m,
    the k-th cell from the east drains k.
    """
    assert make("twi", np.array([[7.0]]), 10.0).item() == pytest.approx(np.log(10 / 1e-3))
    row = make("twi", np.arange(30.0)[None] * 3, 10.0)[0]
    np.testing.assert_allclose(row[1:-1], np.log(np.arange(30, 0, -1) * 10 / 0.3)[1:-1], atol=1e-4)


@pytest.mark.parametrize(
    "factor", ["slope", "aspect", "tri", "plan_curvature", "profile_curvature"]
)
def test_chunks_give_the_same_terrain(factor):
    """In blocks of uneven size, up to the border, with a gap at the edge of a block."""
    altitude = np.random.default_rng(0).normal(1000, 5, (11, 13)).astype(np.float32)
    altitude[4, 6] = np.nan
    dem = raster(altitude, 10.0)
    whole, part = TERRAIN[factor](dem), TERRAIN[factor](dem.chunk(y=4, x=5))
    np.testing.assert_allclose(part.compute(), whole, rtol=1e-5)
    if factor.endswith("curvature"):
        assert part.chunks == ((4, 4, 3), (5, 5, 3)) and part.dtype == np.float32
        assert part.attrs == dem.attrs and int(whole.isnull().sum()) == 9


def test_a_dem_is_continued_along_a_straight_line():
    """Also its coordinates, and of Dask chunks; gaps reach as far as they are known."""
    dem = raster(np.array([[1.0, 3.0, 4.0], [2.0, 2.0, np.nan]]), 10.0)
    expected = [
        [-4, 0, 4, np.nan, np.nan],
        [-1, 1, 3, 4, 5],
        [2, 2, 2, np.nan, np.nan],
        [5, 3, 1, np.nan, np.nan],
    ]
    for heights in (dem, dem.chunk(x=2)):
        wider = one_ring_wider(heights)
        np.testing.assert_array_equal(wider, expected)
        assert wider.x.values.tolist() == [-5, 5, 15, 25, 35]
        assert wider.y.values.tolist() == [25, 15, 5, -5]
        assert wider.attrs == dem.attrs


def test_a_single_row_is_repeated():
    wider = one_ring_wider(raster(np.array([[1.0, 3.0]]), 10.0))
    assert wider.values.tolist() == [[-1, 1, 3, 5]] * 3
    assert one_ring_wider(raster(np.array([[7.0]]), 10.0)).values.tolist() == [[7, 7, 7]] * 3


def test_wetness_by_hand():
    """One row falls east by 1 m in 10 m: its cell k drains k cells of 100 m² through 10 m, over
    tan b = 0.1; flat ground counts as 0.001 steep.
    """
    row = raster(np.array([[30.0, 29, 28, 27]]), 10.0)
    assert catchment_area(row).values.tolist() == [[100, 200, 300, 400]]
    expected = np.log(np.array([[1, 2, 3, 4]]) * 100 / 10 / 0.1)
    np.testing.assert_allclose(wetness_index(row), expected, rtol=1e-5)
    alone = raster(np.array([[np.nan, np.nan], [np.nan, 5.0]]), 10.0)
    area = catchment_area(alone)
    assert area.values[1, 1] == 100 and int(area.notnull().sum()) == 1
    flat = wetness_index(raster(np.full((3, 3), 8.0), 10.0))
    assert float(flat.min()) == pytest.approx(np.log(10 / 0.001))
    with pytest.raises(InputError, match="ater flows across all blocks"):
        catchment_area(row.chunk(x=2))


def test_curvatures_strip_by_strip_are_those_of_the_whole(monkeypatch):
    """Strips of 7 rows, the last of 2, against one: no seam."""
    dem = raster(np.random.default_rng(0).random((30, 20)).cumsum(axis=0), 10.0)
    whole = [band.values for band in curvatures(dem)]
    monkeypatch.setattr(terrain, "_STRIP", 7)
    np.testing.assert_array_equal([band.values for band in curvatures(dem)], whole)
