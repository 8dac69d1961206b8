"""Parameter files as they are written: found by name, read, and the set that each one extends."""

from pathlib import Path
from typing import Any

import yaml

from lsa_helpers.errors import InputError, did_you_mean
from lsa_helpers.runner.cells import notebooks_dir
from lsa_helpers.runner.params import CHAPTERS, Parameters, owners


def find_params(name_or_file: str) -> Path:
    """A parameter file by its path, or by the name of one that comes with the book.

    Raises
    ------
    InputError
        When there is no such file.
    """
    return _find(name_or_file, Path(name_or_file), None)


def _find(text: str, file: Path, where: Path | None) -> Path:
    """A file, or a set of the book of that name; `where` is the file that names it."""
    known = notebooks_dir() / "params"
    for path in (file, known / f"{text}.yml"):
        if path.is_file():
            return path
    names = sorted(file.stem for file in known.glob("*.yml") if not file.stem.endswith(".catalog"))
    raise InputError(
        "there is no such parameter file",
        where=text if where is None else f"{where}, extends: {text}",
        fix=did_you_mean(text, names),
    )


def read_chain(path: Path) -> list[tuple[Path, dict]]:
    """A parameter file, the one it extends, the one that this extends, and so on.

    Parameters
    ----------
    path : Path
        YAML with a section ``shared`` and one per chapter; ``extends`` names another set of the
        book, or a file by its path from this one.

    Returns
    -------
    list of (Path, dict)
        Each file and its own sections without ``extends``, the given file first.

    Raises
    ------
    InputError
        When a file is missing, is no YAML mapping of sections, or files extend each other in a
        circle.
    """
    chain, file = [], Path(path)
    while file is not None:
        before = [earlier.resolve() for earlier, _ in chain]
        if file.resolve() in before:
            circle = [*(earlier.name for earlier, _ in chain), file.name]
            raise InputError(
                "parameter files extend each other in a circle",
                where=path,
                found=" → ".join(circle),
                fix="Take one of the lines `extends` out",
            )
        sections = _read(file)
        parent = sections.pop("extends", None)
        chain.append((file, sections))
        file = None if parent is None else _find(parent, file.parent / parent, file)
    return chain


def _read(path: Path) -> dict[str, Any]:
    """The sections of one file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        found = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise InputError("the parameter file cannot be read", where=path, found=found) from None
    content = parse_yaml(text, str(path)) or {}
    if not isinstance(content, dict):
        fix = f"Sections: shared, {', '.join(CHAPTERS)}"
        raise InputError("a parameter file is a mapping of sections", where=path, fix=fix)
    parent = content.get("extends")
    if not (parent is None or isinstance(parent, str) and parent):
        fix = "Write one name or path: extends: quick"
        raise InputError("`extends` names one other set", where=path, found=parent, fix=fix)
    for key, section in content.items():
        if key != "extends" and not isinstance(section, dict | None):
            raise InputError(
                "a parameter file is a mapping of sections",
                where=path,
                found=f"{key}: {section}",
                fix=_instead_of(str(key)),
            )
    return content


def _instead_of(key: str) -> str:
    """What may be meant by a key that stands where a section should, and holds no section."""
    if key in ("shared", *CHAPTERS):
        return "Under a section stand its parameters, each as KEY: VALUE"
    if there := ["shared"] if key in Parameters.model_fields else owners(key):
        return f"It belongs under {' or '.join(there)}"
    return did_you_mean(key, ["extends", "shared", *CHAPTERS])


def parse_yaml(text: str, where: str) -> Any:
    """YAML as Python's own values.

    Raises
    ------
    InputError
        When it is none.
    """
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that does not exist
        raise InputError(
            "this is not readable YAML",
            where=where,
            found=" ".join(str(error).split()),
            fix="Put texts with special signs into quotation marks",
        ) from None


def merge(parent: dict[str, Any], child: dict[str, Any]) -> dict[str, Any]:
    """Two mappings as one: what both hold is merged where it is a mapping and else the child's; a
    list is one value. An empty section of the child takes nothing away.

    Examples
    --------
    >>> merge({"a": {"x": 1, "y": [1, 2]}}, {"a": {"y": [3]}, "b": None})
    {'a': {'x': 1, 'y': [3]}, 'b': None}
    """
    merged = dict(parent)
    for key, value in child.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict | None):
            merged[key] = merge(below, value or {})
        else:
            merged[key] = value
    return merged
