"""The grid and its rasters."""

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st

from lsa_helpers.errors import InputError
from lsa_helpers.grid import Grid, read_raster, write_raster

UTM = "EPSG:32648"


@given(st.integers(1, 60), st.integers(1, 60), st.sampled_from([0.5, 10.0, 12.5, 30.0]))
def test_centres_lie_in_their_cells(height, width, cell):
    grid = Grid.from_bounds((1000, 2000, 1000 + width * cell, 2000 + height * cell), UTM, cell)
    assert grid.shape == (height, width)
    x, y = grid.centres()
    np.testing.assert_array_equal(grid.rowcol(x, np.full_like(x, y[0]))[1], np.arange(width))
    np.testing.assert_array_equal(grid.rowcol(np.full_like(y, x[0]), y)[0], np.arange(height))
    assert not grid.inside(*grid.rowcol(grid.bounds[0] - 1, grid.bounds[1] - 1))


def test_a_raster_comes_back_as_it_was(tmp_path):
    grid = Grid.from_bounds((0, 0, 3000, 2500), UTM, 12.5)
    bands = np.random.default_rng(0).normal(size=(2, *grid.shape)).astype(np.float32)
    bands[0, :3] = np.nan
    file = write_raster(tmp_path / "x.tif", bands, grid, ["a", "b"], ["m", "°"])
    values, again, names = read_raster(file, ["b", "a"])
    np.testing.assert_array_equal(values, bands[::-1])
    assert (again, names) == (grid, ["b", "a"])
    with rasterio.open(file) as raster:
        assert raster.units == ("m", "°")
        assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert raster.profile["tiled"]


def test_same_values_same_bytes(tmp_path):
    grid = Grid.from_bounds((0, 0, 100, 100), UTM, 10)
    files = [
        write_raster(tmp_path / f"{name}.tif", np.eye(10, dtype=np.float32), grid, ["a"])
        for name in "xy"
    ]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_classes_are_bytes_with_zero_as_nodata(tmp_path):
    grid = Grid.from_bounds((0, 0, 100, 100), UTM, 10)
    file = write_raster(tmp_path / "x.tif", np.full(grid.shape, 5), grid, ["class"])
    with rasterio.open(file) as raster:
        assert (raster.dtypes, raster.nodata) == (("uint8",), 0)


def test_a_missing_band_is_named(tmp_path):
    grid = Grid.from_bounds((0, 0, 100, 100), UTM, 10)
    file = write_raster(tmp_path / "x.tif", np.eye(10, dtype=np.float32), grid, ["slope"])
    with pytest.raises(InputError, match=r"x\.tif.*aspect.*slope"):
        read_raster(file, ["aspect"])
    with pytest.raises(InputError, match=r"none\.tif"):
        read_raster(tmp_path / "none.tif")
