"""Estimators whose network may give other rows than those it is given."""

from typing import Any

import torch

from .._weights import weighted_mean
from ._checks import given_weights
from ._fit import checked_targets


class TakesTargets:
    """Mixin of estimators with codes, whose `y` may hold rows that the network should give."""

    _takes_targets = True
    _checked: Any
    _pairs: Any
    _apply_to: Any
    _scores: Any
    net_: Any

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return minus the mean error of reconstruction.

        Parameters
        ----------
        X : {array-like, data frame, CSR matrix or array} of shape (n_samples, n_features)
            Data, in the form of the training data.
        y : array-like of shape (n_samples, n_features), default=None
            Rows that the reconstruction is compared with, as in :meth:`fit`; None and labels, of
            one dimension, stand for `X`.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each row counts.

        Returns
        -------
        float
            Higher is better.
        """
        checked = self._checked(X)
        targets = checked_targets(self, X, checked, y)
        rows = self._pairs(checked, targets, self.net_.dtype, torch.device("cpu"), training=False)
        scores = self._apply_to(rows, self._scores)
        return weighted_mean(scores, given_weights(sample_weight, len(scores)))
