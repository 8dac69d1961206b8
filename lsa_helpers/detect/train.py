"""Training the detector with Lightning: a falling learning rate, scores on validation chips,
checkpoints and resume, several devices.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import pandas as pd
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch.utils.data import DataLoader, DistributedSampler
from torchmetrics.detection import MeanAveragePrecision

from lsa_helpers.detect.dataset import ChipSet, collate
from lsa_helpers.detect.model import Picked, build_detector, on_gpu
from lsa_helpers.detect.muon import MuonAdamW
from lsa_helpers.detect.pyramid import use_bfloat16
from lsa_helpers.detect.score import predict
from lsa_helpers.detect.weights import is_weights_name
from lsa_helpers.reproducible import reproducible

_FINAL_LEARNING_RATE = 5e-6  # the paper's


@dataclass(frozen=True)
class TrainConfig(Picked):
    """How a detector is trained.

    Parameters
    ----------
    optimizer : {"adamw", "sgd", "muon"}
    epochs, batch_size : int
    learning_rate : float
        At the first update; after the last it is 5e-6.
    lr_schedule : {"cosine", "linear"}
        How it falls: Loshchilov & Hutter (2017), arXiv:1608.03983, as in the paper; or Defazio et
        al. (2023), arXiv:2310.07831.
    weight_decay : float
    muon_max_channels : int
        Layers of up to so many channels are stepped by Muon, wider ones by AdamW.
    validate_every : int
        Epochs between scores on the validation chips; 0: never.
    seed, n_jobs : int
        Of random choices; processor cores.
    """

    optimizer: str = "adamw"
    epochs: int = 10
    batch_size: int = 4
    learning_rate: float = 1e-3
    lr_schedule: str = "cosine"
    weight_decay: float = 0.05
    muon_max_channels: int = 256
    validate_every: int = 0
    seed: int = 0
    n_jobs: int = 2


class DetectorTraining(lightning.LightningModule):
    """A detector with torchvision's interface, its chips, its optimizer and the history of its
    losses.

    Parameters
    ----------
    model : Module
        While training it takes images and targets and returns a dict of losses.
    config : TrainConfig
    chips : ChipSet
        Training chips with their augmentation.
    validation : ChipSet, optional
        Chips scored while training; needed when `config.validate_every` is above 0.
    report : callable, optional
        Called with one line after every epoch.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        config: TrainConfig,
        chips: ChipSet,
        validation: ChipSet | None = None,
        report: Callable[[str], None] | None = None,
    ):
        super().__init__()
        self.model = model
        self.config = config
        self.chips = chips
        self.validation = validation
        self.report = report
        self._rows: list[dict] = []

    @property
    def history(self) -> pd.DataFrame:
        """epoch, learning_rate, loss and its parts (dimensionless), and val_ap50 (mask AP50 in per
        cent, NaN where not scored), one row per epoch.
        """
        return pd.DataFrame(self._rows)

    def train_dataloader(self) -> DataLoader:
        """Training chips in an order of each epoch; a device's share of every batch."""
        share, rank = max(1, self.trainer.world_size), self.trainer.global_rank
        sampler = DistributedSampler(self.chips, share, rank, seed=self.config.seed)
        return DataLoader(
            self.chips,
            max(1, self.config.batch_size // share),
            sampler=sampler,
            collate_fn=collate,
            num_workers=self._workers,
            # One of its own: the loader then draws nothing from the numbers that a resumed epoch
            # must repeat.
            generator=torch.Generator().manual_seed(self.config.seed),
        )

    def val_dataloader(self) -> DataLoader:
        """Validation chips as they are; not asked for while `validate_every` is 0."""
        return DataLoader(
            self.validation, self.config.batch_size, collate_fn=collate, num_workers=self._workers
        )

    @property
    def _workers(self) -> int:
        return self.config.n_jobs if torch.cuda.is_available() else 0

    def configure_optimizers(self) -> dict:
        """The optimizer, and a learning rate that falls with every update."""
        config, steps = self.config, int(self.trainer.estimated_stepping_batches)
        kind, options = {
            "sgd": (torch.optim.SGD, {"momentum": 0.9}),
            "adamw": (torch.optim.AdamW, {}),
            "muon": (MuonAdamW, {"max_channels": config.muon_max_channels}),
        }[config.optimizer]
        options |= {"weight_decay": config.weight_decay, "fused": True}
        optimizer = kind(self.parameters(), config.learning_rate, **options)
        schedules = torch.optim.lr_scheduler
        if config.lr_schedule == "cosine":
            scheduler = schedules.CosineAnnealingLR(optimizer, steps, eta_min=_FINAL_LEARNING_RATE)
        else:
            last = _FINAL_LEARNING_RATE / config.learning_rate
            scheduler = schedules.LinearLR(optimizer, 1.0, last, steps)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }

    def on_train_epoch_start(self) -> None:
        """Every epoch is seeded anew: a resumed training then equals an uninterrupted one."""
        epoch = self.current_epoch * self.trainer.world_size + self.global_rank
        torch.manual_seed(self.config.seed * 10_007 + epoch)
        self._losses = []
        self._ap50 = float("nan")
        # Of masks alone torchmetrics leaves out chips without landslide and their false alarms.
        self._coco = MeanAveragePrecision(iou_type=("segm", "bbox"), backend="pycocotools")
        self._begun = time.perf_counter()

    def training_step(self, batch: tuple[list, list], _) -> torch.Tensor:
        """The sum of the detector's losses."""
        losses = self.model(*batch)
        self._losses.append({name: value.detach().float() for name, value in losses.items()})
        return sum(losses.values())

    def validation_step(self, batch: tuple[list, list], _) -> None:
        """Count a batch."""
        images, truths = batch
        truths = [{name: value.cpu() for name, value in truth.items()} for truth in truths]
        self._coco.update(predict(self.model, images), truths)

    def on_validation_epoch_end(self) -> None:
        """Mask AP50 in per cent; 0 where nothing is to be found."""
        self._ap50 = 100 * max(0.0, float(self._coco.compute()["segm_map_50"]))
        self.log("val_ap50", self._ap50, sync_dist=True)

    def on_train_epoch_end(self) -> None:
        """Note the epoch's mean losses and report them."""
        means = {
            name: float(torch.stack([step[name] for step in self._losses]).mean())
            for name in self._losses[0]
        }
        epoch, rate = self.current_epoch + 1, self.optimizers().param_groups[0]["lr"]
        row = {"epoch": epoch, "learning_rate": rate, "loss": sum(means.values())} | means
        if self.config.validate_every:
            row["val_ap50"] = self._ap50
        self._rows.append(row)
        if self.report:
            seconds = time.perf_counter() - self._begun
            minutes = seconds * (self.config.epochs - epoch) / 60
            scored = "" if np.isnan(self._ap50) else f", validation AP50 {self._ap50:.1f} %"
            line = f"epoch {epoch}/{self.config.epochs}: loss {row['loss']:.3f}{scored}"
            self.report(f"{line}, {seconds:.0f} s, {minutes:.0f} min left")

    def on_save_checkpoint(self, checkpoint: dict) -> None:
        """The history goes along."""
        checkpoint["history"] = self._rows

    def on_load_checkpoint(self, checkpoint: dict) -> None:
        """The history comes back."""
        self._rows = checkpoint["history"]


def checkpoint_folder(
    parent: Path, chips: ChipSet, config: TrainConfig, weights: Path | str | None = None
) -> Path:
    """Folder of the checkpoints of exactly this training: same chips, detector, settings and first
    weights.
    """
    if weights and not is_weights_name(str(weights)):
        weights = Path(weights).resolve()
    content = [
        asdict(chips.config),
        asdict(config) | {"n_jobs": None},
        [str(chip.image.resolve()) for chip in chips.chips],
        str(weights or ""),
    ]
    key = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return Path(parent) / key[:12]


def trainer_options(folder: Path, config: TrainConfig) -> dict[str, Any]:
    """Keyword arguments of a `lightning.Trainer` that keeps its last checkpoint in `folder`, where
    ``fit(ckpt_path="last")`` finds it, scores the validation chips when `config` says so, and is
    otherwise silent.
    """
    # Without `save_on_train_epoch_end` only epochs that end in a validation would be kept.
    keep = ModelCheckpoint(
        folder, "last", enable_version_counter=False, save_on_train_epoch_end=True
    )
    return {
        "callbacks": [keep],
        "default_root_dir": folder,
        "limit_val_batches": 1.0 if config.validate_every else 0,
        "check_val_every_n_epoch": max(1, config.validate_every),
        "num_sanity_val_steps": 0,
        "logger": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }


def train_detector(
    chips: ChipSet,
    config: TrainConfig,
    checkpoints: Path,
    *,
    validation: ChipSet | None = None,
    weights: Path | str | None = None,
    report: Callable[[str], None] | None = None,
    devices: int = 1,
    nodes: int = 1,
) -> tuple[torch.nn.Module, pd.DataFrame]:
    """Build and train a detector as chapter 02 does; an interrupted training goes on from its last
    whole epoch.

    Parameters
    ----------
    chips, validation, config, report
        As in `DetectorTraining`; the detector is that of ``chips.config``.
    checkpoints : Path
        Folder for checkpoints; the caller deletes it when the detector is stored.
    weights : Path or str, optional
        See `lsa_helpers.detect.weights.prepare_backbone`.
    devices, nodes : int
        GPUs (or processes, without one) of a machine, and machines. Each takes its share of every
        batch; gradients are averaged.

    Returns
    -------
    model : Module
        In evaluation mode, on the GPU if there is one.
    history : DataFrame
        As `DetectorTraining.history`.
    """
    report = report if first_process() else None
    folder = checkpoint_folder(checkpoints, chips, config, weights)
    with reproducible(config.seed, config.n_jobs):
        model = use_bfloat16(build_detector(chips.config, weights=weights))
        model = model.to(memory_format=torch.channels_last)
        training = DetectorTraining(model, config, chips, validation, report)
        trainer = lightning.Trainer(
            max_epochs=config.epochs,
            gradient_clip_val=10.0,
            devices=devices,
            num_nodes=nodes,
            strategy="ddp" if devices * nodes > 1 else "auto",
            **trainer_options(folder, config),
        )
        trainer.fit(training, ckpt_path="last", weights_only=True)
    return on_gpu(model.eval()), training.history  # Lightning leaves it on the processor


def first_process() -> bool:
    """Whether this is the one process of several that speaks and writes."""
    rank = os.environ.get("RANK", os.environ.get("SLURM_PROCID", os.environ.get("LOCAL_RANK", 0)))
    return int(rank) == 0
