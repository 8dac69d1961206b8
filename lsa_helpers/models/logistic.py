"""Logistic regression without penalty (scikit-learn), stored as its coefficients."""

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from lsa_helpers.models.base import TableModel


class Logistic(TableModel):
    """Maximum-likelihood logistic regression on the coded factors: the field's baseline.

    Notes
    -----
    **Source**: Atkinson & Massari 1998, doi:10.1016/S0098-3004(97)00117-9, for its use on
    landslides.
    """

    name = "logistic"

    def _fit_rows(self, X, y, seed):
        fitted = LogisticRegression(C=np.inf, max_iter=1000, tol=1e-6).fit(X.astype(np.float64), y)
        self.coefficients, self.intercept = fitted.coef_[0], float(fitted.intercept_[0])

    def predict_rows(self, X: np.ndarray) -> np.ndarray:
        """Probability of each coded row."""
        return expit(X.astype(np.float64) @ self.coefficients + self.intercept)

    def _write(self, folder):
        return {
            "coefficients": dict(
                zip(self.encoder.columns, self.coefficients.tolist(), strict=True)
            ),
            "intercept": self.intercept,
        }

    def _read(self, folder, config):
        self.coefficients, self.intercept = (
            np.array(list(config["coefficients"].values())),
            config["intercept"],
        )
