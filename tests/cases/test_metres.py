"""Slopes, distances and areas in true metres, whatever the DEM's CRS and unit of heights."""

import geopandas as gpd
import numpy as np
import pytest
import rasterio.warp
from affine import Affine
from shapely.geometry import LineString, box

from lsa_helpers.errors import InputError
from lsa_helpers.models.area import check_area
from lsa_helpers.raster import cell_size, empty_grid, on_grid
from lsa_helpers.sources import read_inventory, target_grid
from tests.cases.conftest import CELL, CRS, NORTH, WEST, altitude, centres, steepness

FOOT, US_FOOT = 0.3048, 1200 / 3937
UTM, EAST_0, NORTH_0 = "EPSG:32633", 480_000.0, 5_100_000.0  # about 46° N
TILT = 20.0


def plane(folder, crs, cell, *, scale=1.0, file="dem.tif", **profile):
    """A plane of 20° that rises eastward in UTM 33N, as cells of another CRS."""
    west, south, east, north = rasterio.warp.transform_bounds(
        UTM, crs, EAST_0, NORTH_0 - 1500, EAST_0 + 1500, NORTH_0
    )
    width, height = int((east - west) / cell), int((north - south) / cell)
    x, y = np.meshgrid(
        west + (np.arange(width) + 0.5) * cell, north - (np.arange(height) + 0.5) * cell
    )
    east_utm, _ = rasterio.warp.transform(crs, UTM, x.ravel(), y.ravel())
    heights = 900 + np.tan(np.radians(TILT)) * (np.reshape(east_utm, x.shape) - EAST_0)
    folder.raster(file, heights * scale, Affine(cell, 0, west, 0, -cell, north), crs, **profile)
    folder.content = {"name": "plane", "dem": {"path": file}}


@pytest.mark.parametrize(
    ("crs", "cell"),
    [
        ("EPSG:3857", 18.0),
        ("EPSG:4326", 0.00015),
        ("EPSG:4258", 0.00015),
        ("ESRI:54009", 15.0),  # Mollweide
        ("+proj=utm +zone=33 +units=us-ft", 50.0),
        ("+proj=merc +units=km", 0.018),
    ],
)
def test_a_grid_that_is_not_metric_becomes_the_utm_zone(hill, crs, cell):
    plane(hill, crs, cell)
    line = LineString([(EAST_0 + 600, NORTH_0 - 5000), (EAST_0 + 600, NORTH_0 + 3000)])
    hill.vector("road.gpkg", [line], UTM)
    hill.vector(
        "slides.gpkg", [box(EAST_0 + 900, NORTH_0 - 1100, EAST_0 + 1000, NORTH_0 - 1000)], UTM
    )
    hill.entry("roads", path="road.gpkg")
    hill.entry("inventory", path="slides.gpkg")
    hill.content["dem"]["unit"] = "m"
    factors, said = hill.factors("slope", "distance_to_road")
    assert sum("UTM zone 33N (EPSG:32633)" in line for line in said) == 1
    assert float(factors["slope"].median()) == pytest.approx(TILT, abs=0.3)
    edge = cell_size(factors)
    inside = factors["distance_to_road"].sel(x=EAST_0 + 1100, y=NORTH_0 - 700, method="nearest")
    assert float(inside) == pytest.approx(500, abs=1.5 * edge)
    area = read_inventory(hill.catalog(), factors)["area_m2"]
    np.testing.assert_allclose(area, 10_000, rtol=1e-3)


@pytest.mark.parametrize("crs", ["EPSG:3035", "EPSG:32632", "EPSG:31287", "EPSG:25833"])
def test_a_grid_in_true_metres_is_kept(hill, crs):
    """A national grid, or the neighbour's zone: within 1 % here."""
    plane(hill, crs, 15.0)
    factors, said = hill.factors("slope")
    assert factors.rio.crs == crs and not [line for line in said if "UTM" in line]


@pytest.mark.parametrize(
    ("crs", "words"),
    [
        ("EPSG:3857", "144 of its metres.*EPSG:32633"),
        ("EPSG:4326", "in degrees"),
        ("EPSG:2227", "US survey foot"),
        ("UTM 33N", 'this is no CRS.*"EPSG:32633"'),
        ("utm zone 33 south", 'this is no CRS.*"EPSG:32733"'),
        ("EPSG 25833", 'this is no CRS.*"EPSG:25833"'),
        ("EPSG:99999", "this is no CRS"),
    ],
)
def test_a_crs_asked_for_must_be_metric(hill, crs, words):
    plane(hill, UTM, 15.0)
    with pytest.raises(InputError, match=f"parameter crs: .*{words}"):
        target_grid(hill.catalog(), crs=crs)
    hill.content["crs"] = crs
    with pytest.raises(InputError, match=rf"catalog\.yml, `crs`: .*{words}"):
        target_grid(hill.catalog())


@pytest.mark.parametrize("entry", ["dem", "roads", "stations"])
def test_a_mistyped_crs_is_one_sentence_in_every_reader(hill, entry):
    if entry == "dem":
        hill.raster("dem.tif", altitude(*centres()), crs=None)
    if entry == "stations":
        (hill.path / "s.csv").write_text("x,y,pga\n500500,3299500,100\n")
        hill.entry("stations", path="s.csv", value="pga")
    hill.content[entry]["crs"] = "UTM 48N"
    with pytest.raises(InputError, match=r'`crs`: this is no CRS.*UTM 48N.*"EPSG:32648"'):
        hill.factors("slope", "distance_to_road", *(["pga"] if entry == "stations" else []))


@pytest.mark.parametrize(
    ("crs", "where", "problem"),
    [
        (3857, (1e6, 5.8e6), "of its metres"),
        (4326, (10, 46), "degrees"),
        (2263, (9e5, 2e5), "foot"),
    ],
)
def test_a_map_needs_true_metres(crs, where, problem):
    grid = empty_grid((*where, where[0] + 1, where[1] + 1), crs, 0.1)
    with pytest.raises(InputError, match=f"only grids in metres.*{problem}"):
        check_area(
            {"factors": {}, "cell_size_m": 0.1}, 0, on_grid(grid.data, grid, "a").to_dataset()
        )


HEIGHTS = [
    ("ft", FOOT), ("Feet", FOOT), ("US survey foot", US_FOOT), ("us-ft", US_FOOT), ("cm", 0.01),
    ("dm", 0.1), ("km", 1000.0), ("metres", 1.0),
]  # fmt: skip


@pytest.mark.parametrize(("unit", "metres"), HEIGHTS)
def test_heights_in_any_unit(hill, unit, metres):
    hill.raster("dem.tif", altitude(*centres()) / metres)
    hill.content["dem"]["unit"] = unit
    factors, said = hill.factors("altitude", "slope")
    assert factors["altitude"].attrs["units"] == "m" and not said
    np.testing.assert_allclose(factors["altitude"], altitude(*centres()), rtol=1e-5)
    inner = slice(1, -1), slice(1, -1)
    np.testing.assert_allclose(factors["slope"][inner], steepness(*centres())[inner], atol=0.3)
    assert hill.check()[0].set_index("entry").loc["dem", "unit"] == f"{unit} → m"


def test_the_unit_of_heights_stands_in_the_file(hill):
    hill.raster("dem.tif", altitude(*centres()) / FOOT)
    with rasterio.open(hill.path / "dem.tif", "r+") as file:
        file.units = ["ft"]
    factors, said = hill.factors("altitude")
    np.testing.assert_allclose(factors["altitude"], altitude(*centres()), rtol=1e-5)
    assert any("altitude is in ft and becomes m" in line for line in said)


def test_the_unit_of_heights_stands_in_the_crs(hill):
    """UTM 48N with NAVD88 in US survey feet."""
    hill.raster(
        "dem.tif", altitude(*centres()) / US_FOOT, crs="EPSG:32648+6360", GEOTIFF_VERSION="1.1"
    )
    factors, said = hill.factors("altitude")
    assert factors.rio.crs == CRS
    np.testing.assert_allclose(factors["altitude"], altitude(*centres()), rtol=1e-5)
    assert any("becomes m" in line for line in said)


def test_a_grid_in_feet_with_heights_of_no_unit_is_doubted(hill):
    plane(hill, "+proj=utm +zone=33 +units=us-ft", 50.0, scale=1 / US_FOOT)
    _, said = hill.factors("slope")
    assert any("CRS is in feet" in line and "unit: ft" in line for line in said)
    hill.content["dem"]["unit"] = "ft"
    factors, said = hill.factors("slope")
    assert float(factors["slope"].median()) == pytest.approx(TILT, abs=0.1)
    assert not any("CRS is in feet" in line for line in said)


def test_an_unknown_unit_of_heights_lists_those_known(hill):
    hill.content["dem"]["unit"] = "fathom"
    with pytest.raises(
        InputError, match=r'dem\.tif: the unit "fathom" is not known for altitude.*ft'
    ):
        hill.factors("altitude")


@pytest.mark.parametrize(("factor", "words"), [(1 / FOOT, "steeper than"), (1e-4, "all but flat")])
def test_relief_that_does_not_fit_is_doubted(hill, factor, words):
    hill.raster("dem.tif", (altitude(*centres()) - 1400) * factor)
    _, said = hill.factors("altitude")
    assert any(words in line and "`unit:" in line for line in said)


def test_a_dem_from_0_to_360(hill):
    """A whole number of degrees east of Greenwich in the western half."""
    rows, columns = np.mgrid[:60, :60]
    for name, west in (("a.tif", 281.0), ("b.tif", -79.0)):
        transform = Affine(0.0005, 0, west, 0, -0.0005, -4.0)
        hill.raster(name, 1000.0 + 10 * rows + 5 * columns, transform, "EPSG:4326")
    made = []
    for name in ("a.tif", "b.tif"):
        hill.content = {"dem": {"path": name}}
        made.append(hill.factors("slope")[0])
    assert made[0].rio.crs == "EPSG:32717" and made[0].rio.bounds() == made[1].rio.bounds()
    np.testing.assert_allclose(made[0]["slope"], made[1]["slope"], atol=1e-3)


def test_utm_zone_is_that_of_the_mask(hill):
    """A DEM of two zones, an area in the eastern one."""
    rows, columns = np.mgrid[:20, :200]
    transform = Affine(0.01, 0, 10.5, 0, -0.01, 46.1)
    hill.raster("wide.tif", 500.0 + 30 * rows + 30 * columns, transform, "EPSG:4326")
    hill.vector("mask.gpkg", [box(12.1, 46.0, 12.2, 46.05)], "EPSG:4326")
    hill.content = {"dem": {"path": "wide.tif"}, "mask": {"path": "mask.gpkg"}}
    factors, _ = hill.factors("altitude")
    assert factors.rio.crs == "EPSG:32633"
    assert gpd.GeoSeries([box(*factors.rio.bounds())], crs=32633).to_crs(4326)[0].bounds[0] > 12.0


def test_a_local_frame_needs_a_crs(hill):
    local = 'LOCAL_CS["quarry",UNIT["metre",1],AXIS["X",EAST],AXIS["Y",NORTH]]'
    hill.raster("dem.tif", altitude(*centres()), crs=local)
    with pytest.raises(InputError, match=r"dem\.tif: the raster states no CRS.*crs: EPSG"):
        hill.factors("altitude")
    hill.content["dem"]["crs"] = CRS
    assert hill.factors("altitude")[0].rio.crs == CRS


def test_a_crs_with_heights_is_that_of_the_ground(hill):
    hill.content["crs"] = "EPSG:32648+5773"
    assert hill.factors("altitude")[0].rio.crs == CRS


@pytest.mark.parametrize(("unit", "fits"), [("ft", False), ("m", True)])
def test_tiles_have_one_unit(hill, unit, fits):
    heights = altitude(*centres())
    hill.raster("west.tif", heights[:, :64])
    hill.raster("east.tif", heights[:, 64:], Affine(CELL, 0, WEST + 64 * CELL, 0, -CELL, NORTH))
    with rasterio.open(hill.path / "east.tif", "r+") as file:
        file.units = (unit,)
    hill.entry("dem", path=["west.tif", "east.tif"])
    if fits:
        np.testing.assert_allclose(hill.factors("altitude")[0]["altitude"], heights, rtol=1e-6)
        return
    with pytest.raises(InputError, match=r"different units.*west\.tif in none, east\.tif in ft"):
        hill.factors("altitude")
