"""A small data folder of every kind of source, made by hand so that every value is known."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import xarray as xr
import yaml
from shapely.geometry import LineString, Point, box

from lsa_helpers.raster import empty_grid, on_grid, write_raster
from lsa_helpers.sources import Catalog, load_catalog

CRS = "EPSG:32648"
WEST, NORTH, CELL, ROWS, COLUMNS = 300_000.0, 3_300_000.0, 10.0, 40, 60


@pytest.fixture
def frame() -> xr.DataArray:
    """The DEM's grid: 40 × 60 cells of 10 m."""
    return empty_grid((WEST, NORTH - ROWS * CELL, WEST + COLUMNS * CELL, NORTH), CRS, CELL)


@pytest.fixture
def folder(tmp_path: Path, frame: xr.DataArray) -> Path:
    """A complete data folder."""
    rows, columns = np.mgrid[0:ROWS, 0:COLUMNS].astype(np.float32)
    altitude = on_grid(1000 + 3 * rows + columns, frame, "altitude", "m")
    write_raster(tmp_path / "dem.tif", altitude)
    classes = on_grid(np.where(columns < 30, 10, 20).astype(np.float32), frame, "lulc")
    write_raster(tmp_path / "lulc_a.tif", classes[:, :30])
    write_raster(tmp_path / "lulc_b.tif", _moved(classes[:, 30:], WEST + 300))
    middle = WEST + 305
    road = gpd.GeoDataFrame(
        geometry=[LineString([(middle, NORTH + 500), (middle, NORTH - 900)])], crs=CRS
    )
    road.to_crs("EPSG:4490").to_file(tmp_path / "roads.shp")
    units = gpd.GeoDataFrame(
        {"rock": ["shale", "granite"]},
        geometry=[box(WEST, 0, middle, 9e6), box(middle, 0, 9e5, 9e6)],
        crs=CRS,
    )
    units.to_file(tmp_path / "lithology.gpkg")
    longitude, latitude = np.arange(102.5, 103.5, 0.01), np.arange(30.2, 29.4, -0.01)
    months = pd.date_range("2022-01-01", periods=12, freq="MS")
    rain = xr.DataArray(
        np.full((12, latitude.size, longitude.size), 500, np.int16),
        coords={"time": months, "lat": latitude, "lon": longitude},
        dims=("time", "lat", "lon"),
        name="pre",
    )
    rain.to_dataset().to_netcdf(tmp_path / "pre.nc")
    stations = gpd.GeoSeries(
        [Point(WEST + 5, NORTH - 5), Point(WEST + 595, NORTH - 395), Point(WEST + 2000, NORTH)],
        crs=CRS,
    ).to_crs(4326)
    _write_xls(tmp_path / "stations.xls", stations, [100.0, 300.0, 200.0])
    (tmp_path / "catalog.yml").write_text(yaml.safe_dump(CONTENT), encoding="utf-8")
    return tmp_path


def _moved(raster: xr.DataArray, left: float) -> xr.DataArray:
    """A part of a raster whose west edge is `left`."""
    transform = rasterio.Affine(CELL, 0, left, 0, -CELL, NORTH)
    return raster.rio.write_transform(transform)


CONTENT = {
    "name": "Hand-made slope",
    "dem": {"path": "dem.tif"},
    "roads": {"path": "roads.shp"},
    "lulc": {"path": "lulc_*.tif", "names": {10: "cultivated", 20: "forest"}},
    "lithology": {"path": "lithology.gpkg", "attribute": "rock"},
    "rainfall": {"path": "pre.nc", "variable": "pre", "scale": 0.1},
    "stations": {
        "path": "stations.xls",
        "x": "lon",
        "y": "lat",
        "value": "pga",
        "crs": "EPSG:4326",
    },
}


def _write_xls(path: Path, points: gpd.GeoSeries, values: list[float]) -> None:
    import xlwt

    book = xlwt.Workbook()
    sheet = book.add_sheet("stations")
    for row in [("lon", "lat", "pga"), *zip(points.x, points.y, values, strict=True)]:
        for column, value in enumerate(row):
            sheet.write(len(sheet.rows) - (column > 0), column, value)
    book.save(str(path))


@pytest.fixture
def catalog(folder: Path) -> Catalog:
    """The catalog of the complete data folder."""
    return load_catalog(folder)
