"""Classes and frequency ratios: by hand, against mapclassify, and against the paper's own areas."""

import hashlib
import json
from pathlib import Path

import geopandas as gpd
import mapclassify
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from shapely.geometry import Point, box

from lsa_helpers import classes, samples
from lsa_helpers.errors import InputError
from lsa_helpers.paper import audit_frequency_ratios, published_table
from lsa_helpers.grid import Grid, read_raster, write_raster
from lsa_helpers.run import Run
from lsa_helpers.runner.params import FrequencyRatioParams

GRID = Grid.from_bounds((600_000, 3_290_000, 600_400, 3_290_300), "EPSG:32648", 10)


def test_frequency_ratio_by_hand():
    """Ten cells, two of them landslide: class 2 has 1/5 of the land and 1/2 of the landslides."""
    map_ = np.array([[1, 1, 1, 1, 2], [1, 1, 1, 1, 2], [0, 0, 0, 0, 0]], np.uint8)
    slides = np.zeros(map_.shape, bool)
    slides[0, 0] = slides[0, 4] = slides[2, 0] = True
    table = classes.frequency_ratio(map_, slides, cell_area_km2=0.5, n_classes=2)
    assert table["area_km2"].tolist() == [4, 1]
    assert table["landslide_area_km2"].tolist() == [0.5, 0.5], (
        "the landslide on nodata is not counted"
    )
    assert table["area_ratio_pct"].tolist() == [80, 20]
    assert table["landslide_area_ratio_pct"].tolist() == [50, 50]
    assert table["fr"].tolist() == [0.625, 2.5]


def test_frequency_ratio_needs_landslides():
    with pytest.raises(InputError, match="No landslide"):
        classes.frequency_ratio(
            np.ones((2, 2), np.uint8), np.zeros((2, 2), bool), cell_area_km2=1, n_classes=2
        )


@given(
    arrays(float, 6, elements=st.floats(0.1, 100)),
    arrays(float, 6, elements=st.floats(0, 10)).filter(lambda a: a.sum() > 0.1),
)
def test_area_weighted_mean_of_frequency_ratios_is_one(area, slide):
    table = classes.ratios(area, slide)
    assert np.isclose((table["fr"] * area).sum() / area.sum(), 1)
    assert np.isclose(table["landslide_area_ratio_pct"].sum(), 100)


def test_class_without_area_has_no_ratio():
    assert np.isnan(classes.ratios(np.array([1.0, 0.0]), np.array([1.0, 0.0]))["fr"].iloc[1])


@given(
    arrays(np.float32, 60, elements=st.floats(0, 1, width=32)).filter(
        lambda a: np.unique(a).size >= 5
    ),
    st.sampled_from(["fisher_jenks", "equal", "quantile"]),
    st.integers(2, 5),
)
def test_breaks_are_ordered_and_cover_all_cells(values, scheme, n_classes):
    breaks = classes.find_breaks(values, n_classes=n_classes, scheme=scheme, sample=1000, seed=0)
    assert len(breaks) == n_classes - 1
    assert breaks == sorted(breaks)
    found = classes.classify(values, breaks)
    assert found.min() >= 1 and found.max() <= n_classes
    assert (np.diff(found[np.argsort(values, kind="stable")].astype(int)) >= 0).all(), (
        "a higher value is never in a lower class"
    )


def test_classes_equal_mapclassify():
    """Without sampling, breaks and classes are mapclassify's own."""
    values = np.random.default_rng(0).beta(2, 5, 400)
    rules = {
        "fisher_jenks": mapclassify.FisherJenks,
        "equal": mapclassify.EqualInterval,
        "quantile": mapclassify.Quantiles,
    }
    for scheme, rule in rules.items():
        outside = rule(values, k=5)
        breaks = classes.find_breaks(values, n_classes=5, scheme=scheme, sample=1000, seed=0)
        assert breaks == pytest.approx(outside.bins[:-1])
        assert (classes.classify(values, breaks) == outside.yb + 1).all()


def test_breaks_sample_is_seeded():
    values = np.random.default_rng(0).random(5000)
    kind = {"n_classes": 5, "scheme": "fisher_jenks", "sample": 200}
    assert classes.find_breaks(values, seed=1, **kind) == classes.find_breaks(
        values, seed=1, **kind
    )
    assert classes.find_breaks(values, seed=1, **kind) != classes.find_breaks(
        values, seed=2, **kind
    )


def test_flat_map_cannot_be_classed():
    with pytest.raises(InputError, match="1 different values"):
        classes.find_breaks(np.full(100, 0.5), n_classes=5, scheme="equal", sample=100, seed=0)


def test_table_5_follows_from_its_own_areas_but_for_one_misprint():
    printed = published_table(5)
    wrong = audit_frequency_ratios(printed)
    assert wrong[["model", "susceptibility", "column", "printed"]].values.tolist() == [
        ["rf", "High", "area_ratio_pct", 7.99]
    ]
    assert wrong["low"].item() < 8.0 < wrong["high"].item()
    for _, rows in printed.groupby("model"):
        ours = classes.ratios(rows["area_km2"], rows["landslide_area_km2"])
        # Landslide areas are printed to 0.01 km²: half of that, in a class and in the sum of five,
        # is 0.11 per cent.
        assert np.allclose(
            ours["landslide_area_ratio_pct"], rows["landslide_area_ratio_pct"], atol=0.12
        )
        assert np.allclose(ours["area_ratio_pct"], rows["area_ratio_pct"], atol=0.011)


def test_audit_finds_a_wrong_ratio():
    table = published_table(5)
    table.loc[4, "fr"] = 15.41
    assert ["cnn", "Very High", "fr"] in audit_frequency_ratios(table)[
        ["model", "susceptibility", "column"]
    ].values.tolist()


def test_landslide_cells_of_points_and_polygons():
    """A point takes the cell it lies in; a polygon those whose centre it covers; outside the grid
    nothing.
    """
    points = gpd.GeoDataFrame(geometry=[Point(600_012, 3_290_299), Point(0, 0)], crs=GRID.crs)
    assert np.argwhere(classes.landslide_cells(points, GRID)).tolist() == [[0, 1]]
    polygons = gpd.GeoDataFrame(
        geometry=[box(600_000, 3_290_274, 600_026, 3_290_300)], crs=GRID.crs
    )
    assert np.argwhere(classes.landslide_cells(polygons, GRID)).tolist() == [
        [r, c] for r in range(3) for c in range(3)
    ]


def test_landslide_cells_in_degrees_and_without_a_place():
    """Reprojected they mark the same cells; without a CRS, or where the grid is not, they are
    refused.
    """
    polygons = gpd.GeoDataFrame(
        geometry=[box(600_000, 3_290_274, 600_026, 3_290_300)], crs=GRID.crs
    )
    assert (
        classes.landslide_cells(polygons.to_crs(4326), GRID)
        == classes.landslide_cells(polygons, GRID)
    ).all()
    with pytest.raises(InputError, match="no CRS"):
        classes.landslide_cells(polygons.set_crs(None, allow_override=True), GRID)
    with pytest.raises(InputError, match="overlap"):
        classes.landslide_cells(polygons.translate(1e5).to_frame("geometry"), GRID)


def _mapped(folder: Path, seed: int, power: float = 1) -> Run:
    """A run with three susceptibility maps and an inventory of both kinds of points."""
    run, rng = Run(folder), np.random.default_rng(seed)
    for model in classes.MODELS:
        values = rng.random(GRID.shape, dtype=np.float32) ** power
        values[0, 0] = np.nan
        write_raster(run.product(f"susceptibility_{model}.tif"), values, GRID, ["susceptibility"])
    x, y = GRID.centres()
    points = gpd.points_from_xy(rng.choice(x, 40), rng.choice(y, 40))
    labelled = gpd.GeoDataFrame({"label": np.arange(40) % 2}, geometry=points, crs=GRID.crs)
    labelled.to_file(run.product("inventory.gpkg"), layer="reference")
    return run


@pytest.fixture(scope="module")
def mapped_run(tmp_path_factory) -> Run:
    """A run of `_mapped`."""
    return _mapped(tmp_path_factory.mktemp("run"), 0)


def test_make_classes_writes_breaks_rasters_and_table(mapped_run):
    table = classes.make_classes(mapped_run, FrequencyRatioParams(n_classes=4, scheme="quantile"))
    assert list(table.columns) == classes.COLUMNS
    assert table["model"].drop_duplicates().tolist() == list(classes.MODELS)
    pd.testing.assert_frame_equal(
        mapped_run.read_table("frequency_ratio"), table.round(9), check_dtype=False
    )
    saved = mapped_run.read_json("breaks.json")
    for model in classes.MODELS:
        raster, grid, _ = read_raster(mapped_run.product(f"classes_{model}.tif"))
        assert grid == GRID and raster.dtype == np.uint8 and raster[0, 0, 0] == 0
        values = read_raster(mapped_run.product(f"susceptibility_{model}.tif"))[0]
        assert (raster == classes.classify(values, saved["breaks"][model])).all()
    cells = classes.landslide_cells(samples.read_landslides(mapped_run), GRID)
    assert len(samples.read_landslides(mapped_run)) == 20, "points labelled 0 are no landslides"
    assert (
        table.groupby("model")["landslide_area_km2"].sum().max()
        <= cells.sum() * GRID.cell_area_km2 + 1e-9
    )


def test_breaks_of_another_run_are_used(mapped_run, tmp_path):
    """Another map is cut where the first was, not where it would be itself; the new file says whose
    breaks they are, by which scheme.
    """
    classes.make_classes(mapped_run, FrequencyRatioParams(n_classes=4, scheme="quantile"))
    file = mapped_run.product("breaks.json")
    first = mapped_run.read_json("breaks.json")
    other = _mapped(tmp_path / "other", 1, power=3)
    table = classes.make_classes(
        other, FrequencyRatioParams(n_classes=4, scheme="equal", breaks_from=str(file))
    )
    saved = other.read_json("breaks.json")
    assert (
        saved["breaks"] == first["breaks"]
        and saved["scheme"] == "quantile"
        and "reused_from" not in first
    )
    assert saved["reused_from"] == {
        "file": str(file),
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
    }
    for model in classes.MODELS:
        raster, values = (
            read_raster(other.product(f"{name}_{model}.tif"))[0]
            for name in ("classes", "susceptibility")
        )
        assert (raster == classes.classify(values, first["breaks"][model])).all()
    # A quarter of the first map lies below its lowest break, about 1/4; of its cubes, all below the
    # cube root: 0.63 of the cells.
    lowest = table[table["susceptibility"] == "Class 1 (lowest)"]["area_ratio_pct"]
    assert lowest.to_numpy() == pytest.approx(63, abs=4)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[]", "no class breaks by model"),
        ('{"breaks": []}', "no class breaks by model"),
        ('{"n_classes": 4}', "no class breaks by model"),
        ('{"breaks": {"cnn": [0.1, 0.2, 0.3]}}', "breaks of rf are no numbers.*None"),
        ([0.3, 0.2, 0.1], "breaks of cnn do not rise"),
        (["0.1", "0.2", "0.3"], "breaks of cnn are no numbers"),
        ([0.1, None, 0.3], "breaks of cnn are no numbers"),
        ([0.1, True, 1.0], "breaks of cnn are no numbers"),
        ([20, 40, 60], "no numbers from 0 to 1"),
        ([float("nan"), 0.2, 0.3], "breaks of cnn are no numbers"),
        ([0.1, 0.2], "do not give 4 classes for cnn.*Set n_classes to 3"),
        ("{", "cannot be read"),
    ],
)
def test_breaks_that_cannot_be_used_are_explained(mapped_run, tmp_path, content, words):
    """Whatever the file holds, it is named and nothing is written."""
    file = tmp_path / "breaks.json"
    text = (
        content
        if isinstance(content, str)
        else json.dumps({"breaks": dict.fromkeys(classes.MODELS, content)})
    )
    file.write_text(text)
    with pytest.raises(InputError, match=rf"breaks\.json.*{words}"):
        classes.make_classes(mapped_run, FrequencyRatioParams(n_classes=4, breaks_from=str(file)))


@pytest.mark.parametrize("scheme", classes.SCHEMES)
@given(st.integers(0, 999), st.integers(2, 8))
def test_every_scheme_cuts_every_map(scheme, seed, n_classes):
    """So many thresholds as asked, ascending, within the map."""
    values = np.random.default_rng(seed).beta(0.4, 1.5, 400)
    breaks = classes.find_breaks(values, n_classes=n_classes, scheme=scheme, sample=300, seed=0)
    assert len(breaks) == n_classes - 1 and breaks == sorted(breaks)
    assert values.min() <= breaks[0] and breaks[-1] <= values.max()


def test_deviation_and_geometric_breaks_by_hand():
    """Two classes part at the mean, three half a deviation from it; of a map from 0.01 to 1 the
    lower geometric class ends at 0.1.
    """
    values = np.array([0.25, 0.75] * 50)
    assert classes.find_breaks(
        np.append(values, [0, 1]), n_classes=2, scheme="deviation", sample=10**6, seed=0
    ) == pytest.approx([0.5])
    spread = np.array([0.25, 0.75, 0.25, 0.75, 0.5])
    deviation = float(spread.std())
    found = classes.find_breaks(spread, n_classes=3, scheme="deviation", sample=10**6, seed=0)
    assert found == pytest.approx([0.5 - deviation / 2, 0.5 + deviation / 2])
    assert classes.find_breaks(
        np.array([0.01, 0.3, 1.0]), n_classes=2, scheme="geometric", sample=10, seed=0
    ) == pytest.approx([0.1])
