"""A normal distribution, fitted to rows with missing cells by expectation-maximisation."""

from dataclasses import replace
from typing import Self

import numpy as np
import torch
from torch import Tensor

from .._plain import registered
from ..networks._normal import blocks_of, completed

_N_ITERATIONS, _N_FURTHER_ITERATIONS, _TOLERANCE = 15, 5, 2e-3
_RIDGES, _ROWS_OF_PRIOR = (0.3, 0.1, 0.03, 0.01, 0.003), 1.0
_N_FOLDS, _HIDDEN_SHARE, _MOST_ROWS = 4, 0.25, 1000  # that judge ridges
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
    ridge : float
        What was added to its diagonal, in variances of the columns.
    """

    mean: np.ndarray
    covariance: np.ndarray
    ridge: float

    @property
    def precision(self) -> np.ndarray:
        """The inverse of the covariance matrix."""
        return np.linalg.inv(self.covariance)

    @classmethod
    def of(
        cls,
        Z: np.ndarray,
        weights: np.ndarray | None = None,
        start: Self | None = None,
        ridge: float = 0.03,
        n_further: int = _N_FURTHER_ITERATIONS,
    ) -> Self:
        """Find the distribution under which rows with missing cells are likeliest.

        The covariance of each step is drawn a little to its diagonal, and gets a ridge, so that
        constant, collinear or too many columns do no harm.

        Parameters
        ----------
        Z : ndarray of shape (n_rows, n_columns)
            Coded rows, NaN where cells are missing; every column has a value.
        weights : ndarray of shape (n_rows,) or None, default=None
            How often each row counts.
        start : Normal or None, default=None
            What to start from, with its ridge; None for independent columns.
        ridge : float, default=0.03
            Share of the variances of the columns.
        n_further : int, default=5
            Largest number of iterations from `start`.

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
            ridge = start.ridge
        rows = _Rows(filled, observed, counts)
        for _ in range(_N_ITERATIONS if start is None else n_further):
            new_mean, second = rows.moments(mean, covariance)
            diagonal = torch.diag(second.diagonal())
            n = float(counts.sum())
            second = (n * second + _ROWS_OF_PRIOR * diagonal) / (n + _ROWS_OF_PRIOR)
            second += ridge * torch.diag(variance)
            change = (second - covariance).abs().max()
            mean, covariance = new_mean, second
            if change < _TOLERANCE:
                break
        return cls(mean.numpy(), covariance.numpy(), ridge)


def resampled(n: int, weights: np.ndarray | None, rng: np.random.RandomState) -> np.ndarray:
    """Draw rows with replacement, as many as there are, and return how often each was drawn.

    Parameters
    ----------
    n : int
        Number of rows.
    weights : ndarray of shape (n,) or None
        How often each row counts; None for once.
    rng : RandomState
        What draws.

    Returns
    -------
    ndarray of shape (n,) of int
        Counts.
    """
    if weights is None:
        return np.bincount(rng.randint(n, size=n), minlength=n)
    return rng.multinomial(max(1, round(weights.sum())), weights / weights.sum())


def chosen_ridge(
    Z: np.ndarray,
    weights: np.ndarray,
    rng: np.random.RandomState,
    row_weights: np.ndarray | None = None,
) -> float:
    """Return the ridge by which hidden cells of rows that are held out are filled best.

    Parameters
    ----------
    Z : ndarray of shape (n_rows, n_columns)
        Coded rows, NaN where cells are missing.
    weights : ndarray of shape (n_columns,)
        How much the error of each column counts.
    rng : RandomState
        Draws folds and cells.
    row_weights : ndarray of shape (n_rows,) or None, default=None
        How often each row counts; None for once.

    Returns
    -------
    float
        One of a few, in variances of the columns.
    """
    some = rng.permutation(len(Z))[:_MOST_ROWS]
    Z, counts = Z[some], None if row_weights is None else row_weights[some]
    hidden = (rng.uniform(size=Z.shape) < _HIDDEN_SHARE) & ~np.isnan(Z)
    fold = np.arange(len(Z)) % _N_FOLDS
    errors = np.zeros(len(_RIDGES))
    for held_out in (fold == k for k in range(_N_FOLDS)):
        train, truth = Z[~held_out], Z[held_out]
        # Columns that have no value outside of the fold are taken to be at their mean.
        train = np.where(np.isnan(train).all(axis=0), 0.0, train)
        x = torch.from_numpy(np.where(hidden[held_out], np.nan, truth))
        normal = None
        for i, ridge in enumerate(_RIDGES):
            start = None if normal is None else replace(normal, ridge=ridge)
            of_train = None if counts is None else counts[~held_out]
            normal = Normal.of(train, of_train, start=start, ridge=ridge)
            mean, precision = torch.from_numpy(normal.mean), torch.from_numpy(normal.precision)
            wrong = np.where(
                hidden[held_out], completed(x, mean, precision)[0].numpy() - truth, 0.0
            )
            squares = np.square(wrong)
            if counts is not None:
                squares *= counts[held_out, None]
            errors[i] += squares.sum(axis=0) @ weights
    return _RIDGES[errors.argmin()]


class _Rows:
    """Rows, and their different patterns of missing cells."""

    def __init__(self, filled: Tensor, observed: Tensor, counts: Tensor) -> None:
        self.filled, self.observed = filled, observed
        self.weights = counts / counts.sum()
        self.patterns, self.which = (~observed).unique(dim=0, return_inverse=True)

    def moments(self, mean: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean and the covariance that complete rows are expected to have."""
        precision = torch.cholesky_inverse(torch.linalg.cholesky(covariance))
        deviations = (self.filled - mean) * self.observed
        pull = deviations @ precision
        squares = torch.zeros_like(covariance)
        of_patterns = self.weights.new_zeros(len(self.patterns))
        of_patterns.index_add_(0, self.which, self.weights)
        place = torch.full((len(self.patterns),), -1)
        size = max(1, _CELLS_AT_ONCE // len(mean) ** 2)
        for some in torch.arange(len(self.patterns)).split(size):
            for blocks in blocks_of(self.patterns[some], precision):
                patterns, columns = some[blocks.patterns], blocks.columns
                of_missing = blocks.covariances
                weighted = of_patterns[patterns, None, None] * of_missing
                at = columns[:, :, None].expand_as(weighted), columns[:, None].expand_as(weighted)
                squares.index_put_(at, weighted, accumulate=True)
                place.fill_(-1)[patterns] = torch.arange(len(patterns))
                for rows in (place[self.which] >= 0).nonzero()[:, 0].split(size):
                    own = place[self.which[rows]]
                    pulls = pull[rows].gather(1, columns[own])[..., None]
                    moved = (of_missing[own] @ pulls)[..., 0]
                    deviations[rows[:, None], columns[own]] -= moved
        total = self.weights @ deviations
        squares += (deviations * self.weights[:, None]).T @ deviations
        return mean + total, squares - total[:, None] * total
