"""Files for QGIS, read back by the elements that its readers look for. A project of this form was
opened and drawn by QGIS 3.22.16.
"""

import xml.etree.ElementTree as ET

import pytest
from matplotlib.colors import to_hex
from pyproj import CRS

from lsa_helpers.classes import class_names
from lsa_helpers.raster import empty_grid
from lsa_helpers.show import classes as show
from lsa_helpers.show import qgis, style

GRID = empty_grid((600_000, 3_290_000, 600_500, 3_290_300), "EPSG:32648", 100)


@pytest.mark.parametrize("n_classes", [3, 5])
def test_a_style_has_the_colours_and_names_of_the_figure(tmp_path, n_classes):
    """Entry by entry those of the legend of the class map, values 1 to n; 0 has none."""
    file = qgis.write_style(tmp_path / "classes_rf.qml", qgis.class_look(n_classes))
    root = ET.fromstring(file.read_text(encoding="utf-8"))
    assert root.tag == "qgis"
    renderer = root.find("./pipe/rasterrenderer")
    assert renderer.attrib["type"] == "paletted" and renderer.attrib["band"] == "1"
    entries = [entry.attrib for entry in renderer.findall("./colorPalette/paletteEntry")]
    patches = show.class_patches(n_classes)[::-1]
    assert [entry["color"] for entry in entries] == [to_hex(p.get_facecolor()) for p in patches]
    assert [entry["label"] for entry in entries] == class_names(n_classes)
    assert [entry["value"] for entry in entries] == [str(n) for n in range(1, n_classes + 1)]
    assert {entry["alpha"] for entry in entries} == {"255"}


def test_a_project_names_its_layers_twice_and_its_files_relatively(tmp_path):
    """In the tree and among the layers under the same id; a name that looks like markup is text."""
    layers = [
        qgis.Layer("inventory.gpkg|layername=detected", "Seen <b>", qgis.outline_look("Polygon")),
        qgis.Layer(
            "inventory.gpkg|layername=reference", "Known", qgis.outline_look("Point"), False
        ),
        qgis.Layer("classes_rf.tif", "Forest", qgis.class_look(5)),
        qgis.Layer("factors.tif", "Relief", qgis.relief_look(2)),
    ]
    file = qgis.write_project(tmp_path / "map.qgs", "A & B", layers, GRID)
    text = file.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE qgis") and str(tmp_path) not in text
    root = ET.fromstring(text)
    assert root.find("title").text == "A & B"
    tree = root.findall("./layer-tree-group/layer-tree-layer")
    described = {item.find("id").text: item for item in root.findall("./projectlayers/maplayer")}
    assert [entry.attrib["name"] for entry in tree] == ["Seen <b>", "Known", "Forest", "Relief"]
    assert [entry.attrib["checked"] == "Qt::Checked" for entry in tree] == [True, False, True, True]
    assert len(described) == len(layers)
    for entry, layer in zip(tree, layers, strict=True):
        item = described[entry.attrib["id"]]
        raster = layer.source.endswith(".tif")
        assert item.attrib["type"] == ("raster" if raster else "vector")
        assert item.find("datasource").text == entry.attrib["source"] == f"./{layer.source}"
        assert item.find("provider").text == entry.attrib["providerKey"]
        assert CRS.from_wkt(item.find("./srs/spatialrefsys/wkt").text) == CRS(32648)
    assert root.find("./projectCrs/spatialrefsys/authid").text == "EPSG:32648"
    extent = [float(number.text) for number in root.find("./mapcanvas/extent")]
    assert extent == list(GRID.rio.bounds())
    assert root.find("./properties/Paths/Absolute").text == "false"
    assert root.find("./properties/SpatialRefSys/ProjectionsEnabled").text == "1"


def test_outlines_have_the_colour_of_the_figures():
    symbols = {"Polygon": "SimpleFill", "Point": "SimpleMarker", "Line": "SimpleLine"}
    for kind, symbol in symbols.items():
        look = qgis.outline_look(kind, style.OKABE_ITO["vermilion"])
        layer = look.find("./symbols/symbol/layer")
        values = {item.attrib["k"]: item.attrib["v"] for item in layer}
        assert layer.attrib["class"] == symbol
        assert values["line_color" if kind == "Line" else "outline_color"] == "213,94,0,255"
