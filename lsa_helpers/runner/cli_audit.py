"""``lsa audit``: what a printed table tells."""

from pathlib import Path
from typing import Annotated

import typer

from lsa_helpers.runner.cli_options import console


def audit_file(
    file: Annotated[
        Path, typer.Argument(help="CSV with the table as it is printed, headings in its first line")
    ],
    out: Annotated[
        Path | None, typer.Option(help="report in Markdown; default: FILE_audit.md here")
    ] = None,
) -> None:
    """Check a printed table of classes or detections against its own numbers."""
    from lsa_helpers.audit import VERDICTS, audit, report
    from lsa_helpers.run import whole_file

    findings = audit(file)
    for verdict, meaning in VERDICTS.items():
        sentences = findings.loc[findings["verdict"] == verdict, "sentence"]
        console.print(f"{meaning}: {len(sentences)}")
        for sentence in sentences if verdict != "possible" else ():
            console.print(f"  {sentence}")
    out = out or Path(f"{file.stem}_audit.md")
    with whole_file(out) as part:
        part.write_text(report(findings, f"Audit of {file.name}"), encoding="utf-8")
    console.print(f"Report: {out}")
