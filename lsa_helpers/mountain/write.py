"""Write a simulated mountain in the formats of Table 2, as the paper's own data would lie on a
reader's disk.
"""

from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
import xarray as xr
import xlwt
import yaml
from affine import Affine
from rasterio import features
from rasterio.enums import Resampling
from rasterio.transform import from_origin
from rasterio.warp import reproject
from rasterio.windows import Window
from rasterio.windows import transform as window_transform
from scipy import ndimage

from lsa_helpers.mountain.chips import write_chips
from lsa_helpers.mountain.climate import monthly_rainfall
from lsa_helpers.mountain.contents import describe_files
from lsa_helpers.mountain.geology import ROCKS
from lsa_helpers.mountain.geotiff import new_geotiff
from lsa_helpers.mountain.imagery import render
from lsa_helpers.mountain.platforms import PLATFORMS
from lsa_helpers.mountain.simulation import Mountain, make_mountain
from lsa_helpers.mountain.truth import write_truth
from lsa_helpers.mountain.view import make_view
from lsa_helpers.raster import cell_size, empty_grid
from lsa_helpers.run import whole_file

GEOGRAPHIC = "EPSG:4490"  # CGCS2000
SCENE_PIXEL = 2.5  # m
SCENE_BLOCK = 1024  # pixels


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
    _write_map_layers(folder, mountain, seed)
    _write_scene(folder / "scene" / "scene.tif", mountain, seed)
    write_truth(folder / "truth", mountain, seed)
    if chips_per_platform:
        write_chips(folder / "images", per_platform=chips_per_platform, seed=seed, n_jobs=n_jobs)
    _write_catalog(folder, describe_files())
    return folder


def write_layers(folder: Path, mountain: Mountain, seed: int) -> Path:
    """Write the map layers of a mountain and their catalog: no images, no scene, no truth.

    Parameters
    ----------
    folder : Path
        Is made if missing.
    mountain : Mountain
    seed : int
        Of the mountain; its maps err as those of `write_world` do.

    Returns
    -------
    Path
        `folder`.
    """
    folder = Path(folder)
    _write_map_layers(folder, mountain, seed)
    unwritten = ("images", "scene", "truth")
    kept = {name: what for name, what in describe_files().items() if name not in unwritten}
    _write_catalog(folder, kept)
    return folder


def _write_map_layers(folder: Path, mountain: Mountain, seed: int) -> None:
    """Everything the factors are made of."""
    _write_rasters(folder, mountain.layers, np.random.default_rng([seed, 20]))
    _write_vectors(folder, mountain)
    rain = monthly_rainfall(mountain.layers.rain, np.random.default_rng([seed, 21]))
    _write_rainfall(folder / "rainfall" / "pre_2022.nc", rain)
    _write_stations(folder / "strong_motion" / "stations.xls", mountain)


def _write_catalog(folder: Path, content: dict) -> None:
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=140)
    with whole_file(folder / "catalog.yml") as part:
        part.write_text(text, encoding="utf-8")


def _write_rasters(folder: Path, layers: xr.Dataset, rng: np.random.Generator) -> None:
    """DEM at 12.5 m; land cover and, in two tiles, NDVI at 30 m with the errors such maps have."""
    dem = folder / "dem" / "AP_26354_FBD_F0590_RT1.dem.tif"
    elevation = layers.elevation.values.round(2)
    _write_band(dem, elevation, layers.rio.transform(), nodata=-9999.0)
    left, bottom, right, top = layers.rio.bounds()
    grid = empty_grid((left - 60, bottom - 60, right + 60, top + 60), layers.rio.crs, 30.0)
    # Misclassified patches: the class of a place about 100 m away.
    height, width = elevation.shape
    wrong = ndimage.gaussian_filter(rng.standard_normal((height, width)), 3)
    shift = np.where(wrong > np.quantile(wrong, 0.93), 8, 0)
    rows, columns = np.indices((height, width))
    cover = layers.cover.copy(
        data=layers.cover.values[(rows + shift).clip(max=height - 1), columns]
    )
    cover = _resampled(cover, grid, Resampling.mode)
    transform = grid.rio.transform()
    _write_band(folder / "lulc" / "n48_30_2020lc030.tif", cover, transform, nodata=0)
    ndvi = _resampled(layers.ndvi, grid, Resampling.average)
    ndvi = ndvi + 0.015 * rng.standard_normal(grid.shape)
    ndvi = np.clip(np.rint(ndvi * 10_000), -2000, 10_000).astype(np.int16)
    half = grid.sizes["x"] // 2
    for name, start, values in (("west", 0, ndvi[:, :half]), ("east", half, ndvi[:, half:])):
        path = folder / "ndvi" / f"NDVI_max_2022_{name}.tif"
        _write_band(
            path, values, window_transform(Window(start, 0, 1, 1), transform), nodata=-32768
        )


def _write_band(path: Path, values: np.ndarray, transform: Affine, *, nodata: float) -> None:
    """One band (rows, columns), tiled."""
    options = {"tiled": True, "nodata": nodata}
    with new_geotiff(path, (1, *values.shape), values.dtype, transform, **options) as file:
        file.write(values, 1)


def _resampled(layer: xr.DataArray, grid: xr.DataArray, how: Resampling) -> np.ndarray:
    """A layer, continued 20 cells beyond its border, on the cells of `grid`."""
    values = np.zeros(grid.shape, layer.dtype)
    reproject(
        np.pad(layer.values, 20, mode="edge"),
        values,
        src_transform=window_transform(Window(-20, -20, 1, 1), layer.rio.transform()),
        src_crs=layer.rio.crs,
        dst_transform=grid.rio.transform(),
        dst_crs=grid.rio.crs,
        resampling=how,
    )
    return values


def _write_vectors(folder: Path, mountain: Mountain) -> None:
    """Roads, rivers, faults and lithology as shapefiles in geographic CGCS2000."""
    tables = {
        "vector_50k/LRDL.shp": mountain.lines["roads"],
        "vector_50k/HYDL.shp": mountain.lines["rivers"],
        "geology_200k/faults.shp": mountain.lines["faults"],
        "geology_200k/lithology.shp": _rock_polygons(mountain.layers.rocks),
    }
    for name, table in tables.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # The header of a .dbf holds a date; a fixed one keeps the bytes the same.
        table.to_crs(GEOGRAPHIC).to_file(
            path, engine="pyogrio", encoding="utf-8", DBF_DATE_LAST_UPDATE="2022-09-05"
        )


def _rock_polygons(rocks: xr.DataArray) -> gpd.GeoDataFrame:
    """Lithological map: polygons of equal code, drawn at the 50 m detail of a 1:200,000 sheet."""
    coarse = ndimage.percentile_filter(rocks.values[::4, ::4], 50, size=3)
    left, _, _, top = rocks.rio.bounds()
    cell = 4 * cell_size(rocks)
    transform = from_origin(left, top, cell, cell)
    parts = list(features.shapes(coarse, transform=transform))
    polygons = [shapely.geometry.shape(geometry) for geometry, _ in parts]
    codes = [int(code) for _, code in parts]
    return gpd.GeoDataFrame(
        {"code": codes, "name": ROCKS["name"][codes].tolist()},
        geometry=list(shapely.coverage_simplify(polygons, 60.0)),
        crs=rocks.rio.crs,
    )


def _write_rainfall(path: Path, rain: xr.DataArray) -> None:
    """Monthly precipitation in 0.1 mm, packed as int16."""
    packed = np.rint(rain * 10)
    packed.attrs = {"units": "0.1mm", "long_name": "monthly precipitation"}
    packed.time.attrs = {"units": "months since 2022-01-01", "calendar": "standard"}
    packed.lat.attrs = {"units": "degrees_north", "standard_name": "latitude"}
    packed.lon.attrs = {"units": "degrees_east", "standard_name": "longitude"}
    table = xr.Dataset({"pre": packed.variable}).assign_coords(packed.coords)
    encoding = {"pre": {"dtype": "int16", "_FillValue": np.int16(-32768), "zlib": True}}
    with whole_file(path) as part:
        table.to_netcdf(part, engine="netcdf4", encoding=encoding)


def _write_stations(path: Path, mountain: Mountain) -> None:
    """Strong-motion stations in a spreadsheet of the old kind, which pandas no longer writes."""
    book = xlwt.Workbook()
    sheet = book.add_sheet("stations")
    for column, (name, values) in enumerate(mountain.stations.items()):
        for row, value in enumerate([name, *values.tolist()]):
            sheet.write(row, column, value)
    with whole_file(path) as part:
        book.save(str(part))


def _write_scene(path: Path, mountain: Mountain, seed: int) -> None:
    """One optical image of the area, rendered block by block."""
    view = make_view(mountain, seed)
    left, bottom, right, top = mountain.layers.rio.bounds()
    height = round((top - bottom) / SCENE_PIXEL)
    width = round((right - left) / SCENE_PIXEL)
    transform = from_origin(left, top, SCENE_PIXEL, SCENE_PIXEL)
    options = {"tiled": True, "blockxsize": 512, "blockysize": 512, "num_threads": 2}
    options |= {"photometric": "rgb", "interleave": "pixel"}
    with new_geotiff(path, (3, height, width), "uint8", transform, **options) as file:
        for row in range(0, height, SCENE_BLOCK):
            for column in range(0, width, SCENE_BLOCK):
                shape = (min(SCENE_BLOCK, height - row), min(SCENE_BLOCK, width - column))
                window = Window(column, row, shape[1], shape[0])
                block = render(view, window_transform(window, transform), shape, PLATFORMS[-1])
                file.write(block, window=window)
