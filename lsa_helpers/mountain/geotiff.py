"""Plain GeoTIFFs, as data providers deliver them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import rasterio
from affine import Affine

from lsa_helpers.mountain.terrain import CRS
from lsa_helpers.run import whole_file


@contextmanager
def new_geotiff(
    path: Path, shape: tuple[int, int, int], dtype, transform: Affine, **options
) -> Iterator[rasterio.io.DatasetWriter]:
    """Open a GeoTIFF for writing in EPSG:32648; it appears under its name when it is whole.

    Parameters
    ----------
    path : Path
    shape : (bands, rows, columns)
    dtype : dtype
        Of all bands.
    transform : Affine
    **options
        More options of GDAL's GTiff driver, and ``nodata``.

    Yields
    ------
    rasterio.io.DatasetWriter
    """
    bands, height, width = shape
    profile = {"driver": "GTiff", "count": bands, "height": height, "width": width, "dtype": dtype}
    profile |= {"crs": CRS, "transform": transform, "compress": "deflate"}
    with whole_file(path) as part, rasterio.open(part, "w", **profile, **options) as file:
        yield file
