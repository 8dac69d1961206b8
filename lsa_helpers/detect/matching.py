"""Which detection is which landslide: overlaps of masks and polygons, and one-to-one matches."""

import geopandas as gpd
import numpy as np
import shapely
from pycocotools import mask as rle


def match(iou: np.ndarray, min_iou: float = 0.5) -> np.ndarray:
    """One-to-one matches: from the highest score down, each detection takes the free landslide it
    overlaps best.

    Parameters
    ----------
    iou : ndarray, shape (detections, landslides)
        Detections in falling order of score.
    min_iou : float
        Smallest overlap of a match.

    Returns
    -------
    ndarray of bool, shape (detections,)
        True positives; whatever threshold cuts the list, the matches above it stay the same.

    Examples
    --------
    >>> match(np.array([[0.6, 0.0], [0.9, 0.0]])).tolist()
    [True, False]
    """
    iou = np.array(iou, float)
    hit = np.zeros(len(iou), bool)
    for i in range(len(iou) if iou.size else 0):
        best = int(iou[i].argmax())
        if iou[i, best] >= min_iou:
            hit[i] = True
            iou[:, best] = -1.0
    return hit


def mask_iou(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Shared over joint area of every mask with every other.

    Parameters
    ----------
    first, second : ndarray of bool, shape (n, height, width) and (m, height, width)

    Returns
    -------
    ndarray, shape (n, m)
        0–1.
    """
    if not len(first) or not len(second):
        return np.zeros((len(first), len(second)))
    coded = (
        rle.encode(np.asfortranarray(masks.transpose(1, 2, 0), np.uint8))
        for masks in (first, second)
    )
    return rle.iou(*coded, [0] * len(second))


def polygon_iou(first: gpd.GeoDataFrame, second: gpd.GeoDataFrame) -> np.ndarray:
    """Shared over joint area of every polygon with every other.

    Parameters
    ----------
    first, second : GeoDataFrame of n and of m polygons
        In one CRS in metres.

    Returns
    -------
    ndarray, shape (n, m)
        0–1.
    """
    iou = np.zeros((len(first), len(second)))
    j, i = first.sindex.query(second.geometry, predicate="intersects")
    ours, theirs = first.geometry.values[i], second.geometry.values[j]
    shared = shapely.area(shapely.intersection(ours, theirs))
    iou[i, j] = shared / (shapely.area(ours) + shapely.area(theirs) - shared)
    return iou
