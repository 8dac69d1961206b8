"""The factor stack: all conditioning factors of an area as one array with names and meanings."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lsa_helpers.errors import InputError, did_you_mean
from lsa_helpers.grid import Grid, open_raster, read_raster, write_raster
from lsa_helpers.run import Run


@dataclass(frozen=True)
class FactorStack:
    """Conditioning factors on one grid.

    Parameters
    ----------
    values : ndarray or dask.array.Array, shape (factors, height, width)
        float32; NaN where a source has nothing or outside the study area. Categorical bands hold
        integer codes, aspect is in degrees clockwise from north with −1 where flat.
    grid : Grid
        The frame, CRS in metres.
    names : tuple of str
        Name of each band.
    info : dict
        Name → ``label, unit, kind (continuous, categorical or circular), native_resolution_m,
        source, classes``.
    """

    values: np.ndarray
    grid: Grid
    names: tuple[str, ...]
    info: dict[str, dict]

    @property
    def lazy(self) -> bool:
        """Whether the values are a Dask array, of which nothing is computed before it must be."""
        return not isinstance(self.values, np.ndarray)

    @property
    def valid(self) -> np.ndarray:
        """Cells where every factor is known: (height, width) bool."""
        return np.isfinite(self.values).all(axis=0)

    def band(self, name: str) -> np.ndarray:
        """One factor, (height, width) float32."""
        return self.values[self.names.index(name)]

    def select(self, names: Sequence[str]) -> "FactorStack":
        """The stack reduced to `names`, in their order.

        Raises
        ------
        InputError
            When a name is not in the stack.
        """
        for name in names:
            if name not in self.names:
                raise InputError(
                    f'there is no factor "{name}"',
                    where="factors.tif",
                    fix=did_you_mean(name, self.names),
                )
        picked = [self.names.index(name) for name in names]
        return FactorStack(
            self.values[picked], self.grid, tuple(names), {name: self.info[name] for name in names}
        )


def write_stack(stack: FactorStack, run: Run) -> None:
    """Write ``factors.tif`` and ``factors.json`` of a run."""
    units = [stack.info[name]["unit"] or "1" for name in stack.names]
    write_raster(run.product("factors.tif"), stack.values, stack.grid, stack.names, units)
    both = {  # read by `read_factors` too
        name: item | {"long_name": item["label"], "units": item["unit"] or "1"}
        for name, item in stack.info.items()
    }
    run.write_json(both, "factors.json")


def open_stack(raster: Path, *, chunk: int = 1024) -> FactorStack:
    """Open a factor stack larger than memory: ``factors.tif`` with ``factors.json`` beside it.

    Parameters
    ----------
    raster : Path
    chunk : int
        Edge of a block in cells.

    Returns
    -------
    FactorStack
        Its values are a Dask array in blocks of all factors.

    Raises
    ------
    InputError
        When a file is missing or cannot be read.
    """
    values, grid, names = open_raster(raster, chunk=chunk)
    described = Path(raster).with_suffix(".json")
    try:
        info = json.loads(described.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            "the description of the factors cannot be read", where=described, found=error
        ) from None
    return FactorStack(values, grid, tuple(names), info)


def read_stack(run: Run, names: Sequence[str] | None = None) -> FactorStack:
    """Read the factor stack of a run into memory.

    Parameters
    ----------
    run : Run
    names : sequence of str, optional
        Factors wanted; all by default.

    Returns
    -------
    FactorStack

    Raises
    ------
    InputError
        When chapter 01 was not run, or a name is not in the stack.
    """
    values, grid, bands = read_raster(run.need("factors.tif", chapter="01_data"))
    info = run.read_json("factors.json")
    for item in info.values():
        item["classes"] = {int(code): name for code, name in item["classes"].items()}
    stack = FactorStack(values, grid, tuple(bands), info)
    return stack if names is None else stack.select(names)


def describe(stack: FactorStack) -> pd.DataFrame:
    """What each factor is: unit, source, native resolution, range or number of classes, share of
    cells with a value.
    """
    rows = []
    for name, band in zip(stack.names, stack.values, strict=True):
        info, known = stack.info[name], band[np.isfinite(band)]
        classed = info["kind"] == "categorical"
        rows.append(
            {
                "factor": info["label"],
                "unit": info["unit"] or ("class" if classed else "1"),
                "source": info["source"],
                "native resolution (m)": info["native_resolution_m"],
                "classes": len(info["classes"]) if classed else None,
                "minimum": None if classed else known.min(),
                "median": None if classed else np.median(known),
                "maximum": None if classed else known.max(),
                "cells with a value (%)": 100 * known.size / band.size,
            }
        )
    return pd.DataFrame(rows).round(3)
