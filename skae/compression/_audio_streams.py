"""Sounds and other sampled signals as streams and back."""

import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._settings import inference
from ..coding import (
    CODED,
    MAX_VALUES,
    N_NUMBERS,
    RAW,
    BaseStreams,
    BitstreamError,
    Chunks,
    Codec,
    Header,
    opened,
    pack,
    varint,
    wanted_of,
)
from ._signals import DTYPES, full_scale, scaled
from ._signs import random_signs

_SAMPLES_TOGETHER, _MOST_TOGETHER = 2**21, 256
_SEGMENTS_TOGETHER = 16
_PER_HERTZ = 1000  # rates are stored in millihertz


@dataclass(frozen=True)
class AudioHeader(Header):
    """What is known of the sounds of a stream before any of them is decoded.

    Parameters
    ----------
    kind : int
        ``RAW`` or ``CODED``.
    dtype : str
        One of ``dtypes``.
    fingerprint : int
        That of the model.
    n_signals : int
        Number of sounds.
    n_samples : int
        Length of all of them; it is known when the last sample is written.
    n_channels : int
        Number of channels.
    millihertz : int
        Samples in 1,000 seconds.
    hop_length : int
        Number of samples from a frame to the next.
    n_together : int, default=1
        Number of sounds that share a chunk; not in raw streams, nor is what follows.
    n_frames : int, default=1
        Number of frames of a chunk, but the last.
    number : int, default=0
        Number of the rounding step.
    """

    magic = b"\x89SKA"
    dtypes = DTYPES
    at_end = "n_samples"

    n_signals: int
    n_samples: int
    n_channels: int
    millihertz: int
    hop_length: int
    n_together: int = 1
    n_frames: int = 1

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of sounds, of samples and of channels."""
        return self.n_signals, self.n_samples, self.n_channels

    @property
    def chunk_shape(self) -> tuple[int, int]:
        """Number of sounds that share a chunk, and of frames."""
        return self.n_together, self.n_frames

    @property
    def all_frames(self) -> int:
        """Number of frames of a sound."""
        return n_frames_of(self.n_samples, self.hop_length)

    @property
    def grid(self) -> tuple[int, int]:
        """How many chunks stand behind each other: of sounds, and of frames."""
        return -(-self.n_signals // self.n_together), -(-self.all_frames // self.n_frames)

    @property
    def sample_rate(self) -> float:
        """In hertz."""
        return self.millihertz / _PER_HERTZ


def n_frames_of(n_samples: int, hop_length: int) -> int:
    """Return how many frames hold every sample twice."""
    return -(-n_samples // hop_length) + 1


def in_hops(x: Tensor, hop_length: int) -> Tensor:
    """Return a signal of shape (n_samples, n_channels) in whole hops, with one of zeros around."""
    missing = (n_frames_of(len(x), hop_length) + 1) * hop_length - hop_length - len(x)
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
        self.network: Any = codec.network
        network = self.network
        self.hop_length, self.n_channels = network.hop_length, network.n_channels
        self.millihertz = round(sample_rate * _PER_HERTZ)
        if fingerprint is None:
            powers = network.shaping, network.companding, network.tilt
            medium = struct.pack("<4d", scale, *powers) + offset.astype("<f8").tobytes()
            sizes = self.hop_length, self.n_channels, self.millihertz
            fingerprint = codec.fingerprint(medium + b"".join(map(varint, sizes)))
        super().__init__(codec, fingerprint, former)
        self.offset, self.scale, self.n_frames = offset, scale, n_frames

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
            ("samples in 1,000 seconds", header.millihertz, self.millihertz),
            ("samples from a frame to the next", header.hop_length, self.hop_length),
        ):
            if found != expected:
                raise BitstreamError(f"the header has {found} {name}, the model {expected}")

    def header(self, n_signals: int, n_samples: int, dtype: np.dtype, number: int) -> AudioHeader:
        """Return the header of sounds that are to be coded."""
        layout = self.layouts((n_signals, n_samples, self.n_channels))[0]
        sizes = (n_signals, n_samples, self.n_channels, self.millihertz, self.hop_length)
        return AudioHeader(CODED, dtype.name, self.fingerprint, *sizes, number=number, **layout)

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
                bytes([start // size % 256])
                + self.codec.encode(self.coefficients(arrays[start : start + size]), number)
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
        return pack(replace(header, kind=RAW), [samples])

    def _segments(self, arrays: Sequence[np.ndarray], number: int) -> Iterator[bytes]:
        """Yield the chunks of sounds, one after the other."""
        h, n, before = self.hop_length, self.n_frames, 0
        for array in arrays:
            n_samples, all_frames = len(array), n_frames_of(len(array), h)
            for first in range(0, all_frames, n * _SEGMENTS_TOGETHER):
                last = min(first + n * _SEGMENTS_TOGETHER, all_frames)
                start, stop = max(first - 1, 0) * h, last * h
                x = self.scaled(array[start : min(stop, n_samples)])
                x = torch.nn.functional.pad(x, (0, 0, h * (first == 0), max(stop - n_samples, 0)))
                yield from self.segments(x, number, before + first // n)
            before += -(-all_frames // n)

    def segments(self, x: Tensor, number: int, first: int) -> list[bytes]:
        """Return the chunks of successive segments.

        Parameters
        ----------
        x : Tensor of shape ((n + 1) * hop_length, n_channels)
            Samples of `n` frames, as the network sees them; all segments but the last are complete.
        number : int
            Number of the rounding step.
        first : int
            Number of the first chunk, which is told in each, so that one that is missing is noticed.

        Returns
        -------
        list of bytes
            A chunk for each segment.
        """
        h, size = self.hop_length, self.n_frames
        n_frames = len(x) // h - 1
        # One by one, so that what a segment becomes does not depend on the others.
        codes = [
            self.network.coefficients(x[start * h : (min(start + size, n_frames) + 1) * h][None])
            for start in range(0, n_frames, size)
        ]
        whole = [code for code in codes if code.shape[1] == size]
        chunks = self.codec.encode_each(torch.cat(whole), number) if whole else []
        if len(chunks) < len(codes):
            chunks += self.codec.encode_each(codes[-1], number)
        return [bytes([(first + i) % 256]) + chunk for i, chunk in enumerate(chunks)]

    @inference()
    def costs(self, arrays: Sequence[np.ndarray], number: int) -> tuple[np.ndarray, np.ndarray]:
        n_bits, squares = np.zeros((2, len(arrays)))
        first = self.network.contexts.first_bin
        for i, array in enumerate(arrays):
            for y in self.coefficients([array]).split(self.n_frames, 1):
                decoded, lengths = self.codec.cost(y, number)
                errors = (decoded - y)[:, :, first:].double()
                n_bits[i] += lengths[0]
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
            for at, x in self._parts(header, chunks, group, start, stop):
                result[here, at] = self.unscaled(x[which], dtype)
        return result

    def _parts(
        self, header: AudioHeader, chunks: Chunks, group: int, start: int, stop: int
    ) -> Iterator[tuple[slice, Tensor]]:
        """Yield where samples of sounds lie in a result, and what the network says they are."""
        h, size = self.hop_length, header.n_frames
        n_signals = min(header.n_together, header.n_signals - group * header.n_together)
        # The frames that hold the first and the last sample.
        segments = range(start // h // size, ((stop - 1) // h + 1) // size + 1)
        tail: Tensor | None = None
        for s in range(segments.start, segments.stop, _SEGMENTS_TOGETHER):
            some = range(s, min(s + _SEGMENTS_TOGETHER, segments.stop))
            parts = self.read_segments(header, chunks, group * header.grid[1], some, n_signals)
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

    def read_segments(
        self, header: AudioHeader, chunks: Any, before: int, numbers: range, n_signals: int = 1
    ) -> list[Tensor]:
        """Return the samples of segments, each with what it adds to its neighbours.

        Parameters
        ----------
        header : AudioHeader
            Of the stream.
        chunks : Chunks or mapping of int to bytes
            Its chunks.
        before : int
            How many chunks come before those of these sounds.
        numbers : range
            Which segments.
        n_signals : int, default=1
            How many sounds share the chunks.

        Returns
        -------
        list of Tensor of shape (n_signals, (n_frames + 1) * hop_length, n_channels)
            As the network sees samples.
        """
        by_length: dict[int, list[int]] = {}
        for i in numbers:
            n_frames = min(header.n_frames, header.all_frames - i * header.n_frames)
            by_length.setdefault(n_frames, []).append(i)
        found: dict[int, Tensor] = {}
        for n_frames, some in by_length.items():
            codes = [self._code(chunks, before + i) for i in some]
            for i, spectra in zip(
                some, self._spectra(codes, (n_signals, n_frames), header, some), strict=True
            ):
                found[i] = self.network.samples(spectra)
        return [found[i] for i in numbers]

    @staticmethod
    def _code(chunks: Any, number: int) -> Any:
        chunk = chunks[number]
        if not len(chunk) or chunk[0] != number % 256:
            raise BitstreamError(f"chunk {number} is not where it was written")
        return chunk[1:]

    def _spectra(
        self,
        codes: Sequence[Any],
        shape: tuple[int, int],
        header: AudioHeader,
        numbers: Sequence[int],
    ) -> Iterator[Tensor]:
        """Yield the spectra of each segment, with noise in place of zeros."""
        network, (n_signals, n_frames) = self.network, shape
        grid = n_signals, n_frames, network.n_columns
        y, widths = self.codec.decode_each(codes, grid, header.number)
        first = network.contexts.first_bin
        for i, each, width in zip(
            numbers, y.split(n_signals), widths.split(n_signals), strict=True
        ):
            signs = random_signs(i * header.n_frames, n_frames, network.n_columns - first)
            each[:, :, first:, 0] += network.filling * width[:, :, first:, 0] * signs
            yield network.expanded(each)


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


def inspect_audio(stream: bytes | memoryview) -> dict[str, Any]:
    """Return what a stream of sounds holds; see :func:`inspect_stream`."""
    header, chunks = opened(stream, AudioHeader)
    chunks.check()
    seconds = header.n_samples / header.sample_rate
    coded = header.kind == CODED
    return {
        **{name: getattr(header, name) for name in ("n_signals", "n_samples", "n_channels")},
        "sample_rate": header.sample_rate,
        "seconds": seconds,
        "dtype": header.dtype,
        "quality": round(100 * header.number / (N_NUMBERS - 1), 1) if coded else None,
        "kbps": memoryview(stream).nbytes / 125 / (seconds * header.n_signals),
        "n_chunks": len(chunks),
        "fingerprint": header.fingerprint,
    }
