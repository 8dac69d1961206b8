"""What a table of susceptibility or factor classes must satisfy, and what it implies."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from lsa_helpers.audit.auc import auc_interval, auc_leads
from lsa_helpers.audit.findings import FIELDS, SLACK, WORDS, finding, of, ranked
from lsa_helpers.audit.numbers import intervals
from lsa_helpers.audit.printed import is_count, same_unit
from lsa_helpers.audit.totals import common_totals, printed_totals

#: Share of the landslides (%) in the class called safest that is worth a question.
MUCH = 10.0


def audit_classes(table: pd.DataFrame) -> pd.DataFrame:
    """Every finding about a table of classes.

    Parameters
    ----------
    table : DataFrame
        From `lsa_helpers.audit.understand`; each model (or factor) is a table of its own.

    Returns
    -------
    DataFrame
        As `lsa_helpers.audit.audit`.

    Raises
    ------
    InputError
        When a cell is no number.
    """
    exact = {name: is_count(table, name) for name in ("area", "landslides") if name in table}
    numbers = {
        name: intervals(table[name], exact=exact.get(name, False), where=table.attrs["where"])
        for name in WORDS
        if name in table
    }
    groups, found = {}, []
    for model, rows in table.groupby("model", sort=False):
        columns = {name: part.loc[rows.index] for name, part in numbers.items()}
        groups[model] = columns | {"class": rows["class"]}
    same = same_unit(table.attrs["headings"])
    for model, columns in groups.items():
        for check in (
            _whole_counts,
            _shares,
            _ratios,
            _densities,
            _sums,
            _order,
            _lowest,
            auc_interval,
        ):
            found += check(model, columns, exact=exact, same=same)
    found += _unit(table, groups)
    found += printed_totals(table, groups, exact)
    found += common_totals(groups, exact)
    found += _prevalence(groups, same)
    found += auc_leads(groups, same)
    return pd.DataFrame(found, columns=FIELDS)


def _total(columns: dict, name: str) -> float:
    """100 or 1, whichever the shares add up to."""
    return 100.0 if columns[name]["value"].sum() > 2 else 1.0


def _share_interval(amount: pd.DataFrame, whole: float) -> pd.DataFrame:
    """Lowest and highest share that each amount can have when all are only known to intervals."""
    if amount["value"].isna().any():  # the total is not known
        return amount[["low", "high"]] * np.nan
    low, high = amount["low"], amount["high"]
    others_low, others_high = low.sum() - low, high.sum() - high
    with np.errstate(invalid="ignore"):
        parts = {"low": low / (low + others_high), "high": high / (high + others_low)}
    return whole * pd.DataFrame(parts)


def _compare(model: str, columns: dict, name: str, allowed: pd.DataFrame) -> Iterator[dict]:
    """The printed numbers that miss the allowed intervals, or one finding that none does."""
    printed = columns[name]
    too_low = printed["high"] < allowed["low"] - SLACK
    too_high = printed["low"] > allowed["high"] + SLACK
    word = WORDS[name]
    for row in printed.index[too_low | too_high]:
        value, label = printed.at[row, "value"], columns["class"][row]
        low, high = allowed.loc[row, ["low", "high"]]
        text = f"{label}{of(model)}: the {word} {value:g} cannot be; "
        least, most = f"{low:.4g}", f"{high:.4g}"
        allow = f"give {most}" if least == most else f"allow {least} to {most}"
        text += f"the table's own numbers {allow}."
        where = f"{model} / {label}" if model else label
        yield finding(word, where, "impossible", text, printed=value, low=low, high=high)
    checked = printed["value"].notna() & allowed.notna().all(axis=1)
    if checked.any() and not (too_low | too_high).any():
        words = f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
        text = f"All {checked.sum()} {words}{of(model)} follow within rounding."
        yield finding(word, model, "possible", text)


def _whole_counts(model: str, columns: dict, exact: dict, **_) -> Iterator[dict]:
    """What is counted has no fraction."""
    for name in (name for name, counted in exact.items() if counted):
        value = columns[name]["value"].dropna()
        for row in value.index[value % 1 > 0]:
            text = f"{columns['class'][row]}{of(model)}: {value[row]:g} is counted, but not whole."
            where = f"{model} / {columns['class'][row]}"
            yield finding("whole counts", where, "impossible", text, printed=value[row])


def _shares(model: str, columns: dict, **_) -> Iterator[dict]:
    """Shares follow from the amounts."""
    for share, amount in (("area_share", "area"), ("landslide_share", "landslides")):
        if {share, amount} <= set(columns):
            allowed = _share_interval(columns[amount], _total(columns, share))
            yield from _compare(model, columns, share, allowed)


def _one(columns: dict, amount: str, share: str) -> pd.DataFrame:
    """Interval of every class's part of the whole, from amounts where they are printed."""
    if amount in columns:
        return _share_interval(columns[amount], 1.0)
    return columns[share][["low", "high"]] / _total(columns, share)


def _ratios(model: str, columns: dict, **_) -> Iterator[dict]:
    """The ratio is the share of landslides by that of the area."""
    if "fr" not in columns:
        return
    area = _one(columns, "area", "area_share")
    slides = _one(columns, "landslides", "landslide_share")
    with np.errstate(divide="ignore", invalid="ignore"):
        allowed = pd.DataFrame(
            {"low": slides["low"] / area["high"], "high": slides["high"] / area["low"]}
        )
    allowed = allowed.fillna({"low": 0, "high": np.inf})
    yield from _compare(model, columns, "fr", _scale(columns, allowed) * allowed)


def _scale(columns: dict, allowed: pd.DataFrame) -> float:
    """100 where the printed ratios are in per cent, else 1."""
    middle = allowed.mean(axis=1).replace(np.inf, np.nan)
    return 100.0 if (columns["fr"]["value"] / middle).median() > 10 else 1.0


def _densities(model: str, columns: dict, **_) -> Iterator[dict]:
    """Landslides by the land of their class, as a ratio or in per cent; nothing where their units
    do not give such numbers at all.
    """
    if not {"density", "area", "landslides"} <= set(columns):
        return
    slides, area = columns["landslides"], columns["area"]
    with np.errstate(divide="ignore", invalid="ignore"):
        allowed = pd.DataFrame(
            {"low": slides["low"] / area["high"], "high": slides["high"] / area["low"]}
        )
        middle = (columns["density"]["value"] / (slides["value"] / area["value"])).median()
    for unit in (1.0, 100.0):
        if unit / 2 < middle < unit * 2:
            yield from _compare(model, columns, "density", unit * allowed)


def _sums(model: str, columns: dict, **_) -> Iterator[dict]:
    """Shares add up to the whole, as far as rounding lets them."""
    for name in {"area_share", "landslide_share"} & set(columns):
        whole, part = _total(columns, name), columns[name]
        low, value, high = (part[key].sum() for key in ("low", "value", "high"))
        fits = low - SLACK <= whole <= high + SLACK
        digits = 2 if whole > 1 else 4
        text = f"The {WORDS[name]}s{of(model)} add up to {value:.{digits}f}, "
        text += f"which {'rounding explains' if fits else 'no rounding explains'}."
        verdict = "possible" if fits else "impossible"
        yield finding(
            f"sum of {WORDS[name]}s", model, verdict, text, printed=value, low=low, high=high
        )


def _order(model: str, columns: dict, **_) -> Iterator[dict]:
    """Ratios rise from class to class."""
    rows = ranked(columns)
    if rows is None or "fr" not in columns:
        return
    ratio, labels = columns["fr"]["value"], columns["class"]
    falls = [(a, b) for a, b in zip(rows, rows[1:], strict=False) if ratio[a] > ratio[b]]
    for a, b in falls:
        text = f"The frequency ratio{of(model)} falls from {labels[a]} ({ratio[a]:g}) "
        text += f"to {labels[b]} ({ratio[b]:g})."
        yield finding("order of ratios", model, "noted", text, printed=ratio[b], low=ratio[a])
    if not falls:
        yield finding(
            "order of ratios",
            model,
            "possible",
            f"The frequency ratios{of(model)} rise from class to class.",
        )


def _lowest(model: str, columns: dict, **_) -> Iterator[dict]:
    """What the class that is called safest holds."""
    rows = ranked(columns)
    name = "landslide_share" if "landslide_share" in columns else "landslides"
    if rows is None or not columns[name]["value"].sum() > 0:
        return
    share = 100 * columns[name]["value"][rows[0]] / columns[name]["value"].sum()
    part = _one(columns, "landslides", "landslide_share").loc[rows[0]] * 100
    text = (
        f"The class {columns['class'][rows[0]]}{of(model)} holds {share:.1f} % of the landslides."
    )
    verdict = "noted" if share > MUCH else "implied"
    yield finding(
        "lowest class", model, verdict, text, printed=share, low=part["low"], high=part["high"]
    )


def _unit(table: pd.DataFrame, groups: dict) -> Iterator[dict]:
    """A ratio with a heading in per cent."""
    heading = table.attrs["headings"].get("fr", "")
    if "%" not in heading:
        return
    columns = pd.concat([columns["fr"]["value"] for columns in groups.values()])
    if columns.max() < 100:
        text = f'The column "{heading}" holds plain ratios, which have no unit.'
        yield finding("unit", heading, "noted", text, printed=columns.max())


def _prevalence(groups: dict, same: bool) -> Iterator[dict]:
    """Share of the land that is landslide."""
    columns = next(iter(groups.values()))
    if not same or not columns["area"]["value"].sum() > 0:
        return
    slides, area = columns["landslides"].sum(), columns["area"].sum()
    share = 100 * slides / area["value"]
    text = f"Landslides cover {share['value']:.2f} % of the land."
    low, high = 100 * slides["low"] / area["high"], 100 * slides["high"] / area["low"]
    yield finding("prevalence", "", "implied", text, printed=share["value"], low=low, high=high)


#: What is asked of every model (or factor) by itself.
_CHECKS = (
    *(_whole_counts, _shares, _ratios, _densities, _sums, _order, _lowest),
    auc_interval,
)
