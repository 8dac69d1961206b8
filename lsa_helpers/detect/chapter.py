"""Chapter 02 in a few calls: chips, detector, scores, the scene and the inventory; each passes on
when its input is absent.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import pandas as pd
import rasterio

from lsa_helpers.detect.chips import Chip, check_chips, split_chips
from lsa_helpers.detect.images import Bands
from lsa_helpers.detect.inventory import (
    errors_by_size,
    inventory_statistics,
    merge_pieces,
    scene_sweep,
)
from lsa_helpers.detect.layouts import list_chips
from lsa_helpers.detect.lookalikes import count_causes, false_alarms, ground_causes
from lsa_helpers.detect.scene import (
    SceneFrame,
    find_pieces,
    open_scene,
    scene_colours,
    scene_detector,
)
from lsa_helpers.errors import InputError
from lsa_helpers.factors.stack import read_stack
from lsa_helpers.grid import Grid
from lsa_helpers.run import Run, sha256, whole_file
from lsa_helpers.runner.params import DetectionParams
from lsa_helpers.sources import Catalog, read_inventory

SPLITS = ("train", "val", "test")
LOWEST = 0.05  # score below which detections are forgotten
PROGRESS = "checkpoints"  # folder of a run from which an interrupted chapter goes on


def collect(catalog: Catalog, params: DetectionParams) -> list[Chip]:
    """The catalog's chips with their split; an empty list when it names no images.

    Raises
    ------
    InputError
        When chips cannot be used, all of them named, unless ``skip_bad`` leaves them out and some
        remain.
    """
    if not (chips := list_chips(catalog)):
        return []
    report = check_chips(
        chips, Bands(tuple(params.bands), params.white), min_pixels=params.min_pixels
    )
    bad = report[report["bad"]]
    if len(bad) and (not params.skip_bad or len(bad) == len(chips)):
        raise InputError(
            f"{len(bad)} of {len(chips)} chips cannot be used",
            where=catalog.path(catalog.images),
            found="\n" + "\n".join(bad["problem"]),
            fix="Mend them or take them out; `skip_bad: true` trains without them",
        )
    good = report[~report["bad"]]
    counted = [
        replace(chips[row.Index], landslides=row.landslides, merged=row.merged)
        for row in good.itertuples()
    ]
    return split_chips(counted, params.seed)


def need_training(chips: Sequence[Chip]) -> None:
    """Raise an `InputError` when there are chips, but none to train on."""
    if chips and not any(chip.split == "train" for chip in chips):
        raise InputError(
            "the collection has no training chips",
            where=chips[0].image.parent,
            fix="Add chips, or mark some as train",
        )


def chip_sets(chips: Sequence[Chip], params: DetectionParams) -> dict:
    """``train`` (augmented), ``val`` and ``test`` as `lsa_helpers.detect.dataset.ChipSet`."""
    from lsa_helpers.detect.dataset import ChipSet, augmentation
    from lsa_helpers.detect.model import DetectorConfig

    config = DetectorConfig(**params.model_dump(include=set(DetectorConfig.__dataclass_fields__)))
    change = augmentation(
        config.chip_size,
        brightness=params.brightness,
        tint=params.tint,
        zoom=params.zoom,
        rotation=params.rotation,
    )
    need_training(chips)
    own = {split: [chip for chip in chips if chip.split == split] for split in SPLITS}
    extra = {
        split: {"augment": change, "paste": params.paste} if split == "train" else {}
        for split in SPLITS
    }
    return {
        split: ChipSet(own[split], config, min_pixels=params.min_pixels, **extra[split])
        for split in SPLITS
    }


def learn(
    sets: dict | None,
    params: DetectionParams,
    run: Run,
    report: Callable[[str], None] | None = None,
) -> tuple:
    """Take the detector of the parameters, or train one, or go on with what an interruption or
    ``lsa train`` left; store it.

    Returns
    -------
    model : MaskRCNN or None
        Also written as ``detector.safetensors``; None without chips and without a given detector.
    history : DataFrame or None
        One row per epoch, also written as table ``detection_training``; None where nothing was
        trained.

    Raises
    ------
    InputError
        When the given detector was trained on images prepared otherwise.
    """
    from lsa_helpers.detect.model import save_detector

    if params.detector:
        return _given(params, run), None
    if sets is None:
        return None, None
    model, history = train(sets, params, run, report)
    save_detector(run.product("detector.safetensors"), model, sets["train"].config)
    run.write_table(history, "detection_training")
    return model, history


def _given(params: DetectionParams, run: Run):
    """The detector that the parameter names, if it sees images as these parameters prepare them."""
    from lsa_helpers.detect.model import load_detector, save_detector, set_bfloat16

    model, config = load_detector(Path(params.detector))
    names = (
        "bands",
        "white",
        "resolution_m",
        "match_colours",
        *(() if params.resolution_m else ("chip_size",)),
    )
    # Bands are a tuple in a detector and a list in a parameter file.
    other = {
        name: value
        for name in names
        if (value := getattr(config, name)) != type(value)(getattr(params, name))
    }
    if other:
        fix = "Give the chapter the same values: " + ", ".join(
            f"{name}: {value}" for name, value in other.items()
        )
        found = ", ".join(f"{name}: {getattr(params, name)}" for name in other)
        raise InputError(
            "the detector was trained on images prepared otherwise",
            where=params.detector,
            found=found,
            fix=fix,
        )
    model.views = params.views
    save_detector(run.product("detector.safetensors"), model, replace(config, views=params.views))
    return set_bfloat16(model, params.bf16)


def train(
    sets: dict,
    params: DetectionParams,
    run: Run,
    report: Callable[[str], None] | None = None,
    **devices: int,
) -> tuple:
    """Train and leave a checkpoint that `learn` finds; for `devices` and `nodes` see
    `lsa_helpers.detect.train.train_detector`.
    """
    from lsa_helpers.detect.train import TrainConfig, train_detector

    config = TrainConfig(**params.model_dump(include=set(TrainConfig.__dataclass_fields__)))
    kept = run.path / PROGRESS
    return train_detector(
        sets["train"],
        config,
        kept,
        validation=sets["val"],
        weights=params.weights or None,
        report=report,
        **devices,
    )


def score(model, sets: dict | None, params: DetectionParams, run: Run) -> tuple[dict | None, float]:
    """Score the validation and test chips and write ``detection_scores.csv`` and
    ``score_sweep.csv`` (test chips).

    In ``detection_scores.csv`` precision, recall, F1 and pixel_iou hold at a score of 0.5,
    pixel_iou_chosen at chosen_threshold, where pixel IoU is best on the validation chips.

    Returns
    -------
    scores : dict of Scores or None
        For ``val`` and ``test``; None without chips.
    threshold : float
        Lowest score in the inventory: the parameter, or the best on the validation chips, or 0.5
        without chips.
    """
    from lsa_helpers.detect.score import score_chips

    if sets is None:
        return None, params.score_threshold or 0.5
    scores = {
        split: score_chips(model, sets[split], batch_size=params.batch_size, n_jobs=params.n_jobs)
        for split in ("val", "test")
    }
    # As common as landslides are on these chips: the score at which the validation chips' pixels
    # come out best.
    chosen = scores["val"].best_threshold(scores["val"].share)
    rows = []
    for split, own in scores.items():
        names = {"backbone": params.backbone, "optimizer": params.optimizer, "split": split}
        iou = own.pixels().set_index("score")["iou"]
        rows.append(
            names
            | own.row(0.5)
            | {"chosen_threshold": chosen, "pixel_iou_chosen": 100 * iou[chosen]}
        )
    run.write_table(pd.DataFrame(rows), "detection_scores")
    run.write_table(scores["test"].sweep(), "score_sweep")
    return scores, params.score_threshold or scores["val"].best_threshold(params.landslide_share)


@dataclass(frozen=True)
class Search:
    """A scene and what the detector saw in it, at any score from `LOWEST` up."""

    frame: SceneFrame
    pieces: list[dict]


def scene_frame(catalog: Catalog, params: DetectionParams) -> SceneFrame:
    """The catalog's scene as the network will see it; an `InputError` when it cannot be searched."""
    return open_scene(
        catalog.path(catalog.scene), params.resolution_m, Bands(tuple(params.bands), params.white)
    )


def search_scene(model, catalog: Catalog, params: DetectionParams, run: Run) -> Search | None:
    """Look for landslides over the catalog's scene; None without a scene or a model. An interrupted
    search goes on with the next window.
    """
    from lsa_helpers.reproducible import reproducible

    if catalog.scene is None or model is None:
        return None
    frame = scene_frame(catalog, params)
    colours = scene_colours(frame) if params.match_colours else None
    sizes = {"window_px": params.window_px, "overlap_px": params.overlap_px}
    state = frame.path.stat()
    key = [
        sha256(run.product("detector.safetensors")),
        str(frame),
        state.st_size,
        state.st_mtime_ns,
        str(colours),
        sizes,
    ]
    progress = (
        run.path
        / PROGRESS
        / f"scene_{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:12]}.jsonl"
    )
    with reproducible(params.seed, params.n_jobs):
        pieces = find_pieces(
            frame, scene_detector(model, colours), min_score=LOWEST, progress=progress, **sizes
        )
    return Search(frame, pieces)


def inventory(
    search: Search | None, threshold: float, params: DetectionParams
) -> gpd.GeoDataFrame | None:
    """The landslides whose score reaches `threshold`, one polygon each, in the scene's CRS; None
    without a search.
    """
    if search is None:
        return None
    pixel = abs(search.frame.transform.a)
    return merge_pieces(
        search.pieces,
        search.frame.crs,
        min_score=threshold,
        min_area_m2=params.min_area_m2,
        close_m=pixel,
    )


def reference(catalog: Catalog, run: Run) -> gpd.GeoDataFrame | None:
    """Known landslides in the grid's CRS: the simulated mountain's truth, else the catalog's
    inventory; None without either.
    """
    if not run.has("factors.tif"):
        return None
    with rasterio.open(run.product("factors.tif")) as file:
        grid = Grid(file.crs, file.transform, file.height, file.width)
    if run.has("truth/landslides.gpkg"):
        known = gpd.read_file(run.product("truth/landslides.gpkg")).to_crs(grid.crs)
        table = gpd.GeoDataFrame(
            {"id": range(1, len(known) + 1), "area_m2": known.area},
            geometry=known.geometry,
            crs=known.crs,
        )
        return table.reset_index(drop=True)
    return read_inventory(catalog, grid)


def write_inventory(
    run: Run, detected: gpd.GeoDataFrame | None, known: gpd.GeoDataFrame | None
) -> Path | None:
    """Write ``inventory.gpkg`` with the layers that exist, both in the CRS of the reference; None
    when there is neither.

    With it the chapter's work is stored, so what an interrupted chapter would have gone on from is
    deleted.
    """
    shutil.rmtree(run.path / PROGRESS, ignore_errors=True)
    if detected is not None and known is not None:
        detected = detected.to_crs(known.crs).assign(area_m2=lambda table: table.area)
    layers = {
        name: table
        for name, table in (("detected", detected), ("reference", known))
        if table is not None
    }
    if not layers:
        return None
    with whole_file(run.product("inventory.gpkg")) as part:
        for name, table in layers.items():
            table.to_file(part, layer=name, driver="GPKG")
    return run.product("inventory.gpkg")


def area_scores(
    detected: gpd.GeoDataFrame | None, known: gpd.GeoDataFrame | None
) -> pd.DataFrame | None:
    """How much of the true area was found, and how much of the found area is true.

    Parameters
    ----------
    detected, known : GeoDataFrame of polygons
        Both in CRSs in metres; None, or points as `known`, gives None.

    Returns
    -------
    DataFrame
        One row: detected and reference (number of polygons), detected_km2, reference_km2,
        shared_km2, area_precision, area_recall (fractions; NaN when the layer is empty),
        landslides_hit (fraction of known landslides with at least half their area found).
    """
    if detected is None or known is None or "label" in known:
        return None
    found = detected.to_crs(known.crs).union_all()
    true = known.union_all()
    shared = found.intersection(true).area
    hit = known.intersection(found).area >= 0.5 * known.area
    return pd.DataFrame(
        [
            {
                "detected": len(detected),
                "reference": len(known),
                "detected_km2": found.area / 1e6,
                "reference_km2": true.area / 1e6,
                "shared_km2": shared / 1e6,
                "area_precision": shared / found.area if found.area else float("nan"),
                "area_recall": shared / true.area if true.area else float("nan"),
                "landslides_hit": hit.mean() if len(known) else float("nan"),
            }
        ]
    )


def judge(
    search: Search | None,
    detected: gpd.GeoDataFrame | None,
    known: gpd.GeoDataFrame | None,
    run: Run,
) -> dict[str, pd.DataFrame] | None:
    """Tables on the inventory beside the known landslides, also written as ``inventory_sweep``,
    ``_statistics`` and ``_sizes``.

    Returns
    -------
    dict or None
        Keys ``sweep``, ``statistics``, ``sizes``; None without detected and known polygons.
    """
    if detected is None or known is None or "label" in known:
        return None
    tables = {
        "sweep": scene_sweep(search.pieces, known, search.frame.crs),
        "statistics": inventory_statistics(
            {"detected": detected, "known": known}, abs(search.frame.transform.a)
        ),
        "sizes": errors_by_size(detected, known),
    }
    for name, table in tables.items():
        run.write_table(table, f"inventory_{name}")
    return tables


def mistakes(
    search: Search | None,
    detected: gpd.GeoDataFrame | None,
    known: gpd.GeoDataFrame | None,
    run: Run,
) -> tuple | None:
    """What was taken for a landslide and what was missed.

    Returns
    -------
    alarms : GeoDataFrame
        False alarms with their cause, highest score first.
    missed : GeoDataFrame
        Known landslides of which less than half was detected, largest first.
    causes : DataFrame
        Also written as table ``false_alarms``.
    """
    if detected is None or known is None or "label" in known:
        return None
    old = run.product("truth/old_scars.gpkg")
    ground = ground_causes(
        read_stack(run), search.frame, gpd.read_file(old) if old.is_file() else None
    )
    alarms = false_alarms(detected, known, ground).sort_values("score", ascending=False)
    found = known.intersection(detected.to_crs(known.crs).union_all()).area
    missed = known[found < 0.5 * known.area].sort_values("area_m2", ascending=False)
    causes = count_causes(alarms)
    run.write_table(causes, "false_alarms")
    return alarms, missed, causes


def describe(detected: gpd.GeoDataFrame | None, known: gpd.GeoDataFrame | None) -> str:
    """One line on what the inventory holds."""
    if detected is None and known is None:
        return "There is no scene to search and no known inventory: the chapter ends with the scores on chips."
    parts = (
        []
        if detected is None
        else [f"{len(detected)} landslides detected, {detected.area.sum() / 1e6:.2f} km²"]
    )
    if detected is None:
        parts.append("no detection, because images or a scene are missing")
    if known is not None:
        parts.append(
            f"{len(known)} known"
            + ("" if "label" in known else f", {known.area.sum() / 1e6:.2f} km²")
        )
    return "inventory.gpkg: " + "; ".join(parts) + "."
