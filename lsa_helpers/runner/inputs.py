"""What the user gives a run: parameters from a file and the command line, and the files they
name.
"""

import os
from pathlib import Path

import yaml

from lsa_helpers.errors import InputError, did_you_mean
from lsa_helpers.runner.params import (
    CHAPTERS,
    Parameters,
    chapter_name,
    read_params,
    resolve,
    to_sections,
)
from lsa_helpers.sources import Catalog, load_catalog

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
    return load_catalog(seen_from(folder, params.data), seen_from(folder, params.catalog))


def seen_from(folder: Path, text: str) -> Path:
    """The file that a path of `_relative` means; the run's folder need not exist."""
    return Path(os.path.normpath(folder.resolve() / text))
