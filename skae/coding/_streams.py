"""Signals of one shape as streams and back, chunk by chunk."""

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .._settings import inference
from ._base_streams import MAX_VALUES, BaseStreams
from ._chunks import Chunks
from ._codec import Codec
from ._container import CODED, RAW, Header, pack
from ._errors import BitstreamError
from ._medium import Medium
from ._selection import Place, chunks_of, overlap, wanted_of

_FEW_VALUES = 2**15


class StreamCodec(Medium, BaseStreams):
    """Write signals of one kind as streams, and read them: tile by tile.

    Nothing is held of all signals or tiles at once but the signals and the stream themselves.

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

    def __init__(
        self, codec: Codec, factor: float, fingerprint: int, former: tuple[int, ...] = ()
    ) -> None:
        super().__init__(codec, fingerprint, former)
        self.factor = factor

    # ------------------------------------------------------------------ writing

    @inference()
    def write(
        self, arrays: Sequence[np.ndarray], number: int, chunk_size: int | None = None
    ) -> bytes:
        header = self._header(arrays, number, chunk_size)
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

    @inference()
    def costs(self, arrays: Sequence[np.ndarray], number: int) -> tuple[np.ndarray, np.ndarray]:
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

    def _header(
        self, arrays: Sequence[np.ndarray], number: int, chunk_size: int | None = None
    ) -> Header:
        shape, dtype = (len(arrays), *arrays[0].shape), arrays[0].dtype.name
        layout = self.layouts(shape)[0]
        if chunk_size is not None:
            layout["n_together"] = min(layout["n_together"], chunk_size)
        return self.header_type(CODED, dtype, self.fingerprint, *shape, number=number, **layout)

    # ------------------------------------------------------------------ reading

    @inference()
    def decoded(
        self,
        header: Header,
        chunks: Chunks,
        max_values: int = MAX_VALUES,
        *,
        indices: Any = None,
        realism: float = 0.0,
        region: Any = None,
        n_before: int = 0,
    ) -> np.ndarray:
        wanted, dtype = wanted_of(indices, header.shape[0]), np.dtype(header.dtype)
        window = self.window(region, header.shape[1:-1])
        sides = (part.stop - part.start for part in window)
        shape = len(wanted), *sides, header.shape[-1]
        if (n_bytes := n_before + math.prod(shape) * dtype.itemsize) > max_values:
            raise BitstreamError(f"the result has {n_bytes} bytes, more than {max_values=}")
        array, numbers = np.empty(shape, dtype), np.asarray(wanted)
        if header.kind == RAW:
            raw = np.frombuffer(chunks[0], dtype.newbyteorder("<")).reshape(header.shape)
            for signal, i in zip(array, numbers, strict=True):
                signal[:] = raw[i][window]
            return array
        coded = self.coded(header)
        for number, here in chunks_of(header, numbers, window):
            place = header.place(number)
            in_window, in_tile = overlap(place[1:], window)
            into: tuple[Any, ...] = here, *in_window
            chunk = chunks[number]
            try:
                y = self.codec.decode(chunk, self.grid(place), header.number, coded)
                x = self.samples(y[numbers[here] - place[0].start], header, place, realism)
            except BitstreamError as error:
                raise BitstreamError(f"chunk {number} of {len(chunks)}: {error}") from None
            array[into] = x[:, *in_tile]
        return array


def _parts(
    arrays: Sequence[np.ndarray], header: Header
) -> Iterator[tuple[Place, list[np.ndarray]]]:
    """Yield the place of each chunk, and the parts of signals that lie there."""
    for place in header.places():
        yield place, [array[place[1:]] for array in arrays[place[0]]]
