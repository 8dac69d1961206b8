"""Samples: where they lie, what they hold, which inventories are refused."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from shapely.geometry import Point, box

from lsa_helpers.errors import InputError, InputNote
from lsa_helpers.raster import cell_size, empty_grid, known_cells, on_grid, rowcol
from lsa_helpers.samples import (
    KEYS,
    landslide_numbers,
    load_landslides,
    make_samples,
    write_samples,
)

SMALL = {"max_per_landslide": 4, "negative_buffer_m": 25}


def test_positives_lie_inside_their_polygon_and_are_capped(hillside, sampled):
    _, landslides = hillside
    slides = sampled[1][sampled[1]["label"] == 1]
    inside = [
        landslides.geometry.iloc[row.landslide_id].contains(Point(row.x, row.y))
        for row in slides.itertuples()
    ]
    assert all(inside)
    assert slides.groupby("landslide_id").size().max() == 4


def test_a_large_inventory_is_thinned_evenly(hillside):
    """Every landslide keeps a cell before any keeps its second; without need nothing changes."""
    factors, landslides = hillside
    whole = make_samples(landslides, factors, seed=0, **SMALL)
    same = make_samples(landslides, factors, seed=0, max_positives=10_000, **SMALL)
    pd.testing.assert_frame_equal(whole, same)
    n_landslides = whole["landslide_id"].nunique() - 1
    few = make_samples(landslides, factors, seed=0, max_positives=n_landslides + 5, **SMALL)
    counts = few[few["label"] == 1].groupby("landslide_id").size()
    assert len(counts) == n_landslides
    assert counts.max() == 2 and (counts == 2).sum() == 5
    assert (few["label"] == 0).sum() == n_landslides + 5


def test_cells_can_be_drawn_by_area_or_by_score(hillside):
    """Two squares of 4 and 100 cells: alike by landslide, 1 to 25 by area, by score as scored."""
    factors, _ = hillside
    left, top = factors.x.values[20] - 6.25, factors.y.values[20] + 6.25
    small, large = (
        box(left + 25 * start, top - size, left + 25 * start + size, top)
        for start, size in ((0, 25), (10, 125))
    )
    pair = gpd.GeoDataFrame({"score": [0.5, 1.0]}, geometry=[small, large], crs=32648)
    counts = {}
    for how, most in (("landslide", 4), ("score", 4), ("area", 52)):
        table = make_samples(
            pair, factors, seed=0, cells_by=how, max_per_landslide=most, negative_buffer_m=25
        )
        slides = table[table["label"] == 1]
        counts[how] = slides.groupby("landslide_id").size().reindex([0, 1], fill_value=0).tolist()
    assert counts["landslide"] == [4, 4] and counts["score"] == [2, 4]
    assert sum(counts["area"]) == 56 and counts["area"][0] <= 4
    with pytest.raises(InputError, match="no detection score to draw their cells by"):
        make_samples(pair[["geometry"]], factors, seed=0, cells_by="score")


def test_negatives_are_as_many_known_and_far_from_landslides(hillside, sampled):
    factors, landslides = hillside
    _, table = sampled
    free = table[table["label"] == 0]
    assert len(free) == (table["label"] == 1).sum()
    places = gpd.GeoSeries(gpd.points_from_xy(free["x"], free["y"]), crs=landslides.crs)
    assert places.distance(landslides.union_all()).min() > 25 - cell_size(factors)
    assert table[list(factors)].notna().all().all()


def test_table_columns_and_raw_values(sampled):
    factors, table = sampled
    assert list(table.columns) == [*KEYS, *factors]
    row, col = rowcol(factors, table["x"], table["y"])
    for name, factor in factors.items():
        np.testing.assert_array_equal(table[name], factor.values[row, col])


def test_small_polygon_takes_the_cell_under_it(hillside):
    factors, _ = hillside
    xs, ys = factors.x.values, factors.y.values
    corners = [(xs[c] + 4, ys[r] + 4) for r in range(10, 75, 8) for c in range(10, 90, 8)]
    shapes = [box(x, y, x + 1, y + 1) for x, y in corners]
    table = make_samples(gpd.GeoDataFrame(geometry=shapes, crs=32648), factors, seed=0, **SMALL)
    slides = table[table["label"] == 1].sort_values("landslide_id")
    np.testing.assert_allclose(slides[["x", "y"]], np.array(corners) - 4)


def test_one_point_takes_the_centre(hillside):
    factors, landslides = hillside
    table = make_samples(landslides, factors, seed=0, positives="point", **SMALL)
    slides = table[table["label"] == 1]
    assert slides["landslide_id"].is_unique
    centres = landslides.geometry.iloc[slides["landslide_id"]].centroid
    apart = np.hypot(slides["x"] - centres.x.to_numpy(), slides["y"] - centres.y.to_numpy())
    assert apart.max() <= 1.5 * cell_size(factors)


def test_the_scarp_is_the_highest_cell(hillside):
    factors, landslides = hillside
    with pytest.raises(InputError, match="altitude"):
        make_samples(landslides, factors, seed=0, positives="scarp", **SMALL)
    high = factors.assign(altitude=factors["slope"].copy(data=-factors.slope.values))
    table = make_samples(landslides, high, seed=0, positives="scarp", **SMALL)
    every = make_samples(landslides, high, seed=0, **SMALL | {"max_per_landslide": 99})
    highest = every[every["label"] == 1].groupby("landslide_id")["altitude"].max()
    slides = table[table["label"] == 1].set_index("landslide_id")
    pd.testing.assert_series_equal(slides["altitude"], highest)


def test_the_buffer_counts_from_every_cell_a_landslide_touches():
    """Cells of 10 m; a landslide holds the centre of one and a corner of the next to the east. Only
    the first is a sample, but no sample without landslide lies within 15 m of either.
    """
    grid = empty_grid((0, 0, 70, 50), 32648, 10)
    height = on_grid(np.arange(35.0, dtype=np.float32).reshape(5, 7), grid, "altitude")
    height.attrs["kind"] = "continuous"
    slide = gpd.GeoDataFrame(geometry=[box(22, 21, 31, 29)], crs=32648)
    samples = make_samples(
        slide, xr.Dataset({"altitude": height}), seed=0, negative_ratio=20, negative_buffer_m=15
    )
    assert samples.loc[samples["label"] == 1, ["x", "y"]].to_numpy().tolist() == [[25, 25]]
    free = samples.loc[samples["label"] == 0, ["x", "y"]].drop_duplicates()
    # 35 cells less three rows of four columns: those around the cells at 25 and 35 m.
    assert len(free) == 20 and not (free["x"].between(15, 45) & free["y"].between(15, 35)).any()
    with pytest.raises(InputError, match="23 cells for 24 samples"):
        make_samples(
            slide, xr.Dataset({"altitude": height}), seed=0, negative_ratio=24, negative_buffer_m=15
        )


def test_negatives_can_be_kept_off_flat_ground(hillside):
    factors, landslides = hillside
    table = make_samples(landslides, factors, seed=0, min_slope_negatives=30, **SMALL)
    assert table.loc[table["label"] == 0, "slope"].min() >= 30
    with pytest.raises(InputError, match="min_slope_negatives.*slope"):
        make_samples(landslides, factors.drop_vars("slope"), seed=0, min_slope_negatives=30)


def test_labelled_points_are_used_as_they_are(hillside):
    factors, _ = hillside
    rng = np.random.default_rng(0)
    left, bottom, right, top = factors.rio.bounds()
    x, y = rng.uniform(left - 50, right, 200), rng.uniform(bottom, top, 200)
    label = rng.integers(0, 2, 200)
    places = gpd.points_from_xy(x, y)
    points = gpd.GeoDataFrame({"label": label}, geometry=places, crs=32648)
    table = make_samples(points, factors, seed=0)
    row, col = rowcol(factors, x, y)
    known = (col >= 0) & known_cells(factors).values[row, col]
    np.testing.assert_array_equal(table["x"], x[known])
    np.testing.assert_array_equal(table["label"], label[known])


def test_points_of_landslides_alone(hillside):
    """A landslide is the cell its point lies in, two in one cell are one, and none is drawn within
    the buffer and how far the point may be off.
    """
    factors, _ = hillside
    x, y = factors.x.values[[20, 20, 60]], factors.y.values[[20, 20, 40]]
    off = [0.0, 0.0, 200.0]
    places = gpd.points_from_xy(x + [1, 2, 3], y - 2)
    points = gpd.GeoDataFrame({"accuracy_m": off}, geometry=places, crs=32648)
    table = make_samples(points, factors, seed=0, negative_ratio=400, **SMALL)
    slides, free = (table[table["label"] == value] for value in (1, 0))
    assert slides[["x", "y"]].to_numpy().tolist() == [[x[1], y[1]], [x[2], y[2]]]
    assert slides["landslide_id"].tolist() == [1, 2] and len(free) == 800
    near, far = (np.hypot(free["x"] - x[i], free["y"] - y[i]).min() for i in (1, 2))
    assert 25 < near < 60 and 200 + 25 - cell_size(factors) < far < 260
    numbers = landslide_numbers(points, factors)
    assert int(numbers.sel(x=x[2], y=y[2])) == 2 and int((numbers >= 0).sum()) == 2


def test_stable_ground_gives_cells_without_landslide(hillside):
    """Cells in a labelled square come first; where it is too small, others follow, and it is said.
    A landslide over it wins.
    """
    factors, landslides = hillside
    left, _, _, top = factors.rio.bounds()
    whole = landslides.assign(label=1)
    square = box(left + 300, top - 600, left + 600, top - 300)
    stable = gpd.GeoDataFrame({"label": [0]}, geometry=[square], crs=32648)
    both = pd.concat([stable, whole], ignore_index=True)
    table = make_samples(both, factors, seed=0, **SMALL)
    slides, free = (table[table["label"] == value] for value in (1, 0))
    inside = gpd.GeoSeries(gpd.points_from_xy(free["x"], free["y"])).within(square)
    assert inside.all() and slides["landslide_id"].min() >= 1
    others = gpd.GeoSeries(gpd.points_from_xy(free["x"], free["y"]))
    assert not others.within(landslides.union_all()).any()
    assert landslide_numbers(both, factors).max() == len(landslides)
    assert not (landslide_numbers(both, factors) == 0).any()
    small = both.set_geometry([square.centroid.buffer(40), *both.geometry.iloc[1:]])
    with pytest.warns(InputNote, match="too few cells without landslide. Found: .* elsewhere"):
        table = make_samples(small, factors, seed=0, **SMALL)
    assert (table["label"] == 0).sum() == (table["label"] == 1).sum()


def test_the_seed_decides(hillside):
    factors, landslides = hillside
    first, again, other = (
        make_samples(landslides, factors, seed=seed, **SMALL) for seed in (3, 3, 4)
    )
    pd.testing.assert_frame_equal(first, again)
    assert not first["x"].equals(other["x"])


def test_chunks_give_the_same_samples(hillside):
    factors, landslides = hillside
    chunked = make_samples(landslides, factors.chunk(y=30, x=40), seed=3, **SMALL)
    pd.testing.assert_frame_equal(chunked, make_samples(landslides, factors, seed=3, **SMALL))


def test_wrong_inventories_are_explained(hillside):
    factors, landslides = hillside
    with pytest.raises(InputError, match="holds no landslide"):
        make_samples(landslides.iloc[:0], factors, seed=0)
    with pytest.raises(InputError, match="overlap"):
        make_samples(landslides.translate(1e6).to_frame("geometry"), factors, seed=0)
    with pytest.raises(InputError, match="oo few cells"):
        make_samples(landslides, factors, seed=0, negative_buffer_m=1000)
    two = landslides.centroid.iloc[:2].to_numpy()
    points = gpd.GeoDataFrame({"label": [0, 0]}, geometry=two, crs=landslides.crs)
    with pytest.raises(InputError, match="cells without"):
        make_samples(points, factors, seed=0)
    unknown = xr.full_like(factors, np.nan)
    with pytest.raises(InputError, match="o landslide lies on cells"):
        make_samples(landslides, unknown, seed=0)


def test_an_inventory_in_degrees_gives_the_same_samples(hillside):
    """Polygons and points in EPSG:4326 fall on the cells they fall on in the grid's own CRS."""
    factors, landslides = hillside
    label = np.arange(len(landslides)) % 2
    points = landslides.assign(geometry=landslides.representative_point(), label=label)
    for inventory in (landslides, points):
        metres, degrees = (
            make_samples(moved, factors, seed=0, **SMALL)[["x", "y", "label"]]
            for moved in (inventory, inventory.to_crs(4326))
        )
        np.testing.assert_allclose(degrees, metres, atol=1e-3)


def test_an_inventory_without_a_place_is_explained(hillside, tmp_path):
    """No CRS, metres called degrees (which rasterio would burn for ever), points elsewhere: what
    was found is in the message.
    """
    factors, landslides = hillside
    nowhere = landslides.set_crs(None, allow_override=True)
    with pytest.raises(InputError, match="no CRS"):
        make_samples(nowhere, factors, seed=0)
    with pytest.raises(InputError, match="overlap.*EPSG:4326, 500"):
        make_samples(landslides.set_crs(4326, allow_override=True), factors, seed=0)
    points = gpd.GeoDataFrame({"label": [0, 1]}, geometry=[Point(3, 4), Point(5, 6)], crs=4326)
    with pytest.raises(InputError, match="overlap.*EPSG:4326, 3 to 5 east, 4 to 6 north"):
        make_samples(points, factors, seed=0)
    file = tmp_path / "inventory.gpkg"
    with pytest.warns(UserWarning, match="crs"):
        nowhere.to_file(file, layer="reference")
    with pytest.raises(InputError, match=r'inventory\.gpkg.*"reference".*no CRS'):
        load_landslides(file)


def test_inventory_auto_takes_detected_only_where_there_are_enough(hillside, tmp_path):
    _, landslides = hillside
    file = tmp_path / "inventory.gpkg"
    landslides.to_file(file, layer="reference")
    landslides.iloc[:12].to_file(file, layer="detected")
    loaded = load_landslides(file)
    assert (len(loaded), loaded.attrs["layer"]) == (12, "detected")
    assert load_landslides(file, at_least=20).attrs["layer"] == "reference"
    assert load_landslides(file, "reference").attrs["layer"] == "reference"
    with pytest.raises(InputError, match='no layer "other".*auto'):
        load_landslides(file, "other")


def test_absences_are_no_landslides(hillside, tmp_path):
    _, landslides = hillside
    label = np.arange(len(landslides)) % 2
    points = landslides.assign(geometry=landslides.representative_point(), label=label)
    file = tmp_path / "inventory.gpkg"
    points.to_file(file, layer="reference")
    assert (load_landslides(file)["label"] == 1).all()
    assert len(load_landslides(file, with_absences=True)) == len(points)
    points[points["label"] == 0].to_file(file, layer="reference", mode="w")
    with pytest.raises(InputError, match="holds no landslides"):
        load_landslides(file)


def test_what_the_samples_are_made_with_stays_with_them(sampled, tmp_path):
    _, table = sampled
    write_samples(table, tmp_path / "samples.parquet")
    again = pd.read_parquet(tmp_path / "samples.parquet")
    pd.testing.assert_frame_equal(again, table)
    assert again.attrs["max_per_landslide"] == 4
