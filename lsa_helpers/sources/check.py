"""A check of a data folder before anything is computed or written."""

import os
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr
from shapely.geometry import box

from lsa_helpers.errors import InputError
from lsa_helpers.raster import cell_size as edge_of
from lsa_helpers.sources.areas import study_mask
from lsa_helpers.sources.catalog import Catalog, Entry
from lsa_helpers.sources.categories import categorical
from lsa_helpers.sources.distance import marked_cells
from lsa_helpers.sources.inventory import read_inventory
from lsa_helpers.sources.kinds import is_raster, kind_of
from lsa_helpers.sources.layers import target_grid
from lsa_helpers.sources.quantities import unit_read
from lsa_helpers.sources.rasterfiles import open_layers, open_source
from lsa_helpers.sources.vectors import read_features

_ROWS = 512  # of a raster that are read at a time
_FOLDERS = {"images", "truth"}
# Lines and stations may lie outside the grid and still matter.
_REACH_IN = {"roads", "rivers", "faults", "stations"}


def check_catalog(
    catalog: Catalog, *, need_dem: bool, cell_size: float = 0.0, crs: str = ""
) -> pd.DataFrame:
    """Open every source, read the rasters to their end, and see that all of them meet the DEM.

    Parameters
    ----------
    catalog : Catalog
    need_dem : bool
        Whether chapters will run that need the grid (everything after 02).
    cell_size : float
        Cell size of the grid in metres; 0: the DEM's own.
    crs : str
        CRS of the grid, as in `target_grid`.

    Returns
    -------
    DataFrame
        One row per source: entry, file, files, kind, crs, resolution, unit, source,
        license.

    Raises
    ------
    InputError
        For the first source that is missing, broken, without CRS, empty or elsewhere.
    """
    if need_dem and catalog.dem is None:
        others = f"take out {', '.join(catalog.on_grid)} and " if catalog.on_grid else ""
        raise InputError(
            "the catalog names no DEM, and the factors need one",
            where=catalog.folder,
            fix=f"Add `dem:`, or {others}stop with --until 03",
        )
    for name, entry in catalog.entries().items():
        if name not in _FOLDERS:
            _read_to_the_end(catalog.files(entry), entry)
    rows = source_table(catalog)
    if catalog.dem is not None:
        grid = target_grid(catalog, cell_size, crs)
        for name, entry in catalog.entries().items():
            if name not in _FOLDERS:
                _meets(catalog, name, entry, grid)
                _reads(catalog, name, entry, grid)
        read_inventory(catalog, grid)
    return rows


def source_table(catalog: Catalog, names: Sequence[str] = ()) -> pd.DataFrame:
    """What the data folder holds, one row per source (the paper's Table 2, read from the files);
    `names` picks some of its entries.
    """
    entries = catalog.entries()
    return pd.DataFrame([_describe(catalog, name, entries[name]) for name in names or entries])


def source_outlines(catalog: Catalog, name: str, crs) -> gpd.GeoSeries:
    """Where an entry lies: its features, or the frames of its rasters.

    Parameters
    ----------
    catalog : Catalog
    name : str
        Any entry; images without a georeference give no frame.
    crs : CRS

    Returns
    -------
    GeoSeries
        In `crs`.

    Raises
    ------
    InputError
        When it cannot be read.
    """
    entry = catalog.entries()[name]
    files = catalog.files(entry)
    if name not in _FOLDERS and not is_raster(files[0]):
        return read_features(catalog, entry, crs).geometry
    frames = []
    for file in files if name not in _FOLDERS else []:
        with open_source(file, entry) as raster:
            frames.append(box(*raster.rio.transform_bounds(crs)))
    return gpd.GeoSeries(frames, crs=crs)


def _describe(catalog: Catalog, name: str, entry: Entry) -> dict:
    """One row of the source table."""
    files = catalog.files(entry)
    row = {
        "entry": name,
        "file": os.path.relpath(files[0], catalog.folder)
        if files[0].is_relative_to(catalog.folder)
        else str(files[0]),
        "files": len(files),
        "kind": "folder",
        "crs": "",
        "resolution": entry.resolution,
        "unit": unit_read(catalog, entry),
    }
    if name not in _FOLDERS and is_raster(files[0]):
        row |= _raster_facts(files[0], entry)
    elif name not in _FOLDERS:
        row |= _vector_facts(catalog, entry)
    row["resolution"] = entry.resolution or row["resolution"]
    return row | {"source": entry.source, "license": entry.license}


def _read_to_the_end(files: list[Path], entry: Entry) -> None:
    """Read every row of rasters, so that a truncated file is found before anything runs."""
    for file in filter(is_raster, files):
        with open_layers(file, entry) as layers:
            for top in range(0, layers.sizes["y"], _ROWS):
                layers[:, top : top + _ROWS].to_numpy()


def _raster_facts(file: Path, entry: Entry) -> dict:
    """Kind, CRS and cell size of a raster."""
    with open_source(file, entry) as raster:
        crs = raster.rio.crs
        step = abs(raster.rio.resolution()[0])
    return {
        "kind": "NetCDF" if kind_of(file) == "netcdf" else "raster",
        "crs": crs.to_string()[:40],
        "resolution": f"{step:.4g} {'m' if crs.is_projected else '°'}",
    }


def _vector_facts(catalog: Catalog, entry: Entry) -> dict:
    """Kind and CRS of a vector or table."""
    needed = [name for name in (entry.attribute, entry.value) if name] or [""] * bool(entry.names)
    features = read_features(catalog, entry, None, needed)
    kind = kind_of(catalog.path(entry))
    crs = features.crs.to_string()[:40]
    return {"kind": f"{kind}, {len(features)} features", "crs": crs, "resolution": ""}


def _reads(catalog: Catalog, name: str, entry: Entry, grid: xr.DataArray) -> None:
    """Read classes, features and the mask as the factors will, which say what is doubtful."""
    is_extra = name in catalog.extra and entry.kind == "categorical"
    if name in ("lithology", "lulc") or is_extra:
        categorical(catalog, entry, grid)
    elif name in ("roads", "rivers", "faults"):
        marked_cells(catalog, entry, grid)
    elif name == "mask":
        study_mask(catalog, grid)


def _meets(catalog: Catalog, name: str, entry: Entry, grid: xr.DataArray) -> None:
    """Raise when a source does not come near the grid."""
    file, outlines = catalog.path(entry), source_outlines(catalog, name, grid.rio.crs)
    reach = max(grid.shape) * edge_of(grid) if name in _REACH_IN else 0
    left, bottom, right, top = np.add(grid.rio.bounds(), [-reach, -reach, reach, reach])
    if not outlines.cx[left:right, bottom:top].empty:
        return
    area = [round(degrees, 3) for degrees in grid.rio.transform_bounds("EPSG:4326")]
    frame = outlines.to_crs(4326).total_bounds.round(3).tolist()
    raise InputError(
        f"the source `{name}` does not overlap the study area",
        where=file,
        found=f"it has {frame}, the study area {area} (west, south, east, north in degrees)",
        fix="Check the file's CRS, or name it with `crs:`, and that `x` and `y` are not exchanged",
    )
