"""The page on how the mountain was made: its numbers against the mountain's own functions."""

import re

import geopandas as gpd
import nbformat
import numpy as np
import pytest

from lsa_helpers import answers
from lsa_helpers.mountain import make_mountain
from lsa_helpers.mountain.stability import log_odds, stability_features
from lsa_helpers.raster import cell_size, read_factors
from lsa_helpers.runner.cells import cell_of, notebooks_dir
from lsa_helpers.runner.kernel import execute_notebook
from lsa_helpers.runner.params import MOUNTAIN, MountainParams
from lsa_helpers.validation import read_truth

SEED = 0  # of the tiny run


def test_the_parameters_cell_is_the_model():
    values = {name: value for name, (value, _) in cell_of(MOUNTAIN).items()}
    assert MountainParams.from_cell(values).model_dump() == values == {"run_dir": ""}


@pytest.fixture(scope="module")
def page(tiny):
    """The run, what the executed page printed, and the run's mountain with its features."""
    made = tiny.run.path / f"notebooks/{MOUNTAIN}.ipynb"
    if not made.is_file():  # the tests of the book may have made it
        execute_notebook(notebooks_dir() / made.name, tiny.run.path, {"run_dir": "."})
    notebook = nbformat.read(made, as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    said = "\n".join(output.get("text", "") for output in outputs)
    mountain = make_mountain(3.0, 2.0, SEED)
    return tiny.run, said, mountain, stability_features(mountain.layers, SEED)


def numbers(pattern: str, said: str) -> list[float]:
    """The numbers that a printed sentence holds."""
    return [float(number) for number in re.search(pattern, said).groups()]


@pytest.mark.notebooks
@pytest.mark.slow
def test_the_page_is_about_the_mountain_of_the_run(page):
    """Made again it is the same, its formula is its code, and landslides and stations are counted
    right.
    """
    run, said, mountain, _ = page
    largest = numbers(r"the probability that the run keeps: (\S+)\.\n", said)
    largest += numbers(r"difference to `core_log_odds`: (\S+)\.\n", said)
    assert max(largest) < 1e-4
    drawn = len(gpd.read_file(run.product("truth/landslides.gpkg")))
    expected = float(mountain.source.sum())
    assert numbers(r"(\d+) landslides were expected, (\d+) were drawn", said) == [
        round(expected),
        drawn,
    ]
    places = gpd.GeoSeries.from_xy(mountain.stations["lon"], mountain.stations["lat"], crs=4326)
    left, bottom, right, top = mountain.layers.rio.bounds()
    on_map = len(places.to_crs(mountain.layers.rio.crs).cx[left:right, bottom:top])
    assert numbers(r"(\d+) of (\d+) stations stand on the map", said) == [on_map, len(places)]


@pytest.mark.notebooks
@pytest.mark.slow
def test_effects_are_those_of_the_log_odds(page):
    """The hidden field adds itself. Slope: the rise from its gentlest to its steepest value, over
    all cells in place of the page's thousand.
    """
    run, _, _, features = page
    effects = run.read_table("mountain_effects").set_index("cause").astype({"effect": float})
    hidden = effects.loc["Hidden field"].astype(float)
    np.testing.assert_allclose(np.polyfit(hidden["value"], hidden["effect"], 1)[0], 1, atol=1e-3)
    slope = effects.loc["Slope (°)"].astype(float)
    ends = []
    for degrees in slope["value"].iloc[[0, -1]]:
        same = dict.fromkeys(("slope", "around"), np.full_like(features["ndvi"]["ndvi"], degrees))
        ends.append(log_odds(features | {"slope": same}).mean())
    rise = slope["effect"].iloc[-1] - slope["effect"].iloc[0]
    assert rise == pytest.approx(ends[1] - ends[0], abs=0.2)


@pytest.mark.notebooks
@pytest.mark.slow
def test_the_cluster_and_the_tenths_are_counted_right(page):
    """No other window of that size holds more; the first tenth is what lies above the 90 %
    quantile of the true probability.
    """
    run, said, mountain, _ = page
    truth = read_truth(run.product("truth"), mountain.probability)
    slide = truth["landslide"].values
    shape = tuple(round(size * 0.1**0.5) for size in slide.shape)
    most = np.lib.stride_tricks.sliding_window_view(slide, shape).sum((-1, -2)).max()
    (held,) = numbers(r"of the land and holds (\d+)% of the landslide area", said)
    assert held == round(100 * most / slide.sum())
    tenths = run.read_table("mountain_tenths")["landslides"]
    probability = mountain.probability.values
    above = slide[probability > np.quantile(probability, 0.9)].sum() / slide.sum()
    assert tenths.sum() == pytest.approx(1)
    assert tenths[0] == pytest.approx(above, abs=0.002)


@pytest.mark.notebooks
@pytest.mark.slow
def test_the_errors_of_the_layers_are_counted_right(page):
    run, _, mountain, _ = page
    factors = read_factors(run.product("factors.tif"))
    errors = run.read_table("mountain_layers").set_index("factor")
    gap = factors["pga"].values - mountain.layers["pga"].values * 980.665
    error = errors.loc["Peak ground acceleration", "error"]
    assert error == pytest.approx(np.sqrt(np.nanmean(gap**2)), rel=1e-3)
    wrong = np.mean(factors["lithology"].values != mountain.layers["rocks"].values)
    assert errors.loc["Lithology", "wrong cells"] == pytest.approx(wrong)
    assert errors.loc["Altitude", "error"] < 0.01, "the DEM is the terrain, to rounding"


@pytest.mark.notebooks
def test_a_coarser_model_of_the_terrain_is_gentler(tiny):
    """Chapter 1's exercise: Horn's slope of means over squares of 8 cells, by NumPy."""
    factors = read_factors(tiny.run.product("factors.tif"))
    rows, cols = (length // 8 for length in factors["altitude"].shape)
    squares = factors["altitude"].values[: 8 * rows, : 8 * cols].reshape(rows, 8, cols, 8)
    z = squares.mean(axis=(1, 3))
    smooth_y, smooth_x = z[:-2] + 2 * z[1:-1] + z[2:], z[:, :-2] + 2 * z[:, 1:-1] + z[:, 2:]
    rise = np.hypot(smooth_y[:, 2:] - smooth_y[:, :-2], smooth_x[2:] - smooth_x[:-2])
    steepest = np.degrees(np.arctan(rise.max() / (8 * 8 * cell_size(factors))))
    assert steepest < float(factors["slope"].max()) - 5
    assert answers.check(tiny.run, "ex-01-coarse", float(steepest)).startswith("Right")


@pytest.mark.notebooks
def test_means_of_factors_are_those_of_the_landslides_cells(tiny):
    """Chapter 1's table of means, with cells in landslides from the truth's own raster."""
    factors = read_factors(tiny.run.product("factors.tif"))
    slide = read_truth(tiny.run.product("truth"), factors)["landslide"]
    means = tiny.run.read_table("factor_means").set_index("factor")
    inside = float(factors["ndvi"].where(slide).mean())
    assert means.loc["ndvi", "in landslides"] == pytest.approx(inside, abs=1e-4)
    size = abs(factors["profile_curvature"])
    assert means.loc["profile_curvature", "all land"] == pytest.approx(float(size.mean()), rel=1e-4)
    assert means.loc["slope", "all land"] == pytest.approx(float(factors["slope"].mean()), rel=1e-4)
