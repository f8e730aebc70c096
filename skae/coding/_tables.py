"""Tables of frequencies, by which integers are coded, and all that a codec has fitted."""

from functools import cached_property
from typing import Any, Self

import numpy as np
from torch import Tensor

from .._plain import registered
from ..networks import DEAD_ZONE, laplace_centroids, table_scales

PRECISION = 24
LARGEST_RADIUS = 1000
FRACTION_BITS = 12
_TOTAL = 1 << PRECISION


class Table:
    """Frequencies of the integers from -radius to radius, and of an escape to all others.

    Parameters
    ----------
    frequencies : ndarray of shape (2 * radius + 2,)
        Positive integers, that of the escape last, with the sum 2 ** 24.
    """

    def __init__(self, frequencies: np.ndarray) -> None:
        self.frequencies = np.asarray(frequencies, dtype=np.int64)
        if self.frequencies.min() < 1 or self.frequencies.sum() != _TOTAL:
            raise ValueError(f"frequencies must be positive, with the sum {_TOTAL}")
        self.radius = len(frequencies) // 2 - 1

    @classmethod
    def from_probabilities(cls, probabilities: np.ndarray) -> Self:
        """Return the table that is nearest to some probabilities.

        Parameters
        ----------
        probabilities : ndarray of shape (2 * radius + 2,)
            Not negative; they need not have the sum 1.

        Returns
        -------
        Table
            The table.
        """
        free = _TOTAL - 2 * len(probabilities)
        frequencies = 2 + np.floor(probabilities / probabilities.sum() * free).astype(np.int64)
        frequencies[frequencies.argmax()] += _TOTAL - frequencies.sum()
        return cls(frequencies)

    @classmethod
    def from_counts(cls, scale: float, counts: np.ndarray, weight: float) -> Self:
        """Return the table of integers that were seen, and that a Laplace law expects.

        Parameters
        ----------
        scale : float
            Of the law.
        counts : ndarray of shape (n,)
            How often each magnitude was seen, from 0 to the largest radius and more.
        weight : float
            How many integers the law counts for.

        Returns
        -------
        Table
            The table, symmetric.
        """
        n = int(min(LARGEST_RADIUS - 1, np.ceil(12 * scale) + 2)) + 1
        edges = np.concatenate([[0], np.arange(1, n + 1) - DEAD_ZONE])
        beyond = np.exp(-edges / scale)
        expected = np.append(beyond[:-1] - beyond[1:], beyond[-1])
        seen = np.append(counts[:n], counts[n:].sum())
        magnitudes = (seen + weight * expected) / (counts.sum() + weight)
        half = magnitudes[1:-1] / 2
        return cls.from_probabilities(
            np.concatenate([half[::-1], magnitudes[:1], half, magnitudes[-1:] + 1e-7])
        )

    @cached_property
    def bounds(self) -> np.ndarray:
        """Cumulative frequencies, from 0 to 2 ** 24."""
        return np.concatenate([[0], np.cumsum(self.frequencies)])

    @cached_property
    def bits(self) -> np.ndarray:
        """Length of the code of every symbol, in bits."""
        return PRECISION - np.log2(self.frequencies)

    @cached_property
    def model(self) -> Any:
        """The same for constriction, which must be installed.

        It turns probabilities into whole numbers by rounding down what they add up to. These add up
        to halves, so that no rounding error in floating point can change the result.
        """
        import constriction

        free = _TOTAL - len(self.frequencies)
        cumulated = (np.cumsum(self.frequencies - 1) + 0.5) / free
        cumulated[-1] = 1
        probabilities = np.diff(cumulated, prepend=0)
        return constriction.stream.model.Categorical(probabilities, perfect=False)


@registered
class CodecTables:
    """All that a codec has fitted, besides its network.

    Parameters
    ----------
    weights : ndarray of int32 of shape (n_levels, n_rows, n_features)
        What chooses tables: the weights of the logarithms of scales, as fractions of the distance
        between the scales of two tables.
    centroids : ndarray of float64 of shape (64, 3)
        How far the mean lies from an integer of magnitude 1, 2, and 3 or more: by table.
    sizes : ndarray of int32 of shape (64,)
        How many frequencies each table has.
    tables : ndarray of int32
        Frequencies of the first table, of the second and so on.
    """

    weights: np.ndarray
    centroids: np.ndarray
    sizes: np.ndarray
    tables: np.ndarray

    @classmethod
    def laplace(cls, weights: Tensor) -> Self:
        """Return the tables of Laplace laws.

        Parameters
        ----------
        weights : Tensor of float64
            Weights that choose tables, in distances between the scales of two tables.

        Returns
        -------
        CodecTables
            The tables.
        """
        nothing = np.zeros(LARGEST_RADIUS + 1)
        return cls.of(
            (weights * 2**FRACTION_BITS).round().numpy().astype(np.int32),
            laplace_centroids(),
            [Table.from_counts(scale, nothing, 1.0) for scale in table_scales()],
        )

    @classmethod
    def of(cls, weights: np.ndarray, centroids: np.ndarray, tables: list[Table]) -> Self:
        """Put tables together.

        Parameters
        ----------
        weights, centroids : ndarray
            See :class:`CodecTables`.
        tables : list of Table
            One for each scale.

        Returns
        -------
        CodecTables
            The same as arrays.
        """
        sizes = np.array([len(table.frequencies) for table in tables], np.int32)
        joined = np.concatenate([table.frequencies.astype(np.int32) for table in tables])
        return cls(weights, centroids, sizes, joined)

    def split(self) -> list[Table]:
        """Return each table.

        Returns
        -------
        list of Table
            One for each scale.
        """
        return [Table(part) for part in np.split(self.tables, np.cumsum(self.sizes)[:-1])]


def magnitudes_of_zeros() -> np.ndarray:
    """Return the mean magnitude of what is rounded to zero, under the Laplace law of each table."""
    values, edge = table_scales(), 1 - DEAD_ZONE
    return values - edge / np.expm1(np.minimum(edge / values, 60))


def code_lengths(tables: list[Table]) -> np.ndarray:
    """Return how many bits each table spends on integers.

    Parameters
    ----------
    tables : list of Table
        Tables.

    Returns
    -------
    ndarray of shape (n_tables, 2 * LARGEST_RADIUS + 1)
        Bits, from the least integer to the greatest.
    """
    integers = np.arange(-LARGEST_RADIUS, LARGEST_RADIUS + 1)
    lengths = np.empty((len(tables), len(integers)))
    for row, table in zip(lengths, tables, strict=True):
        excess = np.abs(integers) - table.radius - 1
        row[:] = table.bits[np.where(excess < 0, integers + table.radius, -1)]
        # An escape is followed by bytes of seven bits.
        n_bytes = np.ceil(np.log2(2 * excess.clip(0) + 2) / 7)
        row += 8 * n_bytes * (excess >= 0)
    return lengths
