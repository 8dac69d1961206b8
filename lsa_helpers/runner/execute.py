"""Execute the chapters of a run: what has not changed is passed over, what has no inputs is skipped
and says why.
"""

import os
import time
from collections.abc import Callable

from lsa_helpers.run import Run, whole_file
from lsa_helpers.runner import manifest
from lsa_helpers.runner.checks import missing_inputs
from lsa_helpers.runner.inputs import LOCAL_FILES, catalog_of, names_a_file, to_text
from lsa_helpers.runner.kernel import ENVIRONMENT, execute_notebook
from lsa_helpers.runner.params import CHAPTERS, Parameters, notebooks_dir
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
    progress = progress or Progress(lambda line: None, True, {})
    with whole_file(run.path / "params.yml") as part:
        part.write_text(to_text(params), encoding="utf-8")
    records = {record["name"]: record for record in manifest.read_manifest(run)["stages"]}
    shared = params["01_data"]
    missing = missing_inputs(catalog_of(shared, run.path)) if shared.data else {}
    executed = []
    for number, chapter in enumerate(chapters):
        values, old = params[chapter], records.get(chapter)
        if chapter in missing:
            tell(f"{chapter}: skipped, {missing[chapter]}")
            records[chapter] = _skip(run, values, chapter, missing[chapter], old)
        else:
            key, inputs = fingerprint(run, values, chapter, records)
            if not force and _is_done(run, old, key):
                tell(f"{chapter}: unchanged, skipped")
                continue
            tell(f"{chapter}: running …")
            progress.begin(chapter, chapters[number + 1 :])
            made = _execute_one(run, values, chapter, old, progress.update)
            records[chapter] = made | {"fingerprint": key, "inputs": inputs}
            memory = made["peak_memory_mb"] / 1000
            tell(f"{chapter}: done in {made['seconds']:.0f} s, peak memory {memory:.1f} GB")
            executed.append(chapter)
        manifest.write_manifest(run, [records[name] for name in CHAPTERS if name in records])
    return executed


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
    values = params.model_dump(exclude={"run_dir", "n_jobs", "chunk", "scheduler"})
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
    run: Run, params: Parameters, chapter: str, old: dict | None, tell: Callable[[str], None]
) -> dict:
    """Execute one notebook and describe what it made."""
    before, begun = manifest.snapshot(run), time.monotonic()
    notebook = notebooks_dir() / f"{chapter}.ipynb"
    values = params.model_dump() | {"run_dir": "."}
    memory = execute_notebook(notebook, run.path.resolve(), values, tell)
    cost = {"seconds": round(time.monotonic() - begun, 1), "peak_memory_mb": round(memory)}
    return {"name": chapter, "status": "done", **cost, "outputs": _outputs(run, before, old)}


def _outputs(run: Run, before: dict, old: dict | None) -> dict[str, str]:
    """Hashes of the files that changed since the snapshot `before`; what the stage made the last
    time and did not make again no longer belongs to the run and is removed.
    """
    after = manifest.snapshot(run)
    changed = [name for name, state in after.items() if before.get(name) != state]
    for name in set(old["outputs"] if old else ()) & set(after) - set(changed):
        (run.path / name).unlink()
    return manifest.hashes(run.path, changed)
