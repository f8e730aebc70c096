"""Whole numbers in few bytes."""

import pytest

from skae.coding import BitstreamError, read_varint, varint


@pytest.mark.parametrize("value", [0, 127, 128, 2**32, 2**62])
def test_varint(value):
    stream = b"x" + varint(value)
    assert read_varint(stream, 1) == (value, len(stream))
    with pytest.raises(BitstreamError, match="ends inside of a number"):
        read_varint(stream[:-1], 1)


def test_varint_too_long():
    with pytest.raises(BitstreamError, match="too long"):
        read_varint(b"\xff" * 12, 0)
