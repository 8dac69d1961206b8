"""From a catalog to the factors: what can be made is made, what cannot is dropped with a note."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
import xrspatial

from lsa_helpers.errors import InputError, need_factors
from lsa_helpers.factors import terrain
from lsa_helpers.factors.ready import doubt_gaps, doubt_ready
from lsa_helpers.raster import cell_size, on_grid, read_raster, rowcol, write_plain
from lsa_helpers.sources.areas import study_mask
from lsa_helpers.sources.catalog import Catalog, Entry
from lsa_helpers.sources.categories import categorical
from lsa_helpers.sources.distance import distance_to
from lsa_helpers.sources.kinds import is_raster
from lsa_helpers.sources.layers import (
    continuous,
    dem_grid,
    doubt_coverage,
    read_dem,
    target_grid,
)
from lsa_helpers.sources.rasters import native_resolution
from lsa_helpers.sources.vectors import station_error


class Description(NamedTuple):
    """What a factor is, and the entry of the catalog it is made from."""

    long_name: str
    units: str
    kind: str
    entry: str


# The paper's Table 2, in its order.
FACTORS = {
    "altitude": Description("Altitude", "m", "continuous", "dem"),
    "slope": Description("Slope", "°", "continuous", "dem"),
    "aspect": Description("Aspect", "°", "circular", "dem"),
    "plan_curvature": Description("Plan curvature", "1/m", "continuous", "dem"),
    "profile_curvature": Description("Profile curvature", "1/m", "continuous", "dem"),
    "twi": Description("Topographic wetness index", "ln m", "continuous", "dem"),
    "tri": Description("Terrain ruggedness index", "m", "continuous", "dem"),
    "distance_to_road": Description("Distance to road", "m", "continuous", "roads"),
    "distance_to_river": Description("Distance to river", "m", "continuous", "rivers"),
    "distance_to_fault": Description("Distance to fault", "m", "continuous", "faults"),
    "lulc": Description("Land use and land cover", "1", "categorical", "lulc"),
    "ndvi": Description("NDVI", "1", "continuous", "ndvi"),
    "rainfall": Description("Rainfall", "mm/yr", "continuous", "rainfall"),
    "lithology": Description("Lithology", "1", "categorical", "lithology"),
    "pga": Description("Peak ground acceleration", "cm/s²", "continuous", "stations"),
}
# How each terrain factor is made from the DEM.
TERRAIN = {
    "altitude": lambda dem: dem,
    "slope": lambda dem: xrspatial.slope(terrain.one_ring_wider(dem))[1:-1, 1:-1],
    "aspect": lambda dem: xrspatial.aspect(terrain.one_ring_wider(dem))[1:-1, 1:-1],
    "plan_curvature": lambda dem: terrain.curvatures(dem)[0],
    "profile_curvature": lambda dem: terrain.curvatures(dem)[1],
    "twi": terrain.wetness_index,
    "tri": lambda dem: xrspatial.tri(terrain.one_ring_wider(dem))[1:-1, 1:-1],
}


def build_factors(
    catalog: Catalog,
    *,
    cell_size_m: float = 0.0,
    crs: str = "",
    wanted: Sequence[str] = (),
    chunk: int = 0,
    folder: Path | str = "",
) -> tuple[xr.Dataset, list[str]]:
    """Make every factor the catalog allows, on one grid, one after the other.

    Parameters
    ----------
    catalog : Catalog
        Must name a DEM.
    cell_size_m : float
        Metres; 0: the DEM's own.
    crs : str
        CRS of the grid; see `target_grid`.
    wanted : sequence of str
        Only these factors; empty: all.
    chunk : int
        Edge of a Dask chunk in cells, for areas larger than memory: each factor made is put into a
        file in `folder` and read back only where it is wanted. 0: factors in memory.
    folder : Path or str
        Must be there as long as chunked factors are used.

    Returns
    -------
    factors : Dataset, dims (y, x)
        float32, NaN outside the study area and where a source has nothing; attributes of each
        factor: ``long_name, units, kind, native_resolution_m, source, classes``.
    notes : list of str
        One sentence per factor that was dropped and per source that is more than ten times coarser
        than the grid.

    Raises
    ------
    InputError
        When a source cannot be used, or a wanted factor does not exist.
    """
    factors_to_make(catalog, wanted)
    grid = target_grid(catalog, cell_size_m, crs)
    # Terrain is made on all of the DEM and cut afterwards: water comes from beyond a mask.
    dem = read_dem(catalog, dem_grid(catalog, grid))
    rows, columns = _window(grid, dem)
    inside = study_mask(catalog, grid) & np.isfinite(dem.data[rows, columns])
    left, n_inside = inside.to_numpy().copy(), max(1, int(inside.sum()))
    made, shares = {}, {}
    notes = []
    for name in [name for name in known_factors(catalog) if not wanted or name in wanted]:
        entry = _entry(catalog, name)
        if entry is None:
            label = FACTORS[name].long_name
            source = FACTORS[name].entry
            notes.append(f"{label} is left out: the catalog has no entry `{source}`.")
            continue
        attrs = _attributes(catalog, name, entry)
        if name in TERRAIN and name not in catalog.factors:
            values = _cut_terrain(name, dem, (rows, columns))
        else:
            values, attrs["classes"] = _layer(catalog, name, entry, attrs["kind"], grid)
            attrs["units"] = _unit(values, attrs)
            if name in catalog.factors:
                own = partial(_cut_terrain, name, dem, (rows, columns))
                doubt_ready(name, values, own, cell_size(grid), catalog.path(entry))
            if is_raster(catalog.path(entry)):  # of polygons it is said where they are burnt
                doubt_coverage(name, values, inside, catalog.path(entry))
        values = np.where(inside, values, np.nan).astype(np.float32)
        known = np.isfinite(values)
        shares[attrs["long_name"]] = known.sum() / n_inside
        left &= known
        if chunk:
            file = write_plain(Path(folder) / f"{len(made)}.tif", on_grid(values, grid, name))
            values = read_raster(file, chunk)[name].data
        made[name] = on_grid(values, grid, name, **attrs)
        notes += _remarks(catalog, name, entry, made[name])
    doubt_gaps(shares, left.sum() / n_inside, catalog.folder)
    return xr.Dataset(made), notes


def _cut_terrain(name: str, dem: xr.DataArray, window: tuple) -> np.ndarray:
    """A terrain factor of the whole DEM, on the grid's rows and columns."""
    return TERRAIN[name](dem).data[window]


def known_factors(catalog: Catalog | None) -> list[str]:
    """Names of the fifteen factors and the catalog's own; None: those of the simulated mountain."""
    return [*FACTORS, *(catalog.extra if catalog else ())]


def factors_to_make(catalog: Catalog | None, wanted: Sequence[str]) -> list[str]:
    """Which of the wanted factors the sources allow; nothing is read.

    Parameters
    ----------
    catalog : Catalog or None
        None stands for the simulated mountain, which has all sources.
    wanted : sequence of str
        Only these factors; empty: all.

    Returns
    -------
    list of str

    Raises
    ------
    InputError
        When a wanted factor does not exist, or none of them can be made.
    """
    known = known_factors(catalog)
    need_factors(wanted, known, "parameter factors")
    made = [name for name in wanted or known if catalog is None or _entry(catalog, name)]
    if not made:
        raise InputError(
            "no wanted factor can be made",
            where=catalog.folder,
            found=f"no entry for {', '.join(wanted) if wanted else 'any factor'}",
            fix="Add their sources to catalog.yml",
        )
    return made


def describe(factors: xr.Dataset) -> pd.DataFrame:
    """What each factor is: unit, source, native resolution, range or classes, share of known cells.

    Returns
    -------
    DataFrame
        One row per factor, rounded to three decimals.
    """
    rows = []
    for factor in factors.values():
        values = factor.values
        values = values[np.isfinite(values)]
        classed = factor.attrs["kind"] == "categorical"
        quantiles = [None] * 3 if classed else np.quantile(values, [0, 0.5, 1])
        rows.append(
            {
                "factor": factor.attrs["long_name"],
                "unit": "class" if classed else factor.attrs["units"],
                "source": factor.attrs["source"],
                "native resolution (m)": factor.attrs["native_resolution_m"],
                "classes": len(factor.attrs["classes"]) if classed else None,
                **dict(zip(("minimum", "median", "maximum"), quantiles, strict=True)),
                "cells with a value (%)": 100 * values.size / factor.size,
            }
        )
    return pd.DataFrame(rows).round(3)


def _window(grid: xr.DataArray, wider: xr.DataArray) -> tuple[slice, slice]:
    """Rows and columns of a grid in a wider one on the same lattice."""
    (row,), (column,) = rowcol(wider, grid.x.values[:1], grid.y.values[:1])
    return slice(row, row + grid.sizes["y"]), slice(column, column + grid.sizes["x"])


def _entry(catalog: Catalog, name: str) -> Entry | None:
    """The entry a factor is made from: a ready-made raster first, else the standard source."""
    return (
        catalog.factors.get(name)
        or catalog.extra.get(name)
        or getattr(catalog, FACTORS[name].entry if name in FACTORS else "", None)
    )


def _unit(values: xr.DataArray, attrs: dict) -> str:
    """The unit of a factor as it was read; that of its description where the source tells none."""
    read = values.attrs.get("units", "1")
    return attrs["units"] if read == "1" else read


def _attributes(catalog: Catalog, name: str, entry: Entry) -> dict:
    """What ``factors.json`` says of one factor; its classes come with its layer."""
    of_user = Description(entry.label or name, entry.unit or "1", entry.kind, name)
    factor = FACTORS.get(name, of_user)
    return {
        "long_name": factor.long_name,
        "units": factor.units,
        "kind": factor.kind,
        "native_resolution_m": native_resolution(catalog, entry),
        "source": entry.source,
        "classes": {},
    }


def _layer(catalog: Catalog, name: str, entry: Entry, kind: str, grid) -> tuple:
    """Values and classes of one factor that is not computed from the DEM."""
    if kind == "categorical":
        return categorical(catalog, entry, grid)
    if name.startswith("distance_to") and name not in catalog.factors:
        return distance_to(catalog, entry, grid), {}
    return continuous(catalog, entry, grid), {}


def _remarks(catalog: Catalog, name: str, entry: Entry, factor: xr.DataArray) -> list[str]:
    """Notes on a factor that was made: a coarse source, the error of interpolated stations."""
    notes = []
    label = factor.attrs["long_name"]
    native = factor.attrs["native_resolution_m"]
    times = native / cell_size(factor) if native else 0
    if times > 10:
        notes.append(
            f"{label} comes from a source of {native:.0f} m, {times:.0f} times coarser than the "
            "grid."
        )
    from_vector = not is_raster(catalog.path(entry))
    if name == "pga" and from_vector and (stations := station_error(catalog, entry, factor)):
        count, error = stations
        notes.append(
            f"PGA is interpolated from {count} stations; leaving one out errs by {error:.1f} "
            f"{factor.attrs['units']} (root mean square)."
        )
    return notes
