"""The landslides: how large, where, apart from each other, and as cells of a raster."""

import math
from collections.abc import Iterator

import geopandas as gpd
import numpy as np
import shapely
import xarray as xr
from affine import Affine
from rasterio import features
from rasterio.transform import array_bounds, rowcol
from scipy import stats

from lsa_helpers.mountain.outlines import landslide_outline, largest_polygon, make_ground
from lsa_helpers.raster import cell_size

# Three-parameter inverse gamma: exponent and shift keep the proportions of Malamud et al. (2004),
# the scale gives the paper's mean area of 7,000 m² once areas are cut at SMALLEST and LARGEST.
RHO = 1.40
SCALE = 3950.0  # m²
SHIFT = -405.0  # m²
SMALLEST = 250.0  # m²
LARGEST = 150_000.0  # m²
GAP = 12.5  # m of standing ground between two landslides: closer ones are one to whoever maps them


def sample_areas(count: int, rng: np.random.Generator, *, largest: float = LARGEST) -> np.ndarray:
    """Areas of landslides in m² from the truncated inverse-gamma law.

    p(A) = [a / (A − s)]^(ρ+1) exp[−a / (A − s)] / (a Γ(ρ)), between 250 m² and `largest`.

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

    Notes
    -----
    **Source**: Malamud et al. (2004), doi:10.1002/esp.1064.

    Examples
    --------
    >>> areas = sample_areas(1000, np.random.default_rng(0))
    >>> bool(areas.min() > 250), bool(4000 < areas.mean() < 10_000)
    (True, True)
    """
    law = stats.invgamma(RHO, loc=SHIFT, scale=SCALE)
    low, high = law.cdf([SMALLEST, largest])
    return law.ppf(rng.uniform(low, high, count))


def largest_area(layers: xr.Dataset) -> float:
    """Largest area of a landslide on a map, m²: on small maps one landslide shall not be most of
    the inventory.
    """
    return min(LARGEST, 0.003 * layers.elevation.size * cell_size(layers) ** 2)


def make_landslides(
    layers: xr.Dataset, source: np.ndarray, rng: np.random.Generator
) -> gpd.GeoDataFrame:
    """Place landslides where they start with probability `source` and let each run down its slope.

    Parameters
    ----------
    layers : Dataset, dims (y, x)
        The landscape's layers.
    source : ndarray, shape (rows, columns)
        Probability that a landslide starts in a cell.
    rng : numpy.random.Generator
        Source of randomness.

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
    count = rng.poisson(source.sum())
    areas = sample_areas(count, rng, largest=largest_area(layers))
    starts = _starts(layers, source, 20 * count + 20, rng)
    ground = make_ground(layers)
    transform = layers.rio.transform()
    frame = shapely.box(*layers.rio.bounds())
    taken = np.zeros(source.shape, bool)
    outlines = []
    directions = []
    for area in -np.sort(-areas):
        for start in starts:
            slide = landslide_outline(start, area, ground, rng)
            if slide is None:  # the slope ends too soon
                continue
            outline, direction = slide
            if not frame.contains(outline):
                outline = largest_polygon(outline.intersection(frame))
            if outline is None or outline.area < SMALLEST:  # it left the map
                continue
            outline = _apart(outline, start, outlines, taken, transform)
            if outline is not None:
                outlines.append(outline)
                directions.append(direction)
                break
    table = gpd.GeoDataFrame(geometry=outlines, crs=layers.rio.crs)
    table.insert(0, "id", np.arange(1, len(table) + 1))
    table.insert(1, "area_m2", table.area.round(1))
    table.insert(2, "direction", np.round(directions, 4))
    return table


def _starts(
    layers: xr.Dataset, source: np.ndarray, count: int, rng: np.random.Generator
) -> Iterator[tuple[float, float]]:
    """Points in cells drawn in proportion to `source`."""
    share = np.cumsum(source.ravel() / source.sum())
    cells = np.searchsorted(share, rng.random(count)).clip(max=source.size - 1)
    rows, columns = np.unravel_index(cells, source.shape)
    left, _, _, top = layers.rio.bounds()
    x = left + (columns + rng.random(count)) * cell_size(layers)
    y = top - (rows + rng.random(count)) * cell_size(layers)
    return iter(zip(x, y, strict=True))


def _apart(outline, scarp, earlier: list, taken: np.ndarray, transform: Affine):
    """`outline` at least GAP from earlier landslides, or None where its scarp (x, y) or two fifths
    of its area would be lost; marks its cells in `taken`.
    """
    least = 0.6 * outline.area
    left, bottom, right, top = outline.bounds
    rows, columns = rowcol(transform, [left, right], [top, bottom])
    edge = 1 + math.ceil(GAP / transform.a)
    window = np.s_[
        max(rows[0] - edge, 0) : rows[1] + 1 + edge,
        max(columns[0] - edge, 0) : columns[1] + 1 + edge,
    ]
    if taken[window].any():
        near = np.array(earlier, object)
        near = near[shapely.dwithin(near, outline, GAP)]
        if len(near):
            blocked = shapely.union_all(near).buffer(GAP, quad_segs=4)
            outline = largest_polygon(outline.difference(blocked))
    if outline is None or outline.area < least or outline.distance(shapely.Point(scarp)) > GAP:
        return None
    taken[window] = True
    return outline


def landslide_ids(
    landslides: gpd.GeoDataFrame, transform: Affine, shape: tuple[int, int]
) -> np.ndarray:
    """Number of the landslide in which the centre of a cell lies.

    Parameters
    ----------
    landslides : GeoDataFrame
        id, geometry; outlines do not overlap.
    transform : Affine
        Of the raster, in the CRS of `landslides`.
    shape : (rows, columns)
        Of the raster.

    Returns
    -------
    ndarray, shape (rows, columns), int32
        `id`, or 0 outside all landslides.
    """
    near = landslides.iloc[landslides.sindex.query(shapely.box(*array_bounds(*shape, transform)))]
    if near.empty:
        return np.zeros(shape, np.int32)
    return features.rasterize(
        zip(near.geometry, near["id"], strict=True),
        out_shape=shape,
        transform=transform,
        dtype="int32",
    )
