"""Signals of one shape as streams and back, chunk by chunk."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from ._codec import N_NUMBERS, Codec
from ._container import CODED, RAW, Header, pack, unpack
from ._errors import BitstreamError

MAX_VALUES = 2**30
_FEW_VALUES = 2**15

Place = tuple[slice, ...]


class StreamCodec(ABC):
    """Write signals of one kind as streams, and read them.

    A signal is an array with any number of axes, and one of channels after them. Nothing is held of
    all signals or tiles at once but the signals and the stream themselves.

    Parameters
    ----------
    codec : Codec
        Turns coefficients into bytes.
    factor : float
        What differences of values are multiplied by, to be in the units of the network.
    fingerprint : int
        That of the model.
    former : tuple of int, default=()
        Fingerprints that the model had in earlier versions, whose streams are read, too.
    """

    header_type: ClassVar[type[Header]]

    def __init__(
        self, codec: Codec, factor: float, fingerprint: int, former: tuple[int, ...] = ()
    ) -> None:
        self.codec, self.factor = codec, factor
        self.fingerprint, self.former = fingerprint, former

    # ------------------------------------------------------------------ what a medium says

    @abstractmethod
    def layouts(self, shape: tuple[int, ...]) -> list[dict[str, Any]]:
        """Return how signals may be cut into chunks.

        Parameters
        ----------
        shape : tuple of int
            Number of signals, lengths of their axes, number of channels.

        Returns
        -------
        list of dict
            The fields of headers that tell of it. Streams are written with the first, and read with
            any; others would let a few bytes claim much memory or time.
        """

    @abstractmethod
    def check(self, header: Header) -> None:
        """Make sure that signals are of the kind that the model was fitted to.

        Parameters
        ----------
        header : Header
            Their header.

        Raises
        ------
        BitstreamError
            If they have other channels, for one.
        """

    @abstractmethod
    def window(self, region: Any, lengths: tuple[int, ...]) -> tuple[slice, ...]:
        """Return a region that was asked for as slices that lie in the signals.

        Parameters
        ----------
        region : tuple of slices or None
            What was asked for; None for all.
        lengths : tuple of int
            Those of the axes.

        Returns
        -------
        tuple of slices
            One for each axis, with start and stop, none of them empty.

        Raises
        ------
        ValueError
            If there is no such part.
        """

    @abstractmethod
    def grid(self, place: Place) -> tuple[int, ...]:
        """Return the shape of the coefficients of a chunk, without their components.

        Parameters
        ----------
        place : tuple of slices
            Its signals, and its part of each axis.

        Returns
        -------
        tuple of int
            Number of signals, rows and columns.
        """

    @abstractmethod
    def coefficients(self, arrays: Sequence[np.ndarray]) -> Tensor:
        """Return the coefficients of signals, or of parts of them.

        Parameters
        ----------
        arrays : sequence of ndarray
            Signals of one shape.

        Returns
        -------
        Tensor of shape (n_signals, rows, columns, n_components)
            Coefficients, in the dtype of the network, which is float64 where costs are measured.
        """

    @abstractmethod
    def samples(self, y: Tensor, header: Header, place: Place, realism: float) -> np.ndarray:
        """Return the signals of coefficients.

        Parameters
        ----------
        y : Tensor of shape (n_signals, rows, columns, n_components)
            Coefficients.
        header : Header
            Tells dtype and number of the rounding step.
        place : tuple of slices
            Tells how long the part of each axis is.
        realism : float
            How much of what rounding has erased to invent, from 0 to 1.

        Returns
        -------
        ndarray
            Signals, or these parts of them.

        Raises
        ------
        BitstreamError
            If they are not finite.
        """

    def coded(self, header: Header) -> Tensor | None:
        """Return which components are coded, where signals have some that follow from the others.

        Parameters
        ----------
        header : Header
            Of the signals.

        Returns
        -------
        Tensor of bool of shape (n_components,) or None
            None for all.
        """
        return None

    # ------------------------------------------------------------------ writing

    @torch.inference_mode()
    def write(self, arrays: Sequence[np.ndarray], number: int) -> bytes:
        """Return the stream of signals.

        Parameters
        ----------
        arrays : sequence of ndarray
            Signals of one shape and dtype.
        number : int
            Number of the rounding step.

        Returns
        -------
        bytes
            The stream; it holds the values themselves, if that is shorter.
        """
        header = self._header(arrays, number)
        coded = self.coded(header)
        chunks = (
            self.codec.encode(self.coefficients(parts), number, coded)
            for _, parts in _parts(arrays, header)
        )
        stream = pack(header, chunks)
        if len(stream) <= sum(array.nbytes for array in arrays):
            return stream
        raw = replace(header, kind=RAW)
        del stream  # it is as large as the signals
        little = arrays[0].dtype.newbyteorder("<")
        return pack(raw, [b"".join(a.astype(little, copy=False).tobytes() for a in arrays)])

    @torch.inference_mode()
    def costs(self, arrays: Sequence[np.ndarray], number: int) -> tuple[np.ndarray, np.ndarray]:
        """Return what signals cost, each as if it was coded alone.

        Parameters
        ----------
        arrays : sequence of ndarray
            Signals of one shape and dtype.
        number : int
            Number of the rounding step.

        Returns
        -------
        n_bits : ndarray of shape (n_signals,)
            Ideal lengths of their codes.
        squares : ndarray of shape (n_signals,)
            Sums of squared errors, in the units of the network.
        """
        streams, size = self, 1
        if arrays[0].size <= _FEW_VALUES:
            # Small signals go through the network together: in float64, so that what one costs
            # does not depend on the others.
            streams, size = copy.copy(self), len(arrays)
            streams.codec = self.codec.double()
        costs = [
            streams._costs(arrays[start : start + size], number)
            for start in range(0, len(arrays), size)
        ]
        n_bits, squares = np.concatenate(costs, axis=1)
        return n_bits, squares

    def _costs(self, arrays: Sequence[np.ndarray], number: int) -> np.ndarray:
        """Return bits and squares of signals that go through the network together."""
        header = self._header(arrays, number)
        n_bits, squares = costs = np.zeros((2, len(arrays)))
        for place, parts in _parts(arrays, header):
            y, lengths = self.codec.cost(self.coefficients(parts), number, self.coded(header))
            decoded = self.samples(y, header, place, 0.0)
            for i, part, got in zip(range(len(arrays))[place[0]], parts, decoded, strict=True):
                errors = (got.astype(np.float64) - part) * self.factor
                squares[i] += np.square(errors).sum()
            n_bits[place[0]] += lengths
        return costs

    def _header(self, arrays: Sequence[np.ndarray], number: int) -> Header:
        shape, dtype = (len(arrays), *arrays[0].shape), arrays[0].dtype.name
        layout = self.layouts(shape)[0]
        return self.header_type(CODED, dtype, self.fingerprint, *shape, number=number, **layout)

    # ------------------------------------------------------------------ reading

    @torch.inference_mode()
    def read(
        self,
        stream: bytes,
        max_values: int = MAX_VALUES,
        indices: Any = None,
        realism: float = 0.0,
        region: Any = None,
    ) -> np.ndarray:
        """Return the signals of a stream.

        Parameters
        ----------
        stream : bytes
            What :meth:`write` has returned.
        max_values : int, default=2**30
            How many values it may unfold to.
        indices : int, slice or array-like of int, default=None
            Which signals; None for all.
        realism : float, default=0.0
            How much of what rounding has erased to invent, from 0 to 1.
        region : tuple of slices, default=None
            Which part of each axis; None for all.

        Returns
        -------
        ndarray of shape (n_signals, ..., n_channels)
            Signals.

        Raises
        ------
        BitstreamError
            If the stream was changed, or written by another model.
        """
        header, chunks = unpack(stream, self.header_type, max_values)
        self._check(header, chunks)
        wanted = _wanted(indices, header.shape[0])
        window = self.window(region, header.shape[1:-1])
        sides = (part.stop - part.start for part in window)
        array = np.empty((len(wanted), *sides, header.shape[-1]), header.dtype)
        if header.kind == RAW:
            little = array.dtype.newbyteorder("<")
            raw = np.frombuffer(chunks[0], little).reshape(header.shape)
            for signal, i in zip(array, wanted, strict=True):
                signal[:] = raw[i][window]
            return array
        coded = self.coded(header)
        for i, (place, chunk) in enumerate(zip(header.places(), chunks, strict=True)):
            signals = place[0]
            here = np.flatnonzero((wanted >= signals.start) & (wanted < signals.stop))
            overlap = _overlap(place[1:], window)
            if not len(here) or overlap is None:
                continue
            in_window, in_tile = overlap
            into: tuple[Any, ...] = here, *in_window
            try:
                y = self.codec.decode(chunk, self.grid(place), header.number, coded)
                x = self.samples(y[wanted[here] - signals.start], header, place, realism)
            except BitstreamError as error:
                raise BitstreamError(f"chunk {i} of {len(chunks)}: {error}") from None
            array[into] = x[:, *in_tile]
        return array

    def _check(self, header: Header, chunks: list[memoryview]) -> None:
        """Make sure that a stream is of this model, and claims nothing that it can't be."""
        if header.fingerprint not in (self.fingerprint, *self.former):
            raise BitstreamError(
                f"the stream was written by the model {header.fingerprint:08x}, this one is "
                f"{self.fingerprint:08x}"
            )
        self.check(header)
        if header.kind == RAW:
            dtype = np.dtype(header.dtype)
            if len(chunks[0]) != header.n_values * dtype.itemsize:
                raise BitstreamError(
                    f"{len(chunks[0])} bytes of raw data, but {header.n_values} values of {dtype}"
                )
            return
        if header.number >= N_NUMBERS:
            raise BitstreamError(
                f"the header has the rounding step {header.number}, which is not known"
            )
        allowed = [replace(header, **layout) for layout in self.layouts(header.shape)]
        if header not in allowed:
            shapes = " or ".join(str(other.chunk_shape) for other in allowed)
            raise BitstreamError(
                f"the header has chunks of the shape {header.chunk_shape}, but it must be {shapes}"
            )


def _parts(
    arrays: Sequence[np.ndarray], header: Header
) -> Iterator[tuple[Place, list[np.ndarray]]]:
    """Yield the place of each chunk, and the parts of signals that lie there."""
    for place in header.places():
        yield place, [array[place[1:]] for array in arrays[place[0]]]


def _wanted(indices: Any, n_signals: int) -> np.ndarray:
    """Return which signals are asked for."""
    numbers = np.arange(n_signals)
    if indices is None:
        return numbers
    try:
        return np.atleast_1d(numbers[indices])
    except IndexError as error:
        raise IndexError(f"indices={indices!r}: {error}") from None


def _overlap(tile: Place, window: Place) -> tuple[Place, Place] | None:
    """Return which part of a window is in a tile, counted in the window and in the tile."""
    in_window, in_tile = [], []
    for t, w in zip(tile, window, strict=True):
        start, stop = max(t.start, w.start), min(t.stop, w.stop)
        if start >= stop:
            return None
        in_window.append(slice(start - w.start, stop - w.start))
        in_tile.append(slice(start - t.start, stop - t.start))
    return tuple(in_window), tuple(in_tile)
