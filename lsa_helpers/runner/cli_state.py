"""``lsa why`` and ``lsa check-env``: what a run would do and why, and what this machine can do."""

import errno
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from lsa_helpers.errors import InputError, sentence
from lsa_helpers.runner.cli_options import (
    DataFolder,
    NameOrFile,
    Out,
    Override,
    console,
    overrides,
)
from lsa_helpers.runner.params import chapter_name

#: Errors of the system that say nothing of the program: what is wrong, and the way out.
DISK = {
    errno.ENOSPC: ("the disk is full", "Free some space, then give the same command again"),
    errno.EDQUOT: ("your quota is used up", "Free some space, then give the same command again"),
    errno.EROFS: ("the disk is read-only", "Choose another place with --out"),
    errno.EACCES: ("access is not permitted", "Change its permissions, or choose another place"),
    errno.EPERM: ("access is not permitted", "Change its permissions, or choose another place"),
}


def disk_words(error: OSError) -> str:
    """An error of the disk in one sentence: which file, what is wrong, what to do."""
    what, fix = DISK[error.errno]
    return sentence(what, where=error.filename, fix=fix)


def why(
    stage: Annotated[str, typer.Argument(help="chapter, for example 05")],
    name_or_file: NameOrFile = "quick",
    data: DataFolder = None,
    parameters: Override = None,
    out: Out = None,
) -> None:
    """Say why `lsa run` with the same options would execute a chapter, or that it would not."""
    from lsa_helpers.run import Run
    from lsa_helpers.runner.fingerprint import out_of_date
    from lsa_helpers.runner.inputs import find_params, load_run_params
    from lsa_helpers.runner.manifest import read_manifest

    chapter = chapter_name(stage)
    folder = next((path for path in _folders(name_or_file) if _is_run(path)), None)
    try:
        file = find_params(name_or_file)
    except InputError:
        if folder is None:
            raise
        file = folder / "params.yml"  # a run of another file's parameters, under a name of its own
    run = Run(out or (folder if file.name == "params.yml" and folder else _folder_of(file)))
    values = load_run_params(file, overrides(parameters), data, run.path)
    reasons, drawn = out_of_date(run, values, chapter)
    record = {item["name"]: item for item in read_manifest(run)["stages"]}.get(chapter, {})
    for line in why_lines(chapter, reasons, drawn, record):
        console.print(line)


def _folder_of(file: Path) -> Path:
    """The folder of a parameter file's run."""
    return Path("runs") / file.stem


def _folders(name: str) -> tuple[Path, Path]:
    """Where a run of a name may be."""
    return Path(name), Path("runs") / name


def _is_run(folder: Path) -> bool:
    """Whether a folder holds a run."""
    return (folder / "manifest.json").is_file()


def why_lines(
    chapter: str, reasons: dict[str, list[str]], drawn: list[str], record: dict
) -> list[str]:
    """What is to be told of a chapter.

    Parameters
    ----------
    chapter : str
    reasons, drawn : dict and list of str
        Of `lsa_helpers.runner.fingerprint.out_of_date`.
    record : dict
        Of the manifest, empty when there is none.

    Returns
    -------
    list of str
    """
    lines = [f"{chapter} would be executed: {reason}." for reason in reasons.get(chapter, [])]
    before = [name for name in reasons if name != chapter]
    lines += [
        f"{name} comes first, and what it makes may change: {reasons[name][0]}." for name in before
    ]
    if record.get("status") == "skipped":
        lines.append(f"{chapter} was skipped: {record['reason']}.")
    elif not lines:
        lines.append(f"{chapter} is up to date.")
    if drawn and chapter not in reasons:
        lines.append(f"Its figures are by older code: {', '.join(drawn)}. Next: lsa run --redraw")
    if record.get("why"):
        lines.append(f"It was executed last because: {'; '.join(record['why'])}.")
    return lines


def check_env() -> None:
    """Say whether this machine has what the book needs, and what will not work here or be slow."""
    from lsa_helpers.runner.environment import remarks, table, this_machine

    machine = this_machine()
    rows = Table("what", "found")
    for name, text in table(machine).items():
        rows.add_row(name, text)
    console.print(rows)
    for line in remarks(machine) or ["Everything in the book works on this machine."]:
        console.print(line)
