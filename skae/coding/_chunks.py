"""The parts of a stream, found and checked: how everything that reads streams begins."""

import itertools
import zlib
from array import array
from typing import TypeVar

import numpy as np

from ._container import CHECKSUM, END_SIZE, RAW, Header, check_part, checksum_at, read_end
from ._errors import BitstreamError
from ._varints import read_varint

AnyHeader = TypeVar("AnyHeader", bound=Header)


class Chunks:
    """The chunks of a stream: found by their lengths, and checked when they are first read.

    Parameters
    ----------
    stream : memoryview
        The stream.
    header : Header
        Its header.
    position : int
        Where they start.

    Raises
    ------
    BitstreamError
        If they don't end where the stream does.
    """

    def __init__(self, stream: memoryview, header: Header, position: int) -> None:
        n_chunks = header.n_chunks
        self._stream, self._has_end = stream, header.has_end(header.kind)
        self._is_bare = header.is_bare(header.kind)
        self._borders = array("q", [position])
        self._is_checked = bytearray(n_chunks)
        end = len(stream) - END_SIZE * self._has_end
        if self._is_bare:
            self._borders.append(end)
            return
        for i in range(n_chunks):
            try:
                length, start = read_varint(stream, position)
            except BitstreamError as error:
                raise BitstreamError(f"chunk {i} of {n_chunks}: {error}") from None
            position = start + length + CHECKSUM.size
            if position > end:
                raise BitstreamError(
                    f"chunk {i} of {n_chunks} ends at byte {position}, but the stream at byte {end}"
                )
            self._borders.append(position)
        if position != end:
            raise BitstreamError(f"{end - position} bytes follow the last chunk")

    def __len__(self) -> int:
        return len(self._is_checked)

    def __getitem__(self, i: int) -> memoryview:
        """Return a chunk that is not damaged."""
        start, stop = self._borders[i], self._borders[i + 1] - CHECKSUM.size
        if not self._is_checked[i]:
            before = checksum_at(self._stream, self._borders[0 if self._has_end else i])
            check_part(self._stream, start, stop, f"chunk {i} of {len(self)}", before)
            self._is_checked[i] = True
        if not self._is_bare:
            _, start = read_varint(self._stream, start)
        return self._stream[start:stop]

    def check(self) -> None:
        """Make sure that none of them is damaged.

        Raises
        ------
        BitstreamError
            If one is, or is missing, or does not belong to the others.
        """
        for i in range(len(self)):
            self[i]
        if not self._has_end:
            return
        checksum = checksum_at(self._stream, self._borders[0])
        for start, stop in itertools.pairwise(self._borders):
            checksum = zlib.crc32(self._stream[start : stop - CHECKSUM.size], checksum)
        if checksum != read_end(self._stream, self._borders[0])[1]:
            raise BitstreamError("its chunks are not those that its end was written for")


def opened(stream: bytes | memoryview, kind_of_header: type[AnyHeader]) -> tuple[AnyHeader, Chunks]:
    """Find the parts of a stream.

    Parameters
    ----------
    stream : bytes, memoryview or another buffer
        The stream; it is not copied.
    kind_of_header : type
        The header of its medium.

    Returns
    -------
    header : Header
        Its header.
    chunks : Chunks
        Its chunks.

    Raises
    ------
    BitstreamError
        If it is not a stream, or one that no model would read.
    """
    try:
        view = memoryview(stream)
    except TypeError:
        raise TypeError(f"a stream must be bytes, got {type(stream).__name__}") from None
    view = view if view.format == "B" and view.ndim == 1 else view.cast("B")
    header, position = kind_of_header.from_bytes(view)
    header.check()
    chunks, dtype = Chunks(view, header, position), np.dtype(header.dtype)
    if header.kind == RAW and len(chunks[0]) != header.n_values * dtype.itemsize:
        raise BitstreamError(
            f"{len(chunks[0])} bytes of raw data, but {header.n_values} values of {dtype}"
        )
    return header, chunks


def unpack(
    stream: bytes | memoryview, kind_of_header: type[AnyHeader]
) -> tuple[AnyHeader, list[memoryview]]:
    """Take a stream apart.

    Parameters
    ----------
    stream : bytes, memoryview or another buffer
        The stream.
    kind_of_header : type
        The header of its medium.

    Returns
    -------
    header : Header
        Its header.
    chunks : list of memoryview
        Its chunks, none of them damaged.

    Raises
    ------
    BitstreamError
        If it is not a stream, or anything in it was changed.
    """
    header, chunks = opened(stream, kind_of_header)
    chunks.check()
    return header, [chunks[i] for i in range(len(chunks))]
