"""Four models behind one face: learn only from their rows, map what they predict, save and load,
same seed same bytes.
"""

import numpy as np
import pandas as pd
import pytest

from lsa_helpers import models
from lsa_helpers.errors import InputError, StageError
from lsa_helpers.runner.params import SusceptibilityParams

QUICK = {
    "cnn": {"epochs": 3, "seeds": 2, "window": 7},
    "rf": {"n_trees": 40},
    "xgboost": {"rounds": 40},
    "logistic": {},
}


@pytest.fixture(scope="module")
def fitted(sampled):
    stack, table = sampled
    return {name: models.make(name, **own).fit(stack, table, 5) for name, own in QUICK.items()}


@pytest.mark.parametrize("name", QUICK)
def test_map_holds_the_predictions_and_nan_where_factors_are_unknown(name, fitted, sampled):
    stack, table = sampled
    susceptibility = fitted[name].predict_map(stack)
    assert susceptibility.dtype == np.float32 and susceptibility.shape == stack.grid.shape
    np.testing.assert_array_equal(np.isfinite(susceptibility), stack.valid)
    assert np.nanmin(susceptibility) >= 0 and np.nanmax(susceptibility) <= 1
    cells = stack.grid.rowcol(table["x"], table["y"])
    np.testing.assert_allclose(susceptibility[cells], fitted[name].predict(stack, table), atol=2e-6)


@pytest.mark.parametrize("name", QUICK)
def test_learns_the_slope(name, fitted, sampled):
    from sklearn.metrics import roc_auc_score

    stack, table = sampled
    assert roc_auc_score(table["label"], fitted[name].predict(stack, table)) > 0.8


@pytest.mark.parametrize("name", QUICK)
def test_save_and_load_give_equal_predictions(name, fitted, sampled, tmp_path):
    stack, table = sampled
    loaded = models.load(fitted[name].save(tmp_path / name))
    np.testing.assert_array_equal(loaded.predict(stack, table), fitted[name].predict(stack, table))
    assert loaded.encoder == fitted[name].encoder
    assert not any(
        path.suffix in (".pkl", ".pt", ".joblib") or path.name.startswith(".")
        for path in (tmp_path / name).iterdir()
    )


@pytest.mark.parametrize("name", QUICK)
def test_same_seed_same_bytes(name, fitted, sampled):
    stack, table = sampled
    again = models.make(name, **QUICK[name]).fit(stack, table, 5)
    assert again.predict_map(stack).tobytes() == fitted[name].predict_map(stack).tobytes()


@pytest.mark.parametrize("name", QUICK)
def test_nothing_is_learned_from_rows_left_out(name, fitted, sampled):
    """A leak planted in the held-out rows changes neither the coding nor the model."""
    stack, table = sampled
    train = table[table["fold"] != 0]
    spoilt = stack.values.copy()
    row, col = stack.grid.rowcol(*table.loc[table["fold"] == 0, ["x", "y"]].to_numpy().T)
    spoilt[0, row, col] = 1e6
    leaky = type(stack)(spoilt, stack.grid, stack.names, stack.info)
    window = {"window": 1} if name == "cnn" else {}
    honest, planted = (
        models.make(name, **QUICK[name] | window).fit(s, train, 5) for s in (stack, leaky)
    )
    assert planted.encoder == honest.encoder
    assert planted.encoder.factors["slope"]["mean"] == pytest.approx(
        train["slope"].mean(), rel=1e-5
    )
    np.testing.assert_array_equal(planted.predict(stack, train), honest.predict(stack, train))


def test_a_class_never_seen_is_predicted_all_the_same(fitted, sampled):
    stack, table = sampled
    strange = table.assign(lulc=np.float32(99))
    for name in ("rf", "xgboost", "logistic"):
        assert np.isfinite(fitted[name].predict(stack, strange)).all()


def test_one_class_and_unknown_names_are_explained(sampled):
    stack, table = sampled
    with pytest.raises(StageError, match="one class only"):
        models.make("rf").fit(stack, table[table["label"] == 1], 0)
    with pytest.raises(InputError, match='Did you mean "xgboost"'):
        models.make("xgbost")
    with pytest.raises(InputError, match="no trained model"):
        models.load("nowhere")


def test_only_the_factors_asked_for_are_used(sampled):
    stack, table = sampled
    model = models.make("logistic", factors=["slope"]).fit(stack, table, 0)
    assert model.encoder.columns == ("slope",)
    holes = type(stack)(stack.values.copy(), stack.grid, stack.names, stack.info)
    holes.values[1, 40:50] = np.nan
    assert np.isfinite(model.predict_map(holes)[40:50]).all()


def test_logistic_is_maximum_likelihood(sampled):
    """The coefficients are those of statsmodels' Logit."""
    from statsmodels.discrete.discrete_model import Logit
    from statsmodels.tools import add_constant

    stack, table = sampled
    model = models.make("logistic", factors=["slope", "ndvi"]).fit(stack, table, 0)
    reference = (
        Logit(table["label"], add_constant(model.encoder.table(table).astype(float)))
        .fit(disp=0)
        .params
    )
    np.testing.assert_allclose([model.intercept, *model.coefficients], reference, rtol=1e-3)


def test_cnn_stops_early_on_another_fold_for_each_member(sampled):
    from lsa_helpers.models.cnn import _stop_rows

    _, table = sampled
    assert [
        np.unique(table["fold"][_stop_rows(table, member)]).tolist() for member in (0, 1, 5)
    ] == [[0], [1], [0]]
    assert not _stop_rows(table.assign(fold=0), 0).any()


def test_settings_of_the_parameters_are_settings_of_the_models():
    p = SusceptibilityParams(cnn_window=7, rf_trees=33, logistic_factors=["a"])
    made = {name: make() for name, make in models.makers(p, ["a", "b"]).items()}
    assert list(made) == ["cnn", "rf", "xgboost", "logistic"]
    assert made["cnn"].settings["window"] == 7 and made["rf"].settings["n_trees"] == 33
    assert made["logistic"].factors == ("a",) and made["rf"].factors == ("a", "b")


def test_cnn_input_has_no_spikes_and_no_holes(fitted, sampled):
    stack, _ = sampled
    spiked = type(stack)(stack.values.copy(), stack.grid, stack.names, stack.info)
    spiked.values[0, 40, 40] = 1e5
    encoded = fitted["cnn"].encode(spiked)
    assert encoded[0, 40, 40] == 5 and encoded[0, 0, 0] == 0 and np.isfinite(encoded).all()


def test_importing_the_face_imports_nothing_heavy():
    import subprocess
    import sys

    code = "import sys, lsa_helpers.models; print([m for m in ('torch', 'xgboost', 'sklearn', 'skops') if m in sys.modules])"
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )


def test_maps_of_two_models_differ(fitted, sampled):
    maps = pd.DataFrame(
        {name: model.predict_map(sampled[0]).ravel() for name, model in fitted.items()}
    ).corr()
    assert (maps.to_numpy()[np.triu_indices(4, 1)] < 0.9999).all()


def test_a_factor_is_coded_as_the_parameters_say(sampled, tmp_path):
    """Aspect as a number is one column instead of two, also after saving; classes of a continuous
    factor and unknown names are refused.
    """
    stack, table = sampled
    usual = models.make("logistic").fit(stack, table, 0)
    model = models.make("logistic", coding={"aspect": "continuous"}).fit(stack, table, 0)
    assert {"aspect_sin", "aspect_cos"} <= set(usual.encoder.columns)
    assert (
        "aspect" in model.encoder.columns
        and len(model.encoder.columns) == len(usual.encoder.columns) - 1
    )
    again = models.untrained(model.save(tmp_path / "logistic"))().fit(stack, table, 0)
    np.testing.assert_array_equal(again.predict(stack, table), model.predict(stack, table))
    with pytest.raises(InputError, match="cannot be coded by classes"):
        models.make("logistic", coding={"slope": "categorical"}).fit(stack, table, 0)
    with pytest.raises(InputError, match="parameter coding.*slop"):
        models.make("logistic", coding={"slop": "circular"}).fit(stack, table, 0)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("name", [*QUICK, "svm"])
def test_an_unknown_value_in_a_training_row_is_named(sampled, name, value):
    """The same message from every model, also from those that would swallow it; a factor that is
    not used may have gaps.
    """
    stack, table = sampled
    holed = table.assign(ndvi=table["ndvi"].where(table.index != 7, value))
    with pytest.raises(InputError, match=f'factor "ndvi".*unknown.*1 of {len(table)} rows'):
        models.make(name, **QUICK.get(name, {})).fit(stack, holed, 0)
    if name == "logistic":
        assert np.isfinite(
            models.make(name, factors=["slope"]).fit(stack, holed, 0).predict(stack, holed)
        ).all()
