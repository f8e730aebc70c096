"""What draws rows of a table as networks see them, without codes."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np
import torch

from .._weights import are_whole, drawn_positions
from ..tables import Columns
from ..training import Rows
from ._shares import Shares

_MOST_ROWS = 60_000
_DRAWS = 20_000  # by which the shares of categories are known


class RowModel(ABC):
    """Base of the distributions of encoded rows. They are dataclasses, and hold arrays only."""

    shares: Shares | None

    @abstractmethod
    def draw(
        self,
        labels: np.ndarray,
        random: np.random.RandomState,
        limits: Mapping[int, Any] | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw rows.

        Parameters
        ----------
        labels : ndarray of shape (n_samples,) of int
            Positions of the classes that rows are drawn from.
        random : RandomState
            What draws.
        limits : mapping or None, default=None
            What cells may be, as for :meth:`skae.networks.ColumnChain.draw`.

        Returns
        -------
        encoded : ndarray of shape (n_samples, n_outputs)
            Rows as networks see them.
        log_probs : ndarray of shape (n_samples,)
            Logarithms of the probabilities that they would have met the limits by themselves.
        """

    def calibrated(
        self,
        wanted: Sequence[np.ndarray],
        traits_of: Callable[[np.ndarray], np.ndarray],
        seed: int,
    ) -> Self:
        """Return the same model, whose categories have certain shares.

        Parameters
        ----------
        wanted : sequence of ndarrays of shape (n_traits,)
            The shares of the traits of the rows of each class; none if there are no traits.
        traits_of : callable
            Gives the traits of those encoded rows that may be given to a user.
        seed : int
            Determines the rows by which it is seen how it draws.

        Returns
        -------
        RowModel
            A copy.
        """
        if not wanted:
            return self
        random = np.random.RandomState(seed)
        drawn = [
            traits_of(self.draw(np.full(_DRAWS, label), random)[0]) for label in range(len(wanted))
        ]
        same = copy.copy(self)
        same.shares = Shares.of(drawn, wanted)
        return same


def learned_rows(rows: Rows, labels: np.ndarray, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what a chain learns.

    Parameters
    ----------
    rows : Rows
        Training rows.
    labels : ndarray of shape (n_samples,) of int
        Positions of their classes.
    kept : ndarray of shape (n_samples,) of bool
        Which rows may be learned.

    Returns
    -------
    encoded, labels : ndarray
        Rows and labels, each row as often as its weight says.
    """
    positions = np.flatnonzero(kept)
    if (weights := rows.own_weights) is not None:
        weights = weights[positions]
        n = round(weights.sum()) if are_whole(weights) else len(weights)
        positions = positions[drawn_positions(weights, min(n, _MOST_ROWS))]
    encoded = rows.batch(torch.from_numpy(positions)).input.cpu().numpy()
    return encoded, labels[positions]


def encoded_places(columns: Columns) -> tuple[list[int], list[tuple[int, int]]]:
    """Return where encoded rows have what.

    Parameters
    ----------
    columns : Columns
        What rows are made of.

    Returns
    -------
    flags : list of int
        For each number, the column that says whether it is missing; -1 if none does.
    choices : list of (int, int)
        Where columns of two values and groups of columns, of which one is 1, start, and how wide
        they are.
    """
    n_numbers, n_binary = len(columns.numbers), len(columns.binary)
    flags = np.full(n_numbers, -1)
    flags[columns.incomplete] = n_numbers + n_binary + np.arange(len(columns.incomplete))
    starts = columns.n_outputs - sum(columns.group_sizes)
    starts += np.cumsum([0, *columns.group_sizes[:-1]], dtype=int)
    choices = [(n_numbers + i, 1) for i in range(n_binary)]
    choices += [(int(a), size) for a, size in zip(starts, columns.group_sizes, strict=False)]
    return flags.tolist(), choices
