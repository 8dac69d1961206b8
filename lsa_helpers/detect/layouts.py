"""Folders of image chips: which files belong together, in each of the usual layouts."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd

from lsa_helpers.detect.chips import Chip
from lsa_helpers.detect.images import open_image
from lsa_helpers.detect.tiling import cut_chips
from lsa_helpers.errors import InputError
from lsa_helpers.sources import Catalog

IMAGE_SUFFIXES = {".tif", ".tiff", ".png", ".jpg", ".jpeg"}
# "Moxi town（UAV-1m）": area, platform and often the ground resolution; brackets may be full-width
# (CAS) or plain.
_CAS_NAME = re.compile(
    r"(?P<area>.+?)\s*[（(](?P<platform>.+?)(?:-(?P<resolution>\d+(?:\.\d+)?)\s*m)?[）)]"
)

_WANTS = {
    "cas": "sub-folders with `img` and `mask` in them",
    "masks": "the sub-folders `images` and `masks`",
    "coco": "a list of images in the file",
    "labelme": "a `.json` beside every image",
}


def list_chips(catalog: Catalog) -> list[Chip]:
    """The chips a catalog names, in whatever layout; an empty list when it names no images.

    Raises
    ------
    InputError
        As `read_collection` and `lsa_helpers.detect.tiling.cut_chips`.
    """
    entry = catalog.images
    if entry is None:
        return []
    if entry.format != "polygons":
        return read_collection(catalog.path(entry), entry.format)
    if not entry.polygons:
        raise InputError(
            "the catalog does not say where the outlines of the images are",
            where=catalog.folder,
            fix="Add `polygons: FILE` to the entry `images`",
        )
    outlines = catalog.path(entry.model_copy(update={"path": entry.polygons}))
    return cut_chips(catalog.files(entry), outlines, entry.chip_px, platform=entry.platform)


def read_collection(folder: Path, layout: str) -> list[Chip]:
    """List the chips of a collection without reading their pixels.

    Parameters
    ----------
    folder : Path
        The collection; for ``coco`` also a file.
    layout : {"cas", "masks", "coco", "labelme"}
        ``cas``: sub-folders "area（platform-1m）" with ``img/`` and ``mask/``, files of the same
        name. ``masks``: ``images/``, ``masks/``, files of the same name; an ``index.csv`` (id), if
        there is one, says which of them belong to the collection. In both an index may have the
        columns ``split`` and ``scene``; without a scene, names that differ only in their last
        number are one.
        ``coco``: ``coco.json`` in the folder, or any COCO file given as `folder`; its images count
        from where it lies. ``labelme``: a LabelMe ``.json`` for every image, beside it.

    Returns
    -------
    list of Chip
        In a stable order.

    Raises
    ------
    InputError
        When the folder does not hold the layout or is empty. Chips themselves are judged by
        `lsa_helpers.detect.chips.check_chips`.

    Notes
    -----
    Source of the ``cas`` layout: Xu et al. (2024), CAS Landslide Dataset,
    doi:10.1038/s41597-023-02847-z.
    """
    folder = Path(folder)
    readers = {"cas": _read_cas, "masks": _read_masks, "coco": _read_coco, "labelme": _read_labelme}
    if layout not in readers:
        raise InputError(
            f'"{layout}" is no layout of an image collection',
            where=folder,
            fix=f"Use one of {', '.join(readers)}",
        )
    chips = readers[layout](folder)
    if not chips:
        raise InputError(
            f'no image chip was found in the layout "{layout}"',
            where=folder,
            fix=f"It wants {_WANTS[layout]}",
        )
    return chips


def _read_cas(folder: Path) -> list[Chip]:
    index = _read_index(folder / "index.csv")
    chips = []
    for images in sorted(path for path in folder.rglob("img") if path.is_dir()):
        masks = _by_stem(images.parent / "mask")
        name = _CAS_NAME.fullmatch(images.parent.name)
        area, platform, resolution = (
            name.group("area", "platform", "resolution") if name else (images.parent.name, "", None)
        )
        own = f"{images.parent.relative_to(folder)}/"
        for stem, path in _by_stem(images).items():
            chip = Chip(
                path,
                masks.get(stem, images.parent / "mask" / path.name),
                area,
                platform,
                float(resolution or "nan"),
                index["scene"].get(stem) or own + _scene(stem),
                index["split"].get(stem, ""),
            )
            chips.append(_placed(chip))
    return chips


def _by_stem(folder: Path) -> dict[str, Path]:
    """Image files of a folder by name without suffix, sorted."""
    return {
        path.stem: path
        for path in sorted(folder.glob("*"))
        if path.suffix.lower() in IMAGE_SUFFIXES
    }


def _scene(stem: str) -> str:
    """Scene of a chip by its name: all before the last number."""
    return re.sub(r"[\W_]*\d+$", "", stem)


def _placed(chip: Chip) -> Chip:
    """With pixel size and place of a georeferenced chip; as it is where it has none."""
    try:
        with open_image(chip.image) as file:
            if not file.crs:
                return chip
            footprint = (file.crs.to_string(), *file.bounds)
            metres = abs(file.transform.a) if file.crs.is_projected else chip.resolution_m
            return replace(chip, footprint=footprint, resolution_m=metres)
    except InputError:
        return chip  # a broken chip is reported when chips are judged, with all others


def _read_index(path: Path) -> pd.DataFrame:
    """Columns split and scene ("" where not said) of the chips that an ``index.csv`` names, which
    are its rows; no rows without a file.
    """
    if not path.is_file():
        return pd.DataFrame({"split": {}, "scene": {}})
    try:
        table = pd.read_csv(path, dtype=str).fillna("")
    except (OSError, ValueError) as error:
        raise InputError(
            "the index of the collection cannot be read", where=path, found=error
        ) from None
    if "id" not in table:
        raise InputError('the index has no column "id"', where=path, found=list(table.columns))
    if (twice := table["id"].duplicated()).any():
        name = table["id"][twice].iloc[0]
        raise InputError("the index names an image twice", where=path, found=f'id "{name}"')
    return table.set_index("id").reindex(columns=["split", "scene"], fill_value="")


def _read_masks(folder: Path) -> list[Chip]:
    files = {name: _by_stem(folder / name) for name in ("images", "masks")}
    index = _read_index(folder / "index.csv")
    if index.empty:
        # Of a pair that is not whole either half is listed, so that the other is missed.
        keys = sorted({*files["images"], *files["masks"]})
        return [_pair(folder, files, key, _scene(key), "", "masks/") for key in keys]
    return [
        _pair(folder, files, row.Index, row.scene or row.Index, row.split, "index.csv")
        for row in index.itertuples()
    ]


def _pair(
    folder: Path, files: dict[str, dict[str, Path]], key: str, scene: str, split: str, named_in: str
) -> Chip:
    """The chip of one name in the folders ``images`` and ``masks``, of which either file may be
    missing.
    """
    image, mask = (files[name].get(key, folder / name / f"{key}.*") for name in ("images", "masks"))
    fault = _missing(image, folder / named_in)
    return _placed(Chip(image, mask, scene=scene, split=split, fault=fault))


def _missing(image: Path, named_in: Path) -> InputError | None:
    """The fault of a chip whose image is not there."""
    if image.is_file():
        return None
    return InputError("the image is missing", where=image, fix=f"It is named in {named_in}")


def _read_coco(folder: Path) -> list[Chip]:
    path = folder if folder.suffix.lower() == ".json" else folder / "coco.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        outlines = {image["id"]: [] for image in content["images"]}
        for annotation in content["annotations"]:
            outlines[annotation["image_id"]].append(annotation)
        chips = [
            Chip(
                path.parent / image["file_name"],
                tuple(outlines[image["id"]]),
                scene=image["file_name"],
                split=image.get("split", ""),
            )
            for image in content["images"]
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError("this is no readable COCO file", where=path, found=repr(error)) from None
    return [_placed(replace(chip, fault=_missing(chip.image, path))) for chip in chips]


def _read_labelme(folder: Path) -> list[Chip]:
    chips = []
    for path in sorted(folder.rglob("*.json")):
        try:
            named = json.loads(path.read_text(encoding="utf-8"))["imagePath"]
            image = path.parent / named.replace("\\", "/")
            fault = _missing(image, path)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            image = path
            fault = InputError("this is no readable LabelMe file", where=path, found=repr(error))
        area = "" if path.parent == folder else path.parent.name
        scene = str(path.relative_to(folder))
        chips.append(_placed(Chip(image, path, area=area, scene=scene, fault=fault)))
    return chips
