"""Images, sounds and other sampled signals as short byte strings.

``_image_compressor.py`` and ``_audio_compressor.py`` are the estimators. ``_image_streams.py`` and
``_audio_streams.py`` say what the streams of ``skae.coding`` have to know: headers, tiles or
segments, coefficients, pixels or samples. ``_audio_encoder.py`` and ``_audio_decoder.py`` write and
read sounds that go on.
``_compressor.py`` and ``_reading.py`` are what estimators of every medium share.
"""

from ..coding import BitstreamError
from ._audio_compressor import AudioCompressor
from ._audio_decoder import AudioDecoder
from ._audio_encoder import AudioEncoder
from ._datasets import CompressedDataset
from ._image_compressor import ImageCompressor
from ._inspect import inspect_stream

__all__ = [
    "AudioCompressor",
    "AudioDecoder",
    "AudioEncoder",
    "BitstreamError",
    "CompressedDataset",
    "ImageCompressor",
    "inspect_stream",
]
