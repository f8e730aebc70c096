"""Kinds of files, told from what is in them, and how what becomes of them is named."""

import mimetypes
import os
from argparse import Namespace
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ._outcomes import CommandError
from ._pillow import FORMATS, format_of, is_image
from ._soundfile import SUFFIXES, is_sound


class Medium(NamedTuple):
    """A kind of files.

    Parameters
    ----------
    name : str
        What they are called.
    estimator : str
        The name of the class that compresses them.
    stream_suffix, file_suffix : str
        Of what is compressed, and of what is decompressed, if there is no name for it.
    options : tuple of str
        Those that no other kind has.
    """

    name: str
    estimator: str
    stream_suffix: str
    file_suffix: str
    options: tuple[str, ...]

    def check_options(self, args: Namespace) -> None:
        """Raise CommandError if an option was given that only another kind has."""
        for other in MEDIA:
            for option in other.options if other != self else ():
                if getattr(args, option, None):
                    raise CommandError(f"--{option} is for {other.name}, not for {self.name}")


IMAGES = Medium("images", "ImageCompressor", ".skae", ".png", ("bpp", "psnr", "crop", "metadata"))
SOUNDS = Medium("sounds", "AudioCompressor", ".ska", ".wav", ("kbps", "snr"))
MEDIA = (IMAGES, SOUNDS)
_START_OF_STREAMS, _START_OF_SOUNDS = b"\x89SK", b"\x89SKA"
_ENOUGH = 16  # bytes, to tell one from the other


def medium_of(source: Path | None, file: BinaryIO | None = None) -> Medium:
    """Return what a file is, or what a stream holds.

    Parameters
    ----------
    source : Path or None
        Its name, which has a say only if the content is of no kind that is known.
    file : file object, default=None
        The file, of which nothing is read in the end; None opens it, if there is one.

    Returns
    -------
    Medium
        Sounds, or images: these have too many formats to tell all of them from their first bytes.
    """
    start = _start_of(source) if file is None else file.read(_ENOUGH)
    if file is not None:
        file.seek(0)
    if start.startswith(_START_OF_SOUNDS) or is_sound(start):
        return SOUNDS
    suffix = source.suffix.lower() if source is not None else ""
    if suffix != SOUNDS.stream_suffix and suffix not in SUFFIXES:
        return IMAGES
    return IMAGES if start.startswith(_START_OF_STREAMS) or is_image(start) else SOUNDS


def _start_of(source: Path | None) -> bytes:
    """Return the first bytes of a file; pipes, of which they would be lost, are left alone."""
    if source is None or not os.path.isfile(source):
        return b""
    try:
        with source.open("rb") as file:
            return file.read(_ENOUGH)
    except OSError:
        return b""


def is_stream(path: Path) -> bool:
    """Tell whether a file in a folder is to be read as a stream."""
    return path.suffix.lower() in {medium.stream_suffix for medium in MEDIA}


def is_original(path: Path) -> bool:
    """Tell whether a file in a folder is to be read as an image or a sound."""
    if path.suffix.lower() in SUFFIXES:
        return True
    try:
        return format_of(path) in FORMATS
    except CommandError:  # without Pillow, which is told of each image
        return (mimetypes.guess_type(path.name)[0] or "").startswith("image/")
