"""Chapter 14 on a map of which every number can be counted by hand."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import geopandas as gpd
import matplotlib
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import LineString, Point, box

from lsa_helpers import classes
from lsa_helpers.raster import empty_grid, on_grid, read_raster, write_factors, write_raster
from lsa_helpers.run import Run

CHAPTER = Path(__file__).parent.parent.parent / "notebooks/14_using_the_map.py"
CRS = "EPSG:32648"
GRID = empty_grid((600_000, 3_290_000, 600_400, 3_290_200), CRS, 10)
VALUES = np.array([np.nan, 0.1, 0.5, 0.9])


def a_run(folder: Path) -> Run:
    """Two models over 40 × 20 cells of 10 m: the CNN's highest class has the ten easternmost
    columns and one cell far from them, the forest's five columns. A landslide fills the upper half
    of the last four, a road crosses the map from west to east, three houses stand beside it.
    """
    run = Run(folder / "run")
    part = np.repeat([1, 2, 3], [20, 10, 10]), np.repeat([1, 2, 3], [20, 15, 5])
    for model, columns in zip(("cnn", "rf"), part, strict=True):
        number = np.tile(columns, (20, 1)).astype(np.uint8)
        number[0, 2] = 3 if model == "cnn" else 1
        write_raster(run.product(f"classes_{model}.tif"), on_grid(number, GRID, "class"))
        for kind in ("heldout", "susceptibility"):
            map_ = on_grid(VALUES[number].astype(np.float32), GRID, "susceptibility")
            write_raster(run.product(f"{kind}_{model}.tif"), map_)
    breaks = {"breaks": {"cnn": [0.3, 0.7], "rf": [0.3, 0.7]}, "n_classes": 3}
    run.product("breaks.json").write_text(json.dumps(breaks))
    write_factors(
        run.product("factors.tif"), on_grid(GRID.values + 1, GRID, "altitude").to_dataset()
    )
    samples = pd.DataFrame({"x": [0.0]})
    samples.attrs = {"block_m": 100.0, "inventory": "reference"}
    samples.to_parquet(run.product("samples.parquet"))
    slide = gpd.GeoSeries([box(600_360, 3_290_100, 600_400, 3_290_200)], crs=CRS)
    slide.to_frame("geometry").to_file(run.product("inventory.gpkg"), layer="reference")
    road = gpd.GeoSeries([LineString([(599_000, 3_290_055), (601_000, 3_290_055)])], crs=CRS)
    road.to_file(folder / "roads.gpkg")
    houses = [Point(x, 3_290_060) for x in (600_010, 600_320, 600_390)]
    gpd.GeoSeries(houses, crs=CRS).to_file(folder / "houses.gpkg")
    (folder / "catalog.yml").write_text(
        "name: By hand\nroads: {path: roads.gpkg}\nbuildings: {path: houses.gpkg}\n"
    )
    return run


@pytest.fixture(scope="module")
def used(tmp_path_factory) -> Run:
    """The run after all cells of the chapter."""
    matplotlib.use("agg")
    folder = tmp_path_factory.mktemp("hand")
    run = a_run(folder)
    text = CHAPTER.read_text(encoding="utf-8")
    given = {"run_dir": str(run.path), "data": str(folder), "zone_area_m2": 1000.0}
    for name, value in given.items():
        (line,) = [line for line in text.splitlines() if line.startswith(f"{name}: ")]
        text = text.replace(line, f"{line.split('=')[0]}= {value!r}", 1)
    exec(compile(text, str(CHAPTER), "exec"), {"__name__": "chapter", "display": lambda _: None})
    return run


def test_hectares_of_landslide_to_100_hectares(used):
    """0.4 ha of landslide on the 201 cells of the CNN's class and on the 100 of the forest's."""
    table = used.read_table("class_density").set_index(["model", "susceptibility"])
    assert set(table["landslides"]) == {"known"}
    highest = table.xs(classes.class_names(3)[-1], level="susceptibility")
    assert highest["land_ha"].tolist() == pytest.approx([2.01, 1.0])
    assert highest["per_100_ha"].tolist() == pytest.approx([100 * 0.4 / 2.01, 40])
    assert (highest["low"] <= highest["per_100_ha"]).all()
    assert (highest["per_100_ha"] <= highest["high"]).all()
    assert highest["share_pct"].tolist() == [100, 100]
    assert table.groupby("model")["land_pct"].sum().tolist() == pytest.approx([100, 100])


def test_kilometres_and_houses(used):
    """The part of the road inside the map, 400 m, by the columns it crosses."""
    table = used.read_table("exposure").set_index("model")
    assert table.loc["cnn", "road_km"].tolist() == pytest.approx([0.2, 0.1, 0.1], abs=0.0026)
    assert table.loc["rf", "road_km"].tolist() == pytest.approx([0.2, 0.15, 0.05], abs=0.0026)
    stretches = gpd.read_file(used.product("roads.gpkg"))
    classed = stretches.set_index(["class_cnn", "class_rf"])["length_m"].to_dict()
    assert classed == pytest.approx({(1, 1): 200, (2, 2): 100, (3, 2): 50, (3, 3): 50}, abs=2.6)
    assert set(stretches.geom_type) == {"LineString"}
    np.testing.assert_allclose(stretches.length, stretches["length_m"])
    assert table.loc["cnn", "buildings"].tolist() == [1, 0, 2]
    assert table.loc["rf", "buildings"].tolist() == [1, 1, 1]


def test_where_models_agree(used):
    """Five columns of forty by both, five and one cell by the CNN alone."""
    table = used.read_table("agreement").set_index("highest_class_by")
    cells = [100, 101, 599]
    assert table["land_pct"].tolist() == pytest.approx([100 * n / 800 for n in cells])
    assert table["per_100_ha"].tolist() == pytest.approx([40, 0, 0])
    assert table["road_km"].sum() == pytest.approx(0.4)
    votes, apart = read_raster(used.product("agreement.tif")).values()
    assert [(votes == n).sum() for n in (2, 1, 0)] == cells
    assert apart.values[0, 2] == 2 and apart.sum() == 2 + 100


def test_a_lone_cell_is_no_zone(used):
    """1000 m² are ten cells: the one far from its class is gone, and nothing else."""
    table = used.read_table("zoning").set_index(["model", "zones"])
    assert table.loc[("cnn", "cells"), "patches"] == 4
    assert table.loc[("cnn", "least area"), "patches"] == 3
    assert table.loc[("cnn", "least area"), "changed_pct"] == pytest.approx(100 / 800)
    assert table.loc[("cnn", "least area"), "per_100_ha"] == pytest.approx(20)
    assert table.loc[("rf", "least area"), "changed_pct"] == 0


def test_the_files_for_the_desk_lie_beside_the_rasters(used):
    """Every layer of the project is a file there; the model with the densest class is shown."""
    root = ET.fromstring(used.product("susceptibility.qgs").read_text(encoding="utf-8"))
    for source in root.findall("./projectlayers/maplayer/datasource"):
        assert (used.path / "products" / source.text.split("|")[0]).is_file()
    tree = root.findall("./layer-tree-group/layer-tree-layer")
    shown = [item.attrib["id"] for item in tree if item.attrib["checked"] == "Qt::Checked"]
    assert "classes_rf_tif" in shown and "classes_cnn_tif" not in shown
    assert used.product("classes_cnn.qml").is_file() and used.product("map_sheet.pdf").is_file()
