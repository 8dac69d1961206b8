"""``lsa try``: a chapter with a changed parameter, its numbers beside the page's."""

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from lsa_helpers.errors import InputError
from lsa_helpers.runner.cli_options import Override, console, on_one_line, overrides, print_table
from lsa_helpers.runner.params import COMPARISON, PUBLISHED, chapter_name

# Rows printed in all, and at least of each table.
_ROWS, _LEAST = 24, 5
# Share of a column's largest number below which a difference is not worth a row.
_SMALL = 0.001
_HEAD = ["column", "row", "page", "yours", "difference"]


def try_chapter(
    run: Annotated[str, typer.Argument(help="name of a run in runs/, or its folder")],
    chapter: Annotated[str, typer.Argument(help="chapter, for example 06")],
    parameters: Override = None,
    table: Annotated[
        str | None, typer.Option(help="print all that differs in one table: frequency_ratio")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="the trial's folder; default: runs/<name>-trials/<change>")
    ] = None,
) -> None:
    """Repeat a chapter of a run with a changed parameter, and print what differs, the page's number
    and yours; the run stays as it is.
    """
    from lsa_helpers.run import whole_file
    from lsa_helpers.runner import trial
    from lsa_helpers.runner.registry import find_run
    from lsa_helpers.runner.side_by_side import compare_tables

    page, name = find_run(run), _chapter(chapter)
    changes = trial.read_changes(overrides(parameters), run, name)
    todo = trial.repeated(name, changes)
    folder = out or page.parent / f"{page.resolve().name}-trials" / trial.trial_name(name, changes)
    trial.need_page(page, todo)
    _make(page, folder, todo, changes)
    own, files = (trial.made_otherwise(page, folder, some) for some in ([name], todo))
    tables = [Path(file).stem for file in files if file.startswith("tables/")]
    cells = compare_tables(page, folder, tables)
    with whole_file(folder / "page_and_yours.csv") as part:
        cells.drop(columns="weight").to_csv(part, index=False, float_format="%.10g")
    if table:
        print_cells(cells, [_one_of(tables, table)], whole=True)
    else:
        print_cells(cells, [Path(file).stem for file in own if file.startswith("tables/")])
    if cells["page_low"].notna().any():
        console.print(f"Which scores differ by more than chance: lsa diff {page} {folder}")
    _print_places(page, folder, todo, own)


def _chapter(text: str) -> str:
    """A chapter of a run."""
    for name in (PUBLISHED, COMPARISON):
        if name.startswith(text.zfill(2)):
            fix = f"Plain papermill runs it: papermill notebooks/{name}.ipynb out.ipynb -p …"
            raise InputError("this chapter belongs to no run", where=name, fix=fix)
    return chapter_name(text)


def _one_of(tables: list[str], name: str) -> str:
    """A table that differs, by its name with or without .csv."""
    if (name := name.removesuffix(".csv")) in tables:
        return name
    raise InputError("no such table differs", where=name, found=", ".join(tables) or "none")


def _make(page: Path, folder: Path, todo: list[str], changes: dict) -> None:
    """Make the trial, and say what is done."""
    from lsa_helpers.run import Run
    from lsa_helpers.runner.progress import Progress, expected_seconds
    from lsa_helpers.runner.registry import read_sections
    from lsa_helpers.runner.trial import make_trial

    profile = read_sections(page).get("shared", {}).get("profile", "")
    live, seconds = console.is_terminal, expected_seconds(Run(page), str(profile))
    with console.status("") as status:
        show = (lambda line: status.update(on_one_line(line))) if live else console.print
        make_trial(page, folder, todo, changes, console.print, Progress(show, live, seconds))


def print_cells(cells: pd.DataFrame, tables: list[str], *, whole: bool = False) -> None:
    """Print what differs in some tables.

    Parameters
    ----------
    cells : DataFrame
        From `lsa_helpers.runner.side_by_side.compare_tables`.
    tables : list of str
    whole : bool
        All of it, and not only the largest differences.
    """
    chosen = cells[cells["table"].isin(tables)]
    if chosen.empty:
        console.print("Every number of the chapter's tables is the page's.")
        return
    most = max(_LEAST, _ROWS // chosen["table"].nunique())
    for name, part in chosen.groupby("table", sort=False):
        both, lone = part[part["weight"].notna()], part[part["weight"].isna()]
        shown = part if whole else largest(both, most)
        if len(shown):
            print_table(_HEAD, [_row(cell) for cell in shown.to_dict("records")], title=str(name))
        left = [f"{len(both) - len(shown)} more differences"] * (len(both) > len(shown))
        for run, other in (("the page", "yours"), ("your trial", "page")):
            if count := lone.loc[lone[other].isna(), "row"].nunique():
                left.append(f"{count} row(s) that only {run} has")
        if left and not whole:
            console.print(f"  {name}: and {', '.join(left)} (--table {name})")


def largest(cells: pd.DataFrame, most: int) -> pd.DataFrame:
    """The largest differences of a table: of every column first one, before others those with an
    interval, then the second of each.

    Parameters
    ----------
    cells : DataFrame
        Rows of `lsa_helpers.runner.side_by_side.side_by_side`.
    most : int
        Rows to give.

    Returns
    -------
    DataFrame
        Column by column, its largest difference first.
    """
    order = {name: at for at, name in enumerate(cells["column"].unique())}
    cells = cells[cells["weight"] >= _SMALL].sort_values("weight", ascending=False, kind="stable")
    place = cells.groupby("column", sort=False).cumcount()
    ranks = pd.DataFrame({"place": place, "without": cells["page_low"].isna()})
    chosen = cells.loc[ranks.sort_values(["place", "without"], kind="stable").index[:most]]
    return chosen.sort_values("column", key=lambda names: names.map(order), kind="stable")


def _row(cell: dict) -> list[str]:
    """A cell in both runs as readers see it."""
    both = [
        _span(*(cell[f"{run}{end}"] for end in ("", "_low", "_high"))) for run in ("page", "yours")
    ]
    change = cell["difference"]
    return [cell["column"], cell["row"], *both, "" if pd.isna(change) else _figure(change, "+")]


def _span(value, low: float, high: float) -> str:
    """A value with its interval, where it has one."""
    return _figure(value) if pd.isna(low) else f"{_figure(value)} [{_figure(low)}, {_figure(high)}]"


def _figure(value, sign: str = "") -> str:
    """A number to four digits, a text as it is.

    Examples
    --------
    >>> _figure(0.123456), _figure(-3.0, "+"), _figure(1234567.8), _figure("rises")
    ('0.1235', '-3', '1,234,568', 'rises')
    """
    if pd.isna(value):
        return "–"
    if isinstance(value, str | bool):
        return str(value)
    return f"{value:{sign},.0f}" if abs(value) >= 1000 else f"{value:{sign}.4g}"


def _print_places(page: Path, folder: Path, todo: list[str], files: list[str]) -> None:
    """Where the trial lies, for opening."""
    if len(todo) > 1:
        console.print(f"Repeated before it, with tables of their own: {', '.join(todo[:-1])}")
    for kind in ("figures", "products"):
        if names := [Path(file).name for file in files if file.startswith(f"{kind}/")]:
            console.print(f"{kind.capitalize()} that differ from {page}/{kind}: {', '.join(names)}")
    console.print(
        f"All differences: {folder}/page_and_yours.csv\n"
        f"Open: jupyter lab {folder}/notebooks/{todo[-1]}.ipynb; figures: {folder}/figures"
    )
