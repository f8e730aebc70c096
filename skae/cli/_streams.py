"""What streams hold, without their models."""

from typing import Any


def about_stream(stream: Any) -> dict[str, Any]:
    """Return what a stream holds, whose checksums are verified."""
    from ..compression import inspect_stream

    return inspect_stream(stream)


def told_quality(quality: float | None) -> str:
    """Return the quality of a stream in words."""
    return "stored" if quality is None else f"quality {quality:g}"
