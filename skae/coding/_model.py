"""What a codec knows, and the walk over coefficients that decides how each is coded."""

import copy
import zlib
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from ..networks import N_LEVELS, N_TABLES, Law
from ._protocol import CodecNetwork
from ._tables import FRACTION_BITS, CodecTables, code_lengths, magnitudes_of_zeros

N_PER_LEVEL = 16
N_NUMBERS = N_PER_LEVEL * (N_LEVELS - 1) + 1
_LARGEST_SUM = 2**16

_Part = tuple[int, np.ndarray, np.ndarray]

# floor(8 log2(1 + sum)) of all sums, from whole numbers: the same on every machine.
_OCTAVE_EIGHTHS = np.searchsorted(
    np.ceil(2 ** (np.arange(1, 129) / 8) - 1e-9), np.arange(1, _LARGEST_SUM + 1), side="right"
)
_LOGS = torch.from_numpy(_OCTAVE_EIGHTHS.astype(np.float64))


def whole_log(sums: Tensor) -> Tensor:
    """Return whole eighths of octaves.

    Parameters
    ----------
    sums : Tensor
        Whole numbers.

    Returns
    -------
    Tensor of float64
        ``floor(8 * log2(1 + sums))``, for sums up to 65,535.
    """
    places = sums.clamp(max=_LARGEST_SUM - 1).int()
    return _LOGS.index_select(0, places.flatten()).reshape(sums.shape)


class CodecModel:
    """A network, and the tables that were fitted for it.

    Which table a number is coded by is computed from numbers that were decoded before, in sums and
    products of whole numbers that float64 holds exactly: the same on every machine, with any number
    of threads, and in any order of summation.

    Parameters
    ----------
    network : CodecNetwork
        The trained network, on the CPU.
    tables : CodecTables or None, default=None
        What was fitted for it; None for what is expected before anything was counted.
    """

    def __init__(self, network: CodecNetwork, tables: CodecTables | None = None) -> None:
        contexts = network.contexts
        if tables is None:
            tables = CodecTables.laplace(contexts.table_weights())
        self.network, self.tables = network, tables
        self.weights = torch.from_numpy(tables.weights.astype(np.float64))
        self._tables = tables.split()
        self._latest: tuple[int, tuple[Tensor, ...]] | None = None  # weights, and their number
        self.law = Law(code_lengths(self._tables), tables.centroids, contexts.unit)

    def fingerprint(self, medium: bytes = b"") -> int:
        """Return a checksum of everything that a stream depends on.

        Parameters
        ----------
        medium : bytes, default=b""
            What it depends on besides network and tables.

        Returns
        -------
        int
            CRC-32 of the network, the tables and the medium.
        """
        arrays = [tensor.detach().cpu().numpy() for tensor in self.network.stream_tensors()]
        # The sizes of tables follow from their sums, which are all the same.
        arrays += [self.tables.weights, self.tables.centroids, self.tables.tables]
        checksum = 0
        for array in arrays:
            checksum = zlib.crc32(array.tobytes(), checksum)
        return zlib.crc32(medium, checksum)

    def double(self) -> Self:
        """Return one that differs in nothing but that the network computes in float64.

        Returns
        -------
        CodecModel
            With a copy of the network.
        """
        twin, network = copy.copy(self), copy.deepcopy(self.network)
        twin.network, twin._latest = network.double(), None
        return twin

    @cached_property
    def zeros(self) -> Tensor:
        """Expected magnitudes of what each table codes as zero, in steps."""
        return torch.from_numpy(magnitudes_of_zeros()).float()

    # ------------------------------------------------------------------ the walk

    def _walk(
        self,
        shape: Sequence[int],
        number: int,
        code: Callable[[slice, Tensor, Tensor, Tensor], Tensor],
        n_groups: int | None = None,
    ) -> Tensor:
        """Visit all numbers in the order of coding; return the decoded values, in steps.

        `code` is given channels, squares, means and which tables to take; it returns the integers.
        """

        def of_tables(channels: slice, squares: Tensor, mean: Tensor, weighted: Tensor) -> Any:
            # Nothing is rounded but here, towards zero.
            which = weighted.clamp_(0, N_TABLES - 1).int()
            integers = code(channels, squares, mean, which)
            return integers, mean + self.law.values(integers, which)

        weights = self._weights_at(number)
        return self.network.contexts.walk(shape, weights, of_tables, whole_log, n_groups)

    def _weights_at(self, number: int) -> tuple[Tensor, ...]:
        """Return the weights of the contexts for the number of a rounding step."""
        if self._latest is None or self._latest[0] != number:
            level, low = number / N_PER_LEVEL, min(number // N_PER_LEVEL, N_LEVELS - 2)
            scales = self.weights[low] * (low + 1 - level) + self.weights[low + 1] * (level - low)
            scales *= 2.0**-FRACTION_BITS  # which rounds nothing
            self._latest = number, self.network.contexts.between(scales, level)
        return self._latest[1]

    def _round_all(
        self, y: Tensor, number: int, tell: Callable[..., None], coded: Tensor | None = None
    ) -> Tensor:
        """Return what coefficients are rounded to, in steps.

        `tell` is told, part by part, of the channels, the integers, which tables they take and what
        was rounded.
        """
        shape = y.shape
        y = (y / self.network.steps(number / N_PER_LEVEL)[0]).flatten(1, -2)

        def code(channels: slice, squares: Tensor, means: Tensor, which: Tensor) -> Tensor:
            residuals = y[:, squares, channels] - means.to(y)
            integers = self.law.rounded(residuals, which)
            if coded is not None:
                integers = integers * coded[channels]
            tell(channels, integers, which, residuals)
            return integers

        return self._walk(shape, number, code)
