"""Columns of a table as networks see them: standardised numbers, and ones for categories."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from .._plain import registered
from ._kinds import mean_and_variance, with_weights


@registered
class Coding:
    """Numbers in standard deviations from their means, then groups of zeros and a one.

    Parameters
    ----------
    numbers : ndarray of int
        Positions of the columns of numbers.
    mean, unit : ndarray of shape (n_numbers,)
        Their means and standard deviations, 1 for constant ones.
    low, high : ndarray of shape (n_numbers,)
        Their least and greatest values.
    categories : dict of int to int
        Positions of the columns of categories, and how many there are of each.
    largest : float, default=8.0
        Standard deviations that values are clipped to.
    n_unseen : {0, 1}, default=0
        Number of columns at the end of each group for categories that were not there in training.
    """

    numbers: np.ndarray
    mean: np.ndarray
    unit: np.ndarray
    low: np.ndarray
    high: np.ndarray
    categories: dict[int, int]
    largest: float = 8.0
    n_unseen: int = 0

    @classmethod
    def of(
        cls,
        X: Any,
        features: np.ndarray,
        categories: Mapping[int, int],
        weights: np.ndarray | None = None,
        **options: Any,
    ) -> Self:
        """Learn the columns of training data.

        Parameters
        ----------
        X : ndarray or LazyTable of shape (n_samples, n_features)
            Training data, NaN where cells are missing.
        features : ndarray of int
            Positions of the columns that have values.
        categories : mapping of int to int
            Positions of columns of categories, and how many there are of each.
        weights : ndarray of shape (n_samples,) or None, default=None
            How often each row counts; None for once.
        **options : dict
            Further fields.

        Returns
        -------
        Coding
            The columns.
        """
        numbers = np.array([j for j in features if j not in categories], dtype=int)
        mean, unit, low, high = np.ones((4, len(numbers)))
        for i, j in enumerate(numbers):
            x, w = with_weights(np.asarray(X[:, j], dtype=np.float64), weights)
            low[i], high[i] = x.min(), x.max()
            largest = max(abs(low[i]), abs(high[i])) or 1.0  # so that no square overflows
            of_scaled, variance = mean_and_variance(x / largest, w)
            mean[i], deviation = largest * of_scaled, largest * variance**0.5
            mean[i] = mean[i].clip(low[i], high[i])
            if deviation > 1e-14 * largest:
                unit[i] = deviation
        kept = {j: categories[j] for j in features.tolist() if j in categories}
        return cls(numbers, mean, unit, low, high, kept, **options)

    @property
    def features(self) -> np.ndarray:
        """Positions of all columns, in the order in which they are coded."""
        return np.array([*self.numbers, *self.categories], dtype=int)

    @property
    def sizes(self) -> list[int]:
        """Widths of the groups of columns that stand for categories."""
        return [size + self.n_unseen for size in self.categories.values()]

    @property
    def owners(self) -> np.ndarray:
        """Positions of the columns that coded ones stand for, of shape (n_outputs,)."""
        n_coded = [1] * len(self.numbers) + self.sizes
        return np.repeat(self.features, n_coded)

    @property
    def n_outputs(self) -> int:
        """Number of coded columns."""
        return len(self.numbers) + sum(self.sizes)

    def weights(self, Z: np.ndarray) -> np.ndarray:
        """Return how much squared errors of coded columns count, each column of the data alike.

        Parameters
        ----------
        Z : ndarray of shape (n_samples, n_outputs)
            Coded rows.

        Returns
        -------
        ndarray of shape (n_outputs,)
            One over the variance; of the categories of a column together.
        """
        weights = np.ones(self.n_outputs)
        m = len(self.numbers)
        for size in self.sizes:
            group = slice(m, m + size)
            weights[group] = 1 / max(np.nanvar(Z[:, group], axis=0).sum(), 1e-3)
            m += size
        return weights

    def encode(self, X: np.ndarray) -> np.ndarray:
        """Code rows.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Rows, NaN where cells are missing.

        Returns
        -------
        ndarray of shape (n_samples, n_outputs)
            Float64; all columns of a missing cell are NaN.
        """
        Z = np.empty((len(X), self.n_outputs))
        m = len(self.numbers)
        with np.errstate(over="ignore"):
            scaled = (X[:, self.numbers].astype(np.float64) - self.mean) / self.unit
        Z[:, :m] = scaled.clip(-self.largest, self.largest)
        for j, size in zip(self.categories, self.sizes, strict=True):
            x = X[:, [j]]
            Z[:, m : m + size] = np.where(np.isnan(x), np.nan, x == np.arange(size))
            m += size
        return Z

    def decode(self, Z: np.ndarray, X: np.ndarray) -> np.ndarray:
        """Put what coded rows stand for into the missing cells of others.

        Parameters
        ----------
        Z : ndarray of shape (n_samples, n_outputs)
            Standardised numbers and probabilities.
        X : ndarray of shape (n_samples, n_features)
            Rows, NaN where cells are missing.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Float64: numbers within the range of training, the likeliest categories; columns without
            training values are NaN.
        """
        filled = X.astype(np.float64)
        m = len(self.numbers)
        values = Z[:, :m].astype(np.float64) * self.unit + self.mean
        expected = np.full(X.shape, np.nan)
        expected[:, self.numbers] = values.clip(self.low, self.high)
        for j, size in self.categories.items():
            if size:
                expected[:, j] = Z[:, m : m + size].argmax(axis=1)
            m += size + self.n_unseen
        return np.where(np.isnan(filled), expected, filled)
