"""Fixtures: a small hillside with known landslides, and samples of it."""

import geopandas as gpd
import numpy as np
import pytest
import xarray as xr
from scipy.ndimage import gaussian_filter
from shapely.geometry import box

from lsa_helpers.raster import empty_grid, on_grid

KINDS = {"slope": "continuous", "ndvi": "continuous", "aspect": "circular", "lulc": "categorical"}
CELL, LEFT, TOP = 12.5, 500_000, 3_300_000


def make_hillside(height=80, width=96, seed=0) -> tuple[xr.Dataset, gpd.GeoDataFrame]:
    """Smooth factors, some cells unknown, and square landslides where it is steep."""
    rng = np.random.default_rng(seed)
    smooth = [gaussian_filter(rng.standard_normal((height, width)), 4) for _ in range(4)]
    slope = 30 + 100 * smooth[0]
    aspect = np.where(smooth[2] > 0.12, -1, np.degrees(np.arctan2(smooth[2], smooth[3])) % 360)
    lulc = np.digitize(smooth[3], [-0.03, 0.03]) * 10.0 + 10
    bands = np.stack([slope, smooth[1], aspect, lulc]).astype(np.float32)
    bands[:, :3, :5] = np.nan
    grid = empty_grid((LEFT, TOP - height * CELL, LEFT + width * CELL, TOP), 32648, CELL)
    factors = {
        name: on_grid(band, grid, name, kind=kind, long_name=name.title(), classes={})
        for (name, kind), band in zip(KINDS.items(), bands, strict=True)
    }
    noisy = slope[4:-4, 4:-4] + 4 * rng.standard_normal((height - 8, width - 8))
    steep = np.argwhere(noisy > 42) + 4
    corners = [(LEFT + c * CELL, TOP - r * CELL) for r, c in steep[:: max(1, len(steep) // 60)]]
    squares = [box(x, y - 2 * CELL, x + 2 * CELL, y) for x, y in corners]
    return xr.Dataset(factors), gpd.GeoDataFrame(geometry=squares, crs=32648)


@pytest.fixture(scope="session")
def hillside():
    """(factors, landslides) of one hillside for all tests."""
    return make_hillside()


@pytest.fixture(scope="session")
def sampled(hillside):
    """(factors, sample table with spatial folds) of the hillside."""
    from lsa_helpers.samples import make_samples
    from lsa_helpers.validation.splitter import SpatialBlockKFold

    factors, landslides = hillside
    samples = make_samples(landslides, factors, seed=1, max_per_landslide=4, negative_buffer_m=25)
    splitter = SpatialBlockKFold(5, block_m=200, random_state=1)
    samples.insert(4, "fold", splitter.fold_numbers(samples, samples["label"]))
    return factors, samples
