"""Chapter 02 in a few calls: chips, detector, scores; each passes on when its input is absent."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from lsa_helpers.detect.chips import Chip, check_chips, split_chips
from lsa_helpers.detect.images import Bands
from lsa_helpers.detect.layouts import list_chips
from lsa_helpers.errors import InputError
from lsa_helpers.run import Run
from lsa_helpers.runner.params import DetectionParams
from lsa_helpers.sources import Catalog

SPLITS = ("train", "val", "test")
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
