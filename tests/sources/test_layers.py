"""Every kind of source on the grid, with values worked out by hand."""

import zipfile

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import xarray as xr
from rasterio.enums import Resampling
from shapely.geometry import Point, box

from lsa_helpers.errors import InputError, InputNote
from lsa_helpers.factors.terrain import curvatures
from lsa_helpers.raster import cell_size, empty_grid, on_grid, write_raster
from lsa_helpers.sources import (
    Catalog,
    Entry,
    categorical,
    check_catalog,
    continuous,
    distance_to,
    inverse_distance,
    layers,
    read_dem,
    read_inventory,
    station_error,
    study_mask,
    target_grid,
)
from lsa_helpers.sources.layers import dem_grid
from lsa_helpers.sources.rasters import mosaic


def test_the_grid_keeps_the_dems_lattice(catalog, frame):
    grid = target_grid(catalog, 10.0)
    xr.testing.assert_equal(grid, frame)
    assert (grid.rio.crs, grid.rio.transform()) == (frame.rio.crs, frame.rio.transform())
    with rasterio.open(catalog.path(catalog.dem)) as file:
        np.testing.assert_array_equal(read_dem(catalog, frame), file.read(1))


def test_the_grid_has_the_dems_own_cells_unless_others_are_asked_for(catalog, tmp_path):
    assert cell_size(target_grid(catalog)) == 10
    assert cell_size(target_grid(catalog, 25)) == 25
    # A hundredth of a degree at 30° north: between 965 and 1,113 m.
    degrees = on_grid(np.ones((20, 20), np.float32), empty_grid((0, 0, 20, 20), 32648, 1))
    moved = degrees.assign_coords(x=102 + degrees.x / 100, y=30 + degrees.y / 100)
    moved.rio.write_crs(4326).rio.to_raster(tmp_path / "geo.tif")
    own = cell_size(target_grid(Catalog(folder=tmp_path, dem=Entry(path="geo.tif"))))
    assert 965 < own < 1113 and own == float(f"{own:.3g}")


def test_terrain_reaches_as_far_as_the_dem_or_a_margin(catalog, frame, monkeypatch):
    part = frame[10:20, 15:30]
    assert dem_grid(catalog, part).rio.bounds() == frame.rio.bounds()
    monkeypatch.setattr(layers, "MOST_DEM_CELLS", (10 + 2 * 4) * (15 + 2 * 4))
    xr.testing.assert_equal(dem_grid(catalog, part), frame[6:24, 11:34])


@pytest.mark.known_by("a known surface", "Resampling of a coarse DEM")
def test_a_coarse_dem_keeps_its_curvature(tmp_path):
    """Smooth hills known at 30 m, brought to 10 m: cubic convolution bends as they do, flat facets
    do not.
    """
    fine = empty_grid((0, 0, 1800, 1800), 32648, 10.0)

    def hills(grid):
        x, y = np.meshgrid(grid.x, grid.y)
        return on_grid(200 * np.sin(x / 150) * np.cos(y / 200), grid, "altitude", "m")

    write_raster(tmp_path / "dem.tif", hills(empty_grid((0, 0, 1800, 1800), 32648, 30.0)))
    catalog = Catalog(folder=tmp_path, dem=Entry(path="dem.tif"))
    true = curvatures(hills(fine))[1].values[20:-20, 20:-20].ravel()
    flat = mosaic(catalog, catalog.dem, fine, Resampling.bilinear)
    kept = {
        name: np.corrcoef(curvatures(dem)[1].values[20:-20, 20:-20].ravel(), true)[0, 1]
        for name, dem in (("cubic", read_dem(catalog, fine)), ("bilinear", flat))
    }
    assert kept["cubic"] > 0.97 > kept["bilinear"]


def test_a_dem_in_degrees_gets_its_utm_zone(catalog, tmp_path):
    rows, columns = np.mgrid[0:50, 0:50]
    with rasterio.open(
        tmp_path / "geo.tif",
        "w",
        driver="GTiff",
        height=50,
        width=50,
        count=1,
        dtype="float32",
        crs="EPSG:4326",
        transform=rasterio.Affine(0.001, 0, 102.0, 0, -0.001, 30.0),
    ) as file:
        file.write((rows + columns).astype("float32"), 1)
    grid = target_grid(Catalog(folder=tmp_path, dem=Entry(path="geo.tif")), 30.0)
    assert grid.rio.crs.to_epsg() == 32648
    assert cell_size(grid) == 30


def test_tiles_become_one_mosaic_of_classes(catalog, frame):
    codes, names = categorical(catalog, catalog.lulc, frame)
    assert names == {10: "cultivated", 20: "forest"}
    assert (codes[:, :30] == 10).all()
    assert (codes[:, 30:] == 20).all()


def test_text_classes_are_numbered_alphabetically(catalog, frame):
    codes, names = categorical(catalog, catalog.lithology, frame)
    assert names == {1: "granite", 2: "shale"}
    assert (codes[:, 0] == 2).all()
    assert (codes[:, -1] == 1).all()


def test_rain_is_twelve_mean_months_scaled(catalog, frame):
    """500 tenths of a millimetre in each of twelve months are 600 mm a year."""
    np.testing.assert_allclose(continuous(catalog, catalog.rainfall, frame), 600.0, rtol=1e-5)


def test_distance_to_a_line_in_another_reference_system(catalog, frame):
    """A north-south road through the middle of column 30: every cell is as far as its column is, on
    every row.
    """
    distance = distance_to(catalog, catalog.roads, frame)
    expected = np.abs(np.arange(60) - 30) * 10.0
    np.testing.assert_allclose(distance, np.broadcast_to(expected, distance.shape), atol=1e-3)


def test_stations_interpolate_their_own_values(catalog, frame):
    pga = continuous(catalog, catalog.stations, frame)
    assert pga[0, 0] == pytest.approx(100, abs=1)
    assert pga[-1, -1] == pytest.approx(300, abs=1)
    assert 100 <= pga.min() <= pga.max() <= 300


SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def _write_xlsx(path, table):
    """The least that is a spreadsheet of Office Open XML: one sheet, texts in the cells."""
    rows = [table.columns.tolist(), *table.to_numpy().tolist()]
    kinds = {str: ('t="inlineStr"', "<is><t>{}</t></is>"), float: ("", "<v>{!r}</v>")}
    cells = [
        "".join(f"<c {kinds[type(v)][0]}>{kinds[type(v)][1].format(v)}</c>" for v in row)
        for row in rows
    ]
    office = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    relations = "application/vnd.openxmlformats-package.relationships+xml"

    def relation(kind: str, target: str) -> str:
        one = f'<Relationship Id="r1" Type="{OFFICE}/{kind}" Target="{target}"/>'
        return f'<Relationships xmlns="{PACKAGE}/relationships">{one}</Relationships>'

    def override(part: str, kind: str) -> str:
        return f'<Override PartName="/xl/{part}.xml" ContentType="{office}.{kind}+xml"/>'

    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
        f'<Default Extension="rels" ContentType="{relations}"/>'
        + override("workbook", "sheet.main")
        + override("worksheets/sheet1", "worksheet")
        + "</Types>",
        "_rels/.rels": relation("officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": f'<workbook xmlns="{SHEET}" xmlns:r="{OFFICE}">'
        '<sheets><sheet name="stations" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": relation("worksheet", "worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{SHEET}"><sheetData>'
        + "".join(f"<row>{row}</row>" for row in cells)
        + "</sheetData></worksheet>",
    }
    with zipfile.ZipFile(path, "w") as file:
        for name, text in parts.items():
            file.writestr(name, '<?xml version="1.0" encoding="UTF-8"?>' + text)


WRITERS = {
    "xlsx": _write_xlsx,
    "csv": lambda path, table: table.to_csv(path, index=False),
    "parquet": lambda path, table: table.to_parquet(path),
}


@pytest.mark.parametrize("suffix", WRITERS)
def test_stations_are_the_same_in_any_kind_of_table(catalog, frame, folder, suffix):
    """What the .xls of the folder says, written as another table, gives the same layer, the same
    error, and passes the check.
    """
    WRITERS[suffix](
        folder / f"other.{suffix}", pd.read_excel(folder / "stations.xls", engine="calamine")
    )
    entry = catalog.stations.model_copy(update={"path": f"other.{suffix}"})
    other = catalog.model_copy(update={"stations": entry})
    np.testing.assert_allclose(
        continuous(other, entry, frame), continuous(catalog, catalog.stations, frame), rtol=1e-6
    )
    assert station_error(other, entry, frame) == pytest.approx(
        station_error(catalog, catalog.stations, frame)
    )
    rows = check_catalog(other, need_dem=True, cell_size=10.0).set_index("entry")
    assert rows.loc["stations", "kind"] == "table, 3 features"


def _zones(frame, **columns):
    """Two zones on either side of column 30 in degrees; the east one ends three cells before the
    grid does.
    """
    left, bottom, right, top = frame.rio.bounds()
    halves = [
        box(left - 100, bottom - 100, left + 300, top + 100),
        box(left + 300, bottom - 100, right - 30, top + 100),
    ]
    return gpd.GeoDataFrame(columns, geometry=halves, crs=frame.rio.crs).to_crs("EPSG:4490")


@pytest.mark.parametrize("key", ["attribute", "value"])
@pytest.mark.parametrize("name", ["rainfall", "ndvi", "stations"])
@pytest.mark.parametrize("suffix", ["gpkg", "shp", "geojson"])
def test_a_continuous_source_may_be_polygons(frame, folder, catalog, name, key, suffix):
    """Zones of 50 and 80, scaled by ten: each cell gets the value of the zone its centre lies in,
    and none where there is no zone.
    """
    _zones(frame, level=[50, 80]).to_file(folder / f"zones.{suffix}")
    entry = Entry(path=f"zones.{suffix}", scale=10.0, **{key: "level"})
    with pytest.warns(InputNote, match="do not cover all.*Found: 5% of its cells"):
        layer = continuous(catalog, entry, frame)
    expected = np.repeat([500.0, 800.0, np.nan], [30, 27, 3])
    np.testing.assert_array_equal(layer, np.broadcast_to(expected, frame.shape).astype(np.float32))
    assert (
        "zones"
        in check_catalog(catalog.model_copy(update={name: entry}), need_dem=True, cell_size=10.0)[
            "file"
        ].str.cat()
    )


def test_polygons_elsewhere_are_named(frame, folder, catalog):
    _zones(frame, level=[50, 80]).to_crs(frame.rio.crs).translate(5e4).to_frame("geometry").assign(
        level=1.0
    ).to_file(folder / "far.gpkg")
    for layer in (continuous, categorical):
        with pytest.raises(InputError, match=r"far\.gpkg.*do(es)? not overlap"):
            layer(catalog, Entry(path="far.gpkg", attribute="level"), frame)


def _coarse(folder, frame):
    """A class raster in degrees, cells of about 100 m, nodata 0 beyond the zones."""
    cells = np.where(np.arange(40) < 20, 3, 7).astype(np.uint8) * np.ones((40, 1), np.uint8)
    x, y = (
        gpd.GeoSeries(
            [
                Point(
                    frame.rio.bounds()[0] + 300, (frame.rio.bounds()[1] + frame.rio.bounds()[3]) / 2
                )
            ],
            crs=frame.rio.crs,
        )
        .to_crs(4326)[0]
        .coords[0]
    )
    transform = rasterio.Affine(0.001, 0, x - 0.02, 0, -0.001, y + 0.02)
    profile = dict(
        driver="GTiff",
        height=40,
        width=40,
        count=1,
        dtype="uint8",
        crs="EPSG:4326",
        nodata=0,
        transform=transform,
    )
    with rasterio.open(folder / "rock.tif", "w", **profile) as file:
        file.write(cells, 1)
    return Entry(path="rock.tif", names={3: "granite"})


def _fine(folder, frame):
    codes = np.where(np.arange(60) < 30, 3, 7) * np.ones(frame.shape)
    write_raster(folder / "rock.tif", on_grid(codes.astype(np.float32), frame, "rock"))
    return Entry(path="rock.tif", names={3: "granite"})


def _numbered(folder, frame):
    left, bottom, right, top = frame.rio.bounds()
    halves = [box(left, bottom, left + 300, top), box(left + 300, bottom, right, top)]
    gpd.GeoDataFrame({"code": [3, 7]}, geometry=halves, crs=frame.rio.crs).to_file(
        folder / "rock.gpkg"
    )
    return Entry(path="rock.gpkg", attribute="code", names={3: "granite"})


@pytest.mark.parametrize("make", [_fine, _coarse, _numbered])
def test_lithology_may_be_a_raster(catalog, frame, folder, make):
    """Codes stay as they are, in a raster of the grid or in degrees and in numbered polygons; an
    unnamed one is its number.
    """
    entry = make(folder, frame)
    other = catalog.model_copy(update={"lithology": entry})
    with pytest.warns(InputNote, match="without a name in `names`. Found: 7"):
        codes, names = categorical(other, entry, frame)
    assert names == {3: "granite", 7: "7"}
    # The meridian of the coarse raster leans by about a degree against the grid's columns: leave a
    # cell on either side.
    assert (codes[:, :29] == 3).all() and (codes[:, 31:] == 7).all()
    with pytest.warns(InputNote, match="without a name in `names`"):
        rows = check_catalog(other, need_dem=True, cell_size=10.0)
    assert "rock" in rows["file"].str.cat()


@pytest.mark.known_by("values by hand", "Inverse-distance interpolation")
def test_inverse_distance_by_hand(frame):
    """Two stations at 30 m and 60 m: weights 4 : 1, so 10 and 20 give 12."""
    x = frame.x.values
    y = frame.y.values
    values = inverse_distance(
        np.array([x[10] - 30, x[10] + 60]), np.array([y[5], y[5]]), np.array([10.0, 20.0]), frame
    )
    assert values[5, 10] == pytest.approx(12.0)


def test_leaving_one_station_out_by_hand(frame, tmp_path):
    """Three stations on a line at 0, 100 and 200 m with 0, 30, 0: the middle is predicted 0, each
    end (1·30 + 0.25·0) / 1.25 = 24.
    """
    table = pd.DataFrame(
        {"x": [300_000.0, 300_100.0, 300_200.0], "y": 3_299_900.0, "pga": [0.0, 30.0, 0.0]}
    )
    table.to_csv(tmp_path / "stations.csv", index=False)
    source = Catalog(
        folder=tmp_path, stations=Entry(path="stations.csv", value="pga", crs="EPSG:32648")
    )
    count, error = station_error(source, source.stations, frame)
    assert count == 3
    assert error == pytest.approx(np.sqrt((24**2 + 30**2 + 24**2) / 3))


def test_a_raster_of_rivers_serves_like_a_vector(frame, tmp_path):
    cells = np.zeros(frame.shape, np.float32)
    cells[:, 5] = 1
    write_raster(tmp_path / "rivers.tif", on_grid(cells, frame, "river"))
    source = Catalog(folder=tmp_path, rivers=Entry(path="rivers.tif"))
    np.testing.assert_allclose(
        distance_to(source, source.rivers, frame)[7], np.abs(np.arange(60) - 5) * 10.0
    )


def test_a_source_elsewhere_is_named(catalog, frame, tmp_path):
    far = empty_grid((9e5, 1e6, 9e5 + 100, 1e6 + 100), "EPSG:32648", 10.0)
    write_raster(tmp_path / "ndvi.tif", xr.ones_like(far))
    with pytest.raises(InputError, match=r"ndvi\.tif.*does not overlap"):
        continuous(
            Catalog(folder=tmp_path, ndvi=Entry(path="ndvi.tif")), Entry(path="ndvi.tif"), frame
        )


def test_the_study_mask_cuts_the_grid(catalog, frame, folder):
    left, _, _, top = frame.rio.bounds()
    gpd.GeoDataFrame(
        geometry=[box(left + 52, top - 203, left + 148, top - 101)], crs=frame.rio.crs
    ).to_file(folder / "mask.gpkg")
    masked = catalog.model_copy(update={"mask": Entry(path="mask.gpkg")})
    grid = target_grid(masked, 10.0)
    assert grid.rio.bounds() == (left + 50, top - 210, left + 150, top - 100)
    assert study_mask(masked, grid).sum() == 10 * 10


def test_points_and_polygons_as_inventory(catalog, frame, folder):
    left, bottom, _, top = frame.rio.bounds()
    table = pd.DataFrame(
        {"e": [left + 15, left + 25, 0.0], "n": [top - 15, bottom + 5, 0.0], "slide": [1, 0, 1]}
    )
    table.to_csv(folder / "points.csv", index=False)
    entry = Entry(path="points.csv", x="e", y="n", label="slide", crs="EPSG:32648")
    with pytest.warns(InputNote, match="outside the study area are left out. Found: 1 of 3"):
        points = read_inventory(catalog.model_copy(update={"inventory": entry}), frame)
    assert points["label"].tolist() == [1, 0]
    assert read_inventory(catalog, frame) is None


def test_an_empty_inventory_is_refused(catalog, frame, folder):
    pd.DataFrame({"x": [], "y": []}).to_csv(folder / "points.csv", index=False)
    entry = Entry(path="points.csv", crs="EPSG:32648")
    with pytest.raises(InputError, match=r"points\.csv.*no features"):
        read_inventory(catalog.model_copy(update={"inventory": entry}), frame)


def test_an_inventory_is_brought_to_the_grid_or_refused(catalog, frame, folder):
    """In degrees it lies where it lay; without a CRS, elsewhere, or with metres called degrees the
    file is named.
    """
    left, _, _, top = frame.rio.bounds()
    slide = gpd.GeoDataFrame(
        geometry=[box(left + 100, top - 200, left + 150, top - 150)], crs=frame.rio.crs
    )
    given = catalog.model_copy(update={"inventory": Entry(path="slides.gpkg")})
    slide.to_crs(4326).to_file(folder / "slides.gpkg")
    found = read_inventory(given, frame)
    np.testing.assert_allclose(found.total_bounds, slide.total_bounds, atol=1e-3)
    assert found["area_m2"].item() == pytest.approx(2500, rel=1e-4)
    slide.translate(1e5).to_file(folder / "slides.gpkg")
    with pytest.raises(InputError, match=r"slides\.gpkg.*no landslide.*study area"):
        read_inventory(given, frame)
    slide.set_crs(4326, allow_override=True).to_file(folder / "slides.gpkg")
    with pytest.raises(InputError, match=r"slides\.gpkg.*do not fit.*EPSG:4326"):
        read_inventory(given, frame)
    with pytest.warns(UserWarning, match="crs"):
        slide.set_crs(None, allow_override=True).to_file(folder / "slides.gpkg")
    with pytest.raises(InputError, match=r"slides\.gpkg.*no CRS"):
        read_inventory(given, frame)
