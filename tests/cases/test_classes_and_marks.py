"""Classes whose codes are long, missing or none; features that mark nearly everything or nothing;
masks of every kind.
"""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import LineString, MultiLineString, Point, box

from lsa_helpers.errors import InputError
from lsa_helpers.sources import study_mask, target_grid
from tests.cases.conftest import CRS, EAST, NORTH, SOUTH, WEST, centres

CODES = [510722101, 510722102, 510722103]


def strips(n: int) -> list:
    """Polygons side by side over the hillside, from west to east."""
    edges = np.linspace(WEST, EAST, n + 1)
    return [box(west, SOUTH, east, NORTH) for west, east in zip(edges, edges[1:], strict=False)]


def lithology(hill, codes, name="rock.gpkg", **keys):
    """The factor of strips with these codes, and what is said of it."""
    series = pd.Series(codes)
    hill.vector(name, strips(len(codes)), columns={"code": series})
    hill.entry("lithology", path=name, attribute="code", **keys)
    factors, said = hill.factors("lithology")
    return factors["lithology"], "\n".join(said)


@pytest.mark.parametrize("name", ["rock.gpkg", "rock.shp", "rock.geojson"])
@pytest.mark.parametrize("as_text", [False, True])
def test_long_codes_stay_apart(hill, name, as_text):
    codes = [str(code) for code in CODES] if as_text else CODES
    names = {510722101: "granite", 510722102: "schist", 510722103: "slate"}
    factor, said = lithology(hill, codes, name, names=names)
    assert factor.attrs["classes"] == {1: "granite", 2: "schist", 3: "slate"}
    expected = np.repeat([1, 2, 3], [43, 42, 43])
    np.testing.assert_array_equal(factor[5], expected)
    assert not said
    factor, _ = lithology(hill, codes, name)
    assert list(factor.attrs["classes"].values()) == [str(code) for code in CODES]


def test_long_codes_of_a_raster_stay_apart(hill):
    east, _ = centres()
    codes = np.where(east < WEST + 800, CODES[0], CODES[1])
    hill.raster("rock.tif", codes, dtype="int32", nodata=-1)
    hill.entry("lithology", path="rock.tif", names={CODES[0]: "granite", CODES[1]: "schist"})
    factors, said = hill.factors("lithology")
    assert factors["lithology"].attrs["classes"] == {1: "granite", 2: "schist"}
    np.testing.assert_array_equal(factors["lithology"][0], np.repeat([1, 2], 64))


def test_short_codes_and_texts(hill):
    factor, _ = lithology(hill, [7, 3, 12])
    assert factor.attrs["classes"] == {3: "3", 7: "7", 12: "12"}
    factor, _ = lithology(hill, ["T3x", "J1b", "T3x", "Q4"], names={"Q4": "alluvium"})
    assert factor.attrs["classes"] == {1: "J1b", 2: "alluvium", 3: "T3x"}
    np.testing.assert_array_equal(factor[0, ::32], [3, 1, 3, 2])


@pytest.mark.parametrize(
    "codes",
    [
        pd.array([1, 2, None], "Int64"),
        [1.0, 2.0, np.nan],
        ["1", "2", None],
        ["1", "2", " "],
        ["1", "2", "<Null>"],
    ],
)
def test_a_missing_code_is_a_gap_and_counted(hill, codes):
    factor, said = lithology(hill, codes, names={1: "granite", 2: "schist"})
    assert factor.attrs["classes"] == {1: "granite", 2: "schist"}
    assert int(factor.isnull().sum()) == 43 * 96
    assert 'no class in "code", so a gap in the map. Found: 1 of 3 polygons, 33.6% of the' in said


def test_leading_zeros_stay_and_match_the_numbers_of_yaml(hill):
    factor, said = lithology(hill, ["0101", "0102"], names={101: "granite", "0102": "schist"})
    assert factor.attrs["classes"] == {101: "granite", 102: "schist"} and not said
    factor, _ = lithology(hill, ["01", "1"])
    assert factor.attrs["classes"] == {1: "01", 2: "1"}


def test_an_empty_attribute_is_refused(hill):
    with pytest.raises(InputError, match=r'rock\.gpkg: the attribute "code" is empty'):
        lithology(hill, [None, None])


def test_many_classes_are_a_doubt(hill):
    factor, said = lithology(hill, list(range(41)))
    assert len(factor.attrs["classes"]) == 41
    assert "41 classes are more than a map can tell apart" in said


@pytest.mark.parametrize("as_raster", [False, True])
def test_an_amount_is_no_class(hill, as_raster):
    east, _ = centres()
    with pytest.raises(InputError, match=r"rock\.\w+: classes are whole numbers .*fractions"):
        if as_raster:
            hill.raster("rock.tif", (east - WEST) / 999)
            hill.entry("lithology", path="rock.tif")
            hill.factors("lithology")
        lithology(hill, [0.25, 0.5, 12.75])


def test_names_that_do_not_fit_are_said(hill):
    factor, said = lithology(hill, [1, 2, 5], names={1: "granite", 2: "schist", 9: "gneiss"})
    assert factor.attrs["classes"] == {1: "granite", 2: "schist", 5: "5"}
    assert "classes without a name in `names`. Found: 5" in said
    assert "names for classes that do not occur here. Found: 9" in said


def test_an_attribute_must_be_named(hill):
    hill.entry("lithology", path="lithology.gpkg")
    with pytest.raises(InputError, match=r"no attribute is named. Found: \['code'\]"):
        hill.factors("lithology")


@pytest.mark.parametrize(("share", "word"), [(0.55, "45%"), (0.95, "5%")])
def test_the_share_that_polygons_leave_out_is_said(hill, share, word):
    east = WEST + round(share * 128) * 12.5
    hill.vector("rock.gpkg", [box(WEST, SOUTH, east, NORTH)], columns={"code": [1]})
    hill.entry("lithology", path="rock.gpkg", attribute="code")
    _, said = hill.factors("lithology")
    assert any(f"Found: {word} of its cells are outside and lost" in line for line in said)


def test_what_lies_outside_the_mask_is_not_lost(hill):
    middle = WEST + 800
    hill.vector("rock.gpkg", [box(WEST, SOUTH, middle, NORTH)], columns={"code": [1]})
    hill.entry("lithology", path="rock.gpkg", attribute="code")
    corner = box(WEST, SOUTH, middle, NORTH).difference(Point(WEST, SOUTH).buffer(300))
    hill.vector("mask.gpkg", [corner])
    hill.entry("mask", path="mask.gpkg")
    _, said = hill.factors("lithology")
    assert not any("lost" in line for line in said)


def test_lines_are_no_map_of_rocks(hill):
    hill.vector("rock.gpkg", [LineString([(WEST, SOUTH), (EAST, NORTH)])], columns={"code": [1]})
    hill.entry("lithology", path="rock.gpkg", attribute="code")
    with pytest.raises(InputError, match=r"rock\.gpkg: these features enclose no area"):
        hill.factors("lithology")


def road(hill, values, **profile):
    """Distances from a raster given as roads."""
    hill.raster("roads.tif", values, **profile)
    hill.entry("roads", path="roads.tif")
    return hill.factors("distance_to_road")


@pytest.mark.parametrize(
    "make",
    [
        lambda east: abs(east - WEST - 500),
        lambda east: np.clip(abs(east - WEST - 500) - 50, 0, None),
        lambda east: 1 + (abs(east - WEST - 500) > 100),
        lambda east: np.where(abs(east - WEST - 500) < 13, 1, 255),
    ],
    ids=["metres", "metres from a broad road", "classes", "background 255"],
)
def test_distances_are_no_roads(hill, make):
    with pytest.raises(InputError, match=r"roads\.tif: nearly all land is marked.*`factors:`"):
        road(hill, make(centres()[0]))
    with pytest.raises(InputError, match=r"roads\.tif: nearly all land"):
        hill.check()


def test_a_raster_of_roads_is_read(hill):
    """A road of one cell, its class 3, elsewhere nodata or 0."""
    east, _ = centres()
    on_road = (east > WEST + 500) & (east < WEST + 512.5)
    for nodata in (None, 0, 255):
        values = np.where(on_road, 3, nodata or 0)
        factors, said = road(hill, values, dtype="uint8", nodata=nodata)
        np.testing.assert_allclose(factors["distance_to_road"][9, 40:43], [0, 12.5, 25])
        assert not any("marked" in line for line in said)


def test_polygons_over_much_of_the_land_are_a_doubt(hill):
    hill.vector("roads.gpkg", [box(WEST, SOUTH, WEST + 640, NORTH)])
    _, said = hill.factors("distance_to_road")
    assert any("41% of the cells marked; polygons are filled: parcels" in line for line in said)
    hill.vector("roads.gpkg", [box(WEST, SOUTH, EAST, NORTH)])
    with pytest.raises(InputError, match=r"roads\.gpkg: nearly all.*100%.*parcels.*Give lines"):
        hill.factors("distance_to_road")


SQUARE = box(WEST + 200, SOUTH + 200, EAST - 200, NORTH - 200)


def masked(hill, shapes) -> tuple:
    """Share of the mask's own grid, its bounds, and what is said."""
    hill.vector("mask.gpkg", shapes)
    hill.entry("mask", path="mask.gpkg")
    catalog = hill.catalog()
    grid = target_grid(catalog)
    _, said = hill.factors("altitude")
    return float(study_mask(catalog, grid).mean()), grid.rio.bounds(), "\n".join(said)


@pytest.mark.filterwarnings("ignore::lsa_helpers.errors.InputNote")
@pytest.mark.parametrize(
    ("shapes", "is_said"),
    [
        ([SQUARE], False),
        ([LineString(SQUARE.exterior.coords)], True),
        ([MultiLineString([SQUARE.exterior.coords[:3], SQUARE.exterior.coords[2:]])], True),
    ],
    ids=["polygon", "closed line", "line in pieces"],
)
def test_masks(hill, shapes, is_said):
    share, bounds, said = masked(hill, shapes)
    assert share == 1 and bounds == SQUARE.bounds
    assert ("closed lines are read as polygons" in said) == is_said


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        ([LineString(SQUARE.exterior.coords[:4])], "enclose no area. Found: 1 LineString"),
        ([Point(WEST + 300, SOUTH + 300)], "enclose no area. Found: 1 Point"),
        ([box(EAST + 500, SOUTH, EAST + 900, NORTH)], "do not overlap"),
        ([box(WEST + 101, SOUTH + 101, WEST + 104, SOUTH + 104)], "no cell's centre lies in the"),
    ],
)
def test_masks_that_leave_nothing(hill, shapes, words):
    with pytest.raises(InputError, match=rf"mask\.gpkg: .*{words}"):
        masked(hill, shapes)


@pytest.mark.parametrize("outside", [0, 255])
def test_a_mask_may_be_a_raster(hill, outside):
    east, north = centres()
    inside = (abs(east - SQUARE.centroid.x) < 400) & (abs(north - SQUARE.centroid.y) < 300)
    hill.raster("mask.tif", np.where(inside, 1, outside), dtype="uint8", nodata=outside)
    hill.entry("mask", path="mask.tif")
    catalog = hill.catalog()
    grid = target_grid(catalog)
    assert grid.shape == (48, 64) and bool(study_mask(catalog, grid).all())
    rows, said = hill.check()
    assert rows.set_index("entry").loc["mask", "kind"] == "raster"
    assert not any("mask.tif" in line for line in said)


def test_a_mask_in_degrees_of_another_datum(hill):
    gpd.GeoDataFrame(geometry=[SQUARE], crs=CRS).to_crs(4490).to_file(hill.path / "mask.kml")
    hill.entry("mask", path="mask.kml")
    catalog = hill.catalog()
    np.testing.assert_allclose(target_grid(catalog).rio.bounds(), SQUARE.bounds, atol=13)


@pytest.mark.filterwarnings("ignore::lsa_helpers.errors.InputDoubt")
def test_a_mask_beyond_the_dem_is_said(hill):
    _, _, said = masked(hill, [box(EAST - 500, SOUTH, EAST + 500, NORTH)])
    assert "mask reaches beyond the DEM. Found: 50% of its area has no altitude" in said


def test_polygons_over_each_other_are_doubted(hill):
    all_of_it = box(WEST - 99, SOUTH - 99, EAST + 99, NORTH + 99)
    part = box(WEST + 400, SOUTH, WEST + 800, NORTH)  # a quarter of it
    for order, counts in (([all_of_it, part], [1, 2]), ([part, all_of_it], [1])):
        codes = {"code": [1 if shape is all_of_it else 2 for shape in order]}
        hill.vector("lithology.gpkg", order, columns=codes)
        factors, said = hill.factors("lithology")
        assert np.unique(factors["lithology"]).tolist() == counts
        assert any("lie over each other. Found: 25% of the cells" in text for text in said)


def test_the_largest_number_of_a_type_is_hardly_a_class(hill):
    """255 beside 10 and 20 in eight bits, declared nowhere."""
    east, north = centres()
    use = np.where(east < WEST + 200, 255, np.where(north > NORTH - 600, 10, 20))
    hill.raster("lulc.tif", use, dtype="uint8")
    hill.entry("lulc", path="lulc.tif")
    _, said = hill.factors("lulc")
    assert any("the class 255 is probably nodata" in line for line in said)
    hill.entry("lulc", path="lulc.tif", names={10: "crop", 20: "forest", 255: "town"})
    _, said = hill.factors("lulc")
    assert not any("nodata" in line for line in said)
