"""Image files as the arrays that models are fitted to."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from ._colors import in_srgb
from ._depth import has_more_than_8_bits
from ._outcomes import CommandError
from ._pillow import FORMATS, pillow

if TYPE_CHECKING:
    import numpy as np

# Of EXIF data in TIFF files, which also hold where their pixels are: what is about the photograph.
_PLAIN_TAGS = (0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x8298)
_TAGS_OF_TAGS = (0x8769, 0x8825)


@dataclass(frozen=True)
class Picture:
    """A picture of 8 bits, upright and opaque.

    Parameters
    ----------
    pixels : ndarray of uint8 of shape (height, width) or (height, width, 3)
        Gray, or red, green and blue.
    exif : bytes
        EXIF data, if they were asked for.
    profile : bytes
        The color profile of the pixels, if it was asked for; without, they are in sRGB.
    notes : tuple of str
        What of the file is not in the picture.
    """

    pixels: "np.ndarray"
    exif: bytes
    profile: bytes
    notes: tuple[str, ...]


def read_image(path: Path) -> "np.ndarray":
    """Read an image file as the bundled model wants it.

    Parameters
    ----------
    path : Path
        A file of AVIF, BMP, GIF, JPEG, JPEG 2000, PNG, PPM, QOI, TGA, TIFF or WebP.

    Returns
    -------
    ndarray of uint8 of shape (height, width) or (height, width, 3)
        The picture, upright, in sRGB; two axes if it is gray.

    Raises
    ------
    CommandError
        If it is no image file or a broken one, too large for Pillow, or if the picture has what
        would be lost: transparency, more than 8 bits, or further frames.
    """
    with Path(path).open("rb") as file:
        return read_picture(file).pixels


def read_picture(
    file: BinaryIO, *, metadata: bool = False, background: tuple[int, ...] | None = None
) -> Picture:
    """Read a picture, and say what would be lost.

    Parameters
    ----------
    file : file object
        An image file.
    metadata : bool, default=False
        Whether to keep EXIF data and, rather than turning colors into sRGB, the profile.
    background : tuple of three ints, default=None
        What is behind transparent pixels; None refuses these.

    Returns
    -------
    Picture
        The picture.
    """
    try:
        return _read(file, metadata, background)
    except (CommandError, MemoryError):
        raise
    except Exception as error:  # whatever decoders make of damage
        reason = str(error) or type(error).__name__
        raise CommandError(f"it can't be read: {reason}") from None


def _read(file: BinaryIO, metadata: bool, background: tuple[int, ...] | None) -> Picture:
    from numpy import asarray

    image, notes = _loaded(file)
    image, exif, note = _upright(image, metadata)
    notes += [note] if note else []
    profile = image.info.get("icc_profile") or b""
    image, alpha = _without_alpha(image)
    is_opaque = alpha is None or alpha.getextrema()[0] == 255
    if not is_opaque and background is None:
        raise CommandError(
            "it has transparent pixels, which are not supported; --background white flattens it"
        )
    image, is_kept, note = in_srgb(image, profile, metadata and is_opaque)
    notes += [note] if note else []
    if not is_opaque:
        behind = pillow("Image").new("RGB", image.size, background)
        image = pillow("Image").composite(image.convert("RGB"), behind, alpha)
        notes.append("its transparent pixels were flattened")
    pixels = asarray(image)
    # Gray pictures are often stored as colored ones, or become them by their palette.
    if pixels.ndim == 3 and (pixels == pixels[..., :1]).all():
        image, is_kept, _ = in_srgb(image, profile if is_kept else None)
        pixels = asarray(image.convert("L"))
    return Picture(pixels, exif, profile if is_kept else b"", tuple(notes))


def _loaded(file: BinaryIO) -> tuple[Any, list[str]]:
    """Return the first picture of a file, or say why it is not taken."""
    module: Any = pillow("Image")
    try:
        image = module.open(file, formats=FORMATS)
    except module.UnidentifiedImageError:
        raise CommandError("it is not an image file") from None
    except module.DecompressionBombError as error:
        raise CommandError(str(error)) from None
    if has_more_than_8_bits(image, file):
        raise CommandError(
            "it has more than 8 bits per channel, which are not supported; make it one of 8 bits"
        )
    notes, n_frames = [], getattr(image, "n_frames", 1)
    if image.format == "MPO" and n_frames > 1:
        notes.append(f"the first of its {n_frames} pictures is taken")
    elif n_frames > 1:
        raise CommandError(f"it has {n_frames} frames, one is supported")
    image.load()
    return image, notes


def _upright(image: Any, metadata: bool) -> tuple[Any, bytes, str | None]:
    """Return a picture as it was seen, and its EXIF data if they are wanted."""
    try:
        upright = pillow("ImageOps").exif_transpose(image)
        return upright, _exif(image, upright) if metadata else b"", None
    except Exception as error:  # whatever Pillow makes of damage
        return image, b"", f"its EXIF data can't be read and are left out ({error})"


def _exif(image: Any, upright: Any) -> bytes:
    """Return EXIF data without the orientation."""
    exif = upright.getexif()
    if image.format == "TIFF":
        found, exif = image.getexif(), pillow("Image").Exif()
        exif.update({tag: found[tag] for tag in _PLAIN_TAGS if tag in found})
        for tag in _TAGS_OF_TAGS:
            if tags := found.get_ifd(tag):
                exif.get_ifd(tag).update(tags)
    return upright.info.get("exif") or (exif.tobytes() if exif else b"")


def _without_alpha(image: Any) -> tuple[Any, Any]:
    """Return a picture without its alpha channel, and that, None if there is none."""
    if not image.has_transparency_data:
        return image, None
    is_gray = image.mode in ("1", "L", "LA", "La")
    image = image.convert("LA").convert("RGBA") if image.mode == "La" else image.convert("RGBA")
    *channels, alpha = image.split()
    return channels[0] if is_gray else pillow("Image").merge("RGB", channels), alpha
