"""Write a simulated mountain in the formats of Table 2, as the paper's own data would lie on a
reader's disk.
"""

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
import xarray as xr
import yaml
from affine import Affine
from rasterio.enums import Resampling
from rasterio.warp import reproject
from scipy import ndimage

from lsa_helpers.mountain.chips import write_chips
from lsa_helpers.mountain.climate import monthly_rainfall
from lsa_helpers.mountain.geology import ROCKS
from lsa_helpers.mountain.imagery import PLATFORMS, make_view, render
from lsa_helpers.mountain.landscape import Mountain, make_mountain
from lsa_helpers.mountain.layers import COVER_NAMES, rock_polygons
from lsa_helpers.grid import Grid, write_raster
from lsa_helpers.run import whole_file

GEOGRAPHIC = "EPSG:4490"  # CGCS2000
SCENE_PIXEL = 2.5
SCENE_BLOCK = 1024
CC0 = "simulated, CC0"


def write_world(
    folder: Path,
    *,
    width_km: float = 8.0,
    height_km: float = 6.0,
    seed: int = 0,
    chips_per_platform: int = 60,
    n_jobs: int = 1,
) -> Path:
    """Simulate a mountain and write its native files, `catalog.yml` and `truth/`.

    Parameters
    ----------
    folder : Path
        Is made if missing; ``catalog.yml`` is written last, so a folder with one is whole.
    width_km, height_km : float
        Size of the area, km (2 × 2 to 25 × 12.5).
    seed : int
        Seed of every random choice; the same seed gives the same bytes.
    chips_per_platform : int
        Image chips for each of the six platforms of Table 1; 0 writes none.
    n_jobs : int
        Processes that make the chips.

    Returns
    -------
    Path
        `folder`.
    """
    folder = Path(folder)
    mountain = make_mountain(width_km, height_km, seed)
    _write_rasters(folder, mountain, seed)
    _write_vectors(folder, mountain)
    _write_rainfall(folder / "rainfall" / "pre_2022.nc", mountain, seed)
    _write_stations(folder / "strong_motion" / "stations.xls", mountain)
    _write_scene(folder / "scene" / "scene.tif", mountain, seed)
    _write_truth(folder / "truth", mountain)
    if chips_per_platform:
        write_chips(folder / "images", per_platform=chips_per_platform, seed=seed, n_jobs=n_jobs)
    with whole_file(folder / "catalog.yml") as part:
        part.write_text(
            yaml.safe_dump(catalog(), sort_keys=False, allow_unicode=True, width=140),
            encoding="utf-8",
        )
    return folder


def catalog() -> dict:
    """The description of the folder, also valid for the paper's own data laid out the same way
    (paths relative to the folder).
    """
    vector = {"license": CC0}
    basic, geology = (
        "1:50,000 national fundamental geographic information",
        "1:200,000 national geological spatial database",
    )
    return {
        "name": "Simulated mountain",
        "crs": "EPSG:32648",
        "dem": {
            "path": "dem/AP_*_RT1.dem.tif",
            "source": "ALOS PALSAR DEM",
            "resolution": "12.5 m",
            "license": CC0,
        },
        "roads": {"path": "vector_50k/LRDL.shp", "source": basic, "resolution": "1:50,000"}
        | vector,
        "rivers": {"path": "vector_50k/HYDL.shp", "source": basic, "resolution": "1:50,000"}
        | vector,
        "faults": {"path": "geology_200k/faults.shp", "source": geology, "resolution": "1:200,000"}
        | vector,
        "lithology": {
            "path": "geology_200k/lithology.shp",
            "attribute": "code",
            "names": {code: rock.name for code, rock in ROCKS.items()},
            "source": geology,
            "resolution": "1:200,000",
            "license": CC0,
        },
        "lulc": {
            "path": "lulc/n48_*_2020lc030.tif",
            "names": COVER_NAMES,
            "source": "GlobeLand30",
            "resolution": "30 m",
            "license": CC0,
        },
        "ndvi": {
            "path": "ndvi/*.tif",
            "scale": 0.0001,
            "source": "China annual maximum NDVI 2000-2022",
            "resolution": "30 m",
            "license": CC0,
        },
        "rainfall": {
            "path": "rainfall/pre_2022.nc",
            "variable": "pre",
            "scale": 0.1,
            "statistic": "annual_sum",
            "source": "China monthly precipitation",
            "resolution": "1 km",
            "license": CC0,
        },
        "stations": {
            "path": "strong_motion/*.xls",
            "x": "lon",
            "y": "lat",
            "value": "pga",
            "crs": "EPSG:4326",
            "unit": "cm/s²",
            "source": "Mainland China M4.0+ strong-motion parameter dataset",
            "resolution": "/",
            "license": CC0,
        },
        "images": {
            "path": "images",
            "format": "cas",
            "source": "CAS Landslide Dataset and Jilin-1",
            "resolution": "0.2-5 m",
            "license": CC0,
        },
        "scene": {
            "path": "scene/scene.tif",
            "platform": "Jilin-1",
            "source": "Jilin-1",
            "resolution": "2.5 m",
            "license": CC0,
        },
        "truth": {"path": "truth"},
    }


def _write_tif(path: Path, values: np.ndarray, grid: Grid, *, nodata=None) -> None:
    """A plain tiled GeoTIFF of one band, as data providers deliver them."""
    profile = dict(
        driver="GTiff",
        count=1,
        height=grid.height,
        width=grid.width,
        crs=grid.crs,
        transform=grid.transform,
        tiled=True,
    )
    with (
        whole_file(path) as part,
        rasterio.open(
            part, "w", dtype=values.dtype, nodata=nodata, compress="deflate", **profile
        ) as file,
    ):
        file.write(values, 1)


def _write_rasters(folder: Path, mountain: Mountain, seed: int) -> None:
    """DEM at 12.5 m; land cover and, in two tiles, NDVI at 30 m with the errors such maps have."""
    ground, rng = mountain.ground, np.random.default_rng([seed, 20])
    _write_tif(
        folder / "dem" / "AP_26354_FBD_F0590_RT1.dem.tif",
        ground.elevation.round(2),
        ground.grid,
        nodata=-9999.0,
    )
    left, bottom, right, top = ground.grid.bounds
    grid = Grid.from_bounds((left - 60, bottom - 60, right + 60, top + 60), ground.grid.crs, 30.0)
    # Misclassified patches: the class of a place about 100 m away.
    rows, columns = np.indices(ground.grid.shape)
    wrong = ndimage.gaussian_filter(rng.standard_normal(ground.grid.shape), 3)
    shift = np.where(wrong > np.quantile(wrong, 0.93), 8, 0)
    cover = ground.cover[(rows + shift).clip(max=ground.grid.height - 1), columns]
    _write_tif(
        folder / "lulc" / "n48_30_2020lc030.tif",
        _at(cover, ground.grid, grid, Resampling.mode),
        grid,
        nodata=0,
    )
    ndvi = _at(ground.ndvi, ground.grid, grid, Resampling.average) + 0.015 * rng.standard_normal(
        grid.shape
    )
    ndvi = np.clip(np.rint(ndvi * 10_000), -2000, 10_000).astype(np.int16)
    half = grid.width // 2
    for name, part in (("west", slice(0, half)), ("east", slice(half, None))):
        tile = _part(grid, 0, part.start or 0, grid.height, ndvi[:, part].shape[1])
        _write_tif(
            folder / "ndvi" / f"NDVI_max_2022_{name}.tif",
            np.ascontiguousarray(ndvi[:, part]),
            tile,
            nodata=-32768,
        )


def _part(grid: Grid, row: int, column: int, height: int, width: int) -> Grid:
    """The window of `grid` from (row, column) on, which may lie outside it."""
    cell, (left, _, _, top) = grid.cell_size, grid.bounds
    return Grid(
        grid.crs, Affine(cell, 0, left + column * cell, 0, -cell, top - row * cell), height, width
    )


def _at(values: np.ndarray, grid: Grid, target: Grid, how: Resampling) -> np.ndarray:
    """`values` of `grid`, continued 20 cells beyond its border, on `target`."""
    padded = np.pad(values, 20, mode="edge")
    result = np.zeros(target.shape, values.dtype)
    transform = _part(grid, -20, -20, *padded.shape).transform
    reproject(
        padded,
        result,
        src_transform=transform,
        src_crs=grid.crs,
        dst_transform=target.transform,
        dst_crs=target.crs,
        resampling=how,
    )
    return result


def _write_vectors(folder: Path, mountain: Mountain) -> None:
    """Roads, rivers, faults and lithology as shapefiles in geographic CGCS2000."""
    ground = mountain.ground
    rocks = rock_polygons(ground.rocks, ground.grid)
    rocks["name"] = [ROCKS[code].name for code in rocks["code"]]
    tables = {
        "vector_50k/LRDL.shp": ground.roads,
        "vector_50k/HYDL.shp": ground.rivers,
        "geology_200k/faults.shp": ground.faults,
        "geology_200k/lithology.shp": rocks,
    }
    for name, table in tables.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # The header of a .dbf holds a date; a fixed one keeps the bytes the same.
        table.to_crs(GEOGRAPHIC).to_file(
            path, engine="pyogrio", encoding="utf-8", DBF_DATE_LAST_UPDATE="2022-09-05"
        )


def _write_rainfall(path: Path, mountain: Mountain, seed: int) -> None:
    """Monthly precipitation in 0.1 mm, packed as int16."""
    rain, lat, lon = monthly_rainfall(
        mountain.rain, mountain.ground.grid, np.random.default_rng([seed, 21])
    )
    table = xr.Dataset(
        {
            "pre": (
                ("time", "lat", "lon"),
                np.rint(rain * 10),
                {"units": "0.1mm", "long_name": "monthly precipitation"},
            )
        },
        coords={
            "time": (
                "time",
                np.arange(12),
                {"units": "months since 2022-01-01", "calendar": "standard"},
            ),
            "lat": ("lat", lat, {"units": "degrees_north", "standard_name": "latitude"}),
            "lon": ("lon", lon, {"units": "degrees_east", "standard_name": "longitude"}),
        },
    )
    with whole_file(path) as part:
        table.to_netcdf(
            part,
            engine="netcdf4",
            encoding={"pre": {"dtype": "int16", "_FillValue": np.int16(-32768), "zlib": True}},
        )


def _write_stations(path: Path, mountain: Mountain) -> None:
    """Strong-motion stations in a spreadsheet."""
    import xlwt

    book = xlwt.Workbook()
    sheet = book.add_sheet("stations")
    table = mountain.shaking.stations
    for column, name in enumerate(table):
        sheet.write(0, column, name)
        for row, value in enumerate(table[name].tolist(), 1):
            sheet.write(row, column, value)
    with whole_file(path) as part:
        book.save(str(part))


def _write_scene(path: Path, mountain: Mountain, seed: int) -> None:
    """One optical image of the area, rendered block by block."""
    view = make_view(mountain.ground, mountain.landslides, mountain.scars, seed)
    frame = Grid.from_bounds(mountain.ground.grid.bounds, mountain.ground.grid.crs, SCENE_PIXEL)
    profile = dict(
        driver="GTiff",
        count=3,
        height=frame.height,
        width=frame.width,
        dtype="uint8",
        crs=frame.crs,
        transform=frame.transform,
    )
    options = dict(
        tiled=True,
        blockxsize=512,
        blockysize=512,
        compress="deflate",
        photometric="rgb",
        interleave="pixel",
        num_threads=2,
    )
    with whole_file(path) as part, rasterio.open(part, "w", **profile, **options) as file:
        for row in range(0, frame.height, SCENE_BLOCK):
            for column in range(0, frame.width, SCENE_BLOCK):
                height, width = (
                    min(SCENE_BLOCK, frame.height - row),
                    min(SCENE_BLOCK, frame.width - column),
                )
                block = _part(frame, row, column, height, width)
                window = rasterio.windows.Window(column, row, width, height)
                file.write(render(view, block, PLATFORMS[-1]), window=window)


def _write_truth(folder: Path, mountain: Mountain) -> None:
    """Probability of lying in a landslide, the landslides, the look-alike old scars and the
    effects.
    """
    write_raster(
        folder / "probability.tif", mountain.probability, mountain.ground.grid, ["probability"]
    )
    for name, table in (("landslides", mountain.landslides), ("old_scars", mountain.scars)):
        _write_gpkg(folder / f"{name}.gpkg", table[["id", "area_m2", "geometry"]], name)
    with whole_file(folder / "effects.json") as part:
        part.write_text(json.dumps(mountain.effects, indent=1) + "\n", encoding="utf-8")


def _write_gpkg(path: Path, table: gpd.GeoDataFrame, layer: str) -> None:
    """A GeoPackage whose bytes do not hold the time of writing."""
    import pyogrio

    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2022-09-05T00:00:00.000Z"})
    try:
        with whole_file(path) as part:
            table.to_file(part, layer=layer, driver="GPKG", engine="pyogrio")
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
