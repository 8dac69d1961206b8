"""Random forest (scikit-learn), stored with skops."""

import copy

import numpy as np
import skops.io
from sklearn.ensemble import RandomForestClassifier

from lsa_helpers.models.base import TableModel
from lsa_helpers.run import whole_file


class Forest(TableModel):
    """Random forest; by default of unpruned trees that look at a random square root of the columns
    at each split.

    Its settings are the number of trees, ``max_features`` (share of the columns looked at, or
    "sqrt") and ``min_leaf`` (fewest samples of a leaf).

    Notes
    -----
    **Source**: Breiman 2001, Random forests, doi:10.1023/A:1010933404324.
    """

    name = "rf"
    defaults = {"n_trees": 500, "max_features": "sqrt", "min_leaf": 1}

    def _fit_rows(self, X, y, seed):
        own = {
            "max_features": self.settings["max_features"],
            "min_samples_leaf": self.settings["min_leaf"],
        }
        self.forest = RandomForestClassifier(
            self.settings["n_trees"], n_jobs=self.n_jobs, random_state=seed, **own
        ).fit(X, y)

    def on_one_core(self):
        one = super().on_one_core()
        one.forest = copy.copy(self.forest)
        one.forest.n_jobs = 1
        return one

    def predict_rows(self, X: np.ndarray) -> np.ndarray:
        """Share of trees that vote landslide, for each coded row."""
        return self.forest.predict_proba(X)[:, 1]

    def _write(self, folder):
        with whole_file(folder / "forest.skops") as part:
            skops.io.dump(self.forest, part)
        return {}

    def _read(self, folder, config):
        # The dtypes of a forest's own tree arrays are all skops does not know; anything else in the
        # file is refused.
        self.forest = skops.io.load(
            folder / "forest.skops", trusted=["sklearn.tree._tree.Tree", "numpy.dtype"]
        )
