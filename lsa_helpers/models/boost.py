"""Gradient-boosted trees (XGBoost), stored in XGBoost's own UBJ."""

import numpy as np
import xgboost as xgb

from lsa_helpers.models.face import TableModel
from lsa_helpers.run import whole_file


class Boost(TableModel):
    """Gradient-boosted trees with histogram splits and logistic loss.

    Notes
    -----
    **Source**: Chen & Guestrin 2016, XGBoost, doi:10.1145/2939672.2939785.
    """

    name = "xgboost"
    defaults = {"rounds": 400, "depth": 6, "eta": 0.05, "subsample": 0.8}

    def _fit_rows(self, X, y, seed):
        own = self.settings
        params = {"objective": "binary:logistic", "tree_method": "hist", "max_depth": own["depth"], "eta": own["eta"], "seed": seed,
                  "subsample": own["subsample"], "colsample_bytree": own["subsample"], "nthread": self.n_jobs, "verbosity": 0}  # fmt: skip
        self.booster = xgb.train(params, xgb.DMatrix(X, y, nthread=self.n_jobs), own["rounds"])

    def predict_rows(self, X: np.ndarray) -> np.ndarray:
        """Probability of each coded row."""
        return self.booster.predict(xgb.DMatrix(X, nthread=self.n_jobs))

    def _write(self, folder):
        with whole_file(folder / "booster.ubj") as part:
            self.booster.save_model(part)
        return {}

    def _read(self, folder, config):
        self.booster = xgb.Booster({"nthread": self.n_jobs})
        self.booster.load_model(folder / "booster.ubj")
