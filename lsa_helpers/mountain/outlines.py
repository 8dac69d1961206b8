"""The outline of one landslide: a lobed tongue that follows the slope."""

import math

import numpy as np
import shapely
import xarray as xr
from affine import Affine
from scipy import ndimage

INERTIA = 0.7  # of the heading, from one point to the next
POINTS = 32  # along the path of an outline
LENGTHEN = 1.3  # an outline that narrows at both ends is longer than a rectangle of its area


def smoothed_gradient(layers: xr.Dataset) -> np.ndarray:
    """Gradient along columns and rows, (2, rows, columns), of the terrain smoothed over about 40 m:
    what a landslide of some size follows.
    """
    gradient = (layers.east.values, layers.south.values)
    return np.stack([ndimage.gaussian_filter(component, 3.0) for component in gradient])


def length_to_width(count: int, rng: np.random.Generator) -> np.ndarray:
    """Length over width of `count` landslides: log-normal around 2.6, as after earthquakes."""
    return np.clip(np.exp(rng.normal(0.95, 0.35, count)), 1.2, 6.0)


def landslide_outline(
    start: tuple[float, float],
    area: float,
    gradient: np.ndarray,
    transform: Affine,
    rng: np.random.Generator,
) -> tuple[shapely.Geometry, float]:
    """A tongue that follows the slope from `start`: narrow crown, wide middle, rounded toe.

    Parameters
    ----------
    start : (x, y)
        Where it starts, m.
    area : float
        m².
    gradient : ndarray, shape (2, rows, columns)
        From `smoothed_gradient`.
    transform : Affine
        Of the gradient's raster.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    outline : Polygon
        It may reach beyond the raster.
    direction : float
        From crown to toe, radians anticlockwise from east.
    """
    ratio = float(length_to_width(1, rng)[0])
    length = float(np.sqrt(area * ratio * LENGTHEN))
    path = _descend(start, length / POINTS, gradient, transform)
    width = _relative_width(len(path), rng)
    tangent = np.gradient(path, axis=0)
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]])
    normal = normal / np.maximum(np.hypot(*tangent.T), 1e-9)[:, None]
    sides = []
    for sign in (1, -1):
        wavy = ndimage.gaussian_filter1d(rng.standard_normal(len(path)), 2.0, mode="nearest")
        ragged = np.exp(0.55 * wavy + 0.13 * rng.standard_normal(len(path)))
        sides.append(path + sign * normal * (width * ragged)[:, None] * length / ratio / 2)
    outline = shapely.make_valid(shapely.Polygon(np.vstack([sides[0], sides[1][::-1]])))
    outline = outline.buffer(0.015 * length, quad_segs=2).buffer(-0.008 * length, quad_segs=2)
    outline = largest_polygon(outline) or shapely.Point(start).buffer(np.sqrt(area / np.pi))
    stretch = np.sqrt(area / outline.area)
    outline = shapely.affinity.scale(outline, stretch, stretch, origin=outline.centroid)
    drop = path[-1] - path[0]
    return outline, float(np.arctan2(drop[1], drop[0]))


def _relative_width(count: int, rng: np.random.Generator) -> np.ndarray:
    """Width at `count` points from crown to toe, relative to length over ratio."""
    along = np.linspace(0, 1, count)
    toe = rng.uniform(0.12, 0.45)
    crown = rng.uniform(0.08, 0.4)
    bulge = rng.uniform(-0.5, 0.5)
    opening = np.minimum((along / crown + 0.03) ** 0.6, 1)
    closing = np.minimum(((1.001 - along) / toe) ** 0.5, 1)
    return opening * closing * (1 + bulge * (along - 0.5))


def _descend(start, step: float, gradient: np.ndarray, transform: Affine) -> np.ndarray:
    """Points (POINTS + 1, 2) every `step` metres down the slope, with the inertia of a moving mass.

    Plain numbers: this loop runs some 30,000 times a thousand landslides, and arrays of two would
    cost ten times as much.
    """
    _, height, width = gradient.shape
    x, y = map(float, start)
    path = [(x, y)]
    heading = None
    for _ in range(POINTS):
        row = min(max(int((transform.f - y) / transform.a), 0), height - 1)
        column = min(max(int((x - transform.c) / transform.a), 0), width - 1)
        # Against the gradient; rows run south, so the sign of the second component turns.
        down = _unit(-float(gradient[0, row, column]), float(gradient[1, row, column]))
        if heading is not None:
            pairs = zip(heading, down, strict=True)
            down = [INERTIA * old + (1 - INERTIA) * new for old, new in pairs]
        heading = _unit(*down)
        x += step * heading[0]
        y += step * heading[1]
        path.append((x, y))
    return np.array(path)


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
