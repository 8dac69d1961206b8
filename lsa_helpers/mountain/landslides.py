"""The landslides themselves: how large, where, and of which outline."""

import math

import geopandas as gpd
import numpy as np
import shapely
from rasterio import features
from scipy import ndimage, stats

from lsa_helpers.mountain.layers import Ground, burn
from lsa_helpers.grid import Grid

# Three-parameter inverse gamma: exponent and shift keep the proportions of Malamud et al. (2004),
# the scale gives the paper's mean area of 7,000 m² once areas are cut at SMALLEST and LARGEST.
RHO, SCALE, SHIFT = 1.40, 3950.0, -405.0
SMALLEST, LARGEST = 250.0, 150_000.0
INERTIA = 0.7  # of the heading, from one point to the next
POINTS = 32  # along the path of an outline
GAP = 12.5  # m of standing ground between two landslides: closer ones are one to whoever maps them
LENGTHEN = 1.3  # an outline that narrows at both ends is longer than a rectangle of its area


def sample_areas(count: int, rng: np.random.Generator, *, largest: float = LARGEST) -> np.ndarray:
    """Areas of landslides in m² from the truncated inverse-gamma law.

    p(A) = [a / (A − s)]^(ρ+1) exp[−a / (A − s)] / (a Γ(ρ)), Malamud et al. (2004),
    doi:10.1002/esp.1064.

    Parameters
    ----------
    count : int
        How many.
    rng : numpy.random.Generator
        Source of randomness.
    largest : float
        Largest area allowed, m².

    Returns
    -------
    ndarray, shape (count,)

    Examples
    --------
    >>> areas = sample_areas(1000, np.random.default_rng(0))
    >>> bool(areas.min() > 250), bool(4000 < areas.mean() < 10_000)
    (True, True)
    """
    law = stats.invgamma(RHO, loc=SHIFT, scale=SCALE)
    low, high = law.cdf([SMALLEST, largest])
    return law.ppf(rng.uniform(low, high, count))


def make_landslides(
    ground: Ground, source: np.ndarray, rng: np.random.Generator, *, density: float = 1.0
) -> gpd.GeoDataFrame:
    """Place landslides where they start with probability `source` and let each run down its slope.

    Parameters
    ----------
    ground : Ground
        Terrain.
    source : ndarray, shape (rows, columns)
        Probability that a landslide starts in a cell.
    rng : numpy.random.Generator
        Source of randomness.
    density : float
        Factor on the number of landslides.

    Returns
    -------
    GeoDataFrame
        id (from 1), area_m2, direction (radians, anticlockwise from east, downslope), geometry;
        outlines are GAP metres apart.

    Notes
    -----
    Inventories, the paper's 923 landslides among them, count what can be told apart in an image:
    landslides that run into each other are mapped as one (Marc & Hovius 2015,
    doi:10.5194/nhess-15-723-2015). The areas drawn here are those of mapped landslides, so what
    touches must not be two.
    """
    grid = ground.grid
    count = rng.poisson(source.sum() * density)
    left, bottom, right, top = grid.bounds
    areas = -np.sort(-sample_areas(count, rng, largest=_limit(grid)))
    flow = _flow(ground)
    cells = np.searchsorted(
        np.cumsum(source.ravel() / source.sum()), rng.random(3 * count + 20)
    ).clip(max=source.size - 1)
    rows, columns = np.unravel_index(cells, grid.shape)
    x = left + (columns + rng.random(len(cells))) * grid.cell_size
    y = top - (rows + rng.random(len(cells))) * grid.cell_size
    frame = shapely.box(left, bottom, right, top)
    placed, directions, taken = [], [], np.zeros(grid.shape, bool)
    candidates = iter(zip(x, y, strict=True))
    for area in areas:
        for point in candidates:
            shape, direction = _outline(point, area, flow, grid, rng)
            shape = shape if frame.contains(shape) else _largest(shape.intersection(frame))
            if shape is None or shape.area < SMALLEST:  # it left the map
                continue
            shape = _apart(shape, placed, taken, grid, 0.6 * shape.area)
            if shape is not None:
                placed.append(shape)
                directions.append(direction)
                break
    table = gpd.GeoDataFrame({"id": np.arange(1, len(placed) + 1)}, geometry=placed, crs=grid.crs)
    table["area_m2"] = table.area.round(1)
    table["direction"] = np.round(directions, 4)
    return table[["id", "area_m2", "direction", "geometry"]]


def _apart(shape, placed: list, taken: np.ndarray, grid: Grid, least: float):
    """`shape` at least GAP from earlier landslides, or None where less than `least` m² is left;
    marks its cells in `taken`.
    """
    left, bottom, right, top = shape.bounds
    row, column = grid.rowcol([left, right], [top, bottom])
    edge = 1 + math.ceil(GAP / grid.cell_size)
    window = np.s_[
        max(row[0] - edge, 0) : row[1] + 1 + edge, max(column[0] - edge, 0) : column[1] + 1 + edge
    ]
    if taken[window].any():
        others = np.array(placed, object)
        others = others[shapely.dwithin(others, shape, GAP)]
        shape = (
            _largest(shape.difference(shapely.union_all(others).buffer(GAP, quad_segs=4)))
            if len(others)
            else shape
        )
    if shape is None or shape.area < least:
        return None
    taken[window] = True
    return shape


def _largest(shape):
    """The largest polygon of a geometry, or None when it has none."""
    parts = [
        part for part in shapely.get_parts(shape) if part.geom_type == "Polygon" and part.area > 0
    ]
    return max(parts, key=lambda part: part.area) if parts else None


def _outline(start, area: float, flow: np.ndarray, grid: Grid, rng: np.random.Generator):
    """A lobed tongue of `area` m² that follows the slope from `start`: narrow crown, wide middle,
    rounded toe.

    Length over width is about 2.5 (log-normal), within what inventories of earthquakes show.
    """
    ratio = float(_ratios(1, rng)[0])
    length = float(np.sqrt(area * ratio * LENGTHEN))
    path = _descend(start, length, flow, grid)
    steps = np.linspace(0, 1, len(path))
    toe, crown, bulge = rng.uniform(0.12, 0.45), rng.uniform(0.08, 0.4), rng.uniform(-0.5, 0.5)
    width = (
        np.minimum((steps / crown + 0.03) ** 0.6, 1)
        * np.minimum(((1.001 - steps) / toe) ** 0.5, 1)
        * (1 + bulge * (steps - 0.5))
    )
    tangent = np.gradient(path, axis=0)
    normal = (
        np.column_stack([-tangent[:, 1], tangent[:, 0]])
        / np.maximum(np.hypot(*tangent.T), 1e-9)[:, None]
    )
    sides = []
    for sign in (1, -1):
        wavy = ndimage.gaussian_filter1d(rng.standard_normal(len(path)), 2.0, mode="nearest")
        ragged = np.exp(0.55 * wavy + 0.13 * rng.standard_normal(len(path)))
        sides.append(path + sign * normal * (width * ragged)[:, None] * length / ratio / 2)
    shape = shapely.make_valid(shapely.Polygon(np.vstack([sides[0], sides[1][::-1]])))
    shape = _largest(
        shape.buffer(0.015 * length, quad_segs=2).buffer(-0.008 * length, quad_segs=2)
    ) or shapely.Point(start).buffer(np.sqrt(area / np.pi))
    centre = shape.centroid
    stretch = np.sqrt(area / shape.area)
    shape = shapely.affinity.scale(shape, stretch, stretch, origin=centre)
    drop = path[-1] - path[0]
    return shape, float(np.arctan2(drop[1], drop[0]))


def _descend(start, length: float, flow: np.ndarray, grid: Grid) -> np.ndarray:
    """Points every `length` / POINTS along the steepest descent of the smoothed terrain (metres)."""
    step, (x, y), heading = length / POINTS, map(float, start), None
    left, _, _, top = grid.bounds
    path = [(x, y)]
    # Plain numbers: this loop runs some 30,000 times a thousand landslides, and arrays of two would
    # cost ten times as much.
    for _ in range(POINTS):
        row = min(max(int((top - y) / grid.cell_size), 0), grid.height - 1)
        column = min(max(int((x - left) / grid.cell_size), 0), grid.width - 1)
        # Downslope: against the gradient; rows run south, so the sign of the second component
        # turns.
        east, north = -float(flow[0, row, column]), float(flow[1, row, column])
        norm = max(math.hypot(east, north), 1e-9)
        down = (east / norm, north / norm)
        heading = (
            down
            if heading is None
            else tuple(INERTIA * h + (1 - INERTIA) * d for h, d in zip(heading, down, strict=True))
        )
        norm = max(math.hypot(*heading), 1e-9)
        heading = (heading[0] / norm, heading[1] / norm)
        x, y = x + step * heading[0], y + step * heading[1]
        path.append((x, y))
    return np.array(path)


def cover_probability(
    ground: Ground, source: np.ndarray, rng: np.random.Generator, *, draws: int = 4000
) -> np.ndarray:
    """Probability that a cell lies in a landslide, from the probability that one starts in it.

    Landslides reach downslope of where they start. From every cell a path follows the slope as
    outlines do; what starts in the cell is laid down along it in proportion to the mean width at
    that distance over many sampled landslides, and spread sideways.

    Returns
    -------
    ndarray, float32, shape (rows, columns)
    """
    step = 1.4 * ground.grid.cell_size
    ratio, areas = _ratios(draws, rng), sample_areas(draws, rng, largest=_limit(ground.grid))
    length = np.sqrt(areas * ratio * LENGTHEN)
    width = areas / length
    flow = _flow(ground)
    down = np.stack([-flow[0], -flow[1]]) / np.maximum(np.hypot(*flow), 1e-6)
    rows, columns = np.indices(source.shape, dtype=np.float32)
    heading, total = down.copy(), np.zeros(source.shape)
    shape, weight = np.array(source.shape), source.ravel().astype(float)
    for number in range(int(np.percentile(length, 98) / step)):
        reach = length > (number + 0.5) * step
        i, j = (
            np.clip(np.rint(v), 0, size - 1).astype(np.int32)
            for v, size in zip((rows, columns), shape, strict=True)
        )
        laid = np.bincount(
            (i * shape[1] + j).ravel(), weights=weight, minlength=source.size
        ).reshape(source.shape)
        area = width[reach].sum() / draws * step / ground.grid.cell_size**2
        total += area * ndimage.gaussian_filter(
            laid,
            np.average(width[reach]) / ground.grid.cell_size / 3.0,
            mode="nearest",
            truncate=2.5,
        )
        # The same inertia as an outline of the lengths that reach this far, whose steps are their
        # length / POINTS.
        keep = INERTIA ** (step * POINTS / np.average(length[reach]))
        heading = keep * heading + (1 - keep) * down[:, i, j]
        columns += step / ground.grid.cell_size * heading[0]
        rows += step / ground.grid.cell_size * heading[1]
    # Landslides keep apart: where many are expected, a new one often finds its place taken and
    # starts elsewhere. The factor keeps the expected share of the whole area.
    share, factor = source.sum() * areas.mean() / (source.size * ground.grid.cell_size**2), 1.0
    for _ in range(20):
        factor *= share / (factor * total / (1 + factor * total)).mean()
    return (factor * total / (1 + factor * total)).astype(np.float32)


def _limit(grid: Grid) -> float:
    """Largest area of a landslide on the grid, m²: on small maps one landslide shall not be most of
    the inventory.
    """
    return min(LARGEST, 0.003 * grid.height * grid.width * grid.cell_size**2)


def _ratios(count: int, rng: np.random.Generator) -> np.ndarray:
    """Length over width of landslides: log-normal around 2.6."""
    return np.clip(np.exp(rng.normal(0.95, 0.35, count)), 1.2, 6.0)


def _flow(ground: Ground) -> np.ndarray:
    """Gradient (along columns, along rows) of the terrain smoothed over about 40 m: what a
    landslide of some size follows.
    """
    return np.stack(
        [ndimage.gaussian_filter(gradient, 3.0) for gradient in (ground.east, ground.south)]
    )


def covered(table: gpd.GeoDataFrame, grid: Grid) -> np.ndarray:
    """Cells whose centre lies in a landslide, bool (rows, columns)."""
    if not len(table):
        return burn([], grid)
    return features.rasterize(
        table.geometry, out_shape=grid.shape, transform=grid.transform, dtype="uint8"
    ).astype(bool)
