"""Optical images of the simulated mountain: any window, at any ground resolution, as one of the
platforms of Table 1.
"""

import geopandas as gpd
import numpy as np
import shapely
from affine import Affine
from scipy import ndimage

from lsa_helpers.mountain.landslides import landslide_ids
from lsa_helpers.mountain.platforms import Platform
from lsa_helpers.mountain.view import TILE, Pixels, View

# Of each land cover: red, green, blue of its dark and its bright parts, and how much fine and broad
# texture mixes the two.
COLOURS = {
    10: ((96, 108, 62), (176, 160, 108), (0.15, 0.2)),
    20: ((22, 42, 26), (58, 84, 44), (0.85, 0.35)),
    30: ((92, 102, 62), (140, 138, 88), (0.25, 0.6)),
    40: ((50, 68, 38), (96, 106, 62), (0.7, 0.6)),
    50: ((60, 76, 50), (100, 110, 76), (0.3, 0.3)),
    60: ((44, 66, 68), (78, 98, 94), (0.3, 0.3)),
    80: ((120, 116, 112), (214, 208, 200), (0.3, 0.3)),
    90: ((104, 98, 90), (168, 160, 148), (0.6, 0.6)),
    100: ((206, 212, 220), (250, 250, 252), (0.3, 0.3)),
}
# Fresh broken rock of each unit from code 1 on, and the soil that lies on it.
ROCK_TONES = np.array(
    [
        (176, 166, 154),
        (162, 154, 144),
        (132, 122, 108),
        (160, 138, 110),
        (182, 176, 162),
        (164, 152, 126),
    ],
    np.float32,
)
SOIL_TONE = np.array([(164,), (136,), (102,)], np.float32)
ROAD_TONE = np.array([(168,), (164,), (158,)], np.float32)
HAZE = (188, 200, 214)  # red, green, blue


def render(view: View, transform: Affine, shape: tuple[int, int], platform: Platform) -> np.ndarray:
    """An image of a window of the mountain.

    Parameters
    ----------
    view : View
        The mountain.
    transform : Affine
        Of the window; its cells are the ground resolution. EPSG:32648.
    shape : (rows, columns)
        Of the window.
    platform : Platform
        Colour, haze, noise, blur and sun.

    Returns
    -------
    ndarray, shape (3, rows, columns), uint8
    """
    pixels = Pixels(view, transform, shape)
    image = _land_colours(view, pixels)
    _paint_roads(image, view, pixels)
    _paint_bare_ground(image, view, pixels, view.mountain.scars, fresh=False)
    _paint_bare_ground(image, view, pixels, view.mountain.landslides, fresh=True)
    image *= _light(view, pixels, platform)
    return _record(image, view, pixels, platform)


def _land_colours(view: View, pixels: Pixels) -> np.ndarray:
    """Land cover with ragged limits and a texture for each cover, gravel and torrents: red, green
    and blue before light and sensor, float32 (3, rows, columns).
    """
    layers = view.mountain.layers
    texture = pixels.texture
    ragged = 0.55 * texture("broad", 3.0) + 0.25 * texture("fine", 2.0)
    cover = pixels.nearest(layers.cover, ragged)
    fine = 0.28 * texture("white", 1.7) + 0.55 * texture("fine", 3.1)
    broad = 0.5 * texture("broad", 11.0) + 0.4 * texture("broad", 37.0)
    dark, bright, fine_share, broad_share = _colour_tables()
    mix = 0.32 * (fine_share[cover] * fine + broad_share[cover] * broad)
    share = np.clip(0.5 + mix, -0.15, 1.2)
    fields = cover == 10
    if fields.any():
        share[fields] = np.clip(_parcels(pixels)[fields] + 0.1 * fine[fields], -0.1, 1.2)
    built = cover == 80
    if built.any():
        roofs = texture("fine", 6.0)[built] > 0.4
        share[built] = np.where(roofs, 1.05, 0.2 + 0.1 * fine[built])
    # The mixture of species tints a stand towards yellow or blue over some hundred metres.
    tint = 1 + 0.07 * texture("broad", 23.0) + 0.04 * texture("fine", 5.0)
    image = np.stack(
        [
            (dark[band][cover] + share * (bright - dark)[band][cover]) * tint**power
            for band, power in enumerate((1, 0.3, -0.3))
        ]
    )
    rock = cover == 90
    tones = _tones(pixels.nearest(layers.rocks, ragged)[rock], 0.12)
    _paint(image, rock, tones, 14 * fine[rock] + 14 * broad[rock], 0.75)
    _paint_gravel(image, view, pixels, fine, broad)
    return image


def _colour_tables() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Dark and bright colour (3, 101), fine and broad texture (101) of each land cover code."""
    dark, bright = np.zeros((2, 3, 101), np.float32)
    texture = np.zeros((2, 101), np.float32)
    for code, (dark_colour, bright_colour, shares) in COLOURS.items():
        dark[:, code] = dark_colour
        bright[:, code] = bright_colour
        texture[:, code] = shares
    return dark, bright, *texture


def _tones(rocks: np.ndarray, soil: np.ndarray | float) -> np.ndarray:
    """Colour of broken rock mixed with a share of soil, float32 (3, pixels)."""
    return ROCK_TONES[rocks - 1].T * (1 - soil) + SOIL_TONE * soil


def _paint(
    image: np.ndarray,
    where: np.ndarray,
    colour: np.ndarray,
    swing: np.ndarray,
    opaque: np.ndarray | float,
) -> None:
    """Lay `colour` (3, pixels) plus `swing` over the pixels `where`. Changes `image`."""
    for band in range(3):
        image[band][where] = image[band][where] * (1 - opaque) + (colour[band] + swing) * opaque


def _parcels(pixels: Pixels) -> np.ndarray:
    """Brightness of field parcels: a bent grid of about 45 m by 25 m whose parcels have one shade
    each.
    """
    bend = 9 * pixels.texture("broad", 9.0)
    x = pixels.x[None]
    y = pixels.y[:, None]
    u = np.floor((0.8 * x + 0.6 * y + bend) / 45).astype(np.int64)
    v = np.floor((-0.6 * x + 0.8 * y - bend) / 25).astype(np.int64)
    mixed = (u * 73_856_093) ^ (v * 19_349_663)
    return ((mixed >> 3) % 1000 / 1000.0).astype(np.float32)


def _paint_gravel(
    image: np.ndarray, view: View, pixels: Pixels, fine: np.ndarray, broad: np.ndarray
) -> None:
    """Gravel bars beside rivers, and bare chutes where torrents fall down steep slopes. Changes
    `image`.
    """
    layers = view.mountain.layers
    size = pixels.bilinear(view.streams)
    width = 6 * (10 ** np.clip(size - 5.5, 0, 3)) ** 0.25
    beside = pixels.bilinear(layers.river) < width + 5 * broad
    low = pixels.bilinear(layers.above_stream) < 6
    bar = beside & low & (broad + 0.5 * fine > -0.2)
    steep = pixels.bilinear(layers.slope) > 24
    chute = (size + 0.12 * broad > 4.35) & steep & (pixels.texture("broad", 61.0) > 0.75)
    rocks = pixels.nearest(layers.rocks)
    _paint(image, bar, _tones(rocks[bar], 0.15), 20 * fine[bar], 0.95)
    _paint(image, chute, _tones(rocks[chute], 0.45), 14 * fine[chute] + 8 * broad[chute], 0.85)


def _paint_roads(image: np.ndarray, view: View, pixels: Pixels) -> None:
    """Roads: a light strip, patches of bare cut slope, quarries and building plots beside it.
    Changes `image`.
    """
    roads = view.mountain.lines["roads"].geometry
    roads = roads.iloc[roads.sindex.query(shapely.box(*pixels.bounds).buffer(30))]
    if roads.empty:
        return
    lane = pixels.within(roads, max(3.5, 0.5 * pixels.transform.a))
    cut = pixels.within(roads, 13) & (pixels.texture("broad", 4.0) > 0.7)
    plot = pixels.within(roads, 45) & (pixels.texture("broad", 7.0) > 1.35)
    plot &= pixels.texture("broad", 53.0) > 0.2
    white = pixels.texture("white", 2.0)
    swing = 10 * white[plot] + 10 * pixels.texture("fine", 4.0)[plot]
    _paint(image, plot, SOIL_TONE + 6, swing, 0.9)
    _paint(image, cut, SOIL_TONE, 12 * white[cut], 0.9)
    _paint(image, lane, ROAD_TONE, 6 * white[lane], 1.0)


def _paint_bare_ground(
    image: np.ndarray, view: View, pixels: Pixels, landslides: gpd.GeoDataFrame, *, fresh: bool
) -> None:
    """Bare ground of landslides (id from 1 on), streaked along their way down; scars that are not
    `fresh` are half overgrown. Changes `image`.
    """
    numbers = landslide_ids(landslides, pixels.transform, pixels.shape)
    where = rows, columns = np.nonzero(numbers)
    if not rows.size:
        return
    row = numbers[where] - 1  # of the table
    tone, soil, cover = _bare_looks(len(landslides), fresh)
    angle = landslides["direction"].to_numpy()[row]
    east = pixels.x[columns]
    north = pixels.y[rows]
    along = east * np.cos(angle) + north * np.sin(angle)
    across = -east * np.sin(angle) + north * np.cos(angle)
    samples = ((along / 14).astype(np.int64) % TILE, (across / 2.2).astype(np.int64) % TILE)
    streak = pixels.textures["fine"][samples]
    grain = pixels.texture("white", 1.5)[where]
    grass = 0.5 * pixels.texture("broad", 2.5)[where] + 0.6 * pixels.texture("fine", 2.1)[where]
    opaque = cover[row] * np.clip(1.75 + grass if fresh else 0.8 + 0.5 * grass, 0.1, 1)
    colour = _tones(pixels.nearest(view.mountain.layers.rocks)[where], soil[row])
    _paint(image, where, colour, tone[row] + 14 * streak + 9 * grain, opaque)


def _bare_looks(count: int, fresh: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of `count` landslides: shift of their tone (grey levels), share of soil, and share of bare
    ground; one in seven fresh ones keeps much of its vegetation.
    """
    rng = np.random.default_rng(count)
    tone = rng.normal(0, 10, count)
    soil = rng.uniform(0.25, 0.95, count)
    patchy = rng.random(count) < 0.15
    cover = np.where(patchy, rng.uniform(0.45, 0.75, count), rng.uniform(0.8, 1.0, count))
    return tone, soil, cover if fresh else rng.uniform(0.2, 0.6, count)


def _light(view: View, pixels: Pixels, platform: Platform) -> np.ndarray:
    """Illumination of the slopes by sun and sky (about 1 on flat ground)."""
    east = pixels.bilinear(view.mountain.layers.east)
    south = pixels.bilinear(view.mountain.layers.south)
    azimuth, height = np.deg2rad(platform.sun)
    sun = -np.sin(azimuth) * east + np.cos(azimuth) * south
    cosine = (np.cos(height) * sun + np.sin(height)) / np.sqrt(1 + east**2 + south**2)
    return (0.30 + 0.72 * np.clip(cosine, 0, None) / np.sin(height)).astype(np.float32)


def _record(image: np.ndarray, view: View, pixels: Pixels, platform: Platform) -> np.ndarray:
    """What the sensor makes of the light: blur, tint, haze, noise, 8 bits."""
    corner = [int(abs(pixels.x[0]) * 8), int(abs(pixels.y[0]) * 8)]
    rng = np.random.default_rng([view.seed, *corner])
    recorded = np.empty(image.shape, np.uint8)
    for band in range(3):
        light = ndimage.gaussian_filter(image[band], platform.blur) * platform.tint[band]
        light = light * (1 - platform.haze) + HAZE[band] * platform.haze
        light += platform.noise * rng.standard_normal(light.shape, dtype=np.float32)
        recorded[band] = np.clip(np.rint(light), 1, 255)
    return recorded
