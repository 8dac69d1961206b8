"""``lsa compare``: the chapter that puts runs side by side."""

from pathlib import Path
from typing import Annotated

import typer

from lsa_helpers.runner.cli_options import console, on_one_line


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(help="a sweep, or runs, by name or folder; the first is the standard"),
    ],
    out: Annotated[
        Path | None, typer.Option(help="folder; default: the sweep's, or runs/comparison")
    ] = None,
) -> None:
    """Make the chapter that compares runs: parameters, scores, what is more than chance, costs."""
    from lsa_helpers.runner.compare import find_compared, make_comparison

    folders, folder = find_compared(runs)
    folder = out or folder
    with console.status("") as status:
        show = (lambda line: status.update(on_one_line(line))) if console.is_terminal else None
        make_comparison(folders, folder, show or (lambda line: None))
    console.print(
        f"{len(folders)} runs compared: {folder}/tables, figures. Next: lsa book {folder}"
    )
