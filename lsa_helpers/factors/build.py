"""From a catalog to the factor stack: what can be made is made, what cannot is dropped with a note."""

from collections.abc import Sequence

import numpy as np

from lsa_helpers.errors import InputError, did_you_mean
from lsa_helpers.factors import terrain
from lsa_helpers.factors.stack import FactorStack
from lsa_helpers.grid import Grid
from lsa_helpers.sources import (
    Catalog,
    Entry,
    categorical,
    continuous,
    distance_to,
    native_resolution,
    read_dem,
    station_error,
    study_mask,
    target_grid,
)
from lsa_helpers.sources.catalog import RASTERS

# name: (label, unit, kind, entry of the catalog it is made from); the paper's Table 2, in its
# order.
FACTORS = {
    "altitude": ("Altitude", "m", "continuous", "dem"),
    "slope": ("Slope", "°", "continuous", "dem"),
    "aspect": ("Aspect", "°", "circular", "dem"),
    "plan_curvature": ("Plan curvature", "1/m", "continuous", "dem"),
    "profile_curvature": ("Profile curvature", "1/m", "continuous", "dem"),
    "twi": ("Topographic wetness index", "ln m", "continuous", "dem"),
    "tri": ("Terrain ruggedness index", "m", "continuous", "dem"),
    "distance_to_road": ("Distance to road", "m", "continuous", "roads"),
    "distance_to_river": ("Distance to river", "m", "continuous", "rivers"),
    "distance_to_fault": ("Distance to fault", "m", "continuous", "faults"),
    "lulc": ("Land use and land cover", "", "categorical", "lulc"),
    "ndvi": ("NDVI", "", "continuous", "ndvi"),
    "rainfall": ("Rainfall", "mm/yr", "continuous", "rainfall"),
    "lithology": ("Lithology", "", "categorical", "lithology"),
    "pga": ("Peak ground acceleration", "cm/s²", "continuous", "stations"),
}
_TERRAIN = {name for name, row in FACTORS.items() if row[3] == "dem"}


def build_factors(
    catalog: Catalog,
    *,
    cell_size: float = 12.5,
    crs: str = "",
    wanted: list[str] | None = None,
    coarse_ratio: float = 10.0,
) -> tuple[FactorStack, list[str]]:
    """Make every factor the catalog allows, on one grid.

    Parameters
    ----------
    catalog : Catalog
        Must name a DEM.
    cell_size : float
        Metres.
    crs : str
        CRS of the grid; see `sources.target_grid`.
    wanted : list of str, optional
        Only these factors; all by default.
    coarse_ratio : float
        A note is made when a source is this many times coarser than the grid.

    Returns
    -------
    stack : FactorStack
    notes : list of str
        One sentence per factor that was dropped and per source that is much coarser than the grid.

    Raises
    ------
    InputError
        When a source cannot be used, or a wanted factor does not exist.
    """
    factors_to_make(catalog, wanted)
    names = [name for name in [*FACTORS, *catalog.extra] if not wanted or name in wanted]
    grid = target_grid(catalog, cell_size, crs)
    made = _terrain(catalog, grid, names)
    notes, bands, info = [], [], {}
    for name in names:
        entry = _entry(catalog, name)
        if entry is None:
            notes.append(
                f"{FACTORS[name][0]} is left out: the catalog has no entry `{FACTORS[name][3]}`."
            )
            continue
        band, classes = (made[name], {}) if name in made else _one(catalog, name, entry, grid)
        bands.append(band)
        info[name] = _info(catalog, name, entry, classes)
        notes += _remarks(catalog, name, entry, info[name], cell_size, coarse_ratio, grid)
    values = np.stack(bands).astype(np.float32)
    values[:, ~(study_mask(catalog, grid) & np.isfinite(read_dem(catalog, grid)))] = np.nan
    stack = FactorStack(values, grid, tuple(info), info)
    if not stack.valid.any():
        gaps = {
            name: f"{np.isfinite(band).mean():.0%}" for name, band in zip(info, values, strict=True)
        }
        raise InputError(
            "no cell has a value for every factor",
            where=catalog.folder,
            found=gaps,
            fix="Leave out the emptiest source",
        )
    return stack, notes


def known_factors(catalog: Catalog | None) -> list[str]:
    """Names of the fifteen factors and of the catalog's own; None stands for the simulated
    mountain.
    """
    return [*FACTORS, *(catalog.extra if catalog else ())]


def factors_to_make(catalog: Catalog | None, wanted: Sequence[str] | None) -> list[str]:
    """Which of the wanted factors the sources allow; nothing is read.

    Parameters
    ----------
    catalog : Catalog or None
        None stands for the simulated mountain, which has all sources.
    wanted : sequence of str, optional
        Only these factors; all by default.

    Returns
    -------
    list of str

    Raises
    ------
    InputError
        When a wanted factor does not exist, or none of them can be made.
    """
    known = known_factors(catalog)
    for name in wanted or []:
        if name not in known:
            raise InputError(
                f'there is no factor "{name}"',
                where="parameter factors",
                fix=did_you_mean(name, known),
            )
    made = [name for name in wanted or known if catalog is None or _entry(catalog, name)]
    if not made:
        found = f"no entry for {', '.join(wanted)}" if wanted else "no entry for any factor"
        raise InputError(
            "no wanted factor can be made",
            where=catalog.folder,
            found=found,
            fix="Add their sources to catalog.yml",
        )
    return made


def _entry(catalog: Catalog, name: str) -> Entry | None:
    """The entry a factor is made from: a ready-made raster first, else the standard source."""
    return (
        catalog.factors.get(name)
        or catalog.extra.get(name)
        or getattr(catalog, FACTORS[name][3] if name in FACTORS else "", None)
    )


def _terrain(catalog: Catalog, grid: Grid, names: list[str]) -> dict[str, np.ndarray]:
    """The terrain factors among `names` that no ready-made raster replaces."""
    names = [name for name in names if name in _TERRAIN and name not in catalog.factors]
    dem = read_dem(catalog, grid)
    cell = grid.cell_size
    made = {
        "altitude": lambda: dem,
        "slope": lambda: terrain.slope(dem, cell),
        "aspect": lambda: terrain.aspect(dem, cell),
    }
    made |= {
        "tri": lambda: terrain.ruggedness(dem, cell),
        "twi": lambda: terrain.wetness(dem, cell),
    }
    out = {name: made[name]() for name in names if name in made}
    if {"plan_curvature", "profile_curvature"} & set(names):
        both = dict(
            zip(("plan_curvature", "profile_curvature"), terrain.curvatures(dem, cell), strict=True)
        )
        out |= {name: band for name, band in both.items() if name in names}
    return out


def _one(
    catalog: Catalog, name: str, entry: Entry, grid: Grid
) -> tuple[np.ndarray, dict[int, str]]:
    """One factor that is not computed from the DEM, and its classes if it has any."""
    kind = (
        FACTORS[name][2]
        if name in FACTORS
        else ("categorical" if entry.categorical else "continuous")
    )
    if kind == "categorical":
        return categorical(catalog, entry, grid)
    if name.startswith("distance_to") and name not in catalog.factors:
        return distance_to(catalog, entry, grid), {}
    return continuous(catalog, entry, grid), {}


def _info(catalog: Catalog, name: str, entry: Entry, classes: dict[int, str]) -> dict:
    """What ``factors.json`` says of one factor."""
    extra = (entry.label or name, entry.unit, "categorical" if entry.categorical else "continuous")
    label, unit, kind = FACTORS[name][:3] if name in FACTORS else extra
    return {
        "label": label,
        "unit": entry.unit if name in catalog.factors and entry.unit else unit,
        "kind": kind,
        "native_resolution_m": native_resolution(catalog, entry),
        "source": entry.source,
        "classes": classes,
    }


def _remarks(
    catalog: Catalog,
    name: str,
    entry: Entry,
    info: dict,
    cell_size: float,
    coarse_ratio: float,
    grid: Grid,
) -> list[str]:
    """Notes on a factor that was made: a coarse source, the error of interpolated stations."""
    notes = []
    native = info["native_resolution_m"]
    if native and native > coarse_ratio * cell_size:
        notes.append(
            f"{info['label']} comes from a source of {native:.0f} m, {native / cell_size:.0f} times coarser than the grid."
        )
    vector = catalog.path(entry).suffix.lower() not in RASTERS
    if name == "pga" and vector and (stations := station_error(catalog, entry, grid)):
        count, error = stations
        notes.append(
            f"PGA is interpolated from {count} stations; leaving one out errs by {error:.1f} {info['unit']} (root mean square)."
        )
    return notes
