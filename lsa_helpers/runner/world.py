"""The data of chapter 01: those of the data folder, or a simulated mountain that is made first."""

import shutil

from lsa_helpers.run import Run, whole_file
from lsa_helpers.runner.params import DataParams
from lsa_helpers.runner.pipeline import open_catalog


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
