"""What a notebook asks of its run: its folder, the catalog of its data, and, opened alone, the
chapters before it.
"""

import shutil
import time
import warnings
from pathlib import Path

import dask

from lsa_helpers.errors import InputNote
from lsa_helpers.run import Run, whole_file
from lsa_helpers.runner.params import CHAPTERS, DataParams, Parameters

# Which chapters' products a chapter reads.
NEEDS = {
    "01_data": (),
    "02_detector": ("01_data",),
    "03_inventory": ("01_data", "02_detector"),
    "04_factor_selection": ("01_data", "03_inventory"),
    "05_susceptibility": ("01_data", "03_inventory", "04_factor_selection"),
    "06_frequency_ratio": ("01_data", "03_inventory", "05_susceptibility"),
    "07_shap": ("01_data", "04_factor_selection", "05_susceptibility"),
    "08_validation": ("01_data", "03_inventory", "04_factor_selection", "05_susceptibility"),
    "09_samples": ("01_data", "03_inventory", "04_factor_selection", "05_susceptibility"),
}


def open_catalog(params: Parameters, run: Run):
    """The catalog of a chapter: the data folder's, or the simulated mountain's inside the run.

    Parameters
    ----------
    params : Parameters
        The chapter's parameters.
    run : Run

    Returns
    -------
    lsa_helpers.sources.Catalog
    """
    from lsa_helpers.sources import load_catalog

    if not params.data:
        return load_catalog(run.world)
    return load_catalog(Path(params.data), Path(params.catalog) if params.catalog else None)


def make_data(params: DataParams, run: Run):
    """The catalog of chapter 01; without a data folder the simulated mountain is made first, its
    truth among the products.

    Parameters
    ----------
    params : DataParams
    run : Run

    Returns
    -------
    lsa_helpers.sources.Catalog
    """
    from lsa_helpers.mountain import write_world

    if not params.data:
        shutil.rmtree(run.world, ignore_errors=True)
        sizes = {"width_km", "height_km", "chips_per_platform"}
        write_world(run.world, **params.model_dump(include={"seed", "n_jobs"} | sizes))
    catalog = open_catalog(params, run)
    if catalog.truth is not None:
        for file in sorted(catalog.path(catalog.truth).iterdir()):
            with whole_file(run.product(f"truth/{file.name}")) as part:
                shutil.copyfile(file, part)
    return catalog


def open_run(params: Parameters, chapter: str) -> Run:
    """The run a notebook belongs to; opened alone, what it needs is made first in ``runs/alone`` at
    the smallest size.

    Parameters
    ----------
    params : Parameters
        The chapter's parameters.
    chapter : str
        Name of the chapter.

    Returns
    -------
    Run
    """
    # What is to be said of a stranger's files is printed where they are first read.
    warnings.filterwarnings("ignore", category=InputNote)
    if params.chunk:
        dask.config.set(num_workers=params.n_jobs)
    if params.run_dir:
        return Run(Path(params.run_dir))
    run = Run(Path("runs/alone").resolve())
    if earlier := [name for name in CHAPTERS if name in _all_needs(chapter)]:
        _make_first(run, params, earlier)
    return run


def _make_first(run: Run, params: Parameters, earlier: list[str]) -> None:
    """Bring the chapters before one that was opened alone up to date, and say so in one line."""
    from lsa_helpers.runner.checks import check_inputs
    from lsa_helpers.runner.execute import execute
    from lsa_helpers.runner.inputs import find_params, load_run_params
    from lsa_helpers.runner.progress import Progress, expected_seconds

    begun = time.monotonic()
    data = Path(params.data) if params.data else None
    values = load_run_params(find_params("tiny"), {"seed": str(params.seed)}, data, run.path)
    check_inputs(values, earlier, run.path)

    def show(line: str) -> None:
        print(f"{line:<100}", end="\r", flush=True)  # in place of the line before

    progress = Progress(show, True, expected_seconds(run, "tiny"))
    if done := execute(run, values, earlier, progress=progress):
        made = f"{', '.join(done)} ({time.monotonic() - begun:.0f} s)"
        print(f"Made first in runs/alone at the smallest size: {made}.")


def _all_needs(chapter: str) -> set[str]:
    """Every chapter a chapter needs, directly or not."""
    direct = set(NEEDS[chapter])
    return direct.union(*(_all_needs(name) for name in direct))
