"""Samples: where they lie, which folds they get, how factors are coded, what windows hold."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, box

from lsa_helpers.errors import InputError
from lsa_helpers.factors import FactorStack
from lsa_helpers.run import Run
from lsa_helpers.samples import (
    KEYS,
    Encoder,
    extract_windows,
    make_samples,
    read_inventory,
    read_landslides,
)

SMALL = {"max_per_landslide": 4, "negative_buffer_m": 25, "block_m": 200}


def test_positives_lie_inside_their_polygon_and_are_capped(hillside, sampled):
    _, shapes = hillside
    _, table = sampled
    slides = table[table["label"] == 1]
    inside = [
        shapes.geometry.iloc[row.landslide_id].contains(Point(row.x, row.y))
        for row in slides.itertuples()
    ]
    assert all(inside)
    assert slides.groupby("landslide_id").size().max() == 4


def test_negatives_are_as_many_known_and_far_from_landslides(hillside, sampled):
    stack, shapes = hillside
    _, table = sampled
    free = table[table["label"] == 0]
    assert len(free) == (table["label"] == 1).sum()
    distance = gpd.GeoSeries(gpd.points_from_xy(free["x"], free["y"]), crs=shapes.crs).distance(
        shapes.union_all()
    )
    assert distance.min() > 25 - stack.grid.cell_size
    assert table[list(stack.names)].notna().all().all()


def test_table_columns_and_raw_values(sampled):
    stack, table = sampled
    assert list(table.columns) == [*KEYS, *stack.names]
    row, col = stack.grid.rowcol(table["x"], table["y"])
    np.testing.assert_array_equal(table[list(stack.names)].to_numpy().T, stack.values[:, row, col])


def test_a_landslide_stays_in_one_fold_and_folds_are_even(sampled):
    _, table = sampled
    slides = table[table["label"] == 1]
    assert slides.groupby("landslide_id")["fold"].nunique().max() == 1
    counts = table.groupby(["fold", "label"]).size()
    assert len(counts) == 10 and counts.min() > 0.6 * counts.mean()


def test_small_polygon_takes_the_cell_under_it(hillside):
    stack, _ = hillside
    xs, ys = stack.grid.centres()
    corners = [(xs[c] + 4, ys[r] + 4) for r in range(10, 75, 8) for c in range(10, 90, 8)]
    tiny = gpd.GeoDataFrame(
        geometry=[box(x, y, x + 1, y + 1) for x, y in corners], crs=stack.grid.crs
    )
    table = make_samples(tiny, stack, seed=0, **SMALL)
    slides = table[table["label"] == 1].sort_values("landslide_id")
    np.testing.assert_allclose(slides[["x", "y"]], np.array(corners) - 4)


def test_one_point_takes_the_centre(hillside):
    stack, shapes = hillside
    table = make_samples(shapes, stack, seed=0, positives="point", **SMALL)
    slides = table[table["label"] == 1]
    assert slides["landslide_id"].is_unique
    centres = shapes.geometry.iloc[slides["landslide_id"]].centroid
    assert (
        np.hypot(slides["x"] - centres.x.to_numpy(), slides["y"] - centres.y.to_numpy()).max()
        <= 1.5 * stack.grid.cell_size
    )


def test_labelled_points_are_used_as_they_are(hillside):
    stack, _ = hillside
    rng = np.random.default_rng(0)
    left, bottom, right, top = stack.grid.bounds
    x, y = rng.uniform(left - 50, right, 200), rng.uniform(bottom, top, 200)
    points = gpd.GeoDataFrame(
        {"label": rng.integers(0, 2, 200)}, geometry=gpd.points_from_xy(x, y), crs=stack.grid.crs
    )
    table = make_samples(points, stack, seed=0, block_m=200)
    row, col = stack.grid.rowcol(x, y)
    known = (
        stack.grid.inside(row, col)
        & np.append(stack.valid.ravel(), False)[
            np.where(stack.grid.inside(row, col), row * 96 + col, -1)
        ]
    )
    np.testing.assert_array_equal(table["x"], x[known])
    np.testing.assert_array_equal(table["label"], points["label"][known])


def test_the_seed_decides(hillside):
    stack, shapes = hillside
    first, again, other = (make_samples(shapes, stack, seed=seed, **SMALL) for seed in (3, 3, 4))
    pd.testing.assert_frame_equal(first, again)
    assert not first["x"].equals(other["x"])


def test_wrong_inventories_are_explained(hillside):
    stack, shapes = hillside
    with pytest.raises(InputError, match="holds no landslide"):
        make_samples(shapes.iloc[:0], stack, seed=0)
    with pytest.raises(InputError, match="spatial folds need"):
        make_samples(shapes.iloc[:2], stack, seed=0, block_m=5000)
    with pytest.raises(InputError, match="overlap"):
        make_samples(shapes.translate(1e6).to_frame("geometry"), stack, seed=0)
    with pytest.raises(InputError, match="oo few cells"):
        make_samples(shapes, stack, seed=0, negative_buffer_m=1000)
    points = gpd.GeoDataFrame(
        {"label": [1, 1]}, geometry=shapes.centroid.iloc[:2].to_numpy(), crs=shapes.crs
    )
    with pytest.raises(InputError, match="cells without"):
        make_samples(points, stack, seed=0)


def test_inventory_auto_takes_detected_only_where_there_are_enough(hillside, tmp_path):
    _, shapes = hillside
    run = Run(tmp_path)
    run.product("x").parent.mkdir()
    shapes.to_file(run.product("inventory.gpkg"), layer="reference")
    shapes.iloc[:12].to_file(run.product("inventory.gpkg"), layer="detected")
    found, layer = read_inventory(run, "auto")
    assert (len(found), layer) == (12, "detected")
    assert read_inventory(run, "auto", at_least=20)[1] == "reference"
    assert read_inventory(run, "reference")[1] == "reference"


def test_encoder_by_hand():
    table = pd.DataFrame({"slope": [0.0, 10, 20], "aspect": [90.0, -1, 180], "lulc": [3.0, 1, 3]})
    info = {
        "slope": {"kind": "continuous"},
        "aspect": {"kind": "circular"},
        "lulc": {"kind": "categorical"},
    }
    encoder = Encoder.fit(table, info, list(info))
    assert encoder.columns == ("slope", "aspect_sin", "aspect_cos", "lulc=1", "lulc=3")
    assert encoder.groups == ("slope", "aspect", "aspect", "lulc", "lulc")
    z = 10 / np.sqrt(200 / 3)
    expected = [[-z, 1, 0, 0, 1], [0, 0, 0, 1, 0], [z, 0, -1, 0, 1]]
    np.testing.assert_allclose(encoder.table(table), expected, atol=1e-6)
    unseen = encoder.table(pd.DataFrame({"slope": [10.0], "aspect": [0.0], "lulc": [7.0]}))
    np.testing.assert_allclose(unseen, [[0, 0, 1, 0, 0]], atol=1e-6)


@settings(max_examples=25)
@given(seed=st.integers(0, 1000), holes=st.floats(0, 0.5))
def test_encoder_codes_stack_and_table_alike(hillside, seed, holes):
    stack, _ = hillside
    rng = np.random.default_rng(seed)
    values = np.where(rng.random(stack.values.shape) < holes, np.nan, stack.values)
    stack = FactorStack(values.astype(np.float32), stack.grid, stack.names, stack.info)
    table = pd.DataFrame(stack.values.reshape(len(stack.names), -1).T, columns=list(stack.names))
    encoder = Encoder.fit(table.dropna().sample(50, random_state=seed), stack.info, stack.names)
    np.testing.assert_array_equal(
        encoder.stack(stack).reshape(len(encoder.columns), -1).T, encoder.table(table)
    )


def test_windows_are_centred_and_mirrored():
    raster = np.arange(20, dtype=np.float32).reshape(1, 4, 5)
    windows = extract_windows(raster, np.array([1, 0]), np.array([2, 0]), 3)
    np.testing.assert_array_equal(windows[0, 0], [[1, 2, 3], [6, 7, 8], [11, 12, 13]])
    np.testing.assert_array_equal(windows[1, 0], [[6, 5, 6], [1, 0, 1], [6, 5, 6]])


def test_an_inventory_in_degrees_gives_the_same_samples(hillside):
    """Polygons and points in EPSG:4326 fall on the cells they fall on in the grid's own CRS."""
    stack, shapes = hillside
    points = shapes.assign(geometry=shapes.representative_point(), label=np.arange(len(shapes)) % 2)
    for inventory in (shapes, points):
        own, degrees = (
            make_samples(each, stack, seed=0, **SMALL)
            for each in (inventory, inventory.to_crs(4326))
        )
        np.testing.assert_allclose(
            degrees[["x", "y", "label"]], own[["x", "y", "label"]], atol=1e-3
        )


def test_an_inventory_without_a_place_is_explained(hillside, tmp_path):
    """No CRS, metres called degrees (which rasterio would burn for ever), points elsewhere: what
    was found is in the message.
    """
    stack, shapes = hillside
    nowhere = shapes.set_crs(None, allow_override=True)
    with pytest.raises(InputError, match="no CRS"):
        make_samples(nowhere, stack, seed=0)
    with pytest.raises(InputError, match="overlap.*EPSG:4326, 500"):
        make_samples(shapes.set_crs(4326, allow_override=True), stack, seed=0)
    points = gpd.GeoDataFrame({"label": [0, 1]}, geometry=[Point(3, 4), Point(5, 6)], crs=4326)
    with pytest.raises(InputError, match="overlap.*EPSG:4326, 3 to 5 east, 4 to 6 north"):
        make_samples(points, stack, seed=0)
    run = Run(tmp_path)
    run.product("x").parent.mkdir()
    with pytest.warns(UserWarning, match="crs"):
        nowhere.to_file(run.product("inventory.gpkg"), layer="reference")
    for read in (read_inventory, read_landslides):
        with pytest.raises(InputError, match=r'inventory\.gpkg.*"reference".*no CRS'):
            read(run, "auto")
