"""Chips of collections whose landslides annotation tools have outlined: COCO, LabelMe, YOLO."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from lsa_helpers.detect.chips import Chip
from lsa_helpers.detect.drawn import labelme_shapes, yolo_outlines
from lsa_helpers.detect.folders import IMAGE_SUFFIXES
from lsa_helpers.detect.images import open_image, pixel_metres
from lsa_helpers.detect.split import name_parts, part_in
from lsa_helpers.errors import InputError, note
from lsa_helpers.sources.labels import is_landslide, tell_landslides


def placed(chip: Chip) -> Chip:
    """With type of number, and pixel size and place of a georeferenced chip."""
    try:
        with open_image(chip.image) as file:
            chip = replace(chip, dtype=file.dtypes[0])
            if file.driver == "JPEG" and file.tags().get("EXIF_Orientation", "1") != "1":
                what = "photographs are turned upright, as their EXIF orientation says"
                note(what, where=chip.image.parent, fix="Masks and outlines must lie on them so")
            if not file.crs:
                return chip
            footprint = (file.crs.to_string(), *file.bounds)
            metres = pixel_metres(file)
            metres = chip.resolution_m if np.isnan(metres) else metres
            return replace(chip, footprint=footprint, resolution_m=metres)
    except InputError:
        return chip  # a broken chip is reported when chips are judged, with all others


def missing(image: Path, named_in: Path) -> InputError | None:
    """The fault of a chip whose image is not there."""
    if image.is_file():
        return None
    return InputError("the image is missing", where=image, fix=f"It is named in {named_in}")


def _image_of(name: str, file: Path) -> Path:
    """The image that a file of annotations names, where tools and their users put it."""
    name, beside = Path(name.replace("\\", "/")), file.parent
    stem = file.stem.removeprefix("instances_")
    places = [beside / name, *(folder / name.name for folder in (beside, beside / "images"))]
    for folder in (beside.parent / "images", beside.parent, beside.parent / stem):
        places += [folder / name, folder / name.name]
    return next((place for place in places if place.is_file()), places[0])


def _are_landslides(labels: pd.Series, chosen: Sequence, where: Path) -> np.ndarray:
    """Which of the labels of all outlines, NaN without one, are landslides, and a note where it is
    not plain.
    """
    known = labels.dropna().unique()
    told = {is_landslide(label) for label in known}
    if not chosen and len(known) == 1 and told == {None}:
        what = f'all that is outlined has the {labels.name} "{known[0]}" and is taken for landslide'
        note(what, where=where, found=f"{len(labels)} outlines")
    if not chosen and told <= ({None, True} if len(known) <= 1 else {True}):
        return np.ones(len(labels), bool)
    return tell_landslides(labels, chosen, where) == 1


def read_coco(paths: Sequence[Path], chosen: Sequence) -> list[Chip]:
    """Chips of COCO files, or of all that lie in folders; their ids are kept apart."""
    files = [file for path in paths for file in _coco_files(path)]
    read = [_coco_content(file) for file in files]
    labels = pd.Series([label for *_, labels in read for label in labels], dtype=object)
    chosen = _coco_names(chosen, {item for _, _, names, _ in read for item in names.items()}, files)
    wanted = iter(_are_landslides(labels.rename("category"), chosen, files[0]))
    crowds = sum(bool(outline.get("iscrowd")) for _, notes, *_ in read for outline in notes)
    if crowds:
        what = "outlines with `iscrowd` are taken for one landslide each"
        note(what, where=files[0], found=crowds)
    chips = []
    for file, (images, notes, _, _) in zip(files, read, strict=True):
        outlines = {image["id"]: [] for image in images}
        for outline in notes:
            if next(wanted):
                outlines[outline["image_id"]].append(outline)
        parts = name_parts([image.get("split") or "" for image in images], file)
        for image, part in zip(images, parts, strict=True):
            path, scene = _image_of(image["file_name"], file), image["file_name"]
            chip = Chip(
                path,
                tuple(outlines[image["id"]]),
                scene=scene if len(files) == 1 else f"{file.parent.name}/{scene}",
                split=part or (part_in(file.stem) if len(files) > 1 else ""),
                fault=missing(path, file),
                drawn_on=image["size"],
            )
            chips.append(placed(chip))
    return chips


def _coco_names(chosen: Sequence, named: set[tuple], files: Sequence[Path]) -> list:
    """Chosen categories by name, where the number is given."""
    names = dict(named)
    if len(names) < len(named) and any(label in names for label in chosen):
        raise InputError(
            "the files give the same number to different categories",
            where=files[0].parent,
            found=sorted(f"{number} {name}" for number, name in named),
            fix="Write names in `landslide_labels`",
        )
    return [names.get(label, label if names else f"category {label}") for label in chosen]


def _size_of(image: dict) -> tuple[int, int] | None:
    """Height and width that a COCO file says of an image."""
    size = image.get("height"), image.get("width")
    return tuple(int(float(edge)) for edge in size) if all(size) else None


def _coco_files(path: Path) -> list[Path]:
    """The COCO files of a folder: ``coco.json``, or all in it and in its folders."""
    if path.suffix.lower() == ".json":
        return [path]
    if (path / "coco.json").is_file():
        return [path / "coco.json"]
    files = [file for file in sorted(path.rglob("*.json")) if '"annotations"' in _text(file)]
    if not files:
        there = [file.name for file in sorted(path.rglob("*"))[:8]]
        raise InputError(
            "this is no readable COCO file",
            where=path / "coco.json",
            found=f"no .json file with images and annotations, but {', '.join(there) or 'nothing'}",
            fix="Name it with `path` of the entry `images`",
        )
    return files


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8-sig", errors="replace")


def _coco_content(path: Path) -> tuple[list[dict], list[dict], dict, list]:
    """Images, annotations, names of categories by id, and the category of each annotation."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        images, notes = content["images"], content["annotations"]
        known = {image["id"] for image in images if image["file_name"].strip()}
        images = [image | {"size": _size_of(image)} for image in images]
        names = {item["id"]: str(item["name"]) for item in content.get("categories") or []}
        labels = [
            names.get(note["category_id"], f"category {note['category_id']}")
            if note.get("category_id") is not None
            else np.nan
            for note in notes
        ]
        lost = [note["image_id"] for note in notes if note["image_id"] not in known]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        found = f"no key {error}" if isinstance(error, KeyError) else repr(error)
        raise InputError("this is no readable COCO file", where=path, found=found) from None
    if lost or len(known) < len(images):
        what = "annotations of images that it does not list" if lost else "an image id twice"
        raise InputError(f"the COCO file has {what}", where=path, found=sorted(map(str, lost))[:5])
    return images, notes, names, labels


def read_labelme(paths: Sequence[Path], chosen: Sequence) -> list[Chip]:
    """Chips of LabelMe files in folders."""
    chips, labels = [], []
    files = [
        (path, file) for path in paths if path.is_dir() for file in sorted(path.rglob("*.json"))
    ]
    files += [(path.parent, path) for path in paths if path.is_file()]
    for folder, path in (pair for pair in files if not pair[1].name.startswith(".")):
        image = path
        try:
            content, shapes = labelme_shapes(path)
            labels += [shape.get("label", np.nan) for shape in shapes]
            image = _image_of(content["imagePath"], path)
            fault = missing(image, path)
        except (KeyError, TypeError, AttributeError) as error:
            fault = InputError("this is no readable LabelMe file", where=path, found=repr(error))
        except InputError as error:
            fault = error
        area = "" if path.parent == folder or part_in(path.parent.name) else path.parent.name
        scene = str(path.relative_to(folder if len(paths) == 1 else folder.parent))
        chips.append(Chip(image, path, area=area, scene=scene, fault=fault))
    labels = pd.Series(labels, name="label", dtype=object)
    wanted = _are_landslides(labels, chosen, paths[0])
    coded = None if wanted.all() else tuple(sorted(set(labels[wanted].astype(str))))
    return [placed(replace(chip, coded=coded)) for chip in chips]


def read_yolo(paths: Sequence[Path], chosen: Sequence) -> list[Chip]:
    """Chips of YOLO folders, outlined for segmentation; an image without a file of outlines has no
    landslide.
    """
    chips, classes, names = [], [], {}
    for folder in (path if path.is_dir() else path.parent for path in paths):
        names |= _yolo_names(folder)
        for image in sorted(folder.rglob("*")):
            if image.suffix.lower() not in IMAGE_SUFFIXES or image.name.startswith("."):
                continue
            text = _yolo_text(image, folder)
            classes += [name for name, _ in yolo_outlines(text)] if text else []
            scene = str(image.relative_to(folder if len(paths) == 1 else folder.parent))
            chips.append(Chip(image, text or (), scene=scene))
    bare = sum(not chip.truth for chip in chips)
    if bare == len(chips):
        return []
    if bare:
        what = "images without a file of outlines are taken for ground without landslide"
        note(what, where=paths[0], found=f"{bare} of {len(chips)}")
    labels = pd.Series([names.get(i, f"class {i}") for i in classes], name="class", dtype=object)
    chosen = [names.get(str(i), i if names else f"class {i}") for i in chosen]
    wanted = _are_landslides(labels, chosen, paths[0])
    coded = tuple(sorted(set(np.array(classes, object)[wanted])))
    return [placed(replace(chip, coded=coded)) for chip in chips]


def _yolo_text(image: Path, folder: Path) -> Path | None:
    """The file of outlines of an image: in ``labels`` where it lies in ``images``, or beside it."""
    inside = image.relative_to(folder).with_suffix(".txt").as_posix()
    turned = re.sub(r"(^|/)images(?=/)(?!.*/images/)", r"\1labels", inside)
    places = [folder / turned, folder / "labels" / image.with_suffix(".txt").name, folder / inside]
    return next((place for place in places if place.is_file()), None)


def _yolo_names(folder: Path) -> dict[str, str]:
    """Names of the classes by their number, from ``data.yaml`` or ``classes.txt``."""
    names = []
    for file in sorted(folder.glob("*.y*ml")):
        content = yaml.safe_load(_text(file))
        names = content.get("names") or names if isinstance(content, dict) else names
    if (folder / "classes.txt").is_file() and not names:
        names = [
            line.strip() for line in _text(folder / "classes.txt").splitlines() if line.strip()
        ]
    return {
        str(i): str(name)
        for i, name in (names if isinstance(names, dict) else dict(enumerate(names))).items()
    }
