"""What several commands of ``lsa`` take and print to."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from lsa_helpers.errors import InputError

console = Console(highlight=False, soft_wrap=True, markup=False)

NameOrFile = Annotated[
    str,
    typer.Argument(
        help="name of a parameter file that comes with the book (quick, course, …) or a path"
    ),
]
DataFolder = Annotated[Path | None, typer.Option(help="data folder")]
Out = Annotated[Path | None, typer.Option(help="the run's folder; default: runs/<name>")]
Override = Annotated[
    list[str] | None,
    typer.Option("-p", metavar="KEY VALUE", help="change one parameter: -p n_classes 7"),
]


def overrides(pairs: list[str] | None) -> dict[str, str]:
    """The values of ``-p``, which arrive as ``KEY=VALUE``, as a dictionary."""
    for pair in pairs or []:
        if "=" not in pair:
            raise InputError("-p takes a key and a value", found=pair, fix="Write -p n_classes 7")
    return dict(pair.split("=", 1) for pair in pairs or [])


def on_one_line(line: str) -> Text:
    """A line that is cut where the terminal ends, its brackets taken as they are."""
    return Text(line, no_wrap=True, overflow="ellipsis")
