"""Layers over time as one layer: how long each lasts, their mean or sum, and rain in millimetres a
year of whatever unit and step the file has.
"""

import re

import numpy as np
import xarray as xr

from lsa_helpers.errors import InputError, doubt, note
from lsa_helpers.sources.catalog import Entry
from lsa_helpers.sources.quantities import (
    LENGTHS,
    QUANTITIES,
    Meaning,
    unit_factor,
    without_gaps,
)

DAYS = {"day": 1.0, "month": 365.25 / 12, "year": 365.25}
_IN_MONTHS = [31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
_PERIODS = {"s": 1 / 86_400, "sec": 1 / 86_400, "second": 1 / 86_400, "h": 1 / 24, "hr": 1 / 24}
_PERIODS |= {"hour": 1 / 24, "d": 1.0, "mon": DAYS["month"], "mo": DAYS["month"]} | DAYS
_PERIODS |= dict.fromkeys(("yr", "y", "a", "annum"), DAYS["year"])
_DEPTHS = LENGTHS | {"mm": 0.001, "kg m-2": 0.001, "kg/m²": 0.001, "l/m²": 0.001, "l m-2": 0.001}
_DEPTHS |= {"inch": 0.0254, "in": 0.0254, "inche": 0.0254, "millimetre": 0.001, "millimeter": 0.001}


def _lengths(
    times: list, count: int, entry: Entry, file, per: float = 0.0
) -> tuple[str, np.ndarray, np.ndarray]:
    """How far layers are apart, and the days and years that each of them lasts."""
    step = entry.step or _step(times, count, file, per)
    if None not in times:
        of_year = np.array([_days_in_year(time) for time in times])
        days = {"day": np.ones(count), "year": of_year}.get(step)
        if step == "month":
            days = np.array([time.daysinmonth for time in times])
    else:
        of_year = DAYS["year"]
        days = np.resize(_IN_MONTHS, count) if step == "month" else np.full(count, DAYS.get(step))
    days = np.full(count, float(step.split()[0])) if days is None else days.astype(float)
    return step, days, np.full(count, 1 / 12) if step == "month" else days / of_year


def _step(times: list, count: int, file, per: float) -> str:
    """The step between layers, by their dates, else by how many they are."""
    dated = None not in times
    if dated and count > 1:
        days = np.sort([time.toordinal(fractional=True) for time in times])
        if (np.diff(days) == 0).any():
            raise InputError(
                "several layers have the same date",
                where=file,
                found=f"{count} layers of {len(set(times))} dates",
                fix="Give one for each date: sums of months in place of parts of months",
            )
        gap = float(np.median(np.diff(days)))
        if gap < 0.99:
            found = f"one every {24 * gap:.3g} hours"
            what, fix = "layers of less than a day are not read", "Give sums of days, or of months"
            raise InputError(what, where=file, found=found, fix=fix)
        by_gap = {"day": (0.99, 1.01), "month": (28, 31), "year": (360, 366)}
        named = (name for name, (low, high) in by_gap.items() if low <= gap <= high)
        return next(named, f"{gap:.6g} days")
    if count == 1 and dated and times[0].month > 1 and not per:
        what = f"one layer, of {times[0]:%Y-%m-%d}, is taken for the sum of a year"
        doubt(what, where=file, fix="Write `step: month` or `step: day`, if it is one of them")
    by_rate = next((name for name, days in DAYS.items() if abs(days - per) < 0.1 * days), "")
    step = {1: "year", 12: "month", 365: "day", 366: "day"}.get(count, by_rate)
    if not step:
        raise InputError(
            "nothing says how far its layers are apart in time",
            where=file,
            found=f"{count} layers",
            fix="Add `step: day`, `month` or `year`, or name one with `band`",
        )
    return step


def _days_in_year(time) -> int:
    """Days of a date's year in its calendar."""
    first = time.replace(month=1, day=1)
    return (first.replace(year=first.year + 1) - first).days


def over_time(tile: xr.DataArray, entry: Entry, file) -> np.ndarray:
    """One layer of those of a tile that is not about rain: their mean unless the entry says
    otherwise.
    """
    count = len(tile)
    if count == 1:
        return tile.values[0]
    statistic = entry.statistic if "statistic" in entry.model_fields_set else "mean"
    note(f"{count} layers over time, {statistic.replace('_', ' ')}", where=file)
    years = np.ones(count)
    if statistic == "annual_sum":
        _, _, years = _lengths(tile.attrs["times"], count, entry, file)
    return _reduce(tile.values, statistic, np.ones(count), years)


def _reduce(layers, statistic: str, amount: np.ndarray, years: np.ndarray) -> np.ndarray:
    """What is taken over time of layers whose numbers times `amount` fell in so many years; the
    annual sum is that of the layers known, over their years.
    """
    known = np.isfinite(layers).any(axis=0)
    # Cells without any would warn.
    fell = np.where(known, layers, 0) * amount.astype(np.float32)[:, None, None]
    made = {"mean": np.nanmean, "max": np.nanmax}.get(statistic, np.nansum)(fell, axis=0)
    if statistic == "annual_sum":
        made = made / (np.isfinite(fell) * years[:, None, None]).sum(axis=0)
    return np.where(known, made, np.nan).astype(np.float32)


def _rate(text: str) -> tuple[float, float] | None:
    """Millimetres in a unit of rain, and the days they fall in (0: those of the layer).

    Examples
    --------
    >>> _rate("0.1mm"), _rate("mm day-1"), _rate("furlong")
    ((0.1, 0.0), (1.0, 1.0), None)
    """
    plain = re.sub(r"\s+", " ", re.sub(r"\*\*|[\^\[\]]", "", text)).strip().lower()
    for old, new in (("⁻", "-"), ("²", "2"), ("¹", "1"), ("(m2 s)", "m2/s")):
        plain = plain.replace(old, new)
    plain = re.sub(r" ?(of )?(water|rain|precipitation)( equivalent)?", "", plain)
    number, plain = re.fullmatch(r"([\d.]+(?:e-?\d+)?(?= ?[a-z]))? ?(.*)", plain).groups()
    days = 0.0
    per = re.search(r"(?: ?/ ?| ?per )([a-z]+)$|[ .·]?([a-z]+)-1$", plain)
    period = (per[1] or per[2]) if per else ""
    if (name := period if period in _PERIODS else period.removesuffix("s")) in _PERIODS:
        days, plain = _PERIODS[name], plain[: per.start()]
    depth = unit_factor(_DEPTHS, plain.strip()) if plain else None
    return None if depth is None else (1000 * depth * float(number or 1), days)


def _unit(entry: Entry, said: str, file) -> tuple[float, float]:
    """Millimetres in a stored number of an entry's rain, and the days they fall in (0: those of the
    layer). A `scale` without a `unit` makes millimetres, of a file that holds no rates.
    """
    text = entry.unit or said
    if entry.scale != 1 and not entry.unit:
        parsed = _rate(said)
        if parsed and parsed[1]:
            fix = "Name the `unit` that the scaled numbers are in, such as mm/day"
            raise InputError(f'`scale` of "{said}" has no `unit`', where=file, fix=fix)
        return entry.scale, 0.0
    parsed = _rate(text) if text.strip(" -1") else (1.0, 0.0)
    if parsed is None:
        raise InputError(
            f'the unit "{text}" is not known for rain',
            where=file,
            fix="Known are mm, cm, m, inch and kg m-2, alone or as in mm/day, mm/month, kg m-2 "
            "s-1; name it with `unit`",
        )
    return parsed[0] * entry.scale, parsed[1]


def years_rain(tile: xr.DataArray, entry: Entry, file) -> tuple[np.ndarray, float, str, str]:
    """One layer of rain from those over time.

    Parameters
    ----------
    tile : DataArray, dims (layer, y, x)
        Stored numbers, NaN as nodata; attributes ``times``, ``units`` and ``files``.
    entry : Entry
        Says what is taken over time.
    file : Path
        For messages.

    Returns
    -------
    layer : ndarray, shape (height, width)
        Still to be multiplied by `factor`.
    factor : float
    unit : str
        ``mm/yr`` of an annual sum.
    told : str
        What it is made of, for a sentence.
    """
    units, times = tile.attrs["units"], tile.attrs["times"]
    depth, per = _unit(entry, units, file)
    step, days, years = _lengths(times, len(tile), entry, file, per)
    possible = Meaning(QUANTITIES["rainfall"], depth * (days[0] / per if per else 1))
    layers = without_gaps(tile.values, possible, file)
    # ERA5's monthly means are metres a day, and call themselves metres.
    era5 = units == "m" and tile.name == "tp" and step == "month" and not entry.unit
    if era5 and entry.scale in (1, 1000) and np.nanmean(layers) * depth * 365 < 12_000:
        per = 1.0
        fix = "Name the `unit` of sums of months"
        note("ERA5's monthly means are taken for metres a day", where=file, fix=fix)
    if per == DAYS["year"] and entry.unit and step != "year":
        fix = "Write `unit: mm` for what fell in it"
        doubt(f"every {step} has a rate, as `unit: {entry.unit}` says", where=file, fix=fix)
    amount = days / per if per and per != DAYS.get(step) else np.ones(len(days))
    told = f"{_told_of(step, times, len(tile))}, {entry.statistic.replace('annual_', '')}"
    if tile.attrs["files"] > 1:
        told = f"{tile.attrs['files']} files of the same area, {told}"
    off = abs(years.sum() - max(1, round(years.sum())))
    if entry.statistic == "annual_sum" and off > 0.04:
        fix = "Give whole years, or correct `step`"
        doubt(f"{told}: these are no whole years", where=file, fix=fix)
    unit = {"annual_sum": "mm/yr", "sum": "mm"}.get(entry.statistic, f"mm/{step}")
    layer = _reduce(layers, entry.statistic, amount, years)
    return layer, depth, unit.replace("/year", "/yr"), told


def _told_of(step: str, times: list, count: int) -> str:
    """ "12 months of 2022", "2 years", "46 layers of 8 days in 2022"."""
    end = "s" if count > 1 else ""
    told = f"{count} {step}{end} of" if step in DAYS else f"{count} layer{end} of {step} in"
    if None in times:
        return told.rsplit(" ", 1)[0]
    first, last = min(times).year, max(times).year
    return f"{told} {first}{f' to {last}' if last > first else ''}"


def check_rain(values: np.ndarray, unit: str, told: str, file) -> None:
    """Say what rain was read, and refuse what cannot fall in a year.

    Raises
    ------
    InputError
        For more than 12,000 mm a year.
    """
    high = QUANTITIES["rainfall"].high
    mean, top = float(np.nanmean(values)), float(np.nanmax(values))
    words = f"{told}: {mean:,.0f} {unit.replace('/yr', ' a year').replace('/', ' a ')} on average"
    fix = "Correct `unit`, `step` or `scale` of its entry in catalog.yml"
    if top > high and unit == "mm/yr":
        what = f"more rain than falls anywhere ({high:,} mm a year)"
        found = f"{words}, {top:,.0f} at most"
        raise InputError(what, where=file, found=found, fix=fix)
    if mean < 10 and unit == "mm/yr":
        doubt(f"{words}, as in a desert", where=file, fix=fix)
    else:
        note(words, where=file)
