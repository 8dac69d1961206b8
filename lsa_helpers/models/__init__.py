"""The susceptibility models behind one face: `fit`, `predict`, `predict_map`, `save`, and `load`
here. Nothing heavy is imported.
"""

import json
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path

from lsa_helpers.errors import InputError, did_you_mean
from lsa_helpers.models.base import SusceptibilityModel
from lsa_helpers.runner.params import SusceptibilityParams

#: Name of a model → the module and class that is it.
MODELS = {
    "cnn": ("cnn", "WindowCNN"),
    "rf": ("forest", "Forest"),
    "xgboost": ("boost", "Boost"),
    "logistic": ("logistic", "Logistic"),
    "svm": ("svm", "SupportVector"),
}


def _class(name: str) -> type[SusceptibilityModel]:
    """The class of a model's name."""
    if name not in MODELS:
        raise InputError(f'no model is called "{name}"', fix=did_you_mean(name, MODELS))
    module, cls = MODELS[name]
    return getattr(import_module(f"lsa_helpers.models.{module}"), cls)


def make(name: str, **settings) -> SusceptibilityModel:
    """Make an untrained model.

    Parameters
    ----------
    name : {"cnn", "rf", "xgboost", "logistic", "svm"}
    **settings
        Of the model's class, for example ``n_trees=500``; each has the default of the assumption
        register.

    Raises
    ------
    InputError
        For an unknown name.
    """
    return _class(name)(**settings)


def makers(
    p: SusceptibilityParams, selected: Sequence[str]
) -> dict[str, Callable[[], SusceptibilityModel]]:
    """For each model of the chapter's parameters a function that makes it untrained.

    Parameters
    ----------
    p : SusceptibilityParams
    selected : sequence of str
        The factors of chapter 04; the logistic regression may have its own (``logistic_factors``).
    """
    own = {"logistic": p.logistic_factors or selected}
    return {
        name: partial(make, name, factors=own.get(name, selected), **p.settings(name))
        for name in p.models
    }


def untrained(folder: Path) -> Callable[..., SusceptibilityModel]:
    """A function that makes a saved model again untrained, with its factors and settings; keyword
    arguments change them.

    Settings that a search found in the training rows are not kept, since those rows may be test
    rows now: the model gets the settings it had before the search. `lsa_helpers.validation.remade`
    searches anew.

    Raises
    ------
    InputError
        When there is no model in the folder.
    """
    config = _config(folder)
    settings = (config.get("tuning") or config)["settings"]
    return partial(
        make,
        config["name"],
        factors=config["factors"],
        n_jobs=config["n_jobs"],
        coding=config["coding"],
        **settings,
    )


def tuning(folder: Path) -> dict | None:
    """How the settings of a saved model were searched for: ``draws, n_folds, settings`` (before the
    search); None where they were given.

    Raises
    ------
    InputError
        When there is no model in the folder.
    """
    return _config(folder).get("tuning")


def load(folder: Path) -> SusceptibilityModel:
    """Load a trained model from the folder that `save` wrote.

    Raises
    ------
    InputError
        When there is no model in the folder.
    """
    config = _config(folder)
    return _class(config["name"]).restore(Path(folder), config)


def is_saved(folder: Path) -> bool:
    """Whether a trained model lies in the folder; the folder alone may be what another run of
    chapter 05 left.
    """
    return (Path(folder) / "config.json").is_file()


def _config(folder: Path) -> dict:
    """What `save` wrote about a model."""
    path = Path(folder) / "config.json"
    if not is_saved(folder):
        raise InputError("there is no trained model here", where=folder, fix="Run chapter 05 first")
    return json.loads(path.read_text(encoding="utf-8"))
