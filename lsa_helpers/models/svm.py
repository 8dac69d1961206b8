"""Support vector machine with a radial kernel (scikit-learn), stored with skops."""

import numpy as np
import skops.io
from scipy.special import expit
from sklearn.svm import SVC

from lsa_helpers.models.base import TableModel
from lsa_helpers.run import whole_file


class SupportVector(TableModel):
    """Support vector classifier on the coded factors; what it gives is the logistic of its decision
    value: right in order only.

    Notes
    -----
    **Source**: Cortes & Vapnik 1995, Support-vector networks, doi:10.1007/BF00994018. ``gamma`` is
    the kernel's sigma of Karatzoglou et al. 2004, kernlab, doi:10.18637/jss.v011.i09.
    """

    name = "svm"
    defaults = {"c": 1.0, "gamma": 0.05}
    _MOST_STEPS = (
        200_000  # a huge c on rows that overlap would go on for minutes without another ranking
    )

    def _fit_rows(self, X, y, seed):
        self.machine = SVC(
            C=self.settings["c"], gamma=self.settings["gamma"], max_iter=self._MOST_STEPS
        ).fit(X, y)

    def predict_rows(self, X: np.ndarray) -> np.ndarray:
        """Logistic of the decision value of each coded row."""
        return expit(self.machine.decision_function(X))

    def _write(self, folder):
        with whole_file(folder / "machine.skops") as part:
            skops.io.dump(self.machine, part)
        return {}

    def _read(self, folder, config):
        self.machine = skops.io.load(folder / "machine.skops")
