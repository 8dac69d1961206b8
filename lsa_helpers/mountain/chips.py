"""Image chips in the folders of the CAS Landslide Dataset, taken on other mountains than the one
that is mapped.
"""

import math
from pathlib import Path

import geopandas as gpd
import joblib
import numpy as np
import pandas as pd
import shapely
from affine import Affine

from lsa_helpers.mountain.geotiff import new_geotiff
from lsa_helpers.mountain.imagery import render
from lsa_helpers.mountain.landslides import landslide_ids
from lsa_helpers.mountain.platforms import PLATFORMS, Platform
from lsa_helpers.mountain.simulation import make_mountain
from lsa_helpers.mountain.view import View, make_view
from lsa_helpers.run import whole_file

# Each mountain gives a sixtieth of the chips: a tenth of the mountains, kept for the test, are
# then enough to say how far the scores depend on the mountain.
MOUNTAINS = 60
SPACING_M = 5000.0  # between mountains, so that their chips never meet on the ground
EMPTY_SHARE = 0.2  # share of chips that shall show no landslide
MIN_PIXELS = 60  # pixels of landslide that make a chip one with a landslide
# Image collections are made where landslides are frequent: more often than in the mapped area.
DENSITY = 1.5
README = """\
Image chips in the layout of the CAS Landslide Dataset (img, mask, label; 512 there, {size} pixels \
here).
Simulated, CC0. mask: 1 = landslide; label: 255 = landslide. Masks are semantic: landslides that \
touch are one.
Every chip shows a mountain of another seed than the mapped area, so the mapped scene is unseen \
ground.
Names end in _aNN_MMMM: NN is the mountain (the scene in index.csv), MMMM the chip. Chips \
do not overlap.
Ground sampling is coarser than that of the sensors they imitate, so that a chip holds whole \
landslides: {pixels}.
"""


def write_chips(
    folder: Path, *, per_platform: int, seed: int, size: int = 256, n_jobs: int = 1
) -> None:
    """Write `per_platform` chips for each platform of Table 1.

    Parameters
    ----------
    folder : Path
        Gets one folder a platform with ``img``, ``mask`` and ``label``, an index.csv with the
        mountain of each chip, and a README.txt.
    per_platform : int
        Number of chips for each platform.
    seed : int
        The mapped world's seed; the chips' mountains use other ones.
    size : int
        Edge of a chip in pixels.
    n_jobs : int
        Processes; each makes whole mountains, and the bytes are the same with any number.
    """
    mountains = min(MOUNTAINS, per_platform)
    ends = [number * per_platform // mountains for number in range(mountains + 1)]
    counts = np.diff(ends).tolist()
    apart = sum(_strips(max(counts), size)[1]) + SPACING_M  # so far north of the last one
    write_mountain = joblib.delayed(_write_mountain)
    names = joblib.Parallel(min(n_jobs, len(counts)))(
        write_mountain(folder, count, seed, number, size, number * apart)
        for number, count in enumerate(counts)
    )
    rows = [(name, f"a{number + 1:02d}") for number, some in enumerate(names) for name in some]
    with whole_file(folder / "index.csv") as part:
        pd.DataFrame(rows, columns=["id", "scene"]).to_csv(part, index=False)
    pixels = ", ".join(f"{platform.name} {platform.pixel:g} m" for platform in PLATFORMS)
    with whole_file(folder / "README.txt") as part:
        part.write_text(README.format(size=size, pixels=pixels), encoding="utf-8")


def _write_mountain(
    folder: Path, count: int, seed: int, number: int, size: int, north: float
) -> list[str]:
    """One mountain, put `north` metres away from where it was made and cut into a strip for each
    platform, of which every strip gives `count` chips: their names.
    """
    width, strips = _strips(count, size)
    own_seed = int(np.random.SeedSequence([seed, 1000 + number]).generate_state(1)[0]) >> 1
    height = math.ceil(sum(strips) / 100) * 100.0
    mountain = make_mountain(
        width / 1000, height / 1000, own_seed, density=DENSITY, margin_m=1000.0
    )
    view = make_view(mountain, own_seed)
    left, _, _, top = mountain.layers.rio.bounds()
    rng = np.random.default_rng([own_seed, 10])
    names = []
    for turn, (platform, strip) in enumerate(zip(PLATFORMS, strips, strict=True)):
        frames = _frames(left, top, width, strip, platform.pixel, size)
        # In turn, because a fifth of one or two chips is none.
        before = (number * len(PLATFORMS) + turn) * count
        n_empty = int(EMPTY_SHARE * (before + count)) - int(EMPTY_SHARE * before)
        chosen = _choose(frames, size, mountain.landslides, count, n_empty, rng)
        for chip, frame in enumerate(chosen):
            names.append(f"{platform.stem}_a{number + 1:02d}_{chip:04d}")
            path = folder / platform.folder / "img" / f"{names[-1]}.tif"
            _write_chip(path, view, frame, size, platform, north)
        top -= strip
    return names


def _strips(count: int, size: int) -> tuple[float, list[float]]:
    """Width of a mountain, and height of each platform's strip (m), with places enough for `count`
    chips.
    """
    steps = [platform.pixel * size for platform in PLATFORMS]
    # A small chip shows a landslide less often: look at more places for each chip taken.
    places = [math.ceil(count * 1.3 + (count + 3) * (360 / step) ** 2) for step in steps]
    area = sum(number * step**2 for number, step in zip(places, steps, strict=True))
    width = math.ceil(max(2000.0, 1.05 * math.sqrt(area)) / 100) * 100.0
    rows = [math.ceil(number / (width // step)) for number, step in zip(places, steps, strict=True)]
    return width, [number * step for number, step in zip(rows, steps, strict=True)]


def _frames(
    left: float, top: float, width: float, height: float, pixel: float, size: int
) -> list[Affine]:
    """Transforms of all whole chips of a strip, side by side."""
    step = pixel * size
    return [
        Affine(pixel, 0, left + column * step, 0, -pixel, top - row * step)
        for row in range(int(height / step + 1e-6))
        for column in range(int(width / step + 1e-6))
    ]


def _choose(
    frames: list[Affine],
    size: int,
    landslides: gpd.GeoDataFrame,
    count: int,
    n_empty: int,
    rng: np.random.Generator,
) -> list[Affine]:
    """Random frames: all but `n_empty` with a landslide where there are enough, the others
    without.
    """
    order = rng.permutation(len(frames))
    left, top = np.array([(frames[i].c, frames[i].f) for i in order]).T
    pixel = frames[0].a
    boxes = shapely.box(left, top - size * pixel, left + size * pixel, top)
    box, landslide = landslides.sindex.query(boxes)
    shared = shapely.area(shapely.intersection(boxes[box], landslides.geometry.values[landslide]))
    pixels = np.bincount(box, shared, minlength=len(order)) / pixel**2
    having = order[pixels >= MIN_PIXELS]
    empty = order[pixels == 0]
    few = order[(pixels > 0) & (pixels < MIN_PIXELS)]
    n_empty = min(n_empty, len(empty))
    n_having = count - n_empty
    queue = (having[:n_having], empty[:n_empty], having[n_having:], empty[n_empty:], few)
    return [frames[i] for i in sorted(np.concatenate(queue)[:count])]


def _write_chip(
    path: Path, view: View, frame: Affine, size: int, platform: Platform, north: float
) -> None:
    """Image, mask (0/1) and label (0/255) of one window, `north` metres away from it."""
    shape = (size, size)
    mask = (landslide_ids(view.mountain.landslides, frame, shape) > 0).astype(np.uint8)[None]
    image = render(view, frame, shape, platform)
    place = Affine.translation(0, north) @ frame
    for kind, bands in {"img": image, "mask": mask, "label": mask * np.uint8(255)}.items():
        with new_geotiff(path.parents[1] / kind / path.name, bands.shape, "uint8", place) as file:
            file.write(bands)
