"""What a codec knows, and the walk over coefficients that decides how each is coded."""

import copy
import zlib
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from ..networks import N_LEVELS, interpolated
from ._protocol import CodecNetwork
from ._tables import (
    FRACTION_BITS,
    N_CENTROIDS,
    N_TABLES,
    CodecTables,
    code_lengths,
    magnitudes_of_zeros,
    rounding_thresholds,
)

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
        if tables is None:
            tables = CodecTables.laplace(network.contexts.scales)
        self.network, self.tables = network, tables
        self.weights = torch.from_numpy(tables.weights.astype(np.float64))
        self._tables = tables.split()
        # Of the integers from the least that has one of its own to the greatest.
        zero, above = np.zeros((N_TABLES, 1)), tables.centroids
        self._shifts = torch.from_numpy(np.concatenate([-above[:, ::-1], zero, above], 1)).float()
        thresholds = rounding_thresholds(self._tables, tables.centroids)
        self._thresholds = torch.from_numpy(thresholds).float()

    @cached_property
    def _lengths(self) -> Tensor:
        """Bits that each table spends on the integers up to the largest radius."""
        return torch.from_numpy(code_lengths(self._tables)).float()

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
        twin.network = network.double()  # type: ignore[attr-defined]
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
        contexts = self.network.contexts
        low = min(number // N_PER_LEVEL, N_LEVELS - 2)
        part = number - low * N_PER_LEVEL
        scales = self.weights[low] * (N_PER_LEVEL - part) + self.weights[low + 1] * part
        others = [interpolated(w, number / N_PER_LEVEL) for w in contexts.weights[1:]]

        def of_tables(channels: slice, squares: Tensor, mean: Tensor, weighted: Tensor) -> Any:
            # A power of two: nothing is rounded but here, towards zero.
            which = weighted.mul_(2.0**-FRACTION_BITS / N_PER_LEVEL).clamp_(0, N_TABLES - 1).int()
            integers = code(channels, squares, mean, which)
            return integers, mean + self._values(integers, which)

        return contexts.walk(shape, (scales, *others), of_tables, whole_log, n_groups)

    def _values(self, integers: Tensor, which: Tensor) -> Tensor:
        """Return the expected values of what was rounded to integers."""
        places = integers.clamp(-N_CENTROIDS, N_CENTROIDS) + N_CENTROIDS
        return integers + looked_up(self._shifts, which, places)

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
            residuals = y[:, squares, channels] - means
            integers = self._rounded(residuals, which)
            if coded is not None:
                integers = integers * coded[channels]
            tell(channels, integers, which, residuals)
            return integers

        return self._walk(shape, number, code)

    def _rounded(self, residuals: Tensor, which: Tensor) -> Tensor:
        """Return whichever of the two nearest integers costs less, in squared error and bits."""
        magnitude = residuals.abs()
        low = magnitude.clamp(max=2**30).int()
        known = low.clamp(max=self._thresholds.shape[1] - 1)
        is_high = magnitude - (low - known) > looked_up(self._thresholds, which, known)
        is_high &= magnitude > low  # what is whole stays what it is
        return residuals.sign().int() * (low + is_high)


def looked_up(table: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Return entries of a table, the fastest way."""
    places = torch.add(columns, rows, alpha=table.shape[1])
    return table.flatten().index_select(0, places.flatten()).reshape(places.shape)
