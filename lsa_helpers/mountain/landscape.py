"""The mountain's layers: relief, water, rock, land cover and vegetation, with its lines."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import xarray as xr
from rasterio import features
from scipy import ndimage
from shapely.geometry import LineString

from lsa_helpers.mountain.erosion import drainage
from lsa_helpers.mountain.geology import QUATERNARY
from lsa_helpers.mountain.noise import smooth_field
from lsa_helpers.mountain.roads import make_roads
from lsa_helpers.raster import cell_size, on_grid

# GlobeLand30's codes; mean NDVI (annual maximum); cohesion by roots (kPa) at full vegetation.
LAND_COVER = pd.DataFrame.from_dict(
    {
        10: ("cultivated land", 0.70, 1.0),
        20: ("forest", 0.86, 8.0),
        30: ("grassland", 0.66, 2.5),
        40: ("shrubland", 0.76, 5.0),
        50: ("wetland", 0.68, 2.0),
        60: ("water bodies", 0.05, 0.0),
        80: ("artificial surfaces", 0.38, 0.0),
        90: ("bare land", 0.22, 0.0),
        100: ("permanent snow and ice", 0.02, 0.0),
    },
    orient="index",
    columns=["name", "ndvi", "roots"],
)
STREAM_AREA = 4e5  # m²; a stream begins where its catchment is larger


def make_landscape(
    elevation: xr.DataArray, rocks: np.ndarray, faults: list[LineString], seed: int
) -> tuple[xr.Dataset, dict[str, gpd.GeoDataFrame]]:
    """Derive streams, roads and land cover from the terrain.

    Parameters
    ----------
    elevation : DataArray, dims (y, x)
        Metres; CRS in metres.
    rocks : ndarray, shape (rows, columns)
        Codes of `geology.ROCKS` before valleys were filled.
    faults : list of LineString
        The main strand first.
    seed : int
        Seed of every random choice.

    Returns
    -------
    layers : Dataset, dims (y, x)
        ``elevation`` (m), ``slope`` (degrees), ``east`` and ``south`` (gradient of the elevation
        along columns and rows), ``catchment`` (m²), ``above_stream`` (height above the stream that
        a cell drains to, m), ``road``, ``river``, ``fault`` (distances, m), ``rocks`` (codes of
        `geology.ROCKS`), ``cover`` (codes of `LAND_COVER`), ``ndvi`` (0–1).
    lines : dict of GeoDataFrame
        ``rivers`` (area_km2), ``roads`` (kind) and ``faults`` (name), in the CRS of `elevation`.
    """
    rng = np.random.default_rng([seed, 2])
    layers = relief_layers(elevation)

    def add(name: str, values: np.ndarray, units: str = "1") -> None:
        layers[name] = on_grid(values, elevation, name, units)

    rivers = _add_water(layers)
    add("river", _distance_to_lines(rivers, elevation), "m")
    roads, villages = make_roads(layers, rng)
    add("road", _distance_to_lines(roads, elevation), "m")
    floor = (layers.above_stream < 25) & (layers.slope < 18) & (layers.river < 400)
    add("rocks", np.where(floor, QUATERNARY, rocks).astype(np.uint8))
    add("cover", _land_cover(layers, villages, rng))
    add("ndvi", _ndvi(layers, rng))
    names = ["Xianshuihe-like main strand", *(f"splay {i}" for i in range(1, len(faults)))]
    faults = gpd.GeoDataFrame({"name": names}, geometry=faults, crs=elevation.rio.crs)
    add("fault", _distance_to_lines(faults, elevation), "m")
    return layers, {"rivers": rivers, "roads": roads, "faults": faults}


def relief_layers(elevation: xr.DataArray) -> xr.Dataset:
    """``elevation`` (m) with its ``slope`` (degrees) and its gradient along columns and rows,
    ``east`` and ``south``; dims (y, x).
    """
    south, east = np.gradient(elevation.values, cell_size(elevation))
    slope = np.degrees(np.arctan(np.hypot(east, south)))
    layers = elevation.to_dataset(name="elevation")
    for name, values, units in (("south", south, "1"), ("east", east, "1"), ("slope", slope, "°")):
        layers[name] = on_grid(values, elevation, name, units)
    return layers


def _add_water(layers: xr.Dataset) -> gpd.GeoDataFrame:
    """Streams with the largest catchment (km²) of each reach; adds ``catchment`` and
    ``above_stream`` to `layers`.
    """
    elevation = layers.elevation
    flow = drainage(elevation.values)[1]
    flow.set_transform(elevation.rio.transform())
    catchment = flow.upstream_area("cell").astype(np.float32) * cell_size(elevation) ** 2
    above = flow.hand(catchment > STREAM_AREA, elevation.values).astype(np.float32)
    layers["catchment"] = on_grid(catchment, elevation, "catchment", "m2")
    above = np.where(above < 0, 500.0, above)  # cells that leave the map before any stream
    layers["above_stream"] = on_grid(above, elevation, "above_stream", "m")
    streams = flow.streams(mask=catchment > STREAM_AREA)
    rivers = gpd.GeoDataFrame.from_features(streams, crs=elevation.rio.crs)
    rivers["area_km2"] = [catchment.flat[index] / 1e6 for index in rivers["idx_ds"]]
    rivers["geometry"] = shapely.simplify(rivers.geometry.values, cell_size(elevation) * 0.8)
    return rivers.loc[rivers.length > 0, ["area_km2", "geometry"]].reset_index(drop=True)


def _distance_to_lines(lines: gpd.GeoDataFrame, grid: xr.DataArray) -> np.ndarray:
    """Distance (m, float32) from a cell to the nearest cell that a line touches; 1e5 where no line
    touches the grid.
    """
    touched = features.rasterize(
        lines.geometry,
        out_shape=grid.shape,
        transform=grid.rio.transform(),
        all_touched=True,
        dtype="uint8",
    )
    if not touched.any():
        return np.full(grid.shape, 1e5, np.float32)
    distance = ndimage.distance_transform_edt(touched == 0)
    return (distance * cell_size(grid)).astype(np.float32)


def _land_cover(
    layers: xr.Dataset, villages: tuple[np.ndarray, np.ndarray], rng: np.random.Generator
) -> np.ndarray:
    """GlobeLand30 codes (uint8) from altitude, slope, rivers and villages with ragged limits."""
    elevation = layers.elevation.values
    slope = layers.slope.values
    shape = elevation.shape
    cell = cell_size(layers)
    patch = 0.8 * smooth_field(shape, 600 / cell, rng, octaves=6, decay=0.65)
    # Rows run south: a falling gradient along rows faces south, which is drier and less wooded.
    dry = 0.8 * smooth_field(shape, 1100 / cell, rng, octaves=6, decay=0.62)
    dry = dry - 0.5 * np.clip(layers.south.values, -1, 1)
    homeless = np.full(shape, True)
    homeless[villages] = False
    home = ndimage.distance_transform_edt(homeless) * cell
    ragged = elevation + 150 * patch
    cover = np.full(shape, 20, np.uint8)
    cover[(dry > 0.55) | ((slope > 38) & (dry > -0.2))] = 40
    cover[(patch > 0.95) & (dry < 0.6)] = 30
    cover[(ragged > 3500) & (dry > -0.6)] = 40
    cover[ragged > 3750] = 30
    cover[(ragged > 4350) | ((slope > 43) & (patch > 0.1)) | ((slope > 39) & (ragged > 3600))] = 90
    cover[(ragged > 4900) & (slope < 48)] = 100
    farmland = np.exp(-home / 500) * np.exp(-((slope / 22) ** 2)) + 0.12 * patch
    cover[(farmland > 0.33) & (elevation < 2900)] = 10
    catchment = layers.catchment.values
    cover[(slope < 6) & (catchment > 2e5) & (dry > 0.8) & (elevation > 2600)] = 50
    cover[(home < 70 + 40 * patch) & (slope < 22)] = 80
    cover[(catchment > 1.2e7) & (layers.river.values < 10)] = 60
    return cover


def _ndvi(layers: xr.Dataset, rng: np.random.Generator) -> np.ndarray:
    """Annual maximum NDVI before the earthquake (float32, 0–1): by land cover, lower on dry sunny
    slopes and with altitude.
    """
    level = LAND_COVER["ndvi"].reindex(range(101), fill_value=0).to_numpy(np.float32)
    noise = smooth_field(layers.cover.shape, 300 / cell_size(layers), rng, octaves=4)
    high = np.clip((layers.elevation.values - 2500) / 1500, 0, 1)
    # Rows run south, so a positive gradient along rows means that the slope faces north.
    shady = np.clip(layers.south.values, -1, 1)
    ndvi = level[layers.cover.values] + 0.04 * noise + 0.04 * shady - 0.05 * high
    return np.clip(ndimage.gaussian_filter(ndvi, 1.0), 0, 0.95).astype(np.float32)
