"""Samples of rasters of a few cells, where every cell that can be drawn is known by hand."""

import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from shapely.geometry import Point, box

from lsa_helpers.errors import InputError, InputNote
from lsa_helpers.raster import empty_grid, on_grid
from lsa_helpers.samples import landslide_numbers, make_samples

NAN = np.nan


def field(**bands) -> xr.Dataset:
    """Factors on cells of 10 m from (0, 0) on, rows from north to south."""
    height, width = np.atleast_2d(next(iter(bands.values()))).shape
    grid = empty_grid((0, 0, 10 * width, 10 * height), 32648, 10)
    return xr.Dataset(
        {
            name: on_grid(np.atleast_2d(values).astype(np.float32), grid, name, kind="continuous")
            for name, values in bands.items()
        }
    )


def inventory(*geometry, **columns) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=list(geometry), crs=32648)


def in_cell(column, row=0, offset=1.0):
    """A square of 3 m in one cell, counted from the south-west, that misses its centre."""
    left, bottom = 10 * column + offset, 10 * row + offset
    return box(left, bottom, left + 3, bottom + 3)


def drawn(samples: pd.DataFrame, label: int) -> list[int]:
    """Columns of the cells with a label, in the table's order."""
    return (samples.loc[samples["label"] == label, "x"] // 10).astype(int).tolist()


ROW = field(altitude=np.arange(9))


def test_every_cell_has_the_number_of_its_landslide():
    """Whole cells first; a landslide without a centre has the cell it lies in, unless another holds
    it; places without landslide, without a geometry or beyond the border have none.
    """
    slides = inventory(
        in_cell(6, 0),
        box(10, 10, 30, 20),
        None,
        in_cell(2, 1),
        in_cell(4, 2),
        in_cell(5, 2),
        in_cell(-1, 1),
        in_cell(7, 1),
        in_cell(3, -1),
        in_cell(3, 3),
        label=[1, 1, 1, 1, 1, 0, 1, 1, 1, 1],
    )
    numbers = landslide_numbers(slides, field(altitude=np.zeros((3, 7))))
    assert numbers.values.tolist() == [
        [-1, -1, -1, -1, 4, -1, -1],
        [-1, 1, 1, -1, -1, -1, -1],
        [-1, -1, -1, -1, -1, -1, 0],
    ]
    assert numbers.name == "landslide"
    with pytest.raises(InputError, match="No landslide has a geometry"):
        landslide_numbers(inventory(None, in_cell(5), label=[1, 0]), ROW)


def test_how_far_off_a_point_may_be_is_ground_without_samples():
    """A point in the fifth cell, 12 m off at most, reaches into the cells beside it; one of unknown
    accuracy has its own cell alone.
    """
    points = inventory(Point(45, 5), Point(5, 5), accuracy_m=[12.0, NAN])
    samples = make_samples(points, ROW, seed=0, negative_ratio=2.5, negative_buffer_m=0)
    assert drawn(samples, 1) == [4, 0] and samples["landslide_id"].tolist() == [0, 1] + [-1] * 5
    assert drawn(samples, 0) == [1, 2, 6, 7, 8]
    assert samples["altitude"].tolist() == [4, 0, 1, 2, 6, 7, 8]
    assert (samples["y"] == 5).all() and samples["x"].tolist()[:2] == [45, 5]
    assert samples.attrs == {"max_per_landslide": 15}
    # The buffer counts from the cells the points touch; a cell just as far as it is inside.
    near = make_samples(points, ROW, seed=0, negative_ratio=1, negative_buffer_m=10)
    assert drawn(near, 0) == [7, 8]
    with pytest.raises(InputError, match="2 cells for 3 samples"):
        make_samples(points, ROW, seed=0, negative_ratio=1.5, negative_buffer_m=10)


def test_cells_without_landslide_are_known_and_steep():
    """At least 30°, in the cell itself; the third cell has no value."""
    factors = field(slope=[40, 40, NAN, 30, 29.9, 0, 31, 90, 40], altitude=np.arange(9))
    slide = inventory(box(0, 0, 10, 10))
    how = {"seed": 0, "negative_buffer_m": 10}
    samples = make_samples(slide, factors, negative_ratio=4, min_slope_negatives=30, **how)
    assert drawn(samples, 0) == [3, 6, 7, 8] and drawn(samples, 1) == [0]
    anywhere = make_samples(slide, factors, negative_ratio=6, **how)
    assert drawn(anywhere, 0) == [3, 4, 5, 6, 7, 8]
    unknown = factors.assign(altitude=factors["altitude"].where(factors["altitude"] > 0))
    with pytest.raises(InputError, match="o landslide lies on cells"):
        make_samples(slide, unknown, **how)


def test_stable_ground_comes_first_and_needs_no_buffer():
    """A landslide in the first cell, stable ground from there to the fourth and in the eighth, and
    cells farther than 50 m: the seventh, eighth and ninth.
    """
    places = inventory(box(0, 0, 10, 10), box(0, 0, 40, 10), box(70, 0, 80, 10), label=[1, 0, 0])
    how = {"seed": 0, "negative_buffer_m": 50}
    with warnings.catch_warnings(action="error", category=InputNote):
        stable = make_samples(places, ROW, negative_ratio=4, **how)
        two = make_samples(places, ROW, negative_ratio=2, **how)
    assert drawn(stable, 0) == [1, 2, 3, 7]
    assert len(drawn(two, 0)) == 2 and set(drawn(two, 0)) < {1, 2, 3, 7}
    with pytest.warns(InputNote, match="4 cells, 2 others"):
        more = make_samples(places, ROW, negative_ratio=6, **how)
    assert drawn(more, 0) == [1, 2, 3, 6, 7, 8] and drawn(more, 1) == [0]
    with pytest.raises(InputError, match="2 cells for 3 samples"), pytest.warns(InputNote):
        make_samples(places, ROW, negative_ratio=7, **how)
    steep = field(slope=[40, 40, 10, 40, 40, 40, 40, 40, 40])
    slopes = make_samples(places, steep, negative_ratio=3, min_slope_negatives=30, **how)
    assert drawn(slopes, 0) == [1, 3, 7]
    holed = make_samples(places, steep.where(steep["slope"] > 20), negative_ratio=3, **how)
    assert drawn(holed, 0) == [1, 3, 7]


def test_labelled_points_by_hand():
    """Those in a known cell of the raster stay where they are; a landslide has its row's number."""
    factors = field(altitude=[[1, 2, NAN], [4, 5, 6]])
    x, y = [1, 25, 12, 29, 30, 15, -1, 15], [19, 15, 12, 1, 5, 20.5, 5, -1]
    points = inventory(*map(Point, x, y), label=[1, 1, 0, 1, 1, 1, 0, 0])
    samples = make_samples(points, factors, seed=0)
    expected = pd.DataFrame(
        {
            "x": [1, 12, 29],
            "y": [19, 12, 1],
            "label": [1, 0, 1],
            "landslide_id": [0, -1, 3],
            "altitude": [1, 2, 6],
        }
    )
    pd.testing.assert_frame_equal(samples, expected, check_dtype=False)


@pytest.mark.parametrize(("positives", "cell"), [("point", 2), ("scarp", 3)])
def test_one_cell_of_a_landslide(positives, cell):
    """The middle one of five, or the highest; where that is unknown, the nearest or next known."""
    height = np.array([0, 1, 2, 9, 4, 0, 0, 0, 0])
    factors = field(altitude=height)
    slides = inventory(box(0, 0, 50, 10), box(70, 0, 80, 10))
    how = {"seed": 0, "positives": positives, "negative_buffer_m": 0}
    samples = make_samples(slides, factors, **how)
    assert drawn(samples, 1) == [cell, 7] and len(samples) == 4
    holed = factors.where(factors["altitude"] != height[cell])
    holed["altitude"][0, 1] = NAN if positives == "point" else 1
    next_one = 3 if positives == "point" else 4
    assert drawn(make_samples(slides, holed, **how), 1) == [next_one, 7]
    tall = field(altitude=[[5], [6], [7], [0], [0]])
    down = make_samples(inventory(box(0, 20, 10, 50)), tall, **how)
    assert down.loc[0, "y"] == {"point": 35, "scarp": 25}[positives]


def test_the_area_gives_a_landslide_its_share():
    """Squares of 4 and 100 cells: of the 30 cells drawn (4 and 26 by landslide) the small one gets
    30 · 4 / 104 = 1.15 in the mean.
    """
    factors = field(altitude=np.zeros((20, 20)))
    pair = inventory(box(0, 0, 20, 20), box(50, 50, 150, 150))
    how = {"max_per_landslide": 26, "negative_buffer_m": 0, "negative_ratio": 0.1}
    shares = []
    for seed in range(40):
        samples = make_samples(pair, factors, seed=seed, cells_by="area", **how)
        slides = samples.loc[samples["label"] == 1, "landslide_id"]
        assert len(slides) == 30 and slides.is_monotonic_increasing
        assert (samples["label"] == 0).sum() == 3
        shares.append((slides == 0).sum())
    assert np.mean(shares) == pytest.approx(30 * 4 / 104, abs=0.4)
    by_landslide = make_samples(pair, factors, seed=0, **how)
    assert by_landslide["landslide_id"].value_counts().to_dict() == {1: 26, 0: 4, -1: 3}


def test_scores_are_rounded_up_to_cells():
    """Three cells at most: a third and a bit is two of them, a whole one three, nothing none."""
    slides = inventory(
        *(box(30 * k, 0, 30 * k + 30, 10) for k in range(4)), score=[0.34, 1.0, 0.0, 0.33]
    )
    factors = field(altitude=np.zeros((2, 12)))
    how = {"max_per_landslide": 3, "negative_buffer_m": 0}
    samples = make_samples(slides, factors, seed=0, cells_by="score", **how)
    assert samples["landslide_id"].value_counts().to_dict() == {-1: 6, 1: 3, 0: 2, 3: 1}


def test_a_thinned_inventory_keeps_its_order():
    """Of 3 + 3 + 1 cells five are kept: one of each landslide and two second ones, no third."""
    slides = inventory(box(0, 0, 30, 10), box(30, 0, 60, 10), box(60, 0, 70, 10))
    factors = field(altitude=np.zeros((3, 7)))
    how = {"negative_buffer_m": 0, "negative_ratio": 0.4}
    kept = [make_samples(slides, factors, seed=seed, max_positives=5, **how) for seed in range(10)]
    for samples in kept:
        assert samples["landslide_id"].tolist() == [0, 0, 1, 1, 2, -1, -1]
        assert drawn(samples, 1)[-1] == 6
    assert len({tuple(drawn(samples, 1)) for samples in kept}) > 1
    four = make_samples(slides, factors, seed=0, max_positives=4, **how)
    assert sorted(four["landslide_id"]) in ([-1, -1, 0, 0, 1, 2], [-1, -1, 0, 1, 1, 2])
    whole = make_samples(slides, factors, seed=0, max_positives=7, **how)
    assert whole["landslide_id"].tolist() == [0, 0, 0, 1, 1, 1, 2] + [-1] * 3


def test_what_is_drawn_unless_asked_otherwise():
    """Fifteen cells of a landslide and as many without, farther than 100 m from it; of more than
    ten thousand landslides as many cells.
    """
    factors = field(altitude=np.zeros((5, 40)))
    samples = make_samples(inventory(box(0, 0, 100, 50)), factors, seed=0)
    assert samples["label"].value_counts().to_dict() == {1: 15, 0: 15}
    everywhere = make_samples(
        inventory(box(0, 0, 100, 50)), factors, seed=0, max_per_landslide=16, negative_ratio=95 / 16
    )
    assert samples.attrs == {"max_per_landslide": 15}
    assert everywhere.loc[everywhere["label"] == 0, "x"].min() == 205
    assert len(everywhere) == 16 + 95
    land = field(altitude=np.zeros((150, 150)))
    x, y = np.meshgrid(land.x[:101], land.y[:100])
    points = inventory(*gpd.points_from_xy(x.ravel(), y.ravel()))
    many = make_samples(points, land, seed=0, negative_buffer_m=0)
    assert many["label"].value_counts().to_dict() == {1: 10_000, 0: 10_000}
