"""Coding factors as numbers, and windows of cells, for the models."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lsa_helpers.errors import InputError
from lsa_helpers.factors import FactorStack

MOST_CLASSES = 200  # columns that one factor may become


@dataclass(frozen=True)
class Encoder:
    """Codes raw factors as numbers for a model; everything it knows comes from the rows it was
    fitted on.

    Parameters
    ----------
    factors : dict
        Factor → how it is coded: ``{"kind": "continuous", "mean": m, "std": s}`` (z-score),
        ``{"kind": "circular"}`` (degrees; sine and cosine, flat -1 → 0, 0) or ``{"kind":
        "categorical", "codes": [...]}`` (one column per code; unseen → all 0).
    """

    factors: dict[str, dict]

    @classmethod
    def fit(cls, table: pd.DataFrame, info: dict[str, dict], factors: Sequence[str]) -> "Encoder":
        """Learn means, deviations and codes from training rows only (`info` as in factors.json).

        Raises
        ------
        InputError
            When a factor is unknown in a row: what to make of the gap is not this function's to
            decide, and models would differ.
        """
        for name in factors:
            _refuse_gaps(
                name, int((~np.isfinite(table[name].to_numpy(dtype=np.float64))).sum()), len(table)
            )
        return cls({name: _learn(table[name].to_numpy(), info[name]["kind"]) for name in factors})

    @classmethod
    def fit_parts(cls, table, info: dict[str, dict], factors: Sequence[str]) -> "Encoder":
        """`fit` for a Dask DataFrame: of each partition only counts, sums and classes come here."""
        import dask

        asked = {}
        for name in factors:
            value = table[name].astype("float64")
            learn = {
                "continuous": (value.mean(), value.std(ddof=0)),
                "circular": (),
                "categorical": (value.unique(),),
            }
            asked[name] = value.size, (~np.isfinite(value)).sum(), *learn[info[name]["kind"]]
        how = {}
        for name, (rows, gaps, *learned) in dask.compute(asked)[0].items():
            _refuse_gaps(name, int(gaps), int(rows))
            kind = info[name]["kind"]
            if kind == "continuous":
                how[name] = {
                    "kind": kind,
                    "mean": float(learned[0]),
                    "std": float(learned[1]) or 1.0,
                }
            else:
                how[name] = _learn(np.asarray(learned).ravel(), kind)
        return cls(how)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the coded columns, for example ``aspect_sin`` or ``lulc=10``."""
        return tuple(column for name, how in self.factors.items() for column in _columns(name, how))

    @property
    def groups(self) -> tuple[str, ...]:
        """The factor each coded column belongs to."""
        return tuple(name for name, how in self.factors.items() for _ in _columns(name, how))

    def table(self, table: pd.DataFrame) -> np.ndarray:
        """Code a table: float32 of shape (n, columns)."""
        return np.concatenate(
            [_encode(table[name].to_numpy(), how) for name, how in self.factors.items()]
        ).T

    def stack(self, stack: FactorStack) -> np.ndarray:
        """Code a stack: float32 of shape (columns, height, width), NaN where a factor is unknown."""
        return np.concatenate(
            [
                _encode(stack.values[stack.names.index(name)], how)
                for name, how in self.factors.items()
            ]
        )


def _refuse_gaps(name: str, unknown: int, rows: int) -> None:
    """Nobody can code what is not known."""
    if unknown:
        found, fix = (
            f"{unknown} of {rows} rows without a value",
            "Leave out those rows, or the factor",
        )
        raise InputError(
            "a factor is unknown in a training row", where=f'factor "{name}"', found=found, fix=fix
        )


def _learn(values: np.ndarray, kind: str) -> dict:
    """How one factor is coded."""
    if kind == "continuous":
        values = values.astype(np.float64)
        return {"kind": kind, "mean": float(values.mean()), "std": float(values.std()) or 1.0}
    if kind == "circular":
        return {"kind": kind}
    codes = np.unique(values)
    if len(codes) > MOST_CLASSES or (codes != codes.round()).any():
        raise InputError(
            "a factor cannot be coded by classes",
            found=f"{len(codes)} values, such as {codes[0]:g}",
            fix="Code it as continuous",
        )
    return {"kind": kind, "codes": [int(code) for code in codes]}


def _columns(name: str, how: dict) -> list[str]:
    """Names of one factor's coded columns."""
    if how["kind"] == "continuous":
        return [name]
    return (
        [f"{name}_sin", f"{name}_cos"]
        if how["kind"] == "circular"
        else [f"{name}={code}" for code in how["codes"]]
    )


def _encode(values: np.ndarray, how: dict) -> np.ndarray:
    """One factor's values of any shape → float32 with a leading axis of columns."""
    values = np.asarray(values, dtype=np.float32)
    if how["kind"] == "continuous":
        coded = (values[None] - np.float32(how["mean"])) / np.float32(how["std"])
    elif how["kind"] == "circular":
        angle, slopes = np.deg2rad(values), ~(values < 0)
        coded = np.stack([np.sin(angle) * slopes, np.cos(angle) * slopes])
    else:
        coded = np.stack([values == code for code in how["codes"]]).astype(np.float32)
        coded[:, np.isnan(values)] = np.nan
    return coded.astype(np.float32)


def pad_reflect(encoded: np.ndarray, size: int) -> np.ndarray:
    """Mirror a raster (C, H, W) outwards by half a window, so that every cell can be a window's
    centre.
    """
    half = size // 2
    return np.pad(encoded, ((0, 0), (half, half), (half, half)), mode="reflect")


def extract_windows(encoded: np.ndarray, rows, cols, size: int) -> np.ndarray:
    """Cut square windows around cells; beyond the border the raster is mirrored.

    Parameters
    ----------
    encoded : ndarray, shape (C, H, W)
    rows, cols : array of int, shape (n,)
        The centre cells.
    size : int
        Edge of the window in cells, odd.

    Returns
    -------
    ndarray, shape (n, C, size, size)
    """
    view = np.lib.stride_tricks.sliding_window_view(
        pad_reflect(encoded, size), (size, size), axis=(1, 2)
    )
    return np.ascontiguousarray(view[:, rows, cols].transpose(1, 0, 2, 3))
