"""What a stream looks like from outside: a header and checked chunks.

The formats are described in ``docs/formats``; media differ in their headers only.
"""

import io
import math
import struct
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import MISSING, dataclass, field, fields
from typing import ClassVar, Self

from ._errors import BitstreamError
from ._model import N_NUMBERS
from ._varints import read_varint, varint

RAW, CODED = 0, 1
_START = struct.Struct("<4sBBBI")
CHECKSUM = struct.Struct("<I")
_END = struct.Struct("<BQI")  # no chunk is empty: a length of zero is the end
END_SIZE = _END.size + CHECKSUM.size


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
    at_end: ClassVar[str | None] = None  # the field that follows the chunks of coded streams

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
        return 1 if self.kind == RAW else math.prod(self.grid)

    @property
    def grid(self) -> tuple[int, ...]:
        """How many chunks stand behind each other: of signals, and along each axis."""
        return tuple(-(-n // s) for n, s in zip(self.shape, self.chunk_shape, strict=False))

    def place(self, number: int) -> tuple[slice, ...]:
        """Return the signals, and the part of each of their axes, of a chunk.

        Parameters
        ----------
        number : int
            Its number: first come all tiles of the first signals.

        Returns
        -------
        tuple of slices
            One for the signals and for each axis.
        """
        slices: list[slice] = []
        for n, step, count in reversed(
            list(zip(self.shape, self.chunk_shape, self.grid, strict=False))
        ):
            number, i = divmod(number, count)
            slices.insert(0, slice(i * step, min((i + 1) * step, n)))
        return tuple(slices)

    def places(self) -> Iterator[tuple[slice, ...]]:
        """Return the place of each chunk.

        Returns
        -------
        iterator of tuples of slices
            What :meth:`place` returns for each.
        """
        return map(self.place, range(self.n_chunks))

    def check(self) -> None:
        """Make sure that a model may have written it; media know of more that none would.

        Raises
        ------
        BitstreamError
            If none would.
        """
        if self.number >= N_NUMBERS:
            raise BitstreamError(
                f"the header has the rounding step {self.number}, which is not known"
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
        return start + CHECKSUM.pack(zlib.crc32(start))

    @classmethod
    def from_bytes(cls, stream: bytes | memoryview) -> tuple[Self, int]:
        """Read the header of a stream.

        Parameters
        ----------
        stream : bytes or memoryview
            The stream.

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
        fixed, numbers, position = cls.start_of(stream)
        if cls.has_end(fixed[0]):
            numbers[str(cls.at_end)], _ = read_end(stream, position)
        kind, dtype, fingerprint = fixed
        header = cls(kind, dtype, fingerprint, **_positive(numbers))
        if header.n_chunks * (CHECKSUM.size + 1) > len(stream):
            raise BitstreamError(f"{header.n_chunks} chunks don't fit into {len(stream)} bytes")
        return header, position

    @classmethod
    def start_of(
        cls, stream: bytes | memoryview
    ) -> tuple[tuple[int, str, int], dict[str, int], int]:
        """Read what stands before the chunks.

        Parameters
        ----------
        stream : bytes or memoryview
            The stream.

        Returns
        -------
        fixed : tuple
            Kind, dtype and fingerprint.
        numbers : dict of str to int
            The other fields, but the one that follows the chunks.
        position : int
            Where the chunks start.

        Raises
        ------
        BitstreamError
            If there is no header, or it makes no sense.
        """
        if stream[: len(cls.magic)] != cls.magic:
            start = bytes(stream[: len(cls.magic)])
            raise BitstreamError(f"the stream starts with {start!r}, not with {cls.magic!r}")
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
        check_part(stream, 0, position, "the header")
        if kind not in (RAW, CODED) or dtype >= len(cls.dtypes):
            raise BitstreamError(f"kind {kind} and dtype {dtype} are not both known")
        fixed = kind, cls.dtypes[dtype], fingerprint
        return fixed, _positive(numbers), position + CHECKSUM.size

    @classmethod
    def has_end(cls, kind: int) -> bool:
        """Tell whether something follows the chunks of a kind of streams.

        Parameters
        ----------
        kind : int
            ``RAW`` or ``CODED``.

        Returns
        -------
        bool
            Whether the field `at_end` does.
        """
        return cls.at_end is not None and kind != RAW

    @classmethod
    def is_bare(cls, kind: int) -> bool:
        """Tell whether a kind of streams is values without their length, which the header tells.

        Parameters
        ----------
        kind : int
            ``RAW`` or ``CODED``.

        Returns
        -------
        bool
            Whether it is.
        """
        return cls.at_end is not None and kind == RAW

    @classmethod
    def _numbers(cls, kind: int) -> list[str]:
        """Return the names of the numbers that follow the fingerprint."""
        at_end = cls.at_end if cls.has_end(kind) else None
        own = [each for each in fields(cls)[len(fields(Header)) :] if each.name != at_end]
        lengths = [each.name for each in own if each.default is MISSING]
        layout = [each.name for each in own if each.default is not MISSING]
        return lengths if kind == RAW else [*lengths, "number", *layout]


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
        The stream.
    """
    framing = Framing(header)
    stream = io.BytesIO()
    stream.write(framing.start)
    for chunk in chunks:
        stream.write(framing.framed(chunk))
    if header.has_end(header.kind):
        stream.write(framing.end(getattr(header, str(header.at_end))))
    return stream.getvalue()


class Framing:
    """What stands around the chunks of a stream that is written bit by bit.

    Each checksum goes on from the one before, so that a chunk of another place or stream is
    noticed. Where something follows the chunks, as streams may be read while some of it is lost,
    each goes on from that of the header, and what follows has the checksum of all.

    Parameters
    ----------
    header : Header
        Its header.

    Attributes
    ----------
    start : bytes
        What comes before the first chunk.
    """

    def __init__(self, header: Header) -> None:
        self.start = header.to_bytes()
        self._has_end, self._is_bare = header.has_end(header.kind), header.is_bare(header.kind)
        self._first = self._all = checksum_at(self.start, len(self.start))

    def framed(self, chunk: bytes) -> bytes:
        """Frame a chunk.

        Parameters
        ----------
        chunk : bytes
            The next one.

        Returns
        -------
        bytes
            Its length, unless it needs none, itself, and its checksum.
        """
        part = chunk if self._is_bare else varint(len(chunk)) + chunk
        before = self._first if self._has_end else self._all
        self._all = zlib.crc32(part, self._all)
        return b"".join((part, CHECKSUM.pack(zlib.crc32(part, before))))

    def end(self, value: int) -> bytes:
        """Return what follows the last chunk, if a header has a field that is known only then.

        Parameters
        ----------
        value : int
            That of the field.

        Returns
        -------
        bytes
            The end.
        """
        part = _END.pack(0, value, self._all)
        return part + CHECKSUM.pack(zlib.crc32(part, self._first))


def _positive(numbers: dict[str, int]) -> dict[str, int]:
    """Return numbers, all of which are positive but perhaps that of the rounding step."""
    if not all(value for name, value in numbers.items() if name != "number"):
        raise BitstreamError(f"sizes must be positive, got {numbers}")
    return numbers


def read_end(stream: bytes | memoryview, start: int) -> tuple[int, int]:
    """Return the number that follows the chunks, which begin at `start`, and their checksum."""
    stop = len(stream) - CHECKSUM.size
    position = stop - _END.size
    if position < start:
        raise BitstreamError(f"the stream ends at byte {len(stream)}, before its last chunk")
    check_part(stream, position, stop, "the end", checksum_at(stream, start))
    return end_of(stream, position)


def end_of(stream: bytes | memoryview, position: int) -> tuple[int, int]:
    """Return the number and the checksum in an end that was checked."""
    zero, value, checksum = _END.unpack_from(stream, position)
    if zero:
        raise BitstreamError("the stream has no end")
    return value, checksum


def check_part(
    stream: bytes | memoryview, start: int, stop: int, what: str, before: int = 0
) -> None:
    """Make sure that a part of a stream fits its checksum, which goes on from one `before`."""
    if stop + CHECKSUM.size > len(stream):
        raise BitstreamError(f"{what} ends at byte {stop}, but the stream at byte {len(stream)}")
    expected = checksum_at(stream, stop + CHECKSUM.size)
    if zlib.crc32(stream[start:stop], before) != expected:
        raise BitstreamError(f"{what} is damaged: the checksum at byte {stop} does not fit")


def checksum_at(stream: bytes | bytearray | memoryview, stop: int) -> int:
    """Return the checksum that ends before a byte."""
    return int(CHECKSUM.unpack_from(stream, stop - CHECKSUM.size)[0])
