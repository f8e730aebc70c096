"""Whole numbers in as few bytes as they need."""

from ._errors import BitstreamError


def varint(value: int) -> bytes:
    """Return an integer in seven bits per byte, low bits first.

    Parameters
    ----------
    value : int
        Not negative.

    Returns
    -------
    bytes
        One byte below 128, two below 16,384 and so on.
    """
    parts = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


def read_varint(stream: bytes | bytearray | memoryview, position: int) -> tuple[int, int]:
    """Read what :func:`varint` has written.

    Parameters
    ----------
    stream : bytes, bytearray or memoryview
        A stream.
    position : int
        Where the integer starts.

    Returns
    -------
    value : int
        The integer, below 2 ** 63.
    position : int
        Where it ends.
    """
    value = 0
    for i in range(9):
        if position + i >= len(stream):
            raise BitstreamError(f"the stream ends inside of a number, at byte {len(stream)}")
        byte = stream[position + i]
        value |= (byte & 127) << 7 * i
        if byte < 128:
            return value, position + i + 1
    raise BitstreamError(f"the number at byte {position} is too long")
