"""``lsa params …`` and ``lsa data …``: parameter files and data folders."""

import json
from pathlib import Path
from typing import Annotated

import typer

from lsa_helpers.errors import InputError
from lsa_helpers.runner.cli_options import AsJson, DataFolder, NameOrFile, console

params_app = typer.Typer(no_args_is_help=True, help="Parameter files.")
data_app = typer.Typer(no_args_is_help=True, help="Data folders.")


@params_app.command("check")
def params_check(name_or_file: NameOrFile) -> None:
    """Check a parameter file: unknown keys, wrong values."""
    from lsa_helpers.runner.inputs import find_params, read_params

    file = find_params(name_or_file)
    read_params(file)
    console.print(f"{file}: all parameters are known and in range.")


@params_app.command("show")
def params_show(name_or_file: NameOrFile = "quick") -> None:
    """Show every parameter of a file with its value and meaning."""
    from lsa_helpers.runner.inputs import find_params, read_params, to_text

    console.print(to_text(read_params(find_params(name_or_file))), end="")


@params_app.command("export")
def params_export(
    name_or_file: NameOrFile,
    chapter: Annotated[str, typer.Argument(help="number or name of a chapter, for example 05")],
    data: DataFolder = None,
) -> None:
    """Show one chapter's parameters as plain papermill takes them: papermill -f FILE."""
    from lsa_helpers.runner.inputs import find_params, load_run_params, to_flat_text
    from lsa_helpers.runner.params import chapter_name

    name = chapter_name(chapter)
    params = load_run_params(find_params(name_or_file), {}, data, Path())  # paths count from here
    console.print(to_flat_text(params[name], name), end="")


@params_app.command("new")
def params_new(file: Annotated[Path, typer.Argument(help="the file to write")]) -> None:
    """Write a parameter file with every key, its value and its meaning, ready to be edited."""
    from lsa_helpers.run import whole_file
    from lsa_helpers.runner.inputs import find_params, read_params, to_text

    if file.exists():
        raise InputError("the file exists already", where=file, fix="Choose another name")
    with whole_file(file) as part:
        part.write_text(to_text(read_params(find_params("quick"))), encoding="utf-8")
    console.print(f"Wrote {file}. Edit it, then: lsa params check {file}")


@data_app.command("check")
def data_check(
    folder: Annotated[Path, typer.Argument(help="data folder")],
    catalog: Annotated[Path | None, typer.Option(help="catalog kept elsewhere")] = None,
    cell_size: Annotated[
        float, typer.Option(help="cell size of the grid, m; 0: the DEM's own")
    ] = 0.0,
    bands: Annotated[
        str, typer.Option(help="bands of the images, as in the parameter `bands`")
    ] = "red,green,blue",
    params: Annotated[str, typer.Option(help="parameter file that the run will have")] = "quick",
    strict: Annotated[bool, typer.Option(help="count doubts as errors")] = False,
    as_json: AsJson = False,
    picture: Annotated[
        Path | None, typer.Option(help="map of all layers; default: check.png in the folder")
    ] = None,
) -> None:
    """Read everything a run will read and say what was found, what is doubtful, what is missing and
    what can be made of it; 0 only where a run would work.
    """
    from lsa_helpers.detect.images import Bands
    from lsa_helpers.runner import data_check
    from lsa_helpers.sources import load_catalog

    sources = load_catalog(folder, catalog)
    wanted = Bands(tuple(name.strip() for name in bands.split(",")))
    rows = data_check.examine(sources, cell_size, wanted)
    asked = {"cell_size_m": str(cell_size), "02.bands": json.dumps(wanted.names)}
    asked |= {"catalog": str(catalog.resolve())} if catalog else {}
    result = data_check.outcome(sources, asked, params)
    file = data_check.draw(sources, rows, cell_size, picture or folder / "check.png")
    if as_json:
        rows["covers_pct"] = rows["covers_pct"].astype(object).where(rows["covers_pct"].notna())
        answer = {"entries": rows.to_dict("records"), **result, "picture": file and str(file)}
        console.print(json.dumps(answer, ensure_ascii=False, indent=1))
    else:
        console.print(data_check.as_text(sources, rows, result))
        console.print(f"All layers over the relief: {file}" if file else "No picture was made.")
    bad = rows["state"].isin(("wrong", "doubtful") if strict else ("wrong",)).any()
    raise typer.Exit(2 if bad or result["stop"] else 0)


@data_app.command("init")
def data_init(folder: Annotated[Path, typer.Argument(help="folder without a catalog")]) -> None:
    """Write a catalog.yml for a folder that has none: what every file may be, with the reason."""
    from lsa_helpers.run import whole_file
    from lsa_helpers.runner.data_init import write_catalog

    file = folder / "catalog.yml"
    if file.exists():
        raise InputError("the folder has a catalog already", where=file, fix="Delete or rename it")
    text = write_catalog(folder)
    try:
        with whole_file(file) as part:
            part.write_text(text, encoding="utf-8")
    except OSError as error:
        console.print(text, end="")
        fix = "Save the text above somewhere else and give it with --catalog"
        raise InputError(
            "the catalog cannot be written", where=file, found=error.strerror, fix=fix
        ) from None
    console.print(f"{text}Wrote {file}. Read it, then: lsa data check {folder}")


@data_app.command("example")
def data_example(folder: Annotated[Path, typer.Argument(help="new folder")]) -> None:
    """Write a small complete data folder to look at: a simulated mountain with its catalog."""
    from lsa_helpers.mountain import write_world

    if folder.exists() and any(folder.iterdir()):
        raise InputError("the folder is not empty", where=folder, fix="Choose another name")
    with console.status("simulating a mountain of 3 × 2 km"):
        write_world(folder, width_km=3.0, height_km=2.0, chips_per_platform=6)
    console.print(f"Wrote {folder}. Look at {folder}/catalog.yml, then: lsa data check {folder}")


@data_app.command("fetch")
def data_fetch(
    address: Annotated[str, typer.Argument(help="web address, or doi:…/FILE of a file on Zenodo")],
    folder: Annotated[Path, typer.Argument(help="folder to put it in")],
    sha256: Annotated[str | None, typer.Option(help="hash the file must have")] = None,
) -> None:
    """Download a public data set and unpack it; mind its licence."""
    from lsa_helpers.sources.fetch import fetch

    files = fetch(address, folder, sha256)
    console.print(f"{len(files)} file(s) in {folder}. Next: lsa data check {folder}")
