"""Augmentation, training, resume."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import lightning
import numpy as np
import pytest
import torch
import torchvision
from torchmetrics.detection import MeanAveragePrecision
from torchvision import tv_tensors
from torchvision.ops import masks_to_boxes

from lsa_helpers.detect import train
from lsa_helpers.detect.dataset import ChipSet, augmentation
from lsa_helpers.detect.layouts import list_chips, read_collection
from lsa_helpers.detect.model import DetectorConfig, build_detector
from lsa_helpers.detect.score import ScoreSweep, predict
from lsa_helpers.detect.split import split_chips
from lsa_helpers.detect.train import (
    DetectorTraining,
    TrainConfig,
    checkpoint_folder,
    train_detector,
    trainer_options,
)
from lsa_helpers.reproducible import reproducible
from lsa_helpers.run import Run
from lsa_helpers.runner import cli
from lsa_helpers.runner.inputs import load_run_params
from lsa_helpers.runner.lock import held
from lsa_helpers.runner.pipeline import open_catalog
from tests.detect.conftest import bright_square, write_image

SMALL = DetectorConfig(
    fpn_width=16, box_batch_size_per_image=8, rpn_post_nms_top_n=20, chip_size=64
)
EDGE = torch.tensor([0.0, 0.0, 1.0, 1.0])


def _chips(folder, augment=None, config=SMALL):
    return ChipSet(
        [chip for chip in read_collection(folder, "masks") if chip.split == "train"],
        config,
        augment,
    )


def _sweep(model, chips):
    """Right and wrong detections of chips, each searched alone."""
    sweep = ScoreSweep()
    for image, truth in map(chips.__getitem__, range(len(chips))):
        sweep.update(predict(model, [image]), [truth])
    return sweep


@pytest.mark.parametrize("seed", range(6))
def test_flips_move_image_boxes_and_masks_together(seed):
    """After any flip the bright square, its mask and its box lie on the same pixels."""
    image = torch.zeros(3, 40, 50)
    image[:, 5:12, 30:45] = 1
    masks = image[:1].to(torch.uint8)
    boxes = tv_tensors.BoundingBoxes(
        [[30, 5, 45, 12]], format="XYXY", canvas_size=(40, 50), dtype=torch.float32
    )
    torch.manual_seed(seed)
    change = augmentation(64, brightness=0.3)
    out, target = change(
        tv_tensors.Image(image),
        {"boxes": boxes, "labels": torch.ones(1), "masks": tv_tensors.Mask(masks)},
    )
    assert torch.equal(out[0] > 0.1, target["masks"][0].bool())
    assert torch.equal(
        target["boxes"].as_subclass(torch.Tensor), masks_to_boxes(target["masks"]) + EDGE
    )


def test_a_turn_moves_image_and_masks_together():
    """Turned by any angle, a bright bar lies under its mask but for the edge, which is blurred."""
    image = torch.zeros(3, 41, 41)
    image[:, 18:23, 5:36] = 1
    start = {
        "boxes": tv_tensors.BoundingBoxes([[5, 18, 36, 23]], format="XYXY", canvas_size=(41, 41)),
        "labels": torch.ones(1),
    }
    for seed in range(8):
        torch.manual_seed(seed)
        change = augmentation(64, brightness=0.0, rotation=180)
        out, target = change(
            tv_tensors.Image(image), start | {"masks": tv_tensors.Mask(image[:1].to(torch.uint8))}
        )
        seen, mask = out[0] > 0.5, target["masks"][0].bool()
        assert (seen & mask).sum() >= 0.9 * (seen | mask).sum()
    rows, columns = torch.nonzero(mask).T
    assert (
        rows.float().std() > 1.5 * image[0].nonzero()[:, 0].float().std()
    )  # the last one did turn


def test_channel_jitter_changes_the_bands_apart():
    """Each band of a grey image gets its own factor within the bounds, in stored bytes as in
    reflectances of four bands; masks stay.
    """
    masks = tv_tensors.Mask(torch.ones(1, 8, 8, dtype=torch.uint8))
    for image in (torch.full((3, 8, 8), 100, dtype=torch.uint8), torch.full((4, 8, 8), 0.4)):
        torch.manual_seed(1)
        out, target = augmentation(8, brightness=0.0, channel_jitter=0.2)(
            tv_tensors.Image(image), {"masks": masks}
        )
        ratio = (out.float() / image.float()).flatten(1)
        assert out.dtype == image.dtype and torch.equal(target["masks"], masks)
        assert (ratio == ratio[:, :1]).all() and len(ratio[:, 0].unique()) == len(image)
        assert 0.79 <= ratio.min() < ratio.max() <= 1.21
    white = augmentation(8, brightness=0.0, channel_jitter=0.9)(
        tv_tensors.Image(torch.full((3, 8, 8), 250, dtype=torch.uint8)), {"masks": masks}
    )[0]
    assert white.max() <= 255 and white.float().std(dim=(1, 2)).max() == 0


def test_items_are_consistent_under_scale_turn_and_crop(masks_folder):
    """Boxes enclose their masks exactly and nothing exceeds the crop, whatever the augmentation
    did.
    """
    config = DetectorConfig(chip_size=64, resolution_m=0.0)
    chips = _chips(
        masks_folder, augmentation(48, channel_jitter=0.1, scale_jitter=0.5, rotation=180), config
    )
    torch.manual_seed(0)
    for image, target in [chips[i % 4] for i in range(12)]:
        assert image.shape == (3, 48, 48) and image.min() >= 0 and image.max() <= 1
        assert target["masks"].shape[1:] == (48, 48)
        if len(target["masks"]):
            assert torch.equal(target["boxes"], masks_to_boxes(target["masks"]) + EDGE)


def test_chips_of_unequal_resolution_meet_on_one(cas_folder):
    """At 2 m a chip of 64 pixels of 1 m has 32, and its square of 16 pixels has 8; unknown
    resolution falls back to the size.
    """
    config = DetectorConfig(chip_size=64, resolution_m=2.0)
    chips = ChipSet(read_collection(cas_folder, "cas"), config)
    known = next(i for i, chip in enumerate(chips.chips) if chip.resolution_m == 1.0)
    image, target = chips[known]
    assert image.shape == (3, 32, 32) and target["masks"].sum() == 64
    unknown = next(i for i, chip in enumerate(chips.chips) if np.isnan(chip.resolution_m))
    assert chips[unknown][0].shape == (3, 64, 64)


def test_trained_detector_finds_the_square(masks_folder, tmp_path):
    """After 64 updates the square of the unseen test chip is found: chips are seen alike in
    training and in use.
    """
    config = DetectorConfig(
        fpn_width=32, box_batch_size_per_image=16, rpn_post_nms_top_n=50, chip_size=64
    )
    settings = TrainConfig(epochs=16, batch_size=1, n_jobs=1)
    model, _ = train_detector(_chips(masks_folder, augmentation(64), config), settings, tmp_path)
    test = [chip for chip in read_collection(masks_folder, "masks") if chip.split == "test"]
    assert _sweep(model, ChipSet(test, config)).landslides()["recall"].iloc[0] == 1


@pytest.mark.parametrize(
    ("optimizer", "schedule", "fallen", "validate_every"),
    [("adamw", "cosine", (0.25, 0.75, 1), 0), ("muon", "linear", (1 / 3, 2 / 3, 1), 3)],
)
def test_training_resumes(masks_folder, tmp_path, optimizer, schedule, fallen, validate_every):
    """Interrupted after two of three epochs and called again, it does the third only and ends in
    the same weights.

    After a third of the way a cosine has fallen by a quarter, a straight line by a third. An epoch
    is kept whether or not it ends in a validation.
    """
    chips = _chips(masks_folder, augmentation(64))
    config = TrainConfig(optimizer, lr_schedule=schedule, epochs=3, batch_size=4, n_jobs=1)
    config = replace(config, validate_every=validate_every)
    whole, history = train_detector(chips, config, tmp_path / "a", validation=chips)
    assert history["epoch"].tolist() == [1, 2, 3]
    assert history["learning_rate"].to_list() == pytest.approx(
        [1e-3 - (1e-3 - 5e-6) * share for share in fallen]
    )

    lines = []

    def stop(line):
        lines.append(line)
        if line.startswith("epoch 3"):
            raise KeyboardInterrupt

    with pytest.raises((KeyboardInterrupt, SystemExit)):
        train_detector(chips, config, tmp_path / "b", report=stop, validation=chips)
    lines.clear()
    resumed, again = train_detector(
        chips, config, tmp_path / "b", report=lines.append, validation=chips
    )
    assert len(lines) == 1 and lines[0].startswith("epoch 3/3")
    assert again["epoch"].tolist() == [1, 2, 3]
    for one, two in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(one, two)


def test_validation_scores_are_kept(masks_folder, tmp_path):
    """AP50 of every second epoch stands in the history and does not touch the weights."""
    chips = _chips(masks_folder)
    validation = ChipSet(
        [chip for chip in read_collection(masks_folder, "masks") if chip.split == "val"], SMALL
    )
    config = TrainConfig(epochs=4, batch_size=4, n_jobs=1, validate_every=2)
    model, history = train_detector(chips, config, tmp_path / "a", validation=validation)
    assert history["val_ap50"].isna().tolist() == [True, False, True, False]
    coco = MeanAveragePrecision(iou_type=("segm", "bbox"), backend="pycocotools")
    image, truth = validation[0]
    coco.update(predict(model, [image]), [truth])
    expected = 100 * max(0, float(coco.compute()["segm_map_50"]))
    assert history["val_ap50"].iloc[-1] == pytest.approx(expected)
    blind, _ = train_detector(chips, replace(config, validate_every=0), tmp_path / "c")
    for one, two in zip(model.state_dict().values(), blind.state_dict().values(), strict=True):
        assert torch.equal(one, two)  # to look at them changes nothing


def test_two_processes_share_the_training(masks_folder, tmp_path):
    """Two CPU processes with gloo: each does half of the steps, both end in the same weights, and
    one process then finds it trained.
    """
    script = tmp_path / "job.py"
    script.write_text(TWO.format(folder=str(masks_folder), out=str(tmp_path / "out")))
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, script],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | environment,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    ranks = [json.loads((tmp_path / f"out/{rank}.json").read_text()) for rank in (0, 1)]
    assert [rank["steps"] for rank in ranks] == [2, 2]
    assert ranks[0]["weight"] == ranks[1]["weight"]
    lines = []
    model, history = train_detector(
        _chips(masks_folder), PAIR, tmp_path / "out", report=lines.append
    )
    assert not lines and len(history) == 2
    assert float(model.backbone.body.conv1.weight.detach().sum()) == pytest.approx(
        ranks[0]["weight"], abs=1e-6
    )


PAIR = TrainConfig(epochs=2, batch_size=4, n_jobs=1)
TWO = """
import json
from pathlib import Path
from tests.detect.test_train import PAIR, _chips
from lsa_helpers.detect import train

steps = 0
real = train.DetectorTraining.training_step
def counted(self, *batch):
    global steps
    steps += 1
    return real(self, *batch)
train.DetectorTraining.training_step = counted

out = Path("{out}")
model, _ = train.train_detector(_chips(Path("{folder}")), PAIR, out, devices=2)
rank = 0 if train.first_process() else 1
weight = float(model.backbone.body.conv1.weight.detach().sum())
(out / f"{{rank}}.json").write_text(json.dumps(dict(steps=steps, weight=weight)))
"""


def test_other_settings_do_not_resume(masks_folder, tmp_path):
    """A checkpoint belongs to one training: other settings or other first weights look elsewhere,
    another way to the same file does not.
    """
    chips = _chips(masks_folder)
    folders = {checkpoint_folder(tmp_path, chips, TrainConfig(seed=seed)) for seed in (0, 1)}
    folders |= {
        checkpoint_folder(tmp_path, chips, TrainConfig(), weights)
        for weights in ("IMAGENET1K_V1", tmp_path / "w.pth")
    }
    assert len(folders) == 4
    assert (
        checkpoint_folder(tmp_path, chips, TrainConfig(), str(tmp_path / "a/../w.pth")) in folders
    )


def test_chips_of_unequal_size_share_a_batch(tmp_path):
    """Trained, searched and scored in one batch, each chip keeps its own size: masks and boxes end
    where its image ends.
    """
    for i, (height, width) in enumerate([(64, 48), (40, 64), (64, 64), (33, 64)]):
        image, mask = bright_square(seed=i)
        write_image(tmp_path / "images" / f"{i}.png", image[:height, :width])
        write_image(tmp_path / "masks" / f"{i}.png", mask[:height, :width] * 255)
    (tmp_path / "index.csv").write_text("id,split\n" + "".join(f"{i},train\n" for i in range(4)))
    chips = _chips(tmp_path)
    images = [chips[i][0] for i in range(4)]
    assert [tuple(image.shape[1:]) for image in images] == [(64, 48), (40, 64), (64, 64), (33, 64)]
    model, history = train_detector(
        chips, TrainConfig(epochs=1, batch_size=4, n_jobs=1), tmp_path / "out"
    )
    assert np.isfinite(history["loss"]).all()
    found = predict(model, images)
    assert sum(len(each["scores"]) for each in found) > 0
    for image, each in zip(images, found, strict=True):
        assert each["masks"].shape[1:] == image.shape[1:]
        assert (each["boxes"][:, 2:] <= torch.tensor(image.shape[:0:-1])).all()
    sweep = ScoreSweep()
    sweep.update(found, [chips[i][1] for i in range(4)])
    counted = sweep.landslides()[["tp", "fn"]].sum(axis=1)
    assert (counted == sum(len(chips[i][1]["masks"]) for i in range(4))).all()


class _BrightIsLandslide(torch.nn.Module):
    """Stands for a detector: what is bright is one landslide, the larger the surer."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))

    def forward(self, images, targets=None):
        if self.training:
            return {"loss": self.weight.sum()}
        masks = [(image[0] > 0.5)[None] for image in images]
        return [
            {
                "boxes": masks_to_boxes(mask),
                "labels": torch.ones(1, dtype=torch.int64),
                "scores": mask.float().mean()[None],
                "masks": mask[None].float(),
            }
            for mask in masks
        ]


def test_false_alarms_on_chips_without_landslide_count_in_validation(masks_folder, tmp_path):
    """Two chips, each with one detection: right on the one, on the other, which shows no landslide,
    surer and false. Precision is a half where all is found.
    """
    image, mask = bright_square(at=(8, 8), edge=20)
    write_image(masks_folder / "images" / "a5.png", image)
    write_image(masks_folder / "masks" / "a5.png", mask * 0)
    chips = read_collection(masks_folder, "masks")
    learn, judged = ChipSet(chips[:4], SMALL), ChipSet(chips[4:], SMALL)
    config = TrainConfig(epochs=1, batch_size=2, n_jobs=1, validate_every=1)
    training = DetectorTraining(_BrightIsLandslide(), config, learn, judged)
    with reproducible(0, 1):
        lightning.Trainer(max_epochs=1, **trainer_options(tmp_path / "ck", config)).fit(training)
    assert training.history["val_ap50"].tolist() == pytest.approx([50])


OWN = """
02_detector: {epochs: 1, chip_size: 64, fpn_width: 16, box_batch_size_per_image: 8,
  rpn_post_nms_top_n: 20, weights: start.pth}
"""


@pytest.fixture()
def lsa_train(masks_folder, tmp_path_factory, monkeypatch, capsys):
    """Function that runs ``lsa train own.yml`` with more arguments in a folder of its own; gives
    the exit code and what was said.
    """
    folder = tmp_path_factory.mktemp("work")
    (folder / "own.yml").write_text(OWN)
    torch.save(torchvision.models.resnet18(weights=None).state_dict(), folder / "start.pth")
    monkeypatch.chdir(folder)

    def run(*arguments):
        monkeypatch.setattr(
            sys, "argv", ["lsa", "train", "own.yml", "--out", "run", *map(str, arguments)]
        )
        try:
            cli.main()
        except SystemExit as stop:
            return stop.code or 0, "".join(capsys.readouterr())
        return 0, "".join(capsys.readouterr())

    return run


def test_lsa_train_leaves_a_detector_that_the_chapter_finds(lsa_train, masks_folder, monkeypatch):
    """The command trains with the file's parameters and first weights; chapter 02, in the run's
    folder, then has nothing left to train.
    """
    (masks_folder / "catalog.yml").write_text("images: {path: ., format: masks}\n")
    code, said = lsa_train("--data", masks_folder)
    assert code == 0, said
    assert "epoch 1/1" in said and "lsa run own.yml --from 02" in said
    run = Run(Path("run").resolve())
    values = load_run_params(Path("own.yml"), {}, masks_folder, run.path)["02_detector"]
    monkeypatch.chdir(run.path)
    # The lines of the chapter.
    config = DetectorConfig.pick(values.model_dump())
    chips = split_chips(list_chips(open_catalog(values, run)), values.seed)
    train_chips = ChipSet([chip for chip in chips if chip.split == "train"], config)
    settings = TrainConfig.pick(values.model_dump())
    folder = checkpoint_folder(run.path / "checkpoints", train_chips, settings, values.weights)
    lines = []
    training = DetectorTraining(build_detector(config), settings, train_chips, report=lines.append)
    with reproducible(0, 1):
        trainer = lightning.Trainer(max_epochs=1, **trainer_options(folder, settings))
        trainer.fit(training, ckpt_path="last", weights_only=True)
    assert lines == [] and len(training.history) == 1


def test_lsa_train_says_what_is_missing(lsa_train, masks_folder, monkeypatch):
    """Without chapter 01 there is no mountain to learn from, and a catalog may name no images: exit
    2, and nothing is trained.
    """
    monkeypatch.setattr(
        train, "train_detector", lambda *given, **more: pytest.fail("something was trained")
    )
    code, said = lsa_train()
    assert code == 2 and "nothing to train on" in said and "lsa run own.yml --until 01" in said
    (masks_folder / "catalog.yml").write_text("name: empty\n")
    code, said = lsa_train("--data", masks_folder)
    assert code == 2 and "names no images" in said


def test_lsa_train_waits_for_nobody(lsa_train, masks_folder, monkeypatch):
    """A run's folder that another process works in is refused, by the first process of a training
    alone: the others work in the folder that it holds.
    """
    (masks_folder / "catalog.yml").write_text("images: {path: ., format: masks}\n")
    trained = []
    monkeypatch.setattr(train, "train_detector", lambda *given, **more: trained.append(1))
    with held(Path("run")):
        code, said = lsa_train("--data", masks_folder)
        assert code == 2 and "another process works in this run's folder" in said
        monkeypatch.setenv("LOCAL_RANK", "1")
        assert lsa_train("--data", masks_folder)[0] == 0
    assert trained == [1]


def test_lsa_train_passes_machines_and_names_on(lsa_train, masks_folder, monkeypatch):
    """GPUs, machines and overrides arrive at the training."""
    (masks_folder / "catalog.yml").write_text("images: {path: ., format: masks}\n")
    got = []
    monkeypatch.setattr(
        train, "train_detector", lambda chips, config, _, **given: got.append((config, given))
    )
    assert (
        lsa_train("--data", masks_folder, "--devices", 4, "--nodes", 2, "-p", "epochs", 7)[0] == 0
    )
    ((config, given),) = got
    assert (given["devices"], given["nodes"], config.epochs) == (4, 2, 7)
    assert Path(given["weights"]).resolve() == Path("start.pth").resolve()


@pytest.mark.real_data
def test_a_few_steps_on_bijie(shared_data, tmp_path):
    """The real chips train and the loss is finite; no folder of logs is left behind."""
    some = [
        chip for chip in read_collection(shared_data / "bijie", "masks") if chip.split == "train"
    ][:8]
    chips = ChipSet(some, DetectorConfig(fpn_width=16, chip_size=96), augmentation(96))
    _, history = train_detector(chips, TrainConfig(epochs=1, n_jobs=1), tmp_path)
    assert np.isfinite(history["loss"]).all()
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["last.ckpt"]
