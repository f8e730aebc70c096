"""Sounds of unequal lengths as one stream: one sound in which they follow each other."""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..coding import CODED, MAX_VALUES, RAW, BitstreamError, Chunks, varint
from ..coding._container import CHECKSUM, checksum_at
from ..coding._selection import wanted_of
from ..coding._varints import read_varint
from ._audio_header import AudioHeader, inspect_audio
from ._audio_streams import AudioStreams, span_of
from ._signals import full_scale

_START = struct.Struct("<4sB")
_VERSION = 1
_SAMPLES_TOGETHER, _MOST_TOGETHER = 2**21, 256
_NO_LIMIT = 2**60


@dataclass(frozen=True)
class ClipsHeader:
    """What is known of sounds of unequal lengths before any of them is decoded.

    Parameters
    ----------
    joined : AudioHeader
        Of the sound in which they follow each other.
    lengths : tuple of int
        How many samples each of them has.
    """

    joined: AudioHeader
    lengths: tuple[int, ...]

    magic = b"\x89SKC"

    @property
    def kind(self) -> int:
        """``RAW`` or ``CODED``."""
        return self.joined.kind

    @property
    def dtype(self) -> str:
        """Type of the samples."""
        return self.joined.dtype

    @property
    def shape(self) -> tuple[int, None, int]:
        """Number of sounds, None for their lengths, number of channels."""
        return len(self.lengths), None, self.joined.n_channels

    @property
    def chunk_shape(self) -> tuple[int, int]:
        """How many sounds are decoded together, and the number of frames of a segment."""
        longest = max(self.lengths) + 2 * self.joined.hop_length
        most = _SAMPLES_TOGETHER // (longest * self.joined.n_channels)
        return min(_MOST_TOGETHER, max(1, most)), self.joined.n_frames

    @cached_property
    def starts(self) -> np.ndarray:
        """Where each of them starts in the sound that is coded, and where one more would."""
        lengths = np.array(self.lengths, dtype=np.int64)
        if self.kind == CODED:
            hop = self.joined.hop_length
            lengths = (-(-lengths // hop) + 1) * hop
        return np.concatenate([[0], lengths.cumsum()])


class ClipStreams(AudioStreams):
    """Streams of sounds, also of unequal lengths.

    Those are coded as one sound, with a hop of silence between them, so that no frame holds two.
    """

    def write(
        self, arrays: Sequence[np.ndarray], number: int, chunk_size: int | None = None
    ) -> bytes:
        if len({len(array) for array in arrays}) == 1:
            return super().write(arrays, number, chunk_size)
        if chunk_size is not None:
            raise ValueError(
                f"chunk_size={chunk_size} is for signals of one length, but X has several; these "
                "are cut into segments of segment_duration, leave out chunk_size"
            )
        h, dtype = self.hop_length, arrays[0].dtype
        # The last one needs no silence behind it.
        lengths = [(-(-len(array) // h) + 1) * h for array in arrays[:-1]] + [len(arrays[-1])]
        # Between them is what the network sees as silence.
        joined = np.empty((sum(lengths), self.n_channels), dtype)
        joined[:] = (self.offset * full_scale(dtype)).astype(dtype)
        for start, array in zip(np.cumsum([0, *lengths]), arrays, strict=False):
            joined[start : start + len(array)] = array
        stream = super().write([joined], number)
        if stream[5] == RAW or len(stream) > sum(array.nbytes for array in arrays):
            whole = np.concatenate(arrays)
            stream = self.raw(self.header(1, len(whole), dtype, number), [whole])
        sizes = [len(arrays), *map(len, arrays)]
        start = _START.pack(ClipsHeader.magic, _VERSION) + b"".join(map(varint, sizes))
        return start + CHECKSUM.pack(_checksum(start, stream)) + stream

    def opened(self, stream: bytes | memoryview) -> tuple[Any, Chunks]:
        if bytes(stream[: len(ClipsHeader.magic)]) != ClipsHeader.magic:
            return super().opened(stream)
        lengths, sound = _split(stream)
        joined, chunks = super().opened(sound)
        return _checked(joined, lengths), chunks

    def decoded(
        self,
        header: Any,
        chunks: Chunks,
        max_values: int = MAX_VALUES,
        *,
        indices: Any = None,
        realism: float = 0.0,
        region: Any = None,
        n_before: int = 0,
    ) -> Any:
        if not isinstance(header, ClipsHeader):
            params = {"indices": indices, "realism": realism, "region": region}
            return super().decoded(header, chunks, max_values, n_before=n_before, **params)
        wanted = np.asarray(wanted_of(indices, len(header.lengths))).tolist()
        spans = {i: span_of(region, header.lengths[i]) for i in wanted}
        width = np.dtype(header.dtype).itemsize * header.joined.n_channels
        n_bytes = n_before + width * sum(spans[i][1] - spans[i][0] for i in wanted)
        if n_bytes > max_values:
            raise BitstreamError(f"the result has {n_bytes} bytes, more than {max_values=}")
        found = {}
        for run in _runs(header, sorted(spans)):
            places = {i: [int(header.starts[i]) + place for place in spans[i]] for i in run}
            part = slice(places[run[0]][0], places[run[-1]][1])
            (x,) = super().decoded(header.joined, chunks, _NO_LIMIT, realism=realism, region=part)
            for i, (start, stop) in places.items():
                found[i] = x[start - part.start : stop - part.start].copy()
        return [found[i] for i in wanted]


def _runs(header: ClipsHeader, wanted: Sequence[int]) -> Iterator[list[int]]:
    """Yield the numbers of sounds that follow each other, few enough to be decoded at once."""
    run: list[int] = []
    for i in wanted:
        if run and (
            i > run[-1] + 1 or header.starts[i + 1] - header.starts[run[0]] > _SAMPLES_TOGETHER
        ):
            yield run
            run = []
        run.append(i)
    if run:
        yield run


def _split(stream: bytes | memoryview) -> tuple[tuple[int, ...], memoryview]:
    """Return the lengths of sounds, and the stream of the one that they were joined to."""
    view = memoryview(stream).cast("B")
    if len(view) < _START.size:
        raise BitstreamError(f"the stream ends in its header, at byte {len(view)}")
    _, version = _START.unpack_from(view)
    if version != _VERSION:
        raise BitstreamError(f"version {version} is not known; this program reads {_VERSION}")
    n_signals, position = read_varint(view, _START.size)
    if not 0 < n_signals <= len(view):
        raise BitstreamError(f"{n_signals} signals don't fit into {len(view)} bytes")
    lengths = []
    for _ in range(n_signals):
        length, position = read_varint(view, position)
        lengths.append(length)
    sound = view[position + CHECKSUM.size :]
    if len(sound) < CHECKSUM.size:
        raise BitstreamError(f"the stream ends at byte {len(view)}, before its sound")
    if _checksum(view[:position], sound) != checksum_at(view, position + CHECKSUM.size):
        raise BitstreamError(f"the header is damaged: the checksum at byte {position} does not fit")
    return tuple(lengths), sound


def _checksum(start: bytes | memoryview, sound: bytes | memoryview) -> int:
    """Return a checksum of lengths that also tells which sound they are those of."""
    return zlib.crc32(sound[-CHECKSUM.size :], zlib.crc32(start))


def _checked(joined: AudioHeader, lengths: tuple[int, ...]) -> ClipsHeader:
    """Return the header, or raise BitstreamError if there is no such one."""
    header = ClipsHeader(joined, lengths)
    are_small = sum(lengths) + len(lengths) * joined.hop_length < _NO_LIMIT
    n_samples = int(header.starts[-2]) + lengths[-1] if are_small else 0
    if joined.n_signals > 1 or not all(lengths) or n_samples != joined.n_samples:
        raise BitstreamError(
            f"{len(lengths)} sounds of {sum(lengths)} samples can't lie in {joined.n_signals} of "
            f"{joined.n_samples}"
        )
    return header


def inspect_clips(stream: bytes | memoryview) -> dict[str, Any]:
    """Return what a stream of sounds of unequal lengths holds; see :func:`inspect_stream`."""
    lengths, sound = _split(stream)
    found = inspect_audio(sound)
    seconds = [length / found["sample_rate"] for length in lengths]
    kbps = memoryview(stream).nbytes / 125 / sum(seconds)
    return {
        **found,
        "n_signals": len(lengths),
        "n_samples": list(lengths),
        "seconds": seconds,
        "kbps": kbps,
    }
