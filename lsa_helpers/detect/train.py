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

import lightning.pytorch as pl
import numpy as np
import pandas as pd
import torch
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from torch.utils.data import DataLoader, DistributedSampler
from torchvision.models.detection import MaskRCNN

from lsa_helpers.detect.dataset import ChipSet, collate
from lsa_helpers.detect.model import build_detector, on_gpu, set_bfloat16
from lsa_helpers.detect.muon import MuonAdamW
from lsa_helpers.reproducible import reproducible
from lsa_helpers.detect.score import Scores, predict
from lsa_helpers.runner.params import is_weights_name


@dataclass(frozen=True)
class TrainConfig:
    """How a detector is trained.

    Parameters
    ----------
    optimizer : {"adamw", "sgd", "muon"}
    epochs, batch_size : int
    learning_rate, final_learning_rate : float
        At the first and after the last update.
    schedule : {"cosine", "linear"}
        How it falls: Loshchilov & Hutter (2017), arXiv:1608.03983, as in the paper; or Defazio et
        al. (2023), arXiv:2310.07831.
    weight_decay : float
    muon_width : int
        Layers of up to so many channels are stepped by Muon, wider ones by AdamW.
    validate_every : int
        Epochs between scores on the validation chips; 0: never.
    patience : int
        Scores without a better one after which the training stops; 0: it never stops early. The
        weights are those of the last epoch.
    seed : int
    n_jobs : int
        Processor cores.
    bf16 : bool
        Backbone in bfloat16 where the hardware multiplies so; elsewhere float32.
    """

    optimizer: str = "adamw"
    epochs: int = 10
    batch_size: int = 4
    learning_rate: float = 1e-3
    final_learning_rate: float = 5e-6
    schedule: str = "cosine"
    weight_decay: float = 0.05
    muon_width: int = 256
    validate_every: int = 0
    patience: int = 0
    seed: int = 0
    n_jobs: int = 2
    bf16: bool = True


class _Training(pl.LightningModule):
    """The detector, its chips, its optimizer and the history of its losses."""

    def __init__(
        self,
        model: MaskRCNN,
        config: TrainConfig,
        chips: ChipSet,
        validation: ChipSet | None,
        report: Callable[[str], None],
    ):
        super().__init__()
        self.model, self.config, self.chips, self.validation, self.report = (
            model,
            config,
            chips,
            validation,
            report,
        )
        self.history: list[dict] = []
        self._ap50 = float("nan")

    def train_dataloader(self) -> DataLoader:
        config, share = self.config, max(1, self.trainer.world_size)
        sampler = DistributedSampler(
            self.chips,
            num_replicas=share,
            rank=self.trainer.global_rank,
            shuffle=True,
            seed=config.seed,
        )
        # A generator of its own: the loader then draws nothing from the numbers that a resumed
        # epoch must repeat.
        own = torch.Generator().manual_seed(config.seed)
        size = max(1, config.batch_size // share)
        return DataLoader(
            self.chips,
            size,
            sampler=sampler,
            collate_fn=collate,
            num_workers=self._workers,
            generator=own,
        )

    def val_dataloader(self) -> DataLoader:
        return DataLoader(
            self.validation, self.config.batch_size, collate_fn=collate, num_workers=self._workers
        )

    @property
    def _workers(self) -> int:
        return self.config.n_jobs if torch.cuda.is_available() else 0

    def on_train_epoch_start(self) -> None:
        # Seeding every epoch anew makes a resumed training equal to an uninterrupted one.
        torch.manual_seed(
            self.config.seed * 10_007
            + self.current_epoch * self.trainer.world_size
            + self.global_rank
        )
        self._losses, self._begun, self._ap50 = [], time.perf_counter(), float("nan")

    def training_step(self, batch: tuple[list, list], _) -> torch.Tensor:
        losses = self.model(*batch)
        self._losses.append({name: value.detach().float() for name, value in losses.items()})
        return sum(losses.values())

    def on_validation_epoch_start(self) -> None:
        self._scores = Scores()

    def validation_step(self, batch: tuple[list, list], _) -> None:
        images, truths = batch
        for found, truth in zip(predict(self.model, images, views=1), truths, strict=True):
            self._scores.add(found, {name: value.cpu() for name, value in truth.items()})

    def on_validation_epoch_end(self) -> None:
        self._ap50 = np.nan_to_num(self._scores.row()["AP50_segm"])
        self.log("val_ap50", torch.tensor(self._ap50, dtype=torch.float32), sync_dist=True)

    def on_train_epoch_end(self) -> None:
        means = {
            name: float(torch.stack([step[name] for step in self._losses]).mean())
            for name in self._losses[0]
        }
        rate = self.optimizers().param_groups[0]["lr"]
        row = {
            "epoch": self.current_epoch + 1,
            "learning_rate": rate,
            "loss": sum(means.values()),
        } | means
        self.history.append(
            row | ({"val_ap50": float(self._ap50)} if self.config.validate_every else {})
        )
        seconds, scored = (
            time.perf_counter() - self._begun,
            "" if np.isnan(self._ap50) else f", validation AP50 {self._ap50:.1f} %",
        )
        self.report(
            f"epoch {row['epoch']}/{self.config.epochs}: loss {row['loss']:.3f}{scored}, {seconds:.0f} s"
        )

    def on_save_checkpoint(self, checkpoint: dict) -> None:
        checkpoint["history"] = self.history

    def on_load_checkpoint(self, checkpoint: dict) -> None:
        self.history = checkpoint["history"]

    def configure_optimizers(self) -> dict:
        config, steps = self.config, int(self.trainer.estimated_stepping_batches)
        kind, extra = {
            "sgd": (torch.optim.SGD, {"momentum": 0.9}),
            "adamw": (torch.optim.AdamW, {}),
            "muon": (MuonAdamW, {"widest": config.muon_width}),
        }[config.optimizer]
        optimizer = kind(
            self.parameters(),
            config.learning_rate,
            weight_decay=config.weight_decay,
            fused=True,
            **extra,
        )
        last, schedules = config.final_learning_rate, torch.optim.lr_scheduler
        falling = {
            "cosine": lambda: schedules.CosineAnnealingLR(optimizer, steps, eta_min=last),
            "linear": lambda: schedules.LinearLR(
                optimizer, 1.0, last / config.learning_rate, steps
            ),
        }[config.schedule]()
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": falling, "interval": "step"}}


def checkpoint_folder(
    parent: Path, chips: ChipSet, config: TrainConfig, weights: Path | str | None = None
) -> Path:
    """Folder of the checkpoints of exactly this training: same chips, detector, settings and first
    weights.
    """
    local = weights and not is_weights_name(str(weights))
    first = str(Path(weights).resolve() if local else weights)
    content = [
        asdict(chips.config),
        asdict(config) | {"n_jobs": None},
        [str(chip.image.resolve()) for chip in chips.chips],
        first,
    ]
    return (
        Path(parent) / hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]
    )


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
) -> tuple[MaskRCNN, pd.DataFrame]:
    """Train a detector; an interrupted training goes on from its last whole epoch.

    Parameters
    ----------
    chips : ChipSet
        Training chips with their augmentation.
    config : TrainConfig
    checkpoints : Path
        Folder for checkpoints; the caller deletes it when the detector is stored.
    validation : ChipSet, optional
        Chips scored while training; needed when `config.validate_every` is above 0.
    weights : Path or str, optional
        Weights of the backbone: a local file, or a name to download.
    report : callable, optional
        Called with one line after every epoch.
    devices, nodes : int
        GPUs (or processes, without one) of a machine, and machines. Each takes its share of every
        batch; gradients are averaged.

    Returns
    -------
    model : MaskRCNN
        In evaluation mode, on the GPU if there is one.
    history : DataFrame
        epoch, learning_rate, loss and its parts (dimensionless), and val_ap50 (mask AP50 in per
        cent, NaN where not scored), one row per epoch.
    """
    folder = checkpoint_folder(checkpoints, chips, config, weights)
    last = folder / "last.ckpt"
    with reproducible(config.seed, config.n_jobs):
        model = set_bfloat16(build_detector(chips.config, weights=weights), config.bf16).to(
            memory_format=torch.channels_last
        )
        tell = report if report and first_process() else (lambda line: None)
        module = _Training(
            model, config, chips, validation if config.validate_every else None, tell
        )
        callbacks = [ModelCheckpoint(folder, "last", enable_version_counter=False)]
        if config.validate_every and config.patience:
            callbacks.append(
                EarlyStopping(
                    "val_ap50", mode="max", patience=config.patience, check_on_train_epoch_end=False
                )
            )
        trainer = pl.Trainer(
            max_epochs=config.epochs,
            gradient_clip_val=10.0,
            default_root_dir=folder,
            callbacks=callbacks,
            devices=devices,
            num_nodes=nodes,
            strategy="ddp" if devices * nodes > 1 else "auto",
            limit_val_batches=1.0 if config.validate_every else 0,
            check_val_every_n_epoch=max(1, config.validate_every),
            num_sanity_val_steps=0,
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(module, ckpt_path=last if last.exists() else None, weights_only=True)
    return on_gpu(module.model.eval()), pd.DataFrame(
        module.history
    )  # Lightning leaves it on the processor


def first_process() -> bool:
    """Whether this is the one process of several that speaks and writes."""
    return (
        int(os.environ.get("RANK", os.environ.get("SLURM_PROCID", os.environ.get("LOCAL_RANK", 0))))
        == 0
    )
