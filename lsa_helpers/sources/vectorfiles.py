"""Vector files opened: the right layer of them, their texts in the right encoding."""

import re
import warnings
import zipfile
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio

from lsa_helpers.errors import InputError
from lsa_helpers.sources.catalog import Entry
from lsa_helpers.sources.tables import guess_encoding, say_encoding

# What is looked for inside a zipped file.
_ZIPPED = (".shp", ".gpkg", ".geojson", ".json", ".gml", ".kml", ".gdb")


def read_layer(file: Path, entry: Entry) -> gpd.GeoDataFrame:
    """The one layer of a vector file that has geometries, or the one that is named.

    Parameters
    ----------
    file : Path
        Anything GDAL opens, also inside a zipped file.
    entry : Entry
        Its `layer` and `encoding` count.

    Returns
    -------
    GeoDataFrame
        As stored, in the CRS that the file states, if any.

    Raises
    ------
    InputError
        When there are several layers and none is named, or not the one that is.
    """
    layers = _layers(file)
    filled = layers[layers["count"] > 0]
    chosen = layers[layers["name"] == entry.layer] if entry.layer else filled
    if len(layers) == 1 and not entry.layer:
        chosen = layers
    if len(chosen) != 1:
        told = zip(filled["name"], filled["kind"], filled["count"], strict=True)
        raise InputError(
            f'there is no layer "{entry.layer}"' if entry.layer else "one layer must be named",
            where=file,
            found="; ".join(f"{name} ({kind}, {count:.0f})" for name, kind, count in told),
            fix="Name one with `layer` in catalog.yml",
        )
    source, layer = chosen[["source", "name"]].iloc[0]
    if source.lower().endswith(".shp"):
        return _read_shapefile(source, layer, entry.encoding)
    return _read_plainly(source, layer, entry.encoding)


def _layers(file: Path) -> pd.DataFrame:
    """Layers with geometries: source (a path for GDAL), name, kind and count of their features."""
    how = {"force_feature_count": True, "encoding": "ISO-8859-1"}  # in which any bytes are text
    rows = [
        [source, name, kind, pyogrio.read_info(source, layer=name, **how)["features"]]
        for source in _members(file)
        for name, kind in pyogrio.list_layers(source)
        if kind is not None
    ]
    if not rows:
        raise InputError("the file has no layer with geometries", where=file)
    return pd.DataFrame(rows, columns=["source", "name", "kind", "count"])


def _members(file: Path) -> list[str]:
    """What GDAL shall open: the file, or the vector files inside a zipped one."""
    if file.suffix.lower() != ".zip":
        return [str(file)]
    with zipfile.ZipFile(file) as archive:
        names = [name for name in archive.namelist() if not name.startswith("__MACOSX")]
    names = {re.sub(r"(?i)(\.gdb)/.*", r"\1", name) for name in names}
    members = sorted(name for name in names if name.lower().endswith(_ZIPPED))
    return [f"/vsizip/{{{file.resolve()}}}/{name}" for name in members] or [f"/vsizip/{{{file}}}"]


def _read_plainly(source: str, layer: str, encoding: str) -> gpd.GeoDataFrame:
    """One layer as pyogrio gives it, without its warnings of measures and unclosed rings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return gpd.read_file(source, layer=layer, encoding=encoding or None)


def _read_shapefile(source: str, layer: str, encoding: str) -> gpd.GeoDataFrame:
    """A Shapefile, whose texts often state no encoding, or a wrong one: read as Latin 1 every byte
    survives, so that what the bytes are can be found out.
    """
    if encoding:
        return _read_plainly(source, layer, encoding)
    features = _read_plainly(source, layer, "ISO-8859-1")
    texts = [name for name in features if pd.api.types.is_string_dtype(features[name])]
    content = "\n".join([*features, *features[texts].astype(str).to_numpy().ravel()])
    if content.isascii():
        return features
    stated = next(map(Path.read_text, Path(source).parent.glob(f"{Path(source).stem}.[cC]pg")), "")
    stated = f"cp{stated.strip()}" if stated.strip().isdigit() else stated.strip()
    encoding = stated or guess_encoding(content.encode("latin-1"))
    try:
        text = content.encode("latin-1").decode(encoding)
    except (UnicodeDecodeError, LookupError):
        encoding = guess_encoding(content.encode("latin-1"))
        text = content.encode("latin-1").decode(encoding)
    if encoding != stated and not encoding.startswith("utf"):
        say_encoding(encoding, text, source)

    def decode(value):
        return value.encode("latin-1").decode(encoding) if isinstance(value, str) else value

    features[texts] = features[texts].map(decode)
    return features.rename(columns=decode)
