"""How many bits the channels of a file have, which Pillow's mode does not always say."""

from typing import Any, BinaryIO

_START_OF_JP2 = b"\xff\x4f\xff\x51"  # a codestream, and the sizes of its image


def has_more_than_8_bits(image: Any, file: BinaryIO) -> bool:
    """Tell whether a file has channels of more than 8 bits, also where Pillow reads 8 of them.

    Parameters
    ----------
    image : Image
        What Pillow has opened, before its pixels are loaded.
    file : file object
        The file.

    Returns
    -------
    bool
        For PNG, PPM, TIFF, JPEG 2000 and AVIF; the other formats that are read have no more.
    """
    if image.mode.startswith(("I", "F")):
        return True
    if image.format == "TIFF":
        return max(image.tag_v2.get(258, (1,))) > 8
    if image.format in ("AVIF", "JPEG2000"):
        place = file.tell()
        file.seek(0)
        content = file.read()
        file.seek(place)
        return (_is_deep_avif if image.format == "AVIF" else _is_deep_jp2)(content)
    # What the decoder is told: a raw mode such as "RGB;16B", or a largest value.
    told = [part for tile in image.tile for part in _parts(tile[3])]
    if image.format == "PNG":
        return any(";16" in str(part) for part in told)
    return image.format == "PPM" and any(isinstance(part, int) and part > 255 for part in told)


def _parts(args: Any) -> tuple[Any, ...]:
    return args if isinstance(args, tuple) else (args,)


def _is_deep_avif(content: bytes) -> bool:
    """Tell whether one of the AV1 configuration boxes has the flag of 10 or 12 bits."""
    return any(part[2:3] and part[2] & 0x40 for part in content.split(b"av1C")[1:])


def _is_deep_jp2(content: bytes) -> bool:
    """Tell whether a component has a depth, less one, of more than 7."""
    start = content.find(_START_OF_JP2)
    n_components = int.from_bytes(content[start + 40 : start + 42], "big")
    return any(depth & 0x7F > 7 for depth in content[start + 42 :][: 3 * n_components : 3])
