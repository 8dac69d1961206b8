"""The window CNN behind scikit-learn's interface."""

from typing import Self

import numpy as np
import pandas as pd
import torch
import xarray as xr
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from torch import nn

from lsa_helpers.cnn.network import dense_logits, device, window_network
from lsa_helpers.raster import at_cells, cell_size, rowcol
from lsa_helpers.reproducible import reproducible
from lsa_helpers.samples import factor_coder
from lsa_helpers.validation import beyond_buffer


class WindowCNN(ClassifierMixin, BaseEstimator):
    """Convolutional network on square windows of coded factors, behind scikit-learn's interface.

    Several networks are trained from different starts; the ensemble is the sigmoid of their mean
    logit. Each sets one spatial fold of its training rows aside to stop early, with a strip as wide
    as the window around it, a different one per network. Unknown cells inside a window count as
    the mean (0 after coding), and values more than 5 standard deviations from the training mean as
    5: one spike would decide its whole window.

    Parameters
    ----------
    factors : Dataset, dims (y, x)
        What the windows are cut from; the rows given to `fit` and `predict_proba` only say where.
        `sklearn.base.clone` shares it, copies nothing.
    window : int
        Edge in cells, odd; beyond the border the raster is mirrored.
    n_networks : int
    epochs, patience : int
        Most passes over the rows; epochs without improvement before early stopping.
    batch_size : int
    learning_rate, weight_decay : float
        Of AdamW, with a cosine schedule.
    coding : mapping, optional
        See `lsa_helpers.samples.factor_coder`.
    random_state : int
    bf16 : bool
        Whether maps multiply in bfloat16; `lsa_helpers.models.bf16_error` says what it costs.

    Attributes
    ----------
    coder_ : FactorCoder
        Fitted on the training rows.
    networks_ : list of nn.Sequential
        In evaluation mode, windows → logits.
    history_ : list of dict
        ``network, epoch, train_loss, stop_loss`` of every epoch.
    """

    def __init__(
        self,
        factors: xr.Dataset | None = None,
        window: int = 15,
        n_networks: int = 5,
        epochs: int = 100,
        patience: int = 10,
        batch_size: int = 64,
        learning_rate: float = 1e-3,
        weight_decay: float = 1e-4,
        coding: dict[str, str] | None = None,
        random_state: int = 0,
        bf16: bool = False,
    ):
        self.factors = factors
        self.window = window
        self.n_networks = n_networks
        self.epochs = epochs
        self.patience = patience
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.coding = coding
        self.random_state = random_state
        self.bf16 = bf16

    def __sklearn_clone__(self) -> Self:
        return type(self)(**self.get_params(deep=False))

    @property
    def halo(self) -> int:
        """Cells around a cell, in each direction, that its probability depends on."""
        return self.window // 2

    def fit(self, X: pd.DataFrame, y) -> Self:
        """Train on rows with ``x, y`` (m), ``fold`` and the factors; these rows alone decide means,
        deviations and classes of the coding.

        Raises
        ------
        InputError, StageError
            As `lsa_helpers.samples.FactorCoder` does.
        """
        self.classes_ = np.array([0, 1])
        self.coder_ = factor_coder(self.factors, coding=self.coding).fit(X, y)
        windows = torch.from_numpy(self.windows(X)).contiguous(memory_format=torch.channels_last)
        windows = windows.to(device())
        labels = torch.from_numpy(np.asarray(y, np.float32)).to(device())
        self.networks_, self.history_ = [], []
        seeds = np.random.SeedSequence(self.random_state).generate_state(self.n_networks)
        for number, seed in enumerate(seeds):
            train, stop = _stopping_split(X, y, number, self.window * cell_size(self.factors))
            # Steps on 64 small windows are too short to share: threads would wait for each other.
            with reproducible(int(seed), 1):
                self._train(windows, labels, train, stop, number)
        return self

    def _train(self, windows, labels, train, stop, number: int) -> None:
        """Train one network; keep the weights of the epoch with the lowest loss on the rows set
        aside.
        """
        network = window_network(windows.shape[1], self.window)
        network = network.to(windows.device, memory_format=torch.channels_last)
        optimizer = torch.optim.AdamW(
            network.parameters(), self.learning_rate, weight_decay=self.weight_decay
        )
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, self.epochs)
        train = torch.from_numpy(train).to(windows.device)
        best, best_epoch, kept = np.inf, 0, None
        for epoch in range(self.epochs):
            loss = _epoch(network, optimizer, windows, labels, train, self.batch_size)
            schedule.step()
            held_out = _loss(network, windows[stop], labels[stop]) if len(stop) else loss
            losses = {"train_loss": loss, "stop_loss": held_out}
            self.history_.append({"network": number, "epoch": epoch} | losses)
            if held_out < best:
                best, best_epoch = held_out, epoch
                kept = {key: value.clone() for key, value in network.state_dict().items()}
            elif epoch - best_epoch >= self.patience:
                break
        network.load_state_dict(kept)
        self.networks_.append(network.to("cpu", memory_format=torch.contiguous_format).eval())

    def decision_function(self, X: pd.DataFrame) -> np.ndarray:
        """Log-odds of a landslide at rows with ``x, y`` (m): float64 (n,), the mean over networks.

        This is the one output of the ensemble: probabilities, maps and explanations are all of it.
        """
        windows = torch.from_numpy(self.windows(X))
        with reproducible(0, 1):
            logits = [_logits(network, windows).numpy() for network in self.networks_]
        return np.mean(logits, axis=0, dtype=np.float64)

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """Probabilities of no landslide and of one at rows with ``x, y`` (m): (n, 2)."""
        probability = expit(self.decision_function(X))
        return np.column_stack([1 - probability, probability])

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """1 where the probability of a landslide is at least 0.5, else 0: int (n,)."""
        return (self.predict_proba(X)[:, 1] >= 0.5).astype(int)

    def embedding(self, X: pd.DataFrame, batch: int = 1000) -> np.ndarray:
        """What the last layer of each network sees at rows with ``x, y`` (m): float32 (n, 64 times
        the networks), so many windows at once.

        The networks tell cells apart by these numbers and by nothing else.
        """
        parts = []
        with reproducible(0, 1), torch.inference_mode():
            for start in range(0, len(X), batch):
                windows = torch.from_numpy(self.windows(X.iloc[start : start + batch]))
                # Without dropout, the last layer and what flattens its number.
                seen = [network[:-3](windows).flatten(1).numpy() for network in self.networks_]
                parts.append(np.hstack(seen))
        return np.concatenate(parts)

    def windows(self, X: pd.DataFrame) -> np.ndarray:
        """The coded windows around rows with ``x, y`` (m): float32 of shape (n, columns, window,
        window).
        """
        around, shape = np.arange(self.window), (self.factors.sizes["y"], self.factors.sizes["x"])
        rows, cols = (
            np.pad(np.arange(size), self.halo, mode="reflect")[place[:, None] + around]
            for size, place in zip(shape, rowcol(self.factors, X["x"], X["y"]), strict=True)
        )
        # Windows overlap: each of their cells is read and coded once.
        flat = rows[:, :, None] * shape[1] + cols[:, None, :]
        cells, inverse = np.unique(flat, return_inverse=True)
        values = at_cells(self.factors[self.coder_.factors], *np.divmod(cells, shape[1]))
        coded = self.code(values.to_dataarray("band").values[:, None])[0]
        return np.ascontiguousarray(coded[inverse.reshape(flat.shape)].transpose(0, 3, 1, 2))

    def map_block(self, values: np.ndarray) -> np.ndarray:
        """Probability at every cell of a raster: float64 (height, width).

        Parameters
        ----------
        values : ndarray, shape (factors, height + 2 halo, width + 2 halo)
            Raw factors in the order of `coder_`, NaN where unknown.
        """
        coded = self.code(values)
        logits = [dense_logits(net, coded, self.window, bf16=self.bf16) for net in self.networks_]
        return expit(np.mean(logits, axis=0, dtype=np.float64))

    def code(self, values: np.ndarray) -> np.ndarray:
        """Raw factors (factors, height, width) → float32 (height, width, columns) without NaN."""
        table = pd.DataFrame(values.reshape(len(values), -1).T, columns=self.coder_.factors)
        coded = self.coder_.transform(table).astype(np.float32).reshape(*values.shape[1:], -1)
        return np.clip(np.nan_to_num(coded, copy=False), -5, 5, out=coded)


def pad_reflect(raster: np.ndarray, cells: int) -> np.ndarray:
    """Mirror a raster (bands, height, width) outwards by so many cells."""
    return np.pad(raster, ((0, 0), (cells, cells), (cells, cells)), mode="reflect")


def _stopping_split(X: pd.DataFrame, y, number: int, buffer_m: float):
    """Rows to train on, and those of one spatial fold to stop early on.

    A strip of `buffer_m` between them is in neither. Where no fold can be set aside so that both
    parts hold both classes, all rows train and none stops.
    """
    place, fold, label = X[["x", "y"]].to_numpy(float), X["fold"].to_numpy(), np.asarray(y)
    splits = []
    for index in np.unique(fold):
        stop = np.flatnonzero(fold == index)
        train = beyond_buffer(place, np.flatnonzero(fold != index), stop, buffer_m)
        if len(set(label[stop])) == 2 == len(set(label[train])):
            splits.append((train, stop))
    everything = np.arange(len(label)), np.array([], int)
    return splits[number % len(splits)] if splits else everything


def _epoch(network, optimizer, windows, labels, train, batch_size: int) -> float:
    """One pass over the training rows in random order; the mean loss."""
    network.train()
    total = 0.0
    order = train[torch.randperm(len(train)).to(train.device)]
    for rows in order.split(batch_size):
        # A batch of one row has no variance for BatchNorm.
        if len(rows) < 2:
            continue
        logits = network(windows[rows])[:, 0]
        loss = nn.functional.binary_cross_entropy_with_logits(logits, labels[rows])
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
