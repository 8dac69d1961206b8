"""Look at what the user gave before anything is written: data folder, images, landslides."""

from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from lsa_helpers.errors import InputError, doubt, need_factors
from lsa_helpers.runner.inputs import catalog_of, seen_from
from lsa_helpers.runner.params import CHAPTERS, DetectorParams, Parameters, SampleParams
from lsa_helpers.sources import Catalog, check_catalog

_FEW = 20  # chips
# What a catalog needs for each kind of landslides.
_SOURCES = {"reference": "an `inventory`", "detected": "a `scene` and `images`"}


def missing_inputs(catalog: Catalog) -> dict[str, str]:
    """The chapters that a data folder has no inputs for.

    Parameters
    ----------
    catalog : Catalog

    Returns
    -------
    dict
        Chapter → why it cannot be run, as the end of a sentence.
    """
    missing = {}
    if catalog.dem is None:
        missing["01_data"] = "the catalog names no DEM, so there is no grid and no factor"
    if catalog.images is None:
        missing["02_detector"] = "the catalog names no images to learn from"
        missing["03_inventory"] = "there is no detector, because the catalog names no images"
    if catalog.scene is None:
        missing["03_inventory"] = "the catalog names no scene to search"
    later = [name for name in CHAPTERS if name > "03_inventory"]
    if catalog.dem is None:
        missing |= dict.fromkeys(later, missing["01_data"])
    elif not any(_landslides(catalog).values()):
        reason = "there are no landslides to learn from: no inventory, and no scene with images"
        missing |= dict.fromkeys(later, reason)
    return missing


def _landslides(catalog: Catalog) -> dict[str, bool]:
    """Which kinds of landslides a data folder can give."""
    truth = catalog.truth and (catalog.path(catalog.truth) / "landslides.gpkg").is_file()
    detected = bool(catalog.scene and catalog.images)
    return {"reference": bool(truth or catalog.inventory), "detected": detected}


def check_inputs(params: dict[str, Parameters], chapters: list[str], folder: Path) -> None:
    """Look at the user's files before anything is written; the simulated mountain needs no look.

    Raises
    ------
    InputError
        For the first source that cannot be used; image chips are all read, and those that cannot be
        used are named together.
    """
    data, classed = params["01_data"], params["06_frequency_ratio"]
    if classed.breaks_from and "06_frequency_ratio" in chapters:
        from lsa_helpers.classes import read_breaks

        read_breaks(seen_from(folder, classed.breaks_from), classed.n_classes)
    _check_models(params, chapters)
    catalog = catalog_of(data, folder) if data.data else None
    missing = missing_inputs(catalog) if catalog else {}
    left = [name for name in chapters if name not in missing]
    if chapters and not left:
        what = "no chapter can be run on this data folder"
        found = missing[chapters[0]]
        fix = "Add what is missing to catalog.yml"
        raise InputError(what, where=catalog.folder, found=found, fix=fix)
    asked, chapters = chapters, left
    if catalog is None or catalog.dem is not None:
        _check_factors(params, catalog, chapters)
    if catalog is None:
        return
    need_dem = any(name > "03_inventory" for name in chapters) or bool(catalog.on_grid)
    check_catalog(catalog, need_dem=need_dem, cell_size=data.cell_size_m, crs=data.crs)
    _check_images(catalog, params["02_detector"], asked)
    _check_landslides(catalog, params, chapters)


def _check_models(params: dict[str, Parameters], chapters: list[str]) -> None:
    """See that chapter 05 has a model, and makes the maps that chapters 06 and 07 set beside each
    other.
    """
    from lsa_helpers.classes import MODELS

    trained = {m for m in params["05_susceptibility"].models if m != "cnn" or find_spec("torch")}
    if "05_susceptibility" not in chapters or set(MODELS) & trained:
        return
    if not trained:
        what, fix = "the CNN needs torch, which is not installed", "Add rf, xgboost or logistic"
        raise InputError(what, where="parameter models", fix=fix)
    wanting = [name for name in ("06_frequency_ratio", "07_shap") if name in chapters]
    if wanting:
        what = f"there will be none of the maps of {', '.join(MODELS)}"
        fix = "Add one of them, or stop with --until 05"
        where = f"parameter models, needed by chapter {wanting[0][:2]}"
        raise InputError(what, where=where, fix=fix)


def _check_factors(
    params: dict[str, Parameters], catalog: Catalog | None, chapters: list[str]
) -> None:
    """See that every factor a parameter names will exist."""
    from lsa_helpers.factors.build import factors_to_make, known_factors

    made, models = factors_to_make(catalog, params["01_data"].factors), params["05_susceptibility"]
    if "04_factor_selection" in chapters:
        keep = params["04_factor_selection"].keep_factors
        need_factors(keep, made, "parameter keep_factors")
    if "05_susceptibility" in chapters:
        need_factors(models.coding, known_factors(catalog), "parameter coding")
        need_factors(models.logistic_factors, made, "parameter logistic_factors")
        if models.models == ["infinite_slope"]:  # beside others it is left out
            need_factors(["slope", "twi"], made, "model infinite_slope")


def read_images(catalog: Catalog, bands, resolution_m: float = 0.0) -> tuple[list, pd.DataFrame]:
    """Open the scene of a data folder and read all its chips.

    Parameters
    ----------
    catalog : Catalog
    bands : lsa_helpers.detect.images.Bands
        Bands that are needed.
    resolution_m : float
        Pixel of the scene, m; 0: its own.

    Returns
    -------
    chips : list of Chip
    report : DataFrame
        From `lsa_helpers.detect.chips.check_chips`.

    Raises
    ------
    InputError
        When the scene cannot be used.
    """
    from lsa_helpers.detect.chips import check_chips
    from lsa_helpers.detect.layouts import list_chips
    from lsa_helpers.detect.scale import doubt_scene
    from lsa_helpers.detect.scene import open_scene

    scene = catalog.scene and open_scene(catalog.files(catalog.scene), resolution_m, bands)
    chips = list_chips(catalog, bands)
    if scene and not bands.reflectance_scale:
        doubt_scene(chips, scene.bands, catalog.path(catalog.scene))
    return chips, check_chips(chips, bands)


def _check_images(catalog: Catalog, params: DetectorParams, chapters: list[str]) -> None:
    """Read the images of a data folder as the chapters that show them and learn from them will."""
    if not {"02_detector", "03_inventory"} & set(chapters):
        return
    from lsa_helpers.detect.chips import need_training, usable_chips
    from lsa_helpers.detect.images import Bands
    from lsa_helpers.detect.split import split_chips

    bands = Bands(tuple(params.bands), params.reflectance_scale, params.reflectance_offset)
    chips, report = read_images(catalog, bands, params.resolution_m)
    chips = usable_chips(chips, report, skip_bad=params.skip_bad)
    if chips and "02_detector" in chapters:
        chips = split_chips(chips, params.seed)
        need_training(chips)
        few = sum(chip.split == "train" for chip in chips)
        if few < _FEW and not params.detector:
            what = f"there are only {few} chips to train on"
            fix = "A detector learns little from so few: add chips, or name a trained `detector`"
            doubt(what, where=catalog.path(catalog.images), fix=fix)


def _check_landslides(catalog: Catalog, params: dict[str, Parameters], chapters: list[str]) -> None:
    """See that there will be landslides to learn from, of the kind that chapters after 03 want."""
    wanted = {
        name: getattr(params[name], "inventory", "auto")
        for name in chapters
        if name > "03_inventory"
    }
    there = _landslides(catalog)
    for name, kind in wanted.items():
        if not there.get(kind, True):
            other = "reference" if kind == "detected" else "detected"
            what = f"there will be no {kind} landslides"
            fix = f'Set it to "auto" or "{other}", or add {_SOURCES[kind]} to the catalog'
            raise InputError(what, where=f"parameter {name[:2]}.inventory", fix=fix)
    # Chapters 04 and 05 draw samples: where no other landslides are at hand, the inventory must do.
    drawing = [name for name in wanted if isinstance(params[name], SampleParams)]
    sampled = {wanted[name] for name in drawing}
    if not catalog.truth and sampled and ("reference" in sampled or not there["detected"]):
        from lsa_helpers.runner.folds import check_folds

        for name in reversed(drawing):  # chapter 05 needs the most
            check_folds(catalog, params["01_data"], params[name])
