"""Pillow, which may not be installed, and its formats."""

from importlib import import_module
from pathlib import Path
from types import ModuleType

from ._outcomes import CommandError

# Those of photographs, whose depth is known (``_depth.py``); "JPEG" are also phone pictures of two.
FORMATS = (
    "AVIF",
    "BMP",
    "GIF",
    "JPEG",
    "JPEG2000",
    "PNG",
    "PPM",
    "QOI",
    "TGA",
    "TIFF",
    "WEBP",
)


def pillow(name: str) -> ModuleType:
    """Return a module of Pillow, or say how to get it.

    Parameters
    ----------
    name : str
        Such as "Image".

    Returns
    -------
    module
        The module.
    """
    try:
        return import_module(f"PIL.{name}")
    except ModuleNotFoundError:
        raise CommandError(
            'image files need Pillow, which is not installed: pip install "skae[images]"'
        ) from None


def format_of(path: Path) -> str | None:
    """Return the format of image files that a name stands for, None if it is none."""
    return pillow("Image").registered_extensions().get(path.suffix.lower())


def is_image(start: bytes) -> bool:
    """Tell whether Pillow is there, and takes a file with these first bytes for an image."""
    try:
        module = pillow("Image")
    except CommandError:
        return False
    module.init()
    tests = [module.OPEN[format][1] for format in FORMATS if format in module.OPEN]
    return any(accepts(start) for accepts in tests if accepts is not None)
