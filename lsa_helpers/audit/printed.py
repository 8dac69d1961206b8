"""A printed table as text: what each column and each row of it is."""

import re
from itertools import takewhile
from pathlib import Path

import numpy as np
import pandas as pd

from lsa_helpers.audit.numbers import decimal_points
from lsa_helpers.errors import InputError

_SHARE = {"%", "pct", "percent", "percentage", "share", "ratio", "proportion"}
_COUNT = {"pixels", "pixel", "cells", "cell", "count", "number", "no", "num"}
_AREA = {"area", "pixels", "pixel", "cells", "cell", "domain"}
_SLIDES = {"landslide", "landslides", "slides", "debris", "rockfall", "rockfalls", "failures"}
_RATIO = {"fr", "frequency", "likelihood"}
_GROUP = {"model", "method", "factor"}
_CLASS = {"class", "classes", "zone", "susceptibility", "level"}
_UNITS = ({"km"}, {"ha"}, {"pixel", "pixels", "cell", "cells"})
_TOTAL = {"total", "sum", "all"}
_KNOWN = (
    "A table of classes has a class, an area or its share, landslides or their share, and may "
    "have FR and model; a table of detections has precision and F1, or IoU and F1, or AP and AP50"
)


def read_printed(path: Path) -> pd.DataFrame:
    """A printed table from a CSV file, every number as the text that is printed.

    Parameters
    ----------
    path : Path
        Comma-separated, UTF-8, headings in the first line; lines above them that begin with # are
        remarks.

    Returns
    -------
    DataFrame
        As `understand` gives it.

    Raises
    ------
    InputError
        When the file cannot be read, or its columns are not understood.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        table = pd.read_csv(
            path,
            dtype=str,
            keep_default_na=False,
            skipinitialspace=True,
            encoding="utf-8-sig",
            skiprows=sum(1 for _ in takewhile(lambda line: line.startswith("#"), lines)),
        )
    except (OSError, ValueError) as error:
        said = str(error).splitlines()[0] if str(error) else "nothing"
        raise InputError("this is no readable CSV file", where=path, found=said) from None
    if not isinstance(table.index, pd.RangeIndex):  # pandas takes what is too much as row names
        fix = "Write numbers with a thousands separator in quotes"
        raise InputError("the rows have more fields than headings", where=path, fix=fix)
    return understand(table, where=path)


def understand(table: pd.DataFrame, where: Path | None = None) -> pd.DataFrame:
    """The same table with columns named by what they mean.

    Parameters
    ----------
    table : DataFrame
        Text, with headings as printed.
    where : Path, optional
        The file, for messages.

    Returns
    -------
    DataFrame
        Of classes: ``model, class`` and some of ``area, area_share, landslides, landslide_share,
        fr, density``. Of detections: ``model`` and some of ``precision, recall, f1, iou`` and
        columns that begin with ``ap`` or ``ar``. Decimal commas are points. ``attrs["kind"]`` is
        ``classes`` or ``detections``, ``attrs["headings"]`` the heading of each column as printed,
        ``attrs["totals"]`` the rows of a class table that hold totals.

    Raises
    ------
    InputError
        When two columns mean the same, or too few are understood.
    """
    if "kind" in table.attrs:
        return table
    table = table.astype(str).apply(lambda column: column.str.strip())
    for kind, name_of in (("classes", _class_column), ("detections", _detection_column)):
        names = {heading: name_of(str(heading)) for heading in table}
        if _enough(kind, set(names.values())):
            return _renamed(table, names, kind, where)
    found = ", ".join(map(str, table.columns)) or "no columns"
    what = "the columns are not understood" if len(table) else "the table has no rows"
    raise InputError(what, where=where, found=found, fix=_KNOWN)


def _enough(kind: str, names: set[str]) -> bool:
    """Whether columns of these meanings allow at least one check."""
    if kind == "classes":
        areas, slides = {"area", "area_share"} & names, {"landslides", "landslide_share"} & names
        return "class" in names and bool(areas) and bool(slides)
    pairs = ({"precision", "f1"}, {"iou", "f1"})
    return any(pair <= names for pair in pairs) or {"ap", "ap50"} <= {
        n.split("_")[0] for n in names
    }


def _renamed(table: pd.DataFrame, names: dict, kind: str, where: Path | None) -> pd.DataFrame:
    """Columns by meaning; what labels a row of detections is put together from all other text."""
    if not len(table):
        raise InputError("the table has no rows", where=where)
    kept = {heading: name for heading, name in names.items() if name}
    twice = {name for name in kept.values() if list(kept.values()).count(name) > 1} - {"model"}
    if twice:
        found = [heading for heading, name in kept.items() if name in twice]
        raise InputError("two columns mean the same", where=where, found=found)
    labels = [heading for heading, name in kept.items() if name == "model"]
    parts = table[labels].replace("", np.nan).ffill().fillna("").T
    out = table[[heading for heading in kept if heading not in labels]].rename(columns=kept)
    model = [" ".join(filter(None, parts[row])) for row in parts]
    if kind == "detections":
        model = [label or f"row {number}" for number, label in enumerate(model, 1)]
    numbers = [name for name in out if name != "class"]
    out[numbers] = decimal_points(out[numbers])
    out.insert(0, "model", model)
    total = out["class"].str.lower().isin(_TOTAL) if kind == "classes" else out.index < 0
    totals, out = out[total], out[~total].reset_index(drop=True)
    out.attrs = {
        "kind": kind,
        "where": where,
        "labels": table[labels],
        "totals": totals,
        "headings": {name: str(heading) for heading, name in kept.items()},
    }
    return out


def _words(heading: str) -> set[str]:
    """Words and per-cent signs of a heading, in small letters."""
    return set(re.findall(r"[a-z]+|%", heading.lower().replace("_", " ")))


def _class_column(heading: str) -> str:
    """Meaning of a heading of a class table; empty when it is none."""
    words = _words(heading)
    share = bool(words & _SHARE)
    if words & _GROUP:
        return "model"
    if "density" in words and words & _SLIDES:
        return "density"
    if words & _RATIO and not words & _AREA:
        return "fr"
    if words & _CLASS and not words & (_AREA | _COUNT | _SHARE):
        return "class"
    if words & _SLIDES:
        return "landslide_share" if share else "landslides"
    if words & _AREA:
        return "area_share" if share else "area"
    return ""


def _detection_column(heading: str) -> str:
    """Meaning of a heading of a table of detections; empty for a column that is none."""
    text = re.sub(r"[^a-z0-9]+", "_", heading.lower()).strip("_")
    text = text.removesuffix("_pct")
    if text in ("model", "method", "backbone", "optimizer", "network", "backbone_optimizer"):
        return "model"
    if re.fullmatch(r"f1?_?(score|measure)?|f1", text):
        return "f1"
    if text in ("precision", "recall", "iou", "miou"):
        return text.removeprefix("m")
    # The paper's APs, APs50, APb: segmentation and box; elsewhere AP50, AP_segm, mAP50.
    found = re.fullmatch(
        r"m?(ap|ar)_?(s|b|segm|mask|bbox|box)?_?(\d\d)?_?(segm|mask|bbox|box)?", text
    )
    if not found:
        return ""
    what = {"s": "segm", "b": "bbox", "mask": "segm", "box": "bbox"}
    kind = found[2] or found[4]
    return f"{found[1]}{found[3] or ''}" + (f"_{what.get(kind, kind)}" if kind else "")


def is_count(table: pd.DataFrame, column: str) -> bool:
    """Whether a column counts cells or landslides, by its heading or because no heading names a
    unit and every number is whole.
    """
    words = _words(table.attrs["headings"][column])
    if words & _COUNT:
        return True
    whole = table[column].str.fullmatch(r"[\d,\s'’]+").all()
    return bool(whole) and column == "landslides" and "area" not in words


def same_unit(headings: dict[str, str]) -> bool:
    """Whether areas and landslides are in one unit, so that one can be taken from the other."""
    area, slides = (_words(headings.get(name, "")) for name in ("area", "landslides"))
    return any(area & unit and slides & unit for unit in _UNITS)
