"""Which folders and files of a collection are images and which are masks, by their names."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from lsa_helpers.detect.images import HDF5
from lsa_helpers.errors import note

IMAGE_SUFFIXES = {".tif", ".tiff", ".png", ".jpg", ".jpeg", ".bmp", ".webp", ".jp2"} | HDF5
# What folders and files of masks, and of images, are called.
_MASK = re.compile(
    r"(?<![a-z])(masks?|labels?|lbl|segmentation_?class(?:png|raw)?|annotations?|annot|gts?|truths?"
    r"|ground_?truths?|targets?|seg)(?![a-z])"
)
_IMAGE = re.compile(
    r"(?<![a-z])(jpegimages|images?|imgs?|pictures?|photos?|tiles?|chips?|patches|rgb|sat)(?![a-z])"
)

_USUAL = ("mask", "masks", "image", "images", "img")


def image_files(paths: Sequence[Path]) -> list[Path]:
    """The files, and of folders the images in them."""
    files = []
    for path in map(Path, paths):
        inside = sorted(path.iterdir()) if path.is_dir() else []
        images = [file for file in inside if file.suffix.lower() in IMAGE_SUFFIXES]
        files += images if path.is_dir() else [path]
    return files or list(map(Path, paths))


def contents(folder: Path) -> str:
    """How many files of which ending lie in a folder and in its folders."""
    ends = Counter(path.suffix or path.name for path in folder.rglob("*") if path.is_file())
    return ", ".join(f"{count} {end}" for end, count in ends.most_common(8)) or "nothing"


def group_files(folder: Path) -> list[tuple[Path, Path, dict[str, Path], dict[str, Path]]]:
    """Folders of images and of masks that belong together, because their paths differ only in the
    word for it or one lies in the other, with the files of each by the image's name; or one folder
    that holds both.
    """
    held: dict[str, dict[bool, tuple[Path, dict[str, Path]]]] = {}
    for path in [folder, *sorted(path for path in folder.rglob("*") if path.is_dir())]:
        if files := _by_stem(path):
            key, is_mask = _role(path.relative_to(folder))
            pair = held.setdefault(key, {})
            pair[is_mask] = _plainest(is_mask, (path, files), pair.get(is_mask))
    alone = {
        path: files
        for pair in held.values()
        if set(pair) == {False}
        for path, files in pair.values()
    }
    groups = []
    for pair in held.values():
        if True in pair and (masks := pair[True])[0].parent in alone:
            pair.setdefault(False, (masks[0].parent, alone.pop(masks[0].parent)))
        if len(pair) == 2:
            (images, files), (masks, truths) = pair[False], pair[True]
            groups.append((images, masks, files, _as_images(files, truths)))
        elif True in pair:
            path, files = pair[True]
            groups.append((path.parent / "images", path, {}, files))
    for path, files in alone.items():
        own, truths = _apart(files)
        if truths or path != folder and _IMAGE.search(_plain(path.name)):
            groups.append((path, path if truths else path.parent / "masks", own, truths))
    return sorted(groups)


def _plainest(is_mask: bool, found: tuple, other: tuple | None) -> tuple:
    """Of two folders for the same half of a pair the one with the usual name (CAS has `label/`
    beside `mask/`), and a note where none or both have it.
    """
    candidates = sorted(filter(None, [other, found]), key=lambda c: _plain(c[0].name) not in _USUAL)
    kept, *rest = candidates
    if rest and len({_plain(path.name) in _USUAL for path, _ in candidates}) == 1:
        kind, left = "masks" if is_mask else "images", rest[0][0]
        what = f"{kept[0].name}/ is taken for the {kind}, {left.name}/ is not read"
        note(what, where=kept[0].parent, fix="Move one of them away, if that is wrong")
    return kept


def _apart(files: dict[str, Path]) -> tuple[dict[str, Path], dict[str, Path]]:
    """Images and masks of one folder, told by a word in the mask's name."""
    truths = {stem: file for stem, file in files.items() if _MASK.search(_plain(stem))}
    if not truths or len(truths) == len(files):
        return files, {}
    images = {stem: file for stem, file in files.items() if stem not in truths}
    return images, _as_images(images, truths)


def _plain(name: str) -> str:
    """A name in small letters, words apart."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).casefold()


def _role(path: Path) -> tuple[str, bool]:
    """The path with its last word for images or masks left out, and whether it means masks."""
    parts = list(map(_plain, path.parts))
    for i in reversed(range(len(parts))):
        for word, is_mask in ((_MASK, True), (_IMAGE, False)):
            if word.search(parts[i]):
                parts[i] = word.sub("@", parts[i], 1)
                return "/".join(parts), is_mask
    return "/".join(parts), False


def _as_images(images: dict[str, Path], masks: dict[str, Path]) -> dict[str, Path]:
    """Masks by the names of their images: the same, or but for words such as ``image`` or
    ``mask``.
    """
    if images.keys() & masks.keys():
        return masks
    bare = [{_bare(stem): stem for stem in stems} for stems in (images, masks)]
    if not bare[0].keys() & bare[1].keys() or len(bare[0]) < len(images):
        return masks
    return {bare[0].get(_bare(stem), stem): path for stem, path in masks.items()}


def _bare(stem: str) -> str:
    """A name without words for image and mask."""
    return re.sub(r"[\W_]+", "_", _IMAGE.sub("", _MASK.sub("", _plain(stem)))).strip("_")


def _by_stem(folder: Path) -> dict[str, Path]:
    """Image files of a folder by name without suffix, sorted."""
    return {
        path.stem: path
        for path in sorted(folder.glob("*"))
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")
    }
