"""The estimators of chapter 05, small."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from xgboost import XGBClassifier

from lsa_helpers.cnn import WindowCNN
from lsa_helpers.samples import factor_coder

NAMES = ("cnn", "rf", "xgboost", "logistic")


def make_estimators(factors, **coder):
    """Untrained."""
    classifiers = {
        "rf": RandomForestClassifier(20, random_state=5),
        "xgboost": XGBClassifier(n_estimators=20, learning_rate=0.3, random_state=5, n_jobs=1),
        "logistic": LogisticRegression(C=np.inf, max_iter=1000, tol=1e-6),
    }
    cnn = WindowCNN(factors, window=7, n_networks=2, epochs=3, random_state=5)
    return {"cnn": cnn} | {
        name: Pipeline([("coder", factor_coder(factors, **coder)), ("classifier", classifier)])
        for name, classifier in classifiers.items()
    }


@pytest.fixture(scope="session")
def trained(sampled):
    """Name → estimator trained on the hillside's samples."""
    factors, table = sampled
    estimators = make_estimators(factors)
    return {name: clone(each).fit(table, table["label"]) for name, each in estimators.items()}
