"""From scores of pixels to an inventory of polygons, and what can be said about one."""

from collections.abc import Sequence
from itertools import repeat
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from affine import Affine
from rasterio import features
from scipy import ndimage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from lsa_helpers.raster import read_raster
from lsa_helpers.run import Run, whole_file
from lsa_helpers.sources import Catalog, read_inventory

THRESHOLDS = np.round(np.arange(0.05, 0.951, 0.05), 2)
SIZES = (0, 500, 1000, 2000, 5000, 10_000, 20_000, np.inf)  # m², classes of landslide area
_BLOCK_PIXELS = 16_000_000  # labelled at once: about 200 MB


def polygonize(
    scores: np.ndarray,
    transform: Affine,
    crs,
    *,
    low: float,
    high: float = 0.0,
    min_area_m2: float = 0.0,
    block_rows: int = 0,
) -> gpd.GeoDataFrame:
    """Landslides of a map of scores, by hysteresis: connected pixels of at least `low`, of which
    one reaches `high`.

    Parameters
    ----------
    scores : ndarray or memmap, shape (height, width)
        0–1; read a block of rows at a time, so it may be larger than memory.
    transform : Affine
        From pixels to the CRS.
    crs : CRS
        In metres.
    low, high : float
        Score down to which a landslide extends, and score it reaches somewhere.
    min_area_m2 : float
        Smaller landslides are dropped and smaller holes filled.
    block_rows : int
        Rows labelled at once; 0: as many as about 200 MB hold. It does not change the result.

    Returns
    -------
    GeoDataFrame
        ``id`` (from 1), ``score`` (the highest of its pixels), ``area_m2`` and one valid polygon
        each, highest score first. Polygons share no ground; pixels that meet at a corner only
        belong to two of them.

    Notes
    -----
    Source: hysteresis is the last step of Canny (1986), doi:10.1109/TPAMI.1986.4767851.
    """
    block_rows = block_rows or max(1, _BLOCK_PIXELS // scores.shape[1])
    outlines, numbers, peaks, seams = [], [], [np.zeros(1)], []
    count, above = 0, np.zeros(scores.shape[1], np.int32)
    for top in range(0, len(scores), block_rows):
        block = np.asarray(scores[top : top + block_rows])
        labels, labels_here = ndimage.label(block >= low)
        peaks.append(ndimage.maximum(block, labels, np.arange(1, labels_here + 1)))
        labels[labels > 0] += count
        count += labels_here
        seams.append(np.stack([above, labels[0]])[:, (above > 0) & (labels[0] > 0)])
        above = labels[-1]
        place = transform @ Affine.translation(0, top)
        for outline, number in features.shapes(labels, labels > 0, transform=place):
            outlines.append(shapely.geometry.shape(outline))
            numbers.append(int(number))
    i, j = np.concatenate(seams, axis=1)
    links = coo_matrix((np.ones(len(i)), (i, j)), shape=(count + 1, count + 1))
    landslide = connected_components(links, directed=False)[1][numbers]
    columns = {"landslide": landslide, "score": np.concatenate(peaks)[numbers]}
    parts = gpd.GeoDataFrame(columns, geometry=outlines, crs=crs)
    merged = parts.dissolve("landslide", aggfunc="max")
    return _clean(merged[merged["score"] >= high], min_area_m2)


def _clean(landslides: gpd.GeoDataFrame, min_area_m2: float) -> gpd.GeoDataFrame:
    """Without small landslides, small holes and the corners that seams of blocks left on edges."""
    filled = [
        shapely.Polygon(
            polygon.exterior,
            [ring for ring in polygon.interiors if shapely.Polygon(ring).area >= min_area_m2],
        )
        for polygon in shapely.simplify(landslides.geometry.to_numpy(), 0)
    ]
    table = gpd.GeoDataFrame(
        {"score": landslides["score"].astype(float).to_numpy(), "area_m2": shapely.area(filled)},
        geometry=filled,
        crs=landslides.crs,
    )
    table = table[table["area_m2"] >= min_area_m2]
    table = table.sort_values(["score", "area_m2"], ascending=False, ignore_index=True)
    table.insert(0, "id", np.arange(1, len(table) + 1))
    return table


def hysteresis_sweep(
    scores: Sequence[np.ndarray], truths: Sequence[np.ndarray], share: float
) -> pd.DataFrame:
    """How well pairs of thresholds outline the landslides of image chips, as it would be on ground
    of which landslides cover `share`.

    Chips are cut where landslides are, a scene is not. Right pixels, and wrong ones of patches that
    meet a landslide, come as often as landslides do; patches that meet none come as often as other
    ground does. Both are counted on the chips and weighed by how rare the one and how common the
    other is on the mapped ground (Bayes' rule). Without this the thresholds suit the chips and let
    too many false alarms into the map.

    Parameters
    ----------
    scores : sequence of ndarray, shape (height, width)
        Of each chip, from `lsa_helpers.detect.scene.score_pixels`.
    truths : sequence of ndarray of bool, shape (height, width)
        Where a landslide is.
    share : float
        Expected share of the mapped ground that landslides cover, 0–1.

    Returns
    -------
    DataFrame
        ``low`` (to 0.5), ``high`` (at least low) and ``precision``, ``recall``, ``f1`` of landslide
        pixels (fractions; NaN where undefined).
    """
    rows = []
    for low in THRESHOLDS[THRESHOLDS <= 0.5]:
        patches = np.concatenate([np.zeros((0, 4)), *map(_patches, scores, truths, repeat(low))])
        for high in THRESHOLDS[low <= THRESHOLDS]:
            rows.append((low, high, *patches[patches[:, 0] >= high, 1:].sum(axis=0)))
    table = pd.DataFrame(rows, columns=["low", "high", "right", "beside", "stray"])
    landslide = sum(truth.sum() for truth in truths)
    other = sum(truth.size for truth in truths) - landslide
    table["recall"] = recall = table["right"] / landslide
    false = table["beside"] / landslide * share + table["stray"] / max(other, 1) * (1 - share)
    table["precision"] = precision = recall * share / (recall * share + false)
    table["f1"] = 2 * precision * recall / (precision + recall)
    return table[["low", "high", "precision", "recall", "f1"]]


def _patches(scores: np.ndarray, truth: np.ndarray, low: float) -> np.ndarray:
    """For each connected patch of at least `low`: its highest score, and how many of its pixels are
    true, false in a patch that is partly true, and false in one that is not.
    """
    labels, count = ndimage.label(scores >= low)
    peak = ndimage.maximum(scores, labels, np.arange(1, count + 1))
    pixels = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    right = np.bincount(labels[truth], minlength=count + 1)[1:]
    false = pixels - right
    return np.stack([peak, right, false * (right > 0), false * (right == 0)], axis=1)


def best_thresholds(sweep: pd.DataFrame) -> tuple[float, float]:
    """The pair (low, high) of `hysteresis_sweep` with the highest F1; 0.5 for both where nothing
    was found or nothing is there.

    Examples
    --------
    >>> best_thresholds(pd.DataFrame({"low": [0.1, 0.2], "high": [0.8, 0.8], "f1": [0.5, 0.6]}))
    (0.2, 0.8)
    """
    if not sweep["f1"].gt(0).any():
        return 0.5, 0.5
    low, high = sweep.loc[sweep["f1"].idxmax(), ["low", "high"]]
    return float(low), float(high)


def read_reference(catalog: Catalog, run: Run, crs=None) -> gpd.GeoDataFrame:
    """The known landslides of a run: the simulated mountain's truth, else the catalog's inventory.

    Parameters
    ----------
    catalog : Catalog
    run : Run
    crs : CRS, optional
        Of the empty layer where nothing is known.

    Returns
    -------
    GeoDataFrame
        ``id`` (from 1), ``area_m2`` and polygons, or points with ``label`` (1 landslide, 0 none),
        in the CRS of ``factors.tif``; without rows where nothing is known.
    """
    if run.has("factors.tif"):
        factors = read_raster(run.product("factors.tif"), chunk=1024)
        if run.has("truth/landslides.gpkg"):
            known = gpd.read_file(run.product("truth/landslides.gpkg")).to_crs(factors.rio.crs)
            columns = {"id": np.arange(1, len(known) + 1), "area_m2": known.area}
            return gpd.GeoDataFrame(columns, geometry=known.geometry, crs=known.crs)
        if catalog.inventory is not None:
            return read_inventory(catalog, factors)
    return gpd.GeoDataFrame({"id": [], "area_m2": []}, geometry=[], crs=crs)


def write_inventory(run: Run, **layers: gpd.GeoDataFrame) -> Path:
    """Write ``inventory.gpkg`` with the layers ``detected`` and ``reference``, a reference without
    rows left out.
    """
    with whole_file(run.product("inventory.gpkg")) as part:
        for name, table in layers.items():
            if name == "detected" or len(table):
                table.to_file(part, layer=name, driver="GPKG")
    return run.product("inventory.gpkg")


def write_reference(catalog: Catalog, run: Run) -> Path | None:
    """Write ``inventory.gpkg`` with the layer ``reference`` alone, for a catalog without a scene to
    search; None where no landslides are known.
    """
    known = read_reference(catalog, run)
    return write_inventory(run, reference=known) if len(known) else None


def errors_by_size(
    detected: gpd.GeoDataFrame, known: gpd.GeoDataFrame, sizes: Sequence[float] = SIZES
) -> pd.DataFrame:
    """Omission and commission by landslide size.

    Parameters
    ----------
    detected : GeoDataFrame of polygons
        With ``true_share``, the fraction of its area that is true (NaN: unknown).
    known : GeoDataFrame of polygons
        With ``found_share``, the fraction of its area that was detected. Both in CRSs in metres.
    sizes : sequence of float
        Limits of the classes of area, m².

    Returns
    -------
    DataFrame
        area_from_m2, area_to_m2, known (count), omitted (of them, less than half of their area was
        detected), omission (fraction), detected (count), false_alarms (of them, less than half of
        their area is true), commission (fraction); NaN in empty classes and where nothing is
        known.
    """
    table = pd.DataFrame({"area_from_m2": sizes[:-1], "area_to_m2": sizes[1:]})
    for count, wrong, share, layer, right in (
        ("known", "omitted", "omission", known, known["found_share"]),
        ("detected", "false_alarms", "commission", detected, detected["true_share"]),
    ):
        table[count] = np.histogram(layer.area, sizes)[0]
        table[wrong] = np.histogram(layer.area[right < 0.5], sizes)[0]
        judged = pd.Series(np.histogram(layer.area[right.notna()], sizes)[0])
        table[share] = table[wrong] / judged.where(judged > 0)
    return table


def count_touching(table: gpd.GeoDataFrame, pixel_m: float) -> int:
    """How many landslides a mask of this pixel would merge into a neighbour: landslides less groups
    closer than a pixel's diagonal.

    Parameters
    ----------
    table : GeoDataFrame of polygons
        In a CRS in metres.
    pixel_m : float
        Pixel of the mask, m.
    """
    grown = table.buffer(pixel_m / 2**0.5)
    groups = shapely.STRtree(shapely.get_parts(grown.union_all()))
    points = grown.representative_point()
    return len(table) - len(set(groups.query(points, predicate="intersects")[1]))


def size_frequency(areas: np.ndarray, per_decade: int = 5) -> pd.DataFrame:
    """Probability density of landslide areas in logarithmic bins.

    Parameters
    ----------
    areas : ndarray, shape (landslides,)
        m².
    per_decade : int
        Bins in a factor of ten.

    Returns
    -------
    DataFrame
        area_m2 (geometric middle of the bin), count, density (share of landslides per m²); empty
        bins are left out.
    """
    if not len(areas):
        return pd.DataFrame({"area_m2": [], "count": [], "density": []})
    low = np.floor(np.log10(areas.min()) * per_decade)
    high = np.ceil(np.log10(areas.max()) * per_decade + 1e-9)
    edges = 10 ** (np.arange(low, max(high, low + 1) + 1) / per_decade)
    count, _ = np.histogram(areas, edges)
    middle = np.sqrt(edges[1:] * edges[:-1])
    density = count / len(areas) / np.diff(edges)
    table = pd.DataFrame({"area_m2": middle, "count": count, "density": density})
    return table[table["count"] > 0].reset_index(drop=True)
