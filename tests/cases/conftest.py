"""A stranger's small folder, to be changed case by case: a hillside in UTM 48N whose every value is
known, and a handful of image chips with one landslide each.
"""

from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import xarray as xr
import yaml
from affine import Affine
from PIL import Image
from shapely.geometry import LineString, Point, box

from lsa_helpers.errors import remarks
from lsa_helpers.factors.build import build_factors
from lsa_helpers.sources import (
    Catalog,
    check_catalog,
    load_catalog,
    read_inventory,
    target_grid,
)

CRS = "EPSG:32648"
WEST, NORTH, CELL, ROWS, COLUMNS = 500_000.0, 3_300_000.0, 12.5, 96, 128
EAST, SOUTH = WEST + COLUMNS * CELL, NORTH - ROWS * CELL
CHIP = 96


def centres() -> tuple[np.ndarray, np.ndarray]:
    """East and north of every cell's centre, metres."""
    east = WEST + (np.arange(COLUMNS) + 0.5) * CELL
    north = NORTH - (np.arange(ROWS) + 0.5) * CELL
    return np.meshgrid(east, north)


def altitude(east, north) -> np.ndarray:
    """A hillside of about 20° with spurs, m."""
    u, v = (east - WEST) / 1000, (north - SOUTH) / 1000
    return 1500 + 340 * u - 60 * v + 40 * np.sin(6 * v) + 12 * np.sin(17 * u + 11 * v)


def steepness(east, north) -> np.ndarray:
    """Slope of that hillside from its derivatives, °."""
    u, v = (east - WEST) / 1000, (north - SOUTH) / 1000
    ripple = 0.012 * np.cos(17 * u + 11 * v)
    eastward, northward = 0.34 + 17 * ripple, -0.06 + 0.24 * np.cos(6 * v) + 11 * ripple
    return np.degrees(np.arctan(np.hypot(eastward, northward)))


@dataclass
class Folder:
    """A data folder under construction: files and what its catalog says."""

    path: Path
    content: dict = field(default_factory=dict)

    def raster(self, name: str, values, transform=None, crs=CRS, **profile) -> None:
        """Write a raster of one or more bands on the hillside's cells."""
        values = np.atleast_3d(np.asarray(values).T).T
        profile = {"driver": "GTiff", "dtype": "float32", "nodata": None} | profile
        transform = transform or Affine(CELL, 0, WEST, 0, -CELL, NORTH)
        bands, height, width = values.shape
        frame = {"count": bands, "height": height, "width": width, "transform": transform}
        with rasterio.open(self.path / name, "w", crs=crs, **frame, **profile) as file:
            file.write(values.astype(profile["dtype"]))

    def vector(self, name: str, geometry, crs=CRS, columns: dict | None = None, **how) -> None:
        """Write features."""
        gpd.GeoDataFrame(columns, geometry=geometry, crs=crs).to_file(self.path / name, **how)

    def entry(self, name: str, **keys) -> None:
        """Say in the catalog what a file is."""
        self.content[name] = keys

    def catalog(self) -> Catalog:
        """The folder as a run reads it."""
        text = yaml.safe_dump(self.content, sort_keys=False, allow_unicode=True)
        (self.path / "catalog.yml").write_text(text, encoding="utf-8")
        return load_catalog(self.path)

    def factors(self, *wanted: str) -> tuple[xr.Dataset, list[str]]:
        """The factors a run makes of it, and what is said of its sources on the way."""
        with remarks() as said:
            factors, notes = build_factors(self.catalog(), wanted=wanted)
        return factors, [*notes, *map(str, said)]

    def inventory(self, **keys):
        """The inventory of an entry, and what is said of it."""
        self.entry("inventory", **keys)
        catalog = self.catalog()
        with remarks() as said:
            found = read_inventory(catalog, target_grid(catalog))
        return found, "\n".join(map(str, said))

    def check(self):
        """The rows of the check, and what it says."""
        with remarks() as said:
            rows = check_catalog(self.catalog(), need_dem="dem" in self.content)
        return rows, list(map(str, said))


def landslides(n: int = 24, seed: int = 1, within=(WEST, SOUTH, EAST, NORTH)) -> list:
    """Round landslides of 25 to 45 m radius, inside the hillside."""
    rng = np.random.default_rng(seed)
    west, south, east, north = within
    x, y = rng.uniform(west + 100, east - 100, n), rng.uniform(south + 100, north - 100, n)
    return [Point(*place).buffer(rng.uniform(25, 45), 8) for place in zip(x, y, strict=True)]


@pytest.fixture
def hill(tmp_path: Path) -> Folder:
    """DEM, a road, a river, two kinds of rock, two of land use, 24 landslides."""
    folder = Folder(tmp_path, {"name": "case"})
    east, north = centres()
    folder.raster("dem.tif", altitude(east, north), nodata=-9999)
    folder.entry("dem", path="dem.tif")
    folder.vector(
        "roads.gpkg", [LineString([(WEST + 300, SOUTH - 200), (WEST + 500, NORTH + 200)])]
    )
    folder.entry("roads", path="roads.gpkg")
    folder.vector(
        "rivers.gpkg", [LineString([(WEST - 200, SOUTH + 400), (EAST + 200, SOUTH + 700)])]
    )
    folder.entry("rivers", path="rivers.gpkg")
    middle = WEST + 900
    rocks = [
        box(WEST - 99, SOUTH - 99, middle, NORTH + 99),
        box(middle, SOUTH - 99, EAST + 99, NORTH + 99),
    ]
    folder.vector("lithology.gpkg", rocks, columns={"code": [1, 2]})
    names = {1: "granite", 2: "schist"}
    folder.entry("lithology", path="lithology.gpkg", attribute="code", names=names)
    use = np.where(north > (NORTH + SOUTH) / 2, 10, 20)
    folder.raster("lulc.tif", use, dtype="uint8", nodata=0)
    folder.entry("lulc", path="lulc.tif", names={10: "crop", 20: "forest"})
    folder.vector("landslides.gpkg", landslides())
    folder.entry("inventory", path="landslides.gpkg")
    return folder


def picture(seed: int = 0) -> np.ndarray:
    """Dull noise, (row, column, band) uint8."""
    return np.random.default_rng(seed).integers(60, 120, (CHIP, CHIP, 3)).astype(np.uint8)


def blob(column: int = 60) -> np.ndarray:
    """A landslide of 14 pixels' radius: 6.6 % of the chip."""
    row, col = np.mgrid[:CHIP, :CHIP]
    return (col - column) ** 2 + (row - 30) ** 2 < 14**2


@pytest.fixture
def chips(tmp_path: Path) -> Folder:
    """Twelve images of the layout ``masks`` whose masks are still to be written."""
    folder = Folder(tmp_path, {"name": "chips"})
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    for number in range(12):
        pixels = picture(number)
        pixels[blob(30 + 3 * number)] = 200
        Image.fromarray(pixels).save(tmp_path / f"images/a{number}.png")
    folder.entry("images", path=".", format="masks")
    return folder


def write_masks(folder: Folder, paint) -> None:
    """A mask for every image; `paint` makes an array for PIL of a bool one."""
    for number in range(12):
        mask = Image.fromarray(paint(blob(30 + 3 * number)))
        mask.save(folder.path / f"masks/a{number}.png")
