"""The scene: tiles and their weights, scores of pixels, one landslide over many tiles."""

import numpy as np
import pytest
import rasterio
import torch
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from lsa_helpers.detect.images import Bands, as_unit, open_image
from lsa_helpers.detect.inventory import polygonize
from lsa_helpers.detect.radiometry import measure_colours
from lsa_helpers.detect.scene import (
    SceneFrame,
    open_scene,
    read_tile,
    scene_colours,
    score_pixels,
    scores_on_disk,
    tile_starts,
    tiles,
)
from lsa_helpers.errors import InputError


def _write(path, pixels, *, crs="EPSG:32648", cell=2.0):
    count, height, width = pixels.shape
    size = {"count": count, "height": height, "width": width, "dtype": pixels.dtype}
    transform = Affine(cell, 0, 500_000, 0, -cell, 3_000_000)
    with rasterio.open(path, "w", driver="GTiff", crs=crs, transform=transform, **size) as file:
        file.write(pixels)
    return path


class BrightPatches(torch.nn.Module):
    """Stands for a detector: every bright patch is a landslide, the larger the surer."""

    def forward(self, images):
        detections = []
        for image in images:
            labels, count = ndimage.label(image[0].numpy() > 0.5)
            masks = labels[None] == np.arange(1, count + 1)[:, None, None]
            scores = 0.5 + 0.4 * masks.sum((1, 2)) / labels.size
            masks = torch.from_numpy(masks[:, None].astype(np.float32))
            detections.append({"masks": masks, "scores": torch.from_numpy(scores).float()})
        return detections


def search(frame, model, size, overlap, folder, **thresholds):
    """Tiles to scores to polygons, as chapter 03 does it."""
    scores = scores_on_disk(frame, folder)
    with open_image(frame.path) as file:
        for tile, weight in tiles(frame, size, overlap):
            image = torch.from_numpy(as_unit(read_tile(file, frame, tile))).permute(2, 0, 1)
            scores[tile.toslices()] += weight * score_pixels(model, image)
    return polygonize(scores, frame.transform, frame.crs, **thresholds)


@pytest.fixture()
def crossing(tmp_path):
    """A scene of 300 × 300 pixels whose slanting landslide crosses the corner of four tiles, and a
    small one apart from it.
    """
    pixels = np.full((3, 300, 300), 40, np.uint8)
    rows, cols = np.mgrid[:300, :300]
    pixels[:, ((rows - 150) ** 2 / 90**2 + (cols - rows - 2) ** 2 / 25**2) < 1] = 200
    pixels[:, 20:30, 260:275] = 200
    return _write(tmp_path / "scene.tif", pixels)


@pytest.mark.parametrize("overlap", [0, 40, 85])
def test_a_landslide_across_four_tiles_is_one(crossing, tmp_path, overlap):
    """Cut by four tiles or more it is the same ground as in one tile; the small one stays apart."""
    frame = open_scene(crossing)
    whole = search(frame, BrightPatches(), 300, 0, tmp_path, low=0.3)
    cut = search(frame, BrightPatches(), 170, overlap, tmp_path, low=0.3)
    assert len(whole) == len(cut) == 2
    assert cut.union_all().symmetric_difference(whole.union_all()).area == 0
    assert cut.area_m2.min() == 10 * 15 * 4.0
    assert cut.crs == "EPSG:32648"


@pytest.mark.parametrize(("resolution_m", "edge"), [(0.0, 300), (4.0, 150), (0.5, 1200)])
def test_the_frame_has_the_pixel_that_is_asked_for(crossing, resolution_m, edge):
    """600 m of ground in pixels of 2 m, the scene's own, or of the network's, finer or coarser."""
    frame = open_scene(crossing, resolution_m)
    assert (frame.height, frame.width) == (edge, edge)
    assert frame.pixel_m == 600 / edge
    assert frame.bounds == (500_000, 2_999_400, 500_600, 3_000_000)


def test_coarse_pixels_are_means_and_fine_ones_lie_between(tmp_path):
    """Columns of 20 and 200: at twice the pixel all is 110, their mean; at half of it no step is
    larger than half of theirs. A narrow scene: rows and columns are not exchanged.
    """
    pixels = np.full((3, 6, 40), 20, np.uint8)
    pixels[:, :, 1::2] = 200
    path = _write(tmp_path / "columns.tif", pixels)
    for resolution_m in (4.0, 1.0):
        frame = open_scene(path, resolution_m)
        (tile,) = (tile for tile, _ in tiles(frame, 80, 0))
        with open_image(path) as file:
            read = read_tile(file, frame, tile).astype(int)
        assert read.shape == (frame.height, frame.width, 3)
        if resolution_m == 4.0:
            assert (read == 110).all()
        else:
            assert 0 < np.abs(np.diff(read, axis=1)).max() <= 91 and read.min() == 20


def test_a_tile_shows_its_place_where_pixels_are_not_quite_square(tmp_path):
    """Five rows of 2 m become two of 2.5 scene pixels, forty columns twenty of 2: every tile shows
    the columns that it covers.
    """
    pixels = np.broadcast_to(np.arange(40, dtype=np.uint8) + 1, (3, 5, 40)).copy()
    frame = open_scene(_write(tmp_path / "narrow.tif", pixels), 4.0)
    assert (frame.height, frame.width) == (2, 20)
    with open_image(frame.path) as file:
        for tile, _ in tiles(frame, 5, 0):
            read = read_tile(file, frame, tile)[0, :, 0].astype(float)
            middle = 2 * (tile.col_off + np.arange(tile.width)) + 1.5
            assert np.abs(read - middle).max() <= 0.5  # rounded to whole numbers


def test_colours_of_a_small_scene_are_those_of_all_its_pixels(tmp_path):
    """Up to a million pixels nothing is left out."""
    pixels = np.random.default_rng(0).integers(1, 255, (3, 90, 70), np.uint8)
    colours = scene_colours(open_scene(_write(tmp_path / "noise.tif", pixels)))
    assert colours == measure_colours(pixels.reshape(3, -1).T)


def test_a_coarser_pixel_keeps_the_area(crossing, tmp_path):
    """At twice the pixel the area stays within 5 %."""
    fine = search(open_scene(crossing), BrightPatches(), 170, 40, tmp_path, low=0.3)
    coarse = search(open_scene(crossing, 4.0), BrightPatches(), 100, 30, tmp_path, low=0.3)
    assert coarse.area_m2.sum() == pytest.approx(fine.area_m2.sum(), rel=0.05)


def test_what_lies_in_the_middle_of_a_tile_has_the_say(tmp_path):
    """A detector blind to what touches a tile's edge: the cut tile lowers the score of its end,
    most where it looks best, and the landslide is one and whole.
    """

    class Blind(BrightPatches):
        def forward(self, images):
            (detections,) = super().forward(images)
            rim = torch.ones(images[0].shape[-2:], dtype=bool)
            rim[1:-1, 1:-1] = False
            detections["masks"] *= ~(detections["masks"] * rim).amax((2, 3), keepdim=True).bool()
            return [detections]

    pixels = np.full((3, 40, 150), 40, np.uint8)
    pixels[:, 10:30, 60:95] = 200  # over the end of the first tile, columns 0–80, and in the second
    frame = open_scene(_write(tmp_path / "s.tif", pixels))
    found = search(frame, Blind(), 80, 40, tmp_path, low=0.1, high=0.4)
    assert len(found) == 1 and found.area_m2[0] == 20 * 35 * 4


@pytest.mark.parametrize("resolution_m", [0.0, 5.0])
def test_no_read_is_larger_than_a_tile(crossing, tmp_path, monkeypatch, resolution_m):
    """Whatever the scene's size, no more than a tile is read at once: of the scene's own pixels,
    too, where the network's are coarser.
    """
    reads, real = [], Bands.read

    def watched(self, file, window=None, *rest):
        pixels = real(self, file, window, *rest)
        reads.append((window, pixels.shape))
        return pixels

    monkeypatch.setattr(Bands, "read", watched)
    frame = open_scene(crossing, resolution_m)
    search(frame, BrightPatches(), 70, 20, tmp_path, low=0.3)
    assert len(reads) == len(list(tiles(frame, 70, 20))) >= 4
    most = 70 * frame.pixel_m / 2.0 * (1 + 1e-6)  # the scene's pixels have 2 m
    for window, shape in reads:
        assert max(shape[:2]) <= 70 and max(window.height, window.width) <= most


def test_scores_on_disk_leave_no_file(tmp_path):
    frame = SceneFrame(tmp_path, None, Affine.identity(), 30, 40)
    scores = scores_on_disk(frame, tmp_path)
    assert scores.shape == (30, 40) and scores.dtype == np.float32 and not scores.any()
    assert not list(tmp_path.iterdir())


@given(*(st.integers(1, 90) for _ in range(3)), st.integers(0, 60))
def test_weights_of_all_tiles_add_up_to_one(height, width, size, overlap):
    """Over every pixel, whatever the sizes; and neighbours overlap as asked where they can."""
    frame = SceneFrame(None, None, Affine.identity(), height, width)
    total = np.zeros((height, width))
    for tile, weight in tiles(frame, size, overlap):
        assert weight.shape == (tile.height, tile.width) and (weight > 0).all()
        total[tile.toslices()] += weight
    np.testing.assert_allclose(total, 1, rtol=1e-5)
    starts = tile_starts(height, size, overlap)
    assert starts[-1] + size >= height
    assert all(b - a <= max(1, size - overlap) for a, b in zip(starts, starts[1:], strict=False))


def test_a_pixel_has_the_score_of_its_surest_detection():
    """Two detections overlap; half-hearted parts of a mask (up to 0.5) do not count."""

    class Two(torch.nn.Module):
        def forward(self, images):
            masks = torch.zeros(2, 1, 1, 5)
            masks[0, ..., :3] = 0.9
            masks[1, ..., 2:4] = 0.6
            masks[1, ..., 4] = 0.5
            return [{"masks": masks, "scores": torch.tensor([0.75, 0.25])}]

    assert score_pixels(Two(), torch.zeros(3, 1, 5)).tolist() == [[0.75, 0.75, 0.75, 0.25, 0]]


@pytest.mark.parametrize("views", [1, 2, 4, 8])
def test_views_are_turned_back(views):
    """The mean over views lies where the patch lies; shape and place have no symmetry."""
    image = torch.zeros(3, 12, 20)
    image[:, 1:4, 2:9] = 1
    scores = score_pixels(BrightPatches(), image, views)
    assert ((scores > 0) == (image[0].numpy() > 0)).all()
    assert scores.max() == pytest.approx(0.5 + 0.4 * 21 / 240)


def test_what_one_view_shows_keeps_a_quarter():
    class LeftOnly(BrightPatches):
        def forward(self, images):
            (detections,) = super().forward(images)
            left = detections["masks"][..., :4, :5].sum((1, 2, 3)) > 0
            return [{name: values[left] for name, values in detections.items()}]

    image = torch.zeros(3, 12, 20)
    image[:, 1:3, 2:4] = 1
    once, mean = (score_pixels(LeftOnly(), image, views) for views in (1, 4))
    np.testing.assert_allclose(mean, once / 4)


@pytest.mark.parametrize(("left", "rows"), [(True, slice(None)), (False, slice(0, 4))])
def test_the_second_view_is_from_left_to_right(left, rows):
    """A detector blind to the right half, or to the lower one: of two views one or both show a
    patch in the upper left.
    """

    class Half(BrightPatches):
        def forward(self, images):
            (detections,) = super().forward(images)
            shown = detections["masks"][..., rows, : 10 if left else 20].sum((1, 2, 3)) > 0
            return [{name: values[shown] for name, values in detections.items()}]

    image = torch.zeros(3, 12, 20)
    image[:, 1:3, 2:4] = 1
    once, mean = (score_pixels(Half(), image, views) for views in (1, 2))
    np.testing.assert_allclose(mean, once / 2 if left else once)


@pytest.mark.parametrize(
    ("pixels", "crs", "message"),
    [
        (np.zeros((1, 8, 8), np.uint8), "EPSG:32648", r"1 band\(s\), 3 are needed"),
        (np.zeros((3, 8, 8), np.uint8), "EPSG:4326", "no CRS in metres"),
        (np.zeros((3, 8, 8), np.uint8), "EPSG:2227", "no CRS in metres"),  # projected, but in feet
    ],
)
def test_wrong_scenes_are_named(tmp_path, pixels, crs, message):
    """Each wrong scene has its own message with the file's name."""
    with pytest.raises(InputError, match=f"odd.tif.*{message}"):
        open_scene(_write(tmp_path / "odd.tif", pixels, crs=crs))
