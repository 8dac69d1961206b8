"""The command ``lsa``: what plain papermill, Jupyter and pytest lack, and the plain command it
stands for.
"""

import signal
import sys
import warnings
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from lsa_helpers.errors import InputError, InputNote, LsaError, remarks
from lsa_helpers.runner import (
    cli_audit,
    cli_compare,
    cli_course,
    cli_diff,
    cli_files,
    cli_publish,
    cli_runs,
    cli_scale,
    cli_state,
    cli_sweep,
    cli_try,
)
from lsa_helpers.runner.cells import notebooks_dir
from lsa_helpers.runner.cli_options import (
    DataFolder,
    NameOrFile,
    Out,
    Override,
    console,
    on_one_line,
    overrides,
)
from lsa_helpers.runner.params import CHAPTERS, chapter_name

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False
)
app.add_typer(cli_files.params_app, name="params")
app.add_typer(cli_files.data_app, name="data")
app.add_typer(cli_runs.runs_app, name="runs")


@app.command("run")
def run_chapters(
    name_or_file: NameOrFile = "quick",
    data: DataFolder = None,
    first: Annotated[str, typer.Option("--from", help="first chapter, for example 04")] = "01",
    until: Annotated[str, typer.Option(help="last chapter, for example 05")] = "14",
    parameters: Override = None,
    force: Annotated[bool, typer.Option(help="execute chapters even when nothing changed")] = False,
    redraw: Annotated[
        bool, typer.Option(help="execute also those of which only the figures' code changed")
    ] = False,
    chunk: Annotated[
        int | None, typer.Option(help="edge of a block of cells, for areas larger than memory: 512")
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(help="address of a Dask scheduler that maps blocks; local: processes here"),
    ] = None,
    out: Out = None,
) -> None:
    """Bring a run up to date: execute the chapters whose inputs, parameters or code changed."""
    from lsa_helpers.run import Run
    from lsa_helpers.runner.checks import check_inputs
    from lsa_helpers.runner.execute import execute
    from lsa_helpers.runner.inputs import find_params, load_run_params
    from lsa_helpers.runner.progress import Progress, expected_seconds

    file = find_params(name_or_file)
    run = Run(out or Path("runs") / file.stem)
    blocks = {"chunk": chunk, "scheduler": scheduler}
    given = {key: str(value) for key, value in blocks.items() if value is not None}
    params = load_run_params(file, overrides(parameters) | given, data, run.path)
    chapters = [name for name in CHAPTERS if chapter_name(first) <= name <= chapter_name(until)]
    if not chapters:
        given = f"--from {first} --until {until}"
        raise InputError("there is no chapter between --from and --until", found=given)
    with remarks() as said:
        check_inputs(params, chapters, run.path)
    for line in said:
        console.print(str(line))
    warnings.filterwarnings("ignore", category=InputNote)  # said above, and in chapters 1 and 2
    console.print(
        f"Run {run.path} (each chapter is: papermill notebooks/NN_x.ipynb "
        f"{run.path}/notebooks/NN_x.ipynb --cwd {run.path} -y …)"
    )
    live, seconds = console.is_terminal, expected_seconds(run, params["01_data"].profile)
    with console.status("") as status:
        show = (lambda line: status.update(on_one_line(line))) if live else console.print
        progress = Progress(show, live, seconds)
        how = {"force": force, "redraw": redraw}
        done = execute(run, params, chapters, **how, tell=console.print, progress=progress)
    console.print(
        f"{len(done)} chapter(s) executed. Results: {run.path}/products, tables, figures. "
        f"Next: lsa book {run.path}"
    )


@app.command("book")
def book(
    run: Annotated[str, typer.Argument(help="name of a run in runs/, or its folder")] = "quick",
    out: Annotated[Path | None, typer.Option(help="folder of the site")] = None,
) -> None:
    """Build the Jupyter Book of a run, or of a comparison; prints the path of index.html."""
    from lsa_helpers.run import Run
    from lsa_helpers.runner.publish import build_book
    from lsa_helpers.runner.registry import find_comparison, find_run, load_manifest

    if not (folder := find_comparison(run)):
        folder = find_run(run)
        load_manifest(folder)  # a damaged one is said before anything is built
    console.print(
        "A stage with the run's notebooks is built by: jupyter-book build STAGE -W --keep-going -n"
    )
    with console.status("building the book, about a minute"):
        index = build_book(Run(folder), out)
    console.print(str(index))


@app.command("sync")
def sync() -> None:
    """Derive every notebook's .ipynb twin, the schema of parameter files, and three pages."""
    from lsa_helpers.run import whole_file
    from lsa_helpers.runner.pairs import out_of_step

    console.print(
        "Each twin is: jupytext --to ipynb notebooks/NN_x.py, with cell ids that do not change"
    )
    for file, text in out_of_step(notebooks_dir()).items():
        with whole_file(file) as part:
            part.write_text(text, encoding="utf-8")
        console.print(f"wrote {file}")


@app.command("check")
def check() -> None:
    """Check that every derived file is in step with its source."""
    from lsa_helpers.runner.pairs import out_of_step

    if stale := out_of_step(notebooks_dir()):
        files = ", ".join(map(str, stale))
        raise InputError("a derived file is not in step", where=files, fix="Run: lsa sync")
    console.print("Every derived file is in step.")


app.command("audit")(cli_audit.audit_file)
app.command("diff")(cli_diff.diff)
app.command("sweep")(cli_sweep.sweep)
app.command("compare")(cli_compare.compare)
app.command("course")(cli_course.course)
app.command("publish")(cli_publish.publish)
app.command("pdf")(cli_publish.pdf)
app.command("slides")(cli_publish.slides)
app.command("try")(cli_try.try_chapter)
app.command("why")(cli_state.why)
app.command("check-env")(cli_state.check_env)
app.command("train")(cli_scale.train)
app.command("map")(cli_scale.map_area)
app.command("bench")(cli_scale.bench)


def _join_overrides(arguments: list[str]) -> list[str]:
    """Turn papermill's ``-p KEY VALUE`` into ``-p KEY=VALUE``, which Typer can take many times."""
    out, rest = [], list(arguments)
    while rest:
        word = rest.pop(0)
        out.append(word)
        if word == "-p" and len(rest) >= 2 and "=" not in rest[0]:
            out.append(f"{rest.pop(0)}={rest.pop(0)}")
    return out


def main() -> None:
    """Entry point: an expected error is one message and its exit code, never a traceback."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the running chapter then ends too
    words = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
    try:
        app(args=_join_overrides(sys.argv[1:]), prog_name="lsa")
    except LsaError as error:
        words.print(f"Error: {error}")
        raise SystemExit(error.exit_code) from None
    except OSError as error:
        if error.errno not in cli_state.DISK:
            raise
        words.print(f"Error: {cli_state.disk_words(error)}")
        raise SystemExit(1) from None
    except SystemExit as stop:
        if stop.code == 130:  # Typer's answer to Ctrl-C
            words.print("Interrupted. What was finished is kept; the same command goes on there.")
        raise
