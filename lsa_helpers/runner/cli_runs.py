"""``lsa runs``: the list of a folder's runs, and those to delete."""

import json
import shutil
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from typer.core import TyperGroup

from lsa_helpers.errors import InputError
from lsa_helpers.runner.cli_options import AsJson, console, print_table, short_hash
from lsa_helpers.runner.lock import held


class _ListFirst(TyperGroup):
    """Commands of which ``list`` need not be named: `lsa runs`, `lsa runs FOLDER`."""

    def parse_args(self, ctx, args: list[str]) -> list[str]:
        """What is no command and no call for help belongs to the list."""
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            args = ["list", *args]
        return super().parse_args(ctx, args)


runs_app = typer.Typer(cls=_ListFirst, help="The runs of a folder: lsa runs [FOLDER], or:")


@runs_app.command("list")
def list_all(
    folder: Annotated[Path, typer.Argument(help="folder of runs")] = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """List the runs: when, by which code, what differs from the set, AUC of spatial folds."""
    from lsa_helpers.runner.registry import find_runs, list_runs

    if not folder.is_dir() and folder != Path("runs"):
        raise InputError("there is no such folder", where=folder)
    runs = list_runs(folder)
    if as_json:
        console.print(runs.to_json(orient="records", force_ascii=False, indent=1))
        return
    readable = runs[runs["problem"] == ""]
    columns = ["name", "when (UTC)", "code", "set", "changed", "cnn", "rf", "xgboost"]
    if rows := [_row(run) for run in readable.to_dict("records")]:
        print_table([*columns, "done", "time"], rows)
        console.print("cnn, rf, xgboost: AUC of spatial folds. Changed ?: no set of that name.")
    for problem in runs["problem"][runs["problem"] != ""]:
        console.print(problem)
    for trials in sorted(folder.glob("*-trials")):
        if count := len(find_runs(trials)):
            console.print(f"{count} trial(s) of {trials.name[:-7]}: lsa runs {trials}")
    if runs.empty:
        console.print(f"There are no runs in {folder}. Make one: lsa run quick")


def _row(run: dict) -> list[str]:
    """A row of the list as readers see it."""
    changed = run["changed"]
    return [
        run["name"],
        run["created"][:16].replace("T", " "),
        short_hash(run["commit"]),
        str(run["profile"]),
        "?" if changed is None else "\n".join(f"{key} {_plain(changed[key])}" for key in changed),
        *(_figure(run[f"auc_{model}"]) for model in ("cnn", "rf", "xgboost")),
        str(run["done"]),
        f"{run['seconds'] / 60:.1f} min",
    ]


@runs_app.command("prune")
def prune(
    names: Annotated[list[str] | None, typer.Argument(help="runs to delete")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="those without a done chapter")] = False,
    keep: Annotated[
        int | None, typer.Option(min=1, help="all but so many of the newest (of the others)")
    ] = None,
    folder: Annotated[Path, typer.Option(help="folder of runs")] = Path("runs"),
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """Delete runs, after asking; a folder without a manifest is never touched."""
    if not (names or failed or keep):
        raise InputError("no run is named", fix="Name runs, or give --failed or --keep N")
    chosen = _chosen(names or [], failed, keep, folder)
    if not chosen:
        console.print("There is nothing to delete.")
        return
    console.print("\n".join(str(path) for path in chosen))
    if not (yes or typer.confirm(f"Delete {len(chosen)} run(s) with all they hold?")):
        console.print("Nothing was deleted.")
        return
    for path in chosen:
        try:
            with held(path):  # a run in progress is not deleted
                shutil.rmtree(path)
        except OSError as error:
            what = "the run cannot be deleted"
            raise InputError(what, where=path, found=error.strerror or error) from None
    console.print(f"{len(chosen)} run(s) deleted.")


def _chosen(names: list[str], failed: bool, keep: int | None, folder: Path) -> list[Path]:
    """The folders to delete; a damaged manifest hides whether a run failed, so such a run must be
    named.
    """
    from lsa_helpers.runner.registry import find_run, list_runs, load_manifest

    chosen = [find_run(name, folder) for name in names]
    for path in chosen:
        if not (path / "params.yml").is_file():
            load_manifest(path)  # other programs have a manifest.json too
    runs = list_runs(folder)
    runs = runs[runs["problem"] == ""]
    fails = failed & (runs["done"] == 0)
    old = runs[~fails]["name"].iloc[:-keep] if keep else []
    chosen += [folder / name for name in (*runs[fails]["name"], *old)]
    return list({path.resolve(): path for path in chosen}.values())


def _plain(value) -> str:
    """A parameter's value as ``-p`` takes it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _figure(value: float) -> str:
    """A score, or nothing."""
    return "" if pd.isna(value) else f"{value:.3f}"
