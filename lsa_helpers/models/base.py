"""What every susceptibility model has in common."""

import copy
import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from lsa_helpers.errors import InputError, StageError, did_you_mean
from lsa_helpers.factors import FactorStack
from lsa_helpers.models.area import check_area, describe_area
from lsa_helpers.run import whole_file
from lsa_helpers.samples import Encoder


class SusceptibilityModel(ABC):
    """A model that gives a cell's probability of being a landslide sample.

    Parameters
    ----------
    factors : sequence of str
        Factors to use; empty: all of the stack it is fitted on.
    n_jobs : int
        Processor cores.
    coding : dict, optional
        Factor → "continuous" (z-score), "circular" (sine and cosine of degrees) or "categorical"
        (one column per class) where it shall be coded otherwise than its kind in ``factors.json``
        says.
    **settings
        The model's own settings, by default `defaults`.

    Attributes
    ----------
    encoder : Encoder
        Fitted on the training rows by `fit`.
    learned_on : dict
        Cell size, units, kinds and classes of the factors it was fitted on; empty for a model saved
        before they were kept.
    tuning : dict or None
        Where the settings were searched for: ``draws, n_folds`` of the search and the ``settings``
        before it. It is saved, so that whoever trains the model again can search again, and no test
        row has a say.
    """

    name: ClassVar[str]
    defaults: ClassVar[dict[str, Any]] = {}
    tuning: dict[str, Any] | None = None

    def __init__(
        self,
        factors: Sequence[str] = (),
        n_jobs: int = 1,
        coding: dict[str, str] | None = None,
        **settings,
    ):
        unknown = set(settings) - set(self.defaults)
        if unknown:
            raise TypeError(
                f"{self.name} has no setting {sorted(unknown)}; it has {sorted(self.defaults)}"
            )
        self.factors, self.n_jobs, self.coding = tuple(factors), n_jobs, coding or {}
        self.settings = {**self.defaults, **settings}
        self.encoder: Encoder | None = None
        self.learned_on: dict = {}

    def fit(self, stack: FactorStack, samples: pd.DataFrame, seed: int) -> Self:
        """Train on the sample table; means, deviations and codes come from these rows only.

        Raises
        ------
        InputError
            When `coding` names a factor the stack has not.
        StageError
            When the rows hold one class only.
        """
        self._need_both_classes(samples["label"].nunique(), len(samples))
        self.encoder = Encoder.fit(samples, self._coded(stack), self.factors or stack.names)
        self.learned_on = describe_area(stack, self.encoder.factors)
        self._fit(stack, samples, seed)
        return self

    def on_one_core(self) -> Self:
        """The same trained model, limited to one core wherever it predicts; this one stays as it
        is.
        """
        one = copy.copy(self)
        one.n_jobs = 1
        return one

    def _need_both_classes(self, classes: int, rows: int) -> None:
        """Nothing is learned from rows of one class."""
        if classes < 2:
            raise StageError(
                f"{self.name}: the {rows} training rows hold one class only; use larger blocks or fewer folds"
            )

    def _coded(self, stack: FactorStack) -> dict[str, dict]:
        """The stack's `info` with the kinds that `coding` asks for."""
        for name in self.coding:
            if name not in stack.info:
                raise InputError(
                    f'there is no factor "{name}"',
                    where="parameter coding",
                    fix=did_you_mean(name, stack.info),
                )
        return {
            name: own | {"kind": self.coding.get(name, own["kind"])}
            for name, own in stack.info.items()
        }

    @abstractmethod
    def _fit(self, stack: FactorStack, samples: pd.DataFrame, seed: int) -> None:
        """Train on rows with both classes."""

    @abstractmethod
    def predict(self, stack: FactorStack, samples: pd.DataFrame) -> np.ndarray:
        """Probability in 0–1 of each row: float64 of shape (n,)."""

    @property
    def halo(self) -> int:
        """Cells around a cell, in each direction, that its probability depends on."""
        return 0

    @abstractmethod
    def map_values(
        self, stack: FactorStack, valid: np.ndarray, *, halo: bool = False
    ) -> np.ndarray:
        """Probability of every cell of `valid` (H, W); other cells may hold anything.

        Parameters
        ----------
        stack : FactorStack
            The model's factors.
        valid : ndarray of bool, shape (H, W)
        halo : bool
            Whether the stack is wider than `valid` by `self.halo` cells on each side; else its
            border is mirrored.
        """

    def predict_map(self, stack: FactorStack, where: np.ndarray | None = None) -> np.ndarray:
        """Map the probability.

        Parameters
        ----------
        stack : FactorStack
        where : ndarray of bool, shape (height, width), optional
            Cells wanted; all by default, and always all of a Dask array.

        Returns
        -------
        ndarray or dask.array.Array, shape (height, width)
            As the stack's values are; float32 in 0–1, NaN where one of the model's factors is
            unknown or the cell is not wanted.

        Raises
        ------
        InputError
            When a factor is missing or the area's numbers mean something else than where the model
            learned; see `check_area`.
        """
        stack = stack.select(list(self.encoder.factors))
        check_area(self.learned_on, self.halo, stack)
        if stack.lazy:
            from lsa_helpers.models.lazy import lazy_map

            return lazy_map(self, stack)
        valid = stack.valid if where is None else stack.valid & where
        return np.where(valid, self.map_values(stack, valid), np.nan).astype(np.float32)

    def save(self, folder: Path) -> Path:
        """Write ``config.json`` (name, settings, coding) and the trained weights into `folder`; no
        pickles.
        """
        config = {
            "name": self.name,
            "factors": self.factors,
            "n_jobs": self.n_jobs,
            "coding": self.coding,
            "settings": self.settings,
            "tuning": self.tuning,
            "encoder": self.encoder.factors,
            "learned_on": self.learned_on,
            **self._write(Path(folder)),
        }
        with whole_file(Path(folder) / "config.json") as part:
            part.write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
        return Path(folder)

    @classmethod
    def restore(cls, folder: Path, config: dict) -> Self:
        """Rebuild a saved model; use `lsa_helpers.models.load`."""
        model = cls(config["factors"], config["n_jobs"], config["coding"], **config["settings"])
        model.encoder, model.tuning = Encoder(config["encoder"]), config.get("tuning")
        model.learned_on = config.get("learned_on", {})
        model._read(folder, config)
        return model

    @abstractmethod
    def _write(self, folder: Path) -> dict:
        """Write the weights; return what else belongs into config.json."""

    @abstractmethod
    def _read(self, folder: Path, config: dict) -> None:
        """Read the weights."""


class TableModel(SusceptibilityModel):
    """A model that sees one cell at a time, as a row of coded factors."""

    def _fit(self, stack, samples, seed):
        self._fit_rows(self.encoder.table(samples), samples["label"].to_numpy(), seed)

    @abstractmethod
    def _fit_rows(self, X: np.ndarray, y: np.ndarray, seed: int) -> None:
        """Train on coded rows (n, columns) and labels 0 or 1."""

    @abstractmethod
    def predict_rows(self, X: np.ndarray) -> np.ndarray:
        """Probability of each coded row (n, columns)."""

    def predict(self, stack, samples):
        return self.predict_rows(self.encoder.table(samples)).astype(np.float64)

    def map_values(self, stack, valid, *, halo=False, block: int = 1 << 17):
        out = np.full(valid.shape, np.nan)
        rows, cols = np.nonzero(valid)
        for start in range(0, len(rows), block):
            part = rows[start : start + block], cols[start : start + block]
            table = pd.DataFrame(
                {name: stack.values[i][part] for i, name in enumerate(stack.names)}
            )
            out[part] = self.predict_rows(self.encoder.table(table))
        return out
