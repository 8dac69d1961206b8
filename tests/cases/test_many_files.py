"""Several files for one entry, and files of several layers."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import LineString, Point, box

from lsa_helpers.errors import InputError, InputNote
from lsa_helpers.sources import categorical, continuous, read_features, read_inventory, target_grid
from tests.cases.conftest import CELL, CRS, EAST, NORTH, SOUTH, WEST, landslides


def upright(x: float) -> LineString:
    """A line from south to north through the hillside."""
    return LineString([(x, SOUTH - 100), (x, NORTH + 100)])


def test_all_events_are_read_whatever_their_crs_and_columns(hill):
    """Twelve and twenty landslides of two events, one sheet in degrees and with other columns."""
    hill.vector("event_2008.gpkg", landslides(12, 1), columns={"nr": range(12)})
    second = gpd.GeoDataFrame({"name": ["a"] * 20}, geometry=landslides(20, 2), crs=CRS)
    second.to_crs(4490).to_file(hill.path / "event_2022.shp")
    hill.entry("inventory", path=["event_2008.gpkg", "event_2022.shp"])
    catalog = hill.catalog()
    found = read_inventory(catalog, target_grid(catalog))
    assert len(found) == 32 and found["id"].tolist() == list(range(1, 33))
    expected = sum(shape.area for shape in landslides(12, 1) + landslides(20, 2))
    assert found["area_m2"].sum() == pytest.approx(expected, rel=1e-3)
    assert hill.check()[0].set_index("entry").loc["inventory", "kind"] == "vector, 32 features"


def test_a_wildcard_of_shapefiles_leaves_their_parts_aside(hill):
    for number, x in enumerate((WEST + 200, EAST - 200)):
        hill.vector(f"roads_{number}.shp", [upright(x)])
    hill.entry("roads", path="roads_*")
    (hill.path / "roads.gpkg").unlink()
    factors, _ = hill.factors("distance_to_road")
    columns = np.array([0, 40, 127])
    x = WEST + (columns + 0.5) * CELL
    expected = np.minimum(abs(x - WEST - 206.25), abs(x - EAST + 193.75))
    np.testing.assert_allclose(factors["distance_to_road"][50, columns], expected)


def test_map_sheets_join_to_one_map_of_classes(hill):
    hill.vector("sheet_w.shp", [box(WEST, SOUTH, WEST + 800, NORTH)], columns={"code": [1]})
    hill.vector("sheet_e.shp", [box(WEST + 800, SOUTH, EAST, NORTH)], columns={"CODE": [2.0]})
    hill.entry("lithology", path="sheet_*.shp", attribute="code", names={1: "a", 2: "b"})
    factors, said = hill.factors("lithology")
    assert float(factors["lithology"].isnull().sum()) == 0
    assert factors["lithology"].attrs["classes"] == {1: "a", 2: "b"}
    assert (factors["lithology"][:, :64] == 1).all() and (factors["lithology"][:, 64:] == 2).all()
    assert not [line for line in said if "sheet" in line]


def test_tables_join_too(hill):
    """Two stations in two files of another separator: halfway the mean of both."""
    middle = (NORTH + SOUTH) / 2
    (hill.path / "a.csv").write_text(f"x,y,pga\n{WEST},{middle},100\n")
    (hill.path / "b.txt").write_text(f"x;y;pga\n{EAST};{middle};300\n")
    hill.entry("stations", path=["a.csv", "b.txt"], value="pga", crs=CRS)
    catalog = hill.catalog()
    values = continuous(catalog, catalog.stations, target_grid(catalog))
    assert float(values[47:49, 63:65].mean()) == pytest.approx(200, abs=0.1)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (["roads.gpkg", "dem.tif"], r"dem\.tif: a raster cannot be joined"),
        (["roads.gpkg", "gone.shp"], r"gone\.shp: .*missing"),
        (["roads.gpkg", "broken.shp"], r"broken\.shp: the file cannot be read"),
    ],
)
def test_what_cannot_be_joined_is_named(hill, files, words):
    (hill.path / "broken.shp").write_bytes(b"nothing")
    hill.entry("roads", path=files)
    catalog = hill.catalog()
    with pytest.raises(InputError, match=words):
        read_features(catalog, catalog.roads, CRS)


def test_a_sheet_without_the_column_is_named(hill):
    half = WEST + 800
    hill.vector("a.gpkg", [box(WEST, SOUTH, half, NORTH)], columns={"rock": ["x"]})
    hill.vector("b.gpkg", [box(half, SOUTH, EAST, NORTH)], columns={"unit": ["y"]})
    hill.entry("lithology", path=["a.gpkg", "b.gpkg"], attribute="rock")
    catalog = hill.catalog()
    with pytest.raises(InputError, match=r'b\.gpkg: the attribute "rock".*Found: .*unit'):
        categorical(catalog, catalog.lithology, target_grid(catalog))


def test_a_sheet_without_features_is_said(hill):
    hill.vector("none.gpkg", [])
    hill.entry("roads", path=["none.gpkg", "roads.gpkg"])
    catalog = hill.catalog()
    with pytest.warns(InputNote, match=r"none\.gpkg: the file holds no features"):
        assert len(read_features(catalog, catalog.roads, CRS)) == 1


@pytest.fixture
def project(hill):
    """One GeoPackage as QGIS users keep it: four layers, an empty one, one without geometries."""
    file = hill.path / "project.gpkg"
    gpd.GeoDataFrame(geometry=landslides(), crs=CRS).to_file(file, layer="slides")
    for name, x in (("roads", WEST + 300), ("rivers", WEST + 1000), ("faults", EAST - 100)):
        gpd.GeoDataFrame(geometry=[upright(x)], crs=CRS).to_file(file, layer=name)
    gpd.GeoDataFrame({"a": []}, geometry=[], crs=CRS).to_file(file, layer="draft")
    import pyogrio

    pyogrio.write_dataframe(pd.DataFrame({"style": ["x"]}), file, layer="layer_styles")
    for name, layer in (("roads", "roads"), ("rivers", "rivers"), ("inventory", "slides")):
        hill.entry(name, path="project.gpkg", layer=layer)
    return hill


def test_each_entry_gets_its_layer(project):
    factors, _ = project.factors("distance_to_road", "distance_to_river")
    assert float(factors["distance_to_road"][0, 24]) == 0
    assert float(factors["distance_to_river"][0, 24]) == 700
    catalog = project.catalog()
    assert len(read_inventory(catalog, target_grid(catalog))) == 24


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        ("", r"one layer must be named. Found: slides \(Polygon, 24\); roads \(LineString, 1\)"),
        ("road", r'no layer "road". Found: slides \(Polygon, 24\)'),
        ("layer_styles", r'no layer "layer_styles"'),
        ("draft", "no features"),
    ],
)
def test_layers_are_listed(project, layer, words):
    project.entry("roads", path="project.gpkg", **{"layer": layer} if layer else {})
    with pytest.raises(InputError, match=rf"project\.gpkg: .*{words}") as error:
        project.check()
    assert "styles (" not in str(error.value) and "draft (" not in str(error.value)


def test_one_filled_layer_needs_no_name(hill):
    file = hill.path / "one.gpkg"
    gpd.GeoDataFrame(geometry=[upright(WEST + 300)], crs=CRS).to_file(file, layer="road")
    gpd.GeoDataFrame({"a": []}, geometry=[], crs=CRS).to_file(file, layer="empty")
    hill.entry("roads", path="one.gpkg")
    factors, _ = hill.factors("distance_to_road")
    assert float(factors["distance_to_road"][0, 24]) == 0


def test_folders_of_a_kml_are_layers(hill):
    from xml.sax.saxutils import escape

    def folder(name, places):
        marks = "".join(
            f"<Placemark><Point><coordinates>{p.x},{p.y},0</coordinates></Point></Placemark>"
            for p in places
        )
        return f"<Folder><name>{escape(name)}</name>{marks}</Folder>"

    points = gpd.GeoSeries([Point(WEST + 100 * i, SOUTH + 500) for i in range(1, 6)], crs=CRS)
    points = points.to_crs(4326)
    body = folder("slides", points[:3]) + folder("villages", points[3:])
    text = f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{body}</Document></kml>'
    (hill.path / "field.kml").write_text(text)
    hill.entry("inventory", path="field.kml")
    with pytest.raises(InputError, match=r"slides \(\w+, 3\); villages \(\w+, 2\)"):
        hill.check()
    hill.entry("inventory", path="field.kml", layer="slides")
    catalog = hill.catalog()
    found = read_inventory(catalog, target_grid(catalog))
    assert len(found) == 3 and found.geometry.x.round().tolist() == [
        WEST + 100 * i for i in (1, 2, 3)
    ]
