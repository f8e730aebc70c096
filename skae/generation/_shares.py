"""What makes the categories of drawn rows as frequent as those of the training rows."""

from collections.abc import Sequence
from typing import Self

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax

from .._plain import registered

_MOST_LOG_WEIGHT = 3.0  # what is drawn twenty times too rarely can't be mended
_RIDGE = 1e-4
_TAIL = 0.001  # share of the rows that weigh more than those that are always taken


@registered
class Shares:
    """Weights of rows by their traits, for each class.

    Of all distributions of rows in which every trait has its share, that of the weighted rows is
    the closest one to the model's (Csiszár, Annals of Probability 3, 1975).

    Parameters
    ----------
    log_weights : ndarray of shape (n_classes, n_traits)
        What a trait adds to the logarithm of the weight of a row.
    log_means : ndarray of shape (n_classes,)
        Logarithm of the mean weight of what the model draws.
    log_bounds : ndarray of shape (n_classes,)
        Logarithm of the weight from which on a row is always taken.
    """

    log_weights: np.ndarray
    log_means: np.ndarray
    log_bounds: np.ndarray

    @classmethod
    def of(cls, drawn: Sequence[np.ndarray], wanted: Sequence[np.ndarray]) -> Self:
        """Learn the weights.

        Parameters
        ----------
        drawn : sequence of ndarrays of shape (n_rows, n_traits)
            For each class, the traits, zero or one, of rows that the model has drawn.
        wanted : sequence of ndarrays of shape (n_traits,)
            For each class, the shares of the traits.

        Returns
        -------
        Shares
            The weights.
        """
        weights = [
            _log_weights(traits, np.asarray(each))
            for traits, each in zip(drawn, wanted, strict=True)
        ]
        logs = [traits @ each for traits, each in zip(drawn, weights, strict=True)]
        return cls(
            np.stack(weights),
            np.array([logsumexp(each) - np.log(len(each)) for each in logs]),
            np.array([np.quantile(each, 1 - _TAIL) for each in logs]),
        )

    def taken(
        self, traits: np.ndarray, classes: np.ndarray, random: np.random.RandomState
    ) -> np.ndarray:
        """Draw whether rows are taken, in proportion to their weights.

        Parameters
        ----------
        traits : ndarray of shape (n_rows, n_traits)
            Traits of drawn rows.
        classes : ndarray of shape (n_rows,) of int
            Their classes.
        random : RandomState
            What draws.

        Returns
        -------
        ndarray of shape (n_rows,) of bool
            Which are.
        """
        logs = (traits * self.log_weights[classes]).sum(axis=1) - self.log_bounds[classes]
        return random.random_sample(len(traits)) < np.exp(logs.clip(max=0))

    def log_ratios(self, traits: np.ndarray) -> np.ndarray:
        """Return the logarithm of how much more probable rows are than in the model.

        Parameters
        ----------
        traits : ndarray of shape (n_rows, n_traits)
            Traits of rows.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            For each class.
        """
        return traits @ self.log_weights.T - self.log_means


def _log_weights(traits: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the weights with which the traits have the wanted shares."""

    def dual(log_weights: np.ndarray) -> tuple[float, np.ndarray]:
        logs = traits @ log_weights
        value = logsumexp(logs) - np.log(len(logs)) - wanted @ log_weights
        gradient = softmax(logs) @ traits - wanted
        return value + _RIDGE / 2 * log_weights @ log_weights, gradient + _RIDGE * log_weights

    bounds = [(-_MOST_LOG_WEIGHT, _MOST_LOG_WEIGHT)] * traits.shape[1]
    start = np.zeros(traits.shape[1])
    return minimize(dual, start, jac=True, method="L-BFGS-B", bounds=bounds).x
