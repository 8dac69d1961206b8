"""Chips of collections whose landslides annotation tools have outlined: COCO, LabelMe, YOLO."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
import yaml

from lsa_helpers.detect.chips import Chip
from lsa_helpers.detect.folders import IMAGE_SUFFIXES
from lsa_helpers.detect.images import open_image, pixel_metres
from lsa_helpers.detect.split import name_parts, part_in
from lsa_helpers.errors import InputError, note
from lsa_helpers.sources.labels import is_landslide, tell_landslides


@dataclass
class _Drawn:
    """A chip, still without truth, and all that is outlined on it with its label, NaN without."""

    chip: Chip
    outlines: list = field(default_factory=list)
    labels: list = field(default_factory=list)


def placed(chip: Chip) -> Chip:
    """With type of number, and pixel size and place of a georeferenced chip."""
    try:
        with open_image(chip.image) as file:
            chip = replace(chip, dtype=file.dtypes[0])
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


def _finished(
    collection: Sequence[_Drawn], chosen: Sequence, column: str, where: Path
) -> list[Chip]:
    """Chips with those outlines that are landslides, decided for all of them together; `column` is
    what the tool calls a label.
    """
    labels = [label for drawn in collection for label in drawn.labels]
    wanted = iter(_are_landslides(pd.Series(labels, name=column, dtype=object), chosen, where))
    chips = []
    for drawn in collection:
        truth = tuple(outline for outline in drawn.outlines if next(wanted))
        chips.append(placed(replace(drawn.chip, truth=truth)))
    return chips


def _are_landslides(labels: pd.Series, chosen: Sequence, where: Path) -> np.ndarray:
    """Which of the labels of all outlines are landslides, and a note where it is not plain."""
    known = labels.dropna().unique()
    told = {is_landslide(label) for label in known}
    if not chosen and len(known) == 1 and told == {None}:
        what = f'all that is outlined has the {labels.name} "{known[0]}" and is taken for landslide'
        note(what, where=where, found=f"{len(labels)} outlines")
    if not chosen and told <= ({None, True} if len(known) <= 1 else {True}):
        return np.ones(len(labels), bool)
    return tell_landslides(labels, chosen, where) == 1


def _text(file: Path) -> str:
    """The text of a file, with or without a mark of its byte order."""
    return file.read_text(encoding="utf-8-sig", errors="replace")


def read_coco(paths: Sequence[Path], chosen: Sequence) -> list[Chip]:
    """Chips of COCO files, or of all that lie in folders; their ids are kept apart."""
    files = [file for path in paths for file in _coco_files(path)]
    collection, named, crowds = [], set(), 0
    for file in files:
        images, outlines, names = _coco_content(file)
        named |= set(names.items())
        parts = name_parts([image.get("split") or "" for image in images], file)
        of_image = {}
        for image, part in zip(images, parts, strict=True):
            path, scene = _image_of(image["file_name"], file), image["file_name"]
            if len(files) > 1:
                scene, part = f"{file.parent.name}/{scene}", part or part_in(file.stem)
            how = {"fault": missing(path, file), "drawn_on": image["size"]}
            of_image[image["id"]] = _Drawn(Chip(path, (), scene=scene, split=part, **how))
        for outline in outlines:
            number, drawn = outline.get("category_id"), of_image[outline["image_id"]]
            label = names.get(number, f"category {number}")
            drawn.labels.append(np.nan if number is None else label)
            drawn.outlines.append(outline)
            crowds += bool(outline.get("iscrowd"))
        collection += of_image.values()
    if crowds:
        what = "outlines with `iscrowd` are taken for one landslide each"
        note(what, where=files[0], found=crowds)
    return _finished(collection, _coco_names(chosen, named, files), "category", files[0])


def _coco_names(chosen: Sequence, named: set[tuple], files: Sequence[Path]) -> list:
    """Chosen categories by name, where the number is given."""
    names = dict(named)
    if len(names) < len(named) and any(label in names for label in chosen):
        what = "the files give the same number to different categories"
        found = sorted(f"{number} {name}" for number, name in named)
        fix = "Write names in `landslide_labels`"
        raise InputError(what, where=files[0].parent, found=found, fix=fix)
    return [names.get(label, label if names else f"category {label}") for label in chosen]


def _coco_files(path: Path) -> list[Path]:
    """The COCO files of a folder: ``coco.json``, or all in it and in its folders."""
    if path.suffix.lower() == ".json":
        return [path]
    if (path / "coco.json").is_file():
        return [path / "coco.json"]
    files = [file for file in sorted(path.rglob("*.json")) if '"annotations"' in _text(file)]
    if not files:
        there = ", ".join(file.name for file in sorted(path.rglob("*"))[:8]) or "nothing"
        what = "this is no readable COCO file"
        found = f"no .json file with images and annotations, but {there}"
        fix = "Name it with `path` of the entry `images`"
        raise InputError(what, where=path / "coco.json", found=found, fix=fix)
    return files


def _coco_content(path: Path) -> tuple[list[dict], list[dict], dict]:
    """Images with their size, annotations of them, and names of categories by id."""
    try:
        content = json.loads(_text(path))
        images, outlines = content["images"], content["annotations"]
        known = {image["id"] for image in images if image["file_name"].strip()}
        lost = {item["image_id"] for item in outlines} - known
        names = {item["id"]: str(item["name"]) for item in content.get("categories") or []}
        sizes = [(image.get("height"), image.get("width")) for image in images]
        sizes = [tuple(int(float(edge)) for edge in size) if all(size) else None for size in sizes]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        found = f"no key {error}" if isinstance(error, KeyError) else repr(error)
        raise InputError("this is no readable COCO file", where=path, found=found) from None
    if lost or len(known) < len(images):
        what = "annotations of images that it does not list" if lost else "an image id twice"
        raise InputError(f"the COCO file has {what}", where=path, found=sorted(map(str, lost))[:5])
    images = [image | {"size": size} for image, size in zip(images, sizes, strict=True)]
    return images, outlines, names


def read_labelme(paths: Sequence[Path], chosen: Sequence) -> list[Chip]:
    """Chips of LabelMe files in folders."""
    collection = []
    for path in paths:
        folder = path if path.is_dir() else path.parent
        for file in sorted(path.rglob("*.json")) if path.is_dir() else [path]:
            if file.name.startswith("."):
                continue
            area, here = file.parent.name, file.parent == folder
            area = "" if here or part_in(area) else area
            scene = str(file.relative_to(folder if len(paths) == 1 else folder.parent))
            collection.append(_labelme_file(file, Chip(file, (), area=area, scene=scene)))
    return _finished(collection, chosen, "label", paths[0])


def _labelme_file(file: Path, chip: Chip) -> _Drawn:
    """What is outlined in a LabelMe file; one that cannot be read gives a chip with its fault."""
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
        image = _image_of(content["imagePath"], file)
        shapes = [_shape(item) for item in content["shapes"]]
        labels = [item.get("label", np.nan) for item in content["shapes"]]
        size = content.get("imageHeight"), content.get("imageWidth")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        what = "this is no readable LabelMe file"
        return _Drawn(replace(chip, fault=InputError(what, where=file, found=repr(error))))
    chip = replace(chip, image=image, drawn_on=size if all(size) else None)
    return _Drawn(replace(chip, fault=missing(image, file)), shapes, labels)


def _shape(item: dict) -> shapely.Geometry:
    """A shape of LabelMe as polygon, or as its points where it is no area."""
    points = shapely.MultiPoint([tuple(map(float, point)) for point in item["points"]])
    kind, count = item.get("shape_type") or "polygon", len(points.geoms)
    if kind == "rectangle" and count >= 2:
        return shapely.MultiPoint(points.geoms[:2]).envelope
    return shapely.Polygon(points.geoms) if kind == "polygon" and count >= 3 else points


def read_yolo(paths: Sequence[Path], chosen: Sequence) -> list[Chip]:
    """Chips of YOLO folders, outlined for segmentation; an image without a file of outlines has no
    landslide.
    """
    collection, names, bare = [], {}, 0
    for folder in (path if path.is_dir() else path.parent for path in paths):
        names |= _yolo_names(folder)
        for image in sorted(folder.rglob("*")):
            if image.suffix.lower() not in IMAGE_SUFFIXES or image.name.startswith("."):
                continue
            scene = str(image.relative_to(folder if len(paths) == 1 else folder.parent))
            # Shares of width and height: as if drawn on an image of one pixel.
            drawn = _Drawn(Chip(image, (), scene=scene, drawn_on=(1, 1)))
            text = _yolo_text(image, folder)
            bare += text is None
            for number, outline in _yolo_outlines(text) if text else ():
                drawn.outlines.append(outline)
                drawn.labels.append(names.get(number, f"class {number}"))
            collection.append(drawn)
    if bare == len(collection):
        return []
    if bare:
        what = "images without a file of outlines are taken for ground without landslide"
        note(what, where=paths[0], found=f"{bare} of {len(collection)}")
    chosen = [names.get(str(i), i if names else f"class {i}") for i in chosen]
    return _finished(collection, chosen, "class", paths[0])


def _yolo_outlines(path: Path) -> list[tuple[str, shapely.Polygon]]:
    """Class and outline, in shares of the image's width and height, of each line of a YOLO file."""
    outlines = []
    for number, line in enumerate(_text(path).splitlines(), 1):
        name, *values = line.split() or [""]
        if not name:
            continue
        try:
            points = np.array(values, float).reshape(-1, 2)
        except ValueError:
            points = np.zeros((0, 2))
        if len(points) < 3 or points.min() < -0.01 or points.max() > 1.01:
            is_box = len(values) in (4, 5)
            what = "a box is no outline" if is_box else "this is no outline in shares of the image"
            found = f"{line:.60}"
            fix = "Export it for segmentation: class x y x y x y …, each from 0 to 1"
            raise InputError(what, where=f"{path}, line {number}", found=found, fix=fix)
        outlines.append((name.removesuffix(".0"), shapely.Polygon(points)))
    return outlines


def _yolo_text(image: Path, folder: Path) -> Path | None:
    """The file of outlines of an image: in ``labels`` where it lies in ``images``, or beside it."""
    inside = image.relative_to(folder).with_suffix(".txt").as_posix()
    turned = re.sub(r"(^|/)images(?=/)(?!.*/images/)", r"\1labels", inside)
    places = [folder / turned, folder / "labels" / Path(inside).name, folder / inside]
    return next((place for place in places if place.is_file()), None)


def _yolo_names(folder: Path) -> dict[str, str]:
    """Names of the classes by their number, from ``data.yaml`` or ``classes.txt``."""
    names = []
    for file in sorted(folder.glob("*.y*ml")):
        content = yaml.safe_load(_text(file))
        names = content.get("names") or names if isinstance(content, dict) else names
    if (folder / "classes.txt").is_file() and not names:
        names = _text(folder / "classes.txt").split("\n")
    pairs = names.items() if isinstance(names, dict) else enumerate(names)
    return {str(i): str(name).strip() for i, name in pairs if str(name).strip()}
