"""Run the chapters: execute notebooks by parameter file, keep a manifest, skip what has not
changed.
"""

import multiprocessing
import os
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, wait
from pathlib import Path

import yaml

from lsa_helpers.errors import StageError
from lsa_helpers.run import Run, whole_file
from lsa_helpers.runner import manifest
from lsa_helpers.runner.inputs import (
    LOCAL_FILES,
    catalog_of,
    check_inputs,
    load_run_params,
    missing_inputs,
    names_a_file,
)
from lsa_helpers.runner.kernel import execute_notebook
from lsa_helpers.runner.params import (
    CHAPTERS,
    DataParams,
    Parameters,
    find_params,
    notebooks_dir,
    to_sections,
)
from lsa_helpers.runner.progress import Progress
from lsa_helpers.sources import Catalog, load_catalog

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
}


def open_catalog(params: Parameters, run: Run) -> Catalog:
    """The catalog of a chapter: the data folder's, or the simulated mountain's inside the run."""
    if not params.data:
        return load_catalog(run.world)
    return load_catalog(Path(params.data), Path(params.catalog) if params.catalog else None)


def make_data(params: DataParams, run: Run) -> Catalog:
    """The catalog of chapter 01; without a data folder the simulated mountain is made first, its
    truth among the products.
    """
    from lsa_helpers.mountain import write_world

    if not params.data:
        shutil.rmtree(run.world, ignore_errors=True)
        size = {"width_km": params.width_km, "height_km": params.height_km}
        write_world(
            run.world,
            seed=params.seed,
            chips_per_platform=params.chips_per_platform,
            n_jobs=params.n_jobs,
            **size,
        )
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
    if params.run_dir:
        return Run(Path(params.run_dir))
    run = Run(Path("runs/alone").resolve())
    earlier = [name for name in CHAPTERS if name in _all_needs(chapter)]
    if earlier:
        begun = time.monotonic()
        data = Path(params.data) if params.data else None
        resolved = load_run_params(find_params("tiny"), {"seed": str(params.seed)}, data, run.path)
        check_inputs(resolved, earlier, run.path)
        done = execute(run, resolved, earlier)
        if done:
            seconds = time.monotonic() - begun
            names = ", ".join(done)
            print(f"Made first in runs/alone at the smallest size: {names} ({seconds:.0f} s).")
    return run


def _all_needs(chapter: str) -> set[str]:
    """Every chapter a chapter needs, directly or not."""
    direct = set(NEEDS[chapter])
    return direct.union(*(_all_needs(name) for name in direct))


def execute(
    run: Run,
    params: dict[str, Parameters],
    chapters: list[str],
    *,
    force: bool = False,
    tell: Callable[[str], None] = lambda line: None,
    progress: Progress | None = None,
) -> list[str]:
    """Execute chapters in order, each only when its inputs, parameters or code changed.

    A chapter whose inputs the data folder does not hold is skipped, and the manifest says why.

    Parameters
    ----------
    run : Run
        The run's folder; made when missing.
    params : dict
        Parameters of every chapter.
    chapters : list of str
        Names of the chapters to bring up to date.
    force : bool
        Execute them even when nothing changed.
    tell : callable
        Called with a line when a chapter begins, ends or is passed over.
    progress : Progress, optional
        Told what the running chapter is doing.

    Returns
    -------
    list of str
        The chapters that were executed.

    Raises
    ------
    StageError
        When a notebook fails; earlier chapters stay done.
    """
    run.path.mkdir(parents=True, exist_ok=True)
    with whole_file(run.path / "params.yml") as part:
        part.write_text(
            yaml.safe_dump(to_sections(params), sort_keys=False, allow_unicode=True),
            encoding="utf-8",
        )
    records = {record["name"]: record for record in manifest.read_manifest(run)["stages"]}
    shared = params["01_data"]
    missing = missing_inputs(catalog_of(shared, run.path)) if shared.data else {}
    executed = []
    for number, chapter in enumerate(chapters):
        if chapter in missing:
            tell(f"{chapter}: skipped, {missing[chapter]}")
            records[chapter] = _skip(run, params[chapter], chapter, missing[chapter])
            _write_manifest(run, records)
            continue
        key, inputs = _key(run, params, chapter, records)
        if not force and _is_done(run, records.get(chapter), key):
            tell(f"{chapter}: unchanged, skipped")
            continue
        tell(f"{chapter}: running …")
        if progress:
            progress.begin(chapter, chapters[number + 1 :])
        old = records.pop(chapter, {"outputs": {}})
        made = _execute_one(run, params[chapter], chapter, old, progress)
        records[chapter] = made | {"fingerprint": key, "inputs": inputs}
        _write_manifest(run, records)
        seconds, memory = made["seconds"], made["peak_memory_mb"] / 1000
        tell(f"{chapter}: done in {seconds:.0f} s, peak memory {memory:.1f} GB")
        executed.append(chapter)
    return executed


def _write_manifest(run: Run, records: dict[str, dict]) -> None:
    """Write the stages in the order of the book."""
    stages = [records[name] for name in CHAPTERS if name in records]
    manifest.write_manifest(run, stages, run.path / "params.yml")


def _skip(run: Run, params: Parameters, chapter: str, reason: str) -> dict:
    """The record of a chapter that is not run; the inventory is then the known landslides alone."""
    (run.path / "notebooks" / f"{chapter}.ipynb").unlink(missing_ok=True)
    outputs = []
    if chapter == "03_inventory":
        from lsa_helpers.detect.inventory import write_reference

        if path := write_reference(catalog_of(params, run.path), run):
            outputs.append(path.relative_to(run.path).as_posix())
    return {
        "name": chapter,
        "status": "skipped",
        "reason": reason,
        "seconds": 0.0,
        "peak_memory_mb": 0,
        "outputs": manifest.hashes(run.path, outputs),
        "fingerprint": "",
        "inputs": {},
    }


def _key(
    run: Run, params: dict[str, Parameters], chapter: str, records: dict[str, dict]
) -> tuple[str, dict[str, str]]:
    """Fingerprint of a stage and the hashes of its inputs."""
    names = [
        name
        for need in NEEDS[chapter]
        if need in records
        for name in records[need]["outputs"]
        if name.startswith(("products/", "world/"))
    ]
    inputs = manifest.hashes(run.path, names)
    own = params[chapter]
    if own.data and chapter in ("01_data", "02_detector", "03_inventory"):
        inputs |= _data_hashes(catalog_of(own, run.path))
    inputs |= manifest.hashes(
        run.path,
        [
            path
            for name in LOCAL_FILES.get(chapter, ())
            if names_a_file(name, path := getattr(own, name))
        ],
    )
    values = own.model_dump(exclude={"run_dir", "n_jobs"})
    return manifest.fingerprint(
        values, manifest.code_hash(notebooks_dir() / f"{chapter}.ipynb"), inputs
    ), inputs


def _data_hashes(catalog: Catalog) -> dict[str, str]:
    """Hashes of every file of the data folder that the catalog names, side files of the same stem
    included.
    """
    files = set()
    for entry in catalog.entries().values():
        for path in catalog.files(entry):
            files |= set(path.rglob("*") if path.is_dir() else path.parent.glob(f"{path.stem}.*"))
    files |= _files_of_images(catalog)
    names = sorted(
        Path(os.path.relpath(file, catalog.folder)).as_posix() for file in files if file.is_file()
    )
    return {f"data/{name}": value for name, value in manifest.hashes(catalog.folder, names).items()}


def _files_of_images(catalog: Catalog) -> set[Path]:
    """What the entry `images` uses beyond its path: a layer of outlines, or the images that a COCO
    file names.
    """
    if catalog.images is None:
        return set()
    if catalog.images.polygons:
        outlines = catalog.folder / catalog.images.polygons
        return set(outlines.parent.glob(f"{outlines.stem}.*"))
    if catalog.images.format == "coco" and catalog.path(catalog.images).is_file():
        from lsa_helpers.detect.layouts import list_chips

        return {chip.image for chip in list_chips(catalog)}
    return set()


def _is_done(run: Run, record: dict | None, key: str) -> bool:
    """Whether a stage's record fits its fingerprint and all its outputs are as it left them."""
    if record is None or record["status"] != "done" or record["fingerprint"] != key:
        return False
    return manifest.hashes(run.path, list(record["outputs"])) == record["outputs"]


def _execute_one(
    run: Run, params: Parameters, chapter: str, old: dict, progress: Progress | None
) -> dict:
    """Execute one notebook in a process of its own and describe what it made."""
    before = manifest.snapshot(run)
    begun = time.monotonic()
    values = params.model_dump() | {"run_dir": "."}
    notebook = notebooks_dir() / f"{chapter}.ipynb"
    context = multiprocessing.get_context("spawn")
    with (
        context.Manager() as manager,
        ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=1) as pool,
    ):
        lines = manager.Queue()
        future = pool.submit(execute_notebook, notebook, run.path.resolve(), values, lines)
        latest = "starting"
        while not wait([future], timeout=1).done:
            while not lines.empty():
                latest = lines.get()
            if progress:
                progress.update(latest)
        failure, memory = future.result()
    if failure:
        raise StageError(failure)
    after = manifest.snapshot(run)
    outputs = [name for name, state in after.items() if before.get(name) != state]
    # What this stage made the last time and did not make again no longer belongs to the run.
    for name in set(old["outputs"]) & set(after) - set(outputs):
        (run.path / name).unlink()
    return {
        "name": chapter,
        "status": "done",
        "seconds": round(time.monotonic() - begun, 1),
        "peak_memory_mb": round(memory),
        "outputs": manifest.hashes(run.path, outputs),
    }
