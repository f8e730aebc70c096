"""Sounds that are read while they go on, and may be damaged."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._settings import inference
from ..coding import CODED, RAW, BitstreamError, Parts
from ..coding._container import checksum_at, end_of
from ._audio_header import AudioHeader, n_frames_of
from ._audio_streams import AudioStreams
from ._clip_streams import ClipsHeader
from ._segments import SEGMENTS_TOGETHER

_LONGEST_HEADER = 128
_BYTES_PER_NUMBER = 8  # at most: those of a table's least frequency, and an escape
_N_NUMBERED, _MOST_MISSING = 256, 127
_SET = "the stream is a data set; decompress_dataset reads it"


class AudioDecoder:
    """Read a sound piece by piece; :meth:`AudioCompressor.decoder` makes one.

    A segment is read when the next one has begun, or the stream ended.

    Parameters
    ----------
    streams : AudioStreams
        What reads streams.
    is_flat : bool
        Whether samples are given back without an axis for the channels.
    errors : {"raise", "conceal"}, default="raise"
        What becomes of segments that are damaged: an error, or silence.
    max_values : int or None, default=None
        How many bytes the samples may have; None for any number.
    realism : float, default=0.0
        How much the model draws, from 0 to 1.

    Attributes
    ----------
    n_concealed_ : int
        How many segments were damaged or missing.
    """

    def __init__(
        self,
        streams: AudioStreams,
        is_flat: bool,
        errors: str = "raise",
        max_values: int | None = None,
        realism: float = 0.0,
    ) -> None:
        if errors not in ("raise", "conceal"):
            raise ValueError(f"errors={errors!r} must be 'raise' or 'conceal'")
        self._streams, self._is_flat, self._conceals = streams, is_flat, errors == "conceal"
        self._max_values, self._realism = max_values, realism
        self._start = b""  # until the header is there
        self._header: AudioHeader | None = None
        self._parts = Parts(0, 0, False)
        self._chunks: list[Any] = []  # that are not decoded yet; None for one that is lost
        self._n_decoded, self._n_samples = 0, 0
        self._tail: Tensor | None = None
        self._is_open = True
        self.n_concealed_ = 0

    @inference()
    def push(self, stream: bytes | memoryview) -> np.ndarray:
        """Take further bytes.

        Parameters
        ----------
        stream : bytes, memoryview or another buffer
            Any number of them.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_channels)
            Samples that are known by now.

        Raises
        ------
        BitstreamError
            If they are damaged, or of another model.
        """
        some = bytes(memoryview(stream))
        if self._header is None:
            self._start += some
            some = self._read_header()
        self._parts.push(some)
        self._read_parts()
        return self._decoded(len(self._chunks) - self._is_open)

    @inference()
    def flush(self) -> np.ndarray:
        """End the stream.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_channels)
            The rest of the samples.

        Raises
        ------
        BitstreamError
            If the stream is not at its end, unless errors are concealed.
        """
        if self._header is None:
            raise BitstreamError(f"the stream ends in its header, at byte {len(self._start)}")
        self._read_parts(is_last=True)
        if self._is_open:
            if not self._conceals:
                raise BitstreamError(
                    f"the stream ends before its end, {len(self._parts)} bytes after the last "
                    "whole segment"
                )
            self._end_early()
        elif len(self._parts) and not self._conceals:
            raise BitstreamError(f"{len(self._parts)} bytes follow the end of the stream")
        return self._decoded(len(self._chunks))

    # ------------------------------------------------------------------ bytes

    def _read_header(self) -> bytes:
        """Read the header, if all of it is there, and return what follows it."""
        magic = AudioHeader.magic
        if self._start.startswith(ClipsHeader.magic):
            raise BitstreamError(_SET)
        try:
            fixed, numbers, position = AudioHeader.start_of(self._start)
        except BitstreamError:
            may_go_on = magic.startswith(self._start[: len(magic)])
            if may_go_on and len(self._start) < _LONGEST_HEADER:
                return b""
            raise
        if numbers["n_signals"] > 1:
            raise BitstreamError(_SET)
        header = AudioHeader(*fixed, **{"n_samples": 1, **numbers})
        streams = self._streams
        header.check()
        streams.check_model(header)
        if header.kind == CODED and header.chunk_shape != (1, streams.n_frames):
            raise BitstreamError(
                f"the header has chunks of the shape {header.chunk_shape}, but it must be "
                f"{(1, streams.n_frames)}"
            )
        self._header = header
        longest = _BYTES_PER_NUMBER * streams.n_frames * streams.network.n_columns
        self._parts = Parts(checksum_at(self._start, position), longest, self._conceals)
        return self._start[position:]

    def _read_parts(self, is_last: bool = False) -> None:
        """Take all whole parts from the bytes."""
        if self._is_raw:
            return self._read_raw(is_last)
        while self._is_open and (part := self._parts.next(is_last)) is not None:
            content, is_end = part
            if is_end:
                self._end(*end_of(content, 0))
            else:
                self._take(content)

    def _read_raw(self, is_last: bool) -> None:
        """Take the samples themselves, if all of them are there, or no more will come."""
        header = self._header
        assert header is not None
        n_bytes = header.n_samples * self._width
        if not self._is_open or not (found := self._parts.bare(n_bytes, is_last)):
            return
        is_right, content = found
        if not is_right and not self._conceals:
            raise BitstreamError("the samples are damaged: their checksum does not fit")
        self._n_samples = len(content) // self._width
        self.n_concealed_ = int(not is_right)
        self._chunks = [content if is_right else bytes(self._n_samples * self._width)]
        self._is_open = False

    def _take(self, chunk: bytes) -> None:
        """Take a chunk; its number tells how many are missing before it."""
        ahead = (chunk[0] - self._n_decoded - len(self._chunks)) % _N_NUMBERED
        if self._conceals:
            if ahead > _MOST_MISSING:
                return  # it came twice, or late
            self._chunks += [None] * ahead
        self._chunks.append(chunk)

    def _end(self, n_samples: int, checksum: int) -> None:
        """Take note of the length."""
        streams, known = self._streams, self._n_decoded + len(self._chunks)
        n_segments = -(-n_frames_of(n_samples, streams.hop_length) // streams.n_frames)
        n_missing = n_segments - known
        if not self._conceals and checksum != self._parts.checksum:
            raise BitstreamError("its segments are not those that its end was written for")
        if not n_samples or not 0 <= n_missing <= _MOST_MISSING * self._conceals:
            raise BitstreamError(f"{known} segments can't hold {n_samples} samples")
        self._chunks += [None] * n_missing
        self._n_samples, self._is_open = n_samples, False

    def _end_early(self) -> None:
        """Take the length from what is there."""
        known, streams = self._n_decoded + len(self._chunks), self._streams
        self._n_samples = max(known * streams.n_frames - 1, 0) * streams.hop_length
        self._is_open = False

    @property
    def _is_raw(self) -> bool:
        """Whether the stream holds the samples themselves, in a single chunk."""
        return self._header is not None and self._header.kind == RAW

    @property
    def _width(self) -> int:
        """Number of bytes of the samples of all channels."""
        assert self._header is not None
        return np.dtype(self._header.dtype).itemsize * self._header.n_channels

    # ------------------------------------------------------------------ samples

    def _decoded(self, n_chunks: int) -> np.ndarray:
        """Return the samples of the next chunks."""
        parts, header = [], self._header
        self._check_size(n_chunks)
        if header is not None and self._is_raw:
            little = np.dtype(header.dtype).newbyteorder("<")
            raw = [np.frombuffer(chunk, little) for chunk in self._chunks]
            self._chunks = []
            parts = [each.reshape(-1, header.n_channels).astype(header.dtype) for each in raw]
        elif header is not None:
            for start in range(0, max(n_chunks, 0), SEGMENTS_TOGETHER):
                n = min(SEGMENTS_TOGETHER, n_chunks - start)
                parts += [self._joined(x) for x in self._segments(n)]
        channels = self._streams.n_channels
        dtype = np.dtype("float32" if header is None else header.dtype)
        samples = np.concatenate(parts) if parts else np.empty((0, channels), dtype)
        return samples[:, 0] if self._is_flat else samples

    def _check_size(self, n_chunks: int) -> None:
        if self._header is None or self._max_values is None:
            return
        n_samples = self._n_samples
        if self._is_open:
            n_frames = (self._n_decoded + n_chunks) * self._streams.n_frames
            n_samples = n_frames * self._streams.hop_length
        n_bytes = n_samples * self._width
        if n_bytes > self._max_values and n_chunks > 0:
            raise BitstreamError(
                f"the result has {n_bytes} bytes, more than max_values={self._max_values}"
            )

    def _segments(self, n: int) -> list[Tensor]:
        """Return what the network says the next segments are."""
        assert self._header is not None
        streams, first = self._streams, self._n_decoded
        h, size = streams.hop_length, streams.n_frames
        # All segments are complete, as long as the end is not there.
        n_samples = (first + n + 1) * size * h if self._is_open else self._n_samples
        header = replace(self._header, n_samples=n_samples)
        numbers = range(first, first + n)
        chunks = dict(zip(numbers, self._chunks, strict=False))
        if not self._conceals:
            parts = streams.segments.read(header, chunks, numbers, realism=self._realism)
        else:
            parts = [self._or_silence(header, chunks, i) for i in numbers]
        del self._chunks[:n]
        return parts

    def _or_silence(self, header: AudioHeader, chunks: dict[int, Any], number: int) -> Tensor:
        streams = self._streams
        try:
            if chunks[number] is not None:
                numbers = range(number, number + 1)
                (x,) = streams.segments.read(header, chunks, numbers, realism=self._realism)
                streams.unscaled(x, np.dtype(header.dtype))
                return x
        except BitstreamError:
            pass
        self.n_concealed_ += 1
        n_frames = min(streams.n_frames, header.all_frames - number * streams.n_frames)
        return torch.zeros(1, (n_frames + 1) * streams.hop_length, streams.n_channels)

    def _joined(self, x: Tensor) -> np.ndarray:
        """Return the samples that are complete with a segment."""
        assert self._header is not None
        h, size = self._streams.hop_length, self._streams.n_frames
        if self._tail is not None:
            x[:, :h] += self._tail
        self._tail = x[:, -h:].clone()
        start = max(self._n_decoded * size - 1, 0) * h
        complete = x[0, h if self._n_decoded == 0 else 0 : -h]
        self._n_decoded += 1
        if not self._is_open:
            complete = complete[: max(self._n_samples - start, 0)]
        return self._streams.unscaled(complete, np.dtype(self._header.dtype))
