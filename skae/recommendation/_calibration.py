"""From scores of a ridge regression to logits: what probability a score stands for."""

from collections.abc import Callable
from typing import Self

import numpy as np
import torch
from scipy import sparse
from scipy.optimize import minimize_scalar
from torch import Tensor
from torch.nn import functional as F

from .._plain import registered
from ._sparse import cells

_MOST_CELLS = 2**21
_WIDTHS = (0.003, 0.01, 0.03, 0.1)
_LOG_POWERS, _ROUGHLY = (-4.0, 4.0), {"xatol": 0.02}
_LOWEST = -50.0  # below, softplus is zero in float32


@registered
class Calibration:
    """Logits from scores, in the same order: ``power * log(softplus(score / width))``.

    A ridge regression estimates probabilities, up to a factor, but it may give negative numbers.

    Parameters
    ----------
    width : float
        Distance from 0 at which scores stop to be taken for probabilities.
    power : float
        What differences of their logarithms are multiplied by.
    """

    width: float
    power: float

    @classmethod
    def of(
        cls,
        X: sparse.csr_array,
        scores_of: Callable[[sparse.csr_array, sparse.csr_array], np.ndarray],
    ) -> Self:
        """Return the one under which histories are most likely, as draws from a multinomial.

        Parameters
        ----------
        X : csr_array of shape (n_users, n_items)
            Histories, of which some are enough.
        scores_of : callable
            Given histories twice, returns scores of shape (n_users, n_items).

        Returns
        -------
        Calibration
            The best of some widths, with its best power.
        """
        n_rows = min(X.shape[0], max(1, _MOST_CELLS // X.shape[1]))
        X = X[np.linspace(0, X.shape[0] - 1, n_rows).astype(int)]
        scores, n_items = (
            torch.from_numpy(scores_of(X, X)),
            torch.from_numpy(np.diff(X.indptr)).double(),
        )
        best = (np.inf, cls(_WIDTHS[1], 1.0))
        for width in _WIDTHS:
            logs = cls(width, 1.0).logits(scores)
            total = logs[cells(X)].sum(dtype=torch.float64)

            def loss(log_power: float, logs: Tensor = logs, total: Tensor = total) -> float:
                power = np.exp(log_power)
                return float(n_items @ (power * logs).logsumexp(1).double() - power * total)

            found = minimize_scalar(loss, bounds=_LOG_POWERS, method="bounded", options=_ROUGHLY)
            best = min(best, (found.fun, cls(width, float(np.exp(found.x)))), key=lambda b: b[0])
        return best[1]

    def logits(self, scores: Tensor) -> Tensor:
        """Return logits for scores, both of shape (n_users, n_items)."""
        scaled = (scores / self.width).clamp_(min=_LOWEST)
        return F.softplus(scaled).log_().mul_(self.power)
