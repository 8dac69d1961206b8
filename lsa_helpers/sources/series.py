"""Layers over time: how long each lasts, and one layer made of them."""

import re
from collections import Counter
from datetime import timedelta
from typing import NamedTuple

import numpy as np
import xarray as xr

from lsa_helpers.errors import InputError, doubt, note
from lsa_helpers.sources.catalog import Entry
from lsa_helpers.sources.tiles import Tile

MONTH = 365.25 / 12
DAYS = {"day": 1.0, "month": MONTH, "year": 365.25}


class Span(NamedTuple):
    """How long one layer lasts."""

    days: float
    years: float


def step_and_spans(times: list, count: int, entry: Entry, file, per: float = 0.0) -> tuple:
    """How far layers are apart, and how long each of them lasts.

    Parameters
    ----------
    times : list
        Their dates (cftime), or None where one is unknown.
    count : int
        How many there are.
    entry : Entry
        Its `step` counts first.
    file : Path
        For messages.
    per : float
        Days of the file's rate ("mm/month"), the last resort.

    Returns
    -------
    step : str
        "day", "month", "year", or "3.0 days".
    spans : list of Span
        Months and years by their real lengths where their dates are known.

    Raises
    ------
    InputError
        When nothing says how far they are apart.
    """
    dated = None not in times
    if count == 1 and dated and times[0].month > 1 and not (per or entry.step):
        what = f"one layer, of {times[0]:%Y-%m-%d}, is taken for the sum of a year"
        doubt(what, where=file, fix="Write `step: month` or `step: day`, if it is one of them")
    step = entry.step or (_between(times) if dated else "")
    if not step:
        by_count = {1: "year", 365: "day", 366: "day"}
        by_rate = next((name for name, days in DAYS.items() if abs(days - per) < 0.1 * days), "")
        step = "month" if count % 12 == 0 else by_count.get(count) or by_rate
    if not step:
        raise InputError(
            "nothing says how far its layers are apart in time",
            where=file,
            found=f"{count} layers",
            fix="Add `step: day`, `month` or `year`, or name one with `band`",
        )
    if not dated:
        lengths = [31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        year = count if count in (365, 366) else 365.25
        of = {"day": lambda i: 1.0, "month": lambda i: lengths[i % 12], "year": lambda i: 365.25}
        days = [of.get(step, lambda i: float(step.split()[0]))(i) for i in range(count)]
        return step, [Span(d, 1 / 12 if step == "month" else d / year) for d in days]
    most = Counter(times)
    if len(set(most.values())) > 1 or max(most.values()) > 1 and step != "month":
        twice = next(time for time, number in most.items() if number > 1)
        raise InputError(
            "several layers have the same date",
            where=file,
            found=f"{most[twice]} of {twice:%Y-%m-%d}",
            fix="Take out what is there twice, or give one file for each date",
        )
    parts = max(most.values())  # decades and pentads are numbered within their month
    spans = [_span(time, step) for time in times]
    return step, [Span(span.days / parts, span.years / parts) for span in spans]


def _span(time, step: str) -> Span:
    """How long a dated layer lasts."""
    year = _days_in_year(time)
    if step == "month":
        return Span(time.daysinmonth, 1 / 12)
    days = {"day": 1.0, "year": year}.get(step) or float(step.split()[0])
    return Span(days, days / year)


def _date(year: int, month: int, day: int, calendar: str = "standard"):
    """A date of a calendar (cftime)."""
    text = f"{year:04d}-{month:02d}-{day:02d}"
    return xr.date_range(text, periods=1, calendar=calendar, use_cftime=True)[0]


def _days_in_year(time) -> int:
    """Days of a date's year in its calendar."""
    first = time.replace(month=1, day=1)
    return (first.replace(year=first.year + 1) - first).days


def _between(times: list) -> str:
    """The step between dates; empty for a single one."""
    days = sorted(time.toordinal(fractional=True) for time in times)
    gaps = np.diff(days)
    gaps = gaps[gaps > 0]
    if not gaps.size:
        return ""
    gap = float(np.median(gaps))
    for name, low, high in (("day", 0.99, 1.01), ("month", 28, 31), ("year", 360, 366)):
        if low <= gap <= high:
            return name
    return f"{gap:.6g} days"


def over_time(tile: Tile, entry: Entry) -> np.ndarray:
    """One layer of those of a tile that is not about rain: their mean unless the entry says
    otherwise.
    """
    count = len(tile.values)
    if count == 1:
        return tile.values[0]
    statistic = entry.statistic if "statistic" in entry.model_fields_set else "mean"
    spans = [Span(1, 1)] * count
    if statistic == "annual_sum":
        _, spans = step_and_spans(tile.times, count, entry, tile.file)
    note(f"{count} layers over time, {statistic.replace('_', ' ')}", where=tile.file)
    return reduce_layers(
        tile.values, statistic, np.ones(count), np.array([span.years for span in spans])
    )


def reduce_layers(layers, statistic: str, amount: np.ndarray, years: np.ndarray) -> np.ndarray:
    """What is taken over time of layers (layers, height, width), NaN where all of them are missing.

    Parameters
    ----------
    layers : ndarray
    statistic : str
        As in the catalog.
    amount : ndarray, shape (layers,)
        What a layer's numbers are multiplied by to be what fell in it.
    years : ndarray, shape (layers,)
        How long each lasts; the annual sum is that of the layers known over their years.
    """
    known = np.isfinite(layers).any(axis=0)
    # all-missing cells would warn
    safe = np.where(known, layers, 0)
    if statistic == "annual_sum" and np.ptp(amount) == np.ptp(years) == 0:
        made = np.nanmean(safe, axis=0) * (amount[0] / years[0])
    else:
        each = safe * amount[:, None, None]
        made = {"mean": np.nanmean, "max": np.nanmax}.get(statistic, np.nansum)(each, axis=0)
        if statistic == "annual_sum":
            made = made / (np.isfinite(safe) * years[:, None, None]).sum(axis=0)
    return np.where(known, made, np.nan).astype(np.float32)


def told_of(step: str, times: list, years: np.ndarray) -> str:
    """ "12 months of 2022", "2 years", "365 days of 2021 to 2022"."""
    count = len(years)
    noun = step if step in DAYS else f"layer of {step}" if count == 1 else "layer"
    told = f"{count} {noun}{'s' if count > 1 else ''}"
    if step not in DAYS and count > 1:
        told += f" of {step}"
    if None in times:
        return told
    parts = count // len(set(times))
    told = told if parts == 1 else f"{count} layers, {parts} a month,"
    first, last = min(times).year, max(times).year
    return f"{told} {'of' if step in DAYS else 'in'} {first}{f' to {last}' if last > first else ''}"


def dates_of_bands(names: list[str], stem: str) -> list:
    """Dates of a raster's bands: of their names, of its own where it has one band, or the months or
    days of the one year that its name has; None where nothing tells.
    """
    dates = [date_in(name) for name in names]
    if len(names) == 1 and dates[0] is None:
        dates = [date_in(stem)]
    years = set(re.findall(r"(?<!\d)(?:19|20)\d\d(?!\d)", stem))
    if None not in dates or len(years) != 1:
        return dates
    year = int(years.pop())
    start = _date(year, 1, 1)
    days = _days_in_year(start)
    if len(names) in (12, 24, 36, 72):  # months, or numbered parts of them
        return [start.replace(month=1 + 12 * band // len(names)) for band in range(len(names))]
    if len(names) == days:
        return [start + timedelta(days=day) for day in range(days)]
    return [start] if len(names) == 1 else dates


def date_in(text: str, calendar: str = "standard"):
    """The date in a name ("chirps-v2.0.2022.01.15", "pr_202203"), or None."""
    day = re.search(
        r"(?<!\d)(19\d\d|20\d\d)([-_.]?)(0[1-9]|1[0-2])(?:\2(0[1-9]|[12]\d|3[01]))?(?!\d)", text
    )
    if not day:
        return None
    try:
        return _date(int(day[1]), int(day[3]), int(day[4] or 1), calendar)
    except ValueError:
        return None


def decode_times(values: np.ndarray, attrs: dict) -> list:
    """Dates of a NetCDF's time axis; None where it does not tell.

    Examples
    --------
    >>> time, = decode_times(np.array([14]), {"units": "months since 2021-01-01"})
    >>> time.year, time.month
    (2022, 3)
    """
    units, calendar = str(attrs.get("units", "")), attrs.get("calendar", "standard")
    since = re.match(r"(month|year)s? since (\d+)-(\d+)", units)
    try:
        if since:
            months = np.asarray(values, float) * (12 if since[1] == "year" else 1)
            start = 12 * int(since[2]) + int(since[3]) - 1
            return [
                _date(m // 12, m % 12 + 1, 1, calendar)
                for m in np.floor(months + start).astype(int).tolist()
            ]
        if "since" in units:
            coded = xr.Variable("time", values, {"units": units, "calendar": calendar})
            return xr.coders.CFDatetimeCoder(use_cftime=True).decode(coded).values.tolist()
    except (ValueError, TypeError, OverflowError):
        return [None] * len(values)
    return [date_in(str(value).split(".")[0][:10], calendar) for value in values]
