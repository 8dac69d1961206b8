"""``catalog.yml``: which file of a data folder is what."""

import glob
import os
import re
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from lsa_helpers.errors import InputError, did_you_mean, explain_invalid

RASTERS = {".tif", ".tiff", ".vrt", ".img", ".asc", ".nc", ".nc4", ".jp2"}
TABLES = {".csv", ".xls", ".xlsx", ".parquet"}
#: What lies beside a raster or Shapefile and is none itself.
BESIDE = (
    ".aux.xml",
    ".ovr",
    ".hdr",
    ".prj",
    ".tfw",
    ".stx",
    ".qml",
    ".sld",
    ".cpg",
    ".dbf",
    ".shx",
)
BESIDE += (".sbn", ".sbx", ".cst", ".sgrd", ".mgrd", ".md5", ".shp.xml", ".qpj", ".qix", ".blw")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Entry(_Strict):
    """One source of the data folder; which keys matter depends on what the file is."""

    path: str | list[str] = Field(
        min_length=1,
        description="file, wildcard or list of them, all of which are read; in the data folder or "
        "absolute; also GDAL's name of a layer (GPKG:file:table)",
    )
    layer: str = Field("", description="layer of a file that holds several")
    encoding: str = Field("", description="encoding of the texts of a Shapefile or table")
    source: str = Field("", description="who made it, for the source table")
    resolution: str = Field(
        "", description="its resolution or scale as published; empty: read from the file"
    )
    license: str = Field("", description="its licence")
    unit: str = Field(
        "",
        description="unit of the stored values, after `scale`, from which they are turned into the "
        "factor's own; empty: what the file says",
    )
    label: str = Field(
        "", description="name for figures; for an inventory the column with 1 = landslide, 0 = none"
    )
    band: int = Field(1, ge=1, description="band of a raster")
    variable: str = Field("", description="variable of a NetCDF file")
    statistic: Literal["annual_sum", "mean", "max", "sum"] = Field(
        "annual_sum",
        description="what is taken over time, of any format; of all but rain their mean, unless "
        "another is named",
    )
    step: Literal["", "day", "month", "year"] = Field(
        "", description="time from one layer to the next; empty: what the file says"
    )
    scale: float = Field(1.0, description="factor that turns stored numbers into `unit`")
    attribute: str = Field("", description="attribute of a vector that holds the value or class")
    names: dict[int | str, str] = Field({}, description="names of the classes, by code or text")
    kind: Literal["continuous", "categorical", "circular"] = Field(
        "continuous", description="for extra factors: amounts, classes, or directions in degrees"
    )
    x: str = Field("x", description="column of a table with the east coordinate")
    y: str = Field("y", description="column of a table with the north coordinate")
    value: str = Field("", description="column of a table with the value")
    sheet: str = Field("", description="sheet of a spreadsheet; empty: the first")
    crs: str = Field("", description="CRS of a table, or of a file that states none")
    accuracy_m: float = Field(0.0, ge=0, description="how far points of an inventory may be off, m")
    landslide_labels: list[str | int] = Field(
        [], description="labels or categories that are landslides; empty: guessed by their names"
    )
    landslide_values: list[int] = Field(
        [], description="values of a mask that are landslides; empty: all but the background"
    )
    format: Literal["cas", "masks", "coco", "labelme", "yolo", "polygons"] = Field(
        "cas", description="layout of an image collection"
    )
    polygons: str = Field(
        "", description="outlines of the landslides on images of the format polygons"
    )
    chip_px: int = Field(256, ge=32, le=2048, description="edge of the chips cut from them, pixels")
    platform: str = Field("", description="platform of a scene or of images")
    # YAML reads 2022-10-01 as a date.
    acquired: Annotated[str, BeforeValidator(str)] = Field("", description="date of a scene")


class Catalog(_Strict):
    """A data folder and its entries; every entry may be absent."""

    folder: Path
    name: str = ""
    crs: str = Field(
        "",
        description="CRS in metres of the analysis grid; empty: the DEM's, or the UTM zone where "
        "lengths in it are no metres",
    )
    mask: Entry | None = Field(
        None, description="polygons, or a closed line, of the study area; cells outside are nodata"
    )
    dem: Entry | None = Field(
        None,
        description="digital elevation model; makes the grid, altitude, slope, aspect, plan and "
        "profile curvature, TWI and TRI",
    )
    roads: Entry | None = Field(
        None,
        description="lines, or a raster that is 0 where there is none; makes the distance to them",
    )
    buildings: Entry | None = Field(
        None,
        description="polygons or points; no factor: chapter 14 counts them by susceptibility class",
    )
    rivers: Entry | None = Field(None, description="as roads")
    faults: Entry | None = Field(None, description="as roads")
    lithology: Entry | None = Field(
        None, description="polygons with a class in `attribute`, or a raster of classes"
    )
    lulc: Entry | None = Field(
        None, description="land use and land cover, a raster of classes or polygons"
    )
    ndvi: Entry | None = Field(None, description="vegetation index, a raster")
    rainfall: Entry | None = Field(
        None, description="a raster, or layers over time; `statistic` says what is taken of them"
    )
    stations: Entry | None = Field(
        None, description="points with peak ground acceleration in `value`; makes PGA, interpolated"
    )
    images: Entry | None = Field(
        None,
        description="image chips with their landslides, or images with outlines; train the "
        "detector",
    )
    scene: Entry | None = Field(
        None,
        description="one georeferenced image of the area, or its tiles; the detector searches it",
    )
    inventory: Entry | None = Field(
        None, description="known landslides: polygons, points, or a raster"
    )
    truth: Entry | None = Field(None, description="what the simulated mountain knows of itself")
    factors: dict[str, Entry] = Field(
        {}, description="ready-made rasters of standard factors, in place of computed ones"
    )
    extra: dict[str, Entry] = Field({}, description="further factors, under names of your own")

    def entries(self) -> dict[str, Entry]:
        """All entries by name; ready-made and extra factors by their factor's name."""
        single = {
            name: value
            for name in type(self).model_fields
            if isinstance(value := getattr(self, name), Entry)
        }
        return single | self.factors | self.extra

    @property
    def on_grid(self) -> list[str]:
        """Names of what is brought to the grid: all but the images, which the detector sees as they
        are.
        """
        return [name for name in self.entries() if name not in ("images", "scene")]

    def files(self, entry: Entry) -> list[Path]:
        """The files (or the one folder) an entry names, wildcards resolved and sorted.

        Raises
        ------
        InputError
            When nothing is there.
        """
        patterns = [entry.path] if isinstance(entry.path, str) else entry.path
        files = []
        for pattern in patterns:
            plain = self.folder / Path(pattern).expanduser()
            matching = [plain] if plain.exists() else _matching(self.folder, pattern)
            if not matching:
                raise InputError(
                    "the file named in the catalog is missing", where=plain, fix=_nearby(plain)
                )
            files += matching
        return files

    def path(self, entry: Entry) -> Path:
        """The one file or folder an entry names."""
        return self.files(entry)[0]


def _matching(folder: Path, pattern: str) -> list[Path]:
    """Files of a wildcard, which may be absolute, without those that only accompany others; or the
    one layer of a file that GDAL's name of it means (``GPKG:file:table``).
    """
    pattern = os.path.expanduser(pattern)
    names = sorted(glob.glob(pattern, root_dir=folder, recursive=True))
    if not names and not os.path.isabs(pattern) and ":" not in pattern:  # .TIF for .tif
        names = sorted(map(str, folder.glob(pattern, case_sensitive=False)))
    main = [name for name in names if not name.lower().endswith(BESIDE)]
    if names or not re.match(r"[A-Z][A-Za-z0-9_]+:|/vsi", pattern):
        return [folder / name for name in main or names]
    parts = re.split(r"([:\"])", pattern)
    there = [str(folder / part) if (folder / part).is_file() else part for part in parts]
    return [Path("".join(there))] if there != parts or pattern.startswith("/vsi") else []


def file_of(path: Path) -> Path:
    """The file that GDAL's name of a layer in it means, else the path itself."""
    if path.exists():
        return path
    parts = map(Path, re.split(r'[:"]', str(path)))
    return next((part for part in parts if part.is_file()), path)


def _nearby(path: Path) -> str:
    """Help for a missing file: what lies in the nearest folder that exists."""
    folder = next(parent for parent in path.parents if parent.is_dir())
    names = sorted(item.name for item in folder.iterdir() if not item.name.startswith("."))[:8]
    return (
        f"In {folder} there is: {', '.join(names) or 'nothing'}. Put the file there, or correct or "
        "delete its entry in catalog.yml"
    )


def load_catalog(folder: Path, catalog: Path | None = None) -> Catalog:
    """Read the catalog of a data folder.

    Parameters
    ----------
    folder : Path
        The data folder.
    catalog : Path, optional
        A catalog kept elsewhere (beside a parameter file); its paths still count from `folder`.

    Returns
    -------
    Catalog

    Raises
    ------
    InputError
        When the folder or the catalog is missing, or the catalog has an unknown key or a bad value.
    """
    folder = Path(folder)
    if not folder.is_dir():
        fix = "Give an existing folder with --data"
        raise InputError("the data folder does not exist", where=folder, fix=fix)
    file = Path(catalog) if catalog else folder / "catalog.yml"
    if not file.is_file():
        raise InputError(
            "the data folder has no catalog.yml",
            where=file,
            fix="Write one (the book's page on your own data shows how), or keep it beside the "
            "parameter file as NAME.catalog.yml",
        )
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        return Catalog(folder=folder, **content)
    except ValidationError as error:
        raise InputError(explain_invalid(error, "key", _meant), where=file) from None
    except (yaml.YAMLError, ValueError, TypeError) as error:  # ValueError: a date there is not
        what = "the catalog is not a readable YAML mapping"
        found = " ".join(str(error).split())
        raise InputError(what, where=file, found=found) from None


def _meant(place: tuple) -> str:
    """The key like an unknown one, of those that exist where it stands."""
    known = Catalog.model_fields if len(place) == 1 else Entry.model_fields
    return did_you_mean(str(place[-1]), known)
