"""``lsa sweep``: many runs that differ in a few parameters, side by side."""

import logging
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.live import Live
from rich.table import Table
from rich.text import Text

from lsa_helpers.errors import LsaError
from lsa_helpers.runner.cli_options import console

if TYPE_CHECKING:
    from lsa_helpers.runner.sweep_tasks import Stage


def sweep(
    name_or_file: Annotated[
        str,
        typer.Argument(
            help="a sweep that comes with the book (cnn_window, sampling, seeds) or a path"
        ),
    ],
    scheduler: Annotated[
        str, typer.Option(help="address of a Dask scheduler; empty: processes of this machine")
    ] = "",
    workers: Annotated[
        int,
        typer.Option(min=0, help="runs side by side; 0: as many as cores and memory allow"),
    ] = 0,
    out: Annotated[
        Path | None, typer.Option(help="the sweep's folder; default: runs/<name>")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="say how many stages will run, and about how long")
    ] = False,
) -> None:
    """Make all runs of a sweep. What several share is made once; a run that fails does not stop the
    others; the same command again makes only what is missing.
    """
    from lsa_helpers.models import dask_client
    from lsa_helpers.run import Run, whole_file
    from lsa_helpers.runner import sweep_tasks as tasks
    from lsa_helpers.runner.progress import expected_seconds
    from lsa_helpers.runner.sweep import chapters_until, find_sweep, read_sweep, sweep_runs

    file = find_sweep(name_or_file)
    wanted = read_sweep(file)
    folder = (out or Path("runs") / file.stem).resolve()
    workers = workers or tasks.free_workers()
    chapters = chapters_until(wanted.until)
    runs = sweep_runs(wanted, file, folder, n_jobs=max(1, (os.cpu_count() or 1) // workers))
    todo = tasks.stages_to_make(folder, runs, chapters)
    known = expected_seconds(Run(folder / next(iter(runs))), wanted.base)
    if dry_run:
        console.print(_plan(folder, runs, chapters, todo, known, workers))
        return
    with whole_file(folder / "sweep.yml") as part:
        part.write_bytes(file.read_bytes())
    # Lost workers are told by what their stages say; Dask's own words are for its makers.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with dask_client(scheduler, workers) as client:
        workers = sum(client.nthreads().values()) or 1
        console.print(_plan(folder, runs, chapters, todo, known, workers))
        with Board(folder, list(runs), chapters, todo, known, workers) as board:
            client.subscribe_topic(tasks.BEGUN, board.begin)
            ended = tasks.follow(tasks.submit(client, folder, runs, chapters), board.update)
    failed = [stage for stage in ended.values() if stage.state == "failed"]
    if failed:
        raise LsaError(
            f"{len(failed)} of {len(ended)} stages failed, the others are done",
            where=folder,
            found=failed[0].error,
        )
    console.print(f"All {len(runs)} runs are done. Next: lsa runs {folder}")


def _plan(folder, runs, chapters, todo, known, workers) -> str:
    """What will be made, and about how long it will take."""
    stages = len(runs) * len(chapters)
    text = f"{folder}: {len(runs)} runs to chapter {chapters[-1]}, {stages} stages, {len(todo)} of "
    text += f"them to be made, the others done or shared; {workers} side by side"
    if todo and all(chapter in known for _, chapter in todo):
        minutes = sum(known[chapter] for _, chapter in todo) / workers / 60
        text += f", about {max(1, round(minutes))} min"
    return text + "."


def short(error: str) -> str:
    """What a stage failed of in one line: the exception of its notebook, else the first line.

    Examples
    --------
    >>> short("05_x failed in cell [3]:\\nfit()\\n\\nValueError: no rows\\n\\nSee: a.ipynb")
    'ValueError: no rows'
    >>> short("01_data of seed=3 failed")
    '01_data of seed=3 failed'
    """
    lines = error.splitlines()
    told = [line for line in lines if re.match(r"\w*(Error|Exception|Interrupt): ", line)]
    return (told or lines or [""])[-1 if told else 0]


class Board:
    """The live table of a sweep: every run, its stage, its memory and what went wrong. Where the
    output goes into a file, one line for each stage that ends.
    """

    def __init__(self, folder, runs, chapters, todo, known, workers):
        self.folder, self.runs, self.chapters = folder, runs, chapters
        self.todo, self.known, self.workers = todo, known, workers
        self.running: dict[str, tuple[str, float]] = {}
        self.told: set = set()
        self.live = Live(console=console, auto_refresh=False) if console.is_terminal else None

    def __enter__(self):
        if self.live:
            self.live.start()
        return self

    def __exit__(self, *_):
        if self.live:
            self.live.stop()

    def begin(self, event) -> None:
        """A worker says that it begins a stage."""
        _, message = event
        self.running[message["run"]] = (message["chapter"], time.monotonic())

    def update(self, ended: dict[tuple[str, str], "Stage"]) -> None:
        """Show how far all runs are."""
        if self.live:
            self.live.update(self.table(ended), refresh=True)
            return
        for key, stage in ended.items():
            if key not in self.told and stage.state not in ("unchanged", "linked"):
                self.told.add(key)
                words = short(stage.error) or f"{stage.seconds:.0f} s"
                console.print(f"{stage.run}, {stage.chapter}: {stage.state}, {words}")

    def table(self, ended: dict[tuple[str, str], "Stage"]) -> Table:
        """One row for each run."""
        left = self.minutes_left(ended)
        title = f"{self.folder.name}: {len(ended)} of {len(self.runs) * len(self.chapters)} stages"
        table = Table("run", "done", "now", "memory", "error", title=title + left)
        for run in self.runs:
            stages = [stage for (name, _), stage in ended.items() if name == run]
            chapter, begun = self.running.get(run, ("", 0.0))
            busy = chapter and (run, chapter) not in ended
            now = f"{chapter}, {time.monotonic() - begun:.0f} s" if busy else ""
            memory = max((stage.peak_memory_mb for stage in stages), default=0) / 1000
            errors = [short(stage.error) for stage in stages if stage.error]
            words = Text(errors[0]) if errors else ""
            count = f"{len(stages)} of {len(self.chapters)}"
            table.add_row(run, count, now, f"{memory:.1f} GB" if memory else "", words)
        return table

    def minutes_left(self, ended: dict[tuple[str, str], "Stage"]) -> str:
        """About how long it will go on, from what each chapter took in this sweep or before."""
        taken = self.known | {
            chapter: stage.seconds for (_, chapter), stage in ended.items() if stage.seconds
        }
        left = [chapter for run, chapter in self.todo if (run, chapter) not in ended]
        if not left or not all(chapter in taken for chapter in left):
            return ""
        seconds = sum(taken[chapter] for chapter in left) / self.workers
        return f", about {max(1, round(seconds / 60))} min left"
