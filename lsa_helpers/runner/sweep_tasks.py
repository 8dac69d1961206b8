"""The stages of a sweep as Dask tasks: what several runs share is made once and linked."""

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from lsa_helpers.errors import LsaError
from lsa_helpers.run import Run, whole_file
from lsa_helpers.runner import manifest
from lsa_helpers.runner.execute import execute
from lsa_helpers.runner.fingerprint import changes, made_from
from lsa_helpers.runner.inputs import to_text
from lsa_helpers.runner.lock import held
from lsa_helpers.runner.params import CHAPTERS, Parameters
from lsa_helpers.runner.pipeline import ALSO_READS, NEEDS
from lsa_helpers.runner.sweep import owners

# What the largest chapter of `quick` needs at its highest: so many runs fit side by side.
RUN_BYTES = 4.5e9
# Topic under which a worker tells the scheduler that it begins a stage.
BEGUN = "stage begun"


@dataclass(frozen=True)
class Stage:
    """How one chapter of one run ended: "made", "unchanged", "linked", "failed" or "not made"."""

    run: str
    chapter: str
    state: str
    seconds: float = 0.0
    peak_memory_mb: float = 0.0
    error: str = ""


def run_stage(
    run: Run, chapter: str, params: dict[str, Parameters], owner: Run, *before: Stage
) -> Stage:
    """Bring one chapter of one run up to date. What goes wrong is told and not raised, so that the
    other runs go on.

    Parameters
    ----------
    run : Run
    chapter : str
    params : dict
        Chapter → its parameters.
    owner : Run
        The run that makes this chapter for all that share it.
    *before : Stage
        What had to be done first.
    """
    from distributed import get_worker

    name = run.path.name
    get_worker().log_event(BEGUN, {"run": name, "chapter": chapter})
    for earlier in before:
        if earlier.error:
            reason = f"{earlier.chapter} of {earlier.run} failed"
            return Stage(name, chapter, "not made", error=reason)
    try:
        if run.path == owner.path:
            state = "made" if execute(run, params, [chapter]) else "unchanged"
        else:
            state = link_stage(run, chapter, params, owner)
    except (LsaError, OSError) as error:
        return Stage(name, chapter, "failed", error=str(error))
    record = _record(run, chapter)
    return Stage(name, chapter, state, record["seconds"], record["peak_memory_mb"])


def link_stage(
    run: Run, chapter: str, params: dict[str, Parameters], owner: Run, *, notebook: bool = True
) -> str:
    """Take over a chapter from the run that made it: hard links where the disk has them, else
    copies. No file is ever written in place, so that neither run can change the other's.

    Parameters
    ----------
    run : Run
    chapter : str
    params : dict
        Chapter → its parameters, for the run's ``params.yml``.
    owner : Run
        The run that made the chapter.
    notebook : bool
        Also take over the executed notebook, in which a reader may write.

    Returns
    -------
    str
        "linked", or "unchanged" where it was linked before.
    """
    with held(run.path):
        return _link_stage(run, chapter, params, owner, notebook)


def _link_stage(
    run: Run, chapter: str, params: dict[str, Parameters], owner: Run, with_notebook: bool
) -> str:
    """`link_stage` while no other process works in the run's folder."""
    record = _record(owner, chapter)
    records = {item["name"]: item for item in manifest.read_manifest(run)["stages"]}
    old = records.get(chapter)
    outputs = record["outputs"]
    same = old is not None and old["fingerprint"] == record["fingerprint"] != ""
    if same and manifest.hashes(run.path, old["outputs"]) == outputs:
        return "unchanged"
    for name in set(old["outputs"] if old else ()) - set(outputs):
        (run.path / name).unlink(missing_ok=True)
    notebook = f"notebooks/{chapter}.ipynb"
    with_notebook = with_notebook and (owner.path / notebook).exists()
    for name in [*outputs, *([notebook] if with_notebook else [])]:
        _link(owner.path / name, run.path / name)
    with whole_file(run.path / "params.yml") as part:
        part.write_text(to_text(params), encoding="utf-8")
    records[chapter] = record | {"linked_from": owner.path.name}
    manifest.write_manifest(run, [records[name] for name in CHAPTERS if name in records])
    return "linked"


def _link(source: Path, target: Path) -> None:
    """One file under a second name; a GeoPackage as a copy, because programs that only show one
    write into it.
    """
    with whole_file(target) as part:
        if source.suffix == ".gpkg":
            shutil.copyfile(source, part)
            return
        try:
            os.link(source, part)
        except OSError:  # another disk, or one that knows no links
            shutil.copyfile(source, part)


def _record(run: Run, chapter: str) -> dict:
    """What the manifest says of a chapter."""
    stages = manifest.read_manifest(run)["stages"]
    return next(item for item in stages if item["name"] == chapter)


def submit(
    client, folder: Path, runs: dict[str, dict[str, Parameters]], chapters: list[str]
) -> dict[tuple[str, str], object]:
    """Hand all stages of a sweep to Dask; each waits for the chapter before it in its run and for
    the run that makes it.

    Parameters
    ----------
    client : distributed.Client
    folder : Path
        The sweep's folder, which the workers see under the same path.
    runs : dict
        Name of the run → chapter → its parameters.
    chapters : list of str

    Returns
    -------
    dict
        (run, chapter) → future of its `Stage`.
    """
    makers, futures = owners(runs, chapters), {}
    for chapter in chapters:
        for name, params in runs.items():
            owner = makers[name, chapter]
            place = chapters.index(chapter)
            before = [futures[name, chapters[place - 1]]] if place else []
            before += [futures[owner, chapter]] if owner != name else []
            futures[name, chapter] = client.submit(
                run_stage,
                Run(folder / name),
                chapter,
                params,
                Run(folder / owner),
                *before,
                key=(f"{name}/{chapter}", time.time_ns()),
                pure=False,
                # finish one run before another is begun, where there is a choice
                priority=place,
            )
    return futures


def stages_to_make(
    folder: Path, runs: dict[str, dict[str, Parameters]], chapters: list[str]
) -> list[tuple[str, str]]:
    """The stages that are not done yet, each once though several runs share it.

    Returns
    -------
    list of tuple
        Run and chapter.
    """
    makers, todo = owners(runs, chapters), set()
    for name, params in runs.items():
        run = Run(folder / name)
        records = {item["name"]: item for item in manifest.read_manifest(run)["stages"]}
        for chapter in chapters:
            owner = makers[name, chapter]
            reads = (*NEEDS[chapter], *ALSO_READS.get(chapter, ()))
            after_new = any((makers.get((name, need)), need) in todo for need in reads)
            if owner == name and (after_new or not _is_made(run, params, chapter, records)):
                todo.add((name, chapter))
    return sorted(todo)


def _is_made(run: Run, params: dict[str, Parameters], chapter: str, records: dict) -> bool:
    """Whether a chapter is up to date, or known to have no inputs."""
    old = records.get(chapter)
    if old is None or old["status"] == "skipped":
        return old is not None
    return not changes(run, chapter, old, made_from(run, params[chapter], chapter, records))


def free_workers() -> int:
    """How many runs this machine can hold side by side: one for each core, as many as fit into the
    memory that is free now.
    """
    return max(1, min(os.cpu_count() or 1, int(psutil.virtual_memory().available // RUN_BYTES)))


def follow(
    futures: dict[tuple[str, str], object], tell: Callable[[dict], None], pause: float = 1.0
) -> dict[tuple[str, str], Stage]:
    """Wait for all stages.

    Parameters
    ----------
    futures : dict
        (run, chapter) → future.
    tell : callable
        Called every `pause` seconds with the stages that have ended.
    pause : float
        Seconds.

    Returns
    -------
    dict
        (run, chapter) → its `Stage`.
    """
    ended: dict[tuple[str, str], Stage] = {}
    while len(ended) < len(futures):
        for key, future in futures.items():
            if key not in ended and future.done():
                ended[key] = _result(*key, future)
        tell(ended)
        time.sleep(pause if len(ended) < len(futures) else 0)
    return ended


def _result(run: str, chapter: str, future) -> Stage:
    """What a future gives; an error that is none of ours, or of workers lost again and again."""
    if error := future.exception():
        return Stage(run, chapter, "failed", error=f"{type(error).__name__}: {error}")
    return future.result()
