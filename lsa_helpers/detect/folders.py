"""Which folders and files of a collection are images and which are masks, by their names."""

import re
from collections import Counter
from pathlib import Path

from lsa_helpers.detect.images import HDF5

IMAGE_SUFFIXES = {".tif", ".tiff", ".png", ".jpg", ".jpeg", ".bmp", ".webp", ".jp2"} | HDF5
# What folders and files of masks, and of images, are called.
_MASK = re.compile(
    r"(?<![a-z])(masks?|labels?|lbl|segmentation_?class(?:png|raw)?|annotations?|annot|gts?|truths?"
    r"|ground_?truths?|targets?|seg)(?![a-z])"
)
_IMAGE = re.compile(
    r"(?<![a-z])(jpegimages|images?|imgs?|pictures?|photos?|tiles?|chips?|patches|rgb|sat)(?![a-z])"
)


def contents(folder: Path) -> str:
    """What lies in the folders of a folder: how many files of which ending."""
    files = [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else [folder]
    ends = Counter((path.parent, path.suffix or path.name) for path in files)
    shown = [
        f"{count} {end} in {path.relative_to(folder)}/" if path != folder else f"{count} {end}"
        for (path, end), count in sorted(ends.items())[:8]
        if path.is_relative_to(folder)
    ]
    return ", ".join(shown) or "nothing"


def group_files(folder: Path) -> list[tuple[Path, Path, dict[str, Path], dict[str, Path]]]:
    """Folders of images and of masks that belong together, because their paths differ only in the
    word for it, with the files of each by the image's name; or one folder that holds both.
    """
    held: dict[str, dict[Path, dict[str, Path]]] = {}
    for path in [folder, *sorted(path for path in folder.rglob("*") if path.is_dir())]:
        if files := _by_stem(path):
            key, is_mask = _role(path.relative_to(folder))
            held.setdefault(key, {}).setdefault(is_mask, (path, files))
    groups = []
    for pair in held.values():
        if len(pair) == 2:
            (images, files), (masks, truths) = pair[False], pair[True]
            groups.append((images, masks, files, _as_images(files, truths)))
            continue
        ((path, files),) = pair.values()
        truths = {stem: file for stem, file in files.items() if _MASK.search(_plain(stem))}
        if truths and len(truths) < len(files) and False in pair:
            files = {stem: file for stem, file in files.items() if stem not in truths}
            groups.append((path, path, files, _as_images(files, truths)))
        elif False in pair and path != folder and _IMAGE.search(_plain(path.name)):
            groups.append((path, path.parent / "masks", files, {}))
        elif True in pair:
            groups.append((path.parent / "images", path, {}, files))
    return sorted(groups)


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
