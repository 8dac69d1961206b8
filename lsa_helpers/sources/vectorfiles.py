"""Vector files opened: the right layer of them, their texts in the right encoding."""

import warnings
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio

from lsa_helpers.errors import InputError
from lsa_helpers.sources.catalog import Entry
from lsa_helpers.sources.tables import guess_encoding, say_encoding


def read_layer(file: Path, entry: Entry) -> gpd.GeoDataFrame:
    """The one layer of a vector file that has geometries, or the one that is named.

    Parameters
    ----------
    file : Path
        Anything GDAL opens.
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
        told = filled.itertuples(index=False)
        what = f'there is no layer "{entry.layer}"' if entry.layer else "one layer must be named"
        found = "; ".join(f"{name} ({kind}, {count:.0f})" for name, kind, count in told)
        fix = "Name one with `layer` in catalog.yml"
        raise InputError(what, where=file, found=found, fix=fix)
    layer = chosen["name"].iloc[0]
    if file.suffix.lower() == ".shp":
        return _read_shapefile(file, layer, entry.encoding)
    return _read_plainly(file, layer, entry.encoding)


def _layers(file: Path) -> pd.DataFrame:
    """Layers with geometries: name, kind and count of their features."""
    how = {"force_feature_count": True, "encoding": "ISO-8859-1"}  # in which any bytes are text
    rows = [
        [name, kind, pyogrio.read_info(file, layer=name, **how)["features"]]
        for name, kind in pyogrio.list_layers(file)
        if kind is not None
    ]
    if not rows:
        raise InputError("the file has no layer with geometries", where=file)
    return pd.DataFrame(rows, columns=["name", "kind", "count"])


def _read_plainly(file: Path, layer: str, encoding: str) -> gpd.GeoDataFrame:
    """One layer as pyogrio gives it, without its warnings of measures and unclosed rings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return gpd.read_file(file, layer=layer, encoding=encoding or None)


def _read_shapefile(file: Path, layer: str, encoding: str) -> gpd.GeoDataFrame:
    """A Shapefile, whose texts often state no encoding, or a wrong one: read as Latin 1 every byte
    survives, so that what the bytes are can be found out.
    """
    if encoding:
        return _read_plainly(file, layer, encoding)
    features = _read_plainly(file, layer, "ISO-8859-1")
    texts = [name for name in features if pd.api.types.is_string_dtype(features[name])]
    content = "\n".join([*features, *features[texts].astype(str).to_numpy().ravel()])
    if content.isascii():
        return features
    stated = next(map(Path.read_text, file.parent.glob(f"{file.stem}.[cC][pP][gG]")), "")
    stated = f"cp{stated.strip()}" if stated.strip().isdigit() else stated.strip()
    encoding = stated or guess_encoding(content.encode("latin-1"))
    try:
        text = content.encode("latin-1").decode(encoding)
    except (UnicodeDecodeError, LookupError):
        encoding = guess_encoding(content.encode("latin-1"))
        text = content.encode("latin-1").decode(encoding)
    if encoding != stated and not encoding.startswith("utf"):
        say_encoding(encoding, text, file)

    def decode(value):
        return value.encode("latin-1").decode(encoding) if isinstance(value, str) else value

    features[texts] = features[texts].map(decode)
    return features.rename(columns=decode)
