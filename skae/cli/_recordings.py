"""Sound files as the arrays that models are fitted to, block by block."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from ._outcomes import CommandError
from ._soundfile import SUFFIXES, os_errors, soundfile

if TYPE_CHECKING:
    import numpy as np

_READABLE = {*SUFFIXES.values(), "RF64", "WAVEX"}
_FLOATS = ("DOUBLE", "FLOAT", "MPEG", "OPUS", "VORBIS")  # what names of their encodings start with
_WIDE = ("PCM_24", "PCM_32", "ALAC_20", "ALAC_24", "ALAC_32")
_TOGETHER = 2**17  # samples
_LESS_THAN_TOLD = "(should be"  # in what libsndfile notes about sizes


class Recording:
    """A sound file that is read once, from its beginning to its end.

    Parameters
    ----------
    sound : SoundFile
        What soundfile has opened.
    dtype : str, default=None
        Of the samples; None is "int16" for whole numbers of up to 16 bits, "int32" for longer ones,
        and "float32" for all else.

    Attributes
    ----------
    sample_rate : int
        In hertz.
    n_channels : int
        Number of channels.
    dtype : str
        Of the samples.
    """

    def __init__(self, sound: Any, dtype: str | None = None) -> None:
        self._sound = sound
        self.sample_rate, self.n_channels = int(sound.samplerate), int(sound.channels)
        is_float, is_wide = sound.subtype.startswith(_FLOATS), sound.subtype in _WIDE
        self.dtype = dtype or ("float32" if is_float else "int32" if is_wide else "int16")

    @property
    def kind(self) -> str:
        """Sample rate and number of channels, in words."""
        return kind_of_sound(self.sample_rate, self.n_channels)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user may not expect."""
        is_short = _LESS_THAN_TOLD in self._sound.extra_info
        return ("it is shorter than its header says, and may have been cut",) * is_short

    def blocks(self) -> Iterator["np.ndarray"]:
        """Yield all samples, in blocks of shape (n_samples, n_channels).

        Raises
        ------
        CommandError
            If there are none, or not all of them, or if they are damaged.
        """
        import numpy as np

        n_read, n_told = 0, self._sound.frames
        size = max(1, _TOGETHER // self.n_channels)
        while True:
            with _errors_told():
                block = self._sound.read(size, dtype=self.dtype, always_2d=True)
            if not len(block):
                break
            if not (finite := np.isfinite(block).all(1)).all():
                at = n_read + int(np.argmin(finite))
                raise CommandError(f"it contains NaN or infinity at sample {at:,}")
            n_read += len(block)
            yield block
        if n_read < n_told:
            raise CommandError(f"it is damaged: it ends after {n_read:,} of {n_told:,} samples")
        if not n_read:
            raise CommandError("it holds no samples")

    def whole(self) -> "np.ndarray":
        """Return all samples, of shape (n_samples, n_channels)."""
        import numpy as np

        return np.concatenate(list(self.blocks()))


def kind_of_sound(sample_rate: float, n_channels: int) -> str:
    """Return a sample rate and a number of channels in words."""
    return f"{sample_rate:,g} Hz, {n_channels} channel{'s' * (n_channels != 1)}"


@contextlib.contextmanager
def opened_recording(file: BinaryIO, dtype: str | None = None) -> Iterator[Recording]:
    """Open a sound file.

    Parameters
    ----------
    file : file object
        The file.
    dtype : str, default=None
        That of a Recording.

    Yields
    ------
    Recording
        What is in it.

    Raises
    ------
    CommandError
        If it is no sound file, or a broken one.
    """
    module = soundfile()
    with contextlib.ExitStack() as stack:
        with _errors_told():
            # libsndfile reads files by itself: in its callbacks, errors and Ctrl-C get lost.
            sound = stack.enter_context(module.SoundFile(getattr(file, "name", file)))
            if sound.format not in _READABLE:
                raise CommandError(f"its format, {sound.format}, is not supported")
        yield Recording(sound, dtype)


@contextlib.contextmanager
def _errors_told() -> Iterator[None]:
    try:
        with os_errors():
            yield
    except OSError as error:
        if "not recognised" in str(error):
            raise CommandError("it is not a sound file") from None
        raise CommandError(f"it can't be read: {error}") from None
