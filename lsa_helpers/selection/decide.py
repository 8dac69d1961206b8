"""How much a factor tells of the landslides by itself, and which factors are kept, with reasons."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import entropy

from lsa_helpers.errors import InputError
from lsa_helpers.run import Run

#: Start of the names of the columns of random numbers that are ranked along with the factors.
PROBE = "random_probe"


def gain_ratio(values, label, *, categorical: bool = False, bins: int = 10, weights=None):
    """Information gain ratio of a factor: how many bits of the label it tells, per bit of its own.

    Parameters
    ----------
    values : array, shape (n,)
        Raw factor; continuous values are cut at their quantiles into `bins` classes.
    label : array of 0 and 1, shape (n,)
    categorical : bool
        Values are class codes already.
    bins : int
    weights : array of int, shape (draws, n), optional
        How often each row counts, from `lsa_helpers.validation.block_weights`.

    Returns
    -------
    float, or ndarray of shape (draws,) with `weights`
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
    values, label = np.asarray(values), np.asarray(label)
    edges = values if categorical else np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1])
    code = np.searchsorted(np.unique(edges), values, side="right")
    rows = np.ones((1, len(label))) if weights is None else np.asarray(weights, float)
    joint = rows @ np.eye(2 * (code.max() + 1))[2 * code + label]
    own = joint.reshape(len(rows), -1, 2)
    own_bits = _entropy(own.sum(axis=2))
    gain = own_bits + _entropy(own.sum(axis=1)) - _entropy(joint)
    ratio = np.divide(gain, own_bits, out=np.zeros(len(rows)), where=own_bits > 0)
    return float(ratio[0]) if weights is None else ratio


def _entropy(counts: np.ndarray) -> np.ndarray:
    """Entropy in bits of the shares that each row of counts makes."""
    return entropy(counts, base=2, axis=1)


def choose(
    vif_table: pd.DataFrame,
    weak: Sequence[str],
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
    weak : sequence of str
        Factors no more important than a random probe.
    threshold, flag : float
        VIF at which factors were dropped, and above which a kept factor is flagged.
    drop_below_probe : bool
        Drop the weak factors; otherwise they are flagged.

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
    reason = "permutation importance not surely above that of random probes"
    weak = {name: reason for name in kept["factor"] if name in weak}
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
