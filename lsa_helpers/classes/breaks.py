"""The thresholds between susceptibility classes: found, applied, and taken over from another run."""

import json
import math
from pathlib import Path

import numpy as np

from lsa_helpers.errors import InputError
from lsa_helpers.run import sha256

MODELS = ("cnn", "rf", "xgboost")
SCHEMES = ("fisher_jenks", "equal", "quantile", "deviation", "geometric")


def class_names(n_classes: int) -> list[str]:
    """Names of the classes from low to high; the paper's own for five.

    Examples
    --------
    >>> class_names(3)
    ['Class 1 (lowest)', 'Class 2', 'Class 3 (highest)']
    """
    if n_classes == 5:
        return ["Very Low", "Low", "Moderate", "High", "Very High"]
    names = [f"Class {number}" for number in range(1, n_classes + 1)]
    return [f"{names[0]} (lowest)", *names[1:-1], f"{names[-1]} (highest)"]


def find_breaks(
    values: np.ndarray, *, n_classes: int, scheme: str, sample: int, seed: int
) -> list[float]:
    """The ``n_classes - 1`` thresholds between susceptibility classes.

    Parameters
    ----------
    values : ndarray of float
        Susceptibility 0–1 in any shape; NaN is left out.
    n_classes : int
        Number of classes.
    scheme : {"fisher_jenks", "equal", "quantile", "deviation", "geometric"}
        Fisher–Jenks makes the classes as homogeneous as possible (least squared deviation from the
        class means); equal cuts the range, quantile the number of cells, into equal parts;
        deviation cuts at steps of one standard deviation around the mean, geometric so that each
        class is wider than the one below by the same factor.
    sample : int
        At most so many cells, drawn with the seed, are looked at (Fisher–Jenks costs the square of
        their number).
    seed : int
        Seed of the draw.

    Returns
    -------
    list of float
        Thresholds in ascending order; a cell on a threshold belongs to the class below it.

    Raises
    ------
    InputError
        When the map has fewer different values than classes.

    Notes
    -----
    Source: Fisher (1958), On grouping for maximum homogeneity, doi:10.1080/01621459.1958.10501479;
    computed by mapclassify.

    Examples
    --------
    >>> find_breaks(np.array([0.1, 0.11, 0.5, 0.52, 0.9]), n_classes=3, scheme="fisher_jenks", sample=100, seed=0)
    [0.11, 0.52]
    """
    import mapclassify

    finite = np.asarray(values, float)[np.isfinite(values)]
    if finite.size > sample:
        finite = np.random.default_rng(seed).choice(finite, sample, replace=False)
    if np.unique(finite).size < n_classes:
        raise InputError(
            f"a map with {np.unique(finite).size} different values cannot be cut into {n_classes} classes",
            fix="Use fewer classes, or look at why the map is flat",
        )
    if scheme == "quantile":
        # mapclassify merges quantiles that fall on the same value, and with them classes.
        return np.quantile(finite, np.arange(1, n_classes) / n_classes).tolist()
    if scheme == "deviation":
        steps = np.arange(1, n_classes) - n_classes / 2
        return np.clip(finite.mean() + steps * finite.std(), finite.min(), finite.max()).tolist()
    if scheme == "geometric":
        # A map that reaches 0 has no geometric steps of its own.
        low = max(float(finite.min()), 1e-3 * float(finite.max()))
        return np.geomspace(low, finite.max(), n_classes + 1)[1:-1].tolist()
    rule = mapclassify.FisherJenks if scheme == "fisher_jenks" else mapclassify.EqualInterval
    return rule(finite, k=n_classes).bins[:-1].tolist()


def classify(values: np.ndarray, breaks: list[float]) -> np.ndarray:
    """Cut a map at the thresholds.

    Parameters
    ----------
    values : ndarray of float
        Susceptibility; NaN is nodata.
    breaks : list of float
        Ascending thresholds.

    Returns
    -------
    ndarray of uint8, same shape
        1 (lowest) to ``len(breaks) + 1``; 0 where `values` is NaN.

    Examples
    --------
    >>> classify(np.array([0.1, 0.2, 0.3, np.nan]), [0.2])
    array([1, 1, 2, 0], dtype=uint8)
    """
    found = 1 + np.searchsorted(
        np.asarray(breaks, float), np.nan_to_num(np.asarray(values, float)), side="left"
    )
    return np.where(np.isfinite(values), found, 0).astype(np.uint8)


def read_breaks(file: Path, n_classes: int) -> tuple[dict, dict[str, list[float]]]:
    """Thresholds saved by another run.

    Parameters
    ----------
    file : Path
        Its ``breaks.json``.
    n_classes : int
        Number of classes they must give.

    Returns
    -------
    origin : dict
        Where they come from, for the new ``breaks.json``.
    breaks : dict
        Model → thresholds between its classes.

    Raises
    ------
    InputError
        When the file cannot be read, or does not hold rising thresholds in 0–1, one fewer than
        classes, for every model.
    """
    try:
        content = json.loads(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            "the saved class breaks cannot be read",
            where=file,
            found=error,
            fix="Give another run's breaks.json",
        ) from None
    breaks = content.get("breaks") if isinstance(content, dict) else None
    if not isinstance(breaks, dict):
        fix = f'Write {{"breaks": {{"{MODELS[0]}": [0.2, …], …}}}}, as chapter 06 does'
        raise InputError(
            "the file holds no class breaks by model", where=file, found=str(content)[:80], fix=fix
        )
    for model in MODELS:
        _check_breaks(breaks.get(model), model, n_classes, file)
    origin = {
        "scheme": content.get("scheme", "unknown"),
        "reused_from": {"file": Path(file).as_posix(), "sha256": sha256(file)},
    }
    return origin, {model: breaks[model] for model in MODELS}


def _check_breaks(breaks, model: str, n_classes: int, file: Path) -> None:
    """Thresholds of one model: numbers in 0–1, none below the one before it, one fewer than
    classes.
    """
    numbers = isinstance(breaks, list) and all(
        isinstance(item, int | float) and not isinstance(item, bool) for item in breaks
    )
    if not numbers or not all(math.isfinite(item) and 0 <= item <= 1 for item in breaks):
        raise InputError(
            f"the class breaks of {model} are no numbers from 0 to 1",
            where=file,
            found=str(breaks),
            fix="Correct them",
        )
    if breaks != sorted(breaks):
        raise InputError(
            f"the class breaks of {model} do not rise", where=file, found=breaks, fix="Sort them"
        )
    if len(breaks) != n_classes - 1:
        fix = f"Set n_classes to {len(breaks) + 1}"
        raise InputError(
            f"the saved breaks do not give {n_classes} classes for {model}",
            where=file,
            found=f"{len(breaks)} breaks",
            fix=fix,
        )
