"""Rain over time in whatever file, unit and step: always millimetres a year, and said."""

import itertools

import cftime
import numpy as np
import pandas as pd
import pytest
import rasterio
import xarray as xr
from affine import Affine

from lsa_helpers.errors import InputError

DEGREES = Affine(1 / 120, 0, 104.5, 0, -1 / 120, 30.2)
LON, LAT = np.arange(104.9, 105.2, 0.05), np.arange(29.7, 29.95, 0.05)


def netcdf(folder, values, units="mm", name="pre", time=None, file="rain.nc", names=None):
    """A NetCDF of values that are the same everywhere, one a time; `names` renames axes."""
    values = np.asarray(values, np.float32)
    cells = np.broadcast_to(values[:, None, None], (len(values), LAT.size, LON.size))
    data = xr.DataArray(cells, dims=("time", "lat", "lon"), attrs={"units": units} if units else {})
    data = data.assign_coords(lat=LAT, lon=LON)
    data.lat.attrs["units"], data.lon.attrs["units"] = "degrees_north", "degrees_east"
    if time is not None:
        data = data.assign_coords(time=time)
    data.rename(names or {}).to_dataset(name=name).to_netcdf(folder.path / file)
    return file


def months(year=2022, count=12):
    return pd.date_range(f"{year}-01-01", periods=count, freq="MS")


def days(year=2022):
    return pd.date_range(f"{year}-01-01", f"{year}-12-31")


def rain(folder, expected, *words, **entry):
    """The rain of the entry, and what is said of it."""
    folder.entry("rainfall", **entry)
    factors, said = folder.factors("rainfall")
    assert factors["rainfall"].attrs["units"] == "mm/yr"
    np.testing.assert_allclose(factors["rainfall"], expected, rtol=1e-3)
    text = " ".join(said)
    assert all(word in text for word in (*words, f"{expected:,.0f} mm a year on average")), said


IN_MONTHS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
SHAPES = {
    "days, mm/day": ([1200 / 365] * 365, "mm/day", days(), 1200, "365 days of 2022"),
    "leap days": ([2.0] * 366, "mm/day", days(2020), 732, "366 days of 2020"),
    "months, mm": ([50, *[100] * 11], "mm", months(), 1150, "12 months of 2022, sum"),
    "months, m": ([0.05, *[0.1] * 11], "m", months(), 1150, "12 months"),
    "months, mm/month": ([100] * 12, "mm/month", months(), 1200, "12 months"),
    "months, inches": ([4] * 12, "inches", months(), 48 * 25.4, "12 months"),
    "months of a rate": ([1e-4] * 12, "kg m-2 s-1", months(), 1e-4 * 86_400 * 365, "12 months"),
    "a rate in a leap year": ([3] * 12, "mm day-1", months(2020), 3 * 366, "12 months of 2020"),
    "one wet February": ([0, 1, *[0] * 10], "mm/day", months(2020), 29, "12 months of 2020"),
    "two years": ([100] * 12 + [50] * 12, "kg m-2", months(2021, 24), 900, "2021 to 2022"),
    "years": ([1000, 1400], "mm", pd.to_datetime(["2021-01-01", "2022-01-01"]), 1200, "2 years"),
    "years of a rate": ([3.0], "mm/day", pd.to_datetime(["2021-01-01"]), 3 * 365, "1 year"),
    "every eighth day": ([8] * 46, "mm", pd.date_range("2022", periods=46, freq="8D"), 365, "46"),
    "no time, twelve": ([100] * 12, "mm", None, 1200, "12 months"),
    "no time, a year of days": ([2] * 365, "mm", None, 730, "365 days"),
    "numbers of months": ([100] * 12, "mm", np.arange(1, 13), 1200, "12 months"),
    "year and month": ([100] * 12, "mm", 202_200 + np.arange(1, 13), 1200, "12 months of 2022"),
    "a model's calendar": (
        [2e-5] * 12,
        "kg m-2 s-1",
        [cftime.DatetimeNoLeap(2020, month, 15) for month in range(1, 13)],
        2e-5 * 86_400 * 365,
        "12 months of 2020",
    ),
    "360 days": (
        [3.0] * 360,
        "mm/d",
        xr.date_range("2001-01-01", periods=360, calendar="360_day", use_cftime=True),
        1080,
        "360 days of 2001",
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_unit_and_step_are_read_from_a_netcdf(hill, shape):
    values, units, time, expected, word = SHAPES[shape]
    rain(hill, expected, word, path=netcdf(hill, values, units, time=time))


AXES = [
    {"lon": "longitude", "lat": "latitude", "time": "valid_time"},
    {"lon": "x", "lat": "y"},
    {"lon": "Lon", "lat": "Lat", "time": "T"},
    {"lon": "east_of_greenwich", "lat": "north_of_equator"},
]


@pytest.mark.parametrize("names", AXES)
def test_axes_are_known_by_what_they_are(hill, names):
    rain(hill, 1200, path=netcdf(hill, [100] * 12, time=months(), names=names))


def test_entry_overrides_the_file(hill):
    file = netcdf(hill, [10] * 12, "mm", time=months())
    rain(hill, 1200, path=file, unit="cm")
    rain(hill, 10 * 365, path=file, unit="mm/day")
    rain(hill, 10, "every month has a rate", path=file, unit="mm/yr")
    rain(hill, 10 / 12 * 12, path=file, step="year")  # twelve years of 10 mm
    rain(hill, 60, path=file, scale=0.5)


def test_a_scale_makes_millimetres(hill):
    rain(hill, 1200, path=netcdf(hill, [1000] * 12, "0.1mm", time=months()), scale=0.1)
    rain(hill, 1205, path=netcdf(hill, [0.0033] * 12, "m", time=months()), scale=30_437.5)


def test_a_scale_of_a_rate_needs_a_unit(hill):
    """A day, a month or a year: the number alone does not tell."""
    rate = netcdf(hill, [1e-5] * 12, "kg m-2 s-1", time=months())
    hill.entry("rainfall", path=rate, scale=86_400)
    with pytest.raises(InputError, match='`scale` of "kg m-2 s-1" has no `unit`.*such as mm/day'):
        hill.factors("rainfall")
    rain(hill, 1e-5 * 86_400 * 365, path=rate, scale=86_400, unit="mm/day")
    rain(hill, 1e-5 * 86_400 * 365.25, path=rate, scale=86_400 * 30.4375, unit="mm/month")


def test_era5_and_its_versions(hill):
    """Ten final months, two preliminary ones; metres a day that call themselves metres."""
    lon, lat = np.arange(104.0, 106.1, 0.25), np.arange(31.0, 28.9, -0.25)
    metres = np.full((12, 2, lat.size, lon.size), 0.0033, np.float32)
    metres[:10, 1], metres[10:, 0] = np.nan, np.nan
    dims = ("valid_time", "expver", "latitude", "longitude")
    coords = {"valid_time": months(2023), "expver": [1, 5], "latitude": lat, "longitude": lon}
    data = xr.DataArray(metres, coords, dims, attrs={"units": "m"}).to_dataset(name="tp")
    data.to_netcdf(hill.path / "tp.nc")
    rain(hill, 3.3 * 365, "taken for metres a day", path="tp.nc", variable="tp")
    rain(hill, 3.3 * 365, "taken for metres a day", path="tp.nc", scale=1000)
    rain(hill, 3.3 * 12, path="tp.nc", scale=1000, unit="mm")
    rain(hill, 12 * 0.0033 * 30_437.5, path="tp.nc", variable="tp", scale=30437.5)


def test_an_ensemble_is_refused_by_name(hill):
    data = xr.open_dataset(hill.path / netcdf(hill, [100] * 12, time=months()))
    data.expand_dims(number=[0, 1, 2]).to_netcdf(hill.path / "members.nc")
    hill.entry("rainfall", path="members.nc")
    with pytest.raises(
        InputError, match=r'members\.nc: it has another axis, "number".*\[0, 1, 2\]'
    ):
        hill.factors("rainfall")
    data.expand_dims(number=[0]).to_netcdf(hill.path / "one.nc")
    rain(hill, 1200, path="one.nc")


def test_several_variables_need_a_name(hill):
    data = xr.open_dataset(hill.path / netcdf(hill, [100] * 12, time=months(), name="a"))
    data.assign(b=data.a * 2).to_netcdf(hill.path / "two.nc")
    hill.entry("rainfall", path="two.nc")
    with pytest.raises(InputError, match=r"several variables.*'a', 'b'.*`variable`"):
        hill.factors("rainfall")
    rain(hill, 2400, path="two.nc", variable="b")


def test_one_netcdf_a_month(hill):
    for number, time in enumerate(months(), 1):
        netcdf(hill, [10 * number], time=[time], file=f"pre_{number}.nc")
    rain(hill, 780, "12 files of the same area, 12 months of 2022", path="pre_*.nc")


@pytest.mark.parametrize("name", ["wc_{:02d}.tif", "p2022{:02d}.tif", "chirps.2022.{:02d}.tif"])
def test_one_geotiff_a_month(hill, name):
    for month in range(1, 13):
        cells = np.full((80, 120), 50 if month == 1 else 100)
        how = {"dtype": "int16", "nodata": -32768}
        hill.raster(name.format(month), cells, DEGREES, "EPSG:4326", **how)
    rain(hill, 1150, "12 files of the same area, 12 months", path=name.split("{")[0] + "*.tif")


def test_months_in_their_order_without_zeros(hill):
    """A millimetre a day in February alone: 28.25 days, also where February sorts as the fifth."""
    for month in range(1, 13):
        cells = np.full((80, 120), float(month == 2))
        hill.raster(f"prec_{month}.tif", cells, DEGREES, "EPSG:4326")
    rain(hill, 28.25, path="prec_*.tif", unit="mm/day")


def test_one_geotiff_a_year(hill):
    for year in (2019, 2020, 2021):
        cells = np.full((80, 120), 1000 + 100 * (year - 2019))
        hill.raster(f"rain_{year}.tif", cells, DEGREES, "EPSG:4326")
    rain(hill, 1100, "3 years of 2019 to 2021", path="rain_*.tif")


def test_a_climate_model(hill):
    """Days without leap days, longitudes from 0 to 360, bounds of everything."""
    lon, lat = np.arange(0.5, 360), np.arange(-89.5, 90)
    time = xr.date_range("2020-01-01", "2020-12-31", calendar="noleap", use_cftime=True)
    cells = np.full((len(time), 3, 3), 1e-5, np.float32)
    coords = {"time": time, "lat": lat[118:121], "lon": lon[103:106]}
    data = xr.DataArray(cells, coords, ("time", "lat", "lon"), attrs={"units": "kg m-2 s-1"})
    data = data.to_dataset(name="pr").assign(
        lat_bnds=(("lat", "bnds"), np.zeros((3, 2))), lon_bnds=(("lon", "bnds"), np.zeros((3, 2)))
    )
    data.to_netcdf(hill.path / "pr.nc")
    rain(hill, 1e-5 * 86_400 * 365, "365 days of 2020", path="pr.nc")


def test_months_in_tiles(hill):
    """Six months in each of two tiles' files: tiles beside each other, months on each other."""
    west, east = DEGREES, Affine(1 / 120, 0, 104.5 + 62 / 120, 0, -1 / 120, 30.2)
    for month in range(12):
        for name, place, amount in (("w", west, 100), ("e", east, 100)):
            hill.raster(f"p_{name}_{month}.tif", np.full((80, 62), amount), place, "EPSG:4326")
    rain(hill, 1200, path="p_*.tif")


def test_months_as_bands(hill):
    bands = np.stack([np.full((80, 120), 50 if band == 0 else 100) for band in range(12)])
    hill.raster("prec.tif", bands, DEGREES, "EPSG:4326", dtype="int16", nodata=-32768)
    rain(hill, 1150, "12 months, sum", path="prec.tif", statistic="annual_sum")
    rain(hill, 1150, "12 months, sum", path="prec.tif")
    rain(hill, 50, "1 year", path="prec.tif", band=1)


@pytest.mark.parametrize(
    ("driver", "name"), [("GRIB", "tp.grib"), ("netCDF", "NETCDF:rain.nc:pre")]
)
def test_layers_over_time_come_as_netcdf(hill, driver, name):
    """GDAL gives those of others as bands whose dates and units each format keeps elsewhere."""
    netcdf(hill, [100] * 12, time=months())
    cells = np.full((12, 9, 9), 0.0033)
    hill.raster("tp.tif", cells, Affine(0.25, 0, 104, 0, -0.25, 31), "EPSG:4326")
    with rasterio.open(hill.path / "tp.tif") as file:
        rasterio.shutil.copy(file, hill.path / "tp.grib", driver="GRIB")
    hill.entry("rainfall", path=name)
    with pytest.raises(InputError, match=f"layers over time are not read from {driver}.*NetCDF"):
        hill.factors("rainfall")


def test_other_statistics_keep_their_own_unit(hill):
    bands = np.stack([np.full((80, 120), 10 * (band + 1)) for band in range(12)])
    hill.raster("prec.tif", bands, DEGREES, "EPSG:4326")
    for statistic, value, unit in (
        ("max", 120, "mm/month"),
        ("mean", 65, "mm/month"),
        ("sum", 780, "mm"),
    ):
        hill.entry("rainfall", path="prec.tif", statistic=statistic)
        factors, said = hill.factors("rainfall")
        np.testing.assert_allclose(factors["rainfall"], value)
        assert factors["rainfall"].attrs["units"] == unit
        assert any(f"{value} {unit.replace('/', ' a ')} on average" in line for line in said)


def test_bands_that_nothing_explains_are_refused(hill):
    hill.raster("prec.tif", np.full((3, 80, 120), 400), DEGREES, "EPSG:4326")
    hill.entry("rainfall", path="prec.tif")
    with pytest.raises(InputError, match=r"prec\.tif: nothing says.*3 layers.*`step: day`"):
        hill.factors("rainfall")
    rain(hill, 400, "3 years", path="prec.tif", step="year")


def test_gaps_of_rain_are_not_added(hill):
    """A month of -9999 undeclared: twelve times the mean of the others."""
    file = netcdf(hill, [100] * 11 + [-9999], time=months())
    rain(hill, 1200, "-9999 are taken for gaps", path=file)


@pytest.mark.parametrize(
    ("values", "units", "words"),
    [
        ([2000] * 12, "mm", "more rain than falls anywhere"),
        ([100] * 12, "furlong", 'the unit "furlong" is not known for rain.*kg m-2'),
        ([-5] * 12, "mm", "lie outside what is possible"),
    ],
)
def test_impossible_rain_is_refused(hill, values, units, words):
    hill.entry("rainfall", path=netcdf(hill, values, units, time=months()))
    with pytest.raises(InputError, match=rf"rain\.nc: .*{words}"):
        hill.factors("rainfall")


def test_half_a_year_and_a_desert_are_doubted(hill):
    hill.entry("rainfall", path=netcdf(hill, [100] * 5, time=months(count=5)))
    assert any("no whole years" in line for line in hill.factors("rainfall")[1])
    hill.entry("rainfall", path=netcdf(hill, [0.1] * 12, time=months()))
    assert any("as in a desert" in line for line in hill.factors("rainfall")[1])


def test_an_ndvi_over_time_is_a_mean(hill):
    hill.entry("ndvi", path=netcdf(hill, [0.2, 0.4], "1", name="NDVI", time=months(count=2)))
    factors, said = hill.factors("ndvi")
    np.testing.assert_allclose(factors["ndvi"], 0.3, rtol=1e-5)
    assert any("2 layers over time, mean" in line for line in said)
    hill.entry("ndvi", path="rain.nc", statistic="max")
    np.testing.assert_allclose(hill.factors("ndvi")[0]["ndvi"], 0.4, rtol=1e-5)


def test_numbered_parts_of_months_are_refused(hill):
    for month, part in itertools.product(range(1, 13), range(1, 4)):
        hill.raster(f"chirps.2021.{month:02d}.{part}.tif", np.full((96, 128), 20.0))
    hill.entry("rainfall", path="chirps*.tif")
    with pytest.raises(InputError, match="the same date.*36 layers of 12 dates.*sums of months"):
        hill.factors("rainfall")


def test_a_month_that_is_there_twice_is_refused(hill):
    for name in ("202101", "202102", "202103", "202103_v2"):
        hill.raster(f"rain_{name}.tif", np.full((96, 128), 60.0))
    hill.entry("rainfall", path="rain_*.tif")
    with pytest.raises(InputError, match="several layers have the same date.*4 layers of 3 dates"):
        hill.factors("rainfall")


def test_hours_are_refused(hill):
    """Those of ERA5-Land add up within each day; sums of hours would be read too high."""
    netcdf(hill, [0.1] * 96, time=pd.date_range("2022-06-01", periods=96, freq="h"))
    hill.entry("rainfall", path="rain.nc")
    with pytest.raises(InputError, match="less than a day are not read.*1 hours.*sums of days"):
        hill.factors("rainfall")


@pytest.mark.parametrize("count", [24, 36, 72])
def test_bands_that_may_be_parts_of_months_are_asked_about(hill, count):
    hill.raster("rain_2021.tif", np.full((count, 96, 128), 60.0))
    hill.entry("rainfall", path="rain_2021.tif")
    with pytest.raises(InputError, match=f"nothing says.*{count} layers.*`step: day`"):
        hill.factors("rainfall")


@pytest.mark.parametrize(("name", "doubted"), [("202107", True), ("2021", False)])
def test_one_month_is_no_year(hill, name, doubted):
    hill.raster(f"rain_{name}.tif", np.full((96, 128), 300.0))
    hill.entry("rainfall", path=f"rain_{name}.tif")
    said = hill.factors("rainfall")[1]
    assert any("one layer, of 2021-07-01, is taken for the sum" in text for text in said) == doubted
    if doubted:
        hill.entry("rainfall", path=f"rain_{name}.tif", step="month")
        assert not any("is taken for the sum" in text for text in hill.factors("rainfall")[1])


def test_an_anomaly_of_rain_is_not_the_rain(hill):
    for name in ("precip_anomaly", "tmax"):
        netcdf(hill, [10.0] * 12, name=name, time=months(), file=f"{name}.nc")
    paths = [hill.path / f"{name}.nc" for name in ("precip_anomaly", "tmax")]
    xr.merge([xr.open_dataset(path) for path in paths]).to_netcdf(hill.path / "rain.nc")
    hill.entry("rainfall", path="rain.nc")
    with pytest.raises(InputError, match="the file holds several variables.*precip_anomaly"):
        hill.factors("rainfall")
