"""Sounds that are written while they go on."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._settings import inference
from ..coding import Framing
from ._audio_header import AudioHeader, n_frames_of
from ._audio_streams import AudioStreams
from ._segments import SEGMENTS_TOGETHER
from ._signals import checked_signal


class AudioEncoder:
    """Write a sound piece by piece; :meth:`AudioCompressor.encoder` makes one.

    What :meth:`push` and :meth:`flush` return, joined, is the stream that
    :meth:`AudioCompressor.compress` writes of the whole sound, whatever the pieces are. Only where
    coding would take more bytes than the samples is that something else, the samples themselves:
    what was written can't be taken back. So a sound that ends before its first segment is full
    takes at most 32 bytes more than its samples. A longer one takes at most 8 bytes for each
    coefficient and each level of a band, 15 for each segment, and 64. More than its samples are
    only those that are far louder than the training data: noise of full scale takes 11 bits for
    each value at the highest quality, if the training data are an eleventh as loud.

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
        waiting = torch.cat([self._waiting, scaled])
        h, size = streams.hop_length, streams.n_frames
        written = []
        while n := min((len(waiting) // h - 1) // size, SEGMENTS_TOGETHER):
            written += [self._started(), self._segments(waiting[: (n * size + 1) * h])]
            waiting = waiting[n * size * h :]
        # A copy, so that what was written is not kept.
        self._waiting = waiting.clone() if written else waiting
        return b"".join(written)

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
