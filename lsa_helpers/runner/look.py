"""What lies in a folder that has no catalog: files that belong together, and what is in them."""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import rasterio
import shapely

from lsa_helpers.errors import InputError, remarks
from lsa_helpers.sources import Entry, kind_of
from lsa_helpers.sources.catalog import BESIDE
from lsa_helpers.sources.rasterfiles import open_layers
from lsa_helpers.sources.tables import open_table

# Parts of other files, notes about files, and what this package writes into a data folder.
_PARTS = set(BESIDE) | {".xml", ".pgw", ".jgw", ".aux", ".md", ".pdf", ".docx", ".lyr", ".py"}
_PARTS |= {".prx", ".yml", ".yaml", ".log", ".png", ".jpg", ".jpeg"}
_MOST_ROWS = 5000
_NOT_READ = (InputError, OSError, ValueError, rasterio.errors.RasterioError)
_NOT_READ += (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError)


@dataclass
class Found:
    """Files of one kind whose names differ in numbers only, and what is in the first of them.

    Parameters
    ----------
    path : str
        Relative to the folder, with ``*`` for the numbers.
    files : list of Path
    kind : str
        "raster", "netcdf", "vector" or "table".
    layer : str
        Of a vector file with several.
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
    """

    path: str
    files: list[Path]
    kind: str
    layer: str = ""
    bands: list[dict] = field(default_factory=list)
    columns: dict[str, pd.Series] = field(default_factory=dict)
    geometry: str = ""
    count: int = 0
    share: float = 0.0
    crs: str = ""

    @property
    def keys(self) -> dict:
        """What an entry of the catalog says of it."""
        return {"path": self.path} | ({"layer": self.layer} if self.layer else {})

    @property
    def name(self) -> str:
        """Path and layer, in whose words it may say what it is."""
        return f"{self.path}/{self.layer}" if self.layer else self.path


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
        Relative paths of files that no reader opens.
    """
    groups = defaultdict(list)
    for file in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
        inside = any(above.suffix.lower() == ".gdb" for above in file.parents)
        is_folder = file.is_dir() and file.suffix.lower() != ".gdb"
        if hidden or inside or is_folder or file.suffix.lower() in _PARTS:
            continue
        if not any(above in (file, *file.parents) for above in leave_out):
            pattern = re.sub(r"\d+", "*", file.stem) + file.suffix
            groups[file.parent.relative_to(folder) / pattern].append(file)
    found, unread = [], []
    for pattern, files in groups.items():
        path = pattern.as_posix() if len(files) > 1 else files[0].relative_to(folder).as_posix()
        try:
            with remarks():
                found += [Found(path, files, **facts) for facts in _open(files[0])]
        except _NOT_READ:
            unread.append(path)
    return found, unread


def _open(file: Path) -> list[dict]:
    """What is in a file; of several layers in each."""
    kind = kind_of(file)
    if kind == "table":
        table = open_table(file, Entry(path=file.name))
        columns = {str(name): table[name] for name in table.columns}
        return [{"kind": kind, "columns": columns, "geometry": "point", "count": len(table)}]
    if kind == "vector":
        layers = [name for name, geometry in pyogrio.list_layers(file) if geometry is not None]
        return [_vector(file, name, name if len(layers) > 1 else "") for name in layers]
    names = []
    if kind == "raster":
        with rasterio.open(file) as raster:
            names = list(raster.descriptions)
    with open_layers(file, Entry(path=file.name, crs="EPSG:4326")) as layers:
        step = max(1, max(layers.shape[1:]) // 500)
        part = layers[: len(names) or 40, ::step, ::step]
        bands = [_band(name or "", band.to_numpy()) for name, band in zip_longest(names, part)]
        return [{"kind": kind, "bands": bands, "crs": layers.rio.crs.to_string()}]


def _band(name: str, values: np.ndarray) -> dict:
    """What the numbers of a band look like."""
    values = values.astype(float)
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


def _vector(file: Path, layer: str, told: str) -> dict:
    """One layer: columns, kind and count of its features."""
    features = gpd.read_file(file, layer=layer, rows=_MOST_ROWS)
    types = features.geometry.dropna().geom_type.str.lower()
    geometry = next(
        (name for name in ("point", "line", "polygon") if types.str.contains(name).any()), ""
    )
    west, south, east, north = features.total_bounds
    frame = (east - west) * (north - south)
    share = float(shapely.area(features.geometry.to_numpy()).sum() / frame) if frame > 0 else 0.0
    return {
        "kind": "vector",
        "layer": told,
        "columns": {name: features[name] for name in features.columns if name != "geometry"},
        "geometry": geometry,
        "count": int(pyogrio.read_info(file, layer=layer, force_feature_count=True)["features"]),
        "share": share,
        "crs": features.crs.to_string() if features.crs else "",
    }
