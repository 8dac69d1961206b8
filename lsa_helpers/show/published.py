"""Figures and lists of the chapter on printed tables."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler

from lsa_helpers.show import style


def roc_bounds(amounts: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> Figure:
    """What a class table leaves open of each model's ROC curve.

    Parameters
    ----------
    amounts : mapping
        Model → amount of landslide and of other land in every class, from the lowest class to the
        highest.
    """
    fig, axes = plt.subplots(1, len(amounts), figsize=(8.5, 3.2), sharey=True, squeeze=False)
    for ax, (model, (slides, others)) in zip(axes.flat, amounts.items(), strict=True):
        colour = style.MODEL_COLOURS.get(model, style.OKABE_ITO["black"])
        # The land is searched from the highest class down.
        x, y = (np.append(0, 100 * np.cumsum(a[::-1]) / np.sum(a)) for a in (others, slides))
        lower = np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1]
        upper = np.repeat(x, 2)[:-1], np.repeat(y, 2)[1:]
        region = np.append(lower[0], upper[0][::-1]), np.append(lower[1], upper[1][::-1])
        ax.fill(*region, color=colour, alpha=0.25, lw=0, label="possible curves")
        ax.plot(x, y, "o-", color=colour, ms=4, lw=1.2, label="corners of the classes")
        ax.plot([0, 100], [0, 100], ":", color="#777777", lw=0.8, label="chance")
        ax.set(title=style.MODEL_LABELS.get(model, model), xlabel="Other land (%)")
        ax.set(xlim=(-2, 102), ylim=(-2, 102), aspect="equal")
    axes[0, 0].set_ylabel("Landslide area (%)")
    axes[0, -1].legend(loc="lower right", fontsize=7)
    return fig


def told(findings: pd.DataFrame, *verdicts: str) -> Styler:
    """The sentences of the findings with some verdicts, in lines that wrap.

    Parameters
    ----------
    findings : DataFrame
        From `lsa_helpers.audit.audit`.
    *verdicts : str
        Keys of `lsa_helpers.audit.VERDICTS`.
    """
    chosen = findings.loc[findings["verdict"].isin(verdicts), ["verdict", "sentence"]]
    looks = {"text-align": "left", "white-space": "normal"}
    words = chosen.rename(columns={"verdict": "Verdict", "sentence": "Finding"})
    return words.style.hide(axis="index").set_properties(**looks)
