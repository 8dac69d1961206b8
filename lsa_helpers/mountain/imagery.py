"""Optical images of the simulated mountain: any window, at any ground resolution, as one of the
platforms of Table 1.
"""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from rasterio import features
from scipy import ndimage

from lsa_helpers.mountain.layers import Ground
from lsa_helpers.mountain.noise import texture
from lsa_helpers.grid import Grid

TILE = 1024  # edge of the periodic textures, samples


@dataclass(frozen=True)
class Platform:
    """How a platform sees: ground sampling and blur, colour cast, haze, noise, and the sun.

    `pixel` is in metres, `blur` in pixels, `tint` multiplies red, green and blue, `haze` is the
    share of white-blue veil, `noise` the standard deviation in grey levels, `azimuth` and `height`
    of the sun in degrees.
    """

    name: str
    folder: str
    stem: str
    pixel: float
    blur: float
    tint: tuple[float, float, float]
    haze: float
    noise: float
    azimuth: float
    height: float


# The pixels are coarser than the sensors' best (Table 1 prints 0.2–5 m): a chip of 256 pixels then
# holds whole landslides.
PLATFORMS = (
    Platform(
        "UAV",
        "Moxi town（UAV-1m）",
        "moxi_uav",
        1.0,
        0.4,
        (1.04, 1.0, 0.94),
        0.01,
        2.0,
        150.0,
        58.0,
    ),
    Platform(
        "Landsat",
        "Wenchuan（Landsat-5m）",
        "wenchuan_landsat",
        3.5,
        1.3,
        (0.98, 1.0, 1.05),
        0.10,
        5.0,
        135.0,
        50.0,
    ),
    Platform(
        "Sentinel-2",
        "Moxitaidi（Sentinel-2）",
        "moxitaidi_sentinel2",
        3.0,
        0.9,
        (1.0, 0.98, 0.97),
        0.05,
        3.0,
        145.0,
        45.0,
    ),
    Platform(
        "SuperView-1",
        "Mengdong town（SuperView-1）",
        "mengdong_superview1",
        1.5,
        0.5,
        (1.0, 1.03, 1.0),
        0.04,
        3.5,
        160.0,
        52.0,
    ),
    Platform(
        "GF-1",
        "Longxi river（GF-1）",
        "longxi_gf1",
        2.0,
        0.7,
        (0.95, 1.0, 1.08),
        0.09,
        4.0,
        155.0,
        42.0,
    ),
    Platform(
        "Jilin-1",
        "Moxi town（Jilin-1）",
        "moxi_jilin1",
        2.5,
        0.6,
        (1.02, 1.0, 0.98),
        0.05,
        3.0,
        148.0,
        48.0,
    ),
)

# Reflected colour of each land cover: red, green, blue of its dark and its bright parts.
COLOURS = {
    10: ((96, 108, 62), (176, 160, 108)),
    20: ((22, 42, 26), (58, 84, 44)),
    30: ((92, 102, 62), (140, 138, 88)),
    40: ((50, 68, 38), (96, 106, 62)),
    50: ((60, 76, 50), (100, 110, 76)),
    60: ((44, 66, 68), (78, 98, 94)),
    80: ((120, 116, 112), (214, 208, 200)),
    90: ((104, 98, 90), (168, 160, 148)),
    100: ((206, 212, 220), (250, 250, 252)),
}


# Fresh broken rock of each unit, and the soil that lies on it.
ROCK_TONES = {
    1: (176, 166, 154),
    2: (162, 154, 144),
    3: (132, 122, 108),
    4: (160, 138, 110),
    5: (182, 176, 162),
    6: (164, 152, 126),
}
SOIL_TONE = (164, 136, 102)


@dataclass(frozen=True)
class View:
    """What the camera sees: the ground, fresh landslides, and look-alikes (old scars, roads with
    their cuts, torrents).

    `streams` is the logarithm of the catchment (m²) on the ground's grid.
    """

    ground: Ground
    streams: np.ndarray
    landslides: gpd.GeoDataFrame
    scars: gpd.GeoDataFrame
    textures: tuple[np.ndarray, np.ndarray, np.ndarray]
    seed: int


def make_view(
    ground: Ground, landslides: gpd.GeoDataFrame, scars: gpd.GeoDataFrame, seed: int
) -> View:
    """Prepare a mountain for `render`; the textures are drawn from `seed`."""
    # The largest of each 2 × 2 cells, so that a line one cell wide does not fall apart into dots.
    streams = ndimage.maximum_filter(np.log10(np.maximum(ground.area, 1e3)), 2)
    return View(
        ground,
        streams,
        landslides,
        scars,
        tuple(texture(TILE, sigma, seed + i) for i, sigma in enumerate((0.0, 1.2, 6.0))),
        seed,
    )


def render(view: View, frame: Grid, platform: Platform) -> np.ndarray:
    """An image of the window `frame`, whose cell size is the ground resolution.

    Parameters
    ----------
    view : View
        The mountain.
    frame : Grid
        Window and resolution; EPSG:32648.
    platform : Platform
        Colour, haze, noise, blur and sun.

    Returns
    -------
    ndarray, shape (3, rows, columns), uint8
    """
    x, y = frame.centres()
    noise = _Noise(view.textures, x, y)
    image = _land(view, x, y, noise)
    _roads(image, view, frame, noise)
    _bare(image, view.ground, view.scars, frame, noise, fresh=False)
    _bare(image, view.ground, view.landslides, frame, noise, fresh=True)
    image *= _light(view.ground, x, y, platform)[None]
    return _sensor(image, view, x, y, platform)


def burn_landslides(table: gpd.GeoDataFrame, frame: Grid, value: str | None = None) -> np.ndarray:
    """Pixels of `frame` whose centre lies in a landslide: 1, or the value of a column (int32; 0
    elsewhere).
    """
    near = table.iloc[table.sindex.query(shapely.box(*frame.bounds))]
    if not len(near):
        return np.zeros(frame.shape, np.int32)
    numbers = near[value] if value else np.ones(len(near), int)
    return features.rasterize(
        zip(near.geometry, numbers, strict=True),
        out_shape=frame.shape,
        transform=frame.transform,
        dtype="int32",
    )


class _Noise:
    """Textures fixed to the ground: the same place looks the same in every window."""

    def __init__(self, textures, x, y):
        self.textures, self.x, self.y = textures, x, y

    def __call__(self, kind: int, grain: float) -> np.ndarray:
        """Texture `kind` with one sample every `grain` metres, at the pixels (float32)."""
        columns, rows = (
            np.floor(self.x / grain).astype(np.int64) % TILE,
            np.floor(-self.y / grain).astype(np.int64) % TILE,
        )
        return self.textures[kind][np.ix_(rows, columns)]


def _cells(ground: Ground, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fractional rows and columns of pixel centres on the ground's grid."""
    left, _, _, top = ground.grid.bounds
    return (top - y) / ground.grid.cell_size - 0.5, (x - left) / ground.grid.cell_size - 0.5


def _bilinear(field: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Bilinear values of `field` at all pairs of `rows` and `columns` (float32)."""
    rows, columns = (
        np.clip(v, 0, size - 1.001) for v, size in zip((rows, columns), field.shape, strict=True)
    )
    i, j = rows.astype(int), columns.astype(int)
    a, b = (rows - i).astype(np.float32)[:, None], (columns - j).astype(np.float32)[None]
    strip = field[i] * (1 - a) + field[i + 1] * a
    return strip[:, j] * (1 - b) + strip[:, j + 1] * b


def _land(view: View, x, y, noise: _Noise) -> np.ndarray:
    """Colours of the land cover with ragged limits and a texture for each cover, float32 (3, rows,
    columns).
    """
    ground = view.ground
    rows, columns = _cells(ground, x, y)
    ragged = 0.55 * noise(2, 3.0) + 0.25 * noise(1, 2.0)
    i = np.clip(np.rint(rows[:, None] + ragged), 0, ground.grid.height - 1).astype(np.int32)
    j = np.clip(np.rint(columns[None] + ragged[::-1, ::-1]), 0, ground.grid.width - 1).astype(
        np.int32
    )
    cover = ground.cover[i, j]
    fine = 0.28 * noise(0, 1.7) + 0.55 * noise(1, 3.1)
    broad = 0.5 * noise(2, 11.0) + 0.4 * noise(2, 37.0)
    rough = {10: (0.15, 0.2), 20: (0.85, 0.35), 30: (0.25, 0.6), 40: (0.7, 0.6), 90: (0.6, 0.6)}
    shade = np.zeros((2, 101), np.float32)
    for code in COLOURS:
        shade[:, code] = rough.get(code, (0.3, 0.3))
    share = np.clip(0.5 + 0.32 * (shade[0][cover] * fine + shade[1][cover] * broad), -0.15, 1.2)
    fields = cover == 10
    if fields.any():
        share[fields] = np.clip(_parcels(x, y, noise)[fields] + 0.1 * fine[fields], -0.1, 1.2)
    roofs = cover == 80
    if roofs.any():
        share[roofs] = np.where(noise(1, 6.0)[roofs] > 0.4, 1.05, 0.2 + 0.1 * fine[roofs])
    dark, bright = np.zeros((3, 101), np.float32), np.zeros((3, 101), np.float32)
    for code, (low, high) in COLOURS.items():
        dark[:, code], bright[:, code] = low, high
    # The mixture of species tints a stand towards yellow or blue over some hundred metres.
    tint = 1 + 0.07 * noise(2, 23.0) + 0.04 * noise(1, 5.0)
    image = np.stack(
        [
            (dark[band][cover] + share * (bright - dark)[band][cover])
            * tint ** (1, 0.3, -0.3)[band]
            for band in range(3)
        ]
    )
    rock = cover == 90
    _paint(
        image,
        rock,
        _tones(ground.rocks[i, j][rock], 0.12),
        14 * fine[rock] + 14 * broad[rock],
        0.75,
    )
    _bars(image, ground, view.streams, rows, columns, noise, fine, broad)
    return image


def _tones(rocks: np.ndarray, soil: np.ndarray | float) -> np.ndarray:
    """Colour of broken rock mixed with a share of soil, float32 (3, pixels)."""
    table = np.zeros((3, 1 + max(ROCK_TONES)), np.float32)
    for code, tone in ROCK_TONES.items():
        table[:, code] = tone
    return table[:, rocks] * (1 - soil) + np.array(SOIL_TONE, np.float32)[:, None] * soil


def _paint(
    image: np.ndarray,
    where: np.ndarray,
    colour: np.ndarray,
    swing: np.ndarray,
    opaque: np.ndarray | float,
) -> None:
    """Lay `colour` (3, pixels) plus `swing` over the pixels of the mask `where`. Changes `image`."""
    for band in range(3):
        image[band][where] = image[band][where] * (1 - opaque) + (colour[band] + swing) * opaque


def _parcels(x, y, noise: _Noise) -> np.ndarray:
    """Brightness of field parcels: a bent grid of about 45 m by 25 m whose parcels have one shade
    each.
    """
    bend = 9 * noise(2, 9.0)
    u = np.floor((0.8 * x[None] + 0.6 * y[:, None] + bend) / 45).astype(np.int64)
    v = np.floor((-0.6 * x[None] + 0.8 * y[:, None] - bend) / 25).astype(np.int64)
    mixed = (u * 73_856_093) ^ (v * 19_349_663)
    return ((mixed >> 3) % 1000 / 1000.0).astype(np.float32)


def _bars(
    image, ground: Ground, streams: np.ndarray, rows, columns, noise: _Noise, fine, broad
) -> None:
    """Gravel bars beside rivers, and bare chutes where torrents fall down steep slopes. Changes
    `image`.
    """
    size = _bilinear(streams, rows, columns)
    river, above = _bilinear(ground.river, rows, columns), _bilinear(ground.above, rows, columns)
    steep = _bilinear(ground.slope, rows, columns) > 24
    width = 6 * (10 ** np.clip(size - 5.5, 0, 3)) ** 0.25
    gravel = (river < width + 5 * broad) & (above < 6) & (broad + 0.5 * fine > -0.2)
    chute = (size + 0.12 * broad > 4.35) & steep & (noise(2, 61.0) > 0.75)
    i = np.clip(np.rint(rows), 0, ground.grid.height - 1).astype(int)
    j = np.clip(np.rint(columns), 0, ground.grid.width - 1).astype(int)
    rocks = ground.rocks[np.ix_(i, j)]
    _paint(image, gravel, _tones(rocks[gravel], 0.15), 20 * fine[gravel], 0.95)
    _paint(image, chute, _tones(rocks[chute], 0.45), 14 * fine[chute] + 8 * broad[chute], 0.85)


def _roads(image, view: View, frame: Grid, noise: _Noise) -> None:
    """Roads: a light strip with patches of bare cut slope beside it. Changes `image`."""
    near = view.ground.roads.geometry[
        view.ground.roads.sindex.query(shapely.box(*frame.bounds).buffer(30))
    ]
    if not len(near):
        return
    cut = (
        features.rasterize(
            near.buffer(13), out_shape=frame.shape, transform=frame.transform, dtype="uint8"
        )
        > 0
    ) & (noise(2, 4.0) > 0.7)
    lane = (
        features.rasterize(
            near.buffer(max(3.5, 0.5 * frame.cell_size)),
            out_shape=frame.shape,
            transform=frame.transform,
        )
        > 0
    )
    # Quarries, building plots and spoil beside the road.
    plot = (
        features.rasterize(
            near.buffer(45), out_shape=frame.shape, transform=frame.transform, dtype="uint8"
        )
        > 0
    )
    plot &= (noise(2, 7.0) > 1.35) & (noise(2, 53.0) > 0.2)
    fine, soil = noise(0, 2.0), np.array(SOIL_TONE, np.float32)[:, None]
    _paint(image, plot, soil + 6, 10 * fine[plot] + 10 * noise(1, 4.0)[plot], 0.9)
    _paint(image, cut, soil, 12 * fine[cut], 0.9)
    _paint(image, lane, np.array([[168], [164], [158]], np.float32), 6 * fine[lane], 1.0)


def _bare(
    image, ground: Ground, table: gpd.GeoDataFrame, frame: Grid, noise: _Noise, *, fresh: bool
) -> None:
    """Bare ground of landslides, streaked along their way down; old scars are half overgrown.
    Changes `image`.
    """
    number = burn_landslides(table, frame, "id")
    here = np.flatnonzero(number)
    if not here.size:
        return
    ids = number.ravel()[here]
    order = np.zeros(int(table["id"].max()) + 1, np.int64)
    order[table["id"]] = np.arange(len(table))
    which = order[ids]
    rng = np.random.default_rng(int(table["id"].size))
    angle = table["direction"].to_numpy()[which]
    x, y = noise.x[here % frame.width], noise.y[here // frame.width]
    along, across = x * np.cos(angle) + y * np.sin(angle), -x * np.sin(angle) + y * np.cos(angle)
    streak = noise.textures[1][
        (along / 14).astype(np.int64) % TILE, (across / 2.2).astype(np.int64) % TILE
    ]
    grain = noise(0, 1.5).ravel()[here]
    tone, soil = rng.normal(0, 10, len(table)), rng.uniform(0.25, 0.95, len(table))
    cover = np.where(
        rng.random(len(table)) < 0.15,
        rng.uniform(0.45, 0.75, len(table)),
        rng.uniform(0.8, 1.0, len(table)),
    )
    cover = cover if fresh else rng.uniform(0.2, 0.6, len(table))
    grass = 0.5 * noise(2, 2.5).ravel()[here] + 0.6 * noise(1, 2.1).ravel()[here]
    opaque = cover[which] * np.clip(1.75 + grass if fresh else 0.8 + 0.5 * grass, 0.1, 1)
    row, column = (
        np.clip(np.rint(v), 0, size - 1).astype(int)
        for v, size in zip(_cells(ground, x, y), ground.grid.shape, strict=True)
    )
    colour = _tones(ground.rocks[row, column], soil[which])
    where = np.unravel_index(here, frame.shape)
    _paint(image, where, colour, tone[which] + 14 * streak + 9 * grain, opaque)


def _light(ground: Ground, x, y, platform: Platform) -> np.ndarray:
    """Illumination of the slopes by sun and sky (about 1 on flat ground)."""
    rows, columns = _cells(ground, x, y)
    east, south = _bilinear(ground.east, rows, columns), _bilinear(ground.south, rows, columns)
    azimuth, height = np.deg2rad(platform.azimuth), np.deg2rad(platform.height)
    sun = -np.sin(azimuth) * east + np.cos(azimuth) * south
    cosine = (np.cos(height) * sun + np.sin(height)) / np.sqrt(1 + east**2 + south**2)
    return (0.30 + 0.72 * np.clip(cosine, 0, None) / np.sin(height)).astype(np.float32)


def _sensor(image: np.ndarray, view: View, x, y, platform: Platform) -> np.ndarray:
    """What the sensor makes of the light: blur, tint, haze, noise, 8 bits."""
    rng = np.random.default_rng([view.seed, int(abs(x[0]) * 8), int(abs(y[0]) * 8)])
    result = np.empty(image.shape, np.uint8)
    for band in range(3):
        seen = ndimage.gaussian_filter(image[band], platform.blur) * platform.tint[band]
        seen = seen * (1 - platform.haze) + (188, 200, 214)[band] * platform.haze
        seen += platform.noise * rng.standard_normal(seen.shape, dtype=np.float32)
        result[band] = np.clip(np.rint(seen), 1, 255)
    return result
