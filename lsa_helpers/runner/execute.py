"""Execute the chapters of a run: what has not changed is passed over, what has no inputs is skipped
and says why.
"""

import os
import time
from collections.abc import Callable
from importlib.util import find_spec

from lsa_helpers.errors import StageError
from lsa_helpers.run import Run, whole_file
from lsa_helpers.runner import manifest
from lsa_helpers.runner.cells import notebooks_dir
from lsa_helpers.runner.checks import missing_inputs
from lsa_helpers.runner.fingerprint import changes, drawn_otherwise, made_from
from lsa_helpers.runner.inputs import catalog_of, to_text
from lsa_helpers.runner.kernel import ENVIRONMENT, execute_notebook
from lsa_helpers.runner.lock import held
from lsa_helpers.runner.params import CHAPTERS, Parameters
from lsa_helpers.runner.pipeline import NEED_TORCH, without_cnn
from lsa_helpers.runner.progress import Progress


def execute(
    run: Run,
    params: dict[str, Parameters],
    chapters: list[str],
    *,
    force: bool = False,
    redraw: bool = False,
    tell: Callable[[str], None] = lambda line: None,
    progress: Progress | None = None,
) -> list[str]:
    """Execute chapters in order, each only when its inputs, parameters or code changed.

    A chapter whose inputs the data folder does not hold is skipped, and the manifest says why. One
    that trains models is not executed for the sake of its figures alone; what drew them by older
    code is told, and written down.

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
    redraw : bool
        Execute also those of which only the code of the figures changed.
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
        When a notebook fails, or needs torch where it is not installed; earlier chapters stay done.
    InputError
        When another process works in the run's folder, or nothing can be written there.
    """
    progress = progress or Progress(lambda line: None, True, {})
    with held(run.path):
        manifest.clear_parts(run)
        with whole_file(run.path / "params.yml") as part:
            part.write_text(to_text(params), encoding="utf-8")
        records = {record["name"]: record for record in manifest.read_manifest(run)["stages"]}
        shared = params["01_data"]
        missing = missing_inputs(catalog_of(shared, run.path)) if shared.data else {}
        executed = []
        for number, chapter in enumerate(chapters):
            progress.begin(chapter, chapters[number + 1 :])
            old = records.get(chapter)
            if chapter in missing:
                tell(f"{chapter}: skipped, {missing[chapter]}")
                records[chapter] = _skip(run, params[chapter], chapter, missing[chapter], old)
            else:
                records[chapter], done = _bring_up_to_date(
                    run, params[chapter], chapter, records, force, redraw, tell, progress.update
                )
                executed += [chapter] * done
            if records[chapter] != old:
                kept = [records[name] for name in CHAPTERS if name in records]
                manifest.write_manifest(run, kept)
    return executed


def _bring_up_to_date(
    run: Run,
    params: Parameters,
    chapter: str,
    records: dict[str, dict],
    force: bool,
    redraw: bool,
    tell: Callable[[str], None],
    update: Callable[[str], None],
) -> tuple[dict, bool]:
    """The record of a chapter, and whether it had to be executed for it."""
    old, new = records.get(chapter), made_from(run, params, chapter, records)
    why = changes(run, chapter, old, new)
    drawn = [] if why or old is None else drawn_otherwise(old, new)
    why = why or (["it was asked for"] if force else []) or (drawn if redraw else [])
    if why:
        more = f" and {len(why) - 1} more" if len(why) > 1 else ""
        tell(f"{chapter}: running … ({why[0]}{more})")
        made = _execute_one(run, params, chapter, old, update) | new | {"why": why}
        memory = made["peak_memory_mb"] / 1000
        tell(f"{chapter}: done in {made['seconds']:.0f} s, peak memory {memory:.1f} GB")
        return made, True
    if drawn:
        tell(f"{chapter}: unchanged, skipped; its figures are by older code ({drawn[0]}), --redraw")
        return old | {"figures_by_older_code": drawn}, False
    tell(f"{chapter}: unchanged, skipped")
    return {key: value for key, value in old.items() if key != "figures_by_older_code"}, False


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
    if chapter in NEED_TORCH and not find_spec("torch"):
        raise StageError(
            f"{chapter} needs torch, which is not installed. Install requirements.lock, or go on "
            "from a run that has this chapter."
        )
    before, begun = manifest.snapshot(run), time.monotonic()
    notebook = notebooks_dir() / f"{chapter}.ipynb"
    values = params.model_dump() | {"run_dir": "."}
    memory = execute_notebook(notebook, run.path.resolve(), values, tell)
    cost = {"seconds": round(time.monotonic() - begun, 1), "peak_memory_mb": round(memory)}
    record = {"name": chapter, "status": "done", **cost, "outputs": _outputs(run, before, old)}
    return record | ({"left_out": "cnn"} if without_cnn(run, params, chapter) else {})


def _outputs(run: Run, before: dict, old: dict | None) -> dict[str, str]:
    """Hashes of the files that changed since the snapshot `before`; what the stage made the last
    time and did not make again no longer belongs to the run and is removed.
    """
    after = manifest.snapshot(run)
    changed = [name for name, state in after.items() if before.get(name) != state]
    for name in set(old["outputs"] if old else ()) & set(after) - set(changed):
        (run.path / name).unlink()
    return manifest.hashes(run.path, changed)
