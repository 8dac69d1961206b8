"""What a file is, found by opening it."""

import warnings
from pathlib import Path

import pyogrio
import rasterio

from lsa_helpers.errors import InputError
from lsa_helpers.sources.catalog import RASTERS
from lsa_helpers.sources.tables import is_table


def kind_of(file: Path) -> str:
    """What a file or folder is: "raster", "netcdf", "vector" or "table".

    Parameters
    ----------
    file : Path
        Also the name of a layer as GDAL writes it (``GPKG:file:table``).

    Returns
    -------
    str
        What opens it; of a file that nothing opens, what its name says, so that the reader of that
        kind explains what is wrong with it.

    Raises
    ------
    InputError
        For a file that is compressed as a whole, a raster in HDF4, and the header of one alone.
    """
    start = b""
    if file.is_file():
        with file.open("rb") as content:
            start = content.read(8)
    # grids of numbers as text come as .txt too
    if is_table(file) and not start.lower().startswith(b"ncols"):
        return "table"
    if start[:3] == b"CDF" or start == b"\x89HDF\r\n\x1a\n":
        return "netcdf"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with rasterio.open(file) as raster:
                both = raster.driver == "GPKG" and file.is_file()
            return "vector" if both and _has_features(file) else "raster"
        # In a damaged file GDAL's own words may hold bytes that are no text.
        except (rasterio.errors.RasterioError, UnicodeDecodeError):
            _refuse_packed(file, start)
            named = file.suffix.lower() in RASTERS
            return "raster" if named and not _has_features(file) else "vector"


def _refuse_packed(file: Path, start: bytes) -> None:
    """Refuse what GDAL would have to unpack, or has no driver for here, with the way out."""
    if file.suffix.lower() == ".zip" or start[:2] == b"\x1f\x8b":
        fix = "Unpack it and name the file inside"
        raise InputError("files are read unpacked", where=file, fix=fix)
    if file.suffix.lower() in (".sgrd", ".hdr"):
        fix = "Name the file with its numbers (.sdat, .bil, .img …)"
        raise InputError("the file only describes a raster", where=file, fix=fix)
    if start[:4] == b"\x0e\x03\x13\x01":
        fix = "Turn the layer wanted into a GeoTIFF (gdal_translate), or order it as one"
        raise InputError("HDF4 cannot be opened here", where=file, fix=fix)


def is_raster(file: Path) -> bool:
    """Whether a file is a raster or NetCDF."""
    return kind_of(file) in ("raster", "netcdf")


def _has_features(file: Path) -> bool:
    """Whether GDAL finds layers of features in a file."""
    try:
        return len(pyogrio.list_layers(file)) > 0
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, UnicodeDecodeError):
        return False
