"""Sounds and other sampled signals as streams and back."""

import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._settings import inference
from ..coding import (
    CODED,
    MAX_VALUES,
    RAW,
    BaseStreams,
    BitstreamError,
    Chunks,
    Codec,
    pack,
    varint,
)
from ..coding._selection import wanted_of
from ._audio_header import PER_HERTZ, AudioHeader, n_frames_of
from ._segments import SEGMENTS_TOGETHER, Segments, numbered
from ._signals import full_scale, scaled

_SAMPLES_TOGETHER, _MOST_TOGETHER = 2**21, 256


def in_hops(x: Tensor, hop_length: int) -> Tensor:
    """Return a signal of shape (n_samples, n_channels) in whole hops, with one of zeros around."""
    missing = n_frames_of(len(x), hop_length) * hop_length - len(x)
    return torch.nn.functional.pad(x, (0, 0, hop_length, missing))


class AudioStreams(BaseStreams):
    """Write sounds of one kind as streams, and read them.

    A single sound is cut into segments of frames that are coded one by one, and several sounds into
    groups that share a code.

    Parameters
    ----------
    codec : Codec
        Turns coefficients into bytes; its network is a SpectralCodecNetwork.
    offset : ndarray of shape (n_channels,)
        What the network sees as 0, in shares of the full scale.
    scale : float
        What it sees as 1.
    sample_rate : float
        In hertz.
    n_frames : int
        Number of frames of a segment.
    fingerprint : int or None, default=None
        That of the model; None computes it.
    former : tuple of int, default=()
        Fingerprints that the model had in earlier versions, whose streams are read, too.
    """

    header_type = AudioHeader

    def __init__(
        self,
        codec: Codec,
        offset: np.ndarray,
        scale: float,
        sample_rate: float,
        n_frames: int,
        fingerprint: int | None = None,
        former: tuple[int, ...] = (),
    ) -> None:
        offset = np.asarray(offset, np.float64)
        self.network: Any = codec.network
        network = self.network
        self.hop_length, self.n_channels = network.hop_length, network.n_channels
        self.millihertz = round(sample_rate * PER_HERTZ)
        if fingerprint is None:
            sizes = self.hop_length, self.n_channels, self.millihertz, network.envelope.n_frames
            numbers = [scale, *offset.tolist(), *network.constants]
            medium = struct.pack(f"<{len(numbers)}d", *numbers) + b"".join(map(varint, sizes))
            fingerprint = codec.fingerprint(medium)
        super().__init__(codec, fingerprint, former)
        self.offset, self.scale, self.n_frames = offset, scale, n_frames
        self.segments = Segments(codec, n_frames)

    def layouts(self, shape: tuple[int, ...]) -> list[dict[str, Any]]:
        """Return how sounds may be cut into chunks.

        Parameters
        ----------
        shape : tuple of three ints
            Numbers of sounds, of samples and of channels.

        Returns
        -------
        list of dict
            Whole sounds together, first if there are several, and segments of a single one.
        """
        n_signals, n_samples, n_channels = shape
        all_frames = n_frames_of(n_samples, self.hop_length)
        size = all_frames * self.hop_length * n_channels
        most = min(n_signals, _MOST_TOGETHER, _SAMPLES_TOGETHER // size)
        segments = {"n_together": 1, "n_frames": self.n_frames}
        if n_signals == 1 or not most:
            return [segments]
        return [{"n_together": most, "n_frames": all_frames}]

    def check(self, header: AudioHeader) -> None:
        """Make sure that sounds are of the kind that the model was fitted to.

        Parameters
        ----------
        header : AudioHeader
            Their header.

        Raises
        ------
        BitstreamError
            If they have another number of channels, another rate or other frames.
        """
        for name, found, expected in (
            ("channels", header.n_channels, self.n_channels),
            ("samples per 1,000 seconds", header.millihertz, self.millihertz),
            ("samples in a hop", header.hop_length, 1 if header.kind == RAW else self.hop_length),
        ):
            if found != expected:
                raise BitstreamError(f"the header has {found} {name}, the model {expected}")

    def header(self, n_signals: int, n_samples: int, dtype: np.dtype, number: int) -> AudioHeader:
        """Return the header of sounds that are to be coded."""
        layout = self.layouts((n_signals, n_samples, self.n_channels))[0]
        sizes = (n_signals, n_samples, self.n_channels, self.millihertz)
        coded = {"number": number, "hop_length": self.hop_length, **layout}
        return AudioHeader(CODED, dtype.name, self.fingerprint, *sizes, **coded)

    # ------------------------------------------------------------------ samples

    def scaled(self, array: np.ndarray) -> Tensor:
        """Return samples as the network sees them.

        Parameters
        ----------
        array : ndarray of shape (n_samples, n_channels)
            Samples.

        Returns
        -------
        Tensor of the same shape
            In float32.
        """
        return scaled(array, self.offset, self.scale)

    def unscaled(self, x: Tensor, dtype: np.dtype) -> np.ndarray:
        """Return samples of what the network gives.

        Parameters
        ----------
        x : Tensor of shape (..., n_channels)
            What the network sees.
        dtype : dtype
            Of the result.

        Returns
        -------
        ndarray of the same shape
            Samples; whole numbers are rounded, and as great at most as the dtype allows.

        Raises
        ------
        BitstreamError
            If they are not finite.
        """
        values = (x.double().numpy() * self.scale + self.offset) * full_scale(dtype)
        if not np.isfinite(values).all():
            raise BitstreamError("its numbers are out of range")
        if dtype.kind == "i":
            limits = np.iinfo(dtype)
            values = values.round().clip(limits.min, limits.max)
        return values.astype(dtype)

    def coefficients(self, arrays: Sequence[np.ndarray]) -> Tensor:
        """Return the coefficients of sounds.

        Parameters
        ----------
        arrays : sequence of ndarray of shape (n_samples, n_channels)
            Sounds of one length.

        Returns
        -------
        Tensor of shape (n_signals, n_frames, n_columns, 1)
            Coefficients.
        """
        h = self.hop_length
        return torch.cat(
            [self.network.coefficients(in_hops(self.scaled(a), h)[None]) for a in arrays]
        )

    # ------------------------------------------------------------------ writing

    @inference()
    def write(
        self, arrays: Sequence[np.ndarray], number: int, chunk_size: int | None = None
    ) -> bytes:
        n_samples = len(arrays[0])
        header = self.header(len(arrays), n_samples, arrays[0].dtype, number)
        if header.n_frames < header.all_frames or len(arrays) == 1:
            chunks = self._segments(arrays, number)
        else:
            size = min(header.n_together, chunk_size or header.n_together)
            header = replace(header, n_together=size)
            chunks = (
                numbered(
                    self.codec.encode(self.coefficients(arrays[start : start + size]), number),
                    start // size,
                )
                for start in range(0, len(arrays), size)
            )
        stream = pack(header, chunks)
        if len(stream) <= sum(array.nbytes for array in arrays):
            return stream
        return self.raw(header, arrays)

    def raw(self, header: AudioHeader, arrays: Sequence[np.ndarray]) -> bytes:
        """Return the stream that holds the samples themselves."""
        little = arrays[0].dtype.newbyteorder("<")
        samples = b"".join(a.astype(little, copy=False).tobytes() for a in arrays)
        return pack(replace(header, kind=RAW, hop_length=1), [samples])

    def _segments(self, arrays: Sequence[np.ndarray], number: int) -> Iterator[bytes]:
        """Yield the chunks of sounds, one after the other."""
        h, n, before = self.hop_length, self.n_frames, 0
        for array in arrays:
            n_samples, all_frames = len(array), n_frames_of(len(array), h)
            for first in range(0, all_frames, n * SEGMENTS_TOGETHER):
                last = min(first + n * SEGMENTS_TOGETHER, all_frames)
                start, stop = max(first - 1, 0) * h, last * h
                x = self.scaled(array[start : min(stop, n_samples)])
                x = torch.nn.functional.pad(x, (0, 0, h * (first == 0), max(stop - n_samples, 0)))
                yield from self.segments.write(x, number, before + first // n)
            before += -(-all_frames // n)

    @inference()
    def costs(self, arrays: Sequence[np.ndarray], number: int) -> tuple[np.ndarray, np.ndarray]:
        n_bits, squares = np.zeros((2, len(arrays)))
        first = self.network.contexts.first_bin
        for i, array in enumerate(arrays):
            for y in self.coefficients([array]).split(self.n_frames, 1):
                decoded, lengths = self.codec.cost(y, number)
                errors = (decoded - y)[:, :, first:].double()
                n_bits[i] += 0 if self.network.is_silent(y) else lengths[0]
                squares[i] += float(errors.square().sum())
        return n_bits, squares

    # ------------------------------------------------------------------ reading

    @inference()
    def decoded(
        self,
        header: AudioHeader,
        chunks: Chunks,
        max_values: int = MAX_VALUES,
        *,
        indices: Any = None,
        realism: float = 0.0,
        region: Any = None,
        n_before: int = 0,
    ) -> np.ndarray:
        wanted, dtype = np.asarray(wanted_of(indices, header.n_signals)), np.dtype(header.dtype)
        start, stop = span_of(region, header.n_samples)
        shape = len(wanted), stop - start, header.n_channels
        if (n_bytes := n_before + math.prod(shape) * dtype.itemsize) > max_values:
            raise BitstreamError(f"the result has {n_bytes} bytes, more than {max_values=}")
        if header.kind == RAW:
            raw = np.frombuffer(chunks[0], dtype.newbyteorder("<")).reshape(header.shape)
            return raw[wanted, start:stop].astype(dtype)
        result = np.empty(shape, dtype)
        groups = np.unique(wanted // header.n_together)
        for group in groups.tolist():
            here = np.flatnonzero(wanted // header.n_together == group)
            which = wanted[here] - group * header.n_together
            for at, x in self._parts(header, chunks, group, (start, stop), realism):
                result[here, at] = self.unscaled(x[which], dtype)
        return result

    def _parts(
        self,
        header: AudioHeader,
        chunks: Chunks,
        group: int,
        span: tuple[int, int],
        realism: float,
    ) -> Iterator[tuple[slice, Tensor]]:
        """Yield where samples of sounds lie in a result, and what the network says they are."""
        h, size, (start, stop) = self.hop_length, header.n_frames, span
        n_signals = min(header.n_together, header.n_signals - group * header.n_together)
        # The frames that hold the first and the last sample.
        segments = range(start // h // size, ((stop - 1) // h + 1) // size + 1)
        tail: Tensor | None = None
        for s in range(segments.start, segments.stop, SEGMENTS_TOGETHER):
            some = range(s, min(s + SEGMENTS_TOGETHER, segments.stop))
            before = group * header.grid[1]
            parts = self.segments.read(header, chunks, some, before, n_signals, realism)
            for i, x in zip(some, parts, strict=True):
                if tail is not None:
                    x[:, :h] += tail
                tail = x[:, -h:].clone()
                # Only the end of the sound is complete without what follows.
                at = i * size * h - h
                low = max(start, at)
                high = min(stop, at + x.shape[1] - h)
                if low < high:
                    yield slice(low - start, high - start), x[:, low - at : high - at]


def span_of(region: Any, n_samples: int) -> tuple[int, int]:
    """Return start and stop of the part of a sound that is asked for.

    Parameters
    ----------
    region : slice or None
        What was asked for; None for all.
    n_samples : int
        Length of the sound.

    Returns
    -------
    start, stop : int
        With something between them.

    Raises
    ------
    ValueError
        If there is no such part.
    """
    start, stop, _ = (slice(None) if region is None else region).indices(n_samples)
    if start >= stop:
        raise ValueError(
            f"start={region.start} and stop={region.stop} hold none of {n_samples} samples"
        )
    return start, stop
