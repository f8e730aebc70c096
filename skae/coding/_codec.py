"""Coefficients to bytes and back, by a model that is frozen: whole numbers decide everything."""

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from .._settings import inference
from ..networks import N_TABLES
from ._entropy import Decoder, Encoder
from ._errors import BitstreamError
from ._model import N_PER_LEVEL, CodecModel
from ._offsets import CHOICES, HAS_OFFSETS, OFFSETS_BY, best, lengths, shifted
from ._tally import Tally

_Part = tuple[int, np.ndarray, np.ndarray]


class Codec(CodecModel):
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
        contexts, start, encoder = self.network.contexts, b"", Encoder()
        if contexts.ends_early:
            # Groups of zeros behind the last other number are left out.
            last = max((stop for stop, integers, _ in parts if integers.any()), default=0)
            stops = [stop for _, stop in contexts.groups if stop <= last]
            parts = [part for part in parts if part[0] <= last]
            offsets = self._offsets(parts, stops)
            start = bytes([len(stops) | HAS_OFFSETS * any(offsets.values())])
            if any(offsets.values()):
                values = np.array(list(offsets.values()), np.int32)
                encoder.put(values, self._tables, np.full(len(values), OFFSETS_BY, np.uint8))
                parts = [(stop, x, shifted(which, offsets[stop])) for stop, x, which in parts]
        for _, integers, which in parts:
            encoder.put(integers, self._tables, which)
        return start + encoder.finish()

    def _offsets(self, parts: list[_Part], stops: list[int]) -> dict[int, int]:
        """Return offsets of the tables of groups, by the last channels of these."""
        bits = np.zeros((len(stops), len(CHOICES)))
        for stop, integers, which in parts:
            bits[stops.index(stop)] += lengths(integers, which, self._bits)
        return dict(zip(stops, best(bits, self._bits_of_offsets)[0].tolist(), strict=True))

    @cached_property
    def _bits(self) -> np.ndarray:
        """Bits of magnitudes, by table."""
        return self.law.bits[:, self.law.radius :].numpy()

    @property
    def _bits_of_offsets(self) -> np.ndarray:
        return self._bits[OFFSETS_BY, np.abs(CHOICES)]

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
        ends_early = self.network.contexts.ends_early
        stops = [stop for _, stop in self.network.contexts.groups]
        offsets = torch.tensor(CHOICES.tolist() if ends_early else [0])[:, None, None, None]
        n_bits = y.new_zeros(len(stops), len(offsets), len(y), dtype=torch.float64)

        def measure(channels: slice, integers: Tensor, which: Tensor) -> None:
            there = (which + offsets.int()).clamp_(0, N_TABLES - 1)
            bits = self.law.lengths(integers, there)
            if coded is not None:
                bits = bits * coded[channels]
            n_bits[stops.index(channels.stop)] += bits.sum((2, 3), dtype=torch.float64)

        decoded, is_there = self._alone(y, number, coded, measure)
        bits = (n_bits * is_there[:, None]).numpy()
        total = bits[:, 0].sum(0)
        if ends_early:
            of_offsets = self._bits_of_offsets[:, None] * is_there[:, None].numpy()
            total = best(bits, of_offsets)[1]
        return decoded, total

    @inference()
    def restored(self, y: Tensor, number: int) -> Tensor:
        """Round coefficients.

        Parameters
        ----------
        y : Tensor of shape (n_signals, rows, columns, n_components)
            Coefficients.
        number : int
            Number of the rounding step.

        Returns
        -------
        Tensor of shape (n_signals, rows, columns, n_components)
            What :meth:`decode` returns for signals that were coded alone.
        """
        return self._alone(y, number)[0]

    def _alone(
        self,
        y: Tensor,
        number: int,
        coded: Tensor | None = None,
        measure: Callable[[slice, Tensor, Tensor], None] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return what signals that are coded alone are decoded to, and which groups each has."""
        stops = [stop for _, stop in self.network.contexts.groups]
        n_others = y.new_zeros(len(stops), len(y), dtype=torch.float64)

        def see(channels: slice, integers: Tensor, which: Tensor, residuals: Tensor) -> None:
            n_others[stops.index(channels.stop)] += integers.count_nonzero((1, 2))
            if measure is not None:
                measure(channels, integers, which)

        decoded = self._round_all(y, number, see, coded)
        # As in `encode`, the last group of a signal is the last one with another number than zero.
        is_there = n_others.flip(0).cumsum(0).flip(0) > 0
        if not self.network.contexts.ends_early:
            is_there = torch.ones_like(is_there)
        sizes = torch.tensor([stop - start for start, stop in self.network.contexts.groups])
        is_coded = is_there.repeat_interleave(sizes, 0).T[:, None, None]
        return decoded * is_coded * self.network.steps(number / N_PER_LEVEL)[1], is_there

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
        return self.decode_each([stream], shape, number, coded)

    @inference()
    def decode_each(
        self,
        streams: Sequence[bytes | memoryview],
        shape: Sequence[int],
        number: int,
        coded: Tensor | None = None,
        tell: Callable[..., None] | None = None,
    ) -> Tensor:
        """Read coefficients from several codes at once.

        Parameters
        ----------
        streams : sequence of bytes or memoryview
            Codes.
        shape : sequence of three ints
            Number of signals of each code, and their rows and columns.
        number : int
            Number of the rounding step.
        coded : Tensor of bool of shape (n_components,) or None, default=None
            As in :meth:`encode`.
        tell : callable or None, default=None
            Is told, part by part, of the channels, the squares, the integers and which tables they
            took.

        Returns
        -------
        Tensor of shape (n_codes * n_signals, rows, columns, n_components)
            Coefficients.

        Raises
        ------
        BitstreamError
            If that is not what :meth:`encode` or :meth:`encode_each` has written.
        """
        opened, (n_each, *sides) = [self._opened(stream) for stream in streams], shape
        stops = [0, *(stop for _, stop in self.network.contexts.groups)]

        def take(channels: slice, which: Tensor) -> Tensor:
            tables, integers = which.byte().numpy(), []
            group = stops.index(channels.stop) - 1
            for i, (decoder, offsets) in enumerate(opened):
                own = tables[i * n_each : (i + 1) * n_each]
                integers.append(
                    decoder.take(self._tables, shifted(own, offsets[group]))
                    if group < len(offsets)
                    else np.zeros(own.shape, np.int32)
                )
            return torch.from_numpy(np.concatenate(integers) if len(integers) > 1 else integers[0])

        def code(channels: slice, squares: Tensor, means: Tensor, which: Tensor) -> Tensor:
            if coded is None:
                integers = take(channels, which)
            else:
                integers, some = torch.zeros_like(which), coded[channels]
                integers[..., some] = take(channels, which[..., some])
            if tell is not None:
                tell(channels, squares, integers, which)
            return integers

        most = max(len(offsets) for _, offsets in opened)
        shape = (len(streams) * n_each, *sides, self.network.n_components)
        decoded = self._walk(shape, number, code, most)
        for i, (decoder, offsets) in enumerate(opened):
            decoder.finish()
            if len(offsets) < most:
                decoded[i * n_each : (i + 1) * n_each, ..., stops[len(offsets)] :] = 0
        return decoded * self.network.steps(number / N_PER_LEVEL)[1]

    def _opened(self, stream: bytes | memoryview) -> tuple[Decoder, list[int]]:
        """Return what reads a code, and the offset of each group of channels that it has."""
        n_known = len(self.network.contexts.groups)
        if not self.network.contexts.ends_early:
            return Decoder(stream), [0] * n_known
        if not stream:
            raise BitstreamError("it is empty")
        n_groups, decoder = stream[0] & ~HAS_OFFSETS, Decoder(stream[1:])
        if n_groups > n_known:
            raise BitstreamError(f"it has {n_groups} groups of channels, the model {n_known}")
        if not stream[0] & HAS_OFFSETS:
            return decoder, [0] * n_groups
        return decoder, decoder.take(self._tables, np.full(n_groups, OFFSETS_BY, np.uint8)).tolist()

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
