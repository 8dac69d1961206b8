"""``lsa params …`` and ``lsa data …``: parameter files and data folders."""

from pathlib import Path
from typing import Annotated

import typer

from lsa_helpers.errors import InputError
from lsa_helpers.runner.cli_options import NameOrFile, console

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
) -> None:
    """Open every source of a data folder and show what it is."""
    from lsa_helpers.detect.chips import usable_chips
    from lsa_helpers.detect.images import Bands
    from lsa_helpers.runner.checks import read_images
    from lsa_helpers.sources import check_catalog, load_catalog

    sources = load_catalog(folder, catalog)
    rows = check_catalog(sources, need_dem=False, cell_size=cell_size)
    console.print(rows.to_string(index=False))
    wanted = Bands(tuple(name.strip() for name in bands.split(",")))
    chips, report = read_images(sources, wanted)
    if chips:
        empty = report[~report["bad"] & (report["landslides"] == 0)]
        line = f"{len(chips)} chips: {report['bad'].sum()} bad, {len(empty)} without landslide, "
        line += f"{report['landslides'].sum()} landslides"
        if report["merged"].notna().any():
            line += f", {report['merged'].sum():.0f} of them touch another"
        console.print("\n  ".join([f"{line}.", *empty["problem"]]))
    usable_chips(chips, report)
    console.print(f"{folder}: {len(rows)} sources, all readable and all meeting the study area.")


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
