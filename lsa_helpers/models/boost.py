"""Gradient-boosted trees (XGBoost), stored in XGBoost's own UBJ."""

import numpy as np
import pandas as pd
import xgboost as xgb

from lsa_helpers.models.area import describe_area
from lsa_helpers.models.base import TableModel
from lsa_helpers.models.cluster import connect
from lsa_helpers.run import whole_file
from lsa_helpers.samples import Encoder


class Boost(TableModel):
    """Gradient-boosted trees with histogram splits and logistic loss.

    With the setting `scheduler`, the address of a Dask scheduler or "local", its workers train:
    each holds its part of the rows. That shares the work; a table that no single process could hold
    is given to `fit` as a Dask DataFrame or as the path of a Parquet table.

    Notes
    -----
    **Source**: Chen & Guestrin 2016, XGBoost, doi:10.1145/2939672.2939785.
    """

    name = "xgboost"
    defaults = {"rounds": 400, "depth": 6, "eta": 0.05, "subsample": 0.8, "scheduler": ""}

    def fit(self, stack, samples, seed):
        """Train on the sample table, which may also be larger than memory.

        Parameters
        ----------
        stack : FactorStack
            Only what its factors are is asked for, not their values.
        samples : DataFrame, dask.dataframe.DataFrame, or path of a Parquet file or folder
            With ``label`` and the factors. All but a plain DataFrame are read, coded and trained on
            partition by partition by the workers of `scheduler`, or of a cluster of processes here
            when it is empty; no process sees the whole table.
        seed : int

        Raises
        ------
        InputError, StageError
            As for every model.
        """
        if isinstance(samples, pd.DataFrame):
            return super().fit(stack, samples, seed)
        import dask.dataframe as dd

        names, info = list(self.factors or stack.names), self._coded(stack)
        table = (samples if isinstance(samples, dd.DataFrame) else dd.read_parquet(samples))[
            [*names, "label"]
        ]
        with connect(self.settings["scheduler"] or "local", self.n_jobs) as client:
            self._need_both_classes(table["label"].nunique().compute(), len(table))
            self.encoder = Encoder.fit_parts(table, info, names)
            self.learned_on = describe_area(stack, names)
            coded = table.map_partitions(
                _coded_part, self.encoder, meta=_coded_part(table._meta, self.encoder)
            )
            self.booster = _train_on(
                client, self._params(seed), coded, table["label"], self.settings["rounds"]
            )
        return self

    def _params(self, seed: int) -> dict:
        """XGBoost's own parameters."""
        own = self.settings
        return {
            "objective": "binary:logistic",
            "tree_method": "hist",
            "max_depth": own["depth"],
            "eta": own["eta"],
            "seed": seed,
            "subsample": own["subsample"],
            "colsample_bytree": own["subsample"],
            "nthread": self.n_jobs,
            "verbosity": 0,
        }

    def _fit_rows(self, X, y, seed):
        rounds, scheduler = self.settings["rounds"], self.settings["scheduler"]
        if not scheduler:
            self.booster = xgb.train(
                self._params(seed), xgb.DMatrix(X, y, nthread=self.n_jobs), rounds
            )
            return
        import dask.array as da

        with connect(scheduler, self.n_jobs) as client:
            part = -(-len(X) // max(1, len(client.scheduler_info()["workers"])))
            self.booster = _train_on(
                client,
                self._params(seed),
                da.from_array(X, chunks=(part, -1)),
                da.from_array(y, chunks=part),
                rounds,
            )

    def on_one_core(self):
        one = super().on_one_core()
        one.booster = self.booster.copy()
        one.booster.set_param({"nthread": 1})
        return one

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


def _coded_part(part: pd.DataFrame, encoder: Encoder) -> pd.DataFrame:
    """One partition of a table, coded."""
    return pd.DataFrame(
        encoder.table(part), index=part.index, columns=[str(i) for i in range(len(encoder.columns))]
    )


def _train_on(client, params: dict, X, y, rounds: int) -> xgb.Booster:
    """Train on the workers of a cluster; each takes the partitions of the Dask collections X and y
    that lie with it.
    """
    import xgboost.dask as xgb_dask

    booster = xgb_dask.train(
        client, {**params, "nthread": 1}, xgb_dask.DaskDMatrix(client, X, y), rounds
    )["booster"]
    booster.feature_names = booster.feature_types = (
        None  # of a data frame; rows to predict come as bare arrays
    )
    return booster
