"""What a stream looks like from outside: a header and checked chunks.

The format is described in ``docs/formats/image.rst``.
"""

import io
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

from ._coder import BitstreamError, read_varint, varint

MAGIC = b"\x89SKI"
VERSION = 1
RAW, CODED = 0, 1
DTYPES = ("uint8", "uint16", "float32", "float64")
_START = struct.Struct("<4sBBBI")
_CHECKSUM = struct.Struct("<I")


@dataclass(frozen=True)
class Header:
    """What is known of the images of a stream before any of them is decoded.

    Parameters
    ----------
    kind : int
        ``RAW`` or ``CODED``.
    dtype : str
        One of ``DTYPES``.
    fingerprint : int
        That of the model.
    n_images, height, width, channels : int
        Shape of all images.
    quality : int, default=0
        Number of the rounding step; not in raw streams, nor is what follows.
    n_together : int, default=1
        Number of images that share a chunk.
    tile : int, default=1
        Height and width of the tiles, but those at the lower and right borders.
    """

    kind: int
    dtype: str
    fingerprint: int
    n_images: int
    height: int
    width: int
    channels: int
    quality: int = 0
    n_together: int = 1
    tile: int = 1

    @property
    def n_chunks(self) -> int:
        """Number of chunks: tiles of the first images, then of the next."""
        if self.kind == RAW:
            return 1
        n_rows, n_columns = -(-self.height // self.tile), -(-self.width // self.tile)
        return -(-self.n_images // self.n_together) * n_rows * n_columns

    def places(self) -> Iterator[tuple[slice, slice, slice]]:
        """Yield images, rows and columns of each chunk."""
        for first in range(0, self.n_images, self.n_together):
            for top in range(0, self.height, self.tile):
                for left in range(0, self.width, self.tile):
                    yield (
                        slice(first, min(first + self.n_together, self.n_images)),
                        slice(top, min(top + self.tile, self.height)),
                        slice(left, min(left + self.tile, self.width)),
                    )

    @property
    def n_values(self) -> int:
        """Number of values in all images."""
        return self.n_images * self.height * self.width * self.channels

    def to_bytes(self) -> bytes:
        """Return the header as bytes, its checksum included."""
        start = _START.pack(MAGIC, VERSION, self.kind, DTYPES.index(self.dtype), self.fingerprint)
        numbers = b"".join(varint(getattr(self, name)) for name in _numbers(self.kind))
        return start + numbers + _CHECKSUM.pack(zlib.crc32(start + numbers))


def _numbers(kind: int) -> list[str]:
    """Return the names of the numbers that follow the fingerprint."""
    return [field.name for field in fields(Header)][3 : 7 if kind == RAW else None]


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


def unpack(stream: bytes, max_values: float) -> tuple[Header, list[memoryview]]:
    """Take a stream apart.

    Parameters
    ----------
    stream : bytes
        The stream.
    max_values : float
        How many values the images may have.

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
    header, position = read_header(stream, max_values)
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


def read_header(stream: bytes, max_values: float) -> tuple[Header, int]:
    """Read the header of a stream.

    Parameters
    ----------
    stream : bytes
        The stream.
    max_values : float
        How many values the images may have.

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
    if stream[:4] != MAGIC:
        raise BitstreamError(f"the stream starts with {stream[:4]!r}, not with {MAGIC!r}")
    if len(stream) < _START.size:
        raise BitstreamError(f"the stream ends in its header, at byte {len(stream)}")
    _, version, kind, dtype, fingerprint = _START.unpack_from(stream)
    if version != VERSION:
        raise BitstreamError(f"version {version} is not known; this program reads {VERSION}")
    position, numbers = _START.size, {}
    for name in _numbers(kind):
        numbers[name], position = read_varint(stream, position)
    _check(stream, 0, position, "the header")
    if kind not in (RAW, CODED) or dtype >= len(DTYPES):
        raise BitstreamError(f"kind {kind} and dtype {dtype} are not both known")
    if not all(value for name, value in numbers.items() if name != "quality"):
        raise BitstreamError(f"sizes must be positive, got {numbers}")
    header = Header(kind, DTYPES[dtype], fingerprint, **numbers)
    if header.n_values > max_values:
        raise BitstreamError(
            f"the images have {header.n_values} values, more than max_values={max_values}"
        )
    if header.n_chunks * (_CHECKSUM.size + 1) > len(stream):
        raise BitstreamError(f"{header.n_chunks} chunks don't fit into {len(stream)} bytes")
    return header, position + _CHECKSUM.size


def _check(stream: bytes | memoryview, start: int, stop: int, what: str) -> None:
    if stop + _CHECKSUM.size > len(stream):
        raise BitstreamError(f"{what} ends at byte {stop}, but the stream at byte {len(stream)}")
    (before,) = _CHECKSUM.unpack_from(stream, start - _CHECKSUM.size) if start else (0,)
    (expected,) = _CHECKSUM.unpack_from(stream, stop)
    if zlib.crc32(stream[start:stop], before) != expected:
        raise BitstreamError(f"{what} is damaged: the checksum at byte {stop} does not fit")
