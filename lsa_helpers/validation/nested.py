"""Nested tuning: a model's settings chosen by spatial folds inside the training rows, so that no
test row has a say.
"""

import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import loguniform
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import ParameterGrid, ParameterSampler

from lsa_helpers import models
from lsa_helpers.errors import InputError, StageError
from lsa_helpers.factors import FactorStack
from lsa_helpers.models.base import SusceptibilityModel
from lsa_helpers.validation.folds import kmeans_folds, strip_m, usable_splits

#: Model → setting → values or distribution; the SVM's are those of the published reference for
#: southern Ecuador.
SPACES: dict[str, dict[str, Any]] = {
    "svm": {"c": loguniform(2**-12, 2**15), "gamma": loguniform(2**-15, 2**6)},
    "rf": {
        "n_trees": [100, 300, 500],
        "max_features": ["sqrt", 0.3, 0.6, 1.0],
        "min_leaf": [1, 2, 5, 10, 20],
    },
    "xgboost": {
        "depth": [2, 3, 4, 6, 8],
        "eta": loguniform(0.01, 0.3),
        "rounds": [50, 100, 200, 400, 800],
        "subsample": [0.5, 0.8, 1.0],
    },
}


def tune(
    make: Callable[..., SusceptibilityModel],
    space: dict[str, Any],
    stack: FactorStack,
    samples: pd.DataFrame,
    *,
    draws: int,
    n_folds: int = 5,
    seed: int = 0,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Random search for the settings with the best mean AUC over spatial folds.

    Parameters
    ----------
    make : callable
        Gives an untrained model for keyword settings.
    space : dict
        Setting → list of values or distribution of scipy.
    stack, samples
        The factors, and the rows that may be looked at.
    draws : int
        Settings tried; where all are lists, at most as many as they combine to.
    n_folds : int
        k-means folds of the coordinates that keep landslides whole; those with one class are left
        out. Between them lies the strip that the model needs (`strip_m`), none for models of single
        cells.
    seed : int

    Returns
    -------
    best : dict
    tried : DataFrame
        The settings and their ``auc``.

    Raises
    ------
    StageError
        When no fold holds both classes.

    Notes
    -----
    Source: Bergstra & Bengio 2012, Random search for hyper-parameter optimization, JMLR 13; spatial
    folds inside as in Schratz et al. 2019, doi:10.1016/j.ecolmodel.2019.06.002.
    """
    folds, label = kmeans_folds(samples, n_folds=n_folds, seed=seed), samples["label"].to_numpy()
    if all(isinstance(values, list) for values in space.values()):
        draws = min(draws, len(ParameterGrid(space)))
    tried = []
    for settings in ParameterSampler(space, draws, random_state=seed):
        parts, areas = usable_splits(samples, folds, strip_m(make(**settings), stack)), []
        if not parts:
            raise StageError(
                f"nested tuning: none of {n_folds} spatial folds of {len(samples)} rows holds both classes; lower n_folds"
            )
        for train, test in parts:
            with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
                model = make(**settings).fit(stack, samples.iloc[train], seed)
            areas.append(roc_auc_score(label[test], model.predict(stack, samples.iloc[test])))
        tried.append(settings | {"auc": float(np.mean(areas))})
    table = pd.DataFrame(tried)
    return {name: tried[int(table["auc"].argmax())][name] for name in space}, table


class Nested:
    """A model that tunes itself on the rows it is given before it learns from them; otherwise it is
    that model.

    Parameters
    ----------
    make : callable
        Gives an untrained model for keyword settings.
    draws : int
        Settings tried.
    n_folds : int
        Inner spatial folds.

    Raises
    ------
    InputError
        When nothing of the model can be tuned.
    """

    def __init__(self, make: Callable[..., SusceptibilityModel], draws: int, n_folds: int = 5):
        self.make, self.draws, self.n_folds, plain = make, draws, n_folds, make()
        self.name, self.n_jobs, self.settings = plain.name, plain.n_jobs, plain.settings
        if self.name not in SPACES:
            raise InputError(
                f'the model "{self.name}" has no settings to tune', found=sorted(SPACES)
            )

    def fit(self, stack: FactorStack, samples: pd.DataFrame, seed: int) -> SusceptibilityModel:
        """Tune, then train with the best settings on all rows; gives the trained model, which knows
        how it was tuned.
        """
        make, search = (
            partial(self.make, n_jobs=self.n_jobs),
            {"draws": self.draws, "n_folds": self.n_folds},
        )
        best, _ = tune(make, SPACES[self.name], stack, samples, seed=seed, **search)
        model = make(**best).fit(stack, samples, seed)
        model.tuning = search | {"settings": self.settings}
        return model


def nested_makers(
    makers: dict[str, Callable[..., SusceptibilityModel]], draws: int, n_folds: int = 5
) -> dict[str, Callable[[], Any]]:
    """The makers of models, those that can be tuned with `Nested` around them; unchanged with 0
    draws.
    """
    return {
        name: partial(Nested, make, draws, n_folds) if draws and name in SPACES else make
        for name, make in makers.items()
    }


def remade(folder: Path, **changes) -> Callable[[], Any]:
    """A function that makes a saved model again untrained; one whose settings were searched for
    searches anew in the rows it is given.

    Parameters
    ----------
    folder : Path
        Where the model was saved.
    **changes
        Factors or settings that shall be others.

    Raises
    ------
    InputError
        When there is no model in the folder.
    """
    make, tuning = partial(models.untrained(folder), **changes), models.tuning(folder)
    return partial(Nested, make, tuning["draws"], tuning["n_folds"]) if tuning else make
