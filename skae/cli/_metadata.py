"""Streams with EXIF data and a color profile before them, as ``--metadata`` writes them.

The format is described in ``docs/formats/metadata.rst``.
"""

import struct
import zlib
from typing import NamedTuple

from ._outcomes import CommandError

_MAGIC, _VERSION = b"\x89SKM", 1
_HEAD, _CHECKSUM = struct.Struct("<4sBII"), struct.Struct("<I")
_MOST = 2**24  # bytes of each part


class Contents(NamedTuple):
    """What is in a file of the command: a stream, and what goes with it."""

    stream: bytes
    exif: bytes = b""
    profile: bytes = b""


def packed(contents: Contents) -> bytes:
    """Return the bytes of a file; without metadata it is the stream."""
    stream, *parts = contents
    if not any(parts):
        return stream
    if (size := max(map(len, parts))) > _MOST:
        raise CommandError(f"its metadata have {size:,} bytes, at most {_MOST:,} can be kept")
    front = b"".join([_HEAD.pack(_MAGIC, _VERSION, *map(len, parts)), *parts])
    return front + _CHECKSUM.pack(zlib.crc32(front)) + stream


def unpacked(content: bytes) -> Contents:
    """Return what is in a file, or raise CommandError if its metadata are damaged."""
    if content[:4] != _MAGIC:
        return Contents(content)
    if len(content) < _HEAD.size:
        raise CommandError("it ends before its metadata")
    _, version, n_exif, n_profile = _HEAD.unpack_from(content)
    if version != _VERSION:
        raise CommandError(f"its metadata are of version {version}, which is not known")
    middle, end = _HEAD.size + n_exif, _HEAD.size + n_exif + n_profile
    if max(n_exif, n_profile) > _MOST or len(content) < end + _CHECKSUM.size:
        raise CommandError("its metadata are damaged: they end behind the end of the file")
    if _CHECKSUM.unpack_from(content, end) != (zlib.crc32(content[:end]),):
        raise CommandError("its metadata are damaged: their checksum does not fit")
    stream = content[end + _CHECKSUM.size :]
    return Contents(stream, content[_HEAD.size : middle], content[middle:end])
