"""Gaps that a file does not declare, partial rasters, units and scales of ready-made factors,
directions.
"""

import warnings

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from affine import Affine
from shapely.geometry import Point, box

from lsa_helpers.errors import InputDoubt, InputError, InputNote
from lsa_helpers.factors.build import build_factors
from tests.cases.conftest import CRS, EAST, NORTH, SOUTH, WEST, altitude, centres, steepness

COARSE = Affine(30, 0, WEST - 300, 0, -30, NORTH + 300)  # 80 × 60 cells reach beyond the area
SHAPE = (62, 76)


def ndvi(low=0.1, high=0.8):
    """A ramp from west to east, of more than one cell a value."""
    return np.broadcast_to(np.linspace(low, high, SHAPE[1]), SHAPE).copy()


FILLS = [-9999, -32768, -32767, -99999, 1e20, -3.4028234663852886e38, 3.4e38, 9.969209968386869e36]


@pytest.mark.parametrize("fill", [*FILLS, -999, 65535, -10000, 99999, -500, np.inf, -np.inf])
def test_heights_never_are_fill_numbers(hill, fill):
    """A lake of 60 cells: unknown, and so are the cells whose slope would need it."""
    heights = altitude(*centres())
    heights[50:56, 70:80] = fill
    hill.raster("dem.tif", heights)
    factors, said = hill.factors("altitude", "slope")
    assert int(factors["altitude"].isnull().sum()) == 60
    assert int(factors["slope"].isnull().sum()) == 8 * 12
    assert factors["altitude"].min() > 1000 and factors["slope"].max() < 60
    assert any("60" in line and "taken for gaps" in line for line in said)


def test_a_declared_gap_is_not_spoken_of(hill):
    heights = altitude(*centres())
    heights[50:56, 70:80] = -9999
    hill.raster("dem.tif", heights, nodata=-9999)
    factors, said = hill.factors("altitude")
    assert int(factors["altitude"].isnull().sum()) == 60 and not said


def test_another_fill_than_the_declared_one(hill):
    heights = altitude(*centres())
    heights[0, :7], heights[1, :5] = -32768, -9999
    hill.raster("dem.tif", heights, nodata=-32768)
    factors, said = hill.factors("altitude")
    assert int(factors["altitude"].isnull().sum()) == 12
    assert [line for line in said if "5 cells of -9999" in line]


def test_no_mixture_of_gaps_is_interpolated(hill):
    """A coarse DEM with a gap: resampled, nothing lies below the ground around it."""
    transform = Affine(30, 0, WEST, 0, -30, NORTH)
    x, y = np.meshgrid(WEST + 15 + 30 * np.arange(53), NORTH - 15 - 30 * np.arange(40))
    heights = altitude(x, y)
    lowest = heights.min()
    heights[20:23, 20:23] = -9999
    hill.raster("dem.tif", heights, transform)
    hill.catalog()
    with_gap, said = hill.factors("altitude")
    assert with_gap["altitude"].min() > lowest - 5 and with_gap["altitude"].isnull().any()
    assert any("9 cells of -9999" in line for line in said)


def test_impossible_heights_that_are_no_fill_are_refused(hill):
    """Heights in feet of a high land, declared as metres."""
    hill.raster("dem.tif", altitude(*centres()) * 6)
    with pytest.raises(InputError, match=r"dem\.tif: [\d,]+ values lie outside.*-430 to 8,850 m"):
        hill.factors("altitude")


def test_below_the_sea_is_possible(hill):
    hill.raster("dem.tif", altitude(*centres()) - 1800)
    factors, said = hill.factors("altitude")
    assert factors["altitude"].min() < -300 and not said


SCALES = [
    (1, "float32", {}, None),
    (10_000, "int16", {}, "multiplied by 0.0001"),
    (10_000, "int16", {"scale": 0.0001}, None),
    (1000, "int16", {}, "multiplied by 0.001"),
    (100, "float32", {"unit": "%"}, None),
]


@pytest.mark.parametrize(("factor", "dtype", "keys", "word"), SCALES)
def test_the_scale_of_an_ndvi(hill, factor, dtype, keys, word):
    values = ndvi() * factor
    hill.raster("ndvi.tif", values, COARSE, dtype=dtype)
    hill.entry("ndvi", path="ndvi.tif", **keys)
    factors, said = hill.factors("ndvi")
    assert 0.1 <= factors["ndvi"].min() < 0.25 < 0.65 < factors["ndvi"].max() <= 0.8
    assert any(word in line for line in said) if word else not said


def test_an_ndvi_of_250_steps_with_flags(hill):
    """Copernicus: 0.004 · number − 0.08; 254 is the sea and 255 missing."""
    values = np.full(SHAPE, 145)
    values[:20], values[:, :15] = 254, 255
    hill.raster("ndvi.tif", values, COARSE, dtype="uint8")
    hill.entry("ndvi", path="ndvi.tif")
    factors, said = hill.factors("ndvi")
    known = factors["ndvi"].values[np.isfinite(factors["ndvi"].values)]
    np.testing.assert_allclose(known, 0.5, atol=1e-6)
    assert factors["ndvi"].isnull().any() and any("0.004" in line for line in said)
    assert any("cells of 254" in line for line in said)


def test_modis_gaps_are_minus_3000(hill):
    values = ndvi(-0.2, 0.9) * 10_000
    values[30:34, 30:34] = -3000
    hill.raster("ndvi.tif", values, COARSE, dtype="int16")
    hill.entry("ndvi", path="ndvi.tif", scale=0.0001)
    factors, said = hill.factors("ndvi")
    assert factors["ndvi"].min() > -0.2001 and factors["ndvi"].isnull().any()
    assert any("16 cells of -3000" in line for line in said)


def test_an_ndvi_of_two_tiles_has_one_scale(hill):
    """Water in one tile alone looks like fractions."""
    west = np.full((62, 38), 0)
    west[:, 0] = 1
    east = np.full((62, 38), 8000)
    hill.raster("a.tif", west, COARSE, dtype="int16")
    hill.raster("b.tif", east, COARSE * Affine.translation(38, 0), dtype="int16")
    hill.entry("ndvi", path="[ab].tif")
    factors, said = hill.factors("ndvi")
    assert factors["ndvi"][:, 0].max() < 1e-4 and float(factors["ndvi"].max()) == pytest.approx(0.8)
    assert sum("multiplied by 0.0001" in line for line in said) == 1


def test_fill_numbers_of_an_unknown_factor(hill):
    """Of a factor that may be anything, only the numbers that always mean gaps count, and only
    where they stand apart.
    """
    values = np.linspace(200, 400, SHAPE[0] * SHAPE[1]).reshape(SHAPE)
    values[20:24, 20:24] = -9999
    hill.raster("t.tif", values, COARSE)
    hill.content["extra"] = {"temperature": {"path": "t.tif", "unit": "K"}}
    factors, said = hill.factors("temperature")
    assert factors["temperature"].min() > 190 and factors["temperature"].attrs["units"] == "K"
    assert any("16 cells of -9999" in line for line in said)
    hill.raster(
        "t.tif", np.linspace(-12_000, 9000, SHAPE[0] * SHAPE[1]).reshape(SHAPE).round(), COARSE
    )
    assert hill.factors("temperature")[0]["temperature"].notnull().all()


def test_gaps_of_a_netcdf(hill):
    lon, lat = np.arange(104.9, 105.2, 0.01), np.arange(29.7, 29.95, 0.01)
    values = np.full((lat.size, lon.size), 30.0, np.float32)
    values[:, 11] = 1e20
    data = xr.DataArray(values, {"lat": lat, "lon": lon}, ("lat", "lon"), name="clay")
    data.to_netcdf(hill.path / "clay.nc")
    hill.content["extra"] = {"clay": {"path": "clay.nc", "unit": "%"}}
    factors, said = hill.factors("clay")
    np.testing.assert_allclose(factors["clay"].values[factors["clay"].notnull()], 30)
    assert any("1e+20 are taken for gaps" in line for line in said)


READY = [
    ("slope", "°", 20, 20), ("slope", "degrees", 20, 20), ("slope", "%", 100, 45),
    ("slope", "rad", np.pi / 6, 30), ("plan_curvature", "1/100 m", 2, 0.02),
    ("distance_to_road", "km", 0.5, 500), ("distance_to_fault", "ft", 1000, 304.8),
    ("tri", "cm", 500, 5), ("aspect", "radians", np.pi / 2, 90), ("pga", "%g", 20, 196.133),
]  # fmt: skip


@pytest.mark.parametrize(("name", "unit", "stored", "expected"), READY)
def test_ready_made_factors_in_any_unit(hill, name, unit, stored, expected):
    hill.raster("ready.tif", np.full(SHAPE, stored), COARSE)
    hill.content["factors"] = {name: {"path": "ready.tif", "unit": unit}}
    factors, _ = hill.factors(name)
    np.testing.assert_allclose(factors[name], expected, rtol=1e-5)
    own = {"slope": "°", "plan_curvature": "1/m", "aspect": "°", "pga": "cm/s²"}
    assert factors[name].attrs["units"] == own.get(name, "m")


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("g", 980.665), ("%g", 9.80665), ("m/s²", 100), ("m s-2", 100), ("gal", 1), ("cm/s^2", 1),
     ("mg", 0.980665), ("", 1)],
)  # fmt: skip
def test_shaking_in_any_unit(hill, unit, factor):
    places = [Point(WEST + 100, SOUTH + 100), Point(EAST - 100, NORTH - 100)]
    table = pd.DataFrame({"x": [p.x for p in places], "y": [p.y for p in places]})
    table["pga"] = np.array([98.0, 294.0]) / factor
    table.to_csv(hill.path / "stations.csv", index=False)
    hill.entry("stations", path="stations.csv", value="pga", crs=CRS, unit=unit)
    factors, said = hill.factors("pga")
    assert 98 <= factors["pga"].min() < 105 and 287 < factors["pga"].max() <= 294.1
    assert factors["pga"].attrs["units"] == "cm/s²"
    assert any("errs by 196.0 cm/s²" in line for line in said)


@pytest.mark.parametrize("entry", ["stations", "slope"])
def test_an_unknown_unit_lists_those_known(hill, entry):
    if entry == "stations":
        (hill.path / "s.csv").write_text(f"x,y,pga\n{WEST},{NORTH},4\n")
        hill.entry("stations", path="s.csv", value="pga", crs=CRS, unit="MMI")
        words, factor = r's\.csv: the unit "MMI" is not known for pga.*cm/s².*gal', "pga"
    else:
        hill.content["factors"] = {"slope": {"path": "dem.tif", "unit": "gon"}}
        words, factor = r'dem\.tif: the unit "gon" is not known for slope.*°', "slope"
    with pytest.raises(InputError, match=words):
        hill.factors(factor)


@pytest.mark.parametrize("kind", ["aspect", "of the user"])
def test_directions_around_north_stay_there(hill, kind):
    """Half of the cells look to 350°, half to 10°: no mixture of them looks south."""
    rng = np.random.default_rng(0)
    angles = np.where(
        rng.random(SHAPE) < 0.5, rng.uniform(350, 360, SHAPE), rng.uniform(0, 10, SHAPE)
    )
    hill.raster("aspect.tif", angles, COARSE, nodata=-9999)
    name = "aspect" if kind == "aspect" else "ripples"
    entry = {"path": "aspect.tif", "unit": "°", "kind": "circular"}
    hill.content["factors" if kind == "aspect" else "extra"] = {name: entry}
    factors, _ = hill.factors(name)
    assert not ((factors[name] > 11) & (factors[name] < 349)).any()
    assert factors[name].notnull().all()


def test_flat_ground_has_no_direction(hill):
    """West flat, east to the south: the seam looks south or nowhere, never north-west."""
    angles = np.full(SHAPE, 180.0)
    angles[:, :38] = -1
    hill.raster("aspect.tif", angles, COARSE)
    hill.content["factors"] = {"aspect": {"path": "aspect.tif"}}
    values = np.round(hill.factors("aspect")[0]["aspect"].values, 3)
    assert set(np.unique(values)) == {-1, 180}
    assert (values[:, 0] == -1).all() and (values[:, -1] == 180).all()


def test_a_raster_over_a_part_is_doubted_with_what_is_lost(hill):
    hill.raster("ndvi.tif", np.full((60, 16), 5000), COARSE, dtype="int16", nodata=-32768)
    hill.entry("ndvi", path="ndvi.tif", scale=0.0001)
    factors, said = hill.factors("slope", "lulc", "ndvi")
    share = float(factors["ndvi"].notnull().mean())
    assert 0.1 < share < 0.13
    assert any(f"ndvi covers {share:.0%} of the study area" in line for line in said)
    loss = [line for line in said if "has a value of every factor" in line]
    assert len(loss) == 1 and f"NDVI {1 - share:.0%}" in loss[0] and "Slope" not in loss[0]


def test_a_raster_over_nearly_all_is_not_spoken_of(hill):
    hill.raster("ndvi.tif", np.full((62, 60), 5000), COARSE, dtype="int16", nodata=-32768)
    hill.entry("ndvi", path="ndvi.tif", scale=0.0001)
    factors, said = hill.factors("ndvi")
    assert factors["ndvi"].isnull().any() and not said


@pytest.mark.parametrize(("unit", "factor"), [("", 1), ("mm", 1), ("cm", 10), ("inches", 25.4)])
def test_rain_of_zones_in_any_unit(hill, unit, factor):
    zone = box(WEST - 99, SOUTH - 99, EAST + 99, NORTH + 99)
    hill.vector("zones.gpkg", [zone], columns={"rain": [1000 / factor]})
    hill.entry("rainfall", path="zones.gpkg", attribute="rain", unit=unit)
    np.testing.assert_allclose(hill.factors("rainfall")[0]["rainfall"], 1000, rtol=1e-5)
    hill.content["rainfall"]["unit"] = "buckets"
    with pytest.raises(InputError, match='the unit "buckets" is not known for rainfall.*mm/yr'):
        hill.factors("rainfall")


def test_a_huge_fill_beside_a_unit(hill):
    """Which overflows when it is turned into metres."""
    heights = altitude(*centres()) / 1000
    heights[3, 4:8] = 3.4028234663852886e38
    hill.raster("dem.tif", heights)
    hill.content["dem"]["unit"] = "km"
    factors, _ = hill.factors("altitude")
    assert int(factors["altitude"].isnull().sum()) == 4 and factors["altitude"].max() < 3000


def test_what_cannot_be_is_said_in_the_unit(hill):
    hill.raster("c.tif", np.linspace(0, 5000, 62 * 76).reshape(62, 76), COARSE)
    hill.content["factors"] = {"plan_curvature": {"path": "c.tif", "unit": "1/m"}}
    with pytest.raises(InputError, match=r"-900 to 900 1/m\).*901.083 to"):
        hill.factors("plan_curvature")


@pytest.mark.parametrize(("lift", "is_gap"), [(0, True), (-1410, False)])
def test_zeros_far_below_all_heights_are_gaps(hill, lift, is_gap):
    heights = altitude(*centres()) + lift  # the lowest of them at 1410.55 m
    heights[:, -20:] = 0
    hill.raster("dem.tif", heights)
    factors, said = hill.factors("altitude")
    assert np.isnan(factors["altitude"].to_numpy()[:, -19:]).all() == is_gap
    assert any("1,920 cells of 0 are taken for gaps" in text for text in said) == is_gap


@pytest.mark.parametrize(
    ("values", "keys", "told"),
    [(0.3, {}, True), (250.0, {}, True), (0.3, {"unit": "g"}, False), (0.3, {"scale": 981}, False)],
)
def test_shaking_without_a_unit_is_said(hill, values, keys, told):
    hill.raster("pga.tif", np.full((96, 128), values))
    hill.entry("stations", path="pga.tif", **keys)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        build_factors(hill.catalog(), wanted=["pga"])
    kinds = [w.category for w in caught if "no unit of PGA is stated" in str(w.message)]
    assert kinds == [InputDoubt if values < 5 else InputNote] * told


@pytest.mark.parametrize(
    ("name", "make", "keys", "fits"),
    [
        ("slope", lambda slope: slope, {}, True),
        ("slope", np.radians, {}, False),
        ("slope", np.radians, {"unit": "rad"}, True),
        ("slope", lambda slope: 100 * np.tan(np.radians(slope)), {}, False),
        ("slope", lambda slope: 100 * np.tan(np.radians(slope)), {"unit": "%"}, True),
        ("aspect", lambda slope: slope % 8 + 1, {}, False),
        ("altitude", lambda slope: altitude(*centres()) / 0.3048, {}, False),
        ("altitude", lambda slope: altitude(*centres()) / 0.3048, {"unit": "ft"}, True),
        ("distance_to_road", lambda slope: (centres()[0] - WEST) / 111_000, {}, False),
        ("distance_to_road", lambda slope: centres()[0] - WEST, {}, True),
    ],
)
def test_ready_made_factors_are_held_against_the_dem(hill, name, make, keys, fits):
    values = make(steepness(*centres()))
    hill.raster("ready.tif", values)
    hill.content["factors"] = {name: {"path": "ready.tif", **keys}}
    _, said = hill.factors(name)
    assert any(f"the ready-made {name} does not fit" in text for text in said) != fits
