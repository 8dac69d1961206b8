"""Inventories as they come: labelled polygons, rasters, points of landslides alone, too few."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from rasterio.features import rasterize
from shapely.geometry import LineString, Point, box

from lsa_helpers.errors import InputDoubt, InputError, remarks
from lsa_helpers.runner.folds import check_folds
from lsa_helpers.runner.inputs import resolve
from lsa_helpers.samples import make_samples
from tests.cases.conftest import CRS, EAST, NORTH, SOUTH, WEST, centres, landslides


def try_folds(hill, **params):
    """What is said of the landslides before a run, with small blocks."""
    section = {"block_m": 300.0, "n_folds": 3, "cnn_window": 1, "negative_buffer_m": 50.0} | params
    values = resolve({"05_susceptibility": section}, "test")
    with remarks() as said:
        check_folds(hill.catalog(), values["01_data"], values["05_susceptibility"])
    return "\n".join(map(str, said))


def polygons(hill, labels: dict, name="s.gpkg", column="label") -> None:
    """Landslides of each label, eight of them for each."""
    shapes, column_values = [], []
    for seed, label in enumerate(labels):
        shapes += landslides(8, seed)
        column_values += [label] * 8
    values = pd.Series(column_values, dtype=object if None in labels else None)
    hill.vector(name, shapes, columns={column: values})


@pytest.mark.parametrize(
    "labels", [(1, 0), ("landslide", "stable"), ("滑坡", "非滑坡"), ("Yes", "No"), (True, False)]
)
def test_stable_polygons_are_no_landslides(hill, labels):
    polygons(hill, dict.fromkeys(labels))
    found, said = hill.inventory(path="s.gpkg", label="label")
    assert found["label"].tolist() == [1] * 8 + [0] * 8
    assert ("labels of" in said) == isinstance(labels[0], str)
    factors, _ = hill.factors("altitude")
    table = make_samples(found, factors, seed=0, max_per_landslide=10, negative_buffer_m=50)
    slides = table[table["label"] == 1]
    assert set(slides["landslide_id"]) <= set(range(8))
    places = gpd.GeoSeries(gpd.points_from_xy(slides["x"], slides["y"]))
    assert places.within(found.geometry[:8].union_all()).all()
    free = table[table["label"] == 0]
    places = gpd.GeoSeries(gpd.points_from_xy(free["x"], free["y"]))
    assert places.within(found.geometry[8:].union_all()).all()


def test_a_label_column_that_nobody_named_is_used_and_said(hill):
    polygons(hill, {1: 0, 0: 0}, column="class")
    found, said = hill.inventory(path="s.gpkg")
    assert (found["label"] == 1).sum() == 8 and 'the column "class" is read as the label' in said


def test_other_kinds_are_background(hill):
    polygons(hill, dict.fromkeys(["debris flow", "rock_fall", "river", "road"]))
    found, said = hill.inventory(path="s.gpkg", label="label")
    assert len(found) == 16 and "label" not in found
    assert "landslide: debris flow (8), rock_fall (8); left out: river (8), road (8)" in said


def test_labels_can_be_chosen(hill):
    polygons(hill, dict.fromkeys([1, 2, 3]))
    found, said = hill.inventory(path="s.gpkg", label="label", landslide_labels=[2, 3])
    assert len(found) == 16 and "landslide: 2 (8), 3 (8); left out: 1 (8)" in said
    with pytest.raises(InputError, match=r"s\.gpkg: no label.*A \(8\).*`landslide_labels"):
        polygons(hill, {"A": 0, "B": 0})
        hill.inventory(path="s.gpkg", label="label")


def test_missing_labels_are_said_and_fractions_refused(hill):
    polygons(hill, {"slide": 0, None: 0})
    found, said = hill.inventory(path="s.gpkg", label="label")
    assert len(found) == 8 and "left out without a label: 8" in said
    polygons(hill, {0.5: 0, 1.0: 0})
    with pytest.raises(InputError, match=r"s\.gpkg: the labels in .* no whole numbers.*0\.5"):
        hill.inventory(path="s.gpkg", label="label")


def burnt(value: int = 1) -> np.ndarray:
    """The 24 landslides on the hillside's cells."""
    from affine import Affine

    transform = Affine(12.5, 0, WEST, 0, -12.5, NORTH)
    return rasterize([(shape, value) for shape in landslides()], (96, 128), transform=transform)


@pytest.mark.parametrize(
    ("marked", "nodata", "keys"),
    [
        (burnt(), None, {}),
        (burnt(), 0, {}),
        (burnt(255), None, {}),
        (np.where(burnt() > 0, 1, 255), 255, {}),
        (np.where(burnt() > 0, 1, 2), None, {"landslide_values": [1]}),
        (np.where(burnt() > 0, 1, 2), None, {"landslide_labels": [1]}),
        (burnt(3) + (centres()[0] < WEST + 50), None, {"landslide_values": [3]}),
    ],
)
def test_a_raster_of_landslides_becomes_polygons(hill, marked, nodata, keys):
    hill.raster("s.tif", marked, dtype="uint8", nodata=nodata)
    found, _ = hill.inventory(path="s.tif", **keys)
    assert found["area_m2"].sum() == pytest.approx((burnt() > 0).sum() * 12.5**2)
    assert 15 <= len(found) <= 24 and found.geom_type.eq("Polygon").all()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.where(burnt() > 0, 1, 2), r"value other than 0. Found: .*1 \(\d+\), 2 \(\d+\).*values"),
        (burnt() * 0.7, "holds fractions. Found: 0 to 0.7"),
        (burnt() * 0, "no cell of the raster is marked"),
    ],
)
def test_rasters_that_are_no_inventory(hill, values, words):
    hill.raster("s.tif", values)
    with pytest.raises(InputError, match=rf"s\.tif: .*{words}"):
        hill.inventory(path="s.tif")


@pytest.mark.parametrize("nodata", [None, 0])
def test_numbers_of_landslides_keep_neighbours_apart(hill, nodata):
    """Two landslides side by side with their own numbers, where one patch would be one."""
    numbers = np.zeros((96, 128))
    numbers[20:30, 20:30], numbers[20:30, 30:40], numbers[60:64, 60:64] = 7, 8, 9
    hill.raster("s.tif", numbers, dtype="int16", nodata=nodata)
    found, said = hill.inventory(path="s.tif")
    assert sorted(found["area_m2"]) == [2500, 15625, 15625]
    assert "values read as marked: 7, 8, 9" in said


def test_two_tiles_of_a_raster(hill):
    from affine import Affine

    west = Affine(12.5, 0, WEST, 0, -12.5, NORTH)
    hill.raster("s_w.tif", burnt()[:, :64], west, dtype="uint8")
    hill.raster("s_e.tif", burnt()[:, 64:], west * Affine.translation(64, 0), dtype="uint8")
    found, _ = hill.inventory(path="s_*.tif")
    assert found["area_m2"].sum() == pytest.approx((burnt() > 0).sum() * 12.5**2)


def catalogue(hill, n: int = 30, **columns) -> None:
    """Points of landslides with longitude and latitude."""
    places = gpd.GeoSeries(landslides(n), crs=CRS).centroid.to_crs(4326)
    table = pd.DataFrame({"longitude": places.x, "latitude": places.y} | columns)
    table.to_csv(hill.path / "glc.csv", index=False)


def test_points_without_labels_are_landslides(hill):
    catalogue(hill, landslide_category="landslide")
    found, said = hill.inventory(path="glc.csv", x="longitude", y="latitude")
    assert found["label"].tolist() == [1] * 30 and not said
    factors, _ = hill.factors("altitude")
    table = make_samples(found, factors, seed=0)
    slides, free = (table[table["label"] == value] for value in (1, 0))
    assert len(slides) == len(free) == 29  # two lie in one cell
    places = gpd.GeoSeries(gpd.points_from_xy(free["x"], free["y"]), crs=CRS)
    assert places.distance(found.union_all()).min() > 100 - 12.5
    assert not try_folds(hill)


@pytest.mark.parametrize("column", ["location_accuracy", "coordinateUncertaintyInMeters", "精度"])
def test_accuracies_of_points_are_said_and_given_by_the_entry(hill, column):
    catalogue(hill, **{column: ["exact", "5km", "25km"] * 10})
    found, said = hill.inventory(path="glc.csv")
    assert "accuracy_m" not in found
    assert f'taken for exact, whatever "{column}" says' in said and "'5km': 10" in said
    found, said = hill.inventory(path="glc.csv", accuracy_m=70)
    assert found["accuracy_m"].eq(70).all() and column not in said


def test_points_at_one_place_and_outside_are_counted(hill):
    catalogue(hill)
    table = pd.read_csv(hill.path / "glc.csv")
    far = table.head(3).assign(latitude=10.0)
    pd.concat([table, table.head(5), far]).to_csv(hill.path / "glc.csv", index=False)
    found, said = hill.inventory(path="glc.csv")
    assert len(found) == 35
    assert "features at the place of another. Found: 5 of 35" in said
    assert "outside the study area are left out. Found: 3 of 38" in said


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        ([*landslides(3), Point(WEST + 500, SOUTH + 500)], "mixed.*Found: 3 Polygon, 1 Point"),
        ([LineString([(WEST, SOUTH), (EAST, NORTH)])], "enclose no area.*1 LineString"),
    ],
)
def test_mixtures_are_refused(hill, shapes, words):
    hill.vector("s.geojson", shapes)
    with pytest.raises(InputError, match=rf"s\.geojson: .*{words}"):
        hill.inventory(path="s.geojson")


def test_outlines_given_as_closed_lines(hill):
    hill.vector("s.gpkg", [LineString(shape.exterior.coords) for shape in landslides()])
    found, said = hill.inventory(path="s.gpkg")
    total = sum(shape.area for shape in landslides())
    assert len(found) == 24 and "closed lines are read as polygons. Found: 24 of 24" in said
    assert found["area_m2"].sum() == pytest.approx(total)


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        (landslides(2), "2 landslides.*3 spatial folds need 3 blocks.*block_m"),
        (
            landslides(40, within=(WEST, SOUTH, WEST + 250, SOUTH + 250)),
            r"40 landslides.*Found: [12] blocks of 300 m with.*block_m",
        ),
        ([box(WEST - 9, SOUTH - 9, EAST + 9, NORTH + 9)], "1 landslides.*[Tt]oo few cells without"),
    ],
)
def test_too_few_are_found_before_a_run(hill, shapes, words):
    hill.vector("s.gpkg", shapes)
    hill.entry("inventory", path="s.gpkg")
    with pytest.raises(InputError, match=rf"s\.gpkg: no samples .*{words}"):
        try_folds(hill)


def test_blocks_larger_than_the_area_are_refused(hill):
    """Blocks of 2 km are too large for a hillside of 1.6 km; those of 1 km are not."""
    with pytest.raises(InputError, match=r"24 landslides; 3 spatial.*a smaller `block_m`"):
        try_folds(hill, block_m=2000.0)
    assert try_folds(hill, block_m=1000.0) == ""


def test_few_are_a_doubt_and_a_large_window_is_refused(hill):
    hill.vector("s.gpkg", landslides(9, 3))
    hill.entry("inventory", path="s.gpkg")
    with pytest.warns(InputDoubt, match="few landslides to learn from. Found: 9"):
        values = resolve({"05_susceptibility": {"block_m": 300.0, "n_folds": 2}}, "test")
        params = values["05_susceptibility"].model_copy(update={"cnn_window": 1})
        check_folds(hill.catalog(), values["01_data"], params)
    with pytest.raises(InputError, match=r"s\.gpkg: .*(one class|cnn_window)"):
        try_folds(hill, cnn_window=31, block_m=600.0, n_folds=2)


def test_landslides_outside_the_mask(hill):
    """All lie east of the mask: inside the DEM, but on no cell that is learned from."""
    hill.vector("s.gpkg", landslides(20, within=(WEST + 800, SOUTH, EAST, NORTH)))
    hill.entry("inventory", path="s.gpkg")
    hill.vector("mask.gpkg", [box(WEST, SOUTH, WEST + 700, NORTH)])
    hill.entry("mask", path="mask.gpkg")
    with pytest.raises(InputError, match=r"s\.gpkg: no landslide of the inventory lies in the"):
        try_folds(hill)


def test_enough_landslides_pass_in_silence(hill):
    assert try_folds(hill) == ""


def test_chosen_labels_find_their_column(hill):
    polygons(hill, dict.fromkeys(["A", "B"]), column="what")
    found, said = hill.inventory(path="s.gpkg", landslide_labels=["B"])
    assert len(found) == 8 and 'the column "what" is read as the label' in said
    with pytest.raises(InputError, match=r"no column holds the `landslide_labels`.*\['what'\]"):
        hill.inventory(path="s.gpkg", landslide_labels=["C"])


def test_landslides_that_cover_much_are_doubted(hill):
    hill.vector("s.gpkg", [box(WEST, SOUTH, WEST + 800, NORTH)])
    found, said = hill.inventory(path="s.gpkg")
    assert len(found) == 1 and "landslides cover much of the study area. Found: 50% of it" in said


def test_a_crs_that_is_none_is_named(hill):
    catalogue(hill)
    with pytest.raises(InputError, match=r"glc\.csv, `crs`: this is no CRS. Found: UTM 48N. Write"):
        hill.inventory(path="glc.csv", crs="UTM 48N")


@pytest.mark.parametrize(
    ("column", "values", "landslides_found"),
    [
        ("what", ["Landslide", "Non-Landslide"], 4),
        ("label", [1.0, 0.0], 4),
        ("verified", [1, 0], 8),
        ("label", [3, 4], 8),
        ("kind", ["debris flow", "rockfall"], 8),
    ],
)
def test_only_a_column_that_tells_both_is_taken_for_the_label(
    hill, column, values, landslides_found
):
    hill.vector("s.gpkg", landslides(8), columns={column: values * 4})
    found, said = hill.inventory(path="s.gpkg")
    label = found["label"] if "label" in found else pd.Series([1] * len(found))
    assert (label == 1).sum() == landslides_found
    assert ("is read as the label" in said) == (landslides_found == 4)
    assert ('landslides, whatever "verified" says' in said) == (column == "verified")


@pytest.mark.parametrize(
    ("texts", "words", "count"),
    [
        (["landslide in road cut", "none"], 'the column "notes" is read as the label', 4),
        (["landslide in road cut", "none", "see report"], 'whatever "notes" says', 12),
    ],
)
def test_free_text_that_speaks_of_landslides_is_said(hill, texts, words, count):
    hill.vector("s.gpkg", landslides(4 * len(texts)), columns={"notes": texts * 4})
    found, said = hill.inventory(path="s.gpkg")
    label = found["label"] if "label" in found else pd.Series([1] * len(found))
    assert (label == 1).sum() == count and words in said


def test_an_outline_that_reaches_beyond_the_earth_is_refused(hill):
    """As one changed byte of a vertex gives it."""
    shapes = landslides(5, 0)
    far = box(WEST + 10, SOUTH + 10, 1e200, SOUTH + 20)
    hill.vector("s.gpkg", [*shapes, far])
    with pytest.raises(InputError, match="reaches to where no land is.*landslide 6, to 1e\\+200 m"):
        hill.inventory(path="s.gpkg")
