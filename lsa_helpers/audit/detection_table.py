"""What the scores in a table of detections say about each other."""

from collections.abc import Iterator
from itertools import combinations

import pandas as pd

from lsa_helpers.audit.findings import FIELDS, SLACK, finding
from lsa_helpers.audit.numbers import intervals

#: Points by which two scores may gain apart from each other before it is worth a question.
APART = 10.0


def audit_detections(table: pd.DataFrame) -> pd.DataFrame:
    """Every finding about a table of detection scores.

    Parameters
    ----------
    table : DataFrame
        From `lsa_helpers.audit.understand`; one row per model.

    Returns
    -------
    DataFrame
        As `lsa_helpers.audit.audit`; scores in per cent.

    Raises
    ------
    InputError
        When a cell is no number.
    """
    scores = {
        name: intervals(table[name], where=table.attrs["where"])
        for name in table
        if name != "model"
    }
    headings = [table.attrs["headings"][name] for name in scores]
    if max(part["value"].max() for part in scores.values()) <= 1 and "%" not in "".join(headings):
        scores = {name: 100 * part for name, part in scores.items()}
    found = [*_recalls(table, scores), *_recall_columns(scores), *_pixels(table, scores)]
    found += [*_nested(table, scores), *_gains(table, scores)]
    return pd.DataFrame(found, columns=FIELDS)


def implied_recall(precision: float, f1: float) -> float:
    """The recall R that precision P and F1 leave: R = P · F1 / (2 P − F1).

    Parameters
    ----------
    precision, f1 : float
        In the same unit, per cent or 0–1.

    Returns
    -------
    float
        In that unit; infinite where no recall is high enough for this F1.

    Examples
    --------
    >>> round(implied_recall(90.3, 84.7), 2)
    79.75
    """
    below = 2 * precision - f1
    return precision * f1 / below if below > 0 else float("inf")


def _recalls(table: pd.DataFrame, scores: dict) -> Iterator[dict]:
    """Recall from precision and F1; it rises with F1 and falls with precision."""
    if not {"precision", "f1"} <= set(scores):
        return
    for row, model in table["model"].items():
        p, f = scores["precision"].loc[row], scores["f1"].loc[row]
        value = implied_recall(p["value"], f["value"])
        least = implied_recall(p["high"], f["low"])
        most = implied_recall(p["low"], f["high"])
        numbers = {"printed": value, "low": least, "high": most}
        if least > 100 + SLACK:
            text = f"{model}: no recall gives F1 {f['value']:g} with precision {p['value']:g}."
            yield finding("implied recall", model, "impossible", text, **numbers)
            continue
        text = f"{model}: F1 and precision imply a recall of {value:.2f} % "
        text += f"({least:.2f} to {most:.2f})."
        yield finding("implied recall", model, "implied", text, **numbers)


def _recall_columns(scores: dict) -> Iterator[dict]:
    """Whether a printed recall is the one in F1."""
    if not {"precision", "f1"} <= set(scores):
        return
    p, f = scores["precision"], scores["f1"]
    names = [name for name in scores if name == "recall" or name.startswith("ar")]
    for name in names:
        r = scores[name]
        low, high = ((2 * p[key] * r[key] / (p[key] + r[key])).fillna(0) for key in ("low", "high"))
        fits = (f["high"] >= low - SLACK) & (f["low"] <= high + SLACK)
        numbers = {"printed": float(fits.sum()), "low": low.min(), "high": high.max()}
        if fits.all():
            text = f"Precision and {name} give the printed F1 in every row."
            yield finding("recall in F1", name, "possible", text, **numbers)
        else:
            text = f"Precision and {name} give the printed F1 in {fits.sum()} of {len(fits)} rows: "
            text += (
                "F1 comes from another recall, at an operating point that the table does not name."
            )
            verdict = "impossible" if name == "recall" else "noted"
            yield finding("recall in F1", name, verdict, text, **numbers)


def _pixels(table: pd.DataFrame, scores: dict) -> Iterator[dict]:
    """F1 = 2 IoU / (1 + IoU), where both count pixels."""
    if not {"iou", "f1"} <= set(scores):
        return
    iou, f = scores["iou"] / 100, scores["f1"]
    low, high = (200 * iou[key] / (1 + iou[key]) for key in ("low", "high"))
    for row, model in table["model"].items():
        fits = f.at[row, "high"] >= low[row] - SLACK and f.at[row, "low"] <= high[row] + SLACK
        text = f"{model}: IoU implies an F1 of {low[row]:.2f} to {high[row]:.2f} %, "
        text += f"{f.at[row, 'value']:g} is printed (only if both are of pixels)."
        numbers = {"printed": f.at[row, "value"], "low": low[row], "high": high[row]}
        yield finding("IoU and F1", model, "possible" if fits else "noted", text, **numbers)


def _nested(table: pd.DataFrame, scores: dict) -> Iterator[dict]:
    """A stricter IoU threshold, or the mean over stricter ones, never scores higher."""
    for name in [name for name in scores if name.startswith("ap50")]:
        for other in (name.replace("50", "", 1), name.replace("50", "75", 1)):
            if other not in scores:
                continue
            wrong = scores[other]["low"] > scores[name]["high"] + SLACK
            for model in table.loc[wrong, "model"]:
                text = f"{model}: {other} is higher than {name}."
                yield finding("nested AP", f"{model} / {other}", "impossible", text)
            if not wrong.any():
                text = f"{other} is never higher than {name}."
                yield finding("nested AP", other, "possible", text)


def _gains(table: pd.DataFrame, scores: dict) -> Iterator[dict]:
    """What precision and AP50 gain where only one thing changes between two rows."""
    name = next((name for name in scores if name.startswith("ap50")), None)
    labels = table.attrs["labels"]
    if name is None or "precision" not in scores:
        return
    for a, b in combinations(table.index, 2):
        if (labels.loc[a] != labels.loc[b]).sum() != 1:
            continue
        precision, ap = (scores[key]["value"] for key in ("precision", name))
        gain, other = precision[b] - precision[a], ap[b] - ap[a]
        text = f"From {table.at[a, 'model']} to {table.at[b, 'model']} precision changes by "
        text += f"{gain:+.1f} points, {name} by {other:+.1f}."
        verdict = "noted" if abs(gain - other) > APART else "implied"
        where = f"{table.at[a, 'model']} / {table.at[b, 'model']}"
        yield finding("gain", where, verdict, text, printed=gain, low=other)
