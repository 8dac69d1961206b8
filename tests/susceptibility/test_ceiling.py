"""On the simulated mountain a model that is told the true probability is as good as any can be, and
no better on landslides to come.
"""

import numpy as np
import pytest
from scipy.special import logit
from sklearn.metrics import roc_auc_score

from lsa_helpers import models
from lsa_helpers.factors import FactorStack
from lsa_helpers.grid import Grid
from lsa_helpers.mountain.landslides import landslide_ids
from lsa_helpers.mountain.simulation import make_mountain
from lsa_helpers.samples import make_samples

# Model: settings, and how far below the ceiling it may stay on landslides that it has not seen. A
# logistic curve keeps the order of the logit. Trees cut it into steps, and unpruned ones give each
# step to the few samples in it: noise that more samples do not take away.
MODELS = {
    "logistic": ({}, 1e-4),
    "cnn": ({"window": 1, "seeds": 1, "epochs": 10, "patience": 3}, 1e-3),
    "xgboost": ({"rounds": 50, "depth": 2}, 0.01),
    "rf": ({"n_trees": 200}, 0.06),
}


@pytest.fixture(scope="module")
def mountain():
    """2 × 2 km with four times the usual landslides: about 50, so that an AUC means something."""
    return make_mountain(2.0, 2.0, 5, density=4)


@pytest.fixture(scope="module")
def told(mountain):
    """(stack whose only factor is the logit of the true probability, samples of the mountain's
    landslides).
    """
    chance = np.clip(mountain.probability.values.astype(float), 1e-9, 1 - 1e-9)
    stack = FactorStack(
        logit(chance)[None].astype(np.float32),
        Grid.from_bounds(mountain.probability.rio.bounds(), 32648, 12.5),
        ("logit",),
        {"logit": {"kind": "continuous"}},
    )
    return stack, make_samples(
        mountain.landslides, stack, seed=0, max_per_landslide=60, negative_buffer_m=0, block_m=400
    )


def auc(landslide, values) -> float:
    return roc_auc_score(landslide.ravel(), values.ravel())


@pytest.mark.parametrize("name", MODELS)
def test_a_model_told_the_truth_reaches_the_ceiling(mountain, told, name):
    """Its map is as good for the mountain's landslides as the probability itself, and for new ones
    drawn from it up to its own noise.
    """
    settings, noise = MODELS[name]
    found = models.make(name, n_jobs=2, **settings).fit(*told, 0).predict_map(told[0])
    probability = mountain.probability.values
    transform = mountain.probability.rio.transform()
    own = landslide_ids(mountain.landslides, transform, probability.shape) > 0
    ceiling = auc(own, probability)
    assert (
        ceiling == pytest.approx(mountain.effects["ceiling_auc"], abs=1e-4) and 0.8 < ceiling < 0.99
    )
    assert (
        auc(own, found) > ceiling - 1e-3
    )  # trees remember the landslides they learned from, so they may lie above
    new = np.random.default_rng(0).random(found.shape) < probability
    assert auc(new, probability) - noise < auc(new, found) < auc(new, probability) + 1e-4
