"""Bounds of the AUC that a table of ordered classes leaves open."""

from collections.abc import Iterator

import numpy as np

from lsa_helpers.audit.findings import finding, of, ranked


def auc_bounds(landslides: np.ndarray, others: np.ndarray) -> tuple[float, float, float]:
    """The AUC that a map can have whose classes are known, but not the order inside a class.

    Parameters
    ----------
    landslides, others : array of float
        Amount of landslide and of other land in every class, from the lowest class to the highest.

    Returns
    -------
    low, middle, high : float
        Inside every class all landslides last, in no order (the ROC curve has straight lines
        between the classes' corners), or first.

    Examples
    --------
    >>> auc_bounds(np.array([1, 3]), np.array([3, 1]))
    (0.5625, 0.75, 0.9375)
    """
    slides, rest = landslides / np.sum(landslides), others / np.sum(others)
    below = float(np.sum(slides * (np.cumsum(rest) - rest)))
    ties = float(np.sum(slides * rest))
    return below, below + ties / 2, below + ties


def _bounds(columns: dict, same: bool) -> tuple[float, float, float, float] | None:
    """`auc_bounds` of a table, and how far rounding can move each; None where that is not
    known.

    The AUC moves by no more than the total variation of the two distributions over the classes.
    """
    rows = ranked(columns)
    if rows is None:
        return None
    area = columns["area" if "area" in columns else "area_share"].loc[rows]
    slides = columns["landslides" if "landslides" in columns else "landslide_share"].loc[rows]
    others = area["value"] - (slides["value"] if same else 0)
    known = area["value"].notna().all() and slides["value"].notna().all()
    if not known or min(slides["value"].sum(), others.sum()) <= 0:
        return None  # something is missing, or all of it was rounded away
    half = (area["high"] - area["low"]) / 2, (slides["high"] - slides["low"]) / 2
    spread = half[1].sum() / slides["value"].sum()
    spread += (half[0].sum() + (half[1].sum() if same else 0)) / others.sum()
    return *auc_bounds(slides["value"].to_numpy(), others.clip(lower=0).to_numpy()), min(
        spread, 1.0
    )


def auc_interval(model: str, columns: dict, same: bool, **_) -> Iterator[dict]:
    """Bounds of the AUC."""
    if (bounds := _bounds(columns, same)) is None:
        return
    low, middle, high, spread = bounds
    against = "the other land" if same else "all land"
    text = f"On this map the AUC{of(model)} against {against} lies between {low:.3f} and {high:.3f}"
    text += (
        f" ({middle:.3f} without order inside classes; rounding moves it by at most {spread:.3f})."
    )
    yield finding("AUC bounds", model, "implied", text, printed=middle, low=low, high=high)


def auc_leads(groups: dict, same: bool) -> Iterator[dict]:
    """How far the best map must be ahead of each other one."""
    bounds = {model: _bounds(columns, same) for model, columns in groups.items()}
    bounds = {model: found for model, found in bounds.items() if found is not None}
    if len(bounds) < 2:
        return
    best = max(bounds, key=lambda model: bounds[model][0])
    for model, (_, _, high, spread) in bounds.items():
        lead = 100 * (bounds[best][0] - high)
        if model != best and lead > 0:
            sure = lead - 100 * (spread + bounds[best][3])
            text = f"On the map {best} leads {model} by at least {lead:.1f} points of AUC "
            text += f"({sure:.1f} at the worst rounding)."
            yield finding("AUC lead", f"{best} / {model}", "implied", text, printed=lead, low=sure)
