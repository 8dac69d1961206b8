"""Folders of image chips: which files belong together, in each of the usual layouts."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from lsa_helpers.detect.annotations import (
    missing,
    placed,
    read_coco,
    read_labelme,
    read_yolo,
)
from lsa_helpers.detect.chips import Chip
from lsa_helpers.detect.coding import find_code
from lsa_helpers.detect.folders import IMAGE_SUFFIXES, contents, group_files, image_files
from lsa_helpers.detect.images import AS_RGB, Bands
from lsa_helpers.detect.scale import settle_scale
from lsa_helpers.detect.split import name_parts, parts_of_folders
from lsa_helpers.detect.tiling import cut_chips
from lsa_helpers.errors import InputError, doubt
from lsa_helpers.sources import Catalog

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
    "yolo": "the sub-folders `images` and `labels`, with a `.txt` of outlines for every image",
}


def list_chips(catalog: Catalog, bands: Bands = AS_RGB) -> list[Chip]:
    """The chips a catalog names, in whatever layout, with what their masks and their stored values
    mean; an empty list when it names no images.

    Parameters
    ----------
    catalog : Catalog
    bands : Bands
        What the network will see; where they leave the scale open it is found from these.

    Raises
    ------
    InputError
        As `find_chips`, and when the values of masks do not tell which is landslide.
    """
    chips = find_chips(catalog)
    masks = {chip.truth: None for chip in chips if isinstance(chip.truth, Path)}
    masks = [path for path in masks if path.is_file()]
    if masks:
        code = find_code(masks, catalog.images.landslide_values, masks[0].parent)
        chips = [replace(chip, coded=code) for chip in chips]
    return settle_scale(chips, bands)


def find_chips(catalog: Catalog) -> list[Chip]:
    """The chips a catalog names, as its files and folders tell; no pixel is read.

    Raises
    ------
    InputError
        As `read_collection` and `lsa_helpers.detect.tiling.cut_chips`, or when an image is named
        twice.
    """
    entry = catalog.images
    if entry is None:
        return []
    files = catalog.files(entry)
    _doubt_keys(catalog)
    if entry.format != "polygons":
        chips = read_collection(files, entry.format, entry.landslide_labels)
        chips = parts_of_folders(chips, catalog.folder)
    elif entry.polygons:
        outlines = catalog.files(entry.model_copy(update={"path": entry.polygons}))
        keys = {"platform", "layer", "label", "landslide_labels"}
        chips = cut_chips(
            image_files(files), outlines, entry.chip_px, **entry.model_dump(include=keys)
        )
    else:
        what = "the catalog does not say where the outlines of the images are"
        fix = "Add `polygons: FILE` to the entry `images`"
        raise InputError(what, where=catalog.folder, fix=fix)
    image, count = Counter((chip.image.resolve(), chip.window) for chip in chips).most_common(1)[0]
    if count > 1:
        what = "an image is named more than once, so it could train and test"
        found = f"{count} times"
        fix = "Correct `path` of the entry `images`, or the files of annotations"
        raise InputError(what, where=image[0], found=found, fix=fix)
    return chips


def _doubt_keys(catalog: Catalog) -> None:
    """Doubt a key that says nothing of the layout."""
    entry = catalog.images
    masked = entry.format in ("cas", "masks")
    if entry.landslide_labels if masked else entry.landslide_values:
        what = f"`landslide_{'labels' if masked else 'values'}` says nothing of this format"
        found = f"format {entry.format}"
        fix = f"It has `landslide_{'values' if masked else 'labels'}`"
        doubt(what, where=catalog.folder, found=found, fix=fix)


def read_collection(
    folder: Path | Sequence[Path], layout: str, landslide_labels: Sequence = ()
) -> list[Chip]:
    """List the chips of a collection without reading their pixels.

    Parameters
    ----------
    folder : Path or sequence of Path
        The collection, or several that are joined; for ``coco`` also files.
    layout : {"cas", "masks", "coco", "labelme", "yolo"}
        ``cas``: sub-folders "area（platform-1m）" with ``img/`` and ``mask/``, files of the same
        name. ``masks``: ``images/``, ``masks/``, files of the same name. In both the folders may
        also be called otherwise or lie in others (``train/image``, ``masks/train``), or images
        ``a`` and masks ``a_mask`` in one. An ``index.csv`` (id) says which chips belong to the
        collection ``masks``, and may in both have the columns ``split`` and ``scene``; without a
        scene, names that differ only in their last number are one.
        ``coco``: ``coco.json`` in the folder, or any COCO files there or given as `folder`; their
        images count from where they lie. ``labelme``: a LabelMe ``.json`` for every image, beside
        it. ``yolo``: ``images/`` and ``labels/`` with outlines, and ``data.yaml``.
    landslide_labels : sequence of str or int
        Categories, labels or classes that are landslides; empty: guessed by their names.

    Returns
    -------
    list of Chip
        In a stable order.

    Raises
    ------
    InputError
        When the folder does not hold the layout or is empty, or labels or names of splits are not
        known. Chips themselves are judged by `lsa_helpers.detect.chips.check_chips`.

    Notes
    -----
    Source of the ``cas`` layout: Xu et al. (2024), CAS Landslide Dataset,
    doi:10.1038/s41597-023-02847-z.
    """
    folders = [Path(folder)] if isinstance(folder, str | Path) else [Path(item) for item in folder]
    drawn = {"coco": read_coco, "labelme": read_labelme, "yolo": read_yolo}
    if layout not in _WANTS:
        what = f'"{layout}" is no layout of an image collection'
        fix = f"Use one of {', '.join(_WANTS)}"
        raise InputError(what, where=folders[0], fix=fix)
    if layout in drawn:
        chips = drawn[layout](folders, landslide_labels)
    else:
        chips = [
            chip if len(folders) == 1 else replace(chip, scene=f"{path.name}/{chip.scene}")
            for path in folders
            for chip in _read_pairs(path, layout)
        ]
    if not chips:
        what = f'no image chip was found in the layout "{layout}"'
        found = contents(folders[0])
        fix = f"It wants {_WANTS[layout]}"
        raise InputError(what, where=folders[0], found=found, fix=fix)
    return chips


def _read_pairs(folder: Path, layout: str) -> list[Chip]:
    """Chips of folders with images and masks of the same names; of a pair that is not whole either
    half is listed, so that the other is missed.
    """
    index, groups = _read_index(folder / "index.csv"), group_files(folder)
    is_listed = layout == "masks" and not index.empty
    pairs = {}
    for images, masks, files, truths in groups:
        home = images.parent if layout == "cas" else images
        own = "" if is_listed or len(groups) == 1 else f"{home.relative_to(folder)}/"
        for stem in sorted(files if layout == "cas" else {*files, *truths}):
            image, mask = images / f"{stem}.*", masks / f"{stem}.*"
            pairs[own + stem] = files.get(stem, image), truths.get(stem, mask)
    chips = []
    for key in index.index if is_listed else pairs:
        image, mask = pairs.get(key, (folder / f"images/{key}.*", folder / f"masks/{key}.*"))
        told = index.loc[image.stem] if image.stem in index.index else {}
        fault = missing(image, folder / "index.csv" if is_listed else mask.parent)
        # All before the last number, where nothing says otherwise.
        scene = told.get("scene") or (key if is_listed else re.sub(r"[\W_]*\d+$", "", key))
        chip = Chip(image, mask, scene=scene, split=told.get("split", ""), fault=fault)
        chips.append(placed(_of_area(chip) if layout == "cas" else chip))
    return chips


def _of_area(chip: Chip) -> Chip:
    """A chip with the area, platform and resolution that the folder above its own tells."""
    folder = chip.image.parent.parent.name
    name = _CAS_NAME.fullmatch(folder)
    if not name:
        return replace(chip, area=folder)
    metres = float(name["resolution"] or "nan")
    return replace(chip, area=name["area"], platform=name["platform"], resolution_m=metres)


def _read_index(path: Path) -> pd.DataFrame:
    """Columns split and scene, "" where not said, of the chips that an ``index.csv`` names."""
    if not path.is_file():
        return pd.DataFrame({"split": {}, "scene": {}})
    try:
        table = pd.read_csv(path, dtype=str, encoding="utf-8-sig").fillna("")
    except (OSError, ValueError) as error:
        what = "the index of the collection cannot be read"
        raise InputError(what, where=path, found=error) from None
    if "id" not in table:
        raise InputError('the index has no column "id"', where=path, found=list(table.columns))
    ends = "|".join(map(re.escape, IMAGE_SUFFIXES))
    table["id"] = table["id"].str.replace(f"({ends})$", "", regex=True, case=False)
    if (twice := table["id"].duplicated()).any():
        name = table["id"][twice].iloc[0]
        raise InputError("the index names an image twice", where=path, found=f'id "{name}"')
    table = table.set_index("id").reindex(columns=["split", "scene"], fill_value="")
    return table.assign(split=name_parts(table["split"], path))
