"""Every finding about one printed table, and the report of them."""

from pathlib import Path

import pandas as pd

from lsa_helpers.audit.class_table import audit_classes
from lsa_helpers.audit.detection_table import audit_detections
from lsa_helpers.audit.printed import read_printed, understand

#: Verdict → what it says, the gravest first.
VERDICTS = {
    "impossible": "Cannot be, whatever was rounded away",
    "noted": "Possible, but worth a question",
    "implied": "Not printed, but follows",
    "possible": "Fits within rounding",
}


def audit(table: pd.DataFrame | Path | str) -> pd.DataFrame:
    """Every finding about a printed table.

    Parameters
    ----------
    table : DataFrame, Path or str
        Text as printed, from `read_printed` or with any headings that `understand` knows; or the
        path of a CSV file.

    Returns
    -------
    DataFrame
        ``check, where, printed, low, high, verdict, sentence``: the printed number and the interval
        that the rest of the table allows or implies, a key of `VERDICTS`, and the finding in words.

    Raises
    ------
    InputError
        When the table cannot be read or is neither of classes nor of detections.
    """
    table = understand(table) if isinstance(table, pd.DataFrame) else read_printed(Path(table))
    return (audit_classes if table.attrs["kind"] == "classes" else audit_detections)(table)


def report(findings: pd.DataFrame, title: str) -> str:
    """The findings as Markdown, the gravest first.

    Parameters
    ----------
    findings : DataFrame
        From `audit`.
    title : str
        Heading of the report.

    Returns
    -------
    str
    """
    lines = [f"# {title}", ""]
    for verdict, meaning in VERDICTS.items():
        sentences = findings.loc[findings["verdict"] == verdict, "sentence"]
        if len(sentences):
            lines += [f"## {meaning} ({len(sentences)})", "", *(f"- {s}" for s in sentences), ""]
    lines += [
        "A printed number stands for half a unit of its last digit to both sides; a finding of",
        "the first kind holds for every value in these intervals.",
    ]
    return "\n".join(lines) + "\n"
