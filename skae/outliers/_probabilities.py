"""From held-out scores to the probability of being an outlier: a mixture of two gammas.

The share of outliers must be known. The default model's scores are sums of ranks, and so are
distributed nearly alike whether one row in a hundred is an outlier or one in three.
"""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import digamma, expit, logit, polygamma

_N_STEPS, _TOL = 500, 1e-4
_LEAST_RATIO = 1.5  # of the mean strangeness of outliers to that of inliers


@dataclass(frozen=True)
class ScoreMixture:
    """Inliers and outliers, whose strangeness has gamma distributions of one shape.

    Strangeness is by how much a score is lower than the highest. Sums of squares and of logarithms
    of p-values are nearly gamma distributed, also where their parts depend on each other (Brown,
    Biometrics 31, 1975). With one shape the logarithm of the odds is linear, so that stranger rows
    never have lower probabilities.

    Parameters
    ----------
    highest : float
        The score without strangeness.
    slope : float
        By how much the log odds grow with the strangeness.
    intercept : float
        Log odds where there is none.
    """

    highest: float
    slope: float
    intercept: float

    @classmethod
    def of(cls, scores: np.ndarray, share: float) -> Self:
        """Fit the mixture by expectation and maximisation.

        Parameters
        ----------
        scores : ndarray of shape (n_rows,)
            Scores of rows by models that have not seen them, higher meaning more normal.
        share : float in (0, 1)
            Share of outliers among them.

        Returns
        -------
        ScoreMixture
            The mixture.
        """
        highest, spread = float(scores.max()), float(np.ptp(scores)) or 1.0
        values = ((highest - scores) / spread).clip(min=1e-9)
        is_out = (values > np.quantile(values, 1 - share)).astype(float)
        mean_log = np.log(values).mean()
        for _ in range(_N_STEPS):
            found = is_out.mean()
            mean_in = np.average(values, weights=1 - is_out + 1e-9)
            mean_out = max(np.average(values, weights=is_out + 1e-9), _LEAST_RATIO * mean_in)
            logs = (1 - found) * math.log(mean_in) + found * math.log(mean_out)
            shape = _shape(max(float(logs - mean_log), 1e-6))
            slope = shape * (1 / mean_in - 1 / mean_out)
            intercept = logit(share) + shape * math.log(mean_in / mean_out)
            before, is_out = is_out, expit(intercept + slope * values)
            if np.abs(is_out - before).max() < _TOL:
                break
        return cls(highest, float(slope / spread), float(intercept))

    def __call__(self, scores: np.ndarray) -> np.ndarray:
        """Return the probabilities that rows with these scores are outliers."""
        return expit(self.intercept + self.slope * (self.highest - scores).clip(min=0))


def _shape(excess: float) -> float:
    """Return the shape of a gamma distribution whose log of the mean exceeds the mean log so much.

    Newton's method on the reciprocal (Minka, "Estimating a gamma distribution", 2002).
    """
    shape = (3 - excess + math.sqrt((excess - 3) ** 2 + 24 * excess)) / (12 * excess)
    for _ in range(5):
        change = (math.log(shape) - digamma(shape) - excess) / (1 - shape * polygamma(1, shape))
        shape = 1 / (1 / shape + change / shape)
    return float(shape)
