"""The frame of streams: headers of any medium, checked chunks, and what becomes of damage."""

import itertools
import zlib
from dataclasses import dataclass, replace

import numpy as np
import pytest

from skae.coding import CODED, RAW, BitstreamError, Header, pack, unpack, varint


@dataclass(frozen=True)
class FilmHeader(Header):
    """That of a medium of three axes."""

    magic = b"FILM"
    version = 3
    dtypes = ("uint8", "float32")

    n_films: int
    n_frames: int
    n_lines: int
    length: int
    channels: int
    n_together: int = 1
    tile: int = 1
    n_frames_together: int = 1

    @property
    def shape(self):
        return self.n_films, self.n_frames, self.n_lines, self.length, self.channels

    @property
    def chunk_shape(self):
        return self.n_together, self.n_frames_together, self.tile, self.tile


HEADER = FilmHeader(CODED, "uint8", 0xFEDCBA98, 3, 5, 11, 13, 3, 2, 8, 2, number=71)
CHUNKS = [bytes([i]) * i for i in range(HEADER.n_chunks)]


def test_every_byte_of_the_header():
    expected = b"FILM" + bytes([3, 1, 0]) + bytes.fromhex("98badcfe")
    expected += bytes([3, 5, 11, 13, 3, 71, 2, 8, 2])
    expected += zlib.crc32(expected).to_bytes(4, "little")
    assert HEADER.to_bytes() == expected


def test_raw_header_has_no_layout():
    header = FilmHeader(RAW, "float32", 5, 3, 5, 11, 13, 3)
    values = bytes(4 * header.n_values)
    assert unpack(pack(header, [values]), FilmHeader) == (header, [values])
    assert header.n_chunks == 1
    assert header.n_values == 3 * 5 * 11 * 13 * 3


def test_checksums_run_on():
    stream = pack(HEADER, CHUNKS)
    plain = HEADER.to_bytes()[:-4]
    expected = HEADER.to_bytes()
    for chunk in CHUNKS:
        plain += varint(len(chunk)) + chunk
        expected += varint(len(chunk)) + chunk + zlib.crc32(plain).to_bytes(4, "little")
    assert stream == expected
    assert unpack(stream, FilmHeader) == (HEADER, CHUNKS)
    assert unpack(memoryview(stream), FilmHeader) == (HEADER, CHUNKS)


def test_places_are_the_whole():
    seen = np.zeros(HEADER.shape[:-1], int)
    places = list(HEADER.places())
    for place in places:
        seen[place] += 1
    assert len(places) == HEADER.n_chunks == 24
    np.testing.assert_array_equal(seen, 1)


# ------------------------------------------------------------------ damage


def test_every_single_bit_counts():
    stream = pack(HEADER, CHUNKS)
    for i in range(8 * len(stream)):
        damaged = bytearray(stream)
        damaged[i // 8] ^= 1 << i % 8
        with pytest.raises(BitstreamError):
            unpack(bytes(damaged), FilmHeader)


def test_every_cut_counts():
    stream = pack(HEADER, CHUNKS)
    for stop in range(len(stream)):
        with pytest.raises(BitstreamError):
            unpack(stream[:stop], FilmHeader)
    with pytest.raises(BitstreamError, match="2 bytes follow the last chunk"):
        unpack(stream + b"ab", FilmHeader)


def chunks_with_checksums(stream, chunks):
    parts, position = [], len(HEADER.to_bytes())
    for chunk in chunks:
        stop = position + len(varint(len(chunk)) + chunk) + 4
        parts.append(stream[position:stop])
        position = stop
    return parts


def test_chunks_stay_in_their_place():
    stream = pack(HEADER, chunks := [b"same", b"same"] * 12)
    start, parts = HEADER.to_bytes(), chunks_with_checksums(stream, chunks)
    for i, j in itertools.combinations(range(len(parts)), 2):
        swapped = parts.copy()
        swapped[i], swapped[j] = parts[j], parts[i]
        with pytest.raises(BitstreamError, match=f"chunk {i} of 24 is damaged"):
            unpack(start + b"".join(swapped), FilmHeader)


@pytest.mark.parametrize("changes", [{}, {"number": 70}, {"fingerprint": 1}])
def test_chunks_stay_in_their_stream(changes):
    other = replace(HEADER, **changes)
    others = [chunk[::-1] + b"!" for chunk in CHUNKS]
    parts = chunks_with_checksums(pack(HEADER, CHUNKS), CHUNKS)
    foreign = chunks_with_checksums(pack(other, others), others)
    for first in range(1 - bool(changes), len(parts)):
        for last in range(first, len(parts)):
            mixed = [*parts[:first], *foreign[first : last + 1], *parts[last + 1 :]]
            if first == 0 and last == len(parts) - 1 and not changes:
                continue
            with pytest.raises(BitstreamError, match="is damaged"):
                unpack(HEADER.to_bytes() + b"".join(mixed), FilmHeader)
