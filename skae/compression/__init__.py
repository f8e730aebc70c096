"""Images as short byte strings.

``_image_compressor.py`` is the estimator, and ``_image_streams.py`` says what the streams of
``skae.coding`` have to know of images: their header and tiles, their coefficients and pixels.
"""

from ..coding import BitstreamError
from ._datasets import CompressedDataset
from ._image_compressor import ImageCompressor
from ._image_streams import inspect_stream

__all__ = ["BitstreamError", "CompressedDataset", "ImageCompressor", "inspect_stream"]
