"""Rows of a small table, drawn from Gaussians around rows of the training data."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .._plain import registered
from ..tables import Columns
from ._priors import MOST_MIXED, ClassPriors, drawn, fit_mixture
from ._row_model import RowModel, encoded_places
from ._shares import Shares

_ROWS_OF_EACH = 20  # that a Gaussian is made from
_BORROWED = 0.3  # rows of the mean covariance that it has beside, for each column
_NOISE = 0.05  # standard deviation of zeros and ones, which would be a plane without width


@registered
class RowMixture(RowModel):
    """Mixtures of Gaussians of rows as networks see them, categories as zeros and ones.

    Parameters
    ----------
    mixtures : list of GaussianMixture
        One for each class.
    flags : list of int
        For each number, which column says that it is missing; -1 if none does.
    choices : list of (int, int)
        Where columns of zeros and ones start, of which one is 1, and how many; one by itself is a
        column of two values.
    shares : Shares or None
        What makes the categories of rows as frequent as those of the training rows.
    """

    mixtures: list[Any]
    flags: list[int]
    choices: list[tuple[int, int]]
    shares: Shares | None = None

    def draw(
        self,
        labels: np.ndarray,
        random: np.random.RandomState,
        limits: Mapping[int, Any] | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        rows = drawn(self.mixtures, labels, random)
        for flag in self.flags:
            if flag >= 0:
                rows[:, flag] = rows[:, flag] > 0.5
        for start, size in self.choices:
            own = rows[:, start : start + size]
            own[:] = own > 0.5 if size == 1 else own.argmax(axis=1)[:, None] == np.arange(size)
        met = np.ones(len(rows), dtype=bool)
        for column, allowed in ({} if limits is None else limits).items():
            met &= self._meets(rows, column, allowed)
        return rows, np.where(met, 0.0, -np.inf)

    def of_classes(self, prior: Any) -> Any:
        """Return the mixture of rows of all classes.

        Parameters
        ----------
        prior : Prior
            That of codes, which knows the shares of the classes if there are any.

        Returns
        -------
        Prior
            The same of rows.
        """
        if isinstance(prior, ClassPriors):
            return replace(prior, priors=self.mixtures)
        return self.mixtures[0]

    def _meets(self, rows: np.ndarray, column: int, allowed: Any) -> np.ndarray:
        """Tell which rows have in a column what is allowed."""
        if column >= len(self.flags):
            size = dict(self.choices)[column]
            own = rows[:, column : column + size]
            return np.asarray(allowed)[own[:, 0].astype(int) if size == 1 else own.argmax(axis=1)]
        low, high, may_be_missing = allowed
        number = rows[:, [column]]
        inside = ((low <= number) & (number <= high)).any(axis=1)
        if (flag := self.flags[column]) < 0:
            return inside
        return np.where(rows[:, flag] > 0.5, may_be_missing, inside)


def fit_row_mixture(parts: Sequence[np.ndarray], columns: Columns, seed: int) -> RowMixture:
    """Fit mixtures to rows.

    Parameters
    ----------
    parts : sequence of ndarrays of shape (n_samples, n_outputs)
        For each class its rows as networks see them, the scores of frequent values at random
        places.
    columns : Columns
        What they are made of.
    seed : int
        Determines the noise and where the fits start.

    Returns
    -------
    RowMixture
        The mixtures, of a Gaussian per 20 rows.
    """
    flags, choices = encoded_places(columns)
    random = np.random.default_rng(seed)
    mixtures = []
    for part in parts:
        Z = part.astype(np.float64)
        ones = Z[:, len(flags) :]
        ones += _NOISE * random.standard_normal(ones.shape)
        mixture = fit_mixture(Z, min(MOST_MIXED, max(1, len(Z) // _ROWS_OF_EACH)), seed)
        mixtures.append(_shrunk(mixture, len(Z)))
    return RowMixture(mixtures, flags, choices)


def _shrunk(mixture: Any, n_rows: int) -> Any:
    """Draw covariances to their mean, those of few rows most: that of one row would give copies."""
    counts = n_rows * mixture.weights_[:, None, None]
    borrowed = _BORROWED * mixture.means_.shape[1]
    within = np.tensordot(mixture.weights_, mixture.covariances_, 1)
    mixture.covariances_ = (counts * mixture.covariances_ + borrowed * within) / (counts + borrowed)
    roots = np.linalg.cholesky(np.linalg.inv(mixture.covariances_))
    mixture.precisions_cholesky_, mixture.precisions_ = roots, roots @ roots.swapaxes(1, 2)
    return mixture
