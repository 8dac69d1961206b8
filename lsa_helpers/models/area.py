"""What a model knows of the area it learned on, and whether it may be used on another one."""

import numpy as np
import xarray as xr

from lsa_helpers.errors import InputError, need_factors
from lsa_helpers.raster import cell_size
from lsa_helpers.sources.crs import why_not_metric

#: Share by which the cells under a window may be larger or smaller than those it learned on.
MOST_CELL_GAP = 0.01


def fitted_coder(estimator):
    """The fitted `FactorCoder` of a pipeline, of a search's best pipeline, or of the CNN."""
    estimator = getattr(estimator, "best_estimator_", estimator)
    return estimator.coder_ if hasattr(estimator, "coder_") else estimator[0]


def select_factors(factors: xr.Dataset, names) -> xr.Dataset:
    """The factors `names`, in that order; an `InputError` names one that is missing."""
    need_factors(names, factors, "factors")
    return factors[list(names)]


def describe_area(factors: xr.Dataset, names) -> dict:
    """What the numbers of factors mean, for a model's ``config.json``.

    Returns
    -------
    dict
        ``cell_size_m``, and for each of ``factors`` its ``kind``, ``units`` and ``classes`` (code
        as text → name).
    """
    kept = {
        name: {key: factors[name].attrs.get(key) for key in ("kind", "units")}
        | {"classes": _classes(factors[name])}
        for name in names
    }
    return {"cell_size_m": cell_size(factors), "factors": kept}


def check_area(learned: dict, halo: int, factors: xr.Dataset) -> None:
    """Refuse an area whose numbers do not mean what they meant where the model learned.

    Parameters
    ----------
    learned : dict
        From `describe_area`.
    halo : int
        Cells around a cell that the model looks at; with none the size of a cell does not matter.
    factors : Dataset
        The model's factors in the other area.

    Raises
    ------
    InputError
        When lengths in the CRS are no metres on the ground, a factor has another unit, kind or
        meaning of its codes, or a window would span another distance.
    """
    crs = factors.rio.crs
    area = factors.rio.transform_bounds("EPSG:4326") if crs else None
    problem = why_not_metric(crs, area) if crs else "none"
    if problem:
        raise InputError(
            "models map only grids in metres",
            where="CRS of the factors",
            found=f"{crs.to_string()[:40]}, {problem}" if crs else problem,
            fix="Make the factors on a grid in metres, such as the area's UTM zone",
        )
    for name, meaning in learned["factors"].items():
        _check_factor(name, meaning, factors[name])
    cell, edges = learned["cell_size_m"], np.abs(factors.rio.resolution())
    if halo and np.abs(edges / cell - 1).max() > MOST_CELL_GAP:
        size = f"cells of {edges[0]:g} × {edges[1]:g} m"
        raise InputError(
            "the model's window would span another distance than it learned",
            where="factors",
            found=f"{size}, a window of {2 * halo + 1} cells learned at {cell:g} m",
            fix=f"Make the factors in cells of {cell:g} m, or use a model that sees one cell at a "
            "time",
        )


def _check_factor(name: str, learned: dict, factor: xr.DataArray) -> None:
    """Compare what a factor was with what it is; what either side does not say is not held against
    it.
    """
    for key, word in (("kind", "kind"), ("units", "unit")):
        before, now = learned.get(key), factor.attrs.get(key)
        if before is not None and now is not None and (before or "1") != (now or "1"):
            raise InputError(
                f"the model learned another {word}",
                where=f'factor "{name}"',
                found=f"{now or 1} instead of {before or 1}",
                fix=f"Give the factor as the model learned it: {before or 1}",
            )
    known, classes = learned.get("classes", {}), _classes(factor)
    other = next((code for code in known if classes.get(code, known[code]) != known[code]), None)
    if other is not None:
        raise InputError(
            "a code means another class",
            where=f'factor "{name}"',
            found=f"{other} is {classes[other]}, the model learned {known[other]}",
            fix="Number the classes as in the model's config.json",
        )


def _classes(factor: xr.DataArray) -> dict[str, str]:
    """Code as text → name, of the classes that have a name of their own."""
    classes = factor.attrs.get("classes") or {}
    return {str(code): name for code, name in classes.items() if str(code) != str(name)}
