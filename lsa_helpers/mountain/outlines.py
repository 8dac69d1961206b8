"""The outline of one landslide: a lobed tongue that follows the slope."""

import math
from typing import NamedTuple

import numpy as np
import shapely
import xarray as xr
from affine import Affine
from scipy import ndimage

INERTIA = 0.7  # of the heading, from one point to the next
POINTS = 32  # along the path of an outline
LENGTHEN = 1.3  # an outline that narrows at both ends is longer than a rectangle of its area
# Tangent of the reach angle, 20°: height over length of debris slides, flows and avalanches is
# 10^(−0.012 − 0.105 log10 V) by Corominas (1996), doi:10.1139/t96-005, here for the V (m³) of the
# mean landslide, 7,000 m² of soil 2 m deep. (Small ones stop on steeper lines, large on gentler.)
REACH = 0.357
SHORTEST = 0.6  # of its length that a landslide must find above the reach angle


class Ground(NamedTuple):
    """What a landslide runs over.

    Parameters
    ----------
    elevation : ndarray, shape (rows, columns)
        m.
    gradient : ndarray, shape (2, rows, columns)
        Along columns and rows, of the terrain smoothed over about 40 m: what a landslide of some
        size follows.
    transform : Affine
        Of the raster.
    """

    elevation: np.ndarray
    gradient: np.ndarray
    transform: Affine


def make_ground(layers: xr.Dataset) -> Ground:
    """The ground of the landscape's layers."""
    gradient = (layers.east.values, layers.south.values)
    smoothed = np.stack([ndimage.gaussian_filter(component, 3.0) for component in gradient])
    return Ground(layers.elevation.values, smoothed, layers.rio.transform())


def length_to_width(count: int, rng: np.random.Generator) -> np.ndarray:
    """Length over width of `count` landslides: log-normal around 2.6, as after earthquakes."""
    return np.clip(np.exp(rng.normal(0.95, 0.35, count)), 1.2, 6.0)


def landslide_outline(
    start: tuple[float, float], area: float, ground: Ground, rng: np.random.Generator
) -> tuple[shapely.Polygon, float] | None:
    """A tongue that follows the slope from `start`: narrow crown, wide middle, rounded toe.

    It ends where the line of sight to its start becomes gentler than the reach angle. What it lacks
    in length there it gains in width: a stopped mass spreads.

    Parameters
    ----------
    start : (x, y)
        Where it starts, m.
    area : float
        m².
    ground : Ground
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    outline : Polygon
        It may reach beyond the raster.
    direction : float
        From crown to toe, radians anticlockwise from east.

    Or None where less than SHORTEST of its length lies above the reach angle.

    Notes
    -----
    **Sources**: the line of reach, Heim (1932); its angle, Corominas (1996), doi:10.1139/t96-005.
    """
    ratio = float(length_to_width(1, rng)[0])
    length = float(np.sqrt(area * ratio * LENGTHEN))
    path = _descend(start, length / POINTS, ground)
    if len(path) <= SHORTEST * POINTS:
        return None
    half_width = length / ratio / 2 * _relative_width(len(path), rng)
    flanks = np.stack([half_width * _ragged(len(path), rng) for _ in range(2)])
    flanks = flanks * area / _tongue(path, flanks).area
    line = altitudes(path, ground)[0] - REACH * length / POINTS * np.arange(len(path))
    for _ in range(4):  # a mass that fills a valley does not climb its other side
        climbs = altitudes(_sides(path, flanks), ground) > line + REACH * flanks
        flanks = np.where(climbs, flanks / 2, flanks)
    drop = path[-1] - path[0]
    return _tongue(path, flanks), float(np.arctan2(drop[1], drop[0]))


def _sides(path: np.ndarray, flanks: np.ndarray) -> np.ndarray:
    """Points (2, n, 2) `flanks` (2, n) metres to the left and the right of a path (n, 2)."""
    tangent = np.gradient(path, axis=0)
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]])
    normal = normal / np.maximum(np.hypot(*tangent.T), 1e-9)[:, None]
    return path + normal * np.stack([flanks[0], -flanks[1]])[..., None]


def _tongue(path: np.ndarray, flanks: np.ndarray) -> shapely.Polygon:
    """The ground within `flanks` (2, n) metres to the left and the right of a path (n, 2)."""
    left, right = _sides(path, flanks)
    outline = shapely.make_valid(shapely.Polygon(np.vstack([left, right[::-1]])))
    smooth = 0.015 * np.hypot(*np.diff(path, axis=0).T).sum()
    return largest_polygon(outline.buffer(smooth, quad_segs=2).buffer(-smooth / 2, quad_segs=2))


def _ragged(count: int, rng: np.random.Generator) -> np.ndarray:
    """Factors on the width at `count` points of one flank."""
    wavy = ndimage.gaussian_filter1d(rng.standard_normal(count), 2.0, mode="nearest")
    return np.exp(0.55 * wavy + 0.13 * rng.standard_normal(count))


def _relative_width(count: int, rng: np.random.Generator) -> np.ndarray:
    """Width at `count` points from crown to toe, relative to length over ratio."""
    along = np.linspace(0, 1, count)
    toe = rng.uniform(0.12, 0.45)
    crown = rng.uniform(0.08, 0.4)
    bulge = rng.uniform(-0.5, 0.5)
    opening = np.minimum((along / crown + 0.03) ** 0.6, 1)
    closing = np.minimum(((1.001 - along) / toe) ** 0.5, 1)
    return opening * closing * (1 + bulge * (along - 0.5))


def _descend(start: tuple[float, float], step: float, ground: Ground) -> np.ndarray:
    """Points (n, 2) every `step` metres down the slope, with the inertia of a moving mass: POINTS +
    1, or fewer where the slope ends.

    Plain numbers: this loop runs some 30,000 times a thousand landslides, and arrays of two would
    cost ten times as much.
    """
    _, height, width = ground.gradient.shape
    transform = ground.transform
    x, y = map(float, start)
    path = [(x, y)]
    heading = None
    for _ in range(POINTS):
        row = min(max(int((transform.f - y) / transform.a), 0), height - 1)
        column = min(max(int((x - transform.c) / transform.a), 0), width - 1)
        # Against the gradient; rows run south, so the sign of the second component turns.
        east, south = ground.gradient[:, row, column].tolist()
        down = _unit(-east, south)
        if heading is not None:
            pairs = zip(heading, down, strict=True)
            down = [INERTIA * old + (1 - INERTIA) * new for old, new in pairs]
        heading = _unit(*down)
        x += step * heading[0]
        y += step * heading[1]
        path.append((x, y))
    path = np.array(path)
    altitude = altitudes(path, ground)
    below = altitude <= altitude[0] - REACH * step * np.arange(POINTS + 1)
    return path if below.all() else path[: below.argmin()]


def altitudes(points: np.ndarray, ground: Ground) -> np.ndarray:
    """Elevation (m) at points (..., 2), bilinear; beyond the raster that of its border."""
    transform = ground.transform
    place = [
        (points[..., 1] - transform.f) / transform.e - 0.5,
        (points[..., 0] - transform.c) / transform.a - 0.5,
    ]
    return ndimage.map_coordinates(ground.elevation, place, order=1, mode="nearest")


def _unit(east: float, north: float) -> tuple[float, float]:
    """The vector of length 1 in the same direction."""
    length = max(math.hypot(east, north), 1e-9)
    return east / length, north / length


def largest_polygon(geometry: shapely.Geometry) -> shapely.Polygon | None:
    """The largest polygon of a geometry, or None when it has none."""
    polygons = [
        part
        for part in shapely.get_parts(geometry)
        if part.geom_type == "Polygon" and part.area > 0
    ]
    return max(polygons, key=lambda part: part.area, default=None)
