"""``lsa data check``, ``init`` and ``example``: a stranger's first ten minutes."""

import json
import shutil

import geopandas as gpd
import pytest
import yaml
from PIL import Image
from shapely.geometry import box
from typer.testing import CliRunner

from lsa_helpers.mountain import write_world
from lsa_helpers.runner.cli import app
from lsa_helpers.runner.data_init import write_catalog
from lsa_helpers.sources import load_catalog
from tests.cases.conftest import hill  # noqa: F401


def lsa(*words):
    return CliRunner().invoke(app, ["data", *map(str, words)])


def test_the_check_fits_on_a_screen(hill):  # noqa: F811
    hill.catalog()
    answer = lsa("check", hill.path, "--params", "tiny")
    assert answer.exit_code == 0, answer.output
    lines = answer.stdout.splitlines()
    assert len(lines) < 40
    road = next(line for line in lines if line.strip().startswith("roads"))
    assert "found" in road and "EPSG:32648" in road and "distance: 0 to" in road and "100 %" in road
    assert "24 landslides" in answer.stdout
    assert "missing: `faults` (distance_to_fault); `ndvi` (ndvi)" in answer.stdout
    assert (
        "A run makes 11 factors; chapters: 01, 04, 05, 06, 07, 08, 09, 10, 11, 12, 13, 14."
        in answer.stdout
    )
    with Image.open(hill.path / "check.png") as picture:
        assert min(picture.size) > 500


def test_buildings_are_counted_and_make_no_factor(hill):  # noqa: F811
    hill.vector("houses.gpkg", [box(500_100, 3_299_500, 500_110, 3_299_510)] * 3)
    hill.entry("buildings", path="houses.gpkg")
    hill.catalog()
    answer = lsa("check", hill.path, "--params", "tiny")
    assert answer.exit_code == 0, answer.output
    row = next(line for line in answer.stdout.splitlines() if line.strip().startswith("buildings"))
    assert "found" in row and "3 buildings" in row
    assert "A run makes 11 factors" in answer.stdout


def test_every_wrong_entry_is_named_at_once(hill):  # noqa: F811
    hill.entry("roads", path="streets.gpkg")
    hill.entry("lithology", path="lithology.gpkg", attribute="rock")
    hill.catalog()
    answer = lsa("check", hill.path, "--json")
    assert answer.exit_code == 2
    found = json.loads(answer.stdout)
    states = {row["entry"]: row["state"] for row in found["entries"]}
    assert states["roads"] == states["lithology"] == "wrong"
    assert states["dem"] == states["inventory"] == "found"
    remarks = {row["entry"]: " ".join(row["remarks"]) for row in found["entries"]}
    assert "streets.gpkg" in remarks["roads"] and '"rock"' in remarks["lithology"]
    assert "streets.gpkg" in found["stop"]


def test_the_mountain_is_understood_without_its_catalog(tmp_path):
    """Every entry is that of the catalog it was made with; where the names say nothing, lines are
    asked about.
    """
    world = write_world(tmp_path / "world", width_km=3, height_km=2, chips_per_platform=2)
    known = load_catalog(world).entries()
    (world / "catalog.yml").unlink()
    guessed = yaml.safe_load(write_catalog(world))
    assert set(guessed) - {"name"} == set(known)
    assert guessed["lithology"]["attribute"] == "code"
    assert guessed["ndvi"]["scale"] == 0.0001
    plain = tmp_path / "plain"
    plain.mkdir()
    for number, name in enumerate(sorted({*known} - {"images", "truth"})):
        for file in (world / known[name].path).parent.glob((world / known[name].path).name):
            for part in file.parent.glob(f"{file.stem}.*"):
                shutil.copy(part, plain / f"{'abcdefghijkl'[number]}{file.stem[-1]}{part.suffix}")
    text = write_catalog(plain)
    lines = {"faults", "rivers", "roads"}
    assert set(yaml.safe_load(text)) - {"name"} == set(known) - {"images", "truth"} - lines
    assert text.count("what is it? It could be: roads, rivers, faults") == 3


@pytest.mark.parametrize("name", ["osm_buildings", "2020_房屋"])
def test_buildings_are_known_by_their_name(hill, name):  # noqa: F811
    """Outlines and points alike; landslides beside them stay the inventory."""
    slides = gpd.read_file(hill.path / "landslides.gpkg")
    for part in (slides[["geometry"]], slides[["geometry"]].set_geometry(slides.centroid)):
        part.to_file(hill.path / f"{name}.gpkg")
        guessed = yaml.safe_load(write_catalog(hill.path))
        assert guessed["buildings"] == {"path": f"{name}.gpkg"}
        assert guessed["inventory"] == {"path": "landslides.gpkg"}


def test_every_layer_of_a_package_is_looked_at(hill):  # noqa: F811
    for name in ("roads", "rivers", "lithology", "landslides"):
        file = hill.path / f"{name}.gpkg"
        gpd.read_file(file).to_file(hill.path / "all.gpkg", layer=name)
        file.unlink()
    guessed = yaml.safe_load(write_catalog(hill.path))
    assert guessed["roads"] == {"path": "all.gpkg", "layer": "roads"}
    assert guessed["lithology"] == {"path": "all.gpkg", "layer": "lithology", "attribute": "code"}
    assert guessed["inventory"] == {"path": "all.gpkg", "layer": "landslides"}
    assert guessed["dem"]["path"] == "dem.tif" and guessed["lulc"]["path"] == "lulc.tif"


def test_a_catalog_is_never_overwritten(hill):  # noqa: F811
    hill.catalog()
    answer = lsa("init", hill.path)
    assert answer.exit_code != 0 and "catalog already" in str(answer.exception)


def test_real_folders_are_understood(shared_data):
    ecuador = yaml.safe_load(write_catalog(shared_data / "ecuador_lsl"))
    assert ecuador["dem"] == {"path": "ta.tif", "band": 4}
    assert ecuador["inventory"]["label"] == "lslpts"
    assert ecuador["inventory"]["crs"] == "EPSG:32717"
    assert set(ecuador["factors"]) == {"slope", "plan_curvature", "profile_curvature"}
    assert {"mask", "extra"} < set(ecuador)
    prieta = yaml.safe_load(write_catalog(shared_data / "usgs_lomaprieta"))
    assert {"slope", "twi", "pga", "rainfall", "distance_to_river"} == set(prieta["factors"])
    assert len(prieta["extra"]) == 9
    bijie = yaml.safe_load(write_catalog(shared_data / "bijie"))
    assert bijie["images"] == {"path": ".", "format": "masks"}


def test_an_empty_folder_says_so(tmp_path):
    answer = lsa("init", tmp_path)
    assert "nothing in the folder could be understood" in str(answer.exception)


@pytest.mark.slow
def test_the_example_passes_its_own_check(tmp_path):
    assert lsa("example", tmp_path / "new").exit_code == 0
    answer = lsa("check", tmp_path / "new", "--params", "tiny")
    assert answer.exit_code == 0, answer.output
