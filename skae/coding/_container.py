"""What a stream looks like from outside: a header and checked chunks.

The formats are described in ``docs/formats``; media differ in their headers only.
"""

import io
import itertools
import math
import struct
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import MISSING, dataclass, field, fields
from typing import ClassVar, Self, TypeVar

from ._errors import BitstreamError
from ._varints import read_varint, varint

RAW, CODED = 0, 1
_START = struct.Struct("<4sBBBI")
_CHECKSUM = struct.Struct("<I")


@dataclass(frozen=True)
class Header(ABC):
    """What is known of the signals of a stream before any of them is decoded.

    A medium derives its header from this one. It sets `magic` and `dtypes`, and adds whole numbers
    as fields: first the lengths of `shape`, in its order, then, with defaults, because only coded
    streams have them, those of the layout. All of them are positive.

    Parameters
    ----------
    kind : int
        ``RAW`` or ``CODED``.
    dtype : str
        One of ``dtypes``.
    fingerprint : int
        That of the model.
    number : int, default=0
        Number of the rounding step; not in raw streams.
    """

    magic: ClassVar[bytes]
    version: ClassVar[int] = 1
    dtypes: ClassVar[tuple[str, ...]]

    kind: int
    dtype: str
    fingerprint: int
    number: int = field(default=0, kw_only=True)

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Number of signals, lengths of their axes, number of channels."""

    @property
    @abstractmethod
    def chunk_shape(self) -> tuple[int, ...]:
        """How many signals share a chunk, and how long its part of each axis is at most."""

    @property
    def n_values(self) -> int:
        """Number of values in all signals."""
        return math.prod(self.shape)

    @property
    def n_chunks(self) -> int:
        """Number of chunks: one for each place, or for all that is raw."""
        counts = (-(-n // step) for n, step in zip(self.shape, self.chunk_shape, strict=False))
        return 1 if self.kind == RAW else math.prod(counts)

    def places(self) -> Iterator[tuple[slice, ...]]:
        """Return the signals, and the part of each of their axes, of each chunk.

        Returns
        -------
        iterator of tuples of slices
            One for the signals and for each axis: first all tiles of the first signals.
        """
        return itertools.product(
            *(
                [slice(start, min(start + step, n)) for start in range(0, n, step)]
                for n, step in zip(self.shape, self.chunk_shape, strict=False)
            )
        )

    def to_bytes(self) -> bytes:
        """Return the header as bytes, its checksum included.

        Returns
        -------
        bytes
            The header.
        """
        dtype = self.dtypes.index(self.dtype)
        start = _START.pack(self.magic, self.version, self.kind, dtype, self.fingerprint)
        start += b"".join(varint(getattr(self, name)) for name in self._numbers(self.kind))
        return start + _CHECKSUM.pack(zlib.crc32(start))

    @classmethod
    def from_bytes(cls, stream: bytes, max_values: float) -> tuple[Self, int]:
        """Read the header of a stream.

        Parameters
        ----------
        stream : bytes
            The stream.
        max_values : float
            How many values the signals may have.

        Returns
        -------
        header : Header
            The header.
        position : int
            Where the chunks start.

        Raises
        ------
        BitstreamError
            If there is no header, or it makes no sense.
        """
        if stream[: len(cls.magic)] != cls.magic:
            raise BitstreamError(f"the stream starts with {stream[:4]!r}, not with {cls.magic!r}")
        if len(stream) < _START.size:
            raise BitstreamError(f"the stream ends in its header, at byte {len(stream)}")
        _, version, kind, dtype, fingerprint = _START.unpack_from(stream)
        if version != cls.version:
            raise BitstreamError(
                f"version {version} is not known; this program reads {cls.version}"
            )
        position, numbers = _START.size, {}
        for name in cls._numbers(kind):
            numbers[name], position = read_varint(stream, position)
        _check(stream, 0, position, "the header")
        if kind not in (RAW, CODED) or dtype >= len(cls.dtypes):
            raise BitstreamError(f"kind {kind} and dtype {dtype} are not both known")
        if not all(value for name, value in numbers.items() if name != "number"):
            raise BitstreamError(f"sizes must be positive, got {numbers}")
        header = cls(kind, cls.dtypes[dtype], fingerprint, **numbers)
        if header.n_values > max_values:
            raise BitstreamError(
                f"the stream holds {header.n_values} values, more than max_values={max_values}"
            )
        if header.n_chunks * (_CHECKSUM.size + 1) > len(stream):
            raise BitstreamError(f"{header.n_chunks} chunks don't fit into {len(stream)} bytes")
        return header, position + _CHECKSUM.size

    @classmethod
    def _numbers(cls, kind: int) -> list[str]:
        """Return the names of the numbers that follow the fingerprint."""
        own = fields(cls)[len(fields(Header)) :]
        lengths = [each.name for each in own if each.default is MISSING]
        layout = [each.name for each in own if each.default is not MISSING]
        return lengths if kind == RAW else [*lengths, "number", *layout]


AnyHeader = TypeVar("AnyHeader", bound=Header)


def pack(header: Header, chunks: Iterable[bytes]) -> bytes:
    """Return a stream.

    Parameters
    ----------
    header : Header
        Its header.
    chunks : iterable of bytes
        ``header.n_chunks`` chunks.

    Returns
    -------
    bytes
        The stream. Each checksum goes on from the one before, so that a chunk of another place or
        stream is noticed.
    """
    stream = io.BytesIO()
    start = header.to_bytes()
    (checksum,) = _CHECKSUM.unpack(start[-_CHECKSUM.size :])
    stream.write(start)
    for chunk in chunks:
        for part in (varint(len(chunk)), chunk):
            checksum = zlib.crc32(part, checksum)
            stream.write(part)
        stream.write(_CHECKSUM.pack(checksum))
    return stream.getvalue()


def unpack(
    stream: bytes, kind_of_header: type[AnyHeader], max_values: float = math.inf
) -> tuple[AnyHeader, list[memoryview]]:
    """Take a stream apart.

    Parameters
    ----------
    stream : bytes
        The stream.
    kind_of_header : type
        The header of its medium.
    max_values : float, default=inf
        How many values the signals may have.

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
    if not isinstance(stream, bytes | bytearray | memoryview):
        raise TypeError(f"a stream must be bytes, got {type(stream).__name__}")
    stream = bytes(stream)
    view = memoryview(stream)
    header, position = kind_of_header.from_bytes(stream, max_values)
    chunks = []
    for i in range(header.n_chunks):
        try:
            length, start = read_varint(stream, position)
        except BitstreamError as error:
            raise BitstreamError(f"chunk {i} of {header.n_chunks}: {error}") from None
        stop = start + length
        _check(view, position, stop, f"chunk {i} of {header.n_chunks}")
        chunks.append(view[start:stop])
        position = stop + _CHECKSUM.size
    if position != len(stream):
        raise BitstreamError(f"{len(stream) - position} bytes follow the last chunk")
    return header, chunks


def _check(stream: bytes | memoryview, start: int, stop: int, what: str) -> None:
    """Make sure that a part of a stream fits its checksum, and follows the part before."""
    if stop + _CHECKSUM.size > len(stream):
        raise BitstreamError(f"{what} ends at byte {stop}, but the stream at byte {len(stream)}")
    (before,) = _CHECKSUM.unpack_from(stream, start - _CHECKSUM.size) if start else (0,)
    (expected,) = _CHECKSUM.unpack_from(stream, stop)
    if zlib.crc32(stream[start:stop], before) != expected:
        raise BitstreamError(f"{what} is damaged: the checksum at byte {stop} does not fit")
