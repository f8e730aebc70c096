"""Values that a column has, and the share of probability that is left for others."""

from typing import Self

import numpy as np

from .._plain import registered

_ROUNDING = 0.01  # of a step: other precisions and sums of decimals
_SMALLEST_GAP = 1e-6  # of the median one; what is smaller is rounding
_FINEST = 10  # steps in the least gap


@registered
class SeenValues:
    """The values of columns that have few, and what other values cost.

    A value that was seen c times stands for the numbers to which it is the nearest. It leaves the
    share 1 / (2 c + 2) of their probability to those that were not seen, as Krichevsky and
    Trofimov's estimate does with what has not happened yet. These lie on the grid of the values,
    and their probability falls exponentially with the distance. So the probabilities of all numbers
    of the grid add up to about one.

    Parameters
    ----------
    values : ndarray of shape (n_values,)
        The values, in ascending order within each column.
    own : ndarray of shape (n_values,)
        Logarithm of the share that each keeps for itself.
    rest : ndarray of shape (n_values,)
        Logarithm of the share of an unseen one at the distance zero.
    scale : ndarray of shape (n_values,)
        Distance on which that falls by the factor e.
    rounding : ndarray of shape (n_values,)
        Distance up to which a number is the value.
    """

    values: np.ndarray
    own: np.ndarray
    rest: np.ndarray
    scale: np.ndarray
    rounding: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, counts: np.ndarray) -> Self:
        """Learn them from a column.

        Parameters
        ----------
        values : ndarray of shape (n_values,)
            Different values, in ascending order.
        counts : ndarray of shape (n_values,)
            How often each occurs.

        Returns
        -------
        SeenValues
            What is known of them.
        """
        values = values.astype(np.float64)
        gaps = np.diff(values)
        step = _step(gaps) if len(gaps) else abs(values[0]) or 1.0
        mean = np.average(values, weights=counts)
        scale = max(step, np.sqrt(np.average((values - mean) ** 2, weights=counts)))
        # How many numbers of the grid each has on either side, and the sum of exp(-distance) there.
        room = np.concatenate([[np.inf], (gaps / step).round().clip(1) / 2 - 0.5, [np.inf]])
        sums = -np.expm1(-room * step / scale) / np.expm1(step / scale)
        sums = sums[:-1] + sums[1:]
        left = 1 / (2 * counts + 2)
        return cls(
            values,
            np.where(sums > 0, np.log1p(-left), 0.0),
            np.log(left) - np.log(np.where(sums > 0, sums, 1.0)),
            np.full(len(values), scale),
            np.full(len(values), _ROUNDING * step),
        )

    @classmethod
    def joined(cls, columns: list[Self]) -> Self:
        """Put several columns one after the other.

        Parameters
        ----------
        columns : list of SeenValues
            Each of one column; may be empty.

        Returns
        -------
        SeenValues
            The values of all.
        """
        names = cls.__dataclass_fields__
        return cls(*(np.concatenate([np.empty(0), *(vars(c)[n] for c in columns)]) for n in names))

    def log_share(self, x: np.ndarray, nearest: np.ndarray) -> np.ndarray:
        """Return which share of the probability of the nearest value numbers have.

        Parameters
        ----------
        x : ndarray
            Numbers.
        nearest : ndarray of int
            Positions of the nearest values, of the same shape.

        Returns
        -------
        ndarray
            Logarithm of the share, of the same shape.
        """
        own, value = self.own[nearest], self.values[nearest]
        if np.array_equal(x, value):  # as most rows are
            return own
        distance = np.abs(x - value)
        rest = self.rest[nearest] - distance / self.scale[nearest]
        return np.where(distance <= self.rounding[nearest], own, rest)


def _step(gaps: np.ndarray) -> float:
    """Return the largest step that all gaps between values are multiples of, or the least gap."""
    gaps = gaps[gaps >= _SMALLEST_GAP * np.median(gaps)]
    least = gaps.min()
    for n in range(1, _FINEST + 1):
        steps = gaps * (n / least)
        if (np.abs(steps - steps.round()) <= _ROUNDING).all():
            return least / n
    return least


def levels_of(
    X: np.ndarray,
    binary: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    weights: np.ndarray | None,
) -> SeenValues:
    """Return what is known of columns of two values or one.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_columns)
        Training data.
    binary : ndarray of int
        Positions of the columns.
    low, high : ndarray of shape (n_columns,)
        Least and greatest value of each column of the data.
    weights : ndarray of shape (n_samples,) or None
        How often each row counts; None for once.

    Returns
    -------
    SeenValues
        Of all of them, one after the other.
    """
    columns = []
    for j in binary:
        values = np.unique([low[j], high[j]])
        found = X[:, j] == values[:, None]
        counts = found.sum(axis=1) if weights is None else found @ weights
        columns.append(SeenValues.of(values, counts))
    return SeenValues.joined(columns)
