"""The analysis grid: square cells in a CRS in metres, and rasters on it as Cloud-Optimised
GeoTIFFs.
"""

import math
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from rasterio.crs import CRS
from rasterio.shutil import copy as rio_copy
from rasterio.windows import Window

from lsa_helpers.errors import InputError
from lsa_helpers.run import whole_file


@dataclass(frozen=True)
class Grid:
    """A north-up raster frame with square cells.

    Parameters
    ----------
    crs : rasterio.crs.CRS
        Projected CRS with metres as its unit.
    transform : affine.Affine
        From (column, row) to the CRS; square cells, north up.
    height, width : int
        Rows and columns.
    """

    crs: CRS
    transform: Affine
    height: int
    width: int

    @classmethod
    def from_bounds(cls, bounds: Sequence[float], crs, cell_size: float) -> "Grid":
        """The smallest grid on the lattice of `cell_size` from (left, top) that covers `bounds`
        (left, bottom, right, top; metres).
        """
        left, bottom, right, top = bounds
        width = max(1, math.ceil((right - left) / cell_size - 1e-6))
        height = max(1, math.ceil((top - bottom) / cell_size - 1e-6))
        return cls(
            CRS.from_user_input(crs), Affine(cell_size, 0, left, 0, -cell_size, top), height, width
        )

    @property
    def cell_size(self) -> float:
        """Edge of a cell in metres."""
        return self.transform.a

    @property
    def cell_area_km2(self) -> float:
        """Area of one cell in km²."""
        return self.cell_size**2 / 1e6

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.height, self.width

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top in the CRS."""
        left, top = self.transform.c, self.transform.f
        return left, top - self.height * self.cell_size, left + self.width * self.cell_size, top

    def centres(self) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates of the cell centres: x of shape (width,), y of shape (height,), metres."""
        x = self.transform.c + (np.arange(self.width) + 0.5) * self.cell_size
        y = self.transform.f - (np.arange(self.height) + 0.5) * self.cell_size
        return x, y

    def rowcol(self, x, y) -> tuple[np.ndarray, np.ndarray]:
        """Row and column of the cells that hold the points (x, y); points outside give indices
        outside the grid.
        """
        col = np.floor((np.asarray(x) - self.transform.c) / self.cell_size).astype(np.int64)
        row = np.floor((self.transform.f - np.asarray(y)) / self.cell_size).astype(np.int64)
        return row, col

    def inside(self, row, col) -> np.ndarray:
        """Whether cells (row, col) lie on the grid."""
        return (row >= 0) & (row < self.height) & (col >= 0) & (col < self.width)


def write_raster(
    path: Path,
    bands: np.ndarray,
    grid: Grid,
    names: Sequence[str],
    units: Sequence[str] | None = None,
) -> Path:
    """Write bands as a tiled, compressed Cloud-Optimised GeoTIFF with names, units, nodata and CRS.

    Parameters
    ----------
    path : Path
        The file; it appears only when it is whole.
    bands : ndarray or dask.array.Array, shape (bands, height, width) or (height, width)
        A Dask array is computed and written one row of blocks at a time. Floats become float32 with
        NaN as nodata; integers are written as uint8 with 0 as nodata.
    grid : Grid
        The frame.
    names : sequence of str
        One name per band.
    units : sequence of str, optional
        One unit per band; "1" for dimensionless.

    Returns
    -------
    Path
        `path`.
    """
    bands = bands if bands.ndim == 3 else bands[None]
    kind, nodata, resampling = (
        ("float32", np.nan, "average") if bands.dtype.kind == "f" else ("uint8", 0, "nearest")
    )
    profile = {
        "driver": "GTiff",
        "count": len(bands),
        "height": grid.height,
        "width": grid.width,
        "dtype": kind,
        "nodata": nodata,
    }
    profile |= {"crs": grid.crs, "transform": grid.transform}
    large = not isinstance(bands, np.ndarray)
    # What does not fit into memory goes through a plain file beside the final one.
    scratch = tempfile.TemporaryDirectory(dir=Path(path).parent) if large else nullcontext()
    with scratch as folder, rasterio.MemoryFile() as memory:
        rough = f"{folder}/rough.tif" if large else memory.name
        with rasterio.open(
            rough, "w", **profile, **({"tiled": True, "bigtiff": "if_safer"} if large else {})
        ) as file:
            for window, part in _parts(bands):
                file.write(part.astype(kind), window=window)
            file.descriptions = tuple(names)
            file.units = tuple(units) if units is not None else ("1",) * len(bands)
        with whole_file(path) as part, rasterio.open(rough) as file:
            how = {
                "compress": "DEFLATE",
                "predictor": "YES",
                "overviews": "AUTO",
                "overview_resampling": resampling,
                "blocksize": 256,
            }
            rio_copy(
                file,
                part,
                driver="COG",
                **how | ({"bigtiff": "if_safer", "num_threads": "all_cpus"} if large else {}),
            )
    return Path(path)


def _parts(bands) -> Iterator[tuple[Window, np.ndarray]]:
    """The blocks of an array of bands, computed one row of blocks at a time; an array in memory is
    one block.
    """
    if isinstance(bands, np.ndarray):
        yield Window(0, 0, bands.shape[2], bands.shape[1]), bands
        return
    top = 0
    for rows in bands.chunks[1]:
        yield Window(0, top, bands.shape[2], rows), bands[:, top : top + rows].compute()
        top += rows


def open_raster(path: Path, *, chunk: int = 1024) -> tuple["dask.array.Array", Grid, list[str]]:  # noqa: F821
    """Open a raster that `write_raster` wrote without reading it.

    Parameters
    ----------
    path : Path
    chunk : int
        Edge of a block in cells.

    Returns
    -------
    values : dask.array.Array, shape (bands, height, width)
    grid : Grid
    names : list of str

    Raises
    ------
    InputError
        When the file cannot be opened.
    """
    import rioxarray

    try:
        with rasterio.open(path) as file:
            grid, names = (
                Grid(file.crs, file.transform, file.height, file.width),
                list(file.descriptions),
            )
        raster = rioxarray.open_rasterio(
            path, chunks={"band": -1, "y": chunk, "x": chunk}, lock=False
        )
    except rasterio.errors.RasterioError as error:
        raise InputError(
            "the raster cannot be read", where=path, found=error, fix="Make it again"
        ) from error
    return raster.data, grid, names


def read_raster(
    path: Path, bands: Sequence[str] | None = None
) -> tuple[np.ndarray, Grid, list[str]]:
    """Read a raster that `write_raster` wrote.

    Parameters
    ----------
    path : Path
        The file.
    bands : sequence of str, optional
        Names of the bands wanted, in the order wanted; all by default.

    Returns
    -------
    values : ndarray, shape (bands, height, width)
        float32 with NaN as nodata, or uint8 with 0 as nodata.
    grid : Grid
    names : list of str

    Raises
    ------
    InputError
        When the file cannot be read or a band is not in it.
    """
    try:
        with rasterio.open(path) as file:
            names = list(file.descriptions)
            missing = [name for name in bands or [] if name not in names]
            if missing:
                raise InputError(
                    f"the bands {missing} are not in the raster", where=path, found=names
                )
            names = list(bands) if bands is not None else names
            values = file.read([file.descriptions.index(name) + 1 for name in names])
            return values, Grid(file.crs, file.transform, file.height, file.width), names
    except rasterio.errors.RasterioError as error:
        raise InputError(
            "the raster cannot be read", where=path, found=error, fix="Make it again"
        ) from error
