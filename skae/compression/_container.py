"""What a stream looks like from outside: a header and checked chunks.

The format is described in ``docs/formats/image.rst``.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
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
    quality : int
        Number of the rounding step.
    n_images, height, width, channels : int
        Shape of all images.
    n_together : int
        Number of images that share a chunk.
    tile : int
        Height and width of the tiles, but those at the lower and right borders.
    """

    kind: int
    dtype: str
    fingerprint: int
    quality: int
    n_images: int
    height: int
    width: int
    channels: int
    n_together: int
    tile: int

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
        return _checked(start + b"".join(varint(getattr(self, name)) for name in _NUMBERS), 0)


_NUMBERS = [field.name for field in fields(Header)][3:]


def pack(header: Header, chunks: Sequence[bytes]) -> bytes:
    """Return a stream.

    Parameters
    ----------
    header : Header
        Its header.
    chunks : sequence of bytes
        ``header.n_chunks`` chunks.

    Returns
    -------
    bytes
        The stream. The checksum of a chunk depends on header and place, so that a chunk of another
        stream is noticed.
    """
    start = header.to_bytes()
    seed = zlib.crc32(start)
    parts = [_checked(varint(len(c)) + c, seed + i) for i, c in enumerate(chunks)]
    return b"".join([start, *parts])


def _checked(part: bytes, seed: int) -> bytes:
    return part + _CHECKSUM.pack(zlib.crc32(part, seed & 0xFFFFFFFF))


def unpack(stream: bytes, max_values: int) -> tuple[Header, list[bytes]]:
    """Take a stream apart.

    Parameters
    ----------
    stream : bytes
        The stream.
    max_values : int
        How many values the images may have.

    Returns
    -------
    header : Header
        Its header.
    chunks : list of bytes
        Its chunks, none of them damaged.

    Raises
    ------
    BitstreamError
        If it is not a stream, or anything in it was changed.
    """
    if not isinstance(stream, bytes | bytearray | memoryview):
        raise TypeError(f"a stream must be bytes, got {type(stream).__name__}")
    stream = bytes(stream)
    header, position = read_header(stream, max_values)
    seed = zlib.crc32(stream[:position])
    chunks = []
    for i in range(header.n_chunks):
        try:
            length, start = read_varint(stream, position)
        except BitstreamError as error:
            raise BitstreamError(f"chunk {i} of {header.n_chunks}: {error}") from None
        stop = start + length
        _check(stream, position, stop, seed + i, f"chunk {i} of {header.n_chunks}")
        chunks.append(stream[start:stop])
        position = stop + _CHECKSUM.size
    if position != len(stream):
        raise BitstreamError(f"{len(stream) - position} bytes follow the last chunk")
    return header, chunks


def read_header(stream: bytes, max_values: int) -> tuple[Header, int]:
    """Read the header of a stream.

    Parameters
    ----------
    stream : bytes
        The stream.
    max_values : int
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
    for name in _NUMBERS:
        numbers[name], position = read_varint(stream, position)
    _check(stream, 0, position, 0, "the header")
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


def _check(stream: bytes, start: int, stop: int, seed: int, what: str) -> None:
    if stop + _CHECKSUM.size > len(stream):
        raise BitstreamError(f"{what} ends at byte {stop}, but the stream at byte {len(stream)}")
    (expected,) = _CHECKSUM.unpack_from(stream, stop)
    if zlib.crc32(stream[start:stop], seed & 0xFFFFFFFF) != expected:
        raise BitstreamError(f"{what} is damaged: the checksum at byte {stop} does not fit")
