"""What a codec makes of signals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any


def compress_at(
    estimator: Any, X: Any, qualities: Iterable[Any]
) -> Iterator[tuple[list[bytes], Any]]:
    """Yield the streams and the decoded signals of each quality."""
    if not (hasattr(estimator, "compress") and hasattr(estimator, "decompress")):
        raise TypeError(
            f"estimator must have compress and decompress; {type(estimator).__name__} has not."
        )
    for quality in qualities:
        streams = estimator.compress(X, quality=quality)
        yield streams, estimator.decompress(streams)
