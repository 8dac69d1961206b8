"""Files with which QGIS shows a run's maps as the book does: a style beside a raster, a project."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from matplotlib.colors import to_rgb
from pyproj import CRS

from lsa_helpers.classes import class_names
from lsa_helpers.run import whole_file
from lsa_helpers.show.classes import OUTLINE, class_colours

# The version whose files these are like; QGIS reads those of all older ones.
_VERSION = "3.22.0"
_HEAD = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"


_SYMBOLS = {"Polygon": ("fill", "SimpleFill"), "Point": ("marker", "SimpleMarker")}
_SYMBOLS |= {"Line": ("line", "SimpleLine")}


class Layer(NamedTuple):
    """One layer of a QGIS project.

    Parameters
    ----------
    source : str
        A file beside the project; of a vector with its table, as in
        ``inventory.gpkg|layername=detected``.
    name : str
        What the legend calls it.
    look : Element
        From `class_look`, `relief_look` or `outline_look`.
    shown : bool
        Whether it is switched on.
    """

    source: str
    name: str
    look: ET.Element
    shown: bool = True


def class_look(n_classes: int) -> ET.Element:
    """How a raster of classes is drawn: the colours and names of the book's figures, and nothing
    where there is no class.
    """
    pipe = ET.Element("pipe")
    look = {"type": "paletted", "band": "1", "opacity": "1", "alphaBand": "-1"}
    palette = ET.SubElement(ET.SubElement(pipe, "rasterrenderer", look), "colorPalette")
    pairs = zip(class_colours(n_classes), class_names(n_classes), strict=True)
    for value, (colour, name) in enumerate(pairs, start=1):
        entry = {"value": str(value), "color": colour, "alpha": "255", "label": name}
        ET.SubElement(palette, "paletteEntry", entry)
    return pipe


def relief_look(band: int) -> ET.Element:
    """How a band of altitudes (numbered from 1) is drawn: as shaded relief, lit as in the book."""
    pipe = ET.Element("pipe")
    light = {"azimuth": "315", "angle": "45", "zfactor": "1", "multidirection": "0"}
    look = {"type": "hillshade", "band": str(band), "opacity": "1", "alphaBand": "-1"}
    ET.SubElement(pipe, "rasterrenderer", look | light)
    return pipe


def outline_look(kind: str, colour: str = OUTLINE) -> ET.Element:
    """How polygons, points or lines are drawn (`kind` "Polygon", "Point" or "Line"): as outlines of
    one colour.
    """
    renderer = ET.Element("renderer-v2", {"type": "singleSymbol"})
    symbols = ET.SubElement(renderer, "symbols")
    symbol, drawn = _SYMBOLS[kind]
    about = {"name": "0", "type": symbol, "alpha": "1", "clip_to_extent": "1"}
    symbol = ET.SubElement(symbols, "symbol", about)
    layer = ET.SubElement(symbol, "layer", {"class": drawn, "enabled": "1", "pass": "0"})
    red, green, blue = (round(255 * part) for part in to_rgb(colour))
    start = "line" if kind == "Line" else "outline"
    line = {f"{start}_color": f"{red},{green},{blue},255", f"{start}_width": "0.4"}
    line |= {f"{start}_style": "solid", f"{start}_width_unit": "MM"}
    empty = {"color": "255,255,255,0"}
    own = {"Polygon": empty | {"style": "no"}, "Point": empty | {"name": "circle", "size": "2"}}
    for key, value in (line | own.get(kind, {})).items():
        ET.SubElement(layer, "prop", {"k": key, "v": value})
    return renderer


def write_style(path: Path, look: ET.Element) -> Path:
    """Write a style (``.qml``). Under the name of a raster beside it, QGIS takes it by itself.

    Parameters
    ----------
    path : Path
    look : Element

    Returns
    -------
    Path
        `path`.

    Notes
    -----
    The elements are those that QGIS 3.22 reads (``QgsPalettedRasterRenderer::create``,
    ``QgsRasterLayer::readSymbology``).
    """
    root = ET.Element("qgis", {"version": _VERSION, "styleCategories": "AllStyleCategories"})
    root.append(look)
    return _write(path, root)


def write_project(path: Path, title: str, layers: Sequence[Layer], grid) -> Path:
    """Write a QGIS project (``.qgs``) whose files lie beside it, so that the folder can be moved.

    Parameters
    ----------
    path : Path
    title : str
    layers : sequence of Layer
        The first is drawn on top.
    grid : DataArray or Dataset, dims (y, x)
        Gives the CRS of the project and the part of it that is in view first.

    Returns
    -------
    Path
        `path`.
    """
    root = ET.Element("qgis", {"version": _VERSION, "projectname": title})
    ET.SubElement(root, "title").text = title
    _add_crs(ET.SubElement(root, "projectCrs"), grid.rio.crs)
    tree = ET.SubElement(root, "layer-tree-group")
    canvas = ET.SubElement(root, "mapcanvas", {"name": "theMapCanvas"})
    extent = ET.SubElement(canvas, "extent")
    for name, value in zip(("xmin", "ymin", "xmax", "ymax"), grid.rio.bounds(), strict=True):
        ET.SubElement(extent, name).text = repr(float(value))
    _add_crs(ET.SubElement(canvas, "destinationsrs"), grid.rio.crs)
    described = ET.SubElement(root, "projectlayers")
    for layer in layers:
        _add_layer(tree, described, layer, grid.rio.crs)
    properties = ET.SubElement(root, "properties")
    paths = ET.SubElement(properties, "Paths")
    ET.SubElement(paths, "Absolute", {"type": "bool"}).text = "false"
    reference = ET.SubElement(properties, "SpatialRefSys")
    ET.SubElement(reference, "ProjectionsEnabled", {"type": "int"}).text = "1"
    return _write(path, root)


def _add_layer(tree: ET.Element, described: ET.Element, layer: Layer, crs) -> None:
    """A layer in the legend's tree and among the layers described."""
    raster = layer.look.tag == "pipe"
    provider = "gdal" if raster else "ogr"
    source = f"./{layer.source}"
    number = re.sub(r"\W+", "_", layer.source)
    checked = "Qt::Checked" if layer.shown else "Qt::Unchecked"
    entry = {"id": number, "name": layer.name, "source": source, "providerKey": provider}
    entry |= {"checked": checked, "expanded": "1" if layer.shown else "0"}
    ET.SubElement(tree, "layer-tree-layer", entry)
    item = ET.SubElement(described, "maplayer", {"type": "raster" if raster else "vector"})
    words = {"id": number, "datasource": source, "layername": layer.name, "provider": provider}
    for name, text in words.items():
        ET.SubElement(item, name).text = text
    _add_crs(ET.SubElement(item, "srs"), crs)
    item.append(layer.look)


def _add_crs(parent: ET.Element, crs) -> None:
    """A CRS as QGIS writes it; without its number in QGIS' own list the text is what counts."""
    crs = CRS.from_user_input(crs)
    system = ET.SubElement(parent, "spatialrefsys")
    ET.SubElement(system, "wkt").text = crs.to_wkt()
    if authority := crs.to_authority():
        ET.SubElement(system, "authid").text = ":".join(authority)


def _write(path: Path, root: ET.Element) -> Path:
    """The text of a document, which appears only when whole."""
    ET.indent(root)
    with whole_file(path) as part:
        part.write_text(_HEAD + ET.tostring(root, encoding="unicode") + "\n", encoding="utf-8")
    return path
