"""False-positive attribution: what the detector took for landslides."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import xarray as xr
from rasterio import features
from rasterio.warp import Resampling, reproject

from lsa_helpers.detect.scene import SceneFrame
from lsa_helpers.raster import on_grid

# In the order in which they are asked: what was built or laid down by water first, what merely
# covers the ground last.
CAUSES = ("old scar", "road", "river bar", "bare rock", "field", "shadow", "other ground")
_ROCK, _FIELD = (90,), (10, 80)  # GlobeLand30: bare land; cultivated and artificial surfaces
ROAD_M, RIVER_M = 30.0, 40.0  # as far as cuts and spoil, bars and banks reach
DARK = 0.15  # the darkest share of the scene counts as shadow


def lookalike_ground(
    factors: xr.Dataset, frame: SceneFrame, old_scars: Path | None = None
) -> xr.Dataset:
    """Where the ground may look like a landslide, as far as the maps tell.

    Parameters
    ----------
    factors : Dataset, dims (y, x)
        With ``distance_to_road``, ``distance_to_river`` (m) and ``lulc`` (GlobeLand30); what is
        missing gives no cause, and a Dataset of nothing gives none at all.
    frame : SceneFrame
        Its darkest parts count as shadow.
    old_scars : Path, optional
        Layer of old landslides; a file that is not there gives no cause.

    Returns
    -------
    Dataset, dims (y, x)
        One bool variable for each of `CAUSES` that is known, on the factors' grid.
    """
    if not factors:  # a folder of images alone has no maps to lay a detection over
        return xr.Dataset()
    causes = {}
    if old_scars is not None and old_scars.is_file():
        causes["old scar"] = _touched(gpd.read_file(old_scars).to_crs(factors.rio.crs), factors)
    for cause, name, reach_m in (
        ("road", "distance_to_road", ROAD_M),
        ("river bar", "distance_to_river", RIVER_M),
    ):
        if name in factors:
            causes[cause] = factors[name].values <= reach_m
    if "lulc" in factors:
        causes["bare rock"] = np.isin(factors["lulc"], _ROCK)
        causes["field"] = np.isin(factors["lulc"], _FIELD)
    brightness = _brightness(frame, factors)
    causes["shadow"] = brightness <= np.nanquantile(brightness, DARK)
    return xr.Dataset({name: on_grid(where, factors, name) for name, where in causes.items()})


def _touched(layer: gpd.GeoDataFrame | gpd.GeoSeries, grid: xr.Dataset) -> np.ndarray:
    """Whether a cell of the grid touches one of the shapes: bool (rows, columns)."""
    size, transform = (grid.sizes["y"], grid.sizes["x"]), grid.rio.transform()
    shapes = layer.geometry
    if not len(shapes):
        return np.zeros(size, bool)
    return features.rasterize(shapes, size, transform=transform, all_touched=True) > 0


def _brightness(frame: SceneFrame, grid: xr.Dataset) -> np.ndarray:
    """Mean of the scene's bands in every cell of the grid; NaN outside the scene."""
    with rasterio.open(frame.path) as file:
        numbers = frame.bands.find(file)
        size = (len(numbers), grid.sizes["y"], grid.sizes["x"])
        target = {"dst_transform": grid.rio.transform(), "dst_crs": grid.rio.crs}
        bands = np.full(size, np.nan, np.float32)
        for number, band in zip(numbers, bands, strict=True):
            source = rasterio.band(file, number)
            reproject(source, band, resampling=Resampling.average, dst_nodata=np.nan, **target)
    return bands.mean(axis=0)


def attribute_causes(shapes: gpd.GeoSeries, ground: xr.Dataset) -> list[str]:
    """What lies where each shape is: the first of `CAUSES` that covers at least a third of the
    cells which the shape touches.

    Parameters
    ----------
    shapes : GeoSeries of polygons
        In any CRS.
    ground : Dataset
        From `lookalike_ground`.

    Returns
    -------
    list of str
        The last of `CAUSES` where no other fits. It is a suspicion: a network does not say why.
    """
    if not ground:
        return [CAUSES[-1]] * len(shapes)
    causes = []
    for shape in shapes.to_crs(ground.rio.crs):
        touched = _touched(gpd.GeoSeries([shape]), ground)
        fitting = [
            cause
            for cause in CAUSES
            if cause in ground and touched.any() and ground[cause].values[touched].mean() >= 1 / 3
        ]
        causes.append(fitting[0] if fitting else CAUSES[-1])
    return causes


def count_causes(alarms: gpd.GeoDataFrame) -> pd.DataFrame:
    """Table cause, false_alarms (count), area_m2, median_score; in the order of `CAUSES`, those
    without any left out.

    Parameters
    ----------
    alarms : GeoDataFrame
        With ``cause`` and ``score``.
    """
    table = (
        alarms.assign(area=alarms.area)
        .groupby("cause")
        .agg(
            false_alarms=("score", "size"),
            area_m2=("area", "sum"),
            median_score=("score", "median"),
        )
    )
    return table.reindex([cause for cause in CAUSES if cause in table.index]).reset_index()
