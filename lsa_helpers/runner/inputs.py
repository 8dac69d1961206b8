"""What the user gives a run: parameters from a file and the command line, and the files they
name.
"""

import json
import os
from pathlib import Path
from typing import Any

from lsa_helpers.errors import InputError, did_you_mean
from lsa_helpers.runner.cells import cell_of
from lsa_helpers.runner.extends import (
    find_params as find_params,
)  # found here too, beside read_params
from lsa_helpers.runner.extends import merge, parse_yaml, read_chain
from lsa_helpers.runner.params import CHAPTERS, Parameters, chapter_name, owners
from lsa_helpers.sources import Catalog, load_catalog

# Parameters that name a file: their paths are followed into the run's folder, and the files'
# contents belong to the stage's inputs.
LOCAL_FILES = {"02_detector": ("detector", "weights"), "06_frequency_ratio": ("breaks_from",)}


def read_params(path: Path) -> dict[str, Parameters]:
    """Read and check a parameter file and what it extends.

    Parameters
    ----------
    path : Path
        YAML with a section ``shared`` and one per chapter; all are optional. ``extends`` names
        another set, whose values count where this one has none.

    Returns
    -------
    dict
        Chapter name → its parameters, for every chapter.

    Raises
    ------
    InputError
        When a file is missing, is no YAML mapping, or has an unknown section or key or a bad
        value, or when files extend each other in a circle.
    """
    sections: dict[str, Any] = {}
    for file, own in reversed(read_chain(path)):
        resolve(own, str(file))  # a mistake is named in the file that holds it
        sections = merge(sections, _seen_from_child(own, file.parent, Path(path).parent))
    return resolve(sections, str(path))


def _seen_from_child(sections: dict, parent: Path, child: Path) -> dict[str, Any]:
    """Sections of a file in the folder `parent` with its paths as seen from the folder `child`."""
    if parent.resolve() == child.resolve():
        return sections
    turned = dict(sections)
    for chapter, names in {"shared": ("data", "catalog"), **LOCAL_FILES}.items():
        paths = {name: text for name, text in (turned.get(chapter) or {}).items() if name in names}
        paths = {
            name: _relative(parent / text, child)
            for name, text in paths.items()
            if names_a_file(name, text)
        }
        turned = merge(turned, {chapter: paths}) if paths else turned
    return turned


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
            fix = did_you_mean(str(name), ["extends", "shared", *CHAPTERS])
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
        chapter = "01_data" if section == "shared" else section
        lines += [f"{section}:", *(f"  {line}" for line in _lines(values, chapter))]
    return "\n".join(lines) + "\n"


def to_flat_text(params: Parameters, chapter: str) -> str:
    """One chapter's parameters as ``papermill -f`` takes them: no sections, every key, its value
    and its meaning.
    """
    return "\n".join(_lines(params.model_dump(), chapter)) + "\n"


def _lines(values: dict[str, Any], chapter: str) -> list[str]:
    """Each value with its meaning in the chapter's parameters cell."""
    cell = cell_of(chapter)
    # JSON is YAML, on one line.
    return [
        f"{key}: {json.dumps(value, ensure_ascii=False)}  # {cell[key][1]}"
        for key, value in values.items()
    ]


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
        ``key``, ``chapter.key`` or, for several chapters at once, ``04+05.key`` → value as YAML
        text.
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
    for keys, text in overrides.items():
        for section, name in map(section_of, every_key(keys)):
            sections[section][name] = parse_yaml(text, f"-p {keys} {text}")
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
    the parameter file, or beside the nearest one it extends.
    """
    inside = data / "catalog.yml"
    if named:
        return file.parent / named
    beside = [path.with_name(f"{path.stem}.catalog.yml") for path, _ in read_chain(file)]
    return next((path for path in beside if path.is_file() and not inside.is_file()), inside)


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


def every_key(keys: str) -> list[str]:
    """``04+05.positives`` as ``04.positives`` and ``05.positives``.

    Examples
    --------
    >>> every_key("04+05.positives"), every_key("n_classes")
    (['04.positives', '05.positives'], ['n_classes'])
    """
    chapters, dot, key = keys.rpartition(".")
    return [f"{chapter}{dot}{key}" for chapter in chapters.split("+")]


def section_of(key: str) -> tuple[str, str]:
    """Section and name of an override: ``n_classes`` or ``06.n_classes``.

    Raises
    ------
    InputError
        When no chapter has such a parameter, or several have.
    """
    if "." in key:
        chapter, name = key.split(".", 1)
        return chapter_name(chapter), name
    if key in Parameters.model_fields:
        return "shared", key
    chapters = owners(key)
    if len(chapters) == 1:
        return chapters[0], key
    if chapters:
        fix = f"Write {chapters[0][:2]}.{key}, or {'+'.join(name[:2] for name in chapters)}.{key}"
        raise InputError(
            f'parameter "{key}" is in several chapters', where="-p", found=chapters, fix=fix
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
