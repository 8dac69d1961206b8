"""Conformal sets of cells, whose blocks and not the cells themselves are exchangeable."""

import numpy as np
import pandas as pd

PER_BLOCK = 200  # cells that stand for a block where all blocks count alike


def conformal_sets(
    calibration: pd.DataFrame,
    asked: pd.DataFrame,
    confidence: float,
    *,
    by_class: bool = True,
    stratum: str = "",
    block: str = "",
    seed: int = 0,
) -> np.ndarray:
    """Which of the two answers, stable and landslide, each cell's set holds.

    Parameters
    ----------
    calibration : DataFrame
        ``probability`` by a model that did not know the cell, and ``label`` (1 landslide).
    asked : DataFrame
        ``probability`` of the cells asked about.
    confidence : float
        Share of sets that hold the truth, in (0, 1).
    by_class : bool
        A limit for each class, so that the promise holds in each, the rare one too.
    stratum : str
        Column of both tables: a limit for each of its values (Mondrian).
    block : str
        Column of `calibration`: cells of a block are alike, only blocks are exchangeable. Empty:
        cells are taken to be independent.
    seed : int
        Of the cells that stand for a block.

    Returns
    -------
    ndarray of bool, shape (n, 2)
        Whether the set holds 0 (stable) and 1 (landslide). A class without calibration is in all.

    Notes
    -----
    The score of an answer is one less its probability. Scores count in thousandths. With K blocks,
    every block counts alike, and the block asked about is one more that may hold any score: an
    answer stays when

    .. math::

        \\frac{1}{K + 1} \\Big( 1 + \\sum_{k=1}^{K}
        \\frac{\\#\\{i : s_{ki} \\ge s\\}}{n_k} \\Big) > 1 - confidence

    so that few blocks make large sets, and fewer than 1 / (1 − confidence) − 1 blocks full ones.

    **Source**: Vovk et al. 2005, Algorithmic learning in a random world; blocks, Lee, Barber &
    Willett 2023, Distribution-free inference with hierarchical data, arXiv:2306.06342.

    Examples
    --------
    >>> known = pd.DataFrame({"probability": np.arange(20) / 20, "label": [0] * 10 + [1] * 10})
    >>> conformal_sets(known, pd.DataFrame({"probability": [0.1, 0.47, 0.9]}), 0.8).tolist()
    [[True, False], [False, False], [False, True]]
    """
    from crepes import ConformalClassifier

    held = []
    for label in (0, 1):
        rows = calibration[calibration["label"] == label] if by_class else calibration
        bins = rows[stratum] if stratum else pd.Series(0, rows.index)
        scores = (rows["label"] - rows["probability"]).abs().round(3)
        known, share = pd.DataFrame({"score": scores, "bin": bins}), confidence
        if block and len(known):
            known, share = _blocks_alike(known, rows[block], confidence, seed)
        limits = ConformalClassifier().fit(known["score"].to_numpy(), bins=known["bin"].to_numpy())
        new = pd.DataFrame({"score": (label - asked["probability"]).abs().round(3)})
        new["bin"] = asked[stratum] if stratum else 0
        # Many cells have the same score: the library is asked once for each.
        different, place = np.unique(new, axis=0, return_inverse=True)
        # It keeps an answer whose p value is the error allowed; only larger ones need to stay.
        how = {"bins": different[:, 1].astype(int), "confidence": share - 1e-9, "smoothing": False}
        held.append(limits.predict_set(different[:, :1], **how)[place.ravel(), 0] == 1)
    return np.column_stack(held)


def _blocks_alike(known: pd.DataFrame, block: pd.Series, confidence: float, seed: int):
    """As many rows of every block, and the confidence that allows for one more block."""
    n = block.nunique()
    error = ((1 - confidence) * (n + 1) - 1) / n
    drawn = known.groupby(block).sample(PER_BLOCK, replace=True, random_state=seed)
    # The library adds one cell where one block is meant.
    return drawn, 1 - max((error * len(drawn) + 1) / (len(drawn) + 1), 0.0)
