"""What a codec makes of images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..metrics import bits_per_pixel


def compress_at(estimator: Any, X: Any, qualities: Iterable[Any]) -> Iterator[tuple[float, Any]]:
    """Yield the bits per pixel and the decoded images of each quality."""
    if not (hasattr(estimator, "compress") and hasattr(estimator, "decompress")):
        raise TypeError(
            f"estimator must have compress and decompress; {type(estimator).__name__} has not."
        )
    for quality in qualities:
        streams = estimator.compress(X, quality=quality)
        yield bits_per_pixel(streams, X), estimator.decompress(streams)
