"""What the user gives a run: parameters, the files they name and a data folder, all looked at
before anything is written.
"""

import os
from pathlib import Path

import yaml

from lsa_helpers.errors import InputError, did_you_mean
from lsa_helpers.runner.params import (
    CHAPTERS,
    DetectorParams,
    Parameters,
    SampleParams,
    chapter_name,
    read_params,
    resolve,
    to_sections,
)
from lsa_helpers.sources import Catalog, check_catalog, check_labels, load_catalog

# What a catalog needs for each kind of landslides.
_SOURCES = {"reference": "an `inventory`", "detected": "a `scene` and `images`"}
# Parameters that name a file: their paths are followed into the run's folder, and the files'
# contents belong to the stage's inputs.
LOCAL_FILES = {"02_detector": ("detector", "weights"), "06_frequency_ratio": ("breaks_from",)}


def load_run_params(
    file: Path, overrides: dict[str, str], data: Path | None, folder: Path
) -> dict[str, Parameters]:
    """Parameters of a run: the file, then ``-p`` overrides, then the data folder and its catalog as
    seen from the run's folder.

    Parameters
    ----------
    file : Path
        Parameter file.
    overrides : dict
        ``key`` or ``chapter.key`` → value as YAML text.
    data : Path, optional
        Data folder given on the command line.
    folder : Path
        The run's folder; paths inside the run count from there.

    Returns
    -------
    dict
        Chapter name → parameters.

    Raises
    ------
    InputError
        For an unknown key, a bad value, a data folder without a catalog, or a local file that does
        not exist.
    """
    sections = to_sections(read_params(file))
    for key, text in overrides.items():
        section, name = _section_of(key)
        sections[section][name] = _value(key, text)
    shared = sections["shared"]
    if data is not None or shared["data"]:
        where = Path(data) if data is not None else file.parent / shared["data"]
        inside, beside = where / "catalog.yml", file.with_name(f"{file.stem}.catalog.yml")
        catalog = (
            file.parent / shared["catalog"]
            if shared["catalog"]
            else (inside if inside.is_file() or not beside.is_file() else beside)
        )
        load_catalog(where, catalog)
        shared |= {"data": _relative(where, folder), "catalog": _relative(catalog, folder)}
    given = {_section_of(key) for key in overrides}
    for chapter, names in LOCAL_FILES.items():
        for name in names:
            # A path from the command line counts from here, one in a file from that file.
            text = sections[chapter][name]
            if names_a_file(name, str(text)):
                sections[chapter][name] = _local_file(
                    name, (Path() if (chapter, name) in given else file.parent) / str(text), folder
                )
    return resolve(sections, "parameters")


def _value(key: str, text: str):
    """The value of an override."""
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that does not exist
        reason = getattr(error, "problem", None) or error
        fix = "Put texts with special signs into quotation marks"
        raise InputError(
            "the value is not readable YAML", where=f"-p {key}", found=f"{text} ({reason})", fix=fix
        ) from None


def names_a_file(name: str, text: str) -> bool:
    """Whether a parameter of `LOCAL_FILES` names a file, and not nothing or weights by
    torchvision's name.
    """
    from lsa_helpers.detect.weights import is_weights_name

    return bool(text) and not (name == "weights" and is_weights_name(text))


def _local_file(name: str, path: Path, folder: Path) -> str:
    """The file a parameter names, as seen from the run's folder."""
    if not path.is_file():
        raise InputError(
            f"the file of the parameter {name} does not exist",
            where=path,
            fix="Correct the path or leave it out",
        )
    return _relative(path, folder)


def _relative(path: Path, folder: Path) -> str:
    """A path as seen from the run's folder, where the notebooks run."""
    return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()


def _section_of(key: str) -> tuple[str, str]:
    """Section and name of an override: ``n_classes`` or ``06.n_classes``."""
    if "." in key:
        chapter, name = key.split(".", 1)
        return chapter_name(chapter), name
    if key in Parameters.model_fields:
        return "shared", key
    owners = [chapter for chapter, model in CHAPTERS.items() if key in model.model_fields]
    if len(owners) == 1:
        return owners[0], key
    if owners:
        raise InputError(
            f'parameter "{key}" is in several chapters',
            where="-p",
            found=owners,
            fix=f"Write {owners[0][:2]}.{key}",
        )
    names = {name for model in CHAPTERS.values() for name in model.model_fields}
    raise InputError(f'unknown parameter "{key}"', where="-p", fix=did_you_mean(key, sorted(names)))


def catalog_of(params: Parameters, folder: Path) -> Catalog:
    """The catalog of a data folder whose paths count from the run's folder, which need not exist
    yet.
    """
    return load_catalog(_seen_from(folder, params.data), _seen_from(folder, params.catalog))


def _seen_from(folder: Path, text: str) -> Path:
    """The file that a path of `_relative` means; the run's folder need not exist."""
    return Path(os.path.normpath(folder.resolve() / text))


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
    return missing


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

        read_breaks(_seen_from(folder, classed.breaks_from), classed.n_classes)
    _check_models(params, chapters)
    catalog = catalog_of(data, folder) if data.data else None
    if catalog is None or catalog.dem is not None:
        _check_factors(params, catalog, chapters)
    if catalog is None:
        return
    need_dem = any(name > "03_inventory" for name in chapters) or bool(catalog.on_grid)
    check_catalog(catalog, need_dem=need_dem, cell_size=data.cell_size_m, crs=data.crs)
    _check_images(catalog, params["02_detector"], chapters)
    _check_landslides(catalog, params, chapters)


def _check_models(params: dict[str, Parameters], chapters: list[str]) -> None:
    """See that chapter 05 will make the maps that chapters 06 and 07 set beside each other."""
    from lsa_helpers.classes import MODELS

    missing = [name for name in MODELS if name not in params["05_susceptibility"].models]
    where = "parameter models"
    if "05_susceptibility" not in chapters:
        return
    if missing and "07_shap" in chapters:
        raise InputError(
            f"there will be no map of {' and '.join(missing)}",
            where=f"{where}, needed by chapter 07",
            fix="Add them, or stop with --until 06 (chapter 08 takes any: --from 08 --until 08)",
        )
    if missing == list(MODELS) and "06_frequency_ratio" in chapters:
        raise InputError(
            f"there will be none of the maps of {', '.join(MODELS)}",
            where=f"{where}, needed by chapter 06",
            fix="Add one of them, or stop with --until 05",
        )


def _check_factors(
    params: dict[str, Parameters], catalog: Catalog | None, chapters: list[str]
) -> None:
    """See that every factor a parameter names will exist."""
    from lsa_helpers.factors.build import factors_to_make, known_factors

    made, models = factors_to_make(catalog, params["01_data"].factors), params["05_susceptibility"]
    if "05_susceptibility" in chapters:
        named = {
            "coding": (models.coding, known_factors(catalog)),
            "logistic_factors": (models.logistic_factors, made),
        }
        for parameter, (names, allowed) in named.items():
            if missing := [name for name in names if name not in allowed]:
                fix = did_you_mean(missing[0], allowed)
                raise InputError(
                    f'there will be no factor "{missing[0]}"',
                    where=f"parameter {parameter}",
                    fix=fix,
                )


def _check_images(catalog: Catalog, params: DetectorParams, chapters: list[str]) -> None:
    """Read the chips of a data folder, and open its scene, as the chapters that show them and learn
    from them will.
    """
    if not {"02_detector", "03_inventory"} & set(chapters):
        return
    from lsa_helpers.detect.chips import check_chips, need_training, split_chips, usable_chips
    from lsa_helpers.detect.images import Bands
    from lsa_helpers.detect.layouts import list_chips
    from lsa_helpers.detect.scene import open_scene

    bands = Bands(tuple(params.bands), params.reflectance_scale)
    if catalog.scene is not None:
        open_scene(catalog.path(catalog.scene), params.resolution_m, bands)
    if chips := list_chips(catalog):
        chips = usable_chips(chips, check_chips(chips, bands), skip_bad=params.skip_bad)
        if "02_detector" in chapters:
            need_training(split_chips(chips, params.seed))


def _check_landslides(catalog: Catalog, params: dict[str, Parameters], chapters: list[str]) -> None:
    """See that there will be landslides to learn from, of the kind that chapters after 03 want."""
    later = [name for name in chapters if name > "03_inventory"]
    if not later:
        return
    truth = (
        catalog.truth is not None and (catalog.path(catalog.truth) / "landslides.gpkg").is_file()
    )
    detected = catalog.scene is not None and catalog.images is not None
    there = {"reference": truth or catalog.inventory is not None, "detected": detected}
    if not any(there.values()):
        fix = "Add an `inventory`, or a `scene` and `images`, or stop with --until 03"
        raise InputError(
            "there are no landslides to learn from",
            where=catalog.folder,
            found=sorted(catalog.entries()),
            fix=fix,
        )
    wanted = {name: getattr(params[name], "inventory", "auto") for name in later}
    for name, which in wanted.items():
        if not there.get(which, True):
            other = "detected" if detected else "reference"
            fix = f'Set it to "auto" or "{other}", or add {_SOURCES[which]} to the catalog'
            raise InputError(
                f"there will be no {which} landslides",
                where=f"parameter {name[:2]}.inventory",
                fix=fix,
            )
    # Chapters 04 and 05 draw samples: where no other landslides are at hand, points must say where
    # there are none.
    sampled = [wanted[name] for name in later if isinstance(params[name], SampleParams)]
    if not truth and ("reference" in sampled or sampled and not detected):
        check_labels(catalog, cell_size=params["01_data"].cell_size_m, crs=params["01_data"].crs)
