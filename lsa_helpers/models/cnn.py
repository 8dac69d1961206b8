"""Window CNN (PyTorch): trained on windows, evaluated densely, stored as safetensors."""

from contextlib import contextmanager, nullcontext

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from scipy.special import expit
from torch import nn

from lsa_helpers.dense import dense_logits, window_network
from lsa_helpers.models.base import SusceptibilityModel
from lsa_helpers.run import whole_file
from lsa_helpers.samples import extract_windows


class WindowCNN(SusceptibilityModel):
    """Convolutional network on square windows of coded factors; mean probability of several seeds.

    Each member sets one spatial fold of its training rows aside to stop early, a different one per
    seed. Unknown cells inside a window count as the mean (0 after coding).

    Attributes
    ----------
    networks : list of nn.Sequential
        One per seed, in evaluation mode, windows → logits.
    history : list of dict
        ``member, epoch, train_loss, stop_loss`` of every epoch.
    bf16 : bool
        Whether maps multiply in bfloat16; set it after loading.
        `lsa_helpers.models.lazy.bf16_error` says what it costs.
    """

    name = "cnn"
    bf16 = False
    defaults = {
        "window": 15,
        "seeds": 5,
        "epochs": 100,
        "patience": 10,
        "batch": 64,
        "learning_rate": 1e-3,
        "weight_decay": 1e-4,
    }

    def _fit(self, stack, samples, seed):
        rows, cols = stack.grid.rowcol(samples["x"], samples["y"])
        windows = torch.from_numpy(
            extract_windows(self.encode(stack), rows, cols, self.settings["window"])
        )
        windows = windows.contiguous(memory_format=torch.channels_last).to(_device())
        labels = torch.from_numpy(samples["label"].to_numpy().astype(np.float32)).to(_device())
        self.networks, self.history = [], []
        for member, child in enumerate(
            np.random.SeedSequence(seed).generate_state(self.settings["seeds"])
        ):
            stop = _stop_rows(samples, member)
            # Steps on 64 small windows are too short to share: threads would wait for each other.
            with _calm(int(child), 1):
                self._train(windows, labels, torch.from_numpy(stop).to(_device()), member)

    def _train(self, windows, labels, stop, member) -> None:
        """Train one network; keep the weights of the epoch with the lowest loss on the rows set
        aside.
        """
        own = self.settings
        network = window_network(windows.shape[1], own["window"]).to(
            windows.device, memory_format=torch.channels_last
        )
        optimizer = torch.optim.AdamW(
            network.parameters(), own["learning_rate"], weight_decay=own["weight_decay"]
        )
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, own["epochs"])
        train = torch.nonzero(~stop).ravel()
        best, best_epoch, kept = np.inf, 0, None
        for epoch in range(own["epochs"]):
            loss = _epoch(network, optimizer, windows, labels, train, own["batch"])
            schedule.step()
            held_out = _loss(network, windows[stop], labels[stop]) if stop.any() else loss
            self.history.append(
                {"member": member, "epoch": epoch, "train_loss": loss, "stop_loss": held_out}
            )
            if held_out < best:
                best, best_epoch, kept = (
                    held_out,
                    epoch,
                    {key: value.clone() for key, value in network.state_dict().items()},
                )
            elif epoch - best_epoch >= own["patience"]:
                break
        network.load_state_dict(kept)
        self.networks.append(network.to("cpu", memory_format=torch.contiguous_format).eval())

    def encode(self, stack) -> np.ndarray:
        """Code the stack for the windows: float32 of shape (columns, height, width), unknown cells
        0.

        Values more than 5 standard deviations from the training mean count as 5: one spike would
        decide its whole window.
        """
        return np.clip(np.nan_to_num(self.encoder.stack(stack), copy=False), -5, 5)

    def predict(self, stack, samples):
        rows, cols = stack.grid.rowcol(samples["x"], samples["y"])
        windows = torch.from_numpy(
            extract_windows(self.encode(stack), rows, cols, self.settings["window"])
        )
        with _calm(0, self.n_jobs):
            return np.mean(
                [
                    expit(_logits(network, windows).numpy().astype(np.float64))
                    for network in self.networks
                ],
                axis=0,
            )

    @property
    def halo(self) -> int:
        """Half of the window."""
        return self.settings["window"] // 2

    def map_values(self, stack, valid, *, halo=False):
        encoded, how = (
            self.encode(stack),
            {
                "window": self.settings["window"],
                "device": _device(),
                "padded": halo,
                "bf16": self.bf16,
            },
        )
        mean = np.zeros(valid.shape)
        # A block of a larger raster runs beside others, so it leaves the threads alone.
        with nullcontext() if halo else _calm(0, self.n_jobs):
            for network in self.networks:
                mean += expit(dense_logits(network, encoded, **how)) / len(self.networks)
        return mean

    def _write(self, folder):
        weights = {
            f"{i}.{key}": value.contiguous()
            for i, net in enumerate(self.networks)
            for key, value in net.state_dict().items()
        }
        with whole_file(folder / "weights.safetensors") as part:
            save_file(weights, part)
        return {"columns": list(self.encoder.columns)}

    def _read(self, folder, config):
        weights = load_file(folder / "weights.safetensors")
        self.networks, self.history = [], []
        for i in range(self.settings["seeds"]):
            network = window_network(len(config["columns"]), self.settings["window"])
            network.load_state_dict(
                {
                    key.partition(".")[2]: value
                    for key, value in weights.items()
                    if key.partition(".")[0] == str(i)
                }
            )
            self.networks.append(network.eval())


def _device() -> str:
    """The device networks run on."""
    return "cuda" if torch.cuda.is_available() else "cpu"


@contextmanager
def _calm(seed: int, n_jobs: int):
    """Seeded and with so many threads inside, as before outside."""
    threads = torch.get_num_threads()
    torch.set_num_threads(n_jobs)
    try:
        with (
            torch.random.fork_rng(),
            torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True),
        ):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)


def _stop_rows(samples, member: int) -> np.ndarray:
    """Rows of one spatial fold, to stop early on; none when the rest or the fold would hold one
    class only.
    """
    folds, label = samples["fold"].to_numpy(), samples["label"].to_numpy()
    usable = [
        fold
        for fold in np.unique(folds)
        if len(set(label[folds == fold])) == 2 == len(set(label[folds != fold]))
    ]
    return folds == usable[member % len(usable)] if usable else np.zeros(len(samples), dtype=bool)


def _epoch(network, optimizer, windows, labels, train, batch) -> float:
    """One pass over the training rows in random order; the mean loss."""
    network.train()
    total = 0.0
    order = train[torch.randperm(len(train)).to(train.device)]
    for rows in order.split(batch):
        # A batch of one row has no variance for BatchNorm.
        if len(rows) < 2:
            continue
        loss = nn.functional.binary_cross_entropy_with_logits(
            network(windows[rows])[:, 0], labels[rows]
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += float(loss.detach()) * len(rows)
    return total / len(train)


def _logits(network, windows, batch: int = 1024) -> torch.Tensor:
    """Logits (n,) of windows in evaluation mode."""
    network.eval()
    with torch.inference_mode():
        return torch.cat([network(part)[:, 0] for part in windows.split(batch)])


def _loss(network, windows, labels) -> float:
    """Cross-entropy of windows in evaluation mode."""
    return float(nn.functional.binary_cross_entropy_with_logits(_logits(network, windows), labels))
