"""``lsa course``: a folder for a class."""

from pathlib import Path
from typing import Annotated

import typer

from lsa_helpers.runner.cli_options import console


def course(
    folder: Annotated[Path, typer.Argument(help="the folder to write")],
    run: Annotated[Path, typer.Option(help="folder of a run that has its book")] = Path(
        "runs/quick"
    ),
) -> None:
    """Write the folder of a course: notebooks without solutions, the run to begin anywhere, its
    book, the module. It needs no internet once its packages are installed.
    """
    from lsa_helpers.run import Run
    from lsa_helpers.runner.course import make_course

    make_course(Run(run), folder)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6
    console.print(f"Wrote {folder} ({size:.0f} MB). {folder}/README.md says what to do with it.")
