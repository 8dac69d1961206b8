"""Vectors and tables in the forms they come in: formats, encodings, columns, coordinates."""

import warnings
import zipfile

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from shapely.geometry import GeometryCollection, LineString, MultiPoint, Point, Polygon, box

from lsa_helpers.errors import InputError, InputNote
from lsa_helpers.sources import read_features, target_grid
from tests.cases.conftest import CRS, EAST, NORTH, SOUTH, WEST, landslides

ROAD = LineString([(WEST + 300, SOUTH - 100), (WEST + 300, NORTH + 100)])
PLACES = [Point(WEST + 100 * i, SOUTH + 60 * i) for i in range(1, 11)]


def roads(hill, name: str):
    hill.entry("roads", path=name)
    catalog = hill.catalog()
    return read_features(catalog, catalog.roads, CRS)


def same_places(found) -> bool:
    """Whether the ten points are where they are, within half a metre."""
    apart = found.geometry.distance(gpd.GeoSeries(PLACES, crs=CRS))
    return len(found) == 10 and apart.max() < 0.5


@pytest.mark.parametrize(
    ("name", "driver"),
    [
        ("r.geojson", "GeoJSON"),
        ("R.GEOJSON", "GeoJSON"),
        ("r.json", "GeoJSON"),
        ("r.geojsonl", "GeoJSONSeq"),
        ("r.kml", "KML"),
        ("r.kmz", "LIBKML"),
        ("r.gml", "GML"),
        ("r.gdb", "OpenFileGDB"),
        ("r.fgb", "FlatGeobuf"),
        ("r.tab", "MapInfo File"),
        ("r.sqlite", "SQLite"),
        ("R.GPKG", "GPKG"),
    ],
)
def test_formats(hill, name, driver):
    """A road in degrees lies where it lay in metres."""
    line = gpd.GeoSeries([shapely.MultiLineString([ROAD])], crs=CRS).to_crs(4326)
    line.to_frame("geometry").assign(number=1.0).to_file(hill.path / name, driver=driver)
    found = roads(hill, name)
    np.testing.assert_allclose(found.total_bounds[::2], [WEST + 300] * 2, atol=0.2)


def test_routes_must_be_told_from_their_points(hill):
    """GPX gives both as layers."""
    track = gpd.GeoSeries([ROAD], crs=CRS).to_crs(4326)
    track.to_frame("geometry").to_file(hill.path / "r.gpx", driver="GPX", layer="routes")
    with pytest.raises(InputError, match=r"r\.gpx: one layer must be named.*routes.*route_points"):
        roads(hill, "r.gpx")


def test_a_shapefile_in_capitals(hill):
    hill.vector("r.shp", [ROAD])
    for file in hill.path.glob("r.*"):
        file.rename(hill.path / file.name.upper())
    assert roads(hill, "R.SHP").total_bounds[0] == WEST + 300


@pytest.mark.parametrize("name", ["r.zip", "R.ZIP"])
def test_zipped_files_are_refused(hill, name):
    hill.vector("r.shp", [ROAD])
    with zipfile.ZipFile(hill.path / name, "w") as archive:
        archive.write(hill.path / "r.shp", "r.shp")
    with pytest.raises(InputError, match=rf"{name}: files are read unpacked. Unpack it and name"):
        roads(hill, name)


@pytest.mark.parametrize(
    ("code", "text", "read_as"),
    [
        ("gbk", "花岗岩", "gb18030"),
        ("utf-8", "花岗岩", ""),
        ("cp1252", "Höhenrücken", "cp1252"),
        ("cp1252", "Éboulis", "cp1252"),
    ],
)
@pytest.mark.parametrize("driver_byte", [0, 87])
def test_texts_without_a_stated_encoding(hill, code, text, read_as, driver_byte):
    ground = [box(WEST, SOUTH, EAST, NORTH)]
    hill.vector("rock.shp", ground, columns={"rock": [text]}, encoding=code)
    (hill.path / "rock.cpg").unlink()
    content = bytearray((hill.path / "rock.dbf").read_bytes())
    content[29] = driver_byte
    (hill.path / "rock.dbf").write_bytes(content)
    hill.entry("lithology", path="rock.shp", attribute="rock")
    factors, said = hill.factors("lithology")
    assert factors["lithology"].attrs["classes"] == {1: text}
    told = [line for line in said if "texts read as" in line]
    assert bool(told) == bool(read_as) and all(read_as in line for line in told)


@pytest.mark.parametrize(("stated", "key"), [("GBK", ""), ("936", ""), ("UTF-8", "gbk")])
def test_a_stated_or_named_encoding_counts(hill, stated, key):
    ground = [box(WEST, SOUTH, EAST, NORTH)]
    hill.vector("rock.shp", ground, columns={"岩性": ["片岩"]}, encoding="gbk")
    (hill.path / "rock.cpg").write_text(stated)
    hill.entry("lithology", path="rock.shp", attribute="岩性", encoding=key)
    factors, said = hill.factors("lithology")
    assert factors["lithology"].attrs["classes"] == {1: "片岩"}
    assert not any("texts read" in line for line in said)


def test_a_wrongly_stated_encoding_is_said(hill):
    ground = [box(WEST, SOUTH, EAST, NORTH)]
    hill.vector("rock.shp", ground, columns={"rock": ["片岩"]}, encoding="gbk")
    (hill.path / "rock.cpg").write_text("UTF-8")
    hill.entry("lithology", path="rock.shp", attribute="rock")
    factors, said = hill.factors("lithology")
    assert factors["lithology"].attrs["classes"] == {1: "片岩"}
    assert any("texts read as gb18030. Found: 片岩" in line for line in said)


def points_table(**columns) -> pd.DataFrame:
    """The ten points with longitude and latitude."""
    places = gpd.GeoSeries(PLACES, crs=CRS).to_crs(4326)
    return pd.DataFrame({"lon": places.x, "lat": places.y} | columns)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ("lon", "lat"),
        ("Longitude", "Latitude"),
        ("LONG", "LAT"),
        ("longitude (°E)", "latitude (°N)"),
        ("经度", "纬度"),
        ("Longitud", "Latitud"),
        ("decimalLongitude", "decimalLatitude"),
        ("lng", "lat"),
        ("X", "Y"),
    ],
)
def test_usual_names_of_degrees(hill, x, y):
    points_table().set_axis([x, y], axis=1).to_csv(hill.path / "p.csv", index=False)
    found, said = hill.inventory(path="p.csv")
    assert same_places(found)
    assert ("columns taken for the coordinates" in said) == ((x, y) != ("X", "Y"))


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ("Easting", "Northing"),
        ("POINT_X", "POINT_Y"),
        ("x_coord", "y_coord"),
        ("UTM_E", "UTM_N"),
        ("Este", "Norte"),
        ("东坐标", "北坐标"),
    ],
)
def test_usual_names_of_metres(hill, x, y):
    table = pd.DataFrame({x: [p.x for p in PLACES], y: [p.y for p in PLACES]})
    table.assign(lon=0, lat=0).to_csv(hill.path / "p.csv", index=False)
    found, said = hill.inventory(path="p.csv", crs=CRS)
    assert same_places(found) and x in said


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("p.csv", {"sep": ";", "decimal": ","}),
        ("p.csv", {"sep": "\t"}),
        ("p.txt", {"sep": "\t", "decimal": ","}),
        ("p.tsv", {"sep": "\t"}),
        ("P.CSV", {"sep": "|"}),
        ("p.txt", {"sep": " "}),
        ("p.csv", {"encoding": "utf-8-sig"}),
        ("p.csv", {"sep": "\t", "encoding": "utf-16"}),
        ("p.csv", {"sep": ";", "encoding": "cp1252", "lineterminator": "\r\n"}),
    ],
)
def test_texts_of_points(hill, name, how):
    table = points_table(place=["Höhe" if how.get("encoding") == "cp1252" else "a"] * 10)
    table.to_csv(hill.path / name, index=False, **how)
    found, said = hill.inventory(path=name, x="lon", y="lat")
    assert same_places(found)
    assert ("decimal commas" in said) == (how.get("decimal") == ",")


@pytest.mark.parametrize("name", ["p.xlsx", "P.XLSX"])
def test_spreadsheets(hill, name):
    sheets = {"info": pd.DataFrame({"a": [1]}), "points": points_table()}
    file = hill.path / name.lower()
    for sheet, table in sheets.items():
        pyogrio.write_dataframe(table, file, layer=sheet, driver="XLSX", append=file.exists())
    file.rename(hill.path / name)
    found, _ = hill.inventory(path=name, sheet="points")
    assert same_places(found)
    with pytest.raises(InputError, match=r"no sheet \"pionts\". Found: \['info', 'points'\]"):
        hill.inventory(path=name, sheet="pionts")
    hill.entry("inventory", path=name)
    with pytest.raises(InputError, match='no column "x"'):
        hill.inventory(path=name)


@pytest.mark.parametrize("column", ["WKT", "geometry", "the_geom"])
@pytest.mark.parametrize("prefix", ["", "SRID=4326;"])
def test_geometries_as_text(hill, column, prefix):
    shapes = gpd.GeoSeries(landslides(), crs=CRS).to_crs(4326).to_wkt()
    pd.DataFrame({"id": 1, column: prefix + shapes}).to_csv(hill.path / "p.csv", index=False)
    found, _ = hill.inventory(path="p.csv")
    expected = sum(shape.area for shape in landslides())
    assert found["area_m2"].sum() == pytest.approx(expected, rel=1e-3)


def test_geoparquet_and_plain_parquet(hill):
    gpd.GeoDataFrame(geometry=PLACES, crs=CRS).to_parquet(hill.path / "a.parquet")
    points_table().to_parquet(hill.path / "b.parquet")
    assert same_places(hill.inventory(path="a.parquet")[0])
    assert same_places(hill.inventory(path="b.parquet")[0])


def test_coordinates_that_are_no_numbers_are_named(hill):
    points_table().assign(lon="about 102").to_csv(hill.path / "p.csv", index=False)
    with pytest.raises(
        InputError, match=r"p\.csv: the column \"lon\" does not hold numbers.*about 102"
    ):
        hill.inventory(path="p.csv", x="lon", y="lat")


@pytest.mark.parametrize("angle", ["104.9E", "104°54'36\"E", "104° 54.6′"])
def test_angles_in_minutes_are_refused(hill, angle):
    points_table().assign(lon=angle).to_csv(hill.path / "p.csv", index=False)
    with pytest.raises(InputError, match=r'"lon" does not hold numbers.*as decimal degrees'):
        hill.inventory(path="p.csv", x="lon", y="lat")


def test_rows_without_coordinates_are_counted(hill):
    gaps = pd.DataFrame({"lon": [np.nan, 102.0], "lat": [30.0, np.nan]})
    table = pd.concat([points_table(), gaps])
    table.to_csv(hill.path / "p.csv", index=False)
    found, said = hill.inventory(path="p.csv")
    assert same_places(found) and "without a place are left out. Found: 2 of 12" in said


@pytest.mark.parametrize("name", ["p.csv", "p.gpkg"])
def test_longitudes_up_to_360_are_turned(hill, name):
    """A hillside in the Andes whose points come with longitudes from 0 to 360°."""
    west = gpd.GeoSeries(PLACES, crs=32648).to_crs(4326)
    hill.content = {"dem": {"path": "dem.tif", "crs": "EPSG:32618"}}
    turned = gpd.GeoSeries(PLACES, crs=32618).to_crs(4326)
    table = pd.DataFrame({"lon": turned.x + 360, "lat": turned.y})
    assert west.x.min() > 0 > turned.x.max()
    if name == "p.csv":
        table.to_csv(hill.path / name, index=False)
    else:
        places = gpd.points_from_xy(table["lon"], table["lat"])
        gpd.GeoDataFrame(geometry=places, crs=4326).to_file(hill.path / name)
    hill.raster("dem.tif", np.ones((96, 128)), crs="EPSG:32618")
    found, said = hill.inventory(path=name)
    assert len(found) == 10
    np.testing.assert_allclose(found.geometry.x, [p.x for p in PLACES], atol=0.5)


def test_swapped_coordinates_get_a_hint(hill):
    """105° cannot be a latitude; 30 and 80 could both be, and so can metres."""
    table = points_table().rename(columns={"lon": "lat", "lat": "lon"})
    table.to_csv(hill.path / "p.csv", index=False)
    with pytest.raises(InputError, match=r"p\.csv: .*do not fit the CRS.*Exchange `x` and `y`"):
        hill.inventory(path="p.csv")
    table = pd.DataFrame({"x": [p.y for p in PLACES], "y": [p.x for p in PLACES]})
    table.to_csv(hill.path / "p.csv", index=False)
    with pytest.raises(InputError, match=r"p\.csv: no landslide .*that `x` and `y` are not"):
        hill.inventory(path="p.csv", crs=CRS)
    hill.content = {"dem": {"path": "dem.tif"}, "inventory": {"path": "p.csv", "crs": CRS}}
    with pytest.raises(InputError, match=r"`inventory` does not overlap.*`x` and `y` are not"):
        hill.check()


def test_heights_and_measures_are_left_out(hill):
    line = shapely.force_3d(ROAD, 1200.0)
    hill.vector("r.shp", [line])
    found = roads(hill, "r.shp")
    assert not found.has_z.any() and found.geometry[0].equals(ROAD)


def test_a_bow_tie_is_made_valid(hill):
    tie = Polygon([(0, 0), (100, 100), (100, 0), (0, 100)])
    hill.vector("s.gpkg", [shapely.affinity.translate(tie, WEST + 500, SOUTH + 500)])
    found, _ = hill.inventory(path="s.gpkg")
    assert found.is_valid.all() and found["area_m2"].item() == pytest.approx(5000)


def test_points_of_one_feature_are_told_apart(hill):
    several = [MultiPoint(PLACES[:6]), GeometryCollection(PLACES[6:])]
    hill.vector("p.gpkg", several)
    found, _ = hill.inventory(path="p.gpkg")
    assert same_places(found) and (found.geom_type == "Point").all()


def test_cut_and_capital_names_of_attributes(hill):
    """A Shapefile holds ten letters of a name."""
    ground = [box(WEST, SOUTH, EAST, NORTH)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        hill.vector("rock.shp", ground, columns={"LITHOLOGICAL_CODE": [7]})
    hill.entry("lithology", path="rock.shp", attribute="lithological_code", names={7: "slate"})
    factors, _ = hill.factors("lithology")
    assert factors["lithology"].attrs["classes"] == {7: "slate"}


def test_stations_without_a_value_are_left_out(hill):
    (hill.path / "s.csv").write_text(f"x,y,pga\n{WEST},{SOUTH},100\n{EAST},{NORTH},\n")
    hill.entry("stations", path="s.csv", value="pga", crs=CRS)
    with pytest.warns(InputNote, match='without a value in "pga" are left out. Found: 1 of 2'):
        from lsa_helpers.sources import continuous

        catalog = hill.catalog()
        values = continuous(catalog, catalog.stations, target_grid(catalog))
    np.testing.assert_allclose(values, 100)
