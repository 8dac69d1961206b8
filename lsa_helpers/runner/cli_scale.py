"""``lsa train``, ``lsa map`` and ``lsa bench``: several GPUs or machines, areas larger than memory,
and what both cost.
"""

import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from lsa_helpers.errors import InputError, LsaError, did_you_mean
from lsa_helpers.runner.cli_options import DataFolder, NameOrFile, Out, Override, console, overrides

BENCHMARKS = Path(__file__).parents[2] / "tests" / "benchmarks"


def train(
    name_or_file: NameOrFile = "paper",
    data: DataFolder = None,
    parameters: Override = None,
    out: Out = None,
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
    from lsa_helpers.detect.train import TrainConfig, first_process, train_detector
    from lsa_helpers.run import Run
    from lsa_helpers.runner.inputs import find_params, load_run_params
    from lsa_helpers.runner.lock import held

    file = find_params(name_or_file)
    run = Run((out or Path("runs") / file.stem).resolve())
    # Paths count from here, where the processes of the other devices are started too.
    values = load_run_params(file, overrides(parameters), data, Path())["02_detector"]
    if not values.data and not run.world.is_dir():
        fix = f"First: lsa run {name_or_file} --until 01"
        raise InputError("there is nothing to train on yet", where=run.path, fix=fix)
    chips, validation = _chip_sets(values, run)
    config, folder = TrainConfig.pick(values.model_dump()), run.path / "checkpoints"
    first_weights = {"weights": values.weights or None, "validation": validation}
    where = {"devices": devices, "nodes": nodes, "report": console.print}
    # the other processes of one training work in the folder that the first one holds
    with held(run.path) if first_process() else nullcontext():
        train_detector(chips, config, folder, **first_weights, **where)
    if first_process():
        console.print(
            f"The detector is trained. Next: lsa run {name_or_file} --from 02, with the same "
            "parameters"
        )


def _chip_sets(values, run) -> tuple:
    """Training and validation chips, as chapter 02 takes them."""
    from lsa_helpers.detect.chips import check_chips, need_training, usable_chips
    from lsa_helpers.detect.dataset import ChipSet, augmentation
    from lsa_helpers.detect.layouts import list_chips
    from lsa_helpers.detect.model import DetectorConfig
    from lsa_helpers.detect.split import split_chips
    from lsa_helpers.runner.pipeline import open_catalog

    config = DetectorConfig.pick(values.model_dump())
    chips = list_chips(open_catalog(values, run), config.inputs)
    if not chips:
        raise InputError("the catalog names no images", where=values.data or run.world)
    chips = usable_chips(chips, check_chips(chips, config.inputs), skip_bad=values.skip_bad)
    chips = split_chips(chips, values.seed)
    need_training(chips)
    jitter = values.model_dump(include={"brightness", "channel_jitter", "scale_jitter", "rotation"})
    augment = augmentation(values.chip_size, **jitter)
    return (
        ChipSet([chip for chip in chips if chip.split == "train"], config, augment),
        ChipSet([chip for chip in chips if chip.split == "val"], config),
    )


def map_area(
    model: Annotated[
        Path, typer.Argument(help="folder of a trained model: runs/quick/products/models/cnn")
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
        bool, typer.Option("--bf16", help="multiply in bfloat16; the error it makes is shown")
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


def bench(
    what: Annotated[
        str, typer.Argument(help="detect, maps, scale (to 100 million cells, half an hour), or all")
    ] = "all",
    out: Annotated[Path | None, typer.Option(help="file for the figures as JSON")] = None,
) -> None:
    """Measure speed and memory against rivals in the same run; needs a checkout with its tests."""
    from lsa_helpers.run import whole_file

    files = {file.stem.removeprefix("test_"): file for file in BENCHMARKS.glob("test_*.py")}
    if not files:
        fix = "Run it in a checkout of the project: the package comes without tests"
        raise InputError("there are no benchmarks here", where=BENCHMARKS, fix=fix)
    files["all"] = BENCHMARKS
    if what not in files:
        raise InputError(f'there is no benchmark "{what}"', fix=did_you_mean(what, files))
    command = ["pytest", str(files[what]), "--benchmark-only", "--benchmark-columns=median"]
    command += ["--benchmark-sort=name", "-v", "-p", "no:warnings"]
    console.print(" ".join(command))
    with whole_file(out) if out else nullcontext() as part:
        keep = [f"--benchmark-json={part}"] if out else []
        if subprocess.run([sys.executable, "-m", *command, *keep]).returncode:
            raise LsaError("a benchmark failed, as pytest says above")
