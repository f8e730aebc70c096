"""A normal distribution, fitted to rows with missing cells by expectation-maximisation."""

from typing import Self

import numpy as np
import torch
from torch import Tensor

from .._plain import registered
from ..networks._normal import conditional_covariances

_N_ITERATIONS, _TOLERANCE = 15, 2e-3
_RIDGE, _ROWS_OF_PRIOR = 0.03, 1.0
_LEAST_VARIANCE = 1e-3
_CELLS_AT_ONCE = 2**21


@registered
class Normal:
    """A normal distribution of coded rows.

    Parameters
    ----------
    mean : ndarray of shape (n_columns,)
        Its mean.
    covariance : ndarray of shape (n_columns, n_columns)
        Its covariance matrix.
    """

    mean: np.ndarray
    covariance: np.ndarray

    @property
    def precision(self) -> np.ndarray:
        """The inverse of the covariance matrix."""
        return np.linalg.inv(self.covariance)

    @classmethod
    def of(
        cls, Z: np.ndarray, weights: np.ndarray | None = None, start: Self | None = None
    ) -> Self:
        """Find the distribution under which rows with missing cells are likeliest.

        The covariance of each step is drawn a little to its diagonal, and gets a ridge of three per
        cent of the variances, so that constant, collinear or too many columns do no harm.

        Parameters
        ----------
        Z : ndarray of shape (n_rows, n_columns)
            Coded rows, NaN where cells are missing; every column has a value.
        weights : ndarray of shape (n_rows,) or None, default=None
            How often each row counts.
        start : Normal or None, default=None
            What to start from; None for independent columns.

        Returns
        -------
        Normal
            The distribution.

        References
        ----------
        Dempster, Laird & Rubin, "Maximum likelihood from incomplete data via the EM algorithm",
        Journal of the Royal Statistical Society B 39, 1977.

        Schafer, "Analysis of incomplete multivariate data", 1997, section 5.3.
        """
        x = torch.from_numpy(Z)
        observed = ~x.isnan()
        counts = torch.ones(len(x), dtype=x.dtype)
        if weights is not None:
            counts = torch.from_numpy(weights).to(x.dtype)
            x, observed, counts = x[counts > 0], observed[counts > 0], counts[counts > 0]
        filled = x.nan_to_num(0.0)
        n_observed = (observed * counts[:, None]).sum(0).clamp(min=1)
        first = (filled * counts[:, None]).sum(0) / n_observed
        squares = ((filled - first).square() * observed * counts[:, None]).sum(0)
        variance = squares / n_observed + _LEAST_VARIANCE
        mean, covariance = first, torch.diag(variance)
        if start is not None:
            mean, covariance = torch.from_numpy(start.mean), torch.from_numpy(start.covariance)
        rows = _Rows(filled, observed, counts)
        for _ in range(_N_ITERATIONS):
            new_mean, second = rows.moments(mean, covariance)
            diagonal = torch.diag(second.diagonal())
            n = float(counts.sum())
            second = (n * second + _ROWS_OF_PRIOR * diagonal) / (n + _ROWS_OF_PRIOR)
            second += _RIDGE * torch.diag(variance)
            change = (second - covariance).abs().max()
            mean, covariance = new_mean, second
            if change < _TOLERANCE:
                break
        return cls(mean.numpy(), covariance.numpy())


class _Rows:
    """Rows in the order of their patterns of missing cells."""

    def __init__(self, filled: Tensor, observed: Tensor, counts: Tensor) -> None:
        self.patterns, which = (~observed).unique(dim=0, return_inverse=True)
        order = which.argsort(stable=True)
        self.filled, self.observed, self.which = filled[order], observed[order], which[order]
        self.weights = counts[order] / counts.sum()
        self.starts = torch.searchsorted(self.which, torch.arange(len(self.patterns) + 1))

    def moments(self, mean: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean and the covariance that complete rows are expected to have."""
        precision = torch.cholesky_inverse(torch.linalg.cholesky(covariance))
        total, squares = torch.zeros_like(mean), torch.zeros_like(covariance)
        size = max(1, _CELLS_AT_ONCE // len(mean) ** 2)
        for first in range(0, len(self.patterns), size):
            patterns = self.patterns[first : first + size]
            starts = self.starts[first : first + len(patterns) + 1]
            some = slice(int(starts[0]), int(starts[-1]))
            of_missing = conditional_covariances(patterns, precision)
            deviations = (self.filled[some] - mean) * self.observed[some]
            pull = (deviations @ precision).split(starts.diff().tolist())
            moves = [part @ each for part, each in zip(pull, of_missing, strict=True)]
            deviations = deviations - torch.cat(moves)
            weights = self.weights[some]
            total += weights @ deviations
            squares += (deviations * weights[:, None]).T @ deviations
            which = self.which[some] - first
            of_patterns = weights.new_zeros(len(patterns)).index_add(0, which, weights)
            squares += (of_patterns[:, None, None] * of_missing).sum(0)
        return mean + total, squares - total[:, None] * total
