"""Trained models in files without pickles."""

import io
import json
import re
import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import xarray as xr

from lsa_helpers.errors import InputError
from lsa_helpers.models.area import check_area, describe_area, fitted_coder, select_factors
from lsa_helpers.run import whole_file

#: What a saved model may hold beyond what skops knows; anything else in a file is refused.
TRUSTED = [
    "lsa_helpers.models.infinite_slope.InfiniteSlope",
    "lsa_helpers.samples.coding.FactorCoder",
    "lsa_helpers.samples.coding._sine_cosine_names",
    "lsa_helpers.samples.coding.sine_cosine",
    "lsa_helpers.validation.splitter.KMeansFold",
    "lsa_helpers.validation.splitter.SpatialBlockKFold",
    "numpy.dtype",
    "scipy.stats._continuous_distns.reciprocal_gen",
    "scipy.stats._distn_infrastructure.rv_continuous_frozen",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.metrics._ranking.roc_auc_score",
    "sklearn.metrics._scorer._Scorer",
    "sklearn.tree._tree.Tree",
    "xgboost.core.Booster",
    "xgboost.sklearn.XGBClassifier",
]


def save(estimator, folder: Path, factors: xr.Dataset) -> None:
    """Write a trained estimator into a folder, without pickles.

    Parameters
    ----------
    estimator
        See `predict_map`.
    folder : Path
        Gets ``config.json`` with the area it learned on, and ``pipeline.skops``, or
        ``coder.skops`` and ``weights.safetensors`` of the CNN.
    factors : Dataset
        What it learned on: cell size, units, kinds and classes are written down, so that it is
        never used where the same numbers mean something else.
    """
    coder = fitted_coder(estimator)
    config = {
        "estimator": type(estimator).__name__,
        "factors": coder.factors,
        "learned_on": describe_area(factors, coder.factors),
    }
    is_cnn = hasattr(estimator, "networks_")
    with whole_file(folder / ("coder.skops" if is_cnn else "pipeline.skops")) as part:
        part.write_bytes(_skops_bytes(coder if is_cnn else estimator))
    if is_cnn:
        from safetensors.torch import save_file

        config["params"] = estimator.get_params(deep=False) | {"factors": None}
        weights = {
            f"{number}.{key}": value.contiguous()
            for number, network in enumerate(estimator.networks_)
            for key, value in network.state_dict().items()
        }
        with whole_file(folder / "weights.safetensors") as part:
            save_file(weights, part)
    with whole_file(folder / "config.json") as part:
        part.write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")


def _skops_bytes(estimator) -> bytes:
    """An estimator as a skops file whose bytes depend on nothing but the estimator.

    skops writes the time, names files by places in memory or at random, and tells objects apart by
    such places; here they are numbered in their order.
    """
    import skops.io

    names, places = {}, {}

    def rename(found: re.Match) -> str:
        start, suffix = found[1], Path(found[2]).suffix
        return start + names.setdefault(found[2], f"{len(names)}{suffix}") + '"'

    def number(found: re.Match) -> str:
        return found[1] + str(places.setdefault(found[2], len(places) + 1))

    content = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(skops.io.dumps(estimator))) as before,
        zipfile.ZipFile(content, "w") as after,
    ):
        schema = before.read("schema.json").decode()
        schema = re.sub(r'("file": ")([^"]+)"', rename, schema)
        schema = re.sub(r'("__id__": )(\d+)', number, schema)
        for name, new in names.items():
            after.writestr(zipfile.ZipInfo(new), before.read(name))
        after.writestr(zipfile.ZipInfo("schema.json"), schema)
    return content.getvalue()


def load(folder: Path, factors: xr.Dataset | None = None):
    """Load a trained estimator from the folder that `save` wrote.

    Parameters
    ----------
    folder : Path
    factors : Dataset, optional
        The area it shall be used on. The CNN cuts its windows from it: without it, it maps, but can
        neither be fitted nor predict rows.

    Returns
    -------
    Pipeline, RandomizedSearchCV or WindowCNN
        Fitted; `sklearn.base.clone` makes it anew untrained, and a search searches anew.

    Raises
    ------
    InputError
        When there is no model in the folder, torch is missing and the model needs it, or the area's
        numbers mean something else than where it learned; see `check_area`.
    """
    import skops.io

    config = _config(folder)
    if not config:
        raise InputError("there is no trained model here", where=folder, fix="Run chapter 05 first")
    if not can_load(folder):
        fix = "Install requirements.lock, or take another model"
        raise InputError("this model needs torch, which is not installed", where=folder, fix=fix)
    if config.get("estimator") == "WindowCNN":
        estimator = _load_cnn(folder, config)
    else:
        estimator = skops.io.load(folder / "pipeline.skops", trusted=TRUSTED)
    if factors is not None:
        names = fitted_coder(estimator).factors
        check_area(
            config["learned_on"], getattr(estimator, "halo", 0), select_factors(factors, names)
        )
        if hasattr(estimator, "networks_"):
            estimator.set_params(factors=factors[names])
    return estimator


def _load_cnn(folder: Path, config: dict):
    """The window CNN of a folder."""
    import skops.io
    from safetensors.torch import load_file

    from lsa_helpers.cnn import WindowCNN, window_network

    cnn = WindowCNN(**config["params"])
    cnn.coder_ = skops.io.load(folder / "coder.skops", trusted=TRUSTED)
    cnn.classes_, cnn.networks_, cnn.history_ = np.array([0, 1]), [], []
    weights = load_file(folder / "weights.safetensors")
    for number in range(cnn.n_networks):
        network = window_network(len(cnn.coder_.get_feature_names_out()), cnn.window)
        start = f"{number}."
        network.load_state_dict(
            {key[len(start) :]: value for key, value in weights.items() if key.startswith(start)}
        )
        cnn.networks_.append(network.eval())
    return cnn


def can_load(folder: Path) -> bool:
    """Whether a trained model lies in the folder that can be loaded here: the CNN needs torch. The
    folder alone may be what another run of chapter 05 left.
    """
    config = _config(folder)
    return bool(config) and (config.get("estimator") != "WindowCNN" or bool(find_spec("torch")))


def saved_window(folder: Path) -> int:
    """Edge of the window that a saved model sees around a cell, cells: 1 of all but the CNN, and
    where there is no model. Nothing is loaded.
    """
    return _config(folder).get("params", {}).get("window", 1)


def _config(folder: Path) -> dict:
    """What was written down about a saved model; empty where there is none."""
    file = folder / "config.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
