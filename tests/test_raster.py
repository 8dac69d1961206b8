"""Rasters: what is written comes back, cells and coordinates agree, chunks change nothing."""

import numpy as np
import pytest
import rasterio
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from lsa_helpers.errors import InputError
from lsa_helpers.raster import (
    cell_size,
    empty_grid,
    known_cells,
    on_grid,
    read_factors,
    read_raster,
    rowcol,
    write_factors,
    write_raster,
)

UTM = "EPSG:32648"


@pytest.fixture
def two_bands() -> xr.Dataset:
    """240 × 200 cells of 12.5 m in metres and degrees, the first rows of one unknown."""
    grid = empty_grid((0, 0, 3000, 2500), UTM, 12.5)
    a, b = np.random.default_rng(0).normal(size=(2, *grid.shape)).astype(np.float32)
    a[:3] = np.nan
    return xr.Dataset({"a": on_grid(a, grid, "a", "m"), "b": on_grid(b, grid, "b", "°")})


@given(st.integers(1, 60), st.integers(1, 60), st.sampled_from([0.5, 10.0, 12.5, 30.0]))
def test_centres_lie_in_their_cells(height, width, cell):
    grid = empty_grid((1000, 2000, 1000 + width * cell, 2000 + height * cell), UTM, cell)
    assert grid.shape == (height, width)
    assert cell_size(grid) == cell
    x, y = np.meshgrid(grid.x, grid.y)
    rows, columns = rowcol(grid, x, y)
    np.testing.assert_array_equal(rows, np.indices(grid.shape)[0])
    np.testing.assert_array_equal(columns, np.indices(grid.shape)[1])
    row, column = rowcol(grid, 999.9, 2000 + height * cell + 0.1)
    assert (row, column) == (-1, -1)


def test_a_grid_covers_bounds_that_are_no_multiple_of_its_cell():
    grid = empty_grid((0, 0, 25, 20.001), UTM, 10)
    assert grid.shape == (3, 3)
    assert grid.rio.bounds() == pytest.approx((0, -9.999, 30, 20.001))


def test_a_raster_comes_back_as_it_was(two_bands, tmp_path):
    file = write_raster(tmp_path / "x.tif", two_bands)
    again = read_raster(file)
    xr.testing.assert_equal(again, two_bands)
    assert (again.rio.crs, again.rio.transform()) == (two_bands.rio.crs, two_bands.rio.transform())
    with rasterio.open(file) as raster:
        assert raster.descriptions == ("a", "b")
        assert raster.units == ("m", "°")
        assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert raster.profile["tiled"]
    assert [item.name for item in tmp_path.iterdir()] == ["x.tif"]


def test_the_file_is_a_cog_that_others_can_read(tmp_path):
    """Tiles, an overview that averages what is known, compression, a mask where nothing is."""
    grid = empty_grid((0, 0, 700, 600), UTM, 1)
    values = np.broadcast_to(np.arange(700, dtype=np.float32) / 10, grid.shape).copy()
    values[:3] = np.nan
    file = write_raster(tmp_path / "deep" / "x.tif", on_grid(values, grid, "slope", "°"))
    with rasterio.open(file) as raster:
        assert (raster.block_shapes, raster.overviews(1)) == ([(256, 256)], [2, 4])
        assert raster.compression.name == "deflate"
        assert np.isnan(raster.nodata)
        assert raster.read(1)[599, 123] == np.float32(12.3)
        assert not raster.read_masks(1)[:3].any() and raster.read_masks(1)[3:].all()
    with rasterio.open(file, overview_level=0) as half:
        np.testing.assert_allclose(half.read(1)[[1, 200], 5], 1.05, rtol=1e-6)


def test_chunks_change_neither_values_nor_bytes(two_bands, tmp_path):
    """Chunks of 64 cells, the last ones narrower, read and written again."""
    file = write_raster(tmp_path / "x.tif", two_bands)
    lazy = read_raster(file, chunk=64)
    assert lazy["a"].chunks == ((64, 64, 64, 8), (64, 64, 64, 48))
    xr.testing.assert_equal(lazy.compute(), two_bands)
    assert not known_cells(lazy)[:3].any()
    assert known_cells(lazy)[3:].all()
    assert write_raster(tmp_path / "y.tif", lazy).read_bytes() == file.read_bytes()


def test_classes_are_bytes_with_zero_as_nodata(tmp_path):
    grid = empty_grid((0, 0, 100, 100), UTM, 10)
    file = write_raster(tmp_path / "x.tif", on_grid(np.full(grid.shape, 5), grid, "class"))
    with rasterio.open(file) as raster:
        assert (raster.dtypes, raster.nodata) == (("uint8",), 0)
    assert (read_raster(file)["class"] == 5).all()


def test_factors_keep_what_they_are(two_bands, tmp_path):
    two_bands["a"].attrs |= {"kind": "categorical", "classes": {1: "granite", 2: "shale"}}
    write_factors(tmp_path / "f.tif", two_bands)
    again = read_factors(tmp_path / "f.tif", ["b", "a"])
    assert list(again) == ["b", "a"]
    assert again["a"].attrs["classes"] == {1: "granite", 2: "shale"}


def test_what_cannot_be_read_is_named(two_bands, tmp_path):
    write_factors(tmp_path / "f.tif", two_bands)
    with pytest.raises(InputError, match=r'f\.tif: there is no factor "aa".*Did you mean "a"'):
        read_factors(tmp_path / "f.tif", ["aa"])
    (tmp_path / "f.json").write_text("{")
    with pytest.raises(InputError, match=r"f\.json: the description .* cannot be read"):
        read_factors(tmp_path / "f.tif")
    for chunk in (0, 64):
        with pytest.raises(InputError, match=r"none\.tif: the raster cannot be read"):
            read_raster(tmp_path / "none.tif", chunk)
