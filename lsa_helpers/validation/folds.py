"""Folds: random by landslide, spatial blocks with a strip between, k-means on coordinates;
predictions out of them.
"""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy.spatial import cKDTree
from threadpoolctl import threadpool_limits

from lsa_helpers.errors import StageError
from lsa_helpers.factors import FactorStack
from lsa_helpers.models.base import SusceptibilityModel
from lsa_helpers.samples import landslide_centres, landslide_groups
from lsa_helpers.validation.scores import scores, summarise_repeats


def random_folds(samples: pd.DataFrame, *, n_folds: int, seed: int) -> np.ndarray:
    """Random folds that keep each landslide whole: int of shape (n,), each fold with about the same
    share of landslides.

    Raises
    ------
    StageError
        With fewer landslides than folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    own = landslide_groups(samples)
    n_landslides = len(np.unique(own[samples["label"] == 1]))
    if n_landslides < n_folds:
        raise StageError(
            f"{n_folds} random folds need at least as many landslides; there are {n_landslides}: lower n_folds"
        )
    split = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed).split(
        samples, samples["label"], own
    )
    folds = np.zeros(len(samples), dtype=int)
    for number, (_, test) in enumerate(split):
        folds[test] = number
    return folds


def kmeans_folds(samples: pd.DataFrame, *, n_folds: int, seed: int) -> np.ndarray:
    """Spatial folds by k-means on the coordinates: int of shape (n,). A landslide stays whole, in
    the cluster of its mean place.

    Parameters
    ----------
    samples : DataFrame
        ``x, y`` (m) and, where landslides have several rows, ``landslide_id``.
    n_folds : int
        At most as many as there are places.
    seed : int

    Notes
    -----
    **Source**: Brenning 2012, Spatial cross-validation in R (sperrorest),
    doi:10.1109/IGARSS.2012.6352393.
    """
    from sklearn.cluster import KMeans

    place = landslide_centres(samples)
    n_folds = min(n_folds, len(np.unique(place, axis=0)))
    with threadpool_limits(1):
        return KMeans(n_folds, init="random", n_init=1, random_state=seed).fit_predict(place)


def _shuffled_folds(samples: pd.DataFrame, n_folds: int, seed: int) -> np.ndarray:
    """Folds of shuffled rows, or of shuffled landslides where these have several rows: int of shape
    (n,).
    """
    from sklearn.model_selection import KFold

    own = landslide_groups(samples)
    if own.max() + 1 < n_folds:
        raise StageError(
            f"{n_folds} random folds need at least as many landslides and cells without; there are {own.max() + 1}"
        )
    folds = np.zeros(own.max() + 1, int)
    for number, (_, test) in enumerate(
        KFold(n_folds, shuffle=True, random_state=seed).split(folds)
    ):
        folds[test] = number
    return folds[own]


def strip_m(model: SusceptibilityModel, stack: FactorStack) -> float:
    """Strip that a model needs between training and test cells so that no window sees both, m.

    Returns
    -------
    float
        The edge of the model's window; 0 for a model of single cells, which looks at no neighbour:
        whole blocks and whole landslides are what keeps its cells apart.
    """
    halo = getattr(model, "halo", 0)
    return (2 * halo + 1) * stack.grid.cell_size if halo else 0.0


def _apart(place: np.ndarray, train: np.ndarray, test: np.ndarray, buffer_m: float) -> np.ndarray:
    """Those training rows that lie at least `buffer_m` from every test row, in x or in y; `place`
    is (n, 2).
    """
    if buffer_m <= 0:
        return train
    distance, _ = cKDTree(place[test]).query(place[train], p=np.inf)
    return train[distance >= buffer_m]


def usable_splits(
    samples: pd.DataFrame, folds: np.ndarray, buffer_m: float = 0.0
) -> list[tuple[np.ndarray, np.ndarray]]:
    """As `splits`, without the folds whose training or test rows hold one class only; perhaps none
    are left.
    """
    place, label, parts = samples[["x", "y"]].to_numpy(), samples["label"].to_numpy(), []
    for fold in np.unique(folds):
        test = np.flatnonzero(folds == fold)
        train = _apart(place, np.flatnonzero(folds != fold), test, buffer_m)
        if len(np.unique(label[test])) == 2 == len(np.unique(label[train])):
            parts.append((train, test))
    return parts


def splits(
    samples: pd.DataFrame, folds: np.ndarray, buffer_m: float = 0.0, *, pooled: bool = False
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Training and test rows of each fold, with an empty strip between them.

    Parameters
    ----------
    samples : DataFrame
        ``x, y`` (m) and ``label``.
    folds : ndarray of int, shape (n,)
    buffer_m : float
        Training rows closer than this to a test row in x and in y are left out, so that square
        windows of that size never overlap.
    pooled : bool
        Whether the predictions of all folds are scored together, so that a fold's test rows may be
        of one class.

    Yields
    ------
    train, test : ndarray of int
        Row numbers.

    Raises
    ------
    StageError
        When a fold's training rows, or its test rows unless `pooled`, hold one class only.
    """
    place, label = samples[["x", "y"]].to_numpy(), samples["label"].to_numpy()
    for fold in np.unique(folds):
        test = np.flatnonzero(folds == fold)
        train = _apart(place, np.flatnonzero(folds != fold), test, buffer_m)
        for name, rows in (("training", train), *([] if pooled else [("test", test)])):
            if len(np.unique(label[rows])) < 2:
                raise StageError(
                    f"fold {fold}: its {len(rows)} {name} rows hold one class only (buffer {buffer_m:g} m); "
                    "use larger or fewer folds, or more samples"
                )
        yield train, test


def out_of_fold(
    make: Callable[[], SusceptibilityModel],
    stack: FactorStack,
    samples: pd.DataFrame,
    folds: np.ndarray,
    *,
    seed: int,
    buffer_m: float = 0.0,
    pooled: bool = False,
    n_jobs: int = 1,
) -> np.ndarray:
    """Predict each row with a model that was trained without its fold.

    Parameters
    ----------
    make : callable
        Gives an untrained model.
    stack, samples
        The factors and the sample table.
    folds : ndarray of int, shape (n,)
    seed : int
    buffer_m, pooled
        See `splits`.
    n_jobs : int
        Folds at a time, each in its own process on one core.

    Returns
    -------
    ndarray, shape (n,)
        Probabilities.
    """
    parts = list(splits(samples, folds, buffer_m, pooled=pooled))
    jobs = (
        delayed(_one_fold)(make, stack, samples.iloc[train], samples.iloc[test], seed)
        for train, test in parts
    )
    out = np.empty(len(samples))
    for (_, test), guess in zip(parts, Parallel(n_jobs=n_jobs)(jobs), strict=True):
        out[test] = guess
    return out


def _one_fold(make, stack, train, test, seed) -> np.ndarray:
    """Predictions for the test rows of one fold, on one core."""
    model = make()
    model.n_jobs = 1
    return model.fit(stack, train, seed).predict(stack, test)


def predictions(
    makers: dict[str, Callable[[], SusceptibilityModel]],
    fitted: dict[str, SusceptibilityModel],
    stack: FactorStack,
    samples: pd.DataFrame,
    *,
    n_folds: int,
    seed: int,
    window_m: float,
    n_jobs: int = 1,
) -> pd.DataFrame:
    """Predict every sample three ways with every model: as trained on it, in random folds, in
    spatial blocks.

    Parameters
    ----------
    makers, fitted : dict
        Model name → function that makes it untrained; → model trained on all samples.
    stack, samples
        The factors and the sample table (its ``fold`` holds the spatial blocks).
    n_folds, seed : int
        Of the random folds.
    window_m : float
        Strip between training and test blocks, m; at least the CNN's window.
    n_jobs : int
        See `out_of_fold`.

    Returns
    -------
    DataFrame
        ``scheme`` (apparent, random, spatial), ``model, sample`` (row of the table), ``fold, label,
        probability``.
    """
    schemes = {
        "random": (random_folds(samples, n_folds=n_folds, seed=seed), 0.0),
        "spatial": (samples["fold"].to_numpy(), window_m),
    }
    parts = []
    for name, make in makers.items():
        parts.append(_rows("apparent", name, -1, samples, fitted[name].predict(stack, samples)))
        for scheme, (folds, buffer_m) in schemes.items():
            guess = out_of_fold(
                make, stack, samples, folds, seed=seed, buffer_m=buffer_m, n_jobs=n_jobs
            )
            parts.append(_rows(scheme, name, folds, samples, guess))
    return pd.concat(parts, ignore_index=True)


def _rows(scheme: str, model: str, fold, samples: pd.DataFrame, probability) -> pd.DataFrame:
    """Predictions of one model in one scheme, in the long form."""
    values = {
        "sample": np.arange(len(samples)),
        "fold": fold,
        "label": samples["label"].to_numpy(),
        "probability": probability,
    }
    return pd.DataFrame({"scheme": scheme, "model": model, **values})


def repeated_scores(
    make: Callable[[], SusceptibilityModel],
    stack: FactorStack,
    samples: pd.DataFrame,
    scheme: str,
    *,
    repeats: int,
    n_folds: int,
    seed: int,
) -> pd.DataFrame:
    """Score a fast model in each fold of many repetitions: the protocol of the published reference
    for southern Ecuador.

    Parameters
    ----------
    make : callable
        Gives an untrained model.
    stack, samples
        The factors and the sample table.
    scheme : {"random", "spatial"}
        Shuffled rows, or k-means clusters of the coordinates; repetition r uses seed + r. A
        landslide of several rows stays whole in both. As published, nothing is left out between the
        clusters: that is for models of single cells.
    repeats, n_folds, seed : int

    Returns
    -------
    DataFrame
        ``repeat, fold`` and `SCORES` of every fold with both classes (intervals are NaN).

    Notes
    -----
    **Source**: Lovelace, Nowosad & Muenchow, Geocomputation with R, chapter 12 (100-repeated 5-fold
    spatial cross-validation).
    """
    label, rows = samples["label"].to_numpy(), []
    for repeat in range(repeats):
        own = {"n_folds": n_folds, "seed": seed + repeat}
        folds = (
            kmeans_folds(samples, **own) if scheme == "spatial" else _shuffled_folds(samples, **own)
        )
        for train, test in usable_splits(samples, folds):
            # Small problems only wait for each other on several threads.
            with threadpool_limits(1):
                guess = (
                    make().fit(stack, samples.iloc[train], seed).predict(stack, samples.iloc[test])
                )
            rows.append(
                {
                    "repeat": repeat,
                    "fold": folds[test[0]],
                    **scores(label[test], guess, np.zeros(len(test)), n_boot=0),
                }
            )
    if not rows:
        raise StageError(f"none of the {scheme} folds holds both classes; lower n_folds")
    return pd.DataFrame(rows)


def replace_by_repeats(
    table: pd.DataFrame,
    make: Callable[[], SusceptibilityModel],
    stack: FactorStack,
    samples: pd.DataFrame,
    scheme: str,
    *,
    repeats: int,
    n_folds: int,
    seed: int,
) -> pd.DataFrame:
    """Replace the ``logistic`` row of a score table by means over `repeated_scores`; with 0 repeats
    the table is left as it is.
    """
    if repeats == 0 or "logistic" not in set(table["model"]):
        return table
    row = summarise_repeats(
        repeated_scores(make, stack, samples, scheme, repeats=repeats, n_folds=n_folds, seed=seed),
        "logistic",
    )
    return pd.concat([table[table["model"] != "logistic"], row], ignore_index=True)
