"""What a file is, is found by opening it; where it is and what lies beside it does not matter."""

import gzip
import shutil
import zipfile

import numpy as np
import pytest
import rasterio
import xarray as xr
from affine import Affine
from shapely.geometry import LineString

from lsa_helpers.errors import InputError
from lsa_helpers.raster import empty_grid
from lsa_helpers.runner.manifest import data_hashes
from lsa_helpers.sources import distance_to, kind_of
from tests.cases.conftest import CELL, CRS, EAST, NORTH, SOUTH, WEST, altitude, centres, steepness

DRIVERS = {
    "dem.TIF": "GTiff", "DEM.Tiff": "GTiff", "dem.img": "HFA", "dem.asc": "AAIGrid",
    "dem.txt": "AAIGrid", "dem.bil": "EHdr", "dem.sdat": "SAGA", "dem.grd": "GSBG",
    "dem.rst": "RST", "dem.ers": "ERS", "dem.flt": "ENVI", "dem": "GTiff", "dem.raw": "GTiff",
    "dem.dat": "ENVI", "dem.kea.tif": "GTiff", "dem.vrt": "VRT",
}  # fmt: skip


@pytest.mark.parametrize("name", DRIVERS)
def test_a_dem_of_any_format(hill, name):
    if DRIVERS[name] in ("AAIGrid", "GSBG", "VRT"):  # which GDAL only copies into
        with rasterio.open(hill.path / "dem.tif") as file:
            rasterio.shutil.copy(file, hill.path / name, driver=DRIVERS[name])
    else:
        hill.raster(name, altitude(*centres()), driver=DRIVERS[name])
        if name != "dem.tif" and (hill.path / "dem.tif").exists():
            (hill.path / "dem.tif").unlink()
    hill.entry("dem", path=name, crs=CRS)
    assert kind_of(hill.path / name) == "raster"
    factors, said = hill.factors("altitude")
    np.testing.assert_allclose(factors["altitude"], altitude(*centres()), rtol=1e-5)
    assert not said
    assert hill.check()[0].set_index("entry").loc["dem", "kind"] == "raster"


def test_srtm_tiles(hill):
    """N29E104 to N29E105 as .hgt, big-endian int16 with its place in its name."""
    cells = np.full((1201, 1201), 1200, np.int16)
    for name in ("N29E104.hgt", "N29E105.HGT"):
        cells.astype(">i2").tofile(hill.path / name)
    hill.content = {"dem": {"path": "N29E10*.[hH][gG][tT]"}, "mask": {"path": "mask.gpkg"}}
    line = LineString([(104.99, 29.5), (105.01, 29.5), (105.01, 29.51), (104.99, 29.5)])
    hill.vector("mask.gpkg", [line.convex_hull], "EPSG:4326")
    factors, said = hill.factors("altitude")
    values = factors["altitude"].values
    assert (values[np.isfinite(values)] == 1200).all()
    assert any("UTM zone 48N" in line for line in said)


@pytest.mark.parametrize("name", ["rain.nc", "rain.NC4", "rain", "rain.h5", "rain.cdf"])
def test_netcdf_by_its_first_bytes(hill, name):
    lon, lat = np.arange(104.9, 105.2, 0.05), np.arange(29.7, 29.95, 0.05)
    cells = np.full((12, lat.size, lon.size), 100.0)
    coords = {"time": np.arange(1, 13), "lat": lat, "lon": lon}
    data = xr.DataArray(cells, coords, ("time", "lat", "lon"), name="pre")
    data.to_netcdf(hill.path / name, engine="netcdf4")
    hill.entry("rainfall", path=name)
    assert kind_of(hill.path / name) == "netcdf"
    np.testing.assert_allclose(hill.factors("rainfall")[0]["rainfall"], 1200)
    assert hill.check()[0].set_index("entry").loc["rainfall", "kind"] == "NetCDF"


def test_a_raster_in_a_geopackage_of_vectors(hill):
    use = np.where(centres()[1] > (NORTH + SOUTH) / 2, 10, 20)
    hill.raster("all.gpkg", use, dtype="uint8", driver="GPKG", RASTER_TABLE="lulc")
    line = LineString([(WEST, SOUTH), (EAST, NORTH)])
    hill.vector("all.gpkg", [line], layer="roads", mode="a")
    hill.entry("lulc", path="GPKG:all.gpkg:lulc", names={10: "crop", 20: "forest"})
    hill.entry("roads", path="all.gpkg")
    factors, _ = hill.factors("lulc", "distance_to_road")
    np.testing.assert_array_equal(factors["lulc"], use)
    assert factors["distance_to_road"].min() == 0
    assert "data/all.gpkg" in data_hashes(hill.catalog())


def test_absolute_paths_and_wildcards(hill, tmp_path_factory):
    away = tmp_path_factory.mktemp("else [where]")
    for name in ("dem.tif", "lulc.tif"):
        shutil.move(hill.path / name, away / name)
    hill.entry("dem", path=str(away / "dem.tif"))
    hill.entry("lulc", path=str(away).replace("[", "[[]", 1) + "/lu*.tif")
    rows, said = hill.check()
    assert rows.set_index("entry").loc["dem", "file"] == str(away / "dem.tif") and not said
    assert float(hill.factors("lulc")[0]["lulc"].max()) == 20


def test_a_folder_with_brackets(hill, tmp_path):
    """A wildcard counts in the names, not in the folder's."""
    folder = tmp_path / "data [1]"
    folder.mkdir()
    for file in tmp_path.iterdir():
        if file.is_file():
            shutil.copy(file, folder / file.name)
    hill.path = folder
    hill.entry("dem", path="de*.tif")
    assert hill.factors("altitude")[0]["altitude"].notnull().all()


def test_a_wildcard_takes_no_companions(hill):
    hill.raster("dem.bil", altitude(*centres()), driver="EHdr")
    (hill.path / "dem.tif").unlink()
    (hill.path / "dem.bil.aux.xml").write_text("<PAMDataset></PAMDataset>")
    hill.entry("dem", path="dem.*")
    assert [file.name for file in hill.catalog().files(hill.catalog().dem)] == ["dem.bil"]
    assert hill.factors("altitude")[0]["altitude"].notnull().all()


@pytest.mark.parametrize("pixels", [-0.4, 0.0, 0.5, 1.0, 2.33, 2.99, 3.0, 50.0])
@pytest.mark.parametrize("side", ["east", "south"])
def test_a_tile_beside_the_area_is_ignored(hill, pixels, side):
    """Which begins so many pixels beyond the area's edge, or reaches in by a part of one."""
    cell = 30.0
    near = Affine(cell, 0, WEST - 300, 0, -cell, NORTH + 300)
    hill.raster("a.tif", np.full((62, 76), 10), near, dtype="uint8", nodata=0)
    x, y = (EAST + pixels * cell, NORTH + 300) if side == "east" else (
        WEST - 300, SOUTH - pixels * cell)  # fmt: skip
    far = Affine(cell, 0, x, 0, -cell, y)
    hill.raster("b.tif", np.full((60, 60), 20), far, dtype="uint8", nodata=0)
    hill.entry("lulc", path=["a.tif", "b.tif"], names={10: "crop", 20: "forest"})
    factors, _ = hill.factors("lulc")
    assert (factors["lulc"] == 10).all()
    hill.entry("lulc", path=["b.tif", "a.tif"])
    assert set(np.unique(hill.factors("lulc")[0]["lulc"])) <= {10, 20}


def test_a_raster_with_south_on_top(hill):
    rows = altitude(*centres())[::-1]
    hill.raster("dem.tif", rows, Affine(CELL, 0, WEST, 0, CELL, SOUTH))
    factors, _ = hill.factors("altitude")
    np.testing.assert_allclose(factors["altitude"], altitude(*centres()), rtol=1e-5)


def test_a_raster_turned_against_its_crs_is_refused(hill):
    turned = Affine.translation(WEST, NORTH) @ Affine.rotation(20) @ Affine.scale(CELL, -CELL)
    hill.raster("dem.tif", np.full((96, 128), 1000), turned)
    with pytest.raises(InputError, match=r"dem\.tif: the raster is turned.*gdalwarp"):
        hill.factors("slope")


def test_a_raster_of_longitudes_to_360(hill):
    """Rain of the whole earth, 0 to 360°, and a DEM in the west."""
    lon, lat = np.arange(0.25, 360, 0.5), np.arange(-10, 10.1, 0.5)
    cells = np.where((lon > 280) & (lon < 282), 900.0, 100.0) * np.ones((lat.size, 1))
    data = xr.DataArray(cells, {"lat": lat, "lon": lon}, ("lat", "lon"), attrs={"units": "mm/yr"})
    data.to_dataset(name="pre").to_netcdf(hill.path / "earth.nc")
    rows, columns = np.mgrid[:60, :60]
    transform = Affine(0.0005, 0, -79.0, 0, -0.0005, -4.0)
    hill.raster("west.tif", 1000.0 + 10 * rows + 5 * columns, transform, "EPSG:4326")
    hill.content = {"dem": {"path": "west.tif"}, "rainfall": {"path": "earth.nc"}}
    rain = hill.factors("rainfall")[0]["rainfall"].values
    assert np.nanmin(rain) == np.nanmax(rain) == 900


def test_two_files_of_one_area_are_doubted(hill):
    hill.raster("lulc2.tif", np.full((96, 128), 30), dtype="uint8", nodata=0)
    hill.entry("lulc", path="lulc*.tif")
    factors, said = hill.factors("lulc")
    assert factors["lulc"].max() == 20
    assert any("two files cover the same area" in line and "lulc2.tif" in line for line in said)


def test_several_rasters_in_a_file_are_listed(hill):
    for number in (1, 2):
        hill.raster(
            "two.gpkg",
            np.full((96, 128), number),
            dtype="uint8",
            driver="GPKG",
            RASTER_TABLE=f"r{number}",
            **({"APPEND_SUBDATASET": "YES"} if number > 1 else {}),
        )
    hill.entry("lulc", path="two.gpkg")
    with pytest.raises(InputError, match=r"two\.gpkg: .*several rasters.*GPKG:.*r1.*r2.*`path`"):
        hill.factors("lulc")


def test_a_text_grid_and_a_table_of_the_same_ending(hill):
    with rasterio.open(hill.path / "dem.tif") as file:
        rasterio.shutil.copy(file, hill.path / "grid.txt", driver="AAIGrid")
    (hill.path / "points.txt").write_text("x,y,pga\n1,2,3\n")
    assert kind_of(hill.path / "grid.txt") == "raster"
    assert kind_of(hill.path / "points.txt") == "table"
    assert kind_of(hill.path / "roads.gpkg") == "vector"
    (hill.path / "broken.tif").write_bytes(b"II*\0" + bytes(100))
    assert kind_of(hill.path / "broken.tif") == "raster"
    hill.entry("dem", path="broken.tif")
    with pytest.raises(InputError, match=r"broken\.tif: the raster cannot be opened"):
        hill.factors("altitude")


def test_a_raster_of_rivers_in_any_format(hill):
    cells = np.zeros((96, 128))
    cells[:, 5] = 1
    hill.raster("rivers.sdat", cells, driver="SAGA", nodata=-99999)
    hill.entry("rivers", path="rivers.sdat")
    catalog = hill.catalog()
    grid = empty_grid((WEST, SOUTH, EAST, NORTH), CRS, CELL)
    far = distance_to(catalog, catalog.rivers, grid)
    np.testing.assert_allclose(far[7], np.abs(np.arange(128) - 5) * CELL)


def test_a_scale_in_the_file(hill):
    """CHELSA and MODIS keep scale and offset in the header; the entry's counts before it."""
    hill.raster("t.tif", np.full((96, 128), 2000), dtype="int16")
    with rasterio.open(hill.path / "t.tif", "r+") as file:
        file.scales, file.offsets = (0.1,), (-50.0,)
    hill.content["extra"] = {"t": {"path": "t.tif"}}
    np.testing.assert_allclose(hill.factors("t")[0]["t"], 150)
    hill.content["extra"]["t"]["scale"] = 0.01
    np.testing.assert_allclose(hill.factors("t")[0]["t"], 20)


@pytest.mark.parametrize("path", ["DEM.tif", "*.TIF", "dem.*"])
def test_capitals_do_not_matter(hill, path):
    (hill.path / "dem.tif").rename(hill.path / ("dem.TIF" if path == "dem.*" else "dem.Tif"))
    hill.entry("dem", path=path if path != "*.TIF" else "d*.TIF")
    assert hill.factors("altitude")[0]["altitude"].notnull().all()


def test_packed_rasters_are_refused_with_the_way_out(hill):
    with zipfile.ZipFile(hill.path / "dem.zip", "w") as archive:
        archive.write(hill.path / "dem.tif", "inside/dem.tif")
    (hill.path / "dem.tif.gz").write_bytes(gzip.compress((hill.path / "dem.tif").read_bytes()))
    (hill.path / "MOD13.hdf").write_bytes(b"\x0e\x03\x13\x01" + bytes(200))
    for name, words in (
        ("dem.zip", r"dem\.zip: files are read unpacked.*Unpack"),
        ("dem.tif.gz", r"dem\.tif\.gz: files are read unpacked.*Unpack"),
        ("MOD13.hdf", r"MOD13\.hdf: HDF4 cannot be opened.*gdal_translate"),
    ):
        hill.entry("dem", path=name)
        with pytest.raises(InputError, match=words):
            hill.factors("altitude")


@pytest.mark.parametrize(
    ("driver", "data", "header"), [("SAGA", "sdat", "sgrd"), ("EHdr", "bil", "hdr")]
)
def test_a_header_is_no_raster(hill, driver, data, header):
    hill.raster(f"grid.{data}", altitude(*centres()), driver=driver)
    hill.entry("dem", path=f"grid.{data}")
    assert slope_error(hill) < 0.5
    hill.entry("dem", path=f"grid.{header}")
    with pytest.raises(
        InputError, match=rf"grid\.{header}: the file only describes a raster.*sdat"
    ):
        hill.factors("altitude")


def test_a_dem_of_points_is_read_or_refused(hill):
    east, north = centres()
    rows = zip(east.ravel(), north.ravel(), altitude(east, north).ravel(), strict=True)
    lines = [f"{x:.2f} {y:.2f} {z:.2f}" for x, y, z in rows]
    for name in ("grid.xyz", "grid.txt"):
        (hill.path / name).write_text("\n".join(lines))
    hill.entry("dem", path="grid.xyz", crs=CRS)
    assert slope_error(hill) < 0.5
    hill.entry("dem", path="grid.txt", crs=CRS)
    with pytest.raises(InputError, match=r"grid\.txt: the DEM is no raster.*\.xyz"):
        hill.factors("altitude")


def test_the_first_of_several_bands_is_doubted(hill):
    east, north = centres()
    hill.raster("stack.tif", np.stack([np.hypot(east, north) % 255, altitude(east, north)]))
    hill.entry("dem", path="stack.tif")
    _, said = hill.factors("altitude")
    assert any("stack.tif: the first of its bands is read. Found: 2 bands" in text for text in said)
    hill.entry("dem", path="stack.tif", band=2)
    assert slope_error(hill) < 0.5
    assert not any("bands" in text for text in hill.factors("altitude")[1])


def test_coordinates_in_kilometres_lie_elsewhere(hill):
    """Where the CRS counts metres."""
    east, north = centres()
    axes = {"x": east[0] / 1000, "y": north[:, 0] / 1000}
    data = xr.DataArray(np.full(east.shape, 0.4), dims=("y", "x"), coords=axes)
    data.to_dataset(name="ndvi").rio.write_crs(CRS).to_netcdf(hill.path / "ndvi.nc")
    hill.entry("ndvi", path="ndvi.nc")
    with pytest.raises(InputError, match=r"ndvi\.nc: the raster does not overlap.*CRS and extent"):
        hill.factors("ndvi")


def slope_error(hill) -> float:
    """How far the slope of the hillside is off at most, degrees, away from its edges."""
    slope = hill.factors("slope")[0]["slope"].to_numpy()
    return float(np.abs(slope - steepness(*centres()))[2:-2, 2:-2].max())
