"""What lies in a folder that has no catalog: files that belong together, and what is in them."""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import rasterio
import shapely
import xarray as xr

from lsa_helpers.sources.catalog import TABLES

# Parts of other files, notes about files, and what this package writes into a data folder.
_PARTS = {".shx", ".dbf", ".prj", ".cpg", ".sbn", ".sbx", ".qix", ".qpj", ".xml", ".hdr", ".tfw"}
_PARTS |= {".pgw", ".jgw", ".ovr", ".aux", ".md", ".txt", ".pdf", ".docx", ".qml", ".lyr", ".py"}
_PARTS |= {".prx", ".mgrd", ".sgrd", ".stx", ".yml", ".yaml", ".log", ".png", ".jpg", ".jpeg"}
_MOST_ROWS = 5000


@dataclass
class Found:
    """Files of one kind whose names differ in numbers only, and what is in the first of them.

    Parameters
    ----------
    path : str
        Relative to the folder, with ``*`` for the numbers.
    files : list of Path
    kind : str
        "raster", "vector" or "table".
    bands : list of dict
        Of a raster: name, whole (whether all numbers are), values (how many different), low and
        high (2nd and 98th percentile), rough (median step between neighbours as a share of the
        range).
    columns : dict
        Of a vector or table: name → values (Series).
    geometry : str
        "point", "line", "polygon" or "".
    count : int
        Features or rows.
    share : float
        Area of its polygons as a share of their frame's.
    crs : str
    time : bool
        Whether it is a series over time.
    """

    path: str
    files: list[Path]
    kind: str
    bands: list[dict] = field(default_factory=list)
    columns: dict[str, pd.Series] = field(default_factory=dict)
    geometry: str = ""
    count: int = 0
    share: float = 0.0
    crs: str = ""
    time: bool = False


def look_into(folder: Path, leave_out: list[Path]) -> tuple[list[Found], list[str]]:
    """Open one file of every group below a folder.

    Parameters
    ----------
    folder : Path
    leave_out : list of Path
        Files and sub-folders already understood.

    Returns
    -------
    groups : list of Found
    unread : list of str
        Relative paths of files that neither GDAL nor pandas opens.
    """
    groups = defaultdict(list)
    for file in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
        if hidden or file.is_dir() or file.suffix.lower() in _PARTS:
            continue
        if not any(above in (file, *file.parents) for above in leave_out):
            pattern = re.sub(r"\d+", "*", file.stem) + file.suffix
            groups[file.parent.relative_to(folder) / pattern].append(file)
    found, unread = [], []
    for pattern, files in groups.items():
        path = pattern.as_posix() if len(files) > 1 else files[0].relative_to(folder).as_posix()
        facts = _open(files[0])
        if facts is None:
            unread.append(path)
        else:
            found.append(Found(path, files, **facts))
    return found, unread


def _open(file: Path) -> dict | None:
    """What is in a file, by the first reader that opens it."""
    suffix = file.suffix.lower()
    try:
        if suffix in (".nc", ".nc4"):
            return _netcdf(file)
        if suffix in TABLES:
            return _table(file)
    except (OSError, ValueError, ImportError):
        return None
    for reader in (_raster, _vector):
        try:
            return reader(file)
        except (rasterio.errors.RasterioError, pyogrio.errors.DataSourceError, ValueError):
            continue
    return None


def _raster(file: Path) -> dict:
    with rasterio.open(file) as source:
        step = max(1.0, max(source.shape) / 500)
        shape = tuple(max(1, int(length / step)) for length in source.shape)
        pixels = source.read(out_shape=(source.count, *shape), masked=True)
        names = [name or "" for name in source.descriptions]
        crs = source.crs.to_string() if source.crs else ""
    bands = [
        _band(name, np.ma.filled(band.astype(float), np.nan))
        for name, band in zip(names, pixels, strict=True)
    ]
    return {"kind": "raster", "bands": bands, "crs": crs}


def _band(name: str, values: np.ndarray) -> dict:
    """What the numbers of a band look like."""
    known = values[np.isfinite(values)]
    if not known.size:
        return {"name": name, "whole": False, "values": 0, "low": 0.0, "high": 0.0, "rough": 1.0}
    low, high = np.quantile(known, [0.02, 0.98])
    steps = np.abs(np.diff(values, axis=1))
    rough = np.nanmedian(steps) / (high - low) if high > low and np.isfinite(steps).any() else 0.0
    return {
        "name": name,
        "whole": bool((known == known.round()).all()),
        "values": np.unique(known).size,
        "low": float(low),
        "high": float(high),
        "rough": float(rough),
    }


def _netcdf(file: Path) -> dict:
    with xr.open_dataset(file, decode_times=False) as dataset:
        layers = [item for item in dataset.data_vars.values() if item.ndim >= 2]
        if not layers:
            return {"kind": "raster"}
        layer = layers[0]
        axes = {str(axis).lower() for axis in layer.dims}
        values = layer.isel({axis: 0 for axis in layer.dims[:-2]}).to_numpy().astype(float)
        band = _band(str(layer.name), values)
    return {"kind": "raster", "bands": [band], "time": bool(axes & {"time", "valid_time", "month"})}


def _vector(file: Path) -> dict:
    info = pyogrio.read_info(file)
    features = gpd.read_file(file, rows=_MOST_ROWS)
    types = features.geometry.dropna().geom_type.str.lower()
    geometry = next(
        (name for name in ("point", "line", "polygon") if types.str.contains(name).any()), ""
    )
    columns = {name: features[name] for name in features.columns if name != "geometry"}
    crs = features.crs.to_string() if features.crs else ""
    west, south, east, north = features.total_bounds
    frame = (east - west) * (north - south)
    share = float(shapely.area(features.geometry.to_numpy()).sum() / frame) if frame > 0 else 0.0
    facts = {"columns": columns, "geometry": geometry, "crs": crs, "share": share}
    return {"kind": "vector", "count": int(info["features"]), **facts}


def _table(file: Path) -> dict:
    suffix = file.suffix.lower()
    if suffix == ".csv":
        table = pd.read_csv(file, nrows=_MOST_ROWS)
    elif suffix == ".parquet":
        table = pd.read_parquet(file)
    else:
        table = pd.read_excel(file, engine="calamine")
    columns = {str(name): table[name] for name in table.columns}
    return {"kind": "table", "columns": columns, "geometry": "point", "count": len(table)}
