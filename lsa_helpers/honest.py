"""Chapter 08 in a few calls: held-out maps, what they are worth, the fair test of the window, the
sampling laboratory.
"""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from lsa_helpers import models, samples, validation
from lsa_helpers.classes import classify, find_breaks, frequency_ratio, landslide_cells
from lsa_helpers.errors import InputError
from lsa_helpers.factors import FactorStack, read_stack
from lsa_helpers.grid import read_raster, write_raster
from lsa_helpers.run import Run
from lsa_helpers.runner.params import ValidationParams

N_CLASSES = 5
#: Held-out maps whose difference says what the neighbourhood is worth.
GAINS = (
    ("cnn", "rf"),
    ("cnn_1", "rf"),
    ("cnn", "cnn_1"),
    ("rf_context", "rf"),
    ("xgboost_context", "xgboost"),
    ("cnn", "rf_context"),
)


@dataclass(frozen=True)
class Case:
    """What chapter 05 left: factors, samples and predictions, the landslides, the folds.

    Parameters
    ----------
    stack : FactorStack
    samples, guesses : DataFrame
        ``samples.parquet`` and ``predictions.parquet``.
    landslides : GeoDataFrame
        Of the inventory the samples were drawn from, or of another one; see
        `samples.read_landslides`.
    landslide : ndarray of bool, shape (height, width)
        Cells the maps are judged by.
    judge : str
        Whose landslides these are.
    truth : Truth or None
        Of the simulated mountain.
    folds : ndarray of int, shape (height, width)
    block_m : float
        Edge of the blocks that chapter 05 dealt to folds, m.
    window : int
        Edge of the CNN's window in cells; 1 without a CNN.
    """

    stack: FactorStack
    samples: pd.DataFrame
    guesses: pd.DataFrame
    landslides: gpd.GeoDataFrame
    landslide: np.ndarray
    judge: str
    truth: validation.Truth | None
    folds: np.ndarray
    block_m: float
    window: int

    @property
    def buffer_m(self) -> float:
        """Strip between training samples and held-out cells, m: the CNN's window."""
        return self.window * self.stack.grid.cell_size

    @property
    def points(self) -> bool:
        """Whether the inventory is of points."""
        return bool((self.landslides.geom_type == "Point").all())

    def describe(self) -> str:
        """One line on what the maps are judged by."""
        folds = len(np.unique(self.folds))
        return f"{len(self.samples)} samples, {folds} folds, a strip of {self.buffer_m:g} m. Maps are judged by {self.judge}."


def open_case(run: Run, p: ValidationParams) -> Case:
    """Read what chapters 01 to 05 left.

    Raises
    ------
    InputError
        When one of them was not run, or chapter 05 dealt blocks of another size to folds.
    """
    stack = read_stack(run)
    table = pd.read_parquet(run.need("samples.parquet", chapter="05_susceptibility"))
    block_m = _block_size(run, table, p)
    guesses = pd.read_parquet(run.need("predictions.parquet", chapter="05_susceptibility"))
    landslides = samples.read_landslides(run, p.inventory)
    truth = validation.read_truth(run, stack.grid)
    # Who names an inventory wants to see what a study with that inventory alone would have seen.
    by_truth = truth is not None and p.inventory == "auto"
    landslide = truth.landslide if by_truth else landslide_cells(landslides, stack.grid)
    judge = (
        "the true landslides of the simulated mountain"
        if by_truth
        else f"the {landslides.attrs['layer']} landslides"
    )
    folds = validation.fold_map(table, stack.grid, block_m=block_m, seed=p.seed)
    cnn = run.product("models/cnn")
    window = models.load(cnn).settings["window"] if models.is_saved(cnn) else 1
    return Case(stack, table, guesses, landslides, landslide, judge, truth, folds, block_m, window)


def _block_size(run: Run, table: pd.DataFrame, p: ValidationParams) -> float:
    """Edge of the blocks behind the samples' folds, m; an error where the parameters say another
    one.
    """
    dealt = table.attrs.get("block_m")
    if dealt is None or p.block_m not in (0, dealt):
        found = (
            "no block_m"
            if dealt is None
            else f"folds of blocks of {dealt:g} m, parameter block_m {p.block_m:g}"
        )
        fix = (
            "Run chapter 05 again"
            if dealt is None
            else "Set block_m to 0, or run chapter 05 with this block_m"
        )
        raise InputError(
            "the samples' folds are not of the blocks asked for",
            where=run.product("samples.parquet"),
            found=found,
            fix=fix,
        )
    return dealt


def judge_folds(run: Run, case: Case, p: ValidationParams) -> pd.DataFrame:
    """What random folds promise too much, beside blocks left out one at a time; also written as
    table ``optimism``.

    Returns
    -------
    DataFrame
        The columns of `validation.optimism`, and ``one_block``: AUC of the predictions of all
        single blocks together, each by a model trained on the other blocks; NaN for models not in
        ``one_block_models``; where a truth is known, ``ceiling_auc``.
    """
    table = validation.optimism(
        {scheme: run.read_table(f"scores_{scheme}") for scheme in ("apparent", "random", "spatial")}
    )
    folds, labels, found = (
        samples.block_folds(case.samples, block_m=case.block_m),
        case.samples["label"],
        {},
    )
    for name in p.one_block_models:
        if models.is_saved(folder := run.product("models") / name):
            how = {"seed": p.seed, "buffer_m": case.buffer_m, "pooled": True, "n_jobs": p.n_jobs}
            found[name] = roc_auc_score(
                labels,
                validation.out_of_fold(
                    validation.remade(folder), case.stack, case.samples, folds, **how
                ),
            )
    table = validation.with_ceiling(
        table.assign(one_block=table["model"].map(found)), case.samples, case.truth
    )
    run.write_table(table, "optimism")
    return table


def map_heldout(run: Run, case: Case, p: ValidationParams) -> dict[str, np.ndarray]:
    """Held-out maps of the models of chapter 05, also written as ``heldout_*.tif``."""
    folders = {name: run.product("models") / name for name in p.heldout_models}
    makers = {
        name: validation.remade(folder)
        for name, folder in folders.items()
        if models.is_saved(folder)
    }
    maps = validation.heldout_maps(
        makers, case.stack, case.samples, case.folds, seed=p.seed, buffer_m=case.buffer_m
    )
    for name, values in maps.items():
        write_raster(
            run.product(f"heldout_{name}.tif"), values, case.stack.grid, ["susceptibility"], ["1"]
        )
    return maps


def _blocks(case: Case) -> np.ndarray:
    """Block of every cell, (height, width)."""
    x, y = np.meshgrid(*case.stack.grid.centres())
    return samples.block_ids(x.ravel(), y.ravel(), case.block_m).reshape(x.shape)


def rate_curves(
    run: Run, case: Case, heldout: dict[str, np.ndarray], p: ValidationParams
) -> pd.DataFrame:
    """Success rate (map "fitted") and prediction rate (map "held out") of each model; also written
    as table ``rate_curves``.

    Returns
    -------
    DataFrame
        ``model, map`` and the columns of `validation.rate_curve`.
    """
    blocks, parts = _blocks(case), []
    for name, values in heldout.items():
        fitted = read_raster(run.product(f"susceptibility_{name}.tif"))[0][0]
        for kind, raster in (("held out", values), ("fitted", fitted)):
            parts.append(
                validation.rate_curve(raster, case.landslide, blocks, seed=p.seed).assign(
                    model=name, map=kind
                )
            )
    table = pd.concat(parts, ignore_index=True)[
        ["model", "map", "area", "landslides", "low", "high"]
    ]
    run.write_table(table, "rate_curves")
    return table


def judge_maps(
    run: Run, case: Case, heldout: dict[str, np.ndarray], curves: pd.DataFrame, p: ValidationParams
) -> pd.DataFrame:
    """What each map is worth, fitted and held out; also written as table ``map_scores``.

    Returns
    -------
    DataFrame
        ``model, map``, captures and ``area_under`` (fractions), ``boyce``, ``descents`` (count),
        ``different_neighbours`` and ``isolated`` (fractions). Where a truth is known, its last row
        judges the true probability as if it were a map (model "ceiling").
    """
    rows = []
    for (name, kind), curve in curves.groupby(["model", "map"], sort=False):
        values = (
            heldout[name]
            if kind == "held out"
            else read_raster(run.product(f"susceptibility_{name}.tif"))[0][0]
        )
        rows.append(
            {
                "model": name,
                "map": kind,
                **validation.capture(curve),
                **map_quality(values, case.landslide, p.seed),
            }
        )
    if case.truth is not None:
        # The cells that every map knows, so that all are judged on the same ones.
        known = np.logical_and.reduce([np.isfinite(values) for values in heldout.values()])
        best = np.where(known, case.truth.probability, np.nan)
        worth = validation.capture(validation.rate_curve(best, case.landslide)) | map_quality(
            best, case.landslide, p.seed
        )
        rows.append({"model": "ceiling", "map": "true probability", **worth})
    run.write_table(pd.DataFrame(rows), "map_scores")
    return pd.DataFrame(rows)


def map_quality(values: np.ndarray, landslide: np.ndarray, seed: int) -> dict[str, float]:
    """Boyce index, descents of the frequency ratio over five Fisher–Jenks classes, and texture of a
    map (height, width).
    """
    classes = classify(
        values,
        find_breaks(values, n_classes=N_CLASSES, scheme="fisher_jenks", sample=5000, seed=seed),
    )
    fr = frequency_ratio(classes, landslide, cell_area_km2=1.0, n_classes=N_CLASSES)[
        "fr"
    ].to_numpy()
    descents = int((np.diff(fr[np.isfinite(fr)]) < 0).sum())
    return {
        "boyce": validation.boyce_index(values, landslide),
        "descents": descents,
        **validation.texture(classes),
    }


def map_context(run: Run, case: Case, p: ValidationParams) -> dict[str, np.ndarray]:
    """Held-out maps of trees with a neighbourhood and of a CNN of one cell; none when `context` is
    off or there is no CNN.
    """
    if not p.context or case.window == 1:
        return {}
    around = samples.add_context(case.stack, case.window)
    row, col = around.grid.rowcol(case.samples["x"], case.samples["y"])
    wider = case.samples.assign(
        **{name: around.band(name)[row, col] for name in around.names if name not in case.samples}
    )
    folder, makers = run.product("models"), {}
    for name in ("rf", "xgboost"):
        if models.is_saved(folder / name):
            factors = models.untrained(folder / name).keywords["factors"]
            makers[f"{name}_context"] = validation.remade(
                folder / name, factors=_with_context(factors, around)
            )
    makers["cnn_1"] = validation.remade(folder / "cnn", window=1)
    return validation.heldout_maps(
        makers, around, wider, case.folds, seed=p.seed, buffer_m=case.buffer_m
    )


def fair_comparison(
    run: Run, case: Case, around: dict[str, np.ndarray], worth: pd.DataFrame, p: ValidationParams
) -> pd.DataFrame | None:
    """Trees with a neighbourhood and a CNN of one cell beside the models as they are, all held out;
    table ``fair_comparison``.

    Returns
    -------
    DataFrame or None
        ``model``, captures, ``area_under``, ``boyce``, ``descents`` and texture, with the row
        "ceiling" of `judge_maps`; None without maps from `map_context`.
    """
    if not around:
        return None
    rows = worth[worth["map"] != "fitted"].drop(columns="map").to_dict("records")
    for name, values in around.items():
        curve = validation.rate_curve(values, case.landslide)
        rows.append(
            {
                "model": name,
                **validation.capture(curve),
                **map_quality(values, case.landslide, p.seed),
            }
        )
    run.write_table(pd.DataFrame(rows), "fair_comparison")
    return pd.DataFrame(rows)


def context_gain(
    run: Run, case: Case, maps: dict[str, np.ndarray], p: ValidationParams
) -> pd.DataFrame | None:
    """What the neighbourhood is worth to each model, and what the CNN makes of it beyond the
    forest; table ``context_gain``.

    Parameters
    ----------
    run, case, p
        As everywhere here.
    maps : dict
        Those of `map_heldout` and of `map_context`.

    Returns
    -------
    DataFrame or None
        The columns of `validation.paired_gains` for the pairs of `GAINS` that were mapped; None
        when there are none.
    """
    table = (
        validation.paired_gains(maps, case.landslide, _blocks(case), GAINS, seed=p.seed)
        if "cnn_1" in maps
        else pd.DataFrame()
    )
    if table.empty:
        return None
    run.write_table(table, "context_gain")
    return table


def _with_context(factors, around: FactorStack) -> list[str]:
    """Factors with the mean and deviation of those that have one."""
    return [
        *factors,
        *(
            f"{name}_{ending}"
            for name in factors
            for ending in ("mean", "std")
            if f"{name}_{ending}" in around.names
        ),
    ]


def run_laboratory(run: Run, case: Case, p: ValidationParams) -> pd.DataFrame | None:
    """The sampling laboratory with the parameters' model; table ``sampling_laboratory``. None for
    points or without kinds.

    The model has one set of settings for all kinds, those from before any search: a search for each
    would compare searches, not samples.
    """
    if (
        case.points
        or not p.lab_positives
        or not models.is_saved(run.product("models") / p.lab_model)
    ):
        return None
    make = models.untrained(run.product("models") / p.lab_model)
    table = validation.sampling_laboratory(
        make,
        case.landslides,
        case.stack,
        case.landslide,
        positives=p.lab_positives,
        buffers_m=p.lab_buffers_m,
        slope_floors=p.lab_slopes,
        ratios=p.lab_ratios,
        seeds=range(p.seed, p.seed + p.lab_seeds),
        block_m=case.block_m,
        n_folds=case.samples["fold"].nunique(),
        max_per_landslide=case.samples.attrs["max_per_landslide"],
        n_jobs=p.n_jobs,
    )
    run.write_table(table, "sampling_laboratory")
    return table


def summarise_laboratory(table: pd.DataFrame) -> pd.DataFrame:
    """Mean scores of every value of every choice, over all values of the others.

    Returns
    -------
    DataFrame
        Index ``choice, value``; ``n, sample_auc, map_auc``, ``flattery`` (their difference),
        ``seed_sd`` (standard deviation of map_auc between seeds, all else alike; NaN with one
        seed), and ``failed``, the number of kinds that could not be made and are in no mean.
    """
    choices, failed = (
        ["positives", "buffer_m", "slope_floor", "ratio"],
        table[["sample_auc", "map_auc"]].isna().any(axis=1),
    )
    between = table[~failed].groupby(choices)["map_auc"].std().reset_index()
    parts = {}
    for choice in choices:
        means = table[~failed].groupby(choice)[["n", "sample_auc", "map_auc"]].mean()
        means["flattery"] = means["sample_auc"] - means["map_auc"]
        means["seed_sd"] = between.groupby(choice)["map_auc"].mean()
        parts[choice] = means.join(
            failed.groupby(table[choice]).sum().rename("failed"), how="outer"
        )
    return pd.concat(parts, names=["choice", "value"])
