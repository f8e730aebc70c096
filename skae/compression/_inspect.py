"""What a stream holds, whatever its medium, and without its model."""

from collections.abc import Callable
from typing import Any

from ..coding import BitstreamError
from ._audio_header import AudioHeader, inspect_audio
from ._clip_streams import ClipsHeader, inspect_clips
from ._image_streams import ImageHeader, inspect_images

_READERS: dict[bytes, Callable[[bytes | memoryview], dict[str, Any]]] = {
    ImageHeader.magic: inspect_images,
    AudioHeader.magic: inspect_audio,
    ClipsHeader.magic: inspect_clips,
}


def inspect_stream(stream: bytes | memoryview) -> dict[str, Any]:
    """Return what a stream holds, without its model; its checksums are verified.

    Parameters
    ----------
    stream : bytes, memoryview or another buffer
        What :meth:`ImageCompressor.compress`, :meth:`AudioCompressor.compress` or one of their
        :meth:`compress_dataset` returned.

    Returns
    -------
    dict
        Of both, ``dtype``, ``quality`` (from 0 to 100, None if values are stored as they are),
        ``n_chunks`` and the ``fingerprint`` of the model. Of images, ``n_images``, ``height``,
        ``width``, ``channels`` and ``bits_per_pixel``; of sounds, ``n_signals``, ``n_samples``,
        ``n_channels``, ``sample_rate`` in hertz, ``seconds`` and ``kbps``, thousand bits per
        second. If lengths are unequal, ``n_samples`` and ``seconds`` are lists of those of all.

    Raises
    ------
    BitstreamError
        If it is no stream, damaged, or one that no model would read.
    """
    view = memoryview(stream)
    start = bytes(view.cast("B")[:4]) if view.nbytes else b""
    if start not in _READERS:
        known = " nor ".join(map(repr, _READERS))
        raise BitstreamError(f"the stream starts with {start!r}, not with {known}")
    return _READERS[start](stream)
