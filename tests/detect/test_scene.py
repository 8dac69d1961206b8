"""The scene: windows, polygons, merging across seams, wrong scenes; and the inventory."""

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from affine import Affine
from scipy import ndimage
from shapely.geometry import Point, box

from lsa_helpers.detect.chapter import area_scores, describe, write_inventory
from lsa_helpers.detect.inventory import merge_pieces
from lsa_helpers.detect.scene import find_pieces, open_scene, windows
from lsa_helpers.errors import InputError
from lsa_helpers.run import Run


def _write(path, pixels, *, crs="EPSG:32648", cell=2.0):
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=len(pixels),
        height=pixels.shape[1],
        width=pixels.shape[2],
        dtype=pixels.dtype,
        crs=crs,
        transform=Affine(cell, 0, 500_000, 0, -cell, 3_000_000),
    ) as file:
        file.write(pixels)
    return path


def _bright(images):
    """A fake detector: every bright patch of a window is a landslide with a score that grows with
    its size in the window.
    """
    out = []
    for image in images:
        labels, count = ndimage.label(image[..., 0] > 128, np.ones((3, 3)))
        masks = labels[None] == np.arange(1, count + 1)[:, None, None]
        out.append((masks, 0.5 + 0.4 * masks.sum((1, 2)) / masks[0].size if count else np.zeros(0)))
    return out


def find_landslides(frame, detect, *, min_area_m2=0.0, **search):
    """Search and merge, as chapter 02 does."""
    return merge_pieces(
        find_pieces(frame, detect, **search),
        frame.crs,
        min_area_m2=min_area_m2,
        close_m=abs(frame.transform.a),
    )


@pytest.fixture()
def crossing(tmp_path):
    """A scene of 300 × 300 pixels whose slanting landslide crosses the corner of four windows, and
    a small one apart from it.
    """
    pixels = np.full((3, 300, 300), 40, np.uint8)
    rows, cols = np.mgrid[:300, :300]
    pixels[:, ((rows - 150) ** 2 / 90**2 + (cols - rows - 2) ** 2 / 25**2) < 1] = 200
    pixels[:, 20:30, 260:275] = 200
    return _write(tmp_path / "scene.tif", pixels)


def test_a_landslide_across_four_windows_is_one(crossing):
    """Cut by four windows and merged, it equals the result of one window (IoU at least 0.95); the
    small one stays apart.
    """
    frame = open_scene(crossing)
    cut = find_landslides(frame, _bright, min_score=0.3, window_px=170, overlap_px=40)
    whole = find_landslides(frame, _bright, min_score=0.3, window_px=300, overlap_px=0)
    assert len(cut) == len(whole) == 2
    one, other = cut.geometry[cut.area_m2.idxmax()], whole.geometry[whole.area_m2.idxmax()]
    assert one.intersection(other).area / one.union(other).area >= 0.95
    assert cut.area_m2.min() == 10 * 15 * 4.0
    assert sorted(cut.windows) == [
        1,
        4,
    ]  # not what its second looks show: it is longer than a window, so all of them cut it
    assert (
        cut.crs == "EPSG:32648"
        and cut["id"].tolist() == [1, 2]
        and cut["score"].is_monotonic_decreasing
    )


def test_batches_and_resolution_do_not_matter(crossing):
    """The same landslides whatever the batch; at twice the pixel the area stays within 5 %."""
    first = find_landslides(
        open_scene(crossing), _bright, min_score=0.3, window_px=170, overlap_px=40, batch_size=3
    )
    again = find_landslides(
        open_scene(crossing), _bright, min_score=0.3, window_px=170, overlap_px=40, batch_size=1
    )
    assert first.geometry.geom_equals(again.geometry).all()
    coarse = find_landslides(
        open_scene(crossing, 4.0), _bright, min_score=0.3, window_px=100, overlap_px=30
    )
    assert coarse.area_m2.sum() == pytest.approx(first.area_m2.sum(), rel=0.05)


def test_score_and_area_limits(crossing):
    """Weak and small landslides are left out; nothing found gives an empty table with its columns."""
    frame = open_scene(crossing)
    assert len(find_landslides(frame, _bright, min_score=0.3, window_px=300, min_area_m2=1000)) == 1
    none = find_landslides(frame, _bright, min_score=0.99, window_px=300)
    assert len(none) == 0 and list(none.columns) == [
        "id",
        "score",
        "area_m2",
        "windows",
        "geometry",
    ]


@pytest.mark.parametrize("resolution_m", [0.0, 5.0])
def test_no_read_is_larger_than_a_window(crossing, monkeypatch, resolution_m):
    """Whatever the scene's size, no more than a window is read at once: of the scene's own pixels,
    too, where the network's are coarser.
    """
    from lsa_helpers.detect.images import Bands

    reads, real = [], Bands.read

    def watched(self, file, window=None, *rest):
        pixels = real(self, file, window, *rest)
        reads.append((window, pixels.shape))
        return pixels

    monkeypatch.setattr(Bands, "read", watched)
    frame = open_scene(crossing, resolution_m)
    find_pieces(frame, _bright, min_score=0.3, window_px=70, overlap_px=20)
    assert (
        len(reads) > len(windows(frame.height, 70, 20)) * len(windows(frame.width, 70, 20)) >= 4
    )  # and second looks
    assert all(shape[0] <= 70 and shape[1] <= 70 for _, shape in reads)
    # A window of None would be the whole file.
    assert all(
        max(window.height, window.width) <= 70 * frame.scale * (1 + 1e-6) for window, _ in reads
    )


@pytest.mark.parametrize(("score", "looks"), [(0.9, 5), (0.4, 4)])
def test_what_an_edge_cuts_is_looked_at_again(tmp_path, score, looks):
    """A detector blind to the cut end of a landslide finds it whole from its middle, if it was sure
    enough of the rest.

    Nothing else of the second look is taken: the other landslide is seen once.
    """
    pixels = np.full((3, 300, 300), 40, np.uint8)
    pixels[:, 100:120, 100:185] = pixels[:, 40:60, 20:90] = (
        200  # the first crosses the edge of windows of 170, of which 40 overlap
    )
    frame, seen = open_scene(_write(tmp_path / "s.tif", pixels)), []

    def long_only(images):
        seen.extend(images)
        found = [masks[masks.any(1).sum(1) > 60] for masks, _ in _bright(images)]
        return [(masks, np.full(len(masks), score)) for masks in found]

    found = find_landslides(
        frame, long_only, min_score=0.3, window_px=170, overlap_px=40, batch_size=1
    )
    assert len(seen) == looks and len(found) == 2
    assert found.area_m2.to_list() == [(85 if looks == 5 else 70) * 20 * 4, 70 * 20 * 4]
    assert found.windows.to_list() == [2 if looks == 5 else 1, 1]


def test_interrupted_search_goes_on_with_the_next_window(crossing, tmp_path):
    """Stopped in its third batch and called again, the search looks only at the windows that are
    left, and the result is the same.

    The four windows of the scene and three second looks: two were done before it stopped.
    """
    frame, progress, asked = open_scene(crossing), tmp_path / "p" / "scene.jsonl", []
    search = {"min_score": 0.3, "window_px": 170, "overlap_px": 40, "batch_size": 1}

    def stopping(images):
        asked.append(len(images))
        if len(asked) == 3:
            raise KeyboardInterrupt
        return _bright(images)

    with pytest.raises(KeyboardInterrupt):
        find_pieces(frame, stopping, progress=progress, **search)
    # A line cut short by the interruption counts as not written.
    progress.write_text(progress.read_text() + "[340, 12")
    asked.append(None)
    resumed = find_pieces(frame, stopping, progress=progress, **search)
    whole = find_pieces(frame, _bright, **search)
    one, other = (
        [(p["score"], p["geometry"].wkb, p["window"].wkb) for p in found]
        for found in (resumed, whole)
    )
    assert len(asked) - 4 == 4 + 3 - 2 and one == other


def test_neighbours_that_barely_overlap_stay_apart(tmp_path):
    """Two detections of one window that share a fifth of the smaller are two landslides."""
    scene = _write(tmp_path / "s.tif", np.full((3, 100, 100), 90, np.uint8))

    def two(images):
        masks = np.zeros((2, 100, 100), bool)
        masks[0, 20:40, 20:60] = masks[1, 36:56, 20:60] = True
        return [(masks, np.array([0.9, 0.8])) for _ in images]

    assert len(find_landslides(open_scene(scene), two, min_score=0.1, window_px=100)) == 2


@pytest.mark.parametrize(
    ("length", "size", "overlap"),
    [(1000, 512, 128), (512, 512, 128), (100, 512, 128), (513, 512, 0)],
)
def test_windows_cover_everything(length, size, overlap):
    """Every pixel lies in a window, neighbours overlap as asked."""
    starts = windows(length, size, overlap)
    assert starts[0] == 0 and starts[-1] + size >= length
    assert all(b - a <= size - overlap for a, b in zip(starts, starts[1:], strict=False))


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


def _table(*shapes, crs="EPSG:32648", **columns):
    return gpd.GeoDataFrame(
        {"id": range(1, len(shapes) + 1), **columns}, geometry=list(shapes), crs=crs
    )


def test_area_scores_by_hand():
    """Detected 200 m², known 400 m², shared 100 m²: half of it true, a quarter found, one of two
    landslides half hit.
    """
    detected = _table(box(0, 0, 10, 10), box(50, 50, 60, 60))
    known = _table(box(0, 0, 20, 10), box(100, 100, 120, 110))
    row = area_scores(detected, known).iloc[0]
    assert row["area_precision"] == pytest.approx(0.5)
    assert row["area_recall"] == pytest.approx(0.25)
    assert row["landslides_hit"] == pytest.approx(0.5)
    assert area_scores(detected, _table(Point(0, 0), label=[1])) is None


def test_inventory_layers(tmp_path):
    """Both layers in the reference's CRS; without a scene the reference alone; with nothing no
    file.
    """
    run = Run(tmp_path)
    detected = _table(box(5e5, 3e6, 5e5 + 100, 3e6 + 100), score=[0.9], area_m2=[1e4])
    known = _table(box(5e5, 3e6, 5e5 + 50, 3e6 + 50)).to_crs("EPSG:32649")
    path = write_inventory(run, detected, known)
    assert gpd.list_layers(path)["name"].tolist() == ["detected", "reference"]
    assert gpd.read_file(path, layer="detected").crs == "EPSG:32649"
    assert gpd.list_layers(write_inventory(run, None, known))["name"].tolist() == ["reference"]
    assert write_inventory(Run(tmp_path / "none"), None, None) is None
    assert "scores on chips" in describe(None, None)
