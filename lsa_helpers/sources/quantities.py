"""What each factor's numbers can be: units and how they are turned into the factor's own, the range
of what is possible, and the numbers that stand for gaps.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from lsa_helpers.errors import InputError, doubt, note
from lsa_helpers.sources.catalog import Catalog, Entry

_US_FOOT = 1200 / 3937
LENGTHS = {"m": 1.0, "metre": 1.0, "meter": 1.0, "dm": 0.1, "cm": 0.01, "km": 1000.0}
LENGTHS |= {"ft": 0.3048, "foot": 0.3048, "feet": 0.3048, "us survey foot": _US_FOOT}
LENGTHS |= {"us-ft": _US_FOOT, "ftus": _US_FOOT, "us ft": _US_FOOT, "us survey feet": _US_FOOT}
LENGTHS |= {"us survey ft": _US_FOOT, "foot_us": _US_FOOT, "decimetre": 0.1, "centimetre": 0.01}
ANGLES = {"°": 1.0, "degree": 1.0, "deg": 1.0, "rad": 180 / np.pi, "radian": 180 / np.pi}
_BENDS = {"1/m": 1.0, "m-1": 1.0, "1/100 m": 0.01, "1/km": 0.001, "rad/m": 1.0, "": 1.0}
_PLAIN = {"": 1.0, "1": 1.0, "-": 1.0, "dimensionless": 1.0, "none": 1.0, "unitless": 1.0}
_SHAKING = {"cm/s²": 1.0, "cm s-2": 1.0, "cm/s/s": 1.0, "gal": 1.0, "m/s²": 100.0, "m s-2": 100.0}
_SHAKING |= {"m/s/s": 100.0, "g": 980.665, "%g": 9.80665, "% g": 9.80665, "mg": 0.980665}
_SHAKING |= {"pctg": 9.80665, "mm/s²": 0.1, "cm/sec²": 1.0, "m/sec²": 100.0}
# Of features; rasters know more, and time (lsa_helpers.sources.rain).
_FALLEN = {
    "mm/yr": 1.0,
    "mm": 1.0,
    "mm/year": 1.0,
    "mm/a": 1.0,
    "cm": 10.0,
    "m": 1000.0,
    "in": 25.4,
}
_FALLEN |= {"inch": 25.4, "inche": 25.4, "mm/month": 12.0, "mm/day": 365.25, "kg/m²": 1.0}


class Quantity(NamedTuple):
    """A factor's unit, the smallest and largest possible value, and the units known for it."""

    unit: str
    low: float
    high: float
    units: dict


_DISTANCE = Quantity("m", 0, 1e7, LENGTHS)
QUANTITIES = {
    "altitude": Quantity("m", -430, 8850, LENGTHS),
    "slope": Quantity("°", 0, 90, ANGLES | {"%": 1.0, "percent": 1.0}),
    "aspect": Quantity("°", -1, 360, ANGLES),
    "plan_curvature": Quantity("1/m", -900, 900, _BENDS),
    "profile_curvature": Quantity("1/m", -900, 900, _BENDS),
    "twi": Quantity("ln m", -50, 100, _PLAIN | {"ln m": 1.0, "ln(m)": 1.0}),
    "tri": Quantity("m", 0, 9000, LENGTHS),
    "ndvi": Quantity("1", -1, 1, _PLAIN | {"%": 0.01, "ndvi": 1.0}),
    "rainfall": Quantity("mm/yr", 0, 12_000, _FALLEN),
    "pga": Quantity("cm/s²", 0, 5000, _SHAKING),
} | {f"distance_to_{name}": _DISTANCE for name in ("road", "river", "fault")}
_OF_ENTRY = {"dem": "altitude", "stations": "pga"}
_ANY = Quantity("", -np.inf, np.inf, {})
# Numbers that stand for gaps in so many files that they are known by themselves.
_FILLS = (-9999, -99999, -999, -9999.9, -999.9, -32768, -32767, 32767, 65535, -9_999_999)
_FILLS += (-2_147_483_648, 2_147_483_647, 4_294_967_295)
_HUGE = 1e15


class Meaning(NamedTuple):
    """How stored numbers become a factor's."""

    quantity: Quantity
    factor: float = 1.0
    bend: Callable | None = None  # after the factor, where that is not enough
    fills: tuple = ()  # numbers that stand for gaps in this product although they are possible

    def apply(self, values):
        """Stored numbers in the factor's unit."""
        values = values * np.asarray(self.factor, values.dtype)
        return self.bend(values) if self.bend else values


def quantity_of(catalog: Catalog, entry: Entry) -> tuple[str, Quantity]:
    """Name and properties of what an entry holds; an unknown quantity may be anything."""
    name = next((name for name, known in catalog.entries().items() if known == entry), "")
    name = _OF_ENTRY.get(name, name)
    if name not in QUANTITIES and entry.kind == "circular":
        return name, QUANTITIES["aspect"]
    return name, QUANTITIES.get(name, _ANY)


def meaning_of(catalog: Catalog, entry: Entry, file, said: str, values: list) -> Meaning:
    """How the stored numbers of an entry become its factor's.

    Parameters
    ----------
    catalog : Catalog
    entry : Entry
        Its `unit` counts before what the file says, its `scale` always.
    file : Path
        For messages.
    said : str
        Unit the file states; one that is unknown counts as none.
    values : list of ndarray
        Stored numbers, NaN as nodata, from which the scale of an NDVI is seen.

    Raises
    ------
    InputError
        When `unit` is none of those known for the quantity.
    """
    name, quantity = quantity_of(catalog, entry)
    unit = entry.unit or said
    if not quantity.units:
        return Meaning(quantity, entry.scale)
    factor = unit_factor(quantity.units, unit)
    if factor is None and entry.unit:
        raise InputError(
            f'the unit "{unit}" is not known for {name}',
            where=file,
            fix=f"Known are {', '.join(filter(None, quantity.units))}",
        )
    if not entry.unit and factor not in (None, 1):
        fix = "Correct it with `unit`, if not"
        note(f"{name} is in {said} and becomes {quantity.unit}", where=file, fix=fix)
    if name == "slope" and unit.strip() in ("%", "percent"):
        return Meaning(
            quantity, entry.scale / 100, lambda share: np.degrees(np.arctan(share)).astype("f4")
        )
    if name == "pga" and not unit and entry.scale == 1:
        _say_no_unit(values, file)
    if name == "ndvi":
        return _ndvi(quantity, entry, factor or 1.0, file, values)
    # 0 is a height, but not where all others are far above it
    fills = (0,) if name == "altitude" else ()
    return Meaning(quantity, entry.scale * (factor or 1.0), fills=fills)


def _say_no_unit(values: list, file) -> None:
    """Say which unit of shaking is taken where none is stated, and doubt it where nobody would feel
    any of it.
    """
    top = max((np.nanmax(part) for part in values if np.isfinite(part).any()), default=0.0)
    fix = "Name the `unit` (g, %g, m/s²), if that is wrong"
    say = doubt if top < 5 else note
    say("no unit of PGA is stated: cm/s² is taken", where=file, found=f"up to {top:g}", fix=fix)


def unit_read(catalog: Catalog, entry: Entry) -> str:
    """The unit an entry is said to be in, and the one it is turned into: "g → cm/s²"."""
    unit = quantity_of(catalog, entry)[1].unit
    return f"{entry.unit} → {unit}" if entry.unit and unit not in ("", entry.unit) else entry.unit


def in_unit(catalog: Catalog, entry: Entry, values: pd.Series, file) -> pd.Series:
    """Values of features in their factor's unit, NaN in place of what stands for gaps.

    Raises
    ------
    InputError
        As `meaning_of` and `without_gaps`.
    """
    stored = values.to_numpy(float)
    meaning = meaning_of(catalog, entry, file, "", [stored])
    return pd.Series(meaning.apply(without_gaps(stored, meaning, file)), values.index)


def unit_factor(units: dict[str, float], text: str) -> float | None:
    """Factor of a unit as people write it; 1 where nothing is written, None for an unknown one.

    Examples
    --------
    >>> unit_factor(LENGTHS, "Meters"), unit_factor(LENGTHS, ""), unit_factor(LENGTHS, "yard")
    (1.0, 1.0, None)
    """
    table = {_plain(known): factor for known, factor in units.items()}
    plain = _plain(text)
    word = plain.removesuffix("s") if len(plain) > 3 and plain.isalpha() else plain
    return 1.0 if not plain else table.get(plain, table.get(word))


def _plain(text: str) -> str:
    """A unit without what people write differently."""
    for old, new in (("²", "2"), ("⁻", "-"), ("−", "-"), ("¹", "1"), ("metre", "meter")):
        text = text.replace(old, new)
    return re.sub(r"[\s^*_()·]", "", text.lower())


def _ndvi(quantity: Quantity, entry: Entry, factor: float, file, values: list) -> Meaning:
    """The scale of an NDVI, by its largest number where the entry names none."""
    fills = (-3000,)
    if entry.scale != 1 or factor != 1:
        return Meaning(quantity, entry.scale * factor, fills=fills)
    known = [part[(part > -2001) & (part <= 10_000)] for part in values]
    top = max((part.max() for part in known if part.size), default=1.0)
    low = min((part.min() for part in known if part.size), default=0.0)
    if top <= 2:  # a ratio, right or wrong
        return Meaning(quantity)
    fix = "Name its `scale`, if not"
    if top <= 255 and low >= 0:
        note("NDVI is stored as 0 to 250 and read as 0.004 · number − 0.08", where=file, fix=fix)
        return Meaning(
            quantity, 0.004, lambda ndvi: ndvi - np.float32(0.08), tuple(range(251, 256))
        )
    scale = 0.01 if top <= 100 else 0.001 if top <= 1000 else 0.0001
    note(f"NDVI is stored up to {top:g} and multiplied by {scale:g}", where=file, fix=fix)
    return Meaning(quantity, scale, fills=fills)


def without_gaps(values: np.ndarray, meaning: Meaning, file) -> np.ndarray:
    """Stored numbers with NaN in place of those that stand for gaps undeclared.

    Parameters
    ----------
    values : ndarray
        As stored, before anything is interpolated from them; NaN as nodata.
    meaning : Meaning
    file : Path
        For messages.

    Raises
    ------
    InputError
        When values that cannot be pile up on no number.
    """
    stored, quantity = values[np.isfinite(values)], meaning.quantity
    with np.errstate(over="ignore"):
        converted = meaning.apply(stored)
    # What is possible may be missed by the rounding of packed numbers.
    slack = 1e-4 * (quantity.high - quantity.low)
    outside = (converted < quantity.low - slack) | (converted > quantity.high + slack)
    known = np.isin(stored, np.float32([*_FILLS, *meaning.fills])) | (np.abs(stored) > _HUGE)
    gaps = np.unique(stored[outside & known]).tolist()
    numbers, counts = np.unique(stored[outside & ~known], return_counts=True)
    piled = (counts >= 10) & (counts > 0.3 * counts.sum()) & (not outside.all())
    if not piled.all():
        wrong = meaning.apply(numbers[~piled])
        unit = "" if quantity.unit == "1" else f" {quantity.unit}"
        raise InputError(
            f"{counts[~piled].sum():,} values lie outside what is possible "
            f"({quantity.low:,g} to {quantity.high:,g}{unit})",
            where=file,
            found=f"{wrong.min():,g} to {wrong.max():,g}{unit}",
            fix="Correct `unit` or `scale` of its entry in catalog.yml, or mend the file",
        )
    for number in np.unique(stored[known & ~outside]):
        if abs(number) > _HUGE or _stands_apart(number, stored[~outside], meaning.fills):
            gaps.append(number)
    gaps += [*numbers, *np.unique(values[np.isinf(values)])]
    for number in gaps:
        cells = f"{(values == number).sum():,} cells of {number:g}"
        note(f"{cells} are taken for gaps, undeclared as they are", where=file)
    return np.where(np.isin(values, gaps), np.nan, values) if gaps else values


def _stands_apart(number: float, inside: np.ndarray, fills: tuple) -> bool:
    """Whether a well-known number for gaps is farther from all others than those from each other;
    of those of a product it suffices that it is no value of the same kind.
    """
    rest = inside[(inside != number) & ~np.isin(inside, np.float32(_FILLS))]
    if not rest.size or (number in fills and number > 0):
        return True
    spread = 50 if number in fills and number < 0 else np.ptp(rest)
    return bool(np.abs(rest - number).min() > spread)
