"""Write a first ``catalog.yml`` for a folder that has none, every line with its reason."""

from pathlib import Path

import yaml

from lsa_helpers.errors import InputError
from lsa_helpers.runner.guess import Guess, guess
from lsa_helpers.runner.look import Found, look_into

_HEAD = """# Guessed from the names and values of the files. Read every line, correct it, then:
# lsa data check FOLDER
"""
# Entries that may be several files, tiles or sheets of one another.
_JOINED = {"dem", "lulc", "ndvi", "lithology", "roads", "rivers", "faults", "rainfall"}


def write_catalog(folder: Path) -> str:
    """The text of a catalog for a folder: guessed entries, the reason of each as a comment, and
    what was not understood as questions.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    str
        YAML.

    Raises
    ------
    InputError
        When the folder does not exist or holds nothing that can be read.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError("the folder does not exist", where=folder)
    entries, known = _image_collections(folder)
    for effects in folder.rglob("effects.json"):
        if (effects.parent / "probability.tif").is_file():
            keys = {"path": effects.parent.relative_to(folder).as_posix()}
            entries.append(Guess("truth", keys, "the truth of a simulated mountain", 9))
            known.append(effects.parent)
    found, unread = look_into(folder, known)
    chosen, questions = _choose(found)
    entries += [_with_crs(item, chosen) for item, _ in chosen]
    if not entries:
        what = "nothing in the folder could be understood"
        fix = "Write a catalog.yml by hand; the book's page on your own data shows how"
        raise InputError(what, where=folder, found=[*questions, *unread][:8] or "no files", fix=fix)
    questions += [f"{path}: no reader opens it" for path in unread]
    return _text(folder.resolve().name, entries, questions)


def _image_collections(folder: Path) -> tuple[list[Guess], list[Path]]:
    """Folders of image chips with their landslides, and the first of them as an entry."""
    layouts = []
    below = [folder, *sorted(path for path in folder.rglob("*") if path.is_dir())]
    for place in below:
        names = {item.name for item in place.iterdir() if item.is_dir()}
        if {"images", "masks"} <= names:
            layouts.append((place, place, "masks", "folders `images` and `masks`"))
        elif {"img", "mask"} <= names:
            layouts.append((place.parent, place, "cas", "folders with `img` and `mask`"))
        elif file := next(place.glob("*coco*.json"), None):
            layouts.append((file, place, "coco", "a COCO file"))
    if not layouts:
        return [], []
    path, _, layout, reason = layouts[0]
    keys = {"path": path.relative_to(folder).as_posix(), "format": layout}
    inside = [place for _, place, _, _ in layouts]
    names = ("images", "masks", "img", "mask", "label")
    known = [place / name for place in inside for name in names]
    known += [file for place in {path, *inside} for file in place.glob("index.csv")]
    return [Guess("images", keys, reason, 9)], known


def _choose(found: list[Found]) -> tuple[list[tuple[Guess, Found]], list[str]]:
    """One group of files for every entry, the surest first; what is left over as questions."""
    guesses = [
        (item, group)
        for group in found
        for item in guess(group)
        if group.geometry != "line" or item.points > 1  # whose names say nothing
    ]
    guesses.sort(key=lambda pair: (-pair[0].points, pair[1].name))
    chosen, used, questions = {}, set(), []
    for item, group in guesses:
        bands = len(group.bands) > 1 and "band" in item.keys
        if group.name in used and not bands:
            continue
        first = chosen.get(item.role)
        if first is None:
            chosen[item.role] = (item, group)
            used.add(group.name)
        elif item.role in _JOINED and _alike(first, (item, group)):
            paths = first[0].keys["path"]
            paths = [*(paths if isinstance(paths, list) else [paths]), group.path]
            keys = first[0].keys | {"path": paths}
            chosen[item.role] = (first[0]._replace(keys=keys), first[1])
            used.add(group.name)
    for group in found:
        if group.name not in used:
            options = ", ".join(dict.fromkeys(item.role for item in guess(group)))
            about = f"{group.kind}, {group.geometry or 'bands: ' + str(len(group.bands))}"
            questions.append(f"{group.name} ({about}): what is it? It could be: {options or '?'}")
    return list(chosen.values()), questions


def _alike(*pairs: tuple[Guess, Found]) -> bool:
    """Whether two groups of files are parts of one thing: named alike and of one kind."""
    first, second = (
        (item.points, group.kind, group.geometry, len(group.bands), {*group.columns})
        + (Path(group.path).parent,)
        for item, group in pairs
    )
    return first == second


def _with_crs(item: Guess, chosen: list[tuple[Guess, Found]]) -> Guess:
    """A table whose coordinates are no degrees, in the CRS of the rasters."""
    if "x" not in item.keys or "crs" in item.keys:
        return item
    crs = next((group.crs for _, group in chosen if group.bands and group.crs), "")
    question = "its coordinates are no degrees; are they in the CRS of the raster?"
    return item._replace(keys=item.keys | {"crs": crs or "EPSG:?"}, question=question)


def _text(name: str, entries: list[Guess], questions: list[str]) -> str:
    """The catalog as YAML, the reason and question of each entry as comments above it."""
    lines = [_HEAD, f"name: {name}"]
    section = ""
    for item in sorted(entries, key=lambda item: ("." in item.role, item.role)):
        group, _, own = item.role.partition(".")
        if own and group != section:
            lines.append(f"{group}:")
            section = group
        how = {"default_flow_style": True, "allow_unicode": True, "sort_keys": False}
        keys = yaml.safe_dump(item.keys, width=10_000, **how).strip()
        entry = [f"# {' '.join(item.reason.split())}", f"{own or group}: {keys}"]
        entry[1:1] = [f"# ? {item.question}"] if item.question else []
        lines += [("  " if own else "") + line for line in entry]
    if questions:
        lines += ["", "# Left out:", *(f"# - {question}" for question in questions)]
    return "\n".join(lines) + "\n"
