"""Spatial cross-validation: folds of square blocks, an empty strip between training and test."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree
from sklearn.cluster import DBSCAN, KMeans
from sklearn.model_selection import BaseCrossValidator
from threadpoolctl import threadpool_limits

from lsa_helpers.errors import InputError, StageError


class SpatialBlockKFold(BaseCrossValidator):
    """K folds of square blocks, with about as many landslide samples in each; a landslide is whole.

    Parameters
    ----------
    n_splits : int
        Number of folds.
    block_m : float
        Edge of the blocks, m. Blocks are counted from the origin of the CRS.
    buffer_m : float
        Training rows closer than this to a test row, in x and in y, are left out, so that square
        windows of that edge never overlap, m.
    random_state : int
        Decides among blocks with equally many landslide samples.
    cluster_m : float
        Above 0, landslides nearer to each other than this are one cluster, and all blocks that hold
        a part of one are dealt together, so that no fold learns from the rest of a cluster it is
        tested on, m.

    Notes
    -----
    Blocks are dealt in the order of their landslide samples, the fullest first, each to the fold
    that has the fewest so far. Fold sizes differ less than with scikit-learn's
    ``StratifiedGroupKFold`` on the same blocks.

    **Source**: Roberts et al. 2017, Cross-validation strategies for data with temporal, spatial,
    hierarchical, or phylogenetic structure, doi:10.1111/ecog.02881.

    Examples
    --------
    >>> X = pd.DataFrame({"x": [5, 15, 5, 15, 6, 16], "y": [5.0] * 6})
    >>> y = np.array([1, 1, 0, 0, 0, 0])
    >>> for train, test in SpatialBlockKFold(n_splits=2, block_m=10).split(X, y):
    ...     print(train.tolist(), test.tolist())
    [0, 2, 4] [1, 3, 5]
    [1, 3, 5] [0, 2, 4]
    """

    def __init__(
        self,
        n_splits: int = 5,
        block_m: float = 1000.0,
        buffer_m: float = 0.0,
        random_state: int = 0,
        cluster_m: float = 0.0,
    ):
        self.n_splits = n_splits
        self.block_m = block_m
        self.buffer_m = buffer_m
        self.random_state = random_state
        self.cluster_m = cluster_m

    def get_n_splits(self, X=None, y=None, groups=None) -> int:
        """Number of folds."""
        return self.n_splits

    def split(self, X: pd.DataFrame, y, groups=None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Training and test rows of each fold.

        Parameters
        ----------
        X : DataFrame
            With the coordinates ``x`` and ``y``, m.
        y : array of int, shape (n,)
            1 landslide, 0 none.
        groups : array of int, shape (n,), optional
            Landslide of each row, negative where it has none; each stays whole, in the block of its
            mean place. By default the column ``landslide_id`` of `X`, where there is one, so that
            searches inside a cross-validation keep landslides whole too.

        Yields
        ------
        train, test : ndarray of int
            Row numbers.

        Raises
        ------
        InputError
            When fewer than `n_splits` blocks hold each class, or a fold's training rows are left
            with one class.
        """
        fold = self.fold_numbers(X, y, groups)
        place, label = X[["x", "y"]].to_numpy(float), np.asarray(y)
        for number in range(self.n_splits):
            test = np.flatnonzero(fold == number)
            train = beyond_buffer(place, np.flatnonzero(fold != number), test, self.buffer_m)
            if len(np.unique(label[train])) < 2:
                raise InputError(
                    f"fold {number} leaves training rows of one class only",
                    found=f"{len(train)} rows at least {self.buffer_m:g} m from its test rows",
                    fix="Take a smaller buffer_m, larger blocks or fewer folds",
                )
            yield train, test

    def fold_numbers(self, X: pd.DataFrame, y, groups=None) -> np.ndarray:
        """Fold of each row, int of shape (n,); see `split`."""
        place, label = landslide_places(X, groups), np.asarray(y)
        block = block_numbers(*place.T, self.block_m)
        if self.cluster_m > 0:
            block = _join_blocks(block, place, label == 1, self.cluster_m)
        counts = np.array([np.bincount(block, label == k) for k in (1, 0)])
        shuffled = np.random.default_rng(self.random_state).random(counts.shape[1])
        fold_of_block = np.zeros(counts.shape[1], int)
        load = np.zeros((2, self.n_splits))
        for index in np.lexsort((shuffled, -counts[0])):
            share = load / np.maximum(counts.sum(1, keepdims=True), 1)
            fold_of_block[index] = np.argmin(share[0] if counts[0, index] else share[1])
            load[:, fold_of_block[index]] += counts[:, index]
        if (load == 0).any():
            n_with, n_without = (counts > 0).sum(axis=1)
            raise InputError(
                f"{self.n_splits} spatial folds need {self.n_splits} blocks with landslides and as "
                "many without",
                found=f"{n_with} blocks of {self.block_m:g} m with landslides, {n_without} without",
                fix="Lower block_m, n_folds or cluster_m",
            )
        return fold_of_block[block]


class KMeansFold(BaseCrossValidator):
    """Spatial folds by k-means on the coordinates; a landslide is whole.

    Folds that hold one class only, inside or outside, are left out, so not every row is tested.

    Parameters
    ----------
    n_splits : int
        Number of clusters; fewer where there are fewer places.
    random_state : int
        Of the clusters' first centres.

    Notes
    -----
    Nothing is left out between the clusters: this is for models of single cells.

    **Source**: Brenning 2012, Spatial cross-validation in R (sperrorest),
    doi:10.1109/IGARSS.2012.6352393.

    Examples
    --------
    >>> X = pd.DataFrame({"x": [0.0, 1, 2, 90, 91, 92], "y": 0.0})
    >>> folds = KMeansFold(n_splits=2).split(X, [0, 1, 0, 1, 0, 1])
    >>> sorted(test.tolist() for train, test in folds)
    [[0, 1, 2], [3, 4, 5]]
    """

    def __init__(self, n_splits: int = 5, random_state: int = 0):
        self.n_splits = n_splits
        self.random_state = random_state

    def get_n_splits(self, X=None, y=None, groups=None) -> int:
        """Number of folds with both classes inside and outside; `n_splits` without rows."""
        return self.n_splits if X is None else len(list(self.split(X, y, groups)))

    def split(self, X: pd.DataFrame, y, groups=None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Training and test rows of each fold; parameters as for `SpatialBlockKFold.split`.

        Raises
        ------
        StageError
            When no fold holds both classes inside and outside.
        """
        place = landslide_places(X, groups)
        n_clusters = min(self.n_splits, len(np.unique(place, axis=0)))
        kmeans = KMeans(n_clusters, init="random", n_init=1, random_state=self.random_state)
        with threadpool_limits(1):
            cluster = kmeans.fit_predict(place)
        label = np.asarray(y)
        usable = [
            (cluster == number)
            for number in range(n_clusters)
            if len(np.unique(label[cluster == number])) == 2
            and len(np.unique(label[cluster != number])) == 2
        ]
        if not usable:
            raise StageError(
                f"none of {self.n_splits} spatial folds of {len(label)} rows holds both classes; "
                "lower n_folds"
            )
        for test in usable:
            yield np.flatnonzero(~test), np.flatnonzero(test)


def block_numbers(x, y, block_m: float) -> np.ndarray:
    """Number of the square block of edge `block_m` (m) that holds each point.

    Examples
    --------
    >>> block_numbers([5, 15, 6], [5, 5, 9], 10).tolist()
    [0, 1, 0]
    """
    pairs = np.column_stack([np.floor(np.asarray(x) / block_m), np.floor(np.asarray(y) / block_m)])
    return np.unique(pairs, axis=0, return_inverse=True)[1].ravel()


def _join_blocks(block, place, is_landslide, cluster_m: float) -> np.ndarray:
    """Blocks of each row, those that share a cluster of landslides as one: int (n,)."""
    cluster = DBSCAN(eps=cluster_m, min_samples=1).fit_predict(place[is_landslide])
    held = block[is_landslide]
    # Blocks and clusters are the two sides of a graph; what hangs together is dealt together.
    n_blocks = block.max() + 1
    size = n_blocks + cluster.max() + 1
    links = coo_array((np.ones(len(held)), (held, n_blocks + cluster)), shape=(size, size))
    _, part = connected_components(links, directed=False)
    return np.unique(part[block], return_inverse=True)[1]


def landslide_groups(landslide_id) -> np.ndarray:
    """Number of what stays whole in any fold: a row's landslide, or the row itself without one.

    Parameters
    ----------
    landslide_id : array of int, shape (n,)
        Negative where a row has no landslide.

    Returns
    -------
    ndarray of int, shape (n,)
        0, 1, … in the order of the rows.

    Examples
    --------
    >>> landslide_groups([7, 7, -1, -1, 3]).tolist()
    [0, 0, 1, 2, 3]
    """
    number = np.asarray(landslide_id)
    return pd.factorize(np.where(number >= 0, number, -1 - np.arange(len(number))))[0]


def landslide_places(X: pd.DataFrame, groups=None) -> np.ndarray:
    """Mean place of each row's landslide, or the row's own: (n, 2), m; `groups` as for `split`."""
    place = X[["x", "y"]]
    groups = X.get("landslide_id") if groups is None else groups
    if groups is not None:
        place = place.groupby(landslide_groups(groups)).transform("mean")
    return place.to_numpy(float)


def beyond_buffer(
    place: np.ndarray, train: np.ndarray, test: np.ndarray, buffer_m: float
) -> np.ndarray:
    """Training rows at least `buffer_m` from every test row, in x or in y; `place` is (n, 2), m."""
    if buffer_m <= 0:
        return train
    distance, _ = cKDTree(place[test]).query(place[train], p=np.inf)
    return train[distance >= buffer_m]
