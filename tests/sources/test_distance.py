"""Distances against brute force; the same from blocks and from a grid features surround."""

import dask.array as da
import geopandas as gpd
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString

from lsa_helpers.raster import empty_grid
from lsa_helpers.sources import Catalog, Entry, distance_to
from lsa_helpers.sources.distance import distance_to_cells


def _brute(marked, cell_size):
    places = np.argwhere(marked)
    rows, cols = np.indices(marked.shape)
    return (
        np.sqrt(
            ((rows[..., None] - places[:, 0]) ** 2 + (cols[..., None] - places[:, 1]) ** 2).min(
                axis=-1
            )
        )
        * cell_size
    )


@settings(max_examples=60)
@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    chunk=st.integers(7, 50),
    count=st.integers(1, 4),
    seed=st.integers(0, 1000),
)
@pytest.mark.known_by("brute force", "Distance to lines")
def test_blocks_give_what_brute_force_gives(height, width, chunk, count, seed):
    """Also where a block, or many, hold no marked cell, and where the last block is a strip."""
    marked = np.zeros((height, width), bool)
    rng = np.random.default_rng(seed)
    marked[rng.integers(height, size=count), rng.integers(width, size=count)] = True
    expected = _brute(marked, 12.5)
    np.testing.assert_allclose(distance_to_cells(marked, 12.5), expected, rtol=1e-6)
    np.testing.assert_allclose(
        distance_to_cells(da.from_array(marked, chunks=chunk), 12.5).compute(scheduler="sync"),
        expected,
        rtol=1e-6,
    )


def test_a_halo_is_no_wider_than_the_farthest_cell_needs():
    """Marks every 100 cells: blocks look about a hundred cells around them, not over the whole
    raster.
    """
    from lsa_helpers.sources.distance import farthest

    marked = np.zeros((1000, 1000), bool)
    marked[::100, ::100] = True
    assert 70 < farthest(da.from_array(marked, chunks=250)) < 200


@pytest.mark.parametrize("outside", [15, 55, 400])
def test_features_beyond_the_grid_count(tmp_path, outside):
    """One road inside and one `outside` m beyond the edge, at first near enough to matter: as if
    the grid were wide.
    """
    grid = empty_grid((300_000, 3_299_000, 300_600, 3_299_300), "EPSG:32648", 10.0)
    lines = [LineString([(x, 3_298_000), (x, 3_300_000)]) for x in (300_405.0, 300_000.0 - outside)]
    gpd.GeoDataFrame(geometry=lines, crs="EPSG:32648").to_file(tmp_path / "roads.gpkg")
    found = distance_to(Catalog(folder=tmp_path), Entry(path="roads.gpkg"), grid)
    columns = np.arange(60)
    expected = np.minimum(np.abs(columns - 40), columns + (outside + 9) // 10) * 10.0
    np.testing.assert_allclose(found, np.broadcast_to(expected, grid.shape), atol=1e-3)
