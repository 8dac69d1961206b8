"""Image chips in the folders of the CAS Landslide Dataset, taken on other mountains than the one
that is mapped.
"""

import math
from pathlib import Path

import joblib
import numpy as np
import rasterio
import shapely

from lsa_helpers.mountain.imagery import (
    PLATFORMS,
    Platform,
    View,
    burn_landslides,
    make_view,
    render,
)
from lsa_helpers.mountain.landscape import make_mountain
from lsa_helpers.grid import Grid
from lsa_helpers.run import whole_file

BATCH = 60  # chips of one platform on one mountain
WITHOUT = 0.2  # share of chips that shall show no landslide
# image collections are made where landslides are frequent: more often than in the mapped area
DENSITY = 1.5
README = """Image chips in the layout of the CAS Landslide Dataset (img, mask, label; 512 there, {size} pixels here).
Simulated, CC0. mask: 1 = landslide; label: 255 = landslide. Masks are semantic: landslides that touch are one.
Every folder shows mountains of other seeds than the mapped area, so the mapped scene is unseen ground.
Names end in _aNN_MMMM: NN is the mountain, MMMM the chip. Chips of one folder do not overlap.
Ground sampling is coarser than that of the sensors they imitate, so that a chip holds whole landslides: {pixels}.
"""


def write_chips(
    folder: Path, *, per_platform: int, seed: int, size: int = 256, n_jobs: int = 1
) -> Path:
    """Write `per_platform` chips for each platform of Table 1.

    Parameters
    ----------
    folder : Path
        Gets one folder a platform with ``img``, ``mask`` and ``label``, and a README.txt.
    per_platform : int
        Number of chips for each platform.
    seed : int
        The mapped world's seed; the chips' mountains use other ones.
    size : int
        Edge of a chip in pixels.
    n_jobs : int
        Processes; each makes whole mountains, and the bytes are the same with any number.

    Returns
    -------
    Path
        `folder`.
    """
    counts = [min(BATCH, per_platform - start) for start in range(0, per_platform, BATCH)]
    make = joblib.delayed(_write_batch)
    joblib.Parallel(min(n_jobs, len(counts)))(
        make(folder, count, seed, batch, size) for batch, count in enumerate(counts)
    )
    pixels = ", ".join(f"{platform.name} {platform.pixel:g} m" for platform in PLATFORMS)
    with whole_file(folder / "README.txt") as part:
        part.write_text(README.format(size=size, pixels=pixels), encoding="utf-8")
    return folder


def _write_batch(folder: Path, count: int, seed: int, batch: int, size: int) -> None:
    """One mountain cut into a strip for each platform; every strip gives `count` chips."""
    steps = [platform.pixel * size for platform in PLATFORMS]
    # A small chip shows a landslide less often: look at more places for each chip taken.
    places = [math.ceil(count * (1.3 + (360 / step) ** 2)) for step in steps]
    area = sum(number * step**2 for number, step in zip(places, steps, strict=True))
    width = math.ceil(max(2000.0, 1.05 * math.sqrt(area)) / 100) * 100.0
    heights = [
        math.ceil(number / (width // step)) * step
        for number, step in zip(places, steps, strict=True)
    ]
    height = math.ceil(sum(heights) / 100) * 100.0
    other = int(np.random.SeedSequence([seed, 1000 + batch]).generate_state(1)[0]) >> 1
    mountain = make_mountain(width / 1000, height / 1000, other, density=DENSITY, margin_m=1000.0)
    view = make_view(mountain.ground, mountain.landslides, mountain.scars, other)
    left, _, _, top = mountain.ground.grid.bounds
    rng = np.random.default_rng([other, 10])
    for platform, height in zip(PLATFORMS, heights, strict=True):
        frames = _frames(left, top, width, height, platform.pixel, size)
        for number, frame in enumerate(_choose(frames, mountain.landslides, count, rng)):
            name = f"{platform.stem}_a{batch + 1:02d}_{number:04d}.tif"
            _write_chip(folder / platform.folder, name, view, frame, platform)
        top -= height


def _frames(
    left: float, top: float, width: float, height: float, pixel: float, size: int
) -> list[Grid]:
    """All whole chips of a strip, side by side."""
    step = pixel * size
    return [
        Grid.from_bounds(
            (left + j * step, top - (i + 1) * step, left + (j + 1) * step, top - i * step),
            "EPSG:32648",
            pixel,
        )
        for i in range(int(height / step + 1e-6))
        for j in range(int(width / step + 1e-6))
    ]


def _choose(frames: list[Grid], landslides, count: int, rng: np.random.Generator) -> list[Grid]:
    """Random frames: four in five with a landslide where there are enough, the others without one."""
    order = rng.permutation(len(frames))
    boxes = shapely.box(*np.array([frames[i].bounds for i in order]).T)
    shown = np.zeros(len(order))
    pairs = landslides.sindex.query(boxes)
    np.add.at(
        shown,
        pairs[0],
        shapely.area(shapely.intersection(boxes[pairs[0]], landslides.geometry.values[pairs[1]])),
    )
    pixels = shown / frames[0].cell_size ** 2
    having, empty = order[pixels >= 60], order[pixels == 0]
    few = order[(pixels > 0) & (pixels < 60)]
    wanted = [
        *having[: count - min(round(WITHOUT * count), len(empty))],
        *empty[: round(WITHOUT * count)],
    ]
    rest = [i for i in (*having, *empty, *few) if i not in set(wanted)]
    return [frames[i] for i in sorted((wanted + rest)[:count])]


def _write_chip(folder: Path, name: str, view: View, frame: Grid, platform: Platform) -> None:
    """Image, mask (0/1) and label (0/255) of one window."""
    image = render(view, frame, platform)
    mask = (burn_landslides(view.landslides, frame) > 0).astype(np.uint8)
    for kind, bands in (
        ("img", image),
        ("mask", mask[None]),
        ("label", mask[None] * np.uint8(255)),
    ):
        profile = dict(
            driver="GTiff",
            dtype="uint8",
            count=len(bands),
            height=frame.height,
            width=frame.width,
            compress="deflate",
        )
        profile |= dict(crs=frame.crs, transform=frame.transform)
        with whole_file(folder / kind / name) as part, rasterio.open(part, "w", **profile) as file:
            file.write(bands)
