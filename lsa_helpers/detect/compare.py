"""Detectors trained side by side: the rows of Table 4, and one detector for each platform it has
never seen.
"""

import itertools
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import resources

import pandas as pd

from lsa_helpers.detect.chapter import chip_sets, train
from lsa_helpers.detect.chips import Chip
from lsa_helpers.run import Run
from lsa_helpers.runner.params import DetectionParams

USUAL_DECAY = {"sgd": 1e-4, "adamw": 0.05}
PAPER_RATE = 1e-3  # learning rate at the start of the paper's cosine


def decay_of(optimizer: str, weight_decay: float) -> float:
    """Weight decay of one of Table 4's detectors: a usual value of the parameter stands for each
    optimizer's own, any other is for both.

    Examples
    --------
    >>> [decay_of("sgd", value) for value in (0.05, 0.5)]
    [0.0001, 0.5]
    """
    return USUAL_DECAY[optimizer] if weight_decay in USUAL_DECAY.values() else weight_decay


def four_detectors(
    chips: Sequence[Chip],
    params: DetectionParams,
    run: Run,
    report: Callable[[str], None] | None = None,
) -> pd.DataFrame | None:
    """Table 4: ResNet18 and ResNet50 with SGD and AdamW, each trained for `compare_epochs` on the
    same chips and scored on the test chips.

    All four learn from `compare_chips` of the training chips, evenly chosen, or from all, and are
    scored in one view.

    Returns
    -------
    DataFrame or None
        Four rows, also written as table ``detection_comparison``: the names, `Scores.row` of the
        test chips, loss (mean over the last epoch), epochs, updates, minutes (of training),
        weight_decay. None when `compare_epochs` is 0.

    Notes
    -----
    SGD and AdamW need different weight decays, and the parameter `weight_decay` is one number.
    Where it is one of the usual values, 0.05 or 0.0001, AdamW gets 0.05 and SGD 0.0001. Any other
    value, such as the 0.5 the paper prints, goes for all four detectors. Beside a detector of a
    third optimizer, both start from the paper's learning rate. All four have whole backbones and
    the paper's cosine.
    """
    from lsa_helpers.detect.score import score_chips

    if not (chips and params.compare_epochs):
        return None
    rate = params.learning_rate if params.optimizer in USUAL_DECAY else PAPER_RATE
    same = {
        "epochs": params.compare_epochs,
        "views": 1,
        "learning_rate": rate,
        "schedule": "cosine",
        "stages": 4,
    }
    sets, rows = chip_sets(_fewer(chips, params.compare_chips), params.model_copy(update=same)), []
    for backbone, optimizer in itertools.product(("resnet18", "resnet50"), ("sgd", "adamw")):
        decay = decay_of(optimizer, params.weight_decay)
        own = params.model_copy(
            update=same | {"backbone": backbone, "optimizer": optimizer, "weight_decay": decay}
        )
        # All four see the same images, which are read once.
        sets["train"].config = replace(sets["train"].config, backbone=backbone)
        begun = time.perf_counter()
        model, history = train(sets, own, run, report)
        minutes = (time.perf_counter() - begun) / 60
        row = score_chips(
            model, sets["test"], batch_size=params.batch_size, n_jobs=params.n_jobs
        ).row(0.5)
        names = {"backbone": backbone, "optimizer": optimizer, "split": "test"}
        updates = own.epochs * math.ceil(len(sets["train"]) / own.batch_size)
        cost = {"loss": history["loss"].iloc[-1], "epochs": own.epochs, "updates": updates}
        rows.append(names | row | cost | {"minutes": round(minutes, 1), "weight_decay": decay})
    run.write_table(pd.DataFrame(rows), "detection_comparison")
    return pd.DataFrame(rows)


def _fewer(chips: Sequence[Chip], count: int) -> list[Chip]:
    """All chips but those for training, and at most `count` of these at equal steps; 0: all."""
    own = [chip for chip in chips if chip.split == "train"]
    picked = own[:: max(1, math.ceil(len(own) / count))] if count else own
    return picked + [chip for chip in chips if chip.split != "train"]


def dated(name: str) -> pd.DataFrame:
    """A comparison that takes too long for most runs, as it was measured once.

    Parameters
    ----------
    name : {"four_detectors", "platforms"}
        What `four_detectors` or `leave_one_out` returned.

    Returns
    -------
    DataFrame
        Per cent. ``four_detectors``: 26 November 2026, parameter file `paper` (2,880 training chips
        of the simulated mountain), four epochs each, one seed, one NVIDIA H200 shared by all four.
        ``platforms``: 25 November 2026, parameter file `course`, 360 chips, ten epochs each, one
        seed, one thread of a processor with bfloat16.

    Examples
    --------
    >>> dated("four_detectors")["epochs"].unique().tolist()
    [4]
    """
    with (
        resources.files("lsa_helpers")
        .joinpath("data", "dated", f"{name}.csv")
        .open(encoding="utf-8") as file
    ):
        return pd.read_csv(file)


def leave_one_out(
    model,
    chips: Sequence[Chip],
    params: DetectionParams,
    run: Run,
    report: Callable[[str], None] | None = None,
) -> pd.DataFrame | None:
    """How well a detector does on a platform it has never seen, beside the detector that learned
    from all of them.

    Each source (area, platform, resolution) is left out of one training of `region_epochs`; both
    detectors are scored on that source's validation and test chips, which neither has learned from.

    Returns
    -------
    DataFrame or None
        One row per source, also written as table ``detection_regions``: area, platform,
        resolution_m, chips, landslides, then AP50_segm, f1 and pixel_iou (per cent) of the detector
        that never saw the source, and with the ending ``_seen`` of `model`. None when
        `region_epochs` is 0 or there are fewer than two sources.
    """
    from lsa_helpers.detect.score import score_chips

    sources = list(dict.fromkeys(chip.source for chip in chips))
    if not params.region_epochs or len(sources) < 2:
        return None
    rows, own = [], params.model_copy(update={"epochs": params.region_epochs})
    for source in sources:
        held = [
            replace(chip, split="test")
            for chip in chips
            if chip.source == source and chip.split != "train"
        ]
        sets = chip_sets(
            [chip for chip in chips if chip.source != source and chip.split != "test"] + held, own
        )
        if report:
            report(f"without {' '.join(source[:2])} ({source[2]} m)")
        unseen, _ = train(sets, own, run, report)
        row = dict(zip(("area", "platform", "resolution_m"), source, strict=True)) | {
            "chips": len(held)
        }
        row["landslides"] = int(sum(chip.landslides for chip in held))
        for detector, ending in ((unseen, ""), (model, "_seen")):
            found = score_chips(
                detector, sets["test"], batch_size=params.batch_size, n_jobs=params.n_jobs
            ).row(0.5)
            row |= {name + ending: found[name] for name in ("AP50_segm", "f1", "pixel_iou")}
        rows.append(row)
    run.write_table(pd.DataFrame(rows), "detection_regions")
    return pd.DataFrame(rows)
