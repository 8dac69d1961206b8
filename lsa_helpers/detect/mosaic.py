"""Several files of one scene seen as one image, without copying a pixel."""

import functools
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import rasterio
from rasterio.io import MemoryFile
from rasterio.transform import from_origin

from lsa_helpers.detect.images import open_image
from lsa_helpers.errors import InputError


def as_one(paths: Sequence[Path]) -> Path:
    """One image of the files of a scene: the file itself, or a virtual mosaic of several, which
    lives as long as the process.

    Parameters
    ----------
    paths : sequence of Path
        Where they overlap the last one that has data shows.

    Raises
    ------
    InputError
        When the files differ in CRS, bands or type of number.
    """
    paths = tuple(Path(path).resolve() for path in paths)
    return paths[0] if len(paths) == 1 else Path(_in_memory(paths).name)


@functools.cache
def _in_memory(paths: tuple[Path, ...]) -> MemoryFile:
    profiles = []
    for path in paths:
        with open_image(path) as file:
            profiles.append(file.profile | {"bounds": file.bounds, "names": file.descriptions})
        for what, key in (("CRS", "crs"), ("bands", "count"), ("type of number", "dtype")):
            first, here = profiles[0][key], profiles[-1][key]
            if first != here:
                raise InputError(
                    f"the files of the scene do not have the same {what}",
                    where=path,
                    found=f"{here}, {paths[0].name} has {first}",
                    fix="Bring them to one with gdalwarp or gdal_translate",
                )
    return MemoryFile(_vrt(paths, profiles).encode(), ext=".vrt")


def _vrt(paths: Sequence[Path], profiles: Sequence[dict]) -> str:
    """GDAL's description of a mosaic with the pixels of its first file."""
    first = profiles[0]
    left, bottom, right, top = np.array([profile["bounds"] for profile in profiles]).T
    left, bottom, right, top = left.min(), bottom.min(), right.max(), top.max()
    pixel = first["transform"].a, -first["transform"].e
    width, height = round((right - left) / pixel[0]), round((top - bottom) / pixel[1])
    bands = []
    for band in range(1, first["count"] + 1):
        sources = []
        for path, profile in zip(paths, profiles, strict=True):
            west, south, east, north = profile["bounds"]
            place = (west - left) / pixel[0], (top - north) / pixel[1]
            size = (east - west) / pixel[0], (north - south) / pixel[1]
            name = f'<SourceFilename relativeToVRT="0">{escape(str(path))}</SourceFilename>'
            sources += [
                f"<ComplexSource>{name}<SourceBand>{band}</SourceBand>",
                _rectangle("Src", 0, 0, profile["width"], profile["height"]),
                _rectangle("Dst", *place, *size),
                f"<NODATA>{profile['nodata'] or 0}</NODATA></ComplexSource>",
            ]
        kind = "Byte" if first["dtype"] == "uint8" else first["dtype"]
        nodata = first["nodata"]
        declared = "" if nodata is None else f"<NoDataValue>{nodata}</NoDataValue>"
        named = f"<Description>{escape(first['names'][band - 1] or '')}</Description>"
        inner = "".join([named, declared, *sources])
        bands.append(f'<VRTRasterBand dataType="{kind}" band="{band}">{inner}</VRTRasterBand>')
    transform = ", ".join(map(repr, from_origin(left, top, *map(float, pixel)).to_gdal()))
    crs = rasterio.crs.CRS.from_user_input(first["crs"]).to_wkt() if first["crs"] else ""
    frame = f"<SRS>{escape(crs)}</SRS><GeoTransform>{transform}</GeoTransform>"
    size = f'rasterXSize="{width}" rasterYSize="{height}"'
    return f"<VRTDataset {size}>{frame}{''.join(bands)}</VRTDataset>"


def _rectangle(kind: str, col: float, row: float, width: float, height: float) -> str:
    return f'<{kind}Rect xOff="{col}" yOff="{row}" xSize="{width}" ySize="{height}"/>'
