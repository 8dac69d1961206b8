"""Inventories: scores to polygons, the choice of thresholds, sizes, errors by size, layers."""

import geopandas as gpd
import numpy as np
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from shapely.geometry import Point, box

from lsa_helpers.detect.inventory import (
    best_thresholds,
    count_touching,
    errors_by_size,
    hysteresis_sweep,
    polygonize,
    read_reference,
    size_frequency,
    write_inventory,
    write_reference,
)
from lsa_helpers.raster import empty_grid, write_raster
from lsa_helpers.run import Run
from lsa_helpers.sources import Catalog

CRS = "EPSG:32648"
PIXEL = Affine(10, 0, 0, 0, -10, 0)  # 100 m²


def _layer(*shapes, crs=CRS, **columns):
    ids = {"id": range(1, len(shapes) + 1)}
    return gpd.GeoDataFrame(ids | columns, geometry=list(shapes), crs=crs)


def _ground(table):
    return table.union_all()


@pytest.mark.known_by("values by hand", "Hysteresis over blended scores")
def test_hysteresis_by_hand():
    """Of three patches above 0.3 two reach 0.7; what meets at a corner only is two patches."""
    scores = np.array(
        [
            [0.9, 0.4, 0.0, 0.6, 0.5],
            [0.1, 0.3, 0.0, 0.0, 0.0],
            [0.2, 0.2, 0.8, 0.3, 0.2],
        ]
    )
    table = polygonize(scores, PIXEL, CRS, low=0.3, high=0.7)
    assert table["id"].tolist() == [1, 2] and table.score.tolist() == [0.9, 0.8]
    assert table.area_m2.tolist() == [300, 200] and table.crs == CRS
    assert table.geometry[1].bounds == (20, -30, 40, -20)


def test_small_holes_are_filled_and_small_landslides_go():
    """A hole of one pixel closes, one of four stays; a patch of two pixels is dropped."""
    scores = np.zeros((12, 16))
    scores[1:10, 1:11] = 0.9
    scores[2, 2] = scores[5, 5] = 0
    scores[5:7, 7:9] = 0
    scores[1:3, 14] = 0.95
    table = polygonize(scores, PIXEL, CRS, low=0.5, min_area_m2=300)
    assert table.area_m2.tolist() == [(90 - 4) * 100] and len(table.geometry[0].interiors) == 1


def test_limits_belong_to_what_is_kept():
    """A score of exactly the high threshold, a landslide of exactly the least area and a hole of
    exactly that area stay; a pixel less, and they go.
    """
    scores = np.zeros((8, 14))
    scores[1:6, 1:8] = 0.75
    scores[3, 3:6] = 0  # a hole of 300 m²
    scores[1, 10:13] = 0.5  # 300 m²
    table = polygonize(scores, PIXEL, CRS, low=0.5, high=0.5, min_area_m2=300)
    assert table.area_m2.tolist() == [3200, 300]
    table = polygonize(scores, PIXEL, CRS, low=0.5, high=0.75, min_area_m2=301)
    assert table.area_m2.tolist() == [3500]
    assert len(polygonize(scores, PIXEL, CRS, low=0.5, high=0.76)) == 0


def test_the_larger_of_two_landslides_of_one_score_comes_first():
    scores = np.zeros((3, 9))
    scores[1, 1], scores[1, 4:7] = 0.5, 0.5
    assert polygonize(scores, PIXEL, CRS, low=0.5).area_m2.tolist() == [300, 100]


def test_nothing_above_the_threshold_gives_an_empty_table():
    table = polygonize(np.zeros((4, 5)), PIXEL, CRS, low=0.1)
    assert len(table) == 0 and list(table.columns) == ["id", "score", "area_m2", "geometry"]
    assert table.crs == CRS


SCORES = arrays(
    np.float32, st.tuples(*[st.integers(1, 9)] * 2), elements=st.sampled_from([0, 0.25, 0.5, 1])
)


@given(SCORES, st.integers(1, 9))
@pytest.mark.known_by("an identity", "Scenes in blocks")
def test_blocks_do_not_matter(scores, rows):
    """A scene labelled a few rows at a time, as one larger than memory is, is the same."""
    whole = polygonize(scores, PIXEL, CRS, low=0.25, high=0.5)
    blocks = polygonize(scores, PIXEL, CRS, low=0.25, high=0.5, block_rows=rows)
    order = ["score", "area_m2", "x", "y"]
    first, second = (
        table.assign(x=table.bounds.minx, y=table.bounds.miny).sort_values(order, ignore_index=True)
        for table in (whole, blocks)
    )
    assert first.score.tolist() == second.score.tolist()
    assert first.geometry.geom_equals(second.geometry).all()


@given(SCORES)
def test_no_ground_counts_twice_and_none_is_lost(scores):
    """The polygons are valid and their areas add up to the pixels that reach the low threshold."""
    table = polygonize(scores, PIXEL, CRS, low=0.25)
    assert table.is_valid.all() and (table.geom_type == "Polygon").all()
    assert table.area_m2.sum() == (scores >= 0.25).sum() * 100
    assert _ground(table).area == pytest.approx(table.area_m2.sum())
    assert table.score.is_monotonic_decreasing


@given(SCORES)
def test_the_map_shrinks_as_a_threshold_rises(scores):
    """With the high threshold whole landslides go, with the low one ground goes; nothing comes."""
    maps = [polygonize(scores, PIXEL, CRS, low=0.25, high=high) for high in (0.25, 0.5, 1)]
    for loose, strict in zip(maps, maps[1:], strict=False):
        assert _ground(strict).difference(_ground(loose)).area == 0
    assert all(
        (table.score >= high).all() for table, high in zip(maps, (0.25, 0.5, 1), strict=True)
    )
    higher = polygonize(scores, PIXEL, CRS, low=0.5, high=0.5)
    assert _ground(higher).difference(_ground(maps[1])).area == 0


def test_hysteresis_sweep_by_hand():
    """A patch half on a landslide, and one beside it, that counts for ground four times as common
    as on the chip.

    10 pixels: 2 of landslide, 8 others. The patch on it holds 2 right and 2 wrong pixels, the stray
    one 2. At a share of 0.05: right 0.05, wrong beside 0.05, stray 2 / 8 · 0.95.
    """
    scores = np.array([[0.9, 0.9, 0.4, 0.4, 0, 0.7, 0.7, 0, 0, 0]])
    truth = np.zeros((1, 10), bool)
    truth[0, :2] = True
    sweep = hysteresis_sweep([scores], [truth], 0.05)
    assert (sweep["high"] >= sweep["low"]).all() and (sweep["high"] == sweep["low"]).sum() == 10
    assert sweep["low"].max() == 0.5
    at = sweep.set_index(["low", "high"])
    assert at.loc[(0.35, 0.5), "precision"] == pytest.approx(0.05 / (0.1 + 0.25 * 0.95))
    expected = pytest.approx([0.5, 1, 2 / 3])
    assert at.loc[(0.35, 0.8), ["precision", "recall", "f1"]].tolist() == expected
    assert at.loc[(0.45, 0.8), "f1"] == 1
    assert at.loc[(0.5, 0.95), "recall"] == 0 and np.isnan(at.loc[(0.5, 0.95), "precision"])
    assert best_thresholds(sweep) == (0.45, 0.75)


def test_scores_on_a_threshold_reach_it():
    """A patch of exactly 0.5 counts for the pair of 0.5 and 0.5, and not for 0.5 and 0.55."""
    truth = np.ones((1, 2), bool)
    at = hysteresis_sweep([np.full((1, 2), 0.5)], [truth], 0.1).set_index(["low", "high"])
    assert at["recall"][[(0.5, 0.5), (0.5, 0.55)]].tolist() == [1, 0]


def test_without_chips_the_thresholds_are_a_half():
    sweep = hysteresis_sweep([], [], 0.02)
    assert best_thresholds(sweep) == (0.5, 0.5) and sweep["f1"].isna().all()
    nothing_right = sweep.assign(f1=0.0)
    assert best_thresholds(nothing_right) == (0.5, 0.5)


def test_errors_by_size_by_hand():
    """Of two small known landslides one is missed; the large detection is false, the small one
    true; nothing is false where nothing is known.
    """
    known = _layer(box(0, 0, 20, 20), box(100, 0, 120, 20), box(200, 0, 300, 100))
    known["found_share"] = [0.5, 0.4, 0.9]
    detected = _layer(box(0, 0, 20, 20), box(200, 0, 300, 60), box(500, 500, 600, 600))
    detected["true_share"] = [1.0, 0.5, 0.0]
    table = errors_by_size(detected, known, (0, 500, np.inf))
    assert table["known"].tolist() == [2, 1] and table["omission"].tolist() == [0.5, 0]
    assert table["detected"].tolist() == [1, 2] and table["commission"].tolist() == [0, 0.5]
    unknown = errors_by_size(detected.assign(true_share=np.nan), known[:0], (0, 500, np.inf))
    assert unknown["false_alarms"].tolist() == [0, 0]
    assert unknown[["omission", "commission"]].isna().all(axis=None)


def test_size_frequency_is_a_density():
    """Densities times bin widths add up to 1, and a uniform law has a flat curve."""
    areas = np.random.default_rng(0).uniform(100, 10_000, 20_000)
    table = size_frequency(areas)
    assert table["count"].sum() == 20_000
    inner = table[(table["area_m2"] > 130) & (table["area_m2"] < 9000)]
    assert inner["density"].to_numpy() == pytest.approx(1 / 9900, rel=0.3)
    assert len(size_frequency(np.zeros(0))) == 0


def test_touching_landslides_by_hand():
    """Of four squares two are 2 m apart and one is 8 m from them: a mask of 1.5 m merges one, a
    mask of 10 m two, the far one none.
    """
    squares = _layer(
        box(0, 0, 10, 10), box(12, 0, 22, 10), box(30, 0, 40, 10), box(500, 0, 510, 10)
    )
    assert [count_touching(squares, pixel) for pixel in (1.0, 1.5, 2.5, 10.0)] == [0, 1, 1, 2]
    assert count_touching(squares.iloc[:0], 1.0) == 0


def test_layers_of_the_inventory(tmp_path):
    """Detected landslides are written even where there are none, a reference only where there is
    one.
    """
    run, known = Run(tmp_path), _layer(box(0, 0, 9, 9))
    detected = _layer(box(0, 0, 5, 5), score=[0.9], area_m2=[25.0])
    path = write_inventory(run, detected=detected, reference=known)
    assert gpd.list_layers(path)["name"].tolist() == ["detected", "reference"]
    path = write_inventory(run, detected=detected[:0], reference=known[:0])
    assert gpd.list_layers(path)["name"].tolist() == ["detected"]


def _run_with_grid(tmp_path):
    run = Run(tmp_path / "run")
    grid = empty_grid((3e5, 33e5, 3e5 + 100, 33e5 + 100), CRS, 10)
    write_raster(run.product("factors.tif"), grid.rename("slope"))
    return run


def test_the_truth_is_the_reference_in_the_grids_crs(tmp_path):
    run = _run_with_grid(tmp_path)
    run.product("truth").mkdir()
    truth = _layer(box(3e5, 33e5, 3e5 + 20, 33e5 + 10), depth=[2.0]).to_crs("EPSG:4326")
    truth.to_file(run.product("truth/landslides.gpkg"))
    path = write_reference(Catalog(folder=tmp_path), run)
    table = gpd.read_file(path, layer="reference")
    assert list(table.columns) == ["id", "area_m2", "geometry"] and table.crs == CRS
    assert table.area_m2[0] == pytest.approx(200, rel=0.01)


def test_nothing_known_gives_no_layer(tmp_path):
    run, catalog = _run_with_grid(tmp_path), Catalog(folder=tmp_path)
    assert write_reference(catalog, run) is None and not run.has("inventory.gpkg")
    known = read_reference(catalog, Run(tmp_path / "images only"), CRS)
    assert len(known) == 0 and known.crs == CRS


def test_known_points_are_a_reference(tmp_path):
    """A catalog of points alone: chapters 04 to 09 find them in the layer."""
    points = _layer(Point(3e5 + 15, 33e5 + 15), Point(3e5 + 55, 33e5 + 55), label=[1, 0])
    points.to_file(tmp_path / "points.gpkg")
    catalog = Catalog(folder=tmp_path, inventory={"path": "points.gpkg", "label": "label"})
    path = write_reference(catalog, _run_with_grid(tmp_path))
    assert gpd.read_file(path, layer="reference")["label"].tolist() == [1, 0]
