"""How much a factor tells of the landslides by itself, and which factors are kept, with reasons."""

import numpy as np
import pandas as pd

from lsa_helpers.errors import InputError
from lsa_helpers.run import Run

#: A column of random numbers that is ranked along with the factors.
PROBE = "random_probe"


def gain_ratio(values, label, *, categorical: bool = False, bins: int = 10, weights=None) -> float:
    """Information gain ratio of a factor: how many bits of the label it tells, per bit of its own.

    Parameters
    ----------
    values : array, shape (n,)
        Raw factor; continuous values are cut at their quantiles into `bins` classes.
    label : array of 0 and 1, shape (n,)
    categorical : bool
        Values are class codes already.
    bins : int
    weights : array of int, shape (n,), optional
        How often each row counts, for example a row of `block_weights`.

    Returns
    -------
    float
        (H(y) − H(y|x)) / H(x) in 0–1; 0 for a factor that does not vary. With few rows per class
        even noise has a ratio above 0.

    Notes
    -----
    **Source**: Quinlan 1986, Induction of decision trees, doi:10.1007/BF00116251.

    Examples
    --------
    >>> gain_ratio([1, 1, 2, 2], [0, 0, 1, 1], categorical=True)
    1.0
    """
    values = np.asarray(values)
    label = np.asarray(label)
    if weights is not None:
        values, label = np.repeat(values, weights), np.repeat(label, weights)
    edges = values if categorical else np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1])
    edges = np.unique(edges)
    code = np.searchsorted(edges, values, side="right")
    joint = np.bincount(code * 2 + label, minlength=2 * (len(edges) + 1)).reshape(-1, 2)
    own_bits = _entropy(joint.sum(axis=1))
    if own_bits == 0:
        return 0.0
    return (own_bits + _entropy(joint.sum(axis=0)) - _entropy(joint.ravel())) / own_bits


def _entropy(counts: np.ndarray) -> float:
    """Entropy in bits of the shares that counts make."""
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log2(share)).sum())


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
        ``factor, method, mean``, with the method ``permutation`` and the factor `PROBE`.
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
    flags = {
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
        for name, reason in weak.items():
            flags[name] = f"{flags[name]}; {reason}" if name in flags else reason
    selected = [name for name in kept["factor"] if name not in dropped]
    if not selected:
        raise InputError(
            "no factor is left for the models",
            found=dropped,
            fix="Check the factors: none may vary among the samples",
        )
    return {"selected": selected, "dropped": dropped, "flagged": flags}


def selected_factors(run: Run) -> list[str]:
    """The factors chapter 04 selected; an error naming that chapter if it has not run."""
    run.need("selected_factors.json", chapter="04_factor_selection")
    return run.read_json("selected_factors.json")["selected"]
