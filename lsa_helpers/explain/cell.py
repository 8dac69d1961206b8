"""One cell's explanation, in words."""

import numpy as np
import pandas as pd
import xarray as xr

from lsa_helpers.errors import InputError
from lsa_helpers.raster import rowcol

_WINDS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")


def explain_cell(maps: xr.Dataset, factors: xr.Dataset, x: float, y: float) -> pd.DataFrame:
    """Shapley values of one cell beside the factors' values in words, largest contribution first.

    Parameters
    ----------
    maps : Dataset, dims (y, x)
        As `factor_shapley_map` or `shapley_map` give them, or as read back from a run's
        ``shap_<model>.tif``.
    factors : Dataset, dims (y, x)
        On the same cells, with names, units, kinds and classes.
    x, y : float
        A place inside the cell, in the CRS of the factors (m).

    Returns
    -------
    DataFrame
        ``factor, value, words, contribution``; in its ``attrs`` the cell's ``base``, ``residual``
        and ``output``, their sum.

    Raises
    ------
    InputError
        When the place lies outside the maps, or on a cell without values.

    Examples
    --------
    ::

        maps = read_raster(run.product("shap_cnn.tif"))
        explain_cell(maps, factors, x=402_310, y=3_270_480)
    """
    row, col = (np.atleast_1d(axis)[0] for axis in rowcol(factors, [x], [y]))
    inside = 0 <= row < factors.sizes["y"] and 0 <= col < factors.sizes["x"]
    here = maps.isel(y=row, x=col).compute() if inside else {}
    values = {name: float(band) for name, band in here.items()}
    if not inside or not np.isfinite(list(values.values())).all():
        raise InputError(
            "there is no explanation of this place",
            where=f"x {x:g}, y {y:g}",
            found="no value there" if inside else "a place outside the map",
            fix=f"Take coordinates of {factors.rio.crs} inside the mapped area",
        )
    names = [name for name in maps if name in factors]
    own = {name: float(band) for name, band in factors[names].isel(y=row, x=col).compute().items()}
    table = pd.DataFrame(
        {
            "factor": names,
            "value": [own[name] for name in names],
            "words": [in_words(factors[name], own[name]) for name in names],
            "contribution": [values[name] for name in names],
        }
    )
    table = table.sort_values("contribution", key=np.abs, ascending=False, ignore_index=True)
    base, residual = values["base"], values.get("residual", 0.0)
    output = base + residual + table["contribution"].sum()
    table.attrs = {"base": base, "residual": residual, "output": output}
    return table


def in_words(factor: xr.DataArray, value: float) -> str:
    """A factor's value as a reader would say it: with its unit and its place among all cells, the
    name of a class, or the direction a slope faces.

    Parameters
    ----------
    factor : DataArray, dims (y, x)
        With the attributes ``kind``, ``units`` and, of classes, ``classes``.
    value : float
        In the factor's unit.

    Examples
    --------
    >>> slope = xr.DataArray([[10.0, 20.0, 30.0, 40.0]], dims=("y", "x"),
    ...     attrs={"kind": "continuous", "units": "degrees"})
    >>> in_words(slope, 30.0)
    '30 degrees, more than in 50 % of the area'
    """
    kind = factor.attrs.get("kind", "continuous")
    if kind == "categorical":
        return str(factor.attrs.get("classes", {}).get(round(value), f"class {value:g}"))
    if kind == "circular" and value < 0:  # Horn has no direction there
        return "flat"
    if kind == "circular":
        return f"{value:.0f}°, facing {_WINDS[round(value / 45) % 8]}"
    known = factor.values[np.isfinite(factor.values)]
    units = factor.attrs.get("units", "1")
    number = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    number += f" {units}" if units not in ("", "1") else ""
    share = 100 * np.mean(known < value)
    return f"{number}, more than in {share:.0f} % of the area"
