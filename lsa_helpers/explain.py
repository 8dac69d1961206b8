"""Shapley values of the three models: which factor moved a cell's susceptibility, and by how much."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lsa_helpers.errors import LsaError
from lsa_helpers.factors import read_stack
from lsa_helpers.run import Run
from lsa_helpers.runner.params import ShapParams
from lsa_helpers.samples import extract_windows

MODELS = ("cnn", "rf", "xgboost")
UNITS = {"cnn": "log-odds", "rf": "probability", "xgboost": "log-odds"}


class AdditivityError(LsaError):
    """Shapley values do not add up to the model's output, so they explain something else."""


@dataclass(frozen=True)
class Shap:
    """Shapley values of one model at some cells.

    Parameters
    ----------
    model : str
        ``cnn``, ``rf`` or ``xgboost``.
    factors : tuple of str
        Names of the factors (F).
    values : ndarray, shape (n, F)
        Contribution of each factor, in `unit`; a row plus `base` is the model's output at that
        cell.
    base : float
        Mean output over the background, in `unit`.
    data : ndarray, shape (n, F)
        The factors' raw values at the cells, in the factors' own units.
    unit : str
        "log-odds" (CNN and XGBoost are explained before the sigmoid, where contributions add) or
        "probability" (forest).
    """

    model: str
    factors: tuple[str, ...]
    values: np.ndarray
    base: float
    data: np.ndarray
    unit: str


def deep_shap(
    net, background: np.ndarray, windows: np.ndarray, *, tolerance: float
) -> tuple[np.ndarray, float]:
    """Deep SHAP values of a network's logit.

    The network may consist of modules only: convolution, linear, batch norm, pooling and
    activation, each used once. Activations called as functions, in place or twice escape the
    method's backward rules; the sum is therefore always checked.

    Parameters
    ----------
    net : torch.nn.Module
        From (n, C, height, width) to one logit per window, of shape (n, 1) or (n, 1, 1, 1); it is
        not changed.
    background, windows : ndarray of float32, shape (n, C, height, width)
        Reference windows and the windows to explain, encoded as the network expects.
    tolerance : float
        Largest allowed difference between base + sum of the values and the logit.

    Returns
    -------
    values : ndarray of float64, shape (n, C)
        Summed over the cells of the window.
    base : float
        Mean logit over the background.

    Raises
    ------
    AdditivityError
        When the values of any window do not add up to its logit.

    Notes
    -----
    Source: Lundberg & Lee 2017, A unified approach to interpreting model predictions,
    arXiv:1705.07874 (section 4.2, Deep SHAP).
    """
    import shap
    import torch

    column = torch.nn.Sequential(copy.deepcopy(net).cpu().eval(), torch.nn.Flatten())
    windows = torch.from_numpy(np.ascontiguousarray(windows))
    explainer = shap.DeepExplainer(column, torch.from_numpy(np.ascontiguousarray(background)))
    with torch.no_grad():
        logits = column(windows)[:, 0].double().numpy()
    try:
        values = explainer.shap_values(windows)[..., 0].sum(axis=(2, 3), dtype=float)
    except (AssertionError, RuntimeError) as error:
        raise AdditivityError(
            f"Deep SHAP cannot explain this network exactly: {' '.join(str(error).split())[:200]}"
        ) from error
    base = float(explainer.expected_value[0])
    check_sum(values, base, logits, tolerance)
    return values, base


def tree_shap(estimator, encoded: np.ndarray, *, tolerance: float) -> tuple[np.ndarray, float]:
    """TreeSHAP values of a fitted forest (its probability) or of boosted trees (their margin, in
    log-odds).

    Parameters
    ----------
    estimator : RandomForestClassifier or xgboost.Booster
        Fitted on two classes.
    encoded : ndarray, shape (n, C)
        Rows to explain, encoded as the estimator expects.
    tolerance : float
        Largest allowed difference between base + sum of the values and the output.

    Returns
    -------
    values : ndarray of float64, shape (n, C)
    base : float
        Mean output over the training rows, as the trees store them.

    Raises
    ------
    AdditivityError
        When the values of any row do not add up to its output.

    Notes
    -----
    Source: Lundberg et al. 2020, From local explanations to global understanding with explainable
    AI for trees, doi:10.1038/s42256-019-0138-9 (path-dependent TreeSHAP).
    """
    import shap

    explainer = shap.TreeExplainer(estimator)
    values, base = (
        np.asarray(explainer.shap_values(encoded), float),
        float(np.ravel(explainer.expected_value)[-1]),
    )
    if hasattr(estimator, "predict_proba"):
        values, output = values[..., 1], estimator.predict_proba(encoded)[:, 1]
    else:
        import xgboost

        output = estimator.predict(xgboost.DMatrix(encoded), output_margin=True)
    check_sum(values, base, output, tolerance)
    return values, base


def check_sum(values: np.ndarray, base: float, output: np.ndarray, tolerance: float) -> None:
    """Stop unless every row of `values` (n, columns) plus `base` equals `output` (n,) within
    `tolerance`.

    Raises
    ------
    AdditivityError
        Naming the largest difference.
    """
    gap = np.abs(values.sum(axis=1) + base - output)
    if not gap.max() <= tolerance:
        raise AdditivityError(
            f"Shapley values miss the model's output by up to {gap.max():.3g} (allowed: {tolerance:g})"
        )


def group_columns(values: np.ndarray, groups: Sequence[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Add the values of the columns that encode one factor (sine and cosine, one-hot codes).

    Values of columns may be added: the sum over all of them, and with it additivity, stays the
    same.

    Parameters
    ----------
    values : ndarray, shape (n, C)
    groups : sequence of str
        The factor each column belongs to (`lsa_helpers.samples.Encoder.groups`).

    Returns
    -------
    grouped : ndarray, shape (n, F)
    factors : tuple of str
        The factors in the order of their first columns.

    Examples
    --------
    >>> group_columns(np.array([[1.0, 2.0, 4.0]]), ["aspect", "aspect", "slope"])
    (array([[3., 4.]]), ('aspect', 'slope'))
    """
    factors = tuple(dict.fromkeys(groups))
    member = np.array([[group == factor for factor in factors] for group in groups], float)
    return values @ member, factors


def explain_models(run: Run, p: ShapParams) -> list[Shap]:
    """Explain the three trained models of a run at some of its samples, and write the table
    ``shap_importance``.

    The CNN is a mean of several networks: each is explained on its logit, and the values are
    averaged. Half of the explained cells are landslide samples as far as there are enough;
    background windows are other samples.

    Parameters
    ----------
    run : Run
        With ``factors.tif``, ``samples.parquet`` and ``models/``.
    p : ShapParams

    Returns
    -------
    list of Shap
        In the order cnn, rf, xgboost; all explain the same cells.

    Raises
    ------
    AdditivityError
        When the values of a model do not add up to its output.
    """
    from lsa_helpers.models import load

    folder = run.need("models", chapter="05_susceptibility")
    samples = pd.read_parquet(run.need("samples.parquet", chapter="05_susceptibility"))
    stack = read_stack(run)
    chosen, background = pick_samples(
        samples, n_explain=p.n_explain, n_background=p.n_background, seed=p.seed
    )
    explained = []
    for name in MODELS:
        model = load(folder / name)
        if name == "cnn":
            values, base = _explain_cnn(model, stack, chosen, background, p.additivity_tolerance)
        else:
            estimator = model.forest if name == "rf" else model.booster
            values, base = tree_shap(
                estimator, model.encoder.table(chosen), tolerance=p.additivity_tolerance
            )
        grouped, factors = group_columns(values, model.encoder.groups)
        explained.append(
            Shap(name, factors, grouped, base, chosen[list(factors)].to_numpy(float), UNITS[name])
        )
    run.write_table(importance(explained), "shap_importance")
    return explained


def _explain_cnn(model, stack, chosen, background, tolerance) -> tuple[np.ndarray, float]:
    """Mean over the CNN's networks of the Deep SHAP values of their logits: (n, columns), and the
    mean base.
    """
    encoded, size = model.encode(stack), model.settings["window"]
    windows, reference = (
        extract_windows(encoded, *stack.grid.rowcol(rows["x"], rows["y"]), size)
        for rows in (chosen, background)
    )
    results = [
        deep_shap(network, reference, windows, tolerance=tolerance) for network in model.networks
    ]
    return np.mean([values for values, _ in results], axis=0), float(
        np.mean([base for _, base in results])
    )


def pick_samples(
    samples: pd.DataFrame, *, n_explain: int, n_background: int, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw the cells to explain, half of them landslides as far as there are enough, and other
    cells as background.

    Parameters
    ----------
    samples : DataFrame
        With the column ``label``.
    n_explain, n_background : int
        How many of each; fewer where the table is short (a third of it at least stays for the
        background).
    seed : int

    Returns
    -------
    chosen, background : DataFrame
        Disjoint.
    """
    shuffled = samples.sample(frac=1, random_state=seed)
    n_explain = min(n_explain, 2 * len(samples) // 3)
    slides, others = shuffled[shuffled["label"] == 1], shuffled[shuffled["label"] == 0]
    n_slides = min(len(slides), max(n_explain // 2, n_explain - len(others)))
    chosen = pd.concat([slides.iloc[:n_slides], others.iloc[: n_explain - n_slides]])
    return chosen, shuffled.drop(chosen.index).iloc[:n_background]


def importance(explained: Sequence[Shap]) -> pd.DataFrame:
    """Rank the factors of each model by their mean absolute Shapley value.

    Parameters
    ----------
    explained : sequence of Shap

    Returns
    -------
    DataFrame
        Columns model, factor, mean_abs_shap (in the model's unit), rank (1 is the largest), in the
        order of the ranks.
    """
    tables = []
    for item in explained:
        table = pd.DataFrame(
            {
                "model": item.model,
                "factor": item.factors,
                "mean_abs_shap": np.abs(item.values).mean(axis=0),
            }
        )
        table = table.sort_values(
            "mean_abs_shap", ascending=False, kind="stable", ignore_index=True
        )
        tables.append(table.assign(rank=np.arange(1, len(table) + 1)))
    return pd.concat(tables, ignore_index=True)


def against_truth(table: pd.DataFrame, effects: Mapping[str, float]) -> pd.DataFrame:
    """Compare each model's ranking with the true effects of the simulated mountain.

    Parameters
    ----------
    table : DataFrame
        From `importance`.
    effects : mapping
        Factor → its share of the variance of the true logit (``effects.json``); keys that are no
        factor are ignored.

    Returns
    -------
    DataFrame
        model, spearman (rank correlation of mean |SHAP| with the true share over the model's
        factors), factors (how many).
    """
    from scipy.stats import spearmanr

    rows = []
    for model, part in table.groupby("model", sort=False):
        known = part[part["factor"].isin(list(effects))]
        result = spearmanr(known["mean_abs_shap"], known["factor"].map(dict(effects)))
        rows.append({"model": model, "spearman": float(result.statistic), "factors": len(known)})
    return pd.DataFrame(rows)
