"""A check of a data folder before anything is computed or written."""

from pathlib import Path

import pandas as pd
import rasterio
import xarray as xr
from rasterio.warp import transform_bounds

from lsa_helpers.errors import InputError
from lsa_helpers.raster import cell_size as cell_size_of
from lsa_helpers.sources import layers
from lsa_helpers.sources.catalog import RASTERS, TABLES, Catalog, Entry
from lsa_helpers.sources.rasters import NETCDF, open_source
from lsa_helpers.sources.vectors import attribute, read_features

_FOLDERS = {"images", "truth"}


def check_catalog(
    catalog: Catalog, *, need_dem: bool, cell_size: float = 12.5, crs: str = ""
) -> pd.DataFrame:
    """Open every source, read the rasters to their end, and see that all of them meet the DEM.

    Parameters
    ----------
    catalog : Catalog
    need_dem : bool
        Whether chapters will run that need the grid (everything after 02).
    cell_size : float
        Cell size of the grid in metres.
    crs : str
        CRS of the grid, as in `target_grid`.

    Returns
    -------
    DataFrame
        One row per source: entry, files, kind, crs, resolution, size, source, license.

    Raises
    ------
    InputError
        For the first source that is missing, broken, without CRS, empty or elsewhere.
    """
    if need_dem and catalog.dem is None:
        others = f"take out {', '.join(catalog.on_grid)} and " if catalog.on_grid else ""
        fix = f"Add `dem:`, or {others}stop with --until 02"
        raise InputError(
            "the catalog names no DEM, and the factors need one", where=catalog.folder, fix=fix
        )
    rows = [_describe(catalog, name, entry) for name, entry in catalog.entries().items()]
    if catalog.dem is not None:
        grid = layers.target_grid(catalog, cell_size, crs)
        for name, entry in catalog.entries().items():
            if name not in _FOLDERS:
                _meets(catalog, name, entry, grid)
        layers.read_inventory(catalog, grid)
    return pd.DataFrame(rows)


def check_labels(catalog: Catalog, *, cell_size: float = 12.5, crs: str = "") -> None:
    """See that an inventory of points can be learned from: inside the grid it has places with and
    without landslides.

    Parameters
    ----------
    catalog : Catalog
    cell_size, crs
        Of the grid, as in `check_catalog`.

    Raises
    ------
    InputError
        When it has no column of labels, or its labels are not both 1 and 0.
    """
    inventory = layers.read_inventory(catalog, layers.target_grid(catalog, cell_size, crs))
    if inventory is None or "label" not in inventory:
        return
    where, labels = catalog.path(catalog.inventory), set(inventory["label"].tolist())
    if not catalog.inventory.label:
        fix = "Name the column with `label:` in catalog.yml and add places without landslides, or give polygons"
        raise InputError(
            "points without a label cannot be learned from (1 landslide, 0 none)",
            where=where,
            fix=fix,
        )
    if labels != {0, 1}:
        fix = "Both are needed, and nothing else"
        raise InputError(
            "the labels of the points in the study area are not 1 and 0",
            where=where,
            found=sorted(labels),
            fix=fix,
        )


def source_table(catalog: Catalog) -> pd.DataFrame:
    """What the data folder holds, one row per source (Table 2 of the paper, filled from the files)."""
    return pd.DataFrame(
        [_describe(catalog, name, entry, read=False) for name, entry in catalog.entries().items()]
    )


def _describe(catalog: Catalog, name: str, entry: Entry, *, read: bool = True) -> dict:
    """One row of the source table; `read` also reads rasters to their end."""
    files = catalog.files(entry)
    row = {
        "entry": name,
        "file": str(files[0].relative_to(catalog.folder)),
        "files": len(files),
        "kind": "folder",
        "crs": "",
        "resolution": entry.resolution,
    }
    if name not in _FOLDERS:
        is_raster = files[0].suffix.lower() in RASTERS
        for file in files:
            row |= _raster_facts(file, entry, read) if is_raster else _vector_facts(file, entry)
    row["resolution"] = entry.resolution or row["resolution"]
    return row | {"source": entry.source, "license": entry.license}


def _raster_facts(file: Path, entry: Entry, read: bool) -> dict:
    """Kind, CRS and cell size of a raster, after reading every block if asked."""
    is_netcdf = file.suffix.lower() in NETCDF
    with open_source(file, entry) as raster:
        step = abs(raster.rio.resolution()[0])
        crs = raster.rio.crs
    if read and not is_netcdf:
        try:
            with rasterio.open(file) as raster:
                for _, window in raster.block_windows(1):
                    raster.read(1, window=window)
        except rasterio.errors.RasterioError as error:
            raise InputError(
                "the raster is damaged or incomplete",
                where=file,
                found=error,
                fix="Copy or download it again",
            ) from None
    unit = "m" if crs.is_projected else "°"
    return {
        "kind": "NetCDF" if is_netcdf else "raster",
        "crs": crs.to_string()[:40],
        "resolution": f"{step:.4g} {unit}",
    }


def _vector_facts(file: Path, entry: Entry) -> dict:
    """Kind and CRS of a vector or table."""
    shapes = read_features(file, entry, "EPSG:4326")
    if named := entry.attribute or entry.value or entry.names:
        attribute(shapes, named if isinstance(named, str) else entry.attribute, file)
    kind = "table" if file.suffix.lower() in TABLES else "vector"
    crs = entry.crs or ("EPSG:4326" if kind == "table" else "")
    if kind == "vector":
        import pyogrio

        crs = crs or (pyogrio.read_info(file)["crs"] or "")
    return {"kind": f"{kind}, {len(shapes)} features", "crs": crs[:40], "resolution": ""}


def _meets(catalog: Catalog, name: str, entry: Entry, grid: xr.DataArray) -> None:
    """Raise when a source does not come near the grid."""
    file = catalog.path(entry)
    if file.suffix.lower() in RASTERS:
        boxes = []
        for tile in catalog.files(entry):
            with open_source(tile, entry) as raster:
                boxes.append(raster.rio.transform_bounds(grid.rio.crs))
                found = raster.rio.crs.to_string()
    else:
        shapes = read_features(file, entry, grid.rio.crs)
        boxes, found = [tuple(shapes.total_bounds)], "its features"
    # Lines and stations may lie outside the grid and still matter: allow one grid length.
    reach = (
        max(grid.shape) * cell_size_of(grid)
        if name in {"roads", "rivers", "faults", "stations"}
        else 0
    )
    left, bottom, right, top = grid.rio.bounds()
    if not any(
        b[0] < right + reach
        and b[2] > left - reach
        and b[1] < top + reach
        and b[3] > bottom - reach
        for b in boxes
    ):
        here = [
            round(value, 3)
            for value in transform_bounds(grid.rio.crs, "EPSG:4326", *grid.rio.bounds())
        ]
        fix = f"The study area is {here} (west, south, east, north in degrees). Check the CRS of the file, or name it with `crs:`"
        raise InputError(
            f"the source `{name}` does not overlap the study area", where=file, found=found, fix=fix
        )
