"""What the detector took for landslides, and the worst of its errors."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
from rasterio import features
from rasterio.warp import Resampling, reproject

from lsa_helpers.detect.scene import SceneFrame
from lsa_helpers.factors.stack import FactorStack

# In the order in which they are asked: what was built or laid down by water first, what merely
# covers the ground last.
CAUSES = ("old scar", "road", "river bar", "bare rock", "field", "shadow", "other ground")
_ROCK, _FIELD = (90,), (10, 80)  # GlobeLand30: bare land; cultivated and artificial surfaces
ROAD_M, RIVER_M = 30.0, 40.0  # as far as cuts and spoil, bars and banks reach
DARK = 0.15  # the darkest share of the scene counts as shadow


@dataclass(frozen=True)
class Ground:
    """What may look like a landslide, on the factors' grid: cause → bool (rows, columns)."""

    causes: dict[str, np.ndarray]
    transform: rasterio.Affine
    crs: rasterio.crs.CRS


def ground_causes(
    stack: FactorStack, frame: SceneFrame | None = None, scars: gpd.GeoDataFrame | None = None
) -> Ground:
    """Where each look-alike lies, as far as the maps tell.

    Parameters
    ----------
    stack : FactorStack
        With ``distance_to_road``, ``distance_to_river`` (m) and ``lulc`` (GlobeLand30); what is
        missing gives no cause.
    frame : SceneFrame, optional
        Its darkest parts count as shadow.
    scars : GeoDataFrame, optional
        Old landslides.
    """
    grid, causes = stack.grid, {}
    if scars is not None and len(scars):
        shapes = scars.to_crs(grid.crs).geometry
        causes["old scar"] = (
            features.rasterize(
                shapes, grid.shape, transform=grid.transform, all_touched=True, dtype="uint8"
            )
            > 0
        )
    for cause, name, reach in (
        ("road", "distance_to_road", ROAD_M),
        ("river bar", "distance_to_river", RIVER_M),
    ):
        if name in stack.names:
            causes[cause] = stack.band(name) <= reach
    if "lulc" in stack.names:
        causes |= {
            "bare rock": np.isin(stack.band("lulc"), _ROCK),
            "field": np.isin(stack.band("lulc"), _FIELD),
        }
    if frame is not None:
        light = _brightness(frame, grid)
        causes["shadow"] = light <= np.nanquantile(light, DARK)
    return Ground(causes, grid.transform, grid.crs)


def _brightness(frame: SceneFrame, grid) -> np.ndarray:
    """Mean of the scene's three bands in every cell; NaN outside the scene."""
    with rasterio.open(frame.path) as file:
        bands = np.full((3, *grid.shape), np.nan, np.float32)
        for number, band in enumerate(bands, 1):
            there = {"dst_transform": grid.transform, "dst_crs": grid.crs, "dst_nodata": np.nan}
            reproject(rasterio.band(file, number), band, resampling=Resampling.average, **there)
    return bands.mean(axis=0)


def false_alarms(
    detected: gpd.GeoDataFrame, known: gpd.GeoDataFrame, ground: Ground
) -> gpd.GeoDataFrame:
    """Detections less than half of whose area is true, with what lies there.

    Returns
    -------
    GeoDataFrame
        The rows of `detected` with ``true_share`` (fraction of the area) and ``cause``: the first
        of `CAUSES` that covers at least a third of the cells the outline touches.
    """
    detected = detected.to_crs(known.crs)
    share = detected.intersection(known.union_all()).area / detected.area
    wrong = detected.assign(true_share=share)[share < 0.5]
    return wrong.assign(
        cause=[_cause(shape, ground) for shape in wrong.to_crs(ground.crs).geometry]
    )


def _cause(shape, ground: Ground) -> str:
    if ground.causes:
        size = next(iter(ground.causes.values())).shape
        here = (
            features.rasterize(
                [shape], size, transform=ground.transform, all_touched=True, dtype="uint8"
            )
            > 0
        )
        for cause in CAUSES:
            if cause in ground.causes and here.any() and ground.causes[cause][here].mean() >= 1 / 3:
                return cause
    return CAUSES[-1]


def count_causes(alarms: gpd.GeoDataFrame) -> pd.DataFrame:
    """Table cause, false_alarms (count), area_m2, median_score; in the order of `CAUSES`, those
    without any left out.
    """
    groups = alarms.assign(area=alarms.area).groupby("cause")
    table = groups.agg(
        false_alarms=("score", "size"), area_m2=("area", "sum"), median_score=("score", "median")
    )
    return table.reindex([cause for cause in CAUSES if cause in table.index]).reset_index()
