"""The six platforms of Table 1, as the simulated mountain imitates them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Platform:
    """How a platform sees.

    Parameters
    ----------
    name, folder, stem : str
        Name; folder of its chips in the CAS Landslide Dataset; how its files' names begin.
    pixel : float
        Ground sampling, m.
    blur : float
        Standard deviation of the blur, pixels.
    tint : tuple of float
        Factors on red, green and blue.
    haze : float
        Share of white-blue veil.
    noise : float
        Standard deviation, grey levels.
    sun : tuple of float
        Azimuth (clockwise from north) and height, degrees.
    """

    name: str
    folder: str
    stem: str
    pixel: float
    blur: float
    tint: tuple[float, float, float]
    haze: float
    noise: float
    sun: tuple[float, float]


# Name, folder, stem; pixel, blur, tint, haze, noise, sun. The pixels are coarser than the sensors'
# best (Table 1 prints 0.2–5 m): a chip of 256 pixels then holds whole landslides.
PLATFORMS = tuple(
    Platform(*names, *sensor)
    for names, sensor in (
        (
            ("UAV", "Moxi town（UAV-1m）", "moxi_uav"),
            (1.0, 0.4, (1.04, 1.0, 0.94), 0.01, 2.0, (150.0, 58.0)),
        ),
        (
            ("Landsat", "Wenchuan（Landsat-5m）", "wenchuan_landsat"),
            (3.5, 1.3, (0.98, 1.0, 1.05), 0.10, 5.0, (135.0, 50.0)),
        ),
        (
            ("Sentinel-2", "Moxitaidi（Sentinel-2）", "moxitaidi_sentinel2"),
            (3.0, 0.9, (1.0, 0.98, 0.97), 0.05, 3.0, (145.0, 45.0)),
        ),
        (
            ("SuperView-1", "Mengdong town（SuperView-1）", "mengdong_superview1"),
            (1.5, 0.5, (1.0, 1.03, 1.0), 0.04, 3.5, (160.0, 52.0)),
        ),
        (
            ("GF-1", "Longxi river（GF-1）", "longxi_gf1"),
            (2.0, 0.7, (0.95, 1.0, 1.08), 0.09, 4.0, (155.0, 42.0)),
        ),
        (
            ("Jilin-1", "Moxi town（Jilin-1）", "moxi_jilin1"),
            (2.5, 0.6, (1.02, 1.0, 0.98), 0.05, 3.0, (148.0, 48.0)),
        ),
    )
)
