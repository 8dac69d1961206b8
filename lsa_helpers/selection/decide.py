"""Which factors are kept, why, and what the others cost."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lsa_helpers.errors import InputError
from lsa_helpers.run import Run
from lsa_helpers.samples import Encoder
from lsa_helpers.selection.bootstrap import (
    block_weights,
    fold_mean,
    interval,
    usable_folds,
    weighted_auc,
)
from lsa_helpers.selection.rank import PROBE


def choose(
    vif_table: pd.DataFrame,
    importances: pd.DataFrame,
    *,
    threshold: float,
    flag: float,
    drop_below_probe: bool = False,
) -> dict:
    """Decide which factors the models get, and say why for each that they do not.

    Parameters
    ----------
    vif_table : DataFrame
        From `stepwise_vif`.
    importances : DataFrame
        From `importance`.
    threshold, flag : float
        VIF at which factors were dropped, and above which a kept factor is flagged.
    drop_below_probe : bool
        Drop factors whose mean permutation importance is not above that of the random probe;
        otherwise they are flagged.

    Returns
    -------
    dict
        ``selected``: list of factors; ``dropped`` and ``flagged``: factor → reason.

    Raises
    ------
    InputError
        When no factor is left.
    """
    gone = vif_table[vif_table["dropped_at"] > 0].sort_values("dropped_at")
    dropped = {
        row.factor: f"VIF {row.vif:.1f} ≥ {threshold:g} at step {row.dropped_at}"
        for row in gone.itertuples()
    }
    kept = vif_table[vif_table["dropped_at"] == 0]
    flagged = {
        row.factor: f"VIF {row.vif:.1f} > {flag:g}" for row in kept.itertuples() if row.vif > flag
    }
    loss = importances[importances["method"] == "permutation"].set_index("factor")["mean"]
    weak = {
        name: "permutation importance not above the random probe"
        for name in kept["factor"]
        if loss[name] <= loss[PROBE]
    }
    if drop_below_probe and len(weak) < len(kept):
        dropped |= weak
    else:
        flagged = {
            name: "; ".join(filter(None, [flagged.get(name), weak.get(name)]))
            for name in {**flagged, **weak}
        }
    selected = [name for name in kept["factor"] if name not in dropped]
    if not selected:
        raise InputError(
            "no factor is left for the models",
            found=dropped,
            fix="Check the factors: none may vary among the samples",
        )
    return {"selected": selected, "dropped": dropped, "flagged": flagged}


def selected_factors(run: Run) -> list[str]:
    """The factors chapter 04 selected; an error naming that chapter if it has not run."""
    run.need("selected_factors.json", chapter="04_factor_selection")
    return run.read_json("selected_factors.json")["selected"]


def dropping_cost(
    table: pd.DataFrame,
    info: dict[str, dict],
    factors: Sequence[str],
    selected: Sequence[str],
    *,
    seed: int,
    n_trees: int = 200,
    block_m: float = 1000.0,
    n_jobs: int = 1,
) -> pd.DataFrame:
    """What the factors that were dropped cost a forest in spatial folds.

    Parameters
    ----------
    table : DataFrame
        Samples with ``x, y, label, fold`` and raw factors.
    info : dict
        As in ``factors.json``.
    factors, selected : sequence of str
        All factors, and those that are kept.
    seed, n_trees, n_jobs : int
    block_m : float
        Edge of a bootstrap block, m.

    Returns
    -------
    DataFrame
        ``factors`` (all, selected, cost), ``n``, ``auc`` (mean over the folds with both classes;
        cost is all minus selected), ``low, high`` (95 % interval; blocks are drawn with
        replacement, the same for both forests, so the cost's is that of a paired difference).

    Raises
    ------
    InputError
        When there is no such fold.
    """
    weights = block_weights(table, block_m, np.random.default_rng(seed))
    areas = {}
    for which, names in (("all", list(factors)), ("selected", list(selected))):
        folds = [
            _fold_auc(table, fold, weights, info, names, seed, n_trees, n_jobs)
            for fold in usable_folds(table)
        ]
        areas[which] = fold_mean(folds)
    areas["cost"] = areas["all"] - areas["selected"]
    counts = {"all": len(factors), "selected": len(selected), "cost": len(factors) - len(selected)}
    rows = [(which, counts[which], *interval(values)) for which, values in areas.items()]
    return pd.DataFrame(rows, columns=["factors", "n", "auc", "low", "high"])


def _fold_auc(table, fold, weights, info, names, seed, n_trees, n_jobs) -> np.ndarray:
    """AUC (draws,) in a fold of a forest trained outside it."""
    from sklearn.ensemble import RandomForestClassifier

    test = (table["fold"] == fold).to_numpy()
    encoder = Encoder.fit(table[~test], info, names)
    forest = RandomForestClassifier(n_trees, random_state=seed, n_jobs=n_jobs).fit(
        encoder.table(table[~test]), table["label"][~test]
    )
    return weighted_auc(
        table["label"].to_numpy()[test],
        forest.predict_proba(encoder.table(table[test]))[:, 1],
        weights[:, test],
    )
