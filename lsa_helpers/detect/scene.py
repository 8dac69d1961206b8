"""The detector over a georeferenced scene of any size: overlapping windows, read a batch at a time,
and the outlines found in each.

A window's edge cuts landslides, and a network is unsure of what it sees cut: these are looked at
again from the middle of a window.
"""

import itertools
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
import shapely
from affine import Affine
from rasterio.enums import Resampling
from rasterio.features import shapes
from rasterio.windows import Window
from shapely.geometry import shape

from lsa_helpers.detect.images import AS_RGB, Bands, as_unit, open_image
from lsa_helpers.detect.radiometry import Colours, measure_colours, normalise_radiometry
from lsa_helpers.errors import InputError

_SURE = 0.5  # score from which a cut landslide is worth a second look

# A detector as this module sees it: images (h, w, bands) in, per image masks (n, h, w) bool and
# scores (n,) out.
Detect = Callable[[Sequence[np.ndarray]], list[tuple[np.ndarray, np.ndarray]]]


Place = tuple[
    int, int, int, int
]  # of a window: row and column of its first pixel, height and width


@dataclass(frozen=True)
class SceneFrame:
    """A scene as the network sees it: `height` × `width` pixels of `scale` scene pixels each."""

    path: Path
    crs: rasterio.crs.CRS
    transform: Affine
    height: int
    width: int
    scale: float
    bands: Bands = AS_RGB

    def box(self, row: int, col: int, height: int, width: int) -> shapely.Polygon:
        """Footprint of a window in the scene's CRS."""
        return shapely.box(
            *self.transform @ (col, row + height), *self.transform @ (col + width, row)
        )


def open_scene(path: Path, resolution_m: float = 0.0, bands: Bands = AS_RGB) -> SceneFrame:
    """Check a scene and give its frame at the network's resolution.

    Parameters
    ----------
    path : Path
        GeoTIFF in a CRS in metres.
    resolution_m : float
        Pixel of the network, m; 0: the scene's own.
    bands : Bands
        What the network sees of it.

    Raises
    ------
    InputError
        When the scene cannot be read, lacks a band or has no CRS in metres.
    """
    with open_image(path) as file:
        bands.find(file)
        if not (file.crs and file.crs.is_projected and file.crs.linear_units_factor[1] == 1):
            raise InputError(
                "the scene has no CRS in metres",
                where=path,
                found=f"CRS {file.crs}",
                fix="Convert it with gdalwarp",
            )
        scale = resolution_m / abs(file.transform.a) if resolution_m > 0 else 1.0
        height, width = max(1, round(file.height / scale)), max(1, round(file.width / scale))
        transform = file.transform @ Affine.scale(file.width / width, file.height / height)
        return SceneFrame(Path(path), file.crs, transform, height, width, scale, bands)


def windows(length: int, size: int, overlap: int) -> list[int]:
    """First pixels of windows of `size` that cover `length` with at least `overlap` shared; the
    last ends at the edge.

    Examples
    --------
    >>> windows(1000, 512, 128)
    [0, 384, 488]
    """
    last = max(0, length - size)
    return [*range(0, last, max(1, size - overlap)), last]


def find_pieces(
    frame: SceneFrame,
    detect: Detect,
    *,
    min_score: float,
    window_px: int = 512,
    overlap_px: int = 128,
    batch_size: int = 4,
    progress: Path | None = None,
) -> list[dict]:
    """Detect landslides over a scene, window by window; only one batch of windows is in memory.

    What a window's edge cuts at a score of 0.5 or more is looked at again from a window around it,
    of which only what meets it and is not cut again is taken.

    Parameters
    ----------
    frame : SceneFrame
        From `open_scene`.
    detect : callable
        See `Detect`; from `scene_detector`.
    min_score : float
        Detections below it are dropped.
    window_px, overlap_px : int
        Window and overlap, pixels of the frame.
    batch_size : int
        Windows given to `detect` at once.
    progress : Path, optional
        File that keeps what every window gave, so that an interrupted search goes on with the next
        one. It belongs to one search: name it after all that decides the result, and delete it when
        the inventory is stored.

    Returns
    -------
    list of dict
        ``score``, ``geometry`` (polygon in the scene's CRS) and ``window`` (footprint of the window
        it was seen in); see `lsa_helpers.detect.inventory.merge_pieces`.
    """
    done = _read_progress(progress)

    def look(places: Sequence[Place]) -> list[dict]:
        """What windows show, in their order, whether they are searched now or were before an
        interruption.
        """
        missing = iter([place for place in places if place not in done])
        while batch := list(itertools.islice(missing, batch_size)):
            pixels = [_read_window(file, frame, *place) for place in batch]
            seen = [i for i, image in enumerate(pixels) if image.any()]
            found = dict(zip(seen, detect([pixels[i] for i in seen]), strict=True)) if seen else {}
            for i, place in enumerate(batch):
                done[place] = (
                    _polygons(frame, *place[:2], *found[i], min_score) if i in found else []
                )
            _write_progress(progress, {place: done[place] for place in batch})
        return [piece | {"window": frame.box(*place)} for place in places for piece in done[place]]

    with open_image(frame.path) as file:
        pieces = look(_places(frame, window_px, overlap_px))
        cut = [
            piece["geometry"]
            for piece in pieces
            if piece["score"] >= _SURE and _is_cut(frame, piece)
        ]
        again = look(_around(frame, cut, window_px, overlap_px))
    ground = shapely.union_all(cut)
    shapely.prepare(ground)
    return pieces + [
        piece
        for piece in again
        if ground.intersects(piece["geometry"]) and not _is_cut(frame, piece)
    ]


def _places(frame: SceneFrame, size: int, overlap: int) -> list[Place]:
    """Windows that cover the scene."""
    height, width = min(size, frame.height), min(size, frame.width)
    corners = itertools.product(
        windows(frame.height, size, overlap), windows(frame.width, size, overlap)
    )
    return [(row, col, height, width) for row, col in corners]


def _is_cut(frame: SceneFrame, piece: dict) -> bool:
    """Whether a detection reaches an edge of its window that is no edge of the scene."""
    pixel, scene = abs(frame.transform.a), frame.box(0, 0, frame.height, frame.width)
    sides = zip(piece["geometry"].bounds, piece["window"].bounds, scene.bounds, strict=True)
    return any(
        abs(own - edge) < 1.5 * pixel and abs(edge - end) > 1.5 * pixel for own, edge, end in sides
    )


def _around(
    frame: SceneFrame, shapes: Sequence[shapely.Geometry], size: int, overlap: int
) -> list[Place]:
    """Windows in whose middle the shapes lie with `overlap` around them, largest first, if none
    before shows them with half as much.
    """
    places: list[Place] = []
    shown: list[shapely.Polygon] = []
    scene, margin = frame.box(0, 0, frame.height, frame.width), overlap / 2 * abs(frame.transform.a)
    for each in sorted(shapes, key=lambda each: (-each.area, each.bounds)):
        needed = each.buffer(margin).envelope.intersection(scene)
        if not shapely.covers(np.array(shown, object), needed).any():
            x, y = np.reshape(each.bounds, (2, 2)).T
            cols, rows = ~frame.transform @ (x, y)
            (row, height), (col, width) = (
                _middle(min(ends), max(ends), overlap, size, length)
                for ends, length in ((rows, frame.height), (cols, frame.width))
            )
            places.append((row, col, height, width))
            shown.append(frame.box(*places[-1]))
    return places


def _middle(low: float, high: float, overlap: int, size: int, length: int) -> tuple[int, int]:
    """First pixel and size of a window along one axis of `length` that has `low` to `high` in its
    middle, or as near as the edge allows.
    """
    # The coarsest cells of the network have 32 pixels or more.
    own = min(math.ceil((high - low + 2 * overlap) / 32) * 32, size, length)
    return int(min(max((low + high - own) / 2, 0), length - own)), own


def _read_window(
    file, frame: SceneFrame, row: int, col: int, height: int, width: int
) -> np.ndarray:
    """Pixels (h, w, bands) of a window at the frame's resolution."""
    sx, sy = file.width / frame.width, file.height / frame.height
    part = Window(col * sx, row * sy, width * sx, height * sy)
    how = Resampling.average if frame.scale > 1 else Resampling.bilinear
    return frame.bands.read(file, part, (height, width), how)


def _polygons(
    frame: SceneFrame, row: int, col: int, masks: np.ndarray, scores: np.ndarray, min_score: float
) -> list[dict]:
    """Score and outline of a window's detections."""
    rows = []
    for mask, score in zip(masks, scores, strict=True):
        if score >= min_score and mask.any():
            # Only where the landslide is: outlines are drawn in a time that grows with the array.
            (top, bottom), (left, right) = (
                np.flatnonzero(mask.any(axis))[[0, -1]] for axis in (1, 0)
            )
            own = mask[top : bottom + 1, left : right + 1]
            place = frame.transform @ Affine.translation(col + int(left), row + int(top))
            parts = [
                shape(outline)
                for outline, _ in shapes(own.astype(np.uint8), mask=own, transform=place)
            ]
            rows.append({"score": float(score), "geometry": shapely.unary_union(parts)})
    return rows


def _read_progress(path: Path | None) -> dict[Place, list[dict]]:
    """What earlier windows gave; a last line that an interruption cut short is taken out of the
    file.
    """
    if path is None or not path.exists():
        return {}
    text = path.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    path.write_text(whole, encoding="utf-8")
    lines = [json.loads(line) for line in whole.splitlines()]
    return {
        tuple(place): [{"score": s, "geometry": shapely.from_wkb(wkb)} for s, wkb in pieces]
        for *place, pieces in lines
    }


def _write_progress(path: Path | None, found: dict[Place, list[dict]]) -> None:
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        json.dumps([*place, [[p["score"], shapely.to_wkb(p["geometry"], hex=True)] for p in own]])
        for place, own in found.items()
    ]
    with open(path, "a", encoding="utf-8") as file:
        file.write("".join(line + "\n" for line in lines))


def scene_colours(frame: SceneFrame) -> Colours:
    """Mean and spread of the scene's colours, from about a million of its pixels."""
    with open_image(frame.path) as file:
        step = max(1.0, (file.height * file.width / 1e6) ** 0.5)
        pixels = frame.bands.read(
            file, shape=(max(1, int(file.height / step)), max(1, int(file.width / step)))
        )
    return measure_colours(pixels.reshape(-1, pixels.shape[-1]))


def scene_detector(model, colours: Colours | None = None) -> Detect:
    """Wrap a trained Mask R-CNN for `find_pieces`; `colours` of the scene when it learned from
    matched ones.
    """
    import torch

    from lsa_helpers.detect.score import predict

    def detect(images: Sequence[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
        tensors = [
            normalise_radiometry(torch.tensor(as_unit(image)).permute(2, 0, 1), colours)
            for image in images
        ]
        return [
            (found["masks"].numpy(), found["scores"].numpy()) for found in predict(model, tensors)
        ]

    return detect
