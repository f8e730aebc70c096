"""What is known of sounds in a stream before any of them is decoded."""

from dataclasses import dataclass
from typing import Any

from ..coding import CODED, N_NUMBERS, Header, opened
from ._signals import DTYPES

PER_HERTZ = 1000  # rates are stored in millihertz


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
    n_together : int, default=1
        Number of sounds that share a chunk; not in raw streams, nor is what follows.
    n_frames : int, default=1
        Number of frames of a chunk, but the last.
    hop_length : int, default=1
        Number of samples from a frame to the next.
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
    n_together: int = 1
    n_frames: int = 1
    hop_length: int = 1

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
        return self.millihertz / PER_HERTZ


def n_frames_of(n_samples: int, hop_length: int) -> int:
    """Return how many frames hold every sample twice."""
    return -(-n_samples // hop_length) + 1


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
