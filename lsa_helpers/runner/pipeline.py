"""What a notebook asks of its run: its folder, the catalog of its data, and, opened alone, the
chapters before it.
"""

import time
import warnings
from importlib.util import find_spec
from pathlib import Path

import dask

from lsa_helpers.errors import InputNote
from lsa_helpers.run import Run
from lsa_helpers.runner.params import CHAPTERS, Parameters

# Which chapters' products a chapter reads.
NEEDS = {
    "01_data": (),
    "02_detector": ("01_data",),
    "03_inventory": ("01_data", "02_detector"),
    "04_factor_selection": ("01_data", "03_inventory"),
    "05_susceptibility": ("01_data", "03_inventory", "04_factor_selection"),
    "06_frequency_ratio": ("01_data", "03_inventory", "05_susceptibility"),
    "07_shap": ("01_data", "04_factor_selection", "05_susceptibility"),
    "08_shapley_maps": ("01_data", "05_susceptibility"),
    "09_validation": ("01_data", "03_inventory", "04_factor_selection", "05_susceptibility"),
    "10_samples": ("01_data", "03_inventory", "04_factor_selection", "05_susceptibility"),
    "11_inventory_errors": ("01_data", "03_inventory", "05_susceptibility"),
    "12_uncertainty": ("01_data", "03_inventory", "04_factor_selection", "05_susceptibility"),
    "13_mapping_units": ("01_data", "03_inventory", "05_susceptibility"),
    "14_using_the_map": ("01_data", "03_inventory", "05_susceptibility", "06_frequency_ratio"),
}

# Whose products a chapter reads besides, where there are any; it does without them too.
ALSO_READS = {"14_using_the_map": ("08_shapley_maps", "12_uncertainty", "13_mapping_units")}

# Chapters that train models: drawn anew only when that is asked for.
TRAINS = (
    "02_detector",
    "04_factor_selection",
    "05_susceptibility",
    "08_shapley_maps",
    "09_validation",
    "10_samples",
    "11_inventory_errors",
    "12_uncertainty",
)

# Chapters that are nothing without torch, and those that train the CNN or ask a trained one.
NEED_TORCH = ("02_detector", "03_inventory")
_WITH_CNN = (
    "05_susceptibility",
    "07_shap",
    "08_shapley_maps",
    "09_validation",
    "12_uncertainty",
)


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
    run = Run(Path(params.run_dir) if params.run_dir else Path("runs/alone").resolve())
    if NEEDS[chapter] and not params.run_dir:
        _make_first(run, params, chapter)
    if without_cnn(run, params, chapter):
        print("Left out: the CNN. It needs torch, which is not installed here.")
    return run


def without_cnn(run: Run, params: Parameters, chapter: str) -> bool:
    """Whether a chapter does without a CNN that it is asked for, because torch is not installed."""
    if chapter not in _WITH_CNN or find_spec("torch"):
        return False
    return "cnn" in getattr(params, "models", ()) or run.has("models/cnn/config.json")


def _make_first(run: Run, params: Parameters, chapter: str) -> None:
    """Bring the chapters before one that was opened alone up to date, and say so in one line."""
    from lsa_helpers.runner.checks import check_inputs
    from lsa_helpers.runner.execute import execute
    from lsa_helpers.runner.fingerprint import all_needs
    from lsa_helpers.runner.inputs import find_params, load_run_params
    from lsa_helpers.runner.progress import Progress, expected_seconds

    begun = time.monotonic()
    earlier = [name for name in CHAPTERS if name in all_needs(chapter)]
    data = Path(params.data) if params.data else None
    values = load_run_params(find_params("tiny"), {"seed": str(params.seed)}, data, run.path)
    check_inputs(values, earlier, run.path)

    def show(line: str) -> None:
        print(f"{line:<100}", end="\r", flush=True)  # in place of the line before

    progress = Progress(show, True, expected_seconds(run, "tiny"))
    if done := execute(run, values, earlier, progress=progress):
        made = f"{', '.join(done)} ({time.monotonic() - begun:.0f} s)"
        print(f"Made first in runs/alone at the smallest size: {made}.")
