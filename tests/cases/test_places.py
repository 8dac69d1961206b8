"""Tables and stations whose places are not what they seem."""

import pandas as pd
import pytest
from pyproj import Transformer
from shapely.geometry import LineString, Point

from lsa_helpers.errors import InputError
from tests.cases.conftest import CRS, NORTH, SOUTH, WEST

TO_DEGREES = Transformer.from_crs(CRS, 4326, always_xy=True)


def stations(hill, columns="lon,lat,pga", more=(), comma=False, turned=False):
    """Ten stations across the hillside with 100 to 190 cm/s², as a table without quotes."""
    rows = list(more)
    for number in range(10):
        lon, lat = TO_DEGREES.transform(WEST + 150 * number, (NORTH + SOUTH) / 2)
        place = (lat, lon - 90) if turned else (lon, lat)
        rows.append(",".join(f"{value:.6f}" for value in (*place, 100.0 + 10 * number)))
    text = "\n".join([columns, *(row.replace(".", ",") if comma else row for row in rows)])
    (hill.path / "stations.csv").write_text(text, encoding="utf-8")
    hill.entry("stations", path="stations.csv", value="pga")


def test_decimal_commas_between_commas_are_refused(hill):
    stations(hill, comma=True)
    with pytest.raises(InputError, match=r"more fields than the first line.*105,.*such as ;"):
        hill.factors("pga")


def test_commas_at_the_ends_of_lines_are_no_fields(hill):
    stations(hill)
    lines = (hill.path / "stations.csv").read_text().splitlines()
    (hill.path / "stations.csv").write_text("\n".join([lines[0], *(f"{s}," for s in lines[1:])]))
    factors, _ = hill.factors("pga")
    assert 100 <= float(factors["pga"].min()) <= float(factors["pga"].max()) <= 190


def test_stations_without_a_place_do_not_count(hill):
    stations(hill, more=["0,0,4000"])
    factors, said = hill.factors("pga")
    assert float(factors["pga"].max()) <= 190
    assert any("0° east and 0° north are left out" in text for text in said)


def test_stations_far_away_are_doubted(hill):
    stations(hill, turned=True)
    _, said = hill.factors("pga")
    assert any("all points lie outside the study area" in text for text in said)


def test_swapped_stations_are_doubted(hill):
    table = pd.DataFrame({"x": [SOUTH + 50.0, NORTH], "y": [WEST + 50.0, WEST], "pga": [100, 200]})
    table.to_csv(hill.path / "stations.csv", index=False)
    hill.entry("stations", path="stations.csv", value="pga", crs=CRS)
    said = hill.factors("pga")[1]
    assert any("all points lie outside" in s and "`x` and `y` are not exch" in s for s in said)


@pytest.mark.parametrize("names", ["东经,北纬", "東経,北緯"])
def test_east_and_north_in_chinese(hill, names):
    stations(hill, columns=f"{names},pga")
    factors, _ = hill.factors("pga")
    assert 100 <= float(factors["pga"].min()) <= float(factors["pga"].max()) <= 190


def test_several_values_at_one_place_are_doubted(hill):
    place = Point(WEST + 200, SOUTH + 300)
    hill.vector("s.gpkg", [place, place, Point(WEST, NORTH)], columns={"pga": [50.0, 300, 100]})
    hill.entry("stations", path="s.gpkg", value="pga", unit="gal")
    assert any("several values at one place. Found: 2 of 3" in s for s in hill.factors("pga")[1])


def test_lines_with_values_are_refused(hill):
    hill.vector("s.gpkg", [LineString([(WEST, SOUTH), (WEST, NORTH)])], columns={"mm": [900.0]})
    hill.entry("rainfall", path="s.gpkg", attribute="mm")
    with pytest.raises(InputError, match=r"s\.gpkg: lines with values are neither points nor"):
        hill.factors("rainfall")


@pytest.mark.parametrize(("unit", "words"), [("", "9 mm a year"), ("mm/month", "108 mm a year")])
def test_rain_of_gauges_is_said(hill, unit, words):
    places = [Point(WEST, SOUTH), Point(WEST, NORTH)]
    hill.vector("s.gpkg", places, columns={"jan": [9.0, 9.0]})
    hill.entry("rainfall", path="s.gpkg", value="jan", unit=unit)
    assert any(f"2 features: {words} on average" in text for text in hill.factors("rainfall")[1])
