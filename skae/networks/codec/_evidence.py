"""What coefficients are predicted from, besides the values that were decoded around them."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ._order import N_BESIDE, Order, Pass, around, of_images

Log = Callable[[Tensor], Tensor]

N_SHARED = 9


class Evidence(NamedTuple):
    """What a pass of a group of channels is predicted from.

    Parameters
    ----------
    sources : Tensor of shape (n_images, n_squares, n_values)
        Decoded values of the first channels, here and around, or features of those here.
    beside : Tensor of shape (4, n_images, n_squares, n_channels) or None
        Decoded values of the group's own channels.
    shared : Tensor of shape (n_images, n_squares, 8 or 9)
        One, and the logarithms of sums of magnitudes that all channels of the group have in common.
    own : Tensor of shape (n_images, n_squares, n_channels) or None
        Logarithms of sums of magnitudes of each channel's nearest neighbours.
    n_known : int
        Of how many channels the sources are.
    """

    sources: Tensor
    beside: Tensor | None
    shared: Tensor
    own: Tensor | None
    n_known: int


class Sums:
    """Sums of magnitudes of the last groups, and of all before these, here and around.

    They are whole numbers, which float32 holds exactly, or so large that it does not matter.

    Parameters
    ----------
    zeros : Tensor of shape (n_images, n_squares)
        Zeros.
    rows, columns : int
        Shape of the grid.
    """

    def __init__(self, zeros: Tensor, rows: int, columns: int) -> None:
        self.here = [zeros] * 4
        self.there = [zeros] * 3
        nine = around(rows, columns, zeros.device)
        self._around = of_images(torch.cat([nine[:, :4], nine[:, 5:]], 1), *zeros.shape)

    def sorted(self, order: Order) -> Tensor:
        """Return all, of shape (n_images, n_squares, 7)."""
        return torch.stack([*self.here, *self.there], -1).index_select(1, order.squares)

    def append(self, latest: Tensor, order: Order) -> None:
        """Take in those of the group that was coded last, of shape (n_images, n_squares)."""
        here, there = self.here, self.there
        sums = torch.empty_like(here[0])
        sums[:, order.squares] = latest
        self.here = [sums, *here[:2], here[2] + here[3]]
        beyond = _summed(sums[..., None], self._around)[..., 0]
        self.there = [beyond, there[0], there[1] + there[2]]


class CodedGroup:
    """A group of channels, as far as it has been coded; squares are sorted by passes.

    Parameters
    ----------
    n_channels : int
        Number of channels.
    sources : Tensor of shape (n_images, n_squares, n_values)
        As in :class:`Evidence`.
    n_known : int
        As in :class:`Evidence`.
    sums : Tensor of shape (n_images, n_squares, 7)
        Sums of magnitudes of groups before.
    log : callable
        Logarithm of such sums.
    """

    def __init__(
        self, n_channels: int, sources: Tensor, n_known: int, sums: Tensor, log: Log
    ) -> None:
        n, n_squares = sums.shape[:2]
        self._sources, self._n_known, self._log = sources, n_known, log
        logs = log(sums)
        self._shared = logs.new_ones(n, n_squares, N_SHARED)
        self._shared[..., 1:-1] = logs
        # What the last square of a grid is followed by stands for no square at all.
        self._magnitudes, self._values = sources.new_empty(2, n, n_squares + 1, n_channels)
        self._magnitudes[:, -1] = self._values[:, -1] = 0

    def evidence(self, now: Pass, has_mean: bool) -> Evidence:
        """Return what is known before a pass; without a mean, values beside do not matter."""
        known = self._sources[:, now.places]
        if now.beside is None:
            return Evidence(known, None, self._shared[:, now.places, :-1], None, self._n_known)
        own = _summed(self._magnitudes, now.beside)
        self._shared[:, now.places, -1] = self._log(own.sum(-1))
        beside = None
        if has_mean:
            beside = self._values.flatten(0, 1).index_select(0, now.beside.T.flatten())
            beside = beside.unflatten(0, (N_BESIDE, len(known), -1))
        shared = self._shared[:, now.places]
        return Evidence(known, beside, shared, self._log(own), self._n_known)

    def put(self, now: Pass, integers: Tensor, decoded: Tensor) -> None:
        """Take in what a pass has been coded to."""
        self._magnitudes[:, now.places] = integers.abs()
        self._values[:, now.places] = decoded

    @property
    def values(self) -> Tensor:
        """What was decoded, of shape (n_images, n_squares, n_channels)."""
        return self._values[:, :-1]

    @property
    def sums(self) -> Tensor:
        """Sums of magnitudes, of shape (n_images, n_squares)."""
        return self._magnitudes[:, :-1].sum(-1)


def _summed(table: Tensor, numbers: Tensor) -> Tensor:
    """Return sums of rows of images of shape (n_images, n_rows, n_columns)."""
    sums = F.embedding_bag(numbers, table.flatten(0, 1), mode="sum")
    return sums.unflatten(0, (len(table), -1))
