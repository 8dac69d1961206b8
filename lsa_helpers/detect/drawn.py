"""Outlines as annotation tools write them: shapes of LabelMe, lines of YOLO, rings of COCO."""

import json
from pathlib import Path

import numpy as np

from lsa_helpers.errors import InputError


def labelme_shapes(path: Path) -> tuple[dict, list[dict]]:
    """Content and shapes of a LabelMe file.

    Raises
    ------
    InputError
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
        shapes = [dict(item) for item in content["shapes"]]
        for item in shapes:
            item["points"] = [tuple(map(float, point)) for point in item["points"]]
        return content, shapes
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            "this is no readable LabelMe file", where=path, found=repr(error)
        ) from None


def yolo_outlines(path: Path) -> list[tuple[str, np.ndarray]]:
    """Class and outline, shares of the image's width and height (n, 2), of each line of a YOLO
    file.

    Raises
    ------
    InputError
        Where a line is none, or only a box.
    """
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
        if not line.strip():
            continue
        name, *values = line.split()
        try:
            points = np.array(values, float).reshape(-1, 2)
        except ValueError:
            points = np.zeros((0, 2))
        if len(points) < 3 or points.min() < -0.01 or points.max() > 1.01:
            box = len(values) in (4, 5)
            raise InputError(
                "a box is no outline" if box else "this is no outline in shares of the image",
                where=f"{path}, line {number}",
                found=f"{line:.60}",
                fix="Export it for segmentation: class x y x y x y …, each from 0 to 1",
            )
        found.append((name.removesuffix(".0"), points))
    return found


def is_outline(found) -> bool:
    """Whether the segmentation of a COCO annotation is one: lists of x and y, or run lengths with
    the size of the mask.
    """
    if isinstance(found, dict):
        return (
            isinstance(found.get("counts"), list | str | bytes)
            and len(found.get("size") or ()) == 2
        )
    if (
        not isinstance(found, list)
        or not found
        or not all(isinstance(ring, list) for ring in found)
    ):
        return False
    # Four numbers would be read as a box.
    return all(
        len(ring) >= 6
        and len(ring) % 2 == 0
        and all(isinstance(value, int | float) for value in ring)
        for ring in found
    )
