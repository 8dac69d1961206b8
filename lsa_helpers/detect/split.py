"""Training, validation and test chips: whole scenes, or strips of ground with a gap between."""

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from lsa_helpers.detect.chips import PARTS, Chip
from lsa_helpers.errors import InputError, doubt

_WORDS = {
    word: part
    for part, words in {
        "train": "train training trn trainval",
        "val": "val valid validation validate dev development",
        "test": "test testing tst holdout",
        "gap": "gap",
        "": "",
    }.items()
    for word in words.split() or [""]
}
_SCENES = 5  # that a collection needs to be split by scenes: of fewer each is too large a part
_RUNS = 10  # of neighbours in the list, where nothing else is known


def split_chips(chips: Sequence[Chip], seed: int) -> list[Chip]:
    """Give every chip a split: the collection's own, or about 8 : 1 : 1 in whole scenes.

    Parameters
    ----------
    chips : sequence of Chip
        Scenes whose chips meet on the ground count as one.
    seed : int

    Returns
    -------
    list of Chip
        In the order given, `split` filled and `scene` as it was split.

    Notes
    -----
    Scenes of the same area, platform and resolution are split together, so that each part has all
    of them. Where they are fewer than five, each ground is cut across its longer side: a strip at
    one end tests, one at the other validates, and chips less than a chip's edge from either are
    left out (`split` is "gap"). Where chips have no `footprint`, or strips and gaps would leave
    less than half of them for training, ten runs of neighbours in the list stand for scenes; such
    runs meet (see `split_table`).
    """
    if all(chip.split for chip in chips):
        return list(chips)
    if told := sum(bool(chip.split) for chip in chips):
        doubt(
            "only some of the chips have a split, so it is drawn anew for all",
            where=chips[0].image.parent,
            found=f"{told} of {len(chips)}",
            fix="Give a split to all of them, or to none",
        )
    rng = np.random.default_rng(seed)
    scene = np.array([chip.scene for chip in chips], object)
    ground = _connected(len(chips), _same(scene), _meeting(chips))
    scene = scene[np.unique(ground, return_index=True)[1]][ground]
    collection = _connected(len(chips), _same(scene), _same([chip.source for chip in chips]))
    split = np.empty(len(chips), object)
    for number in range(collection.max() + 1):
        rows = np.flatnonzero(collection == number)
        split[rows], scene[rows] = _split([chips[i] for i in rows], scene[rows], rng)
    return [
        replace(chip, split=part, scene=name)
        for chip, part, name in zip(chips, split, scene, strict=True)
    ]


def name_parts(values: Sequence[str], where: Path) -> list[str]:
    """The part that each of a collection's own names of splits means; "" stays.

    Raises
    ------
    InputError
        For names that are not known, all of them listed.

    Examples
    --------
    >>> name_parts(["Training", "valid", "", "test"], "index.csv")
    ['train', 'val', '', 'test']
    """
    names = [str(value).strip().casefold() for value in values]
    # Beside a validation part, "eval" is what is tested on.
    other = "test" if "val" in {_WORDS.get(name) for name in names} else "val"
    known = _WORDS | {"eval": other, "evaluation": other}
    if unknown := sorted({name for name in names if name not in known}):
        raise InputError(
            "the names of the splits are not known",
            where=where,
            found=", ".join(f'"{name}" ({names.count(name)})' for name in unknown),
            fix="Write train, val or test (or train, valid, dev, eval, testing, …)",
        )
    return [known[name] for name in names]


def part_in(name: str) -> str:
    """The part that the name of a folder or file tells; "" where it tells none.

    Examples
    --------
    >>> [part_in(name) for name in ("TrainData", "instances_val2017", "north")]
    ['train', 'val', '']
    """
    words = re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).casefold())
    return next((part for word in words if (part := (_WORDS | {"eval": "val"}).get(word))), "")


def parts_of_folders(chips: Sequence[Chip], root: Path) -> list[Chip]:
    """Chips with the part that their folders' names tell, where these tell more than one and the
    collection says nothing else.

    Raises
    ------
    InputError
        When some folders are parts and others are not.
    """
    if any(chip.split for chip in chips):
        return list(chips)
    told = []
    for chip in chips:
        folders = Path(os.path.relpath(chip.image, root)).parts[:-1]
        told.append(next((part for name in folders if (part := part_in(name))), ""))
    if "train" not in told or len({*told} - {""}) < 2:
        return list(chips)
    if "" in told:
        rest = {str(chip.image.parent) for chip, part in zip(chips, told, strict=True) if not part}
        raise InputError(
            "some folders are named after training, validation or test, and others are not",
            where=root,
            found=", ".join(sorted(rest)[:5]),
            fix="Put their images into one of the parts, or leave them out of `path`",
        )
    return [replace(chip, split=part) for chip, part in zip(chips, told, strict=True)]


def _split(
    chips: Sequence[Chip], scenes: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Part and scene of each chip of a collection."""
    if len(set(scenes)) >= _SCENES:
        return _whole_scenes(scenes, rng), scenes
    if all(chip.footprint for chip in chips):
        split = _strips(np.array([chip.footprint[1:] for chip in chips]), scenes, rng)
        if set(PARTS) <= set(split) and (split == "train").mean() >= 0.5:
            return split, scenes
    run = _RUNS * np.arange(len(chips)) // len(chips)
    scenes = np.array([f"{scene} part {i}" for scene, i in zip(scenes, run, strict=True)], object)
    return _whole_scenes(scenes, rng), scenes


def _whole_scenes(scenes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Part of each chip; scenes go to the test, then to validation until each has about a
    tenth.
    """
    names, scene, counts = np.unique(scenes, return_inverse=True, return_counts=True)
    order = rng.permutation(len(names))
    # A scene that holds more than a fifth of the chips would be too large a test.
    order = order[np.argsort(counts[order] > 0.2 * len(scenes), kind="stable")]
    split, begin = np.full(len(names), "train", object), 0
    for part in ("test", "val"):
        held = np.cumsum(counts[order[begin:]])
        if len(held):
            end = begin + 1 + int(np.abs(held - 0.1 * len(scenes)).argmin())
            split[order[begin:end]], begin = part, end
    return split[scene]


def _strips(bounds: np.ndarray, scenes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Part of each chip by its place: left, bottom, right and top."""
    split = np.full(len(bounds), "train", object)
    for rows in (np.flatnonzero(scenes == name) for name in np.unique(scenes)):
        left, bottom, right, top = bounds[rows].T
        low, high = (left, right) if np.ptp(left) > np.ptp(bottom) else (bottom, top)
        ends = [_strip(low, high), _strip(-high, -low)]
        (test, test_gap), (val, val_gap) = ends if rng.random() < 0.5 else ends[::-1]
        too_small = ((test | test_gap) & (val | val_gap)).any()
        if not too_small:  # else all of it trains
            split[rows[test_gap | val_gap]] = "gap"
            split[rows[test]], split[rows[val]] = "test", "val"
    return split


def _strip(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which chips lie in the strip that begins with the lowest tenth, and which less than a chip's
    edge from it.
    """
    edge = (high - low).max()
    end = high[low <= np.quantile(low, 0.1, method="lower")].max()
    strip = high <= end + 0.01 * edge
    return strip, ~strip & (low < end + 0.99 * edge)


def _meeting(chips: Sequence[Chip]) -> np.ndarray:
    """Pairs of chips that share ground, an edge or a corner, shape (2, pairs)."""
    grown = []
    for chip in chips:
        crs, left, bottom, right, top = chip.footprint or ("", *[np.nan] * 4)
        rim = 0.01 * (right - left)  # places are rounded
        grown.append(shapely.box(left - rim, bottom - rim, right + rim, top + rim) if crs else None)
    grown = np.array(grown, object)
    first, second = shapely.STRtree(grown).query(grown, predicate="intersects")
    crs = np.array([chip.footprint[0] if chip.footprint else "" for chip in chips])
    return np.stack([first, second])[:, (first < second) & (crs[first] == crs[second])]


def _same(values: Sequence) -> np.ndarray:
    """Pairs of rows with the same value, enough to connect them."""
    _, first, inverse = np.unique(list(map(str, values)), return_index=True, return_inverse=True)
    return np.stack([np.arange(len(inverse)), first[inverse]])


def _connected(n: int, *pairs: np.ndarray) -> np.ndarray:
    """Number of the connected group of each of `n` rows."""
    i, j = np.concatenate(pairs, axis=1)
    graph = coo_matrix((np.ones(len(i)), (i, j)), shape=(n, n))
    return connected_components(graph, directed=False)[1]


def split_table(chips: Sequence[Chip]) -> pd.DataFrame:
    """What each part holds, and how many of its chips meet a chip of another part.

    Parameters
    ----------
    chips : sequence of Chip
        From `split_chips`.

    Returns
    -------
    DataFrame
        part, chips, scenes, neighbours: chips that share ground, an edge or a corner with a chip of
        another part; missing where not all chips have a `footprint`. Chips of gaps are in no part
        and in no row.
    """
    part = np.array([chip.split for chip in chips])
    first, second = _meeting(chips)
    apart = (part[first] == part[second]) | ~np.isin([part[first], part[second]], PARTS).all(axis=0)
    meets = np.isin(np.arange(len(chips)), np.concatenate([first[~apart], second[~apart]]))
    known = all(chip.footprint for chip in chips)
    rows = [
        {
            "part": name,
            "chips": int((part == name).sum()),
            "scenes": len({chip.scene for chip in chips if chip.split == name}),
            "neighbours": int((meets & (part == name)).sum()) if known else pd.NA,
        }
        for name in PARTS
    ]
    return pd.DataFrame(rows).astype({"neighbours": "Int64"})
