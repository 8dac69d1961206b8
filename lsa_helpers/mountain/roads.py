"""Roads of the simulated mountain: cheapest paths from one town."""

import geopandas as gpd
import numpy as np
import shapely
import xarray as xr
from scipy import ndimage
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from lsa_helpers.raster import cell_size

COARSER = 4  # cells of the layers along one cell of the road's grid


def make_roads(
    layers: xr.Dataset, rng: np.random.Generator
) -> tuple[gpd.GeoDataFrame, tuple[np.ndarray, np.ndarray]]:
    """Cheapest paths from one town to villages, farms on the slopes and the map's border.

    A climb above 6 % is dear, so roads follow valleys and take slopes obliquely.

    Parameters
    ----------
    layers : Dataset, dims (y, x)
        With ``elevation`` (m), ``slope`` (degrees) and ``river`` (distance, m).
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    roads : GeoDataFrame
        kind (main, village or farm) and lines.
    villages : (rows, columns)
        Cells of the villages, the town first.
    """
    coarse = layers.isel(y=slice(None, None, COARSER), x=slice(None, None, COARSER))
    height = coarse.elevation.values
    step = COARSER * cell_size(layers)
    area = height.size * step**2 / 1e6
    villages, farms = _settlements(coarse, area, rng)
    border = np.ones(height.shape, bool)
    border[1:-1, 1:-1] = False
    n_exits = max(1, round(area**0.5 / 4))
    exits = np.flatnonzero(border)[np.argsort(height[border])[:n_exits]]
    graph = _road_graph(height, step)
    previous = dijkstra(graph, indices=villages[0], return_predecessors=True)[1]
    left, _, _, top = layers.rio.bounds()
    lines = []
    kinds = []
    used = np.zeros(height.size, bool)
    for targets, kind in ((exits, "main"), (villages[1:], "village"), (farms, "farm")):
        for target in targets:
            path = _path(previous, target, used)
            if len(path) > 1:
                rows, columns = np.unravel_index(path, height.shape)
                points = np.column_stack([left + (columns + 0.5) * step, top - (rows + 0.5) * step])
                lines.append(shapely.LineString(_rounded(points)))
                kinds.append(kind)
    rows, columns = np.unravel_index(villages, height.shape)
    roads = gpd.GeoDataFrame({"kind": kinds}, geometry=lines, crs=layers.rio.crs)
    return roads, (rows * COARSER, columns * COARSER)


def _settlements(
    coarse: xr.Dataset, area: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Flat indices of villages on gentle ground near rivers, one in 4 km² of `area`, and of farms
    some 350 m above, one in 8 km².
    """
    height = coarse.elevation.values
    slope = coarse.slope.values
    low = height - ndimage.minimum_filter(height, 41)
    gentle = np.exp(-((slope / 14) ** 2) - coarse.river.values / 250 - low / 250) + 1e-9
    perched = np.exp(-((slope / 20) ** 2) - np.abs(low - 350) / 120) + 1e-9
    villages, farms = (
        rng.choice(height.size, count, replace=False, p=(weight / weight.sum()).ravel())
        for count, weight in (
            (max(3, round(0.25 * area)), gentle),
            (max(2, round(0.12 * area)), perched),
        )
    )
    return villages, farms


def _road_graph(height: np.ndarray, step: float) -> csr_matrix:
    """Eight-neighbour graph whose edge weights are length times (1 + (grade / 0.06)²)."""
    number = np.arange(height.size).reshape(height.shape)
    edges = []
    pairs = (
        (np.s_[:, :-1], np.s_[:, 1:], step),
        (np.s_[:-1], np.s_[1:], step),
        (np.s_[:-1, :-1], np.s_[1:, 1:], step * 2**0.5),
        (np.s_[1:, :-1], np.s_[:-1, 1:], step * 2**0.5),
    )
    for start, end, length in pairs:
        grade = np.abs(height[start] - height[end]) / length
        weight = length * (1 + (grade / 0.06) ** 2)
        edges.append((number[start].ravel(), number[end].ravel(), weight.ravel()))
    start, end, weight = (np.concatenate(column) for column in zip(*edges, strict=True))
    both_ways = (np.r_[start, end], np.r_[end, start])
    return csr_matrix((np.r_[weight, weight], both_ways), shape=(height.size, height.size))


def _path(previous: np.ndarray, target: int, used: np.ndarray) -> list[int]:
    """Cells from `target` back to the first that already has a road; marks them in `used`."""
    path = [int(target)]
    while not used[path[-1]] and previous[path[-1]] >= 0:
        used[path[-1]] = True
        path.append(int(previous[path[-1]]))
    return path


def _rounded(points: np.ndarray) -> np.ndarray:
    """A line with its corners cut three times (Chaikin 1974, doi:10.1016/0146-664X(74)90028-8):
    roads bend, they do not follow the eight directions of a grid.
    """
    inner = ndimage.uniform_filter1d(points, 3, axis=0, mode="nearest")[1:-1]
    points = np.vstack([points[:1], inner, points[-1:]])
    for _ in range(3):
        ends = (0.75 * points[:-1] + 0.25 * points[1:], 0.25 * points[:-1] + 0.75 * points[1:])
        points = np.vstack([points[:1], np.stack(ends, axis=1).reshape(-1, 2), points[-1:]])
    return shapely.get_coordinates(shapely.simplify(shapely.LineString(points), 2.0))
