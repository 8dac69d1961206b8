"""Rivers, roads, distances, land cover and vegetation of the simulated mountain."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from rasterio import features
from scipy import ndimage
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from lsa_helpers.mountain.noise import smooth_field
from lsa_helpers.mountain.terrain import Terrain, drainage
from lsa_helpers.grid import Grid

COVER_NAMES = {
    10: "cultivated land",
    20: "forest",
    30: "grassland",
    40: "shrubland",
    50: "wetland",
    60: "water bodies",
    80: "artificial surfaces",
    90: "bare land",
    100: "permanent snow and ice",
}
QUATERNARY = 6


@dataclass(frozen=True)
class Ground:
    """Everything on the mountain, on one grid of 12.5 m (arrays of shape (rows, columns)).

    `slope` is in degrees, `east` and `south` are the gradient of the elevation along columns and
    rows, `area` the catchment in m², `above` the height above the nearest stream in m, `road`,
    `river`, `fault` distances in m, `rocks` and `cover` codes, `ndvi` 0–1. `rivers`, `roads`,
    `faults` are lines with EPSG:32648.
    """

    grid: Grid
    elevation: np.ndarray
    slope: np.ndarray
    east: np.ndarray
    south: np.ndarray
    area: np.ndarray
    downstream: np.ndarray
    above: np.ndarray
    rocks: np.ndarray
    cover: np.ndarray
    ndvi: np.ndarray
    road: np.ndarray
    river: np.ndarray
    fault: np.ndarray
    rivers: gpd.GeoDataFrame
    roads: gpd.GeoDataFrame
    faults: gpd.GeoDataFrame


def make_ground(terrain: Terrain, seed: int) -> Ground:
    """Derive streams, roads and land cover from the terrain.

    Parameters
    ----------
    terrain : Terrain
        Elevation and geology.
    seed : int
        Seed of every random choice.

    Returns
    -------
    Ground
    """
    rng = np.random.default_rng([seed, 2])
    grid, elevation = terrain.grid, terrain.elevation
    south, east = (
        gradient.astype(np.float32) for gradient in np.gradient(elevation, grid.cell_size)
    )
    slope = np.degrees(np.arctan(np.hypot(east, south)))
    _, flow = drainage(elevation)
    flow.set_transform(grid.transform)
    area = flow.upstream_area("cell").astype(np.float32) * grid.cell_size**2
    above = flow.hand(area > 4e5, elevation).astype(np.float32)
    above = np.where(above < 0, 500.0, above)
    rivers = _rivers(flow, area, grid)
    river = distance_to(rivers.geometry, grid)
    roads, villages = _roads(elevation, slope, river, grid, rng)
    road = distance_to(roads.geometry, grid)
    rocks = np.where(
        (above < 25) & (slope < 18) & (river < 400), QUATERNARY, terrain.geology.codes
    ).astype(np.uint8)
    cover = _cover(elevation, slope, south, river, area, above, villages, grid, rng)
    ndvi = _ndvi(cover, elevation, south, grid, rng)
    faults = gpd.GeoDataFrame(
        {
            "name": ["Xianshuihe-like main strand"]
            + [f"splay {i}" for i in range(1, len(terrain.geology.faults))]
        },
        geometry=terrain.geology.faults,
        crs=grid.crs,
    )
    fault = distance_to(faults.geometry, grid)
    return Ground(
        grid,
        elevation,
        slope,
        east,
        south,
        area,
        flow.idxs_ds.reshape(grid.shape),
        above,
        rocks,
        cover,
        ndvi,
        road,
        river,
        fault,
        rivers,
        roads,
        faults,
    )


def distance_to(lines, grid: Grid) -> np.ndarray:
    """Distance in metres from every cell centre to the nearest cell touched by `lines` (float32);
    1e5 where there is none.
    """
    burnt = burn(lines, grid)
    if not burnt.any():
        return np.full(grid.shape, 1e5, np.float32)
    return (ndimage.distance_transform_edt(~burnt) * grid.cell_size).astype(np.float32)


def burn(shapes, grid: Grid) -> np.ndarray:
    """Cells touched by the shapes, bool (rows, columns)."""
    shapes = [shape for shape in shapes if not shape.is_empty]
    if not shapes:
        return np.zeros(grid.shape, bool)
    return features.rasterize(
        shapes, out_shape=grid.shape, transform=grid.transform, all_touched=True, dtype="uint8"
    ).astype(bool)


def _rivers(flow, area: np.ndarray, grid: Grid) -> gpd.GeoDataFrame:
    """Streams with a catchment above 0.4 km², with the largest catchment (km²) of each reach."""
    found = flow.streams(mask=area > 4e5)
    table = gpd.GeoDataFrame.from_features(found, crs=grid.crs)
    table["area_km2"] = [area.flat[index] / 1e6 for index in table["idx_ds"]]
    table["geometry"] = shapely.simplify(table.geometry.values, grid.cell_size * 0.8)
    return table.loc[table.length > 0, ["area_km2", "geometry"]].reset_index(drop=True)


def _roads(elevation, slope, river, grid: Grid, rng) -> tuple[gpd.GeoDataFrame, np.ndarray]:
    """Cheapest paths from one town to villages, farms on the slopes and the map's border; and the
    villages' cells.

    A climb above 6 % is dear, so roads follow valleys and take slopes obliquely.
    """
    k = 4
    height, flat = elevation[::k, ::k], slope[::k, ::k]
    near, low = river[::k, ::k], height - ndimage.minimum_filter(height, 41)
    shape, step = height.shape, k * grid.cell_size
    gentle = np.exp(-((flat / 14) ** 2) - near / 250 - low / 250) + 1e-9
    farms = np.exp(-((flat / 20) ** 2) - np.abs(low - 350) / 120) + 1e-9
    km2 = height.size * step**2 / 1e6
    villages = rng.choice(
        height.size, max(3, round(0.25 * km2)), replace=False, p=(gentle / gentle.sum()).ravel()
    )
    higher = rng.choice(
        height.size, max(2, round(0.12 * km2)), replace=False, p=(farms / farms.sum()).ravel()
    )
    border = np.zeros(shape, bool)
    border[[0, -1]], border[:, [0, -1]] = True, True
    exits = np.flatnonzero(border)[np.argsort(height[border])[: max(1, round(km2**0.5 / 4))]]
    graph = _road_graph(height, step)
    previous = dijkstra(graph, indices=villages[0], return_predecessors=True)[1]
    lines, kinds, used = [], [], np.zeros(height.size, bool)
    for targets, kind in ((exits, "main"), (villages[1:], "village"), (higher, "farm")):
        for target in targets:
            path = _path(previous, target, used)
            if len(path) > 1:
                rows, columns = np.unravel_index(path, shape)
                x, y = grid.bounds[0] + (columns + 0.5) * step, grid.bounds[3] - (rows + 0.5) * step
                lines.append(shapely.LineString(_rounded(np.column_stack([x, y]))))
                kinds.append(kind)
    return gpd.GeoDataFrame({"kind": kinds}, geometry=lines, crs=grid.crs), np.array(
        np.unravel_index(villages, shape)
    ) * k


def _road_graph(height: np.ndarray, step: float) -> csr_matrix:
    """Eight-neighbour graph whose edge weights are length times (1 + (grade / 0.06)²)."""
    number = np.arange(height.size).reshape(height.shape)
    rows, columns, weights = [], [], []
    pairs = (
        (np.s_[:, :-1], np.s_[:, 1:]),
        (np.s_[:-1], np.s_[1:]),
        (np.s_[:-1, :-1], np.s_[1:, 1:]),
        (np.s_[1:, :-1], np.s_[:-1, 1:]),
    )
    for (a, b), length in zip(pairs, (step, step, step * 2**0.5, step * 2**0.5), strict=True):
        grade = np.abs(height[a] - height[b]) / length
        rows.append(number[a].ravel())
        columns.append(number[b].ravel())
        weights.append((length * (1 + (grade / 0.06) ** 2)).ravel())
    rows, columns, weights = np.concatenate(rows), np.concatenate(columns), np.concatenate(weights)
    size = height.size
    return csr_matrix(
        (np.r_[weights, weights], (np.r_[rows, columns], np.r_[columns, rows])), shape=(size, size)
    )


def _path(previous: np.ndarray, target: int, used: np.ndarray) -> list[int]:
    """Cells from `target` back to the first that already has a road; marks them in `used`."""
    path = [int(target)]
    while not used[path[-1]] and previous[path[-1]] >= 0:
        used[path[-1]] = True
        path.append(int(previous[path[-1]]))
    return path


def _rounded(points: np.ndarray) -> np.ndarray:
    """A line with its corners cut three times (Chaikin 1974): roads bend, they do not follow the
    eight directions of a grid.
    """
    points = np.vstack(
        [points[:1], ndimage.uniform_filter1d(points, 3, axis=0, mode="nearest")[1:-1], points[-1:]]
    )
    for _ in range(3):
        cut = np.stack(
            [0.75 * points[:-1] + 0.25 * points[1:], 0.25 * points[:-1] + 0.75 * points[1:]], axis=1
        ).reshape(-1, 2)
        points = np.vstack([points[:1], cut, points[-1:]])
    return shapely.get_coordinates(shapely.simplify(shapely.LineString(points), 2.0))


def _cover(elevation, slope, south, river, area, above, villages, grid: Grid, rng) -> np.ndarray:
    """GlobeLand30 codes (uint8) from altitude, slope, rivers and villages with ragged, random
    limits.
    """
    patch = 0.8 * smooth_field(grid.shape, grid.cell_size, 600, rng, octaves=6, decay=0.65)
    # Rows run south: a falling gradient along rows faces south, which is drier and less wooded.
    other = 0.8 * smooth_field(
        grid.shape, grid.cell_size, 1100, rng, octaves=6, decay=0.62
    ) - 0.5 * np.clip(south, -1, 1)
    home = np.full(grid.shape, True)
    home[tuple(villages)] = False
    home = ndimage.distance_transform_edt(home) * grid.cell_size
    ragged = elevation + 150 * patch
    cover = np.full(grid.shape, 20, np.uint8)
    cover[(other > 0.55) | ((slope > 38) & (other > -0.2))] = 40
    cover[(patch > 0.95) & (other < 0.6)] = 30
    cover[(ragged > 3500) & (other > -0.6)] = 40
    cover[ragged > 3750] = 30
    cover[(ragged > 4350) | ((slope > 43) & (patch > 0.1)) | ((slope > 39) & (ragged > 3600))] = 90
    cover[(ragged > 4900) & (slope < 48)] = 100
    farmland = np.exp(-home / 500) * np.exp(-((slope / 22) ** 2)) + 0.12 * patch
    cover[(farmland > 0.33) & (elevation < 2900)] = 10
    cover[(slope < 6) & (area > 2e5) & (other > 0.8) & (elevation > 2600)] = 50
    cover[(home < 70 + 40 * patch) & (slope < 22)] = 80
    cover[(area > 1.2e7) & (river < 10)] = 60
    return cover


def _ndvi(cover, elevation, south, grid: Grid, rng) -> np.ndarray:
    """Annual maximum NDVI before the earthquake (float32, 0–1): by land cover, lower on dry sunny
    slopes and with altitude.
    """
    level = np.zeros(101, np.float32)
    level[[10, 20, 30, 40, 50, 60, 80, 90, 100]] = (
        0.70,
        0.86,
        0.66,
        0.76,
        0.68,
        0.05,
        0.38,
        0.22,
        0.02,
    )
    noise = smooth_field(grid.shape, grid.cell_size, 300, rng, octaves=4)
    # Rows run south, so a positive gradient along rows means that the slope faces north.
    ndvi = (
        level[cover]
        + 0.04 * noise
        + 0.04 * np.clip(south, -1, 1)
        - 0.05 * np.clip((elevation - 2500) / 1500, 0, 1)
    )
    return np.clip(ndimage.gaussian_filter(ndvi, 1.0), 0, 0.95).astype(np.float32)


def rock_polygons(rocks: np.ndarray, grid: Grid) -> gpd.GeoDataFrame:
    """Lithological map: polygons of equal `code`, drawn at the 50 m detail of a 1:200,000 sheet."""
    k = 4
    coarse = ndimage.percentile_filter(rocks[::k, ::k], 50, size=3)
    frame = Grid.from_bounds(grid.bounds, grid.crs, grid.cell_size * k)
    found = list(features.shapes(coarse, transform=frame.transform))
    shapes = [shapely.geometry.shape(geometry) for geometry, _ in found]
    table = pd.DataFrame({"code": [int(code) for _, code in found]})
    return gpd.GeoDataFrame(
        table, geometry=list(shapely.coverage_simplify(shapes, 60.0)), crs=grid.crs
    )
