"""Scores fold by fold, and without a part of the land."""

import numpy as np
import pandas as pd

from lsa_helpers.validation.bootstrap import within_groups_auc


def fold_scores(predictions: pd.DataFrame, inside) -> pd.DataFrame:
    """AUC of out-of-fold predictions fold by fold, of all folds, and without some of the rows.

    Parameters
    ----------
    predictions : DataFrame
        ``model, sample, fold, label, probability`` of one scheme.
    inside : array of bool
        By the row of the sample table: samples that the last column leaves out.

    Returns
    -------
    DataFrame
        One row per model in their order: ``fold 1`` …, ``all`` and ``outside the frame``; pairs are
        of the same fold. NaN where one class is left.
    """
    rows = {}
    for model, part in predictions.groupby("model", sort=False):
        of_folds = {
            f"fold {fold + 1}": within_groups_auc(one["label"], one["probability"], one["fold"])
            for fold, one in part.groupby("fold")
        }
        rest = part[~np.asarray(inside)[part["sample"]]]
        for name, some in {"all": part, "outside the frame": rest}.items():
            of_folds[name] = within_groups_auc(some["label"], some["probability"], some["fold"])
        rows[model] = of_folds
    return pd.DataFrame.from_dict(rows, orient="index")
