"""Small pictures as text in a page."""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode

import numpy as np
from numpy.typing import NDArray


def png_source(image: NDArray[np.uint8]) -> str:
    """Return an image of shape (height, width) or (height, width, 3) as the source of an `img`.

    The picture is stored as PNG (ISO/IEC 15948), each line as differences from the one above.
    """
    image = image[..., 0] if image.shape[2:] == (1,) else image
    height, width = image.shape[:2]
    lines = image.reshape(height, -1)
    filtered = np.diff(lines, axis=0, prepend=np.zeros_like(lines[:1]))  # modulo 256
    up = np.full((height, 1), 2, dtype=np.uint8)
    color = 2 if image.ndim == 3 else 0
    header = struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)
    data = zlib.compress(np.hstack([up, filtered]).tobytes(), 9)
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    png = b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in chunks)
    return f"data:image/png;base64,{b64encode(png).decode()}"


def _chunk(name: bytes, content: bytes) -> bytes:
    check = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)
