"""The detector over a georeferenced scene: overlapping windows, polygons, one landslide out of its pieces."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from affine import Affine
from rasterio.enums import Resampling
from rasterio.features import shapes
from rasterio.windows import Window
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from shapely.geometry import shape

from lsa_helpers.detect.colours import Colours, match_colours, measure_colours
from lsa_helpers.errors import InputError

# A detector as this module sees it: images (h, w, 3) uint8 in, per image masks (n, h, w) bool and scores (n,) out.
Detect = Callable[[Sequence[np.ndarray]], list[tuple[np.ndarray, np.ndarray]]]


@dataclass(frozen=True)
class SceneFrame:
    """A scene as the network sees it: `height` × `width` pixels of `scale` scene pixels each."""

    path: Path
    crs: rasterio.crs.CRS
    transform: Affine
    height: int
    width: int
    scale: float

    def box(self, row: int, col: int, height: int, width: int) -> shapely.Polygon:
        """Footprint of a window in the scene's CRS."""
        return shapely.box(*self.transform @ (col, row + height), *self.transform @ (col + width, row))


def open_scene(path: Path, resolution_m: float = 0.0) -> SceneFrame:
    """Check a scene and give its frame at the network's resolution.

    Parameters
    ----------
    path : Path
        GeoTIFF, 8-bit, red, green and blue first, in a CRS in metres.
    resolution_m : float
        Pixel of the network, m; 0: the scene's own.

    Raises
    ------
    InputError
        When the scene cannot be read, has fewer than three bands, is not 8-bit or has no CRS in metres.
    """
    try:
        with rasterio.open(path) as file:
            problem = (
                "the scene has fewer than three bands" if file.count < 3
                else "the scene is not 8-bit" if file.dtypes[0] != "uint8"
                else "the scene has no CRS in metres" if not (file.crs and file.crs.is_projected)
                else None
            )  # fmt: skip
            if problem:
                found = f"{file.count} bands, {file.dtypes[0]}, CRS {file.crs}"
                raise InputError(problem, where=path, found=found, fix="Convert it with gdal_translate or gdalwarp")
            scale = resolution_m / abs(file.transform.a) if resolution_m > 0 else 1.0
            height, width = max(1, round(file.height / scale)), max(1, round(file.width / scale))
            transform = file.transform @ Affine.scale(file.width / width, file.height / height)
            return SceneFrame(Path(path), file.crs, transform, height, width, scale)
    except rasterio.errors.RasterioError as error:
        raise InputError("the scene cannot be read", where=path, found=error) from None


def windows(length: int, size: int, overlap: int) -> list[int]:
    """First pixels of windows of `size` that cover `length` with at least `overlap` shared; the last ends at the edge.

    Examples
    --------
    >>> windows(1000, 512, 128)
    [0, 384, 488]
    """
    last = max(0, length - size)
    return [*range(0, last, max(1, size - overlap)), last]


def _read_windows(frame: SceneFrame, size: int, overlap: int) -> Iterator[tuple[int, int, np.ndarray]]:
    """Row, column and pixels (h, w, 3) of every window that holds data, one after the other."""
    with rasterio.open(frame.path) as file:
        sx, sy = file.width / frame.width, file.height / frame.height
        for row in windows(frame.height, size, overlap):
            for col in windows(frame.width, size, overlap):
                height, width = min(size, frame.height), min(size, frame.width)
                part = Window(col * sx, row * sy, width * sx, height * sy)
                how = Resampling.average if frame.scale > 1 else Resampling.bilinear
                pixels = file.read([1, 2, 3], window=part, out_shape=(3, height, width), resampling=how)
                if pixels.any():
                    yield row, col, pixels.transpose(1, 2, 0)


def _polygons(frame: SceneFrame, row: int, col: int, masks: np.ndarray, scores: np.ndarray) -> list[dict]:
    place = frame.transform @ Affine.translation(col, row)
    footprint = frame.box(row, col, *masks.shape[1:]) if len(masks) else None
    rows = []
    for mask, score in zip(masks, scores, strict=True):
        if mask.any():
            parts = [shape(outline) for outline, _ in shapes(mask.astype(np.uint8), mask=mask, transform=place)]
            rows.append({"score": float(score), "geometry": shapely.unary_union(parts), "window": footprint})
    return rows


def find_landslides(
    frame: SceneFrame, detect: Detect, *,
    min_score: float, window_px: int = 512, overlap_px: int = 128, min_area_m2: float = 0.0, batch_size: int = 4,
) -> gpd.GeoDataFrame:  # fmt: skip
    """Detect landslides over a scene, window by window; only one batch of windows is in memory.

    Parameters
    ----------
    frame : SceneFrame
        From `open_scene`.
    detect : callable
        See `Detect`; from `scene_detector`.
    min_score : float
        Detections below it are dropped before pieces are merged.
    window_px, overlap_px : int
        Window and overlap, pixels of the frame.
    min_area_m2 : float
        Smaller landslides are dropped after merging.
    batch_size : int
        Windows given to `detect` at once.

    Returns
    -------
    GeoDataFrame
        id (from 1), score (best of its pieces), area_m2 and polygon in the scene's CRS, highest score first.
    """
    pieces, batch = [], []

    def flush() -> None:
        for (row, col, _), (masks, scores) in zip(batch, detect([pixels for *_, pixels in batch]), strict=True):
            kept = scores >= min_score
            pieces.extend(_polygons(frame, row, col, masks[kept], scores[kept]))
        batch.clear()

    for window in _read_windows(frame, window_px, overlap_px):
        batch.append(window)
        if len(batch) == batch_size:
            flush()
    if batch:
        flush()
    return merge_pieces(pieces, frame.crs, min_area_m2)


def merge_pieces(pieces: Sequence[dict], crs, min_area_m2: float = 0.0) -> gpd.GeoDataFrame:
    """Join detections of the same landslide in overlapping windows.

    Two detections are one landslide when, within the ground both windows saw, they share at least half of the smaller one: a landslide
    cut by a window's edge agrees with its neighbour there, whatever lies outside.

    Parameters
    ----------
    pieces : sequence of dict
        ``score``, ``geometry`` and ``window`` (footprint of the window it was seen in).
    crs : CRS
    min_area_m2 : float

    Returns
    -------
    GeoDataFrame
        id, score, area_m2, polygon.
    """
    shapes_, seen = (np.array([piece[key] for piece in pieces], dtype=object) for key in ("geometry", "window"))
    scores = np.array([piece["score"] for piece in pieces])
    i, j = shapely.STRtree(shapes_).query(shapes_, predicate="intersects")
    i, j = i[i < j], j[i < j]
    both = shapely.intersection(seen[i], seen[j])
    smaller = np.minimum(shapely.area(shapely.intersection(shapes_[i], both)), shapely.area(shapely.intersection(shapes_[j], both)))
    same = shapely.area(shapely.intersection(shapes_[i], shapes_[j])) >= 0.5 * np.maximum(smaller, 1e-9)
    links = coo_matrix((np.ones(same.sum()), (i[same], j[same])), shape=(len(pieces),) * 2)
    group = connected_components(links, directed=False)[1] if len(pieces) else np.zeros(0, int)
    joined = [(float(scores[group == g].max()), shapely.unary_union(shapes_[group == g])) for g in np.unique(group)]
    # One row per polygon: a mask may have come apart into several.
    rows = [(score, part) for score, whole in joined for part in shapely.get_parts(whole) if part.area >= max(min_area_m2, 1e-9)]
    rows.sort(key=lambda item: (-item[0], -item[1].area, item[1].bounds))
    table = gpd.GeoDataFrame(
        {"id": np.arange(1, len(rows) + 1), "score": [r[0] for r in rows], "area_m2": [r[1].area for r in rows]},
        geometry=[r[1] for r in rows], crs=crs,
    )  # fmt: skip
    return table.astype({"score": float, "area_m2": float})


def scene_colours(frame: SceneFrame) -> Colours:
    """Mean and spread of the scene's colours, from about a million of its pixels."""
    with rasterio.open(frame.path) as file:
        step = max(1.0, (file.height * file.width / 1e6) ** 0.5)
        shape_ = (3, max(1, int(file.height / step)), max(1, int(file.width / step)))
        pixels = file.read([1, 2, 3], out_shape=shape_, resampling=Resampling.nearest)
    return measure_colours(pixels.reshape(3, -1).T)


def scene_detector(model, colours: Colours | None = None) -> Detect:
    """Wrap a trained Mask R-CNN for `find_landslides`; `colours` of the scene when it learned from matched ones."""
    import torch

    from lsa_helpers.detect.score import predict

    def detect(images: Sequence[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
        tensors = [match_colours(torch.tensor(image).permute(2, 0, 1).float() / 255, colours) for image in images]
        return [(found["masks"].numpy(), found["scores"].numpy()) for found in predict(model, tensors)]

    return detect
