"""Training the detector with Lightning: cosine annealing, a checkpoint after every epoch, resume."""

import hashlib
import json
import logging
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import lightning.pytorch as pl
import pandas as pd
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch.utils.data import DataLoader, DistributedSampler
from torchvision.models.detection import MaskRCNN

from lsa_helpers.detect.dataset import ChipSet, collate
from lsa_helpers.detect.model import build_detector, set_bfloat16


@dataclass(frozen=True)
class TrainConfig:
    """How a detector is trained.

    Parameters
    ----------
    optimizer : {"adamw", "sgd"}
    epochs, batch_size : int
    learning_rate, final_learning_rate : float
        Ends of the cosine (Loshchilov & Hutter 2017, arXiv:1608.03983).
    weight_decay : float
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
    weight_decay: float = 0.05
    seed: int = 0
    n_jobs: int = 2
    bf16: bool = True


class _Training(pl.LightningModule):
    """The detector, its optimizer and the history of its losses."""

    def __init__(self, model: MaskRCNN, config: TrainConfig, report: Callable[[str], None]):
        super().__init__()
        self.model, self.config, self.report = model, config, report
        self.history: list[dict] = []

    def on_train_epoch_start(self) -> None:
        # Seeding every epoch anew makes a resumed training equal to an uninterrupted one.
        torch.manual_seed(self.config.seed * 10_007 + self.current_epoch)
        self._losses, self._begun = [], time.perf_counter()

    def training_step(self, batch: tuple[list, list], _) -> torch.Tensor:
        losses = self.model(*batch)
        self._losses.append({name: value.detach().float() for name, value in losses.items()})
        return sum(losses.values())

    def on_train_epoch_end(self) -> None:
        means = {name: float(torch.stack([step[name] for step in self._losses]).mean()) for name in self._losses[0]}
        rate = self.optimizers().param_groups[0]["lr"]
        row = {"epoch": self.current_epoch + 1, "learning_rate": rate, "loss": sum(means.values())} | means
        self.history.append(row)
        seconds = time.perf_counter() - self._begun
        self.report(f"epoch {row['epoch']}/{self.config.epochs}: loss {row['loss']:.3f}, {seconds:.0f} s")

    def on_save_checkpoint(self, checkpoint: dict) -> None:
        checkpoint["history"] = self.history

    def on_load_checkpoint(self, checkpoint: dict) -> None:
        self.history = checkpoint["history"]

    def configure_optimizers(self) -> dict:
        config, steps = self.config, int(self.trainer.estimated_stepping_batches)
        kind, extra = (torch.optim.SGD, {"momentum": 0.9}) if config.optimizer == "sgd" else (torch.optim.AdamW, {})
        optimizer = kind(self.parameters(), config.learning_rate, weight_decay=config.weight_decay, fused=True, **extra)
        cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, eta_min=config.final_learning_rate)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": cosine, "interval": "step"}}


@contextmanager
def quiet_torch(seed: int, n_jobs: int) -> Iterator[None]:
    """Seeded, repeatable torch on `n_jobs` cores inside the block, the caller's state again after it; Lightning's notices silenced."""
    threads, logger = torch.get_num_threads(), logging.getLogger("lightning.pytorch")
    strict, mild = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    level, fill = logger.level, torch.utils.deterministic.fill_uninitialized_memory
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logger.setLevel(logging.ERROR)
        torch.manual_seed(seed)
        torch.set_num_threads(n_jobs)
        # Sums of gradients from several cores otherwise depend on which one is first; a GPU may lack a repeatable way and only warns.
        torch.use_deterministic_algorithms(True, warn_only=True)
        # Repeatable sums do not need every new array filled with NaN first, which takes a sixth of a training step.
        torch.utils.deterministic.fill_uninitialized_memory = False
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(strict, warn_only=mild)
            torch.utils.deterministic.fill_uninitialized_memory = fill
            torch.set_num_threads(threads)
            logger.setLevel(level)


def checkpoint_folder(parent: Path, chips: ChipSet, config: TrainConfig) -> Path:
    """Folder of the checkpoints of exactly this training: same chips, detector and settings."""
    content = [asdict(chips.config), asdict(config) | {"n_jobs": None}, [str(chip.image) for chip in chips.chips]]
    return Path(parent) / hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def train_detector(
    chips: ChipSet, config: TrainConfig, checkpoints: Path, *, weights: Path | None = None, report: Callable[[str], None] | None = None
) -> tuple[MaskRCNN, pd.DataFrame]:
    """Train a detector; an interrupted training goes on from its last whole epoch.

    Parameters
    ----------
    chips : ChipSet
        Training chips with their augmentation.
    config : TrainConfig
    checkpoints : Path
        Folder for checkpoints; the caller deletes it when the detector is stored.
    weights : Path, optional
        Local weights of the backbone.
    report : callable, optional
        Called with one line after every epoch.

    Returns
    -------
    model : MaskRCNN
        In evaluation mode.
    history : DataFrame
        epoch, learning_rate, loss and its five parts (dimensionless), one row per epoch.
    """
    folder = checkpoint_folder(checkpoints, chips, config)
    last = folder / "last.ckpt"
    with quiet_torch(config.seed, config.n_jobs):
        model = set_bfloat16(build_detector(chips.config, weights=weights), config.bf16).to(memory_format=torch.channels_last)
        module = _Training(model, config, report or (lambda line: None))
        sampler = DistributedSampler(chips, num_replicas=1, rank=0, shuffle=True, seed=config.seed)
        workers = config.n_jobs if torch.cuda.is_available() else 0
        # A generator of its own: the loader then draws nothing from the numbers that a resumed epoch must repeat.
        own = torch.Generator().manual_seed(config.seed)
        loader = DataLoader(chips, config.batch_size, sampler=sampler, collate_fn=collate, num_workers=workers, generator=own)
        trainer = pl.Trainer(
            max_epochs=config.epochs, gradient_clip_val=10.0, default_root_dir=folder,
            callbacks=[ModelCheckpoint(folder, "last", enable_version_counter=False)],
            logger=False, enable_progress_bar=False, enable_model_summary=False,
        )  # fmt: skip
        trainer.fit(module, loader, ckpt_path=last if last.exists() else None, weights_only=True)
    return module.model.eval(), pd.DataFrame(module.history)
