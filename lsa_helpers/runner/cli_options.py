"""What several commands of ``lsa`` take and print to."""

from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table
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
AsJson = Annotated[bool, typer.Option("--json", help="answer in JSON")]


def overrides(pairs: list[str] | None) -> dict[str, str]:
    """The values of ``-p``, which arrive as ``KEY=VALUE``, as a dictionary."""
    for pair in pairs or []:
        if "=" not in pair:
            raise InputError("-p takes a key and a value", found=pair, fix="Write -p n_classes 7")
    return dict(pair.split("=", 1) for pair in pairs or [])


def on_one_line(line: str) -> Text:
    """A line that is cut where the terminal ends, its brackets taken as they are."""
    return Text(line, no_wrap=True, overflow="ellipsis")


def print_table(head: list[str], rows: list[list[str]], title: str | None = None) -> None:
    """Print texts as a table; a file or a pipe, which has no width of its own, gets a wide one."""
    wide = console if console.is_terminal else Console(width=160, highlight=False)
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for name in head:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    wide.print(table)


def short_hash(text: str) -> str:
    """A hash by its first digits, with the ``+`` of a changed checkout; other texts whole.

    Examples
    --------
    >>> short_hash("0f9bacfd" * 5 + "+"), short_hash("1.2.0")
    ('0f9bacfd+', '1.2.0')
    """
    digits = text.rstrip("+")
    is_hash = len(digits) in (40, 64) and not set(digits) - set("0123456789abcdef")
    return digits[:8] + text[len(digits) :] if is_hash else text
