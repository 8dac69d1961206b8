"""A student's trial: a chapter with changed parameters on a linked copy of a run, which stays as it
is.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

from lsa_helpers.errors import InputError, remarks
from lsa_helpers.run import Run, whole_file
from lsa_helpers.runner.cells import notebooks_dir
from lsa_helpers.runner.checks import check_inputs
from lsa_helpers.runner.execute import execute
from lsa_helpers.runner.extends import parse_yaml
from lsa_helpers.runner.fingerprint import all_needs
from lsa_helpers.runner.inputs import every_key, load_run_params, section_of
from lsa_helpers.runner.manifest import read_manifest
from lsa_helpers.runner.modules import uses
from lsa_helpers.runner.params import CHAPTERS, Parameters
from lsa_helpers.runner.progress import Progress
from lsa_helpers.runner.registry import load_manifest
from lsa_helpers.runner.sweep import run_name
from lsa_helpers.runner.sweep_tasks import link_stage

#: Chapter and name of a parameter → its value as text.
Changes = dict[tuple[str, str], str]
# Chapter 03 finds the validation chips of chapter 02 again by the seed that dealt them.
_ONE_SEED = {"03_inventory": ("02_detector", "03_inventory")}
# What a trial was made from, in its folder.
_NOTE = "trial.json"


def read_changes(given: dict[str, str], run: str, chapter: str) -> Changes:
    """Which parameters of which chapters a trial changes.

    Parameters
    ----------
    given : dict
        ``key`` or ``05.key`` → value as YAML text; without a number the tried chapter's own
        parameter is meant, if it has one of that name.
    run, chapter : str
        The run's name, for the messages, and the chapter that is tried.

    Returns
    -------
    dict

    Raises
    ------
    InputError
        When nothing is changed, or a parameter is unknown, of a later chapter or of the whole run.
    """
    changes = {}
    for key, text in ((key, text) for keys, text in given.items() for key in every_key(keys)):
        owner, name = (chapter, key) if key in CHAPTERS[chapter].model_fields else section_of(key)
        if name in Parameters.model_fields and name != "seed":
            fix = f"Give it to lsa run: lsa run {run} -p {name} {text} --out FOLDER"
            raise InputError(f'"{name}" is one value for the whole run', where="-p", fix=fix)
        if owner > chapter:
            what = f'"{name}" is a parameter of {owner}, which comes after {chapter}'
            fix = f"Write: lsa try {run} {owner[:2]} -p {name} {text}"
            raise InputError(what, where="-p", fix=fix)
        for one in _ONE_SEED.get(owner, (owner,)) if name == "seed" else (owner,):
            changes[one, name] = text
    if not changes:
        raise InputError("nothing is changed", where="lsa try", fix="Give -p KEY VALUE")
    return changes


def trial_name(chapter: str, changes: Changes) -> str:
    """A folder's name that says what is tried.

    Examples
    --------
    >>> trial_name("06_frequency_ratio", {("06_frequency_ratio", "n_classes"): "7"})
    '06-n_classes=7'
    """
    named = {
        name if owner == chapter else f"{owner[:2]}_{name}": text
        for (owner, name), text in changes.items()
    }
    return f"{chapter[:2]}-{run_name(named)}"


def repeated(chapter: str, changes: Changes) -> list[str]:
    """The chapters to repeat: those whose parameters change, and what lies between them and the
    one that is tried, which is the last.

    Raises
    ------
    InputError
        When the chapter reads nothing of one whose parameters change.
    """
    changed, reads = {owner for owner, _ in changes}, all_needs(chapter) | {chapter}
    for name in sorted(changed - reads):
        fix = f"Try {name[:2]} in its place"
        raise InputError(f"{chapter} reads nothing of {name}", where="-p", fix=fix)
    return [name for name in CHAPTERS if name in reads and (all_needs(name) | {name}) & changed]


def need_page(page: Path, todo: list[str]) -> None:
    """See that a run has the pages to hold a trial against, and all that its chapters read.

    Parameters
    ----------
    page : Path
        The run's folder.
    todo : list of str
        From `repeated`.

    Raises
    ------
    InputError
        When a chapter was not executed there, or a file of it is missing.
    """
    records = {stage["name"]: stage for stage in load_manifest(page)["stages"]}
    fix = f"First: lsa run {page.resolve().name} --until {todo[-1][:2]}"
    for name in sorted(all_needs(todo[-1]) | {todo[-1]}):
        record = records.get(name, {})
        if not record or (name in todo and record["status"] != "done"):
            what, found = f"{name} was not executed in this run", record.get("reason")
            raise InputError(what, where=page, found=found, fix=fix)
        for file in record["outputs"]:
            if not (page / file).is_file():
                what = f"a file that {name} made is missing"
                raise InputError(what, where=page, found=file, fix=fix)


def need_own_folder(page: Path, folder: Path) -> None:
    """Refuse a trial in the folder of a run.

    Raises
    ------
    InputError
    """
    place, fix = folder.resolve(), "Choose another with --out"
    if page.resolve() in (place, *place.parents):
        raise InputError("a trial has a folder of its own", where=folder, fix=fix)
    if (folder / "manifest.json").is_file() and not (folder / _NOTE).is_file():
        raise InputError("this is the folder of a run, and of no trial", where=folder, fix=fix)


def trial_params(page: Path, folder: Path, changes: Changes) -> dict[str, Parameters]:
    """Parameters of every chapter of a trial, with paths as seen from its folder.

    A ``seed`` is another one for its chapter alone, so that the land stays the page's.

    Raises
    ------
    InputError
        When a value is wrong, or the page's own.
    """
    file = page / "params.yml"
    others = {f"{at[:2]}.{key}": text for (at, key), text in changes.items() if key != "seed"}
    before = load_run_params(file, {}, None, folder)
    after = load_run_params(file, others, None, folder)
    for (owner, name), text in changes.items():
        said = f"-p {owner[:2]}.{name} {text}"
        if name == "seed":
            values = after[owner].model_dump() | {"seed": parse_yaml(text, said)}
            after[owner] = CHAPTERS[owner].check(values, said)
        if getattr(before[owner], name) == getattr(after[owner], name):
            raise InputError("this is the page's own value", where=said, fix="Give another one")
    return after


def changed_code(page: Path, todo: list[str]) -> list[str]:
    """The modules that made the pages of some chapters and are not as they were; where there are
    any, a page would differ without a trial.
    """
    made_by = {stage["name"]: stage.get("code", {}) for stage in load_manifest(page)["stages"]}
    parts = set()
    for name in todo:
        before, now = made_by[name], uses(notebooks_dir() / f"{name}.ipynb", CHAPTERS[name])[0]
        both = before.keys() | now.keys()
        parts |= {part for part in both if before.get(part) != now.get(part)}
    return sorted(parts)


def make_trial(
    page: Path,
    folder: Path,
    todo: list[str],
    changes: Changes,
    tell: Callable[[str], None] = lambda line: None,
    progress: Progress | None = None,
) -> None:
    """Link into a trial's folder what its chapters read of a run, and execute them; what was
    executed with the same values before is up to date.

    Parameters
    ----------
    page, folder : Path
        The run, of which nothing is changed, and the trial's folder.
    todo : list of str
        From `repeated`.
    changes : dict
        From `read_changes`.
    tell, progress
        As for `lsa_helpers.runner.execute.execute`.

    Raises
    ------
    InputError
        When a value is wrong or the page's own, or the folder is a run's.
    StageError
        When a chapter fails.
    """
    need_own_folder(page, folder)
    params = trial_params(page, folder, changes)
    with remarks():  # they were said when the page was made
        check_inputs(params, todo, folder)
    if parts := changed_code(page, todo):
        more = f" and {len(parts) - 1} more" if len(parts) > 1 else ""
        tell(
            f"{page} was made by other code ({parts[0]}{more}), and a difference can come from "
            f"there. To be sure, first: lsa run {page.resolve().name}"
        )
    with whole_file(folder / _NOTE) as part:
        seen = Path(os.path.relpath(page.resolve(), folder.resolve())).as_posix()
        values = {f"{owner[:2]}.{name}": text for (owner, name), text in changes.items()}
        part.write_text(json.dumps({"run": seen, "changes": values}), encoding="utf-8")
    needs = all_needs(todo[-1])
    for name in (name for name in CHAPTERS if name in needs and name not in todo):
        link_stage(Run(folder), name, params, Run(page), notebook=False)
    execute(Run(folder), params, todo, tell=tell, progress=progress)


def made_otherwise(page: Path, folder: Path, todo: list[str]) -> list[str]:
    """The files of some chapters that are not the same in a run and in a trial, by their paths."""
    made = []
    for run in (page, folder):
        stages = {stage["name"]: stage for stage in read_manifest(Run(run))["stages"]}
        made.append(
            {file: value for name in todo for file, value in stages[name]["outputs"].items()}
        )
    a, b = made
    return [file for file in dict.fromkeys([*a, *b]) if a.get(file) != b.get(file)]
