"""Classes and frequency ratios: by hand, against mapclassify, and against the paper's own areas."""

import hashlib
import itertools
import json
from pathlib import Path

import geopandas as gpd
import mapclassify
import matplotlib
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from ckmeans import ckmeans
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from rasterio.features import rasterize
from shapely.geometry import Point, box

from lsa_helpers import classes
from lsa_helpers.errors import InputError, InputNote
from lsa_helpers.raster import empty_grid, on_grid, read_raster, write_factors, write_raster
from lsa_helpers.run import Run
from lsa_helpers.samples import reproject_landslides

GRID = empty_grid((600_000, 3_290_000, 600_400, 3_290_300), "EPSG:32648", 10)
CHAPTER = Path(__file__).parent.parent / "notebooks/06_frequency_ratio.py"
SCHEMES = ["fisher_jenks", "equal", "quantile", "deviation", "geometric"]


def chapter(run: Run, **values) -> dict:
    """What the cells of chapter 06 leave behind in a run with these parameters."""
    matplotlib.use("agg")
    text = CHAPTER.read_text(encoding="utf-8")
    for name, value in {"run_dir": str(run.path), **values}.items():
        (line,) = [line for line in text.splitlines() if line.startswith(f"{name}: ")]
        text = text.replace(line, f"{line.split('=')[0]}= {value!r}", 1)
    names = {"__name__": "chapter", "display": str}
    exec(compile(text, CHAPTER, "exec"), names)
    return names


def mapped(folder: Path, maps: dict[str, np.ndarray], cells: list[tuple[int, int]]) -> Run:
    """A run with held-out and fitted maps, the same here, flat factors, and points labelled as
    landslides at cells.
    """
    run = Run(folder)
    for model, values in maps.items():
        values = on_grid(values.astype(np.float32), GRID, "susceptibility")
        for kind in ("heldout", "susceptibility"):
            write_raster(run.product(f"{kind}_{model}.tif"), values)
    altitude = on_grid(np.zeros(GRID.shape, np.float32), GRID, "altitude", "m", kind="continuous")
    write_factors(run.product("factors.tif"), xr.Dataset({"altitude": altitude}))
    points = gpd.points_from_xy(*zip(*((GRID.x[c], GRID.y[r]) for r, c in cells), strict=True))
    absent = gpd.points_from_xy([GRID.x[5]], [GRID.y[5]])
    label = [1] * len(points) + [0]
    inventory = gpd.GeoDataFrame({"label": label}, geometry=[*points, *absent], crs=GRID.rio.crs)
    inventory.to_file(run.product("inventory.gpkg"), layer="reference")
    return run


@pytest.fixture(scope="module")
def random_run(tmp_path_factory) -> Run:
    """Three maps of random numbers with one unknown cell."""
    rng = np.random.default_rng(0)
    maps = {model: rng.random(GRID.shape) for model in classes.MODELS}
    for values in maps.values():
        values[0, 0] = np.nan
    return mapped(tmp_path_factory.mktemp("run"), maps, [(0, 0), (9, 9), (20, 30), (29, 39)])


@pytest.fixture(scope="module")
def schemes(random_run) -> dict:
    """Chapter 06, run with defaults but four quantile classes; its rules read `k`."""
    return chapter(random_run, n_classes=4, scheme="quantile")


def test_five_classes_have_the_papers_names():
    assert classes.class_names(5) == ["Very Low", "Low", "Moderate", "High", "Very High"]
    assert classes.class_names(2) == ["Class 1 (lowest)", "Class 2 (highest)"]


@pytest.mark.known_by("values by hand", "Frequency ratio")
def test_chapter_divides_two_shares(tmp_path):
    """A fifth of the land holds half of the landslides: FR 2.5; unknown cells count for nothing."""
    values = np.full(GRID.shape, 0.2)
    values[:, 32:] = 0.8
    values[:5] = np.nan
    run = mapped(tmp_path, {"rf": values}, [(2, 2), (7, 1), (8, 35)])
    names = chapter(run, n_classes=2)
    table = run.read_table("frequency_ratio")
    pd.testing.assert_frame_equal(table, names["table"], check_dtype=False)
    assert table["model"].tolist() == ["rf", "rf"]
    assert table["susceptibility"].tolist() == ["Class 1 (lowest)", "Class 2 (highest)"]
    assert table["area_km2"].tolist() == pytest.approx([0.08, 0.02])
    assert table["landslide_area_km2"].tolist() == pytest.approx([1e-4, 1e-4])
    assert table["area_ratio_pct"].tolist() == [80, 20]
    assert table["landslide_area_ratio_pct"].tolist() == [50, 50]
    assert table["fr"].tolist() == [0.625, 2.5]
    assert run.read_json("breaks.json")["breaks"]["rf"] == [np.float32(0.2)]
    assert run.read_table("scheme_sensitivity")["scheme"].tolist() == SCHEMES


def test_chapter_classes_by_its_breaks(random_run, schemes):
    """Rasters, breaks and table belong together; the last class is the sensitivity's."""
    saved = random_run.read_json("breaks.json")
    assert saved["scheme"] == "quantile" and saved["n_classes"] == 4
    table = random_run.read_table("frequency_ratio")
    assert table["model"].drop_duplicates().tolist() == list(classes.MODELS)
    weighted = table["fr"] * table["area_ratio_pct"] / 100
    assert weighted.groupby(table["model"]).sum().to_numpy() == pytest.approx(1)
    for model, values in classes.read_maps(random_run).items():
        (classed,) = read_raster(random_run.product(f"classes_{model}.tif")).values()
        assert classed.dtype == np.uint8 and classed[0, 0] == 0
        known = np.isfinite(values.values)
        above = values.values[known, None] > np.array(saved["breaks"][model])
        assert (classed.values[known] == 1 + above.sum(axis=1)).all()
    of_quantiles = random_run.read_table("scheme_sensitivity").query("scheme == 'quantile'")
    highest = table[table["susceptibility"] == "Class 4 (highest)"]
    assert of_quantiles["area_pct"].to_numpy() == pytest.approx(highest["area_ratio_pct"])
    assert of_quantiles["fr"].to_numpy() == pytest.approx(highest["fr"])
    best_first = of_quantiles["fr"].rank(ascending=False, method="min")
    assert of_quantiles["rank"].tolist() == best_first.tolist()


def test_breaks_of_another_run_are_used(random_run, schemes, tmp_path):
    """Another map is cut where the first was, not where it would be itself; the new file says whose
    breaks they are, by which scheme.
    """
    file = random_run.product("breaks.json")
    first = random_run.read_json("breaks.json")
    cubes = np.random.default_rng(1).random(GRID.shape) ** 3
    other = mapped(tmp_path / "other", {"cnn": cubes, "rf": cubes}, [(3, 3)])
    chapter(other, n_classes=4, scheme="equal", breaks_from=str(file))
    saved = other.read_json("breaks.json")
    assert saved["breaks"] == {model: first["breaks"][model] for model in ("cnn", "rf")}
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert saved["scheme"] == "quantile" and "reused_from" not in first
    assert saved["reused_from"] == {"file": str(file), "sha256": digest}
    # A quarter of the first map lies below its lowest break, about 1/4; of its cubes, all below the
    # cube root: 0.63 of the cells.
    table = other.read_table("frequency_ratio")
    lowest = table[table["susceptibility"] == "Class 1 (lowest)"]["area_ratio_pct"]
    assert lowest.to_numpy() == pytest.approx(63, abs=4)


@pytest.mark.parametrize("scheme", SCHEMES)
@given(
    arrays(np.float32, 60, elements=st.floats(0, 1, width=32)).filter(
        lambda values: np.unique(values).size >= 4
    )
)
def test_every_scheme_cuts_every_map(schemes, scheme, values):
    """So many breaks as asked, ascending, within the map."""
    breaks = list(schemes["schemes"][scheme](values.astype(float)))
    assert len(breaks) == 3 and breaks == sorted(breaks)
    assert values.min() - 1e-6 <= breaks[0] and breaks[-1] <= values.max() + 1e-6


def test_rules_by_hand(schemes):
    """Four classes of 0.01 to 1, by equal steps, equal numbers, deviations and one factor."""
    rules, values = schemes["schemes"], np.array([0.01, 0.2, 0.4, 0.6, 1.0])
    assert rules["equal"](values) == pytest.approx([0.2575, 0.505, 0.7525])
    assert rules["quantile"](values) == pytest.approx([0.2, 0.4, 0.6])
    mean, deviation = values.mean(), values.std()
    assert rules["deviation"](values) == pytest.approx([mean - deviation, mean, mean + deviation])
    assert rules["geometric"](values) == pytest.approx([0.1**1.5, 0.1, 0.1**0.5])


def within_class_squares(values: np.ndarray, breaks) -> float:
    """What Fisher–Jenks makes small: the sum of squared deviations from the class means."""
    number = np.searchsorted(breaks, values, side="left")
    return sum(values[number == k].var() * (number == k).sum() for k in np.unique(number))


@given(st.integers(0, 999), st.integers(2, 6))
@pytest.mark.known_by("all cuts", "Fisher–Jenks classes")
def test_fisher_jenks_is_the_best_of_all_cuts(seed, n_classes):
    """Every way to cut eleven values, ties among them, is tried."""
    values = np.random.default_rng(seed).integers(0, 20, 11) / 20
    different = np.unique(values)
    n_classes = min(n_classes, different.size)
    breaks = [cells[-1] for cells in ckmeans(values, n_classes)[:-1]]
    best = min(
        within_class_squares(values, cut)
        for cut in itertools.combinations(different[:-1], n_classes - 1)
    )
    assert within_class_squares(values, breaks) == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("n_classes", [3, 5, 8])
@pytest.mark.known_by("mapclassify", "Fisher–Jenks classes")
def test_fisher_jenks_is_as_good_as_mapclassify(n_classes):
    values = np.random.default_rng(0).beta(0.5, 2, 500)
    breaks = [cells[-1] for cells in ckmeans(values, n_classes)[:-1]]
    outside = mapclassify.FisherJenks(values, n_classes).bins[:-1]
    squares = within_class_squares(values, outside)
    assert within_class_squares(values, breaks) == pytest.approx(squares, rel=1e-12)


def test_flat_map_cannot_be_classed():
    with pytest.raises(InputError, match="1 different values cannot be cut into 5 classes"):
        classes.known_values(xr.full_like(GRID, 0.5), 5)


def test_breaks_of_a_large_map_are_found_on_a_part(monkeypatch):
    """Every second row and column of more cells than allowed, and it is said."""
    values = on_grid(np.arange(1200.0).reshape(30, 40) / 1200, GRID)
    assert classes.known_values(values, 5).size == 1200
    monkeypatch.setattr(classes, "MOST_CELLS", 400)
    with pytest.warns(InputNote, match="every 2th row and column of 1,200 cells"):
        part = classes.known_values(values.chunk(y=7, x=9), 5)
    assert part.tolist() == values.values[::2, ::2].ravel().tolist()


def test_classes_in_chunks_are_the_same(random_run):
    """A value on a break belongs below it, unknown is 0, as numpy says of the whole map."""
    for values in classes.read_maps(random_run).values():
        breaks = [float(values[5, 5]), 0.9]
        expected = np.where(np.isnan(values), 0, 1 + np.digitize(values, breaks, right=True))
        for map_ in (values, values.chunk(y=7, x=9)):
            cut = classes.cut_classes(map_, breaks)
            assert cut.dtype == np.uint8 and cut[5, 5] == 1
            np.testing.assert_array_equal(cut, expected)


def test_maps_that_are_missing(tmp_path):
    run = mapped(tmp_path, {"logistic": np.ones(GRID.shape)}, [(1, 1)])
    with pytest.raises(InputError, match="no heldout susceptibility map of cnn, rf, xgboost"):
        classes.read_maps(run)


def _known(landslides, susceptibility):
    """As chapter 06 burns them."""
    shapes = reproject_landslides(landslides, susceptibility).geometry
    burnt = rasterize(shapes, susceptibility.shape, transform=susceptibility.rio.transform()) == 1
    known = classes.known_landslides(burnt, susceptibility)
    assert known.name == "landslide"
    return known.values


def test_landslide_cells_of_points_and_polygons():
    """A point takes the cell it lies in; a polygon those whose centre it covers; outside the grid
    nothing; unknown cells are none.
    """
    known = xr.zeros_like(GRID)
    points = gpd.GeoDataFrame(geometry=[Point(600_012, 3_290_299), Point(0, 0)], crs=GRID.rio.crs)
    assert np.argwhere(_known(points, known)).tolist() == [[0, 1]]
    square = gpd.GeoDataFrame(
        geometry=[box(600_000, 3_290_274, 600_026, 3_290_300)], crs=GRID.rio.crs
    )
    expected = [[r, c] for r in range(3) for c in range(3)]
    for landslides in (square, square.to_crs(4326)):
        assert np.argwhere(_known(landslides, known)).tolist() == expected
    with pytest.raises(InputError, match="No landslide of the inventory lies on"):
        _known(square, GRID)


def test_landslides_without_a_place_are_refused():
    square = gpd.GeoDataFrame(
        geometry=[box(600_000, 3_290_274, 600_026, 3_290_300)], crs=GRID.rio.crs
    )
    with pytest.raises(InputError, match="no CRS"):
        _known(square.set_crs(None, allow_override=True), xr.zeros_like(GRID))
    with pytest.raises(InputError, match="overlap"):
        _known(square.translate(1e5).to_frame("geometry"), xr.zeros_like(GRID))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[]", "no class breaks by model"),
        ('{"breaks": []}', "no class breaks by model"),
        ('{"breaks": {}}', "no class breaks by model"),
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
def test_breaks_that_cannot_be_used_are_explained(tmp_path, content, words):
    file = tmp_path / "breaks.json"
    by_model = json.dumps({"breaks": dict.fromkeys(classes.MODELS, content)})
    file.write_text(content if isinstance(content, str) else by_model)
    with pytest.raises(InputError, match=rf"breaks\.json.*{words}"):
        classes.read_breaks(file, 4, classes.MODELS)


def test_breaks_are_checked_of_the_models_that_have_them(tmp_path):
    """Before a run nobody knows which maps there will be."""
    file = tmp_path / "breaks.json"
    file.write_text('{"breaks": {"rf": [0.5]}}')
    assert classes.read_breaks(file, 2)["breaks"] == {"rf": [0.5]}
    with pytest.raises(InputError, match="do not give 3 classes for rf"):
        classes.read_breaks(file, 3)
