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
_ZIPPED = (".shp", ".gpkg", ".geojson", ".json", ".gml", ".kml", ".fgb", ".tab", ".mif")


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
    # GPX tells every track twice: as a line, and as its points.
    points = layers["name"].str.removesuffix("s") + "_points"
    filled = layers[(layers["count"] > 0) & ~layers["name"].isin(points)]
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
    rows = []
    for source in _members(file):
        names = pyogrio.list_layers(source)
        rows += [[source, name, kind] for name, kind in names if kind is not None]
    layers = pd.DataFrame(rows, columns=["source", "name", "kind"])
    if layers.empty:
        raise InputError("the file has no layer with geometries", where=file)
    for index, (source, name, kind) in enumerate(rows if len(rows) > 1 else ()):
        info = pyogrio.read_info(source, layer=name, force_feature_count=True)
        layers.loc[index, "count"] = info["features"]
        if kind == "Unknown":  # KML does not say before it is read
            types = _read_plainly(source, name, "").geom_type.dropna().unique()
            layers.loc[index, "kind"] = "/".join(types) or kind
    return layers if "count" in layers else layers.assign(count=1)


def _members(file: Path) -> list[str]:
    """What GDAL shall open: the file, or the vector files inside a zipped one."""
    if file.suffix.lower() != ".zip":
        return [str(file)]
    with zipfile.ZipFile(file) as archive:
        names = sorted(name for name in archive.namelist() if not name.startswith("__MACOSX"))
    gdb = re.compile(r"^.*?\.gdb(?=/)", re.I)
    members = {found[0] if (found := gdb.match(name)) else name for name in names}
    members = sorted(name for name in members if name.lower().endswith((*_ZIPPED, ".gdb")))
    return [f"/vsizip/{{{file.resolve()}}}/{name}" for name in members] or [f"/vsizip/{{{file}}}"]


def _read_plainly(source: str, layer: str, encoding: str) -> gpd.GeoDataFrame:
    """One layer as pyogrio gives it, without its warnings of measures and unclosed rings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return gpd.read_file(source, layer=layer, encoding=encoding or None)


def _read_shapefile(source: str, layer: str, encoding: str) -> gpd.GeoDataFrame:
    """A Shapefile, whose texts often state no encoding, or a wrong one.

    Read as Latin 1 every byte survives, so that what the bytes are can be found out.
    """
    if encoding:
        return _read_plainly(source, layer, encoding)
    features = _read_plainly(source, layer, "ISO-8859-1")
    texts = [name for name in features if pd.api.types.is_string_dtype(features[name])]
    content = "\n".join([*features, *features[texts].astype(str).to_numpy().ravel()])
    if content.isascii():
        return features
    content = content.encode("latin-1")
    stated = _stated_encoding(Path(source))
    encoding = stated or guess_encoding(content)
    try:
        text = content.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        encoding = guess_encoding(content)
        text = content.decode(encoding)
    if encoding != stated and not encoding.startswith("utf"):
        say_encoding(encoding, text, source)

    def decode(value):
        return value.encode("latin-1").decode(encoding) if isinstance(value, str) else value

    features[texts] = features[texts].map(decode)
    return features.rename(columns=decode)


def _stated_encoding(source: Path) -> str:
    """The encoding that a Shapefile states in its .cpg or in its .dbf; empty: none that counts."""
    for suffix in (".cpg", ".CPG", ".cst"):
        if source.with_suffix(suffix).is_file():
            stated = source.with_suffix(suffix).read_text(encoding="latin-1").strip()
            return f"cp{stated}" if stated.isdigit() else stated.removeprefix("ANSI ")
    table = source.with_suffix(".dbf")
    # Western (3, 87) is what many programs write over any text.
    code = table.read_bytes()[29] if table.is_file() else 0
    return {77: "gb18030", 79: "big5", 19: "cp932", 201: "cp1251", 101: "cp866"}.get(code, "")
