"""``lsa params …`` and ``lsa data …``: parameter files and data folders."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from lsa_helpers.errors import InputError
from lsa_helpers.runner.cli_options import NameOrFile, console

params_app = typer.Typer(no_args_is_help=True, help="Parameter files.")
data_app = typer.Typer(no_args_is_help=True, help="Data folders.")


@params_app.command("check")
def params_check(name_or_file: NameOrFile) -> None:
    """Check a parameter file: unknown keys, wrong values."""
    from lsa_helpers.runner import params

    file = params.find_params(name_or_file)
    params.read_params(file)
    console.print(f"{file}: all parameters are known and in range.")


@params_app.command("show")
def params_show(name_or_file: NameOrFile = "quick") -> None:
    """Show every parameter of a file with its value, unit and meaning."""
    from lsa_helpers.runner import params

    for chapter, values in params.read_params(params.find_params(name_or_file)).items():
        table = Table("parameter", "value", "meaning", title=chapter, title_justify="left")
        for key, field in type(values).model_fields.items():
            if key not in params.Parameters.model_fields or chapter == "01_data":
                table.add_row(key, str(getattr(values, key)), field.description)
        console.print(table)


@params_app.command("new")
def params_new(
    file: Annotated[Path, typer.Argument(help="the file to write")], like: str = "quick"
) -> None:
    """Write a parameter file with every key, its value and its meaning, ready to be edited."""
    from lsa_helpers.run import whole_file
    from lsa_helpers.runner import params

    if file.exists():
        raise InputError("the file exists already", where=file, fix="Choose another name")
    lines = []
    sections = params.to_sections(params.read_params(params.find_params(like)))
    for section, values in sections.items():
        fields = params.CHAPTERS.get(section, params.Parameters).model_fields
        lines.append(f"{section}:")
        for key, value in values.items():
            text = json.dumps(value, ensure_ascii=False)  # JSON is YAML, on one line
            lines.append(f"  {key}: {text}  # {fields[key].description}")
    with whole_file(file) as part:
        part.write_text("\n".join(lines) + "\n", encoding="utf-8")
    console.print(f"Wrote {file}. Edit it, then: lsa params check {file}")


@data_app.command("check")
def data_check(
    folder: Annotated[Path, typer.Argument(help="data folder")],
    catalog: Annotated[Path | None, typer.Option(help="catalog kept elsewhere")] = None,
    cell_size: Annotated[float, typer.Option(help="cell size of the grid, m")] = 12.5,
    bands: Annotated[
        str, typer.Option(help="bands of the images, as in the parameter `bands`")
    ] = "red,green,blue",
) -> None:
    """Open every source of a data folder and show what it is."""
    from lsa_helpers.detect.images import Bands
    from lsa_helpers.detect.layouts import list_chips
    from lsa_helpers.detect.scene import open_scene
    from lsa_helpers.sources import check_catalog, load_catalog

    sources = load_catalog(folder, catalog)
    rows = check_catalog(sources, need_dem=False, cell_size=cell_size)
    console.print(rows.to_string(index=False))
    wanted = Bands(tuple(name.strip() for name in bands.split(",")))
    if sources.scene is not None:
        open_scene(sources.path(sources.scene), bands=wanted)
    if chips := list_chips(sources):
        _report_chips(chips, wanted, folder)
    console.print(f"{folder}: {len(rows)} sources, all readable and all meeting the study area.")


def _report_chips(chips: list, bands, folder: Path) -> None:
    """How many chips there are, which show no landslide, and all that cannot be used."""
    from lsa_helpers.detect.chips import check_chips

    report = check_chips(chips, bands)
    bad = report[report["bad"]]
    empty = report[~report["bad"] & (report["landslides"] == 0)]
    line = f"{len(chips)} chips: {len(bad)} bad, {len(empty)} without landslide, "
    line += f"{report['landslides'].sum()} landslides"
    if report["merged"].notna().any():
        line += f", {report['merged'].sum():.0f} of them touch another"
    console.print(f"{line}.")
    for problem in empty["problem"]:
        console.print(f"  {problem}")
    if len(bad):
        raise InputError(
            f"{len(bad)} of {len(chips)} chips cannot be used",
            where=folder,
            found="\n" + "\n".join(bad["problem"]),
        )


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
