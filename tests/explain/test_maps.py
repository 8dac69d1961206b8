"""Maps of exact values: trees as shap explains them, and the same in memory and in blocks."""

import numpy as np
import pandas as pd
import pytest
import shap
from sklearn.pipeline import make_pipeline
from woodelf import WoodelfExplainer
from xgboost import XGBClassifier

from lsa_helpers.errors import InputError
from lsa_helpers.explain import explain_cell, in_words, pick_background, shapley_map
from lsa_helpers.samples import coded_groups, factor_coder


@pytest.fixture(scope="module")
def trees(sampled):
    """A pipeline of boosted trees, fitted; its background, coded."""
    factors, samples = sampled
    model = make_pipeline(factor_coder(factors), XGBClassifier(n_estimators=40, max_depth=4))
    model.fit(samples, samples["label"])
    background = pick_background(factors, n=16, seed=0)
    return model, background


def _coded(coder, rows) -> pd.DataFrame:
    names = list(coder.get_feature_names_out())
    return pd.DataFrame(coder.transform(rows).astype(np.float32), columns=names)


def _lower(coded) -> pd.DataFrame:
    """A hair lower: woodelf asks for less than a threshold that it has put one step lower."""
    return np.nextafter(coded.astype(float), -np.inf)


def _explain(model, background):
    """What chapter 08 writes around woodelf."""
    coder, trees = model
    to_factors = pd.get_dummies(coded_groups(coder), dtype=int)[coder.factors].to_numpy()
    explainer = WoodelfExplainer(trees, _lower(_coded(coder, background)))
    margin = lambda coded: trees.predict(coded.to_numpy(), output_margin=True)  # noqa: E731
    base = float(margin(_coded(coder, background)).mean())

    def explain(rows):
        coded = _coded(coder, rows)
        values = explainer.shap_values(_lower(coded), verbose=False)
        return values @ to_factors, base, margin(coded)

    return explain


@pytest.mark.known_by("the package shap", "Shapley values of every cell of a map by trees")
def test_the_map_of_trees_is_what_shap_says(trees, sampled):
    """Every cell, to 1e-5; with base and residual they are the model's output."""
    (factors, _), (model, background) = sampled, trees
    coder = model[0]
    maps = shapley_map(_explain(model, background), factors, coder.factors, units="log-odds")
    cells = factors.to_dataframe().dropna()
    explainer = shap.TreeExplainer(model[-1], coder.transform(background).astype(np.float32))
    values = pd.DataFrame(
        explainer.shap_values(coder.transform(cells).astype(np.float32)),
        columns=coded_groups(coder),
        index=cells.index,
    )
    for name in coder.factors:
        theirs = values[[name]].sum(axis=1).to_xarray().reindex_like(maps)
        assert np.nanmax(np.abs(maps[name] - theirs)) < 1e-5
    assert np.nanmax(np.abs(maps["residual"])) < 1e-5
    assert (maps["base"].notnull().values == factors.to_dataarray().notnull().all("variable")).all()


def test_values_one_step_below_a_threshold_turn_as_in_the_model(trees):
    """There the sum of woodelf's values is another without the hair."""
    coder, model = trees[0][0], trees[0][-1]
    absent = _coded(coder, trees[1])
    at = shap.TreeExplainer(
        model, absent
    ).model  # whose thresholds are those of the model, one step lower
    column = list(absent).index("slope")
    values = np.unique(at.thresholds[(at.features == column) & (at.children_left >= 0)])
    rows = absent.iloc[np.zeros(len(values), int)].assign(slope=values.astype(np.float32))
    sums = (
        WoodelfExplainer(model, _lower(absent)).shap_values(_lower(rows), verbose=False).sum(axis=1)
    )
    margin = model.predict(rows.to_numpy(), output_margin=True)
    base = model.predict(absent.to_numpy(), output_margin=True).mean()
    assert len(values) > 3
    np.testing.assert_allclose(base + sums, margin, atol=1e-5)


def test_blocks_and_memory_give_the_same(trees, sampled, monkeypatch):
    (factors, _), (model, background) = sampled, trees
    explain = _explain(model, background)
    whole = shapley_map(explain, factors, model[0].factors, units="log-odds")
    monkeypatch.setattr("lsa_helpers.explain.maps.BLOCK", 64)
    lazy = shapley_map(explain, factors.chunk(y=16, x=24), model[0].factors, units="log-odds")
    assert lazy["slope"].chunks and whole["slope"].attrs["units"] == "log-odds"
    for name in whole:
        np.testing.assert_allclose(whole[name], lazy[name], atol=2e-6)


def test_a_missing_factor_is_named(trees, sampled):
    (factors, _), (model, background) = sampled, trees
    with pytest.raises(InputError, match="lulc"):
        shapley_map(
            _explain(model, background), factors.drop_vars("lulc"), model[0].factors, units="1"
        )


def _linear(rows):
    """2 · slope − 10 · ndvi, explained against 0."""
    values = np.column_stack([2 * rows["slope"], -10 * rows["ndvi"]])
    return values, 1.5, values.sum(axis=1) + 1.75


def test_a_cell_is_told_in_words(sampled):
    """By hand: slope 2 · value, ndvi −10 · value, base 1.5, residual 0.25."""
    factors, _ = sampled
    maps = shapley_map(_linear, factors, ["slope", "ndvi"], units="log-odds")
    x, y = float(factors.x[40]) + 3, float(factors.y[30]) - 3  # anywhere in the cell
    table = explain_cell(maps, factors, x, y)
    slope, ndvi = (float(factors[name][30, 40]) for name in ("slope", "ndvi"))
    by_factor = table.set_index("factor")
    assert by_factor["contribution"].to_dict() == pytest.approx(
        {"slope": 2 * slope, "ndvi": -10 * ndvi}, rel=1e-5
    )
    assert table["contribution"].abs().is_monotonic_decreasing
    assert table.attrs["base"] == 1.5 and table.attrs["residual"] == pytest.approx(0.25, abs=1e-5)
    assert table.attrs["output"] == pytest.approx(1.75 + 2 * slope - 10 * ndvi, abs=1e-4)
    known = factors["slope"].values[np.isfinite(factors["slope"])]
    share = f"more than in {100 * (known < np.float32(slope)).mean():.0f} % of the area"
    assert by_factor["words"]["slope"].endswith(share)


@pytest.mark.parametrize(("row", "col", "found"), [(0, 0, "no value"), (-9, 0, "outside")])
def test_a_place_without_an_explanation_is_said(sampled, row, col, found):
    factors, _ = sampled
    maps = shapley_map(_linear, factors, ["slope", "ndvi"], units="log-odds")
    x, y = float(factors.x[0]) + 12.5 * col, float(factors.y[0]) - 12.5 * row
    with pytest.raises(InputError, match=f"no explanation of this place.*{found}"):
        explain_cell(maps, factors, x, y)


def test_words_for_classes_and_directions(sampled):
    factors, _ = sampled
    classes = factors["lulc"].assign_attrs(classes={10: "forest"})
    assert in_words(classes, 10.0) == "forest"
    assert in_words(classes, 20.0) == "class 20"
    facing = {0.0: "north", 44.0: "north-east", 180.0: "south", 359.0: "north"}
    for degrees, wind in facing.items():
        assert in_words(factors["aspect"], degrees).endswith(f"facing {wind}")
    assert in_words(factors["aspect"], -1.0) == "flat"
