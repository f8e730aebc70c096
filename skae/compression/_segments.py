"""Segments of spectrograms as chunks of bytes and back, as the network sees samples."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..coding import N_PER_LEVEL, BitstreamError, Codec
from ._audio_header import AudioHeader

SEGMENTS_TOGETHER = 16  # that are coded, or decoded, at once


class Segments:
    """Write and read segments, each of which can be read without the others.

    A frame overlaps its neighbours, so the first and the last `hop_length` samples of a segment are
    whole only when those of the segments beside it are added.

    Parameters
    ----------
    codec : Codec
        Turns coefficients into bytes; its network is a SpectralCodecNetwork.
    n_frames : int
        Number of frames of a segment.
    """

    def __init__(self, codec: Codec, n_frames: int) -> None:
        self.codec, self.n_frames = codec, n_frames
        self.network: Any = codec.network

    def write(self, x: Tensor, number: int, first: int) -> list[bytes]:
        """Return the chunks of successive segments.

        Parameters
        ----------
        x : Tensor of shape ((n + 1) * hop_length, n_channels)
            Samples of `n` frames; all segments but the last are complete.
        number : int
            Number of the rounding step.
        first : int
            Number of the first chunk. Each tells its own, so that one that is missing is noticed.

        Returns
        -------
        list of bytes
            A chunk for each segment.
        """
        h, size = self.network.hop_length, self.n_frames
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
        both = enumerate(zip(chunks, codes, strict=True))
        return [
            numbered(b"" if self.network.is_silent(y) else chunk, first + i)
            for i, (chunk, y) in both
        ]

    def read(
        self,
        header: AudioHeader,
        chunks: Any,
        numbers: range,
        before: int = 0,
        n_signals: int = 1,
        realism: float = 0.0,
    ) -> list[Tensor]:
        """Return the samples of segments.

        Parameters
        ----------
        header : AudioHeader
            Of the stream.
        chunks : Chunks or mapping of int to bytes
            Its chunks.
        numbers : range
            Which segments.
        before : int, default=0
            How many chunks come before those of these sounds.
        n_signals : int, default=1
            How many sounds share the chunks.
        realism : float, default=0.0
            How much the sharpener does, from 0 to 1.

        Returns
        -------
        list of Tensor of shape (n_signals, (n_frames + 1) * hop_length, n_channels)
            Samples.

        Raises
        ------
        BitstreamError
            If a chunk is none of these.
        """
        by_length: dict[int, list[int]] = {}
        for i in numbers:
            n_frames = min(header.n_frames, header.all_frames - i * header.n_frames)
            by_length.setdefault(n_frames, []).append(i)
        found: dict[int, Tensor] = {}
        for n_frames, some in by_length.items():
            codes = {i: _code_of(chunks, before + i) for i in some}
            length = (n_frames + 1) * self.network.hop_length
            silence = torch.zeros(n_signals, length, self.network.n_channels)
            found.update({i: silence.clone() for i in some if not len(codes[i])})
            if not (sounding := [i for i in some if len(codes[i])]):
                continue
            given = [codes[i] for i in sounding]
            y, sizes = self.decoded(given, (n_signals, n_frames), header.number)
            level = header.number / N_PER_LEVEL
            levels = torch.full((n_signals,), level)
            # One by one, for the same reason.
            each = zip(sounding, y.split(n_signals), sizes.split(n_signals), strict=True)
            for i, *parts in each:
                filled = self.network.filled(*parts, levels, i * header.n_frames, realism)
                found[i] = self.network.synthesize(filled, level)
        return [found[i] for i in numbers]

    def decoded(
        self, codes: Sequence[Any], shape: tuple[int, int], number: int
    ) -> tuple[Tensor, Tensor]:
        """Return coefficients, and how large what was rounded to zero is expected to be.

        Parameters
        ----------
        codes : sequence of bytes or memoryview
            Codes.
        shape : tuple of two ints
            Number of signals of each code, and of their frames.
        number : int
            Number of the rounding step.

        Returns
        -------
        y, sizes : Tensor of shape (n_codes * n_signals, n_frames, n_columns, 1)
            Coefficients, and magnitudes in steps, zero where nothing was rounded to zero.
        """
        (n_signals, n_frames), n_columns = shape, self.network.n_columns
        sizes = torch.zeros(len(codes) * n_signals, n_frames * n_columns, 1)

        def look(channels: slice, places: Tensor, integers: Tensor, which: Tensor) -> None:
            sizes[:, places] = self.codec.zeros[which.long()] * (integers == 0)

        y = self.codec.decode_each(codes, (n_signals, n_frames, n_columns), number, tell=look)
        return y, sizes.reshape(y.shape)


def numbered(code: bytes, number: int) -> bytes:
    """Return a code as a chunk that tells its number; without a code, it is silence."""
    return bytes([number % 256]) + code


def _code_of(chunks: Any, number: int) -> Any:
    chunk = chunks[number]
    if not len(chunk) or chunk[0] != number % 256:
        raise BitstreamError(f"chunk {number} is not where it was written")
    return chunk[1:]
