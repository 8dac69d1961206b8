"""What the user gives a run: parameters from a file and the command line, and the files they
name.
"""

import json
import os
from pathlib import Path
from typing import Any

import yaml

from lsa_helpers.errors import InputError, did_you_mean
from lsa_helpers.runner.params import CHAPTERS, Parameters, cell_of, chapter_name, notebooks_dir
from lsa_helpers.sources import Catalog, load_catalog

# Parameters that name a file: their paths are followed into the run's folder, and the files'
# contents belong to the stage's inputs.
LOCAL_FILES = {"02_detector": ("detector", "weights"), "06_frequency_ratio": ("breaks_from",)}


def find_params(name_or_file: str) -> Path:
    """A parameter file by its path, or by the name of one that comes with the book.

    Raises
    ------
    InputError
        When there is no such file.
    """
    known = notebooks_dir() / "params"
    for file in (Path(name_or_file), known / f"{name_or_file}.yml"):
        if file.is_file():
            return file
    names = sorted(file.stem for file in known.glob("*.yml") if not file.stem.endswith(".catalog"))
    raise InputError(
        "there is no such parameter file", where=name_or_file, fix=did_you_mean(name_or_file, names)
    )


def read_params(path: Path) -> dict[str, Parameters]:
    """Read and check a parameter file.

    Parameters
    ----------
    path : Path
        YAML with a section ``shared`` and one per chapter; all are optional.

    Returns
    -------
    dict
        Chapter name → its parameters, for every chapter.

    Raises
    ------
    InputError
        When the file is missing, is no YAML mapping, or has an unknown section or key or a bad
        value.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        found = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise InputError("the parameter file cannot be read", where=path, found=found) from None
    content = _parse(text, str(path)) or {}
    if not isinstance(content, dict) or not all(
        isinstance(section, dict | None) for section in content.values()
    ):
        fix = f"Sections: shared, {', '.join(CHAPTERS)}"
        raise InputError("a parameter file is a mapping of sections", where=path, fix=fix)
    return resolve(content, str(path))


def _parse(text: str, where: str) -> Any:
    """YAML as Python's own values."""
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that does not exist
        found = " ".join(str(error).split())
        fix = "Put texts with special signs into quotation marks"
        raise InputError("this is not readable YAML", where=where, found=found, fix=fix) from None


def resolve(sections: dict[str, dict | None], where: str) -> dict[str, Parameters]:
    """Check the sections of a parameter file and give each chapter its own parameters with the
    shared ones; what no section names is as in the chapter's parameters cell.

    Raises
    ------
    InputError
        For an unknown section, key or value, or chapters that contradict each other.
    """
    for name in sections:
        if name not in ("shared", *CHAPTERS):
            fix = did_you_mean(str(name), ["shared", *CHAPTERS])
            raise InputError(f'unknown section "{name}"', where=where, fix=fix)
    shared = sections.get("shared") or {}
    common = Parameters.model_fields
    first = {key: value for key, (value, _) in cell_of("01_data").items() if key in common}
    Parameters.check(first | shared, f"{where}, section shared")
    chapters = {}
    for name, model in CHAPTERS.items():
        own = sections.get(name) or {}
        if both := sorted(set(own) & set(common)):
            raise InputError(
                f'"{both[0]}" is one value for the whole run',
                where=f"{where}, section {name}",
                fix="Move it to the section shared",
            )
        cell = {key: value for key, (value, _) in cell_of(name).items()}
        chapters[name] = model.check(cell | shared | own, f"{where}, section {name}")
    return chapters


def to_sections(chapters: dict[str, Parameters]) -> dict[str, dict]:
    """Turn resolved chapters back into the sections of a parameter file."""
    common = set(Parameters.model_fields)
    sections = {"shared": chapters["01_data"].model_dump(include=common)}
    return sections | {
        name: chapter.model_dump(exclude=common) for name, chapter in chapters.items()
    }


def to_text(chapters: dict[str, Parameters]) -> str:
    """A parameter file with every key, its value and its meaning."""
    lines = []
    for section, values in to_sections(chapters).items():
        cell = cell_of("01_data" if section == "shared" else section)
        lines.append(f"{section}:")
        for key, value in values.items():
            # JSON is YAML, on one line.
            lines.append(f"  {key}: {json.dumps(value, ensure_ascii=False)}  # {cell[key][1]}")
    return "\n".join(lines) + "\n"


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
        The run's folder, from which paths count in the chapters.

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
    given = set()
    for key, text in overrides.items():
        section, name = _section_of(key)
        sections[section][name] = _parse(text, f"-p {key} {text}")
        given.add((section, name))
    shared = sections["shared"]
    if data is not None or shared["data"]:
        where = Path(data) if data is not None else file.parent / shared["data"]
        catalog = _find_catalog(file, where, shared["catalog"])
        load_catalog(where, catalog)
        shared |= {"data": _relative(where, folder), "catalog": _relative(catalog, folder)}
    for chapter, name in ((key, name) for key, names in LOCAL_FILES.items() for name in names):
        text = str(sections[chapter][name])
        if names_a_file(name, text):
            # A path from the command line counts from here, one in a file from that file.
            path = (Path() if (chapter, name) in given else file.parent) / text
            sections[chapter][name] = _local_file(name, path, folder)
    return resolve(sections, "parameters")


def _find_catalog(file: Path, data: Path, named: str) -> Path:
    """The catalog that a parameter file names, else the one in the data folder, else the one beside
    the parameter file.
    """
    inside, beside = data / "catalog.yml", file.with_name(f"{file.stem}.catalog.yml")
    if named:
        return file.parent / named
    return beside if beside.is_file() and not inside.is_file() else inside


def names_a_file(name: str, text: str) -> bool:
    """Whether a parameter of `LOCAL_FILES` names a file, and not nothing or weights by
    torchvision's name.
    """
    from lsa_helpers.detect.weights import is_weights_name

    return bool(text) and not (name == "weights" and is_weights_name(text))


def _local_file(name: str, path: Path, folder: Path) -> str:
    """The file a parameter names, as seen from the run's folder."""
    if not path.is_file():
        fix = "Correct the path or leave it out"
        raise InputError(f"the file of the parameter {name} does not exist", where=path, fix=fix)
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
        fix = f"Write {owners[0][:2]}.{key}"
        raise InputError(
            f'parameter "{key}" is in several chapters', where="-p", found=owners, fix=fix
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
