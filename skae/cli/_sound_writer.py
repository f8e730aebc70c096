"""Sound files that are written block by block."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ._outcomes import CommandError
from ._soundfile import SUFFIXES, os_errors, soundfile

_LOSSY = {".mp3": "MPEG_LAYER_III", ".oga": "VORBIS", ".ogg": "VORBIS", ".opus": "OPUS"}
_LOSSLESS = {"int16": "PCM_16", "int32": "PCM_32", "float32": "FLOAT", "float64": "DOUBLE"}
_SMALL, _MOST_BYTES = {"AIFF", "AU", "WAV"}, 2**32 - 2**16
_TOGETHER = 2**16  # samples; libsndfile crashes when it is given millions of them for Vorbis


class SoundWriter:
    """Write a sound file, which is made when the first samples are there.

    Parameters
    ----------
    path : Path
        A file.
    suffix : str
        Of the name that it will have.
    sample_rate : float
        In hertz; a whole number.
    """

    def __init__(self, path: Path, suffix: str, sample_rate: float) -> None:
        if sample_rate != int(sample_rate):
            raise CommandError(
                f"its sample rate is {sample_rate:,} Hz, but sound files need whole numbers; "
                "AudioCompressor.decompress reads it in Python"
            )
        self._path, self._suffix, self._rate = path, suffix, int(sample_rate)
        self._sound: Any = None
        self._n_samples = 0
        self.notes: tuple[str, ...] = ()

    def write(self, samples: Any) -> None:
        """Write further samples, of shape (n_samples,) or (n_samples, n_channels), or none."""
        for start in range(0, len(samples), _TOGETHER):
            block = samples[start : start + _TOGETHER]
            with os_errors():
                if self._sound is None:
                    self._sound = self._opened(block)
                self._sound.write(block)
            self._n_samples += len(block)
            n_bytes = self._n_samples * block[0].nbytes
            if SUFFIXES[self._suffix] in _SMALL and n_bytes > _MOST_BYTES:
                raise CommandError(f"{self._suffix} files hold 4 GB at most; .w64 holds more")

    def _opened(self, samples: Any) -> Any:
        n_channels = samples.shape[1] if samples.ndim > 1 else 1
        encoding = _LOSSY.get(self._suffix) or _LOSSLESS[samples.dtype.name]
        if self._suffix == ".flac" and encoding != "PCM_16":
            encoding = "PCM_24"
            self.notes = ("FLAC has 24 bits at most, to which it was rounded and clipped",)
        params = {"format": SUFFIXES[self._suffix], "subtype": encoding}
        return soundfile().SoundFile(self._path, "w", self._rate, n_channels, **params)

    def close(self) -> dict[str, Any]:
        """End the file; return facts about it."""
        with os_errors():
            self._sound.close()
        return {
            "seconds": self._n_samples / self._rate,
            "sample_rate": self._rate,
            "n_channels": self._sound.channels,
            "bytes": self._path.stat().st_size,
        }

    def abandon(self) -> None:
        """Close the file, if it is still open, whatever is in it."""
        with contextlib.suppress(Exception):
            self._sound.close()


@contextlib.contextmanager
def writing(path: Path, suffix: str, sample_rate: float) -> Iterator[SoundWriter]:
    """Yield a SoundWriter, which is closed in any case."""
    writer = SoundWriter(path, suffix, sample_rate)
    try:
        yield writer
    finally:
        writer.abandon()


def check_suffix(output: Path | None, suffix: str, force: bool) -> None:
    """Raise CommandError if there is no such format, or if it loses something unless forced."""
    if suffix not in SUFFIXES:
        raise CommandError(f"{output}: no sound format has the suffix {suffix!r}; .wav has")
    if suffix in _LOSSY and not force:
        raise CommandError(
            f"{output} would lose a second time, as {SUFFIXES[suffix]} does; --force writes it, "
            ".wav loses nothing"
        )
