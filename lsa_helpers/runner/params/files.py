"""Parameter files: where they are, what may stand in them, and what each chapter gets from one."""

from pathlib import Path

import yaml

import lsa_helpers
from lsa_helpers.errors import InputError, did_you_mean
from lsa_helpers.runner.params.base import Parameters
from lsa_helpers.runner.params.chapters import CHAPTERS


def notebooks_dir() -> Path:
    """Folder of the chapters: the repository's, or the copy inside the installed package."""
    package = Path(lsa_helpers.__file__).parent
    beside = package.parent / "notebooks"
    return beside if beside.is_dir() else package / "_notebooks"


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
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise InputError(
            "the parameter file cannot be read", where=path, found=error.strerror
        ) from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that does not exist
        raise InputError(
            "this is not readable YAML", where=path, found=" ".join(str(error).split())
        ) from None
    if not isinstance(content, dict) or not all(
        isinstance(section, dict | None) for section in content.values()
    ):
        raise InputError(
            "a parameter file is a mapping of sections",
            where=path,
            fix=f"Sections: shared, {', '.join(CHAPTERS)}",
        )
    return resolve(content, str(path))


def resolve(sections: dict[str, dict | None], where: str) -> dict[str, Parameters]:
    """Check the sections of a parameter file and give each chapter its own parameters with the
    shared ones.

    Raises
    ------
    InputError
        For an unknown section, key or value, or chapters that contradict each other.
    """
    for name in sections:
        if name != "shared" and name not in CHAPTERS:
            raise InputError(
                f'unknown section "{name}"',
                where=where,
                fix=did_you_mean(name, ["shared", *CHAPTERS]),
            )
    shared = sections.get("shared") or {}
    Parameters.check(shared, f"{where}, section shared")
    for name in CHAPTERS:
        if both := sorted(set(sections.get(name) or {}) & set(Parameters.model_fields)):
            raise InputError(
                f'"{both[0]}" is one value for the whole run',
                where=f"{where}, section {name}",
                fix="Move it to the section shared",
            )
    chapters = {
        name: model.check({**shared, **(sections.get(name) or {})}, f"{where}, section {name}")
        for name, model in CHAPTERS.items()
    }
    return chapters


def to_sections(chapters: dict[str, Parameters]) -> dict[str, dict]:
    """Turn resolved chapters back into the sections of a parameter file."""
    common = set(Parameters.model_fields)
    first = next(iter(chapters.values()))
    sections = {"shared": first.model_dump(include=common)}
    return sections | {
        name: chapter.model_dump(exclude=common) for name, chapter in chapters.items()
    }
