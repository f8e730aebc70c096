"""Sounds that are written and read while they go on."""

import zlib
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._settings import inference
from ..coding import CHECKSUM, CODED, END_SIZE, RAW, BitstreamError, Framing, read_varint
from ._audio_header import AudioHeader, n_frames_of
from ._audio_streams import AudioStreams
from ._signals import checked_signal

_LONGEST_HEADER = 128
_SHORTEST_CHUNK = 6  # bytes
_SEGMENTS_TOGETHER = 16


class AudioEncoder:
    """Write a sound piece by piece; :meth:`AudioCompressor.encoder` makes one.

    What :meth:`push` and :meth:`flush` return, joined, is the stream that
    :meth:`AudioCompressor.compress` writes of the whole sound, whatever the pieces are.

    Parameters
    ----------
    streams : AudioStreams
        What writes streams.
    number : int
        Number of the rounding step.
    """

    def __init__(self, streams: AudioStreams, number: int) -> None:
        self._streams, self._number = streams, number
        self._given: list[np.ndarray] = []  # until something is written
        self._waiting = torch.zeros(streams.hop_length, streams.n_channels)
        self._framing: Framing | None = None
        self._dtype: np.dtype | None = None
        self._n_samples = self._n_segments = 0
        self._is_open = True

    @inference()
    def push(self, samples: Any) -> bytes:
        """Take further samples.

        Parameters
        ----------
        samples : array-like of shape (n_samples,) or (n_samples, n_channels)
            Any number of them, of the same dtype as those before.

        Returns
        -------
        bytes
            What can be written by now; often nothing.
        """
        if not self._is_open:
            raise ValueError("the encoder was flushed; make another one for another sound")
        if not np.size(samples):
            return b""
        array = checked_signal(samples, "samples")
        array = array[:, None] if array.ndim == 1 else array
        streams = self._streams
        if array.shape[1] != streams.n_channels:
            raise ValueError(
                f"samples have {array.shape[1]} channels, but the model {streams.n_channels}"
            )
        if self._dtype not in (None, array.dtype):
            raise ValueError(f"samples have dtype {array.dtype}, those before {self._dtype}")
        scaled = streams.scaled(array)
        self._dtype = array.dtype
        self._n_samples += len(array)
        if self._framing is None:
            self._given.append(array)
        self._waiting = torch.cat([self._waiting, scaled])
        h, size = streams.hop_length, streams.n_frames
        written = b""
        while n := min((len(self._waiting) // h - 1) // size, _SEGMENTS_TOGETHER):
            written += self._started() + self._segments(self._waiting[: (n * size + 1) * h])
            self._waiting = self._waiting[n * size * h :].clone()
        return written

    @inference()
    def flush(self) -> bytes:
        """End the sound.

        Returns
        -------
        bytes
            The rest of the stream.
        """
        if not self._is_open:
            raise ValueError("the encoder was flushed before")
        if self._dtype is None:
            raise ValueError("no samples were pushed; a stream has at least one")
        self._is_open = False
        streams, h = self._streams, self._streams.hop_length
        is_short = self._framing is None
        n_frames = n_frames_of(self._n_samples, h) - self._n_segments * streams.n_frames
        written = self._started()
        if n_frames > 0:
            missing = (n_frames + 1) * h - len(self._waiting)
            written += self._segments(torch.nn.functional.pad(self._waiting, (0, 0, 0, missing)))
        assert self._framing is not None
        written += self._framing.end(self._n_samples)
        if is_short and len(written) > sum(array.nbytes for array in self._given):
            return streams.raw(self._header(), [np.concatenate(self._given)])
        return written

    def _header(self) -> AudioHeader:
        assert self._dtype is not None
        return self._streams.header(1, self._n_samples, self._dtype, self._number)

    def _started(self) -> bytes:
        """Return the header, when it is first called."""
        if self._framing is not None:
            return b""
        self._framing = Framing(self._header())
        return self._framing.start

    def _segments(self, x: Tensor) -> bytes:
        assert self._framing is not None
        chunks = self._streams.segments.write(x, self._number, self._n_segments)
        self._n_segments += len(chunks)
        return b"".join(map(self._framing.framed, chunks))


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

    Attributes
    ----------
    n_concealed_ : int
        How many segments were damaged or missing.
    """

    def __init__(self, streams: AudioStreams, is_flat: bool, errors: str = "raise") -> None:
        if errors not in ("raise", "conceal"):
            raise ValueError(f"errors={errors!r} must be 'raise' or 'conceal'")
        self._streams, self._is_flat, self._conceals = streams, is_flat, errors == "conceal"
        self._bytes = b""
        self._header: AudioHeader | None = None
        self._checksum = 0  # of all that was read
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
            If they are damaged, or of another model. Samples of segments before were returned.
        """
        self._bytes += bytes(stream)
        if self._is_open and (self._header is not None or self._read_header()):
            self._read_chunks()
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
        if self._is_open:
            if not self._conceals or self._header is None:
                raise BitstreamError(
                    f"the stream ends before its end, {len(self._bytes)} bytes "
                    "after the last whole segment"
                )
            self._end(None)
        elif self._bytes and not self._conceals:
            raise BitstreamError(f"{len(self._bytes)} bytes follow the end of the stream")
        return self._decoded(len(self._chunks))

    @property
    def _is_raw(self) -> bool:
        """Whether the stream holds the samples themselves, in a single chunk."""
        return self._header is not None and self._header.kind == RAW

    # ------------------------------------------------------------------ bytes

    def _read_header(self) -> bool:
        """Read the header, if all of it is there."""
        try:
            fixed, numbers, position = AudioHeader.start_of(self._bytes)
        except BitstreamError:
            if len(self._bytes) < _LONGEST_HEADER and not self._bytes[4:5].strip(b"\1"):
                return False
            raise
        if numbers["n_signals"] > 1:
            raise BitstreamError("the stream is a data set; decompress_dataset reads it")
        header = AudioHeader(*fixed, **{"n_samples": 1, **numbers})
        streams = self._streams
        if header.fingerprint not in (streams.fingerprint, *streams.former):
            raise BitstreamError(
                f"the stream was written by the model {header.fingerprint:08x}, this one is "
                f"{streams.fingerprint:08x}"
            )
        header.check()
        streams.check(header)
        if header.kind == CODED and header.chunk_shape != (1, streams.n_frames):
            raise BitstreamError(
                f"the header has chunks of the shape {header.chunk_shape}, but it must be "
                f"{(1, streams.n_frames)}"
            )
        self._header = header
        (self._checksum,) = CHECKSUM.unpack_from(self._bytes, position - CHECKSUM.size)
        self._bytes = self._bytes[position:]
        return True

    def _read_chunks(self) -> None:
        """Take all whole chunks from the bytes."""
        position = 0
        while self._is_open and (found := self._next(position)) is not None:
            start, body, stop = found
            n_lost = (start - position) // _SHORTEST_CHUNK + 1 if start > position else 0
            position = stop + CHECKSUM.size
            (self._checksum,) = CHECKSUM.unpack_from(self._bytes, stop)
            if body == start:
                self._end(int.from_bytes(self._bytes[start + 1 : stop], "little"), n_lost)
                continue
            chunk = self._bytes[body:stop]
            if not self._is_raw:
                expected = self._n_decoded + len(self._chunks)
                self._chunks += [None] * min((chunk[0] - expected) % 256, n_lost)
            self._chunks.append(chunk)
            if self._is_raw:
                self._end(None)
        self._bytes = self._bytes[position:]

    def _next(self, position: int) -> tuple[int, int, int] | None:
        """Return where the next part begins, its content begins, and it ends; None to wait."""
        found = self._part(position)
        if found is not None and self._checksum_of(found, self._checksum) == self._stored(found):
            return found
        if not self._conceals:
            if found is None:
                return None
            number = self._n_decoded + len(self._chunks)
            raise BitstreamError(f"segment {number} is damaged: its checksum does not fit")
        if found is not None:
            # If the part behind goes on from what the checksum should be, nothing else is wrong.
            after, checksum = found[2] + CHECKSUM.size, self._checksum_of(found, self._checksum)
            other = self._part(after)
            if other is not None and self._checksum_of(other, checksum) == self._stored(other):
                stop = found[2]
                self._bytes = self._bytes[:stop] + CHECKSUM.pack(checksum) + self._bytes[after:]
                return found
        for start in range(position + 1 + CHECKSUM.size, len(self._bytes)):
            found = self._part(start)
            if found is not None:
                (before,) = CHECKSUM.unpack_from(self._bytes, start - CHECKSUM.size)
                if self._checksum_of(found, before) == self._stored(found):
                    return found
        return None

    def _part(self, start: int) -> tuple[int, int, int] | None:
        """Return start, start of the content, and end of a part, if all of it may be there."""
        try:
            length, body = read_varint(self._bytes, start)
        except BitstreamError:
            return None
        if not length:
            body, length = start, END_SIZE - CHECKSUM.size
        stop = body + length
        return (start, body, stop) if stop + CHECKSUM.size <= len(self._bytes) else None

    def _checksum_of(self, part: tuple[int, int, int], before: int) -> int:
        return zlib.crc32(self._bytes[part[0] : part[2]], before)

    def _stored(self, part: tuple[int, int, int]) -> int:
        return CHECKSUM.unpack_from(self._bytes, part[2])[0]

    def _end(self, n_samples: int | None, n_lost: int = 0) -> None:
        """Take note of the length; without one, it is that of the segments that are there."""
        streams, header = self._streams, self._header
        assert header is not None
        self._is_open = False
        known = self._n_decoded + len(self._chunks)
        if self._is_raw:
            width = np.dtype(header.dtype).itemsize * header.n_channels
            if len(self._chunks[0]) != header.n_samples * width:
                raise BitstreamError(
                    f"{len(self._chunks[0])} bytes of raw data, but {header.n_samples} samples"
                )
            return
        h, size = streams.hop_length, streams.n_frames
        if n_samples is None:
            n_samples = max(known * size - 1, 0) * h
        n_segments = -(-n_frames_of(n_samples, h) // size)
        if n_samples and n_segments != known:
            if not self._conceals or not known < n_segments <= known + n_lost:
                raise BitstreamError(f"{known} segments can't hold {n_samples} samples")
            self._chunks += [None] * (n_segments - known)
        self._n_samples = n_samples

    # ------------------------------------------------------------------ samples

    def _decoded(self, n_chunks: int) -> np.ndarray:
        """Return the samples of the next chunks."""
        parts, header = [], self._header
        if header is not None and self._is_raw:
            little = np.dtype(header.dtype).newbyteorder("<")
            raw = [np.frombuffer(chunk, little) for chunk in self._chunks]
            self._chunks = []
            parts = [each.reshape(-1, header.n_channels).astype(header.dtype) for each in raw]
        elif header is not None:
            for start in range(0, max(n_chunks, 0), _SEGMENTS_TOGETHER):
                n = min(_SEGMENTS_TOGETHER, n_chunks - start)
                parts += [self._joined(x) for x in self._segments(n)]
        channels = self._streams.n_channels
        dtype = np.dtype("float32" if header is None else header.dtype)
        samples = np.concatenate(parts) if parts else np.empty((0, channels), dtype)
        return samples[:, 0] if self._is_flat else samples

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
            parts = streams.segments.read(header, chunks, numbers)
        else:
            parts = [self._or_silence(header, chunks, i) for i in numbers]
        del self._chunks[:n]
        return parts

    def _or_silence(self, header: AudioHeader, chunks: dict[int, Any], number: int) -> Tensor:
        streams = self._streams
        try:
            if chunks[number] is not None:
                (x,) = streams.segments.read(header, chunks, range(number, number + 1))
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
