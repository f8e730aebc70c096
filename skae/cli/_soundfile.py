"""The library soundfile, which may not be installed, and its formats."""

import contextlib
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

from ._outcomes import CommandError

# Formats that are read and written, by suffix.
SUFFIXES = {
    ".aif": "AIFF",
    ".aiff": "AIFF",
    ".au": "AU",
    ".caf": "CAF",
    ".flac": "FLAC",
    ".mp3": "MP3",
    ".oga": "OGG",
    ".ogg": "OGG",
    ".opus": "OGG",
    ".w64": "W64",
    ".wav": "WAV",
}
_STARTS = (b".snd", b"ID3", b"OggS", b"RF64", b"caff", b"fLaC", b"riff\x2e\x91\xcf\x11")
_CONTAINERS = ((b"RIFF", b"WAVE"), (b"FORM", b"AIFF"), (b"FORM", b"AIFC"))


def soundfile() -> ModuleType:
    """Return the library, or say how to get it."""
    try:
        return import_module("soundfile")
    except ModuleNotFoundError:
        raise CommandError(
            'sound files need soundfile, which is not installed: pip install "skae[audio]"'
        ) from None
    except OSError as error:  # it looks for libsndfile when it is imported
        raise CommandError(f"sound files need libsndfile: {error}") from None


def is_sound(start: bytes) -> bool:
    """Tell whether a file that starts with some bytes, 12 at least, is a sound."""
    if start.startswith(_STARTS) or (start[:4], start[8:12]) in _CONTAINERS:
        return True
    # A frame of MPEG audio, layer III: 11 bits that are set, the version, the layer.
    return len(start) > 1 and start[0] == 0xFF and start[1] & 0xE6 == 0xE2


@contextlib.contextmanager
def os_errors() -> Iterator[None]:
    """Make OSErrors of what soundfile raises, as of what goes wrong with other files."""
    try:
        yield
    except (CommandError, MemoryError, OSError):
        raise
    except Exception as error:  # whatever damage ends in
        reason = getattr(error, "error_string", "") or str(error) or type(error).__name__
        raise OSError(reason) from None
