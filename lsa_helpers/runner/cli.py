"""The command ``lsa``: what plain papermill, Jupyter and pytest lack, and the plain command it
stands for.
"""

import importlib.metadata
import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from lsa_helpers import __version__
from lsa_helpers.errors import InputError, LsaError

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False
)
params_app = typer.Typer(no_args_is_help=True, help="Parameter files.")
data_app = typer.Typer(no_args_is_help=True, help="Data folders.")
app.add_typer(params_app, name="params")
app.add_typer(data_app, name="data")
console = Console(highlight=False, soft_wrap=True)

NameOrFile = Annotated[
    str,
    typer.Argument(
        help="name of a parameter file that comes with the book (quick, course, …) or a path"
    ),
]
RunName = Annotated[str, typer.Argument(help="name of a run in runs/, or its folder")]
Override = Annotated[
    list[str] | None,
    typer.Option("-p", metavar="KEY VALUE", help="change one parameter: -p n_classes 7"),
]


@app.command("run")
def run_command(
    name_or_file: NameOrFile = "quick",
    data: Annotated[Path | None, typer.Option(help="data folder")] = None,
    first: Annotated[str, typer.Option("--from", help="first chapter, for example 04")] = "01",
    until: Annotated[str, typer.Option(help="last chapter, for example 05")] = "07",
    parameters: Override = None,
    force: Annotated[bool, typer.Option(help="execute chapters even when nothing changed")] = False,
    out: Annotated[Path | None, typer.Option(help="the run's folder; default: runs/<name>")] = None,
) -> None:
    """Bring a run up to date: execute the chapters whose inputs, parameters or code changed."""
    from lsa_helpers.run import Run
    from lsa_helpers.runner import pipeline
    from lsa_helpers.runner.manifest import read_manifest
    from lsa_helpers.runner.params import CHAPTERS, chapter_name, find_params
    from lsa_helpers.runner.progress import Progress, expected_seconds

    file = find_params(name_or_file)
    run = Run(out or Path("runs") / file.stem)
    params = pipeline.load_run_params(file, _overrides(parameters), data, run.path)
    chapters = [name for name in CHAPTERS if chapter_name(first) <= name <= chapter_name(until)]
    if not chapters:
        raise InputError(
            "there is no chapter between --from and --until",
            found=f"--from {first} --until {until}",
        )
    pipeline.check_inputs(params, chapters, run.path)
    console.print(
        f"Run {run.path} (each chapter is: papermill notebooks/NN_x.ipynb "
        f"{run.path}/notebooks/NN_x.ipynb --cwd {run.path} -f …)"
    )
    last = {record["name"]: record for record in read_manifest(run)["stages"]}
    seconds = expected_seconds(last, params["01_data"].profile)
    with console.status("") as status:
        show = status.update if console.is_terminal else console.print
        executed = pipeline.execute(
            run,
            params,
            chapters,
            force=force,
            tell=console.print,
            progress=Progress(show, console.is_terminal, seconds),
        )
    console.print(
        f"{len(executed)} chapter(s) executed. Results: {run.path}/products, tables, figures. "
        f"Next: lsa book {run.path}"
    )


def _overrides(pairs: list[str] | None) -> dict[str, str]:
    """``KEY=VALUE`` texts (see `main`) as a dictionary."""
    for pair in pairs or []:
        if "=" not in pair:
            raise InputError("-p takes a key and a value", found=pair, fix="Write -p n_classes 7")
    return dict(pair.split("=", 1) for pair in pairs or [])


@app.command("train")
def train_command(
    name_or_file: NameOrFile = "paper",
    data: Annotated[Path | None, typer.Option(help="data folder")] = None,
    parameters: Override = None,
    out: Annotated[Path | None, typer.Option(help="the run's folder; default: runs/<name>")] = None,
    devices: Annotated[
        int, typer.Option(min=1, help="GPUs of this machine; processes where it has none")
    ] = 1,
    nodes: Annotated[
        int, typer.Option(min=1, help="machines; start the command on each, by SLURM or torchrun")
    ] = 1,
) -> None:
    """Train chapter 02's detector on several GPUs or machines; `lsa run` then finds it trained.
    Chapter 01 must be done.
    """
    from lsa_helpers.detect.chips import check_chips, need_training, split_chips, usable_chips
    from lsa_helpers.detect.dataset import ChipSet, augmentation
    from lsa_helpers.detect.layouts import list_chips
    from lsa_helpers.detect.model import DetectorConfig
    from lsa_helpers.detect.train import TrainConfig, first_process, train_detector
    from lsa_helpers.run import Run
    from lsa_helpers.runner import pipeline
    from lsa_helpers.runner.inputs import names_a_file
    from lsa_helpers.runner.params import find_params

    file = find_params(name_or_file)
    run = Run((out or Path("runs") / file.stem).resolve())
    values = pipeline.load_run_params(file, _overrides(parameters), data, run.path)["02_detector"]
    if not values.data and not run.world.is_dir():
        raise InputError(
            "there is nothing to train on yet",
            where=run.path,
            fix=f"First: lsa run {name_or_file} --until 01",
        )
    # The files' paths count from the run's folder, which need not exist yet; other processes are
    # started from this one.
    given = {key: getattr(values, key) for key in ("data", "catalog", "weights")}
    paths = {
        key: os.path.normpath(run.path / text)
        for key, text in given.items()
        if names_a_file(key, text)
    }
    values = values.model_copy(update=paths)
    config = DetectorConfig.pick(values.model_dump())
    chips = list_chips(pipeline.open_catalog(values, run))
    if not chips:
        raise InputError("the catalog names no images", where=values.data or run.world)
    chips = usable_chips(chips, check_chips(chips, config.inputs), skip_bad=values.skip_bad)
    chips = split_chips(chips, values.seed)
    need_training(chips)
    train_detector(
        ChipSet(
            [chip for chip in chips if chip.split == "train"],
            config,
            augmentation(
                values.chip_size,
                brightness=values.brightness,
                channel_jitter=values.channel_jitter,
                scale_jitter=values.scale_jitter,
                rotation=values.rotation,
            ),
        ),
        TrainConfig.pick(values.model_dump()),
        run.path / "checkpoints",
        validation=ChipSet([chip for chip in chips if chip.split == "val"], config),
        weights=values.weights or None,
        report=console.print,
        devices=devices,
        nodes=nodes,
    )
    if first_process():
        console.print(
            f"The detector is trained. Next: lsa run {name_or_file} --from 02, with the same "
            "parameters"
        )


@app.command("book")
def book_command(
    run: RunName = "quick",
    out: Annotated[Path | None, typer.Option(help="folder of the site")] = None,
) -> None:
    """Build the Jupyter Book of a run; prints the path of index.html."""
    from lsa_helpers.runner.publish import build_book

    console.print(
        "A stage with the run's notebooks is built by: jupyter-book build STAGE -W --keep-going -n"
    )
    console.print(str(build_book(_find_run(run), out)))


def _find_run(name: str):
    """A run by name or folder."""
    from lsa_helpers.run import Run

    for folder in (Path(name), Path("runs") / name):
        if (folder / "manifest.json").is_file():
            return Run(folder)
    there = sorted(file.parent.name for file in Path("runs").glob("*/manifest.json"))
    raise InputError(
        "there is no such run",
        where=name,
        found=there or "no runs",
        fix="Make it first: lsa run NAME",
    )


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
    chapters = params.read_params(params.find_params(like))
    lines = []
    for section, values in params.to_sections(chapters).items():
        fields = params.CHAPTERS.get(section, params.Parameters).model_fields
        texts = {
            key: json.dumps(value, ensure_ascii=False) for key, value in values.items()
        }  # JSON is YAML, on one line
        lines += [
            f"{section}:",
            *(f"  {key}: {text}  # {fields[key].description}" for key, text in texts.items()),
        ]
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
    from lsa_helpers.detect.chips import check_chips
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
        report = check_chips(chips, wanted)
        bad, empty = report[report["bad"]], report[~report["bad"] & (report["landslides"] == 0)]
        merged = (
            f", {report['merged'].sum():.0f} of them touch another"
            if report["merged"].notna().any()
            else ""
        )
        console.print(
            f"{len(chips)} chips: {len(bad)} bad, {len(empty)} without landslide, "
            f"{report['landslides'].sum()} landslides{merged}."
        )
        for row in empty.itertuples():
            console.print(f"  {row.problem}")
        if len(bad):
            raise InputError(
                f"{len(bad)} of {len(chips)} chips cannot be used",
                where=folder,
                found="\n" + "\n".join(bad["problem"]),
            )
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


@app.command("map")
def map_command(
    model: Annotated[
        Path,
        typer.Argument(
            help="folder of a trained model, for example runs/quick/products/models/cnn"
        ),
    ],
    factors: Annotated[
        Path,
        typer.Argument(
            help="factors.tif of any area, factors.json beside it; it may be larger than memory"
        ),
    ],
    out: Annotated[Path, typer.Argument(help="the map to write")],
    scheduler: Annotated[
        str,
        typer.Option(
            help="address of a Dask scheduler; local: processes of this machine; empty: its threads"
        ),
    ] = "",
    jobs: Annotated[int, typer.Option(min=1, help="threads or processes of this machine")] = 2,
    chunk: Annotated[int, typer.Option(min=64, help="edge of a block, cells")] = 1024,
    bf16: Annotated[
        bool,
        typer.Option(
            "--bf16", help="multiply in bfloat16; the error it makes is measured and shown"
        ),
    ] = False,
) -> None:
    """Map the susceptibility of another, larger area with a trained model, block by block."""
    from lsa_helpers.models import bf16_error, compute_on, load, predict_map
    from lsa_helpers.raster import read_factors, write_raster

    if out.resolve() == factors.resolve():
        raise InputError(
            "the map would overwrite the factors", where=out, fix="Choose another name"
        )
    area = read_factors(factors, chunk=chunk)
    estimator = load(model, area)
    if bf16:
        largest, mean = bf16_error(estimator, area)
        console.print(
            f"bfloat16 changes the probability by {largest:.4f} at most, {mean:.5f} on average, "
            "on a square in the middle."
        )
        estimator.set_params(bf16=True)
    size = f"{area.sizes['y']} × {area.sizes['x']} cells"
    with console.status(f"mapping {size}"), compute_on(scheduler, jobs):
        write_raster(out, predict_map(estimator, area))
    console.print(f"{out}: {size}, by {model.resolve().name}.")


@app.command("bench")
def bench_command(
    what: Annotated[
        str, typer.Argument(help="detect, maps, scale (to 100 million cells, half an hour), or all")
    ] = "all",
    out: Annotated[Path | None, typer.Option(help="file for the figures as JSON")] = None,
) -> None:
    """Measure speed and memory against rivals in the same run; needs a checkout with its tests."""
    from lsa_helpers.runner.bench import run_benchmarks

    run_benchmarks(what, out, console.print)


@app.command("check-env")
def check_env() -> None:
    """Say whether this machine has what the book needs."""
    import shutil

    table = Table("what", "found")
    table.add_row("Python", sys.version.split()[0])
    for name in (
        "jupyterlab",
        "papermill",
        "torch",
        "torchvision",
        "rasterio",
        "geopandas",
        "scikit-learn",
        "xgboost",
        "shap",
        "jupyter-book",
    ):
        try:
            table.add_row(name, importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            raise InputError(f"the package {name} is missing", fix="Run: make env") from None
    for name in ("git", "chromium"):
        table.add_row(
            name,
            shutil.which(name)
            or "not found (only needed for "
            + ("the manifest)" if name == "git" else "browser tests)"),
        )
    console.print(table)


@app.command("sync")
def sync_command() -> None:
    """Derive every notebook's .ipynb twin from its .py source."""
    from lsa_helpers.runner import pairs, params

    console.print(
        "Each twin is: jupytext --to ipynb notebooks/NN_x.py, with cell ids that do not change"
    )
    for twin in pairs.sync(params.notebooks_dir()):
        console.print(f"wrote {twin}")


@app.command("check")
def check_command() -> None:
    """Check that every .ipynb twin is in step with its .py source."""
    from lsa_helpers.runner import pairs, params

    stale = pairs.out_of_step(params.notebooks_dir())
    if stale:
        raise InputError(
            "the .ipynb twin is not in step",
            where=", ".join(str(file) for file in stale),
            fix="Run: lsa sync",
        )
    console.print("Every notebook pair is in step.")


@app.command("version")
def version_command() -> None:
    """Print the version."""
    console.print(__version__)


def _join_overrides(arguments: list[str]) -> list[str]:
    """Turn papermill's ``-p KEY VALUE`` into ``-p KEY=VALUE``, which Typer can take many times."""
    out, rest = [], list(arguments)
    while rest:
        word = rest.pop(0)
        out.append(word)
        if word == "-p" and len(rest) >= 2 and "=" not in rest[0]:
            out.append(f"{rest.pop(0)}={rest.pop(0)}")
    return out


def main() -> None:
    """Entry point: an expected error is one message and its exit code, never a traceback."""
    try:
        app(args=_join_overrides(sys.argv[1:]), prog_name="lsa")
    except LsaError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"Error: {error}", markup=False)
        raise SystemExit(error.exit_code) from None
