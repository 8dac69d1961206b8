"""Write a first ``catalog.yml`` for a folder that has none, every line with its reason."""

import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
import shapely
import yaml
from rasterio.warp import transform as move
from scipy.ndimage import uniform_filter

from lsa_helpers.errors import InputError
from lsa_helpers.runner.guess import Guess, guess
from lsa_helpers.runner.look import Found, look_into

_HEAD = """# Guessed from the names and values of the files. Read every line, correct it, then:
# lsa data check FOLDER
"""
_PICTURES = {".tif", ".tiff", ".png", ".jpg", ".jpeg"}
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
    entries += [_with_crs(item, chosen) for item in _told_apart(chosen)]
    if not entries:
        raise InputError(
            "nothing in the folder could be understood",
            where=folder,
            found=[*questions, *unread][:8] or "no files",
            fix="Write a catalog.yml by hand; the book's page on your own data shows how",
        )
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
    guesses = [(item, group) for group in found for item in guess(group)]
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


def _alike(first: tuple[Guess, Found], second: tuple[Guess, Found]) -> bool:
    """Whether two groups of files are parts of one thing: named alike and of one kind."""
    (one, a), (two, b) = first, second
    same = (a.kind, a.geometry, len(a.bands), {*a.columns}, Path(a.path).parent)
    return one.points == two.points and same == (
        *(b.kind, b.geometry, len(b.bands), {*b.columns}),
        Path(b.path).parent,
    )


def _with_crs(item: Guess, chosen: list[tuple[Guess, Found]]) -> Guess:
    """A table whose coordinates are no degrees, in the CRS of the rasters."""
    if "x" not in item.keys or "crs" in item.keys:
        return item
    crs = next((group.crs for _, group in chosen if group.bands and group.crs), "")
    question = "its coordinates are no degrees; are they in the CRS of the raster?"
    return item._replace(keys=item.keys | {"crs": crs or "EPSG:?"}, question=question)


def _told_apart(chosen: list[tuple[Guess, Found]]) -> list[Guess]:
    """The guesses, with lines whose names say nothing told apart by where they lie: rivers lowest,
    faults straightest.
    """
    dem = next((group for item, group in chosen if item.role == "dem"), None)
    entries = [item for item, _ in chosen]
    unnamed = [pair for pair in chosen if pair[1].geometry == "line" and pair[0].points == 1]
    if not unnamed:
        return entries
    kept = [item for item in entries if item not in [pair[0] for pair in unnamed]]
    free = [role for role in ("rivers", "faults", "roads") if role not in {i.role for i in kept}]
    facts = [(*_lie(group, dem), item) for item, group in unnamed]
    for role in free:
        if not facts:
            break
        by = {"rivers": lambda fact: fact[0], "faults": lambda fact: -fact[1]}.get(role)
        best = min(facts, key=by) if by else facts[0]
        facts.remove(best)
        reason = f"lines {best[0]:+.0f} m against the land around, {best[1]:.2f} straight"
        question = f"are these {role}? Their name does not say it"
        kept.append(best[2]._replace(role=role, reason=reason, question=question))
    return kept


def _lie(lines: Found, dem: Found | None) -> tuple[float, float]:
    """Mean height of lines above the land around them, m, and how straight they are (chord over
    length).
    """
    shapes = gpd.read_file(lines.files[0], layer=lines.layer or None).geometry.explode()
    chords = [
        shapely.distance(shapely.Point(line.coords[0]), shapely.Point(line.coords[-1]))
        for line in shapes
    ]
    length = shapely.length(shapes.to_numpy()).sum()
    straight = float(np.sum(chords) / max(length, 1e-12))
    if dem is None or shapes.crs is None:
        return 0.0, straight
    with rasterio.open(dem.files[0]) as source:
        height = source.read(1, masked=True).astype(float).filled(np.nan)
        places = shapely.get_coordinates(shapes.to_numpy())
        x, y = move(shapes.crs, source.crs, *places.T)
        rows, columns = rasterio.transform.rowcol(source.transform, x, y)
    above = height - uniform_filter(np.nan_to_num(height, nan=np.nanmean(height)), 41)
    rows, columns = np.asarray(rows), np.asarray(columns)
    inside = (rows >= 0) & (columns >= 0) & (rows < height.shape[0]) & (columns < height.shape[1])
    return float(
        np.nanmean(above[rows[inside], columns[inside]])
    ) if inside.any() else 0.0, straight


def _text(name: str, entries: list[Guess], questions: list[str]) -> str:
    """The catalog as YAML with comments."""
    lines = [_HEAD, f"name: {name}"]
    sections = {"factors": [], "extra": []}
    for item in sorted(entries, key=lambda item: item.role):
        group, _, own = item.role.partition(".")
        if own:
            sections[group].append((own, item))
        else:
            lines += _entry_lines(group, item, "")
    for group, items in sections.items():
        lines += [f"{group}:"] if items else []
        for own, item in items:
            lines += _entry_lines(own, item, "  ")
    if questions:
        lines += ["", "# Left out:", *(f"# - {question}" for question in questions)]
    return "\n".join(lines) + "\n"


def _entry_lines(name: str, item: Guess, indent: str) -> list[str]:
    """One entry: its keys on a line, its reason and question as a comment above."""
    keys = yaml.safe_dump(
        item.keys, default_flow_style=True, allow_unicode=True, sort_keys=False, width=10_000
    ).strip()
    comment = f"{indent}# {re.sub(r'\s+', ' ', item.reason)}"
    question = [f"{indent}# ? {item.question}"] if item.question else []
    return [comment, *question, f"{indent}{name}: {keys}"]
