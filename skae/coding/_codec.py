"""Coefficients to bytes and back, by a model that is frozen: whole numbers decide everything."""

import copy
import zlib
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from .._settings import inference
from ..networks import N_LEVELS, interpolated
from ._entropy import Decoder, Encoder
from ._errors import BitstreamError
from ._tables import (
    FRACTION_BITS,
    LARGEST_RADIUS,
    N_CENTROIDS,
    N_TABLES,
    CodecTables,
    code_lengths,
    magnitudes_of_zeros,
    rounding_thresholds,
)
from ._tally import Tally

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


class CodecNetwork(Protocol):
    """What coding asks of a network, a ``torch.nn.Module`` on the CPU."""

    n_components: int
    contexts: Any  # a ChannelContexts

    def steps(self, level: float) -> tuple[Tensor, Tensor]:
        """Return what coefficients are divided by before rounding, and multiplied by afterwards."""

    def stream_tensors(self) -> Sequence[Tensor]:
        """Return, in a fixed order, all that streams depend on."""


class Codec:
    """An entropy coder of coefficients.

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

    def double(self) -> "Codec":
        """Return a codec that differs in nothing but that the network computes in float64.

        Returns
        -------
        Codec
            With a copy of the network.
        """
        twin, network = copy.copy(self), copy.deepcopy(self.network)
        twin.network = network.double()  # type: ignore[attr-defined]
        return twin

    # ------------------------------------------------------------------ coding

    @inference()
    def encode(self, y: Tensor, number: int, coded: Tensor | None = None) -> bytes:
        """Round coefficients and code them.

        Parameters
        ----------
        y : Tensor of shape (n_signals, rows, columns, n_components)
            Coefficients.
        number : int
            Number of the rounding step.
        coded : Tensor of bool of shape (n_components,) or None, default=None
            Which components are coded; the others are what they are predicted to be. None for all.

        Returns
        -------
        bytes
            The code.
        """
        return self._packed(self._coded_parts(y, number, coded))

    @inference()
    def encode_each(self, y: Tensor, number: int) -> list[bytes]:
        """Round coefficients and code each signal alone.

        Parameters
        ----------
        y : Tensor of shape (n_signals, rows, columns, n_components)
            Coefficients.
        number : int
            Number of the rounding step.

        Returns
        -------
        list of bytes
            The codes, those that :meth:`encode` returns for each.
        """
        parts = self._coded_parts(y, number)
        return [
            self._packed([(stop, integers[i], which[i]) for stop, integers, which in parts])
            for i in range(len(y))
        ]

    def _coded_parts(self, y: Tensor, number: int, coded: Tensor | None = None) -> list[_Part]:
        """Round coefficients; return each part's last channel, integers and tables."""
        parts: list[_Part] = []

        def keep(channels: slice, integers: Tensor, which: Tensor, residuals: Tensor) -> None:
            if coded is not None:
                integers, which = (x[..., coded[channels]] for x in (integers, which))
            parts.append((channels.stop, integers.numpy(), which.byte().numpy()))

        self._round_all(y, number, keep, coded)
        return parts

    def _packed(self, parts: list[_Part]) -> bytes:
        """Return the code of parts."""
        # Groups of zeros behind the last other number are left out.
        last = max((stop for stop, integers, _ in parts if integers.any()), default=0)
        n_groups = sum(stop <= last for _, stop in self.network.contexts.groups)
        encoder = Encoder()
        for stop, integers, which in parts:
            if stop <= last:
                encoder.put(integers, self._tables, which)
        return bytes([n_groups]) + encoder.finish()

    @inference()
    def cost(
        self, y: Tensor, number: int, coded: Tensor | None = None
    ) -> tuple[Tensor, np.ndarray]:
        """Round coefficients, and measure the code of each signal alone.

        Parameters
        ----------
        y : Tensor of shape (n_signals, rows, columns, n_components)
            Coefficients.
        number : int
            Number of the rounding step.
        coded : Tensor of bool of shape (n_components,) or None, default=None
            As in :meth:`encode`.

        Returns
        -------
        decoded : Tensor of shape (n_signals, rows, columns, n_components)
            What :meth:`decode` returns for signals that were coded alone.
        n_bits : ndarray of shape (n_signals,)
            Ideal lengths of their codes.
        """
        lengths, r = self._lengths, LARGEST_RADIUS
        stops, n_bits, n_others = [], [], []

        def measure(channels: slice, integers: Tensor, which: Tensor, residuals: Tensor) -> None:
            stops.append(channels.stop)
            bits = _looked_up(lengths, which, integers.clamp(-r, r) + r)
            if coded is not None:
                bits = bits * coded[channels]
            n_bits.append(bits.sum((1, 2), dtype=torch.float64))
            n_others.append(integers.count_nonzero((1, 2)))

        decoded = self._round_all(y, number, measure, coded)
        # As in `encode`, the last group of a signal is the last one with another number than zero.
        stop = torch.tensor(stops)[:, None]
        last = (stop * (torch.stack(n_others) > 0)).amax(0)
        total = (torch.stack(n_bits) * (stop <= last)).sum(0)
        is_coded = torch.arange(y.shape[-1]) < last[:, None, None, None]
        factors = self.network.steps(number / N_PER_LEVEL)[1]
        return decoded * is_coded * factors, total.numpy()

    @inference()
    def decode(
        self,
        stream: bytes | memoryview,
        shape: Sequence[int],
        number: int,
        coded: Tensor | None = None,
    ) -> Tensor:
        """Read coefficients.

        Parameters
        ----------
        stream : bytes or memoryview
            The code.
        shape : sequence of three ints
            Number of signals, rows and columns.
        number : int
            Number of the rounding step.
        coded : Tensor of bool of shape (n_components,) or None, default=None
            As in :meth:`encode`.

        Returns
        -------
        Tensor of shape (n_signals, rows, columns, n_components)
            Coefficients.

        Raises
        ------
        BitstreamError
            If that is not what :meth:`encode` has written.
        """
        decoder, n_groups = self._opened(stream)

        def take(which: Tensor) -> Tensor:
            return torch.from_numpy(decoder.take(self._tables, which.byte().numpy()))

        def code(channels: slice, squares: Tensor, means: Tensor, which: Tensor) -> Tensor:
            if coded is None:
                return take(which)
            integers, some = torch.zeros_like(which), coded[channels]
            integers[..., some] = take(which[..., some])
            return integers

        decoded = self._walk((*shape, self.network.n_components), number, code, n_groups)
        decoder.finish()
        return decoded * self.network.steps(number / N_PER_LEVEL)[1]

    @inference()
    def decode_each(
        self, streams: Sequence[bytes | memoryview], shape: Sequence[int], number: int
    ) -> tuple[Tensor, Tensor]:
        """Read coefficients from several codes, and how wide their zeros are.

        Parameters
        ----------
        streams : sequence of bytes or memoryview
            Codes.
        shape : sequence of three ints
            Number of signals of each code, and their rows and columns.
        number : int
            Number of the rounding step.

        Returns
        -------
        decoded : Tensor of shape (n_signals, rows, columns, n_components)
            Coefficients.
        widths : Tensor of the same shape
            Expected magnitudes of what was rounded to zero; zero where nothing was, and in signals
            that are zero everywhere.

        Raises
        ------
        BitstreamError
            If that is not what :meth:`encode` or :meth:`encode_each` has written.
        """
        opened = [self._opened(stream) for stream in streams]
        n_each, *sides = shape
        shape = (len(streams) * n_each, *sides, self.network.n_components)
        widths = torch.zeros(shape).flatten(1, 2)
        n_groups = torch.tensor([n for _, n in opened]).repeat_interleave(n_each)
        stops = [0, *(stop for _, stop in self.network.contexts.groups)]

        def code(channels: slice, squares: Tensor, means: Tensor, which: Tensor) -> Tensor:
            tables, integers = which.byte().numpy(), np.zeros(which.shape, np.int32)
            for i, (decoder, n) in enumerate(opened):
                if channels.stop <= stops[n]:
                    own = slice(i * n_each, (i + 1) * n_each)
                    integers[own] = decoder.take(self._tables, tables[own])
            symbols = torch.from_numpy(integers)
            is_zero = (symbols == 0) & (n_groups > 0)[:, None, None]
            widths[:, squares, channels] = self._zeros[which.long()] * is_zero
            return symbols

        decoded = self._walk(shape, number, code, int(n_groups.max()))
        for decoder, _ in opened:
            decoder.finish()
        decoded[n_groups == 0] = 0
        factors = self.network.steps(number / N_PER_LEVEL)[1]
        return decoded * factors, widths.reshape(shape) * factors

    def _opened(self, stream: bytes | memoryview) -> tuple[Decoder, int]:
        """Return what reads a code, and how many groups of channels it has."""
        if not stream:
            raise BitstreamError("it is empty")
        n_groups, n_known = stream[0], len(self.network.contexts.groups)
        if n_groups > n_known:
            raise BitstreamError(f"it has {n_groups} groups of channels, the model {n_known}")
        return Decoder(stream[1:]), n_groups

    @cached_property
    def _zeros(self) -> Tensor:
        """Expected magnitudes of what each table codes as zero."""
        return torch.from_numpy(magnitudes_of_zeros()).float()

    @inference()
    def learned(self, grids: Sequence[Tensor], numbers: Sequence[int]) -> "Codec":
        """Return a codec with tables that fit some coefficients.

        Parameters
        ----------
        grids : sequence of Tensors of shape (n_signals, rows, columns, n_components)
            Coefficients of training data.
        numbers : sequence of int
            Numbers of rounding steps, each of which is taken for all of them.

        Returns
        -------
        Codec
            One with the same network, and the same choice of tables.
        """
        tally = Tally()
        for grid in grids:
            for number in numbers:
                self._round_all(grid, number, tally.add)
        return Codec(self.network, tally.tables(self.tables))

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
        return integers + _looked_up(self._shifts, which, places)

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
        is_high = magnitude - (low - known) > _looked_up(self._thresholds, which, known)
        return residuals.sign().int() * (low + is_high)


def _looked_up(table: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Return entries of a table, the fastest way."""
    places = torch.add(columns, rows, alpha=table.shape[1])
    return table.flatten().index_select(0, places.flatten()).reshape(places.shape)
