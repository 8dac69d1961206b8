"""A small hillside with known landslides for the rooms from samples to validate."""

import geopandas as gpd
import numpy as np
import pytest
from affine import Affine
from rasterio.crs import CRS
from scipy.ndimage import gaussian_filter
from shapely.geometry import box

from lsa_helpers.factors import FactorStack
from lsa_helpers.grid import Grid

KINDS = {"slope": "continuous", "ndvi": "continuous", "aspect": "circular", "lulc": "categorical"}


def make_hillside(height=80, width=96, cell=12.5, seed=0):
    """(FactorStack, GeoDataFrame): smooth factors, some unknown cells, and square landslides where
    it is steep.
    """
    rng = np.random.default_rng(seed)
    smooth = [gaussian_filter(rng.standard_normal((height, width)), 4) for _ in range(4)]
    slope = 30 + 100 * smooth[0]
    aspect = np.where(smooth[2] > 0.12, -1, np.degrees(np.arctan2(smooth[2], smooth[3])) % 360)
    lulc = np.digitize(smooth[3], [-0.03, 0.03]) * 10.0 + 10
    values = np.stack([slope, smooth[1], aspect, lulc]).astype(np.float32)
    values[:, :3, :5] = np.nan
    grid = Grid(CRS.from_epsg(32648), Affine(cell, 0, 500_000, 0, -cell, 3_300_000), height, width)
    info = {
        name: {
            "label": name.title(),
            "unit": "1",
            "kind": kind,
            "native_resolution_m": cell,
            "source": "fake",
            "classes": {},
        }
        for name, kind in KINDS.items()
    }
    steep = (
        np.argwhere(slope[4:-4, 4:-4] + 4 * rng.standard_normal((height - 8, width - 8)) > 42) + 4
    )
    corners = [
        (500_000 + c * cell, 3_300_000 - r * cell) for r, c in steep[:: max(1, len(steep) // 60)]
    ]
    squares = [box(x, y - 2 * cell, x + 2 * cell, y) for x, y in corners]
    shapes = gpd.GeoDataFrame({"score": [0.9] * len(corners)}, geometry=squares, crs=32648)
    return FactorStack(values, grid, tuple(KINDS), info), shapes


@pytest.fixture(scope="session")
def hillside():
    """One hillside for all tests."""
    return make_hillside()


@pytest.fixture(scope="session")
def sampled(hillside):
    """(stack, sample table) of the hillside."""
    from lsa_helpers.samples import make_samples

    stack, shapes = hillside
    return stack, make_samples(
        shapes, stack, seed=1, max_per_landslide=4, negative_buffer_m=25, block_m=200
    )


@pytest.fixture(scope="session")
def left(hillside, tmp_path_factory):
    """(Run, parameters of chapter 08): what chapters 01 to 05 leave of the hillside, one of its
    models with searched settings.
    """
    from lsa_helpers import models, samples, validation
    from lsa_helpers.factors import write_stack
    from lsa_helpers.grid import write_raster
    from lsa_helpers.run import Run
    from lsa_helpers.runner.params import ValidationParams

    (stack, shapes), run = hillside, Run(tmp_path_factory.mktemp("left"))
    write_stack(stack, run)
    table = samples.make_samples(
        shapes, stack, seed=1, max_per_landslide=4, negative_buffer_m=25, block_m=300, n_folds=3
    )
    samples.write_samples(table, run)
    for layer, part in (("reference", shapes), ("detected", shapes.iloc[::2])):
        part.to_file(run.product("inventory.gpkg"), layer=layer)
    probability = np.where(
        stack.valid, 1 / (1 + np.exp((40 - stack.band("slope")) / 4)), np.nan
    ).astype(np.float32)
    write_raster(run.product("truth/probability.tif"), probability, stack.grid, ["probability"])
    shapes.to_file(run.product("truth/landslides.gpkg"))
    small = {
        "cnn": {"window": 7, "seeds": 1, "epochs": 2},
        "rf": {"n_trees": 12},
        "svm": {"c": 2.0},
    }
    makers = {
        name: lambda name=name, own=own, **more: models.make(
            name, factors=stack.names, **(own | more)
        )
        for name, own in small.items()
    }
    makers["svm"] = validation.nested_makers(makers, 2, 3)["svm"]
    fitted = {name: make().fit(stack, table, 0) for name, make in makers.items()}
    for name, model in fitted.items():
        model.save(run.product("models") / name)
        write_raster(
            run.product(f"susceptibility_{name}.tif"),
            model.predict_map(stack),
            stack.grid,
            ["susceptibility"],
        )
    guesses = validation.predictions(
        makers, fitted, stack, table, n_folds=3, seed=0, window_m=7 * stack.grid.cell_size
    )
    samples.write_samples(guesses, run, "predictions.parquet")
    for scheme in ("apparent", "random", "spatial"):
        run.write_table(
            validation.score_table(guesses, table, scheme, block_m=300, seed=0), f"scores_{scheme}"
        )
    return run, ValidationParams(
        block_m=300, heldout_models=list(small), one_block_models=["svm"], n_jobs=1
    )
