"""Chips cut from a georeferenced image whose landslides are polygons."""

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import Point, box

from lsa_helpers.detect.chips import check_chips, count_table, read_chip
from lsa_helpers.detect.layouts import list_chips
from lsa_helpers.detect.split import split_chips
from lsa_helpers.detect.tiling import cut_chips
from lsa_helpers.errors import InputError
from lsa_helpers.runner.manifest import data_hashes
from lsa_helpers.sources import load_catalog
from tests.detect.test_images import write_bands

LEFT, TOP = 5e5, 33e5  # of the images that write_bands makes; a pixel is 10 m


def _ground(col0, row0, col1, row1):
    """A rectangle in pixels as a polygon on the ground."""
    return box(LEFT + 10 * col0, TOP - 10 * row1, LEFT + 10 * col1, TOP - 10 * row0)


@pytest.fixture()
def folder(tmp_path):
    """200 × 100 pixels, chips of 50: two touching landslides in the first chip, one across the
    second and third, nodata at the right.
    """
    pixels = np.full((3, 100, 200), 90, np.uint8)
    pixels[0] += np.arange(200, dtype=np.uint8) % 7
    pixels[:, :, 150:] = 0
    write_bands(tmp_path / "image.tif", pixels)
    shapes = [
        _ground(5, 5, 15, 15),
        _ground(15, 5, 25, 15),
        _ground(95, 10, 105, 20),
        _ground(900, 0, 910, 9),
    ]
    gpd.GeoDataFrame(geometry=shapes, crs="EPSG:32648").to_crs("EPSG:4326").to_file(
        tmp_path / "slides.gpkg"
    )
    (tmp_path / "catalog.yml").write_text(
        "images: {path: image.tif, format: polygons, polygons: slides.gpkg, chip_px: 50, "
        "platform: UAV}"
    )
    return tmp_path


def test_outlines_stay_apart_and_cross_edges(folder):
    """Touching landslides stay two, one on an edge is cut; as many chips again are empty, none is
    nodata; the count says what merges.
    """
    chips = list_chips(load_catalog(folder))
    having = {chip.window[:2]: read_chip(chip)[1] for chip in chips if chip.truth}
    assert {place: len(masks) for place, masks in having.items()} == {
        (0, 0): 2,
        (50, 0): 1,
        (100, 0): 1,
    }
    assert [int(masks.sum()) for masks in having.values()] == pytest.approx(
        [200, 50, 50], abs=12
    )  # through degrees and back
    assert having[(50, 0)][0, 10:20, 46:].all() and not having[(50, 0)][0, :, :44].any()
    empty = [chip.window[0] for chip in chips if not chip.truth]
    assert len(empty) == 3 and max(empty) < 150
    report = check_chips(chips)
    assert (
        not report["bad"].any() and report["landslides"].sum() == 4 and report["merged"].sum() == 1
    )


def test_neighbours_share_a_scene_and_pixels_their_size(folder):
    """Ten runs of neighbours an image; ground resolution and platform are known, so the table of
    images is filled.
    """
    chips = split_chips(list_chips(load_catalog(folder)), 0)
    assert {chip.resolution_m for chip in chips} == {10.0}
    assert count_table(chips)[["platform", "images"]].iloc[0].tolist() == ["UAV", 6]


@pytest.mark.parametrize(("width", "widths"), [(125, [50, 50, 25]), (124, [50, 50])])
def test_half_a_chip_at_the_edge_is_kept(tmp_path, width, widths):
    """A rest of 25 of 50 pixels is a chip, of 24 none; its place ends where the image does."""
    write_bands(tmp_path / "image.tif", np.full((3, 50, width), 90, np.uint8))
    shapes = [_ground(0, 20, width, 30)]
    gpd.GeoDataFrame(geometry=shapes, crs="EPSG:32648").to_file(tmp_path / "slides.gpkg")
    chips = cut_chips([tmp_path / "image.tif"], tmp_path / "slides.gpkg", 50)
    assert [chip.window[2] for chip in chips] == widths
    lefts = [LEFT + 10 * 50 * i for i in range(len(widths))]
    rights = [left + 10 * edge for left, edge in zip(lefts, widths, strict=True)]
    assert [chip.footprint for chip in chips] == [
        ("EPSG:32648", left, TOP - 500, right, TOP)
        for left, right in zip(lefts, rights, strict=True)
    ]


def test_other_outlines_are_other_data(folder):
    """The stages that read the images are done again when the outlines change."""
    before = data_hashes(load_catalog(folder))
    assert set(before) == {"catalog", "data/image.tif", "data/slides.gpkg"}
    gpd.GeoDataFrame(geometry=[_ground(5, 5, 25, 15)], crs="EPSG:32648").to_file(
        folder / "slides.gpkg"
    )
    assert data_hashes(load_catalog(folder)) != before


def test_images_that_cannot_be_cut_stand_in_one_report(folder):
    """Two broken images beside a good one: both are named, and the chips of the good one can be
    used.
    """
    for name in ("u.tif", "v.tif"):
        (folder / name).write_bytes(b"nothing")
    (folder / "catalog.yml").write_text(
        "images: {path: '*.tif', format: polygons, polygons: slides.gpkg, chip_px: 50}"
    )
    report = check_chips(list_chips(load_catalog(folder)))
    assert report["bad"].tolist() == [False] * 6 + [True, True]
    for name, problem in zip(("u.tif", "v.tif"), report["problem"][6:], strict=True):
        assert name in problem and "cannot be read" in problem


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("points", "enclose no area"),
        ("elsewhere", "no landslide lies on the images"),
        ("unnamed", "polygons: FILE"),
        ("broken", "slides.gpkg: the file cannot be read"),
    ],
)
def test_wrong_outlines_are_named(folder, change, words):
    """Each mistake has one message that says what to do."""
    shapes = {"points": [Point(LEFT, TOP)], "elsewhere": [_ground(900, 0, 910, 9)]}
    if change in shapes:
        gpd.GeoDataFrame(geometry=shapes[change], crs="EPSG:32648").to_file(folder / "slides.gpkg")
    elif change == "broken":
        (folder / "slides.gpkg").write_bytes(b"nothing")
    else:
        (folder / "catalog.yml").write_text("images: {path: image.tif, format: polygons}")
    with pytest.raises(InputError, match=words):
        list_chips(load_catalog(folder))
