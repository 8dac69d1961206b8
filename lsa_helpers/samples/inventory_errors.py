"""One error of a landslide inventory at a time, made on purpose."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components


def omit_by_size(
    inventory: gpd.GeoDataFrame, share: float, largest_first: bool = False
) -> gpd.GeoDataFrame:
    """An inventory without its smallest landslides, or without its largest.

    Parameters
    ----------
    inventory : GeoDataFrame of polygons
        In a CRS in metres, as for all functions here.
    share : float
        Landslides are left out one by one as long as their area together is at most this share of
        the inventory's, 0–1; the last one always stays.
    largest_first : bool
        Whether to begin with the largest one.

    Returns
    -------
    GeoDataFrame
        The others, in their order.
    """
    area = inventory.area.sort_values(ascending=not largest_first, kind="stable")
    together = area.cumsum() / area.sum()
    left_out = together.index[:-1][together.iloc[:-1] <= share + 1e-9]
    return inventory.drop(left_out)


def add_lookalikes(
    inventory: gpd.GeoDataFrame,
    lookalikes: gpd.GeoDataFrame,
    share: float,
    rng: np.random.Generator,
) -> gpd.GeoDataFrame:
    """An inventory with false alarms (commission).

    Parameters
    ----------
    inventory : GeoDataFrame of polygons
    lookalikes : GeoDataFrame of polygons
        Places that were taken for landslides and are none, in the inventory's CRS. Those that touch
        a landslide of the inventory are passed over.
    share : float
        Random ones are added until their area is this share of the inventory's own or, of too few,
        all.
    rng : numpy.random.Generator

    Returns
    -------
    GeoDataFrame
        The landslides, then the false ones.
    """
    free = lookalikes[~lookalikes.intersects(inventory.union_all())]
    free = free.iloc[rng.permutation(len(free))]
    before = free.area.cumsum() - free.area
    added = free[before < share * inventory.area.sum()]
    return pd.concat([inventory[["geometry"]], added[["geometry"]]], ignore_index=True)


def shift_boundaries(inventory: gpd.GeoDataFrame, distance_m: float) -> gpd.GeoDataFrame:
    """An inventory whose outlines lie `distance_m` farther out, or farther in if it is negative;
    landslides of which nothing is left are dropped.
    """
    moved = inventory.set_geometry(inventory.buffer(distance_m))
    return moved[~moved.is_empty]


def merge_near(inventory: gpd.GeoDataFrame, distance_m: float) -> gpd.GeoDataFrame:
    """An inventory in which landslides that lie near each other are drawn as one.

    Parameters
    ----------
    inventory : GeoDataFrame of polygons
    distance_m : float
        Landslides at most so far apart, one by one along a chain, become the convex hull of them
        all; 0: those that touch.

    Returns
    -------
    GeoDataFrame
        Landslides without such a neighbour as they were, and one polygon for each group.

    Notes
    -----
    Source: amalgamation, Marc & Hovius (2015), doi:10.5194/nhess-15-723-2015.
    """
    shapes = inventory.geometry.to_numpy()
    first, second = shapely.STRtree(shapes).query(shapes, "dwithin", distance_m)
    links = coo_matrix((np.ones(len(first)), (first, second)), shape=(len(shapes),) * 2)
    group = connected_components(links, directed=False)[1]
    merged = inventory[["geometry"]].dissolve(group)
    alone = np.bincount(group) == 1
    return merged.set_geometry(merged.geometry.where(alone, merged.convex_hull))


def shift_positions(
    inventory: gpd.GeoDataFrame, distance_m: float, rng: np.random.Generator
) -> gpd.GeoDataFrame:
    """An inventory of polygons or points each of which lies `distance_m` off, in a direction of its
    own drawn at random.

    Notes
    -----
    Source: Steger et al. (2016), doi:10.5194/nhess-16-2729-2016.
    """
    angle = rng.uniform(0, 2 * np.pi, len(inventory))
    x, y = distance_m * np.cos(angle), distance_m * np.sin(angle)
    moves = zip(inventory.geometry, x, y, strict=True)
    moved = [shapely.affinity.translate(shape, dx, dy) for shape, dx, dy in moves]
    return inventory.set_geometry(gpd.GeoSeries(moved, inventory.index, inventory.crs))


def wrong_areas(inventory: gpd.GeoDataFrame, truth: gpd.GeoDataFrame) -> tuple[float, float]:
    """How much land an inventory has wrong.

    Parameters
    ----------
    inventory, truth : GeoDataFrame of polygons
        In one CRS in metres.

    Returns
    -------
    missed_km2, false_km2 : float
        Landslide area of the truth that it lacks, and land it calls landslide that is none.
    """
    said, true = inventory.union_all(), truth.union_all()
    return true.difference(said).area / 1e6, said.difference(true).area / 1e6
