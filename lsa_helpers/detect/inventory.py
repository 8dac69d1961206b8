"""From detections in windows to an inventory, and what can be said about one: sizes, what was
missed, what is false.
"""

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy import stats
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

THRESHOLDS = np.round(np.arange(0.05, 0.951, 0.05), 2)
SIZES = (0, 500, 1000, 2000, 5000, 10_000, 20_000, np.inf)  # m², classes of landslide area
COLUMNS = {"id": int, "score": float, "area_m2": float, "windows": int}


def merge_pieces(
    pieces: Sequence[dict],
    crs,
    *,
    min_score: float = 0.0,
    min_area_m2: float = 0.0,
    close_m: float = 0.0,
) -> gpd.GeoDataFrame:
    """Join detections of the same landslide in overlapping windows.

    Two detections are one landslide when, within the ground both windows saw, they share at least
    half of the smaller one: a landslide cut by a window's edge agrees with its neighbour there,
    whatever lies outside. A window that sees only the end of a landslide is less sure of it, so a
    detection below `min_score` is kept where it goes on with one that reaches it (see `together`).
    Landslides put together in this way that share half of the smaller one are one, too. What others
    still share belongs to the surer one, so that no ground counts twice.

    Parameters
    ----------
    pieces : sequence of dict
        From `lsa_helpers.detect.scene.find_pieces`.
    crs : CRS
        Of the pieces; in metres.
    min_score : float
        Landslides whose best piece scores less are dropped.
    min_area_m2 : float
        Smaller landslides are dropped and smaller holes filled.
    close_m : float
        Cracks up to this width between the pieces of a landslide are closed, m; half a pixel or one
        is sensible.

    Returns
    -------
    GeoDataFrame
        id (from 1), score (best of its pieces), area_m2, windows (number of windows it was seen in)
        and one valid polygon each, highest score first.
    """
    shapes, seen, scores = _columns(pieces)
    group = together(pieces, min_score)
    parts = []
    for number in np.unique(group[group >= 0]):
        own = group == number
        for part in _whole(shapes[own], close_m, min_area_m2):
            # Windows of the pieces that belong to this part: a mask may have come apart into
            # several.
            touching = shapely.intersects(shapes[own], part)
            parts.append(
                (float(scores[own].max()), {window.wkb for window in seen[own][touching]}, part)
            )
    rows, outlines = [], np.array([part for _, _, part in parts], dtype=object)
    same = _sharing(outlines)
    for number in np.unique(same):
        own = [parts[k] for k in np.flatnonzero(same == number)]
        windows = len(set().union(*(footprints for _, footprints, _ in own)))
        for part in _whole(outlines[same == number], 0, min_area_m2):
            rows.append((max(score for score, _, _ in own), part.area, max(windows, 1), part))
    rows = _apart(rows, min_area_m2)
    columns = {
        "id": range(1, len(rows) + 1),
        **{
            name: [row[i] for row in rows] for i, name in enumerate(("score", "area_m2", "windows"))
        },
    }
    return gpd.GeoDataFrame(columns, geometry=[row[3] for row in rows], crs=crs).astype(COLUMNS)


def _apart(rows: Sequence[tuple], min_area_m2: float) -> list[tuple]:
    """Landslides (score, area, windows, outline) in falling order of their score, each without what
    a surer one covers.
    """
    rows = sorted(rows, key=lambda row: (-row[0], -row[1], row[3].bounds))
    outlines = np.array([row[3] for row in rows], dtype=object)
    tree, left = shapely.STRtree(outlines), []
    for number, (score, _, windows, outline) in enumerate(rows):
        surer = [other for other in tree.query(outline, predicate="intersects") if other < number]
        own = (
            _whole(
                [shapely.difference(outline, shapely.union_all(outlines[surer]))], 0, min_area_m2
            )
            if surer
            else [outline]
        )
        left += [(score, part.area, windows, part) for part in own]
    return left


def _sharing(outlines: np.ndarray) -> np.ndarray:
    """Number of a landslide for each outline; those that share half of the smaller one have the
    same.
    """
    i, j = shapely.STRtree(outlines).query(outlines, predicate="intersects")
    shared, areas = (
        shapely.area(shapely.intersection(outlines[i], outlines[j])),
        shapely.area(outlines),
    )
    same = shared >= 0.5 * np.minimum(areas[i], areas[j])
    return _linked(i[same], j[same], len(outlines))


def _linked(i: np.ndarray, j: np.ndarray, count: int) -> np.ndarray:
    """Number of the group, from 0, of each of `count` things of which i[k] and j[k] belong
    together.
    """
    if not count:
        return np.zeros(0, int)
    return connected_components(
        coo_matrix((np.ones(len(i)), (i, j)), shape=(count, count)), directed=False
    )[1]


def _columns(pieces: Sequence[dict]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    shapes, seen = (
        np.array([piece[key] for piece in pieces], dtype=object) for key in ("geometry", "window")
    )
    return shapes, seen, np.array([piece["score"] for piece in pieces], float)


def together(pieces: Sequence[dict], min_score: float = 0.0) -> np.ndarray:
    """Which detections are one landslide.

    Parameters
    ----------
    pieces : sequence of dict
        As in `merge_pieces`.
    min_score : float
        Detections from this score up are joined where they share half of the smaller one. A weaker
        one is joined to a detection of another window when both cover the same ground where both
        windows looked (IoU at least 0.5) and the weaker goes on beyond the other's window; so a
        landslide goes on over an edge, but doubtful ones do not grow around it.

    Returns
    -------
    ndarray of int, shape (pieces,)
        Number of the landslide, any from 0; -1 for detections of none that reaches `min_score`.
    """
    return _joined(_columns(pieces)[2], _overlaps(pieces), min_score)


def _overlaps(pieces: Sequence[dict]) -> tuple[np.ndarray, ...]:
    """Pairs i, j of detections that share ground; whether they share half of the smaller one;
    whether the weaker goes on with the other.
    """
    shapes, seen, scores = _columns(pieces)
    i, j = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    i, j = i[i < j], j[i < j]
    both = shapely.intersection(seen[i], seen[j])
    own, other = (shapely.area(shapely.intersection(shapes[k], both)) for k in (i, j))
    shared = shapely.area(shapely.intersection(shapes[i], shapes[j]))
    beyond = [shapely.area(shapely.difference(shapes[a], seen[b])) > 0 for a, b in ((i, j), (j, i))]
    goes_on = np.where(scores[i] < scores[j], *beyond) & (shared >= 0.5 * (own + other - shared))
    return i, j, (shared >= 0.5 * np.minimum(own, other)) & (shared > 0), goes_on & (shared > 0)


def _joined(scores: np.ndarray, overlaps: tuple[np.ndarray, ...], min_score: float) -> np.ndarray:
    """What `together` returns; the sweep over scores takes the overlaps only once."""
    if not len(scores):
        return np.zeros(0, int)
    i, j, half, goes_on = overlaps
    same = np.where(np.minimum(scores[i], scores[j]) >= min_score, half, goes_on)
    group = _linked(i[same], j[same], len(scores))
    best = np.zeros(group.max() + 1)
    np.maximum.at(best, group, scores)
    return np.where(best[group] >= min_score, group, -1)


def _whole(shapes: np.ndarray, close_m: float, min_area_m2: float) -> list[shapely.Polygon]:
    """The union of pieces as polygons without cracks, small holes and crumbs."""
    union = shapely.union_all(shapes)
    if close_m:
        # Mitred corners: closing leaves an outline of pixels as it is.
        union = (
            union.buffer(close_m / 2, join_style="mitre")
            .buffer(-close_m / 2, join_style="mitre")
            .union(union)
        )
    filled = []
    for part in shapely.get_parts(shapely.make_valid(union)):
        if part.geom_type == "Polygon":
            holes = [
                ring
                for ring in part.interiors
                if shapely.Polygon(ring).area >= max(min_area_m2, 1e-9)
            ]
            filled.append(shapely.Polygon(part.exterior, holes))
    return [part for part in filled if part.area >= max(min_area_m2, 1e-9)]


def scene_sweep(pieces: Sequence[dict], known: gpd.GeoDataFrame, crs) -> pd.DataFrame:
    """Table score, detected_km2, precision, recall, f1, iou by area (fractions) of the mapped
    ground for thresholds 0.05–0.95.

    It describes an inventory, it does not choose one: a threshold chosen here would have seen the
    truth of the ground it maps.
    """
    true = known.to_crs(crs).union_all()
    shapes, _, scores = _columns(pieces)
    overlaps, rows = _overlaps(pieces), []
    for threshold in THRESHOLDS:
        found = shapely.union_all(shapes[_joined(scores, overlaps, threshold) >= 0])
        shared, said, real = found.intersection(true).area, found.area, true.area
        shares = (
            _ratio(shared, said),
            _ratio(shared, real),
            _ratio(2 * shared, said + real),
            _ratio(shared, said + real - shared),
        )
        rows.append((threshold, said / 1e6, *shares))
    return pd.DataFrame(rows, columns=["score", "detected_km2", "precision", "recall", "f1", "iou"])


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("nan")


def errors_by_size(
    detected: gpd.GeoDataFrame, known: gpd.GeoDataFrame, sizes: Sequence[float] = SIZES
) -> pd.DataFrame:
    """Omission and commission by landslide size.

    Parameters
    ----------
    detected, known : GeoDataFrame of polygons
        Both in CRSs in metres.
    sizes : sequence of float
        Limits of the classes of area, m².

    Returns
    -------
    DataFrame
        area_from_m2, area_to_m2, known (count), omitted (of them, less than half of their area was
        detected), omission (fraction), detected (count), false_alarms (of them, less than half of
        their area is true), commission (fraction); NaN in empty classes.
    """
    detected = detected.to_crs(known.crs)
    missed = known.intersection(detected.union_all()).area < 0.5 * known.area
    false = detected.intersection(known.union_all()).area < 0.5 * detected.area
    table = pd.DataFrame({"area_from_m2": sizes[:-1], "area_to_m2": sizes[1:]})
    for count, wrong, share, layer, bad in (
        ("known", "omitted", "omission", known, missed),
        ("detected", "false_alarms", "commission", detected, false),
    ):
        table[count] = np.histogram(layer.area, sizes)[0]
        table[wrong] = np.histogram(layer.area[bad], sizes)[0]
        table[share] = table[wrong] / table[count].where(table[count] > 0)
    return table


def inventory_statistics(inventories: dict[str, gpd.GeoDataFrame], pixel_m: float) -> pd.DataFrame:
    """One row per inventory.

    Parameters
    ----------
    inventories : dict of GeoDataFrame
        By name; polygons in CRSs in metres.
    pixel_m : float
        Pixel at which touching landslides are counted, m.

    Returns
    -------
    DataFrame
        inventory, count, touching (see `count_touching`), total_km2, mean_m2, median_m2,
        largest_m2, and the rollover_m2 of the size–frequency curve.
    """
    rows = []
    for name, table in inventories.items():
        areas = table.area.to_numpy()
        total, mean, middle, largest = (
            (areas.sum(), areas.mean(), np.median(areas), areas.max())
            if len(areas)
            else (0, *[np.nan] * 3)
        )
        rows.append(
            (
                name,
                len(areas),
                count_touching(table, pixel_m),
                total / 1e6,
                mean,
                middle,
                largest,
                rollover(areas),
            )
        )
    return pd.DataFrame(
        rows,
        columns=[
            "inventory",
            "count",
            "touching",
            "total_km2",
            "mean_m2",
            "median_m2",
            "largest_m2",
            "rollover_m2",
        ],
    )


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
    if not len(table):
        return 0
    grown = table.buffer(pixel_m / 2**0.5)
    groups = shapely.get_parts(grown.union_all())
    return len(table) - len(
        set(shapely.STRtree(groups).query(grown.representative_point(), predicate="intersects")[1])
    )


def rollover(areas: np.ndarray, least: int = 20) -> float:
    """Area at which the size–frequency curve has its peak: the mode of an inverse-gamma law fitted
    by maximum likelihood.

    Parameters
    ----------
    areas : ndarray, shape (landslides,)
        m².
    least : int
        Fewer landslides give NaN: their peak is chance.

    Returns
    -------
    float
        m².

    Notes
    -----
    Source: Malamud et al. (2004), Landslide inventories and their statistical properties,
    doi:10.1002/esp.1064. The law is fitted without its shift: three parameters of a few hundred
    areas are not to be told apart.
    """
    if len(areas) < least:
        return float("nan")
    shape, _, scale = stats.invgamma.fit(areas, floc=0)
    return float(scale / (shape + 1))


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
    low, high = (
        np.floor(np.log10(areas.min()) * per_decade),
        np.ceil(np.log10(areas.max()) * per_decade + 1e-9),
    )
    edges = 10 ** (np.arange(low, max(high, low + 1) + 1) / per_decade)
    count, _ = np.histogram(areas, edges)
    table = pd.DataFrame(
        {
            "area_m2": np.sqrt(edges[1:] * edges[:-1]),
            "count": count,
            "density": count / len(areas) / np.diff(edges),
        }
    )
    return table[table["count"] > 0].reset_index(drop=True)
