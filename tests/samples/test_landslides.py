"""Which layer of an inventory is read, and which landslides meet a raster."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from shapely.geometry import Point, box

from lsa_helpers.errors import InputError
from lsa_helpers.raster import empty_grid
from lsa_helpers.samples import load_landslides, reproject_landslides, resample_landslides

GRID = empty_grid((500_000, 3_300_000, 500_100, 3_300_060), 32648, 10)


def points(x, y, label=None) -> gpd.GeoDataFrame:
    """Points of an inventory in metres."""
    columns = {} if label is None else {"label": label}
    return gpd.GeoDataFrame(columns, geometry=gpd.points_from_xy(x, y), crs=32648)


@pytest.mark.parametrize(
    ("n_detected", "at_least", "layer"),
    [(9, None, "reference"), (10, None, "detected"), (3, 4, "reference"), (4, 4, "detected")],
)
def test_ten_detected_landslides_are_enough(tmp_path, n_detected, at_least, layer):
    """By default; fewer detected ones are taken where there is no reference."""
    file = tmp_path / "inventory.gpkg"
    how = {} if at_least is None else {"at_least": at_least}
    points(range(n_detected), range(n_detected)).to_file(file, layer="detected")
    alone = load_landslides(file, **how)
    assert alone.attrs["layer"] == "detected" and len(alone) == n_detected
    points(range(20), range(20)).to_file(file, layer="reference")
    loaded = load_landslides(file, **how)
    assert loaded.attrs["layer"] == layer
    assert len(loaded) == (n_detected if layer == "detected" else 20)
    chosen = load_landslides(file, "detected", **how)
    assert chosen.attrs["layer"] == "detected" and len(chosen) == n_detected


def test_the_labels_say_what_is_a_landslide(tmp_path):
    """Only the landslides, in their order, or everything; absences alone are read where they are
    asked for, and a missing reference is named though detected ones are there.
    """
    file = tmp_path / "inventory.gpkg"
    points([1, 2, 3, 4], [5] * 4, [0, 1, 0, 1]).to_file(file, layer="reference")
    slides = load_landslides(file)
    assert slides.geometry.x.tolist() == [2, 4] and slides["label"].tolist() == [1, 1]
    both = load_landslides(file, with_absences=True)
    assert both["label"].tolist() == [0, 1, 0, 1] and both.attrs["layer"] == "reference"
    points([1], [5], [0]).to_file(file, layer="detected")
    assert len(load_landslides(file, "detected", with_absences=True)) == 1
    with pytest.raises(InputError, match="detected inventory holds no landslides"):
        load_landslides(file, "detected")
    with pytest.raises(InputError, match="no layer"):
        load_landslides(file, "elsewhere")


@pytest.mark.parametrize(
    ("x", "y", "meets"),
    [
        (0, 0, True),
        (95, 55, True),
        (-10, 30, False),  # from 10 m west of the raster to its edge
        (100, 30, False),
        (50, -10, False),
        (50, 60, False),
        (-9, -9, True),  # one metre of it lies inside
        (99, 59, True),
        (-200, -200, False),
    ],
)
def test_landslides_meet_the_raster_by_more_than_an_edge(x, y, meets):
    """Squares of 10 m, placed from the south-western corner of a raster of 100 m × 60 m."""
    left, bottom = 500_000 + x, 3_300_000 + y
    square = gpd.GeoDataFrame(geometry=[box(left, bottom, left + 10, bottom + 10)], crs=32648)
    if meets:
        moved = reproject_landslides(square, GRID)
        assert moved.total_bounds.tolist() == square.total_bounds.tolist()
        assert moved.crs == GRID.rio.crs
    else:
        with pytest.raises(InputError, match="do not overlap the grid"):
            reproject_landslides(square, GRID)


def test_one_landslide_on_the_raster_is_enough_and_none_may_be_impossible():
    """In degrees: those far away stay as they are, but one that no projection knows is refused."""
    here = gpd.GeoSeries([Point(500_050, 3_300_030)], crs=32648).to_crs(4326)[0]
    far = gpd.GeoDataFrame({"name": ["far", "here"]}, geometry=[Point(100, 20), here], crs=4326)
    moved = reproject_landslides(far, xr.Dataset({"altitude": GRID}))
    assert moved["name"].tolist() == ["far", "here"] and moved.crs == GRID.rio.crs
    assert [moved.geometry[1].x, moved.geometry[1].y] == pytest.approx([500_050, 3_300_030])
    metres = points([500_050, np.inf], [3_300_030, 3_300_030])
    with pytest.raises(InputError, match="do not overlap the grid"):
        reproject_landslides(metres, GRID)
    for impossible in (Point(500_050, 3_300_030), Point(np.inf, 0), Point(105, np.inf)):
        with pytest.raises(InputError, match="do not overlap the grid.*EPSG:32648"):
            reproject_landslides(far.set_geometry([impossible, here]), GRID)


def test_a_bootstrap_draws_whole_landslides():
    """Four landslides of one to four cells, drawn many times: as many in all, each as often as any
    other, with all its cells or none; cells without landslide stay.
    """
    number = [1, 2, 2, 3, 3, 3, 4, 4, 4, 4, -1, -1]
    samples = pd.DataFrame({"label": np.array(number) > 0, "landslide_id": number}).astype(int)
    samples["cell"] = np.arange(12)
    times = []
    for seed in range(400):
        drawn = resample_landslides(samples, seed)
        of_cell = drawn["cell"].value_counts().reindex(range(12), fill_value=0)
        assert of_cell[[10, 11]].tolist() == [1, 1]
        of_slide = of_cell[:10].groupby(number[:10])
        assert (of_slide.nunique() == 1).all()
        assert of_slide.first().sum() == 4
        times.append(of_slide.first().to_numpy())
    # Each is drawn once on average, with the variance of a binomial law, 3/4.
    assert np.mean(times, axis=0) == pytest.approx(1, abs=0.15)
    assert np.var(times) == pytest.approx(0.75, abs=0.08)
