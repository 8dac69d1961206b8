"""Execute the chapters of a run: what has not changed is passed over, what has no inputs is skipped
and says why.
"""

import multiprocessing
import os
import queue
import time
from collections.abc import Callable

import yaml

from lsa_helpers.errors import StageError
from lsa_helpers.run import Run, whole_file
from lsa_helpers.runner import manifest
from lsa_helpers.runner.checks import missing_inputs
from lsa_helpers.runner.inputs import LOCAL_FILES, catalog_of, names_a_file
from lsa_helpers.runner.kernel import ENVIRONMENT, work
from lsa_helpers.runner.params import CHAPTERS, Parameters, notebooks_dir, to_sections
from lsa_helpers.runner.pipeline import NEEDS
from lsa_helpers.runner.progress import Progress

# Chapters that read the data folder itself, and not only products of earlier chapters.
_READ_DATA = ("01_data", "02_detector", "03_inventory")


def execute(
    run: Run,
    params: dict[str, Parameters],
    chapters: list[str],
    *,
    force: bool = False,
    tell: Callable[[str], None] = lambda line: None,
    progress: Progress | None = None,
) -> list[str]:
    """Execute chapters in order, each only when its inputs, parameters or code changed.

    A chapter whose inputs the data folder does not hold is skipped, and the manifest says why.

    Parameters
    ----------
    run : Run
        The run's folder; made when missing.
    params : dict
        Parameters of every chapter.
    chapters : list of str
        Names of the chapters to bring up to date.
    force : bool
        Execute them even when nothing changed.
    tell : callable
        Called with a line when a chapter begins, ends or is passed over.
    progress : Progress, optional
        Told what the running chapter is doing.

    Returns
    -------
    list of str
        The chapters that were executed.

    Raises
    ------
    StageError
        When a notebook fails; earlier chapters stay done.
    """
    run.path.mkdir(parents=True, exist_ok=True)
    with whole_file(run.path / "params.yml") as part:
        text = yaml.safe_dump(to_sections(params), sort_keys=False, allow_unicode=True)
        part.write_text(text, encoding="utf-8")
    records = {record["name"]: record for record in manifest.read_manifest(run)["stages"]}
    shared = params["01_data"]
    missing = missing_inputs(catalog_of(shared, run.path)) if shared.data else {}
    executed = []
    for number, chapter in enumerate(chapters):
        old = records.get(chapter)
        if chapter in missing:
            tell(f"{chapter}: skipped, {missing[chapter]}")
            records[chapter] = _skip(run, params[chapter], chapter, missing[chapter], old)
            _write_manifest(run, records)
            continue
        key, inputs = fingerprint(run, params[chapter], chapter, records)
        if not force and _is_done(run, old, key):
            tell(f"{chapter}: unchanged, skipped")
            continue
        tell(f"{chapter}: running …")
        if progress:
            progress.begin(chapter, chapters[number + 1 :])
        records.pop(chapter, None)
        made = _execute_one(run, params[chapter], chapter, old, progress)
        records[chapter] = made | {"fingerprint": key, "inputs": inputs}
        _write_manifest(run, records)
        seconds, memory = made["seconds"], made["peak_memory_mb"] / 1000
        tell(f"{chapter}: done in {seconds:.0f} s, peak memory {memory:.1f} GB")
        executed.append(chapter)
    return executed


def _write_manifest(run: Run, records: dict[str, dict]) -> None:
    """Write the stages in the order of the book."""
    stages = [records[name] for name in CHAPTERS if name in records]
    manifest.write_manifest(run, stages, run.path / "params.yml")


def fingerprint(
    run: Run, params: Parameters, chapter: str, records: dict[str, dict]
) -> tuple[str, dict[str, str]]:
    """Fingerprint of a stage and the hashes of its inputs.

    Parameters
    ----------
    run : Run
    params : Parameters
        The chapter's own.
    chapter : str
    records : dict
        Chapter → its record in the manifest.

    Returns
    -------
    tuple of str and dict
        SHA-256 over parameters, code and inputs; path of each input → SHA-256.
    """
    needed = [
        name
        for need in NEEDS[chapter]
        for name in records.get(need, {"outputs": ()})["outputs"]
        if name.startswith(("products/", "world/"))
    ]
    local = {name: getattr(params, name) for name in LOCAL_FILES.get(chapter, ())}
    needed += [path for name, path in local.items() if names_a_file(name, path)]
    inputs = manifest.hashes(run.path, needed)
    if params.data and chapter in _READ_DATA:
        inputs |= manifest.data_hashes(catalog_of(params, run.path))
    values = params.model_dump(exclude={"run_dir", "n_jobs"})
    code = manifest.code_hash(notebooks_dir() / f"{chapter}.ipynb")
    return manifest.digest(values, code, inputs), inputs


def _is_done(run: Run, record: dict | None, key: str) -> bool:
    """Whether a stage's record fits its fingerprint and all its outputs are as it left them."""
    if record is None or record["status"] != "done" or record["fingerprint"] != key:
        return False
    return manifest.hashes(run.path, list(record["outputs"])) == record["outputs"]


def _skip(run: Run, params: Parameters, chapter: str, reason: str, old: dict | None) -> dict:
    """The record of a chapter that is not run; the inventory is then the known landslides alone."""
    before = manifest.snapshot(run)
    (run.path / "notebooks" / f"{chapter}.ipynb").unlink(missing_ok=True)
    if chapter == "03_inventory":
        from lsa_helpers.detect.inventory import write_reference

        os.environ |= ENVIRONMENT  # the same bytes as a chapter would write
        write_reference(catalog_of(params, run.path), run)
    nothing = {"seconds": 0.0, "peak_memory_mb": 0, "fingerprint": "", "inputs": {}}
    outputs = _outputs(run, before, old)
    return {"name": chapter, "status": "skipped", "reason": reason, **nothing, "outputs": outputs}


def _execute_one(
    run: Run, params: Parameters, chapter: str, old: dict | None, progress: Progress | None
) -> dict:
    """Execute one notebook in a process of its own and describe what it made."""
    before = manifest.snapshot(run)
    begun = time.monotonic()
    context = multiprocessing.get_context("spawn")
    messages = context.Queue()
    notebook = notebooks_dir() / f"{chapter}.ipynb"
    values = params.model_dump() | {"run_dir": "."}
    worker = context.Process(target=work, args=(messages, notebook, run.path.resolve(), values))
    worker.start()
    failure, memory = _follow(worker, messages, progress)
    worker.join()
    if failure:
        raise StageError(failure)
    outputs = _outputs(run, before, old)
    seconds = round(time.monotonic() - begun, 1)
    cost = {"seconds": seconds, "peak_memory_mb": round(memory)}
    return {"name": chapter, "status": "done", **cost, "outputs": outputs}


def _follow(worker, messages, progress: Progress | None) -> tuple[str, float]:
    """Wait for the result of `work`, telling what it is doing meanwhile."""
    latest = "starting"
    while True:
        try:
            kind, content = messages.get(timeout=1)
        except queue.Empty:
            if not worker.is_alive():
                return f"a process of the runner ended (exit code {worker.exitcode})", 0.0
        else:
            if kind == "result":
                return content
            latest = content
        if progress:
            progress.update(latest)


def _outputs(run: Run, before: dict, old: dict | None) -> dict[str, str]:
    """Hashes of the files that changed since the snapshot `before`; what the stage made the last
    time and did not make again no longer belongs to the run and is removed.
    """
    after = manifest.snapshot(run)
    changed = [name for name, state in after.items() if before.get(name) != state]
    for name in set(old["outputs"] if old else ()) & set(after) - set(changed):
        (run.path / name).unlink()
    return manifest.hashes(run.path, changed)
