"""Rain in millimetres a year, of whatever unit and step the file has."""

import re

import numpy as np

from lsa_helpers.errors import InputError, doubt, note
from lsa_helpers.sources.catalog import Entry
from lsa_helpers.sources.quantities import (
    LENGTHS,
    QUANTITIES,
    Meaning,
    unit_factor,
    without_gaps,
)
from lsa_helpers.sources.series import DAYS, MONTH, reduce_layers, step_and_spans, told_of
from lsa_helpers.sources.tiles import Tile

_PERIODS = {"s": 1 / 86_400, "sec": 1 / 86_400, "second": 1 / 86_400, "h": 1 / 24, "hr": 1 / 24}
_PERIODS |= {"hour": 1 / 24, "d": 1.0, "day": 1.0, "month": MONTH, "mon": MONTH, "mo": MONTH}
_PERIODS |= {"year": 365.25, "yr": 365.25, "y": 365.25, "a": 365.25, "annum": 365.25}
_DEPTHS = LENGTHS | {"mm": 0.001, "kg m-2": 0.001, "kg/m²": 0.001, "l/m²": 0.001, "l m-2": 0.001}
_DEPTHS |= {"inch": 0.0254, "in": 0.0254, "inche": 0.0254, "millimetre": 0.001, "millimeter": 0.001}


def rain_rate(text: str) -> tuple[float, float] | None:
    """Millimetres in a unit of rain, and the days they fall in (0: those of the layer).

    Examples
    --------
    >>> rain_rate("0.1mm"), rain_rate("mm day-1"), rain_rate("furlong")
    ((0.1, 0.0), (1.0, 1.0), None)
    """
    plain = re.sub(r"\s+", " ", text.replace("**", "").replace("^", "").replace("⁻", "-"))
    plain = plain.replace("²", "2").replace("¹", "1").strip(" []").lower()
    plain = re.sub(r"\(m2[ .]?(s?)\)", lambda m: f"m2/{m[1]}" if m[1] else "m2", plain)
    number = re.match(r"[\d.]+(e-?\d+)?(?=\s*[a-z])", plain)
    times = float(number[0]) if number else 1.0
    plain = plain[number.end() :].strip() if number else plain
    plain = re.sub(r" ?(of )?(water|rain|precipitation)( equivalent)?| w\.?e\.?\b", "", plain)
    per = re.search(r"(?: ?/ ?| ?per )(\d*) ?([a-z]+)$|[ .·]?([a-z]+)-1$", plain)
    period = (per[2] or per[3]) if per else ""
    if period and (period in _PERIODS or period.removesuffix("s") in _PERIODS):
        days = _PERIODS.get(period) or _PERIODS[period.removesuffix("s")]
        days *= float(per[1] or 1)
        plain = plain[: per.start()]
    else:
        days = 0.0
    depth = unit_factor(_DEPTHS, plain.strip())
    return None if depth is None or not plain else (1000 * depth * times, days)


def rain_unit(entry: Entry, said: str, file) -> tuple[float, float]:
    """Millimetres in a stored number of an entry's rain, and the days they fall in (0: those of the
    layer).

    A `scale` without a `unit` may pack the file's unit, turn it into millimetres, or into those of
    a day, month or year; which, is seen from its size.

    Raises
    ------
    InputError
        When the unit is not known.
    """
    text = entry.unit or said
    parsed = rain_rate(text) if text.strip(" -1") else (1.0, 0.0)
    if parsed is None:
        if entry.scale != 1 and not entry.unit:
            return entry.scale, 0.0
        raise InputError(
            f'the unit "{text}" is not known for rain',
            where=file,
            fix="Known are mm, cm, m, inch and kg m-2, alone or as in mm/day, mm/month, kg m-2 "
            "s-1; name it with `unit`",
        )
    depth, days = parsed
    if entry.unit or entry.scale == 1:
        return depth * entry.scale, days
    if abs(entry.scale / depth - 1) < 0.01:  # into millimetres, of the same period
        return entry.scale, days
    for name, low, high in (("day", 1, 1), ("month", 28, 31), ("year", 360, 366)):
        if 0.99 * low <= entry.scale / depth * (days or 1) <= 1.01 * high:
            return entry.scale, DAYS[name]
    return depth * entry.scale, days


def years_rain(tile: Tile, entry: Entry) -> tuple[np.ndarray, float, str, str]:
    """One layer of rain from those over time.

    Parameters
    ----------
    tile : Tile
        Stored numbers (layer, y, x), NaN as nodata.
    entry : Entry
        Says what is taken over time.

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
    layers, file = tile.values, tile.file
    depth, days = rain_unit(entry, tile.units, file)
    step, spans = step_and_spans(tile.times, len(layers), entry, file, days)
    possible = Meaning(QUANTITIES["rainfall"], depth * (spans[0].days / days if days else 1))
    layers = without_gaps(layers, possible, file)
    if _era5(tile, entry, step) and np.nanmean(layers) * depth * 365 < possible.quantity.high:
        days = 1.0
        fix = "Name the `unit` of sums of months"
        note("ERA5's monthly means are taken for metres a day", where=file, fix=fix)
    _refuse_running_sums(layers, tile.times, spans[0].days, file)
    amount = np.array([span.days / days if days else 1.0 for span in spans])
    if days > 300:
        amount = np.array([span.years for span in spans])
    elif days >= 28 and step == "month":
        amount = 12 * np.array([span.years for span in spans])
    if days > 300 and entry.unit and step != "year":
        fix = "Write `unit: mm` for what fell in it"
        doubt(f"every {step} has a rate, as `unit: {entry.unit}` says", where=file, fix=fix)
    years = np.array([span.years for span in spans])
    unit = {"annual_sum": "mm/yr", "sum": "mm"}.get(entry.statistic, f"mm/{step}")
    told = f"{told_of(step, tile.times, years)}, {entry.statistic.replace('annual_', '')}"
    if tile.files > 1:
        told = f"{tile.files} files of the same area, {told}"
    off = abs(years.sum() - max(1, round(years.sum())))
    if entry.statistic == "annual_sum" and off > 0.04:
        fix = "Give whole years, or correct `step`"
        doubt(f"{told}: these are no whole years", where=file, fix=fix)
    layer = reduce_layers(layers, entry.statistic, amount, years)
    return layer, depth, unit.replace("/year", "/yr"), told


def _refuse_running_sums(layers: np.ndarray, times: list, days: float, file) -> None:
    """Refuse layers of hours that add up until a new day begins, as those of ERA5-Land do."""
    if days > 0.5 or len(layers) < 2 / days or None in times:
        return
    order = np.argsort([time.toordinal(fractional=True) for time in times])
    falls = (np.diff(layers[order], axis=0) < 0).any(axis=(1, 2))
    hours = {times[order[i + 1]].hour for i in np.flatnonzero(falls)}
    is_midnight = len(hours) == 1 and max(hours) <= 24 * days + 0.01
    if is_midnight and falls.sum() > 0.3 * len(layers) * days:
        raise InputError(
            "the rain of the hours adds up within each day",
            where=file,
            found=f"it only falls back at {hours.pop()}:00",
            fix="Give sums of days, as the last of each day's layers hold them, or of months",
        )


def _era5(tile: Tile, entry: Entry, step: str) -> bool:
    """Whether these are ERA5's monthly means, metres a day that call themselves metres."""
    metres = tile.units == "m" and not entry.unit and entry.scale in (1, 1000)
    return metres and step == "month" and tile.name == "tp"


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
        raise InputError(
            f"more rain than falls anywhere ({high:,} mm a year)",
            where=file,
            found=f"{words}, {top:,.0f} at most",
            fix=fix,
        )
    if mean < 10 and unit == "mm/yr":
        doubt(f"{words}, as in a desert", where=file, fix=fix)
    else:
        note(words, where=file)
