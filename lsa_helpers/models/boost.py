"""Gradient-boosted trees (XGBoost), stored in XGBoost's own UBJ."""

import numpy as np
import xgboost as xgb

from lsa_helpers.models.cluster import connect
from lsa_helpers.models.face import TableModel
from lsa_helpers.run import whole_file


class Boost(TableModel):
    """Gradient-boosted trees with histogram splits and logistic loss.

    With the setting `scheduler`, the address of a Dask scheduler or "local", its workers train: each holds its part of the rows.

    Notes
    -----
    **Source**: Chen & Guestrin 2016, XGBoost, doi:10.1145/2939672.2939785.
    """

    name = "xgboost"
    defaults = {"rounds": 400, "depth": 6, "eta": 0.05, "subsample": 0.8, "scheduler": ""}

    def _fit_rows(self, X, y, seed):
        own = self.settings
        params = {"objective": "binary:logistic", "tree_method": "hist", "max_depth": own["depth"], "eta": own["eta"], "seed": seed,
                  "subsample": own["subsample"], "colsample_bytree": own["subsample"], "nthread": self.n_jobs, "verbosity": 0}  # fmt: skip
        if own["scheduler"]:
            self.booster = _train_on_cluster(params, X, y, own["rounds"], own["scheduler"], self.n_jobs)
        else:
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


def _train_on_cluster(params, X, y, rounds, scheduler, n_jobs) -> xgb.Booster:
    """Train on the workers of a Dask scheduler, the rows dealt to them in equal parts."""
    import dask.array as da
    import xgboost.dask as xgb_dask

    with connect(scheduler, n_jobs) as client:
        rows = -(-len(X) // max(1, len(client.scheduler_info()["workers"])))
        data = xgb_dask.DaskDMatrix(client, da.from_array(X, chunks=(rows, -1)), da.from_array(y, chunks=rows))
        return xgb_dask.train(client, {**params, "nthread": 1}, data, rounds)["booster"]
